"""`NARXRegressor`: sessions, missing values, and what scikit-learn asks of an estimator."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_narx import system

from ggn.sklearn import NARXRegressor
from ggn.validation import ArgumentError

# a series of rows in random order says nothing of these
UNORDERED = {
    "check_methods_sample_order_invariance": "rows follow one another in time",
    "check_methods_subset_invariance": "rows follow one another in time",
    "check_sample_weight_equivalence_on_dense_data": "no sample weights",
    "check_fit2d_1sample": "a series has more samples than lags",
}


@parametrize_with_checks(
    [NARXRegressor(2, output_lags=1, input_lags=1, max_iter=5, random_state=0)],
    expected_failed_checks=lambda estimator: UNORDERED,
)
def test_it_is_an_estimator(estimator, check):
    check(estimator)


def model():
    return NARXRegressor(3, output_lags=2, input_lags=[1], random_state=0, max_iter=60)


def test_sessions_are_series_of_their_own():
    pairs = [system(n, seed) for seed, n in enumerate([150, 100])]
    X = np.concatenate([u for u, _ in pairs])[:, np.newaxis]
    y = np.concatenate([y for _, y in pairs])
    fitted = model().fit(X, y, session_sizes=[150, 100])
    assert fitted.score(X[:150], y[:150]) > 0.999
    runs = fitted.predict(X, y, session_sizes=[150, 100])
    evident = model().set_params(alpha="evidence").fit(X, y, session_sizes=[150, 100])
    assert evident.result_.effective_parameters > 1.0
    assert np.array_equal(runs[150:152], y[150:152])
    np.testing.assert_array_equal(runs[:150], fitted.predict(X[:150], y[:2]))
    ahead = fitted.predict(X, y, steps_ahead=2, session_sizes=[150, 100])
    assert np.isnan(ahead[150:153]).all()


def test_a_gap_is_as_good_as_a_session():
    u, y = system(200)
    holed = y.copy()
    holed[100] = np.nan
    fitted = model().fit(u[:, np.newaxis], holed)
    apart = model().fit(u[:, np.newaxis], holed, session_sizes=[101, 99])
    assert np.array_equal(fitted.result_.w, apart.result_.w)


def test_without_outputs_a_run_begins_with_their_mean():
    u, y = system(200)
    fitted = model().fit(u[:, np.newaxis], y)
    run = fitted.predict(u[:, np.newaxis])
    assert run[:2] == pytest.approx([y.mean()] * 2)
    np.testing.assert_allclose(run[60:], y[60:], atol=0.05)
    assert clone(fitted).get_params() == fitted.get_params()


def test_bad_sessions_are_told():
    u, y = system(50)
    with pytest.raises(ValueError, match="session_sizes must add up to 50 samples, got 40"):
        model().fit(u[:, np.newaxis], y, session_sizes=[20, 20])
    fitted = model().fit(u[:, np.newaxis], y)
    with pytest.raises(ValueError, match="y must be given to predict some steps ahead"):
        fitted.predict(u[:, np.newaxis], steps_ahead=1)


def test_a_free_run_begins_anew_after_each_gap():
    """With y's own samples where they are, without y with the mean; at no others it looks."""
    u, y = system(200)
    X = u[:, np.newaxis].copy()
    fitted = model().fit(X, y)
    X[[80, 81, 140]] = np.nan
    run = fitted.predict(X, y)
    assert np.isnan(run[[80, 81, 140]]).all()
    for a, b in ((0, 80), (82, 140), (141, 200)):
        assert np.array_equal(run[a : a + 2], y[a : a + 2])
        np.testing.assert_array_equal(run[a:b], fitted.predict(X[a:b], y[a : a + 2]))
        assert fitted.predict(X)[a : a + 2] == pytest.approx([y.mean()] * 2)
    begun = np.isin(np.arange(200), [0, 1, 82, 83, 141, 142])
    assert np.array_equal(fitted.predict(X, np.where(begun, y, 7.0)), run, equal_nan=True)
    holed = y.copy()
    holed[83] = np.nan  # no start: nothing before the next gap
    run = fitted.predict(X, holed)
    assert np.isnan(run[82:140]).all()
    assert np.isfinite(run[141:]).all()
    assert np.isnan(fitted.predict(X, y[:2])[80:]).all()


def test_what_a_run_begins_with_is_not_scored():
    u, y = system(200)
    X = u[:, np.newaxis].copy()
    fitted = model().fit(X, y)
    X[[0, 140]] = np.nan
    wrong = y + 0.5 * np.random.default_rng(0).standard_normal(200)
    compared = np.r_[3:140, 143:200]
    error = fitted.predict(X, wrong)[compared] - wrong[compared]
    total = wrong[compared] - wrong[compared].mean()
    assert fitted.score(X, wrong) == pytest.approx(1.0 - (error @ error) / (total @ total))


def test_errors_name_the_estimators_arguments():
    u, y = system(50)
    X = u[:, np.newaxis]
    for name, value in (("n_restarts", 0), ("alpha", -1.0), ("hidden_layer_sizes", -1)):
        with pytest.raises(ArgumentError, match=f"^{name} must be "):
            model().set_params(**{name: value}).fit(X, y)
    fitted = model().fit(X, y)
    for value in (0, -1, 1.5, "two"):
        with pytest.raises(ArgumentError, match=r"^steps_ahead must be an integer of at least 1"):
            fitted.predict(X, y, steps_ahead=value)
    for more in ({}, {"steps_ahead": 1}):
        with pytest.raises(ArgumentError, match=r"^y must have 1 column"):
            fitted.predict(X, np.column_stack([y, y]), **more)
