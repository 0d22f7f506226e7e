"""Units of data, and weights that take them in."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, case

import ggn
from ggn.io import scaling
from ggn.linearization import Objective, columns


def test_standard_units_of_awkward_columns():
    A = np.array([[0.1, 1e200, 5e-324, 0.0, -3.0], [0.1, -1e200, 0.0, 0.0, 1.0]] * 5)
    mean, scale = scaling.standard_units(A)
    np.testing.assert_allclose(mean, [0.1, 0.0, 0.0, 0.0, -1.0], atol=1e-300)
    assert mean[0] == 0.1
    np.testing.assert_allclose(scale[[0, 1, 3, 4]], [1.0, 1e200, 1.0, 2.0])
    assert (scale > 0.0).all()


def test_standard_units_with_weights_are_those_of_repeated_rows(rng):
    A, times = rng.normal(3.0, 2.0, (9, 3)), rng.integers(0, 4, 9)
    A[:, 1] = 0.1
    for ours, repeated in zip(
        scaling.standard_units(A, 0.3 * times),
        scaling.standard_units(np.repeat(A, times, axis=0)),
        strict=True,
    ):
        np.testing.assert_allclose(ours, repeated, rtol=1e-14)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("shift", [False, True])
def test_centre_and_size_of_weighted_rows_are_those_of_repeated_ones(rng, robust, shift):
    """Rows without weight are not there: not even to say that a column varies."""
    A, times = rng.normal(3.0, 2.0, (12, 4)), rng.integers(0, 4, 12)
    A[times > 0, 1] = 0.1
    A[:, 2] *= 1e-200
    centre, size = scaling.centre_and_size(A, 0.3 * times, robust=robust, shift=shift)
    repeated = np.repeat(A, times, axis=0)
    expected = scaling.centre_and_size(repeated, robust=robust, shift=shift)
    np.testing.assert_allclose((centre, size), expected, rtol=1e-14)
    if shift:
        assert (centre[1], size[1]) == (0.1, 0.0)
        by_hand = np.median(repeated[:, 0]) if robust else repeated[:, 0].mean()
    else:
        assert not centre.any()
        by_hand = 0.0
    off = np.abs(repeated[:, 0] - by_hand)
    wanted = 1.4826022 * np.median(off) if robust else np.sqrt(np.square(off).mean())
    np.testing.assert_allclose((centre[0], size[0]), (by_hand, wanted), rtol=1e-7)


def test_columns_are_measured_alike_a_few_at_a_time(rng, monkeypatch):
    A = np.asfortranarray(rng.normal(size=(40, 7)))
    whole = scaling.centre_and_size(A)
    monkeypatch.setattr(columns, "BLOCK", 80)
    np.testing.assert_array_equal(scaling.centre_and_size(A), whole)


def test_minmax_units_reach_from_minus_one_to_one(rng):
    A = rng.normal(size=(9, 3)) * [1.0, 1e300, 1e-300]
    A[:4, 1] = [1.7e308, -1.7e308, 0.0, 0.0]
    middle, half = scaling.minmax_units(A)
    Z = (A - middle) / half
    np.testing.assert_allclose(Z.min(axis=0), -1.0, rtol=1e-15)
    np.testing.assert_allclose(Z.max(axis=0), 1.0, rtol=1e-15)
    assert scaling.minmax_units(np.full((2, 1), 7.0)) == (7.0, 1.0)


@given(st.integers(0, 3), st.sampled_from([0.0, 0.4]), st.integers(0, 99))
def test_folded_weights_give_the_same_numbers(hidden, fixed_bias, seed):
    """Any depth, one layer included, where first and last are the same."""
    c = case((3, *[4] * hidden, 2), (*["tanh"] * hidden, "identity"), True, fixed_bias, seed)
    X, _ = c.data(7)
    rng = np.random.default_rng(seed)
    x_mean, y_mean = rng.normal(size=3), rng.normal(size=2)
    x_scale, y_scale = rng.uniform(0.5, 2.0, 3), rng.uniform(0.5, 2.0, 2)
    expected = y_mean + y_scale * c.net.forward(c.w, (X - x_mean) / x_scale)
    kept = c.w.copy()
    w = scaling.fold(c.net, c.w, x_mean, x_scale, y_mean, y_scale)
    assert_close(c.net.forward(w, X), expected, 1e-13)
    assert np.array_equal(c.w, kept)


def test_folding_where_there_is_nothing_to_shift():
    """Pure scales need no dummy units, and untouched targets no identity."""
    net = ggn.MLP((1, 2, 1), bias=False)
    w = scaling.fold(net, [1.0, 2.0, 3.0, 4.0], [0.0], [2.0], [0.0], [10.0])
    assert w.tolist() == [0.5, 1.0, 30.0, 40.0]
    net = ggn.MLP((1, 1), output_activation="softplus")
    assert scaling.fold(net, [1.0, 2.0], [1.0], [2.0], [0.0], [1.0]).tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("net", "units", "sentence"),
    [
        (ggn.MLP((1, 2, 1), bias=[False, True]), (1, 1, 0, 1), "a dummy unit in its first layer"),
        (ggn.MLP((1, 2, 1), bias=[True, False]), (0, 1, 1, 1), "a dummy unit in its last layer"),
        (ggn.MLP((1, 1), output_activation="softplus"), (0, 1, 0, 2), "identity as output"),
    ],
)
def test_folding_where_there_is_no_place_for_it(net, units, sentence):
    with pytest.raises(ValueError, match=rf"^net must have .*{sentence}.*, got MLP"):
        scaling.fold(net, np.ones(net.n_weights), *([u] for u in units))


TRAINERS = {
    "train": functools.partial(ggn.train, l2=1e-3),
    "restarts": functools.partial(ggn.train_restarts, l2=1e-3, n_restarts=2),
    "many": functools.partial(ggn.train_many, l2=1e-3),
    "robust": functools.partial(ggn.train_robust, l2=1e-3),
    "bayesian": ggn.train_bayesian,
}


@pytest.mark.filterwarnings("ignore::ggn.fit.unsettled.EvidenceWarning")
@pytest.mark.parametrize("name", TRAINERS)
def test_a_warning_is_in_the_users_numbers_and_of_the_users_line(name):
    """A penalty on biases leaves no shift: the run divides the input by its size."""
    x = np.where(np.arange(40) % 2, 1012.4, 1013.6)[:, np.newaxis]
    y, net = np.sin(np.arange(40.0)), ggn.MLP((1, 2, 1))
    with pytest.warns(ggn.ScalingWarning, match=r"input 0 is 1013 ± 0\.6:") as caught:
        TRAINERS[name](net, x, y, max_iter=2)
    assert {w.filename for w in caught if w.category is ggn.ScalingWarning} == {__file__}


@pytest.mark.parametrize("robust", [False, True])
def test_weights_count_beside_each_other_alone(robust):
    """Of any size, sums beyond float64 among them; powers of two leave every digit."""
    rng = np.random.default_rng(5)
    A, weights = rng.normal(size=(40, 2)), rng.integers(1, 4, 40).astype(np.float64)
    expected = columns.centre_and_size(A, weights, robust=robust)
    for size in (2.0**1021, 2.0**-1000):
        found = columns.centre_and_size(A, size * weights, robust=robust)
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("shift", [True, False])
@pytest.mark.parametrize("order", "CF")
def test_compiled_centre_and_size_are_those_of_weights_that_are_all_one(rng, shift, order):
    A = rng.normal(size=(137, 5)) * [1.0, 1e-170, 1e160, 0.0, 3.0] + [0.0, 0.0, 0.0, 0.3, 0.3]
    A = np.array(A, order=order)
    expected = columns.centre_and_size(A, np.ones(len(A)), shift=shift)
    np.testing.assert_allclose(columns.centre_and_size(A, shift=shift), expected, rtol=1e-13)


def test_compiled_spread_is_that_of_weights_that_are_all_one(rng):
    X, Y = rng.normal(size=(137, 3)) * [1.0, 1e-140, 0.0], rng.normal([5.0, 0.0], size=(137, 2))
    net = ggn.MLP((3, 2))
    expected = Objective(net, X, Y, sample_weight=np.ones(137)).spread()
    for chunk_size in (None, 8):
        inputs, deviation = Objective(net, X, Y, chunk_size=chunk_size).spread()
        np.testing.assert_allclose(inputs, expected[0], rtol=1e-13)
        assert deviation == pytest.approx(expected[1], rel=1e-13)
