"""The examination of a point: what `ggn.diagnose` looks at, in which order.

Bounds of J come first, which need no derivative; then gradient and Hessian; then, where
neither settles the point, what can be said of it.
"""

from __future__ import annotations

import math

import numpy as np

from ggn.activations import Identity
from ggn.linearization import Linearization
from ggn.linearization.spectrum import dense_fits
from ggn.losses import Squared
from ggn.surface.advice import suggestion
from ggn.surface.certificate import Certificate, certify
from ggn.surface.diagnosis import Diagnosis, Verdict
from ggn.surface.feasibility import obstructions
from ggn.surface.fit import beyond_reach, exact_fit, natural_scale, relative_gradient, separated
from ggn.surface.flat import flat_directions
from ggn.surface.kinks import kinks
from ggn.surface.obstruction import ObstructionKind, lower_bound
from ggn.surface.runaway import RunawayRay, runaway_ray
from ggn.surface.saturation import LARGE, saturation
from ggn.surface.second_order import SecondOrder, fall, has_hessian, normal_step

__all__ = ["Examination"]

PROMISE = 1e-6  # of J: what gradient and curvature may still promise at a stationary point
RELATIVE = 1e-6  # relative gradient at a stationary point
AT_BOUND = 1e-12  # of J, above a proven bound
BEYOND = (ObstructionKind.RANGE, ObstructionKind.EDGE)  # no finite weights reach these bounds


class Examination:
    """The evidence, gathered as far as the verdict needs it."""

    def __init__(self, at: Linearization, max_memory: float) -> None:
        objective = at.objective
        self.at, self.objective, self.net = at, objective, at.net
        self.max_memory = max_memory
        self.evidence: list[str] = []
        self.weight = objective.c.weights
        data = self.net, objective.X, objective.Yt.T, objective.loss
        self.obstructions = obstructions(*data, sample_weight=self.weight)
        self.bound = lower_bound(self.obstructions)
        self.saturation = saturation(self.net, at.w, objective.X)
        self.scale = natural_scale(objective)
        self.relative = relative_gradient(at, self.scale)
        self.certificate: Certificate | None = None
        self.second: SecondOrder | None = None
        self.ray: RunawayRay | None = None
        self.promised = 0.0
        self.kinks = False, False
        self.flat = np.empty((self.net.n_weights, 0))
        self.degenerate: bool | None = None
        self.path: tuple[tuple[float, float], ...] = ()
        self.descent: np.ndarray | None = None

    def conclude(self) -> Diagnosis:
        """Return the first verdict that applies."""
        verdict = self._by_bounds() or self._by_curvature()
        return Diagnosis(
            verdict=verdict,
            evidence=tuple(self.evidence),
            suggestion=suggestion(verdict, self.net, self.objective, self.obstructions, self.large),
            loss=self.at.loss,
            gradient_norm=float(np.linalg.norm(self.at.gradient)),
            relative_gradient=self.relative,
            promised=self.promised,
            lower_bound=self.bound,
            degenerate=self.degenerate,
            obstructions=self.obstructions,
            saturation=self.saturation,
            ray=self.ray,
            spectrum=None if self.second is None else self.second.spectrum,
            tolerance=0.0 if self.second is None else self.second.tolerance,
            flat=self.flat.shape[1],
            descent=self.descent,
            descent_path=self.path,
            certificate=self.certificate,
            _at=self.at,
        )

    def _by_bounds(self) -> Verdict | None:
        """Judge by J, and by what is known of the least J."""
        objective, J = self.objective, self.at.loss
        if objective.penalised:
            return None
        gap = J - self.bound
        beyond = any(o.kind in BEYOND for o in self.obstructions) and beyond_reach(objective)
        if gap <= self.at.rounding + AT_BOUND * J and (self.bound > 0.0 or beyond):
            self.evidence.append(
                f"J is {max(gap, 0.0):.1g} above {self.bound:.6g}, a proven lower bound"
                + (", which only infinite weights would reach." if beyond else ".")
            )
            tight = [o for o in self.obstructions if o.rigorous and o.lower_bound == self.bound]
            self.evidence += [_sentence(str(o)) for o in tight[:2]]
            if not beyond:
                return Verdict.GLOBAL_MINIMUM
            if self.saturation.units:
                self.evidence.append(_sentence(str(self.saturation)))
            return Verdict.RUNAWAY
        if separated(objective, self.at.w):
            self.evidence.append(
                "Every sample is on its side: as the output layer's weights grow, J falls to 0, "
                "which no finite weights reach."
            )
            return Verdict.RUNAWAY
        if objective.loss.unique_minimum and not any(o.rigorous for o in self.obstructions):
            exact = exact_fit(self.at, self.scale, self.max_memory)
            if exact:
                self.evidence.append(f"{exact}; the loss has its minimum there and there only.")
                return Verdict.GLOBAL_MINIMUM
        return None

    def _by_curvature(self) -> Verdict:
        """Judge by gradient and Hessian."""
        if self._certify():
            return Verdict.GLOBAL_MINIMUM
        self.kinks = kinks(self.net, self.at.w, self.objective.X)
        curved = not self.kinks[0] and has_hessian(self.at, self.scale)
        if curved and dense_fits(self.net.n_weights, self.max_memory):
            self.second = SecondOrder(self.at, self.scale, self.relative, self.max_memory)
            self.promised, step = self.second.promised, self.second.step
        else:
            self.promised, step = normal_step(self.at, self.scale)
        convex = self._convex()
        if convex and isinstance(self.objective.loss, Squared) and not self.objective.penalised:
            self.promised = self.at.loss - self.bound  # which is attained
        enough = PROMISE * abs(self.at.loss) + self.at.rounding
        # where P is next to 0, a small gradient is not small beside it
        if self.promised > enough or not (self.relative <= RELATIVE or self._near()):
            found = fall(self.at, step, self.scale)
            if found > 0.0:
                return self._not_stationary(found)
            self.evidence.append(
                f"The gradient promises a fall by {self.promised:.2g}, but no step along it is "
                "seen to lower J."
            )
        elif convex and self._near():
            self.evidence.append(
                "J is convex in w: no hidden layer, a convex loss. Its gradient promises a fall "
                f"by {self.promised:.1g} at most."
            )
            return Verdict.GLOBAL_MINIMUM
        if curved and self.second is None:  # dear, and not needed before
            self.second = SecondOrder(
                self.at, self.scale, self.relative, self.max_memory, self.promised
            )
        verdict = self._descends(enough)
        if verdict is None and self._runs_away():
            verdict = Verdict.RUNAWAY
        if verdict is None and self._minimum():
            verdict = Verdict.LOCAL_MINIMUM
        return verdict or self._open()

    def _near(self) -> bool:
        """Whether a zero of the gradient is known to be near."""
        return self.second is not None and self.second.stationary is not None

    def _not_stationary(self, found: float) -> Verdict:
        J = self.at.loss
        share = f", {100.0 * found / J:.2g} % of it" if J > 0.0 else ""
        self.evidence.append(
            f"The gradient is {self.relative:.1g} of its largest possible size; a step along it "
            f"lowers J by {found:.3g}{share}."
        )
        if self.saturation.units:
            self.evidence.append(_sentence(str(self.saturation)))
        self._note_obstructions()
        return Verdict.NOT_STATIONARY

    def _descends(self, enough: float) -> Verdict | None:
        """Judge by whether J falls along negative curvature, and a zero of g is near."""
        second = self.second
        found = None if second is None else second.descent()
        if second is None or found is None:
            return None
        t, J = found[1][-1]
        near = second.stationary
        if near is None and not self.at.loss - J > enough:
            return None
        self.descent, self.path = found[0], tuple(found[1])
        self.evidence += [
            f"The exact Hessian has the eigenvalue {second.values[0]:.3g} (what counts as zero: "
            f"{second.tolerance:.1g}).",
            f"J falls along its eigenvector (.descent), by {self.at.loss - J:.3g} at t = {t:.3g}, "
            f"where the gradient explains no more than {self.promised:.1g}.",
        ]
        if near is None or not near.bends_down(found[0]):
            self.evidence.append("That is no saddle: Newton's method finds none nearby.")
            return Verdict.NOT_STATIONARY
        self.evidence.append(str(near))
        return Verdict.SADDLE

    def _minimum(self) -> bool:
        """Whether w is next to a minimum, its only zeros directions of constant J."""
        second = self.second
        if second is None or second.spectrum.inertia is None:
            return False
        self.flat = flat_directions(self.objective, self.at.w)
        positive, zeros, _ = second.counts
        if positive + self.flat.shape[1] != len(second.values):
            return False
        near = second.stationary
        if near is None or self.kinks[1] or not (near.steps == 0 or near.minimum(second.tolerance)):
            return False
        self.degenerate = zeros > 0
        known = f", and {zeros} zeros along which J is known to be constant" if zeros else ""
        least = second.values[second.values > second.tolerance].min(initial=math.inf)
        self.evidence += [
            f"The exact Hessian has {positive} positive eigenvalues, the smallest {least:.3g} "
            f"(what counts as zero: {second.tolerance:.1g}){known}.",
            str(near),
        ]
        if self.objective.penalised:
            self.evidence.append("J has a penalty; whether another minimum is lower is not known.")
        self._note_obstructions()
        return True

    def _open(self) -> Verdict:
        self.evidence.append(self._why_open())
        if self.saturation.units:
            self.evidence.append(_sentence(str(self.saturation)))
        if self.large:
            self.evidence.append(
                f"Weights as large as {np.abs(self.at.w).max():.2g} are out of proportion: J may "
                "fall towards an infimum at infinity, which its Hessian cannot show."
            )
        return self._note_obstructions() or Verdict.INCONCLUSIVE

    def _why_open(self) -> str:
        second = self.second
        if self.kinks[0]:
            return "A net input lies at a kink of its activation, where J may have no gradient."
        if second is None:
            return "J has no Hessian: an activation has no second derivative, or it overflows."
        if not second.spectrum.dense:
            return (
                f"Lanczos finds no eigenvalue of the Hessian below {second.values[0]:.2g}; that is "
                "an estimate, and certifies no minimum."
            )
        above, zero, below = second.counts
        if self.kinks[1]:
            why = "but a net input lies where σ'' jumps: it is the Hessian of one side"
        elif below or not zero:
            why = "but J does not fall along the lowest, nor is w next to a minimum"
        else:
            why = "and the zeros are not explained by known directions of constant J"
        return (
            f"The Hessian has {above} positive, {zero} zero and {below} negative eigenvalues "
            f"(up to {second.tolerance:.1g} counts as zero), {why}."
        )

    @property
    def large(self) -> bool:
        """Whether data in this scale do not explain the size of the weights."""
        Y = self.objective.Yt
        out = LARGE * float(np.abs(Y).max() or 1.0)
        hidden = any(layer.large.size for layer in self.saturation.layers[:-1])
        return hidden or float(np.abs(self.net.unpack(self.at.w)[-1]).max()) > 10.0 * out

    def _certify(self) -> bool:
        """Apply Prop. 1; say whether it settles w, where ε = 0 is no matter of residuals."""
        K = self.objective.T * self.net.n_outputs
        if self.net.n_weights < K or self.objective.penalised:
            return False
        self.certificate = certify(self.at, None, RELATIVE, self.max_memory)
        if self.certificate.rank is not None and not self.certificate.exact_fit:
            self.evidence.append(str(self.certificate))
        return self.certificate.certifies_global and not self.objective.loss.unique_minimum

    def _convex(self) -> bool:
        net, convex = self.net, self.objective.loss.convex is True
        return convex and net.depth == 1 and net.activations[-1] == Identity()

    def _runs_away(self) -> bool:
        if not self.saturation.units:
            return False
        objective = self.objective
        self.ray = runaway_ray(
            self.net, self.at.w, objective.X, objective.Yt.T, objective.loss,
            l2=objective.l2, sample_weight=self.weight,
        )  # fmt: skip
        if self.ray is None or not self.ray.infimum:
            return False
        self.evidence += [_sentence(str(self.saturation)), _sentence(str(self.ray))]
        self._note_obstructions()
        return True

    def _note_obstructions(self) -> Verdict | None:
        proofs = [o for o in self.obstructions if o.rigorous]
        self.evidence += [_sentence(str(o)) for o in (proofs or self.obstructions)[:2]]
        return Verdict.INFEASIBLE if proofs else None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
