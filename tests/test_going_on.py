"""Going on from where a fit ended: w0=fit is the run that was not interrupted, bit by bit."""

import pickle

import going_on
import numpy as np
import pytest

import ggn
from ggn import Status
from ggn.damping import Damping, LevenbergMarquardt, Metric, Rule

X = np.linspace(-3.0, 3.0, 120)[:, np.newaxis]
Y = np.sin(3.0 * X) / (1.0 + X**2)
NET = ggn.MLP((1, 8, 1))


def same(net, X, Y, parts, **options):
    """Whether runs of `parts` iterations, each going on from the last, are one run of all."""
    fit = None
    for part in parts:
        fit = ggn.train(net, X, Y, w0=fit, max_iter=part, **options)
    once = ggn.train(net, X, Y, max_iter=sum(parts), **options)
    return (
        np.array_equal(fit.w, once.w)
        and fit.fun == once.fun
        and np.array_equal(fit.history.damping[1:], once.history.damping[-parts[-1] :])
    )


@pytest.mark.parametrize("step", sorted(ggn.steps.NAMES))
def test_with_every_step(step):
    assert same(NET, X, Y, (5, 1, 6), step=step)


@pytest.mark.parametrize("damping", sorted(ggn.damping.NAMES))
def test_with_every_damping(damping):
    """Undamped gradient steps lead down all the way, so that the last weights are the best."""
    assert same(NET, X, Y, (5, 1, 6), damping=damping, step="gradient", l2=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {"l2": 1e-6}, {"loss": "cauchy"}, {"sample_weight": np.linspace(0.1, 2.0, 120)},
        {"w0": "normal"}, {"escape_saddles": True}, {"curvature": "hessian", "step": "primal"},
        {"damping": LevenbergMarquardt(initial=1e-3, decrease=0.1, acceleration=0.0)},
    ],
    ids=str,
)  # fmt: skip
def test_with_every_option(options):
    begun = ggn.train(NET, X, Y, max_iter=15, **options)
    once = ggn.train(NET, X, Y, max_iter=35, **options)
    on = ggn.train(NET, X, Y, max_iter=20, **(options | {"w0": begun}))
    assert np.array_equal(on.w, once.w)


def test_in_units_of_the_data():
    """The run's own weights are kept: those given back have been rounded."""
    assert same(NET, 1e5 + 1e3 * X, 1e-4 * Y, (10, 15))


def test_part_of_the_samples():
    """The next draw of the subsampled step is the one that the run would have made."""
    step = ggn.steps.Subsampled(samples=30, rng=3)
    assert same(NET, X, Y, (4, 5, 6), step=step)


def test_a_fit_may_be_gone_on_with_twice():
    begun = ggn.train(NET, X, Y, max_iter=10)
    kept = pickle.dumps(begun)
    first, again = (ggn.train(NET, X, Y, w0=begun, max_iter=10) for _ in range(2))
    thawed = ggn.train(NET, X, Y, w0=pickle.loads(kept), max_iter=10)
    assert np.array_equal(first.w, again.w)
    assert np.array_equal(first.w, thawed.w)
    assert pickle.dumps(begun) == kept
    assert len(kept) < 100 * NET.n_weights + 10_000  # no data, no matrices


# ------------------------------------------------------------- rules of one's own


class Memory(Damping):
    """mu from the mean of the last gains; an array, a number, and a log that is not state."""

    def __init__(self, start):
        self.start, self.log = start, []

    def metric(self, objective):
        return Slow(objective)

    def rule(self, objective):
        return MemoryRule(self, objective)


class MemoryRule(Rule):
    def __init__(self, damping, objective):
        self.mu, self.log, self.objective = damping.start, damping.log, objective
        self.gains, self.count = np.zeros(3), 0

    def accept(self, trial):
        self.gains[self.count % 3] = min(max(trial.gain, 0.0), 1.0)
        self.count += 1
        self.mu *= 1.2 - self.gains.mean()
        self.log.append(trial.J)


class Slow(Metric):
    """Moré's: the largest diagonal yet."""

    def __init__(self, objective):
        self.most = np.zeros(objective.net.n_weights)

    def scale(self, diagonal):
        np.maximum(self.most, np.sqrt(diagonal), out=self.most)
        return self.most + 1e-3


def test_a_rule_and_a_metric_of_ones_own_inherit_it():
    assert same(NET, X, Y, (7, 5, 8), damping=Memory(0.1))
    damping = Memory(0.1)
    begun = ggn.train(NET, X, Y, damping=damping, max_iter=8)
    assert set(begun.state.rule_state) == {"mu", "gains", "count"}
    ggn.train(NET, X, Y, w0=begun, damping=damping, max_iter=5)
    assert len(damping.log) == 13  # the log is still the damping's


def test_another_damping_begins_anew():
    begun = ggn.train(NET, X, Y, max_iter=10)
    on = ggn.train(NET, X, Y, w0=begun, damping=LevenbergMarquardt(initial=0.7), max_iter=3)
    decades = np.log10(0.7 / on.history.damping[1])  # that the first trial went down
    assert decades == pytest.approx(round(decades), abs=1e-12)
    assert begun.state.rule_state["mu"] < 0.01
    on = ggn.train(NET, X, Y, w0=begun, damping=Memory(0.5), max_iter=3)
    assert on.nit == 3


def test_other_data_keep_mu_and_measure_anew():
    """mu is relative; D is that of the new units."""
    begun = ggn.train(NET, X, Y, max_iter=30)
    on = ggn.train(NET, X, 1e6 * Y, w0=begun, max_iter=0)
    assert on.state.rule_state == begun.state.rule_state
    assert not np.array_equal(
        on.state.metric_state["_largest"], begun.state.metric_state["_largest"]
    )


# ------------------------------------------------------------- what may be gone on with


@pytest.mark.filterwarnings("ignore:The iteration limit")
def test_a_model_or_an_estimator_is_where_to_begin():
    sklearn = pytest.importorskip("ggn.sklearn")
    model = sklearn.GGNRegressor(8, alpha=1e-4, max_iter=20, random_state=0)
    model.fit(50.0 + 9.0 * X, 1e3 * Y[:, 0])
    for start in (model, model.model_, model.result_):
        begun = ggn.train(NET, 50.0 + 9.0 * X, 1e3 * Y, w0=start, max_iter=0)
        np.testing.assert_allclose(
            NET.forward(begun.w, 50.0 + 9.0 * X)[:, 0], model.predict(50.0 + 9.0 * X), rtol=1e-8
        )


def test_another_network_is_refused():
    begun = ggn.train(NET, X, Y, max_iter=1)
    with pytest.raises(
        ValueError, match=r"^w0 must be a fit of the network given, MLP\(\(1, 9, 1\)"
    ):
        ggn.train(ggn.MLP((1, 9, 1)), X, Y, w0=begun)
    with pytest.raises(ValueError, match=r"^w0 must be left out"):
        ggn.train_restarts(NET, X, Y, w0=begun)


@pytest.mark.filterwarnings("ignore:The iteration limit")
def test_estimators_go_on_likewise():
    sklearn = pytest.importorskip("ggn.sklearn")
    options = {"random_state": 0, "alpha": 0.0}
    warm = sklearn.GGNRegressor(8, warm_start=True, max_iter=15, **options)
    warm.fit(X, Y[:, 0]).fit(X, Y[:, 0])
    once = sklearn.GGNRegressor(8, max_iter=30, **options).fit(X, Y[:, 0])
    assert np.array_equal(warm.model_.w, once.model_.w)


@pytest.mark.parametrize("train", [ggn.train_robust, ggn.train_bayesian])
def test_other_ways_to_train_take_a_fit(train):
    noisy = Y + 0.1 * np.random.default_rng(0).normal(size=Y.shape)
    begun = ggn.train(NET, X, noisy, max_iter=20)
    on = train(NET, X, noisy, w0=begun)
    plain = train(NET, X, noisy, w0=begun.w)
    assert on.fun == pytest.approx(plain.fun, rel=0.2)
    assert on.nit > 0


# ------------------------------------------------------------- weights alone, and the end


@pytest.mark.parametrize("number", [0, 8, 9])
def test_weights_alone_find_their_mu(number):
    """They stalled after a few steps at the first mu, with success and up to 57 times the loss."""
    problem = going_on.problems()[number]
    loss, nit, _, on = going_on.measured(problem, 500, 500, plain=True)
    assert loss < 2.0
    assert nit < 1.1
    # ... or with a true end before
    assert on.status in (Status.MAX_ITER, Status.STEP, Status.LOSS, Status.GRADIENT)


@pytest.mark.parametrize("number", [5, 15])
def test_precision_is_said_only_where_no_other_mu_helps(number):
    """By dense algebra: from the end, no mu of any decade lowers J by what can be seen of it."""
    problem = going_on.problems()[number]
    fit = problem.fit(tol=0.0)
    assert fit.status is Status.PRECISION
    options = {k: v for k, v in problem.options.items() if k != "w0"}
    at = ggn.linearize(fit.net, fit.w, problem.X, problem.Y, **options)
    G, D = at.normal_matrix(), np.sqrt(np.diagonal(at.normal_matrix()))
    for mu in 10.0 ** np.arange(-16.0, 6.0):
        d = np.linalg.solve(G / np.outer(D, D) + mu * np.eye(len(D)), at.gradient / D) / D
        J = ggn.linearize(fit.net, fit.w - d, problem.X, problem.Y, **options).loss
        assert J > fit.fun - 20.0 * at.rounding


def test_a_start_with_far_too_much_damping_is_no_success():
    """It ended after one step, "as predicted", with nothing gained."""
    fit = ggn.train(
        NET, X, Y, w0=NET.initial_weights(0), damping=LevenbergMarquardt(1e10), tol=1e-4
    )
    plain = ggn.train(NET, X, Y, w0=NET.initial_weights(0), tol=1e-4)
    assert fit.fun < 2.0 * plain.fun
