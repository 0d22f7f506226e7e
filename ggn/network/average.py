"""The mean of several networks of one shape is one network, their hidden units side by side.

W_1 = [W_1^(1) ... W_1^(k)],    W_l = diag(W_l^(1), ..., W_l^(k)) above a common dummy row,
W_L = [W_L^(1); ...; W_L^(k)] / k,    its dummy row the mean of theirs
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import block_diag

from ggn.activations import Identity
from ggn.network.mlp import MLP

__all__ = ["one_of", "side_by_side"]


def side_by_side(net: MLP, ws: Sequence[Any]) -> tuple[MLP, np.ndarray]:
    """Return the network, and its weights, whose outputs are the mean of k networks' outputs.

    Parameters
    ----------
    net : MLP
        What all of them are; its outputs have no activation.
    ws : sequence of array_like, (N,)
        The weights of each.

    Returns
    -------
    tuple of MLP and ndarray
        Hidden layers are k times as wide; with k = 1, or no hidden layer, `net` itself.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> net = ggn.MLP((1, 2, 1))
    >>> ws = [net.initial_weights(rng=seed) for seed in range(3)]
    >>> wide, w = side_by_side(net, ws)
    >>> wide.sizes
    (1, 6, 1)
    >>> mean = np.mean([net.forward(w, [[0.5]]) for w in ws])
    >>> bool(np.isclose(wide.forward(w, [[0.5]]).item(), mean))
    True
    """
    if net.activations[-1] != Identity():
        raise ValueError(f"net must have the identity as output activation, got {net!r}")
    k, depth = len(ws), net.depth
    if k == 1 or depth == 1:
        return net, np.mean([net._weights(w) for w in ws], axis=0)
    inner = (k * n for n in net.sizes[1:-1])
    wide = MLP(
        (net.n_inputs, *inner, net.n_outputs),
        net.activations[:-1],
        net.activations[-1],
        net.bias,
        net.fixed_bias,
    )
    Ws = []
    for layer, parts in enumerate(zip(*(net.unpack(w) for w in ws), strict=True)):
        m = net.sizes[layer]
        weights, biases = [W[:m] for W in parts], [W[m:] for W in parts]
        if layer == 0:
            W, bias = np.hstack(weights), np.hstack(biases)
        elif layer < depth - 1:
            W, bias = block_diag(*weights), np.hstack(biases)
        else:
            W, bias = np.vstack(weights) / k, np.mean(biases, axis=0)
        Ws.append(np.vstack([W, bias]))
    return wide, wide.pack(Ws)


def one_of(wide: MLP, k: int) -> MLP:
    """Return the shape of the k networks whose hidden units are side by side in a wide one.

    Raises
    ------
    ValueError
        If a hidden layer's units cannot be shared out.

    Examples
    --------
    >>> import ggn
    >>> one_of(ggn.MLP((1, 6, 1)), 3)
    MLP((1, 2, 1), activation='tanh')
    """
    if any(n % k for n in wide.sizes[1:-1]):
        raise ValueError(f"hidden layers must be multiples of {k} units, got {wide!r}")
    inner = (n // k for n in wide.sizes[1:-1])
    return MLP(
        (wide.n_inputs, *inner, wide.n_outputs),
        wide.activations[:-1],
        wide.activations[-1],
        wide.bias,
        wide.fixed_bias,
    )
