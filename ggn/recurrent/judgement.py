"""What a point of a fit through time is, by gradient and Hessian, and the report of it.

For weights D w, and across directions that are known to leave every output as it is: there the
Hessian says nothing.  g and λ_j are what is left of gradient and Hessian, Σ g_j² / 2|λ_j| the fall
of J that they promise.  The first that applies:

=================  ==============================================================
not stationary     more than 1e-6 of J is promised, and J falls by such a step
strict saddle      Newton steps find a zero of g near, λ_1 < 0 there, and J falls
                   along its eigenvector
local minimum      Newton steps find a zero of g near, and all λ_j > 0 there
inconclusive       else: zero eigenvalues, or no zero of g found
=================  ==============================================================
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

import numpy as np

from ggn.linearization import BaseLinearization
from ggn.linearization.spectrum import spectrum
from ggn.surface.evidence import Verdict

__all__ = ["EXACT", "Point", "judge", "rank_of", "report"]

EXACT = 1e-24  # of J of outputs that are all their mean
PROMISED = 1e-6  # of J, below which a point is stationary for whoever trains
NEWTON = 12
NEAR = 0.1  # of the length of D w, within which a zero of g counts as near
ZERO = 1e-9  # of the largest possible gradient: what Newton steps must reach
EPS = float(np.finfo(np.float64).eps)

Directions = Callable[[BaseLinearization], np.ndarray]


class Point:
    """Gradient and Hessian for weights D w, across known directions.

    Parameters
    ----------
    at : BaseLinearization
    D : ndarray, (N,)
    known : callable, optional
        Returns the directions of w (N, k) at a point that change no output.
    """

    def __init__(
        self, at: BaseLinearization, D: np.ndarray, known: Directions | None = None
    ) -> None:
        self.at, self.D, self._known = at, D, known
        K = np.empty((len(D), 0)) if known is None else known(at)
        self.invariant = K.shape[1]
        found = spectrum(at, scale=D)
        self.values, self.V = found.eigenvalues, found.eigenvectors
        self.tolerance = 8.0 * found.tolerance
        if self.invariant:
            across = np.linalg.qr(D[:, np.newaxis] * K, mode="complete")[0][:, self.invariant :]
            half = self.V.T @ across
            self.values, V = np.linalg.eigh(half.T @ (self.values[:, np.newaxis] * half))
            self.V = across @ V
        self.g = self.V.T @ (at.gradient / D)

    def moved(self, w: np.ndarray) -> Point:
        """Return the same at other weights."""
        return Point(self.at.objective.at(w), self.D, self._known)

    @property
    def relative(self) -> float:
        """How large the gradient is of what it could be, at most 1 or so."""
        size = np.sqrt(2.0 * abs(self.at.loss) * len(self.D)) + 1e-300
        return float(np.linalg.norm(self.g) / size)

    @property
    def _bound(self) -> np.ndarray:
        """|λ_j|, at least what counts as zero."""
        size: np.ndarray = np.maximum(np.abs(self.values), max(self.tolerance, 1e-300))
        return size

    @property
    def promised(self) -> float:
        """Σ g_j² / 2 max(|λ_j|, tolerance)."""
        return float(np.sum(self.g**2 / (2.0 * self._bound)))

    def newton(self) -> np.ndarray:
        """Return the Newton step, to be subtracted from D w, where the Hessian is curved."""
        curved = np.abs(self.values) > self.tolerance
        step: np.ndarray = self.V[:, curved] @ (self.g / self.values)[curved]
        return step

    def down(self) -> np.ndarray:
        """Return a step of descent, to be added to w."""
        step: np.ndarray = -self.V @ (self.g / self._bound) / self.D
        return step


KINKED = (
    "An activation has a derivative that jumps, and eigenvalues are those of one side: no minimum "
    "or saddle is claimed."
)


def judge(here: Point) -> tuple[Verdict, np.ndarray | None, Point]:
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
        there = here.moved(w)
    if there.relative > ZERO or at.net.has_kinks:
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


def _falls(at: BaseLinearization, d: np.ndarray) -> bool:
    """Whether J is seen to fall somewhere along d."""
    seen = at.loss - 8.0 * at.rounding
    return any(at.objective.value(at.w + t * d) < seen for t in 4.0 ** -np.arange(0.0, 16.0))


def rank_of(at: BaseLinearization, D: np.ndarray) -> int:
    """Return the rank of P, by the GGN matrix for weights D w."""
    values = np.linalg.eigvalsh(at.normal_matrix(psd=True) / np.outer(D, D))
    return int((values > 4.0 * len(D) * EPS * values[-1]).sum())


def report(verdict: Verdict, loss: str, found: Sequence[str]) -> str:
    """Return the lines of a report: verdict, loss, and a paragraph for each thing found."""
    lines = [f"{'verdict':<12}{verdict.value}", f"{'loss':<12}{loss}"]
    for i, text in enumerate(found):
        first = f"{'' if i else 'evidence':<12}"
        lines.append(
            textwrap.fill(
                f"- {text}", 88, initial_indent=first, subsequent_indent=" " * 14,
                break_on_hyphens=False,
            )
        )  # fmt: skip
    return "\n".join(lines)
