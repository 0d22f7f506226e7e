"""Points made to mislead `ggn.diagnose`: each has drawn, or might draw, an untrue claim."""

import known_points
import numpy as np
import pytest
import reference
from known_points import Kind

import ggn
from ggn.surface import EvidenceKind, Verdict
from ggn.surface.kinks import kinks

NOT_AT_REST = {Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE, Verdict.INFEASIBLE}


def power(n):
    """The activation z², z³, ..., which makes flat minima and inflections."""
    return ggn.Activation(
        f"power {n}",
        lambda z: z**n,
        lambda z: n * z ** (n - 1),
        lambda z: n * (n - 1) * z ** (n - 2),
    )


# ------------------------------------------------------------------ scales


def test_one_output_in_large_units_hides_no_misfit_of_another():
    net, rng = ggn.MLP((2, 3, 2)), np.random.default_rng(0)
    w = net.initial_weights(0)
    net.unpack(w)[-1][:, 0] *= 1e10
    X = rng.normal(size=(20, 2))
    Y = net.forward(w, X)
    assert ggn.diagnose(net, w, X, Y).verdict is Verdict.GLOBAL_MINIMUM
    Y[:, 1] += rng.normal(size=20)
    assert ggn.diagnose(net, w, X, Y).verdict in NOT_AT_REST
    assert not ggn.surface.certificate(net, w, X, Y).exact_fit


def test_one_large_sample_hides_no_misfit_of_the_others():
    net, rng = ggn.MLP((1, 2, 1), "bent_identity"), np.random.default_rng(1)
    X = np.vstack([rng.normal(size=(20, 1)), [[1e10]]])
    Y = np.vstack([rng.normal(size=(20, 1)), [[1e10]]])
    w = ggn.train(net, X, Y, max_iter=5).w
    assert abs(net.forward(w, X)[-1, 0] / 1e10 - 1.0) < 1e-8
    assert ggn.diagnose(net, w, X, Y).verdict is not Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("unit", [1e-10, 1e-8, 1e-6, 1e-4, 1e4, 1e8])
def test_an_input_in_odd_units_is_not_overlooked(unit):
    """Least squares without the second column, which explains half of the targets."""
    net, rng = ggn.MLP((2, 1)), np.random.default_rng(2)
    X = rng.normal(size=(30, 2))
    Y = X.sum(axis=1) + 0.1 * rng.normal(size=30)
    some, all_ = (
        np.linalg.lstsq(np.column_stack([A, np.ones(30)]), Y, rcond=None)[0] for A in (X[:, :1], X)
    )
    X[:, 1] *= unit
    for loss in ("squared", ggn.losses.SmoothLp(1.5)):
        d = ggn.diagnose(net, [some[0], 0.0, some[1]], X, Y, loss)
        assert d.verdict is Verdict.NOT_STATIONARY
    best = all_ / [1.0, unit, 1.0]
    assert ggn.diagnose(net, best, X, Y).verdict is Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e7])
def test_an_offset_of_the_inputs_hides_no_slope(offset):
    net, rng = ggn.MLP((1, 1)), np.random.default_rng(3)
    X = offset + rng.normal(size=(30, 1))
    Y = (X - offset)[:, 0] + 0.1 * rng.normal(size=30)
    for loss in ("squared", ggn.losses.SmoothLp(1.5)):
        d = ggn.diagnose(net, [0.0, Y.mean()], X, Y, loss)
        assert d.verdict in (Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE)


def test_an_offset_of_the_targets_is_no_obstacle():
    net = ggn.MLP((1, 4, 1))
    X = np.linspace(-1.0, 1.0, 12)[:, np.newaxis]
    w = net.initial_weights(0)
    w[-1] = 1e8
    Y = net.forward(w, X)
    assert ggn.diagnose(net, w, X, Y).verdict is Verdict.GLOBAL_MINIMUM
    off = w.copy()
    off[:4] += 0.1
    assert ggn.diagnose(net, off, X, Y).verdict is not Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("tiny", [1e-100, 1e-160])
def test_targets_whose_squares_underflow_are_not_fitted_by_zero(tiny):
    d = ggn.diagnose(ggn.MLP((1, 1)), [0.0, 0.0], [[0.0], [1.0]], [tiny, 3.0 * tiny])
    assert d.loss < 1e-190
    assert d.verdict is not Verdict.GLOBAL_MINIMUM


def test_a_single_weight_that_is_far_off_counts():
    """An input of 1e-8 beside one of 1, exact fits either way."""
    net = ggn.MLP((2, 1), bias=False)
    X = np.array([[1.0, 1e-8], [2.0, -1e-8], [3.0, 2e-8]])
    assert ggn.diagnose(net, [1.0, 1.0], X, X @ [1.0, 1.0]).verdict is Verdict.GLOBAL_MINIMUM
    d = ggn.diagnose(net, [1.0, 0.0], X, X @ [1.0, 1e7])
    assert d.verdict is Verdict.NOT_STATIONARY


# ------------------------------------------------------------------ exact, and nearly


def test_a_fit_that_is_nearly_exact_is_so_if_newton_says_so():
    point = next(known_points.interpolations())
    w = point.w * (1.0 + 1e-10)
    d = ggn.diagnose(point.net, w, point.X, point.Y)
    assert d.verdict is Verdict.GLOBAL_MINIMUM
    assert d.evidence[0].kind is EvidenceKind.NEARLY_EXACT
    assert "Gauss-Newton steps" in str(d.evidence[0])
    w = point.w * (1.0 + 1e-6)
    d = ggn.diagnose(point.net, w, point.X, point.Y)
    assert d.verdict is Verdict.NOT_STATIONARY


def test_residuals_that_shrink_for_ever_are_no_exact_fit():
    """tanh(v x) for the targets ±1: residuals of 1e-9, and a half of that after each step."""
    d = ggn.diagnose(
        ggn.MLP((1, 1), output_activation="tanh"), [10.7, 0.0], [[-1.0], [1.0]], [-1, 1]
    )
    assert 1e-20 < d.loss < 1e-16
    assert d.verdict in (Verdict.RUNAWAY, Verdict.NOT_STATIONARY)
    # a hidden unit, and nothing that is known to forbid the fit
    d = ggn.diagnose(ggn.MLP((1, 1, 1), bias=False), [10.7, 1.0], [[-1.0], [1.0]], [-1, 1])
    assert 1e-20 < d.loss < 1e-16


@pytest.mark.parametrize("z", [8.0, 12.0, 20.0, 40.0, 100.0, 800.0])
def test_targets_out_of_reach_make_an_infimum_at_infinity(z):
    """sigmoid(z) tends to 1, the nearest it comes to the target 2, and never gets there."""
    net = ggn.MLP((1, 1), output_activation="sigmoid")
    d = ggn.diagnose(net, [0.0, z], [[0.0], [1.0]], [2.0, 2.0])
    assert d.verdict in (Verdict.RUNAWAY, Verdict.NOT_STATIONARY)
    assert d.verdict is Verdict.RUNAWAY or z < 25.0
    # the closed end of relu's range is reached
    d = ggn.diagnose(ggn.MLP((1, 1), output_activation="relu"), [0.0, -z], [[0.0], [1.0]], [-1, -1])
    assert d.verdict is Verdict.GLOBAL_MINIMUM


def test_labels_that_contradict_each_other_have_a_finite_minimum():
    """0 and 1 for the same input: 1/2, at z = 0, although both are ends of the range."""
    net = ggn.MLP((1, 1), output_activation="sigmoid")
    d = ggn.diagnose(net, [0.0, 0.0], [[1.0], [1.0]], [0.0, 1.0])
    assert d.verdict is Verdict.GLOBAL_MINIMUM
    assert d.lower_bound == 0.25


def test_a_penalty_leaves_nothing_of_an_exact_fit():
    point = next(known_points.interpolations())
    d = ggn.diagnose(point.net, point.w, point.X, point.Y, l2=1e-4)
    assert d.verdict is Verdict.NOT_STATIONARY


# ------------------------------------------------------------------ flat places


@pytest.mark.parametrize("w", [0.0, 1e-9, 1e-4, 1e-3, 0.02, 0.1])
@pytest.mark.parametrize("n", [2, 3])
def test_inflections_and_flat_minima_are_not_certified(n, w):
    """J = w^2n, a flat minimum; and (w³ - 1)² with an inflection at 0."""
    net = ggn.MLP((1, 1), output_activation=power(n), bias=False)
    d = ggn.diagnose(net, [w], [[1.0]], [[0.0]])
    assert d.verdict in (NOT_AT_REST if w else {Verdict.GLOBAL_MINIMUM})
    if n == 3:
        assert ggn.diagnose(net, [w], [[1.0]], [[1.0]]).verdict in NOT_AT_REST
    # the same above a floor: the bound of two targets for one input
    d = ggn.diagnose(net, [w], [[1.0], [1.0]], [[1.0], [-1.0]])
    assert d.verdict in NOT_AT_REST | ({Verdict.GLOBAL_MINIMUM} if w < 1e-2 else set())


@pytest.mark.parametrize("z", [-5, -8, -10, -12, -15, -18, -20, -30, -36, -40, -100, -800])
@pytest.mark.parametrize("l2", [0.0, 1e-12])
def test_a_plateau_is_no_saddle_and_no_minimum(z, l2):
    """J = (sigmoid(z) - 0.9)²: concave, nearly level, and nowhere stationary."""
    net = ggn.MLP((1, 1), output_activation="sigmoid", bias=False)
    d = ggn.diagnose(net, [z], [[1.0]], [[0.9]], l2=l2)
    assert d.verdict in NOT_AT_REST


@pytest.mark.parametrize("far", [3.0, 30.0, 1e3, 1e6, 1e8])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 2, 1)])
@pytest.mark.parametrize(
    "loss",
    [ggn.losses.Cauchy(1.0), ggn.losses.BlakeZisserman(1.0), ggn.losses.BlakeZisserman(1e-3),
     ggn.losses.SmoothLp(0.5, 1.0)],
    ids=str,
)  # fmt: skip
def test_robust_losses_far_out_are_no_minima(loss, sizes, far):
    """All residuals are where the loss is concave, or so flat that its gradient underflows."""
    net, rng = ggn.MLP(sizes), np.random.default_rng(4)
    X, Y = rng.normal(size=(10, 1)), far * loss.scale * (1.0 + 0.1 * rng.normal(size=(10, 1)))
    assert ggn.diagnose(net, 0.1 * net.initial_weights(0), X, Y, loss).verdict in NOT_AT_REST
    # half of them on either side: stationary, a maximum in the output's dummy unit
    Y = far * loss.scale * np.where(np.arange(10) % 2, 1.0, -1.0)
    d = ggn.diagnose(net, np.zeros(net.n_weights), np.repeat(X[:5], 2, axis=0), Y, loss)
    assert d.verdict in NOT_AT_REST | {Verdict.SADDLE}


# ------------------------------------------------------------------ near a stop


@pytest.mark.parametrize("distance", [1e-12, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
def test_near_a_saddle_and_near_a_minimum(distance):
    """A verdict is that of the stationary point nearby, or that training can go on."""
    rng = np.random.default_rng(5)
    for point in [*known_points.linear_saddles(), *known_points.strict_minima()]:
        w = point.w + distance * rng.normal(size=point.w.size)
        d = ggn.diagnose(point.net, w, point.X, point.Y, **point.options)
        kind = Verdict.SADDLE if point.kind is Kind.SADDLE else Verdict.LOCAL_MINIMUM
        less = {Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE, Verdict.INFEASIBLE}
        assert d.verdict is kind or (distance > 1e-8 and d.verdict in less), str(point)


@pytest.mark.parametrize("curvature", [1e-1, 1e-2, 1e-3, 1e-5])
def test_a_saddle_of_little_curvature(curvature):
    """J = 1 + (v w - a)² - a²: at 0 its Hessian has the eigenvalues ±2a."""
    net = ggn.MLP((1, 1, 1), "identity", bias=False)
    X = np.array([[1.0], [0.0]])
    d = ggn.diagnose(net, [0.0, 0.0], X, [curvature, 1.0])
    assert d.verdict is Verdict.SADDLE
    assert d.spectrum.eigenvalues[0] < 0.0
    near = ggn.diagnose(net, [1e-9, 0.0], X, [curvature, 1.0])
    assert near.verdict in (Verdict.SADDLE, Verdict.INFEASIBLE)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_runs_broken_off(activation):
    """XOR has no finite local minimum that is not global: none may be found on the way."""
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 2, 1), activation)
    for seed in range(10):
        for nit in range(0, 60, 6):
            w = ggn.train(net, X, Y, rng=seed, max_iter=nit).w
            d = ggn.diagnose(net, w, X, Y)
            assert d.verdict is not Verdict.LOCAL_MINIMUM
            assert d.verdict is not Verdict.GLOBAL_MINIMUM or d.loss < 1e-15
            assert d.verdict is not Verdict.RUNAWAY or d.loss > 0.1


# ------------------------------------------------------------------ saturation and kinks
CLIPPED = ggn.Activation(
    "clipped",
    lambda z: np.clip(z, -1.0, 1.0),
    lambda z: 1.0 * (np.abs(z) < 1.0),
    lambda z: 0.0 * z,
)


def test_an_activation_that_is_flat_by_design_does_not_run_away():
    """Where a sample is in the flat part, J is constant and falls nowhere."""
    net = ggn.MLP((1, 1, 1), CLIPPED)
    X = np.array([[0.5], [3.0]])
    w = [1.0, 0.0, 1.0, 0.0]
    d = ggn.diagnose(net, [30.0, 0.0, 1.0, 0.0], X, [1.5, 0.5])
    assert d.verdict is not Verdict.RUNAWAY
    assert ggn.diagnose(net, w, X, net.forward(w, X)).verdict is Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("size", [50.0, 100.0, 400.0])
def test_a_unit_that_is_dead_does_not_run_away(size):
    """It is ±1 on either side at any size of its weights, and the rest is a least-squares fit."""
    net = ggn.MLP((1, 1, 1))
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    d = ggn.diagnose(net, [size, 0.0, 0.0, 0.5], X, [1.0, 0.0, 0.0, 1.0])
    assert d.verdict in (Verdict.INCONCLUSIVE, Verdict.INFEASIBLE)


@pytest.mark.parametrize("z", [5, 8, 10, 12, 15, 18, 20, 25, 30, 50, 100, 400, 800])
def test_steps_fitted_by_a_steep_unit(z):
    """tanh(z x) as a step between noisy plateaus: J falls with z for ever, to its infimum."""
    net = ggn.MLP((1, 1, 1))
    X = np.array([[-1.0], [-0.5], [0.5], [1.0]])
    d = ggn.diagnose(net, [2.0 * z, 0.0, 1.0, 0.0], X, [-0.7, -1.3, 1.3, 0.7])
    assert d.verdict in (Verdict.RUNAWAY, Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE)


def test_a_minimum_at_a_kink_is_not_said_to_go_on():
    """leaky_relu, J = (σ(w) + 1)² + (σ(-w) + 2)²: least at the kink, where no one-sided
    derivative is 0."""
    net = ggn.MLP((1, 1), output_activation="leaky_relu", bias=False)
    at = ggn.linearize(net, [0.0], [[1.0], [-1.0]], [-1.0, -2.0])
    assert at.gradient[0] != 0.0
    for v in (-1e-3, 1e-3):
        assert at.objective.value(np.array([v])) > at.loss
    d = ggn.diagnose(net, [0.0], [[1.0], [-1.0]], [-1.0, -2.0])
    assert d.verdict is Verdict.INCONCLUSIVE
    assert "kink" in str(d)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "softsign", "elu"])
def test_no_minimum_is_certified_where_derivatives_jump(activation):
    """All net inputs are 0; the penalty makes the Hessian of one side definite."""
    net = ggn.MLP((1, 1, 1), activation)
    X, Y = np.array([[1.0], [2.0]]), np.array([10.0, 20.0])
    w = np.array([0.0, 0.0, 0.0, 15.0 / 1.1])
    d = ggn.diagnose(net, w, X, Y, l2=0.1)
    assert d.verdict is not Verdict.LOCAL_MINIMUM
    # and indeed J falls
    spec = known_points.spec_of(net)
    J = [
        reference.objective(spec, w + v, X, Y[:, None], known_points.SQUARED, l2=0.1)
        for v in (np.zeros(4), np.array([0.3, 0.0, 0.3, 0.0]))
    ]
    assert J[1] < J[0]


def test_kinks_are_where_they_are_declared():
    """sin z changes by 1e-4 between neighbours at z = 7000, and is smooth all the same."""
    X = np.array([[7000.0]])
    for name, at, found in (
        ("sine", 1.0, (False, False)), ("elu", 1.0, (False, False)), ("elu", 0.0, (False, True)),
        ("relu", 0.0, (True, False)), ("softsign", 0.0, (False, True)),
    ):  # fmt: skip
        net = ggn.MLP((1, 1), output_activation=name, bias=False)
        assert kinks(net, np.array([at]), X) == found
    own = ggn.Activation("hinge", lambda z: np.maximum(z, 0), lambda z: 1.0 * (z > 0))
    net = ggn.MLP((1, 1), output_activation=own, bias=False)
    assert kinks(net, np.array([0.0]), X) == (True, False)  # found by differences
    own.kink = 0
    assert kinks(net, np.array([0.0]), X) == (False, False)


def test_a_hessian_that_overflows_is_said_to_be_missing():
    net = ggn.MLP((1, 1, 1), "exponential", bias=False)
    d = ggn.diagnose(net, [350.0, 1e-305], [[1.0], [1.01]], [1.0, 2.0])
    assert d.verdict in NOT_AT_REST


# ------------------------------------------------------------------ classes


def test_separated_classes_with_a_penalty_have_a_minimum():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    Y = np.array([0.0, 0.0, 1.0, 1.0])
    net = ggn.MLP((1, 1))
    w = ggn.train(net, X, Y, "logistic", l2=1e-3).w
    assert ggn.diagnose(net, w, X, Y, "logistic", l2=1e-3).verdict is Verdict.GLOBAL_MINIMUM
    assert ggn.diagnose(net, w, X, Y, "logistic").verdict is Verdict.RUNAWAY
    assert ggn.diagnose(net, 1e3 * w, X, Y, "logistic").verdict is Verdict.RUNAWAY


def test_class_labels_are_no_targets_to_fit_exactly():
    """Logits are not to be 0 and 1, so nothing is impossible about a linear network."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(30, 2))
    Y = np.eye(3)[rng.integers(0, 3, 30)]
    net = ggn.MLP((2, 3))
    w = ggn.train(net, X, Y, "softmax_cross_entropy").w
    d = ggn.diagnose(net, w, X, Y, "softmax_cross_entropy")
    assert d.obstructions == ()
    assert d.verdict is Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("z", [-20.0, -50.0, -200.0, -600.0])
def test_newton_steps_down_a_tail_find_no_zero(z):
    """J = (c - exp(z))²: Newton's steps are of length one and take g to g/e, however many."""
    net = ggn.MLP((1, 1), output_activation="exponential", bias=False)
    for target in (1.0, -1.0):
        d = ggn.diagnose(net, [z], [[1.0]], [target])
        assert d.verdict in NOT_AT_REST | {Verdict.RUNAWAY}


def test_rounding_at_huge_weights_excuses_no_fit():
    """J = 1/2 of XOR at weights of 1e13, whose rounding moves the outputs as much."""
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 2, 1), "sigmoid")
    W1 = np.array([[9e8, -6e13], [-2e5, 2e13], [-2e5, 2e13]])
    w = net.pack([W1, np.array([[-8e12], [-8e12], [8e12]])])
    assert ggn.diagnose(net, w, X, Y).verdict is not Verdict.GLOBAL_MINIMUM
