"""Robust fits: constants of the literature, outliers in a straight line and in curves."""

import math

import numpy as np
import pytest
import reference
from scipy import integrate, optimize, special, stats

import ggn
from ggn import Status
from ggn.fit import robust, stages
from ggn.fit.robust import train_robust
from ggn.fit.start import draw
from ggn.linearization import Objective
from ggn.linearization.robust_scale import Noise
from ggn.losses import BlakeZisserman, Cauchy, SmoothLp

ORACLES = {
    "cauchy": lambda s: reference.LOSSES["cauchy"](scale=s),
    "blake_zisserman": lambda s: reference.LOSSES["blake_zisserman"](scale=s, epsilon=0.01),
    "smooth_lp": lambda s: reference.LOSSES["smooth_lp"](p=1.0, scale=s),
}
ROBUST = list(ORACLES)
LINE = ggn.MLP((2, 1))


def plane(T=400, noise=0.1, share=0.1, seed=0):
    """y = 2 x1 - x2 + 0.5 + noise, and a share of targets 5 too high."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(T, 2))
    y = X @ [2.0, -1.0] + 0.5 + noise * rng.normal(size=T)
    y[: int(share * T)] += 5.0
    return X, y


def wave(seed, clustered=False, T=100):
    """sin 2x + noise of 0.05, ten targets wrong: X, Y, the right ones' mask."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3.0, 3.0, (T, 1))
    Y = np.sin(2.0 * X) + 0.05 * rng.normal(size=X.shape)
    if clustered:  # a third of the samples of one neighbourhood, all too high
        near = np.argsort(np.abs(X[:, 0] - X[0, 0]))[:30]
        wrong = rng.permutation(near)[:10]
        Y[wrong] += rng.uniform(1.0, 3.0, (10, 1))
    else:
        wrong = rng.permutation(T)[:10]
        Y[wrong] = rng.uniform(-3.0, 3.0, (10, 1))
    clean = np.ones(T, bool)
    clean[wrong] = False
    return X, Y, clean


def efficiency(loss, scale):
    """(E rho'')^2 / E rho'^2 over N(0, 1), with the oracle's loss, by adaptive quadrature."""
    zero = np.zeros((1, 1))
    slope = lambda z: loss.gradient(np.array([[z]]), zero)[0, 0]  # noqa: E731
    bend = lambda z: loss.hessian(np.array([[z]]), zero)[0, 0]  # noqa: E731
    mean = lambda f: integrate.quad(  # noqa: E731
        lambda z: f(z) * stats.norm.pdf(z), -9.0, 9.0, points=[-scale, 0.0, scale], limit=200
    )[0]
    return mean(bend) ** 2 / mean(lambda z: slope(z) ** 2)


# ------------------------------------------------------------- the scale


def test_constant_of_the_literature():
    """2.385 for the Cauchy function (Holland & Welsch 1977)."""
    assert robust._efficient_scale(Cauchy()) == pytest.approx(2.3849, abs=1e-4)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BlakeZisserman(), ORACLES["blake_zisserman"]),
        (SmoothLp(1.0), ORACLES["smooth_lp"]),
        (SmoothLp(0.5), lambda s: reference.LOSSES["smooth_lp"](0.5, s)),
    ],
    ids=["blake_zisserman", "smooth_lp, p=1", "smooth_lp, p=0.5"],
)
def test_scale_is_95_percent_efficient(ours, theirs):
    c = robust._efficient_scale(ours)
    assert efficiency(theirs(c), c) == pytest.approx(0.95, abs=1e-5)


def test_loss_that_is_efficient_at_any_scale():
    assert robust._efficient_scale(SmoothLp(2.0)) == 1.0


@pytest.mark.parametrize("loss", ROBUST)
def test_result_is_a_minimum_at_its_own_scale(loss):
    """J, its gradient and the scale, from the weights returned."""
    X, y = plane()
    r = train_robust(LINE, X, y, loss, l2=1e-3)
    spec = reference.named_spec((2, 1), ("identity",))
    theirs = ORACLES[loss](r.scale)
    assert r.success
    assert r.fun == pytest.approx(
        reference.objective(spec, r.w, X, y[:, None], theirs, l2=1e-3), rel=1e-12
    )
    assert np.abs(reference.gradient(spec, r.w, X, y[:, None], theirs, l2=1e-3)).max() < 1e-9
    assert r.loss.name == loss
    assert r.loss.scale == r.scale
    residuals = np.sort(np.abs(LINE.forward(r.w, X)[:, 0] - y))[3:]  # but the N smallest
    assert r.noise_std == pytest.approx(np.median(residuals) / stats.norm.ppf(0.75), rel=0.01)
    assert r.scale == pytest.approx(robust._efficient_scale(r.loss) * r.noise_std, rel=1e-12)


def test_noise_of_clean_data():
    """Normal noise and no outliers: its deviation, and nearly the least-squares weights."""
    X, y = plane(T=4000, share=0.0)
    r = train_robust(LINE, X, y)
    assert r.noise_std == pytest.approx(0.1, rel=0.06)
    squared = np.linalg.lstsq(np.column_stack([X, np.ones(4000)]), y, rcond=None)[0]
    np.testing.assert_allclose(r.w, squared, atol=0.002)


@pytest.mark.parametrize("loss", ROBUST)
def test_scale_follows_the_units_of_the_targets(loss):
    X, y = plane()
    r, large = train_robust(LINE, X, y, loss), train_robust(LINE, X, 1e4 * y, loss)
    assert large.scale == pytest.approx(1e4 * r.scale, rel=1e-4)
    np.testing.assert_allclose(large.w, 1e4 * r.w, rtol=1e-4)


def test_own_scale_of_an_object_is_not_used_but_its_other_parameters_are():
    X, y = plane()
    named, given = train_robust(LINE, X, y), Cauchy(1e6)
    np.testing.assert_array_equal(train_robust(LINE, X, y, given).w, named.w)
    assert given.scale == 1e6
    r = train_robust(LINE, X, y, BlakeZisserman(1.0, 0.3))
    assert (r.loss.epsilon, r.loss.scale) == (0.3, r.scale)
    assert train_robust(LINE, X, y, SmoothLp(0.7)).loss.p == 0.7


# ------------------------------------------------------------- outliers


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("loss", ["cauchy", "blake_zisserman"])
def test_plane_through_outliers(loss, share):
    X, y = plane(share=share)
    r = train_robust(LINE, X, y, loss)
    np.testing.assert_allclose(r.w, [2.0, -1.0, 0.5], atol=0.1 if loss == "cauchy" else 0.03)
    assert abs(ggn.train(LINE, X, y).w[2] - 0.5) > 4.0 * share


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_one_sided_outliers_shift_a_convex_loss(share):
    """By b, in noise deviations: with s = c 1.4826 median |z - b|, Σ rho'(z - b) = 0."""
    c, normal = robust._efficient_scale(SmoothLp(1.0)), 1.0 / stats.norm.ppf(0.75)
    cdf, height, b = special.ndtr, 1.0 / math.sqrt(2.0 * math.pi), 0.0
    for _ in range(100):  # outliers pull by 1 each, the others by r / sqrt(r² + s²)
        half = lambda m: cdf(b + m) - cdf(b - m) - 0.5 / (1.0 - share)  # noqa: B023, E731
        s = c * normal * optimize.brentq(half, 0.0, 9.0)
        pull = lambda b: share + (1.0 - share) * integrate.quad(  # noqa: E731
            lambda z: height * math.exp(-0.5 * z * z) * (z - b) / math.hypot(z - b, s),  # noqa: B023
            -9.0, 9.0,
        )[0]  # fmt: skip
        b = optimize.brentq(pull, 0.0, 9.0)
    X, y = plane(T=10000, share=share)
    y[: int(share * 10000)] += 1e4
    shift = (train_robust(LINE, X, y, "smooth_lp").w[2] - 0.5) / 0.1
    assert shift == pytest.approx(b, abs=0.03)
    assert stats.norm.ppf(0.5 / (1.0 - share)) < shift  # the median's is the least there is
    for loss in ("cauchy", "blake_zisserman", SmoothLp(0.5)):
        assert abs(train_robust(LINE, X, y, loss).w[2] - 0.5) < 0.1 * 0.03


def test_exact_data_with_outliers():
    """No noise: the scale is at its least, and the plane exact."""
    X, y = plane(noise=0.0, share=0.2)
    r = train_robust(LINE, X, y, "blake_zisserman")
    np.testing.assert_allclose(r.w, [2.0, -1.0, 0.5], atol=1e-7)
    assert 0.0 < r.noise_std < 1e-6


@pytest.mark.parametrize("loss", ["cauchy", "blake_zisserman"])
@pytest.mark.parametrize("clustered", [False, True], ids=["scattered", "clustered"])
def test_curve_through_outliers(loss, clustered):
    """Error to the true curve at most twice that of a squared fit without the outliers."""
    net, grid = ggn.MLP((1, 10, 1)), np.linspace(-3.0, 3.0, 301)[:, np.newaxis]

    def error(w):
        return math.sqrt(np.mean((net.forward(w, grid) - np.sin(2.0 * grid)) ** 2))

    holds = squared_holds = 0
    for seed in range(6):
        X, Y, clean = wave(seed, clustered)
        w0 = net.initial_weights(seed, "fan_in")
        best = error(ggn.train(net, X[clean], Y[clean], w0=w0, l2=1e-4).w)
        holds += error(train_robust(net, X, Y, loss, l2=1e-4, rng=seed).w) <= 2.0 * best
        squared_holds += error(ggn.train(net, X, Y, w0=w0, l2=1e-4).w) <= 2.0 * best
    assert holds >= 5
    assert squared_holds == 0


def test_several_outputs_share_the_scale():
    X, y = plane()
    both = np.column_stack([y, -y])
    r = train_robust(ggn.MLP((2, 2)), X, both)
    np.testing.assert_allclose(r.w, [2.0, -1.0, 0.5, -2.0, 1.0, -0.5], atol=0.1)


# ------------------------------------------------------------- runs


def test_restarts_end_no_higher():
    """At the scale of the best of three, none of the three alone has less J."""
    X, Y, _ = wave(1, clustered=True)
    net, streams = ggn.MLP((1, 10, 1)), np.random.default_rng(2).spawn(3)
    starts = [draw(Objective(net, X, Y, "cauchy"), stream) for stream in streams]
    singles = [train_robust(net, X, Y, w0=w0, l2=1e-6) for w0 in starts]
    best = train_robust(net, X, Y, l2=1e-6, rng=2, n_restarts=3)
    assert len({round(r.scale, 6) for r in singles}) > 1
    J = [ggn.linearize(net, r.w, X, Y, best.loss, l2=1e-6).loss for r in singles]
    assert best.fun <= min(J) * (1.0 + 1e-3)


def test_start_given_and_interrupt(monkeypatch):
    calls = []

    def interrupted(*args, **more):
        result = ggn.train(*args, **more)
        calls.append(result)
        if len(calls) == 1:
            result.update(status=Status.INTERRUPTED, success=False)
        return result

    X, y = plane()
    monkeypatch.setattr(stages, "train", interrupted)
    r = train_robust(LINE, X, y, w0=[1.0, 1.0, 1.0], l2=1e-3)
    np.testing.assert_array_equal(calls[0].history.loss.size, calls[0].nit + 1)
    assert len(calls) == 2
    assert r.status is Status.INTERRUPTED
    assert not r.success
    assert r.nit == calls[0].nit
    np.testing.assert_array_equal(r.w, calls[0].w)
    J = ggn.linearize(LINE, r.w, X, y, r.loss, l2=1e-3).loss
    assert r.fun == pytest.approx(J, rel=1e-14)


def test_constant_targets():
    r = train_robust(LINE, np.eye(2)[[0, 1, 1]], [3.0, 3.0, 3.0], "blake_zisserman")
    np.testing.assert_allclose(LINE.forward(r.w, np.eye(2))[:, 0], 3.0, atol=1e-6)


def test_start_far_away():
    """Where the loss overflows the status says so; elsewhere it comes back."""
    r = train_robust(ggn.MLP((2, 3, 1)), *plane(T=20), w0=np.full(13, 1e200))
    assert r.status is Status.BAD_START
    np.testing.assert_array_equal(r.w, 1e200)
    r = train_robust(LINE, *plane(), w0=np.full(3, 1e3))
    np.testing.assert_allclose(r.w, [2.0, -1.0, 0.5], atol=0.1)


# ------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"loss": "squared"},
            f"^loss must be one of {', '.join(sorted(ggn.losses.ROBUST))}, got 'squared'",
        ),
        (
            {"loss": "huber"},
            f"^loss must be one of {', '.join(sorted(ggn.losses.ROBUST))}, got 'huber'",
        ),
        ({"loss": ggn.losses.Squared()}, r"^loss must have a scale, as smooth_lp, .* got Squared"),
        ({"loss": "huber"}, r"^loss must be one of .*, got 'huber'"),
        ({"w0": np.zeros(3), "n_restarts": 2}, r"^n_restarts must be 1 where w0 is given, got 2"),
        ({"w0": np.zeros(2)}, r"^w0 must have shape \(3,\)"),
        ({"n_restarts": 0}, r"^n_restarts must be an integer of at least 1, got 0"),
        ({"l2": -1.0}, r"^l2 must be a number in \[0"),
        ({"max_iter": 0.5}, r"^max_iter must be an integer"),
        ({"tol": -1.0}, r"^tol must be a number"),
        ({"rng": -1}, r"^rng must be"),
        ({"X": [[math.inf, 0.0]]}, r"^X must be finite"),
        ({"Y": [1.0, 2.0]}, r"^X and Y must have as many rows"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments(changed, message):
    arguments = {"net": LINE, "X": [[1.0, 2.0]], "Y": [1.0]} | changed
    with pytest.raises(ValueError, match=message):
        train_robust(**arguments)


@pytest.mark.parametrize("each", [1e-6, 0.01, 0.5])
def test_weights_that_are_small_only_compare_samples(each):
    """The scale was chosen without leaving out what the weights of the network fit exactly."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2.0, 2.0, (100, 1))
    y = np.sin(2.0 * X[:, 0]) + 0.1 * rng.normal(size=100)
    y[:8] += 3.0
    net, s = ggn.MLP((1, 8, 1)), rng.uniform(0.5, 1.5, 100)
    w, s = ggn.train_robust(net, X, y, max_iter=100).w, s / s.mean()
    one, small = (Noise(Objective(net, X, y, "cauchy", times * s)) for times in (1.0, each))
    assert small.size == pytest.approx(one.size, rel=1e-12)
    assert small.deviation(w) == pytest.approx(one.deviation(w), rel=1e-12)
    assert one.deviation(w) > 0.05  # and of all residuals, it would be less
