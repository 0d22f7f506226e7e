"""What is advised helps: scaling where that is the cause, and no other starts where J is convex."""

import numpy as np
import pytest

import ggn
from ggn.surface import Verdict
from ggn.surface.advice import Advice

pytestmark = pytest.mark.filterwarnings("ignore:Training is in these units")


@pytest.mark.parametrize("units", [(1e-3, 1e6), (1e6, 1e6), (1e5, 1e-1)])
@pytest.mark.parametrize("target", [1.0, 1e6])
def test_scaling_is_the_first_advice_where_units_are_the_cause(units, target):
    rng = np.random.default_rng(0)
    white = rng.normal(size=(80, 2))
    Y = np.sin(2.0 * white[:, :1]) * white[:, 1:]
    net = ggn.MLP((2, 6, 1))
    fits = [ggn.train(net, white * units, target * Y, rng=s, max_iter=100) for s in range(3)]
    best = min(fits, key=lambda fit: fit.fun)
    d = ggn.diagnose(net, best.w, white * units, target * Y)
    assert d.suggestion.advice[0] is Advice.SCALE
    scaled = min(ggn.train(net, white, Y, rng=s, max_iter=100).fun for s in range(3))
    assert scaled < 1.1 * best.fun / target**2
    again = ggn.diagnose(net, ggn.train(net, white, Y, rng=0, max_iter=100).w, white, Y)
    assert Advice.SCALE not in again.suggestion.advice


@pytest.mark.parametrize("offset", [1e5, 1e8])
def test_an_offset_of_inputs_is_a_matter_of_scaling(offset):
    rng = np.random.default_rng(1)
    X = offset + rng.normal(size=(40, 1))
    Y = np.sin(X - offset)
    net = ggn.MLP((1, 4, 1))
    d = ggn.diagnose(net, ggn.train(net, X, Y, max_iter=50).w, X, Y)
    assert d.suggestion.advice[0] is Advice.SCALE


def test_other_starts_are_not_advised_where_j_is_convex():
    X, Y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0.0, 0.0, 1.0, 1.0])
    net = ggn.MLP((1, 1))
    d = ggn.diagnose(net, [3.0, 0.0], X, Y, "logistic")
    assert d.verdict is Verdict.RUNAWAY
    assert d.suggestion.advice[0] is Advice.KEEP_FINITE
    w = ggn.train(net, X, Y, "logistic", l2=1e-6).w
    assert ggn.diagnose(net, w, X, Y, "logistic", l2=1e-6).verdict is Verdict.GLOBAL_MINIMUM
