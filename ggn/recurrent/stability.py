"""Whether a recursion forgets where it began: the largest Lyapunov exponent along its run.

    λ = (1/T) Σ_k log ‖M_k q_k‖,    q_{k+1} = M_k q_k / ‖M_k q_k‖

M_k the derivative of the next state in the state.  Below 0, differences of two initial states
die out like exp(λ k); above 0 they grow, and simulation is of no use beyond some 1/λ steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Stability", "companion", "lyapunov_exponent", "sorted_eigenvalues"]

CLEAR = 3.0  # factor e^this over all samples, below which nothing is said


@dataclass(frozen=True)
class Stability:
    """The largest Lyapunov exponent on data.

    Attributes
    ----------
    exponent : float
        λ, per sample; -inf where nothing is fed back; nan where the run left the finite numbers.
    samples : int
        That it is a mean over.

    Examples
    --------
    >>> print(Stability(-0.1, 1000))
    Runs from different starts come together: differences halve in 6.93 samples (λ = -0.1).
    """

    exponent: float
    samples: int

    @property
    def stable(self) -> bool:
        """Whether differences fade on these data, beyond doubt."""
        return self.exponent * self.samples < -CLEAR

    @property
    def sentence(self) -> str:
        """What it means."""
        shown = f"(λ = {self.exponent:.3g})"
        if math.isnan(self.exponent):
            return "The free run leaves the finite numbers, so it has no Lyapunov exponent."
        if self.exponent == -math.inf:
            return "Nothing of a start is kept: the model forgets it within its lags."
        if abs(self.exponent) * self.samples <= CLEAR:
            return f"Differences of the start neither fade nor grow on these data {shown}."
        half = math.log(2.0) / abs(self.exponent)
        if self.exponent < 0.0:
            return (
                "Runs from different starts come together: differences halve in "
                f"{half:.3g} samples {shown}."
            )
        return f"Runs drift apart: differences double in {half:.3g} samples {shown}."

    def __str__(self) -> str:
        return self.sentence


def sorted_eigenvalues(M: np.ndarray) -> np.ndarray:
    """Return the eigenvalues (T, n) of M (T, n, n), each largest first."""
    values = np.linalg.eigvals(M)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1)


def companion(A: np.ndarray, feeds: Sequence[tuple[int, int]]) -> np.ndarray:
    """Return the steps (T, n, n) from the outputs of the last samples to those of the next.

    Parameters
    ----------
    A : ndarray, (T, k, f)
        Derivatives of the outputs by what is fed back.
    feeds : sequence of (int, int)
        Output and delay of each.

    Examples
    --------
    >>> companion(np.array([[[0.5, 0.2]]]), [(0, 1), (0, 2)])[0]
    array([[0.5, 0.2],
           [1. , 0. ]])
    """
    T, k, _ = A.shape
    n = k * max((d for _, d in feeds), default=0)
    M = np.zeros((T, n, n))
    for a, (o, d) in enumerate(feeds):
        M[:, :k, (d - 1) * k + o] = A[:, :, a]
    M[:, np.arange(k, n), np.arange(n - k)] = 1.0
    return M


def lyapunov_exponent(M: np.ndarray) -> float:
    """Return the largest Lyapunov exponent of M (T, n, n), per step; -inf where all is forgotten.

    The first tenth of the run only turns q to the direction that grows most.

    Examples
    --------
    >>> M = np.broadcast_to(np.diag([0.5, 0.9]), (400, 2, 2))
    >>> round(lyapunov_exponent(M), 6) == round(math.log(0.9), 6)
    True
    """
    T, n, _ = M.shape
    q = np.ones(n) / math.sqrt(n) + 1e-3 * np.arange(n)  # orthogonal to nothing in particular
    total, first = 0.0, T // 10
    for k in range(T):
        q = M[k] @ q
        size = float(np.linalg.norm(q))
        if not math.isfinite(size):
            return math.inf
        if size == 0.0:
            return -math.inf
        q = q / size
        if k >= first:
            total += math.log(size)
    return total / max(T - first, 1)
