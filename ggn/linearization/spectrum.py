"""Eigenvalues of the exact Hessian H_J, and how many of them are zero.

An eigenvalue counts as zero within the tolerance

    N eps ‖H z‖ + (Σ_k ‖(H_k - H) z‖²)^½,    k = 1 ... 4

First what an eigenvalue solver may be off by; then the rounding of w and of the sums
over samples: H_k is H with the weights of the network and of the samples moved at
random, by a few units in their last place (normal, 4 eps).  z are random signs:
‖A z‖² has the mean ‖A‖_F², which bounds what A adds to any eigenvalue (Weyl).

Zeros are exact at stationary points only.  Where the gradient g is not zero, those
that belong to a symmetry of the network are off by the order of ‖g‖.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import eigh, eigvalsh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from ggn._core.cached import cached_property
from ggn._core.machine import memory_limit
from ggn.linearization.base import BaseLinearization
from ggn.linearization.hessian import scaled_hessian, scaled_operator
from ggn.validation import float_array, generator, integer, number

__all__ = ["Inertia", "Spectrum", "inertia", "negative", "rounded", "spectrum"]

EPS = float(np.finfo(np.float64).eps)
DENSE = 4000  # weights up to which all eigenvectors take ten seconds
DENSE_NEGATIVE = 1000  # and up to which a factorisation is as quick as Lanczos
FEW = 6  # eigenpairs by Lanczos
# Vectors of its basis: where hundreds of eigenvalues are zero, 300 find the lowest six within
# 300 to 550 products; 60 to 200 have found one to five after 1500.
KRYLOV = 300
KRYLOV_DOUBLES = 30_000_000
SEEDED = {"rng": 0} if "rng" in inspect.signature(eigsh).parameters else {}  # ARPACK, SciPy 1.17
ARRAYS = 6  # of N² doubles, for a Hessian and its eigenvectors


@dataclass(frozen=True)
class Inertia:
    """How many eigenvalues are positive, zero and negative; see `inertia`.

    Attributes
    ----------
    positive, zero, negative : int
    tolerance : float
        Eigenvalues no larger in size count as zero.
    eigenvalues : ndarray, (N,)
        Ascending.
    """

    positive: int
    zero: int
    negative: int
    tolerance: float
    eigenvalues: np.ndarray

    @property
    def gap(self) -> float:
        """Smallest size counted as not zero over largest counted as zero; inf where that is 0."""
        size = np.abs(self.eigenvalues)
        kept, cut = size[size > self.tolerance], size[size <= self.tolerance]
        if not cut.size or cut.max() == 0.0:
            return math.inf
        return float(kept.min() / cut.max()) if kept.size else 0.0


@dataclass(frozen=True)
class Spectrum:
    """Eigenpairs of H_J at one w; see `spectrum`.

    Attributes
    ----------
    eigenvalues : ndarray, (k,)
        Ascending: all N of them, or some from either end.
    eigenvectors : ndarray, (N, k)
        Columns.
    tolerance : float
        Eigenvalues no larger in size count as zero.
    dense : bool
        Whether a dense factorisation gave them.  If not, they are Lanczos estimates: that
        none lies beyond them is likely, not certain, and of equal ones some may be missing.
    applied : ndarray
        The matrix that was factorised, (N, N), if dense; else its products with the
        eigenvectors, (N, k).
    """

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    tolerance: float
    dense: bool
    applied: np.ndarray = field(repr=False)

    @cached_property
    def residuals(self) -> np.ndarray:
        """‖H v - λ v‖₂, (k,): there is an eigenvalue within it of λ."""
        V = self.eigenvectors
        HV = self.applied @ V if self.dense else self.applied
        return np.linalg.norm(HV - V * self.eigenvalues, axis=0)

    @property
    def inertia(self) -> Inertia | None:
        """The inertia, or None where not all eigenvalues are known."""
        complete = len(self.eigenvalues) == len(self.eigenvectors)
        return inertia_of(self.eigenvalues, self.tolerance) if complete else None

    @property
    def descends(self) -> bool:
        """Whether the lowest eigenvalue is negative, beyond the tolerance: certain if so."""
        return bool(self.eigenvalues.size and self.eigenvalues[0] < -self.tolerance)


def inertia(H: Any, tol: float | None = None) -> Inertia:
    """Count the positive, zero and negative eigenvalues of a symmetric matrix.

    Parameters
    ----------
    H : array_like, (N, N)
        For a Hessian at known weights, `spectrum` has a tolerance that knows of the
        rounding in its entries as well.
    tol : float, optional
        By default N · eps · ‖H‖₂.

    Returns
    -------
    Inertia

    Raises
    ------
    ValueError
        For what is no finite symmetric matrix, or a negative tol.

    Examples
    --------
    >>> found = inertia([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> found.positive, found.zero, found.negative
    (1, 1, 1)
    """
    H = float_array("H", H, (2,))
    if H.shape[0] != H.shape[1]:
        raise ValueError(f"H must be square, got an array of shape {H.shape}")
    skew = np.abs(H - H.T).max(initial=0.0)
    if skew > 1e-8 * np.abs(H).max(initial=0.0):
        raise ValueError(f"H must be symmetric, got entries that differ by {skew:g}")
    values = eigvalsh(0.5 * (H + H.T)) if H.size else np.empty(0)
    if tol is None:
        tol = len(H) * EPS * float(np.abs(values).max(initial=0.0))
    return inertia_of(values, number("tol", tol, 0.0))


def inertia_of(values: np.ndarray, tol: float) -> Inertia:
    """Return the inertia of these eigenvalues."""
    positive, negative = int(np.sum(values > tol)), int(np.sum(values < -tol))
    return Inertia(positive, len(values) - positive - negative, negative, tol, values)


def spectrum(
    at: BaseLinearization,
    k: int = FEW,
    *,
    scale: np.ndarray | None = None,
    max_memory: float | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Spectrum:
    """Return the eigenpairs of H_J: all, or the extremes where a dense factorisation does not fit.

    Parameters
    ----------
    at : BaseLinearization
    k : int, default 6
        How many from each end, where not all.
    scale : ndarray, (N,), optional
        Positive.  Those of D⁻¹ H_J D⁻¹, D = diag(scale), which has the same inertia
        (Sylvester); without it the units of inputs and targets decide what counts as zero.
    max_memory : float, optional
        Bytes for the dense factorisation, which needs 48 N²; by default half of the
        machine's.  Above 4000 weights it is not used.
    rng : int, Generator or None, default 0
        Of the signs z and Lanczos's start; SciPy before 1.17 restarts it with no seed.

    Returns
    -------
    Spectrum

    Raises
    ------
    ValueError
        If an activation has no second derivative, or H_J is not finite.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    >>> found = spectrum(ggn.linearize(net, [0.0, 0.0], [[1.0]], [[0.5]]))
    >>> found.eigenvalues, found.inertia.negative
    (array([-1.,  1.]), 1)
    """
    k, probe = integer("k", k, 1), _Probe(at, rng, scale)
    limit, N = memory_limit(max_memory), len(at.w)
    if not math.isfinite(probe.tolerance):
        raise ValueError("at must have a finite Hessian, got one that overflows")
    if dense_fits(N, limit, k):
        H = at.hessian() if scale is None else scaled_hessian(at, scale)
        values, vectors = _all_pairs(H)
        return Spectrum(values, vectors, probe.tolerance, True, H)
    (low, left), (high, right) = probe.lanczos(k, "SA"), probe.lanczos(k, "LA")
    values, vectors = np.append(low, high), np.hstack([left, right])
    return Spectrum(values, vectors, probe.tolerance, False, probe.products(vectors))


def dense_fits(N: int, max_memory: float, k: int = FEW) -> bool:
    """Whether `spectrum` takes a dense factorisation."""
    return 2 * k >= N or (N <= DENSE and 8.0 * ARRAYS * N * N <= max_memory)


def negative(
    at: BaseLinearization,
    rng: int | np.random.Generator | None = 0,
    scale: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues below -tolerance, (k,), and their eigenvectors, (N, k).

    Scaled as in `spectrum`.  All, or, of a large network, a few; none where H_J overflows.
    """
    probe, N = _Probe(at, rng, scale), len(at.w)
    D = np.ones(N) if scale is None else scale
    H = scaled_hessian(at, D) if N <= DENSE_NEGATIVE else None
    if not math.isfinite(probe.tolerance) or (H is not None and not np.isfinite(H).all()):
        return np.empty(0), np.empty((N, 0))
    values, vectors = probe.lanczos(FEW, "SA") if H is None else _all_pairs(H)
    below = values < -probe.tolerance
    return values[below], vectors[:, below]


def _all_pairs(H: np.ndarray) -> Any:
    """Return all pairs, sooner than a part of them by others; SciPy 1.13 has no evd of one."""
    return eigh(H, driver="evd" if len(H) > 1 else None)


class _Probe:
    """H_J seen by its products, with random signs z to begin with."""

    def __init__(
        self,
        at: BaseLinearization,
        rng: int | np.random.Generator | None,
        scale: np.ndarray | None = None,
    ) -> None:
        source, N = generator(rng), len(at.w)
        self.operator, self.z = _operator(at, scale), source.choice([-1.0, 1.0], N)
        Hz = self.operator @ self.z
        self.norm = float(np.linalg.norm(Hz))
        shifts = [_operator(rounded(at, source), scale) @ self.z - Hz for _ in range(4)]
        self.tolerance = N * EPS * self.norm + float(np.linalg.norm(shifts))

    def products(self, vectors: np.ndarray) -> np.ndarray:
        """Return H V."""
        return np.column_stack([self.operator @ v for v in vectors.T])

    def lanczos(self, k: int, which: str) -> tuple[np.ndarray, np.ndarray]:
        """Return k extreme eigenpairs, or as many as were found."""
        N, shift = len(self.z), 2.0 * self.norm
        if shift == 0.0:
            return np.zeros(k), np.eye(N, k)
        # ARPACK's tolerance is relative to an eigenvalue: none may be close to zero
        shifted = LinearOperator(
            (N, N), matvec=lambda v: self.operator @ v + shift * v, dtype=np.float64
        )
        size = min(max(min(KRYLOV, KRYLOV_DOUBLES // N), 60, 4 * k), N)
        for tol in (1e-7, 1e-3):
            try:
                values, vectors = eigsh(
                    shifted, k, which=which, v0=self.z, tol=tol, ncv=size, maxiter=5, **SEEDED
                )
            except ArpackNoConvergence as stopped:
                values, vectors = stopped.eigenvalues, stopped.eigenvectors
            if values.size:
                break
        order = np.argsort(values)
        return values[order] - shift, vectors[:, order]


def _operator(at: BaseLinearization, scale: np.ndarray | None) -> LinearOperator:
    """Return v -> H v, or v -> D⁻¹ H D⁻¹ v."""
    H = at.hessian_operator()
    return H if scale is None else scaled_operator(H, scale)


def rounded(at: BaseLinearization, source: np.random.Generator) -> BaseLinearization:
    """Return the linearization with all weights, of samples too, moved by their rounding."""
    w = at.w * (1.0 + source.normal(scale=4.0 * EPS, size=len(at.w)))
    return at.objective.shaken(source, 4.0 * EPS).at(w)
