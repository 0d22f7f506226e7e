"""Whether a recursion forgets where it began: the largest Lyapunov exponent along its run.

    λ = (1/T) Σ_k log ‖M_k q_k‖,    q_{k+1} = M_k q_k / ‖M_k q_k‖

M_k the derivative of the next state in the state.  Below 0, differences of two initial states
die out like exp(λ k); above 0 they grow, and simulation is of no use beyond some 1/λ steps.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["lyapunov_exponent", "stability_sentence"]


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


def stability_sentence(exponent: float) -> str:
    """Return what a Lyapunov exponent means.

    Examples
    --------
    >>> print(stability_sentence(-0.1))
    The fit is stable on the data: of a difference in state, a tenth is left after 24 steps.
    """
    if exponent == -math.inf:
        return "The fit is stable on the data: a difference in state is forgotten at once."
    if exponent < -1e-4:
        steps = math.ceil(math.log(10.0) / -exponent)
        return (
            "The fit is stable on the data: of a difference in state, a tenth is left after "
            f"{steps} step{'s' if steps != 1 else ''}."
        )
    if exponent <= 1e-4:
        return "The fit is at the edge of stability on the data: a difference in state stays."
    steps = math.ceil(math.log(10.0) / exponent) if math.isfinite(exponent) else 1
    return (
        "The fit is unstable on the data: a difference in state grows tenfold in "
        f"{steps} step{'s' if steps != 1 else ''}, so free runs from other states part."
    )
