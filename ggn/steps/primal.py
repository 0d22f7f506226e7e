"""Cholesky of the normal matrix: (D⁻¹ G D⁻¹ + mu I) D d = D⁻¹ g."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.linalg import LinAlgError, LinAlgWarning, solve

from ggn import _core
from ggn.damping import Metric
from ggn.linearization import BaseLinearization
from ggn.linearization.symmetric import mirrored
from ggn.steps.base import Prepared, Step
from ggn.steps.cholesky import damped_cholesky

__all__ = ["PreparedPrimal", "Primal"]


class Primal(Step):
    """Cholesky of the N x N normal matrix; for many samples.  Memory 2 N².

    Where a loss's H_E makes the matrix indefinite, its step needs mu > 0 that makes it definite,
    or at mu = 0 solves the system as it is, wherever that leads.
    """

    name = "primal"
    indefinite = True

    def prepare(self, at: BaseLinearization, metric: Metric) -> PreparedPrimal:
        """Assemble the normal matrix."""
        return PreparedPrimal(at, metric)


class PreparedPrimal(Prepared):
    """G assembled at `at`, or at `curvature` (the same weights, other samples) if given."""

    def __init__(
        self, at: BaseLinearization, metric: Metric, curvature: BaseLinearization | None = None
    ) -> None:
        N = len(at.w)
        self.at = at
        self.G = at.objective.scratch(N, N)
        self.factor = at.objective.scratch(N, N)
        gradient = (curvature or at).assemble_normal(self.G, lent=self.factor)
        self.gradient = gradient if curvature is None else at.gradient
        self.diagonal = diagonal = np.abs(self.G.diagonal())
        self.scale = metric.scale(diagonal)

    def solve(self, mu: float) -> np.ndarray | None:
        if not damped_cholesky(self.G, self.scale, mu, self.factor):
            return self._regular() if mu == 0.0 else None
        return self._substitute(self.gradient)

    def accelerate(self, d: np.ndarray) -> np.ndarray:
        return self._substitute(self.at.bend(d))

    def _regular(self) -> np.ndarray | None:
        """Return G⁻¹g where the loss's curvature leaves G regular but indefinite (eq. 38)."""
        if self.at.objective.loss.semidefinite or not np.isfinite(np.tril(self.G)).all():
            return None
        G = mirrored(self.G.copy())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", LinAlgWarning)
                d: np.ndarray = solve(G, self.gradient, assume_a="sym")
        except (LinAlgError, LinAlgWarning):
            return None
        return d

    def _substitute(self, g: np.ndarray) -> np.ndarray:
        x = g.copy() if self.scale is None else g / self.scale
        _core.cholesky_solve(self.factor, x)
        if self.scale is not None:
            x /= self.scale
        return x
