"""Where training starts by default: as large as the data, as steep as the targets call for."""

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import ggn
from ggn.activations import BUILT_IN
from ggn.fit.start import RIDGES, STARTS, _validated, draw
from ggn.linearization import Objective
from ggn.sklearn import GGNClassifier

NET = ggn.MLP((2, 5, 1))
RNG = np.random.default_rng(3)
X = RNG.uniform(-1.0, 1.0, (80, 2))
Y = np.sin(3.0 * X[:, :1]) + X[:, 1:] + RNG.normal(scale=0.05, size=(80, 1))


@pytest.mark.parametrize("scheme", STARTS)
@pytest.mark.parametrize("name", sorted(BUILT_IN))
@pytest.mark.parametrize("bias", [True, False, [True, False, True]])
def test_starts_are_of_the_size_of_the_data(scheme, name, bias):
    net = ggn.MLP((2, 7, 4, 1), name, bias=bias)
    objective = Objective(net, X, Y)
    w = draw(objective, np.random.default_rng(5), scheme)
    assert np.array_equal(w, draw(objective, np.random.default_rng(5), scheme))
    if scheme == "nguyen_widrow":
        assert np.abs(net.forward(w, X)).max() < 30.0
        big = draw(Objective(net, 1e6 * X, 1e-8 * Y), np.random.default_rng(5))
        np.testing.assert_allclose(
            1e8 * net.forward(big, 1e6 * X), net.forward(w, X), rtol=1e-6, atol=1e-6
        )


def test_units_share_out_the_range():
    """Of one input: the places where the units bend are as far apart as each other.

    Units are as steep as the targets call for: 0.7 n where these are as steep, or 2.
    """
    x = np.linspace(50.0, 70.0, 30)[:, np.newaxis]
    for y, reach in ((np.tanh(0.63 * (x - 57.5)), 0.7 * 9), (np.sin(0.1 * x), 2.0)):
        for name, factor in (("tanh", 1.0), ("sigmoid", 2.0)):
            net = ggn.MLP((1, 9, 1), name)
            slopes, biases = net.unpack(draw(Objective(net, x, y), RNG))[0]
            centres = np.sort(-biases / slopes)
            np.testing.assert_allclose(centres, np.linspace(50.0, 70.0, 9), rtol=1e-12)
            np.testing.assert_allclose(np.abs(slopes), factor * reach / 10.0)


@pytest.mark.parametrize("frequency", [1.0, 25.0])
def test_the_start_chosen_is_the_one_that_predicts_better(frequency):
    """Generalised cross-validation agrees with leaving out each sample in turn, by hand."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (60, 1))
    y = np.sin(frequency * x) + 0.2 * rng.standard_normal(x.shape)
    net = ggn.MLP((1, 20, 1))
    slopes, biases = net.unpack(draw(Objective(net, x, y), RNG))[0]
    errors = {}
    for reach in (2.0, 14.0):
        W, b = slopes / np.abs(slopes) * reach, biases / np.abs(slopes) * reach
        H = np.column_stack([np.tanh(x * W + b)])
        found = []
        for ridge in RIDGES.ravel():
            left = []
            for k in range(60):
                on = np.arange(60) != k
                mean, level = H[on].mean(axis=0), y[on].mean()
                Z = H[on] - mean
                weight = ridge * np.linalg.norm(Z, 2) ** 2
                B = np.linalg.solve(Z.T @ Z + weight * np.eye(20), Z.T @ (y[on] - level))
                left.append(y[k, 0] - level - ((H[k] - mean) @ B).item())
            found.append(np.mean(np.square(left)))
        errors[reach] = min(found)
    chosen = np.abs(slopes[0] * 0.5 * np.ptp(x))
    assert min(errors, key=errors.__getitem__) == pytest.approx(chosen)


def test_a_fixed_bias_moves_nothing():
    nets = [ggn.MLP((2, 5, 1), fixed_bias=b) for b in (0.0, 3.0)]
    plain, moved = (
        net.forward(draw(Objective(net, X, Y), np.random.default_rng(1)), X) for net in nets
    )
    np.testing.assert_allclose(moved, plain, atol=1e-12)


def test_starts_of_samples_that_do_not_count():
    """A weight of zero leaves a sample out of the ranges, as of the fit."""
    far = np.vstack([X, [[1e9, -1e9]]])
    w = draw(Objective(NET, X, Y), np.random.default_rng(0))
    s = np.append(np.ones(80), 0.0)
    other = draw(Objective(NET, far, np.append(Y, 1e9), "squared", s), np.random.default_rng(0))
    np.testing.assert_allclose(other, w, rtol=1e-12)
    assert math.isfinite(ggn.train(NET, far, np.append(Y, 1e9), sample_weight=s, max_iter=2).fun)


@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_the_default_start_takes_a_weight_of_two_for_a_sample_given_twice(loss, rng):
    """Deviations and medians alike."""
    X, Y, times = (
        rng.normal(size=(20, 2)),
        50.0 * rng.normal(size=(20, 1)) ** 3,
        rng.integers(0, 4, 20),
    )
    weighted = Objective(NET, X, Y, loss, times)
    repeated = Objective(NET, np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0), loss)
    found, expected = (draw(data, np.random.default_rng(1)) for data in (weighted, repeated))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("noise", [1e-13, 1e-9, 1e-6])
@pytest.mark.parametrize("rate", [0.05, 0.12, 0.3, 0.95])
def test_zeros_and_ones_are_shared_out_whatever_trace_of_noise_is_on_them(noise, rate):
    """By continuity: weights are those of the zeros and ones, and no noise of any size tells.

    Weights of two are samples given twice, and other units are other weights, bit by bit.
    """
    rng, net = np.random.default_rng(2), ggn.MLP((3, 5, 1))
    ones = (rng.uniform(size=(120, 3)) < rate).astype(float)
    ones[:, 2] = rng.uniform(-1.0, 1.0, 120)  # of zeros and ones, either slope tells all there is
    y, times = ones[:, :1] - 2.0 * ones[:, 1:2] + np.sin(3.0 * ones[:, 2:]), rng.integers(1, 4, 120)
    noisy = ones + noise * rng.normal(size=ones.shape)
    start = lambda *data: draw(Objective(net, *data), np.random.default_rng(1))  # noqa: E731
    np.testing.assert_allclose(start(noisy, y), start(ones, y), rtol=1e-3, atol=1e-4)
    weighted = start(noisy, y, "squared", times)
    repeated = start(np.repeat(noisy, times, axis=0), np.repeat(y, times, axis=0))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9)
    first, other = (net.unpack(start(k * noisy, y))[0] for k in (1.0, 1024.0))
    assert np.array_equal(other[:3] * 1024.0, first[:3])
    assert np.array_equal(other[3], first[3])


@pytest.mark.parametrize("far", [30.0, 1e3, 1e6, -1e9])
@pytest.mark.parametrize("samples", [21, 101])
def test_one_outlier_leaves_the_range_to_the_others(far, samples):
    """Tukey's fences by hand: the quartiles of -1 ... 1 are ∓0.5, so the one is at 0.5 + 3."""
    x = np.linspace(-1.0, 1.0, samples)[:, np.newaxis]
    x[-1 if far > 0.0 else 0] = far
    net = ggn.MLP((1, 9, 1))
    slopes = net.unpack(draw(Objective(net, x, np.tanh(x)), RNG))[0][0]
    reach = np.abs(slopes) * 0.5 * (1.0 + 3.5)
    assert np.isclose(reach, 2.0, rtol=1e-9).all() or np.isclose(reach, 6.3, rtol=1e-9).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_classifier_of_zeros_and_ones_with_a_trace_of_noise(seed):
    """Where the classes are a logistic regression, it predicts nearly as that does."""
    rng = np.random.default_rng(seed)
    ones = (rng.uniform(size=(600, 3)) < 0.12).astype(float)
    p = 1.0 / (1.0 + np.exp(0.3 - ones @ [3.0, -3.0, 1.0]))
    y = (rng.uniform(size=600) < p).astype(int)
    noisy = ones + 1e-9 * rng.normal(size=ones.shape)
    errors = []
    for inputs, model in (
        (ones, LogisticRegression()),
        (noisy, GGNClassifier(random_state=1)),
        (noisy, GGNClassifier(random_state=1, scale="robust")),
    ):
        q = model.fit(inputs[:400], y[:400]).predict_proba(inputs[400:])
        errors.append(-np.log(q[np.arange(200), y[400:]]).mean())
    assert max(errors[1:]) < errors[0] + 0.05


@pytest.mark.parametrize("seed", range(20))
def test_more_units_than_samples_leave_no_choice_to_rounding(seed):
    """They meet any targets, and what is left is rounding; it had chosen, by the last bits."""
    rng = np.random.default_rng(seed)
    inputs, times = rng.uniform(size=(9, 30)), rng.integers(1, 5, 9)
    targets, net = np.eye(3)[rng.integers(0, 3, 9)], ggn.MLP((30, 20, 3))
    weighted = Objective(net, inputs, targets, sample_weight=times)
    repeated = Objective(net, *(np.repeat(A, times, axis=0) for A in (inputs, targets)))
    found, expected = (draw(data, np.random.default_rng(1)) for data in (weighted, repeated))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("size", [(9, 20), (20, 9), (60, 12)])
def test_cross_validation_by_singular_values(size, rng):
    """V by an SVD and residuals summed one by one; here, by the smaller matrix of products."""
    H, t, c = rng.normal(size=size), rng.normal(size=(size[0], 2)), rng.uniform(0.5, 2.0, size[0])
    c /= c.sum()
    scaled = t / np.abs(t).max(axis=0)
    Z, y = (np.sqrt(c)[:, None] * (A - c @ A) for A in (H, scaled))
    U, s, Vt = np.linalg.svd(Z, full_matrices=False)
    kept = s > 1e-9 * s[0]
    U, s, Vt = U[:, kept], s[kept], Vt[kept]
    count, found = max(40.0, 1.0 / (c @ c)), []
    for ridge in RIDGES.ravel():
        B = Vt.T @ ((s / (s**2 + ridge * s[0] ** 2))[:, None] * (U.T @ y))
        free = 1.0 - ((s**2 / (s**2 + ridge * s[0] ** 2)).sum() + 1.0) / count
        if free > 0.0:
            found.append(np.square(y - Z @ B).sum() / free**2)
    assert _validated(t, c, 40.0, H)[0] == pytest.approx([min(found, default=np.inf)], rel=1e-6)


def test_cross_validation_knows_units_that_are_others_again_or_one_number(rng):
    """They add nothing: not to what is met, nor to how many there are."""
    H, t, c = rng.normal(size=(60, 8)), rng.normal(size=(60, 2)), np.full(60, 1.0 / 60.0)
    constant, turned = np.full((60, 3), 0.3), np.linalg.qr(rng.normal(size=(8, 8)))[0]
    more = [np.hstack([H, constant]), np.hstack([H, np.full((60, 90), 1.0 / 3.0)]), H @ turned]
    many = np.repeat(H, 40, axis=1)  # of which 60 samples span no more than 8
    (expected, *same, none, again), total = _validated(t, c, 60.0, H, *more, constant, many)
    assert same == pytest.approx([expected] * 3, rel=1e-7)
    assert none == pytest.approx(total / (1.0 - 1.0 / 60.0) ** 2)
    assert 0.0 < again < 2.0 * expected


@pytest.mark.parametrize("T", [15, 60])
def test_cross_validation_depends_on_no_unit_of_the_units(T, rng):
    """Their squares would be 0, or infinite."""
    H, t, c = rng.normal(size=(T, 20)), rng.normal(size=(T, 1)), np.full(T, 1.0 / T)
    (expected, *found), _ = _validated(t, c, 1.0 * T, H, H * 2.0**-1000, H * 2.0**1000)
    assert found == [expected] * 2


def test_cross_validation_hangs_on_no_sample_that_hardly_counts(rng):
    """Means were beside the first sample, whatever its size and its share."""
    H, t, c = rng.normal(size=(20, 4)), rng.normal(size=(20, 1)), np.full(20, 1.0 / 19.0)
    c[0], H[0], t[0] = 0.0, 1e16, 3.0
    (found,), total = _validated(t, c, 19.0, H)
    (expected,), least = _validated(t[1:], c[1:], 19.0, H[1:])
    larger = np.abs(t[1:]).max() / 3.0  # the unit of targets is their largest number
    assert (found, total) == pytest.approx((expected * larger**2, least * larger**2), rel=1e-9)


def test_cross_validation_of_what_is_no_number(rng):
    """Also where only differences overflow, of which the mean is finite."""
    H, t, c = rng.normal(size=(20, 4)), rng.normal(size=(20, 1)), np.full(20, 0.1 / 19.0)
    c[1], over = 0.9, H.copy()
    over[:3, 1] = 0.0, 1.7e308, -1.7e308
    infinite = np.where(np.arange(20)[:, None] == 4, np.inf, H)
    assert _validated(t, c, 20.0, over, infinite, np.nan * H)[0] == [np.inf] * 3


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "silu", "gelu", "tanh"])
@pytest.mark.parametrize("hidden", [(4,), (8,), (4, 4)])
def test_a_unit_that_is_silent_but_for_rounding_gets_no_weight_of_its_size(name, hidden):
    """relu's kink may lie at the very edge of the range: 0 on all samples, or 1e-16 on one."""
    x = np.random.default_rng(1).uniform(-1.0, 1.0, (12, 1))
    net = ggn.MLP((1, *hidden, 1), name)
    for offset in (0.0, 1e4):
        objective = Objective(net, x + offset, np.sin(3.0 * x))
        for seed in range(40):
            w = draw(objective, np.random.default_rng(seed))
            assert max(np.abs(W[:-1]).max() for W in net.unpack(w)) < 1e4


def test_small_steps_are_no_success_where_weights_are_huge_and_the_gradient_is_not():
    """A weight of -4e15 makes any step small beside it, when others could lower J by a tenth."""
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (12, 1))
    y = np.random.default_rng(1).normal(size=(12, 1))
    net, huge = ggn.MLP((1, 4, 1), "relu"), 0
    v, b = 1.50160791593612, 1.3066163911304538  # the first is 0 but for rounding, at one end
    for out in (-4164030655041685.5, -753891865230726.4, 1e15, -1e16):
        for last in (-0.33, 0.5):
            hidden = [v, -b, -v, 0.37328305779712057, v, 0.5600502755362127, v, 1.493383608869546]
            w0 = [*hidden, out, last, 0.0325, -0.0535, 0.548]
            fit = ggn.train(net, x, y, w0=w0, max_iter=300)
            at = ggn.linearize(net, fit.w, x, y)
            d = np.maximum(np.diag(at.normal_matrix()), 1e-300)
            gain = float((at.gradient**2 / d).max()) / at.loss
            assert not (fit.success and gain > 0.02)
            huge += gain > 0.02
    assert huge
