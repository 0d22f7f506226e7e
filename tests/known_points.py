"""Points of the loss surface whose kind is known, by construction or theorem.

Training and Newton steps bring weights near; the kind rests on the oracle (reference.py) and
on what the docstring of each family says, never on the code under test.
"""

from __future__ import annotations

import functools

import numpy as np
import reference
from known_kinds import SMOOTH, SQUARED, Kind, Point, curvatures, data, polish, spec_of
from known_minima import (
    best_map,
    convex,
    factored_minima,
    flat_minima,
    interpolations,
    reduced_rank,
    repeated_inputs,
    strict_minima,
    teachers,
)
from scipy.optimize import root
from scipy.special import expit

import ggn

# ------------------------------------------------------------------ saddles


def linear_saddles():
    """Two linear layers at 0, or at a map without a leading direction (Baldi and Hornik)."""
    rng = np.random.default_rng(6)
    for sizes in ((2, 1, 2), (3, 2, 3), (3, 3, 2), (4, 2, 4), (2, 4, 2)):
        net = ggn.MLP(sizes, "identity", bias=False)
        X, Y = rng.normal(size=(15, sizes[0])), rng.normal(size=(15, sizes[-1]))
        yield Point(f"linear {sizes} at 0", Kind.SADDLE, net, np.zeros(net.n_weights), X, Y)
        width, rank = sizes[1], min(sizes[0], sizes[-1])
        for keep in ([1], [0], [rank - 1], list(range(1, rank))):
            if len(keep) > min(width, rank) or (keep == [0] and width == 1):
                continue  # the first alone is the best map of rank one
            M = best_map(X, Y, 0, keep)
            U, s, Vt = np.linalg.svd(M)
            W1, W2 = np.zeros((sizes[0], width)), np.zeros((width, sizes[-1]))
            W1[:, : len(keep)] = U[:, : len(keep)] * s[: len(keep)]
            W2[: len(keep)] = Vt[: len(keep)]
            yield Point(
                f"linear {sizes} keeping {keep}", Kind.SADDLE, net, net.pack([W1, W2]), X, Y
            )


def embedded_saddles(strict):
    """A unit of a smaller net's minimum split in two (Fukumizu and Amari): critical, and the
    oracle's Hessian has a negative eigenvalue."""
    for point in strict:
        if point.options["l2"] or point.net.depth != 2:
            continue
        W1, W2 = point.net.unpack(point.w)
        sizes = point.net.sizes
        net = ggn.MLP((sizes[0], sizes[1] + 1, sizes[2]), point.net.activations[0])
        for share in (-0.5, 0.5, 1.5):
            V1 = np.column_stack([W1, W1[:, :1]])
            V2 = np.vstack([W2[:1] * share, W2[1:-1], W2[:1] * (1.0 - share), W2[-1:]])
            w = net.pack([V1, V2])
            loss = oracle_loss(point.options["loss"])
            values, norm = curvatures(net, w, point.X, point.Y, loss)
            if values[0] < -1e-4 * values[-1] and norm < 1e-12:
                name = f"embedded {share}, {point.name}"
                yield Point(name, Kind.SADDLE, net, w, point.X, point.Y, point.options)


def oracle_loss(loss):
    """The oracle's twin of a loss."""
    if loss == "squared":
        return SQUARED
    return reference.LOSSES[loss.name](
        **vars(loss) if loss.name != "smooth_lp" else {"p": loss.p, "scale": loss.scale}
    )


def penalised_saddles():
    """Zeros of the oracle's gradient where its Hessian has a negative eigenvalue."""
    rng = np.random.default_rng(7)
    for sizes, name in (((1, 2, 1), "tanh"), ((2, 2, 1), "softsign"), ((1, 3, 1), "bent_identity")):
        net = ggn.MLP(sizes, name)
        X, Y = data(rng, 10, sizes[0])
        oracle = spec_of(net)
        for _ in range(5):
            w = root(
                lambda v: reference.gradient(oracle, v, X, Y, SQUARED, l2=1e-2),  # noqa: B023
                rng.normal(size=net.n_weights),
                jac=lambda v: reference.hessian(oracle, v, X, Y, SQUARED, l2=1e-2),  # noqa: B023
                options={"maxfev": 100},
            ).x
            w = polish(net, w, X, Y, l2=1e-2, steps=5)
            values, norm = curvatures(net, w, X, Y, l2=1e-2)
            if norm < 1e-12 and values[0] < -1e-4 and np.abs(values).min() > 1e-5:
                yield Point(f"penalised {sizes} {name}", Kind.SADDLE, net, w, X, Y, {"l2": 1e-2})


# ------------------------------------------------------------------ degenerate points


def degenerate():
    """Points where gradient and the Hessian's negative part vanish, by symmetry.

    All weights zero but the output's dummy unit, which is the mean of the targets, and targets
    uncorrelated with the inputs; or three and more linear layers at 0.
    """
    X, Y = ggn.problems.xor()
    for sizes in ((2, 2, 1), (2, 3, 1), (2, 5, 1), (2, 2, 2, 1)):
        for name in ("tanh", "softsign"):
            net = ggn.MLP(sizes, name)
            w = np.zeros(net.n_weights)
            w[-1] = 0.5
            yield Point(f"xor {sizes} {name} at 0", Kind.DEGENERATE, net, w, X, Y)
    rng = np.random.default_rng(8)
    for sizes in ((2, 2, 2, 2), (3, 4, 3, 2), (1, 1, 1, 1), (2, 3, 3, 3, 2)):
        net = ggn.MLP(sizes, "identity", bias=False)
        X = rng.normal(size=(10, sizes[0]))
        Y = X @ rng.normal(size=(sizes[0], sizes[-1]))  # which linear layers can fit
        yield Point(f"linear {sizes} at 0", Kind.DEGENERATE, net, np.zeros(net.n_weights), X, Y)
    for sizes in ((2, 3, 3, 1), (1, 2, 2, 2)):
        net = ggn.MLP(sizes, "tanh")
        X, Y = data(rng, 10, sizes[0], sizes[-1])
        w = np.zeros(net.n_weights)
        net.unpack(w)[-1][-1] = Y.mean(axis=0)
        yield Point(f"tanh {sizes} at 0", Kind.DEGENERATE, net, w, X, Y)


def infeasible():
    """The same, where the targets provably cannot be fitted."""
    X, Y = ggn.problems.xor()
    X, Y = np.vstack([X, X]), np.vstack([Y, Y + np.array([[0.3], [-0.3], [-0.3], [0.3]])])
    for sizes in ((2, 2, 1), (2, 4, 1), (2, 2, 2, 1)):
        for name in ("tanh", "softsign"):
            net = ggn.MLP(sizes, name)
            w = np.zeros(net.n_weights)
            w[-1] = 0.5
            yield Point(f"equal inputs {sizes} {name}", Kind.INFEASIBLE, net, w, X, Y)
    rng = np.random.default_rng(9)
    for sizes in ((2, 2, 2, 2), (3, 1, 2, 3), (2, 3, 3, 1)):
        net = ggn.MLP(sizes, "identity", bias=False)
        X, Y = rng.normal(size=(10, sizes[0])), rng.normal(size=(10, sizes[-1]))
        yield Point(f"noisy, linear {sizes}", Kind.INFEASIBLE, net, np.zeros(net.n_weights), X, Y)
    for sizes in ((1, 2, 1, 2), (2, 2, 1, 3)):
        net = ggn.MLP(sizes, "tanh")
        X, Y = data(rng, 9, sizes[0], sizes[-1])
        w = np.zeros(net.n_weights)
        net.unpack(w)[-1][-1] = Y.mean(axis=0)
        yield Point(f"narrow {sizes}", Kind.INFEASIBLE, net, w, X, Y)


# ------------------------------------------------------------------ no stops


def moving():
    """Random weights, or a few iterations from there: the oracle's J falls along its gradient by
    a thousandth of itself."""
    rng = np.random.default_rng(10)
    for i, sizes in enumerate(((1, 1), (1, 4, 1), (2, 3, 2), (2, 3, 3, 1), (3, 10, 1))):
        for name in (*SMOOTH, "relu"):
            net = ggn.MLP(sizes, name)
            X, Y = data(rng, 20, sizes[0], sizes[-1])
            for nit in (0, 2):
                w = ggn.train(net, X, Y, rng=i, max_iter=nit).w
                if falls(net, w, X, Y):
                    yield Point(f"{sizes} {name}, {nit} iterations", Kind.MOVING, net, w, X, Y)


def falls(net, w, X, Y):
    spec = spec_of(net)
    g = reference.gradient(spec, w, X, Y, SQUARED)
    J = reference.objective(spec, w, X, Y, SQUARED)
    steps = 2.0 ** -np.arange(20.0)
    return any(reference.objective(spec, w - t * g, X, Y, SQUARED) < 0.999 * J for t in steps)


# ------------------------------------------------------------------ runaways


def xor_runaways(per_value=8):
    """F(2,2,1) on XOR ends at 1/8 or 1/6, infima that no finite weights reach."""
    X, Y = ggn.problems.xor()
    net = {name: ggn.MLP((2, 2, 1), name) for name in ("tanh", "sigmoid")}
    for name in net:
        found = {1.0 / 8.0: 0, 1.0 / 6.0: 0}
        for seed in range(60):
            w = ggn.train(net[name], X, Y, rng=seed).w
            J = reference.objective(spec_of(net[name]), w, X, Y, SQUARED)
            for value in found:
                if abs(J - value) < 1e-9 and found[value] < per_value:
                    found[value] += 1
                    text = f"xor {name} seed {seed} at {value:.3g}"
                    yield Point(text, Kind.RUNAWAY, net[name], w, X, Y)


def edges():
    """Targets at the ends of the output's range, separable: J > 0, and its infimum is 0."""
    rng = np.random.default_rng(11)
    for name, low in (("sigmoid", 0.0), ("tanh", -1.0)):
        for size in (25.0, 60.0):
            X = rng.uniform(0.3, 1.0, (8, 2)) * np.repeat([[-1.0], [1.0]], 4, axis=0)
            Y = np.where(X[:, :1] > 0.0, 1.0, low)
            net = ggn.MLP((2, 1), output_activation=name)
            w = np.array([size, size, 0.0])
            yield Point(f"edge {name} {size}", Kind.RUNAWAY, net, w, X, Y)


def separated():
    """Cross-entropies of samples all on their side: growing outputs bring J > 0 to 0."""
    rng = np.random.default_rng(12)
    for sizes, nit in (((2, 1), 3), ((2, 3, 1), 3), ((2, 3), 4), ((2, 4, 3), 4)):
        net = ggn.MLP(sizes)
        X = rng.normal(size=(12, 2))
        if sizes[-1] == 1:
            loss, Y = "logistic", (X[:, :1] + 0.3 * X[:, 1:] > 0.0).astype(float)
        else:
            corners = np.array([[0.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
            loss, Y = "softmax_cross_entropy", np.eye(3)[np.argmax(X @ corners.T, axis=1)]
        for more in (0, 20):
            w = ggn.train(net, X, Y, loss, max_iter=nit + more).w
            F = reference.forward(spec_of(net), w, X)[0][-1]
            if sizes[-1] == 1:
                right = (F * (2.0 * Y - 1.0) > 0.0).all()
            else:
                right = (F.argmax(axis=1) == Y.argmax(axis=1)).all()
            if right:
                name = f"{loss} {sizes} after {nit + more} iterations"
                yield Point(name, Kind.RUNAWAY, net, w, X, Y, {"loss": loss})


def overlapping():
    """Logistic regression of classes that overlap: convex, at the zero of its gradient."""
    rng = np.random.default_rng(13)
    for n0, T in ((1, 30), (2, 40), (4, 60)):
        X = rng.normal(size=(T, n0))
        Y = (X[:, :1] + rng.normal(size=(T, 1)) > 0.0).astype(float)
        A, v = np.column_stack([X, np.ones(T)]), np.zeros(n0 + 1)
        for _ in range(30):
            p = expit(A @ v)
            v -= np.linalg.solve(A.T @ ((p * (1.0 - p))[:, None] * A), A.T @ (p - Y[:, 0]))
        options = {"loss": "logistic"}
        yield Point(f"logistic regression on {n0}", Kind.GLOBAL, ggn.MLP((n0, 1)), v, X, Y, options)


@functools.cache
def all_points():
    """Every family."""
    return (
        *teachers(), *interpolations(), *reduced_rank(), *repeated_inputs(), *convex(),
        *overlapping(), *strict_minima(), *flat_minima(strict_minima()),
        *factored_minima(), *linear_saddles(),
        *embedded_saddles(strict_minima()), *penalised_saddles(), *degenerate(), *infeasible(),
        *moving(), *xor_runaways(), *edges(), *separated(),
    )  # fmt: skip
