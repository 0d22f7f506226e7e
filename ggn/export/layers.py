"""A network as dense layers, the form in which other programs keep it.

    φ_l = σ_l(φ_{l-1} K_l + b_l)          rows are samples

K_l   kernel (n_{l-1}, n_l): W_l without its dummy row
b_l   bias (n_l,): the dummy row minus the fixed bias; None where a layer has neither
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ggn.activations import Activation, Identity
from ggn.activations.base import BuiltIn
from ggn.io import Model
from ggn.io.scaling import fold, linear_units
from ggn.network import MLP

__all__ = ["DenseLayer", "built_in_layers", "dense_layers", "folded_layers", "pack"]


@dataclass(frozen=True)
class DenseLayer:
    """One layer; the legend is that of the module."""

    kernel: np.ndarray
    bias: np.ndarray | None
    activation: Activation


def dense_layers(net: MLP, w: np.ndarray) -> list[DenseLayer]:
    """Return the layers of a network at weights w."""
    layers = []
    for W, has_dummy, n, activation in zip(
        net.unpack(w), net.bias, net.sizes, net.activations, strict=False
    ):
        bias = None
        if has_dummy or net.fixed_bias:
            bias = (W[n] if has_dummy else np.zeros(W.shape[1])) - net.fixed_bias
        layers.append(DenseLayer(np.ascontiguousarray(W[:n]), bias, activation))
    return layers


def pack(layers: Sequence[DenseLayer]) -> tuple[MLP, np.ndarray]:
    """Return the network of these layers and its weights; the inverse of `dense_layers`."""
    sizes = [len(layers[0].kernel), *(layer.kernel.shape[1] for layer in layers)]
    chosen = [layer.activation for layer in layers]
    net = MLP(sizes, chosen[:-1], chosen[-1], [layer.bias is not None for layer in layers])
    return net, net.pack(
        [a.kernel if a.bias is None else np.vstack([a.kernel, a.bias]) for a in layers]
    )


def built_in_layers(model: Model, where: str) -> list[tuple[DenseLayer, BuiltIn]]:
    """Return the layers of a model whose activations can be written down, each with its own."""
    layers = []
    for layer in dense_layers(model.net, model.w):
        activation = layer.activation
        if not isinstance(activation, BuiltIn):
            raise ValueError(
                f"model must have built-in activations only to be written as {where}, "
                f"got {activation!r}, a Python function"
            )
        layers.append((layer, activation))
    return layers


def folded_layers(model: Model) -> list[DenseLayer]:
    """Return layers that take and give numbers in the units of the data.

    The scaling goes into the first layer and the last; where an activation bars
    the targets' way into the last, they have a linear layer of their own.
    """
    layers = dense_layers(model.net, model.w)
    targets_scaled = model.y_mean.any() or (model.y_scale != 1.0).any()
    if targets_scaled and layers[-1].activation != Identity():
        layers.append(DenseLayer(np.eye(model.net.n_outputs), None, Identity()))
    for place, shift in ((0, model.x_mean), (-1, model.y_mean)):
        layer = layers[place]
        if layer.bias is None and shift.any():  # room for it
            layers[place] = DenseLayer(
                layer.kernel, np.zeros(layer.kernel.shape[1]), layer.activation
            )
    net, w = pack(layers)
    return dense_layers(net, fold(net, w, *linear_units(model)))
