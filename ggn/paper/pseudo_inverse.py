"""The undamped GGN step where the normal matrix has no inverse: d = G⁺ g."""

from __future__ import annotations

import numpy as np

from ggn.damping import Metric
from ggn.linearization import BaseLinearization
from ggn.steps import Prepared, Step

__all__ = ["PseudoInverse"]


class PseudoInverse(Step):
    """d = G⁺ g: eigenvalues of the normal matrix below N · eps · max λ count as zero.

    Where G is singular to rounding, the system of eq. 38 has no unique solution; this is the least.

    Examples
    --------
    >>> import ggn
    >>> at = ggn.linearize(ggn.MLP((2, 1), bias=False), [1.0, 1.0], [[1.0, 1.0]], [[0.0]])
    >>> PseudoInverse().prepare(at, ggn.damping.Metric()).solve(0.0)
    array([1., 1.])
    """

    def prepare(self, at: BaseLinearization, metric: Metric) -> _Prepared:
        """Decompose the normal matrix."""
        return _Prepared(at)


class _Prepared(Prepared):
    def __init__(self, at: BaseLinearization) -> None:
        G = at.normal_matrix(psd=True)
        self.gradient = at.gradient
        self.diagonal = G.diagonal()
        self._eigen = np.linalg.eigh(G) if np.isfinite(G).all() else None

    def solve(self, mu: float) -> np.ndarray | None:
        if self._eigen is None:
            return None
        values, vectors = self._eigen
        kept = values > len(values) * np.finfo(float).eps * values[-1]
        V = vectors[:, kept]
        return np.asarray(V @ ((V.T @ self.gradient) / (values[kept] + mu)))
