"""The exact Hessian H_J at a point: its eigenvalues, and its two parts.

    H_J = P H_E Pᵀ + 2 diag(l2) + Σ_i Σ_o ε_io ∇²φ_L,o(x_i)        (eq. 26)

The last sum vanishes where ε = 0 (eq. 28): at an exact fit the Hessian is the GGN
matrix, so it is positive semi-definite there and its rank is that of P at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ggn.linearization import Linearization
from ggn.linearization.spectrum import Inertia, Spectrum, inertia, spectrum

__all__ = ["Inertia", "Spectrum", "Split", "inertia", "spectrum", "split"]


@dataclass(frozen=True)
class Split:
    """H_J in two parts; see `split`.

    Attributes
    ----------
    normal : ndarray, (N, N)
        P H_E Pᵀ + 2 diag(l2), the GGN part.
    network : ndarray, (N, N)
        Σ ε_io ∇²φ_L,o(x_i), the rest.
    """

    normal: np.ndarray
    network: np.ndarray

    @property
    def hessian(self) -> np.ndarray:
        """H_J."""
        return self.normal + self.network

    @property
    def normal_share(self) -> float:
        """‖GGN part‖_F / ‖H_J‖_F, or 0 where H_J = 0; shares above 1 mean that the parts cancel."""
        return self._share(self.normal)

    @property
    def network_share(self) -> float:
        """‖the rest‖_F / ‖H_J‖_F, or 0 where H_J = 0: rounding only where ε = 0."""
        return self._share(self.network)

    def _share(self, part: np.ndarray) -> float:
        whole = np.linalg.norm(self.hessian)
        return float(np.linalg.norm(part) / whole) if whole else 0.0


def split(at: Linearization) -> Split:
    """Return the Hessian's GGN part and the rest, eq. 26, both exact.

    Parameters
    ----------
    at : Linearization

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If an activation has no second derivative.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    >>> parts = split(ggn.linearize(net, [2.0, 1.0], [[1.0]], [[2.0]]))  # an exact fit
    >>> parts.normal_share, parts.network_share
    (1.0, 0.0)
    """
    return Split(at.normal_matrix(psd=False), at.network_curvature())
