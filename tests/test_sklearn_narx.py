"""`NARXRegressor`: sessions, missing values, and what scikit-learn asks of an estimator."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from test_narx import system

from ggn.sklearn import NARXRegressor

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
