"""Units in which data are about one in size, and how weights take them in.

    φ_L(w, (x - x_mean) / x_scale) · y_scale + y_mean = φ_L(w', x),

where w' differs from w in the first layer and, identity being its activation,
the last: W_1' = W_1 / x_scale, its dummy row less (x_mean / x_scale)ᵀ W_1, and
W_L' = W_L · y_scale, its dummy row plus y_mean.

standard    zero mean, standard deviation one    (MATLAB's mapstd)
minmax      from -1 to 1                         (MATLAB's mapminmax)
robust      median 0, 1.4826 MAD one: the standard units of what is not outliers

A column is constant where its variance is below n ε var + (n ε mean)², ε = 2⁻⁵²: rounding,
as of 0.3 and 3 · 0.1, not something that was varied.  The rule is that of scikit-learn's
StandardScaler, with n at most 1000, as sums are pairwise.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ggn.activations import Identity
from ggn.io.robust_scale import median, robust_deviation
from ggn.network import MLP
from ggn.validation import vector

__all__ = [
    "PrecisionWarning",
    "centre_and_size",
    "constant_columns",
    "fold",
    "minmax_units",
    "robust_units",
    "standard_units",
]

EPS = float(np.finfo(np.float64).eps)
MOST_ROWS = 1000
BLOCK = 1 << 18  # numbers of whole columns that are measured, and so copied, at a time
LOST = 1e-7  # of an input's unit: what folding may lose before it warns


class PrecisionWarning(UserWarning):
    """Numbers that the arithmetic asked for cannot hold to the digits that matter."""


def constant_columns(A: np.ndarray) -> np.ndarray:
    """Return which columns (n,) of A (T, n) are constant up to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> constant_columns(np.array([[0.3, 1.0], [3 * 0.1, 1.0 + 1e-9]]))
    array([ True, False])
    """
    Z, _ = _in_own_size(A)
    return _rounding(len(A), *_moments(Z, None))


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
    columns = max(BLOCK // len(A), 1)
    found = [
        _measured(A[:, first : first + columns], weights, robust, shift)
        for first in range(0, A.shape[1], columns)
    ]
    centres, sizes = zip(*found, strict=True)
    return np.concatenate(centres), np.concatenate(sizes)


def standard_units(
    A: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column; a constant column has scale 1.

    Parameters
    ----------
    A, weights
        As in `centre_and_size`.

    Examples
    --------
    >>> import numpy as np
    >>> standard_units(np.array([[0.0, 5.0], [2.0, 5.0]]))
    (array([1., 5.]), array([1., 1.]))
    """
    return _or_one(*centre_and_size(A, weights))


def robust_units(A: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return median and 1.4826 MAD of each column; a constant column has scale 1.

    Parameters
    ----------
    A, weights
        As in `centre_and_size`.

    Examples
    --------
    >>> import numpy as np
    >>> robust_units(np.array([[1.0], [2.0], [3.0], [4.0], [1e9]]))
    (array([3.]), array([1.48260222]))
    """
    return _or_one(*centre_and_size(A, weights, robust=True))


def minmax_units(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return middle and half the range of each column; a constant column has scale 1.

    Examples
    --------
    >>> import numpy as np
    >>> minmax_units(np.array([[0.0, 5.0], [4.0, 5.0], [1.0, 5.0]]))
    (array([2., 5.]), array([2., 1.]))
    """
    low, high = A.min(axis=0), A.max(axis=0)
    middle, half = 0.5 * high + 0.5 * low, 0.5 * high - 0.5 * low
    return _or_one(np.where(low == high, low, middle), np.where(constant_columns(A), 0.0, half))


def _in_own_size(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return columns over their largest magnitude, whose squares neither overflow nor vanish."""
    largest = np.maximum(A.max(axis=0), -A.min(axis=0))
    unit = np.where(largest > 0.0, largest, 1.0)
    return A / unit, unit


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
        mean = Z.sum(axis=0) / len(Z)
    else:
        mean = (Z * weights[:, np.newaxis]).sum(axis=0) / weights.sum()
    return mean


def _rounding(n: int, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
    """Return which columns of n rows have no variance but that of rounding."""
    n = min(n, MOST_ROWS)
    constant: np.ndarray = var <= n * EPS * var + np.square(n * EPS * mean)
    return constant


def _measured(
    A: np.ndarray, weights: np.ndarray | None, robust: bool, shift: bool
) -> tuple[np.ndarray, np.ndarray]:
    Z, unit = _in_own_size(A)
    centre, var = _moments(Z, weights, shift)
    size = np.where(_rounding(len(A), centre, var), 0.0, np.sqrt(var))
    if robust:
        if shift:
            centre = np.array([median(z, weights) for z in Z.T])
        deviations = [robust_deviation(z, weights, m) for z, m in zip(Z.T, centre, strict=True)]
        size = np.where(size > 0.0, deviations, 0.0)
    centre, size = centre * unit, size * unit
    if shift:  # rounding of the mean may lie beside a column of one number
        same = A.min(axis=0) == A.max(axis=0)
        centre, size = np.where(same, A[0], centre), np.where(same, 0.0, size)
    return centre, size


def _or_one(centre: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return centre, np.where(size == 0.0, 1.0, size)


def fold(net: MLP, w: Any, x_mean: Any, x_scale: Any, y_mean: Any, y_scale: Any) -> np.ndarray:
    """Return weights w' with which the network takes and gives numbers in the units of the data.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
        With these, the network sees (x - x_mean) / x_scale, and the prediction is
        y_mean + y_scale · φ_L.
    x_mean, x_scale : array_like, (n0,)
    y_mean, y_scale : array_like, (nL,)

    Returns
    -------
    ndarray, (N,)

    Warns
    -----
    PrecisionWarning
        Where x_mean is so many x_scale that float64 cannot hold their difference well.

    Raises
    ------
    ValueError
        If the network has no dummy unit to take a shift, or an output activation
        that targets cannot be scaled through, or shapes do not fit.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 1))
    >>> 100.0 + 50.0 * net.forward([2.0, 1.0], [[(7.0 - 5.0) / 10.0]])
    array([[170.]])
    >>> net.forward(fold(net, [2.0, 1.0], [5.0], [10.0], [100.0], [50.0]), [[7.0]])
    array([[170.]])
    """
    Ws = [W.copy() for W in net.unpack(w)]
    x_mean = vector("x_mean", x_mean, net.n_inputs, "one per input")
    x_scale = vector("x_scale", x_scale, net.n_inputs, "one per input")
    y_mean = vector("y_mean", y_mean, net.n_outputs, "one per output")
    y_scale = vector("y_scale", y_scale, net.n_outputs, "one per output")
    lost = EPS * np.abs(x_mean / x_scale)
    if lost.size and lost.max() > LOST:
        warnings.warn(
            f"input {lost.argmax() + 1} is {lost.max() / EPS:.0e} of its units from zero: weights "
            f"that take such numbers as they are lose all but {max(lost.max(), EPS):.0e} of a unit",
            PrecisionWarning,
            stacklevel=2,
        )
    first, last = Ws[0], Ws[-1]
    first[: net.n_inputs] /= x_scale[:, np.newaxis]
    if x_mean.any():
        if not net.bias[0]:
            raise ValueError(f"net must have a dummy unit in its first layer, got {net!r}")
        first[-1] -= x_mean @ first[: net.n_inputs]
    shift = y_mean - (y_scale - 1.0) * net.fixed_bias
    if shift.any() or (y_scale != 1.0).any():
        if net.activations[-1] != Identity():
            raise ValueError(f"net must have the identity as output activation, got {net!r}")
        if shift.any() and not net.bias[-1]:
            raise ValueError(f"net must have a dummy unit in its last layer, got {net!r}")
        last *= y_scale
        if net.bias[-1]:
            last[-1] += shift
    return net.pack(Ws)
