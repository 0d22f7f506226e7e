"""Products of partitioned matrices: Khatri–Rao and Tracy–Singh (appendix A).

A (m x n) is cut into blocks A_ij, B (p x q) into blocks B_kl:

    Kronecker     A ⊗ B = (a_ij B)_ij
    Tracy–Singh   A ∘ B = ((A_ij ⊗ B_kl)_kl)_ij      mp x nq, a permutation of A ⊗ B     (eq. 41)
    Khatri–Rao    A ⊙ B = (A_ij ⊗ B_ij)_ij           as many blocks in B as in A       (eq. 43)
    A ⊙ B = Z1ᵀ (A ∘ B) Z2,   Z1ᵀZ1 = I,  Z2ᵀZ2 = I                                   (eq. 44)

A partition is a pair of lists, the heights of the block rows and the widths of
the block columns.  By default every column is a block of its own, the rows are
not cut: A ⊙ B is then the column-wise product, and A ∘ B is A ⊗ B.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import khatri_rao as columnwise
from scipy.sparse import csc_array

from ggn.validation import describe, float_array, integer, items

__all__ = ["khatri_rao", "selection_matrices", "tracy_singh"]

Partition = tuple[Sequence[int], Sequence[int]]


def khatri_rao(
    A: Any, B: Any, A_blocks: Partition | None = None, B_blocks: Partition | None = None
) -> np.ndarray:
    """Return A ⊙ B, the Kronecker products of corresponding blocks.

    Parameters
    ----------
    A, B : array_like, 2-D
    A_blocks, B_blocks : (heights, widths), optional
        Sizes of the block rows and of the block columns; by default the rows are one
        block and every column is one.

    Returns
    -------
    ndarray, (Σ m_i p_i, Σ n_j q_j)
        m_i, n_j the heights and widths of A's blocks, p_i, q_j those of B's.

    Raises
    ------
    ValueError
        For what is no finite matrix, blocks that do not add up to it, or different
        numbers of blocks in A and B.

    Examples
    --------
    >>> khatri_rao([[1.0, 2.0], [3.0, 4.0]], [[1.0, 10.0]])
    array([[ 1., 20.],
           [ 3., 40.]])
    >>> khatri_rao([[1.0, 2.0]], [[1.0, 10.0], [5.0, 7.0]], ([1], [2]), ([2], [2]))
    array([[ 1., 10.,  2., 20.],
           [ 5.,  7., 10., 14.]])
    """
    A, B = float_array("A", A, (2,)), float_array("B", B, (2,))
    rows, columns = paired_blocks(A.shape, B.shape, A_blocks, B_blocks)
    with np.errstate(over="ignore"):  # visibly, to inf
        if A_blocks is None and B_blocks is None:
            return columnwise(A, B)
        return np.block([[np.kron(A[i, j], B[k, m]) for j, m in columns] for i, k in rows])


def tracy_singh(
    A: Any, B: Any, A_blocks: Partition | None = None, B_blocks: Partition | None = None
) -> np.ndarray:
    """Return A ∘ B, the Kronecker products of every block of A with every block of B.

    Parameters
    ----------
    A : array_like, (m, n)
    B : array_like, (p, q)
    A_blocks, B_blocks : (heights, widths), optional
        As for `khatri_rao`; the numbers of blocks may differ.

    Returns
    -------
    ndarray, (mp, nq)
        The blocks of A run slowest.

    Raises
    ------
    ValueError
        For what is no finite matrix, or blocks that do not add up to it.

    Examples
    --------
    >>> A, B = [[1.0], [2.0]], [[3.0], [4.0]]
    >>> tracy_singh(A, B).ravel()
    array([3., 4., 6., 8.])
    >>> tracy_singh(A, B, ([2], [1]), ([1, 1], [1])).ravel()
    array([3., 6., 4., 8.])
    """
    A, B = float_array("A", A, (2,)), float_array("B", B, (2,))
    if not A.size or not B.size:
        return np.zeros((len(A) * len(B), A.shape[1] * B.shape[1]))
    A_rows, A_columns = blocks_of("A", A.shape, A_blocks)
    B_rows, B_columns = blocks_of("B", B.shape, B_blocks)
    with np.errstate(over="ignore", invalid="ignore"):  # visibly, to inf
        product = np.kron(A, B)
    return product[np.ix_(_order(A_rows, B_rows), _order(A_columns, B_columns))]


def selection_matrices(A_blocks: Partition, B_blocks: Partition) -> tuple[csc_array, csc_array]:
    """Return Z1 and Z2 with A ⊙ B = Z1ᵀ (A ∘ B) Z2 (eq. 44), sparse, columns of the identity.

    Parameters
    ----------
    A_blocks, B_blocks : (heights, widths)
        The two partitions, with as many blocks.

    Returns
    -------
    Z1 : sparse array, (mp, Σ m_i p_i)
    Z2 : sparse array, (nq, Σ n_j q_j)

    Raises
    ------
    ValueError
        For sizes that are no positive integers, or different numbers of blocks.

    Examples
    --------
    >>> Z1, Z2 = selection_matrices(([2], [1, 1]), ([1], [1, 1]))
    >>> Z2.toarray()
    array([[1., 0.],
           [0., 0.],
           [0., 0.],
           [0., 1.]])
    """
    rows, columns = paired_blocks(None, None, A_blocks, B_blocks)
    return _selection(rows), _selection(columns)


def paired_blocks(
    A_shape: tuple[int, int] | None,
    B_shape: tuple[int, int] | None,
    A_blocks: Partition | None,
    B_blocks: Partition | None,
) -> tuple[list[tuple[slice, slice]], list[tuple[slice, slice]]]:
    """Return the pairs of block rows, and of block columns, of A and B.

    Raises
    ------
    ValueError
        If a partition does not fit its matrix, or the two have different numbers of blocks.
    """
    A, B = blocks_of("A", A_shape, A_blocks), blocks_of("B", B_shape, B_blocks)
    if [len(part) for part in A] != [len(part) for part in B]:
        raise ValueError(
            f"A and B must have as many blocks, got {len(A[0])} x {len(A[1])} and "
            f"{len(B[0])} x {len(B[1])}"
        )
    rows, columns = (list(zip(a, b, strict=True)) for a, b in zip(A, B, strict=True))
    return rows, columns


def blocks_of(
    name: str, shape: tuple[int, int] | None, blocks: Partition | None
) -> tuple[list[slice], list[slice]]:
    """Return the block rows and block columns of a matrix; without a shape, of any that fits."""
    if blocks is None and shape is not None:
        return [slice(0, shape[0])], [slice(j, j + 1) for j in range(shape[1])]
    pair = "a pair of lists (heights, widths)"
    both = items(f"{name}_blocks", blocks, pair)
    if len(both) != 2:
        raise ValueError(f"{name}_blocks must be {pair}, got {describe(blocks)}")
    sizes = {
        kind: items(f"{name}_blocks {kind}", each)
        for kind, each in zip(("heights", "widths"), both, strict=True)
    }
    found = []
    for (kind, values), length in zip(sizes.items(), shape or (None, None), strict=True):
        values = [integer(f"{name}_blocks {kind}[{i}]", n, 1) for i, n in enumerate(values)]
        if not values or (length is not None and sum(values) != length):
            wanted = "name at least one block" if length is None else f"add up to {length}"
            raise ValueError(f"{name}_blocks {kind} must {wanted}, got {values}")
        stops = np.cumsum(values).tolist()
        found.append([slice(b - n, b) for n, b in zip(values, stops, strict=True)])
    return found[0], found[1]


def _order(A: list[slice], B: list[slice]) -> np.ndarray:
    """Return which row (or column) of A ⊗ B is each one of A ∘ B."""
    p = B[-1].stop
    pairs = ((np.arange(i.start, i.stop), np.arange(k.start, k.stop)) for i in A for k in B)
    return np.concatenate([np.add.outer(a * p, b).ravel() for a, b in pairs])


def _selection(pairs: list[tuple[slice, slice]]) -> csc_array:
    """Return the columns of the identity that pick, of all pairs (i, k) of blocks, the (i, i)."""
    A, B = zip(*pairs, strict=True)
    heights, others = ([part.stop - part.start for part in parts] for parts in (A, B))
    sizes = np.outer(heights, others)
    stops = np.cumsum(sizes).reshape(sizes.shape)
    rows = np.concatenate(
        [np.arange(stops[i, i] - sizes[i, i], stops[i, i]) for i in range(len(pairs))]
    )
    count = len(rows)
    return csc_array((np.ones(count), rows, np.arange(count + 1)), shape=(sizes.sum(), count))
