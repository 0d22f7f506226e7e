"""Middle and width of numbers that hold outliers.

median           of weighted numbers, where a weight of 2 counts as the number given twice
1.4826 MAD       MAD = median |r - median r|: the deviation of normal noise, whatever a
smaller half of the numbers is
"""

from __future__ import annotations

import numpy as np

from ggn.linearization.mean_loss import MeanLoss

__all__ = ["NORMAL", "Noise", "median", "robust_deviation"]

SMALLEST = 1e-8  # sigma, in deviations of the targets: below, the fit is exact
NORMAL = 1.4826022185056018  # 1 / the 3/4 quantile of N(0, 1)


def median(r: np.ndarray, weights: np.ndarray | None = None, skip: float = 0.0) -> float:
    """Return the median of numbers (n,), without the smallest ones.

    Parameters
    ----------
    r, weights : ndarray, (n,)
        Weights are not negative.
    skip : float, default 0.0
        How many of the smallest to leave out, a weight of 2 counting as two; at most half.

    Examples
    --------
    >>> import numpy as np
    >>> median(np.array([3.0, 1.0, 2.0, 9.0])), median(np.array([3.0, 1.0]), np.array([2.0, 1.0]))
    (2.5, 3.0)
    """
    order = np.argsort(r, kind="stable")
    r = r[order]
    if weights is None:
        return float(np.median(r[int(min(skip, len(r) // 2)) :]))
    upto = np.cumsum(weights[order])
    skip = min(skip, upto[-1] // 2)
    middle = skip + 0.5 * (upto[-1] - skip)
    near = 1e-9 * upto[-1]
    low, high = np.searchsorted(upto, [middle - near, middle + near])
    return float(0.5 * r[low] + 0.5 * r[min(high, len(r) - 1)])


def robust_deviation(
    r: np.ndarray, weights: np.ndarray | None = None, centre: float | None = None
) -> float:
    """Return 1.4826 MAD of numbers (n,), or of those off the median where most are at it.

    Zero only where all numbers are the same.  A centre other than the median may be given.

    Examples
    --------
    >>> import numpy as np
    >>> round(robust_deviation(np.array([1.0, 2.0, 3.0, 4.0, 1e9])), 4)
    1.4826
    >>> round(robust_deviation(np.array([0.0, 0.0, 0.0, 1.0])), 4)
    1.4826
    """
    off = np.abs(r - (median(r, weights) if centre is None else centre))
    middle = median(off, weights)
    if middle == 0.0 and off.any():
        some = off > 0.0
        middle = median(off[some], None if weights is None else weights[some])
    return NORMAL * middle


class Noise:
    """sigma of the residuals at some w, between a share of the targets' deviation and all of it."""

    def __init__(self, objective: MeanLoss) -> None:
        self.objective, Y, each = objective, objective.Yt.T, objective.counted
        self.each = each.ravel()
        middles = np.array([median(y, s) for y, s in zip(Y.T, each.T, strict=True)])
        self.size = robust_deviation((Y - middles).ravel(), self.each) or 1.0

    def deviation(self, w: np.ndarray) -> float:
        r = np.abs(self.objective.residuals(w)).ravel()
        sigma = NORMAL * median(r, self.each, self.objective.net.n_weights)
        return min(max(sigma, SMALLEST * self.size), self.size)

    def width(self, bend: float, w: np.ndarray, penalty: float) -> float:
        """Return sigma, or the r whose loss, bend r²/2, is the penalty: it may do as much.

        A scale below would count them as outliers, and giving them up as cheaper than weights.
        """
        bias = min(float(np.sqrt(2.0 * penalty / bend)), self.size)
        return max(self.deviation(w), bias)
