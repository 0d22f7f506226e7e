"""Whether runs from different starts come together: the largest Lyapunov exponent on data.

    λ = lim 1/T log ‖δ_T‖ / ‖δ_0‖,    δ_i = Σ_a A_i[:, a] δ_{i - delay_a, output_a}

δ is a small difference of what was fed back, carried along a free run by its slopes A.  Below 0
a start is forgotten, and so is an error; above 0, it grows until the run has nothing to do with
what was measured, however good the fit.
"""

from __future__ import annotations

import math

import numpy as np

from ggn import _core
from ggn.recurrent.stability import Stability
from ggn.recurrent.sweeps import Sweeps

__all__ = ["largest_exponent"]

PIECE = 32  # samples after which a difference is brought back to length one


def largest_exponent(sweeps: Sweeps, p: np.ndarray) -> Stability:
    """Return the exponent along the free run of these sweeps, the mean over windows."""
    recursion, windows = sweeps.recursion, sweeps.windows
    depth, k = recursion.depth, recursion.k
    if not recursion.feeds:
        return Stability(-math.inf, windows.T)
    if not sweeps.simulate(p):
        return Stability(math.nan, windows.T)
    A, total = sweeps.slopes(p), 0.0
    none = np.full((depth, k), -1, dtype=np.intp)
    for first, length in zip(windows.first.tolist(), windows.length.tolist(), strict=True):
        delta = np.random.default_rng(0).normal(size=(depth, k, 1))
        delta /= np.linalg.norm(delta)
        for begin in range(first, first + length, PIECE):
            rows = slice(begin, min(begin + PIECE, first + length))
            n = rows.stop - rows.start
            S = np.concatenate([delta, np.zeros((n, k, 1))])
            # as old as can be: all that is fed back is there
            _core.recur(recursion.loop, A[rows], np.full(n, depth, dtype=np.intp), none, S)
            delta = S[n:].copy()
            size = float(np.linalg.norm(delta))
            if size == 0.0:
                return Stability(-math.inf, windows.T)
            total += math.log(size)
            delta /= size
    return Stability(total / windows.T, windows.T)
