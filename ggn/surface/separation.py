"""Whether a cross-entropy falls for ever as the output layer's weights grow.

With φ_i the inputs of the output layer and k the class of sample i, J falls for ever along V if

    d_il = φ_iᵀ (v_k - v_l) >= 0  for all i and l ≠ k,    d_il > 0  for some,

and then no finite weights are a minimum (Albert & Anderson 1984).  (Of ``logistic`` v_l = 0, one
question at a time; of a label that is no 0 or 1, d_il = 0.)  All d > 0 is complete separation,
some d = 0 the quasi one.  There is no such V where

    min c_i p_il · σ_min(Φ) > ‖∇J‖,        as  ∇Jᵀ V = -Σ c_i p_il d_il,  Σ d >= σ_min ‖V‖;

where that does not tell, a linear programme does.  A V that it finds is put on d = 0 where d is
next to 0, and counts if no sample opposes it by more than the rounding of d.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linprog

from ggn.activations import Identity
from ggn.linearization import Objective
from ggn.losses import Logistic, SoftmaxCrossEntropy
from ggn.surface.layers import sweep_layers

__all__ = ["rising_margins"]

EPS = float(np.finfo(np.float64).eps)
MOST = 2_000_000  # numbers in the linear programme
SMALL = 1e-6  # a margin that may be 0, of 1


def rising_margins(objective: Objective, w: np.ndarray) -> tuple[bool | None, np.ndarray | None]:
    """Return whether there is such a direction, None where it is not known, and it (N,).

    Of another loss than the cross-entropies, or an output activation, nothing is known.
    """
    net, loss = objective.net, objective.loss
    if not isinstance(loss, (Logistic, SoftmaxCrossEntropy)) or net.activations[-1] != Identity():
        return None, None
    parts = sweep_layers(net, w, objective.X, net.chunk_size(net.n_outputs))
    phi = np.concatenate([part.inputs[-1].T.copy() for part in parts])
    size = np.abs(phi).max(axis=0)
    size[size == 0.0] = 1.0
    phi = phi / size
    F, Y, c = net.forward(w, objective.X), objective.Yt.T, objective.c.array
    s = np.linalg.svd(np.linalg.qr(phi, mode="r"), compute_uv=False)
    kept = s[s > 8.0 * EPS * len(s) * s[0]]  # V along what the features do not see is nothing
    least = float(kept[-1]) if kept.size else 0.0
    G = loss.gradient(F, Y)
    found: np.ndarray = np.zeros(net.n_weights)
    known = True
    logistic = isinstance(loss, Logistic)
    for o in range(net.n_outputs if logistic else 1):
        columns = slice(o, o + 1) if logistic else slice(None)
        hard = np.isin(Y[:, columns], (0.0, 1.0))
        tail = (c[:, np.newaxis] * np.abs(G[:, columns]))[hard & ((Y[:, columns] < 1.0) | logistic)]
        g = (c[:, np.newaxis] * G[:, columns]).T @ phi
        noise = 8.0 * EPS * float(np.sum(c[:, np.newaxis] * np.abs(G[:, columns])))
        if tail.size and float(tail.min()) * least > float(np.linalg.norm(g)) + noise:
            continue
        Z, Zero = _logistic(phi, Y[:, o]) if logistic else _softmax(phi, Y)
        state, V = _solve(Z, Zero)
        known = known and state is not None
        if state:
            net.unpack(found)[-1][:, columns] = V.reshape(-1, phi.shape[1]).T / size[:, np.newaxis]
            return True, found
    return (False if known else None), None


def _logistic(phi: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows z with d = zᵀV that may be positive, and those that must be 0."""
    hard = (y == 0.0) | (y == 1.0)
    return phi[hard] * (2.0 * y[hard] - 1.0)[:, np.newaxis], phi[~hard]


def _softmax(phi: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the same for all classes, V stacked by class."""
    K, m = Y.shape[1], phi.shape[1]
    first = Y.argmax(axis=1)
    rows: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    if len(phi) * (K - 1) * K * m > MOST:
        return np.empty((0, 0)), np.empty((0, 0))
    for x, y, k in zip(phi, Y, first, strict=True):
        for other in range(K):
            if other != k:
                z = np.zeros((K, m))
                z[k], z[other] = x, -x
                rows[int(y[other] > 0.0)].append(z.ravel())
    return (np.array(rows[0]).reshape(-1, K * m), np.array(rows[1]).reshape(-1, K * m))


def _solve(Z: np.ndarray, Zero: np.ndarray) -> tuple[bool | None, np.ndarray]:
    """Return whether some V has Z V >= 0, not all 0, and Zero V = 0; and V."""
    none = np.empty(0)
    if Z.size == 0 or Z.size > MOST:
        return (False if Z.size == 0 and Zero.size else None), none
    Z = np.unique(Z, axis=0)
    ones = np.ones(len(Z))
    result = linprog(
        -Z.sum(axis=0),
        A_ub=np.vstack([-Z, Z]),
        b_ub=np.append(0.0 * ones, ones),
        A_eq=Zero if len(Zero) else None,
        b_eq=np.zeros(len(Zero)) if len(Zero) else None,
        bounds=(None, None),
        method="highs",
    )
    if result.x is None:
        return None, none
    V = np.asarray(result.x)
    d = Z @ V
    if d.max() < math.sqrt(SMALL):
        return False, none
    level = np.vstack([Z[d < SMALL], Zero])
    if len(level):
        _, s, Vt = np.linalg.svd(np.linalg.qr(level, mode="r"), full_matrices=True)
        rank = int(np.sum(s > 8.0 * EPS * len(s) * s.max(initial=0.0)))
        V = Vt[rank:].T @ (Vt[rank:] @ V)
    off = 16.0 * EPS * len(V)
    V = np.where(np.abs(V) <= off * np.abs(V).max(initial=0.0), 0.0, V)
    d, rounding = Z @ V, off * (np.abs(Z) @ np.abs(V))
    opposed = (d < -rounding).any() or (np.abs(Zero @ V) > off * (np.abs(Zero) @ np.abs(V))).any()
    return (None if opposed or d.max() < SMALL else True), V
