"""Products of partitioned matrices and the factors of P, against loops over blocks."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, case, cases

import ggn
from ggn import surface
from ggn.products import khatri_rao, selection_matrices, tracy_singh

SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=3)


def cut(A, blocks):
    """Return the blocks of A in a list of lists."""
    rows, columns = (np.cumsum(sizes)[:-1] for sizes in blocks)
    return [np.hsplit(row, columns) for row in np.vsplit(A, rows)]


def by_blocks_khatri_rao(A, B):
    return np.block(
        [[np.kron(a, b) for a, b in zip(*r, strict=True)] for r in zip(A, B, strict=True)]
    )


def by_blocks_tracy_singh(A, B):
    return np.block([[np.block([[np.kron(a, b) for b in r] for r in B]) for a in s] for s in A])


@st.composite
def partitioned(draw, paired=True):
    """Two matrices of small integers with partitions; paired: with as many blocks."""
    first = draw(SIZES), draw(SIZES)
    second = tuple(
        draw(st.lists(st.integers(1, 3), min_size=len(f), max_size=len(f)) if paired else SIZES)
        for f in first
    )
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    A, B = (
        rng.integers(-4, 5, (sum(r), sum(c))).astype(float) for r, c in (first, second)
    )  # integers: every product is exact
    return A, B, first, second


@given(partitioned())
def test_khatri_rao_product_of_blocks(given_):
    """Eq. 43."""
    A, B, a, b = given_
    expected = by_blocks_khatri_rao(cut(A, a), cut(B, b))
    assert np.array_equal(khatri_rao(A, B, a, b), expected)


@given(partitioned(paired=False))
def test_tracy_singh_product_of_blocks(given_):
    """Eq. 41."""
    A, B, a, b = given_
    expected = by_blocks_tracy_singh(cut(A, a), cut(B, b))
    assert np.array_equal(tracy_singh(A, B, a, b), expected)


@given(partitioned())
def test_selection_matrices_take_khatri_rao_out_of_tracy_singh(given_):
    """Eq. 44: A ⊙ B = Z1ᵀ (A ∘ B) Z2, with columns of the identity."""
    A, B, a, b = given_
    Z1, Z2 = selection_matrices(a, b)
    assert np.array_equal(Z1.T @ tracy_singh(A, B, a, b) @ Z2, khatri_rao(A, B, a, b))
    for Z in (Z1, Z2):
        assert np.array_equal((Z.T @ Z).toarray(), np.eye(Z.shape[1]))


def test_without_partition_columns_are_blocks():
    rng = np.random.default_rng(0)
    A, B = rng.integers(-4, 5, (2, 3)).astype(float), rng.integers(-4, 5, (4, 3)).astype(float)
    columns = np.column_stack([np.kron(A[:, j], B[:, j]) for j in range(3)])
    assert np.array_equal(khatri_rao(A, B), columns)
    assert np.array_equal(khatri_rao(A, B, ([2], [1] * 3), ([4], [1] * 3)), columns)
    assert np.array_equal(tracy_singh(A, B), np.kron(A, B))
    # one given, the other by columns
    assert np.array_equal(khatri_rao(A, B, None, ([4], [1] * 3)), columns)


def test_mixed_product_of_tracy_singh():
    """(A ∘ B)(C ∘ D) = AC ∘ BD where the inner partitions agree."""
    rng = np.random.default_rng(1)
    A, C, B, D = (rng.integers(-3, 4, s).astype(float) for s in ((3, 4), (4, 2), (2, 3), (3, 3)))
    left = tracy_singh(A, B, ([1, 2], [3, 1]), ([2], [1, 2])) @ tracy_singh(
        C, D, ([3, 1], [1, 1]), ([1, 2], [2, 1])
    )
    right = tracy_singh(A @ C, B @ D, ([1, 2], [1, 1]), ([2], [2, 1]))
    assert np.array_equal(left, right)


@pytest.mark.parametrize(
    ("A_blocks", "B_blocks", "message"),
    [
        (([1], [2]), None, r"A_blocks heights must add up to 2, got \[1\]"),
        (([2], [1, 2]), None, r"A_blocks widths must add up to 2, got \[1, 2\]"),
        (([2], [0, 2]), None, r"A_blocks widths\[0\] must be an integer of at least 1, got 0"),
        (([2], [1.0, 1.0]), None, r"A_blocks widths\[0\] must be an integer"),
        (([2],), None, r"A_blocks must be a pair of lists"),
        (3, None, r"A_blocks must be a pair of lists"),
        (None, ([1, 1], [1, 1]), r"A and B must have as many blocks, got 1 x 2 and 2 x 2"),
    ],
)
def test_partitions_that_do_not_fit(A_blocks, B_blocks, message):
    with pytest.raises(ValueError, match=message):
        khatri_rao(np.ones((2, 2)), np.ones((2, 2)), A_blocks, B_blocks)
    if B_blocks is None:
        with pytest.raises(ValueError, match=message):
            tracy_singh(np.ones((2, 2)), np.ones((2, 2)), A_blocks)


def test_selection_matrices_need_blocks():
    with pytest.raises(ValueError, match="A_blocks heights must name at least one block"):
        selection_matrices(([], [1]), ([1], [1]))
    with pytest.raises(ValueError, match="A_blocks must be a pair"):
        selection_matrices(None, ([1], [1]))


# ------------------------------------------------------------------- the Jacobian in factors
@given(cases(), st.integers(1, 6))
def test_row_blocks_are_khatri_rao_products(c, T):
    """Eq. 54: P_l = Ψ_l ⊙ Φ̂_{l-1} = A_l B_l."""
    X, _ = c.data(T)
    P = reference.jacobian(c.spec, c.w, X)
    stops = np.cumsum([W.size for W in c.net.unpack(c.w)])[:-1]
    blocks = surface.row_blocks(c.net, c.w, X)
    for block, expected in zip(blocks, np.split(P, stops), strict=True):
        assert_close(block.khatri_rao(), expected)
        A, B = block.factors()
        assert_close((A @ B).toarray(), expected)
    A, B = surface.jacobian_factors(c.net, c.w, X)
    assert_close((A @ B).toarray(), P)


def test_factors_have_the_shape_and_rank_of_eq_54_and_59():
    """A_l = [I ⊗ φ̂^(1) ... I ⊗ φ̂^(T)] has rank n_l rank(Φ̂), B_l = blockdiag Ψ^(i) the sum."""
    c = case((2, 4, 3, 2), "tanh", seed=3)
    X, _ = c.data(5)
    n, T, nL = (4, 3, 2), 5, 2
    A, B = surface.jacobian_factors(c.net, c.w, X)
    phi = reference.forward(c.spec, c.w, X)[0]
    psi = [reference.psi(c.spec, c.w, x) for x in X]
    whole_A, whole_B = [], []
    for j, block in enumerate(surface.row_blocks(c.net, c.w, X)):
        hat = np.hstack([phi[j], np.ones((T, 1))])
        A_l, B_l = (M.toarray() for M in block.factors())
        assert_close(A_l, np.hstack([np.kron(np.eye(n[j]), h[:, None]) for h in hat]))
        for i in range(T):
            assert_close(B_l[i * n[j] : (i + 1) * n[j], i * nL : (i + 1) * nL], psi[i][j])
        assert np.count_nonzero(B_l) <= T * n[j] * nL
        assert np.linalg.matrix_rank(A_l) == n[j] * np.linalg.matrix_rank(hat)
        assert np.linalg.matrix_rank(B_l) == sum(np.linalg.matrix_rank(p[j]) for p in psi)
        whole_A.append(A_l)
        whole_B.append(B_l)
    assert_close(B.toarray(), np.vstack(whole_B))
    assert A.shape == (c.net.n_weights, T * sum(n))
    assert A.nnz <= sum(A_l.size for A_l in whole_A)
    assert np.linalg.matrix_rank(A.toarray()) == sum(map(np.linalg.matrix_rank, whole_A))


def test_a_khatri_rao_product_of_one_sample_is_a_kronecker_product():
    net = ggn.MLP((2, 3, 2), bias=(True, False))
    (first, _) = surface.row_blocks(net, net.initial_weights(0), [[1.0, -2.0]])
    assert first.features.ravel().tolist() == [1.0, -2.0, 1.0]
    assert np.array_equal(first.khatri_rao(), np.kron(first.sensitivities, first.features))


def test_factors_of_bad_input():
    net = ggn.MLP((2, 3, 1))
    with pytest.raises(ValueError, match="net must be an MLP, got 3"):
        surface.row_blocks(3, [], [])
    with pytest.raises(ValueError, match="w must have shape"):
        surface.jacobian_factors(net, [1.0], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="X must hold at least one sample"):
        surface.row_blocks(net, net.initial_weights(0), np.empty((0, 2)))


# ------------------------------------------------------------------- rank statements
def low_rank(rng, m, n, r):
    return rng.integers(-3, 4, (m, r)).astype(float) @ rng.integers(-3, 4, (r, n)).astype(float)


def test_rank_of_kronecker_and_tracy_singh_products():
    """Eq. 42: rank A · rank B, whatever the partitions."""
    rng = np.random.default_rng(5)
    for _ in range(1000):
        m, n, p, q = rng.integers(1, 5, 4)
        A, B = low_rank(rng, m, n, rng.integers(1, 4)), low_rank(rng, p, q, rng.integers(1, 4))
        expected = np.linalg.matrix_rank(A) * np.linalg.matrix_rank(B)
        found = surface.kronecker_rank(A, B)
        assert found.rank == expected
        assert found.shape == (m * p, n * q)
        s = np.linalg.svd(np.kron(A, B), compute_uv=False)
        np.testing.assert_allclose(found.singular_values, s, atol=1e-12 * max(s[0], 1.0))
        height, width = rng.integers(1, m + 1), rng.integers(1, q + 1)
        A_blocks = [height, m - height] if height < m else [m], [n]
        B_blocks = [p], [width, q - width] if width < q else [q]
        assert np.linalg.matrix_rank(tracy_singh(A, B, A_blocks, B_blocks)) == expected


def test_rank_bounds_of_khatri_rao_products():
    """Eq. 45, 52 and more on 1000 partitioned pairs, many of low rank or with zero blocks."""
    rng = np.random.default_rng(6)
    tight = np.zeros(2, int)
    for _ in range(1000):
        a, b = (
            tuple([int(v) for v in rng.integers(1, 4, k)] for k in counts)
            for counts in [rng.integers(1, 4, 2)] * 2
        )
        A, B = (low_rank(rng, sum(r), sum(c), rng.integers(1, 4)) for r, c in (a, b))
        if rng.random() < 0.3:
            B[:, : b[1][0]] = 0.0
        rank = np.linalg.matrix_rank(khatri_rao(A, B, a, b))
        least, most = surface.khatri_rao_rank(A, B, a, b)
        assert least <= rank <= most
        tight += [least == rank, most == rank]
    assert (tight > 300).all()


def random_pair(rng):
    """Two matrices of integers and their partitions, low ranks and blocks of zeros among them."""
    counts = rng.integers(1, 3, 2)
    a, b = (tuple([int(v) for v in rng.integers(1, 4, k)] for k in counts) for _ in range(2))
    A, B = (low_rank(rng, sum(r), sum(c), rng.integers(1, 7)) for r, c in (a, b))
    if rng.random() < 0.2:
        B[:, : b[1][0]] = 0.0
    return A, B, a, b


def without_eq_52(A, B, a, b):
    """The largest rank [A_j] over the blocks of a block row with B_j != 0, and vice versa."""
    least = 0
    for row in zip(cut(A, a), cut(B, b), strict=True):
        for these, others in (row, row[::-1]):
            chosen = [x for x, y in zip(these, others, strict=True) if y.any()]
            least = max(least, np.linalg.matrix_rank(np.hstack(chosen)) if chosen else 0)
    return least


def test_eq_45_and_52_from_ranks_alone():
    """On 1000 pairs: 0 violations; where eq. 52 is positive it may be the sharper one."""
    rng = np.random.default_rng(8)
    positive = sharper = reached = 0
    for _ in range(1000):
        A, B, a, b = random_pair(rng)
        R = int(np.linalg.matrix_rank(A) * np.linalg.matrix_rank(B))
        least, most = surface.khatri_rao_bounds(R, a, b)
        actual = np.linalg.matrix_rank(khatri_rao(A, B, a, b))
        assert least <= actual <= most == R
        other = without_eq_52(A, B, a, b)
        assert surface.khatri_rao_rank(A, B, a, b)[0] == max(least, other)
        positive += least > 0
        sharper += least > other
        reached += least == actual > 0
    assert positive > 50
    assert sharper > 5
    assert reached > 20


def test_eq_52_is_the_rank_itself_where_nothing_is_left_out():
    """One block: I ⊙ I = I ⊗ I has rank 4, rank [A_1] is 2; two blocks: 9 + 10 - 18 = 1 < 5."""
    one, two = ([2], [2]), ([1, 2], [1, 2])
    assert surface.khatri_rao_bounds(4, one, one) == (4, 4)
    assert without_eq_52(np.eye(2), np.eye(2), one, one) == 2
    assert surface.khatri_rao_rank(np.eye(2), np.eye(2), one, one) == (4, 4)
    assert surface.khatri_rao_bounds(9, two, two) == (1, 9)
    assert np.linalg.matrix_rank(khatri_rao(np.eye(3), np.eye(3), two, two)) == 5


def test_ranks_of_the_selection_matrices():
    """Eq. 46 and 47."""
    rng = np.random.default_rng(9)
    for _ in range(100):
        _, _, a, b = random_pair(rng)
        found = [np.linalg.matrix_rank(Z.toarray()) for Z in selection_matrices(a, b)]
        assert list(surface.selection_ranks(a, b)) == found


def test_khatri_rao_rank_needs_non_zero_blocks():
    """Not max(rank A, rank B): a zero column of B takes A's out of the product."""
    A, B = np.eye(2), np.array([[1.0, 0.0], [0.0, 0.0]])
    assert surface.khatri_rao_rank(A, B) == (1, 1)
    assert np.linalg.matrix_rank(khatri_rao(A, B)) == 1
    # with none zero it is max(rank A, rank B) at least, and rank A · rank B may be out of reach
    assert surface.khatri_rao_rank(np.eye(2), np.eye(2)) == (2, 2)
    # strictly between the bounds
    A, B = (
        np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
        np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 1.0]]),
    )
    assert surface.khatri_rao_rank(A, B) == (2, 3)


def test_sylvester_and_frobenius():
    """Eq. 48 and 49, 50 on 1000 triples; Frobenius is never the weaker, and both can be tight."""
    rng = np.random.default_rng(7)
    tight = np.zeros(3, int)
    for _ in range(1000):
        m, n, p, q = rng.integers(1, 6, 4)
        A, B, C = (low_rank(rng, *shape, rng.integers(1, 6)) for shape in ((m, n), (n, p), (p, q)))
        a, b, c, ab, bc, abc = map(np.linalg.matrix_rank, (A, B, C, A @ B, B @ C, A @ B @ C))
        pair, chain = surface.sylvester([a, b], [n]), surface.sylvester([a, b, c], [n, p])
        product = surface.frobenius(ab, bc, b)
        assert pair <= ab
        assert chain <= product <= abc
        tight += [pair == ab, chain == abc, product == abc]
    assert (tight > 200).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: surface.sylvester([1, 2], []), "inner must hold one dimension less"),
        (lambda: surface.sylvester([3, 2], [1]), r"inner\[0\] must be at least .* 3 and 2, got 1"),
        (lambda: surface.sylvester([-1], []), r"ranks\[0\] must be an integer of at least 0"),
        (lambda: surface.frobenius(3, 1, 2), "rank_AB and rank_BC must be at most rank_B = 2"),
        (lambda: surface.frobenius(1.5, 1, 2), "rank_AB must be an integer"),
        (lambda: surface.khatri_rao_bounds(-1, ([1], [1]), ([1], [1])), "R must be an integer of"),
        (lambda: surface.khatri_rao_bounds(3, ([2], [1]), ([1], [2])), "R must be at most 2 for 2"),
        (lambda: surface.selection_ranks(([1], [1]), ([1, 1], [1])), "must have as many blocks"),
    ],
)
def test_ranks_that_cannot_be(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sylvester_of_wide_inner_dimensions_is_empty():
    assert surface.sylvester([1, 1], [5]) == 0
    assert surface.sylvester([4], []) == 4
    assert surface.frobenius(1, 1, 5) == 0


def test_what_overflows_is_infinite_without_a_warning():
    A = np.array([[1e200, 2.0]])
    for blocks in ((), (([1], [1, 1]), ([1], [1, 1]))):
        assert khatri_rao(A, A, *blocks).tolist() == [[np.inf, 4.0]]
    assert tracy_singh(A, A).tolist() == [[np.inf, 2e200, 2e200, 4.0]]
