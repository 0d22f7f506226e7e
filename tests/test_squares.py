"""Passes under the squared loss in one compiled call: the same bits as by steps, chunk by chunk.

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


def pieces(T, most):
    """The rows of each chunk."""
    return [slice(i, min(i + most, T)) for i in range(0, T, most)]


class Chunk:
    """T samples somewhere in the targets, and what a pass in chunks of `most` is given, guarded.

    `more` says what a chunk of so many samples needs of the buffer beside.
    """

    def __init__(self, c, T, columns, most, more=lambda c: 0):
        rng = np.random.default_rng(c.seed)
        self.net, self.w, self.layout = c.net, c.w, c.net.layout
        self.X, _ = c.data(T)
        self.Yt = rng.normal(size=(c.net.n_outputs, T + 5))
        self.Y = np.ascontiguousarray(self.Yt[:, 3 : 3 + T])
        self.v = rng.normal(size=len(c.w))
        self.most, room = most, min(most, T)
        self.work, whole = poisoned(c.net.work_size(room, columns))
        self.buffer, rest = poisoned(_core.squares_size(self.layout, room) + more(room))
        self.guarded = whole, rest

    def given(self):
        return self.layout, self.w, self.X, self.Yt, 3, SHARE, self.work, self.buffer, self.most

    def swept(self, keep, columns):
        """Yield outputs, scratch and slopes of the same sweeps by themselves."""
        for rows in pieces(len(self.X), self.most):
            work = np.empty(self.net.work_size(rows.stop - rows.start, columns))
            F = self.net.sweep(self.w, self.X[rows], work, keep=keep).copy()
            yield F, work, 2.0 * (F - self.Y[:, rows]) * SHARE


MOST = st.integers(1, 40)


@given(cases(), SAMPLES, MOST)
def test_value(c, T, most):
    at = Chunk(c, T, 0, most)
    value = _core.squares_value(at.given())
    F = reference.forward(c.spec, c.w, at.X)[0][-1]
    assert_close(value, SHARE * np.sum((F - at.Y.T) ** 2))
    by_steps = 0.0
    for (F, _, _), rows in zip(at.swept(0, 0), pieces(T, most), strict=True):
        by_steps += SHARE * float(ggn.losses.Squared().value(F.T, at.Y[:, rows].T).sum())
    assert abs(value - by_steps) <= 1e-15 * by_steps
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES, MOST)
def test_gradient_adds(c, T, most):
    at = Chunk(c, T, 1, most)
    out = np.linspace(-1.0, 1.0, len(c.w))
    by_steps = out.copy()
    _core.squares_gradient(at.given(), out)
    for F, work, eps in at.swept(1, 1):
        _core.gradient(at.layout, c.w, F.shape[1], eps, work, by_steps)
    assert np.array_equal(out, by_steps)
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES, MOST, st.booleans())
def test_normal_matrix_and_gradient_add(c, T, most, begins):
    tile = lambda c_: c.net.layout.normal_sizes(c_, 0)[1]  # noqa: E731
    at = Chunk(c, T, c.net.n_outputs, most, tile)
    out, sums = np.linspace(-1.0, 1.0, len(c.w)), np.empty(c.net.layout.normal_sizes(1, 0)[0])
    sums.fill(np.nan if begins else 2.0)
    by_steps, summed = out.copy(), sums.copy()
    _core.squares_normal(at.given(), out, sums, begins)
    first = begins
    for F, work, eps in at.swept(1, c.net.n_outputs):
        n = F.shape[1]
        _core.gradient(at.layout, c.w, n, eps, work, by_steps)
        _core.sensitivities(at.layout, c.w, n, None, work)
        _core.add_normal(at.layout, n, None, work, np.empty(0), np.empty(tile(n)), summed, first)
        first = False
    if not T and begins:
        summed.fill(0.0)
    assert np.array_equal(out, by_steps)
    assert np.array_equal(sums, summed, equal_nan=True)
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES, MOST, st.booleans())
def test_product_along_a_direction(c, T, most, second):
    at = Chunk(c, T, 1, most, c.net.layout.tangent_size)
    out = np.linspace(-1.0, 1.0, len(c.w))
    by_steps = out.copy()
    _core.squares_product(at.given(), at.v, second, out)
    for F, work, _ in at.swept(2 if second else 1, 1):
        u, n = np.empty(F.shape), F.shape[1]
        _core.tangent(at.layout, c.w, at.v, n, second, work, np.empty(at.layout.tangent_size(n)), u)
        _core.gradient(at.layout, c.w, n, 2.0 * SHARE * u, work, by_steps)
    assert np.array_equal(out, by_steps)
    assert_guarded(*at.guarded)


@given(cases(), SAMPLES, MOST)
def test_sums_for_the_output_layer(c, T, most):
    m, k = c.net.layout.shapes[-1][1], c.net.n_outputs
    at = Chunk(c, T, 0, most, lambda c: m * c)
    sums = np.linspace(-1.0, 1.0, k * m + m * m)
    by_steps = sums.copy()
    value = _core.squares_output_sums(at.given(), sums)
    for F, work, eps in at.swept(0, 0):
        n = F.shape[1]
        _core.output_sums(at.layout, n, None, eps, work, np.empty(m * n), by_steps)
    assert np.array_equal(sums, by_steps)
    assert value == _core.squares_value(Chunk(c, T, 0, most).given())
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
        (8, 0),
        (8, -(2**40)),
    ],
)
def test_wrong_arguments_are_refused(place, value):
    net = ggn.MLP((2, 3, 2))
    N, T = net.n_weights, 4
    sums, tile, _ = net.layout.normal_sizes(T, 0)
    room = _core.squares_size(net.layout, T) + max(net.layout.tangent_size(T), 8 * T, tile)
    given = [net.layout, np.ones(N), np.ones((T, 2)), np.ones((2, 6)), 0, 1.0]
    given += [np.ones(net.work_size(T, 2)), np.ones(room), T]
    passes = [
        lambda: _core.squares_value(tuple(given)),
        lambda: _core.squares_gradient(tuple(given), np.ones(N)),
        lambda: _core.squares_normal(tuple(given), np.ones(N), np.ones(sums), True),
        lambda: _core.squares_product(tuple(given), np.ones(N), True, np.ones(N)),
        lambda: _core.squares_output_sums(tuple(given), np.ones(24)),
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
    sums, tile, _ = net.layout.normal_sizes(T, 0)
    passed = (*given, np.ones(net.work_size(T, 2)), np.ones(1000 + tile), T)
    for call in (
        lambda: _core.squares_gradient(passed, np.ones(N - 1)),
        lambda: _core.squares_normal(passed, np.ones(N - 1), np.ones(sums), True),
        lambda: _core.squares_normal(passed, np.ones(N), np.ones(sums - 1), True),
        lambda: _core.squares_product(passed, np.ones(N - 1), True, np.ones(N)),
        lambda: _core.squares_product(passed, np.ones(N), True, np.ones(N - 1)),
        lambda: _core.squares_output_sums(passed, np.ones(3)),
    ):
        with pytest.raises(ValueError, match=r"must (have|hold)"):
            call()
    own = ggn.MLP((2, 3, 2), OWN)
    with pytest.raises(ValueError, match="built in"):
        _core.squares_value((own.layout, *passed[1:]))
    for fewer in (passed[:-1], (*passed, 1)):
        with pytest.raises(ValueError, match="unpack"):
            _core.squares_value(fewer)
    with pytest.raises(TypeError, match="Layout"):
        _core.squares_value((None, *passed[1:]))
