"""The exact Hessian H_J at a point: its two parts, and the same in other units of the weights.

    H_J = P H_E Pᵀ + 2 diag(l2) + Σ_i Σ_o ε_io ∇²φ_L,o(x_i)        (eq. 26)

The last sum, the functional Hessian, vanishes where ε = 0 (eq. 28): at an exact fit the
Hessian is the GGN matrix, so it is positive semi-definite there and its rank is that of P at most.

For weights D w, D = diag(scale), the Hessian is D⁻¹ H_J D⁻¹.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator

from ggn.linearization.base import BaseLinearization

__all__ = ["HessianParts", "hessian_parts", "scaled_hessian", "scaled_operator"]


@dataclass(frozen=True)
class HessianParts:
    """H_J in two parts; see `hessian_parts`.

    Attributes
    ----------
    normal : ndarray, (N, N)
        P H_E Pᵀ + 2 diag(l2), the GGN part.
    functional : ndarray, (N, N)
        Σ ε_io ∇²φ_L,o(x_i), the functional Hessian.
    """

    normal: np.ndarray
    functional: np.ndarray

    @property
    def hessian(self) -> np.ndarray:
        """H_J."""
        return self.normal + self.functional

    @property
    def normal_share(self) -> float:
        """‖GGN part‖_F / ‖H_J‖_F, or 0 where H_J = 0; shares above 1 mean that the parts cancel."""
        return self._share(self.normal)

    @property
    def functional_share(self) -> float:
        """‖the rest‖_F / ‖H_J‖_F, or 0 where H_J = 0: rounding only where ε = 0."""
        return self._share(self.functional)

    def _share(self, part: np.ndarray) -> float:
        whole = np.linalg.norm(self.hessian)
        return float(np.linalg.norm(part) / whole) if whole else 0.0


def hessian_parts(at: BaseLinearization) -> HessianParts:
    """Return the Hessian's GGN part and the functional one, eq. 26, both exact.

    Parameters
    ----------
    at : BaseLinearization

    Returns
    -------
    HessianParts

    Raises
    ------
    ValueError
        If an activation has no second derivative.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    >>> parts = hessian_parts(ggn.linearize(net, [2.0, 1.0], [[1.0]], [[2.0]]))  # an exact fit
    >>> parts.normal_share, parts.functional_share
    (1.0, 0.0)
    """
    return HessianParts(at.normal_matrix(psd=False), at.functional_hessian())


def scaled_hessian(at: BaseLinearization, scale: np.ndarray) -> np.ndarray:
    """Return D⁻¹ H_J D⁻¹, (N, N), D = diag(scale)."""
    H = at.hessian()
    H /= scale
    H /= scale[:, np.newaxis]
    return H


def scaled_operator(A: LinearOperator, scale: np.ndarray) -> LinearOperator:
    """Return v -> D⁻¹ A D⁻¹ v, D = diag(scale); A is a Hessian, or the GGN matrix."""
    return LinearOperator(A.shape, matvec=lambda v: (A @ (v / scale)) / scale, dtype=np.float64)
