"""The rank of the exact Hessian at an exact fit: Proposition 4.

rank H_J(W*) <= T nL                                              (eq. 29, 30)
"""

from __future__ import annotations

import numpy as np

from ggn.linearization import Linearization
from ggn.linearization.hessian import hessian_parts
from ggn.surface.bounds import SLACK, Bound, Premise
from ggn.validation import instance, number

__all__ = ["hessian_bound"]

EPS = float(np.finfo(np.float64).eps)


def hessian_bound(at: Linearization, *, tol: float | None = None) -> Bound:
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
    instance("at must be", at, Linearization)
    parts, N = hessian_parts(at), at.net.n_weights
    if tol is None:
        tol = N * EPS * float(np.linalg.norm(parts.hessian, 2))
    tol = number("tol", tol, 0.0)
    rest = float(np.linalg.norm(parts.functional, 2))
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
