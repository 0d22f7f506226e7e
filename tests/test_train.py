"""The contract of ggn.train: what comes back, why it stopped, what the callback sees."""

import math
import signal

import numpy as np
import pytest
import reference
from scipy.optimize import OptimizeResult
from user_losses import LOG_COSH, welsch

import ggn
from ggn import Status
from ggn.damping import LevenbergMarquardt, Undamped
from ggn.linearization import SourceError

SQUARED = reference.LOSSES["squared"]()
NET = ggn.MLP((2, 4, 1))
SPEC = reference.named_spec((2, 4, 1), ("tanh", "identity"))
LINE = ggn.MLP((1, 1), bias=False)  # y = w x


def noisy(T=30, seed=0):
    """Data that F(2,4,1) cannot fit exactly, so that J stays far above its rounding."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (T, 2))
    return X, np.sin(3 * X[:, :1]) + X[:, 1:] + rng.normal(scale=0.3, size=(T, 1))


X, Y = noisy()
W0 = NET.initial_weights(0)


def fit(**changed):
    return ggn.train(NET, X, Y, **({"w0": W0, "max_iter": 15} | changed))


# ------------------------------------------------------------- the result


def test_fields_of_the_result():
    r = fit()
    assert isinstance(r, OptimizeResult)
    assert isinstance(r, ggn.TrainResult)
    assert {"x", "fun", "jac", "success", "status", "message", "nit", "nfev", "njev"} <= set(r)
    assert r.w is r.x
    assert isinstance(r.fun, float)
    assert r.status is Status.MAX_ITER
    assert r.message == Status.MAX_ITER.value
    assert r.success is False
    assert (r.nit, r.njev) == (15, 16)
    assert r.nfev > r.nit
    assert r.fun == pytest.approx(reference.objective(SPEC, r.w, X, Y, SQUARED), rel=1e-13)
    gradient = reference.gradient(SPEC, r.w, X, Y, SQUARED)
    np.testing.assert_allclose(r.jac, gradient, rtol=0, atol=1e-13)
    assert "MAX_ITER" in repr(r)


@pytest.mark.parametrize("l2", [0.0, 1e-3, np.linspace(0.0, 0.1, 17)], ids=["0", "one", "each"])
@pytest.mark.parametrize("weighted", [False, True])
def test_history(l2, weighted):
    """One entry for each iterate, each number as the oracle finds it on the way."""
    s = np.linspace(0.0, 2.0, 30) if weighted else None
    path, extra = [W0], {"sample_weight": s, "l2": l2}
    r = fit(
        callback=path.append, damping=LevenbergMarquardt(acceleration=0.0, refits=False), **extra
    )
    h = r.history
    assert len(h) == r.nit + 1 == len(path) == 16
    for name in h.FIELDS:
        assert getattr(h, name).shape == (16,)
    J = [reference.objective(SPEC, w, X, Y, SQUARED, **extra) for w in path]
    g = [reference.gradient(SPEC, w, X, Y, SQUARED, **extra) for w in path]
    np.testing.assert_allclose(h.loss, J, rtol=1e-12)
    np.testing.assert_allclose(h.gradient_norm, [np.linalg.norm(v) for v in g], rtol=1e-9)
    steps = np.diff(path, axis=0)
    assert np.isnan([h.step_norm[0], h.damping[0], h.gain_ratio[0]]).all()
    np.testing.assert_allclose(h.step_norm[1:], np.linalg.norm(steps, axis=1), rtol=1e-9)
    assert (h.damping[1:] > 0.0).all()
    assert (np.diff(h.seconds) >= 0.0).all()
    for k, d in enumerate(steps):
        G = reference.normal_matrix(SPEC, path[k], X, Y, SQUARED, **extra)
        predicted = -(g[k] @ d + 0.5 * d @ G @ d)
        assert h.gain_ratio[k + 1] == pytest.approx((J[k] - J[k + 1]) / predicted, rel=1e-6)


@pytest.mark.parametrize("loss", ["squared", "cauchy", "smooth_lp", "blake_zisserman"])
@pytest.mark.parametrize("step", ["primal", "dual", "minimum_norm"])
def test_damped_loss_never_rises(loss, step):
    r = fit(loss=loss, step=step, max_iter=200)
    assert (np.diff(r.history.loss) <= 1e-12 * r.history.loss[:-1]).all()
    assert r.fun <= r.history.loss.min() * (1 + 1e-12)


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.1])
def test_gain_ratio_of_a_linear_fit_is_one(alpha):
    """J is its own quadratic model, for a step of any length."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 20))
    r = ggn.train(LINE, x, y, w0=[3.0], damping=Undamped(alpha), max_iter=3, tol=0.0)
    assert r.history.gain_ratio[1] == pytest.approx(1.0, rel=1e-12)


def test_what_is_returned_belongs_together():
    """Loss, gradient and weights are those of one point, also where the run went on from it."""
    net, (x, y) = ggn.MLP((2, 2, 1)), ggn.problems.xor()
    r = ggn.train(net, x, y, w0="normal", rng=8, damping="undamped", max_iter=300)
    assert r.fun == r.history.loss.min() < r.history.loss[-1]
    at = ggn.linearize(net, r.w, x, y)
    assert at.loss == pytest.approx(r.fun, rel=1e-12)
    assert np.array_equal(at.gradient, r.jac)
    assert r["w"] is r["x"]


def test_start_is_drawn_from_rng():
    for w0 in (None, "nguyen_widrow", "normal", "fan-in"):
        one, same, other = (
            ggn.train(NET, X, Y, w0=w0, max_iter=0, rng=rng).w
            for rng in (7, np.random.default_rng(7), 8)
        )
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)
    normal = ggn.train(NET, X, Y, w0="normal", max_iter=0, rng=7).w
    assert np.array_equal(normal, np.random.default_rng(7).standard_normal(17))


# ------------------------------------------------------------- why it stopped


def line(*data, w0, **more):
    """Fit y = w x to (x, y) pairs."""
    x, y = zip(*data, strict=True)
    return ggn.train(LINE, x, y, w0=[w0], **more)


def stop(_):
    raise StopIteration


def interrupt(_):
    raise KeyboardInterrupt


class Stubborn(LevenbergMarquardt):
    """Takes no step."""

    def rule(self, objective):
        rule = ggn.damping.Rule()
        rule.mu, rule.judge = 1e-3, lambda trial: False
        return rule


class Leaving(ggn.Chunks):
    """A source that is gone once a step was taken."""

    gone = False

    def leave(self, w):
        self.gone = True

    def reduce(self, combine, function, *args):
        if self.gone:
            raise SourceError
        return super().reduce(combine, function, *args)


def lost():
    data = Leaving([(X, Y)])
    return ggn.train(NET, data, w0=W0, callback=data.leave)


SERIES = np.arange(40.0)
NOISY = (CUBE := np.random.default_rng(1).uniform(-2.0, 2.0, (7, 80)))[0] + 2.0 * CUBE[1] ** 2
STOPS = {
    # at w = 0 the two pulls cancel exactly
    Status.GRADIENT: lambda: line((-1.0, 1.0), (1.0, 1.0), w0=0.0),
    # J is tiny and would fall by all of itself, but the step is 1e-9 of w
    Status.STEP: lambda: line((0.1, 0.03), (0.7, 0.21), w0=0.3 + 1e-9, tol=1e-6),
    # 3e-8 of J is to be had, and a tenth of a step has less of it; that is all of w
    Status.LOSS: lambda: line(
        (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0 + 7e-4), w0=0.0, tol=1e-4,
        damping=Undamped(0.1),
    ),
    Status.TARGET: lambda: fit(loss_target=0.2, max_iter=500),
    # held out is an end that every fit of the others leads away from
    Status.VALIDATION: lambda: line(
        (1.0, 1.0), w0=0.0, validation=([[1.0]], [0.0]), patience=1, max_iter=9
    ),
    Status.CRITERION: lambda: ggn.train_bayesian(ggn.MLP((6, 9, 1)), CUBE[1:].T, NOISY),
    Status.PRECISION: lambda: fit(tol=0.0, max_iter=5000),
    Status.MAX_ITER: lambda: fit(max_iter=3),
    Status.MAX_SECONDS: lambda: fit(max_seconds=0),
    Status.CALLBACK: lambda: fit(callback=stop),
    Status.INTERRUPTED: lambda: fit(callback=interrupt),
    Status.LOST: lost,
    Status.DIVERGES: lambda: ggn.narx(  # one step from samples is finite, exp(300), two are not
        np.sin(SERIES), np.cos(SERIES), hidden=1, activation="exponential",
        output_lags=[1], input_lags=[1], w0=[300.0, 0.0, 0.0, 1.0, 0.0], max_iter=0,
    ),
    # an input that is always 0 leaves a zero on the diagonal
    Status.SINGULAR: lambda: ggn.train(
        ggn.MLP((2, 1), bias=False), [[1.0, 0.0], [2.0, 0.0]], [0.0, 1.0],
        step="primal", damping="undamped",
    ),
    # an undamped step on a curve as flat as sech² leads where sech² underflows
    Status.CURVATURE: lambda: line(
        (1.0, 0.0), w0=5.0, loss=LOG_COSH, step="dual", damping="undamped"
    ),
    # past 0.1875 to where all units are saturated and XOR is 1/2 everywhere
    Status.WANDERED: lambda: ggn.train(
        ggn.MLP((2, 2, 1)), *ggn.problems.xor(), w0="normal", rng=8, damping="undamped",
        max_iter=300,
    ),
    # gradient steps too long by far: w -> -199 w
    Status.OVERFLOW: lambda: line((10.0, 0.0), w0=1.0, step="gradient", damping="undamped"),
    # tanh of a thousand; two weights alike, so that no targets' mean is met
    Status.FLAT: lambda: ggn.train(
        ggn.MLP((1, 2, 1)), [1.0, 2.0, 3.0], [1.0, 0.0, 2.0], w0=[1e3, 0.0, 1e3, 0.0, 1.0, 1.0, 0.0]
    ),
    # a rule that refuses every step
    Status.STALLED: lambda: fit(damping=Stubborn()),
    # one part in 10¹⁵ of the inputs is all that varies, and weights have sixteen digits
    Status.ROUNDED: lambda: ggn.train(
        ggn.MLP((1, 3, 1)), 1e15 + np.arange(9.0), np.sin(np.arange(9.0)), max_iter=300
    ),
    # residuals of a hundred, where 1 - exp(-r²) is flat
    Status.PLATEAU: lambda: line((20.0, 0.0), w0=5.0, loss=welsch(1.0)),
    Status.BAD_START: lambda: ggn.train(
        ggn.MLP((1, 1, 1), "exponential"), [1.0], [0.0], w0=[1000.0, 0.0, 1.0, 0.0]
    ),
}  # fmt: skip
DONE = {Status.GRADIENT, Status.STEP, Status.LOSS, Status.PRECISION, Status.TARGET}
DONE |= {Status.VALIDATION, Status.CRITERION}


@pytest.mark.parametrize("status", Status, ids=lambda s: s.name)
def test_status(status):
    r = STOPS[status]()
    assert r.status is status
    assert r.message == status.value
    assert r.success is (status in DONE)
    assert np.isfinite(r.w).all()
    assert status.value.endswith(".")
    assert "\n" not in status.value


def test_numbers_at_the_stops():
    assert STOPS[Status.GRADIENT]().nit == 0
    assert STOPS[Status.TARGET]().fun <= 0.2
    assert STOPS[Status.CALLBACK]().nit == 1
    for r in (STOPS[Status.MAX_SECONDS](), fit(max_iter=0)):
        assert (r.nit, r.njev, r.nfev, len(r.history)) == (0, 1, 1, 1)
        assert np.array_equal(r.w, W0)
    assert STOPS[Status.OVERFLOW]().w.tolist() == [1.0]  # the best of them, not the last
    bad = STOPS[Status.BAD_START]()
    assert bad.w.tolist() == [1000.0, 0.0, 1.0, 0.0]
    assert not math.isfinite(bad.fun)


def test_tolerance_zero_runs_to_the_bottom():
    """A well-conditioned fit ends where the gradient is rounding: eps times its terms."""
    x = np.linspace(-2.0, 2.0, 25)[:, np.newaxis]
    y = 2.0 * np.tanh(1.5 * x - 0.3) + 0.1 * np.cos(40.0 * x)
    net, spec = ggn.MLP((1, 1, 1)), reference.named_spec((1, 1, 1), ("tanh", "identity"))
    r = ggn.train(net, x, y, w0=[1.0, 0.0, 1.0, 0.0], tol=0.0)
    assert r.status is Status.PRECISION
    assert np.abs(reference.gradient(spec, r.w, x, y, SQUARED)).max() < 1e-15 * 50


def test_a_loss_may_be_negative():
    """log-likelihoods are; what is subtracted from a loss must not change its minimiser."""

    def shifted(by):
        return ggn.Loss(
            "shifted",
            lambda F, T: ((F - T) ** 2).sum(axis=1) - by,
            lambda F, T: 2.0 * (F - T),
            lambda F, T: np.full_like(F, 2.0),
        )

    plain, below = (fit(loss=shifted(by), max_iter=500) for by in (0.0, 100.0))
    assert below.fun == pytest.approx(plain.fun - 100.0, rel=1e-9)


# ------------------------------------------------------------- the callback


def test_callback_by_keyword():
    seen = []

    def callback(intermediate_result):
        assert isinstance(intermediate_result, OptimizeResult)
        seen.append(
            (intermediate_result.nit, intermediate_result.fun, intermediate_result.w.copy())
        )
        assert intermediate_result.gradient_norm > 0
        assert intermediate_result.damping > 0
        assert intermediate_result.seconds >= 0
        assert intermediate_result.nfev > intermediate_result.nit

    r = fit(callback=callback)
    assert [nit for nit, _, _ in seen] == list(range(1, 16))
    assert [fun for _, fun, _ in seen] == r.history.loss[1:].tolist()
    assert np.array_equal(seen[-1][2], r.w)


def test_callback_with_weights():
    """SciPy's older form, by position; the weights are a copy that may be scribbled on."""

    def callback(xk, *, unused=None):
        count.append(xk.shape)
        xk[:] = np.nan

    count = []
    assert np.array_equal(fit(callback=callback).w, fit().w)
    assert count == [(17,)] * 15


def test_a_callback_changes_nothing():
    """Down to where J is blind, which compiled loop and Python judge in turn."""
    for seed in range(6):
        W = NET.initial_weights(seed)
        alone, seen = fit(w0=W, max_iter=300, l2=1e-3), []
        watched = fit(w0=W, max_iter=300, l2=1e-3, callback=lambda w, seen=seen: seen.append(w))
        assert len(alone.history.loss) == len(watched.history.loss) == alone.nit + 1
        assert len(seen) == watched.nit == alone.nit
        for name in ("loss", "gradient_norm", "damping", "step_norm"):
            a, b = getattr(alone.history, name), getattr(watched.history, name)
            np.testing.assert_array_equal(a, b)


class Bound:
    def __init__(self):
        self.calls = 0

    def method(self, intermediate_result):
        self.calls += isinstance(intermediate_result, OptimizeResult)

    def __call__(self, w):
        self.calls += isinstance(w, np.ndarray)


def test_callback_of_any_kind():
    one, two = Bound(), Bound()
    fit(callback=one.method)
    fit(callback=two)
    assert (one.calls, two.calls) == (15, 15)
    path = []
    fit(callback=path.append)  # a built-in, whose signature may be unknown
    assert len(path) == 15


def test_error_in_a_callback_passes_through():
    def callback(w):
        raise ZeroDivisionError("user's own")

    with pytest.raises(ZeroDivisionError, match="user's own"):
        fit(callback=callback)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("how", ["raised", "signal"])
def test_interrupt_keeps_the_last_accepted_weights(how):
    path = []

    def callback(intermediate_result):
        path.append(intermediate_result.w.copy())
        if intermediate_result.nit == 5:
            if how == "raised":
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    r = fit(callback=callback)
    assert r.status is Status.INTERRUPTED
    assert np.array_equal(r.w, path[4])
    assert r.nit in (5, 6)  # a signal may be seen a little later
    assert r.fun == pytest.approx(reference.objective(SPEC, r.w, X, Y, SQUARED), rel=1e-13)
    assert signal.getsignal(signal.SIGINT) is before
    assert np.array_equal(fit().w, fit().w)  # nothing half done is left behind


def test_users_loss_may_be_interrupted_too():
    calls = []

    def value(F, T):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return ((F - T) ** 2).sum(axis=1)

    loss = ggn.Loss("slow", value, lambda F, T: 2 * (F - T), lambda F, T: np.full_like(F, 2.0))
    path = [W0]
    r = fit(loss=loss, callback=path.append)
    assert r.status is Status.INTERRUPTED
    assert any(np.array_equal(r.w, w) for w in path)
