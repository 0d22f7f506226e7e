"""Why a state-space fit stopped: what its weights are, by gradient and exact Hessian.

All for weights D w, D² the diagonal of the GGN matrix where that is not 0, and across the
directions that are known to leave every output as it is (`invariant_directions`): there the
Hessian says nothing.  With g and λ_j what is left of gradient and Hessian, the first that applies:

=================  ==============================================================
global minimum     every output is met to rounding, and nothing is penalised
not stationary     g promises more than 1e-6 of J, and J falls by a step along it
strict saddle      Newton steps find a zero of g near, and there λ_1 < 0, and J
                   falls along its eigenvector
local minimum      Newton steps find a zero of g near, and there all λ_j > 0
inconclusive       else
=================  ==============================================================
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ggn.linearization.spectrum import inertia_of, spectrum
from ggn.recurrent.statespace_linearization import StateSpaceLinearization
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.recurrent.statespace_symmetry import invariant_directions
from ggn.surface.evidence import Verdict

__all__ = ["StateSpaceDiagnosis", "diagnose_statespace"]

EXACT = 1e-24  # of J of outputs that are zero
PROMISED = 1e-6  # of J, below which a point is stationary for whoever trains
LEAST = 1e-8  # of the usual diagonal: below, an output depends on a weight by rounding
NEWTON = 12
NEAR = 0.1  # of the length of D w, within which a zero of g counts as near
ZERO = 1e-9  # of the largest possible gradient: what Newton steps must reach


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
        found.append(self.stability)
        lines = [
            f"{'verdict':<12}{self.verdict.value}",
            f"{'loss':<12}J = {self.loss:.6g}, ‖gradient‖ = {self.gradient_norm:.3g}, in the "
            "model's units",
        ]
        for i, text in enumerate(found):
            lines.append(
                textwrap.fill(
                    f"- {text}", 88, initial_indent=f"{'' if i else 'evidence':<12}",
                    subsequent_indent=" " * 14, break_on_hyphens=False,
                )
            )  # fmt: skip
        return "\n".join(lines)


class _Point:
    """Gradient and Hessian across the invariant directions, for weights D w."""

    def __init__(self, at: StateSpaceLinearization, D: np.ndarray) -> None:
        self.at, self.D = at, D
        K = np.empty((len(D), 0))
        if not at.objective.penalised:  # a penalty knows coordinates apart
            K = invariant_directions(at.net, at.w)
        Q = np.linalg.qr(D[:, np.newaxis] * K)[0] if K.size else K
        self.invariant = Q.shape[1]
        self.Q = (
            np.linalg.qr(Q, mode="complete")[0][:, self.invariant :] if K.size else np.eye(len(D))
        )
        found = spectrum(at, scale=D)
        H = (found.eigenvectors * found.eigenvalues) @ found.eigenvectors.T
        self.values, V = np.linalg.eigh(self.Q.T @ H @ self.Q)
        self.V = self.Q @ V  # eigenvectors, in weights D w
        self.tolerance = 8.0 * found.tolerance
        self.g = self.V.T @ (at.gradient / D)

    @property
    def size(self) -> float:
        """How large the gradient is of what it could be: |Σ terms| / Σ |terms|, at most 1."""
        return float(np.linalg.norm(self.g) / np.sqrt(2.0 * self.at.loss * len(self.D) + 1e-300))

    @property
    def curved(self) -> np.ndarray:
        """Which eigenvalues are not zero."""
        return np.abs(self.values) > self.tolerance

    @property
    def promised(self) -> float:
        """Σ g_j² / 2 max(|λ_j|, tolerance)."""
        bound = np.maximum(np.abs(self.values), self.tolerance)
        return float(np.sum(self.g**2 / (2.0 * bound)))

    def newton(self) -> np.ndarray:
        """Return the Newton step, to be subtracted from D w, where the Hessian is curved."""
        step: np.ndarray = self.V[:, self.curved] @ (self.g / self.values)[self.curved]
        return step

    def down(self) -> np.ndarray:
        """Return a step of descent, to be subtracted from w."""
        bound = np.maximum(np.abs(self.values), self.tolerance)
        step: np.ndarray = self.V @ (self.g / bound) / self.D
        return step


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
    }
    values = np.linalg.eigvalsh(at.normal_matrix(psd=True) / np.outer(D, D))
    said["rank"] = int((values > len(w) * 4.0 * np.finfo(float).eps * values[-1]).sum())
    level = objective.constant(np.zeros(objective.net.n_outputs))
    if not objective.penalised and objective.loss.unique_minimum and at.loss <= EXACT * level:
        none: dict[str, Any] = dict.fromkeys(("promised", "positive", "zero", "negative"), 0)
        return StateSpaceDiagnosis(
            verdict=Verdict.GLOBAL_MINIMUM, eigenvalues=np.empty(0), tolerance=0.0,
            invariant=invariant_directions(at.net, w).shape[1], **none, **said,
        )  # fmt: skip
    here = _Point(at, D)
    verdict, descent, seen = _judge(here)
    counted = inertia_of(seen.values, seen.tolerance)
    return StateSpaceDiagnosis(
        verdict=verdict, promised=here.promised, invariant=here.invariant, descent=descent,
        eigenvalues=seen.values, tolerance=seen.tolerance, positive=counted.positive,
        zero=counted.zero, negative=counted.negative, **said,
    )  # fmt: skip


def _scale(diagonal: np.ndarray) -> np.ndarray:
    """Return D (N,); of weights that no output depends on, what is usual among the others."""
    some = diagonal[diagonal > 0.0]
    usual = float(np.exp(np.log(some).mean())) if some.size else 1.0
    D: np.ndarray = np.sqrt(np.where(diagonal > LEAST * usual, diagonal, usual))
    return D


def _judge(here: _Point) -> tuple[Verdict, np.ndarray | None, _Point]:
    """Return the verdict, a way down from a saddle, and the point that was looked at."""
    at = here.at
    if here.promised > PROMISED * at.loss and _falls(at, -here.down()):
        return Verdict.NOT_STATIONARY, None, here
    there, length = here, float(np.linalg.norm(here.D * at.w))
    for _ in range(NEWTON):
        if there.size <= ZERO:
            break
        w = there.at.w - there.newton() / here.D
        if np.linalg.norm(here.D * (w - at.w)) > NEAR * length:
            return Verdict.INCONCLUSIVE, None, here
        following = at.objective.at(w)
        if not np.isfinite(following.loss):
            return Verdict.INCONCLUSIVE, None, here
        there = _Point(following, here.D)
    if there.size > ZERO:
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


def _falls(at: StateSpaceLinearization, d: np.ndarray) -> bool:
    """Whether J is seen to fall somewhere along d."""
    for t in 4.0 ** -np.arange(0.0, 16.0):
        if at.objective.value(at.w + t * d) < at.loss - 8.0 * at.rounding:
            return True
    return False
