"""Defaults beside a plane that explains most of it; weights of samples that are not how many."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import ggn
from ggn.sklearn import GGNRegressor


def wave_and_slopes(seed, T):
    """One wave, twelve slopes that explain most of it, noise of 0.1."""
    rng = np.random.default_rng(seed)
    X, slopes = rng.normal(size=(T, 13)), np.linspace(-1.0, 1.0, 12)
    y = np.sin(2.0 * X[:, 0]) + 1.2 * X[:, 1:] @ slopes / np.linalg.norm(slopes)
    return X, y + 0.1 * rng.normal(size=T)


def wave_and_levels(seed, T):
    rng = np.random.default_rng(seed)
    t, level = rng.normal(size=T), rng.integers(0, 12, T)
    return np.c_[t, np.eye(12)[level]], np.sin(2.0 * t) + level / 3.0 + 0.1 * rng.normal(size=T)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of one network
@pytest.mark.parametrize("table", [wave_and_slopes, wave_and_levels])
def test_what_bends_is_found_beside_a_plane(table):
    (X, y), (unseen, truth) = table(1, 300), table(101, 1000)
    models = LinearRegression(), GGNRegressor(random_state=0)
    plane, found = (np.std(model.fit(X, y).predict(unseen) - truth) for model in models)
    assert found < 0.2 < 0.6 < plane


def test_a_plane_with_noise_stays_one():
    rng = np.random.default_rng(0)
    X, slopes = rng.normal(size=(1150, 8)), np.ones(8)
    y = X @ slopes + 2.0 * rng.normal(size=1150)
    plane = LinearRegression().fit(X[:150], y[:150])
    model = GGNRegressor(random_state=0).fit(X[:150], y[:150])
    errors = [np.std(one.predict(X[150:]) - X[150:] @ slopes) for one in (plane, model)]
    assert errors[1] < 1.25 * errors[0]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("each", [1.75, 7.5, 1e18])
def test_weights_that_are_not_how_many_are_told(each):
    x = np.linspace(-1.0, 1.0, 60)
    options = {"n_estimators": 1, "max_iter": 20, "random_state": 0}
    said = "^sample_weight sums to .* for 60 samples, and the evidence takes a weight of 2"
    with pytest.warns(ggn.EvidenceWarning, match=said) as log:
        GGNRegressor((2,), **options).fit(x[:, None], np.sin(x), np.full(60, each))
    assert log[0].filename == __file__
    with pytest.warns(ggn.EvidenceWarning, match=said):
        ggn.train_bayesian(ggn.MLP((1, 2, 1)), x, np.sin(x), sample_weight=np.full(60, each))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.5, 1.5), (0.0, 1.0), (1.0, 90.0), (0.4, 0.9)])
def test_how_often_samples_occur_and_weights_near_one_are_not(weights):
    x = np.linspace(-1.0, 1.0, 60)
    s = np.where(np.arange(60) % 2, *weights)
    y = np.sin(x) + 0.1 * np.random.default_rng(0).normal(size=60)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.EvidenceWarning)
        GGNRegressor((2,), n_estimators=1, random_state=0).fit(x[:, None], y, s)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("each", [1e-6, 1.0 / 60.0, 0.3])
def test_weights_that_are_less_than_the_samples_compare_them(each):
    x = np.linspace(-1.0, 1.0, 60)[:, None]
    y, s = np.sin(x[:, 0]) + 0.1 * np.random.default_rng(0).normal(size=60), np.full(60, each)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.EvidenceWarning)
        model = GGNRegressor((2,), n_estimators=1, random_state=0)
        found, plain = model.fit(x, y, s).result_, model.fit(x, y).result_
    np.testing.assert_allclose(found.noise_std, plain.noise_std, rtol=0.02)
    assert found.effective_parameters == pytest.approx(plain.effective_parameters, rel=0.05)


def test_weights_whose_sum_leaves_float64_count_nothing():
    x, s = np.linspace(-1.0, 1.0, 30)[:, np.newaxis], np.full(30, 1e308)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for fit in (
            lambda: GGNRegressor(3, n_estimators=2).fit(x, x[:, 0], s),
            lambda: ggn.train_bayesian(ggn.MLP((1, 3, 1)), x, x, sample_weight=s),
            lambda: ggn.train_robust(ggn.MLP((1, 3, 1)), x, x, sample_weight=s),
            lambda: GGNRegressor(3, loss="cauchy").fit(x, x[:, 0], s),
        ):
            with pytest.raises(ValueError, match=r"^sample_weight must be of a size in .*1e\+308"):
                fit()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_copies_under_a_noise_that_varies_are_told_of():
    """What varies would follow each residual, as its copies agree."""
    x = np.linspace(-1.7, 1.7, 40)
    y = np.sin(x) + 0.1 * np.random.default_rng(0).normal(size=40)
    options = {"noise": "varying", "max_iter": 20}
    for each, tells in ((1.0, False), (2.0, True), (10.0, True)):
        with warnings.catch_warnings(record=True) as log:
            warnings.simplefilter("always")
            s = np.full(40, each)
            ggn.train_bayesian(ggn.MLP((1, 2, 1)), x, y, sample_weight=s, **options)
            model = GGNRegressor((2,), n_estimators=1, random_state=0, **options)
            model.fit(x[:, np.newaxis], y, s)
        said = [w for w in log if "the sample given twice" in str(w.message)]
        assert len(said) == 2 * tells


@pytest.mark.parametrize("noise", ["constant", "contaminated"])
def test_one_sample_that_counts_for_more_than_all_others_is_told_of(noise):
    """And that its copies agree does not make outliers of the others."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1.7, 1.7, 60)[:, np.newaxis]
    y = np.sin(x[:, 0]) + 0.1 * rng.normal(size=60)
    s = np.ones(60)
    s[10] = 100.0
    with pytest.warns(ggn.EvidenceWarning, match="sample 10 count for more than all 59 others"):
        fit = ggn.train_bayesian(ggn.MLP((1, 6, 1)), x, y, noise=noise, sample_weight=s)
    assert fit.noise_std > 1e-3
    if noise == "contaminated":
        assert fit.noise.share < 0.5
    s[10] = 50.0
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.EvidenceWarning)
        ggn.train_bayesian(ggn.MLP((1, 6, 1)), x, y, noise=noise, sample_weight=s)
