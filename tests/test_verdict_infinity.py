"""Infima at infinity, plateaus and tails: what falls for ever, and what only seems to."""

import numpy as np
import pytest

import ggn
from ggn.surface import EvidenceKind, Verdict

OPEN = {Verdict.INCONCLUSIVE, Verdict.INFEASIBLE, Verdict.NOT_STATIONARY}
X = np.linspace(-2.0, 2.0, 15)[:, np.newaxis]
SQUARED_HINGE = ggn.Loss(
    "squared_hinge",
    lambda F, Y: (np.maximum(1.0 - Y * F, 0.0) ** 2).sum(axis=1),
    lambda F, Y: -2.0 * Y * np.maximum(1.0 - Y * F, 0.0),
    lambda F, Y: 2.0 * (Y * F < 1.0),
)
SQUARED_HINGE.convex, SQUARED_HINGE.unique_minimum = True, False


# ------------------------------------------------------------------ separation


@pytest.mark.parametrize("nit", [30, 100, 2000])
@pytest.mark.parametrize("case", ["one point", "line", "softmax", "two questions"])
def test_quasi_separated_classes_have_no_minimum(nit, case):
    """Samples of both classes on the very border (Albert & Anderson 1984): along the normal the
    loss of no sample rises, and of all beside the border falls."""
    loss, A = "logistic", np.array([[-2.0], [-1.0], [0.0], [0.0], [1.0], [2.0]])
    Y = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    normal = np.array([[1.0], [0.0]])
    if case == "line":
        A = np.array([[-1.0, 2.0], [-2.0, -1.0], [0.0, 1.0], [0.0, -2.0], [0.0, 3.0], [0.0, -1.0],
                      [1.0, 1.0], [3.0, 0.0]])  # fmt: skip
        Y = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]]).T
        normal = np.array([[1.0], [0.0], [0.0]])
    elif case == "softmax":
        loss, Y = "softmax_cross_entropy", np.eye(3)[[0, 0, 0, 1, 1, 1]]
        normal = np.array([[-1.0, 1.0, 0.0], [0.0, 0.0, -1.0]])
    elif case == "two questions":
        Y = np.hstack([Y, np.array([[1.0, 0.0, 1.0, 0.0, 1.0, 0.0]]).T])
        normal = np.array([[1.0, 0.0], [0.0, 0.0]])
    net = ggn.MLP((A.shape[1], Y.shape[1]))
    w = ggn.train(net, A, Y, loss, max_iter=nit, tol=0.0).w
    d = ggn.diagnose(net, w, A, Y, loss)
    assert d.verdict in (Verdict.RUNAWAY, Verdict.NOT_STATIONARY)
    assert d.verdict is Verdict.RUNAWAY or nit < 2000
    at = ggn.linearize(net, w, A, Y, loss)
    assert at.gradient @ net.pack([normal]) < 0.0  # and so it is at every w


@pytest.mark.parametrize("seed", range(5))
def test_overlapping_classes_have_a_global_minimum(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(60, 3))
    for loss, Y in (
        ("logistic", (A[:, :1] + rng.normal(size=(60, 1)) > 0.0).astype(float)),
        ("softmax_cross_entropy", np.eye(3)[rng.integers(0, 3, 60)]),
    ):
        net = ggn.MLP((3, Y.shape[1]))
        w = ggn.train(net, A, Y, loss).w
        assert ggn.diagnose(net, w, A, Y, loss).verdict is Verdict.GLOBAL_MINIMUM
        # labels that are no 0 or 1 leave nothing to be separated
        soft = 0.9 * Y + 0.1 / Y.shape[1]
        w = ggn.train(net, A, soft, loss).w
        assert ggn.diagnose(net, w, A, soft, loss).verdict is Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("scale", [1.0, 3.0, 100.0])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 2, 1)])
def test_a_hinge_at_zero_is_a_minimum_that_weights_reach(scale, sizes):
    net = ggn.MLP(sizes, "identity")
    Y = np.sign(X - 0.1)
    w = np.ones(net.n_weights)
    Ws = net.unpack(w)
    Ws[0][-1] = -0.1
    if len(sizes) == 3:
        Ws[1][-1] = 0.0
    F = net.forward(w, X)
    Ws[-1][:] *= scale / np.abs(F).min()
    d = ggn.diagnose(net, w, X, Y, SQUARED_HINGE)
    assert d.loss == 0.0
    assert d.verdict is Verdict.GLOBAL_MINIMUM
    Ws[-1][:] *= 0.5 / scale
    d = ggn.diagnose(net, w, X, Y, SQUARED_HINGE)
    assert d.loss > 0.0
    assert d.verdict is Verdict.NOT_STATIONARY  # finite weights bring it to 0


def test_training_to_where_nothing_is_left_of_a_separable_softmax():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        A = rng.normal(size=(12, 2))
        Y = np.eye(3)[np.argmax(A @ rng.normal(size=(2, 3)), axis=1)]
        for sizes in ((2, 3), (2, 4, 3)):
            fit = ggn.train(ggn.MLP(sizes), A, Y, "softmax_cross_entropy", tol=0, max_iter=3000)
            assert fit.fun < 1e-100


@pytest.mark.parametrize(("actual", "predicted"), [(1e-3, 0.0), (1e-3, -1e-300), (1.0, 5e-324)])
def test_a_step_of_which_nothing_was_predicted(actual, predicted):
    net = ggn.MLP((1, 1))
    objective = ggn.linearize(net, [0.0, 0.0], [[1.0]], [[1.0]]).objective
    rule = ggn.damping.LevenbergMarquardt().rule(objective)
    none = np.zeros(2)
    rule.accept(ggn.damping.Trial(none, none, 0.0, rule.mu, actual, predicted))
    assert 0.0 < rule.mu < 0.1


# ------------------------------------------------------------------ plateaus


def with_dead_unit(z, out, slope=0.3):
    """The best F(1,1,1), and a unit at z beside it, whose output is nearly constant."""
    rng = np.random.default_rng(0)
    Y = np.sin(2.0 * X) + 0.3 * rng.normal(size=(15, 1))
    small, net = ggn.MLP((1, 1, 1)), ggn.MLP((1, 2, 1))
    w = min((ggn.train(small, X, Y, rng=s) for s in range(5)), key=lambda fit: fit.fun).w
    assert ggn.diagnose(small, w, X, Y).verdict is Verdict.LOCAL_MINIMUM
    W1, W2 = small.unpack(w)
    first = np.array([[W1[0, 0], slope], [W1[1, 0], z]])
    second = np.array([W2[0], [out], W2[1] - out * np.tanh(z)])
    return net, net.pack([first, second]), Y


@pytest.mark.parametrize("z", [-6.0, -8.0, -12.0, -16.0, -20.0, -30.0, 12.0, 20.0])
@pytest.mark.parametrize("out", [0.0, 0.3, -0.3])
def test_a_plateau_beside_a_minimum_has_no_stationary_point(z, out):
    """dJ/d(weights of the unit) = out · Σ ε σ'(z + s x) (1, x) is zero for no finite z, unless
    out is 0, where dJ/d out is not: neither saddle nor minimum.  And J falls outwards only where
    the slope says so."""
    net, w, Y = with_dead_unit(z, out)
    d = ggn.diagnose(net, w, X, Y)
    assert d.verdict in OPEN | {Verdict.RUNAWAY}
    if d.verdict is Verdict.RUNAWAY:
        outwards = d.ray.direction
        for factor in (1.0, 1.1, 1.5, 2.0):
            at = ggn.linearize(net, w + (factor - 1.0) * outwards, X, Y)
            assert at.gradient @ outwards <= 1e-6 * abs(d.ray.slopes[d.ray.factors == 1.0][0])


@pytest.mark.parametrize("z", [-16.0, -20.0, -24.0, -30.0])
def test_no_runaway_where_the_slope_is_upwards(z):
    """Of out and -out one lowers J outwards and the other raises it, by less than J's rounding."""
    verdicts = {}
    for out in (0.3, -0.3):
        net, w, Y = with_dead_unit(z, out)
        outwards = np.zeros_like(w)
        net.unpack(outwards)[0][:, 1] = net.unpack(w)[0][:, 1]
        rises = ggn.linearize(net, w, X, Y).gradient @ outwards > 0.0
        verdicts[rises] = ggn.diagnose(net, w, X, Y).verdict
    assert set(verdicts) == {True, False}
    assert verdicts[True] is not Verdict.RUNAWAY


@pytest.mark.parametrize("z", [8.0, 10.0, 12.0, 14.0, 16.0, 18.0])
@pytest.mark.parametrize("penalty", [0.0, 1e-12])
def test_a_minimum_of_a_nearly_saturated_unit_is_finite(z, penalty):
    """tanh(v x) at x = ±1 with the targets ±tanh(z), one of them doubled by a contradiction: J
    is least at v = z and rises outwards, by less than its rounding from z = 10 on."""
    net = ggn.MLP((1, 1), output_activation="tanh", bias=False)
    A = np.array([[1.0], [-1.0], [0.5], [-0.5]])
    Y = np.tanh(z * A)
    Y = np.vstack([Y + 0.1, Y - 0.1])
    d = ggn.diagnose(net, [z], np.vstack([A, A]), Y, l2=penalty)
    if penalty == 0.0:
        assert d.verdict is not Verdict.RUNAWAY
        assert d.verdict is not Verdict.SADDLE


@pytest.mark.parametrize("seed", range(3))
def test_a_ray_that_falls_is_still_found(seed):
    """XOR at 1/8 or 1/6: infima at infinity (Sprinkhuizen-Kuyper & Boers)."""
    A, Y = ggn.problems.xor()
    net, found = ggn.MLP((2, 2, 1)), 0
    for rng in range(20 * seed, 20 * seed + 20):
        w = ggn.train(net, A, Y, w0="normal", rng=rng).w
        d = ggn.diagnose(net, w, A, Y)
        if d.loss > 1e-6:
            assert d.verdict is Verdict.RUNAWAY
            assert any(e.kind is EvidenceKind.RUNAWAY_RAY for e in d.evidence)
            found += 1
    assert found
