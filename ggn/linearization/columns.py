"""Centre and size of the columns of a table: mean and deviation, or median and MAD.

A column is constant where its variance is below n ε var + (n ε mean)², ε = 2⁻⁵²: rounding,
as of 0.3 and 3 · 0.1, not something that was varied.  The rule is that of scikit-learn's
StandardScaler, with n at most 1000, as sums are pairwise.
"""

from __future__ import annotations

import numpy as np

from ggn import _core
from ggn.linearization.robust_scale import median, robust_deviation

__all__ = ["centre_and_size", "constant_by_rounding", "constant_columns", "root_mean_square"]

EPS = float(np.finfo(np.float64).eps)
MOST_ROWS = 1000
BLOCK = 1 << 18  # numbers of whole columns that are measured, and so copied, at a time


def constant_columns(A: np.ndarray) -> np.ndarray:
    """Return which columns (n,) of A (T, n) are constant up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> constant_columns(np.array([[0.3, 1.0], [3 * 0.1, 1.0 + 1e-9]]))
    array([ True, False])
    """
    Z, *_ = _in_own_size(A)
    return constant_by_rounding(len(A), *_moments(Z, None))


def centre_and_size(
    A: np.ndarray, weights: np.ndarray | None = None, *, robust: bool = False, shift: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of each column: mean and standard deviation, or median and MAD.

    A constant column has one of its numbers as centre, and size 0.

    Parameters
    ----------
    A : ndarray, (T, n)
    weights : ndarray, (T,), optional
        Not negative; a weight of 2 counts as the row given twice.
    robust : bool, default False
        Median and 1.4826 MAD.  Of a column most of which is one number, such as 0 and rarely
        1, the MAD is that of the other numbers.
    shift : bool, default True
        False: centres are 0, and sizes are of the numbers as they are.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[0.0, 5.0], [2.0, 5.0]])
    >>> centre_and_size(A)
    (array([1., 5.]), array([1., 0.]))
    >>> centre_and_size(A, shift=False)
    (array([0., 0.]), array([1.41421356, 5.        ]))
    """
    if weights is not None and not weights.all():
        A, weights = A[weights > 0.0], weights[weights > 0.0]
    if weights is None and not robust and A.size and A.dtype == np.float64:
        return _core.centre_and_size(A, shift)
    if weights is not None:  # by a power of two, which leaves the digits: sums must not overflow
        weights = np.ldexp(weights, -int(np.frexp(weights.max())[1]))
    columns = max(BLOCK // len(A), 1)
    if columns >= A.shape[1]:
        return _measured(A, weights, robust, shift)
    found = [
        _measured(A[:, first : first + columns], weights, robust, shift)
        for first in range(0, A.shape[1], columns)
    ]
    centres, sizes = zip(*found, strict=True)
    return np.concatenate(centres), np.concatenate(sizes)


def root_mean_square(A: np.ndarray) -> np.ndarray:
    """Return sqrt(mean A²) over the first axis, whose squares neither overflow nor vanish.

    Examples
    --------
    >>> import numpy as np
    >>> root_mean_square(np.array([[1e-200, 5e200], [7e-200, 5e200]]))
    array([5.e-200, 5.e+200])
    """
    with np.errstate(all="ignore"):
        # by a power of two, which leaves the digits; what is infinite or nan has none, and stays
        exponent = np.frexp(np.abs(A).max(axis=0, initial=0.0))[1]
        squares = np.square(np.ldexp(A, -exponent))
        found: np.ndarray = np.ldexp(np.sqrt(squares.mean(axis=0)), exponent)
    return found


def _in_own_size(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return columns over their largest magnitude, whose squares neither overflow nor vanish.

    And these magnitudes, and which columns are one number.
    """
    low, high = np.minimum.reduce(A), np.maximum.reduce(A)
    largest = np.maximum(high, -low)
    unit = np.where(largest > 0.0, largest, 1.0)
    return A / unit, unit, low == high


def _moments(
    Z: np.ndarray, weights: np.ndarray | None, shift: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of each column; 0 and the mean square without a shift."""
    mean = _mean(Z, weights) if shift else np.zeros(Z.shape[1])
    return mean, _mean(np.square(Z - mean), weights)


def _mean(Z: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return what np.average does, in a fraction of its time for small arrays."""
    mean: np.ndarray
    if weights is None:
        mean = np.add.reduce(Z) / len(Z)
    else:
        mean = np.add.reduce(Z * weights[:, np.newaxis]) / weights.sum()
    return mean


def constant_by_rounding(n: int, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
    """Return which columns of n rows have no variance but that of rounding."""
    n = min(n, MOST_ROWS)
    constant: np.ndarray = var <= n * EPS * var + np.square(n * EPS * mean)
    return constant


def _measured(
    A: np.ndarray, weights: np.ndarray | None, robust: bool, shift: bool
) -> tuple[np.ndarray, np.ndarray]:
    Z, unit, same = _in_own_size(A)
    centre, var = _moments(Z, weights, shift)
    size = np.where(constant_by_rounding(len(A), centre, var), 0.0, np.sqrt(var))
    if robust:
        if shift:
            centre = np.array([median(z, weights) for z in Z.T])
        deviations = [robust_deviation(z, weights, m) for z, m in zip(Z.T, centre, strict=True)]
        size = np.where(size > 0.0, deviations, 0.0)
    centre, size = centre * unit, size * unit
    if shift:  # rounding of the mean may lie beside a column of one number
        centre, size = np.where(same, A[0], centre), np.where(same, 0.0, size)
    return centre, size
