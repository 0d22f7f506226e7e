"""Units in which data are about one in size, and how weights take them in.

    φ_L(w, (x - x_mean) / x_scale) · y_scale + y_mean = φ_L(w', x),

where w' differs from w in the first layer and, identity being its activation,
the last: W_1' = W_1 / x_scale, its dummy row less (x_mean / x_scale)ᵀ W_1, and
W_L' = W_L · y_scale, its dummy row plus y_mean.

standard    zero mean, standard deviation one    (MATLAB's mapstd)
minmax      from -1 to 1                         (MATLAB's mapminmax)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.activations import Identity
from ggn.network import MLP
from ggn.validation import vector

__all__ = ["fold", "minmax_units", "standard_units"]


def standard_units(
    A: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column; a constant column has scale 1.

    Parameters
    ----------
    A : ndarray, (T, n)
    weights : ndarray, (T,), optional
        Not negative; a weight of 2 counts as the row given twice.

    Examples
    --------
    >>> import numpy as np
    >>> standard_units(np.array([[0.0, 5.0], [2.0, 5.0]]))
    (array([1., 5.]), array([1., 1.]))
    """
    # in units of the largest magnitude, whose squares cannot overflow or vanish
    largest = np.abs(A).max(axis=0)
    unit = np.where(largest > 0.0, largest, 1.0)
    Z = A / unit
    if weights is None:
        mean, scale = Z.mean(axis=0), Z.std(axis=0)
    else:
        mean = np.average(Z, axis=0, weights=weights)
        scale = np.sqrt(np.average(np.square(Z - mean), axis=0, weights=weights))
    constant = Z.min(axis=0) == Z.max(axis=0)  # rounding may leave them a tiny deviation
    scale = np.where(constant | (scale * unit == 0.0), 1.0, scale * unit)
    return np.where(constant, A[0], mean * unit), scale


def minmax_units(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return middle and half the range of each column; a constant column has scale 1.

    Examples
    --------
    >>> import numpy as np
    >>> minmax_units(np.array([[0.0, 5.0], [4.0, 5.0], [1.0, 5.0]]))
    (array([2., 5.]), array([2., 1.]))
    """
    low, high = A.min(axis=0), A.max(axis=0)
    half = 0.5 * high - 0.5 * low
    return 0.5 * high + 0.5 * low, np.where(half == 0.0, 1.0, half)


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
