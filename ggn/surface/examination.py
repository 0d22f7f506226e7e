"""The examination of a point: what `ggn.diagnose` measures, each when it is first asked for.

Bounds of J need no derivative; gradient and scale are cheap; the Hessian's eigenvalues are
dear, and only taken at once where a dense factorisation fits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ggn._core.cached import cached_property
from ggn.activations import Identity
from ggn.damping import natural_scale
from ggn.fit.outliers import Outliers, lone_targets
from ggn.fit.plateau import FarOut, far_out
from ggn.linearization import Linearization, Objective
from ggn.linearization.spectrum import dense_fits
from ggn.losses import Logistic, SoftmaxCrossEntropy
from ggn.losses.residual import Residual, Squared
from ggn.network import MLP
from ggn.surface.change import Changes
from ggn.surface.feasibility import obstructions
from ggn.surface.fit import beyond_reach, has_certain_labels, relative_gradient
from ggn.surface.flat_units import LARGE, Saturation, saturation
from ggn.surface.kinks import kinks
from ggn.surface.least_squares import possible_falls
from ggn.surface.obstruction import Obstruction, ObstructionKind, lower_bound
from ggn.surface.output_steps import output_steps
from ggn.surface.second_order import SecondOrder, has_hessian, normal_step
from ggn.surface.separation import rising_margins
from ggn.surface.units import Units

__all__ = ["RELATIVE", "Examination"]

PROMISE = 1e-6  # of J: what gradient and curvature may still promise at a stationary point
TINY = 1e-290  # J, below which squares have lost digits
RELATIVE = 1e-6  # relative gradient at a stationary point
BEYOND = (ObstructionKind.RANGE, ObstructionKind.EDGE)  # no finite weights reach these bounds


@dataclass(frozen=True)
class Examination:
    """A point and what is measured there; nothing changes once it is.

    Attributes
    ----------
    at : Linearization
    max_memory : float
        Bytes that the dense Hessian may take.
    """

    at: Linearization
    max_memory: float

    @property
    def objective(self) -> Objective:
        """What is minimised."""
        return self.at.objective

    @property
    def net(self) -> MLP:
        """The network."""
        return self.at.net

    @property
    def weight(self) -> np.ndarray | None:
        """The samples' weights, (T,), where they differ."""
        return self.objective.c.weights

    @cached_property
    def obstructions(self) -> tuple[Obstruction, ...]:
        """What makes an exact fit impossible."""
        objective = self.objective
        return obstructions(
            self.net,
            objective.X,
            objective.Yt.T,
            objective.loss,
            sample_weight=self.weight,
        )

    @property
    def proofs(self) -> list[Obstruction]:
        """The obstructions that are rigorous."""
        return [o for o in self.obstructions if o.rigorous]

    @cached_property
    def bound(self) -> float:
        """A lower bound of J; -inf of a loss of the user's own, which may be negative."""
        found = lower_bound(self.obstructions)
        loss = self.objective.loss
        known = isinstance(loss, Residual | Logistic | SoftmaxCrossEntropy)
        return found if known or found > 0.0 else -math.inf

    @cached_property
    def beyond(self) -> bool:
        """Whether no finite weights reach the bound."""
        if isinstance(self.objective.loss, Logistic | SoftmaxCrossEntropy):
            return self.bound > 0.0 and has_certain_labels(self.objective)
        return any(o.kind in BEYOND for o in self.obstructions) and beyond_reach(self.objective)

    @cached_property
    def saturation(self) -> Saturation:
        """The flat units."""
        return saturation(self.net, self.at.w, self.objective.X)

    @cached_property
    def large(self) -> bool:
        """Whether data in this scale do not explain the size of the weights."""
        out = LARGE * float(np.abs(self.objective.Yt).max() or 1.0)
        hidden = any(layer.large.size for layer in self.saturation.layers[:-1])
        W, net = np.abs(self.net.unpack(self.at.w)[-1]), self.net
        if net.depth == 1:  # its inputs are the data, in whatever units
            W[: net.n_inputs] *= np.abs(self.objective.X).max(axis=0)[:, np.newaxis]
        return hidden or float(W.max()) > 10.0 * out

    @cached_property
    def far_out(self) -> FarOut | None:
        """What is found where most residuals act little."""
        return far_out(self.objective, self.at.w)

    @cached_property
    def outliers(self) -> Outliers | None:
        """A few targets that the squared loss follows, far from all others."""
        if not isinstance(self.objective.loss, Squared):
            return None
        return lone_targets(self.objective.X, self.objective.Yt.T)

    @cached_property
    def scale(self) -> np.ndarray:
        """D (N,); see `ggn.damping.natural_scale`."""
        return natural_scale(self.objective)

    @cached_property
    def relative(self) -> float:
        """The relative gradient, for weights D w."""
        return relative_gradient(self.at, self.scale)

    @cached_property
    def units(self) -> Units:
        """The weights in groups, each with its size."""
        return Units(self.objective, self.scale)

    @cached_property
    def changes(self) -> Changes:
        """Changes of J from w."""
        return Changes(self.objective, self.at.w)

    @cached_property
    def idle_output(self) -> tuple[int, float, float] | None:
        """An output whose own weights lower its part of J: its number, the fall, the share."""
        if self.kinks[0]:
            return None  # no step there keeps to one side
        changes, objective = self.changes, self.objective
        quadratic = objective.loss.constant_curvature is not None
        quadratic = quadratic and self.net.activations[-1] == Identity()
        for output, d in output_steps(objective, self.at.w):
            part = float(changes.parts[output])
            if quadratic and self.at.gradient @ d < PROMISE * abs(part):
                continue  # it can fall by half of this
            # of features next to 0 the best weights are far: a promise, not a stop missed
            share = float(self.units.shares(self.scale * d, self.at.w).max())
            found = changes.fall(d / max(share, 1.0), output)
            if found > PROMISE * abs(part):
                return output, found, found / abs(part) if part else math.inf
        return None

    @cached_property
    def fall(self) -> float:
        """By how much J is seen to fall along the step or the gradient, as far as it takes.

        Along the gradient only where w is at a kink: the step's curvature is that of one side,
        and training, which takes such steps, goes no further.  Changes are no larger than the
        weights of each unit, so that where they end does not depend on the data's units.
        """
        downhill = self.at.gradient / np.square(self.scale)
        share = float(self.units.shares(self.scale * downhill, self.at.w).max()) or 1.0
        found = 0.0 if self.kinks[0] else self.changes.fall(self.step)
        return found or self.changes.fall(downhill / share)

    @cached_property
    def margins(self) -> tuple[bool | None, np.ndarray | None]:
        """Whether output weights can grow so that no sample objects; see `rising_margins`."""
        return rising_margins(self.objective, self.at.w)

    @cached_property
    def kinks(self) -> tuple[bool, bool]:
        """Whether some net input lies where σ' jumps, and where σ'' does."""
        return kinks(self.net, self.at.w, self.objective.X)

    @cached_property
    def curved(self) -> bool:
        """Whether J has a Hessian at w."""
        return not self.kinks[0] and has_hessian(self.at, self.scale)

    @cached_property
    def convex(self) -> bool:
        """Whether J is known to be convex in w."""
        net, convex = self.net, self.objective.loss.convex is True
        return convex and net.depth == 1 and net.activations[-1] == Identity()

    @cached_property
    def dense(self) -> SecondOrder | None:
        """The second-order evidence, where all eigenvalues can be had."""
        if not (self.curved and dense_fits(self.net.n_weights, self.max_memory)):
            return None
        return SecondOrder(self.at, self.units, self.max_memory)

    @cached_property
    def second(self) -> SecondOrder | None:
        """The same, or by Lanczos; None where J has no Hessian."""
        if self.dense is not None or not self.curved:
            return self.dense
        return SecondOrder(self.at, self.units, self.max_memory, self.promised)

    @cached_property
    def _step(self) -> tuple[float, np.ndarray]:
        if self.dense is not None:
            return self.dense.promised, self.dense.step
        return normal_step(self.at, self.scale)

    @property
    def step(self) -> np.ndarray:
        """The step that promises a fall of J, (N,)."""
        return self._step[1]

    @cached_property
    def promised(self) -> float:
        """The fall of J that gradient and Hessian promise, no more than its bound allows."""
        found = self._step[0] if self.falls is None else float(np.sum(self.falls))
        return min(found, max(self.at.loss - self.bound, 0.0))

    @cached_property
    def falls(self) -> np.ndarray | None:
        """The most that each output's part of J can fall by, (nL,), where that is known."""
        return possible_falls(self.objective, self.at.w)

    @property
    def enough(self) -> float:
        """The fall of J that would tell."""
        return PROMISE * abs(self.at.loss) + self.at.rounding

    @property
    def lost(self) -> bool:
        """Whether J underflows where outputs are off their targets: a zero of g says nothing."""
        return abs(self.at.loss) < TINY and bool((self.changes.F != self.changes.Y).any())

    @property
    def near(self) -> bool:
        """Whether a zero of the gradient is known to be near, by the dense Hessian."""
        return self.dense is not None and self.dense.stationary is not None

    @property
    def level(self) -> bool:
        """Whether the gradient is small and promises next to nothing."""
        if self.falls is not None:
            changes = self.changes
            enough = PROMISE * np.abs(changes.parts) + changes.rounding
            return bool((self.falls <= enough).all())
        if self.promised > self.enough or self.idle_output is not None:
            return False  # which Newton steps to a zero nearby could not change
        # where P is next to 0, a small gradient is not small beside it
        return self.relative <= RELATIVE or self.near
