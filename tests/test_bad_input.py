"""What the public door refuses, and in which words; what it accepts, and leaves as it was."""

import math
import re

import numpy as np
import pytest

import ggn
from ggn import damping, steps

NET = ggn.MLP((2, 3, 1))
W = NET.initial_weights(0)
X = np.linspace(-1.0, 1.0, 10).reshape(5, 2)
Y = np.cos(X[:, :1])


def refuses(message, call, *args, **kwargs):
    """Assert a ValueError of one sentence: who, what was expected, what was seen."""
    with pytest.raises(ValueError, match=message) as caught:
        call(*args, **kwargs)
    text = str(caught.value)
    assert "\n" not in text
    assert not text.endswith(".")
    assert re.search(r"\b(must|is needed)\b", text)
    assert "all zero" in text or " got " in text


def train(**changed):
    return ggn.train(NET, changed.pop("X", X), changed.pop("Y", Y), max_iter=2, **changed)


def entry(array, value, where):
    array = np.array(array)
    array[where] = value
    return array


# ------------------------------------------------------------- numbers that are none


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite(value):
    x, y, w = entry(X, value, (3, 1)), entry(Y, value, (2, 0)), entry(W, value, 4)
    seen = f"got {value}"
    for call in (train, lambda **k: ggn.linearize(NET, W, k.get("X", X), k.get("Y", Y))):
        refuses(rf"^X must be finite, {seen} at X\[3, 1\]", call, X=x)
        refuses(rf"^Y must be finite, {seen} at Y\[2, 0\]", call, Y=y)
    for call in (NET.forward, NET.jacobian, NET.kernel_matrix):
        refuses(rf"^X must be finite, {seen} at X\[3, 1\]", call, W, x)
        refuses(rf"^w must be finite, {seen} at w\[4\]", call, w, X)
    refuses(rf"^w must be finite, {seen} at w\[4\]", ggn.linearize, NET, w, X, Y)
    refuses(rf"^w must be finite, {seen} at w\[4\]", NET.unpack, w)
    s = entry(np.ones(5), value, 1)
    refuses(rf"^sample_weight must be finite, {seen} at sample_weight\[1\]", train, sample_weight=s)
    refuses(r"^l2 must be finite", train, l2=entry(np.ones(len(W)), value, 0))


@pytest.mark.parametrize(
    "wrong",
    [X + 0j, X.astype(str), X.astype(object) + 1j, X.astype("M8[s]"), [["a", "b"]] * 5,
     [[None, 1.0]] * 5, [[1.0, 2.0], [3.0]], {"a": 1}, "text", None, object()],
    ids=["complex", "str", "object", "date", "letters", "None", "ragged", "dict", "text", "nothing",
         "thing"],
)  # fmt: skip
def test_not_numbers(wrong):
    refuses(r"^X must ", train, X=wrong)
    refuses(r"^X must ", NET.forward, W, wrong)
    refuses(r"^Y must ", train, Y=wrong)
    refuses(r"^w must ", NET.forward, wrong, X)
    refuses(r"^l2 must ", train, l2=wrong)
    if wrong is not None:
        refuses(r"^sample_weight must ", train, sample_weight=wrong)


@pytest.mark.parametrize("value", [math.nan, "text", W[:-1], W[:, None], entry(W, math.inf, 4)])
def test_initial_weights_are_called_by_their_argument(value):
    refuses(r"^w0 must ", train, w0=value)


def test_integers_beyond_float64():
    refuses(r"^X must ", train, X=[[10**400, 1]] * 5)
    refuses(r"^tol must ", train, tol=10**400)


# ------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"X": np.ones((5, 3))}, r"^X must have 2 columns, got an array of shape \(5, 3\)"),
        ({"X": X.T}, r"^X must have 2 columns, got an array of shape \(2, 5\)"),
        ({"X": np.ones(5)}, r"^X must have shape \(samples, 2\), got .* \(5,\)"),
        ({"X": np.ones((5, 2, 1))}, r"^X must be 1-D or 2-D, got .*\(5, 2, 1\)"),
        ({"X": 1.0}, r"^X must be 1-D or 2-D, got .*\(\)"),
        ({"Y": np.ones((5, 2))}, r"^Y must have 1 columns?, got .*\(5, 2\)"),
        ({"Y": Y[:4]}, r"^X and Y must have as many rows, got 5 and 4"),
        ({"X": np.empty((0, 2)), "Y": np.empty((0, 1))}, r"^X must hold at least one sample"),
        ({"sample_weight": np.ones(4)}, r"^sample_weight must have shape \(5,\), .*got \(4,\)"),
        ({"sample_weight": np.ones((5, 1))}, r"^sample_weight must be 1-D, got .*\(5, 1\)"),
        ({"sample_weight": 2.0}, r"^sample_weight must be 1-D, got .*\(\)"),
        ({"l2": np.ones(4)}, r"^l2 must be a number or have shape \(13,\), got \(4,\)"),
        ({"l2": np.ones((13, 1))}, r"^l2 must .*got .*\(13, 1\)"),
    ],
)
def test_wrong_shapes(changed, message):
    refuses(message, train, **changed)


def test_wrong_shapes_of_the_network():
    refuses(r"^w must have shape \(13,\), .*got \(12,\)", NET.forward, W[:-1], X)
    refuses(r"^w must have shape \(13,\), .*got \(14,\)", NET.unpack, np.ones(14))
    refuses(r"^X must have 2 columns", NET.jacobian, W, np.ones((5, 3)))
    refuses(r"^w must have shape", ggn.linearize, NET, W[:-1], X, Y)
    refuses(r"^net must be an MLP, got ", ggn.train, "net", X, Y)
    refuses(r"^net must be an MLP, got ", ggn.linearize, None, W, X, Y)


@pytest.mark.parametrize("chunk", [0, -1, 2.5, "all", True])
def test_chunk_size(chunk):
    message = r"^chunk_size must be an integer of at least 1"
    refuses(message, ggn.linearize, NET, W, X, Y, chunk_size=chunk)


# ------------------------------------------------------------- ranges and names


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 1.0, -0.5, 1.0, 1.0], r"not be negative, got -0\.5 at sample_weight\[2\]"),
        ([0.0] * 5, r"not be all zero"),
        ([-0.0] * 5, r"not be all zero"),
    ],
)
def test_sample_weights_out_of_range(weights, message):
    refuses(rf"^sample_weight must {message}", train, sample_weight=weights)


def test_sample_weights_whose_sum_overflows():
    """Either refused, or scaled as any other weights; not silently a loss of zero."""
    w = {"w0": W, "max_iter": 0}
    try:
        fit = ggn.train(NET, X, Y, sample_weight=np.full(5, 1e308), **w)
    except ValueError as error:
        assert str(error).startswith("sample_weight must")  # noqa: PT017
    else:
        assert fit.fun == pytest.approx(ggn.train(NET, X, Y, **w).fun, rel=1e-12)


NUMBERS = {
    "tol": [-1e-3, math.nan, math.inf, "small", None],
    "l2": [-1.0, math.nan, math.inf, "small"],
    "loss_target": [math.nan, math.inf, "zero"],
    "max_seconds": [-1.0, math.nan, "long", None],
    "max_memory": [0, -1, math.nan, math.inf, "all"],
    "max_iter": [-1, 1.5, "ten", None, True, math.inf],
}


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, values in NUMBERS.items() for v in values], ids=repr
)
def test_numbers_out_of_range(name, value):
    arguments = {"max_iter": 2, name: value}
    refuses(rf"^{name} must be an? (number|integer)", ggn.train, NET, X, Y, **arguments)


@pytest.mark.parametrize("name", ["tol", "l2", "loss_target", "max_seconds"])
def test_text_is_not_a_number(name):
    """As for arrays: digits in quotes are a slip to be told, not to be read."""
    refuses(rf"^{name} must be a number", train, **{name: "0.5"})


@pytest.mark.parametrize("alpha", [0.0, -0.5, math.inf, math.nan, "half", None])
def test_alpha_out_of_range(alpha):
    refuses(r"^alpha must be a number( in \(0, inf\))?, got ", damping.Undamped, alpha)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, "big", None])
def test_levenberg_marquardt_out_of_range(value):
    refuses(r"^initial must be a number", damping.LevenbergMarquardt, initial=value)
    refuses(r"^decrease must be a number", damping.LevenbergMarquardt, decrease=value)


def test_decrease_must_decrease():
    """The documented interval is open: 1 would never lower mu."""
    refuses(r"^decrease must be a number", damping.LevenbergMarquardt, decrease=1.0)


@pytest.mark.parametrize(
    ("argument", "wrong", "known", "near"),
    [
        ("loss", "sqared", ["squared", "smooth_lp", "cauchy", "blake_zisserman"], "squared"),
        ("step", "primary", ["auto", "primal", "dual", "minimum_norm", "gradient"], "primal"),
        ("step", "minimum norm", ["minimum_norm"], "minimum_norm"),
        ("damping", "levenberg", ["levenberg_marquardt", "undamped"], "levenberg_marquardt"),
        ("damping", "Undamp", ["undamped"], "undamped"),
        ("curvature", "majorizer", ["auto", "hessian", "majoriser"], "majoriser"),
    ],
)
def test_unknown_names(argument, wrong, known, near):
    message = rf"^{argument} must be one of .*, got '{wrong}'; did you mean '{near}'\?$"
    refuses(message, train, **{argument: wrong})
    with pytest.raises(ValueError, match=near) as caught:
        train(**{argument: wrong})
    assert all(name in str(caught.value) for name in known)


@pytest.mark.parametrize("value", [None, 3, steps.Primal, object(), ["primal"]])
def test_not_a_strategy(value):
    refuses(r"^step must be a name or a Step, got ", train, step=value)
    refuses(r"^damping must be a name or a Damping, got ", train, damping=value)
    refuses(r"^loss must be a name or a Loss, got ", train, loss=value)


@pytest.mark.parametrize("value", [3, "print", [print]])
def test_callback_not_callable(value):
    refuses(r"^callback must be callable, got ", train, callback=value)


@pytest.mark.parametrize("value", ["seed", -1, 1.5])
def test_rng(value):
    refuses(r"^rng must ", train, rng=value)
    refuses(r"^rng must ", NET.initial_weights, value)


@pytest.mark.parametrize("T", [0, -3, 2.0, "many", None, True])
def test_four_regions_count(T):
    refuses(r"^T must be an integer of at least 1, got ", ggn.problems.four_regions, T)


def test_max_memory_says_what_would_fit():
    refuses(r"^max_memory must be at least [\d.]+ MiB.*, got .* MiB", train, max_memory=10)


# ------------------------------------------------------------- what works


class Frame:
    """Holds numbers as a table library does: nothing but __array__."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def strided(a):
    wide = np.full((2 * len(a), *a.shape[1:]), np.nan)
    wide[::2] = a
    return wide[::2]


GIVE = {
    "list": lambda a: a.tolist(),
    "fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "read only": read_only,
    "frame": Frame,
    "object": lambda a: a.astype(object),
    "longdouble": lambda a: a.astype(np.longdouble),
    "big endian": lambda a: a.astype(">f8"),
    "float32": lambda a: a.astype(np.float32),
    "integer": lambda a: a.astype(int),
    "boolean": lambda a: a.astype(bool),
}


def answers(w, x, y, s):
    at = ggn.linearize(NET, w, x, y, sample_weight=s)
    fit = ggn.train(NET, x, y, w0=w, sample_weight=s, max_iter=5)
    return [
        NET.forward(w, x), NET.jacobian(w, x), NET.kernel_matrix(w, x), *NET.unpack(w),
        at.loss, at.gradient, at.normal_matrix(), at.kernel_matrix(), fit.w, fit.fun,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", GIVE)
def test_any_array_gives_the_same_numbers(kind):
    """Zeros and ones are exact in every dtype, so the bits must be the same; nothing is changed."""
    rng = np.random.default_rng(5)
    clean = [rng.integers(0, 2, n).astype(float) for n in (13, (5, 2), (5, 1), 5)]
    clean[3][0] = 1.0
    expected = answers(*[a.copy() for a in clean])
    arguments = [GIVE[kind](a) for a in clean]
    for ours, theirs in zip(answers(*arguments), expected, strict=True):
        assert np.array_equal(ours, theirs)
    for argument, before in zip(arguments, clean, strict=True):
        assert np.array_equal(np.asarray(argument, dtype=float), before)


def test_one_column_may_be_flat():
    net = ggn.MLP((1, 2, 1))
    w, x, y = net.initial_weights(0), np.arange(4.0), np.arange(4.0) ** 2
    flat, tall = ggn.linearize(net, w, x, y), ggn.linearize(net, w, x[:, None], y[:, None])
    assert np.array_equal(flat.gradient, tall.gradient)
    assert np.array_equal(net.forward(w, x), net.forward(w, x[:, None]))


def test_what_was_given_may_change_afterwards():
    """A linearization belongs to the weights and data it was made with."""
    w, x, y = W.copy(), X.copy(), Y.copy()
    expected = ggn.linearize(NET, W, X, Y)
    at = ggn.linearize(NET, w, x, y)
    loss = at.loss
    for array in (w, x, y):
        array += 1.0
    assert loss == expected.loss
    assert np.array_equal(at.gradient, expected.gradient)
    assert np.array_equal(at.normal_matrix(), expected.normal_matrix())
