"""The Jacobian as a product of matrices: what its rank can be read from.

    P_l = Ψ_l ⊙ Φ̂_{l-1},  one block column per sample, Ψ_l = [Ψ_l^(1) ... Ψ_l^(T)]
        = A_l B_l,  A_l = [I ⊗ φ̂^(1) ... I ⊗ φ̂^(T)],  B_l = blockdiag_i Ψ_l^(i)         (eq. 54)
    P   = A B,      A = blockdiag_l A_l,               B = [B_1; ...; B_L]             (eq. 59)

φ̂ (n_{l-1} [+ 1]) has the dummy unit; rank A_l = n_l rank Φ̂_{l-1}, rank B_l = Σ_i rank Ψ_l^(i).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ggn.network import MLP
from ggn.products import khatri_rao
from ggn.surface.layers import sweep_layers
from ggn.validation import instance

__all__ = ["RowBlock", "jacobian_factors", "row_blocks"]


@dataclass(frozen=True)
class RowBlock:
    """P_l in its factors; see `row_blocks`.

    Attributes
    ----------
    features : ndarray, (m, T)
        Φ̂_{l-1}, m = n_{l-1} [+ 1].
    sensitivities : ndarray, (n_l, T·nL)
        [Ψ_l^(1) ... Ψ_l^(T)].
    """

    features: np.ndarray
    sensitivities: np.ndarray

    def khatri_rao(self) -> np.ndarray:
        """Return P_l = Ψ_l ⊙ Φ̂_{l-1}, (n_l·m, T·nL)."""
        (m, T), (n, k) = self.features.shape, self.sensitivities.shape
        blocks = ([n], [k // T] * T), ([m], [1] * T)
        return khatri_rao(self.sensitivities, self.features, *blocks)

    def factors(self) -> tuple[sparse.csc_array, sparse.csc_array]:
        """Return A_l (n_l·m, T·n_l) and B_l (T·n_l, T·nL) with P_l = A_l B_l (eq. 54)."""
        (m, T), (n, k) = self.features.shape, self.sensitivities.shape
        # column (i, u) of A_l is e_u ⊗ φ̂^(i)
        unit = np.tile(np.arange(n), T)
        rows = (unit[:, np.newaxis] * m + np.arange(m)).ravel()
        phi = np.repeat(self.features.T, n, axis=0).ravel()
        A = sparse.csc_array((phi, rows, m * np.arange(T * n + 1)), shape=(n * m, T * n))
        # column (i, o) of B_l is that of Ψ_l^(i), at the rows of sample i
        sample = np.repeat(np.arange(T), k // T)
        rows = (sample[:, np.newaxis] * n + np.arange(n)).ravel()
        psi = self.sensitivities.T.ravel()
        return A, sparse.csc_array((psi, rows, n * np.arange(k + 1)), shape=(T * n, k))


def row_blocks(net: MLP, w: Any, X: Any) -> list[RowBlock]:
    """Return the row blocks P_1 ... P_L of the Jacobian at w in their factors (eq. 54).

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)

    Raises
    ------
    ValueError
        For wrong shapes, dtypes or non-finite numbers.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> net, X = ggn.MLP((2, 3, 1)), ggn.problems.xor()[0]
    >>> w = net.initial_weights(0)
    >>> A, B = row_blocks(net, w, X)[0].factors()
    >>> A.shape, B.shape, np.allclose((A @ B).toarray(), net.jacobian(w, X)[:9])
    ((9, 12), (12, 4), True)
    """
    instance("net must be", net, MLP)
    w, X = net._weights(w), net._inputs(X, some=True)
    (chunk,) = sweep_layers(net, w, X, len(X))
    return [
        RowBlock(phi.copy(), Psi.transpose(0, 2, 1).reshape(len(Psi), -1))
        for phi, Psi in zip(chunk.inputs, chunk.sensitivities, strict=True)
    ]


def jacobian_factors(net: MLP, w: Any, X: Any) -> tuple[sparse.csc_array, sparse.csc_array]:
    """Return A (N, T Σ n_l) and B (T Σ n_l, T·nL) with P = A B (eq. 59), sparse.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)

    Raises
    ------
    ValueError
        For wrong shapes, dtypes or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> A, B = jacobian_factors(ggn.MLP((1, 1)), [2.0, 0.0], [[5.0], [3.0]])
    >>> A.toarray(), B.toarray()
    (array([[5., 3.],
            [1., 1.]]), array([[1., 0.],
            [0., 1.]]))
    """
    A, B = zip(*(block.factors() for block in row_blocks(net, w, X)), strict=True)
    return sparse.block_diag(A, format="csc"), sparse.vstack(B, format="csc")
