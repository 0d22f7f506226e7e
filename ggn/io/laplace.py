"""What the data leave open about weights and new targets, by Laplace's method.

p(w | Y)     ≈ N(w*, H⁻¹),  H = L Lᵀ
new target   ~ N(φ_L, c (σ² + pᵀ H⁻¹ p))    p: a column of P at its input, σ the noise
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from ggn.network import MLP, chunks
from ggn.validation import ArgumentError, describe, number

__all__ = ["Laplace"]


class Laplace:
    """The distribution of weights about those found, all in the units of the network.

    Parameters
    ----------
    root : array_like, (N, N)
        L, lower triangular, with a positive diagonal.
    noise_std : float
        σ of the targets.
    freedom : float
        Degrees of freedom of the noise: how many numbers more than effective parameters.
    inflation : float, default 1.0
        c, at least 1: what the variance of new targets is larger by.

    Examples
    --------
    >>> import ggn
    >>> of = Laplace([[2.0, 0.0], [0.0, 1.0]], noise_std=0.6, freedom=10.0)
    >>> of.deviation(ggn.MLP((1, 1)), [1.0, 0.0], [[1.6]]).round(4)
    array([[1.4142]])
    """

    def __init__(self, root: Any, noise_std: float, freedom: float, inflation: float = 1.0) -> None:
        self.root = np.tril(np.asarray(root, dtype=np.float64))
        if self.root.ndim != 2 or not (np.diag(self.root) > 0.0).all():
            raise ArgumentError(
                "root", f"must be square with a positive diagonal, got {describe(root)}"
            )
        self.noise_std = number("noise_std", noise_std, 0.0)
        self.freedom = number("freedom", freedom)
        self.inflation = number("inflation", inflation, 1.0)

    def covariance(self) -> np.ndarray:
        """Return H⁻¹, (N, N)."""
        H: np.ndarray = cho_solve((self.root, True), np.eye(len(self.root)))
        return H

    def deviation(self, net: MLP, w: Any, X: Any) -> np.ndarray:
        """Return the standard deviation of new targets at inputs X, (T, nL)."""
        X, nL = net._inputs(X), net.n_outputs
        variance = np.empty((len(X), nL))
        for rows in chunks(len(X), net.chunk_size(nL, len(self.root) * nL)):
            half = solve_triangular(
                self.root, net.jacobian(w, X[rows]), lower=True, overwrite_b=True
            )
            variance[rows] = np.einsum("ij,ij->j", half, half).reshape(-1, nL)
        spread: np.ndarray = np.sqrt(self.inflation * (variance + self.noise_std**2))
        return spread

    def packed(self) -> np.ndarray:
        """Return L's lower triangle, row by row, (N (N + 1) / 2,)."""
        return self.root[np.tril_indices(len(self.root))]

    @classmethod
    def from_packed(cls, values: np.ndarray, N: int, *more: float) -> Laplace:
        """Return what `packed` was made of, and the other arguments of the constructor.

        Raises
        ------
        ValueError
            If these are not the numbers for so many weights.
        """
        if values.shape != (N * (N + 1) // 2,):
            raise ValueError(f"{values.size} numbers of the posterior do not fit {N} weights")
        root = np.zeros((N, N))
        root[np.tril_indices(N)] = values
        return cls(root, *more)

    def __repr__(self) -> str:
        return f"Laplace({len(self.root)} weights, noise_std={self.noise_std:.6g})"
