"""The diagnosis of samples in chunks: what sums over them can say of w, and what they cannot.

    G, H_J       one pass each, and their eigenvalues, for weights in units of the data
    J(w - t d)   along the Newton step or else the gradient (`change.py`), and along the
                 eigenvector of least curvature
    ∇J(w - d)    of Newton's method: whether a zero is near (`newton.py`)

Gradient and Hessian are judged as in memory, by the same tests.  The rest of `ggn.diagnose`
looks at samples one by one (exact fits, bounds of J, outputs by themselves, flat units, weights
that run away, ranks of P), and is not looked at here: the report says so.
"""

from __future__ import annotations

import math

import numpy as np

from ggn._core.cached import cached_property
from ggn.damping import natural_scale
from ggn.fit.plateau import far_out
from ggn.linearization.spectrum import dense_fits, inertia
from ggn.linearization.summed import SummedLinearization, SummedObjective
from ggn.surface.advice import Advice, Suggestion
from ggn.surface.change import fall_of_sums
from ggn.surface.diagnosis import Diagnosis
from ggn.surface.evidence import Evidence, EvidenceKind, Judgement, Verdict, first_verdict, seen
from ggn.surface.examination import PROMISE, RELATIVE, TINY
from ggn.surface.judgements import descends, isolated
from ggn.surface.kinks import kinks_of_sums
from ggn.surface.obstruction import Obstruction
from ggn.surface.second_order import SecondOrder, has_hessian, normal_step
from ggn.surface.units import Units

__all__ = ["diagnose_sums"]

ADVICE = {
    Verdict.NOT_STATIONARY: Advice.TRAIN_ON,
    Verdict.SADDLE: Advice.LEAVE_SADDLE,
    Verdict.LOCAL_MINIMUM: Advice.OTHER_STARTS,
    Verdict.INCONCLUSIVE: Advice.PERTURB,
}


def diagnose_sums(at: SummedLinearization, max_memory: float) -> Diagnosis:
    """Return what is known of w by sums over the samples alone."""
    point = _Point(at, max_memory)
    verdict, said, measured = first_verdict((_moves_on, descends, isolated, _unsettled), point)
    unseen, far = seen(EvidenceKind.SUMS_ONLY), far_out(at.objective, at.w)
    if far is not None:
        said += (seen(EvidenceKind.FAR_OUT, influence=far.influence),)
    leaves = verdict is Verdict.NOT_STATIONARY and "descent" in measured
    advice = ADVICE[Verdict.SADDLE if leaves else verdict]
    if verdict is Verdict.INCONCLUSIVE and any(point.kinks):
        advice = Advice.SMOOTH
    if far is not None:
        advice = Advice.LARGER_SCALE
    return Diagnosis(
        verdict=verdict,
        evidence=(*said, *point.of_normal, unseen),
        suggestion=Suggestion((advice,)),
        loss=at.loss,
        gradient_norm=float(np.linalg.norm(at.gradient)),
        relative_gradient=point.relative,
        promised=point.promised,
        lower_bound=-math.inf,
        obstructions=(),
        saturation=None,
        scale=point.scale,
        _at=at,
        **measured,
    )


class _Point:
    """What is measured, with the gradient g and the eigenpairs those for weights D w."""

    obstructions: tuple[Obstruction, ...] = ()

    def __init__(self, at: SummedLinearization, max_memory: float) -> None:
        self.at, self.scale = at, natural_scale(at.objective)
        self.g = at.gradient / self.scale
        self.of_normal: tuple[Evidence, ...] = ()
        self.relative = self._relative()
        self.kinks = kinks_of_sums(at.objective, at.w)
        self.curved = not self.kinks[0] and has_hessian(at, self.scale)
        self.second: SecondOrder | None = None
        if dense_fits(at.net.n_weights, max_memory):
            found = inertia(at.normal_matrix(psd=True) / np.outer(self.scale, self.scale))
            self.of_normal = (
                seen(
                    EvidenceKind.NORMAL_INERTIA,
                    positive=found.positive,
                    zero=found.zero + found.negative,
                    tolerance=found.tolerance,
                ),
            )
            if self.curved:
                self.second = SecondOrder(at, Units(at.objective, self.scale), max_memory)
        if self.second is None:
            self.promised, self.step = normal_step(at, self.scale)
        else:
            self.promised, self.step = self.second.promised, self.second.step

    @property
    def objective(self) -> SummedObjective:
        """What is minimised."""
        return self.at.objective

    @property
    def proofs(self) -> list[Obstruction]:
        """None: bounds are not looked for."""
        return []

    def _relative(self) -> float:
        """Return ‖D⁻¹ ∇J‖ in units of its largest possible size, see `fit.relative_gradient`."""
        at, objective = self.at, self.at.objective
        error, curvature = objective.error_and_curvature(at.w)
        diagonal = at.normal_diagonal() - 2.0 * objective.l2
        trace = max(float(np.sum(diagonal / np.square(self.scale))), 0.0)
        size = math.sqrt(trace / (curvature or 1.0) * error * objective.T)
        size += float(np.linalg.norm(2.0 * objective.l2 * at.w / self.scale))
        return float(np.linalg.norm(self.g)) / size if size else 0.0

    @property
    def enough(self) -> float:
        """The fall of J that would tell."""
        return PROMISE * abs(self.at.loss) + self.at.rounding

    @property
    def lost(self) -> bool:
        """Whether J may have underflowed: a zero of g says nothing then."""
        return abs(self.at.loss) < TINY

    @cached_property
    def level(self) -> bool:
        """Whether the gradient is small and promises next to nothing."""
        if self.promised > self.enough:
            return False
        # where P is next to 0, a small gradient is not small beside it
        near = self.second is not None and self.second.stationary is not None
        return self.relative <= RELATIVE or near

    def fall(self) -> float:
        """Return by how much J is seen to fall along the step or the gradient."""
        at, downhill = self.at, self.g / self.scale
        share = float(Units(at.objective, self.scale).shares(self.g, at.w).max()) or 1.0
        found = 0.0 if self.kinks[0] else fall_of_sums(at.objective, at.w, self.step)
        return found or fall_of_sums(at.objective, at.w, downhill / share)


def _moves_on(point: _Point) -> Judgement:
    """Judge by the gradient, and by whether J falls along it."""
    second = point.second
    known = {} if second is None else {"spectrum": second.spectrum, "tolerance": second.tolerance}
    if point.level:
        return Judgement(measured=known)
    J, fall = point.at.loss, point.fall()
    if not fall > 0.0:
        unseen = seen(EvidenceKind.FALL_NOT_SEEN, promised=point.promised)
        return Judgement(None, (unseen,), known)
    told = {"relative": point.relative, "fall": fall}
    if J > 0.0:
        said = seen(EvidenceKind.FALLS_BY_SHARE, **told, percent=100.0 * fall / J)
    else:
        said = seen(EvidenceKind.FALLS, **told)
    return Judgement(Verdict.NOT_STATIONARY, (said,), known)


def _unsettled(point: _Point) -> Judgement:
    """Say why the point is open."""
    second = point.second
    if second is None:
        kind = EvidenceKind.TOO_MANY_WEIGHTS if point.curved else EvidenceKind.NO_HESSIAN
        kind = EvidenceKind.AT_KINK if point.kinks[0] else kind
        return Judgement(Verdict.INCONCLUSIVE, (seen(kind),))
    if second.over_kink:
        return Judgement(Verdict.INCONCLUSIVE, (seen(EvidenceKind.OVER_KINK),))
    positive, zero, negative = second.counts
    kind = EvidenceKind.NO_DESCENT if negative or not zero else EvidenceKind.UNEXPLAINED_ZEROS
    kind = EvidenceKind.ONE_SIDED if point.kinks[1] else kind
    counts = {"positive": positive, "zero": zero, "negative": negative}
    return Judgement(Verdict.INCONCLUSIVE, (seen(kind, **counts, tolerance=second.tolerance),))
