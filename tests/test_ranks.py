"""Ranks at a point, against dense singular values of matrices from the oracle."""

import tracemalloc

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import case, cases

import ggn
from ggn import surface

EPS = np.finfo(float).eps


def values(A):
    return np.linalg.svd(A, compute_uv=False)


def assert_same_values(found, A):
    """Singular values agree to a small multiple of eps s_1."""
    expected = values(A)
    assert found.shape == A.shape
    assert len(found.singular_values) == len(expected)
    scale = expected.max(initial=0.0)
    assert np.abs(found.singular_values - expected).max(initial=0.0) <= 1e-13 * scale


# ------------------------------------------------------------------- one matrix
def test_rank_tolerance_and_gap():
    U, V = (
        np.linalg.qr(np.random.default_rng(i).normal(size=(n, 4)))[0] for i, n in [(0, 9), (1, 6)]
    )
    A = U @ np.diag([3.0, 2.0, 1e-8, 1e-11]) @ V.T
    found = surface.numerical_rank(A)
    assert (found.rank, found.shape, found.estimated) == (4, (9, 6), False)
    assert found.tolerance == pytest.approx(9 * EPS * 3.0)
    assert found.gap > 1e3
    assert not found.full_row
    assert not found.full_column
    coarse = surface.numerical_rank(A, tol=1e-9)
    assert coarse.rank == 3
    assert coarse.gap == pytest.approx(1e3, rel=1e-4)
    np.testing.assert_allclose(coarse.kept, [3.0, 2.0, 1e-8], rtol=1e-6)
    assert str(coarse).startswith("rank 3 of 9 x 6 (cut 1.0e-09, gap 1.0e+03")


@pytest.mark.parametrize(
    ("A", "rank", "gap"),
    [
        (np.zeros((2, 3)), 0, np.inf),
        (np.empty((0, 3)), 0, np.inf),
        (np.eye(3), 3, np.inf),
        (np.diag([1.0, 0.0]), 1, np.inf),
    ],
)
def test_ranks_at_the_edge(A, rank, gap):
    found = surface.numerical_rank(A)
    assert (found.rank, found.gap) == (rank, gap)


def test_nothing_kept_has_no_gap():
    assert surface.numerical_rank([[1.0]], tol=2.0).gap == 0.0


@pytest.mark.parametrize(
    ("A", "tol", "message"),
    [
        ([1.0], None, "A must be 2-D"),
        ([[np.nan]], None, "A must be finite"),
        ([[1.0]], -1.0, "tol must be a number"),
        ([[1e308, 1e308, 1e308, 1e308]], None, "A must have finite singular values, got inf"),
    ],
)
def test_no_matrix(A, tol, message):
    with pytest.raises(ValueError, match=message):
        surface.numerical_rank(A, tol=tol)


# ------------------------------------------------------------------- all of a network
@given(cases(), st.sampled_from([1, 2, 5, 12, 70]))
def test_every_rank_is_that_of_the_oracle(c, T):
    """P and its row blocks, Φ with and without dummy unit, all Ψ, W; both ways round of P."""
    X, _ = c.data(T)
    report = surface.ranks(c.net, c.w, X)
    P = reference.jacobian(c.spec, c.w, X)
    scale = values(P)[0]
    assert report.samples == T
    assert_same_values(report.jacobian, P)
    assert report.jacobian.tolerance == pytest.approx(max(P.shape) * EPS * scale)
    assert not report.jacobian.estimated
    stops = np.cumsum([W.size for W in c.net.unpack(c.w)])[:-1]
    for block, expected in zip(report.row_blocks, np.split(P, stops), strict=True):
        assert block.shape == expected.shape
        assert np.abs(block.singular_values - values(expected)).max() <= 1e-13 * scale
        assert block.tolerance == report.jacobian.tolerance
        assert block.rank == np.sum(values(expected) > block.tolerance)
    phi, z = reference.forward(c.spec, c.w, X)
    psi = [reference.psi(c.spec, c.w, x) for x in X]
    for j, W in enumerate(c.net.unpack(c.w)):
        ones = np.ones((T, int(c.spec.bias[j])))
        assert_same_values(report.features[j], np.hstack([phi[j], ones]).T)
        assert_same_values(report.outputs[j], phi[j].T)
        assert_same_values(report.weights[j], W[: c.spec.sizes[j]])
        assert_same_values(report.joint[j], np.hstack([p[j] for p in psi]))
        found = report.sensitivities[j]
        assert found.shape == psi[0][j].shape
        expected = np.array([values(p[j]) for p in psi])
        np.testing.assert_allclose(
            found.singular_values, expected, rtol=1e-12, atol=1e-13 * expected.max()
        )
        assert found.ranks.tolist() == [np.linalg.matrix_rank(p[j]) for p in psi]
        assert (found.min, found.max, found.sum) == (
            found.ranks.min(), found.ranks.max(), found.ranks.sum(),
        )  # fmt: skip
        slopes = np.abs(c.spec.activations[j][1](z[j + 1])).min(axis=1)
        np.testing.assert_allclose(report.least_slopes[j], slopes, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("sizes", "T"),
    [((2, 20, 1), 2000), ((3, 8, 6, 4), 700), ((5, 60, 1), 40), ((4, 30, 12, 3), 25), ((2, 1), 3)],
    ids=["many samples", "many samples, outputs", "wide", "wide, outputs", "square"],
)
def test_ranks_do_not_depend_on_how_p_is_cut(sizes, T):
    """All at once, in chunks, by weights: the singular values of one P."""
    c = case(sizes, "tanh", seed=8)
    X, _ = c.data(T)
    P = c.net.jacobian(c.w, X)
    seen = set()
    for max_memory in (None, 2e7, 4e6, 2e6, 1.3e6, 8e5):
        try:
            report = surface.ranks(c.net, c.w, X, max_memory=max_memory)
        except ValueError:
            continue
        seen.add(report.jacobian.estimated)
        if not report.jacobian.estimated:
            assert_same_values(report.jacobian, P)
    assert False in seen


def test_rank_is_not_taken_from_a_product():
    """Two samples 1e-10 apart: their columns differ by 1e-10, which PᵀP cannot resolve."""
    net = ggn.MLP((1, 3, 1), "tanh")
    w, X = net.initial_weights(0), np.array([[0.3], [0.3 + 1e-10], [-1.0]])
    report = surface.ranks(net, w, X)
    assert report.jacobian.rank == 3
    assert report.jacobian.gap == np.inf
    assert np.linalg.matrix_rank(net.kernel_matrix(w, X)) == 2
    # as columns they are the same at a coarser cut
    assert surface.ranks(net, w, X, tol=1e-8).jacobian.rank == 2


def test_more_samples_than_p_could_hold():
    """100 000 samples within a quarter of P's size."""
    c = case((2, 20, 1), "tanh", seed=2)
    X = np.random.default_rng(3).normal(size=(100_000, 2))
    size = 8 * c.net.n_weights * len(X)
    tracemalloc.start()
    report = surface.ranks(c.net, c.w, X, max_memory=size / 4)
    assert "of 81" in str(report)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 4
    assert not report.jacobian.estimated
    assert report.jacobian.rank == 81
    # σ² are the eigenvalues of P Pᵀ, to its own accuracy
    at = ggn.linearize(c.net, c.w, X, np.zeros((len(X), 1)))
    gram = np.linalg.eigvalsh(at.normal_matrix() * len(X) / 2.0)[::-1]
    s = report.jacobian.singular_values
    assert np.abs(s**2 - gram).max() <= 1e-11 * gram[0]


# ------------------------------------------------------------------- estimates
def budgets(net, w, X):
    """Yield reports with less and less memory, down to what is refused."""
    for step in range(99):
        max_memory = 2e7 / 1.5**step
        try:
            report = surface.ranks(net, w, X, max_memory=max_memory)
        except ValueError:  # too little for anything
            return
        yield max_memory, report


@pytest.mark.parametrize("sizes", [(8, 50, 1), (3, 24, 12, 3)])
def test_a_sketch_says_so_and_is_never_above(sizes):
    c = case(sizes, "tanh", seed=4)
    X, _ = c.data(300)
    true = surface.ranks(c.net, c.w, X)
    estimates = 0
    for _, report in budgets(c.net, c.w, X):
        pairs = [
            (report.jacobian, true.jacobian),
            *zip(report.row_blocks, true.row_blocks, strict=True),
            *zip(report.features, true.features, strict=True),
            *zip(report.outputs, true.outputs, strict=True),
            *zip(report.joint, true.joint, strict=True),
        ]
        for found, expected in pairs:
            assert found.shape == expected.shape
            s = found.singular_values
            if found.estimated:
                estimates += 1
                assert len(s) < min(found.shape)
                assert "at least" in str(found)
                assert (s <= expected.singular_values[: len(s)] * (1.0 + 1e-10)).all()
                assert found.rank == len(s)  # full: nothing is known beyond
                assert np.isnan(found.gap)
            else:
                np.testing.assert_allclose(s, expected.singular_values, atol=1e-12 * s[0])
        for bound in report.bounds:
            if bound.applies and not bound.of.startswith("Psi"):
                of_p = bound.of == "P"
                actual = true.jacobian if of_p else true.row_blocks[int(bound.of[-1]) - 1]
                assert not bound.lower or bound.value <= actual.rank
                assert bound.lower or bound.value >= actual.rank
        assert (">=" in str(report).split("rank W_l")[1]) == report.jacobian.estimated
    assert estimates > 10


def test_a_sketch_finds_a_low_rank():
    """Ten distinct samples among 800: rank 10, found by a sketch of 16 columns or more."""
    c = case((8, 50, 1), "tanh", seed=5)
    X = np.random.default_rng(6).normal(size=(10, 8))[np.arange(800) % 10]
    exact = surface.ranks(c.net, c.w, X)
    assert (exact.jacobian.rank, exact.jacobian.estimated) == (10, False)
    found = [report for _, report in budgets(c.net, c.w, X) if report.jacobian.estimated]
    found = [report for report in found if len(report.jacobian.singular_values) > 32]
    assert len(found) >= 3
    for report in found:
        assert report.jacobian.rank == 10
        assert report.jacobian.gap > 1e8
        np.testing.assert_allclose(report.jacobian.kept, exact.jacobian.kept, rtol=1e-10)


@pytest.mark.parametrize(("sizes", "T"), [((3, 20, 12, 2), 250), ((4, 120, 30, 3), 60)])
def test_memory_is_kept_within(sizes, T):
    c = case(sizes, "tanh", seed=6)
    X, _ = c.data(T)
    count = 0
    for max_memory, _ in budgets(c.net, c.w, X):
        tracemalloc.start()
        report = surface.ranks(c.net, c.w, X, max_memory=max_memory)
        str(report)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < max_memory
        count += 1
    assert count > 8


# ------------------------------------------------------------------- faults and print
def test_bad_input():
    net = ggn.MLP((2, 3, 1))
    w, X = net.initial_weights(0), np.ones((3, 2))
    for arguments, message in [
        ((3, w, X), "net must be an MLP, got 3"),
        ((net, w[1:], X), "w must have shape"),
        ((net, w, X[:, :1]), "X must have 2 columns"),
        ((net, w, X[:0]), "X must hold at least one sample, got 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            surface.ranks(*arguments)
    with pytest.raises(ValueError, match="tol must be a number"):
        surface.ranks(net, w, X, tol=-1.0)
    with pytest.raises(ValueError, match="max_memory must be at least"):
        surface.ranks(net, w, X, max_memory=8.0)
    with pytest.raises(ValueError, match="max_memory must be a number"):
        surface.ranks(net, w, X, max_memory=-8.0)


@pytest.mark.parametrize("T", [2, 40])
def test_a_jacobian_that_overflows(T):
    net = ggn.MLP((1, 2, 1), "exponential")
    w = np.full(net.n_weights, 1.0)
    w[0] = 800.0
    with pytest.raises(
        ValueError, match="w must give a finite Jacobian, got one beyond float64 in the"
    ):
        surface.ranks(net, w, np.ones((T, 1)))


def test_tiny_numbers_are_no_zeros():
    """Sensitivities of 1e-200 have rank one: their squares would not."""
    net = ggn.MLP((2, 3, 1), "identity", bias=False)
    w = net.pack([np.ones((2, 3)), np.full((3, 1), 1e-200)])
    report = surface.ranks(net, w, [[1.0, 2.0]])
    assert report.sensitivities[0].ranks.tolist() == [1]
    assert report.sensitivities[0].singular_values[0, 0] == pytest.approx(3**0.5 * 1e-200)


def test_what_is_printed():
    net, (X, _) = ggn.MLP((2, 2, 1)), ggn.problems.xor()
    report = surface.ranks(net, np.zeros(9), X)
    lines = str(report).splitlines()
    assert lines[0].startswith("P: rank 1 of 9 x 4 (cut ")
    assert lines[1] == "at least 1 by Proposition 2 for P_2, at most 1 by the factors"
    assert " ".join(lines[3].split()) == "1 0 of 4 3 of 3 0 of 1 0 of 2"
    assert " ".join(lines[4].split()) == "2 1 of 3 1 of 3 1 of 1 0 of 1"
    assert repr(report) == str(report)
    assert str(report.sensitivities[0]) == "ranks 0 to 0 of 2 x 1 on 4 samples"
    with pytest.raises(ValueError, match="of must name a matrix with such a bound, got 'Q'"):
        report.best("Q")
