"""Units in which data are about one in size, and how weights take them in.

    φ_L(w, (x - x_mean) / x_scale) · y_scale + y_mean = φ_L(w', x),

where w' differs from w in the first layer and, identity being its activation,
the last: W_1' = W_1 / x_scale, its dummy row less (x_mean / x_scale)ᵀ W_1, and
W_L' = W_L · y_scale, its dummy row plus y_mean.

standard    zero mean, standard deviation one    (MATLAB's mapstd)
minmax      from -1 to 1                         (MATLAB's mapminmax)
robust      median 0, 1.4826 MAD one: the standard units of what is not outliers

Which columns are constant is `ggn.linearization.columns`'s to say.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeAlias

import numpy as np

from ggn.activations import Identity
from ggn.linearization.columns import centre_and_size, constant_columns
from ggn.network import MLP
from ggn.validation import ArgumentError, vector

__all__ = [
    "PrecisionWarning",
    "constant_columns",
    "fold",
    "linear_units",
    "minmax_units",
    "robust_units",
    "standard_units",
]

EPS = float(np.finfo(np.float64).eps)
LOST = 1e-7  # of an input's unit: what folding may lose before it warns


class PrecisionWarning(UserWarning):
    """Numbers that the arithmetic asked for cannot hold to the digits that matter."""


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


def _or_one(centre: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return centre, np.where(size == 0.0, 1.0, size)


Units: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def linear_units(model: Any, argument: str = "model") -> Units:
    """Return x_mean, x_scale, y_mean and y_scale of a Model, for weights to take in.

    Raises
    ------
    ValueError
        For one that transforms its inputs, which weights cannot.
    """
    if model.x_transform is not None:
        raise ArgumentError(
            argument,
            "must take inputs in linear units, got a model that transforms skewed ones; one "
            "of an estimator with scale='standard' does not",
        )
    return model.x_mean, model.x_scale, model.y_mean, model.y_scale


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
