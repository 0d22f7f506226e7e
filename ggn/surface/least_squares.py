"""By how much J can still fall where it is a linear least-squares problem.

    J_o - min J_o = gᵀ (Aᵀ A)⁻¹ g,   A = √c [X 1],  g = Aᵀ r,  r = √c (y_o - [X 1] w_o)

g is summed with twice the digits, for nearly collinear inputs have weights so large that r has
few of its own left.  A decomposition of A is that of A + E, ‖E‖ <= η: as ‖A x‖ >= ‖(A + E) x‖
(1 - η/σ) for its least singular value σ, the true fall is no more than what is computed over
(1 - η/σ)².  Columns that depend on others for certain (`null_space`) are left out of it; where
others seem to, nothing is known.
"""

from __future__ import annotations

import math

import numpy as np

from ggn.activations import Identity
from ggn.linearization import Objective
from ggn.losses import Squared
from ggn.surface.null_space import null_space

__all__ = ["possible_falls"]

EPS = float(np.finfo(np.float64).eps)
SPLIT = 2.0**27 + 1.0
LEAST = 1e-140  # sizes of targets whose squares have all their digits
SURE = 0.5  # of the least singular value: what rounding may make of it

Double = tuple[np.ndarray, np.ndarray]  # a number of twice the digits is the sum of two


def possible_falls(objective: Objective, w: np.ndarray) -> np.ndarray | None:
    """Return an upper bound of the fall of J that each output's weights can have, (nL,).

    None where J is no linear least-squares problem, rounding hides its rank, or squares underflow.
    """
    net = objective.net
    linear = net.depth == 1 and net.activations[-1] == Identity()
    if not linear or objective.penalised or not isinstance(objective.loss, Squared):
        return None
    X, c = objective.X, objective.c.array
    A = np.column_stack([X, np.ones(len(X))]) if net.bias[0] else X
    with np.errstate(all="ignore"):
        found = _falls(A, objective.Yt.T, net.unpack(w)[0], c, net.fixed_bias)
    return found if found is not None and np.isfinite(found).all() else None


def _falls(
    A: np.ndarray, Y: np.ndarray, W: np.ndarray, c: np.ndarray, offset: float
) -> np.ndarray | None:
    null, exact = null_space(A[c > 0.0])
    top = np.maximum(np.abs(Y).max(axis=0), np.abs(A @ W).max(axis=0))
    if not exact or ((top > 0.0) & (top < LEAST)).any():
        return None
    B = None
    if null.size:
        B = np.asarray(np.linalg.qr(null, mode="complete")[0])[:, null.shape[1] :]
    scaled = np.sqrt(c)[:, np.newaxis] * A
    R = np.asarray(np.linalg.qr(scaled if B is None else scaled @ B, mode="r"))
    size = np.exp2(np.frexp(np.linalg.norm(R, axis=0))[1].astype(float))
    _, s, Vt = np.linalg.svd(R / size, full_matrices=False)
    if not len(s) or len(s) < R.shape[1]:
        return np.zeros(Y.shape[1]) if not len(s) else None
    loss = 8.0 * EPS * A.shape[1] * s[0] / s[-1]
    if not loss <= SURE:
        return None
    falls = np.empty(Y.shape[1])
    for o in range(Y.shape[1]):
        g, off = _gradient(A, Y[:, o], W[:, o], c, offset)
        if B is not None:
            off = np.abs(B).T @ off + EPS * math.sqrt(len(off)) * np.linalg.norm(g)
            g = B.T @ g
        along = np.linalg.norm(Vt @ (g / size) / s) + np.linalg.norm(off / size) / s[-1]
        falls[o] = (along / (1.0 - loss)) ** 2
    return falls


def _gradient(
    A: np.ndarray, y: np.ndarray, w: np.ndarray, c: np.ndarray, offset: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return Σ c_i a_i (y_i + offset - a_iᵀ w), rounded once, and how far it may be off."""
    high, low = _sum(y, np.full_like(y, offset))
    size = np.abs(y)
    for a, v in zip(A.T, w, strict=True):
        p, e = _product(a, np.full_like(a, -v))
        high, f = _sum(high, p)
        low = low + (e + f)
        size = size + np.abs(p)
    high, low = _sum(high, low)
    p, e = _product(c, high)
    e = e + c * low
    g = np.empty(A.shape[1])
    for j, a in enumerate(A.T):
        q, f = _product(a, p)
        g[j] = _total(q, f + a * e)
    twice = 4.0 * EPS**2 * (A.shape[1] + math.log2(len(y)) + 2.0)
    return g, twice * (np.abs(A).T @ (c * size)) + EPS * np.abs(g)


def _sum(a: np.ndarray, b: np.ndarray) -> Double:
    """Return a + b and what its rounding left out."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _product(a: np.ndarray, b: np.ndarray) -> Double:
    """Return a b and what its rounding left out."""
    p = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: np.ndarray) -> Double:
    t = SPLIT * a
    high = t - (t - a)
    return high, a - high


def _total(high: np.ndarray, low: np.ndarray) -> float:
    """Return the sum of all, pairwise."""
    while len(high) > 1:
        if len(high) % 2:
            high, low = np.append(high, 0.0), np.append(low, 0.0)
        half = len(high) // 2
        s, e = _sum(high[:half], high[half:])
        high, low = s, low[:half] + low[half:] + e
    return float(high[0] + low[0])
