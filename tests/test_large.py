"""Steps for large problems: part of the samples, no matrix, and the plan that picks them."""

import numpy as np
import pytest
import reference as oracle

import ggn
from ggn import damping, steps
from ggn.linearization import Linearization, Objective
from ggn.linearization.directional import curvature_along
from ggn.steps.subsampled import first_size

NET = ggn.MLP((2, 6, 4, 2), "softplus")
SPEC = oracle.named_spec((2, 6, 4, 2), ("softplus", "softplus", "identity"))
RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(300, 2)), RNG.normal(size=(300, 2))
W = NET.initial_weights(3, "fan_in")
WEIGHTS = RNG.uniform(0.5, 2.0, 300)
LOSSES = [
    (ggn.losses.Squared(), oracle.LOSSES["squared"]()),
    (ggn.losses.Cauchy(0.5), oracle.LOSSES["cauchy"](scale=0.5)),
]


def relative(a, b):
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize(("loss", "slow"), LOSSES, ids=["squared", "cauchy"])
@pytest.mark.parametrize("l2", [0.0, 0.01])
def test_curvature_along_a_direction(loss, slow, l2):
    d = RNG.normal(size=NET.n_weights)
    G = oracle.normal_matrix(SPEC, W, X, Y, slow, WEIGHTS, l2, psd=True)
    objective = Objective(NET, X, Y, loss, WEIGHTS, l2, chunk_size=47)
    assert curvature_along(objective, W, d) == pytest.approx(d @ G @ d, rel=1e-12)


@pytest.mark.parametrize(("loss", "slow"), LOSSES, ids=["squared", "cauchy"])
@pytest.mark.parametrize("mu", [1e-6, 1e-2, 10.0])
def test_conjugate_gradient_solves_the_damped_system(loss, slow, mu):
    """Run to a tight tolerance it is the direct step; its residual is the true one."""
    G = oracle.normal_matrix(SPEC, W, X, Y, slow, l2=0.001, psd=True)
    g = oracle.gradient(SPEC, W, X, Y, slow, l2=0.001)
    for tol, accuracy in ((1e-12, 1e-6), (0.1, None)):
        at = Linearization(Objective(NET, X, Y, loss, l2=0.001), W)
        metric = damping.LevenbergMarquardt().metric(at.objective)
        prepared = steps.ConjugateGradient(tol=tol, max_products=5000).prepare(at, metric)
        d, D = prepared.solve(mu), prepared.scale
        A = G + mu * np.diag(D**2)
        true = np.linalg.norm(A @ d - g) / np.linalg.norm(g)
        assert prepared.residual == pytest.approx(true, rel=1e-3, abs=1e-12)
        assert prepared.residual <= tol * 1.01
        # what the predicted reduction rests on, however early the iteration ended
        assert d @ A @ d == pytest.approx(g @ d, rel=1e-6)
        if accuracy:
            assert relative(d, np.linalg.solve(A, g)) < accuracy


def test_conjugate_gradient_trains():
    x = np.linspace(-1, 1, 100)[:, None]
    net = ggn.MLP((1, 8, 1))
    options = {"step": steps.ConjugateGradient(tol=1e-6), "loss_target": 1e-7}
    r = ggn.train(net, x, np.sin(3 * x), **options, max_iter=100)
    assert r.fun < 1e-7
    assert np.isfinite(r.history.loss).all()
    assert np.all(r.history.residual[1:] <= 1.01e-6)
    assert np.any(r.history.residual[1:] > 0.0)


# ------------------------------------------------------------- part of the samples


def test_part_of_an_objective():
    rows = np.array([3, 17, 200])
    part = Objective(NET, X, Y, "squared", WEIGHTS, 0.01).part(rows)
    slow = oracle.LOSSES["squared"]()
    expected = oracle.objective(SPEC, W, X[rows], Y[rows], slow, WEIGHTS[rows], 0.01)
    assert part.value(W) == pytest.approx(expected, rel=1e-13)


def test_subsampled_curvature_is_that_of_the_draw():
    """G belongs to the drawn samples, the gradient and the length of the step to all."""
    loss = oracle.LOSSES["squared"]()
    at = Linearization(Objective(NET, X, Y), W)
    metric = damping.LevenbergMarquardt().metric(at.objective)
    prepared = steps.Subsampled(samples=80, rng=4).prepare(at, metric)
    rows = np.sort(np.random.default_rng(4).choice(300, 80, replace=False))
    G = oracle.normal_matrix(SPEC, W, X[rows], Y[rows], loss)
    assert relative(np.tril(prepared.G), np.tril(G)) < 1e-12
    g = oracle.gradient(SPEC, W, X, Y, loss)
    assert relative(prepared.gradient, g) < 1e-12
    d, D2, mu = prepared.solve(0.1), np.diag(prepared.scale**2), 0.1
    direction = np.linalg.solve(G + mu * D2, g)
    full = oracle.normal_matrix(SPEC, W, X, Y, loss) + mu * D2
    assert relative(d, direction * (g @ direction) / (direction @ full @ direction)) < 1e-9


def test_all_samples_is_the_primal_step():
    some, full = (
        ggn.train(NET, X, Y, w0=W, step=step, max_iter=10)
        for step in (steps.Subsampled(samples=300), "primal")
    )
    np.testing.assert_allclose(some.w, full.w, rtol=1e-9)  # small fits add up in another order


def test_subsampled_is_reproducible_and_comes_to_the_same_minimum():
    x = np.random.default_rng(1).normal(size=(3000, 3))
    y = np.tanh(x @ [1.0, -0.5, 0.2] + 0.3) + 0.1 * np.random.default_rng(2).normal(size=3000)
    net = ggn.MLP((3, 1), output_activation="tanh")  # one minimum
    fits = [ggn.train(net, x, y, step=steps.Subsampled(samples=60, rng=s)) for s in (0, 0, 1)]
    assert np.array_equal(fits[0].w, fits[1].w)
    assert not np.array_equal(fits[0].history.loss[1:4], fits[2].history.loss[1:4])
    full = ggn.train(net, x, y, step="primal")
    for fit in fits:
        assert relative(fit.w, full.w) < 1e-8


def test_too_few_samples_become_more():
    """Five residuals for 33 weights cannot know the curvature."""
    objective = Objective(ggn.MLP((2, 8, 1)), X, Y[:, :1])
    w = objective.net.initial_weights(0)
    running = steps.Subsampled(samples=5).start(objective)
    metric = damping.LevenbergMarquardt().metric(objective)
    for _ in range(4):
        running.prepare(Linearization(objective, w), metric).solve(1e-6)
    assert running.size > 5


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "many"])
def test_wrong_number_of_samples(wrong):
    with pytest.raises(ValueError, match=r"^samples must be an integer of at least 1, got"):
        steps.Subsampled(samples=wrong)


# ------------------------------------------------------------- the plan


@pytest.mark.parametrize(
    ("sizes", "T", "step"),
    [
        ((8, 50, 1), 10_000, steps.Primal),
        ((8, 1000, 1), 100, steps.Dual),
        ((1, 70, 40, 1), 40_000, steps.Subsampled),
        ((8, 20, 1), 200_000, steps.Subsampled),
        ((8, 20, 1), 100_000, steps.Primal),
        ((784, 500, 500, 10), 50_000, steps.ConjugateGradient),
    ],
)
def test_plan_picks_by_shape(sizes, T, step):
    assert isinstance(ggn.plan(ggn.MLP(sizes), T).step, step)


def test_plan_of_undamped_steps_prefers_the_pseudo_inverse():
    plan = ggn.plan(ggn.MLP((2, 20, 1)), 20, damping="undamped")
    assert isinstance(plan.step, steps.MinimumNorm)
    large = ggn.plan(ggn.MLP((8, 50, 1)), 100_000, damping="undamped")
    assert isinstance(large.step, steps.Primal)  # never a random part, nor an SVD this large


def test_plan_keeps_to_the_memory():
    net = ggn.MLP((8, 200, 200, 1))
    free, tight = ggn.plan(net, 5000), ggn.plan(net, 5000, max_memory=1e8)
    assert free.best.bytes > 1e8 >= tight.best.bytes
    with pytest.raises(ValueError, match=r"^max_memory must be at least .* MiB .*, got 1e-06 MiB"):
        ggn.plan(net, 5000, max_memory=2**20 * 1e-6).step  # noqa: B018


def test_plan_prints_a_table():
    text = str(ggn.plan(ggn.MLP((8, 50, 1)), 10_000))
    assert text.count("<- chosen") == 1
    assert all(len(line) <= 80 for line in text.splitlines())
    for name in ("Primal", "Dual", "MinimumNorm", "ConjugateGradient"):
        assert name in text


@pytest.mark.parametrize(
    ("sizes", "T", "options", "there"),
    [
        ((8, 20, 1), 100_000, {}, True),  # where exact steps are quick it is a choice all the same
        ((8, 50, 1), 200_000, {}, True),
        ((8, 50, 1), 1_000, {}, False),  # too few samples to leave any out
        ((8, 20, 1), 200_000, {"damping": "undamped"}, False),
        ((8, 20, 1), 200_000, {"loss": "cauchy"}, True),
    ],
)
def test_plan_lists_subsampling_wherever_it_can_be_had(sizes, T, options, there):
    plan = ggn.plan(ggn.MLP(sizes), T, **options)
    costs = {type(c.step): c.flops for c in plan.candidates}
    assert (steps.Subsampled in costs) == there
    assert ("Subsampled" in str(plan)) == there
    if there:
        assert costs[steps.Subsampled] < costs[steps.Primal]
    assert all(len(line) <= 80 for line in str(plan).splitlines() if not line.startswith("MLP"))


def test_first_size_is_within_the_samples():
    for T in (1, 10, 1000, 10**6):
        assert 1 <= first_size(NET, T) <= T


@pytest.mark.parametrize(("T", "more"), [(0, {}), (1.5, {}), (10, {"max_memory": -1})])
def test_wrong_plans(T, more):
    with pytest.raises(ValueError, match=r"^(T|max_memory) must be"):
        ggn.plan(NET, T, **more)
