"""Points of known kind whose numbers are of very different sizes.  See census_kinds.py."""

from __future__ import annotations

import numpy as np
import reference
from census_global import hidden, least_squares, linear_problem, own_outputs, teacher
from census_kinds import Known, Truth, moves, noisy, strict_minimum, trained
from census_minima import SMALL, small_problem
from exact import SMOOTH, Loss, Problem, exact, rounded

import ggn
from ggn.surface import Verdict

V = Verdict


def polished_anywhere(p, rng, least=1e-7, tries=3):
    """A strict minimum at 50 digits, of weights of any size, or None.

    The library's Hessian sieves and makes the first steps; what a point is rests on 50 digits."""
    for _ in range(tries):
        seed = int(rng.integers(1 << 30))
        w = ggn.train(p.net, p.X, p.Y, rng=seed, max_iter=200, **p.options).w
        H = ggn.linearize(p.net, w, p.X, p.Y, **p.options).hessian()
        d = np.sqrt(np.abs(np.diag(H)))
        if np.abs(w).max() > 1e9 or not (d > 0.0).all():
            continue
        if np.linalg.eigvalsh(H / np.outer(d, d))[0] < 0.5 * least:
            continue
        w = p.polish(w, rounds=2, H=H)
        if w is not None and p.curvatures(w)[0] > least:
            return w
    return None


def minimum(p, w, **more):
    return w if w is None else Known(p, rounded(w), Truth.MINIMUM, least=p.J(w), **more)


def outputs_in_units(rng):
    """A strict minimum with outputs in units 1 to 1e6: H positive definite at 50 digits.  That of
    the small output's own weights is 1e-12 of the largest."""
    n0, T = int(rng.integers(1, 3)), int(rng.integers(10, 14))
    X, Y = noisy(rng, T, n0, 2)
    Y = Y * np.array([10.0 ** rng.integers(1, 7), 1.0])
    p = Problem((n0, 1, 2), (str(rng.choice(SMOOTH)), "identity"), X, Y)
    return minimum(p, polished_anywhere(p, rng, 1e-6))


def weights_of_samples(rng):
    """The same with weights of samples of about 1e8, and of 1e-8 to 1 for a few."""
    p = small_problem(rng, ((1, 1, 1), (2, 1, 1), (1, 1, 2))[int(rng.integers(3))])
    weights = 10.0 ** rng.uniform(7.0, 8.0, len(p.X))
    weights[: int(rng.integers(1, 4))] = 10.0 ** rng.uniform(-8.0, 0.0)
    p = p.like(weights=weights)
    return minimum(p, polished_anywhere(p, rng, 1e-6))


def rows_of_no_weight(rng):
    """A strict minimum, or an exact fit, beside samples of weight 0 whose inputs repeat others and
    whose targets are far off: they do not count."""
    m = int(rng.integers(1, 5))
    exactly = rng.random() < 0.4
    if exactly:
        p, w = teacher(rng)
        p = p.like(Y=own_outputs(p, w))
    else:
        p = small_problem(rng)
        w = strict_minimum(p, rng, 1e-6)
        if w is None:
            return None
    more, off = p.X[rng.integers(len(p.X), size=m)], 1e3 * rng.normal(size=(m, p.sizes[-1]))
    order = rng.permutation(len(p.X) + m)
    weights = np.append(np.full(len(p.X), float(rng.uniform(0.1, 9.0))), np.zeros(m))
    p = p.like(X=np.vstack([p.X, more])[order], Y=np.vstack([p.Y, off])[order],
               weights=weights[order])  # fmt: skip
    least = 0 if exactly else p.J(w)
    return Known(p, rounded(w), Truth.GLOBAL if exactly else Truth.MINIMUM, least=least)


def penalty_on_some(rng):
    """A strict minimum with a penalty on all weights but the dummy units', or on one layer."""
    p = small_problem(rng, SMALL[int(rng.integers(len(SMALL)))])
    l2 = np.zeros(reference.n_weights(p.spec))
    Ws = reference.unpack(p.spec, l2)
    if rng.random() < 0.5:
        for W in Ws:
            W[:-1] = 10.0 ** rng.uniform(-6.0, -1.0)
    else:
        Ws[int(rng.integers(2))][:] = 10.0 ** rng.uniform(-6.0, -1.0)
    p = p.like(l2=l2)
    return minimum(p, polished_anywhere(p, rng, 1e-6))


def one_output_exact(rng):
    """A strict minimum of a net with one output, and another that its units fit exactly: the
    gradient of that one's part is 0, its Hessian P Pᵀ positive for its own weights."""
    p = small_problem(rng, ((1, 1, 1), (2, 1, 1), (1, 2, 1))[int(rng.integers(3))])
    w = strict_minimum(p, rng, 1e-6)
    if w is None:
        return None
    W1, W2 = reference.unpack(p.spec, rounded(w))
    unit = 10.0 ** float(rng.integers(-4, 5))
    both = np.column_stack([W2, unit * rng.normal(size=len(W2))])
    v = reference.pack([W1, both])
    wide = p.like(sizes=(*p.sizes[:2], 2), Y=np.zeros((len(p.X), 2)))
    Y = own_outputs(wide, v)
    Y[:, 0] = p.Y[:, 0]
    wide = wide.like(Y=Y)
    v = wide.polish(v)
    if v is None or not wide.curvatures(v)[0] > 1e-7:
        return None
    return Known(wide, rounded(v), Truth.MINIMUM, least=wide.J(v))


def rounded_to_float32(rng):
    """A strict minimum whose weights have 24 bits: J is above it by 1e-13 of itself or less."""
    p = small_problem(rng)
    w = strict_minimum(p, rng, 1e-4)
    if w is None:
        return None
    v = rounded(w).astype(np.float32).astype(float)
    return Known(p, v, Truth.MINIMUM, least=p.J(w)) if not moves(p, v, p.J(w), 1e-11) else None


def fits_in_float32(rng):
    """An exact fit whose weights have 24 bits: all of J can go, and the fit is near."""
    p, w = teacher(rng, names=hidden(rng, SMOOTH))
    p = p.like(Y=own_outputs(p, w))
    v = w.astype(np.float32).astype(float)
    return Known(p, v, Truth.MOVING, least=0, also=frozenset({V.GLOBAL_MINIMUM}))


def at_an_offset(rng):
    """Targets far from 0 beside what they vary by: exact fits; strict minima; and weights that fit
    their mean alone."""
    kind = int(rng.integers(3))
    most = 9.0 if kind else 6.0  # at 1e9 the last bit of w is more than an exact fit is off by
    offset = 10.0 ** rng.uniform(3.0, most) * float(rng.choice([-1.0, 1.0]))
    if kind == 0:
        p, w = teacher(rng, names=hidden(rng, SMOOTH))
        reference.unpack(p.spec, w)[-1][-1] += offset
        return Known(p.like(Y=own_outputs(p, w)), w, Truth.GLOBAL, least=0)
    p = small_problem(rng, ((1, 1, 1), (1, 2, 1), (2, 1, 1))[int(rng.integers(3))])
    w = strict_minimum(p, rng, 1e-5)
    if w is None:
        return None
    p = p.like(Y=p.Y + offset)
    v = rounded(w)
    last = reference.unpack(p.spec, v)[-1]
    if kind == 1:
        last[-1] += offset
        v = p.polish(v)
        decidable = abs(offset) < 1e6  # the digits of targets left
        return minimum(p, v, decidable=decidable)
    least = p.J(w + exact(_dummy(p, offset)))
    last[:-1], last[-1] = 0.0, float(np.mean(p.Y[:, 0]))
    return Known(p, v, Truth.MOVING, least=least) if moves(p, v, least, 1e-3) else None


def _dummy(p, offset):
    d = np.zeros(reference.n_weights(p.spec))
    reference.unpack(p.spec, d)[-1][-1] = offset
    return d


def tiny_targets(rng):
    """Targets of 1e-150 to 1e-318, whose squares underflow: convex problems at their minimum, or
    at 0, above it by a visible part of J at 50 digits."""
    p = linear_problem(rng)
    unit = 2.0 ** -float(rng.integers(500, 1056))
    p = p.like(Y=p.Y * unit, weights=None)
    best = least_squares(p)
    if rng.random() < 0.5:
        w = rounded(best)
        if not p.J(w) - p.J(best) < 1e-10 * p.J(best):
            return None
        return Known(p, w, Truth.GLOBAL, unit > 1e-150, True, p.J(best))
    w = np.zeros(len(best))
    falls = moves(p, w, p.J(best), 1e-3)
    return Known(p, w, Truth.MOVING, unit > 1e-150, True) if falls else None


def few_samples(rng):
    """One sample, or fewer than outputs: exact fits, and penalised strict minima."""
    T, nL = int(rng.integers(1, 3)), int(rng.integers(1, 4))
    if rng.random() < 0.5:
        p, w = teacher(rng, nL=nL, T=T)
        return Known(p.like(Y=own_outputs(p, w)), w, Truth.GLOBAL, least=0)
    X, Y = noisy(rng, T, int(rng.integers(1, 3)), nL)
    name = str(rng.choice(SMOOTH))
    p = Problem((X.shape[1], int(rng.integers(1, 3)), nL), (name, "identity"), X, Y, l2=1e-2)
    return minimum(p, polished_anywhere(p, rng, 1e-6))


def huber_minima(rng):
    """The user's own loss, r² up to 1, then linear: strict minima with residuals off ±1."""
    p = small_problem(rng, loss=Loss("huber"), l2=float(rng.choice([0.0, 1e-3])))
    Y = p.Y.copy()
    Y[0] += 5.0
    p = p.like(Y=Y)
    w = trained(p, rng)
    w = None if w is None else p.polish(w)
    if w is None or max(abs(a) for a in w) > 30 or not p.curvatures(w)[0] > 1e-6:
        return None
    edge = np.abs(np.abs((p.outputs(w) - exact(p.Y)).astype(float)) - 1.0).min()
    return minimum(p, w) if edge > 1e-3 else None


def bounded_loss(rng):
    """Blake-Zisserman: a strict minimum with outliers; or all residuals over 30 scales, where J's
    slope underflows, but is not 0 (50 digits)."""
    loss = Loss("blake_zisserman", 1.0, 0.01)
    p = small_problem(rng, loss=loss, l2=0.0)
    Y = p.Y.copy()
    Y[: int(rng.integers(1, 3))] += 8.0
    if rng.random() < 0.5:
        p = p.like(Y=Y)
        return minimum(p, polished_anywhere(p, rng, 1e-6))
    p = p.like(Y=p.Y + float(rng.choice([-1.0, 1.0])) * 10.0 ** rng.uniform(1.6, 3.0))
    w = 0.5 * rng.normal(size=reference.n_weights(p.spec))
    if np.abs((p.outputs(w) - exact(p.Y)).astype(float)).min() < 28.0:
        return None
    return Known(p, w, Truth.PLATEAU, infeasible=p.sizes[-1] > p.sizes[1])  # too narrow


FAMILIES = (
    outputs_in_units, weights_of_samples, rows_of_no_weight, penalty_on_some, one_output_exact,
    rounded_to_float32, fits_in_float32, at_an_offset, tiny_targets, few_samples, huber_minima,
    bounded_loss,
)  # fmt: skip
