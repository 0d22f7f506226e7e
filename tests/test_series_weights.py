"""Series in other units and with weights: what is said of noise, bounds and verdicts."""

import numpy as np
import pytest

import ggn
from ggn.recurrent.scaling import moments


def linear(T, seed, noise=0.1):
    rng = np.random.default_rng(seed)
    u, y = rng.uniform(-1.0, 1.0, T), np.zeros(T)
    for k in range(1, T):
        y[k] = 0.8 * y[k - 1] + u[k - 1]
    return u, y + noise * rng.standard_normal(T)


def bent(T, seed, noise=0.05):
    rng = np.random.default_rng(seed)
    u, y = rng.uniform(-1.0, 1.0, T), np.zeros(T)
    for k in range(1, T):
        y[k] = 0.6 * y[k - 1] + np.tanh(u[k - 1])
    return u, y, y + noise * rng.standard_normal(T)


ARX = {"hidden": 0, "output_lags": 1, "input_lags": [1]}
BENT = {"hidden": 4, "output_lags": 1, "input_lags": [1]}


@pytest.mark.parametrize("free_start", [False, True])
@pytest.mark.parametrize("l2", [0.0, "evidence"])
@pytest.mark.parametrize(
    ("su", "sy", "offset"), [(1e-3, 1.0, 0.0), (1e-3, 1e3, 0.0), (1e-6, 1e-6, 0.0), (1.0, 1.0, 1e4)]
)
def test_what_is_left_open_does_not_depend_on_units(su, sy, offset, l2, free_start):
    """A direction that the data hardly know in one unit was known for certain in another."""
    u, y = linear(150, 0)
    one, other = (
        ggn.narx(u * a + o, y * b + o, l2=l2, free_start=free_start, **ARX)
        for a, b, o in ((1.0, 1.0, 0.0), (su, sy, offset))
    )
    own = np.array([1.0, su / sy])
    C = other.weight_covariance()[:2, :2] * own[:, np.newaxis] * own
    np.testing.assert_allclose(C, one.weight_covariance()[:2, :2], rtol=1e-5, atol=1e-12)
    low, high = one.intervals(u, y[:1])
    lower, upper = other.intervals(u * su + offset, y[:1] * sy + offset)
    np.testing.assert_allclose(upper - lower, sy * (high - low), rtol=1e-6)


def test_covariance_and_noise_are_those_of_least_squares():
    u, y = linear(60, 1)
    fit = ggn.narx(u, y, free_run=False, **ARX)
    A = np.column_stack([y[:-1], u[:-1], np.ones(59)])
    _, (squares,), *_ = np.linalg.lstsq(A, y[1:], rcond=None)
    sigma2 = squares / (59 - 3)
    np.testing.assert_allclose(fit.weight_covariance(), sigma2 * np.linalg.inv(A.T @ A), rtol=1e-6)
    low, high = fit.intervals(u[:2], y[:1])
    s = A[0]
    half = 1.6448536269514722 * np.sqrt(sigma2 + s @ fit.weight_covariance() @ s)
    assert 0.5 * (high[1] - low[1]) == pytest.approx(half, rel=1e-6)


def test_a_loss_of_a_scale_that_nobody_estimated_has_no_intervals():
    u, y = linear(100, 2)
    fit = ggn.narx(u, y, ggn.losses.Cauchy(0.25), **ARX)
    for asked in (fit.weight_covariance, lambda: fit.intervals(u, y[:1])):
        with pytest.raises(ValueError, match="need the squared loss, or robust=True"):
            asked()
    assert ggn.narx(u, y, "cauchy", robust=True, **ARX).weight_covariance().shape == (3, 3)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_diagnosis_is_of_the_starts_that_were_fitted(seed):
    u, y = linear(120, seed, 0.3)
    fit = ggn.narx(u, y, free_start=True, **ARX)
    found = ggn.diagnose(fit, u, y)
    assert found.loss == pytest.approx(fit.fun, rel=1e-9)
    assert found.gradient_norm < 1e-8
    assert "minimum" in found.verdict.value
    with pytest.raises(ValueError, match="must have the 1 runs whose starts were fitted, got 2"):
        ggn.diagnose(fit, [u, u], [y, y])


def widths(u, y, s, **options):
    low, _, high = ggn.statespace(u, y, 1, f=None, sample_weight=s).intervals(0.9, **options).T[0]
    return (high - low)[20:]


def test_bounds_of_states_count_weights_as_copies():
    u, y = linear(300, 3)
    one, half = np.ones(300), np.repeat([1.0, 0.0], 150)
    plain = widths(u, y, None, noise=True)
    for s in (one, 0.01 * one):
        np.testing.assert_allclose(widths(u, y, s, noise=True), plain, rtol=1e-6)
    copies = ggn.statespace([u] * 4, [y] * 4, 1, f=None).intervals(0.9)[0]
    np.testing.assert_allclose(
        widths(u, y, 4.0 * one), (copies[:, 2, 0] - copies[:, 0, 0])[20:], rtol=0.02
    )
    gap = np.where(half > 0.0, y, np.nan)
    np.testing.assert_allclose(widths(u, y, half), widths(u, gap, None), rtol=1e-6)


@pytest.mark.parametrize("l2", [1e-4, "evidence"])
def test_a_sample_of_no_weight_says_nothing_of_units(l2):
    u, y, m = bent(200, 0)
    s, wild, gap = np.ones(200), m.copy(), m.copy()
    s[150], wild[150], gap[150] = 0.0, 1e6, np.nan
    for fit in (
        lambda given, s: ggn.narx(u, given, l2=l2, sample_weight=s, **BENT).simulate(u, y[:1]),
        lambda given, s: ggn.statespace(u, given, 1, f=3, l2=l2, sample_weight=s).simulate(),
    ):
        for run in (fit(wild, s), fit(gap, None)):
            assert np.sqrt(np.mean(np.square(np.ravel(run) - y))) < 0.03


def test_small_weights_only_compare_samples_to_the_evidence_of_series():
    u, y, m = bent(200, 1)
    for c in (1.0, 0.01):
        s = np.full(200, c)
        runs = (
            ggn.narx(u, m, l2="evidence", sample_weight=s, **BENT).simulate(u, y[:1]),
            ggn.statespace(u, m, 1, f=3, l2="evidence", sample_weight=s).simulate(),
        )
        for run in runs:
            assert np.sqrt(np.mean(np.square(np.ravel(run) - y))) < 0.03


def test_moments_of_weighted_columns(rng):
    A, s = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
    A[3, 1] = np.nan
    for found, expected in zip(moments(A, 1.0 * s), moments(np.repeat(A, s, axis=0)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    constant = np.where(s[:, np.newaxis] > 0, 5.0, A)
    for found, expected in zip(moments(constant, 1.0 * s), moments(constant), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_that_nobody_can_count_are_refused_as_they_were_given():
    u, y = linear(60, 0)
    s = np.ones(60)
    s[5] = -0.5
    for l2 in (0.0, "evidence"):
        for train in (
            lambda s, l2=l2: ggn.statespace(u, y, 1, f=None, l2=l2, sample_weight=s),
            lambda s, l2=l2: ggn.narx(u, y, l2=l2, sample_weight=s, **ARX),
        ):
            with pytest.raises(ValueError, match=r"must not be negative, got -0.5 at"):
                train(s)
            with pytest.raises(ValueError, match="must not be all zero"):
                train(0.0 * s)


def test_an_output_without_weight_keeps_its_units():
    u, y = linear(120, 0)
    two = np.column_stack([y, y + 5.0])
    two[60:, 1] = np.nan
    fit = ggn.statespace(u, two, 1, f=None, sample_weight=np.repeat([0.0, 1.0], 60))
    assert np.isfinite(fit.scaling.y_mean).all()


def test_weights_at_gaps_are_none():
    u, y, m = bent(200, 0)
    m[::2], s = np.nan, np.full(200, 0.001)
    s[::2] = 1.0
    run = ggn.statespace(u, m, 1, f=3, l2="evidence", sample_weight=s).simulate()
    assert np.sqrt(np.mean(np.square(np.ravel(run) - y))) < 0.1


@pytest.mark.parametrize("options", [{}, {"l2": 1e-3}, {"free_start": True}])
def test_small_weights_leave_bounds_of_lags_as_they_are(options):
    u, y = linear(120, 4)
    widths = []
    for s in (None, np.full(120, 0.01)):
        low, high = ggn.narx(u, y, sample_weight=s, **options, **ARX).intervals(u, y[:1])
        widths.append((high - low)[1:])
    np.testing.assert_allclose(*widths, rtol=1e-6)
