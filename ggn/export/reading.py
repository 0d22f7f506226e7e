"""Arrays given by another library, checked and made into a model.

Errors name each array as the caller's argument has it: ``state['2.weight']``, ``coefs[1]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ggn.export.layers import DenseLayer, pack
from ggn.io import Model
from ggn.network.architecture import parse_activations
from ggn.validation import describe, float_array, items, vector

__all__ = ["GivenLayer", "chained_model", "named_arrays"]


class GivenLayer(NamedTuple):
    """A kernel (n_{l-1}, n_l) with its name; name and values of the bias behind it, if any."""

    name: str
    kernel: np.ndarray
    bias: tuple[str, Any] | None


def named_arrays(name: str, values: Any, ndim: tuple[int, ...]) -> list[tuple[str, np.ndarray]]:
    """Return each array of a sequence with the name that errors give it."""
    if isinstance(values, Mapping) or not isinstance(values, (Sequence, np.ndarray)):
        raise ValueError(f"{name} must be a sequence of arrays, got {describe(values)}")
    return [
        (f"{name}[{i}]", float_array(f"{name}[{i}]", value, ndim))
        for i, value in enumerate(items(name, values, "a sequence of arrays"))
    ]


def chained_model(argument: str, given: Sequence[GivenLayer], hidden: Any, output: Any) -> Model:
    """Return the model of layers that follow each other; activations as `MLP` takes them."""
    if not given:
        raise ValueError(f"{argument} must hold at least one layer, got none")
    layers: list[DenseLayer] = []
    chosen = parse_activations(hidden, output, len(given))
    for (name, kernel, behind), activation in zip(given, chosen, strict=True):
        n_inputs, n_units = kernel.shape
        if layers and n_inputs != layers[-1].kernel.shape[1]:
            raise ValueError(
                f"{name} must take the {layers[-1].kernel.shape[1]} outputs of the layer before, "
                f"got {n_inputs}"
            )
        bias = None
        if behind is not None:
            bias = vector(*behind, n_units, "one per unit of the layer")
        layers.append(DenseLayer(kernel, bias, activation))
    return Model(*pack(layers))
