"""A few targets far from all others: told, with the loss that does not follow them."""

import warnings

import numpy as np
import pytest

import ggn
from ggn.fit.outliers import lone_targets
from ggn.sklearn import GGNRegressor
from ggn.surface import Advice

RNG = np.random.default_rng(0)
X = np.sort(RNG.uniform(-1.0, 1.0, (100, 1)), axis=0)
CLEAN = np.sin(4.0 * X[:, 0])
Y = CLEAN + 0.05 * RNG.normal(size=100)


def spoilt(rows, values):
    y = Y.copy()
    y[rows] = values
    return y


WILD = [
    ([37], -9999.0),  # a code for a missing value
    ([3, 40, 77], [50.0, -80.0, 60.0]),  # slipped digits
    ([40, 41], 1e6),  # two neighbours, from a sensor that stuck
    (range(5, 95, 10), -1e3),  # nine of a hundred
]


@pytest.mark.parametrize(("rows", "values"), WILD)
def test_they_are_found_in_any_units(rows, values):
    y = spoilt(rows, values)
    for x_size, y_size, offset in [(1.0, 1.0, 0.0), (1e-9, 1e6, 1e3), (1e9, -1e-12, -3.0)]:
        found = lone_targets(x_size * (X + offset), y_size * (y[:, np.newaxis] + offset))
        np.testing.assert_array_equal(found.rows, list(rows))
    two = np.column_stack([Y, y])
    assert lone_targets(X, two).output == 1


def test_what_stands_together_is_none():
    """Peaks, steps, spikes of several samples and skewed targets belong to the curve."""
    x = X[:, 0]
    curves = [
        np.exp(-200.0 * x**2),
        np.exp(12.0 * x),
        np.where(x > 0.9, 1e3, 0.0),
        1.0 / (x + 1.01),
    ]
    for curve in curves:
        for noise in (0.0, 1e-3):
            y = curve + noise * RNG.normal(size=100)
            assert lone_targets(X, y[:, np.newaxis]) is None
    heavy = RNG.standard_cauchy(400)[:, np.newaxis]  # more than one in ten, of any size
    wide = RNG.uniform(size=(400, 5))
    assert lone_targets(wide, np.exp(8.0 * wide[:, :1])) is None
    assert lone_targets(wide[:6], heavy[:6]) is None
    assert lone_targets(wide, np.ones((400, 2))) is None


@pytest.mark.parametrize("options", [{}, {"alpha": 1e-4}, {"alpha": 0.0}, {"early_stopping": True}])
def test_an_estimator_warns_and_what_it_advises_helps(options):
    y = spoilt([37], -9999.0)
    told = r"^1 of 100 samples has a target up to .* nearest to it have not \(-9999\).* there is "
    told += "loss='cauchy'" if options else "noise='contaminated', or loss='cauchy'"
    with pytest.warns(ggn.OutliersWarning, match=told) as log:
        model = GGNRegressor((6,), random_state=0, **options).fit(X, y)
    assert log[0].filename == __file__
    assert 'loss="cauchy"' in str(model.diagnosis_.suggestion)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.OutliersWarning)
        advised = GGNRegressor((6,), loss="cauchy", alpha=1e-4, random_state=0).fit(X, y)
        GGNRegressor((6,), loss=ggn.losses.Squared(), alpha=1e-4, random_state=0).fit(X, y)
        GGNRegressor((6,), alpha=1e-4, random_state=0).fit(X, Y)
    error, before = (np.sqrt(np.mean((m.predict(X) - CLEAN) ** 2)) for m in (advised, model))
    assert error < 0.05 < before


@pytest.mark.filterwarnings(
    "ignore::ggn.ScalingWarning",
    "ignore::ggn.EvidenceWarning",
    "ignore::sklearn.exceptions.ConvergenceWarning",
)
@pytest.mark.parametrize("noise", ["contaminated", "heavy_tailed"])
def test_noise_that_knows_outliers_helps_and_is_not_told_of_them(noise):
    y = spoilt(*WILD[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.OutliersWarning)
        model = GGNRegressor((6,), noise=noise, n_estimators=2, random_state=0).fit(X, y)
    assert np.sqrt(np.mean((model.predict(X) - CLEAN) ** 2)) < 0.05
    with pytest.warns(ggn.OutliersWarning, match="^3 of 100 samples have targets up to"):
        GGNRegressor((6,), noise="varying", n_estimators=1, max_iter=2).fit(X, y)


@pytest.mark.parametrize("d", [1, 2, 4, 10])
def test_any_number_of_inputs_and_what_is_only_far_from_the_curve(d):
    """As docs/faq.rst says: 30 deviations of the targets, not of the noise."""
    rng = np.random.default_rng(d)
    Z = rng.uniform(-1.0, 1.0, (200, d))
    y = np.sin(4.0 * Z[:, :1]) + 0.05 * rng.normal(size=(200, 1))
    y[[7, 50]] += [[40.0], [-60.0]]
    np.testing.assert_array_equal(lone_targets(Z, y).rows, [7, 50])
    y[[7, 50]] *= 0.05  # 40 deviations of the noise
    assert lone_targets(Z, y) is None


def test_a_diagnosis_advises_a_robust_loss():
    net, y = ggn.MLP((1, 6, 1)), spoilt([37], -9999.0)
    fit = ggn.train(net, X, y, l2=1e-4, max_iter=200)
    found = ggn.diagnose(fit, X, y)
    assert found.suggestion.advice[-1] is Advice.ROBUST
    assert "train_robust" in str(found)
    assert "1 of 100 samples has a target up to" in str(found)
    for loss, targets in (("cauchy", y), ("squared", Y)):
        fit = ggn.train(net, X, targets, loss, l2=1e-4, max_iter=200)
        assert Advice.ROBUST not in ggn.diagnose(fit, X, targets).suggestion.advice
