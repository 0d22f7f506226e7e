"""Whether runs from different starts come together: the largest Lyapunov exponent on data.

    λ = lim 1/T log ‖δ_T‖ / ‖δ_0‖,    δ_i = Σ_a A_i[:, a] δ_{i - delay_a, output_a}

δ is a small difference of what was fed back, carried along a free run by its slopes A.  Below 0
a start is forgotten, and so is an error; above 0, it grows until the run has nothing to do with
what was measured, however good the fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ggn import _core
from ggn.recurrent.sweeps import Sweeps

__all__ = ["Stability", "largest_exponent"]

PIECE = 32  # samples after which a difference is brought back to length one
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
