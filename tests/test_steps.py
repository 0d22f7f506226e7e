"""One step by many roads: (G + mu D^2) d = g, compared with the oracle's dense solution."""

import tracemalloc

import numpy as np
import pytest
import reference
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import assert_close, case, cases, losses, sample_counts, sample_weights

import ggn
from ggn import damping, steps

SECOND_ORDER = {"primal": steps.Primal, "dual": steps.Dual, "minimum_norm": steps.MinimumNorm}


class Metric(damping.Metric):
    """A metric whose D is given; it keeps the diagonal it was shown."""

    def __init__(self, mu, D):
        self.mu, self.D = mu, D

    def scale(self, diagonal):
        self.seen = np.array(diagonal)
        return self.D


def separable(c):
    """Return D (N,), a product over units and inputs in each layer."""
    rng = np.random.default_rng(c.seed)
    shapes = [W.shape for W in c.net.unpack(c.w)]
    parts = [np.outer(rng.uniform(0.7, 1.4, n), rng.uniform(0.7, 1.4, m)) for m, n in shapes]
    return np.concatenate([part.ravel() for part in parts])


def solve(step, c, X, Y, loss, metric, **extra):
    """Return d of one step object from one linearization."""
    at = ggn.linearize(c.net, c.w, X, Y, loss, **extra)
    prepared = step.prepare(at, metric)
    first, again = prepared.solve(metric.mu), prepared.solve(metric.mu)
    assert np.array_equal(first, again)
    return first, prepared


@given(
    cases(),
    sample_counts(1),
    losses(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["none", "one", "each"]),
    st.sampled_from([0.05, 1.0, 300.0]),
)
def test_damped_steps_agree_with_the_oracle(c, T, loss, scaled, weighted, penalty, mu):
    X, Y = c.data(T)
    N = len(c.w)
    s = sample_weights(T, c.seed) if weighted else None
    l2 = {"none": 0.0, "one": 0.2, "each": np.linspace(0.0, 1.0, N)}[penalty]
    extra = {"sample_weight": s, "l2": l2}
    G = reference.normal_matrix(c.spec, c.w, X, Y, loss[1], psd=True, **extra)
    g = reference.gradient(c.spec, c.w, X, Y, loss[1], **extra)
    D = separable(c) if scaled else None
    expected = np.linalg.solve(G + mu * np.diag(np.ones(N) if D is None else D**2), g)
    condition = 1.0 + np.linalg.norm(G, 2) / (mu * (1.0 if D is None else 0.25))
    for step in SECOND_ORDER.values():
        metric = Metric(mu, D)
        d, prepared = solve(step(), c, X, Y, loss[0], metric, **extra)
        assert_close(d, expected, 1e-14 * max(10.0, condition))
        assert_close(prepared.gradient, g)
        assert_close(metric.seen, np.diagonal(G))


@pytest.mark.parametrize("step", SECOND_ORDER)
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_any_metric_of_a_users_damping(step, l2):
    """A damping may choose any D (N,): it is used as it is, or refused; not replaced."""
    c = case((2, 4, 1), ("tanh", "identity"), seed=5)
    X, Y = c.data(6)
    D = np.linspace(0.5, 2.0, len(c.w))
    squared = reference.LOSSES["squared"]()
    G = reference.normal_matrix(c.spec, c.w, X, Y, squared, l2=l2)
    g = reference.gradient(c.spec, c.w, X, Y, squared, l2=l2)
    try:
        d, _ = solve(SECOND_ORDER[step](), c, X, Y, "squared", Metric(0.5, D), l2=l2)
    except ValueError as error:
        assert "must" in str(error)  # noqa: PT017
    else:
        assert_close(d, np.linalg.solve(G + 0.5 * np.diag(D**2), g))


@given(cases(names=("tanh", "softsign", "bent_identity", "identity")), st.integers(1, 12))
def test_undamped_minimum_norm_step_is_the_pseudoinverse(c, T):
    """d = (P^T)^+ r for squared loss, r the residuals: eq. 39 where P has full column rank."""
    X, Y = c.data(T)
    P = reference.jacobian(c.spec, c.w, X)
    s = np.linalg.svd(P, compute_uv=False)
    assume(not ((s > 1e-14 * s[0]) & (s < 1e-6 * s[0])).any())  # the rank must be clear
    r = (reference.forward(c.spec, c.w, X)[0][-1] - Y).ravel()
    expected = np.linalg.pinv(P.T, rcond=1e-10) @ r
    d, _ = solve(steps.MinimumNorm(), c, X, Y, "squared", Metric(0.0, None))
    smallest = s[s > 1e-10 * s[0]].min()
    assert_close(d, expected, 1e-14 * max(10.0, 10.0 * s[0] / smallest))


def test_undamped_dual_and_primal_where_they_exist():
    """More weights than residuals: eq. 39; fewer: the normal equations."""
    wide, tall = case((2, 20, 1), ("tanh", "identity")), case((2, 2, 1), ("tanh", "identity"))
    X, Y = wide.data(8)
    P = reference.jacobian(wide.spec, wide.w, X)
    r = (reference.forward(wide.spec, wide.w, X)[0][-1] - Y).ravel()
    d, _ = solve(steps.Dual(), wide, X, Y, "squared", Metric(0.0, None))
    assert_close(d, P @ np.linalg.solve(P.T @ P, r), 1e-8)
    X, Y = tall.data(40)
    P = reference.jacobian(tall.spec, tall.w, X)
    r = (reference.forward(tall.spec, tall.w, X)[0][-1] - Y).ravel()
    d, _ = solve(steps.Primal(), tall, X, Y, "squared", Metric(0.0, None))
    assert_close(d, np.linalg.lstsq(P.T, r, rcond=None)[0], 1e-8)


def test_dual_steps_are_accurate_where_residuals_outnumber_weights():
    """Most of the residuals is what no step can change, and mu divides nothing of it."""
    mu, c, rng = 1e-10, case((1, 3, 2), ("tanh", "identity")), np.random.default_rng(5)
    X, Y = rng.standard_normal((40, 1)), 10.0 * rng.standard_normal((40, 2))
    d, _ = solve(steps.Dual(), c, X, Y, "squared", Metric(mu, None))
    G = reference.normal_matrix(c.spec, c.w, X, Y, reference.LOSSES["squared"](), psd=True)
    g = reference.gradient(c.spec, c.w, X, Y, reference.LOSSES["squared"]())
    assert np.linalg.norm(G @ d + mu * d - g) < 1e-9 * np.linalg.norm(g)


def test_singular_matrix_gives_no_step():
    """A weight that nothing depends on: a zero on the diagonal; with mu there is a step."""
    c = case((2, 1), "identity", bias=False)
    at = ggn.linearize(c.net, c.w, [[1.0, 0.0], [2.0, 0.0]], [0.0, 1.0])
    assert steps.Primal().prepare(at, Metric(0.0, None)).solve(0.0) is None
    assert steps.Primal().prepare(at, Metric(1.0, None)).solve(1.0) is not None


@pytest.mark.parametrize("T", [1, 2, 3, 5, 10, 50])
@pytest.mark.parametrize("nL", [1, 3])
def test_sizes(T, nL):
    c = case((3, 4, nL), ("softplus", "identity"), seed=T)
    X, Y = c.data(T)
    squared = reference.LOSSES["squared"]()
    G = reference.normal_matrix(c.spec, c.w, X, Y, squared)
    g = reference.gradient(c.spec, c.w, X, Y, squared)
    for step in SECOND_ORDER.values():
        d, _ = solve(step(), c, X, Y, "squared", Metric(0.3, None))
        assert_close(d, np.linalg.solve(G + 0.3 * np.eye(len(g)), g))


def test_gradient_step():
    c = case((2, 3, 1), ("tanh", "identity"))
    X, Y = c.data(5)
    g = reference.gradient(c.spec, c.w, X, Y, reference.LOSSES["squared"]())
    assert_close(solve(steps.Gradient(), c, X, Y, "squared", Metric(0.0, None))[0], g)
    assert_close(solve(steps.Gradient(), c, X, Y, "squared", Metric(4.0, None))[0], g / 4.0)


def softmax(F):
    e = np.exp(F - F.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


USER_LOSSES = {
    "singular": ggn.Loss(
        "cross_entropy",
        lambda F, Y: np.log(np.exp(F).sum(axis=1)) - (Y * F).sum(axis=1),
        lambda F, Y: softmax(F) - Y,
        lambda F, Y: (
            np.einsum("ia,ab->iab", softmax(F), np.eye(F.shape[1]))
            - np.einsum("ia,ib->iab", softmax(F), softmax(F))
        ),
    ),
    # concave far out: the default psd curvature is zero there, where the gradient is not
    "clipped": ggn.Loss(
        "own_cauchy",
        lambda F, Y: np.log1p((F - Y) ** 2).sum(axis=1),
        lambda F, Y: 2.0 * (F - Y) / (1.0 + (F - Y) ** 2),
        lambda F, Y: 2.0 * (1.0 - (F - Y) ** 2) / (1.0 + (F - Y) ** 2) ** 2,
    ),
}


@pytest.mark.parametrize("kind", USER_LOSSES)
@pytest.mark.parametrize("step", SECOND_ORDER)
def test_steps_for_a_users_loss(kind, step):
    """Singular or clipped curvature: (G + mu I) d = g with all of the gradient, or a refusal."""
    loss = USER_LOSSES[kind]
    c = case((2, 4, 3), ("tanh", "identity"), seed=3)
    X, Y = c.data(7)
    Y = np.eye(3)[np.arange(7) % 3] if kind == "singular" else 4.0 * Y
    F = reference.forward(c.spec, c.w, X)[0][-1]
    H = loss.hessian(F, Y, psd=True)
    H = H if H.ndim == 3 else H[:, :, None] * np.eye(3)
    P = reference.jacobian(c.spec, c.w, X).reshape(len(c.w), 7, 3)
    G = np.einsum("jia,iab,kib->jk", P, H, P) / 7
    g = np.einsum("jia,ia->j", P, loss.gradient(F, Y)) / 7
    expected = np.linalg.solve(G + 0.1 * np.eye(len(g)), g)
    try:
        d, prepared = solve(SECOND_ORDER[step](), c, X, Y, loss, Metric(0.1, None))
    except ValueError as error:
        assert "must" in str(error)  # noqa: PT017
    else:
        assert_close(prepared.gradient, g)
        assert_close(d, expected)


@settings(max_examples=20)
@given(cases(), st.sampled_from([1, 5, 70]), losses(), st.booleans(), st.sampled_from([0.0, 0.2]))
def test_acceleration(c, T, loss, scaled, l2):
    """a = (G + mu D^2)^-1 sum_i c_i P_i H_i phi''_i[d, d], by any step."""
    X, Y = c.data(T)
    nL, D = c.net.n_outputs, separable(c) if scaled else None
    F = reference.forward(c.spec, c.w, X)[0][-1]
    H = loss[1].curvature(F, Y)
    G = reference.normal_matrix(c.spec, c.w, X, Y, loss[1], psd=True, l2=l2)
    damped = G + 2.0 * np.diag(np.ones(len(c.w)) if D is None else D**2)
    d = np.linalg.solve(damped, reference.gradient(c.spec, c.w, X, Y, loss[1], l2=l2))
    bend = [
        [d @ reference._second_order_term(c.spec, c.w, x, e) @ d for e in np.eye(nL)] for x in X
    ]
    terms = reference.jacobian(c.spec, c.w, X) * (H * bend).ravel() / T
    expected = np.linalg.solve(damped, terms.sum(axis=1))
    scale = max(np.abs(expected).max(), np.abs(d).max() ** 2)  # linear networks do not bend
    for step in SECOND_ORDER.values():
        own, prepared = solve(step(), c, X, Y, loss[0], Metric(2.0, D), l2=l2)
        a = prepared.accelerate(own)
        if a is not None:  # the dual step leaves it out where there are few residuals
            assert np.abs(a - expected).max() <= 1e-11 * scale


@given(cases(), st.integers(1, 12))
def test_metric_of_levenberg_marquardt_follows_the_inputs_units(c, T):
    """An input in other units, weights adapted: D of its weights changes as they do, no other."""
    X, Y = c.data(T)
    units = np.linspace(0.01, 100.0, X.shape[1])
    Ws = [W.copy() for W in c.net.unpack(c.w)]
    factor = [np.ones_like(W) for W in Ws]
    factor[0][: len(units)] = units[:, np.newaxis]
    Ws[0] /= factor[0]
    one = ggn.linearize(c.net, c.w, X, Y)
    other = ggn.linearize(c.net, c.net.pack(Ws), X * units, Y)
    D, scaled = (
        damping.LevenbergMarquardt()
        .metric(at.objective)
        .scale(np.diagonal(at.normal_matrix()).copy())
        for at in (one, other)
    )
    used = np.diagonal(one.normal_matrix()) > 0.0  # the rest may have any scale
    expected = D * c.net.pack(factor)
    np.testing.assert_allclose(scaled[used], expected[used], rtol=1e-10)


# ------------------------------------------------------------- the planner


def test_auto_takes_the_smaller_system():
    X, Y = np.ones((400, 2)), np.ones((400, 1))
    small, large = ggn.MLP((2, 3, 1)), ggn.MLP((2, 100, 1))
    assert isinstance(ggn.train(small, X, Y, max_iter=0).step, steps.Primal)
    assert isinstance(ggn.train(large, X[:20], Y[:20], max_iter=0).step, steps.Dual)


@pytest.mark.parametrize(
    ("sizes", "T", "expected"),
    [((2, 100, 1), 2000, steps.Primal), ((2, 700, 1), 300, steps.Dual)],
)
def test_auto_keeps_to_the_memory(sizes, T, expected):
    """What a run allocates, as traced, stays within what was allowed: data and results apart."""
    net, allowed = ggn.MLP(sizes), 16 * 2**20
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(T, 2)), rng.normal(size=(T, 1))
    tracemalloc.start()
    fit = ggn.train(net, X, Y, max_iter=2, max_memory=allowed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(fit.step, expected)
    assert peak <= allowed


def test_auto_without_room_for_a_matrix():
    """N = T nL = 4000 and 40 MB: the matrices alone would be 128 MB each."""
    net, X, Y = ggn.MLP((2, 1000, 1), bias=(True, False)), np.ones((4000, 2)), np.ones((4000, 1))
    fit = ggn.train(net, X, Y, max_iter=0, max_memory=40e6)
    assert isinstance(fit.step, steps.ConjugateGradient)


@pytest.mark.parametrize("name", [*SECOND_ORDER, "gradient"])
def test_names(name):
    chosen = ggn.train(ggn.MLP((1, 1)), [[1.0]], [[1.0]], step=name, max_iter=0).step
    assert chosen.__class__ is (SECOND_ORDER | {"gradient": steps.Gradient})[name]
    assert repr(chosen) == f"{type(chosen).__name__}()"
