"""Why a state-space fit stopped: what its weights are, by gradient and exact Hessian.

All for weights D w, D² the diagonal of the GGN matrix where that is not 0, and across the
directions that are known to leave every output as it is (`invariant_directions`).  A global
minimum is one where every output is met to rounding and nothing is penalised, else
`ggn.recurrent.judgement` has the order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ggn.linearization import BaseLinearization
from ggn.linearization.spectrum import inertia_of
from ggn.recurrent.judgement import EXACT, KINKED, Point, judge, rank_of, report
from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.recurrent.statespace_symmetry import invariant_directions
from ggn.surface.evidence import Verdict

__all__ = ["StateSpaceDiagnosis", "diagnose_statespace"]

LEAST = 1e-8  # of the usual diagonal: below, an output depends on a weight by rounding


@dataclass(frozen=True, kw_only=True)
class StateSpaceDiagnosis:
    """What the weights of a state-space fit are; prints as a report.

    Attributes
    ----------
    verdict : Verdict
    loss, gradient_norm : float
        J and ‖∇J‖, in the model's units.
    rank : int
        Of P, the derivatives of all outputs by all weights.
    invariant : int
        Directions that leave every output as it is: changes of state coordinates.
    promised : float
        The fall of J that gradient and Hessian promise.
    positive, zero, negative : int
        Eigenvalues of the Hessian across the invariant directions.
    eigenvalues : ndarray
        These, ascending, for weights D w.
    tolerance : float
        Eigenvalues no larger count as zero.
    descent : ndarray (N,) or None
        Of a saddle: a direction along which J falls.
    stability : str
        What the stability of the run is.
    kinked : bool
        Whether an activation has a derivative that jumps: then no minimum or saddle is claimed.
    """

    verdict: Verdict
    loss: float
    gradient_norm: float
    rank: int
    invariant: int
    promised: float
    positive: int
    zero: int
    negative: int
    tolerance: float
    stability: str
    n_weights: int
    eigenvalues: np.ndarray = field(repr=False)
    descent: np.ndarray | None = field(repr=False, default=None)
    kinked: bool = field(repr=False, default=False)

    def __str__(self) -> str:
        found = [
            f"P has rank {self.rank}, for {self.n_weights} weights, of which {self.invariant} "
            "directions change state coordinates only.",
        ]
        if len(self.eigenvalues):
            found.append(
                f"Across these, the exact Hessian has {self.positive} positive, {self.zero} zero "
                f"and {self.negative} negative eigenvalues (up to {self.tolerance:.1g} counts as "
                f"zero), and promises that J may fall by {self.promised:.2g}."
            )
            found += [KINKED] * self.kinked
        found.append(self.stability)
        size = f"‖gradient‖ = {self.gradient_norm:.3g}, in the model's units"
        return report(self.verdict, f"J = {self.loss:.6g}, {size}", found)


def diagnose_statespace(
    objective: StateSpaceObjective, w: np.ndarray, stability: str = ""
) -> StateSpaceDiagnosis:
    """Return what w is.

    Parameters
    ----------
    objective : StateSpaceObjective
    w : ndarray, (N,)
    stability : str
        What is to be said of that.
    """
    at = objective.at(w)
    D = _scale(at.normal_diagonal())
    said: dict[str, Any] = {
        "loss": at.loss,
        "gradient_norm": float(np.linalg.norm(at.gradient)),
        "stability": stability,
        "n_weights": len(w),
        "rank": rank_of(at, D),
    }
    level = objective.constant(np.zeros(objective.net.n_outputs))
    if not objective.penalised and objective.loss.unique_minimum and at.loss <= EXACT * level:
        none: dict[str, Any] = dict.fromkeys(("promised", "positive", "zero", "negative"), 0)
        return StateSpaceDiagnosis(
            verdict=Verdict.GLOBAL_MINIMUM, eigenvalues=np.empty(0), tolerance=0.0,
            invariant=invariant_directions(at.net, w).shape[1], **none, **said,
        )  # fmt: skip
    here = Point(at, D, _known)
    verdict, descent, seen = judge(here)
    counted = inertia_of(seen.values, seen.tolerance)
    return StateSpaceDiagnosis(
        verdict=verdict, promised=here.promised, invariant=here.invariant, descent=descent,
        eigenvalues=seen.values, tolerance=seen.tolerance, positive=counted.positive,
        zero=counted.zero, negative=counted.negative, kinked=at.net.has_kinks, **said,
    )  # fmt: skip


def _scale(diagonal: np.ndarray) -> np.ndarray:
    """Return D (N,); of weights that no output depends on, what is usual among the others."""
    some = diagonal[diagonal > 0.0]
    usual = float(np.exp(np.log(some).mean())) if some.size else 1.0
    D: np.ndarray = np.sqrt(np.where(diagonal > LEAST * usual, diagonal, usual))
    return D


def _known(at: BaseLinearization) -> np.ndarray:
    """Return the directions of w that change state coordinates; a penalty knows these apart."""
    if at.objective.penalised:
        return np.empty((len(at.w), 0))
    assert isinstance(at.net, StateSpace)
    return invariant_directions(at.net, at.w)
