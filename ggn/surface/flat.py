"""Directions along which J is constant for reasons known in advance, at every w.

=======================  ==========================================================
dependent inputs         v in the null space of the inputs (dummy unit counted), for
                         any unit of layer 1: its net input does not change
linear hidden layer l    W_l M and -M W_{l+1}: (W_l M^-1)(M W_{l+1}) is the same map;
                         with a dummy unit above, a shift of W_l's dummy row too
equal shift of outputs   where the loss does not see it (softmax): the same added to
                         all columns of W_L
=======================  ==========================================================

The first and last are translations, the second the orbit of a group: J(w) is constant
on each and, the network being what it is, all of J is the same seen from any of their
points.  So where H_J is zero along these directions and positive across them, w is a
local minimum, though a degenerate one (Morse-Bott).  A penalty ends all this, but for
directions of weights that it is not on: of biases, say, in softmax.
"""

from __future__ import annotations

import numpy as np

from ggn.activations import Identity
from ggn.linearization import Objective
from ggn.network import MLP

__all__ = ["flat_directions"]

EPS = float(np.finfo(np.float64).eps)
# Doubles of the tangents of linear layers, n_l² of N each: beyond, they are left out.
MOST = 20_000_000


def flat_directions(objective: Objective, w: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis, (N, k), of the known directions of constant J at w."""
    net = objective.net
    parts = [_dependent_inputs(objective)]
    for layer in range(1, net.depth):
        n = net.sizes[layer]
        linear = net.activations[layer - 1] == Identity() and net.fixed_bias == 0.0
        if linear and n * n * net.n_weights <= MOST:
            parts.append(_linear_layer(net, w, layer))
    if objective.loss.shift_invariant:
        parts.append(_equal_shift(net))
    tangents = np.hstack(parts)
    under = np.broadcast_to(objective.l2, net.n_weights) > 0.0
    tangents = tangents[:, ~tangents[under].any(axis=0)]
    if not tangents.size:
        return np.empty((net.n_weights, 0))
    U, s, _ = np.linalg.svd(tangents, full_matrices=False)
    basis: np.ndarray = U[:, s > max(tangents.shape) * EPS * s[0]]
    return basis


def _tangents(net: MLP, count: int) -> np.ndarray:
    """Return `count` zero directions as rows."""
    return np.zeros((count, net.n_weights))


def _dependent_inputs(objective: Objective) -> np.ndarray:
    net, X = objective.net, objective.X
    used = objective.c.array > 0.0
    X = X[used]
    if net.bias[0]:
        X = np.column_stack([X, np.ones(len(X))])
    size = np.abs(X).max(axis=0, initial=0.0)
    size[size == 0.0] = 1.0
    R = np.linalg.qr(X / size, mode="r")
    _, s, Vt = np.linalg.svd(R, full_matrices=True)
    rank = int(np.sum(s > max(X.shape) * EPS * s.max(initial=0.0)))
    null = Vt[rank:] / size
    out = _tangents(net, len(null) * net.sizes[1])
    for i, v in enumerate(null):
        v = v / np.linalg.norm(v)
        for unit in range(net.sizes[1]):
            net.unpack(out[i * net.sizes[1] + unit])[0][:, unit] = v
    return out.T


def _linear_layer(net: MLP, w: np.ndarray, layer: int) -> np.ndarray:
    n, Ws = net.sizes[layer], net.unpack(w)
    below, above = Ws[layer - 1], Ws[layer]
    shifts = n if net.bias[layer - 1] and net.bias[layer] else 0
    out = _tangents(net, n * n + shifts)
    for i in range(n):
        for j in range(n):
            parts = net.unpack(out[i * n + j])
            parts[layer - 1][:, j] = below[:, i]
            parts[layer][i] = -above[j]
    for i in range(shifts):
        parts = net.unpack(out[n * n + i])
        parts[layer - 1][-1, i] = 1.0
        parts[layer][-1] = -above[i]
    return out.T


def _equal_shift(net: MLP) -> np.ndarray:
    m = net.layout.shapes[-1][1]
    out = _tangents(net, m)
    for a in range(m):
        net.unpack(out[a])[-1][a] = 1.0
    return out.T
