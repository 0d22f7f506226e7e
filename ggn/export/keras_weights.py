"""Weights in the order of Keras' `get_weights`, as plain arrays.

Dense layers have the list [K_1, b_1, K_2, b_2, ...], with K_l, b_l of `ggn.export.layers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.activations import Activation
from ggn.export.layers import folded_layers
from ggn.export.reading import GivenLayer, chained_model, named_arrays
from ggn.fit.fitted import Fitted, as_model
from ggn.io import Model

__all__ = ["from_keras_weights", "to_keras_weights"]


def to_keras_weights(model: Fitted) -> list[np.ndarray]:
    """Return the weights in the order of Keras' `get_weights` and `set_weights`.

    Parameters
    ----------
    model : Model, TrainResult or estimator

    Returns
    -------
    list of ndarray
        Float64, the scaling folded in; a layer without bias has a kernel only
        (``use_bias=False``).  Where targets are scaled behind an output activation
        that is not the identity, a linear layer is added at the end.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> import ggn
    >>> from ggn.export import to_keras_weights
    >>> [array.shape for array in to_keras_weights(ggn.Model(ggn.MLP((2, 3, 1)), range(13)))]
    [(2, 3), (3,), (3, 1), (1,)]
    """
    return [
        array
        for layer in folded_layers(as_model(model))
        for array in (layer.kernel, layer.bias)
        if array is not None
    ]


def from_keras_weights(
    weights: Sequence[Any],
    activation: str | Activation | Sequence[str | Activation],
    output_activation: str | Activation = "identity",
) -> Model:
    """Return the model of the weights of Keras' Dense layers.

    Parameters
    ----------
    weights : sequence of array
        What `get_weights` returns: kernels, each with its bias, if any, behind it.
    activation : str or Activation, or a sequence of them
        Of all hidden layers, or one for each.
    output_activation : str or Activation, default "identity"

    Returns
    -------
    Model
        Without scaling; a layer without bias has no dummy unit.

    Raises
    ------
    ValueError
        If the arrays are not those of dense layers that follow each other.

    Examples
    --------
    >>> from ggn.export import from_keras_weights
    >>> from_keras_weights([[[2.0], [1.0]], [0.5]], "tanh").predict([[1.0, 3.0]])
    array([[5.5]])
    """
    arrays = named_arrays("weights", weights, (1, 2))
    given = []
    for place, (name, array) in enumerate(arrays):
        if array.ndim == 2:
            follows = arrays[place + 1] if place + 1 < len(arrays) else None
            bias = follows if follows is not None and follows[1].ndim == 1 else None
            given.append(GivenLayer(name, array, bias))
        elif not place or arrays[place - 1][1].ndim == 1:
            raise ValueError(f"{name} must be the kernel of a layer, 2-D, got shape {array.shape}")
    return chained_model("weights", given, activation, output_activation)
