"""Numerical ranks, always from the matrix itself: AᵀA would square its condition number.

    rank A = #{i : s_i > tolerance},   tolerance = max(m, n) eps s_1  by default,

s_1 >= s_2 >= ... the singular values of the m x n matrix A.  The gap at the cut,
s_r / s_(r+1), says how far the answer depends on the tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import svdvals

from ggn.validation import float_array, number

__all__ = ["NumericalRank", "SampleRanks", "numerical_rank"]

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class NumericalRank:
    """A rank, and what it rests on; see `numerical_rank`.

    Attributes
    ----------
    rank : int
    shape : tuple of int
        Of the matrix.
    singular_values : ndarray, (min(shape),)
        Descending; fewer where estimated.
    tolerance : float
        Singular values above it are counted.
    estimated : bool
        Whether they are those of a random sketch: then none is above the matrix's own, so the
        rank is at least this, and where some are cut it is very likely this.
    """

    rank: int
    shape: tuple[int, int]
    singular_values: np.ndarray
    tolerance: float
    estimated: bool = False

    @property
    def gap(self) -> float:
        """s_r / s_(r+1), smallest kept over largest cut; inf where none is cut or that is 0.

        nan where a sketch was too small to reach the cut.
        """
        s, r = self.singular_values, self.rank
        if self.estimated and r == len(s):
            return math.nan
        if r == len(s) or s[r] == 0.0:
            return math.inf
        return float(s[r - 1] / s[r]) if r else 0.0

    @property
    def full_column(self) -> bool:
        """Whether the columns are linearly independent."""
        return self.rank == self.shape[1]

    @property
    def full_row(self) -> bool:
        """Whether the rows are linearly independent."""
        return self.rank == self.shape[0]

    @property
    def kept(self) -> np.ndarray:
        """The singular values above the tolerance, (rank,)."""
        return self.singular_values[: self.rank]

    def __str__(self) -> str:
        rows, columns = self.shape
        sure = "at least " if self.estimated else ""
        return (
            f"rank {sure}{self.rank} of {rows} x {columns}"
            f" (cut {self.tolerance:.1e}, gap {self.gap:.1e})"
        )


@dataclass(frozen=True, eq=False)
class SampleRanks:
    """The ranks of one matrix per sample, each with its own tolerance max(m, n) eps s_1.

    Attributes
    ----------
    ranks : ndarray of int, (T,)
    shape : tuple of int
        (m, n) of each matrix.
    singular_values : ndarray, (T, min(m, n))
        Descending.
    """

    ranks: np.ndarray
    shape: tuple[int, int]
    singular_values: np.ndarray

    @property
    def min(self) -> int:
        """The smallest rank."""
        return int(self.ranks.min())

    @property
    def max(self) -> int:
        """The largest rank."""
        return int(self.ranks.max())

    @property
    def sum(self) -> int:
        """The sum of all ranks."""
        return int(self.ranks.sum())

    @property
    def tolerances(self) -> np.ndarray:
        """What was cut at, (T,)."""
        return max(self.shape) * EPS * self.singular_values[:, 0]

    def __str__(self) -> str:
        m, n = self.shape
        return f"ranks {self.min} to {self.max} of {m} x {n} on {len(self.ranks)} samples"


def numerical_rank(A: Any, *, tol: float | None = None) -> NumericalRank:
    """Return the number of singular values of A above `tol`.

    Parameters
    ----------
    A : array_like, (m, n)
    tol : float, optional
        By default max(m, n) · eps · s_1.

    Returns
    -------
    NumericalRank

    Raises
    ------
    ValueError
        For what is no finite matrix, or one so large that its norm is not, or a negative tol.

    Examples
    --------
    >>> found = numerical_rank([[1.0, 2.0], [2.0, 4.0]])
    >>> found.rank, found.full_row
    (1, False)
    """
    A = float_array("A", A, (2,))
    return rank_from_factor(A, A.shape, tol)


def rank_from_factor(
    factor: np.ndarray, shape: tuple[int, int], tol: float | None = None, estimated: bool = False
) -> NumericalRank:
    """Return the rank of a matrix of this shape that has the singular values of `factor`."""
    if not np.isfinite(factor).all():
        raise ValueError(
            "the matrix whose rank is asked for must be finite, got one that overflows; "
            "w or X are too large"
        )
    s = svdvals(factor)[: min(shape)] if factor.size else np.empty(0)
    return rank_from_values(s, shape, tol, estimated)


def rank_from_values(
    s: np.ndarray, shape: tuple[int, int], tol: float | None = None, estimated: bool = False
) -> NumericalRank:
    """Return the rank of a matrix of this shape from its singular values, descending."""
    if s.size and not np.isfinite(s[0]):
        raise ValueError(f"A must have finite singular values, got {s[0]}")
    if tol is None:
        tol = max(shape) * EPS * float(s[0]) if s.size else 0.0
    tol = number("tol", tol, 0.0)
    return NumericalRank(int(np.sum(s > tol)), shape, s, tol, estimated)


def sample_ranks(singular_values: np.ndarray, shape: tuple[int, int]) -> SampleRanks:
    """Return the ranks of matrices of this shape, singular values (T, min(shape)) in rows."""
    tolerances = max(shape) * EPS * singular_values[:, :1]
    return SampleRanks(np.sum(singular_values > tolerances, axis=1), shape, singular_values)
