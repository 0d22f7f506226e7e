"""Principles 3, 4 and 5 where they hold and where they fail, by design and at a point."""

import itertools

import numpy as np
import pytest

import ggn
from ggn.surface import Outcome, check_principles

HOLDS, FAILS = Outcome.HOLDS, Outcome.FAILS
NUMERICALLY, UNKNOWN = Outcome.NUMERICALLY_FAILS, Outcome.UNKNOWN
X, Y = ggn.problems.xor()


def found(principle, *args):
    """Return the finding of one principle."""
    (one,) = [f for f in check_principles(*args) if f.principle == principle]
    return one


# ------------------------------------------------------------------ Principle 3
def test_principle_3_is_the_rank_of_every_weight_matrix(rng):
    """Of the rank-one W_l, whichever it is; the dummy unit's row does not make up for it."""
    net, data = ggn.MLP((3, 4, 3, 2)), (rng.normal(size=(5, 3)), rng.normal(size=(5, 2)))
    whole = net.initial_weights(rng)
    one = found("3", net, whole, *data)
    assert (one.design, one.verdict) == (FAILS, HOLDS)
    assert one.numbers == {"rank_w_1": 3, "rank_w_2": 3, "rank_w_3": 2}
    for layer, W in enumerate(net.unpack(whole), start=1):
        w = whole.copy()
        net.unpack(w)[layer - 1][:-1] = np.outer(W[:-1, 0], W[0])
        one = found("3", net, w, *data)
        assert one.verdict is FAILS
        assert one.numbers[f"rank_w_{layer}"] == 1
        assert f"W_{layer} (" in one.text
    one = found("3", net, 0.0 * whole, *data)
    assert (one.verdict, one.numbers["rank_w_1"]) == (FAILS, 0)


def test_principle_3_is_left_to_rounding_next_to_the_cut():
    """Singular values 1, 1e-15 and 1e-17: which count as 0 is a matter of rounding."""
    net = ggn.MLP((3, 3), bias=False)
    W = np.diag([1.0, 1e-15, 1e-17])
    assert found("3", net, net.pack([W]), np.eye(3), np.eye(3)).verdict is NUMERICALLY
    W = np.diag([1.0, 1e-3, 1e-17])
    assert found("3", net, net.pack([W]), np.eye(3), np.eye(3)).verdict is FAILS


# ------------------------------------------------------------------ Principle 4
def test_principle_4_names_unit_and_sample():
    net = ggn.MLP((1, 2, 1), "sigmoid")
    w = net.pack([[[1.0, 1.0], [0.0, 38.0]], [[1.0], [1.0], [0.0]]])
    one = found("4", net, w, [[-30.0], [0.0], [1.0]], [0.0, 1.0, 2.0])
    assert (one.design, one.verdict) == (NUMERICALLY, NUMERICALLY)
    assert one.numbers == {"vanished": 2, "zero": 0}
    assert "below eps of its maximum at unit 1 of layer 1 on sample 1" in one.text
    gone = found("4", net, w, [[-800.0], [0.0], [1.0]], [0.0, 1.0, 2.0])
    assert "underflows at unit 0 of layer 1 on sample 0" in gone.text
    mild = found("4", net, w, [[-30.0], [-36.0]], [0.0, 1.0])
    assert mild.verdict is HOLDS
    flat = found("Flat units", net, w, [[-30.0], [-36.0]], [0.0, 1.0])
    assert flat.verdict is NUMERICALLY
    assert flat.numbers == {"flat": 2, "units": 1}


# where σ' underflows: exp(-z) = 2^-1075, the middle between 0 and the least float64; half for tanh
UNDERFLOW = 1075 * np.log(2.0)


@pytest.mark.parametrize(
    ("name", "design", "where"),
    [
        ("identity", HOLDS, None), ("bent_identity", HOLDS, None), ("softsign", HOLDS, None),
        ("leaky_relu", HOLDS, None), ("sigmoid", NUMERICALLY, UNDERFLOW),
        ("softplus", NUMERICALLY, UNDERFLOW), ("exponential", NUMERICALLY, UNDERFLOW),
        ("tanh", NUMERICALLY, UNDERFLOW / 2.0), ("relu", FAILS, 0.0),
    ],
)  # fmt: skip
def test_principle_4_by_design_is_what_the_activation_says(name, design, where):
    net = ggn.MLP((2, 3, 1), name)
    one = found("4", net, 0.1 * net.initial_weights(rng=0), X, Y)
    assert one.design is design
    if where is not None:
        said = float(one.design_text.rstrip(".").removesuffix(" on").split(" = ")[1])
        assert said == pytest.approx(where, abs=3.0)


def own(value, derivative):
    return ggn.Activation("own", value, derivative)


def test_principle_4_finds_zeros_of_the_slope_of_ones_own():
    """z² at 0, sin at π/2, a clipped line at its edge; tanh shows none, which proves nothing."""
    cases = [
        (own(np.square, lambda z: 2.0 * z), 0.0),
        (own(np.sin, np.cos), -np.pi / 2.0),
        (own(lambda z: np.clip(z, -3.0, 3.0), lambda z: 1.0 * (np.abs(z) < 3.0)), -3.0),
        (own(lambda z: z - np.tanh(z), lambda z: np.tanh(z) ** 2), 0.0),
    ]
    net_inputs = [[0.5], [0.25]]
    for sigma, zero in cases:
        net = ggn.MLP((1, 1), output_activation=sigma)
        one = found("4", net, [1.0, 0.0], net_inputs, [0.0, 1.0])
        assert (one.design, one.verdict) == (FAILS, HOLDS)
        assert abs(float(one.design_text.rstrip(".").split(" = ")[1])) == pytest.approx(
            abs(zero), abs=1e-4
        )
    flat = own(np.tanh, lambda z: 1.0 - np.tanh(z) ** 2)  # 0 from z = 19 on, by cancellation
    net = ggn.MLP((1, 1), output_activation=flat)
    one = found("4", net, [1.0, 0.0], net_inputs, [0.0, 1.0])
    assert (one.design, one.verdict) == (UNKNOWN, HOLDS)
    assert "monotone" in one.advice
    assert found("4", net, [80.0, 0.0], net_inputs, [0.0, 1.0]).verdict is NUMERICALLY
    flat.monotone = True
    assert found("4", net, [1.0, 0.0], net_inputs, [0.0, 1.0]).design is NUMERICALLY


def test_principle_4_at_a_point():
    """Fails at a zero of σ' that is no underflow, decided by rounding next to one."""
    square, bell = (
        own(np.square, lambda z: 2.0 * z),
        own(lambda z: np.exp(-z * z), lambda z: -2.0 * z * np.exp(-z * z)),
    )
    for sigma, z, verdict in [
        ("relu", -1.0, FAILS), ("relu", 1.0, HOLDS), ("leaky_relu", -1.0, HOLDS),
        (square, 0.0, FAILS), (square, 1e-17, NUMERICALLY), (square, 0.1, HOLDS),
        (bell, 0.0, FAILS), (bell, 40.0, NUMERICALLY), (bell, 1.0, HOLDS),
        ("tanh", 400.0, NUMERICALLY), ("bent_identity", 1e3, HOLDS),
    ]:  # fmt: skip
        net = ggn.MLP((1, 1), output_activation=sigma, bias=False)
        assert found("4", net, [1.0], [[z]], [0.0]).verdict is verdict
        deep = ggn.MLP((1, 1, 1), "identity", sigma, bias=False)
        assert found("4", deep, [2.0, 0.5], [[z]], [0.0]).verdict is verdict


# ------------------------------------------------------------------ Principle 5
@pytest.mark.parametrize(
    ("sizes", "printed", "corrected"),
    [
        ((2, 9, 1), HOLDS, HOLDS),  # nothing is asked of one hidden layer
        ((2, 1, 2, 1), HOLDS, FAILS),  # Remark 4 fails here
        ((2, 8, 4, 1), FAILS, HOLDS),  # Remark 5 of the CVPR form: a pyramid
        ((9, 2, 3, 3, 2), HOLDS, FAILS),  # a hill with a flat top
        ((3, 3, 1, 3), HOLDS, HOLDS),  # a valley loses no rank but the narrowest layer's
        ((1, 2, 1, 1, 1), FAILS, HOLDS), ((2, 2, 3, 1, 1), FAILS, FAILS),
    ],
)  # fmt: skip
def test_principle_5_is_eq_25_as_printed_and_corrected(sizes, printed, corrected, rng):
    net = ggn.MLP(sizes)
    data = rng.normal(size=(3, sizes[0])), rng.normal(size=(3, sizes[-1]))
    for principle, verdict in (("5", printed), ("5, corrected", corrected)):
        one = found(principle, net, net.initial_weights(rng), *data)
        assert (one.design, one.verdict) == (verdict, verdict)
    assert ("valley" in one.text) == (sizes == (3, 3, 1, 3))


def test_remark_4_is_false_as_printed():
    """F(2,1,2,1) meets Principles 3, 4 and 5 as printed, and Ψ_1 = σ' (1, 1) (1, -1)ᵀ = 0."""
    net = ggn.MLP((2, 1, 2, 1), "bent_identity", bias=False)
    w = net.pack([[[1.0], [1.0]], [[1.0, 1.0]], [[1.0], [-1.0]]])
    said = {f.principle: f for f in check_principles(net, w, X, Y)}
    for principle in ("3", "4", "5"):
        assert said[principle].verdict is HOLDS
    assert said["5, corrected"].verdict is FAILS
    assert said["Sensitivities"].numbers["rank_psi_1"] == 0


def full_rank_at_random(m, n, rng):
    """A 0-1 matrix of full rank: so sparse that products of them lose rank where they can."""
    W, k = np.zeros((m, n)), min(m, n)
    W[rng.permutation(m)[:k], rng.permutation(n)[:k]] = 1.0
    return W


def test_eq_25_corrected_is_what_keeps_the_rank():
    """Over all widths to 3: W_l of full rank take Ψ_1 below the least width just over a hill."""
    rng = np.random.default_rng(25)
    for depth in (2, 3, 4):
        for widths in itertools.product((1, 2, 3), repeat=depth):
            least = [min(widths[i:]) for i in range(depth)]
            lost = False
            for _ in range(200):
                product = np.eye(widths[-1])
                for i in range(depth - 2, -1, -1):
                    product = full_rank_at_random(widths[i], widths[i + 1], rng) @ product
                    lost |= np.linalg.matrix_rank(product) < least[i]
            net = ggn.MLP((1, *widths))
            one = found(
                "5, corrected", net, np.zeros(net.n_weights), [[1.0]], np.ones((1, widths[-1]))
            )
            assert (one.verdict is FAILS) == lost
