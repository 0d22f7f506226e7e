"""What is minimised where the samples come in parts: every number is a sum over the parts.

    J = Σ_p J_p + Σ l2 w²,    g = Σ_p g_p + 2 l2 w,    G = Σ_p G_p + 2 diag(l2),    ...

A `Source` adds up what the functions of `parts.py` say of each part.  To rounding the results
are those of an `Objective` of all samples, and so are the iterates of a training.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np

from ggn._core.cached import cached_property
from ggn.activations import Identity
from ggn.linearization import parts
from ggn.linearization.absent import OfSums
from ggn.linearization.base import BaseLinearization, BaseObjective
from ggn.linearization.columns import constant_by_rounding
from ggn.linearization.foreseen import Foreseen, UnforeseenError, several
from ggn.linearization.mean_loss import penalty
from ggn.linearization.memory import Memory
from ggn.linearization.objective import ROUNDING, or_one
from ggn.linearization.output_layer import best_output, refit_pays
from ggn.linearization.parts import Problem, Rows, Scales, of_part
from ggn.linearization.selection import robust_columns
from ggn.linearization.source import Source
from ggn.linearization.symmetric import mirrored
from ggn.losses import Loss, resolve
from ggn.network import MLP
from ggn.validation import count, instance

__all__ = ["SummedLinearization", "SummedObjective"]

EPS = float(np.finfo(np.float64).eps)
PERMUTED = 200_000  # samples of which some are drawn by a permutation of all, as in memory


class SummedObjective(BaseObjective):
    """Loss and penalty of samples that a source has.

    Parameters
    ----------
    net : MLP
    source : Source
    loss : str or Loss, default "squared"
    l2 : float or array_like (N,), default 0.0

    Raises
    ------
    ValueError
        For samples that are no numbers, not finite, or of other widths than the network's.
    """

    def __init__(
        self, net: MLP, source: Source, loss: str | Loss = "squared", l2: Any = 0.0
    ) -> None:
        instance("net must be", net, MLP)
        self.net, self.source, self.loss = net, source, resolve(loss)
        self.transport = source.transport
        self.l2 = penalty(l2, net.n_weights)
        self.penalised = bool(np.any(self.l2))
        found = source.summary
        for name, columns, wanted in (
            ("X", found.X, net.n_inputs),
            ("Y", found.Y, net.n_outputs),
        ):
            if len(columns.low) != wanted:
                raise ValueError(
                    f"{name} must have {count(wanted, 'column')}, got {len(columns.low)} in its "
                    "chunks"
                )
        self.T, self.count = sum(found.sizes), found.weight
        self.counting = max(found.weight, float(sum(found.counted)))
        self._columns = found.X, found.Y
        self._problem = Problem(net, self.loss, found.weight, found.weighted, found.sizes)
        self._memory, self.foreseen = Memory(), Foreseen()
        self._constants: dict[bytes, float] = {}
        self._seen: dict[Any, Any] = {}  # of the samples in the units given

    def total(self, function: Any, *args: Any) -> Any:
        """Return the sum over parts of function(objective of the part, *args)."""
        known = self.foreseen.get(function, args)
        if known is not None:
            return known
        return self.source.total(of_part, self._problem, function, *args)

    def foresee(self, asked: list[UnforeseenError]) -> None:
        """Have these sums, in one."""
        calls = tuple((one.function, one.args) for one in asked)
        self.foreseen.keep(asked, self.source.total(of_part, self._problem, several, calls))

    def scratch(self, *shape: int) -> np.ndarray:
        return self._memory.array(*shape)

    def at(self, w: np.ndarray, J: float | None = None) -> SummedLinearization:
        return SummedLinearization(self, w, J)

    def value(self, w: np.ndarray) -> float:
        J = float(self.total(parts.value, w))
        return (self.penalty(w) if self.penalised else 0.0) + J

    def rounding(self, w: np.ndarray, J: float) -> float:
        return EPS * abs(J) + float(self.total(parts.rounding, w))

    def refit_pays(self, work: float) -> bool:
        return refit_pays(self, work)

    def refit(
        self, w: np.ndarray, before: np.ndarray, D: np.ndarray | None, mu: float
    ) -> tuple[float, np.ndarray | None]:
        J, sums = self.total(parts.refit_sums, w)
        J += self.penalty(w) if self.penalised else 0.0
        return J, best_output(self, self._constant_curvature(), sums, w, before, D, mu)

    def error_and_curvature(self, w: np.ndarray) -> tuple[float, float]:
        """Return Σ ‖c ∇_E‖² and Σ tr(c H_E) / nL, psd, over the samples."""
        error, curvature = self.total(parts.error_and_curvature, w)
        return float(error), float(curvature)

    def _constant_curvature(self) -> float | None:
        """Return α where c_i H_E = α I for all samples and the output is φ_L = z_L, else None."""
        h, weighted = self.loss.constant_curvature, self._problem.weighted
        if h is None or weighted or self.net.activations[-1] != Identity():
            return None
        return h / self._problem.weight

    def _twin(self, **changes: Any) -> Self:
        """Return this with another problem."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._constants, twin.foreseen = {}, Foreseen()
        twin._problem = replace(self._problem, **changes)
        return twin

    def shaken(self, rng: np.random.Generator, size: float) -> Self:
        return self._twin(noise=(int(rng.integers(2**31)), size))

    # -- the data --------------------------------------------------------------------------

    @property
    def sample_weight(self) -> None:
        return None

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return parts.starts(self._problem.sizes)

    def part(self, rows: np.ndarray) -> Self:
        chosen = Rows(rows, self._starts)
        weight = float(len(rows))
        if self._problem.weighted:
            weight = self.source.total(parts.weight_of, chosen)
        twin = self._twin(rows=chosen, weight=weight)
        twin.T, twin.count, twin.counting = len(rows), weight, max(weight, len(rows))
        return twin

    def subsample(self, m: int, rng: np.random.Generator) -> BaseObjective:
        if self.T <= PERMUTED:
            return super().subsample(m, rng)
        p = m / self.T  # each by itself: their numbers would be as many as the samples
        twin = self._twin(drawn=(int(rng.integers(2**31)), p), weight=p * self._problem.weight)
        twin.T, twin.count, twin.counting = m, p * self.count, p * self.counting
        return twin

    def some(self, most: int, counted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        key = most, counted
        if key not in self._seen:
            found = self.source.summary
            sizes = found.counted if counted else found.sizes
            step = -(-sum(sizes) // most)
            self._seen[key] = self.source.reduce(
                parts.stacked, parts.picked, parts.starts(sizes), step, counted
            )
        X, Y, s = self._seen[key]
        scales = self._problem.scales
        if scales is not None:
            X, Y = (X - scales.m) / scales.s, (Y - scales.my) / scales.sy
        return X, Y, s / self._problem.weight

    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        X = self._columns[0]
        return X.low.copy(), X.high.copy()

    def columns(self, targets: bool, shift: bool, robust: bool) -> tuple[np.ndarray, np.ndarray]:
        if robust:
            return self._robust(targets, shift)
        low, high, mean, deviation = self._columns[targets]
        unit = np.maximum(high, -low)
        unit = np.where(unit > 0.0, unit, 1.0)
        centre = mean / unit if shift else np.zeros(len(mean))
        var = np.square(deviation / unit)
        if not shift:
            var += np.square(mean / unit)
        n = sum(self.source.summary.counted)
        size = unit * np.where(constant_by_rounding(n, centre, var), 0.0, np.sqrt(var))
        centre = unit * centre
        if shift:  # rounding of the mean may lie beside a column of one number
            centre, size = np.where(low == high, low, centre), np.where(low == high, 0.0, size)
        return centre, size

    def _robust(self, targets: bool, shift: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return median and MAD of each column, 0 of those that are constant."""
        key = "robust", targets, shift
        if key not in self._seen:
            self._seen[key] = robust_columns(self.source, targets, shift)
        centre, size = self._seen[key]
        size = np.where(self.columns(targets, shift, robust=False)[1] > 0.0, size, 0.0)
        if (scales := self._problem.scales) is None:
            return centre.copy(), size.copy()
        m, s = scales[2 * targets : 2 * targets + 2]
        return (centre - m if shift else centre) / s, size / s

    def spread(self) -> tuple[np.ndarray, float]:
        X, Y = self._columns
        largest = or_one(max(float(Y.high.max()), -float(Y.low.min())))
        mean, own = Y.mean / largest, np.square(Y.deviation / largest)
        variance = float(np.where(own > np.square(ROUNDING * mean), own, 0.0).sum())
        deviation = largest * or_one((variance / len(own)) ** 0.5)
        return np.hypot(X.mean, X.deviation), deviation

    def of_zeros_and_ones(self) -> bool:
        Y = self.source.summary.Y
        both = Y.low.min() == 0.0 and Y.high.max() == 1.0
        return both and self.source.summary.zeros_and_ones

    def mean_target(self) -> np.ndarray:
        return self._columns[1].mean.copy()

    def constant(self, output: np.ndarray) -> float:
        key = output.tobytes()
        if key not in self._constants:
            self._constants[key] = float(self.total(parts.constant, output))
        return self._constants[key]

    def standard(
        self, m: np.ndarray, s: np.ndarray, my: np.ndarray, sy: float, loss: Loss, l2: Any
    ) -> Self | None:
        own = self._twin(scales=Scales(m, s, my, sy), loss=loss)
        own.loss, own.l2 = loss, l2
        X, Y = self._columns
        own._columns = X.scaled(m, s), Y.scaled(my, sy)
        ends = [end for columns in own._columns for end in columns[:2]]
        fine = all(np.isfinite(end).all() for end in ends) and np.isfinite(l2).all()
        return own if fine else None

    def copied_inputs(self) -> int:
        return 0  # a part at a time


class SummedLinearization(OfSums, BaseLinearization):
    """A `SummedObjective` at one w; P itself, and what is made of it, cannot be had."""

    objective: SummedObjective

    def _compute_gradient(self) -> np.ndarray:
        return self._penalised(self.objective.total(parts.gradient, self.w))

    def _penalised(self, g: np.ndarray) -> np.ndarray:
        return g + 2.0 * self.objective.l2 * self.w if self.objective.penalised else g

    def assemble_normal(
        self, G: np.ndarray, psd: bool = True, lent: np.ndarray | None = None
    ) -> np.ndarray:
        g, triangle = self.objective.total(parts.normal, self.w, psd)
        parts.unpacked(triangle, G)
        if self.objective.penalised:
            G[np.diag_indices(len(G))] += 2.0 * self.objective.l2
        return self._penalised(g)

    def normal_diagonal(self) -> np.ndarray:
        diagonal: np.ndarray = self.objective.total(parts.diagonal, self.w)
        return diagonal + 2.0 * self.objective.l2

    def normal_product(self, v: np.ndarray, psd: bool) -> np.ndarray:
        product: np.ndarray = self.objective.total(parts.normal_product, self.w, v, psd)
        return product

    def hessian_product(self, v: np.ndarray) -> np.ndarray:
        product: np.ndarray = self.objective.total(parts.hessian_product, self.w, v)
        return product

    def functional_hessian(self) -> np.ndarray:
        N = self.net.n_weights
        R = np.zeros((N, N))
        parts.unpacked(self.objective.total(parts.functional_hessian, self.w), R)
        return mirrored(R)

    def bend(self, d: np.ndarray) -> np.ndarray:
        bend: np.ndarray = self.objective.total(parts.bend, self.w, d)
        return bend

    def curvature_along(self, d: np.ndarray) -> float:
        found = float(self.objective.total(parts.curvature_along, self.w, d))
        return found + 2.0 * self.objective.penalty(d)
