"""Saddles, plateaus, and weights on the way to infinity, of known kind.  See census_kinds.py."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import reference
from census_global import classes
from census_kinds import Known, Truth, moves, noisy, trained
from census_minima import CURVED, SMOOTH, base_minimum, small_problem, split_unit
from exact import Problem, exact, norm, rounded

import ggn
from ggn.surface import Verdict


def bends_down(p, w, least=1e-7):
    """Whether H, its diagonal made ±1, has an eigenvalue below -least."""
    return p.curvatures(w)[0] < -least


def split_saddles(rng):
    """A unit split so that share (1 - share) G has a negative eigenvalue: a strict saddle, the
    gradient zero at 50 digits.  Shares next to 0 and 1 make the eigenvalue small."""
    p, w = base_minimum(rng, SMOOTH if rng.random() < 0.5 else CURVED)
    if w is None:
        return None
    share = float(rng.choice([0.5, -0.5, 1.5, rng.normal()]))
    if rng.random() < 0.3:
        share = 10.0 ** rng.uniform(-6.0, -2.0) * float(rng.choice([-1.0, 1.0]))
    wide, v, G = split_unit(p, w, share)
    lowest = (G if share * (1.0 - share) > 0.0 else -G[::-1])[0]
    if not lowest < -1e-4:
        return None
    H = wide.hessian(v).astype(float)
    values = np.linalg.eigvalsh(H)
    decidable = bool(values[0] < -1e-11 * values[-1])
    return Known(wide, rounded(v), Truth.SADDLE, decidable, least=p.J(w))


def linear_saddles(rng):
    """Two linear layers at a rank-deficient critical map that leaves a leading direction out
    (Baldi and Hornik 1989): a strict saddle."""
    n0, width, nL = (int(v) for v in rng.integers(2, 5, size=3))
    T = int(rng.integers(8, 16))
    X, Y = rng.normal(size=(T, n0)), rng.normal(size=(T, nL))
    p = Problem((n0, width, nL), ("identity", "identity"), X, Y, bias=False)
    M = np.linalg.lstsq(X, Y, rcond=None)[0]
    V = np.linalg.svd(X @ M, full_matrices=False)[2]
    rank = min(n0, nL)
    most = min(width, rank) - 1
    keep = rng.choice(rank, size=int(rng.integers(0, most + 1)), replace=False)
    left = [j for j in range(rank) if j not in keep]
    if not left:
        return None
    V = V[np.sort(keep)]
    W1, W2 = np.zeros((n0, width)), np.zeros((width, nL))
    W1[:, : len(V)], W2[: len(V)] = M @ V.T, V
    w = reference.pack([W1, W2])
    near = p.polish(w)
    if near is None or norm(near - exact(w)) > 1e-8 or not bends_down(p, near):
        return None
    return Known(p, rounded(near), Truth.SADDLE, infeasible=True, least=p.J(near))


def deep_linear_zero(rng):
    """Three linear layers and more at 0: gradient and Hessian vanish, J falls all the same."""
    n0, nL, T = (int(v) for v in rng.integers((1, 1, 6), (4, 4, 12)))
    sizes = (n0, *(int(v) for v in rng.integers(1, 4, size=int(rng.integers(2, 4)))), nL)
    X = rng.normal(size=(T, n0))
    p = Problem(sizes, ("identity",) * (len(sizes) - 1), X, rng.normal(size=(T, nL)), bias=False)
    w = np.zeros(reference.n_weights(p.spec))
    return Known(p, w, Truth.DEGENERATE, infeasible=T > n0, least=p.J(w))


def no_input_weights(rng):
    """All units constant (weights 0 but for dummy units'), targets uncorrelated with the inputs:
    critical, and H has a negative eigenvalue; XOR is such a case, and so are residuals of a
    linear regression."""
    if rng.random() < 0.3:
        X, Y = ggn.problems.xor()
    else:
        X, Y = noisy(rng, int(rng.integers(6, 14)), int(rng.integers(1, 3)), 1)
        A = np.column_stack([X, np.ones(len(X))])
        Y = Y - A @ np.linalg.lstsq(A, Y, rcond=None)[0] + rng.normal()
    names = (str(rng.choice(("sigmoid", "tanh", "softplus", "gelu", "arctan"))), "identity")
    p = Problem((X.shape[1], int(rng.integers(1, 4)), 1), names, X, np.asarray(Y).reshape(-1, 1))
    w = np.zeros(reference.n_weights(p.spec))
    W1, W2 = reference.unpack(p.spec, w)
    W1[-1], W2[:-1] = rng.normal(size=W1.shape[1]), rng.normal(size=W2[:-1].shape)
    W2[-1] += float(p.Y.mean()) - float(p.outputs(w)[0, 0])
    if norm(p.gradient(w)) > 1e-14 or not bends_down(p, w, 1e-5):
        return None
    return Known(p, w, Truth.SADDLE, least=p.J(w))


def penalised_saddles(rng):
    """Zeros of the gradient of penalised nets, at 50 digits, where H has a negative eigenvalue."""
    names = ("tanh", "sine", "arctan", "gaussian")
    p = small_problem(rng, ((1, 2, 1), (1, 3, 1))[int(rng.integers(2))], names, l2=1e-2)
    for _ in range(12):
        w = p.net.initial_weights(int(rng.integers(1 << 30)))
        for _ in range(40):  # Newton's method from anywhere goes to any zero
            at = ggn.linearize(p.net, w, p.X, p.Y, l2=1e-2)
            step = np.linalg.lstsq(at.hessian(), at.gradient, rcond=1e-12)[0]
            w = w - step * min(1.0, 0.5 / np.linalg.norm(step))
            if np.linalg.norm(step) < 1e-9:
                break
        else:
            continue
        found = p.polish(w, rounds=1)
        if found is not None and bends_down(p, found, 1e-4):
            return Known(p, rounded(found), Truth.SADDLE, least=p.J(found))
    return None


def dead_unit(rng):
    """A smaller net's minimum beside a tanh or sigmoid unit with |z| of 12 to 30 everywhere, and
    a part in the output that the dummy unit takes back: the gradient is not 0 at 50 digits, but
    rounding in double precision.  Where J falls as that unit's weights grow, it runs away."""
    name = str(rng.choice(["tanh", "sigmoid"]))
    p, w = base_minimum(rng, (name,))
    if w is None:
        return None
    W1, W2 = reference.unpack(p.spec, rounded(w))
    size = float(rng.uniform(12.0, 30.0)) * float(rng.choice([-1.0, 1.0]))
    dead = np.append(rng.normal(size=p.sizes[0]), size)
    part = float(rng.normal()) or 1.0
    value = -1.0 if size < 0.0 and name == "tanh" else float(size > 0.0)
    last = W2[-1:] - part * value
    wide = p.like(sizes=(p.sizes[0], p.sizes[1] + 1, 1))
    v = reference.pack([np.column_stack([W1, dead]), np.vstack([W2[:-1], [[part]], last])])
    grown = reference.pack(
        [np.column_stack([W1, 2.0 * dead]), np.vstack([W2[:-1], [[part]], last])]
    )
    # J at w against J at infinity, the rest as it is
    outwards = wide.J(v) - wide.J(grown)
    inputs = np.column_stack([p.X, np.ones(len(p.X))]) @ dead
    if np.abs(inputs).min() < 9.0 or norm(wide.gradient(v)) == 0:
        return None
    falls = moves(wide, v, p.J(w), 1e-6)
    also = {Verdict.RUNAWAY} if outwards > 0 else set()
    return Known(wide, v, Truth.MOVING if falls else Truth.PLATEAU, also=frozenset(also))


def xor_runaways(rng):
    """F(2,2,1) on XOR at 1/8 or 1/6, infima that no finite weights reach: J at 50 digits is
    above the value and falls as the saturated units' weights grow."""
    X, Y = ggn.problems.xor()
    name = str(rng.choice(["tanh", "sigmoid"]))
    p = Problem((2, 2, 1), (name, "identity"), np.asarray(X), np.asarray(Y).reshape(-1, 1))
    for _ in range(10):
        w = ggn.train(p.net, X, Y, w0="normal", rng=int(rng.integers(10_000))).w
        J = p.J(w)
        if any(0 < J - mp.mpf(1) / n < 1e-9 for n in (6, 8)):
            return Known(p, w, Truth.RUNAWAY)
    return None


def edges(rng):
    """Targets at the ends of a bounded output's range, separable inputs: J > 0, infimum 0."""
    name, low = (("sigmoid", 0.0), ("tanh", -1.0))[int(rng.integers(2))]
    T, n0 = 2 * int(rng.integers(3, 7)), int(rng.integers(1, 4))
    side = np.repeat([[-1.0], [1.0]], T // 2, axis=0)
    X = rng.uniform(0.3, 1.0, (T, n0)) * side
    p = Problem((n0, 1), (name,), X, np.where(side > 0.0, 1.0, low))
    w = np.append(np.full(n0, 10.0 ** rng.uniform(1.0, 2.0)), 0.0)
    return Known(p, w, Truth.RUNAWAY, infeasible=True) if p.J(w) > 0 else None


def separable_classes(rng):
    """Cross-entropies of samples all on their side: growing outputs bring J > 0 to 0."""
    p = classes(rng, int(rng.choice([1, 3])))
    u = rng.normal(size=reference.n_weights(p.spec))
    F = p.outputs(u).astype(float)
    if p.sizes[-1] == 1:
        Y, margin = (F > 0.0).astype(float), np.abs(F).min()
    else:
        Y = np.eye(3)[F.argmax(axis=1)]
        margin = np.diff(np.sort(F, axis=1)[:, -2:], axis=1).min()
    if margin < 1e-3 or (Y.mean(axis=0) == 1.0).any():
        return None
    size = 10.0 ** rng.uniform(0.0, 3.0)
    return Known(p.like(Y=Y), size * u, Truth.RUNAWAY)


def quasi_separated(rng):
    """A first input that decides where it is not 0, and classes that overlap where it is: no
    finite minimum (Albert and Anderson 1984), J falls for ever as its weight grows.  w: the
    weight of it 10 to 60, the rest at their zero of the gradient for the overlap alone."""
    nL = int(rng.choice([1, 3]))
    q = classes(rng, nL, T=int(rng.integers(12, 20)))
    v = trained(q, rng, tries=1)
    v = None if v is None else q.polish(v)
    if v is None or max(abs(a) for a in v) > 8:
        return None
    m = int(rng.integers(3, 8))
    first = rng.uniform(0.3, 1.0, m) * rng.choice([-1.0, 1.0], m)
    X = np.vstack([np.column_stack([np.zeros(len(q.X)), q.X]),
                   np.column_stack([first, 0.3 * rng.normal(size=(m, q.X.shape[1]))])])  # fmt: skip
    right = (first > 0.0)[:, None].astype(float)
    more = right if nL == 1 else np.column_stack([right, 1.0 - right, 0.0 * right])
    p = q.like(sizes=(q.sizes[0] + 1, nL), X=X, Y=np.vstack([q.Y, more]))
    size = float(rng.uniform(10.0, 60.0))
    ahead = np.array([[size]] if nL == 1 else [[size, -size, 0.0]])
    w = rounded(reference.pack([np.vstack([exact(ahead), *reference.unpack(q.spec, v)])]))
    beyond = w.copy()
    reference.unpack(p.spec, beyond)[0][0] *= 1.5
    return Known(p, w, Truth.RUNAWAY) if p.J(beyond) < p.J(w) else None


def tending_to_a_derivative(rng):
    """Targets x σ'(a x + b), which two units reach only as their weights' difference h goes to 0
    and the outgoing ones ±1/h to infinity: J > 0 and of order h².  Where that is within 20 times
    the rounding of the outputs, eps / h, float64 does not tell it from an exact fit."""
    name = str(rng.choice(["tanh", "sigmoid", "arctan"]))
    a, b = float(rng.uniform(0.5, 1.5)), float(rng.uniform(-0.5, 0.5))
    h = 10.0 ** rng.uniform(-7.2, -3.0)
    X = np.linspace(-2.0, 2.0, int(rng.integers(12, 20)))[:, None]
    z = a * X + b
    p = Problem((1, 2, 1), (name, "identity"), X, X * reference.ACTIVATIONS[name][1](z))
    w = reference.pack([np.array([[a + h, a], [b, b]]), np.array([[1.0 / h], [-1.0 / h], [0.0]])])
    off = mp.sqrt(p.J(w) / np.mean(p.Y**2))
    decidable = bool(off > 20.0 * 2.2e-16 / h)
    also = set() if decidable else {Verdict.GLOBAL_MINIMUM}  # no number tells that it is not
    return Known(p, w, Truth.RUNAWAY, decidable, least=0, also=frozenset(also))


def at_random(rng):
    """Random weights: J falls by a thousandth along its gradient at 50 digits."""
    p = small_problem(rng, (int(rng.integers(1, 3)), int(rng.integers(1, 5)), 1))
    w = p.net.initial_weights(int(rng.integers(1 << 30)))
    w = ggn.train(p.net, p.X, p.Y, w0=w, max_iter=int(rng.integers(0, 3))).w
    g = p.gradient(w).astype(float)
    low = min(p.J(w - t * g) for t in 4.0 ** -np.arange(6.0))
    return Known(p, w, Truth.MOVING, least=low) if moves(p, w, low, 1e-3) else None


FAMILIES = (
    split_saddles, linear_saddles, deep_linear_zero, no_input_weights, penalised_saddles,
    dead_unit, xor_runaways, edges, separable_classes, quasi_separated,
    tending_to_a_derivative, at_random,
)  # fmt: skip
