"""The regressor's default: a mixture chosen by the evidence, and what it says of new targets."""

import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn_data import quiet, regression

import ggn
from ggn.export import to_c
from ggn.fit.mixture import Mixture
from ggn.sklearn import GGNClassifier, GGNRegressor


@pytest.fixture(scope="module")
def fitted():
    X, y = regression(T=150)
    return X, y, GGNRegressor(8, n_estimators=3, random_state=0).fit(X, y)


def test_what_a_fit_leaves_behind(fitted):
    X, y, model = fitted
    assert isinstance(model.result_, Mixture)
    assert len(model.restarts_.runs) == len(model.result_.members) == 3
    assert model.model_.net.sizes == (3, 24, 1)
    error = (model.predict(X) - y) / model.model_.y_scale
    assert model.loss_ == pytest.approx(np.mean(error**2), rel=1e-10)
    assert model.model_.linearize(X, y).loss == pytest.approx(model.loss_, rel=1e-10)
    assert model.n_iter_ == max(member.nit for member in model.result_.members)
    best = model.result_.best
    assert model.diagnosis_.loss == pytest.approx(best.fun, rel=1e-12)


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 2)])
@quiet
def test_all_that_is_said_has_the_shape_of_the_targets(shape):
    X, y = regression(2)
    y = y[:, : np.prod(shape) // 60].reshape(shape)
    model = GGNRegressor(3, n_estimators=2, max_iter=10, random_state=0).fit(X, y)
    mean, std = model.predict(X[:7], return_std=True)
    low, high = model.predict_interval(X[:7], 0.8)
    logs = model.log_likelihood(X[:7], y[:7])
    assert mean.shape == std.shape == low.shape == high.shape == logs.shape == (7, *shape[1:])
    np.testing.assert_array_equal(mean, model.predict(X[:7]))
    assert (std > 0.0).all()
    assert ((low < mean) & (mean < high)).all()
    assert model.sample_y(X[:7], 4).shape == (7, *shape[1:], 4)


def test_units_of_the_targets(fitted):
    """Twice the targets: twice the deviations, and densities half as large."""
    X, y, model = fitted
    other = clone(model).fit(X, 2.0 * y)
    for a, b in zip(model.predict_interval(X), other.predict_interval(X), strict=True):
        np.testing.assert_allclose(2.0 * a, b, rtol=1e-6)
    np.testing.assert_allclose(
        model.log_likelihood(X, y) - np.log(2.0), other.log_likelihood(X, 2.0 * y), atol=1e-5
    )


def test_draws_are_reproducible_and_as_wide_as_said(fitted):
    X, _, model = fitted
    one = model.sample_y(X[:5], 5000, random_state=3)
    np.testing.assert_array_equal(one, model.sample_y(X[:5], 5000, random_state=3))
    mean, std = model.predict(X[:5], return_std=True)
    np.testing.assert_allclose(one.std(axis=1), std, rtol=0.08)
    np.testing.assert_allclose(one.mean(axis=1), mean, atol=0.1 * std.max())


def test_copies_and_files(fitted, tmp_path):
    X, _, model = fitted
    twin = pickle.loads(pickle.dumps(model))
    for a, b in zip(twin.predict(X, True), model.predict(X, True), strict=True):
        np.testing.assert_array_equal(a, b)
    model.model_.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(
        ggn.Model.load(tmp_path / "m.npz").predict(X)[:, 0], model.predict(X)
    )
    assert "[24]" in to_c(model) or "24" in to_c(model)


def test_threads_and_jobs_change_no_bit(fitted):
    X, y, model = fitted
    for n_jobs in (1, 2):
        again = clone(model).set_params(n_jobs=n_jobs).fit(X, y)
        np.testing.assert_array_equal(again.predict(X), model.predict(X))


@quiet
def test_warm_start_goes_on_with_every_network(fitted):
    X, y, model = fitted
    model = clone(model).set_params(warm_start=True, max_iter=20).fit(X, y)
    before = model.result_.members
    model.set_params(max_iter=1).fit(X[:-1], y[:-1])
    for old, new in zip(before, model.result_.members, strict=True):
        assert new.nit <= 11
        change = new.net.forward(new.w, old.X) - old.net.forward(old.w, old.X)
        assert 0.0 < np.sqrt(np.mean(change**2)) < 0.1
    with pytest.raises(ValueError, match=r"goes on with the network of the last fit, MLP\(\(3, 8,"):
        model.set_params(hidden_layer_sizes=5).fit(X, y)


@quiet
@pytest.mark.parametrize(
    "given", [{"alpha": 1e-3}, {"loss": "cauchy"}, {"early_stopping": True}, {"n": 1500}]
)
def test_where_there_is_no_evidence(given):
    given = dict(given)
    X, y = regression(T=30)
    X = np.tile(X, (1, given.pop("n") // 3)) if "n" in given else X
    model = GGNRegressor(3, max_iter=2, random_state=0).set_params(**given).fit(X, y)
    for ask in (
        lambda: model.predict(X, return_std=True),
        lambda: model.predict_interval(X),
        lambda: model.sample_y(X),
        lambda: model.log_likelihood(X, y),
    ):
        with pytest.raises(ValueError, match=r"needs a fit with alpha='evidence'") as caught:
            ask()
        # a search over numbers is told the way on
        assert ("ggn.train_bayesian" in str(caught.value)) == ("alpha" in given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"alpha": "evidance"}, r"^alpha must be a number or 'evidence', got 'evidance'"),
        ({"alpha": None}, r"^alpha must be a number or 'evidence', got None"),
        ({"alpha": [1e-3, 1e-2]}, r"^alpha must be a number or 'evidence', got \[0.001, 0.01\]"),
        ({"n_estimators": 0}, r"^n_estimators must be an integer of at least 1, got 0"),
        ({"hidden_layer_sizes": "many"}, r"^hidden_layer_sizes must be an integer or a sequence"),
    ],
)
def test_parameters_that_cannot_be_used(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        GGNRegressor(**given).fit(*regression())
    if "alpha" in given:
        with pytest.raises(
            ValueError, match=r"^alpha must be a number or 'cross_validation', got "
        ):
            GGNClassifier(**given).fit([[0.0], [1.0], [2.0]], [0, 1, 1])


@quiet
@pytest.mark.parametrize(("T", "units"), [(60, 20), (700, 35), (3000, 50)])
def test_hidden_units_by_the_size_of_the_data(T, units):
    X, y = make_friedman1(T, random_state=0)
    model = GGNRegressor(n_estimators=1, max_iter=1, random_state=0).fit(X, y)
    assert model.result_.best.net.sizes == (10, units, 1)


def test_the_default_does_not_overfit_noise():
    """Friedman's first function with noise 1: penalties run to their end have errors of 1.23."""
    X, y = make_friedman1(1450, noise=1.0, random_state=0)
    model = GGNRegressor(20, random_state=0).fit(X[:450], y[:450])
    assert np.sqrt(np.mean((model.predict(X[450:]) - y[450:]) ** 2)) < 1.17
    low, high = model.predict_interval(X[450:])
    assert 0.85 < np.mean((low < y[450:]) & (y[450:] < high)) < 0.95


PLANE = (
    r"^{} different samples are no more than a plane in {} inputs fits exactly, .*no hidden units$"
)


def told_of_a_plane(make):
    """Whether a warning says so, once, and to whom."""
    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("always")
        make()
    told = [at for at in log if " than a plane in " in str(at.message)]
    assert all(at.category is ggn.EvidenceWarning and at.filename == __file__ for at in told)
    assert len(told) <= 1
    return str(told[0].message) if told else ""


@pytest.mark.parametrize(
    ("T", "copies", "n0", "constant", "dummies", "told"),
    [
        (24, 1, 30, 0, 0, True),
        (24, 1, 23, 0, 0, True),  # with the column of ones
        (24, 1, 22, 0, 0, False),
        (24, 2, 23, 0, 0, True),  # copies say nothing new
        (24, 1, 20, 9, 0, False),  # nor do columns that do not vary
        (24, 1, 10, 0, 30, False),  # or that are sums of others
    ],
)
def test_a_plane_through_all_samples_is_told(T, copies, n0, constant, dummies, told):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(T, n0))
    X = np.hstack([X, np.ones((T, constant)), X @ rng.normal(size=(n0, dummies))])
    y = X[:, 0] + 0.5 * rng.normal(size=T)
    X, y = np.repeat(X, copies, axis=0), np.repeat(y, copies)
    message = told_of_a_plane(
        lambda: GGNRegressor(2, n_estimators=2, max_iter=2, random_state=0).fit(X, y)
    )
    assert bool(message) is told
    if told:
        assert re.match(PLANE.format(T, n0), message)
    net = ggn.MLP((X.shape[1], 2, 1))
    twice = told_of_a_plane(lambda: ggn.train_bayesian(net, X, y, n_estimators=2, max_iter=2))
    assert bool(twice) is told
    # in closed form, and where one prior is shared by all inputs
    linear = GGNRegressor((), n_estimators=2, random_state=0)
    assert not told_of_a_plane(lambda: linear.fit(X, y))
    assert not told_of_a_plane(lambda: ggn.train_bayesian(net, X, y, max_iter=2))


def test_what_is_advised_where_a_plane_passes_through_all_samples_helps():
    """Without hidden units intervals hold what they say; with them they may hold half of it."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(440, 60))
    y = X[:, :4] @ [2.0, -1.0, 1.0, 0.5] + 0.5 * rng.normal(size=440)
    model = GGNRegressor((), random_state=0).fit(X[:40], y[:40])
    low, high = model.predict_interval(X[40:])
    assert 0.85 < np.mean((low < y[40:]) & (y[40:] < high)) < 0.99


def test_of_constant_inputs_there_is_no_plane():
    y = np.random.default_rng(0).normal(size=30)
    model = GGNRegressor(3, n_estimators=2, max_iter=50, random_state=0)
    told = told_of_a_plane(lambda: model.fit(np.ones((30, 2)), y))
    assert not told
    np.testing.assert_allclose(model.predict(np.ones((2, 2))), y.mean(), rtol=1e-6)


@pytest.mark.parametrize("wrong", ["two", 1.5, 0])
def test_a_number_of_jobs_that_is_none(wrong):
    X, y = regression(T=30)
    with pytest.raises(ValueError, match=rf"^n_jobs must be .*got '?{wrong}"):
        GGNRegressor(3, max_iter=20, n_jobs=wrong).fit(X, y)
