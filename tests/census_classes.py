"""Labels, counts and linear networks: points of known kind by convexity.  See census_kinds.py."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import reference
from census_global import classes, hidden, least_squares, own_outputs, teacher
from census_kinds import Known, Truth, noisy, trained
from exact import SMOOTH, Loss, Problem, exact, norm, rounded

import ggn
from ggn.surface import Verdict

V = Verdict


def absent_class(rng):
    """Softmax regression with a class that no sample has: J falls for ever as its dummy weight
    does (Albert and Anderson 1984).  The others are at their minimum, it at -5 to -60."""
    q = classes(rng, 3, T=int(rng.integers(12, 24)))
    v = trained(q, rng, tries=1)
    v = None if v is None else q.polish(v)
    if v is None or max(abs(a) for a in v) > 8:
        return None
    W = reference.unpack(q.spec, rounded(v))[0]
    off = np.zeros(len(W))
    off[-1] = -float(rng.uniform(5.0, 60.0))
    p = q.like(sizes=(q.sizes[0], 4), Y=np.column_stack([q.Y, np.zeros(len(q.Y))]))
    w = reference.pack([np.column_stack([W, off])])
    return Known(p, w, Truth.RUNAWAY)


def soft_duplicates(rng):
    """Every input twice and more with soft labels about the network's own probabilities, their
    mean: a cross-entropy is least there, for each input by itself, whatever the network."""
    p, w = teacher(rng, names=hidden(rng, SMOOTH, 1), nL=int(rng.choice([1, 3])), T=4)
    copies, F = int(rng.integers(2, 5)), own_outputs(p, w)
    softmax = p.sizes[-1] == 3
    if softmax:
        e = np.exp(F - F.max(axis=1, keepdims=True))
        q = e / e.sum(axis=1, keepdims=True)
    else:
        q = 1.0 / (1.0 + np.exp(-F))
    off = rng.uniform(-1.0, 1.0, (len(q), copies, q.shape[1]))
    off -= off.mean(axis=1, keepdims=True)
    if softmax:
        off -= off.mean(axis=2, keepdims=True)
    room = np.minimum(q, 1.0 - q).min(axis=1)[:, None, None]
    off *= 0.9 * room / np.abs(off).max(axis=(1, 2), keepdims=True)
    Y = (q[:, None, :] + off).reshape(-1, q.shape[1])
    if softmax:
        Y /= Y.sum(axis=1, keepdims=True)
    loss = Loss("softmax_cross_entropy" if softmax else "logistic")
    p = p.like(X=np.repeat(p.X, copies, axis=0), Y=Y, loss=loss)
    return Known(p, w, Truth.GLOBAL, infeasible=True, least=p.J(w) * (1 - mp.mpf(10) ** -14))


def hard_duplicates(rng):
    """The same with labels 0 and 1 on each input, and a network that puts out their odds: one
    output, log n1 / n0, by weights of a constant.  Least for each input, whatever the network."""
    T, copies = int(rng.integers(3, 6)), int(rng.integers(2, 5))
    ones = int(rng.integers(1, copies))
    X = np.repeat(rng.normal(size=(T, 2)), copies, axis=0)
    Y = np.tile((np.arange(copies) < ones).astype(float), T)[:, None]
    p = Problem((2, 2, 1), (str(rng.choice(SMOOTH)), "identity"), X, Y, Loss("logistic"))
    w = rng.normal(size=reference.n_weights(p.spec))
    last = reference.unpack(p.spec, w)[-1]
    last[:-1], last[-1] = 0.0, float(mp.log(mp.mpf(ones) / (copies - ones)))
    return Known(p, w, Truth.GLOBAL, infeasible=True, least=p.J(w) * (1 - mp.mpf(10) ** -14))


def counts(rng):
    """Poisson regression, E = exp φ - y φ, its zero of the gradient at 50 digits: global, being
    convex.  Or with an input that is 1 on samples whose counts are 0, and 0 else: J falls for
    ever as its weight does; that is at -5 to -45."""
    n0, T = int(rng.integers(1, 3)), int(rng.integers(10, 20))
    X = rng.normal(size=(T, n0))
    Y = rng.poisson(np.exp(0.7 * X @ rng.normal(size=(n0, 1)) + 0.5)).astype(float)
    p = Problem((n0, 1), ("identity",), X, Y, Loss("poisson"))
    w = trained(p, rng, tries=1)
    w = None if w is None else p.polish(w)
    if w is None or max(abs(a) for a in w) > 8:
        return None
    if rng.random() < 0.5:
        return Known(p, rounded(w), Truth.GLOBAL, least=p.J(w), also=frozenset({V.LOCAL_MINIMUM}))
    m = int(rng.integers(2, 5))
    first = np.append(np.zeros(T), np.ones(m))[:, None]
    X = np.hstack([first, np.vstack([X, 0.3 * rng.normal(size=(m, n0))])])
    p = p.like(sizes=(n0 + 1, 1), X=X, Y=np.vstack([Y, np.zeros((m, 1))]))
    v = np.append(-float(rng.uniform(5.0, 45.0)), rounded(w))
    J, g = p.J(v), p.gradient(v)
    far = norm(g[1:]) < 1e-9 * J
    also = {V.INCONCLUSIVE}  # of a loss of the user's own no direction is known
    return Known(p, v, Truth.RUNAWAY if far else Truth.MOVING, also=frozenset(also))


def deep_linear(rng, T=None):
    sizes = tuple(int(v) for v in rng.integers(2, 4, size=int(rng.integers(4, 6))))
    T = T or int(rng.integers(8, 14))
    X = rng.normal(size=(T, sizes[0]))
    Y = rng.normal(size=(T, sizes[-1]))
    return Problem(sizes, ("identity",) * (len(sizes) - 1), X, Y, bias=False)


def factors(rng, M, sizes):
    """Matrices of these sizes whose product is M, of as many dimensions as M has."""
    U, s, Vt = np.linalg.svd(M)
    r = int(np.sum(s > 1e-12 * s[0])) if s[0] > 0 else 0
    out, left = [], U[:, :r] * s[:r]
    for n in sizes[1:-1]:
        Q = np.linalg.qr(rng.normal(size=(n, n)))[0][:r]
        out.append(left @ Q)
        left = Q.T
    return [*out, left @ Vt[:r]]


def deep_linear_minima(rng):
    """A deep linear net whose product is the best map of its rank: the least J (Baldi and Hornik
    1989; Eckart and Young).  Outputs in units up to 1e3."""
    p = deep_linear(rng)
    p = p.like(Y=p.Y * 10.0 ** rng.integers(0, 4))
    X, Y = exact(p.X), p.Y
    normal = mp.matrix((X.T @ X).tolist())
    columns = [mp.lu_solve(normal, mp.matrix(list(X.T @ exact(y)))) for y in Y.T]
    M = np.array([[float(a) for a in column] for column in columns]).T
    rank = min(p.sizes)
    Vt = np.linalg.svd(p.X @ M)[2]
    M = M @ Vt[:rank].T @ Vt[:rank]
    w = reference.pack(factors(rng, M, p.sizes))
    J = p.J(w)
    if norm(p.gradient(w)) > 1e-12 * J:
        return None
    return Known(p, w, Truth.GLOBAL, infeasible=True, least=J * (1 - mp.mpf(10) ** -12))


def deep_linear_saddles(rng):
    """The same with directions left out.  Strict saddles where H has a negative eigenvalue (50
    digits); where it has none, J falls by higher derivatives only: degenerate (Kawaguchi 2016)."""
    p = deep_linear(rng)
    M = np.linalg.lstsq(p.X, p.Y, rcond=None)[0]
    Vt = np.linalg.svd(p.X @ M)[2]
    rank = min(p.sizes)
    keep = rng.choice(rank, size=int(rng.integers(0, rank)), replace=False)
    M = M @ Vt[keep].T @ Vt[keep]
    Ws = factors(rng, M, p.sizes)
    if not keep.size:
        Ws = [np.zeros((a, b)) for a, b in zip(p.sizes[:-1], p.sizes[1:], strict=True)]
        for k in rng.permutation(len(Ws))[: int(rng.integers(0, len(Ws) - 1))]:
            Ws[k] = rng.normal(size=Ws[k].shape)
    w = reference.pack(Ws)
    g = p.gradient(w)
    if norm(g) > 1e-13:
        return None
    lowest = p.curvatures(w)[0]
    also = frozenset({V.INCONCLUSIVE, V.INFEASIBLE})
    if lowest < -1e-6:
        return Known(p, w, Truth.SADDLE, infeasible=True, least=p.J(w))
    if lowest > -1e-13:
        return Known(p, w, Truth.DEGENERATE, infeasible=True, least=p.J(w), also=also)
    return None


def penalised_linear(rng):
    """Two linear layers under one penalty on both, wide enough: min over W1 W2 = M of ‖W1‖² + ‖W2‖²
    is 2 ‖M‖_*, so that J's least value is that of a convex problem (Srebro et al. 2005): every
    zero of the gradient with rank below the width and ‖∇_M‖ <= λ is global; with X = orthonormal
    columns M = U max(s - λ, 0) Vᵀ."""
    n0, nL, T = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(6, 12))
    width = min(n0, nL) + int(rng.integers(0, 2))
    X = np.linalg.qr(rng.normal(size=(T, n0)))[0] * np.sqrt(T)
    Y = rng.normal(size=(T, nL)) + X @ rng.normal(size=(n0, nL))
    l2 = float(rng.choice([0.01, 0.1]))
    p = Problem((n0, width, nL), ("identity", "identity"), X, Y, bias=False, l2=l2)
    U, s, Vt = np.linalg.svd(X.T @ Y / T)
    s = np.maximum(s - l2, 0.0)
    r = int(np.sum(s > 1e-3))
    if r < np.sum(s > 0.0):
        return None
    Q = np.linalg.qr(rng.normal(size=(width, width)))[0][:r]
    w = reference.pack([(U[:, :r] * np.sqrt(s[:r])) @ Q, Q.T @ (np.sqrt(s[:r])[:, None] * Vt[:r])])
    p_w = p.polish(w)
    if p_w is None or norm(p_w - exact(w)) > 1e-9:
        return None
    also = frozenset({V.LOCAL_MINIMUM})
    return Known(p, rounded(p_w), Truth.GLOBAL, infeasible=True, least=p.J(p_w), also=also)


def sine_minima(rng):
    """One sine unit on noise has many minima, of many frequencies: strict ones, at 50 digits."""
    T = int(rng.integers(9, 16))
    X, Y = noisy(rng, T, 1, 1)
    p = Problem((1, 1, 1), ("sine", "identity"), X, Y)
    for _ in range(8):
        start = np.array([float(rng.uniform(2.0, 40.0)), float(rng.uniform(-3.0, 3.0)), 1.0, 0.0])
        best = least_squares(
            Problem((1, 1), ("identity",), p._sweep(start)[0][-2][:, :-1].astype(float), Y)
        )
        start[2:] = rounded(best)
        w = p.polish(ggn.train(p.net, X, Y, w0=start, max_iter=300).w)
        if w is not None and max(abs(a) for a in w) < 100 and p.curvatures(w)[0] > 1e-6:
            return Known(p, rounded(w), Truth.MINIMUM, least=p.J(w))
    return None


FAMILIES = (
    absent_class, soft_duplicates, hard_duplicates, counts, deep_linear_minima,
    deep_linear_saddles, penalised_linear, sine_minima,
)  # fmt: skip
