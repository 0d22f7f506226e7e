"""Global minima of known kind, and points that only look like them.  See census_kinds.py."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import reference
from census_kinds import Known, Truth, moves, noisy, strict_minimum, trained
from exact import SIGMAS, SMOOTH, Loss, Problem, exact, norm, rounded

from ggn.surface import Verdict

ALL = tuple(SIGMAS)


def hidden(rng, names=ALL, most=2):
    """One or two hidden layers."""
    depth = int(rng.integers(1, most + 1))
    return tuple(str(n) for n in rng.choice(names, size=depth))


def teacher(rng, names=None, nL=None, T=None):
    """A problem with Y = 0, and moderate weights."""
    names = names or hidden(rng)
    sizes = (
        int(rng.integers(1, 4)),
        *(int(n) for n in rng.integers(1, 6, size=len(names))),
        nL or int(rng.integers(1, 4)),
    )
    T = T or int(rng.integers(3, 25))
    X = rng.normal(size=(T, sizes[0]))
    p = Problem(sizes, (*names, "identity"), X, np.zeros((T, sizes[-1])))
    gain = 0.3 if "exponential" in names else 0.9
    return p, gain * rng.normal(size=reference.n_weights(p.spec))


def own_outputs(p, w):
    """What the network puts out, rounded from 50 digits."""
    return p.outputs(w).astype(float)


def teachers(rng):
    """Targets are the network's own outputs, rounded from 50 digits: J = 0 to rounding at w."""
    p, w = teacher(rng)
    return Known(p.like(Y=own_outputs(p, w)), w, Truth.GLOBAL, least=0)


def teachers_in_units(rng):
    """The same, of outputs in units 1 to 1e6."""
    p, w = teacher(rng, nL=int(rng.integers(2, 4)))
    reference.unpack(p.spec, w)[-1][:] *= 10.0 ** rng.integers(0, 7, size=p.sizes[-1])
    return Known(p.like(Y=own_outputs(p, w)), w, Truth.GLOBAL, least=0)


def unfitted_output(rng):
    """Outputs in units 1 to 1e6, all exact but one in small units, whose weights are 0: its J
    can fall to 0, which is far more than J's rounding."""
    p, w = teacher(rng, nL=2, names=hidden(rng, SMOOTH, 1))
    last = reference.unpack(p.spec, w)[-1]
    last[:, 0] *= 10.0 ** rng.integers(3, 7)
    Y = own_outputs(p, w)
    if np.std(Y[:, 1]) < 0.05:
        return None
    last[:, 1] = 0.0
    return Known(p.like(Y=Y), w, Truth.MOVING, least=0)


def least_squares(p):
    """The minimum of a penalised or plain linear least-squares problem, solved at 50 digits."""
    A = np.hstack([exact(p.X), exact(np.ones((len(p.X), 1)))])
    c = p.shares
    M = mp.matrix((A.T @ (c[:, None] * A)).tolist())
    for j in range(M.rows):
        M[j, j] += mp.mpf(p.l2)
    B = mp.matrix((A.T @ (c[:, None] * exact(p.Y))).tolist())
    columns = [list(mp.lu_solve(M, B[:, k])) for k in range(B.cols)]
    return np.array([v for column in columns for v in column])


def linear_problem(rng, least=1, **given):
    n0, nL, T = (int(v) for v in rng.integers((1, least, 8), (4, 4, 20)))
    X, Y = noisy(rng, T, n0, nL)
    weights = rng.uniform(0.2, 3.0, T) if rng.random() < 0.3 else None
    return Problem((n0, nL), ("identity",), X, Y, weights=weights, **given)


def convex_squared(rng):
    """No hidden layer, squared loss: the normal equations solved at 50 digits."""
    p = linear_problem(rng, l2=float(rng.choice([0.0, 0.0, 1e-3, 0.1])))
    p = p.like(Y=p.Y * 10.0 ** rng.integers(-3, 4, size=p.sizes[-1]))
    w = least_squares(p)
    return Known(p, rounded(w), Truth.GLOBAL, infeasible=True, least=p.J(w))


def convex_one_output_off(rng):
    """The same with outputs in units 1 to 1e4, and the weights of a small one wrong by all of
    themselves: J is above its minimum by 1e-9 of itself and more, 1e5 times its rounding."""
    p = linear_problem(rng, least=2)
    p = p.like(Y=p.Y * np.array([10.0 ** rng.integers(3, 5), 1.0, 1.0])[: p.sizes[-1]])
    best = least_squares(p)
    w = rounded(best)
    reference.unpack(p.spec, w)[-1][:, 1] *= float(rng.choice([0.0, 2.0, -1.0]))
    gap = p.J(w) - p.J(best)
    return Known(p, w, Truth.MOVING, least=p.J(best)) if gap > 1e-10 * p.J(w) else None


def output_weights_zero(rng):
    """A strict minimum of a net with one output, and another in small units whose weights are
    zero: solving for these alone lowers J by 1e-10 of itself and more.  (One hidden unit: noise
    in two outputs has no exact fit.)"""
    n0, T = int(rng.integers(1, 3)), int(rng.integers(12, 18))
    X, Y = noisy(rng, T, n0, 2)
    names = (str(rng.choice(SMOOTH)), "identity")
    one = Problem((n0, 1, 1), names, X, Y[:, :1])
    w = strict_minimum(one, rng)
    if w is None:
        return None
    unit = 2.0 ** rng.integers(7, 14)
    Y[:, 0] *= unit
    first, last = reference.unpack(one.spec, rounded(w))
    last = last * unit
    features = one._sweep(w)[0][-2][:, :-1].astype(float)
    best = rounded(least_squares(Problem((1, 1), ("identity",), features, Y[:, 1:])))
    p = Problem((n0, 1, 2), names, X, Y)
    J = p.J(reference.pack([first, np.column_stack([last, best])]))
    w = reference.pack([first, np.column_stack([last, 0.0 * best])])
    return Known(p, w, Truth.MOVING, infeasible=True, least=J) if moves(p, w, J, 1e-10) else None


def convex_robust(rng):
    """No hidden layer and a convex robust loss: Newton's zero of the gradient at 50 digits."""
    p = linear_problem(rng, loss=Loss("smooth_lp", 0.5, float(rng.choice([1.0, 1.5]))))
    w = p.polish(least_squares(p), rounds=8)
    return None if w is None else Known(p, rounded(w), Truth.GLOBAL, least=p.J(w))


def classes(rng, nL, T=None):
    """A classification problem without hidden layer, of classes that overlap or not."""
    n0, T = int(rng.integers(1, 4)), T or int(rng.integers(12, 30))
    X = rng.normal(size=(T, n0))
    z = X @ rng.normal(size=(n0, nL)) + rng.gumbel(size=(T, nL))
    Y = (z > 0.0).astype(float) if nL == 1 else np.eye(nL)[z.argmax(axis=1)]
    name = "logistic" if nL == 1 else "softmax_cross_entropy"
    return Problem((n0, nL), ("identity",), X, Y, Loss(name))


def convex_classes(rng):
    """Logistic and softmax regression whose gradient has a finite zero (at 50 digits): global
    by convexity, for softmax on a line of equal shifts."""
    p = classes(rng, int(rng.choice([1, 3])))
    if rng.random() < 0.3:
        p = p.like(l2=float(rng.choice([1e-3, 1e-1])))
    if rng.random() < 0.3:
        p = p.like(Y=0.8 * p.Y + 0.2 / max(2, p.sizes[-1]))
    w = trained(p, rng, tries=1)
    w = None if w is None else p.polish(w)
    if w is None or max(abs(a) for a in w) > 12:
        return None
    return Known(p, rounded(w), Truth.GLOBAL, least=p.J(w))


def duplicates_at_bound(rng):
    """Every input twice or more, targets about the network's output, their mean: below the
    spread within groups no function of x can go."""
    p, w = teacher(rng, names=hidden(rng, SMOOTH))
    copies = int(rng.integers(2, 5))
    X, F = np.repeat(p.X, copies, axis=0), np.repeat(own_outputs(p, w), copies, axis=0)
    off = rng.normal(size=(len(p.X), copies, p.sizes[-1])) * 10.0 ** rng.integers(-3, 1)
    off -= off.mean(axis=1, keepdims=True)
    p = p.like(X=X, Y=F + off.reshape(F.shape))
    return Known(p, w, Truth.GLOBAL, infeasible=True, least=p.J(w))


def duplicates_at_random_weights(rng):
    """Repeated inputs, a robust loss, exponential units and outputs up to 1e17 and more: J falls
    by a thousandth and more as the output layer's weights shrink, so w is no minimum."""
    n0, T = int(rng.integers(1, 3)), int(rng.integers(3, 8))
    X = np.repeat(2.0 * rng.normal(size=(T, n0)), 2, axis=0)
    Y = rng.normal(size=(2 * T, 1))
    loss = Loss("cauchy", float(rng.choice([0.5, 1.0, 3.0])))
    p = Problem((n0, 3, 2, 1), ("exponential", "exponential", "identity"), X, Y, loss)
    w = rng.normal(size=reference.n_weights(p.spec)) * 1.2
    F = np.abs(own_outputs(p, w)).max()
    if not 1e3 < F < 1e100:
        return None
    less = w.copy()
    reference.unpack(p.spec, less)[-1][:] *= 0.5
    fall = (p.J(w) - p.J(less)) / p.J(w)
    if not fall > 1e-3:
        return None
    return Known(p, w, Truth.MOVING, infeasible=True, least=p.J(less))


def squared_hinge(rng):
    """A loss whose least value 0 is reached by all outputs on their side with margin 1: J = 0
    exactly, which no weights can better."""
    p, w = teacher(rng, names=hidden(rng, SMOOTH, 1), nL=1)
    if rng.random() < 0.3:
        p = Problem((p.sizes[0], 1), ("identity",), p.X, p.Y)
        w = rng.normal(size=p.sizes[0] + 1)
    F = own_outputs(p, w)
    last = reference.unpack(p.spec, w)[-1]
    last *= float(rng.uniform(1.1, 3.0)) / np.abs(F).min()
    p = p.like(Y=np.sign(F), loss=Loss("squared_hinge"))
    if max(abs(w)) > 1e3 or len(set(p.Y.ravel())) < 2 or p.J(w) != 0:
        return None
    return Known(p, w, Truth.GLOBAL, least=0)


def rounding_targets(rng):
    """Targets that vary by rounding only, and weights whose output is their constant."""
    p, w = teacher(rng, names=hidden(rng, SMOOTH, 1))
    Ws = reference.unpack(p.spec, w)
    Ws[-1][:-1] = 0.0
    constant = rng.normal(size=p.sizes[-1]) * 10.0 ** rng.integers(-3, 4)
    Ws[-1][-1] = constant
    steps = rng.integers(-2, 3, size=p.Y.shape)
    Y = constant + steps * np.spacing(np.abs(constant))
    return Known(p.like(Y=Y), w, Truth.GLOBAL, least=p.like(Y=Y).J(w))


def nearly_collinear(rng):
    """Two inputs that differ by 1e-13 to 1e-6 of themselves, at the least-squares solution, or
    at one of shorter weights whose J is visibly above it.  Solved at 50 digits."""
    n0, T = int(rng.integers(2, 4)), int(rng.integers(8, 16))
    X, Y = noisy(rng, T, n0, 1)
    X[:, 1] = X[:, 0] * (1.0 + 10.0 ** rng.uniform(-13, -6) * rng.normal(size=T))
    p = Problem((n0, 1), ("identity",), X, Y)
    best = least_squares(p)
    if rng.random() < 0.5:
        w = rounded(best)
        rounding = (p.J(w) - p.J(best)) / p.J(best)
        decidable = rounding < 1e-10 and max(abs(best)) < 1e7
        truth = Truth.GLOBAL if rounding < 1e-6 else Truth.MOVING
        # between them J is above its minimum by more than its own rounding: it falls
        also = {Verdict.NOT_STATIONARY} if rounding > 1e-14 else set()
        return Known(p, w, truth, decidable, True, p.J(best), frozenset(also))
    A = np.column_stack([X, np.ones(T)])
    w = np.linalg.lstsq(A, Y, rcond=1e-5)[0].ravel()
    if not moves(p, w, p.J(best), 1e-3):
        return None
    small = norm(best) < 1e7
    return Known(p, w, Truth.MOVING, bool(small), True, p.J(best))


FAMILIES = (
    teachers, teachers_in_units, unfitted_output, convex_squared, convex_one_output_off,
    output_weights_zero, convex_robust, convex_classes, duplicates_at_bound,
    duplicates_at_random_weights, squared_hinge, rounding_targets, nearly_collinear,
)  # fmt: skip
