"""The loss's curvature H_E of each sample, or a square root S of it: diagonal or full.

A loss gives H_E with samples first, (T, nL) where it is diagonal, else (T, nL, nL);
vectors u of the outputs, and what the kernels take, have samples last.
"""

from __future__ import annotations

import numpy as np

from ggn.validation import ArgumentError, Setting

__all__ = ["CHOICES", "Curvature", "CurvatureError", "Diagonal", "Full"]

CHOICES = ("auto", "hessian", "majoriser")  # of steps; see `Loss.with_curvature`


class CurvatureError(ArgumentError):
    """The curvature is zero in a direction in which the gradient is not."""


class Curvature:
    """A matrix (nL, nL) for each of T samples: H_E, or S with H_E = S Sᵀ.

    Attributes
    ----------
    array : ndarray
        Samples first, as a loss gives it.
    form : int
        1 where it is diagonal, 2 where it is full, as the kernels number them.
    """

    form: int

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    @staticmethod
    def of(array: np.ndarray) -> Curvature:
        """Return what a loss's array (T, nL) or (T, nL, nL) stands for.

        Examples
        --------
        >>> Curvature.of(np.array([[3.0, -1.0]])).clipped().array
        array([[3., 0.]])
        """
        return Diagonal(array) if array.ndim == 2 else Full(array)

    def samples_last(self) -> np.ndarray:
        """Return it as the kernels have it, C-contiguous, (nL, T) or (nL, nL, T)."""
        raise NotImplementedError

    def weighted(self, c: np.ndarray) -> Curvature:
        """Return c_i times the matrix of sample i; c is (T,) or a number ()."""
        raise NotImplementedError

    def times(self, u: np.ndarray) -> np.ndarray:
        """Return H u for u (nL, T)."""
        raise NotImplementedError

    def transposed_times(self, u: np.ndarray) -> np.ndarray:
        """Return Sᵀ u for u (nL, T)."""
        raise NotImplementedError

    def diagonal(self) -> np.ndarray:
        """Return the diagonals, (T, nL)."""
        raise NotImplementedError

    def eigenvalues(self) -> np.ndarray:
        """Return the eigenvalues for each sample, (T, nL), ascending; nan where H is not finite."""
        raise NotImplementedError

    def zero_columns(self) -> np.ndarray:
        """Return which columns of each S are zero, (nL, T)."""
        raise NotImplementedError

    def clipped(self) -> Curvature:
        """Return H with its negative eigenvalues set to zero."""
        raise NotImplementedError

    def root(self) -> Curvature:
        """Return S with H = S Sᵀ, H semi-definite; the columns of S are orthogonal."""
        raise NotImplementedError

    def whiten(self, eps: np.ndarray) -> np.ndarray:
        """Return S⁺ε, (T, nL), for a `root` S and ε (T, nL).

        Raises
        ------
        CurvatureError
            If the curvature is zero in a direction in which ε is not.
        """
        raise NotImplementedError


class Diagonal(Curvature):
    """The diagonals alone, (T, nL)."""

    form = 1

    def samples_last(self) -> np.ndarray:
        return np.ascontiguousarray(self.array.T)

    def weighted(self, c: np.ndarray) -> Diagonal:
        return Diagonal((self.array.T * c).T)

    def times(self, u: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self.array.T * u)

    def transposed_times(self, u: np.ndarray) -> np.ndarray:
        return self.times(u)

    def diagonal(self) -> np.ndarray:
        return self.array

    def eigenvalues(self) -> np.ndarray:
        finite = np.isfinite(self.array).all(axis=1)
        return np.where(finite[:, np.newaxis], np.sort(self.array, axis=1), np.nan)

    def zero_columns(self) -> np.ndarray:
        return np.logical_not(self.array.T)

    def clipped(self) -> Diagonal:
        return Diagonal(np.maximum(self.array, 0.0))

    def root(self) -> Diagonal:
        return Diagonal(np.sqrt(self.array))

    def whiten(self, eps: np.ndarray) -> np.ndarray:
        S = self.array
        if S.all():
            return eps / S
        r = np.divide(eps, S, out=np.zeros_like(S), where=S > 0.0)
        _check_reach(S * r, eps)
        return r


class Full(Curvature):
    """A matrix of each sample, (T, nL, nL)."""

    form = 2

    def samples_last(self) -> np.ndarray:
        return np.ascontiguousarray(self.array.transpose(1, 2, 0))

    def weighted(self, c: np.ndarray) -> Full:
        return Full((self.array.transpose(1, 2, 0) * c).transpose(2, 0, 1))

    def times(self, u: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.einsum("iop,pi->oi", self.array, u))

    def transposed_times(self, u: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(np.einsum("ipo,pi->oi", self.array, u))

    def diagonal(self) -> np.ndarray:
        return np.diagonal(self.array, axis1=1, axis2=2)

    def eigenvalues(self) -> np.ndarray:
        finite = np.isfinite(self.array).all(axis=(1, 2))
        found = np.full(self.array.shape[:2], np.nan)
        found[finite] = np.linalg.eigvalsh(self.array[finite])
        return found

    def zero_columns(self) -> np.ndarray:
        return np.logical_not(self.array.any(axis=1).T)

    def clipped(self) -> Full:
        values, vectors = np.linalg.eigh(self.array)
        values = np.maximum(values, 0.0)
        return Full((vectors * values[:, np.newaxis, :]) @ vectors.transpose(0, 2, 1))

    def root(self) -> Full:
        values, vectors = np.linalg.eigh(self.array)
        floor = np.maximum(values[:, -1:], 0.0) * (values.shape[1] * np.finfo(float).eps)
        values = np.where(values > floor, values, 0.0)
        return Full(vectors * np.sqrt(values)[:, np.newaxis, :])

    def whiten(self, eps: np.ndarray) -> np.ndarray:
        S = self.array
        squared = np.einsum("iab,iab->ib", S, S)  # the columns of S are orthogonal
        projected = np.einsum("iab,ia->ib", S, eps)
        r = np.divide(projected, squared, out=np.zeros_like(eps), where=squared > 0.0)
        _check_reach(np.einsum("iab,ib->ia", S, r), eps)
        return r


def _check_reach(reached: np.ndarray, eps: np.ndarray) -> None:
    lost = np.abs(reached - eps).max(axis=1, initial=0.0)
    size = np.abs(eps).max(axis=1, initial=0.0)
    if (lost > 1e-6 * size + np.finfo(float).tiny).any():
        i = int(np.argmax(lost))
        raise CurvatureError(
            "loss",
            "must have a positive curvature wherever its gradient is not zero for ",
            Setting("step", ("dual", "minimum_norm")),
            f", got none on sample {i}; ",
            Setting("step", ("primal", "conjugate_gradient")),
            " need no such thing",
        )
