"""Verdicts on fits in a loop, of points whose kind is known."""

import copy

import numpy as np
import pytest
from known_loops import MAY, point
from test_narx import LAGS, system

import ggn
from ggn.surface.evidence import Verdict


@pytest.mark.parametrize("kind", MAY)
def test_no_verdict_is_wrong(kind):
    assert point(kind, 1).verdict in MAY[kind]


def test_a_saddle_has_a_way_down():
    found = point("flat", 0)
    assert found.verdict is Verdict.SADDLE
    assert found.descent is not None
    assert "strict saddle" in str(found)
    assert "Not looked at" in str(found)


def test_a_minimum_is_told_with_its_rank_and_stability():
    rng = np.random.default_rng(0)
    u, y = system(200)
    y += 0.05 * rng.normal(size=200)
    fit = ggn.narx(u, y, hidden=1, tol=0.0, max_iter=200, **LAGS)
    found = fit.diagnose(u, y)
    assert found.verdict is Verdict.LOCAL_MINIMUM
    assert found.rank == found.n_weights == fit.net.n_weights
    assert (found.eigenvalues > found.tolerance).all()
    assert str(ggn.diagnose(fit, u, y)) == str(found)
    assert found.stability == fit.stability(u, y).sentence
    # more data of other weights: not where the fit stopped
    assert fit.diagnose(*system(300, seed=5)).verdict is not Verdict.GLOBAL_MINIMUM


def test_a_run_to_infinity_is_refused():
    u, y = system(2000)
    fit = ggn.narx(u, y, hidden=0, max_iter=3, **LAGS)
    fit.w = np.array([5.0, 0.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="w must have a finite loss"):
        fit.diagnose(u, y)


@pytest.mark.parametrize("factor", [1e1, 1e2, 1e3, 1e5])
def test_the_hessian_does_not_depend_on_the_size_of_weights(factor):
    """Of linear units V W x the product alone counts: for weights D w the Hessian is the same."""
    rng = np.random.default_rng(3)
    u, y = rng.uniform(-1.0, 1.0, 200), np.zeros(200)
    for k in range(1, 200):
        y[k] = 0.6 * y[k - 1] + np.tanh(u[k - 1])
    fit = ggn.narx(
        u, y, output_lags=1, input_lags=[1], hidden=2, activation="identity", max_iter=3, rng=0
    )
    fit.w = np.where(np.arange(fit.net.n_weights) % 2, 0.5, -0.4)
    other = copy.copy(fit)
    other.w = fit.w.copy()
    below, above = fit.net.unpack(other.w)
    below /= factor
    above[:-1] *= factor
    here, there = (ggn.diagnose(f, u, y).eigenvalues for f in (fit, other))
    np.testing.assert_allclose(there, here, atol=1e-7 * here.max())


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_no_minimum_is_claimed_where_the_gradient_jumps(activation):
    """A Hessian is that of one side, and the zero of the gradient may be on another."""
    u, y = system(200)
    y += 0.05 * np.random.default_rng(1).normal(size=200)
    seen = set()
    for seed in range(4):
        fit = ggn.narx(u, y, **LAGS, hidden=2, activation=activation, rng=seed, max_iter=200)
        found = fit.diagnose(u, y)
        seen.add(found.verdict)
        assert found.kinked
        assert "An activation has a derivative that jumps" in str(found)
    assert seen <= {Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE}
