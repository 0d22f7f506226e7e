"""Truncated conjugate gradients on (G + mu D²) d = g, without any matrix.

A product costs two sweeps (Pᵀv, then P H_E u); memory is O(N + T).  The
preconditioner is the diagonal of G + mu D².  Started from 0, every iterate d
satisfies dᵀ(G + mu D²) d = gᵀd, so the predicted reduction is exact however
early the iteration is cut off.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from ggn.damping import Metric
from ggn.linearization import BaseLinearization
from ggn.steps.base import Prepared, Step
from ggn.validation import integer, number

__all__ = ["ConjugateGradient"]


class ConjugateGradient(Step):
    """For networks whose N x N and T·nL x T·nL matrices are both too large.

    Parameters
    ----------
    tol : float, default 0.01
        Stop at ‖(G + mu D²) d - g‖ <= tol ‖g‖.
    max_products : int, default 200
        Matrix-vector products for one step at most.  What is left of the
        residual then is in `history.residual`.
    """

    name = "conjugate_gradient"

    def __init__(self, tol: float = 0.01, max_products: int = 200) -> None:
        self.tol = number("tol", tol, 0.0, 1.0, open_low=True, open_high=True)
        self.max_products = integer("max_products", max_products, 1)

    def prepare(self, at: BaseLinearization, metric: Metric) -> _Prepared:
        """Compute the gradient and the diagonal of G."""
        return _Prepared(at, metric, self.tol, self.max_products)

    def __repr__(self) -> str:
        return f"ConjugateGradient(tol={self.tol:g}, max_products={self.max_products})"


class _Prepared(Prepared):
    def __init__(
        self, at: BaseLinearization, metric: Metric, tol: float, max_products: int
    ) -> None:
        diagonal = at.normal_diagonal()
        self.gradient = at.gradient
        self.diagonal, self.scale = diagonal, metric.scale(diagonal)
        self.product = at.operator()
        self.tol, self.max_products = tol, max_products

    def solve(self, mu: float) -> np.ndarray:
        g = self.gradient
        damping = mu if self.scale is None else mu * self.scale**2
        weight = self.diagonal + damping
        weight = np.where(weight > 0.0, weight, 1.0)
        shape = (len(g), len(g))

        def damped(v: Any) -> np.ndarray:
            v = np.ravel(v)
            return self.product.matvec(v) + damping * v

        A = LinearOperator(shape, matvec=damped, dtype=np.float64)
        M = LinearOperator(shape, matvec=lambda v: np.ravel(v) / weight, dtype=np.float64)
        d, _ = cg(A, g, rtol=self.tol, maxiter=self.max_products, M=M)
        norm = np.linalg.norm(g)
        self.residual = float(np.linalg.norm(damped(d) - g) / norm) if norm > 0.0 else 0.0
        return d
