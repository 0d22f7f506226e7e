"""The exact Hessian H_J at a point: its eigenvalues, and its two parts.

    H_J = P H_E Pᵀ + 2 diag(l2) + Σ_i Σ_o ε_io ∇²φ_L,o(x_i)        (eq. 26)

The last sum vanishes where ε = 0 (eq. 28): at an exact fit the Hessian is the GGN
matrix, so it is positive semi-definite there and its rank is that of P at most,

    rank H_J(W*) <= T nL                                    Proposition 4 (eq. 29, 30)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ggn.linearization import Linearization
from ggn.linearization.spectrum import Inertia, Spectrum, inertia, spectrum
from ggn.surface.bounds import SLACK, Bound, Premise
from ggn.validation import number

__all__ = ["Inertia", "Spectrum", "Split", "hessian_bound", "inertia", "spectrum", "split"]

EPS = float(np.finfo(np.float64).eps)


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


def hessian_bound(at: Linearization, tol: float | None = None) -> Bound:
    """Return Proposition 4, rank H_J <= T·nL (eq. 29), for what `tol` leaves of H_J.

    Printed for a global minimum, which Assumption 1 makes an exact fit.  It needs no more than
    that: the network's part of H_J must vanish, and at a global minimum that is no exact fit it
    need not.  The Hessian is degenerate for sure where N > T·nL; eq. 30 with N = T·nL, which
    Principle 2 allows, leaves it free.

    Parameters
    ----------
    at : Linearization
    tol : float, optional
        Singular values of H_J above it count; by default N · eps · s_1(H_J).

    Returns
    -------
    Bound
        Of "H", with its premises checked.

    Raises
    ------
    ValueError
        If an activation has no second derivative, or for a negative tol.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    >>> at = ggn.linearize(net, [2.0, 1.0], [[1.0]], [[2.0]])  # an exact fit
    >>> print(hessian_bound(at))
    rank H <= 1  Proposition 4 (29, 30): T nL = 1, 2 weights: degenerate
    """
    parts, N = split(at), at.net.n_weights
    if tol is None:
        tol = N * EPS * float(np.linalg.norm(parts.hessian, 2))
    tol = number("tol", tol, 0.0)
    rest = float(np.linalg.norm(parts.network, 2))
    k = at.objective.T * at.net.n_outputs
    premises = (
        Premise(
            "the network's part of the Hessian is below the cut, as at an exact fit",
            SLACK * rest <= tol,
            f"norm {rest:.1e}, cut {tol:.1e}",
        ),
        Premise(
            "there is no penalty",
            not at.objective.penalised,
            "l2 > 0" if at.objective.penalised else "l2 = 0",
        ),
    )
    detail = f"T nL = {k}, {N} weights{': degenerate' if k < N else ''}"
    return Bound("Proposition 4", "29, 30", "H", False, k, detail, premises)
