"""A few targets far from all others: told, with the loss that does not follow them."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import ggn
from ggn.fit.outliers import far_inputs, lone_targets
from ggn.sklearn import GGNClassifier, GGNRegressor
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
    assert lone_targets(X, two).column == 1


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


FAR_VALUES = [([37], -9999.0), ([3, 40, 77], [5e3, -8e3, 6e3]), ([40, 41], 1e200)]


@pytest.mark.parametrize(("rows", "values"), FAR_VALUES)
def test_inputs_that_press_the_others_together_are_told_and_a_clip_helps(rows, values):
    Z = np.column_stack([RNG.normal(size=100), X])
    Z[rows, 1] = values
    for size, offset in [(1.0, 0.0), (1e-9, 0.0), (1e9, 1e9), (-1.0, -3.0)]:
        found = far_inputs(size * Z + offset)
        assert found.column == 1
        np.testing.assert_array_equal(found.rows, list(rows))
    left, errors = np.delete(np.arange(100), rows), []
    for inputs in (Z, np.clip(Z, Z[left].min(axis=0), Z[left].max(axis=0))):
        model = GGNRegressor((6,), alpha=1e-4, random_state=0)
        with warnings.catch_warnings(record=True) as log:
            warnings.simplefilter("always")
            model.fit(inputs, Y)
        told = [str(one.message) for one in log if one.category is ggn.OutliersWarning]
        assert len(told) == (inputs is Z)
        assert all(f"{len(list(rows))} of 100 samples" in text for text in told)
        errors.append(np.sqrt(np.mean((model.predict(Z[left]) - CLEAN[left]) ** 2)))
    assert errors[1] < 0.1 < 0.5 < errors[0]
    with warnings.catch_warnings():  # the default makes them logarithmic
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("error", ggn.OutliersWarning)
        model = GGNRegressor((6,), n_estimators=2, random_state=0).fit(Z, Y)
    assert np.sqrt(np.mean((model.predict(Z[left]) - CLEAN[left]) ** 2)) < 0.7 * errors[0]
    with pytest.warns(ggn.OutliersWarning, match="samples? ha.* an input 1 up to"):
        GGNClassifier((3,), alpha=1e-3).fit(Z, CLEAN > 0.0)


def test_inputs_of_ordinary_columns_are_not_told():
    rng = np.random.default_rng(1)
    for Z in (
        rng.normal(size=(400, 3)),
        rng.exponential(size=(400, 3)),
        rng.standard_t(3, size=(400, 3)),
        rng.uniform(size=(400, 3)) < 0.01,  # a rare level
        rng.poisson(0.02, size=(400, 3)),
        np.exp(rng.normal(size=(400, 3))),
        np.ones((400, 3)),
        (rng.uniform(size=(400, 3)) < 0.05) + 1e-9 * rng.normal(size=(400, 3)),  # levels
    ):
        assert far_inputs(Z.astype(np.float64)) is None
    codes = np.where(rng.uniform(size=(400, 1)) < 0.05, -9999.0, rng.normal(size=(400, 1)))
    for Z in (codes, np.exp(4.0 * rng.normal(size=(400, 1)))):  # of many magnitudes
        assert far_inputs(Z) is not None


@pytest.mark.parametrize("noise", ["contaminated", "heavy_tailed"])
def test_codes_among_the_targets_are_no_matter_of_units_to_who_chose_a_noise_for_them(noise):
    """-9999 makes the others' deviation 4e-4 in units of all: nobody outside has seen those."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-2.0, 2.0, (150, 1))
    y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.normal(size=150)
    y[::20] = -9999.0
    with warnings.catch_warnings():
        warnings.simplefilter("error", ggn.ScalingWarning)
        GGNRegressor(noise=noise, n_estimators=2, random_state=0).fit(X, y)
