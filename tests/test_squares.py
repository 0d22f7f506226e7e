"""Passes under the squared loss in one compiled call: the same bits as by steps, and no more read.

Of the loss alone the last bit may differ: a square and its sum are rounded once where there is FMA.

The steps are compared with the oracle elsewhere; here one pass is, too.
"""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, cases
from test_door import SAMPLES, assert_guarded, poisoned

import ggn
from ggn import _core
from ggn.linearization import Linearization, Objective
from ggn.linearization.squares import squares_of

SHARE = 0.37


class Chunk:
    """A chunk of T samples somewhere in the targets, and what a pass is given, guarded."""

    def __init__(self, c, T, columns, more=0):
        rng = np.random.default_rng(c.seed)
        self.net, self.w, self.layout = c.net, c.w, c.net.layout
        self.X, _ = c.data(T)
        self.Yt = rng.normal(size=(c.net.n_outputs, T + 5))
        self.Y = np.ascontiguousarray(self.Yt[:, 3 : 3 + T])
        self.v = rng.normal(size=len(c.w))
        self.work, whole = poisoned(c.net.work_size(T, columns))
        self.buffer, rest = poisoned(_core.squares_size(self.layout, T) + more)
        self.guarded = whole, rest

    def given(self):
        return self.layout, self.w, self.X, self.Yt, 3, SHARE, self.work, self.buffer

    def swept(self, keep, columns):
        """Return outputs, scratch and slopes of the same sweep by itself."""
        work = np.empty(self.net.work_size(len(self.X), columns))
        F = self.net.sweep(self.w, self.X, work, keep=keep).copy()
        return F, work, 2.0 * (F - self.Y) * SHARE


@given(cases(), SAMPLES)
def test_value(c, T):
    at = Chunk(c, T, 0)
    value = _core.squares_value(*at.given())
    F = reference.forward(c.spec, c.w, at.X)[0][-1]
    assert_close(value, SHARE * np.sum((F - at.Y.T) ** 2))
    F, _, _ = at.swept(0, 0)
    by_steps = SHARE * float(ggn.losses.Squared().value(F.T, at.Y.T).sum())
    assert abs(value - by_steps) <= 1e-15 * by_steps
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES)
def test_gradient_adds(c, T):
    at = Chunk(c, T, 1)
    out = np.linspace(-1.0, 1.0, len(c.w))
    by_steps = out.copy()
    _core.squares_gradient(*at.given(), out)
    _, work, eps = at.swept(1, 1)
    _core.gradient(at.layout, c.w, T, eps, work, by_steps)
    assert np.array_equal(out, by_steps)
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES, st.booleans())
def test_product_along_a_direction(c, T, second):
    at = Chunk(c, T, 1, c.net.layout.tangent_size(T))
    out = np.linspace(-1.0, 1.0, len(c.w))
    by_steps = out.copy()
    _core.squares_product(*at.given(), at.v, second, out)
    F, work, _ = at.swept(2 if second else 1, 1)
    u = np.empty(F.shape)
    _core.tangent(at.layout, c.w, at.v, T, second, work, np.empty(at.layout.tangent_size(T)), u)
    _core.gradient(at.layout, c.w, T, 2.0 * SHARE * u, work, by_steps)
    assert np.array_equal(out, by_steps)
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES)
def test_sums_for_the_output_layer(c, T):
    m, k = c.net.layout.shapes[-1][1], c.net.n_outputs
    at = Chunk(c, T, 0, m * T)
    sums = np.linspace(-1.0, 1.0, k * m + m * m)
    by_steps = sums.copy()
    value = _core.squares_output_sums(*at.given(), sums)
    _, work, eps = at.swept(0, 0)
    _core.output_sums(at.layout, T, None, eps, work, np.empty(m * T), by_steps)
    assert np.array_equal(sums, by_steps)
    assert value == _core.squares_value(*Chunk(c, T, 0).given())
    assert_guarded(*at.guarded)


def test_whole_passes_are_the_same_bits_as_by_steps(monkeypatch):
    rng = np.random.default_rng(0)
    for sizes, T in (((8, 20, 10, 3), 5000), ((2, 5, 1), 37), ((3, 30, 1), 20_000)):
        net = ggn.MLP(sizes)
        objective = Objective(net, rng.normal(size=(T, sizes[0])), rng.normal(size=(T, sizes[-1])))
        w, v = net.initial_weights(0), rng.normal(size=net.n_weights)

        def passes(objective=objective, w=w, v=v):
            at, G = Linearization(objective, w), np.empty((len(w), len(w)))
            found = [objective.value(w), at.gradient, at.bend(v), at.normal_product(v, True)]
            J, better = objective.refit(w, w + 0.1, None, 1.0)
            return [*found, J, better, at.assemble_normal(G), np.tril(G)]

        assert squares_of(objective) is not None
        one = passes()
        with monkeypatch.context() as patch:
            for module in ("mean_loss", "sweeping", "directional", "output_layer"):
                patch.setattr(f"ggn.linearization.{module}.squares_of", lambda objective: None)
            for a, b in zip(one, passes(), strict=True):
                if np.ndim(a):
                    assert np.array_equal(a, b)
                else:
                    assert abs(a - b) <= 1e-15 * abs(b)


OWN = ggn.activations.Activation("own", np.sin, np.cos, lambda z: -np.sin(z))  # the user's


@pytest.mark.parametrize(
    ("options", "net"),
    [
        ({"loss": "cauchy"}, {}),
        ({"sample_weight": [1.0, 2.0]}, {}),
        ({}, {"activation": OWN}),
        ({}, {"output_activation": "tanh"}),
    ],
)
def test_what_is_not_theirs_goes_by_steps(options, net):
    objective = Objective(ggn.MLP((1, 2, 1), **net), [[0.0], [1.0]], [[0.0], [1.0]], **options)
    assert squares_of(objective) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (1, np.ones(3)),
        (2, np.ones((4, 3))),
        (3, np.ones((1, 6))),
        (4, 3),
        (4, -1),
        (6, np.ones(3)),
        (7, np.ones(3)),
    ],
)
def test_wrong_arguments_are_refused(place, value):
    net = ggn.MLP((2, 3, 2))
    N, T = net.n_weights, 4
    room = _core.squares_size(net.layout, T) + max(net.layout.tangent_size(T), 8 * T)
    given = [net.layout, np.ones(N), np.ones((T, 2)), np.ones((2, 6)), 0, 1.0]
    given += [np.ones(net.work_size(T, 2)), np.ones(room)]
    passes = [
        lambda: _core.squares_value(*given),
        lambda: _core.squares_gradient(*given, np.ones(N)),
        lambda: _core.squares_product(*given, np.ones(N), True, np.ones(N)),
        lambda: _core.squares_output_sums(*given, np.ones(24)),
    ]
    for call in passes:
        call()
    given[place] = value
    for call in passes:
        with pytest.raises(ValueError, match=r"must (be|hold|have)"):
            call()


def test_wrong_sums_are_refused():
    net = ggn.MLP((2, 3, 2))
    N, T = net.n_weights, 4
    given = [net.layout, np.ones(N), np.ones((T, 2)), np.ones((2, T)), 0, 1.0]
    given += [np.ones(net.work_size(T, 2)), np.ones(1000)]
    for call in (
        lambda: _core.squares_gradient(*given, np.ones(N - 1)),
        lambda: _core.squares_product(*given, np.ones(N - 1), True, np.ones(N)),
        lambda: _core.squares_product(*given, np.ones(N), True, np.ones(N - 1)),
        lambda: _core.squares_output_sums(*given, np.ones(3)),
    ):
        with pytest.raises(ValueError, match=r"must (have|hold)"):
            call()
    own = ggn.MLP((2, 3, 2), OWN)
    with pytest.raises(ValueError, match="built in"):
        _core.squares_value(own.layout, *given[1:])
