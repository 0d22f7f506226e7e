"""The network: layout of the weights, sizes, flags, names, and being an ordinary Python value."""

import copy
import pickle

import numpy as np
import pytest
import reference
from hypothesis import given
from strategies import assert_close, case, cases

import ggn
from ggn import MLP, activations


def sine(z):
    return np.sin(z)


def cosine(z):
    return np.cos(z)


# ------------------------------------------------------------- weights


@given(cases())
def test_pack_is_the_inverse_of_unpack(c):
    Ws = c.net.unpack(c.w)
    assert [W.shape for W in Ws] == [c.spec.shape(layer + 1) for layer in range(c.spec.L)]
    assert np.array_equal(c.net.pack(Ws), c.w)
    for ours, theirs in zip(Ws, reference.unpack(c.spec, c.w), strict=True):
        assert np.array_equal(ours, theirs)


@given(cases())
def test_number_of_weights_is_eq_20(c):
    """N = sum of (n_{l-1} + dummy) n_l."""
    pairs = zip(c.spec.sizes, c.spec.sizes[1:], c.spec.bias, strict=False)
    assert c.net.n_weights == sum((m + b) * n for m, n, b in pairs)
    assert len(c.net.initial_weights(0)) == c.net.n_weights


def test_layout_by_hand():
    """Layer 1 first, inside a layer unit by unit, a unit's bias last."""
    net = MLP((2, 3, 1), bias=(True, False))
    W1, W2 = net.unpack(np.arange(12.0))
    assert W1.tolist() == [[0.0, 3.0, 6.0], [1.0, 4.0, 7.0], [2.0, 5.0, 8.0]]
    assert W2.tolist() == [[9.0], [10.0], [11.0]]


def test_unpack_gives_views():
    net = MLP((2, 3, 1))
    w = np.zeros(net.n_weights)
    for k, W in enumerate(net.unpack(w)):
        assert W.T.flags.c_contiguous
        assert np.shares_memory(W, w)
        W[...] = k + 1.0
    assert w.tolist() == [1.0] * 9 + [2.0] * 4


@pytest.mark.parametrize(
    ("Ws", "message"),
    [
        ([np.zeros((3, 3))], r"^Ws must hold 2 matrices, got 1"),
        ([np.zeros((3, 3)), np.zeros((4, 2))], r"^Ws\[1\] must have shape \(4, 1\), got \(4, 2\)"),
        ([np.zeros((3, 3)), np.zeros(4)], r"^Ws\[1\] must have shape \(4, 1\), got \(4,\)"),
        ([np.full((3, 3), np.nan), np.zeros((4, 1))], r"^Ws\[0\] must be finite, got nan"),
        ([np.full((3, 3), 1j), np.zeros((4, 1))], r"^Ws\[0\] must hold real numbers"),
        ([np.full((3, 3), "1"), np.zeros((4, 1))], r"^Ws\[0\] must hold real numbers"),
        ([[[1.0], [2.0, 3.0]], np.zeros((4, 1))], r"^Ws\[0\] must"),
        (7, r"^Ws must"),
    ],
)
def test_pack_refuses(Ws, message):
    with pytest.raises(ValueError, match=message):
        MLP((2, 3, 1)).pack(Ws)


# ------------------------------------------------------------- drawing weights


@pytest.mark.parametrize("scheme", ["normal", "uniform", "fan_in"])
def test_schemes_are_reproducible(scheme):
    net = MLP((4, 30, 2))
    a = net.initial_weights(rng=3, scheme=scheme)
    assert np.array_equal(a, net.initial_weights(3, scheme))
    assert np.array_equal(a, net.initial_weights(np.random.default_rng(3), scheme))
    assert not np.array_equal(a, net.initial_weights(4, scheme))
    assert not np.array_equal(net.initial_weights(None, scheme), net.initial_weights(None, scheme))
    stream = np.random.default_rng(3)
    assert np.array_equal(a, net.initial_weights(stream, scheme))
    assert not np.array_equal(a, net.initial_weights(stream, scheme))


def test_schemes_have_the_right_spread():
    """Standard deviations 1, 1/sqrt(3) and 1/sqrt(fan-in), to 5 standard errors."""
    net = MLP((99, 100, 60), bias=(True, False))
    n1, n2 = 100 * 100, 100 * 60
    for scheme, first, second in (
        ("normal", 1.0, 1.0),
        ("uniform", 1 / np.sqrt(3), 1 / np.sqrt(3)),
        ("fan_in", 0.1, 0.1),
    ):
        w = net.initial_weights(1, scheme)
        for part, sd, n in ((w[:n1], first, n1), (w[n1:], second, n2)):
            assert abs(part.mean()) < 5 * sd / np.sqrt(n)
            assert abs(part.std() / sd - 1) < 5 / np.sqrt(2 * n)
    assert np.abs(net.initial_weights(1, "uniform")).max() <= 1.0


@pytest.mark.parametrize(("wrong", "hint"), [("norm", "normal"), ("fan in", "fan_in")])
def test_unknown_scheme(wrong, hint):
    with pytest.raises(ValueError, match=rf"^scheme must be one of .*did you mean '{hint}'"):
        MLP((1, 1)).initial_weights(0, wrong)


# ------------------------------------------------------------- activations, flags, fixed bias


def test_activation_for_each_layer():
    net = MLP((1, 2, 3, 1), activation=["tanh", activations.Softplus()], output_activation="relu")
    assert net.activations == (activations.Tanh(), activations.Softplus(), activations.ReLU())
    net = MLP((1, 2, 3, 1), activation="sigmoid")
    assert [a.name for a in net.activations] == ["sigmoid", "sigmoid", "identity"]


def test_bias_flags_and_fixed_bias_by_hand():
    """phi = W2^T (W1^T x - b) - b, eq. 2, the dummy unit of layer 2 with weight 5."""
    net = MLP((1, 1, 1), "identity", bias=[False, True], fixed_bias=0.5)
    assert net.bias == (False, True)
    assert net.n_weights == 3
    assert net.forward([2.0, 3.0, 5.0], [[1.0]]).item() == 3.0 * (2.0 - 0.5) + 5.0 - 0.5


@given(cases())
def test_fixed_bias_is_a_bias_weight_that_is_not_trained(drawn):
    """A network with fixed b equals one with dummy units whose weights are lowered by b."""
    c = case(drawn.spec.sizes, drawn.names, True, drawn.spec.fixed_bias, drawn.seed)
    free = MLP(c.spec.sizes, list(c.names[:-1]), c.names[-1])
    Ws = [W.copy() for W in c.net.unpack(c.w)]
    for W in Ws:
        W[-1] -= c.spec.fixed_bias
    X, _ = c.data(5)
    assert_close(c.net.forward(c.w, X), free.forward(free.pack(Ws), X))


@pytest.mark.parametrize("bias", [(), (True,), (True,) * 3, "no", None, 1, (True, 2), (True, None)])
def test_wrong_flags(bias):
    with pytest.raises(ValueError, match=r"^bias must be True, False or .*2 flags, got "):
        MLP((1, 2, 1), bias=bias)


@pytest.mark.parametrize("value", [np.nan, np.inf, "b", None, 1j])
def test_wrong_fixed_bias(value):
    with pytest.raises(ValueError, match=r"^fixed_bias must be a number.*, got "):
        MLP((1, 1), fixed_bias=value)


# ------------------------------------------------------------- sizes


@pytest.mark.parametrize("sizes", [(), (3,), [7]])
def test_too_few_sizes(sizes):
    with pytest.raises(ValueError, match=r"^sizes must name at least inputs and outputs"):
        MLP(sizes)


@pytest.mark.parametrize("sizes", [5, None, 2.5])
def test_sizes_not_a_sequence(sizes):
    with pytest.raises(ValueError, match=r"^sizes must be a sequence .*, got "):
        MLP(sizes)


@pytest.mark.parametrize("bad", [0, -1, 2.0, "3", True, None, np.float64(2)])
@pytest.mark.parametrize("position", range(3))
def test_bad_width(bad, position):
    sizes = [2, 3, 1]
    sizes[position] = bad
    with pytest.raises(ValueError, match=rf"^sizes\[{position}\] must be an integer of at least 1"):
        MLP(sizes)


def test_sizes_of_any_integer_kind():
    net = MLP(np.array([2, 3, 1], dtype=np.int32))
    assert net.sizes == (2, 3, 1)
    assert all(type(n) is int for n in net.sizes)
    assert (net.n_inputs, net.n_outputs, net.depth) == (2, 1, 2)
    assert MLP(iter([2, 3, 1])) == net


@pytest.mark.parametrize(
    "activation", ["tahn", ["tanh"], ["tanh"] * 3, None, 5, ["tanh", None], ["tanh", "tahn"]]
)
def test_wrong_activation(activation):
    with pytest.raises(ValueError, match=r"^activation must be .*, got "):
        MLP((1, 2, 2, 1), activation=activation)


def test_wrong_activation_is_seen_without_hidden_layers():
    with pytest.raises(ValueError, match=r"^activation must be one of"):
        MLP((2, 1), activation="tahn")


@pytest.mark.parametrize("activation", ["idntity", None, ["identity"]])
def test_wrong_output_activation(activation):
    with pytest.raises(ValueError, match=r"^output_activation must be .*, got "):
        MLP((1, 2, 1), output_activation=activation)


# ------------------------------------------------------------- an ordinary value


@pytest.mark.parametrize(
    "text",
    [
        "MLP((2, 1))",
        "MLP((2, 3, 1), activation='tanh')",
        "MLP((2, 3, 4, 1), activation=['tanh', 'relu'])",
        "MLP((2, 3, 1), activation=LeakyReLU(slope=0.5), output_activation='sigmoid')",
        "MLP((2, 3, 1), activation='bent_identity', bias=False)",
        "MLP((2, 3, 1), activation='softsign', bias=[True, False], fixed_bias=0.25)",
    ],
)
def test_repr_says_how_to_make_it(text):
    net = eval(text, {"MLP": MLP, "LeakyReLU": activations.LeakyReLU})
    assert repr(net) == text


def test_equality_and_hash():
    make = lambda **changed: MLP(**({"sizes": (2, 3, 1), "activation": "tanh"} | changed))  # noqa: E731
    assert make() == make()
    assert hash(make()) == hash(make())
    assert len({make(), make(), make(bias=False)}) == 2
    for changed in (
        {"sizes": (2, 4, 1)},
        {"activation": "sigmoid"},
        {"output_activation": "tanh"},
        {"bias": (True, False)},
        {"fixed_bias": 0.5},
    ):
        assert make(**changed) != make()
    assert make() != "MLP"
    assert make(bias=(True, True)) == make(bias=True)


@pytest.mark.parametrize(
    "net",
    [
        MLP((2, 3, 1), bias=(True, False), fixed_bias=-0.5),
        MLP((2, 3, 1), activation=activations.LeakyReLU(0.3)),
        MLP((2, 3, 1), activation=ggn.Activation("sine", sine, cosine)),
    ],
    ids=["built-in", "with a parameter", "user's"],
)
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_compute_the_same(net, copied):
    twin = copied(net)
    w, X = net.initial_weights(0), np.linspace(-1, 1, 10).reshape(5, 2)
    assert np.array_equal(twin.forward(w, X), net.forward(w, X))
    assert np.array_equal(twin.jacobian(w, X), net.jacobian(w, X))
    assert twin.activations[-1] == net.activations[-1]
    if all(a.code >= 0 for a in net.activations):
        assert twin == net
        assert hash(twin) == hash(net)
