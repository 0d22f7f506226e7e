"""What a penalty weighs in the units of the data, and that a fit which it holds back is told."""

import warnings

import numpy as np
import pytest
import units_census as census

import ggn
from ggn.fit.penalty import heavier_by_units, without_biases
from ggn.linearization import Objective
from ggn.sklearn import GGNRegressor

X = np.linspace(-1.0, 1.0, 60)[:, np.newaxis]
Y = np.sin(5.0 * X)
NET = ggn.MLP((1, 6, 1))
TOLD = "The penalty may limit the fit: in these units, "


@pytest.mark.filterwarnings("error::ggn.ScalingWarning")
def test_no_silent_success_where_a_penalty_holds_back_the_fit():
    """Problems of the census, small in inputs, targets or both; biases penalised or not."""
    small = [(1e-9, 1.0), (1.0, 1e-9), (1e-3, 1e-3), (1e-2, 1e-6), (1e-6, 1e3)]
    told = 0
    for number, (_, problem) in enumerate(census.problems()):
        for l2 in (1e-6, without_biases(problem.net, 1e-4)):
            ours = ggn.train(problem.net, problem.X, problem.Y, l2=l2, max_iter=100)
            assert TOLD not in ours.message
            best = census.relative_loss(problem, ours.w, problem.X, problem.Y, 1.0)
            x_size, y_size = small[number % len(small)]
            inputs, targets = x_size * problem.X, y_size * problem.Y
            fit = ggn.train(problem.net, inputs, targets, l2=l2, max_iter=100)
            loss = census.relative_loss(problem, fit.w, inputs, targets, y_size)
            outcome = census.Outcome((x_size, 0.0, y_size, 0.0), loss, best, fit)
            assert not outcome.false_success
            told += TOLD in fit.message
    assert told >= 30


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1.0, 1e6])
def test_a_penalty_in_proportion_is_not_told(size):
    noisy = Y + 0.3 * np.random.default_rng(0).normal(size=Y.shape)
    for l2 in (0.0, 1e-7):
        fit = ggn.train(NET, X, size * noisy, l2=l2 * min(size, 1.0) ** 2, max_iter=300)
        assert TOLD not in fit.message
        assert fit.fun < 0.3 * np.var(size * noisy)


def test_nor_one_that_is_heavy_on_data_of_size_one():
    fit = ggn.train(NET, X, Y, l2=1.0, max_iter=100)
    assert fit.fun > 0.4
    assert fit.message == fit.status.value


@pytest.mark.parametrize(("x_size", "y_size"), [(1e-4, 1.0), (1.0, 1e-3), (3e-3, 2e-4)])
def test_the_weight_that_is_told(x_size, y_size):
    """Without nonlinear units a penalty acts on products of weights, as if it were that."""
    net = ggn.MLP((1, 2, 1), "identity", bias=False)
    x, y = X / X.std(), 0.7 * X + np.random.default_rng(1).normal(size=X.shape)
    y /= y.std()
    objective = Objective(net, x_size * x, y_size * y, l2=1e-5)
    found = heavier_by_units(objective)
    # columns are about zero mean, or about none where no dummy unit could shift them
    assert found.weight == pytest.approx(1e-5 / (x_size * y_size), rel=0.02)
    raw = ggn.train(net, x_size * x, y_size * y, l2=1e-5 / 100, max_iter=2000, tol=1e-14)
    plain = ggn.train(net, x, y, l2=found.weight / 100, max_iter=2000, tol=1e-14)
    assert raw.fun / y_size**2 == pytest.approx(plain.fun, rel=0.01)


def test_what_is_small_is_named():
    two = np.column_stack([X, 1e-7 * X**2 + 3e-7])
    text = str(heavier_by_units(Objective(ggn.MLP((2, 5, 1)), two, Y, l2=1e-3)))
    assert text.startswith(f"{TOLD}input 1 is 3.34e-07 ± 3e-08, l2 weighs as ")
    assert "a smaller l2" in text
    assert "target 0 is 0 ± " in str(heavier_by_units(Objective(NET, X, 1e-9 * Y, l2=1e-3)))
    # a layer that is free takes all that the others cannot have, but bends nothing
    free, line = NET.pack([np.full((2, 6), 1e-3), np.zeros((7, 1))]), ggn.MLP((1, 6, 1), "identity")
    assert heavier_by_units(Objective(line, X, 1e-9 * Y, l2=free)) is None
    assert heavier_by_units(Objective(NET, X, 1e-9 * Y, l2=free)) is not None


def test_estimators_scale_or_tell():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled = GGNRegressor((6,), alpha=1e-6, random_state=0).fit(X, 1e-9 * Y[:, 0])
        plain = GGNRegressor((6,), alpha=1e-6, scale=None, random_state=0).fit(X, 1e-9 * Y[:, 0])
    assert TOLD not in scaled.result_.message
    assert scaled.score(X, 1e-9 * Y[:, 0]) > 0.99
    assert TOLD in plain.result_.message
    assert plain.score(X, 1e-9 * Y[:, 0]) < 0.01


@pytest.mark.filterwarnings("ignore")
def test_a_penalty_that_the_evidence_chose_is_not_told():
    fit = ggn.train_bayesian(NET, X, 1e-6 * (Y + 0.2 * np.cos(40.0 * X)), max_iter=200)
    assert TOLD not in fit.message


@pytest.mark.parametrize("loss", ["squared", ggn.losses.Cauchy(1.0), ggn.losses.SmoothLp(1.0, 0.1)])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e-9])
def test_constant_targets_are_as_large_as_they_are(loss, value):
    fit = ggn.train(NET, X, np.full_like(Y, value), loss, l2=2.0**63, max_iter=20)
    assert fit.success
    assert np.abs(fit.predict(X)).max() <= 1e-15
    told = heavier_by_units(Objective(NET, X, np.full_like(Y, value), l2=2.0**63))
    if value in {0.0, 1.0}:
        assert told is None
    else:
        assert f"target 0 is {value:.3g} ± 0" in str(told)


def test_the_scale_of_a_robust_fit_to_constant_targets():
    fit = ggn.train_robust(NET, X, np.ones_like(Y), l2=2.0**63)
    assert fit.success
    assert np.abs(fit.predict(X)).max() <= 1e-15
