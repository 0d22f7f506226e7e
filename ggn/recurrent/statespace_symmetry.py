"""Directions in which a state-space model's weights may move and no output changes.

Coordinates of the state may be changed, x -> (I + E) x + t: to first order

    δA = E A - A E,   δB = E B,   δC = -C E,   δx_0 = E x_0 + t

f's output layer gets E f, the first layers of f and g -W_1 E in what they take of x; a shift t
is taken by their dummy units, f's output t - A t and o by -C t.  Where a part cannot take it, as
an f with an output activation E, or no dummy units t, there is no such direction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ggn.activations import Identity
from ggn.recurrent.statespace_model import StateSpace

__all__ = ["invariant_directions"]


def invariant_directions(model: StateSpace, w: np.ndarray) -> np.ndarray:
    """Return tangents (N, k) of the weights whose outputs are those of w, linearly independent.

    Examples
    --------
    >>> model = StateSpace(1, 2, 1)
    >>> w = np.random.default_rng(0).normal(size=model.n_weights)
    >>> invariant_directions(model, w).shape
    (12, 4)
    """
    found = [np.empty((0, model.n_weights))]
    found += [d[np.newaxis] for d in (*_rotations(model, w), *_shifts(model, w))]
    K = np.concatenate(found).T
    if not K.size:
        return K
    U, s, _ = np.linalg.svd(K, full_matrices=False)
    return np.ascontiguousarray(U[:, s > 1e-10 * s[0]])


def _rotations(model: StateSpace, w: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a direction for each entry of E."""
    nx = model.n_states
    f = model.f
    if f is not None and not (f.activations[-1] == Identity() and (f.bias[-1] or not f.fixed_bias)):
        return
    parts = model.unpack(w)
    for i in range(nx):
        for j in range(nx):
            E = np.zeros((nx, nx))
            E[i, j] = 1.0
            d = {"C": -parts["C"] @ E}
            if model.linear:
                d["A"] = E @ parts["A"] - parts["A"] @ E
                if model.n_inputs:
                    d["B"] = E @ parts["B"]
            if model.initial_states:
                d["x0"] = parts["x0"] @ E.T
            for name, net in (("f", model.f), ("g", model.g)):
                if net is None:
                    continue
                d[name] = np.zeros(net.n_weights)
                Ws, dWs = net.unpack(parts[name]), net.unpack(d[name])
                dWs[0][:nx] -= E.T @ Ws[0][:nx]
                if name == "f":
                    dWs[-1] += Ws[-1] @ E.T
                    if net.bias[-1]:  # E f(x), and the fixed bias is no weight
                        dWs[-1][-1] -= net.fixed_bias * E.sum(axis=1)
            yield model.pack(d)


def _shifts(model: StateSpace, w: np.ndarray) -> Iterator[np.ndarray]:
    """Yield a direction for each entry of t."""
    nx, f, g = model.n_states, model.f, model.g
    able = f is not None and f.bias[0] and f.bias[-1] and f.activations[-1] == Identity()
    able = able and (g is None or (g.bias[0] and (model.offset or g.activations[-1] == Identity())))
    if not able or not model.initial_states:
        return
    assert f is not None
    parts = model.unpack(w)
    for t in np.eye(nx):
        d = {"x0": np.tile(t, (model.initial_states, 1)), "f": np.zeros(f.n_weights)}
        Ws, dWs = f.unpack(parts["f"]), f.unpack(d["f"])
        dWs[0][-1] -= t @ Ws[0][:nx]
        dWs[-1][-1] += t - (parts["A"] @ t if model.linear else 0.0)
        if g is not None:
            d["g"] = np.zeros(g.n_weights)
            Gs, dGs = g.unpack(parts["g"]), g.unpack(d["g"])
            dGs[0][-1] -= t @ Gs[0][:nx]
            if not model.offset:
                dGs[-1][-1] -= parts["C"] @ t
        if model.offset:
            d["o"] = -parts["C"] @ t
        yield model.pack(d)
