"""Singular value decomposition of B̂ᵀ = (D⁻¹ P S)ᵀ: the least-squares step of least norm."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svd

from ggn.damping import Metric
from ggn.linearization import BaseLinearization, Linearization
from ggn.steps.base import Prepared, Step, in_memory

__all__ = ["MinimumNorm"]


class MinimumNorm(Step):
    """Least squares on P itself, so cond(P) is not squared.

    A rank-deficient P is no obstacle at mu = 0, and a rejected trial costs two
    matrix-vector products.  The most accurate and the slowest: 10 to 20 times
    the Cholesky forms.
    """

    name = "minimum_norm"
    rooted = True

    def prepare(self, at: BaseLinearization, metric: Metric) -> _Prepared:
        """Decompose B̂ᵀ, with rows for the penalty if there is one."""
        return _Prepared(in_memory(at, self), metric)


class _Prepared(Prepared):
    def __init__(self, at: Linearization, metric: Metric) -> None:
        self.at = at
        B, r = at.root()
        self.columns = len(r)
        if at.objective.penalised:
            root = np.sqrt(2.0 * np.broadcast_to(at.objective.l2, at.w.shape))
            B, r = np.hstack([B, np.diag(root)]), np.concatenate([r, root * at.w])
        self.gradient = at.gradient
        diagonal = np.einsum("ij,ij->i", B, B)
        self.diagonal, self.scale = diagonal, metric.scale(diagonal)
        if self.scale is not None:
            B /= self.scale[:, np.newaxis]
        self.finite = bool(np.isfinite(B).all())
        if not self.finite:
            return
        try:
            self.U, self.s, self.Vt = np.linalg.svd(B, full_matrices=False)
        except np.linalg.LinAlgError:  # slower, but hardly ever at a loss
            self.U, self.s, self.Vt = svd(
                B, full_matrices=False, check_finite=False, lapack_driver="gesvd"
            )
        self.Vtr = self.Vt @ r
        self.cut = max(B.shape) * np.finfo(float).eps * self.s[0]

    def solve(self, mu: float) -> np.ndarray | None:
        if not self.finite:
            return None
        s = self.s
        if mu == 0.0:
            self.inverse = np.divide(1.0, s, out=np.zeros_like(s), where=s > self.cut)
        else:
            self.inverse = s / (s * s + mu)
        return self._substitute(self.Vtr)

    def accelerate(self, d: np.ndarray) -> np.ndarray:
        return self._substitute(self.Vt[:, : self.columns] @ self.at.bend_columns(d))

    def _substitute(self, x: np.ndarray) -> np.ndarray:
        d = self.U @ (self.inverse * x)
        return d if self.scale is None else d / self.scale
