"""Local minima of known kind, strict and degenerate.  See census_kinds.py."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import reference
from census_kinds import Known, Truth, moves, noisy, polished, strict_minimum, trained
from exact import SMOOTH, Loss, Problem, exact, rounded

SMALL = ((1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1), (1, 1, 2), (1, 2, 2))


def small_problem(rng, sizes=None, names=SMOOTH, loss=None, **given):
    """A net of one small hidden layer, and noisy data."""
    sizes = sizes or SMALL[int(rng.integers(len(SMALL)))]
    X, Y = noisy(rng, int(rng.integers(9, 13)), sizes[0], sizes[-1])
    name = (str(rng.choice(names)), "identity")
    return Problem(sizes, name, X, Y, loss or Loss(), **given)


def any_loss(rng):
    """A loss of residuals, and a penalty that some of them need."""
    robust = Loss("cauchy", 1.0), Loss("smooth_lp", 0.5, 1.5), Loss("smooth_lp", 0.3, 1.0)
    loss = Loss() if rng.random() < 0.6 else robust[int(rng.integers(3))]
    return loss, float(rng.choice([0.0, 1e-4, 1e-2]))


def strict(rng):
    """∇J = 0 at 50 digits and H positive definite: a strict minimum next to w, by Newton."""
    loss, l2 = any_loss(rng)
    p = small_problem(rng, loss=loss, l2=l2)
    if rng.random() < 0.2:
        p = p.like(weights=rng.uniform(0.2, 3.0, len(p.X)))
    w = strict_minimum(p, rng, 1e-6)
    return (w is not None and Known(p, rounded(w), Truth.MINIMUM, least=p.J(w))) or None


def strict_classes(rng):
    """The same for cross-entropies with a penalty."""
    nL = int(rng.choice([1, 3]))
    p = small_problem(rng, (2, 2, nL), l2=float(rng.choice([1e-3, 1e-2])))
    Y = (p.Y > 0.0).astype(float) if nL == 1 else np.eye(3)[p.Y.argmax(axis=1)]
    p = p.like(Y=Y, loss=Loss("logistic" if nL == 1 else "softmax_cross_entropy"))
    w = strict_minimum(p, rng, 1e-6)
    return (w is not None and Known(p, rounded(w), Truth.MINIMUM, least=p.J(w))) or None


def shift_of_softmax(rng):
    """A penalty on all weights but the output biases, whose equal shift J does not see: H has
    one eigenvalue 0 (20 digits), the others positive: a line of minima."""
    p = small_problem(rng, (2, int(rng.integers(1, 3)), 3))
    p = p.like(Y=np.eye(3)[p.Y.argmax(axis=1)], loss=Loss("softmax_cross_entropy"))
    l2 = np.full(reference.n_weights(p.spec), float(rng.choice([1e-3, 1e-2])))
    reference.unpack(p.spec, l2)[-1][-1] = 0.0
    p = p.like(l2=l2)
    w = polished(p, trained(p, rng), zeros=1)
    if w is None:
        return None
    values = p.curvatures(w)
    flat = abs(values[0]) < 1e-12 and values[1] > 1e-6
    return Known(p, rounded(w), Truth.MINIMUM, least=p.J(w)) if flat else None


def split_unit(p, w, share):
    """The first hidden unit of a net with one hidden layer split in two, its outgoing weights
    shared; and the matrix whose signs decide on the kind (Fukumizu and Amari 2000, Theorem 3):

        G = Σ_i c_i (∇E_i v) σ''(z_i) x̂_i x̂_iᵀ."""
    w = exact(w)
    W1, W2 = reference.unpack(p.spec, w)
    share = exact(share)
    V1 = np.column_stack([W1, W1[:, :1]])
    V2 = np.vstack([W2[:1] * share, W2[1:-1], W2[:1] * (1 - share), W2[-1:]])
    wide = p.like(sizes=(p.sizes[0], p.sizes[1] + 1, p.sizes[2]))
    inputs = np.column_stack([p.X, np.ones(len(p.X))])
    z = (exact(inputs) @ W1[:, 0]).astype(float)
    slope = p.shares[:, None] * p.loss.gradient(p.outputs(w), exact(p.Y))
    along = (slope @ W2[0]).astype(float)
    bend = reference.ACTIVATIONS[p.names[0]][2](z)
    G = inputs.T @ ((along * bend)[:, None] * inputs)
    d = np.sqrt(np.maximum(np.abs(np.diag(G)), 1e-300))
    return wide, reference.pack([V1, V2]), np.linalg.eigvalsh(G / np.outer(d, d))


EMBEDDED = ((1, 1, 1), (1, 1, 1), (2, 1, 1), (1, 2, 1))
CURVED = ("softplus", "bent_identity", "silu", "sigmoid")


def base_minimum(rng, names=SMOOTH):
    """A strict minimum of a net with one output, to be embedded in larger ones."""
    for _ in range(4):
        p = small_problem(rng, EMBEDDED[int(rng.integers(len(EMBEDDED)))], names)
        w = strict_minimum(p, rng, 1e-5)
        if w is not None:
            break
    return p, w


def split_minima(rng):
    """A unit split so that share (1 - share) G is positive definite: a line of local minima."""
    for _ in range(12):
        p = small_problem(rng, EMBEDDED[int(rng.integers(len(EMBEDDED)))], CURVED)
        w = trained(p, rng, tries=1)
        if w is None:
            continue
        inside, far = float(rng.uniform(0.1, 0.9)), float(rng.uniform(1.1, 2.0))
        G = split_unit(p, w, inside)[2]
        share = inside if G[0] > 0.0 else far
        w = polished(p, w) if G[0] > 1e-5 or G[-1] < -1e-5 else None
        if w is None or not p.curvatures(w)[0] > 1e-5:
            continue
        wide, v, G = split_unit(p, w, share)
        if (G[0] if share < 1.0 else -G[-1]) > 1e-5:
            return Known(wide, rounded(v), Truth.MINIMUM, least=p.J(w))
    return None


def dead_relu(rng):
    """A ReLU net's minimum off all kinks, strict but for the scale of each unit (a v, u / a),
    beside a unit that is dead on all samples: its weights change nothing nearby."""
    for _ in range(6):
        p = small_problem(rng, ((1, 1, 1), (1, 2, 1))[int(rng.integers(2))], ("relu",))
        w = trained(p, rng)
        w = None if w is None else p.polish(w)
        if w is None:
            continue
        values, flat = p.curvatures(w), p.sizes[1]
        if abs(values[:flat]).max() < 1e-12 and values[flat] > 1e-6:
            break
    else:
        return None
    W1, W2 = reference.unpack(p.spec, rounded(w))
    z = np.column_stack([p.X, np.ones(len(p.X))]) @ W1
    if np.abs(z).min() < 1e-3:
        return None
    dead = rng.normal(size=p.sizes[0])
    dead = np.append(dead, -(p.X @ dead).max() - rng.uniform(0.1, 2.0))
    outwards = float(rng.choice([0.0, 1.0])) * rng.normal()
    v = reference.pack([np.column_stack([W1, dead]), np.vstack([W2[:-1], [[outwards]], W2[-1:]])])
    wide = p.like(sizes=(p.sizes[0], p.sizes[1] + 1, 1))
    return Known(wide, v, Truth.MINIMUM, least=p.J(w))


def dependent_input(rng):
    """A strict minimum with one more input that mixes the others: J is the same function of
    fewer numbers."""
    p = small_problem(rng, ((1, 1, 1), (1, 2, 1), (2, 1, 1))[int(rng.integers(3))])
    X = np.round(p.X * 2.0**20) / 2.0**20  # so that the mixture is exact
    mix = rng.integers(-2, 3, size=(p.sizes[0], 1)) * 0.5
    p = p.like(X=X)
    w = strict_minimum(p, rng, 1e-6)
    if w is None:
        return None
    W1, *rest = reference.unpack(p.spec, rounded(w))
    more = np.column_stack([X, X @ mix])
    shift = np.round(rng.normal(size=(1, p.sizes[1])) * 8.0) / 8.0
    first = np.vstack([W1[:-1] - mix @ shift, shift, W1[-1:]])
    wide = p.like(sizes=(p.sizes[0] + 1, *p.sizes[1:]), X=more)
    return Known(wide, reference.pack([first, *rest]), Truth.MINIMUM, least=p.J(w))


def heavy_penalty(rng):
    """All weights 0 but the output biases, a penalty heavy enough to make that a strict minimum,
    and weights moved by 1e-17: H at the zero, at 50 digits, is positive definite."""
    names = ("tanh", "arctan", "sine")
    sizes = (int(rng.integers(1, 3)), int(rng.integers(1, 4)), int(rng.integers(1, 3)))
    p = small_problem(rng, sizes, names, l2=float(rng.choice([0.3, 1.0, 3.0])))
    w = exact(np.zeros(reference.n_weights(p.spec)))
    mean = exact(p.Y).sum(axis=0) / len(p.X)
    reference.unpack(p.spec, w)[-1][-1] = mean / (1 + mp.mpf(p.l2))
    if not p.curvatures(w)[0] > 1e-3:
        return None
    v = rounded(w) + 1e-17 * rng.normal(size=len(w)) * (rng.random() < 0.7)
    return Known(p, v, Truth.MINIMUM, least=p.J(w))


def large_net_inputs(rng):
    """Sine units with 600 to 60,000 periods in their net inputs, polished there at 50 digits."""
    p = small_problem(rng, SMALL[int(rng.integers(2))], ("sine",), l2=0.0)
    w = strict_minimum(p, rng, 1e-4)
    if w is None:
        return None
    far = rounded(w)
    W1 = reference.unpack(p.spec, far)[0]
    W1[-1] += 2.0 * np.pi * np.round(10.0 ** rng.uniform(2.8, 4.8, size=W1.shape[1]))
    w = p.polish(far)
    if w is None or not p.curvatures(w)[0] > 0.0:
        return None
    values = np.linalg.eigvalsh(p.hessian(w).astype(float))
    blur = 2e-16 * np.abs(far).max()  # what rounding moves a phase by
    decidable = bool(values[0] > 1e4 * blur * values[-1])
    return Known(p, rounded(w), Truth.MINIMUM, decidable, least=p.J(w))


def nearly_saturated(rng):
    """Two tanh outputs that share nothing: one with noise, one whose targets are tanh of 10 to
    18 with noise of that: a strict minimum with curvatures that float64 does not see."""
    T = int(rng.integers(8, 14))
    X = rng.uniform(-1.0, 1.0, (T, 1))
    z = rng.uniform(10.0, 16.0) + X * rng.uniform(0.2, 1.0) + 0.1 * rng.normal(size=X.shape)
    Y = np.column_stack([np.tanh(X + 0.5 * rng.normal(size=X.shape)), np.tanh(z)])
    if (Y[:, 1] == 1.0).any():
        return None
    p = Problem((1, 2), ("tanh",), X, Y)
    noisy_part = strict_minimum(p.like(sizes=(1, 1), Y=Y[:, :1]), rng)
    part = p.like(sizes=(1, 1), Y=Y[:, 1:])
    w = exact(np.array([1.0, float(np.mean(z))]))
    for _ in range(60):  # J / e^(-4z) is of order one: Gauss-Newton, at 50 digits
        phi, slopes = part._sweep(w)
        A = slopes[0] * phi[0]
        r = phi[-1] - exact(Y[:, 1:])
        M, b = mp.matrix((A.T @ A).tolist()), mp.matrix((A.T @ r).tolist())
        step = np.array(list(mp.lu_solve(M, b)))
        w = w - step
        if max(abs(step)) < mp.mpf(10) ** -30:
            break
    else:
        return None
    if noisy_part is None or not part.curvatures(w)[0] > 1e-6:
        return None
    v = np.concatenate([noisy_part, w])
    return Known(p, rounded(v), Truth.MINIMUM, decidable=False, least=p.J(v))


def at_a_kink(rng):
    """A leaky ReLU output one of whose net inputs is 0 exactly, or 1e-12 from it: J rises on
    either side of the kink, by its one-sided slopes, and curves upwards along it.

    With μ x_k the gradient of the other samples at w, J changes along d by μ t - 2 y_k σ(t),
    t = x_kᵀ d, plus a positive square: it rises where 2 y_k < μ < 0.02 y_k.
    """
    n0, T = int(rng.integers(1, 4)), int(rng.integers(8, 15))
    X = rng.integers(-8, 9, size=(T, n0 + 1)) / 4.0
    w = rng.integers(1, 5, size=n0 + 1) / 2.0
    X[0] = rng.integers(1, 5, size=n0 + 1) / 2.0
    X[0, -1] = -(X[0, :-1] @ w[:-1]) / w[-1]
    z = X[1:] @ w
    if np.abs(z).min() < 0.05 or np.linalg.matrix_rank(X[1:]) <= n0:
        return None
    slope = np.where(z > 0.0, 1.0, 0.01)
    y_k = -float(rng.uniform(0.5, 2.0))
    mu = y_k * float(rng.uniform(0.2, 1.5))
    A = 2.0 * slope[:, None] * X[1:]
    r = 0.3 * rng.normal(size=T - 1)
    r += np.linalg.lstsq(A.T, mu * X[0] - A.T @ r, rcond=None)[0]
    Y = np.append(y_k, np.where(z > 0.0, z, 0.01 * z) - r)[:, None]
    if np.linalg.norm(A.T @ r - mu * X[0]) > 1e-12:
        return None
    p = Problem((n0 + 1, 1), ("leaky_relu",), X, Y, bias=False)
    near = w + 1e-12 * rng.integers(0, 2) * rng.normal(size=n0 + 1)
    # two samples with equal inputs have different targets
    infeasible = len(np.unique(X, axis=0)) < T
    return Known(p, near, Truth.KINK, infeasible=infeasible, least=p.J(w))


def perturbed(rng):
    """A strict minimum moved by 1e-3 to 1e-1: J is above it by 1e-4 of itself and more."""
    loss, l2 = any_loss(rng)
    p = small_problem(rng, loss=loss, l2=l2)
    w = strict_minimum(p, rng, 1e-6)
    if w is None:
        return None
    v = rounded(w) + 10.0 ** rng.uniform(-3.0, -1.0) * rng.normal(size=len(w))
    return Known(p, v, Truth.MOVING, least=p.J(w)) if moves(p, v, p.J(w)) else None


FAMILIES = (
    strict, strict_classes, shift_of_softmax, split_minima, dead_relu, dependent_input,
    heavy_penalty, large_net_inputs, nearly_saturated, at_a_kink, perturbed,
)  # fmt: skip
