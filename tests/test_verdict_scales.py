"""Verdicts where outputs, inputs or weights of very different sizes stand side by side."""

import numpy as np
import pytest

import ggn
from ggn.surface import EvidenceKind, Verdict

pytestmark = pytest.mark.filterwarnings("ignore:Training is in these units")
X = np.linspace(-2.0, 2.0, 25)[:, np.newaxis]


def two_outputs(unit, seed=0):
    rng = np.random.default_rng(seed)
    small = np.sin(2.0 * X[:, 0]) + 0.1 * rng.normal(size=25)
    large = np.cos(2.0 * X[:, 0]) + 0.1 * rng.normal(size=25)
    return np.column_stack([small, unit * large])


def least_squares(A, Y):
    return np.linalg.lstsq(np.column_stack([A, np.ones(len(A))]), Y, rcond=None)[0]


# ------------------------------------------------------------------ one output beside another


@pytest.mark.parametrize("unit", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("wrong", [0.0, 2.0, -1.0])
def test_a_convex_fit_of_one_output_is_no_fit_of_another(unit, wrong):
    """Both columns are least squares of their own: that of the small units is plainly wrong."""
    net, Y = ggn.MLP((1, 2)), two_outputs(unit)
    W = least_squares(X, Y)
    assert ggn.diagnose(net, net.pack([W]), X, Y).verdict is Verdict.GLOBAL_MINIMUM
    W[:, 0] *= wrong
    d = ggn.diagnose(net, net.pack([W]), X, Y)
    assert d.verdict is Verdict.NOT_STATIONARY


@pytest.mark.parametrize("unit", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("off", [1.01, 2.0, 0.5])
def test_what_an_output_could_do_for_itself_is_seen_beside_another(unit, off):
    """The fall is what least squares of that output alone has less."""
    net, Y = ggn.MLP((1, 4, 2)), two_outputs(unit)
    w = ggn.train(net, X, Y, max_iter=500).w
    W1, W2 = net.unpack(w)
    H = np.column_stack([np.tanh(np.column_stack([X, np.ones(25)]) @ W1), np.ones(25)])
    best = np.linalg.lstsq(H, Y[:, 0], rcond=None)[0]
    W2[:, 0] = off * best
    d = ggn.diagnose(net, w, X, Y)
    assert d.verdict is Verdict.NOT_STATIONARY
    true = np.mean((H @ W2[:, 0] - Y[:, 0]) ** 2) - np.mean((H @ best - Y[:, 0]) ** 2)
    for said in d.evidence:
        if said.kind is EvidenceKind.IDLE_OUTPUT:
            assert said.fields["output"] == 0
            assert 0.0 < said.fields["fall"] <= true * (1.0 + 1e-9)


@pytest.mark.parametrize("unit", [1e4, 1e6, 1e8])
@pytest.mark.parametrize("loss", ["squared", ggn.losses.SmoothLp(1.5)], ids=str)
def test_an_output_whose_weights_are_all_zero_is_at_no_minimum(unit, loss):
    net, Y = ggn.MLP((1, 3, 2)), two_outputs(unit)
    w = ggn.train(net, X, Y, loss, max_iter=500).w
    net.unpack(w)[-1][:, 0] = 0.0
    d = ggn.diagnose(net, w, X, Y, loss)
    assert d.verdict in (Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE, Verdict.INFEASIBLE)
    if loss == "squared":
        assert d.verdict is Verdict.NOT_STATIONARY


@pytest.mark.parametrize("unit", [1e5, 1e6, 1e8])
@pytest.mark.parametrize("kind", ["equal inputs", "range", "linear"])
def test_the_floor_of_one_output_hides_no_other(unit, kind):
    """Output 1 is at its proven floor, in large units; output 0 is not fitted at all."""
    Y = two_outputs(unit)
    A, B = X, Y
    net = ggn.MLP((1, 40, 2))
    if kind == "equal inputs":
        A, B = np.vstack([X, X]), np.vstack([Y, Y + np.array([0.0, 0.1 * unit])])
    elif kind == "linear":
        net = ggn.MLP((1, 2))
    else:
        net = ggn.MLP((1, 40, 2), output_activation="softplus")
        B = np.column_stack([np.exp(Y[:, 0]), -np.abs(Y[:, 1]) - unit])
    w = net.initial_weights(0)
    Ws = net.unpack(w)
    H = X if kind == "linear" else np.tanh(np.column_stack([A, np.ones(len(A))]) @ Ws[0])
    Ws[-1][:] = least_squares(H, B)
    if kind == "range":
        Ws[-1][:, 1], Ws[-1][-1, 1] = 0.0, -900.0  # softplus is 0 there, as near as it gets
    Ws[-1][:, 0] = 0.0
    d = ggn.diagnose(net, w, A, B)
    assert d.verdict is not Verdict.GLOBAL_MINIMUM
    assert d.verdict is not Verdict.LOCAL_MINIMUM


# ------------------------------------------------------------------ weights next to nothing


@pytest.mark.parametrize("size", [0.0, 1e-300, 1e-17, 1e-12])
@pytest.mark.parametrize("sizes", [(1, 2, 1), (2, 3, 2), (1, 1, 1)])
def test_a_strict_minimum_at_weights_of_rounding(size, sizes):
    """J = mean ‖φ - y‖² + l2 ‖w‖², l2 so large that 0 is the minimum (mean y = 0): the Hessian
    there is 2 l2 and what the outputs' dummy units and the cross terms add, all positive."""
    rng = np.random.default_rng(1)
    net, A = ggn.MLP(sizes), rng.normal(size=(20, sizes[0]))
    Y = rng.normal(size=(20, sizes[-1]))
    Y -= Y.mean(axis=0)
    Y -= Y.mean(axis=0)
    w = size * rng.normal(size=net.n_weights)
    assert np.linalg.eigvalsh(ggn.linearize(net, 0 * w, A, Y, l2=5.0).hessian())[0] > 1.0
    assert ggn.diagnose(net, w, A, Y, l2=5.0).verdict is Verdict.LOCAL_MINIMUM


@pytest.mark.parametrize("curvature", [1e-5, 1e-6, 3e-7])
def test_a_saddle_of_relative_curvature_far_below_the_largest(curvature):
    """J = (v w - a)² + ..., beside a weight of curvature one: ±2a at 0."""
    net = ggn.MLP((1, 1, 1), "identity", bias=False)
    A = np.array([[1.0], [0.0]])
    assert ggn.diagnose(net, [0.0, 0.0], A, [curvature, 1.0]).verdict is Verdict.SADDLE


# ------------------------------------------------------------------ a loss that is bounded


@pytest.mark.parametrize("size", [1e17, 1e19, 1e30])
@pytest.mark.parametrize("loss", [ggn.losses.Cauchy(), ggn.losses.BlakeZisserman()], ids=str)
def test_huge_outputs_are_no_rounding_of_a_bounded_loss(size, loss):
    """Equal inputs with different targets give a bound, far below J at outputs of 1e17."""
    A = np.array([[0.0], [0.0], [1.0], [2.0]])
    Y = np.array([0.0, 0.4, 1.0, 2.0])
    net = ggn.MLP((1, 2, 1), "exponential")
    for seed in range(5):
        w = net.initial_weights(seed)
        net.unpack(w)[-1][:] *= size
        d = ggn.diagnose(net, w, A, Y, loss)
        assert d.lower_bound > 0.0
        assert d.loss > 10.0 * d.lower_bound
        assert d.verdict is not Verdict.GLOBAL_MINIMUM
        at = ggn.linearize(net, w, A, Y, loss)
        assert at.rounding < 1e-6 * at.loss


# ------------------------------------------------------------- units in which nothing is rounded

HALVES = [2.0**-30, 2.0**-12, 2.0**10, 2.0**30]


@pytest.mark.parametrize("unit", HALVES)
def test_the_direction_of_a_runaway_does_not_depend_on_the_inputs_unit(unit):
    """One sample holds the unit, and its weights can grow about it whatever that measures."""
    net, x = ggn.MLP((1, 1, 1)), np.array([[-2.0], [-1.0], [0.5], [1.0], [2.0]])
    y, w = [-0.9, -1.1, 0.3, 1.1, 0.9], np.array([40.0, np.arctanh(0.3) - 20.0, 1.0, 0.0])
    ray = ggn.surface.runaway_ray(net, w, x, y)
    units = np.array([unit, 1.0, 1.0, 1.0])
    other = ggn.surface.runaway_ray(net, w / units, x * unit, y)
    np.testing.assert_array_equal(other.direction * units, ray.direction)
    np.testing.assert_array_equal(other.losses, ray.losses)
    np.testing.assert_array_equal(other.slopes, ray.slopes)
    assert ggn.diagnose(net, w / units, x * unit, y).verdict is Verdict.RUNAWAY


@pytest.mark.parametrize("unit", HALVES)
def test_weights_of_inputs_are_large_in_any_unit_or_none(unit):
    """Without a hidden layer they are those of the outputs."""
    net, rng = ggn.MLP((3, 1), output_activation="relu"), np.random.default_rng(0)
    x, y, w = (
        rng.standard_normal((10, 3)),
        rng.standard_normal(10),
        np.array([1.0, -1.0, 0.5, -9.0]),
    )
    units = np.array([unit, unit, unit, 1.0])
    for weights in (w, 1e6 * w):
        kinds = [
            [said.kind for said in ggn.diagnose(net, weights / u, x * v, y).evidence]
            for u, v in ((1.0, 1.0), (units, unit))
        ]
        assert kinds[0] == kinds[1]
        assert (EvidenceKind.LARGE_WEIGHTS in kinds[0]) == (weights is not w)


@pytest.mark.parametrize("inputs", [1.0, *HALVES])
@pytest.mark.parametrize("targets", [1.0, 2.0**-20, 2.0**10])
def test_a_fall_beside_a_kink_is_seen_in_any_units(inputs, targets):
    """The gradient alone says where J falls there; one net input is 0, J = (w - 2)² mean x²."""
    net, x = ggn.MLP((1, 1, 1), "relu", bias=False), np.array([[0.0], [1.0], [2.0], [3.0]])
    w = np.array([1.0 / inputs, targets])
    d = ggn.diagnose(net, w, x * inputs, 2.0 * targets * x)
    assert d.verdict is Verdict.NOT_STATIONARY
    told = [said.fields["fall"] for said in d.evidence if "fall" in said.fields]
    one = ggn.diagnose(net, np.ones(2), x, 2.0 * x)
    assert told == [
        said.fields["fall"] * targets**2 for said in one.evidence if "fall" in said.fields
    ]
