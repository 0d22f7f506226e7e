"""Why a fit in a loop stopped: what its weights are, by gradient and Hessian.

All for weights D w, D² the diagonal of the GGN matrix; g gradient, λ_j eigenvalues of the
Hessian through time, Σ g_j² / 2|λ_j| the fall of J that they promise.  The first that applies:

=================  ==============================================================
global minimum     every output is met to rounding, and nothing is penalised
not stationary     more than 1e-6 of J is promised, and J falls by such a step
strict saddle      Newton steps find a zero of g near, λ_1 < 0 there, and J falls
                   along its eigenvector
local minimum      Newton steps find a zero of g near, and all λ_j > 0 there
inconclusive       else: zero eigenvalues, or no zero of g found
=================  ==============================================================

Nothing is proved of other weights: bounds of J, proofs that no exact fit exists, and infima at
infinity, which `ggn.diagnose` looks for, are for ordinary fits.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

import numpy as np

from ggn.linearization.spectrum import spectrum
from ggn.recurrent.linearization import LoopLinearization
from ggn.recurrent.objective import LoopObjective
from ggn.surface.evidence import Verdict

__all__ = ["LoopDiagnosis", "diagnose_loop"]

EXACT = 1e-24  # of J of outputs that are all their mean
PROMISED = 1e-6  # of J, below which a point is stationary for whoever trains
NEWTON = 10
NEAR = 0.1  # of the length of D w, within which a zero of g counts as near
ZERO = 1e-8  # of the largest possible gradient: what Newton steps must reach
EPS = float(np.finfo(np.float64).eps)


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
        found += [self.stability] * bool(self.stability)
        found.append(
            "Not looked at: bounds of J, and infima at infinity, which are for ordinary fits."
        )
        lines = [
            f"{'verdict':<12}{self.verdict.value}",
            f"{'loss':<12}J = {self.loss:.6g}, ‖gradient‖ = {self.gradient_norm:.3g}",
        ]
        for i, text in enumerate(found):
            first = f"{'' if i else 'evidence':<12}"
            lines.append(
                textwrap.fill(
                    f"- {text}", 88, initial_indent=first, subsequent_indent=" " * 14,
                    break_on_hyphens=False,
                )
            )  # fmt: skip
        return "\n".join(lines)


class _Point:
    """Gradient and Hessian for weights D w."""

    def __init__(self, at: LoopLinearization, D: np.ndarray) -> None:
        self.at, self.D = at, D
        found = spectrum(at, scale=D)
        self.values, self.V = found.eigenvalues, found.eigenvectors
        self.tolerance = 8.0 * found.tolerance
        self.g = self.V.T @ (at.gradient / D)

    @property
    def relative(self) -> float:
        """How large the gradient is of what it could be, at most 1 or so."""
        size = np.sqrt(2.0 * abs(self.at.loss) * len(self.D)) + 1e-300
        return float(np.linalg.norm(self.g) / size)

    @property
    def promised(self) -> float:
        """Σ g_j² / 2 max(|λ_j|, tolerance)."""
        bound = np.maximum(np.abs(self.values), max(self.tolerance, 1e-300))
        return float(np.sum(self.g**2 / (2.0 * bound)))

    def newton(self) -> np.ndarray:
        """Return the Newton step, to be subtracted from D w, where the Hessian is curved."""
        curved = np.abs(self.values) > self.tolerance
        step: np.ndarray = self.V[:, curved] @ (self.g / self.values)[curved]
        return step

    def down(self) -> np.ndarray:
        """Return a step of descent, to be added to w."""
        bound = np.maximum(np.abs(self.values), max(self.tolerance, 1e-300))
        step: np.ndarray = -self.V @ (self.g / bound) / self.D
        return step


def diagnose_loop(objective: LoopObjective, w: np.ndarray, stability: str = "") -> LoopDiagnosis:
    """Return what w is.

    Parameters
    ----------
    objective : LoopObjective
    w : ndarray, (N,)
    stability : str
        What is to be said of that.

    Raises
    ------
    ValueError
        Where the run leaves the finite numbers.
    """
    at = objective.at(w)
    if not np.isfinite(at.loss):
        raise ValueError(f"w must have a finite loss, got {at.loss:g}: the free run diverges")
    diagonal = at.normal_diagonal()
    most = float(diagonal.max(initial=0.0))
    D = np.sqrt(np.maximum(diagonal, 1e-12 * most if most > 0.0 else 1.0))
    values = np.linalg.eigvalsh(at.normal_matrix(psd=True) / np.outer(D, D))
    rank = int((values > 4.0 * len(w) * EPS * values[-1]).sum())
    size, loss = float(np.linalg.norm(at.gradient)), objective.loss
    level = objective.constant(objective.mean_target())
    if not objective.penalised and loss.unique_minimum and at.loss <= EXACT * level:
        return LoopDiagnosis(
            verdict=Verdict.GLOBAL_MINIMUM, loss=at.loss, gradient_norm=size, rank=rank,
            n_weights=len(w), stability=stability,
        )  # fmt: skip
    here = _Point(at, D)
    verdict, descent, seen = _judge(here)
    return LoopDiagnosis(
        verdict=verdict, loss=at.loss, gradient_norm=size, rank=rank, n_weights=len(w),
        promised=here.promised, tolerance=seen.tolerance, stability=stability,
        eigenvalues=seen.values, descent=descent,
    )  # fmt: skip


def _judge(here: _Point) -> tuple[Verdict, np.ndarray | None, _Point]:
    """Return the verdict, a way down from a saddle, and the point that was looked at."""
    at = here.at
    if here.promised > PROMISED * at.loss and _falls(at, here.down()):
        return Verdict.NOT_STATIONARY, None, here
    there, length = here, float(np.linalg.norm(here.D * at.w))
    for _ in range(NEWTON):
        if there.relative <= ZERO:
            break
        w = there.at.w - there.newton() / here.D
        near = np.linalg.norm(here.D * (w - at.w)) <= NEAR * length
        if not near or not np.isfinite(at.objective.value(w)):
            return Verdict.INCONCLUSIVE, None, here
        there = _Point(at.objective.at(w), here.D)
    if there.relative > ZERO:
        return Verdict.INCONCLUSIVE, None, here
    if there.values[0] < -there.tolerance:
        v = there.V[:, 0] / here.D
        for way in (v, -v):
            if _falls(there.at, way):
                return Verdict.SADDLE, way, there
        return Verdict.INCONCLUSIVE, None, there
    if there.values[0] > there.tolerance:
        return Verdict.LOCAL_MINIMUM, None, there
    return Verdict.INCONCLUSIVE, None, there


def _falls(at: LoopLinearization, d: np.ndarray) -> bool:
    """Whether J is seen to fall somewhere along d."""
    seen = at.loss - 8.0 * at.rounding
    return any(at.objective.value(at.w + t * d) < seen for t in 4.0 ** -np.arange(0.0, 16.0))
