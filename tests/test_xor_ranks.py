"""XOR, eq. 33-36: P_xor entry by entry, and the lower bounds two and three of Proposition 6."""

import numpy as np
import pytest
import reference
from rank_cases import KINDS, bounds, degenerate, rank
from strategies import case

import ggn
from ggn import surface


def p_xor(Ws, sigma, slope):
    """P of F(2,n,1) with dummy units on XOR, entry by entry: rows of W_1 unit by unit, then W_2."""
    W1, W2 = Ws
    columns = []
    for x in ([0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]):
        hat = [*x, 1.0]
        z = [sum(h * W1[a][u] for a, h in enumerate(hat)) for u in range(W1.shape[1])]
        column = [W2[u][0] * slope(z[u]) * h for u in range(len(z)) for h in hat]
        columns.append([*column, *(sigma(v) for v in z), 1.0])
    return np.array(columns).T


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


XOR_ACTIVATIONS = {
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1.0 - sigmoid(z))),
    "tanh": (np.tanh, lambda z: 1.0 - np.tanh(z) ** 2),
}


@pytest.mark.parametrize("activation", XOR_ACTIVATIONS)
@pytest.mark.parametrize(("units", "rows"), [(2, 9), (3, 13)])
def test_p_xor(activation, units, rows):
    """Eq. 33-36: P is 9 x 4 and 13 x 4; rank P is at least two and three (Proposition 6)."""
    X, _ = ggn.problems.xor()
    net = ggn.MLP((2, units, 1), activation)
    for seed in range(50):
        w = net.initial_weights(seed)
        P = p_xor(net.unpack(w), *XOR_ACTIVATIONS[activation])
        assert P.shape == (rows, 4)
        np.testing.assert_allclose(net.jacobian(w, X), P, rtol=1e-12, atol=1e-14)
        report = surface.ranks(net, w, X)
        (bound,) = (b for b in report.bounds if b.name == "Proposition 6")
        assert bound.applies
        assert bound.value == units <= report.jacobian.rank == rank(P)
        # by the output layer's rows alone, dummy unit included
        assert report.best().value == units + 1 == report.row_blocks[1].rank


@pytest.mark.parametrize("units", [2, 3])
def test_the_bound_of_xor_with_and_without_its_premise(units):
    """It is n_1 where the hidden outputs are independent, and void at W = 0, where rank P = 1."""
    X, _ = ggn.problems.xor()
    net = ggn.MLP((2, units, 1), "sigmoid")
    found, actual = bounds(net, np.zeros(net.n_weights), X, "P")
    assert actual == 1
    assert found["Proposition 6"].value == units
    assert not found["Proposition 6"].applies
    assert f"rank(Phi_1) >= n_1 = {units}" in found["Proposition 6"].premises[0].text
    assert "rank 1" in found["Proposition 6"].premises[0].evidence
    # W_1 of rank one leaves three hidden values, still enough: the premise is on Φ_1, not on W_1
    W1 = np.ones((3, units)) * np.arange(1.0, units + 1)
    found, actual = bounds(net, net.pack([W1, np.zeros((units + 1, 1))]), X, "P")
    assert found["Proposition 6"].applies
    assert actual == 3


def test_proposition_6_is_reached():
    """Without dummy units and with W_2 = 0 only the hidden outputs are left: rank exactly n_1."""
    X, _ = ggn.problems.xor()
    for units in (2, 3):
        net = ggn.MLP((2, units, 1), "tanh", bias=False)
        W1 = np.random.default_rng(units).normal(size=(2, units))
        found, actual = bounds(net, net.pack([W1, np.zeros((units, 1))]), X, "P")
        assert found["Proposition 6"].applies
        assert found["Proposition 6"].value == actual == units


@pytest.mark.parametrize("outputs", [2, 3, 4])
def test_proposition_6_with_more_outputs_is_reached(outputs):
    """Eq. 31 and 32, n_2 > 1: W_2 = 0 and no dummy unit leave n_2 times the hidden outputs."""
    X, _ = ggn.problems.xor()
    line = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    for inputs, equation in ((X, "32"), (line, "31")):
        net = ggn.MLP((2, 3, outputs), "tanh", bias=(True, False))
        W1 = np.random.default_rng(outputs).normal(size=(3, 3))
        found, actual = bounds(net, net.pack([W1, np.zeros((3, outputs))]), inputs, "P")
        bound = found["Proposition 6"]
        assert bound.applies
        assert bound.value == actual == 3 * outputs
        assert bound.equation == equation


def test_the_second_term_of_proposition_6_never_exceeds_the_first():
    """rank Φ_0 <= T: n_1 (rank Φ_0 + n_2 - T) <= n_1 n_2, reached where rank Φ_0 = T."""
    X, _ = ggn.problems.xor()
    net = ggn.MLP((2, 3, 2), "tanh")
    w = net.initial_weights(0)
    details = [bounds(net, w, X[:T], "P")[0]["Proposition 6"].detail for T in (3, 4)]
    assert [d.split("= ")[1] for d in details] == ["max(6, 6)", "max(6, 3)"]
    for seed in range(200):
        rng = np.random.default_rng([31, seed])
        n0, n1, n2, T = (int(n) for n in rng.integers(1, 5, 4))
        c = case((n0, n1, n2), "sigmoid", bool(seed % 3), seed=seed)
        X = c.data(T)[0][rng.integers(0, T, T)]
        w = c.net.pack(degenerate(KINDS[seed % len(KINDS)], c.net.unpack(c.w), rng))
        report = surface.ranks(c.net, w, X)
        (bound,) = (b for b in report.bounds if b.name == "Proposition 6")
        assert bound.value == n1 * n2


def test_proposition_6_on_a_thousand_points():
    """F(n_0,n_1,n_2) at random and at degenerate weights, ranks by the oracle."""
    applies = 0
    for seed in range(1800):
        rng = np.random.default_rng([6, seed])
        n0, n1, n2 = rng.integers(1, 5, 3)
        names = ("sigmoid", "tanh", "softplus", "bent_identity")[seed % 4], "identity"
        c = case((int(n0), int(n1), int(n2)), names, bool(seed % 3), seed=seed)
        w = c.net.pack(degenerate(KINDS[seed % 5], c.net.unpack(c.w), rng))
        T = max(int(rng.integers(1, 7)), int(n1))
        X, _ = c.data(T)
        report = surface.ranks(c.net, w, X)
        (bound,) = (b for b in report.bounds if b.name == "Proposition 6")
        if bound.applies:
            applies += 1
            P = reference.jacobian(c.spec, w, X)
            assert rank(P, report.jacobian.tolerance) >= bound.value == n1 * n2
    assert applies >= 1000


def test_proposition_6_as_printed_is_wrong():
    """Weights of full rank do not give rank Φ_1 >= n_1: F(1,4,1), T = 4, rank 3 < 4.

    By hand: three units σ(x), one constant, which alone reaches the output.  The rows of P are
    multiples of σ(x), x and 1.
    """
    net, X = ggn.MLP((1, 4, 1), "sigmoid"), np.array([[-1.0], [0.0], [1.0], [2.0]])
    W1 = np.array([[1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    w = net.pack([W1, [[0.0], [0.0], [0.0], [1.0], [0.0]]])
    P = reference.jacobian(reference.named_spec((1, 4, 1), ("sigmoid", "identity")), w, X)
    assert rank(P) == 3
    report = surface.ranks(net, w, X)
    assert [W.rank for W in report.weights] == [1, 1]
    assert np.linalg.matrix_rank(W1) == 2
    printed = surface.printed_bounds(report, X)[-1]
    assert (printed.name, printed.equation) == ("Prop. 6, as printed", "32")
    assert printed.applies
    assert printed.value == 4
    (right,) = (b for b in report.bounds if b.name == "Proposition 6")
    assert not right.applies
    assert "rank(Phi_1) >= n_1 = 4" in str(right)
    # samples given twice, or too many units: the printed premises fail
    twice = X[[0, 0, 1, 2]]
    (again,) = surface.printed_bounds(surface.ranks(net, w, twice), twice)[-1:]
    assert "the samples are unique: fails (3 of 4)" in str(again)


def test_printed_bounds_are_of_the_reports_inputs():
    net = ggn.MLP((1, 2, 1))
    report = surface.ranks(net, net.initial_weights(0), [[1.0], [2.0]])
    with pytest.raises(ValueError, match="X must hold the report's 2 samples, got 1"):
        surface.printed_bounds(report, [[1.0]])


def test_other_architectures_have_no_proposition_6():
    for sizes in ((2, 1), (2, 3, 3, 1)):
        net = ggn.MLP(sizes)
        report = surface.ranks(net, net.initial_weights(0), [[1.0, 2.0]])
        assert "Proposition 6" not in {bound.name for bound in report.bounds}
