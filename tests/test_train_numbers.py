"""What training computes: the same answers by every road, in any units, on any thread."""

import threading

import numpy as np
import pytest

import ggn
from ggn.damping import LevenbergMarquardt, Undamped

NET = ggn.MLP((2, 4, 1))
W0 = NET.initial_weights(0)
RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (30, 2))
Y = np.sin(3 * X[:, :1]) + X[:, 1:] + RNG.normal(scale=0.3, size=(30, 1))
SECOND_ORDER = ["primal", "dual", "minimum_norm"]
PLAIN = LevenbergMarquardt(acceleration=0.0, refits=False)


class ByPython(LevenbergMarquardt):
    """The same rule, of a kind that the compiled loop does not know."""


def fit(x=X, y=Y, **changed):
    return ggn.train(NET, x, y, **({"w0": W0, "max_iter": 12} | changed))


# ------------------------------------------------------------- the same by every road


@pytest.mark.parametrize("l2", [0.0, 1e-3, np.linspace(0.0, 0.1, 17)], ids=["0", "one", "each"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_steps_take_the_same_path(l2, weighted, loss):
    """Primal, dual and minimum-norm agree to rounding, as amplified by ten iterations."""
    s = np.linspace(0.0, 2.0, 30) if weighted else None
    options = {"l2": l2, "sample_weight": s, "loss": loss, "damping": PLAIN, "max_iter": 10}
    paths = [fit(step=step, **options).history.loss for step in SECOND_ORDER]
    assert len(paths[0]) == 11
    for path in paths[1:]:
        np.testing.assert_allclose(path, paths[0], rtol=1e-7)


def test_steps_accelerate_alike():
    """With geodesic acceleration too, where there are residuals enough for all to take it."""
    rng = np.random.default_rng(4)
    x = rng.uniform(-1, 1, (80, 2))
    y = np.sin(3 * x[:, :1]) + x[:, 1:]
    paths = [fit(x, y, step=step, max_iter=8).history.loss for step in SECOND_ORDER]
    plain = fit(x, y, step="primal", max_iter=8, damping=PLAIN).history.loss
    assert not np.allclose(paths[0], plain, rtol=1e-6)
    for path in paths[1:]:
        np.testing.assert_allclose(path, paths[0], rtol=1e-7)


@pytest.mark.parametrize("step", SECOND_ORDER)
def test_weight_two_is_a_sample_given_twice(step):
    twice = np.arange(30) % 3 == 0
    weighted = fit(step=step, sample_weight=1.0 + twice)
    repeated = fit(np.vstack([X, X[twice]]), np.vstack([Y, Y[twice]]), step=step)
    np.testing.assert_allclose(weighted.history.loss, repeated.history.loss, rtol=1e-9)
    np.testing.assert_allclose(weighted.w, repeated.w, rtol=1e-6)


def test_weight_zero_is_a_sample_left_out():
    out = np.arange(30) % 3 == 0
    weighted = fit(sample_weight=np.where(out, 0.0, 5.0), step="primal")
    left_out = fit(X[~out], Y[~out], step="primal")
    np.testing.assert_allclose(weighted.history.loss, left_out.history.loss, rtol=1e-9)


@pytest.mark.parametrize(
    ("step", "damping"),
    [*((step, "levenberg_marquardt") for step in SECOND_ORDER), ("primal", "undamped"),
     ("minimum_norm", "undamped")],
)  # fmt: skip
def test_ridge_regression(step, damping):
    """A linear network with a penalty for each weight has its minimiser in closed form.

    One weight is free: without damping the dual form has no metric for it.
    """
    net = ggn.MLP((2, 1))
    l2 = np.array([0.01, 0.1, 0.0])
    A = np.hstack([X, np.ones((30, 1))])
    expected = np.linalg.solve(A.T @ A / 30 + np.diag(l2), A.T @ Y[:, 0] / 30)
    r = ggn.train(net, X, Y, l2=l2, step=step, damping=damping, rng=3)
    np.testing.assert_allclose(r.w, expected, rtol=1e-9)
    if damping == "undamped":
        assert r.nit <= 3


def test_units_of_an_input_do_not_matter():
    """A column in other units, its weights adapted: the same losses on the way."""
    Ws = [W.copy() for W in NET.unpack(W0)]
    Ws[0][0] /= 1e6
    other = fit(X * [1e6, 1.0], w0=NET.pack(Ws), max_iter=10)
    np.testing.assert_allclose(other.history.loss, fit(max_iter=10).history.loss, rtol=1e-6)


def test_units_of_the_target_do_not_matter():
    Ws = [W.copy() for W in NET.unpack(W0)]
    Ws[1] *= 1e4
    other = fit(y=1e4 * Y, w0=NET.pack(Ws), max_iter=10)
    np.testing.assert_allclose(other.history.loss, 1e8 * fit(max_iter=10).history.loss, rtol=1e-6)


def test_order_of_samples_does_not_matter():
    backward = fit(X[::-1], Y[::-1], max_iter=10)
    np.testing.assert_allclose(backward.history.loss, fit(max_iter=10).history.loss, rtol=1e-8)


def test_a_weight_of_two_is_the_sample_given_twice():
    """The same path, though 10 residuals are fewer than weights, and 20 are not."""
    weighted = fit(X[:10], Y[:10], max_iter=10, sample_weight=np.full(10, 2.0))
    repeated = fit(np.repeat(X[:10], 2, axis=0), np.repeat(Y[:10], 2, axis=0), max_iter=10)
    np.testing.assert_allclose(weighted.history.loss, repeated.history.loss, rtol=1e-8)


@pytest.mark.parametrize("step", [*SECOND_ORDER, "gradient"])
@pytest.mark.parametrize("damping", ["levenberg_marquardt", "undamped"])
def test_same_bits_twice(step, damping):
    one, two = fit(step=step, damping=damping), fit(step=step, damping=damping)
    assert np.array_equal(one.w, two.w)
    assert np.array_equal(one.history.loss, two.history.loss)
    assert (one.status, one.nit, one.nfev) == (two.status, two.nit, two.nfev)


def test_four_threads_at_once():
    """Runs share nothing: each thread's answers are those of a thread alone."""
    jobs = [(seed, step) for seed in range(8) for step in SECOND_ORDER]

    def run(job):
        seed, step = job
        return fit(w0=NET.initial_weights(seed), step=step, max_iter=30).w

    alone, together = [run(job) for job in jobs], {}

    def work(first):
        for k in range(first, len(jobs), 4):
            together[k] = run(jobs[k])

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, w in enumerate(alone):
        assert np.array_equal(together[k], w)


def test_one_network_in_many_threads():
    """forward and jacobian of one MLP at once."""
    net = ggn.MLP((2, 30, 2), ggn.Activation("sine", np.sin, np.cos))
    w, x = net.initial_weights(0), np.random.default_rng(0).normal(size=(500, 2))
    expected = net.forward(w, x), net.jacobian(w, x)
    wrong = []

    def work():
        for _ in range(5):
            got = net.forward(w, x), net.jacobian(w, x)
            wrong.extend(k for k in (0, 1) if not np.array_equal(got[k], expected[k]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_undamped_takes_alpha_of_the_step(alpha):
    """w - alpha d each time; on a linear problem the error shrinks by 1 - alpha."""
    net, path = ggn.MLP((2, 1)), [np.array([3.0, -2.0, 1.0])]
    best = np.linalg.lstsq(np.hstack([X, np.ones((30, 1))]), Y[:, 0], rcond=None)[0]
    ggn.train(net, X, Y, w0=path[0], damping=Undamped(alpha), callback=path.append, max_iter=6)
    for k, w in enumerate(path):
        np.testing.assert_allclose(w - best, (1 - alpha) ** k * (path[0] - best), atol=1e-13)


@pytest.mark.parametrize(
    ("sizes", "bias", "samples", "copies"),
    [((1, 3, 2), False, 11, 1), ((1, 8, 1), True, 10, 2)],
    ids=["more residuals than weights", "repeated samples"],
)
@pytest.mark.parametrize("damping", [LevenbergMarquardt(), ByPython()], ids=["compiled", "python"])
def test_dual_steps_end_where_the_gradient_is_no_help_either(sizes, bias, samples, copies, damping):
    """The kernel matrix is singular there, whatever the weights are."""
    net, ends = ggn.MLP(sizes, bias=bias), 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = np.repeat(rng.standard_normal((samples, 1)), copies, axis=0)
        Y = rng.standard_normal((len(X), net.n_outputs))
        options = {"w0": "normal", "rng": seed, "damping": damping, "max_iter": 1000}
        end = ggn.train(net, X, Y, "smooth_lp", step="dual", **options)
        if end.success:
            down = [end.w - t * end.jac for t in 10.0 ** np.arange(-14.0, 1.0)]
            least = min(ggn.linearize(net, w, X, Y, "smooth_lp").loss for w in down)
            assert least > (1.0 - 1e-8) * end.fun, seed
            ends += 1
    assert ends > 3
