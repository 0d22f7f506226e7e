"""Minima whose kind is known, by construction or theorem; see known_points.py."""

from __future__ import annotations

import functools

import numpy as np
import reference
from known_kinds import SMOOTH, SQUARED, Kind, Point, curvatures, data, polish, spec_of
from strategies import case

import ggn

# ------------------------------------------------------------------ global minima


def teachers():
    """Targets are the network's own outputs: J = 0 at w."""
    shapes = (
        (1, 1), (2, 3), (1, 4, 1), (2, 5, 1), (3, 2, 2), (2, 8, 2), (2, 3, 3, 1),
        (1, 2, 2, 2), (4, 6, 1),
    )  # fmt: skip
    for i, sizes in enumerate(shapes):
        for name in (*SMOOTH[:3], "relu") if i % 2 else SMOOTH[2:]:
            c = case(sizes, [name] * (len(sizes) - 2) + ["identity"], seed=i)
            for T in (3, 25):
                X = c.data(T)[0]
                Y = reference.forward(c.spec, c.w, X)[0][-1]
                yield Point(f"teacher {sizes} {name} T={T}", Kind.GLOBAL, c.net, c.w, X, Y)


def interpolations():
    """Training has brought J to 1e-28 by the oracle."""
    xor, regions = ggn.problems.xor(), ggn.problems.four_regions(12, rng=3)
    for sizes, name, (X, Y) in (
        ((2, 3, 1), "bent_identity", xor),
        ((2, 4, 1), "softsign", xor),
        ((2, 4, 1), "tanh", xor),
        ((2, 12, 1), "softsign", regions),
        ((2, 12, 1), "bent_identity", regions),
        ((2, 5, 5, 1), "softsign", regions),
    ):
        net = ggn.MLP(sizes, name)
        for seed in range(8):
            w = ggn.train(net, X, Y, rng=seed, tol=0.0, max_iter=200).w
            if (
                np.abs(w).max() < 30.0
                and reference.objective(spec_of(net), w, X, Y, SQUARED) < 1e-28
            ):
                yield Point(f"exact {sizes} {name} seed {seed}", Kind.GLOBAL, net, w, X, Y)


def reduced_rank():
    """Linear layers at the best linear map of their rank (Eckart and Young)."""
    rng = np.random.default_rng(1)
    for sizes in ((3, 1, 2), (3, 2, 3), (4, 1, 4), (3, 2, 2, 3), (2, 3, 2), (4, 2, 1, 3)):
        for _ in range(2):
            net = ggn.MLP(sizes, "identity", bias=False)
            X, Y = rng.normal(size=(20, sizes[0])), rng.normal(size=(20, sizes[-1]))
            w = net.pack(factors(rng, best_map(X, Y, min(sizes)), sizes))
            yield Point(f"reduced rank {sizes}", Kind.GLOBAL, net, w, X, Y)


def best_map(X, Y, rank, keep=None):
    """The least-squares map restricted to some left singular directions of its outputs."""
    fitted = X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    _, _, Vt = np.linalg.svd(fitted, full_matrices=False)
    V = Vt[keep if keep is not None else range(rank)].T
    return np.linalg.lstsq(X, Y, rcond=None)[0] @ V @ V.T


def factors(rng, M, sizes):
    """Split M (n0, nL) into layers of these sizes, with a random change of basis in each."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    width = min(sizes)
    U, s, Vt = U[:, :width], s[:width], Vt[:width]
    Ws, left = [], U * s
    for n in sizes[1:-1]:
        basis = rng.normal(size=(left.shape[1], n))
        Ws.append(left @ basis)
        left = np.linalg.pinv(basis)
    return [*Ws, left @ Vt]


def repeated_inputs():
    """A net with room fits each group's mean, below which no function of x can go."""
    rng = np.random.default_rng(2)
    for seed, (groups, copies, nL, name) in enumerate(
        [(3, 2, 1, "tanh"), (4, 3, 1, "softsign"), (3, 3, 2, "bent_identity"),
         (5, 2, 1, "softplus"),
         (2, 4, 1, "sigmoid"), (4, 2, 2, "softsign"), (3, 5, 1, "bent_identity"), (6, 2, 1, "tanh")]
    ):  # fmt: skip
        X = np.repeat(rng.uniform(-2.0, 2.0, (groups, 2)), copies, axis=0)
        Y = rng.normal(size=(len(X), nL))
        mean = Y.reshape(groups, copies, nL).mean(axis=1)
        within = np.sum((Y - np.repeat(mean, copies, axis=0)) ** 2) / len(X)
        net = ggn.MLP((2, 8, nL), name)
        w = ggn.train(net, X, Y, rng=seed, tol=0.0, max_iter=200).w
        if reference.objective(spec_of(net), w, X, Y, SQUARED) <= within * (1.0 + 1e-13):
            yield Point(f"repeated inputs {groups}x{copies} {name}", Kind.GLOBAL, net, w, X, Y)


def convex():
    """No hidden layer and a convex loss: a zero of the gradient is a global minimum."""
    rng = np.random.default_rng(3)
    lp = ggn.losses.SmoothLp(1.0, 0.5), reference.LOSSES["smooth_lp"](1.0, 0.5)
    for n0, nL, T, (loss, slow), l2 in (
        (2, 1, 20, ("squared", SQUARED), 0.0),
        (3, 2, 30, ("squared", SQUARED), 0.0),
        (3, 1, 25, ("squared", SQUARED), 0.1),
        (2, 1, 20, lp, 0.0),
        (2, 2, 20, lp, 0.0),
        (3, 1, 20, lp, 0.01),
    ):
        X, Y = data(rng, T, n0, nL)
        net = ggn.MLP((n0, nL))
        w = ggn.train(net, X, Y, loss, l2=l2).w
        w = polish(net, w, X, Y, slow, l2)
        name = f"convex {n0}-{nL} {loss} l2={l2}"
        yield Point(name, Kind.GLOBAL, net, w, X, Y, {"loss": loss, "l2": l2})


# ------------------------------------------------------------------ local minima


@functools.cache
def strict_minima():
    """All curvatures positive, by differences of the oracle's gradient, which vanishes."""
    rng = np.random.default_rng(4)
    settings = [
        ((1, 1, 1), "tanh", "squared", 0.0), ((1, 2, 1), "softsign", "squared", 0.0),
        ((2, 2, 1), "sigmoid", "squared", 0.0), ((1, 1, 2), "softplus", "squared", 0.0),
        ((2, 1, 1), "bent_identity", "squared", 0.0), ((2, 2, 2), "tanh", "squared", 0.0),
        ((1, 3, 1), "tanh", "squared", 1e-2), ((2, 3, 1), "softplus", "squared", 1e-3),
        ((1, 2, 2, 1), "tanh", "squared", 1e-3), ((2, 2, 1), "softsign", "cauchy", 1e-3),
        ((1, 2, 1), "sigmoid", "cauchy", 0.0), ((2, 2, 1), "tanh", "smooth_lp", 1e-3),
        ((1, 2, 1), "bent_identity", "blake_zisserman", 1e-3),
        ((2, 1, 1), "tanh", "smooth_lp", 0.0),
    ]  # fmt: skip
    losses = {
        "squared": ("squared", SQUARED),
        "cauchy": (ggn.losses.Cauchy(1.0), reference.LOSSES["cauchy"](1.0)),
        "smooth_lp": (ggn.losses.SmoothLp(1.5, 0.5), reference.LOSSES["smooth_lp"](1.5, 0.5)),
        "blake_zisserman": (
            ggn.losses.BlakeZisserman(2.0, 0.1),
            reference.LOSSES["blake_zisserman"](epsilon=0.1, scale=2.0),
        ),
    }
    found = []
    for sizes, name, key, l2 in settings:
        loss, slow = losses[key]
        net = ggn.MLP(sizes, name)
        for attempt in range(3):
            X, Y = data(rng, 18, sizes[0], sizes[-1])
            w = ggn.train(net, X, Y, loss, rng=attempt, l2=l2, max_iter=300).w
            if np.abs(w).max() > 30.0:
                continue
            w = polish(net, w, X, Y, slow, l2)
            values, norm = curvatures(net, w, X, Y, slow, l2)
            if values[0] > 1e-5 * values[-1] and norm < 1e-12:
                options = {"loss": loss, "l2": l2}
                text = f"{sizes} {name} {key} l2={l2} no. {attempt}"
                found.append(Point(text, Kind.STRICT, net, w, X, Y, options))
    return tuple(found)


def flat_minima(strict):
    """A strict minimum with one more input that repeats, or mixes, the others: J is the same
    function of fewer numbers, constant along the rest."""
    rng = np.random.default_rng(5)
    for point in strict:
        if point.options["l2"] or point.kind is not Kind.STRICT:
            continue
        sizes = point.net.sizes
        mix = rng.normal(size=(sizes[0], 1))
        more = np.hstack([point.X, point.X @ mix + 0.5])
        net = ggn.MLP((sizes[0] + 1, *sizes[1:]), point.net.activations[0])
        first, *rest = point.net.unpack(point.w)
        shift = rng.normal(size=(1, sizes[1]))  # the new input's weights, taken back by the others
        first = np.vstack([first[:-1] - mix @ shift, shift, first[-1:] - 0.5 * shift])
        w = net.pack([first, *rest])
        yield Point(
            f"dependent input, {point.name}", Kind.FLAT, net, w, more, point.Y, point.options
        )


def factored_minima():
    """A strict minimum of one layer, the layer made a product of two: J is constant where the
    product is, and rises where it changes."""
    rng = np.random.default_rng(14)
    for n0, name in ((1, "tanh"), (2, "sigmoid"), (3, "softsign"), (2, "softplus")):
        one = ggn.MLP((n0, 1), output_activation=name, bias=False)
        X = rng.normal(size=(20, n0))
        Y = np.tanh(X.sum(axis=1, keepdims=True)) + 0.3 * rng.normal(size=(20, 1))
        if name == "sigmoid":  # targets on both sides of its range have their minimum at infinity
            Y = 0.5 * (1.0 + Y)
        w = polish(one, ggn.train(one, X, Y).w, X, Y)
        values, norm = curvatures(one, w, X, Y)
        if not (values[0] > 1e-5 * values[-1] and norm < 1e-12):
            continue
        for width in {1, n0, 4}:
            net = ggn.MLP((n0, width, 1), "identity", name, bias=False)
            inner = rng.normal(size=(width, 1))
            W1 = w[:, np.newaxis] @ np.linalg.pinv(inner)
            W1 += rng.normal(size=W1.shape) @ (np.eye(width) - inner @ np.linalg.pinv(inner))
            text = f"product {(n0, width, 1)} {name}"
            yield Point(text, Kind.FLAT, net, net.pack([W1, inner]), X, Y)
