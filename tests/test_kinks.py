"""Activations whose derivative jumps: what may be claimed of points at a kink, or next to one."""

import numpy as np
import pytest

import ggn
from ggn import Status
from ggn.surface import EvidenceKind, Verdict
from ggn.surface.examination import Examination
from ggn.surface.kinks import kinks_between

L2 = 1e-2
HINGE = ggn.Activation(  # leaky_relu, but that nobody says where its kink is
    "hinge",
    lambda z: np.where(z > 0.0, z, 0.01 * z),
    lambda z: np.where(z > 0.0, 1.0, 0.01),
    lambda z: 0.0 * z,
)
ACTIVATIONS = pytest.mark.parametrize("activation", ["leaky_relu", HINGE], ids=str)


def loss(w, X, Y):
    """J of F(1, 1, 2) of slope 0.01, with the penalty."""
    z = w[0] * X[:, 0] + w[1]
    phi = np.column_stack([np.where(z > 0.0, z, 0.01 * z), np.ones(len(X))])
    F = phi @ w[2:].reshape(2, 2).T
    return np.square(F - Y).sum(axis=1).mean() + L2 * np.square(w).sum()


def beside_a_saddle():
    """Data, and w off all kinks, next to where the unit's weights are 0 and outputs the mean."""
    rng = np.random.default_rng(163)
    X, Y = rng.standard_normal((4, 1)), rng.standard_normal((4, 2))
    c = Y.mean(axis=0) / (1.0 + L2)
    w = np.array([-2.70904913e-07, 2.084482e-09, 8.95096791e-09, c[0], 2.17309376e-07, c[1]])
    return w, X, Y


@ACTIVATIONS
@pytest.mark.parametrize("chunked", [False, True])
def test_a_zero_of_the_gradient_at_a_kink_is_no_minimum(activation, chunked):
    """Newton steps find it, by the Hessian of the side of w; J falls on others."""
    w, X, Y = beside_a_saddle()
    way = np.random.default_rng(0).standard_normal((2000, 6))
    falls = min(loss(w + 1e-3 * d / np.linalg.norm(d), X, Y) for d in way)
    assert falls < loss(w, X, Y) - 1e-7
    net = ggn.MLP((1, 1, 2), activation)
    data = (ggn.Chunks([(X[:2], Y[:2]), (X[2:], Y[2:])]),) if chunked else (X, Y)
    d = ggn.diagnose(net, w, *data, l2=L2)
    assert d.loss == pytest.approx(loss(w, X, Y))
    assert d.verdict in (Verdict.INCONCLUSIVE, Verdict.INFEASIBLE)
    assert d.evidence[0].kind is EvidenceKind.OVER_KINK


@ACTIVATIONS
@pytest.mark.parametrize("off", [0.0, 1e-9, 1e-5])
def test_a_minimum_off_all_kinks_is_one(activation, off):
    """On one side of the kink the net is linear; with a penalty its minimum is strict."""
    X, Y = np.linspace(1.0, 2.0, 6)[:, None], np.array([[1.0], [1.5], [1.2], [2.0], [1.9], [2.4]])
    net = ggn.MLP((1, 1, 1), activation)
    w = ggn.train(net, X, Y, l2=L2, w0=[1.0, 0.1, 1.0, 0.1]).w
    assert (w[0] * X + w[1] > 0.1).all()
    w = w + off * np.array([1.0, -1.0, 1.0, -1.0])
    assert ggn.diagnose(net, w, X, Y, l2=L2).verdict is Verdict.LOCAL_MINIMUM


def test_no_minimum_is_certified_at_the_end_of_newton_steps_to_a_jump_of_curvature():
    """elu's unit tends to 0, where σ'' jumps: the Hessian there is that of one side."""
    X, Y = np.array([[1.0], [2.0]]), np.array([[0.1], [0.2]])
    net = ggn.MLP((1, 1, 1), "elu")
    w = np.array([1e-7, 0.0, 0.0, 0.15 / 1.1])
    d = ggn.diagnose(net, w, X, Y, l2=0.1)
    assert d.verdict is Verdict.INCONCLUSIVE
    assert d.evidence[0].kind is EvidenceKind.ONE_SIDED


def sides(net, w, X):
    return np.sign(np.column_stack([X, np.ones(len(X))]) @ net.unpack(w)[0])


@ACTIVATIONS
def test_a_saddle_off_all_kinks_is_one(activation):
    """A unit that is 1 on all samples, and has no weight: growing both, it may follow x."""
    X, net = np.linspace(-1.0, 1.0, 7)[:, None], ggn.MLP((1, 1, 1), activation)
    Y = 2.0 * X + np.square(X)
    w = np.array([0.0, 1.0, 0.0, Y.mean()])
    d = ggn.diagnose(net, w, X, Y)
    assert d.verdict is Verdict.SADDLE
    for t, J in d.descent_path:
        there = w + t * d.descent
        assert (sides(net, there, X) > 0.0).all()
        assert J == pytest.approx(np.square(net.forward(there, X) - Y).mean())


@ACTIVATIONS
def test_no_descent_by_curvature_leads_over_a_kink(activation):
    """Beyond, J may be lower, but not by the Hessian of this side."""
    for seed in range(30):
        rng, net = np.random.default_rng(seed), ggn.MLP((1, 2, 1), activation)
        X, w = rng.standard_normal((6, 1)), net.initial_weights(seed)
        for W, size in zip(net.unpack(w), (1e-1, 1e-3), strict=True):
            W *= size
        Y = net.forward(w, X) + rng.standard_normal((6, 1))
        second = Examination(ggn.linearize(net, w, X, Y), 1e9).second
        found = None if second is None else second.descent()
        for t, _ in [] if found is None else found[1]:
            assert (sides(net, w + t * found[0], X) == sides(net, w, X)).all()


@pytest.mark.parametrize(
    ("activation", "w", "there", "found"),
    [
        ("relu", [1.0], [1.1], (False, False)),
        ("relu", [1.0], [-1.0], (True, False)),
        ("relu", [1.0], [0.4], (True, False)),  # the way may bend by as much as it is long
        ("relu", [1e-12], [1e-12], (True, False)),
        (HINGE, [1.0], [1.1], (False, False)),
        (HINGE, [1.0], [-0.3], (True, False)),
        ("elu", [1.0], [-1.0], (False, False)),
        ("elu", [1.0], [0.0], (False, True)),
        ("tanh", [1.0], [-1.0], (False, False)),
    ],
)
def test_kinks_on_a_way(activation, w, there, found):
    net = ggn.MLP((1, 1), output_activation=activation, bias=False)
    at = ggn.linearize(net, w, [[1.0]], [[0.0]])
    ends = np.array(w), np.array(there)
    assert kinks_between(at.objective, *ends, np.ones(1)) == found


def test_at_large_terms_a_small_net_input_is_at_the_kink():
    """1e6 - 1e6 + 1e-4 is a rest, of which rounding and steps may take any part."""
    net = ggn.MLP((1, 1), output_activation="relu")
    at = ggn.linearize(net, [1e6, 1e-4 - 1e6], [[1.0]], [[0.0]])
    assert kinks_between(at.objective, at.w, at.w, np.ones(2))[0]


# ------------------------------------------------------------------ exact fits


def of_two_units(rest):
    """σ(x + rest) + σ(-x + rest), which for relu is |x| but for rounding."""
    return np.array([1.0, rest, -1.0, rest, 1.0, 1.0, 0.0])


@pytest.mark.parametrize("rest", [0.0, 1e-16, -1e-16])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", HINGE], ids=str)
def test_a_fit_exact_to_rounding_at_a_kink_is_a_global_minimum(activation, rest):
    """Weights that should be 0 are what rounding left of them; on x = 0 that is all there is."""
    net, X = ggn.MLP((1, 2, 1), activation), np.linspace(-1.0, 1.0, 9)[:, None]
    Y = np.abs(X) if activation == "relu" else 0.99 * np.abs(X)
    d = ggn.diagnose(net, of_two_units(rest), X, Y)
    assert d.loss < 1e-31
    assert d.verdict is Verdict.GLOBAL_MINIMUM
    assert d.evidence[0].kind is EvidenceKind.EXACT


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_an_exact_fit_at_a_kink_is_one_in_any_unit(size):
    net, X = ggn.MLP((1, 2, 1), "relu"), np.linspace(-1.0, 1.0, 9)[:, None]
    w = of_two_units(1e-16)
    w[4:6] *= size
    d = ggn.diagnose(net, w, X, size * np.abs(X))
    assert d.verdict is Verdict.GLOBAL_MINIMUM


def test_a_fit_that_is_not_exact_at_a_kink_is_no_global_minimum():
    """|x|, but 1e-13 less at 0: where a convex function of two kinks cannot go."""
    net, X = ggn.MLP((1, 2, 1), "relu"), np.linspace(-1.0, 1.0, 9)[:, None]
    Y = np.abs(X)
    Y[4] = -1e-13
    d = ggn.diagnose(net, of_two_units(0.0), X, Y)
    assert d.verdict is not Verdict.GLOBAL_MINIMUM


# ------------------------------------------------------------------ success of a training


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("step", ["auto", "conjugate_gradient"])
def test_a_run_that_sticks_to_a_kink_is_no_success(activation, step):
    """Short steps, where the gradient, of all that it could be, is not small."""
    ends, net = [], ggn.MLP((1, 2, 1), activation)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((2, 9, 1))
        fit = ggn.train(net, x, y, rng=seed, step=step, max_iter=200)
        ends.append(fit.status)
        if not fit.success or fit.fun <= 1e-6 * y.var():
            continue
        P = ggn.linearize(net, fit.w, x, y).jacobian()
        size = np.sqrt(2.0 * np.square(P.reshape(net.n_weights, -1)).mean(axis=1))
        assert (np.abs(fit.jac) <= 1e-5 * np.sqrt(2.0 * fit.fun) * size + 1e-12).all(), seed
    assert Status.STALLED in ends


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-12])
def test_a_run_that_ends_off_all_kinks_is_a_success(tol):
    X, Y = np.linspace(1.0, 2.0, 6)[:, None], np.array([[1.0], [1.5], [1.2], [2.0], [1.9], [2.4]])
    fit = ggn.train(ggn.MLP((1, 1, 1), "leaky_relu"), X, Y, w0=[1.0, 0.1, 1.0, 0.1], tol=tol)
    assert fit.success
    line = np.polyval(np.polyfit(X[:, 0], Y[:, 0], 1), X)
    assert fit.fun == pytest.approx(np.square(line - Y).mean(), rel=10.0 * tol)


def test_an_exact_fit_at_a_kink_is_a_success():
    x = np.linspace(-1.0, 1.0, 9)[:, None]
    fit = ggn.train(ggn.MLP((1, 2, 1), "relu"), x, np.abs(x), w0=of_two_units(1e-3))
    assert fit.fun < 1e-20
    assert fit.success
