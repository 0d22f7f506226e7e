"""Why a fit in a loop stopped: what its weights are, by gradient and Hessian.

All for weights D w, D² the diagonal of the GGN matrix.  A global minimum is one where every output
is met to rounding and nothing is penalised, else `ggn.recurrent.judgement` has the order.

Nothing is proved of other weights: bounds of J, proofs that no exact fit exists, and infima at
infinity, which `ggn.diagnose` looks for, are for ordinary fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ggn.recurrent.judgement import EXACT, KINKED, Point, judge, rank_of, report
from ggn.recurrent.units import LoopUnits
from ggn.surface.evidence import Verdict

__all__ = ["LoopDiagnosis", "diagnose_loop"]

SEEN, UNSEEN = 1e-24, 1e-12  # of the largest of the GGN matrix's diagonal


@dataclass(frozen=True, kw_only=True)
class LoopDiagnosis:
    """What the weights of a fit in a loop are; prints as a report.

    Attributes
    ----------
    verdict : Verdict
    loss, gradient_norm : float
        J and ‖∇J‖.
    rank : int
        Of P, the derivatives of all outputs, through time, by all weights.
    n_weights : int
    promised : float
        The fall of J that gradient and Hessian promise.
    eigenvalues : ndarray, (N,)
        Of the Hessian, ascending, for weights D w; none where it was not asked.
    tolerance : float
        Eigenvalues no larger count as zero.
    descent : ndarray (N,) or None
        Of a saddle: a direction along which J falls.
    stability : str
        What the Lyapunov exponent means.
    kinked : bool
        Whether an activation has a derivative that jumps: then no minimum or saddle is claimed.
    """

    verdict: Verdict
    loss: float
    gradient_norm: float
    rank: int
    n_weights: int
    promised: float = 0.0
    tolerance: float = 0.0
    stability: str = ""
    eigenvalues: np.ndarray = field(repr=False, default_factory=lambda: np.empty(0))
    descent: np.ndarray | None = field(repr=False, default=None)
    kinked: bool = field(repr=False, default=False)

    def __str__(self) -> str:
        found = [f"P, through time, has rank {self.rank}, for {self.n_weights} weights."]
        if len(self.eigenvalues):
            up = int((self.eigenvalues > self.tolerance).sum())
            down = int((self.eigenvalues < -self.tolerance).sum())
            zero = len(self.eigenvalues) - up - down
            found.append(
                f"The Hessian, for weights in units of the data, has {up} positive, {zero} zero "
                f"and {down} negative eigenvalues (up to {self.tolerance:.1g} counts as zero), and "
                f"promises that J may fall by {self.promised:.2g}."
            )
            found += [KINKED] * self.kinked
        found += [self.stability] * bool(self.stability)
        found.append(
            "Not looked at: bounds of J, and infima at infinity, which are for ordinary fits."
        )
        loss = f"J = {self.loss:.6g}, ‖gradient‖ = {self.gradient_norm:.3g}"
        return report(self.verdict, loss, found)


def diagnose_loop(units: LoopUnits, w: np.ndarray, stability: str = "") -> LoopDiagnosis:
    """Return what w is.

    Parameters
    ----------
    units : LoopUnits
        What was minimised, in units of size one.
    w : ndarray, (N,)
        In the caller's units, as J, ∇J and what is returned.
    stability : str
        What is to be said of that.

    Raises
    ------
    ValueError
        Where the run leaves the finite numbers.
    """
    objective: Any = units.objective
    at = objective.at(units.own(w))
    if not np.isfinite(at.loss):
        raise ValueError(f"w must have a finite loss, got {at.loss:g}: the free run diverges")
    diagonal = at.normal_diagonal()
    most = float(diagonal.max(initial=0.0))
    # small weights under large ones have small numbers there; where it is 0, any size will do
    D = np.sqrt(np.where(diagonal > SEEN * most, diagonal, UNSEEN * most or 1.0))
    rank = rank_of(at, D)
    size, J = float(np.linalg.norm(units.gradient(at.gradient))), units.loss(at.loss)
    level = objective.constant(objective.mean_target())
    if not objective.penalised and objective.loss.unique_minimum and at.loss <= EXACT * level:
        return LoopDiagnosis(
            verdict=Verdict.GLOBAL_MINIMUM, loss=J, gradient_norm=size, rank=rank,
            n_weights=len(w), stability=stability,
        )  # fmt: skip
    here = Point(at, D)
    verdict, descent, seen = judge(here)
    return LoopDiagnosis(
        verdict=verdict, loss=J, gradient_norm=size, rank=rank, n_weights=len(w),
        promised=units.loss(here.promised), tolerance=seen.tolerance, stability=stability,
        eigenvalues=seen.values, descent=None if descent is None else units.step(descent),
        kinked=at.net.has_kinks,
    )  # fmt: skip
