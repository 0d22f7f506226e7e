"""Where a fit by the evidence stops: before noise is fitted, and where a good end is left alone."""

import math
import time

import numpy as np
import pytest

import ggn
from ggn import Status
from ggn.fit.alternation import settle
from ggn.fit.bayes import train_bayesian
from ggn.fit.limits import Limits
from ggn.fit.stages import Stages
from ggn.fit.start import draw
from ggn.linearization import Objective


def noisy(seed, T=80):
    """A curved surface over two of six inputs, with noise of half its deviation."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (T, 6))
    return X, np.sin(X[:, :1]) + 0.3 * X[:, 1:2] ** 2, 0.4 * rng.normal(size=(T, 1))


def to_the_end(net, X, Y, seed, judged=False):
    """The alternation that nobody judges, or somebody does."""
    data, limits = Objective(net, X, Y), Limits(1000, 1e-12, None, math.inf, None)
    w0 = draw(data, np.random.default_rng(seed).spawn(1)[0])
    return settle(data, Stages(data, limits, time.perf_counter()), w0, 1000, 1e-12, None, judged)


def judgement(r, X, Y):
    """A of the module's docstring."""
    n, E_D = Y.size, np.sum((r.predict(X) - Y) ** 2)
    return n * math.log(E_D / n) - 3.5 * n * math.log(1.0 - r.effective_parameters / n)


def test_before_noise_is_fitted_it_stops():
    """Over eight data sets: fewer steps, smaller errors, and noise that is thought larger."""
    net, ratios = ggn.MLP((6, 10, 1)), []
    for seed in range(1, 9):
        X, F, noise = noisy(seed)
        Y = F + noise
        fit, end = train_bayesian(net, X, Y, rng=seed), to_the_end(net, X, Y, seed)
        new, clean, _ = noisy(100 + seed, 1000)
        errors = [np.std(r.predict(new) - clean) for r in (fit, end)]
        ratios.append(errors[0] / errors[1])
        assert fit.status is Status.CRITERION
        assert fit.success
        assert judgement(fit, X, Y) < judgement(end, X, Y) - 10.0
        assert fit.nit < end.nit
        assert fit.effective_parameters < end.effective_parameters
        assert fit.noise_std > end.noise_std
    assert np.exp(np.mean(np.log(ratios))) < 0.85


def test_from_what_was_kept_one_may_go_on():
    X, F, noise = noisy(2)
    fit = train_bayesian(ggn.MLP((6, 10, 1)), X, F + noise)
    again = train_bayesian(fit.net, X, F + noise, w0=fit)
    assert fit.status is again.status is Status.CRITERION
    assert judgement(again, X, F + noise) <= judgement(fit, X, F + noise)
    assert "from these weights on" in str(ggn.diagnose(fit, X, F + noise))


def test_an_end_that_is_good_is_left_alone():
    """A curve that the penalty fits: to the last bit where nobody judges, and the fixed point."""
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-3.0, 3.0, (80, 1)), axis=0)
    y = np.sin(x) + 0.1 * rng.standard_normal(x.shape)
    fit, end = train_bayesian(ggn.MLP((1, 20, 1)), x, y), to_the_end(ggn.MLP((1, 20, 1)), x, y, 0)
    assert fit.success
    np.testing.assert_array_equal(fit.w, end.w)
    gamma, E_W = fit.effective_parameters, fit.w @ fit.w
    assert fit.alpha == pytest.approx(gamma / (2.0 * E_W), rel=1e-2)


def test_a_linear_model_is_not_judged():
    """Its evidence is exact, however many weights for how few samples."""
    rng, net = np.random.default_rng(1), ggn.MLP((12, 1))
    X = rng.normal(size=(14, 12))
    Y = X @ rng.normal(size=(12, 1)) + rng.normal(size=(14, 1))
    assert to_the_end(net, X, Y, 0, judged=True).status is Status.CRITERION
    np.testing.assert_array_equal(train_bayesian(net, X, Y).w, to_the_end(net, X, Y, 0).w)


def test_what_the_callback_ends_is_kept_as_it_is():
    X, F, noise = noisy(5)
    seen = []

    def stop(intermediate_result):
        seen.append(intermediate_result.w.copy())
        if len(seen) == 55:  # the least A is at 20 steps or so
            raise StopIteration

    fit = train_bayesian(ggn.MLP((6, 10, 1)), X, F + noise, callback=stop)
    assert fit.status is Status.CALLBACK
    np.testing.assert_allclose(fit.w, seen[-1], rtol=1e-9)
