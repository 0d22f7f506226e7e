"""How narrow a mixture is: samples left out against refits, the factor against densities."""

import numpy as np
import pytest
from scipy import stats

import ggn
from ggn.fit.committee import train_members
from ggn.fit.pooling import left_out, likeliest, narrowing
from ggn.fit.predictive import Component
from ggn.fit.train import train
from ggn.linearization import Objective
from ggn.validation import same_state


def trainer(data, w, l2, most, tol, before):
    return train(
        data.net, data.X, data.Yt.T, w0=w, l2=l2, max_iter=most, tol=0.0,
        sample_weight=data.sample_weight,
    )  # fmt: skip


def members(net, X, Y, k=1, weights=None):
    data = Objective(net, X, Y, sample_weight=weights)
    rng = np.random.default_rng(0)
    return train_members(data, trainer, n_estimators=k, rng=rng, max_iter=200)


@pytest.mark.parametrize("weighted", [False, True])
def test_of_a_linear_model_samples_left_out_are_exact(weighted):
    """H and w without a sample, from the penalties and the noise that were found with it."""
    rng = np.random.default_rng(1)
    X, net = rng.normal(size=(12, 3)), ggn.MLP((3, 1))
    Y = X @ [[1.0], [0.5], [-2.0]] + 0.3 * rng.normal(size=(12, 1))
    counts = rng.integers(1, 4, 12).astype(float) if weighted else np.ones(12)
    (member,) = members(net, X, Y, weights=counts if weighted else None)
    found = left_out(member, member.posterior, np.arange(12))
    P, noise = np.column_stack([X, np.ones(12)]), member.noise_std**2
    for i in range(12):
        rest = counts - (np.arange(12) == i)  # of copies one
        prior = member.l2 * counts.sum()  # J = 1/T Σ s r² + l2 w²
        H = (P.T * rest) @ P + np.diag(prior)
        w = np.linalg.solve(H, P.T @ (rest * Y[:, 0]))
        np.testing.assert_allclose(found.mean[i], P[i] @ w, rtol=1e-6)
        variance = noise * (1.0 + P[i] @ np.linalg.solve(H, P[i]))
        np.testing.assert_allclose(found.scale[i] ** 2, variance, rtol=1e-6)


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0, 3.0])
def test_the_factor_is_that_of_the_greatest_likelihood(spread):
    """Components right by themselves, whose errors are independent: too wide together."""
    rng, k, T = np.random.default_rng(0), 4, 4000
    Y, counts = rng.normal(size=(T, 1)), rng.integers(0, 3, T)
    scale = np.hypot(1.0, spread)
    each = [
        Component(spread * rng.normal(size=(T, 1)), np.full((T, 1), scale), 12.0) for _ in range(k)
    ]
    found = likeliest(each, Y, counts)
    grid = np.linspace(0.5, 1.0, 251)
    likelihood = [
        counts @ np.log(np.mean([stats.t.pdf(Y, 12.0, p.mean, c * scale) for p in each], axis=0))
        for c in grid
    ]
    assert found == pytest.approx(grid[np.argmax(likelihood)], abs=4e-3)
    assert 0.5 <= found <= 1.0
    assert (found < 0.85) == (spread >= 0.5)


def test_components_that_agree_are_left_as_they_are():
    rng = np.random.default_rng(3)
    Y, mean = rng.normal(size=(500, 2)), np.zeros((500, 2))
    for true in (1.0, 0.9):  # never wider than they say
        each = [Component(mean, np.full((500, 2), true), np.inf)] * 3
        assert likeliest(each, Y, np.ones(500)) > 0.99
    assert likeliest([Component(mean, mean, 5.0)] * 3, Y, np.ones(500)) == 1.0  # nothing is known
    assert likeliest([Component(mean, mean + 9.0, 5.0)], Y, np.ones(500)) == 1.0


def test_a_mixture_is_narrower_than_its_members():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, (100, 2))
    Y = np.sin(2.0 * X[:, :1]) * X[:, 1:] + 0.3 * rng.normal(size=(100, 1))
    mixture = ggn.train_bayesian(ggn.MLP((2, 12, 1)), X, Y, n_estimators=3)
    own = [member.posterior for member in mixture.members]
    c = narrowing(mixture.members, own)
    assert 3.0**-0.25 <= c < 0.99
    for part, wide in zip(mixture.posterior.parts, own, strict=True):
        assert part.inflation == pytest.approx(c * c)
        assert wide.inflation == 1.0
    # what draws scatter by is what is said
    at = X[:40]
    drawn = mixture.sample(at, 4000)
    _, deviation = mixture.predict(at, return_std=True)
    np.testing.assert_allclose(drawn.std(axis=2), deviation, rtol=0.08)


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_generator_twice(bits):
    """Draws and streams of the second are those of the first, from where that stood."""
    rng = np.random.Generator(bits(5))
    rng.spawn(2)
    rng.normal(size=3)
    again = same_state(rng)
    assert (again.normal(size=4) == rng.normal(size=4)).all()
    for one, other in zip(rng.spawn(2), again.spawn(2), strict=True):
        assert (one.normal(size=4) == other.normal(size=4)).all()
    fresh = np.random.Generator(bits(5)).spawn(3)[2]
    assert (same_state(fresh).normal(size=4) == fresh.normal(size=4)).all()
