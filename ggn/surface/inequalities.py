"""What is known of the rank of a product from the ranks of its factors (appendix A).

    rank(A ⊗ B) = rank(A ∘ B) = rank A · rank B =: R                              (eq. 42)
    rank(A ⊙ B) <= R,  from A ⊙ B = Z1ᵀ (A ∘ B) Z2                    (Corollary 1, eq. 45)
    rank Z1 = Σ m_i p_i,  rank Z2 = Σ n_j q_j                                 (eq. 46, 47)
    rank(A ⊙ B) >= R + rank Z1 + rank Z2 - mp - nq                                (eq. 52)
    rank(A ⊙ B) >= rank A      in one block row, if no B_j is 0    (as in Prop. 2, case 3)
    rank(A B) >= rank A + rank B - n,  n the inner dimension      (Sylvester, eq. 49, 50)
    rank(A B C) >= rank(A B) + rank(B C) - rank B                     (Frobenius, eq. 48)

⊗ Kronecker, ∘ Tracy–Singh, ⊙ Khatri–Rao; see `ggn.products`.  A (m x n) has blocks
m_i x n_j, B (p x q) has p_i x q_j.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.products import Partition, paired_blocks
from ggn.surface.rank import NumericalRank, numerical_rank, rank_from_values
from ggn.validation import ArgumentError, float_array, integer, items

__all__ = [
    "frobenius",
    "khatri_rao_bounds",
    "khatri_rao_rank",
    "kronecker_rank",
    "selection_ranks",
    "sylvester",
]


def sylvester(ranks: Sequence[int], inner: Sequence[int]) -> int:
    """Return the least rank of a product A_1 A_2 ... A_m: Σ rank A_k - Σ inner, or 0 (eq. 49, 50).

    Parameters
    ----------
    ranks : sequence of int
        Of the m factors.
    inner : sequence of int
        The m - 1 dimensions that factors have in common.

    Raises
    ------
    ValueError
        For negative numbers, or as many dimensions as factors.

    Examples
    --------
    >>> sylvester([3, 2], [4])
    1
    """
    found = [integer(f"ranks[{i}]", r, 0) for i, r in enumerate(items("ranks", ranks))]
    between = [integer(f"inner[{i}]", n, 0) for i, n in enumerate(items("inner", inner))]
    if len(between) != len(found) - 1:
        raise ValueError(
            f"inner must hold one dimension less than there are ranks, got {len(between)} "
            f"for {len(found)}"
        )
    for i, n in enumerate(between):
        if n < max(found[i : i + 2]):
            raise ArgumentError(
                f"inner[{i}]",
                f"must be at least the ranks of the factors beside it, {found[i]} and "
                f"{found[i + 1]}, got {n}",
            )
    return max(0, sum(found) - sum(between))


def frobenius(rank_AB: int, rank_BC: int, rank_B: int) -> int:
    """Return the least rank of A B C: rank AB + rank BC - rank B, or 0 (eq. 48).

    Never below Sylvester's for A, B, C; with B the identity they are the same.

    Parameters
    ----------
    rank_AB, rank_BC, rank_B : int

    Raises
    ------
    ValueError
        For what are no ranks of such products.

    Examples
    --------
    >>> frobenius(2, 2, 3)
    1
    """
    B = integer("rank_B", rank_B, 0)
    AB, BC = integer("rank_AB", rank_AB, 0), integer("rank_BC", rank_BC, 0)
    if max(AB, BC) > B:
        raise ValueError(f"rank_AB and rank_BC must be at most rank_B = {B}, got {AB} and {BC}")
    return max(0, AB + BC - B)


def kronecker_rank(A: Any, B: Any, *, tol: float | None = None) -> NumericalRank:
    """Return the rank of A ⊗ B, and of every A ∘ B, without forming it (eq. 42).

    Its singular values are the products of A's with B's.

    Parameters
    ----------
    A : array_like, (m, n)
    B : array_like, (p, q)
    tol : float, optional
        By default max(mp, nq) · eps · s_1.

    Raises
    ------
    ValueError
        For what is no finite matrix, or a negative tol.

    Examples
    --------
    >>> kronecker_rank([[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 2.0]]).rank
    2
    """
    found = numerical_rank(A), numerical_rank(B)
    m, n = (a * b for a, b in zip(*(r.shape for r in found), strict=True))
    s = np.zeros(min(m, n))
    products = np.outer(*(r.singular_values for r in found)).ravel()
    s[: len(products)] = np.sort(products)[::-1]
    return rank_from_values(s, (m, n), tol)


def selection_ranks(A_blocks: Partition, B_blocks: Partition) -> tuple[int, int]:
    """Return the ranks of Z1 and Z2, Σ m_i p_i and Σ n_j q_j (eq. 46, 47): the size of A ⊙ B.

    Parameters
    ----------
    A_blocks, B_blocks : (heights, widths)
        As for `ggn.products.selection_matrices`.

    Returns
    -------
    int, int

    Raises
    ------
    ValueError
        As for `ggn.products.selection_matrices`.

    Examples
    --------
    >>> selection_ranks(([2], [1, 1]), ([1], [1, 1]))
    (2, 2)
    """
    rows, columns = (
        list(zip(*sizes_of(pairs), strict=True))
        for pairs in paired_blocks(None, None, A_blocks, B_blocks)
    )
    return sum(m * p for m, p in rows), sum(n * q for n, q in columns)


def khatri_rao_bounds(R: int, A_blocks: Partition, B_blocks: Partition) -> tuple[int, int]:
    """Return the least and the largest rank of A ⊙ B that R = rank(A ∘ B) leaves (eq. 52, 45).

    A ⊙ B is A ∘ B without mp - Σ m_i p_i of its rows and nq - Σ n_j q_j of its columns.  Eq. 52
    is printed for A ∘ B of full rank; it holds for any.

    Parameters
    ----------
    R : int
        rank A · rank B.
    A_blocks, B_blocks : (heights, widths)
        As for `ggn.products.selection_matrices`.

    Returns
    -------
    least, most : int

    Raises
    ------
    ValueError
        For a negative R or one that no such product has, or as for `selection_ranks`.

    Examples
    --------
    >>> khatri_rao_bounds(4, ([2], [1, 1]), ([2], [1, 1]))
    (2, 4)
    """
    Z1, Z2 = selection_ranks(A_blocks, B_blocks)
    mp, nq = (sum(a) * sum(b) for a, b in zip(A_blocks, B_blocks, strict=True))
    R = integer("R", R, 0)
    if R > min(mp, nq):
        raise ValueError(f"R must be at most {min(mp, nq)} for {mp} x {nq}, got {R}")
    return max(0, R + Z1 + Z2 - mp - nq), R


def khatri_rao_rank(
    A: Any, B: Any, A_blocks: Partition | None = None, B_blocks: Partition | None = None
) -> tuple[int, int]:
    """Return the least and the largest rank that A ⊙ B can have.

    At most and at least what `khatri_rao_bounds` say (eq. 45, 52), and at most the sum of the
    products of ranks over block rows or over block columns.
    At least rank [A_j] over the blocks of a block row with B_j ≠ 0, as contracting the rows of
    B with a vector g that leaves those gᵀB_j ≠ 0 shows; and the same with A and B exchanged.

    Parameters
    ----------
    A, B : array_like, 2-D
    A_blocks, B_blocks : (heights, widths), optional
        As for `ggn.products.khatri_rao`.

    Returns
    -------
    least, most : int

    Raises
    ------
    ValueError
        As for `ggn.products.khatri_rao`.

    Examples
    --------
    >>> khatri_rao_rank([[1.0, 2.0, 3.0]], [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    (2, 2)
    """
    A, B = float_array("A", A, (2,)), float_array("B", B, (2,))
    rows, columns = paired_blocks(A.shape, B.shape, A_blocks, B_blocks)

    def rank(M: np.ndarray) -> int:
        return numerical_rank(M).rank

    sizes = sizes_of(rows), sizes_of(columns)
    partitions = [(sizes[0][i], sizes[1][i]) for i in range(2)]
    least, product = khatri_rao_bounds(rank(A) * rank(B), *partitions)
    most = min(
        product,
        sum(rank(A[i]) * rank(B[k]) for i, k in rows),
        sum(rank(A[:, j]) * rank(B[:, m]) for j, m in columns),
    )
    for i, k in rows:
        here = [(A[i, j], B[k, m]) for j, m in columns]
        for pairs in (here, [(b, a) for a, b in here]):
            chosen = [a for a, b in pairs if b.any()]
            least = max(least, rank(np.hstack(chosen)) if chosen else 0)
    return least, most


def sizes_of(pairs: list[tuple[slice, slice]]) -> tuple[list[int], list[int]]:
    """Return the sizes of A's and of B's parts."""
    A, B = zip(*pairs, strict=True)
    return [a.stop - a.start for a in A], [b.stop - b.start for b in B]
