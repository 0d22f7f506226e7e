"""The row span of P (N, K), K = T·nL, and what of a vector ε (K,) lies in it.

    K <= N    P = Q R,            the right singular vectors of P are those of R
    K > N     [Pᵀ, ε] = Q [R, q]  streamed over samples: they are Q times the left ones of R

R is the small one, min(N, K) square; neither PᵀP nor P Pᵀ is formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ggn.linearization import Linearization
from ggn.surface.factors import ROWS, Factor
from ggn.surface.layers import sweep_layers
from ggn.surface.rank import NumericalRank, rank_from_factor

__all__ = ["RowSpan", "row_span", "scaled_norm"]


@dataclass(frozen=True)
class RowSpan:
    """The row span of P, for one ε.

    Attributes
    ----------
    shape : tuple of int
        (N, K), of P.
    M : ndarray, (min(N, K), min(N, K))
        It has the singular values of P; its left singular vectors are the right ones of P
        in the basis of q.
    q : ndarray, (min(N, K),)
        ε in an orthonormal basis of a space that holds the row span.
    rest : float
        Norm of the part of ε off that space.
    """

    shape: tuple[int, int]
    M: np.ndarray
    q: np.ndarray
    rest: float

    def rank(self) -> NumericalRank:
        """Return the rank of P."""
        return rank_from_factor(self.M, self.shape)

    def projections(self, rank: int) -> tuple[float, float]:
        """Return the norms of ε in and off the span of the first `rank` singular vectors."""
        q, rest = self.q, self.rest
        if rank < len(q):
            q = np.linalg.svd(self.M)[0].T @ q
            rest = float(np.hypot(rest, np.linalg.norm(q[rank:])))
        return float(np.linalg.norm(q[:rank])), rest


def row_span(
    at: Linearization, eps: np.ndarray, max_memory: float
) -> tuple[float, RowSpan | None, str]:
    """Return ‖P‖_F, the row span of P for ε (T, nL), and a sentence that says why it is None."""
    net, X = at.net, at.objective.X
    N, nL, K = net.n_weights, net.n_outputs, eps.size
    c = min(max(net.chunk_size(nL, N * nL), -(-ROWS // nL)), len(X))
    # with the copies that a factorisation makes, and those of the singular vectors
    doubles = 3 * N * K + 9 * K * K if K <= N else 10 * N * N + 4 * c * nL * N
    why = ""
    if 8.0 * doubles > max_memory:
        why = (
            f"The rank is not computed: to factorise P ({N} x {K}) takes "
            f"{8.0 * doubles / 2**20:.3g} MiB, and max_memory is {max_memory / 2**20:.3g} MiB."
        )
        c = min(c, net.chunk_size(nL, N * nL))
    parts = ((part.rows, part.jacobian()) for part in sweep_layers(net, at.w, X, c))
    with np.errstate(all="ignore"):
        if why:
            norm = float(np.hypot.reduce([scaled_norm(P) for _, P in parts]))
        elif K <= N:
            P = net.jacobian(at.w, X)
            norm = scaled_norm(P)
        else:
            factor = Factor(K + 1, N + 1)  # as of a row of zeros more: it is a triangle always
            for rows, columns in parts:
                factor.add(np.column_stack([columns.T, eps[rows].T.ravel()]))
            R = factor.matrix
            norm = scaled_norm(R[:, :N])
    if not (np.isfinite(norm) and np.isfinite(eps).all()):
        why = "The rank is not computed: P or ε overflows at these weights."
    if why:
        return norm, None, why
    if K <= N:
        M = np.asarray(np.linalg.qr(P, mode="r")).T
        return norm, RowSpan((N, K), M, eps.ravel(), 0.0), ""
    return norm, RowSpan((N, K), R[:N, :N], R[:N, N], abs(float(R[N, N]))), ""


def scaled_norm(A: np.ndarray) -> float:
    """Return ‖A‖_F, of numbers too whose squares underflow."""
    most = float(np.abs(A).max(initial=0.0))
    return most * float(np.linalg.norm(A / most)) if most > 0.0 else most
