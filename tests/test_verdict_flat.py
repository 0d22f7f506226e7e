"""Minima with directions along which J is constant for a known reason, and what is none."""

import numpy as np
import pytest

import ggn
from ggn.surface import Verdict
from ggn.surface.flat import flat_directions
from ggn.surface.kinks import kinks

SINE = ggn.Activation("my sine", np.sin, np.cos, lambda z: -np.sin(z))


def base(activation, seed, sizes=(1, 1, 1), bias=False):
    rng = np.random.default_rng(seed)
    net = ggn.MLP(sizes, activation, bias=bias)
    X = rng.uniform(-2.0, 2.0, (20, sizes[0]))
    Y = np.sin(2.0 * X[:, :1] + np.arange(sizes[-1])) + 0.3 * rng.normal(size=(20, sizes[-1]))
    return net, ggn.train(net, X, Y, rng=1, max_iter=500, tol=0.0).w, X, Y


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "sine", "softsign"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_split_unit_is_a_minimum_on_one_side(activation, seed, sign):
    """The outgoing weight shared out as s and 1 - s (Fukumizu and Amari): of one incoming weight,
    J bends by c s (1 - s) along the difference, so that it is a minimum for s in (0, 1) and a
    saddle outside, or the other way round, according to the sign of c = v Σ ε σ'' x²."""
    net, w, X, Y = base(activation, seed)
    small = ggn.diagnose(net, w, X, Y)
    odd = activation in ("tanh", "sine", "softsign")
    if small.verdict is not Verdict.LOCAL_MINIMUM or (sign < 0.0 and not odd):
        pytest.skip("no strict minimum to begin with, or an activation that is not odd")
    W1, W2 = net.unpack(w)
    r = net.forward(w, X) - Y
    bend = W2[0, 0] * float(np.sum(r * net.activations[0].second_derivative(X @ W1) * X**2))
    big = ggn.MLP((1, 2, 1), activation, bias=False)
    for share in (0.3, 0.5, -0.5, 1.5):
        first = np.hstack([W1, sign * W1])
        v = big.pack([first, np.vstack([share * W2, sign * (1.0 - share) * W2])])
        d = ggn.diagnose(big, v, X, Y)
        inside = 0.0 < share < 1.0
        minimum = inside == (bend > 0.0)
        assert d.verdict is (Verdict.LOCAL_MINIMUM if minimum else Verdict.SADDLE)
        if minimum:
            assert d.degenerate
            assert d.flat == 1


@pytest.mark.parametrize("seed", range(6))
def test_minima_of_relu_networks_with_and_without_dead_units(seed):
    """J is constant where a unit's weights are scaled against its outgoing ones, and along all
    weights of a unit that no sample reaches; what is left is a strict minimum."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 1))
    Y = np.maximum(X, 0) - 0.5 * np.maximum(-X - 0.3, 0) + 0.2 * rng.normal(size=(60, 1))
    net, big = ggn.MLP((1, 2, 1), "relu"), ggn.MLP((1, 3, 1), "relu")
    w = ggn.train(net, X, Y, rng=seed, max_iter=500).w
    d = ggn.diagnose(net, w, X, Y)
    if d.verdict is not Verdict.LOCAL_MINIMUM:
        pytest.skip("stopped at a kink, or at no minimum")
    W1, W2 = net.unpack(w)
    v = big.pack([np.hstack([W1, [[0.1], [-9.0]]]), np.vstack([W2[:-1], [[0.7]], W2[-1:]])])
    dead = ggn.diagnose(big, v, X, Y)
    assert dead.verdict is Verdict.LOCAL_MINIMUM
    assert dead.flat == d.flat + 3
    # and J does not fall nearby
    for _ in range(200):
        step = 1e-4 * rng.normal(size=v.size)
        assert ggn.linearize(big, v + step, X, Y).loss >= dead.loss * (1.0 - 1e-12)


@pytest.mark.parametrize(
    "activation", ["tanh", "relu", "leaky_relu", "sine", "identity", "gaussian"]
)
@pytest.mark.parametrize("sizes", [(1, 3, 1), (2, 4, 2), (2, 3, 3, 1)])
def test_j_is_constant_along_what_is_said_to_be_flat(activation, sizes):
    """To second order at least, at random weights with a repeated unit and a dead one."""
    rng = np.random.default_rng(7)
    net, X = ggn.MLP(sizes, activation), rng.normal(size=(30, sizes[0]))
    w = net.initial_weights(3)
    W1, W2 = net.unpack(w)[:2]
    W1[:, 1] = W1[:, 0]
    W1[:, 2] = 0.0
    W1[-1, 2] = -50.0 if activation in ("relu", "gaussian") else 0.3
    W2[1] = 0.5 * W2[0]
    Y = net.forward(w, X) + rng.normal(size=(30, sizes[-1]))
    at = ggn.linearize(net, w, X, Y)
    V, exact = flat_directions(at.objective, w)
    assert exact == (activation != "gaussian")  # which underflows there
    np.testing.assert_allclose(V.T @ V, np.eye(V.shape[1]), atol=1e-10)
    for v in V.T:
        for t in (1e-3, -1e-3):
            change = at.objective.value(w + t * v) - at.loss
            assert abs(change) <= 10.0 * t * t * np.linalg.norm(at.hessian())  # of an orbit
        assert abs(at.gradient @ v) <= 1e-12 * np.linalg.norm(at.gradient)


@pytest.mark.parametrize("inputs", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("targets", [1e-8, 1.0, 1e8])
def test_directions_of_constant_j_keep_their_digits_in_any_units(inputs, targets):
    """Along (v, -u) of a relu unit that is on: in w the two are up to 1e16 apart."""
    net, X = ggn.MLP((1, 2, 1), "relu"), np.linspace(1.0, 2.0, 8)[:, np.newaxis]
    V = np.array([[0.3 / inputs, -1.0 / inputs], [0.2, -0.1]])  # unit 1 is dead
    U = targets * np.array([[1.3], [-0.2], [0.4]])
    w, scale = net.pack([V, U]), net.pack([[[inputs] * 2, [1.0] * 2], np.full((3, 1), 1 / targets)])
    objective = ggn.linearize(net, w, inputs * X, targets * np.sin(X)).objective
    found, exact = flat_directions(objective, w, scale)
    along = net.pack([V * [1.0, 0.0], U * [[-1.0], [0.0], [0.0]]]) * scale
    assert exact
    left = along - found @ (found.T @ along)
    assert np.abs(left).max() <= 1e-15 * np.abs(along).max()
    assert np.abs(found.T @ found - np.eye(found.shape[1])).max() < 1e-14


def test_biggs_exp6_at_its_known_suboptimal_point():
    """Σ r² = 5.65565e-3 (Moré, Garbow & Hillstrom's problem 18): the minimum of two exponentials,
    one of them split; a line of minima on the side where J bends up, of saddles between."""
    t = np.arange(1.0, 14.0)[:, np.newaxis] / 10.0
    Y = np.exp(-t) - 5.0 * np.exp(-10.0 * t) + 3.0 * np.exp(-4.0 * t)
    two, three = (ggn.MLP((1, n, 1), "exponential", bias=False) for n in (2, 3))
    fit = ggn.train(two, -t, Y, w0=[17.7, 1.7, -5.2, 2.3], tol=0.0)
    assert 13.0 * fit.fun == pytest.approx(5.65565e-3, rel=1e-5)
    W1, W2 = two.unpack(fit.w)
    k = int(np.argmin(W1[0]))
    verdicts = []
    for share in (1.07, -0.5, 0.5):
        first = np.hstack([W1, W1[:, [k]]])
        second = np.vstack([W2, (1.0 - share) * W2[[k]]])
        second[k] *= share
        d = ggn.diagnose(three, three.pack([first, second]), -t, Y)
        verdicts.append(d.verdict)
        assert d.flat == (d.verdict is Verdict.LOCAL_MINIMUM)
    assert verdicts == [Verdict.LOCAL_MINIMUM, Verdict.LOCAL_MINIMUM, Verdict.SADDLE]


@pytest.mark.parametrize("z", [1e2, 3500.0, 2e4, 1e5])
def test_a_sine_far_out_has_no_kink(z):
    X = np.linspace(-1.0, 1.0, 20)[:, np.newaxis]
    Y = np.sin(3.0 * X + z) + 0.2 * np.random.default_rng(1).normal(size=(20, 1))
    for activation in ("sine", SINE):
        net = ggn.MLP((1, 1, 1), activation)
        w = ggn.train(net, X, Y, w0=[3.0, z, 1.0, 0.0]).w
        assert kinks(net, w, X) == (False, False)
        assert ggn.diagnose(net, w, X, Y).verdict is Verdict.LOCAL_MINIMUM


@pytest.mark.parametrize("at", [0.0, 1.0, 300.0])
def test_a_jump_of_the_users_own_is_found_wherever_it_is(at):
    step = ggn.Activation(
        "step", lambda z: np.abs(z - at), lambda z: np.sign(z - at), lambda z: 0.0 * z
    )
    net = ggn.MLP((1, 1), output_activation=step, bias=False)
    assert kinks(net, np.array([1.0]), np.array([[at]]))[0]
    assert not kinks(net, np.array([1.0]), np.array([[at + 1.0]]))[0]


@pytest.mark.parametrize("free", ["dummy units", "last layer"])
@pytest.mark.parametrize("seed", range(3))
def test_softmax_shifts_where_no_penalty_holds_them(free, seed):
    """Equal shifts of the outputs' dummy weights, or of all columns of the last layer."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3))
    Y = np.eye(3)[rng.integers(0, 3, 60)]
    net = ggn.MLP((3, 2, 3))
    l2 = np.full(net.n_weights, 1e-2)
    net.unpack(l2)[-1][-1 if free == "dummy units" else slice(None)] = 0.0
    w = ggn.train(net, X, Y, "softmax_cross_entropy", l2=l2, rng=seed, max_iter=2000).w
    d = ggn.diagnose(net, w, X, Y, "softmax_cross_entropy", l2=l2)
    if free == "dummy units":
        assert d.verdict is Verdict.LOCAL_MINIMUM
        assert d.flat == 1
    else:
        assert d.verdict in (Verdict.LOCAL_MINIMUM, Verdict.INCONCLUSIVE, Verdict.NOT_STATIONARY)


@pytest.mark.parametrize("slope", [0.01, 0.3])
@pytest.mark.parametrize("low", [(-1.0, -2.0), (-1.0, -1.5), (-2.0, -2.0)])
def test_a_minimum_at_a_kink_is_not_said_to_go_on(slope, low):
    """J = (σ(w) - a)² + (σ(-w) - b)², a, b < 0: least at the kink, whatever lies across it."""
    sigma = ggn.activations.LeakyReLU(slope)
    net = ggn.MLP((1, 1), output_activation=sigma, bias=False)
    X = np.array([[1.0], [-1.0]])
    for w in (0.0, 1e-17, -1e-12):
        assert ggn.diagnose(net, [w], X, low).verdict in (Verdict.INCONCLUSIVE, Verdict.INFEASIBLE)


def test_a_dead_output_is_no_minimum_for_lack_of_curvature():
    """H = 0, and directions of constant J are known: what is left of 0 across them is 0."""
    net, rng = ggn.MLP((3, 1), output_activation="relu"), np.random.default_rng(0)
    for _ in range(40):
        X = rng.standard_normal((2, 3))
        X[:, 0] = X[:, 2]
        w = rng.standard_normal(4)
        w[3] -= 1.0 + (X @ w[:3] + w[3]).max()
        assert not ggn.linearize(net, w, X, [1.0, 2.0]).hessian().any()
        assert ggn.diagnose(net, w, X, [1.0, 2.0]).verdict is not Verdict.LOCAL_MINIMUM
