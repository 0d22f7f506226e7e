"""Bounds on ranks: never wrong on hundreds of points, and where each is sharp, loose or void."""

import numpy as np
import pytest
import reference
from bound_experiment import experiment
from rank_cases import bounds
from strategies import case

import ggn
from ggn import surface

COUNT = 500  # `python tests/bound_experiment.py 10000` has been run too


def test_no_bound_is_ever_wrong():
    """Nor is Sylvester's on all layers ever weaker than Proposition 3."""
    assert experiment(COUNT)[0].wrong == []


@pytest.mark.parametrize(
    ("name", "applies", "void"),
    [
        ("Proposition 2", 1000, False),
        ("Proposition 2, case 1", 300, True),
        ("Proposition 2, case 2", 300, True),
        ("Proposition 2, case 3", 300, True),
        ("selection from Tracy-Singh", 1000, False),
        ("Corollary 1", 1000, False),
        ("Sylvester on sensitivities", 300, True),
        ("the factors", 1000, False),
        ("Proposition 3", 300, False),
        ("Sylvester on all layers", 300, False),
        ("Proposition 6", 50, True),  # and a thousand in test_xor_ranks
        ("eq. 45 on all of P", 300, False),
    ],
)
def test_how_often_a_bound_applies(name, applies, void):
    """On at least so many points; sharp on some, loose on some; and its premises are needed."""
    counts = experiment(COUNT)[0].counts
    assert counts[name, "applies"] >= applies
    assert counts[name, "sharp"] > 10
    if name.endswith(("case 1", "case 2")):  # equalities, but for values next to the cut
        assert counts[name, "loose"] < 0.02 * counts[name, "applies"]
    else:
        assert counts[name, "loose"] > 10
    assert (counts[name, "void, would be wrong"] > 0) == void


@pytest.mark.parametrize("name", ["eq. 23 (arXiv)", "Remark 4"])
def test_what_is_printed_is_wrong(name):
    """Where all premises that are printed hold; Prop. 6 in test_xor_ranks."""
    counts = experiment(COUNT)[1].counts
    assert counts[name, "applies"] > 100
    assert counts[name, "wrong"] > 3


# ------------------------------------------------------------------- examples, one by one
@pytest.fixture
def xor():
    return ggn.problems.xor()[0]


def test_proposition_2_is_tight_with_both_ranks_deficient():
    """Two equal samples and a third with one unit dead: 2·2 + (2 + 2 + 1) - 3·2 = 3.

    By hand: Ψ^(i) = diag(σ'), φ^(1) = φ^(2) and φ^(3) are independent, so the rank is that of
    Ψ^(1) plus that of Ψ^(3).
    """
    net = ggn.MLP((2, 2, 2), "relu", bias=False)
    w = net.pack([np.eye(2), np.eye(2)])
    found, actual = bounds(net, w, [[1.0, 1.0], [1.0, 1.0], [1.0, -1.0]], "P_1")
    assert found["Proposition 2"].value == actual == 3
    assert "rank(Phi_0) = 2, sum of rank(Psi_1) = 5, T n_1 = 6" in str(found["Proposition 2"])
    assert not found["Proposition 2, case 1"].applies
    assert not found["Proposition 2, case 2"].applies


def test_proposition_2_is_loose_on_xor(xor):
    """Hidden layer of F(2,3,1): 3·3 + 4 - 4·3 = 1, but the rank is 4."""
    net = ggn.MLP((2, 3, 1), "sigmoid")
    found, actual = bounds(net, net.initial_weights(0), xor, "P_1")
    assert (found["Proposition 2"].value, actual) == (1, 4)


def test_eq_23_printed_with_the_number_of_outputs_is_wrong(xor):
    """- T·nL instead of - T·n_l: 3·3 + 4 - 4·1 = 9 rows of rank 4."""
    net = ggn.MLP((2, 3, 1), "sigmoid")
    report = surface.ranks(net, net.initial_weights(0), xor)
    printed = 3 * report.features[0].rank + report.sensitivities[0].sum - 4 * net.n_outputs
    right = 3 * report.features[0].rank + report.sensitivities[0].sum - 4 * 3
    assert printed == 9 > report.row_blocks[0].rank == 4 >= right == 1


def test_case_1_is_an_equality_and_needs_full_row_rank(xor):
    """n_l rank(Φ) if all Ψ have n_l independent rows, as in any output layer; 6 > 4 if not."""
    net = ggn.MLP((2, 2, 1), "sigmoid")
    w = net.initial_weights(0)
    found, actual = bounds(net, w, xor, "P_2")
    assert found["Proposition 2, case 1"].applies
    assert found["Proposition 2, case 1"].value == actual == 3
    found, actual = bounds(net, w, xor, "P_1")
    assert (found["Proposition 2, case 1"].value, actual) == (6, 4)
    assert not found["Proposition 2, case 1"].applies
    assert "every Psi_1 has full row rank n_1 = 2: fails (smallest rank 1)" in str(
        found["Proposition 2, case 1"]
    )


def test_case_2_gives_full_column_rank_to_a_wide_pyramid():
    """n_1 + 1 = T, then narrower with W of full rank: rank P_2 = T·nL, at every such point."""
    c = case((2, 5, 4, 3), "tanh", seed=0)
    X, _ = c.data(6)
    report = surface.ranks(c.net, c.w, X)
    bound = {b.name: b for b in report.bounds if b.of == "P_2"}["Proposition 2, case 2"]
    assert bound.applies
    assert bound.value == report.row_blocks[1].rank == 6 * 3
    assert report.jacobian.full_column
    # one sample more: the premise fails
    X, _ = c.data(7)
    report = surface.ranks(c.net, c.w, X)
    bound = {b.name: b for b in report.bounds if b.of == "P_2"}["Proposition 2, case 2"]
    assert not bound.applies
    assert str(bound.premises[0]) == "rank(Phi_1) = T = 7: fails (rank 6 of 6 x 7)"


def test_case_2_is_wrong_without_its_premise(xor):
    """At W_1 = 0 the Ψ of the output sum to 4, but its inputs are equal: rank 1."""
    net = ggn.MLP((2, 2, 1), "sigmoid")
    found, actual = bounds(net, np.zeros(9), xor, "P_2")
    assert (found["Proposition 2, case 2"].value, actual) == (4, 1)
    assert not found["Proposition 2, case 2"].applies


def test_case_3_is_reached_and_needs_one_sample_that_counts():
    """F(1,2,1), linear: P_1 = [W_2, 2 W_2] of rank nL = 1, T = 2 > n_0, n_1 > nL; 0 at W_2 = 0."""
    net = ggn.MLP((1, 2, 1), "identity", bias=False)
    found, actual = bounds(net, net.pack([[[1.0, 3.0]], [[1.0], [2.0]]]), [[1.0], [2.0]], "P_1")
    assert found["Proposition 2, case 3"].applies
    assert found["Proposition 2, case 3"].value == actual == 1
    # in general: 2·1 + 2 - 2·2 = 0, which says nothing
    assert found["Proposition 2"].value == 0
    found, actual = bounds(net, net.pack([[[1.0, 3.0]], [[0.0], [0.0]]]), [[1.0], [2.0]], "P_1")
    assert actual == 0
    assert not found["Proposition 2, case 3"].applies
    assert "phi_0 is not 0: fails (largest rank of a sample 0)" in str(
        found["Proposition 2, case 3"]
    )


def test_case_3_takes_rank_and_feature_from_one_sample():
    """The sample with a Ψ has no φ, the one with a φ no Ψ: P_1 = 0, whatever their ranks."""
    net = ggn.MLP((1, 1, 1), "relu", bias=(False, True))
    w = net.pack([[[1.0]], [[1.0], [0.0]]])
    found, actual = bounds(net, w, [[-1.0], [0.0]], "P_1")
    assert actual == 0
    assert not found["Proposition 2, case 3"].applies
    found, actual = bounds(net, w, [[-1.0], [1.0]], "P_1")
    assert found["Proposition 2, case 3"].applies
    assert found["Proposition 2, case 3"].value == actual == 1


def test_case_3_is_loose_on_xor(xor):
    net = ggn.MLP((2, 3, 1), "sigmoid")
    found, actual = bounds(net, net.initial_weights(0), xor, "P_1")
    assert found["Proposition 2, case 3"].applies
    assert (found["Proposition 2, case 3"].value, actual) == (1, 4)


def test_eq_52_and_corollary_1_are_reached_at_once():
    """One live unit a sample: rank [Ψ] = rank Φ = 2, so 4 - 2 <= rank P_1 <= 4, and it is 2.

    By hand: Ψ^(1) = e_1, Ψ^(2) = e_2, so P_1 = [e_1 ⊗ φ^(1), e_2 ⊗ φ^(2)].
    """
    net = ggn.MLP((2, 2, 1), "relu", bias=False)
    w = net.pack([np.eye(2), [[1.0], [1.0]]])
    found, actual = bounds(net, w, [[1.0, -1.0], [-1.0, 2.0]], "P_1")
    assert found["selection from Tracy-Singh"].value == actual == 2
    assert found["Corollary 1"].value == 4
    # one sample: nothing is left out, and both are the rank
    net = ggn.MLP((2, 3, 2), "tanh")
    found, actual = bounds(net, net.initial_weights(0), [[1.0, -1.0]], "P_1")
    assert found["selection from Tracy-Singh"].value == found["Corollary 1"].value == actual == 2


def test_eq_52_is_void_and_corollary_1_loose_on_xor(xor):
    """rank [Ψ_1] rank Φ_0 = 3·3, of which 12 columns are left out: 0 <= 4 <= 9."""
    net = ggn.MLP((2, 3, 1), "sigmoid")
    found, actual = bounds(net, net.initial_weights(0), xor, "P_1")
    assert found["selection from Tracy-Singh"].value == 0
    assert (found["Corollary 1"].value, actual) == (9, 4)


def sensitivity(net, w, X, layer=1):
    report = surface.ranks(net, w, X)
    (bound,) = (b for b in report.bounds if b.of == f"Psi_{layer}")
    return bound, report.sensitivities[layer - 1].min


@pytest.mark.parametrize(
    ("W3", "actual"), [(np.diag([0.0, 1.0]), 0), (np.diag([1.0, 0.0]), 1), (np.eye(2), 1)]
)
def test_sylvester_on_sensitivities_tight_and_loose(W3, actual):
    """rank W_2 + rank W_3 - 2 for Ψ_1 = Σ'_1 W_2 Σ'_2 W_3 Σ'_3 with W_2 = diag(1, 0)."""
    net = ggn.MLP((1, 2, 2, 2), "tanh", bias=False)
    bound, least = sensitivity(net, net.pack([[[0.3, -0.5]], np.diag([1.0, 0.0]), W3]), [[1.0]])
    assert bound.applies
    assert bound.value == 1 + round(np.trace(W3)) - 2
    assert least == actual


def test_sylvester_on_sensitivities_needs_derivatives_that_are_not_zero():
    """A dead unit, and one whose sigmoid is flat to the last bit."""
    w = [[[1.0, -1.0]], np.eye(2)]
    net = ggn.MLP((1, 2, 2), "relu", bias=False)
    bound, least = sensitivity(net, net.pack(w), [[2.0], [3.0]])
    assert (bound.value, least) == (2, 1)
    assert not bound.applies
    assert "no derivative of the activations is 0 in layers 1 to 2: fails" in str(bound)
    net = ggn.MLP((1, 2, 2), "sigmoid", bias=False)
    bound, least = sensitivity(net, net.pack([[[800.0, 1.0]], np.eye(2)]), [[1.0]])
    assert (bound.value, least) == (2, 1)
    assert "smallest 0.0e+00 in layer 1 on sample 0" in str(bound)


def test_sylvester_on_sensitivities_is_about_exact_ranks():
    """σ' = 4e-18 is not 0, so the rank is 2; the numerical one is 1, and the bound says why."""
    net = ggn.MLP((1, 2, 2), "sigmoid", bias=False)
    bound, least = sensitivity(net, net.pack([[[40.0, 0.0]], np.eye(2)]), [[1.0]])
    assert (bound.value, least) == (2, 1)
    assert [premise.holds for premise in bound.premises] == [True, False]
    assert "stays above the cut: fails (4.2e-18 against 2.2e-16 on sample 0)" in str(bound)


@pytest.mark.parametrize(
    ("Ws", "X", "value", "actual", "which"),
    [
        # independent features, independent sensitivities
        ([np.eye(2), np.eye(2)], np.eye(2), 4, 4, "its size"),
        # one input direction
        ([np.eye(2), np.eye(2)], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], 2, 2, "n_1 rank(Phi_0)"),
        # one output direction on each sample, one at all: rank([Psi]) = 1
        ([np.eye(2), [[1.0, 2.0], [0.0, 0.0]]], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 2, 2,
         "rank([Psi_1]) rank(Phi_0)"),
        # the second sample is 0 and adds nothing: loose
        ([np.eye(2), np.eye(2)], [[1.0, 2.0], [0.0, 0.0]], 2, 2, "n_1 rank(Phi_0)"),
        ([np.eye(2), [[1.0, 2.0], [1.0, 2.0]]], [[1.0, 2.0], [0.0, 0.0]], 1, 1,
         "rank([Psi_1]) rank(Phi_0)"),
    ],
)  # fmt: skip
def test_the_factors_by_each_of_their_parts(Ws, X, value, actual, which):
    net = ggn.MLP((2, 2, 2), "identity", bias=False)
    found, rank_ = bounds(net, net.pack(Ws), X, "P_1")
    assert (found["the factors"].value, rank_) == (value, actual)
    assert found["the factors"].detail == which


def test_the_factors_by_the_samples():
    """T = 2 samples, one output: the sum of rank(Ψ) is 2 whatever the width."""
    net = ggn.MLP((3, 4, 1), "tanh")
    found, rank_ = bounds(net, net.initial_weights(1), [[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]], "P_1")
    assert found["the factors"].value == rank_ == 2


def test_the_factors_are_loose_where_a_sample_is_zero():
    """F(1,2,1) without dummy units: the sample 0 adds a column of zeros that is counted."""
    net = ggn.MLP((1, 2, 1), "tanh", bias=False)
    found, rank_ = bounds(net, [0.4, -0.3, 1.0, 1.5], [[1.0], [0.0]], "P_1")
    assert (found["the factors"].value, rank_) == (2, 1)


def test_sylvester_on_all_layers_certifies_and_fails_to():
    """All Φ of rank T: T·nL, full column rank; on XOR 1, though P has rank 4."""
    c = case((3, 4, 2), "tanh", seed=1)
    X, _ = c.data(4)
    found, actual = bounds(c.net, c.w, X, "P")
    assert found["Sylvester on all layers"].value == actual == 8
    net = ggn.MLP((2, 3, 1), "sigmoid")
    found, actual = bounds(net, net.initial_weights(0), ggn.problems.xor()[0], "P")
    assert (found["Sylvester on all layers"].value, actual) == (1, 4)


def test_proposition_3_is_reached_and_loose(xor):
    """4·4 + 2·4 + 4·2 + 4·2 - 4·4 - 2·4·2 = 8 = T·nL; on XOR 9 + 4 + 4 + 4 - 12 - 8 = 1."""
    c = case((3, 4, 2), "tanh", seed=1)
    X, _ = c.data(4)
    found, actual = bounds(c.net, c.w, X, "P")
    assert found["Proposition 3"].value == actual == 8
    net = ggn.MLP((2, 3, 1), "sigmoid")
    found, actual = bounds(net, net.initial_weights(0), xor, "P")
    assert (found["Proposition 3"].value, actual) == (1, 4)


def test_proposition_3_counts_every_layers_sensitivities():
    """W_2 = 0 takes T·nL = 8 from it, Ψ_1 = 0, and nothing from Sylvester's on all layers."""
    c = case((3, 4, 2), "tanh", seed=1)
    X, _ = c.data(4)
    W1, W2 = c.net.unpack(c.w)
    W2[:-1] = 0.0
    found, actual = bounds(c.net, c.net.pack([W1, W2]), X, "P")
    assert found["Proposition 3"].value == 0
    assert found["Sylvester on all layers"].value == actual == 8


def test_proposition_3_is_eq_24_and_eq_60():
    """Both as printed, from ranks by NumPy, at generic weights."""
    positive = 0
    for seed in range(60):
        rng = np.random.default_rng([24, seed])
        sizes = tuple(int(n) for n in rng.integers(1, 6, rng.integers(2, 5)))
        c = case(sizes, "tanh", seed=seed)
        X, _ = c.data(T := int(rng.integers(1, 5)))
        phi = [np.hstack([f, np.ones((T, 1))]) for f in reference.forward(c.spec, c.w, X)[0][:-1]]
        psi = [np.linalg.matrix_rank(p) for x in X for p in reference.psi(c.spec, c.w, x)]
        n, L, nL = sizes[1:], len(sizes) - 1, sizes[-1]
        ranks = sum(k * np.linalg.matrix_rank(f) for k, f in zip(n, phi, strict=True)) + sum(psi)
        eq_24 = ranks - T * sum(n[:-1]) - L * T * nL
        eq_60 = ranks + T * nL - T * sum(n) - L * T * nL
        found, _ = bounds(c.net, c.w, X, "P")
        assert found["Proposition 3"].value == max(0, eq_24) == max(0, eq_60)
        positive += eq_24 > 0
    assert positive > 15


def test_corollary_1_needs_what_a_sketch_does_not_have():
    """The largest singular values may be too small in a sketch, so it says that it is none."""
    c = case((8, 50, 1), "tanh", seed=4)
    X, _ = c.data(300)
    seen = set()
    for max_memory in (None, 1e6, 8e5, 6e5, 4e5, 3e5):
        report = surface.ranks(c.net, c.w, X, max_memory=max_memory)
        (bound,) = (b for b in report.bounds if b.name == "Corollary 1" and b.of == "P_1")
        assert bound.applies != report.joint[0].estimated
        assert bound.applies != ("a sketch of them is" in str(bound))
        seen.add(bound.applies)
    assert seen == {True, False}
