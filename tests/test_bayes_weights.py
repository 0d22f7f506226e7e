"""How many samples weights stand for to the evidence, and what draws of few samples are of."""

import numpy as np
import pytest

import ggn


@pytest.mark.parametrize("noise", ["constant", "heavy_tailed"])
def test_draws_are_of_the_density_that_intervals_speak_of(noise):
    """Of few samples that is Student's: draws were normal, and 95 % of them within 90 %."""
    rng = np.random.default_rng(1)
    X = np.linspace(-2.0, 2.0, 12)[:, np.newaxis]
    y = np.sin(2.0 * X) + 0.1 * rng.standard_normal(X.shape)
    fit = ggn.train_bayesian(ggn.MLP((1, 8, 1)), X, y, noise=noise)
    assert fit.posterior.freedom < 8.0
    drawn = fit.sample(X[::3], n_samples=20_000, rng=0)[:, 0]
    for level in (0.5, 0.9, 0.99):
        low, high = fit.intervals(X[::3], level=level)
        inside = ((drawn > low) & (drawn < high)).mean(axis=1)
        np.testing.assert_allclose(inside, level, atol=5.0 * np.sqrt(level * (1 - level) / 20_000))


class TestWeights:
    """How many samples weights stand for, where there are more network weights than that."""

    net = ggn.MLP((1, 20, 1))

    def fit(self, X, y, s=None):
        w0 = self.net.initial_weights(0, "fan_in")
        return ggn.train_bayesian(self.net, X, y, sample_weight=s, w0=w0, max_iter=3000)

    @pytest.fixture
    def data(self, rng):
        X = rng.uniform(-2.0, 2.0, (40, 1))
        return X, np.sin(2.0 * X[:, 0]) + 0.1 * rng.standard_normal(40)

    def same(self, one, other):
        for name in ("noise_std", "effective_parameters", "l2", "log_evidence"):
            assert one[name] == pytest.approx(other[name], rel=1e-3), name

    def test_a_weight_of_none_is_a_sample_left_out(self, data):
        X, y = data
        keep = np.arange(40) % 4 > 0
        self.same(self.fit(X, y, 1.0 * keep), self.fit(X[keep], y[keep]))

    def test_a_weight_of_two_is_the_sample_twice(self, data):
        self.same(
            self.fit(*data, np.full(40, 2.0)), self.fit(*(np.repeat(A, 2, axis=0) for A in data))
        )

    def test_weights_that_are_small_compare_samples(self, data, rng):
        s = rng.random(40)
        self.same(self.fit(*data, s), self.fit(*data, s / s.mean()))
        self.same(self.fit(*data, np.full(40, 0.01)), self.fit(*data))

    @pytest.mark.parametrize("noise", ["contaminated", "heavy_tailed"])
    def test_the_noise_is_that_of_what_samples_count_for(self, data, noise):
        X, y = data
        y = y + np.where(np.arange(40) % 8 == 0, 3.0, 0.0)
        fit = ggn.train_bayesian(self.net, X, y, noise=noise)
        u, r2 = fit.sample_weight, np.square(fit.predict(X)[:, 0] - y)
        left = u.sum() - fit.effective_parameters
        assert left > 1.0
        assert fit.noise_std == pytest.approx(np.sqrt(u @ r2 / left), rel=1e-9)


@pytest.mark.filterwarnings("ignore:max_iter")
def test_mixtures_with_small_weights_have_noise_of_the_datas_size(rng):
    """Weights that added up to less than the parameters that a member had gave it 1e7."""
    X = rng.uniform(-2.0, 2.0, (60, 3))
    y = np.sin(2.0 * X[:, 0]) + 0.3 * rng.standard_normal(60)
    net, options = ggn.MLP((3, 20, 1)), {"n_estimators": 5, "max_iter": 300}
    plain = ggn.train_bayesian(net, X, y, **options)
    halves = ggn.train_bayesian(net, X, y, sample_weight=np.full(60, 0.5), **options)
    assert halves.noise_std == pytest.approx(plain.noise_std)
    any_size = ggn.train_bayesian(net, X, y, sample_weight=rng.random(60), **options)
    assert 0.05 < float(np.max(any_size.noise_std)) < 1.0
