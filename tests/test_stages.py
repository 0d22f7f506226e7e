"""What `train_bayesian` and `train_robust` share: options and limits over all their trainings."""

import numpy as np
import pytest

import ggn
from ggn import Status
from ggn.linearization.robust_scale import median

NET = ggn.MLP((1, 5, 1))
x = np.linspace(-2.0, 2.0, 40)
y = np.sin(2.0 * x) + 0.1 * np.random.default_rng(0).normal(size=40)
WAYS = {"bayesian": ggn.train_bayesian, "robust": ggn.train_robust}
ways = pytest.mark.parametrize("train", WAYS.values(), ids=WAYS.keys())
OWN = {ggn.train_bayesian: {}, ggn.train_robust: {"l2": 1e-3}}


@ways
def test_weights_are_numbers_of_copies(train):
    rng = np.random.default_rng(1)
    times = rng.integers(0, 4, size=40)
    w0 = NET.initial_weights(rng, "fan_in")
    one = train(NET, x, y, w0=w0, sample_weight=times, **OWN[train])
    all_ = train(NET, np.repeat(x, times), np.repeat(y, times), w0=w0, **OWN[train])
    assert one.status.success
    assert one.noise_std == pytest.approx(all_.noise_std, rel=1e-6)
    assert one.fun == pytest.approx(all_.fun, rel=1e-6)
    if train is ggn.train_bayesian:
        for name in ("l2", "alpha", "beta", "effective_parameters", "log_evidence"):
            assert one[name] == pytest.approx(all_[name], rel=1e-5), name
        for a, b in zip(one.intervals(x[:, None]), all_.intervals(x[:, None]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
    else:
        assert one.scale == pytest.approx(all_.scale, rel=1e-6)


@ways
def test_the_callback_sees_one_run(train):
    seen = []

    def observe(intermediate_result):
        seen.append((intermediate_result.nit, intermediate_result.seconds))

    fit = train(NET, x, y, callback=observe)
    nits, seconds = zip(*seen, strict=True)
    assert nits[: fit.nit] == tuple(range(1, fit.nit + 1))
    assert sorted(seconds) == list(seconds)


@ways
@pytest.mark.parametrize("steps", [1, 4, 12])
def test_stop_iteration_ends_the_run(train, steps):
    def stop(intermediate_result):
        if intermediate_result.nit == steps:
            raise StopIteration

    fit = train(NET, x, y, callback=stop, **OWN[train])
    assert (fit.status, fit.nit, fit.success) == (Status.CALLBACK, steps, False)
    assert np.isfinite(fit.noise_std)


@ways
def test_time_that_is_up_ends_the_run(train):
    fit = train(NET, x, y, max_seconds=0.0, **OWN[train])
    assert fit.status is Status.MAX_SECONDS
    assert fit.nit <= 2


@ways
def test_step_and_damping_are_those_asked_for(train):
    damping = ggn.damping.LevenbergMarquardt(acceleration=0.0)
    fit = train(NET, x, y, step="dual", damping=damping, **OWN[train])
    assert type(fit.step).__name__ == "Dual"
    assert fit.status.success
    with pytest.raises(ValueError, match=r"^step must be one of"):
        train(NET, x, y, step="duel")
    with pytest.raises(ValueError, match=r"^max_memory must be at least"):
        train(NET, x, y, max_memory=10.0)


@pytest.mark.parametrize("without", [0, 1, 3, 5, 100])
@pytest.mark.parametrize("seed", range(4))
def test_the_middle_of_copies(seed, without):
    rng = np.random.default_rng(seed)
    values, times = rng.normal(size=(7, 2)), rng.integers(0, 4, size=7)
    if seed == 3:
        times = np.ones(7)
    copies = np.sort(np.repeat(values, times.astype(int), axis=0), axis=None)
    expected = np.median(copies[min(without, len(copies) // 2) :])
    assert median(values.ravel(), np.repeat(times, 2).astype(float), without) == expected
