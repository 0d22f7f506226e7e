"""Directions along which J is constant for reasons known in advance.

=======================  ==========================================================
dependent inputs         v in the null space of a layer's inputs (dummy unit counted), for
                         any unit of the layer: its net input does not change.  Of layer 1
                         at every w; of a later one where units are equal up to sign (a
                         split unit) or constant
silent units             σ = σ' = 0 on all samples (relu): their incoming weights
homogeneous units        σ(a z) = a σ(z), a > 0 (relu): incoming weights and minus outgoing;
                         and those that no sample takes over the kink are linear: as below
pruned units             constant ones whose dummy weight is free (`ggn.surface.pruned_units`)
linear hidden layer l    W_l M and -M W_{l+1}: (W_l M^-1)(M W_{l+1}) is the same map;
                         with a dummy unit above, a shift of W_l's dummy row too; under a
                         penalty alike on each of its units, for orthogonal M
equal shift of outputs   where the loss does not see it (softmax): the same added to
                         all columns of W_L
=======================  ==========================================================

Those of layer 1, linear layers and outputs are translations or the orbits of a group: J is
constant on each and, the network being what it is, all of J is the same seen from any of their
points.  Those of later layers keep J only at this w; where its gradient, too, stays zero along
them, they are lines of critical points.  So where H_J is zero along all these directions and
positive across them, w is a local minimum, though a degenerate one (Morse-Bott).  A penalty
ends all this for the weights that it is on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn.activations import Identity, LeakyReLU, ReLU
from ggn.linearization import BaseObjective, Objective
from ggn.network import MLP
from ggn.surface.critical_lines import CriticalLines
from ggn.surface.layers import sweep_layers
from ggn.surface.null_space import null_space
from ggn.surface.pruned_units import pruned_units
from ggn.surface.silent_units import silent_units

__all__ = ["flat_directions"]

EPS = float(np.finfo(np.float64).eps)
EQUAL = 1e-11  # of their size: features that are equal
# Doubles of the tangents of linear layers, n_l² of N each: beyond, they are left out.
MOST = 20_000_000


def flat_directions(
    objective: BaseObjective, w: np.ndarray, scale: np.ndarray | float = 1.0
) -> tuple[np.ndarray, bool]:
    """Return an orthonormal basis, (N, k), of the known directions of constant J at w.

    They are of weights D w, D = scale: in w itself those of small units would be lost in the
    rounding of a basis that large ones share.

    Of samples in chunks those are known that hang on no sample, as of linear layers and outputs.

    And whether J is constant along them for certain; else to rounding, as where units are
    equal, or inputs dependent, no further than double precision tells.
    """
    net = objective.net
    samples = objective if isinstance(objective, Objective) else None
    rotations = [np.empty((net.n_weights, 0))]
    parts = [(rotations[0], True) if samples is None else _dependent_inputs(samples)]
    for layer in range(1, net.depth):
        n, sigma = net.sizes[layer], net.activations[layer - 1]
        linear = sigma == Identity() and net.fixed_bias == 0.0
        if linear and n * n * net.n_weights <= MOST:
            parts.append((_linear_layer(net, w, layer), True))
            rotations.append(_rotations(net, w, layer, objective.l2))
        elif not linear and samples is not None:
            silent = silent_units(samples, w, layer)
            parts += [(_silent(net, layer, silent), True),
                      _dependent_features(samples, w, layer, silent)]  # fmt: skip
            if isinstance(sigma, ReLU | LeakyReLU) and not net.fixed_bias:
                parts.append((_homogeneous(samples, w, layer), True))
        if samples is not None:
            parts.append(pruned_units(samples, w, layer))
    if objective.loss.shift_invariant:
        parts.append((_equal_shift(net), True))
    exact = all(known for found, known in parts if found.size)
    D = np.broadcast_to(scale, net.n_weights)[:, np.newaxis]
    tangents = D * np.hstack([found for found, _ in parts])
    if objective.penalised:
        tangents = _free(tangents, objective)
        tangents = np.hstack([tangents, *(D * found for found in rotations)])
    tangents = tangents[:, tangents.any(axis=0)]
    if not tangents.size:
        return np.empty((net.n_weights, 0)), True
    U, s, _ = np.linalg.svd(tangents / np.linalg.norm(tangents, axis=0), full_matrices=False)
    return U[:, s > max(tangents.shape) * EPS * s[0]], exact


def _free(tangents: np.ndarray, objective: BaseObjective) -> np.ndarray:
    """Return those of the tangents (N, k) that move no penalised weight."""
    l2 = np.broadcast_to(objective.l2, objective.net.n_weights)
    return tangents[:, ~(tangents[l2 > 0.0] != 0.0).any(axis=0)]


def _tangents(net: MLP, count: int) -> np.ndarray:
    """Return `count` zero directions as rows."""
    return np.zeros((count, net.n_weights))


def _for_each_unit(net: MLP, layer: int, null: np.ndarray) -> np.ndarray:
    """Return the directions (N, k n_l) that add null vectors (m, k) to a unit's weights."""
    n, k = net.sizes[layer], null.shape[1]
    out = _tangents(net, k * n)
    for i, v in enumerate(null.T):
        for unit in range(n):
            net.unpack(out[i * n + unit])[layer - 1][:, unit] = v
    return out.T


def _dependent_inputs(objective: Objective) -> tuple[np.ndarray, bool]:
    net, X = objective.net, objective.X[objective.c.array > 0.0]
    if net.bias[0]:
        X = np.column_stack([X, np.ones(len(X))])
    null, exact = null_space(X)
    return _for_each_unit(net, 1, null), exact


def _features(objective: Objective, w: np.ndarray, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Return φ̂_layer (T, n [+ 1]) and σ'_layer (T, n)."""
    net, X = objective.net, objective.X
    pairs = [
        (part.inputs[layer].T.copy(), part.slopes[layer - 1].T.copy())
        for part in sweep_layers(net, w, X, net.chunk_size(net.n_outputs))
    ]
    return tuple(np.concatenate(side) for side in zip(*pairs, strict=True))  # type: ignore


def _dependent_features(
    objective: Objective, w: np.ndarray, layer: int, silent: list[int]
) -> tuple[np.ndarray, bool]:
    """Return the exchanges between equal, and within constant, units that keep g at zero."""
    net, n = objective.net, objective.net.sizes[layer]
    V = net.unpack(w)[layer - 1]
    # units that their dummy weight alone moves
    still = np.logical_not(V[: net.sizes[layer - 1]].any(axis=0))
    phi, _ = _features(objective, w, layer)
    size, alike = np.abs(phi).max(axis=0), _alike(phi, n)
    null: list[np.ndarray] = []
    left, exact = list(range(phi.shape[1])), True
    while left:
        first = left.pop(0)
        if size[first] == 0.0:
            null.append(np.eye(phi.shape[1])[first])
            exact = exact and (first in silent or not V[:, first].any())
            continue
        for other in [other for other in left if alike[first, other]]:
            # constant units are equal to the dummy unit up to a factor
            factor = _factor(phi[:, first], phi[:, other], other == n)
            if factor is not None:
                v = np.zeros(phi.shape[1])
                v[first], v[other] = 1.0, -factor
                null.append(v)
                if other != n:
                    left.remove(other)
                    exact = exact and bool((V[:, first] == factor * V[:, other]).all())
                else:
                    exact = exact and bool(still[first])
    if not null:
        return np.empty((net.n_weights, 0)), True
    tangents = np.hstack([
        _for_each_unit(net, layer + 1, np.column_stack(null)),
        *(_in_proportion(net, w, layer, v) for v in null),
    ])  # fmt: skip
    tangents = _free(tangents, objective)
    keeps_still = CriticalLines(objective, w) if tangents.size else np.any
    kept = [t for t in tangents.T if t.any() and keeps_still(t)]
    return np.column_stack(kept) if kept else np.empty((net.n_weights, 0)), exact


def _in_proportion(net: MLP, w: np.ndarray, layer: int, v: np.ndarray) -> np.ndarray:
    """Return the exchanges of all of a unit's outgoing weights, as they are to one another.

    Of several outputs only they keep the gradient of a split unit's incoming weights at 0.
    """
    W = net.unpack(w)[layer]
    out = [np.zeros(net.n_weights)]
    for a in np.flatnonzero(v):
        if W[a].any():
            net.unpack(_added(out, net))[layer][:] = np.outer(v, W[a] / np.abs(W[a]).max())
    return np.array(out[1:]).reshape(-1, net.n_weights).T


def _alike(phi: np.ndarray, n: int) -> np.ndarray:
    """Return which pairs of features could be equal, by `_factor`, where the first is largest.

    Feature n is the dummy unit, to which others are equal up to a factor.
    """
    top = np.abs(phi).argmax(axis=0)
    at_top = phi[top]  # row j: all features on the sample where feature j is largest
    with np.errstate(all="ignore"):
        mine, theirs = np.abs(at_top.diagonal())[:, np.newaxis], np.abs(at_top)
        off = np.abs(mine - theirs)
        f = np.abs(at_top.T / at_top.diagonal())[:, n:]
        off[:, n:] = np.minimum(off[:, n:], np.abs(mine - f * theirs[:, n:]))
        return ~(off > 2.0 * EQUAL * mine)  # what is not a number is looked at


def _factor(a: np.ndarray, b: np.ndarray, free: bool) -> float | None:
    """Return f with a = f b: ±1, or any where that is free; None where there is none."""
    i = int(np.argmax(np.abs(b)))
    with np.errstate(all="ignore"):
        f = float(a[i] / b[i])
    if not (math.isfinite(f) and f != 0.0):
        return None
    if not free:
        f = float(np.sign(f))
    close = np.abs(a - f * b).max() <= EQUAL * np.abs(a).max()
    return f if close else None


def _silent(net: MLP, layer: int, units: list[int]) -> np.ndarray:
    """Return the incoming weights of units that no sample reaches."""
    out: list[np.ndarray] = []
    for k in units:
        for a in range(net.layout.shapes[layer - 1][1]):
            net.unpack(_added(out, net))[layer - 1][a, k] = 1.0
    return np.array(out).reshape(-1, net.n_weights).T


def _homogeneous(objective: Objective, w: np.ndarray, layer: int) -> np.ndarray:
    """Return the same for units that are linear on one side of 0, as far as they are."""
    net = objective.net
    _, slope = _features(objective, w, layer)
    below, above = net.unpack(w)[layer - 1 : layer + 1]
    n, c = net.sizes[layer], slope[0]
    linear = (slope == c).all(axis=0) & (c != 0.0)
    shifts = net.bias[layer - 1] and net.bias[layer]
    out: list[np.ndarray] = []
    for i in range(n):
        for j in range(n):
            if i == j or (linear[i] and linear[j]):
                parts = net.unpack(_added(out, net))
                parts[layer - 1][:, j] = below[:, i]
                parts[layer][i] = -above[j] * (1.0 if i == j else c[j] / c[i])
        if linear[i] and shifts:
            parts = net.unpack(_added(out, net))
            parts[layer - 1][-1, i] = 1.0
            parts[layer][-1] = -c[i] * above[i]
    return np.array(out).T


def _added(out: list[np.ndarray], net: MLP) -> np.ndarray:
    """Return a new direction of `out`, zero yet."""
    out.append(np.zeros(net.n_weights))
    return out[-1]


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


def _rotations(net: MLP, w: np.ndarray, layer: int, l2: Any) -> np.ndarray:
    """Return those of a linear layer that leave a penalty as it is: M orthogonal."""
    n, each = net.sizes[layer], net.unpack(np.broadcast_to(l2, net.n_weights).copy())
    below, above = each[layer - 1], each[layer][:n]
    if (below != below[:, :1]).any() or (above != above[:1]).any():
        return np.empty((net.n_weights, 0))
    i, j = np.triu_indices(n, 1)
    found = _linear_layer(net, w, layer)
    out: np.ndarray = found[:, i * n + j] - found[:, j * n + i]
    return out


def _equal_shift(net: MLP) -> np.ndarray:
    m = net.layout.shapes[-1][1]
    out = _tangents(net, m)
    for a in range(m):
        net.unpack(out[a])[-1][a] = 1.0
    return out.T
