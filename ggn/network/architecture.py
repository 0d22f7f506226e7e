"""The arguments that describe a network as plain values and as text; vectors w factored."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn import _core, activations
from ggn._core.machine import check_room
from ggn.activations import Activation
from ggn.validation import ArgumentError, describe, float_array, integer, items

__all__ = [
    "Positions",
    "activation_text",
    "joined",
    "network_text",
    "parse_activations",
    "parse_flags",
    "parse_matrices",
    "parse_sizes",
]


class Positions:
    """A vector D (N,) that is a product D = p(unit) q(input) in each layer.

    Parameters
    ----------
    layout : Layout
    """

    def __init__(self, layout: _core.Layout) -> None:
        self._layout = layout
        self.n_units, self.n_inputs = layout.n_units, layout.n_inputs

    def factor(self, D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return p and q over all layers, if D has that form; p is 1 for each first unit."""
        layers = self._layout.weights(D)
        p = [B[:, 0] / B[0, 0] for B in layers]
        return np.concatenate(p), np.concatenate([B[0] for B in layers])

    def factors(self, D: np.ndarray) -> bool:
        """Return whether D has that form."""
        return all(
            (np.abs(np.outer(B[:, 0] / B[0, 0], B[0]) - B) <= 1e-12 * B).all()
            for B in self._layout.weights(D)
        )


def parse_sizes(sizes: Any) -> tuple[int, ...]:
    """Return (n0, ..., nL)."""
    values = items("sizes", sizes, "a sequence (n0, ..., nL)")
    if len(values) < 2:
        raise ValueError(
            f"sizes must name at least inputs and outputs (n0, nL), got {describe(sizes)}"
        )
    sizes = tuple(integer(f"sizes[{i}]", n, 1) for i, n in enumerate(values))
    weights = sum((m + 1) * n for m, n in itertools.pairwise(sizes))
    check_room("the weights of sizes", weights, 16)
    return sizes


def parse_activations(hidden: Any, output: Any, depth: int) -> tuple[Activation, ...]:
    """Return one activation per layer."""
    if isinstance(hidden, (str, Activation)):
        hidden = [activations.resolve(hidden)] * (depth - 1)
    hidden = items("activation", hidden, "a name, an Activation or a sequence")
    if len(hidden) != depth - 1:
        raise ArgumentError(
            "activation",
            f"must be one name or one per hidden layer ({depth - 1}), got {len(hidden)}",
        )
    last = activations.resolve(output, "output_activation")
    return (*(activations.resolve(a) for a in hidden), last)


def parse_flags(bias: Any, depth: int) -> tuple[bool, ...]:
    """Return one flag per layer."""
    if isinstance(bias, (bool, np.bool_)):
        return (bool(bias),) * depth
    flags = items("bias", bias, f"True, False or a sequence of {depth} flags")
    kinds = (bool, int, np.bool_, np.integer)
    if len(flags) != depth or not all(isinstance(f, kinds) and f in (0, 1) for f in flags):
        raise ValueError(f"bias must be True, False or {depth} flags, got {describe(bias)}")
    return tuple(bool(f) for f in flags)


def parse_matrices(Ws: Any, shapes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """Return one matrix per layer, W_l of the shape transposed."""
    Ws = items("Ws", Ws, f"a sequence of {len(shapes)} matrices")
    if len(Ws) != len(shapes):
        raise ValueError(f"Ws must hold {len(shapes)} matrices, got {len(Ws)}")
    arrays = []
    for layer, (W, shape) in enumerate(zip(Ws, shapes, strict=True)):
        array = float_array(f"Ws[{layer}]", W)
        if array.shape != shape[::-1]:
            raise ValueError(f"Ws[{layer}] must have shape {shape[::-1]}, got {array.shape}")
        arrays.append(array)
    return arrays


def joined(Ws: Sequence[np.ndarray]) -> np.ndarray:
    """Return the flat weights w (N,) of matrices that need no check."""
    return np.concatenate([W.T.ravel() for W in Ws])


def activation_text(a: Activation) -> str:
    """Return the short name where it says everything."""
    known = activations.BUILT_IN.get(a.name)
    return repr(a.name) if known is not None and a == known() else repr(a)


def network_text(
    sizes: tuple[int, ...],
    chosen: tuple[Activation, ...],
    bias: tuple[bool, ...],
    fixed_bias: float,
) -> str:
    """Return the call that makes the network; what is the default is left out."""
    hidden, last = chosen[:-1], chosen[-1]
    parts = [f"{sizes}"]
    if hidden:
        same = all(a == hidden[0] for a in hidden)
        listed = f"[{', '.join(map(activation_text, hidden))}]"
        parts.append(f"activation={activation_text(hidden[0]) if same else listed}")
    if last != activations.Identity():
        parts.append(f"output_activation={activation_text(last)}")
    if not all(bias):
        parts.append(f"bias={list(bias) if any(bias) else False}")
    if fixed_bias:
        parts.append(f"fixed_bias={fixed_bias:g}")
    return f"MLP({', '.join(parts)})"
