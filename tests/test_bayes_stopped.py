"""Bayesian fits that are stopped on the way, in the robust fit too that some begin with."""

import time

import numpy as np
import pytest

import ggn
from ggn import Status

RNG = np.random.default_rng(0)
X = RNG.uniform(-1.0, 1.0, (400, 3))
Y = np.sin(3.0 * X[:, 0]) * X[:, 2] + 0.05 * RNG.normal(size=400)
NET = ggn.MLP((3, 8, 1))
KINDS = ["constant", "varying", "heavy_tailed", "contaminated"]


def stopped(noise, stop, **options):
    """The fit, and the losses that its callback has seen."""
    seen = []

    def observe(intermediate_result):
        seen.append(intermediate_result.fun)
        stop(intermediate_result.nit)

    return ggn.train_bayesian(NET, X, Y, noise=noise, callback=observe, **options), seen


def raising(error):
    def stop(nit):
        if nit == 8:
            raise error

    return stop


@pytest.mark.parametrize("noise", KINDS)
@pytest.mark.parametrize(
    ("stop", "status", "options"),
    [
        (raising(KeyboardInterrupt), Status.INTERRUPTED, {}),
        (raising(StopIteration), Status.CALLBACK, {}),
        (lambda nit: time.sleep(0.05), Status.MAX_SECONDS, {"max_seconds": 0.5}),
    ],
)
def test_what_was_reached_is_kept(noise, stop, status, options):
    fit, seen = stopped(noise, stop, **options)
    assert fit.status is status
    assert not fit.success
    assert fit.message == status.value
    assert fit.nit > 0
    assert len(seen) > 1
    began = np.mean((NET.forward(NET.initial_weights(0), X)[:, 0] - Y) ** 2)
    left = np.mean((fit.predict(X)[:, 0] - Y) ** 2)
    assert left < 0.5 * min(began, Y.var())
    assert 0.02 < fit.noise_std < 0.4
    lower, upper = fit.intervals(X)
    assert np.isfinite(lower).all()
    assert (lower < upper).all()


def test_one_goes_on_from_what_was_kept():
    fit, _ = stopped("contaminated", raising(KeyboardInterrupt))
    on = ggn.train_bayesian(NET, X, Y, noise="contaminated", w0=fit)
    assert on.success
    assert 0.04 < on.noise_std < 0.06
