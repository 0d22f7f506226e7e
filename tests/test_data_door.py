"""What the door says of columns of data, and makes of draws of weights, against plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close

import ggn
from ggn import _core

SHAPES = st.tuples(st.integers(1, 300), st.integers(1, 6))
SEEDS, ORDERS = st.integers(0, 2**32 - 1), st.sampled_from("CF")


def table(shape, seed, order="C"):
    """Return numbers in awkward units, a column of one number among them."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=shape) * 10.0 ** rng.integers(-150, 150, shape[1])
    A += rng.integers(0, 2, shape[1]) * 100.0 * np.abs(A).max(axis=0)
    A[:, rng.random(shape[1]) < 0.2] = 0.3
    return np.array(A, order=order)


def unit(A):
    """Return the columns in their largest number, and that."""
    largest = np.abs(A).max(axis=0)
    largest[largest == 0.0] = 1.0
    return A.astype(np.longdouble) / largest, largest


@given(SHAPES, SEEDS, ORDERS, st.booleans())
def test_centre_and_size(shape, seed, order, shift):
    A = table(shape, seed, order)
    Z, largest = unit(A)
    mean = Z.mean(axis=0) if shift else np.zeros(shape[1])
    size = np.sqrt(np.square(Z - mean).mean(axis=0))
    size[shift & ((A == A[0]).all(axis=0) | (size <= 1e-13))] = 0.0
    centre, found = _core.centre_and_size(A, shift)
    assert_close(centre / largest, mean.astype(float))
    np.testing.assert_allclose(found / largest, size.astype(float), rtol=1e-9, atol=1e-15)
    if shift:
        assert np.array_equal(found == 0.0, size == 0.0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("view", [np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1], np.s_[::2]])
@pytest.mark.parametrize("n", [1, 4])
def test_sums_over_columns_are_those_of_numpy(n, view, order, rng):
    """To the last bit, as bits of a start hang on them, whatever way a table lies in memory."""
    A = np.array(rng.normal(size=(301, n)), order=order)[view]
    largest = np.abs(A).max(axis=0)
    mean = (A / largest).sum(axis=0) / len(A)
    np.testing.assert_array_equal(_core.centre_and_size(A, True)[0], mean * largest)


@given(SHAPES, SEEDS, ORDERS, st.integers(1, 400))
def test_root_mean_square(shape, seed, order, chunk):
    A = table(shape, seed, order)
    Z, largest = unit(A)
    found = _core.root_mean_square(A, 1.0 / shape[0], chunk)
    assert_close(found / largest, np.sqrt(np.square(Z).mean(axis=0)).astype(float))


@given(SHAPES, SEEDS, ORDERS, st.integers(1, 400))
def test_variance(shape, seed, order, chunk):
    A = table(shape, seed, order)
    found, largest = _core.variance(A, 1.0 / shape[0], chunk, 1e-12)
    assert largest == np.abs(A).max()
    Z = A.astype(np.longdouble) / largest
    own, mean = Z.var(axis=0), np.abs(Z.mean(axis=0))
    least, most = ((own[own > (by * mean) ** 2]).sum() for by in (1e-11, 1e-13))
    assert float(least) * (1.0 - 1e-9) <= found <= float(most) * (1.0 + 1e-9) + 1e-28


@given(SHAPES, SEEDS, ORDERS)
def test_standardise(shape, seed, order):
    A = table(shape, seed, order)
    m, s, out = A.mean(axis=0), np.maximum(A.std(axis=0), 1e-200), np.empty(shape, order=order)
    assert _core.standardise(A, m, s, out)
    assert np.array_equal(out, (A - m) / s)
    A[-1, -1] = np.inf
    assert not _core.standardise(A, m, s, out)


@given(SHAPES, st.integers(1, 8), SEEDS, st.booleans(), st.sampled_from(["tanh", "relu", "sin"]))
def test_responses_of_units(shape, n, seed, dummy, name):
    rng = np.random.default_rng(seed)
    sigma = ggn.MLP((1, 1, 1), name).activations[0]
    X, W = rng.normal(size=shape), rng.normal(size=(shape[1] + dummy, n))
    W[:, 0] = 0.0  # a unit that is 0, or 0 but for rounding
    Z = X @ W[: shape[1]] + (W[-1] if dummy else 0.0)
    assert_close(_core.respond(X, W, dummy, sigma.code, sigma.slope), sigma.value(Z))


@given(SHAPES, st.integers(1, 8), SEEDS, st.booleans())
def test_draws_are_scaled_to_net_inputs_of_size_one(shape, n, seed, dummy):
    """By the definition: inputs, centred and in their largest, of root mean square 1."""
    rng = np.random.default_rng(seed)
    (T, m), X = shape, table(shape, seed)
    c, W = rng.uniform(0.5, 1.0, T), rng.normal(size=(shape[1] + dummy, n))
    Z, largest = unit(X)
    share = c / c.sum()
    mean = share @ Z if dummy else np.zeros(m)
    size = np.sqrt((share @ np.square(Z - mean)).sum() + dummy)
    expected = W.astype(np.longdouble) / size
    varies = ~((X == X[0]).all(axis=0) | (T == 1)) | (not dummy)
    expected[:m] *= varies[:, np.newaxis]
    inputs = (Z - mean) @ expected[:m] + (expected[-1] if dummy else 0.0)
    _core.scale_draws(X, c, dummy, W)
    # of numbers with a large mean, products lose as many digits as net inputs have
    scale = np.abs(W[:m] * largest[:, np.newaxis]).sum(axis=0).max() + 1.0
    got = X @ W[:m] + (W[-1] if dummy else 0.0)
    np.testing.assert_allclose(got, inputs.astype(float), rtol=0.0, atol=1e-13 * m * scale)


@given(st.integers(1, 6), st.integers(2, 9), SEEDS, st.booleans(), st.sampled_from([1.0, 2.0]))
def test_units_share_out_the_range(k, n, seed, dummy, times):
    """Nguyen & Widrow: each unit's slope has a length, and their bends are spread evenly."""
    rng = np.random.default_rng(seed)
    low = rng.normal(size=k + 1)
    high, V, reach = low + rng.uniform(0.1, 9.0, k + 1), rng.normal(size=(k, n)), 1.7
    varies = np.arange(1, k + 1)
    W = np.asarray(_core.share_out(low, high, varies, V.copy(), reach, dummy, times)) / times
    assert not W[0].any()  # the input that does not vary
    half, middle = ((high - low) / 2.0)[1:], ((high + low) / 2.0)[1:]
    in_range = W[1 : k + 1] * half[:, np.newaxis]
    assert_close(np.sqrt(np.square(in_range).sum(axis=0)), np.full(n, reach))
    assert_close(in_range, reach * V / np.sqrt(np.square(V).sum(axis=0)))
    if dummy:
        at_the_middle = W[-1] + middle @ W[1 : k + 1]
        grid = np.linspace(-reach, reach, n) * np.sign(V[0])
        np.testing.assert_allclose(at_the_middle, grid, atol=1e-12 * (1.0 + np.abs(W[-1]).max()))


A, c = np.ones((4, 2)), np.ones(4)
WRONG = {
    "no rows": lambda: _core.centre_and_size(A[:0], True),
    "no columns": lambda: _core.centre_and_size(A[:, :0], True),
    "no chunk": lambda: _core.root_mean_square(A, 0.25, 0),
    "no chunk of a variance": lambda: _core.variance(A, 0.25, 0, 1e-12),
    "another out": lambda: _core.standardise(A, c[:2], c[:2], np.ones((4, 3))),
    "fewer centres": lambda: _core.standardise(A, c[:1], c[:2], A.copy()),
    "fewer sizes": lambda: _core.standardise(A, c[:2], c[:1], A.copy()),
    "other targets": lambda: _core.cross_validation(A, A[:3], c / 4.0, 4.0, c),
    "other shares": lambda: _core.cross_validation(A, A, c[:3], 4.0, c),
    "rows apart": lambda: _core.cross_validation(np.asfortranarray(A), A, c / 4.0, 4.0, c),
    "high": lambda: _core.share_out(c, c[:3], np.array([0]), np.ones((1, 2)), 1.0, True, 1.0),
    "an input of another": lambda: _core.share_out(
        c, c, np.array([4]), np.ones((1, 2)), 1.0, True, 1.0
    ),
    "fewer inputs": lambda: _core.share_out(c, c, np.array([0]), np.ones((2, 2)), 1.0, True, 1.0),
    "an input twice": lambda: _core.share_out(
        c[:1], c[:1], np.array([0, 0]), np.ones((2, 1)), 1.0, True, 1.0
    ),
    "weights of others": lambda: _core.respond(A, np.ones((2, 3)), True, 0, 0.0),
    "code": lambda: _core.respond(A, np.ones((3, 3)), True, 99, 0.0),
    "no code": lambda: _core.respond(A, np.ones((3, 3)), True, -1, 0.0),
    "draws of others": lambda: _core.scale_draws(A, c, False, np.ones((3, 3))),
    "shares of others": lambda: _core.scale_draws(A, c[:3], True, np.ones((3, 3))),
    "no samples": lambda: _core.scale_draws(A[:0], c[:0], True, np.ones((3, 3))),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_arguments_are_refused(what):
    with pytest.raises(ValueError, match=r"must (be|have)"):
        WRONG[what]()
