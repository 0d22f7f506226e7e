"""What samples count for under each kind of noise: SciPy's likelihoods, variances put in."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

import ggn
from ggn.fit import noise as kinds
from ggn.fit.noise import KINDS
from ggn.fit.variance import GAMMA, fitted_variance


def test_student_counts_are_of_greatest_likelihood():
    """σ for each ν, and ν among those asked, by SciPy's minimiser and its densities."""
    rng = np.random.default_rng(1)
    q, s = rng.standard_t(3.0, size=400) ** 2, rng.uniform(0.5, 2.0, 400)
    best = {}
    for v in kinds.FREEDOMS:

        def cost(log_scale, v=v):
            return -s @ stats.t(v, scale=math.exp(log_scale)).logpdf(np.sqrt(q))

        found = optimize.minimize_scalar(cost, bounds=(-5.0, 5.0), options={"xatol": 1e-10})
        best[v] = found.fun, math.exp(found.x)
    v = min(best, key=lambda v: best[v][0])
    counts = KINDS["heavy_tailed"].counts(np.zeros((400, 1)), q, s, 1)
    assert counts.law.freedom == v
    u = (v + 1.0) / (v + q / best[v][1] ** 2)
    np.testing.assert_allclose(counts.u, u * s.sum() / (s @ u), rtol=1e-5)


def test_contamination_is_of_greatest_likelihood():
    rng = np.random.default_rng(2)
    r = rng.normal(size=500) * np.where(rng.uniform(size=500) < 0.1, 20.0, 1.0)
    counts = KINDS["contaminated"].counts(np.zeros((500, 1)), r**2, np.ones(500), 1)

    def cost(at):
        share, narrow, wide = stats.logistic.cdf(at[0]), *np.exp(at[1:])
        good, bad = stats.norm(scale=narrow).pdf(r), stats.norm(scale=wide).pdf(r)
        return -np.log((1.0 - share) * good + share * bad).sum()

    found = optimize.minimize(cost, [-2.0, 0.0, 3.0], tol=1e-12).x
    assert counts.law.share == pytest.approx(stats.logistic.cdf(found[0]), rel=1e-3)
    assert counts.wide == pytest.approx(np.exp(2.0 * found[2]), rel=1e-3)
    good = (1.0 - counts.law.share) * stats.norm(scale=np.exp(found[1])).pdf(r)
    bad = counts.law.share * stats.norm(scale=np.exp(found[2])).pdf(r)
    np.testing.assert_allclose(counts.u, good / (good + bad), atol=1e-3)


@pytest.mark.parametrize("nL", [1, 2])
def test_no_outliers_among_normal_numbers(nL):
    q = np.square(np.random.default_rng(3).normal(size=(300, nL))).mean(axis=1)
    counts = KINDS["contaminated"].counts(np.zeros((300, 1)), q, np.ones(300), nL)
    assert counts.law.share == 0.0
    np.testing.assert_array_equal(counts.u, 1.0)


# ------------------------------------------------------------- a variance as a function of inputs


def test_the_loss_of_a_variance():
    F, Y = np.linspace(-2.0, 2.0, 9)[:, np.newaxis], np.linspace(0.0, 4.0, 9)[:, np.newaxis]
    half = -stats.norm(scale=np.exp(0.5 * F)).logpdf(np.sqrt(Y)) - 0.5 * math.log(2.0 * math.pi)
    np.testing.assert_allclose(GAMMA.value(F, Y), 2.0 * half[:, 0], rtol=1e-12)
    h = 1e-5
    slope = (GAMMA.value(F + h, Y) - GAMMA.value(F - h, Y)) / (2.0 * h)
    np.testing.assert_allclose(GAMMA.gradient(F, Y)[:, 0], slope, atol=1e-8)
    bend = (GAMMA.gradient(F + h, Y) - GAMMA.gradient(F - h, Y)) / (2.0 * h)
    np.testing.assert_allclose(GAMMA.hessian(F, Y), bend, atol=1e-8)


def test_a_variance_of_one_input_among_four():
    rng = np.random.default_rng(0)
    X = 5.0 + 100.0 * rng.uniform(-1.0, 1.0, (400, 4))  # units of the inputs do not matter
    true = 2.3 * X[:, 2] / 100.0
    found = fitted_variance(X, np.exp(true) * rng.chisquare(1, 400), np.ones(400), 1)
    log_variance = np.log(found.size * found.law.variance(X)[:, 0])
    assert np.sqrt(np.mean((log_variance - true) ** 2)) < 0.35  # of a deviation of 1.33
    assert found.log_evidence < 0.0


@pytest.mark.parametrize("seed", range(2))
def test_a_variance_that_does_not_vary(seed):
    rng = np.random.default_rng(seed)
    q = rng.chisquare(1, 150)
    found = fitted_variance(rng.normal(size=(150, 3)), q, np.ones(150), 1)
    assert (found.law.kind, found.size) == ("constant", pytest.approx(q.mean()))


SHORT = {
    "one step": {"max_iter": 1},
    "no time": {"max_seconds": 1e-9},
    "a mixture without time": {"max_seconds": 1e-9, "n_estimators": 2},
    "constant targets": {"value": 1.0},
    "a sample": {"rows": 1},
    "two samples": {"rows": 2},
    "targets of 1e-9": {"y_size": 1e-9, "noisy": 0.0},
    "inputs about 1e6": {"x_mean": 1e6},
}


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning", "ignore::ggn.ScalingWarning")
@pytest.mark.parametrize("what", list(SHORT))
@pytest.mark.parametrize("noise", list(KINDS))
def test_fits_that_end_early_or_have_little_to_tell(noise, what):
    """They have intervals, by the law that was reached, whatever was asked for."""
    options = dict(SHORT[what])
    rng, rows = np.random.default_rng(0), options.pop("rows", 60)
    x = rng.uniform(-2.0, 2.0, (rows, 1))
    y = np.sin(x) + options.pop("noisy", 0.1) * rng.normal(size=x.shape)
    y = np.full_like(x, options.pop("value")) if "value" in options else y
    x, y = x + options.pop("x_mean", 0.0), options.pop("y_size", 1.0) * y
    fit = ggn.train_bayesian(ggn.MLP((1, 6, 1)), x, y, noise=noise, **{"max_iter": 60, **options})
    low, high = fit.intervals(x)
    assert (low <= high).all()
    assert not np.isnan(fit.log_likelihood(x, y)).any()
    assert not math.isnan(fit.log_evidence)
