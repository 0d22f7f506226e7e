"""What is advised helps: scaling where it is the cause, a larger net where no start ends lower."""

import numpy as np
import pytest

import ggn
from ggn.surface import Verdict
from ggn.surface.advice import Advice

pytestmark = pytest.mark.filterwarnings("ignore::ggn.ScalingWarning")


def sines(seed=0):
    """White inputs, and targets of size one."""
    white = np.random.default_rng(seed).normal(size=(80, 2))
    return white, np.sin(2.0 * white[:, :1]) * white[:, 1:]


def share(net, X, Y, **options):
    """Of the targets' mean square, what the best of three runs leaves; its diagnosis."""
    fits = [ggn.train(net, X, Y, rng=s, max_iter=100, **options) for s in range(3)]
    best = min(fits, key=lambda fit: fit.fun)
    left = ggn.linearize(net, best.w, X, Y).loss / np.mean(np.square(Y))
    return left, ggn.diagnose(net, best.w, X, Y, **options)


@pytest.mark.parametrize(
    ("units", "target", "l2"),
    [((1e-3, 1.0), 1.0, 1e-6), ((1e-2, 1e-3), 1.0, 1e-4), ((1.0, 1e6), 1e-2, 1e-5)],
)
def test_scaling_is_the_first_advice_where_a_penalty_is_in_odd_units(units, target, l2):
    """Weights that make up for small units are penalised as if they were large."""
    white, Y = sines()
    net = ggn.MLP((2, 6, 1))
    left, d = share(net, white * units, target * Y, l2=l2)
    assert d.suggestion.advice[0] is Advice.SCALE
    scaled, again = share(net, white, Y, l2=l2)
    assert scaled < 0.5 * left
    assert Advice.SCALE not in again.suggestion.advice


@pytest.mark.parametrize("offset", [1e5, 1e8])
def test_an_offset_that_no_bias_can_take_is_a_matter_of_scaling(offset):
    X = np.random.default_rng(1).normal(size=(40, 1))
    Y, net = np.sin(X), ggn.MLP((1, 4, 1), bias=False)
    left, d = share(net, offset + X, Y)
    assert d.suggestion.advice[0] is Advice.SCALE
    assert share(net, X, Y)[0] < 0.5 * left


@pytest.mark.parametrize("units", [(1e-3, 1e6), (1e6, 1e6), (1e5, 1e-1)])
@pytest.mark.parametrize("target", [1.0, 1e6])
def test_scaling_is_no_advice_where_training_does_it(units, target):
    white, Y = sines()
    net = ggn.MLP((2, 6, 1))
    left, d = share(net, white * units, target * Y)
    assert Advice.SCALE not in d.suggestion.advice
    assert share(net, white, Y)[0] == pytest.approx(left, rel=0.2)


@pytest.mark.parametrize("seed", range(3))
def test_a_larger_network_where_no_other_start_ends_lower(seed):
    """The minimum is the network's best: it is the second half of the advice that helps."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-2.0, 2.0, 40)[:, np.newaxis]
    y = np.tanh(2.0 * x) + 0.1 * rng.normal(size=x.shape)
    net = ggn.MLP((1, 1, 1))
    fit = ggn.train(net, x, y, rng=seed)
    d = ggn.diagnose(net, fit.w, x, y)
    assert d.suggestion.advice == (Advice.OTHER_STARTS,)
    assert ggn.train_restarts(net, x, y).best.fun > 0.999 * fit.fun
    assert ggn.train_restarts(ggn.MLP((1, 3, 1)), x, y).best.fun < 0.95 * fit.fun


def test_other_starts_are_not_advised_where_j_is_convex():
    X, Y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0.0, 0.0, 1.0, 1.0])
    net = ggn.MLP((1, 1))
    d = ggn.diagnose(net, [3.0, 0.0], X, Y, "logistic")
    assert d.verdict is Verdict.RUNAWAY
    assert d.suggestion.advice[0] is Advice.KEEP_FINITE
    w = ggn.train(net, X, Y, "logistic", l2=1e-6).w
    assert ggn.diagnose(net, w, X, Y, "logistic", l2=1e-6).verdict is Verdict.GLOBAL_MINIMUM
