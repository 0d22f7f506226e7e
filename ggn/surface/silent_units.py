"""Units that answer to none of their weights: σ = σ' = 0 on all samples, and nearby.

So it is with a relu that no sample reaches.  A sigmoid at z = -800, or a bell at z = 30, is 0
because float64 has no smaller numbers: its J is no constant but falls or rises for ever, by less
than any number can say.  Such tails pass through tiny numbers on their way to 0; what is 0 on an
interval does not.
"""

from __future__ import annotations

import numpy as np

from ggn.activations import Activation
from ggn.linearization import Objective
from ggn.surface.layers import sweep_layers

__all__ = ["silent_units", "underflows"]

TINY = 1e-100  # what only a tail has
# As dense as that sees twenty numbers of exp(-z²) that are below TINY.
GRID = np.geomspace(1e-6, 1e9, 8000)
NEARBY = 1e-6  # of Σ |v_a φ_a|


def underflows(sigma: Activation) -> bool:
    """Whether σ or σ' gets to 0 by tiny numbers, so that 0 is no more than their rounding.

    Examples
    --------
    >>> import ggn
    >>> [underflows(a()) for a in (ggn.activations.ReLU, ggn.activations.Sigmoid)]
    [False, True]
    """
    z = np.concatenate([-GRID[::-1], GRID])
    with np.errstate(all="ignore"):
        size = np.abs(np.concatenate([sigma.value(z), sigma.derivative(z)]))
    return bool(((size > 0.0) & (size < TINY)).any())


def silent_units(objective: Objective, w: np.ndarray, layer: int) -> list[int]:
    """Return the units of a layer that no sample reaches, nor any nearby."""
    net, X = objective.net, objective.X
    sigma, V = net.activations[layer - 1], net.unpack(w)[layer - 1]
    silent = np.ones(V.shape[1], bool)
    for part in sweep_layers(net, w, X, net.chunk_size(net.n_outputs)):
        inputs = part.inputs[layer - 1]
        z = V.T @ inputs - net.fixed_bias
        reach = NEARBY * (np.abs(V).T @ np.abs(inputs)) + 1e-300
        for moved in (z, z - reach, z + reach):
            silent &= ~(sigma.value(moved).any(axis=1) | sigma.derivative(moved).any(axis=1))
        if not silent.any():
            return []
    return [] if underflows(sigma) else [int(k) for k in np.flatnonzero(silent)]
