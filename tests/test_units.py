"""The data's own units: the same fit in any of them, and what is said where there is none."""

import contextlib
import re
import warnings

import numpy as np
import pytest
import units_census as census

import ggn
from ggn import ScalingWarning, Status
from ggn.fit.start import draw
from ggn.fit.units import choose_units
from ggn.linearization import Objective

NET = ggn.MLP((2, 5, 1))
RNG = np.random.default_rng(3)
X = RNG.uniform(-1.0, 1.0, (80, 2))
Y = np.sin(3.0 * X[:, :1]) + X[:, 1:] + RNG.normal(scale=0.05, size=(80, 1))
RAW_X, RAW_Y = 1013.0 + X * [1e-2, 1e4], 1e-20 * (Y + 40.0)
RESIDUAL = ["squared", "cauchy", "blake_zisserman", "smooth_lp", ggn.losses.SmoothLp(0.7, 0.3)]


def in_raw(loss):
    """Return a loss with its scale in the units of RAW_Y."""
    loss = ggn.losses.resolve(loss)
    if loss.scale is not None:
        loss.scale = 1e-20 * loss.scale
    return loss


# ------------------------------------------------------------- the same fit


def test_a_sample_of_the_census():
    """Nineteen of twenty: rounding may lead a run to another end."""
    every = [(1e-9, 1e6, 1e100, 1e6), (1e9, 1.0, 1e-100, 1e2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScalingWarning)
        found = [o for _, problem in census.problems() for o in census.outcomes(problem, every)]
    assert not any(o.false_success for o in found)
    assert sum(o.as_good for o in found) >= 0.95 * len(found)


@pytest.mark.parametrize("value", [1.0, -3.0, 0.1, 1e6, 1e-9, 1e-100, 0.0])
@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_constant_targets_are_met(value, loss):
    inputs = np.random.default_rng(0).uniform(size=(200, 5))
    for seed in range(6):
        fit = ggn.train(ggn.MLP((5, 10, 5, 1)), inputs, np.full(200, value), loss, rng=seed)
        assert fit.success
        assert fit.fun <= 1e-20 * max(value**2, 1e-280)


@pytest.mark.parametrize("value", [1e6, 1.0, -0.1, 1e-9, 0.0])
@pytest.mark.parametrize("loss", ["squared", "cauchy", "smooth_lp"])
def test_constant_targets_are_met_from_any_start(value, loss):
    """Exactly: what never varies is for the dummy unit, whatever the start and its seed."""
    inputs, net = np.random.default_rng(0).uniform(size=(200, 5)), ggn.MLP((5, 10, 5, 1))
    for w0 in ("normal", "fan_in", net.initial_weights(7)):
        fit = ggn.train(net, inputs, np.full(200, value), loss, w0=w0, rng=3, max_iter=20)
        assert fit.success
        assert fit.fun == ggn.linearize(net, fit.w, inputs, np.full(200, value), loss).loss == 0.0
        assert not fit.jac.any()


def test_constant_targets_of_a_run_that_was_asked_to_stop():
    w0 = NET.initial_weights(1)
    fit = ggn.train(NET, X, np.ones(80), w0=w0, loss_target=1e300)
    assert fit.status is Status.TARGET
    assert np.array_equal(fit.w, w0)
    # a penalty on the dummy unit's weight: no longer the least of J
    fit = ggn.train(NET, X, np.ones(80), l2=1e-3, max_iter=50)
    assert 0.0 < fit.fun < 1e-3
    # nor is it of two targets of which one varies
    two = np.column_stack([np.ones(80), Y[:, 0]])
    fit = ggn.train(ggn.MLP((2, 5, 2)), X, two, w0="normal", max_iter=50)
    assert 0.0 < fit.fun < 0.1 * Y.var()


def test_labels_that_are_all_one():
    """J falls for ever; the run ends where a double cannot tell it from 0."""
    inputs = np.random.default_rng(0).uniform(size=(200, 5))
    for w0, value in [("nguyen_widrow", 1.0), ("normal", 1.0), ("normal", 0.0)]:
        labels = np.full(200, value)
        fit = ggn.train(ggn.MLP((5, 10, 5, 1)), inputs, labels, "logistic", w0=w0, rng=1)
        assert fit.success
        assert fit.fun <= 1e-20


def test_an_input_that_never_varies_does_not_act():
    for value in (1.0, 8.0, 1e6):
        inputs = np.column_stack([X, np.full(80, value)])
        net = ggn.MLP((3, 5, 1))
        fit = ggn.train(net, inputs, Y, max_iter=100)
        assert np.abs(net.unpack(fit.w)[0][2]).max() * value <= 1e-12
        moved = inputs + np.array([0.0, 0.0, 0.3 * value])
        np.testing.assert_allclose(net.forward(fit.w, moved), net.forward(fit.w, inputs), rtol=1e-9)


@pytest.mark.parametrize("loss", RESIDUAL, ids=str)
@pytest.mark.parametrize("penalty", ["none", "weights", "all"])
def test_numbers_are_those_of_the_units_given(loss, penalty):
    """J, the gradient's norm and the steps are what `linearize` finds at the callback's weights."""
    seen, raw = [], in_raw(loss)
    biases = np.isin(np.arange(NET.n_weights), [2, 5, 8, 11, 14, 20])
    unit = ggn.linearize(NET, draw(Objective(NET, RAW_X, RAW_Y), RNG), RAW_X, RAW_Y, raw).loss
    weights = {"none": 0.0, "weights": np.where(biases, 0.0, 1e-6 * unit), "all": 1e-6 * unit}
    l2 = weights[penalty]
    # a penalty on biases leaves no shift: an input is 1013 with a deviation of 0.005
    told = pytest.warns(ScalingWarning) if penalty == "all" else contextlib.nullcontext()
    with told:
        fit = ggn.train(
            NET, RAW_X, RAW_Y, raw, l2=l2, max_iter=8,
            callback=lambda intermediate_result: seen.append(intermediate_result),
        )  # fmt: skip
    for k, at in enumerate(seen, 1):
        there = ggn.linearize(NET, at.w, RAW_X, RAW_Y, raw, l2=l2)
        assert fit.history.loss[k] == at.fun == pytest.approx(there.loss, rel=1e-8, abs=0)
        norm = np.linalg.norm(there.gradient)
        # towards the end there is rounding only; an offset of 1013 takes digits of each term
        digits = (np.abs(RAW_X).max(axis=0) / RAW_X.std(axis=0)).max()
        rounding = np.finfo(float).eps * digits * fit.history.gradient_norm[0]
        assert at.gradient_norm == pytest.approx(norm, rel=1e-5, abs=rounding)
        if k > 1:
            length = np.linalg.norm(at.w - seen[k - 2].w)
            assert fit.history.step_norm[k] == pytest.approx(length, rel=1e-5, abs=0)
    there = ggn.linearize(NET, fit.w, RAW_X, RAW_Y, raw, l2=l2)
    assert fit.fun == there.loss
    assert np.array_equal(fit.jac, there.gradient)


def test_weights_given_come_back():
    w0 = NET.initial_weights(1)
    fit = ggn.train(NET, RAW_X, RAW_Y, w0=w0, max_iter=0)
    assert np.array_equal(fit.w, w0)
    fit = ggn.train(NET, RAW_X, RAW_Y, w0=w0, loss_target=1e300)
    assert fit.status is Status.TARGET
    assert np.array_equal(fit.w, w0)


def test_a_target_of_the_loss_is_in_the_units_given():
    fit = ggn.train(NET, RAW_X, RAW_Y, loss_target=0.05e-40)
    assert fit.status is Status.TARGET
    assert 1e-43 < fit.fun <= 0.05e-40 < fit.history.loss[-2]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_ridge_regression_in_raw_units(weighted):
    """The penalty is on the raw weights, the bias's included."""
    s = RNG.uniform(0.5, 2.0, 80) if weighted else np.ones(80)
    A = np.column_stack([RAW_X, np.ones(80)])
    l2 = np.array([1e-7, 2e3, 1e-3])
    y = Y[:, 0] + 40.0
    expected = np.linalg.solve((A.T * s) @ A / s.sum() + np.diag(l2), A.T @ (s * y) / s.sum())
    with pytest.warns(ScalingWarning):
        fit = ggn.train(ggn.MLP((2, 1)), RAW_X, y, l2=l2, sample_weight=s)
    np.testing.assert_allclose(fit.w, expected, rtol=1e-6)


def test_one_outlier_does_not_choose_the_units():
    spoilt = 1e3 * Y.copy()
    spoilt[7] = -1e12
    clean = np.delete(np.arange(80), 7)
    for loss in (ggn.losses.Cauchy(100.0), ggn.losses.BlakeZisserman(300.0)):
        fit = ggn.train(NET, X, spoilt, loss, max_iter=300)
        error = NET.forward(fit.w, X[clean]) - 1e3 * Y[clean]
        assert np.median(np.abs(error)) < 100.0


def test_who_sees_the_units_given():
    raw = Objective(NET, RAW_X, RAW_Y)
    step, lm = ggn.steps.Primal(), ggn.damping.LevenbergMarquardt()
    assert choose_units(raw, step, lm, None).objective is not raw
    assert choose_units(Objective(NET, X, Y), step, lm, None).objective.X is X

    class Mine(ggn.damping.LevenbergMarquardt):
        pass

    for damping, memory in ((Mine(), None), (ggn.damping.Undamped(), None), (lm, 100.0)):
        with pytest.warns(ScalingWarning, match=r"input 0 is 1013.* ± .*mean"):
            units = choose_units(raw, step, damping, memory)
        assert units.objective.X is raw.X


@pytest.mark.parametrize(
    ("net", "loss"),
    [(ggn.MLP((2, 5, 1), bias=[False, True]), "squared"),
     (ggn.MLP((2, 5, 1), bias=False), "squared"),
     (ggn.MLP((2, 5, 1), output_activation="softplus"), "squared")],
)  # fmt: skip
def test_what_cannot_be_changed_is_told(net, loss):
    with pytest.warns(ScalingWarning, match="use \\(value - mean\\) / deviation"):
        fit = ggn.train(net, 1e6 + X, 1e6 * (1e6 + Y), loss, max_iter=3)
    assert fit.status is Status.MAX_ITER
    assert fit.message.startswith(Status.MAX_ITER.value + " Training is in these units, and ")


@pytest.mark.parametrize("offset", [0.3, 1.0, 2.9, 3.1])
def test_a_small_offset_changes_no_path(offset):
    """From weights drawn for the data; those given see the numbers as they are."""
    moved = X + offset * X.std(axis=0)
    plain, other = (ggn.train(NET, inputs, Y, max_iter=15) for inputs in (X, moved))
    np.testing.assert_allclose(other.history.loss, plain.history.loss, rtol=1e-6)
    assert plain.fun < 0.1 * plain.history.loss[0]


def test_logits_keep_their_units():
    labels = (Y[:, 0] + RNG.normal(size=80) > 0.0).astype(float)
    net = ggn.MLP((2, 1))
    plain, moved = (ggn.train(net, inputs, labels, "logistic") for inputs in (X, 1e5 + X))
    assert moved.fun == pytest.approx(plain.fun, rel=1e-9)
    np.testing.assert_allclose(net.unpack(moved.w)[0][:2], net.unpack(plain.w)[0][:2], rtol=1e-5)


# ------------------------------------------------------------- honest ends


@pytest.mark.parametrize("sizes", [(2, 5, 1), (2, 20, 1), (2, 8, 4, 1)])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus"])
def test_a_start_for_other_units_is_no_success(sizes, name):
    """N(0, 1) on inputs of 1500 ... 3000: units are flat on all samples, and never move."""
    net, inputs = ggn.MLP(sizes, name), 2250.0 + 750.0 * X
    flat = 0
    for seed in range(6):
        given = net.initial_weights(seed) if seed % 2 else "normal"
        fit = ggn.train(net, inputs, Y, w0=given, rng=seed, max_iter=300)
        assert not fit.success or fit.fun < 0.01 * Y.var()
        if fit.status is Status.FLAT:
            flat += 1
            told = "The start may not suit the data: input 0 is 22.. ± .*; try the default w0"
            assert re.search(told, fit.message)
    if sizes == (2, 5, 1) and name != "softplus":  # half of its units are lines
        assert flat
    assert ggn.train(net, inputs, Y, max_iter=300).fun < 0.01 * Y.var()


def test_units_that_have_become_steep_may_be_a_success():
    """A step between two samples is what the data say: the units moved there."""
    x = np.linspace(-1.0, 1.0, 60)[:, np.newaxis]
    y = np.sign(x) + np.random.default_rng(1).normal(size=x.shape)
    net = ggn.MLP((1, 1, 1))
    fit = ggn.train(net, x, y, w0="normal")
    assert abs(net.unpack(fit.w)[0][0, 0]) > 100.0
    assert fit.success
    assert fit.fun > 0.3 * y.var()


def test_small_steps_are_no_success_while_the_loss_falls():
    """Weights of inputs that count little make every step look small."""
    rng = np.random.default_rng(0)
    inputs, labels = rng.uniform(size=(38, 2000)), np.eye(3)[rng.integers(0, 3, 38)]
    w0 = ggn.MLP((2000, 20, 3)).initial_weights(0, "fan_in")
    fit = ggn.train(ggn.MLP((2000, 20, 3)), inputs, labels, w0=w0, tol=1e-2)
    assert fit.status is not Status.STEP or fit.fun <= 1e-6 * labels.var()


def nearly_alike(rng):
    """Four columns apart by 1e-6 of their size."""
    inputs = rng.normal(size=(60, 1)) + 1e-6 * rng.normal(size=(60, 4))
    return inputs, inputs.sum(axis=1)


def powers(rng):
    """x to x^8."""
    x = rng.uniform(size=80)
    return x[:, np.newaxis] ** np.arange(1, 9), np.sin(3.0 * x)


def lags(rng):
    """A smooth walk and its five last values."""
    walk = np.cumsum(np.cumsum(np.cumsum(rng.normal(size=105))))
    inputs = np.lib.stride_tricks.sliding_window_view(walk / walk.std(), 6)
    return inputs, inputs[:, 0]


def dummies(rng):
    """All categories' columns, which add up to the dummy unit."""
    kind = rng.integers(0, 4, 90)
    return np.column_stack([np.eye(4)[kind], rng.normal(size=90)]), 1.0 * kind


@pytest.mark.parametrize("kind", [nearly_alike, powers, lags, dummies])
def test_undamped_steps_that_jitter_at_the_minimum_have_not_wandered(kind):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        inputs, y = kind(rng)
        y = y + 0.1 * rng.normal(size=len(y))
        fit = ggn.train(ggn.MLP((inputs.shape[1], 1)), inputs, y, damping="undamped", rng=seed)
        A = np.column_stack([inputs, np.ones(len(y))])
        best = np.mean((A @ np.linalg.lstsq(A, y, rcond=None)[0] - y) ** 2)
        assert fit.success
        assert fit.fun == pytest.approx(best, rel=1e-10)


@pytest.mark.parametrize("size", [1e-100, 1e-155, 1e-200, 1e-300])
@pytest.mark.parametrize("l2", [0.0, 1.0])
def test_vanishing_targets(size, l2):
    # beside such targets no penalty of one can be scaled so that its square is a number
    with pytest.warns(ScalingWarning) if l2 else contextlib.nullcontext():
        fit = ggn.train(NET, X, size * Y, l2=l2, max_iter=50)
    assert np.isfinite(fit.w).all()
    if l2 == 0.0:
        assert np.mean((NET.forward(fit.w, X) / size - Y) ** 2) < 0.1 * Y.var()
