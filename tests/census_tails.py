"""Units far out in a tail of their activation, of known kind.  See census_kinds.py."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import reference
from census_kinds import Known, Truth, moves, noisy
from census_minima import base_minimum
from exact import SMOOTH, Problem, exact, norm

import ggn
from ggn.surface import Verdict

# σ' at a distance on this side falls below all numbers
TAILS = {
    "sigmoid": (-1.0, 1.0), "tanh": (-1.0, 1.0), "gaussian": (-1.0, 1.0), "softplus": (-1.0,),
    "exponential": (-1.0,), "silu": (-1.0,), "gelu": (-1.0,), "elu": (-1.0,),
}  # fmt: skip


def outwards(p, w, units):
    """dJ along these units' incoming weights, at 50 digits: below 0 where J falls as they grow."""
    d = np.zeros(len(w))
    reference.unpack(p.spec, d)[0][:, units] = reference.unpack(p.spec, w)[0][:, units]
    return (p.gradient(w) * exact(d)).sum()


def on_a_plateau(p, w, units):
    """Not stationary, for ∇J at 50 digits is not 0; a runaway where J falls outwards."""
    g, J = p.gradient(w), p.J(w)
    if norm(g) == 0 or norm(g * exact(np.abs(w) + 1.0)) > 1e-9 * J:
        return None
    also = {Verdict.RUNAWAY} if outwards(p, w, units) < 0 else set()
    return Known(p, w, Truth.PLATEAU, also=frozenset(also), least=J)


def saturated(rng):
    """All hidden units far out on all samples, |z| from 20 to 1e8, and the output's dummy weight
    at the mean of the targets: what features are left is rounding, and the gradient, too, but
    neither is 0.  XOR and noise; weights as of a run without damping."""
    name = str(rng.choice(list(TAILS)))
    if rng.random() < 0.5:
        X, Y = ggn.problems.xor()
    else:
        X, Y = noisy(rng, int(rng.integers(5, 12)), int(rng.integers(1, 3)), 1)
    X, Y = np.asarray(X), np.asarray(Y, float).reshape(-1, 1)
    p = Problem((X.shape[1], int(rng.integers(1, 4)), 1), (name, "identity"), X, Y)
    w = np.zeros(reference.n_weights(p.spec))
    first, last = reference.unpack(p.spec, w)
    for k in range(p.sizes[1]):
        v = rng.normal(size=p.sizes[0])
        far = np.abs(X @ v).max() + rng.uniform(0.5, 2.0)
        size = 10.0 ** rng.uniform(1.5, 8.0) * float(rng.choice(TAILS[name]))
        first[:, k] = np.append(v, far * np.sign(size)) * abs(size)
        last[k] = 10.0 ** rng.uniform(-3.0, 6.0) * rng.normal()
    last[-1] += float(np.mean([float(y) for y in p.Y[:, 0]])) - float(p.outputs(w).mean())
    if name in ("sigmoid", "tanh"):  # whose far ends are not all 0
        last[:-1] /= np.abs(last[:-1]).max()
        last[-1] += float(Y.mean()) - float(p.outputs(w).mean())
    return on_a_plateau(p, w, slice(None))


def undamped_xor(rng):
    """Where the paper's undamped method ends on XOR with all units saturated."""
    X, Y = ggn.problems.xor()
    name, n = str(rng.choice(["sigmoid", "tanh"])), int(rng.integers(2, 4))
    p = Problem((2, n, 1), (name, "identity"), np.asarray(X), np.asarray(Y, float).reshape(-1, 1))
    undamped = ggn.damping.Undamped(1.0)
    for _ in range(12):
        start = p.net.initial_weights(int(rng.integers(10_000)))
        w = ggn.train(p.net, p.X, p.Y, w0=start, damping=undamped, max_iter=1000).w
        z = np.abs(np.column_stack([p.X, np.ones(4)]) @ reference.unpack(p.spec, w)[0])
        found = z.min() > 17.0 and on_a_plateau(p, w, slice(None))
        if found:
            return found
    return None


def dead_in_a_tail(rng):
    """A smaller net's minimum beside a unit that is out in its tail on all samples, by |z| of 40
    to 1e4; it and its outgoing weight add nothing that double precision sees."""
    name = str(rng.choice([n for n in TAILS if n in SMOOTH and n != "tanh"]))
    p, w = base_minimum(rng, (name,))
    if w is None:
        return None
    W1, W2 = reference.unpack(p.spec, np.array([float(a) for a in w]))
    v = rng.normal(size=p.sizes[0])
    side = -1.0 if name == "sigmoid" else float(rng.choice(TAILS[name]))
    bias = side * (np.abs(p.X @ v).max() + 10.0 ** rng.uniform(1.6, 4.0))
    dead = np.append(v, bias)
    part = float(rng.normal())
    wide = p.like(sizes=(p.sizes[0], p.sizes[1] + 1, 1))
    new = reference.pack([np.column_stack([W1, dead]), np.vstack([W2[:-1], [[part]], W2[-1:]])])
    if np.abs(p.gradient(np.array([float(a) for a in w]))).max() > 1e-12:
        return None
    if any(abs(a) > mp.mpf(10) ** -15 for a in (wide.outputs(new) - p.outputs(w)).ravel()):
        return None
    also = {Verdict.RUNAWAY} if outwards(wide, new, -1) < 0 else set()
    falls = moves(wide, new, p.J(w), 1e-6)
    return Known(wide, new, Truth.MOVING if falls else Truth.PLATEAU, also=frozenset(also))


FAMILIES = (saturated, undamped_xor, dead_in_a_tail)
