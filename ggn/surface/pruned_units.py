"""Units that a penalty has pruned: of free bias, they leave J constant however that moves.

    v_k = 0      incoming weights of unit k of layer l, but for its dummy weight b_k
    φ_k = σ(b_k)  on all samples, so that b_k acts as a shift of what layer l + 1 adds, and
    t = ∂/∂b_k - σ'(b_k) Σ_j u_kj ∂/∂b'_j,   u_k its outgoing weights, b' the next dummy weights

leaves all outputs as they are.  Where u_k = 0 too, which is where a penalty takes both, t is b_k
alone; along it the gradient stays: that of u_k is σ(b_k) times that of b', which is zero at a
critical point, and that of v_k has the factor u_k.  So it is a line of critical points.
"""

from __future__ import annotations

import numpy as np

from ggn.linearization import Objective
from ggn.surface.layers import sweep_layers

__all__ = ["pruned_units"]

STILL = 1e-9  # by how much a net input may vary, where activations bend over about 1


def pruned_units(objective: Objective, w: np.ndarray, layer: int) -> tuple[np.ndarray, bool]:
    """Return t of every such unit of a hidden layer, (N, k), and whether all v_k are 0 exactly."""
    net = objective.net
    if not (net.bias[layer - 1] and net.bias[layer]):
        return np.empty((net.n_weights, 0)), True
    V, U = net.unpack(w)[layer - 1 : layer + 1]
    free = net.unpack(np.broadcast_to(objective.l2, net.n_weights))
    kept = (free[layer - 1][-1] == 0.0) & bool((free[layer][-1] == 0.0).all())
    reach = np.zeros(len(V) - 1)
    for part in sweep_layers(net, w, objective.X, net.chunk_size(net.n_outputs)):
        np.maximum(reach, np.abs(part.inputs[layer - 1][:-1]).max(axis=1), out=reach)
    slope = net.activations[layer - 1].derivative(V[-1] - net.fixed_bias)
    out, units = [], np.flatnonzero(kept & (reach @ np.abs(V[:-1]) <= STILL))
    for k in units:
        t = np.zeros(net.n_weights)
        parts = net.unpack(t)
        parts[layer - 1][-1, k] = 1.0
        parts[layer][-1] = -slope[k] * U[k]
        out.append(t)
    return np.array(out).reshape(-1, net.n_weights).T, not V[:-1, units].any()
