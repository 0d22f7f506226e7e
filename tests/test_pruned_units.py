"""Units that a penalty has pruned: a line of minima along their free biases, or saddles."""

import numpy as np
import pytest

import ggn
from ggn.fit.penalty import without_biases
from ggn.linearization import Objective
from ggn.surface import Verdict
from ggn.surface.advice import Advice
from ggn.surface.pruned_units import pruned_units

RNG = np.random.default_rng(4)
X = RNG.normal(size=(50, 1))
Y = 0.4 * X + 0.1 * RNG.normal(size=(50, 1))


@pytest.mark.parametrize("bias", [0.0, 0.5, -1.2])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus"])
@pytest.mark.parametrize(("share", "verdict"), [(1.1, "LOCAL_MINIMUM"), (0.9, "SADDLE")])
def test_the_penalty_that_keeps_a_unit_pruned_is_known(bias, activation, share, verdict):
    """At v = u = 0, b' = mean y, J bends by [[2 l2, c], [c, 2 l2]] in (v, u), of which
    c = σ'(b) mean(2 (b' - y) x): a minimum where l2 > |c| / 2, a saddle where it is below."""
    net = ggn.MLP((1, 1, 1), activation)
    b, x = np.array([[bias]]), X
    mean = Y.mean()
    c = net.activations[0].derivative(b).item() * float(np.mean(2.0 * (mean - Y) * x))
    l2 = without_biases(net, share * abs(c) / 2.0)
    w = net.pack([[[0.0], [bias]], [[0.0], [mean]]])
    d = ggn.diagnose(net, w, X, Y, l2=l2)
    assert d.verdict is Verdict[verdict]
    if verdict == "LOCAL_MINIMUM":
        assert d.degenerate
        assert d.flat == 1


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus"])
@pytest.mark.parametrize("bias", [-1.2, 1.2])
def test_where_a_pruned_unit_would_grow_beside_it_the_advice_is_to_go_there(activation, bias):
    """At a penalty that keeps the unit by a hundredth more than |c| / 2, |c| grows along b.

    The gradient is 1e-8, and a run that ended there would stall again: it is `descent` that
    leads to where the unit grows.
    """
    net = ggn.MLP((1, 1, 1), activation)
    act, mean, off = net.activations[0], Y.mean(), 1e-6
    slope, value = act.derivative(bias).item(), act.value(bias).item()
    c = slope * float(np.mean(2.0 * (mean - Y) * X))
    l2, u = without_biases(net, 1.01 * abs(c) / 2.0), -np.sign(c) * off
    w = net.pack([[[off], [bias]], [[u], [mean - u * value]]])
    d = ggn.diagnose(net, w, X, Y, l2=l2)
    assert d.gradient_norm < 1e-7
    assert d.verdict is Verdict.NOT_STATIONARY
    assert d.suggestion.advice == (Advice.LEAVE_SADDLE,)
    t, lowest = d.descent_path[-1]
    assert lowest < d.loss
    assert ggn.train(net, X, Y, w0=w + t * d.descent, l2=l2).fun < d.loss - 1e-3


@pytest.mark.parametrize("sizes", [(2, 5, 1), (2, 4, 3), (2, 6, 1)])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_fits_with_pruned_units_are_minima(sizes, activation):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(80, 2))
    Y = np.tanh(X[:, :1] + np.arange(sizes[-1])) + 0.1 * rng.normal(size=(80, sizes[-1]))
    net = ggn.MLP(sizes, activation)
    near = net.initial_weights(rng)
    V, U = net.unpack(near)  # views; the last unit hardly slopes, so the penalty takes it
    V[:-1, -1], V[-1, -1], U[sizes[1] - 1] = 1e-2, 4.0, 1e-2
    fit = ggn.train(net, X, Y, w0=near, l2=without_biases(net, 2e-2), max_iter=3000)
    d = ggn.diagnose(fit, X, Y)
    still = [(np.abs(W[:-1]).max(axis=0) < 1e-5).sum() for W in net.unpack(fit.w)[:-1]]
    assert sum(still) > 0
    assert d.verdict is Verdict.LOCAL_MINIMUM
    assert d.flat >= sum(still)
    for _ in range(100):
        near = fit.w + 1e-3 * rng.normal(size=fit.w.size)
        assert ggn.linearize(net, near, X, Y, l2=fit.l2).loss >= d.loss * (1.0 - 1e-9)


def test_outputs_do_not_change_along_what_is_said():
    """To second order, where the unit's outgoing weights are not 0 too; not where it varies, nor
    where a penalty is on the biases or there is none above."""
    net = ggn.MLP((1, 3, 2), "sigmoid")
    w = net.initial_weights(0)
    net.unpack(w)[0][0, 1] = 0.0
    found, exact = pruned_units(Objective(net, X, np.hstack([Y, Y])), w, 1)
    (t,) = found.T
    assert exact
    assert np.abs(net.unpack(t)[0]).argmax() == 4  # the dummy weight of unit 1
    change = [np.abs(net.forward(w + s * t, X) - net.forward(w, X)).max() for s in (1e-2, 1e-3)]
    assert change[0] < 1e-4
    assert change[1] == pytest.approx(change[0] / 100.0, rel=0.2)
    for other, l2 in ((net, 1e-3), (ggn.MLP((1, 3, 2), bias=[True, False]), 0.0)):
        objective = Objective(other, X, np.hstack([Y, Y]), l2=l2)
        found, _ = pruned_units(objective, w[: other.n_weights], 1)
        assert found.shape == (other.n_weights, 0)
