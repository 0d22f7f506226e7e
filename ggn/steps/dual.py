"""Cholesky of the kernel matrix: d = D⁻² B (Bᵀ D⁻² B + mu I)⁻¹ r, B = P S, r = S⁺ε (eq. 39)."""

from __future__ import annotations

import numpy as np

from ggn import _core
from ggn.damping import Metric
from ggn.linearization import BaseLinearization, BaseObjective, Linearization
from ggn.linearization.dual_system import DualSystem
from ggn.steps.base import Prepared, Step, in_memory
from ggn.steps.cholesky import damped_cholesky
from ggn.steps.primal import PreparedPrimal

__all__ = ["Dual", "outnumbered"]

ACCURATE = 1e-2  # of the gradient, in the metric: what a step may leave of it


def outnumbered(objective: BaseObjective) -> bool:
    """Whether there are more residuals than weights, so that Bᵀ D⁻² B is singular everywhere."""
    return objective.T * objective.net.n_outputs > objective.net.n_weights


class Dual(Step):
    """Cholesky of the T·nL x T·nL kernel matrix; for more weights than residuals.

    Where residuals outnumber weights the kernel matrix is singular, and what mu divides by there
    cancels but for its rounding: the same step is then computed from the smaller normal matrix.
    B is not stored if there is no penalty l2 and the metric is a product over
    units and inputs, as `LevenbergMarquardt`'s is.  Otherwise B is stored, and
    each trial forms the kernel matrix anew.
    """

    name = "dual"
    rooted = True

    def prepare(self, at: BaseLinearization, metric: Metric) -> Prepared:
        """Assemble the kernel matrix, or B."""
        at = in_memory(at, self)
        if outnumbered(at.objective):
            return PreparedPrimal(at, metric)
        if at.objective.penalised:
            return _Stored(at, metric)
        system = DualSystem(at.objective, at.w)
        scale = metric.scale(system.diagonal)
        if scale is None or metric.factors or at.net.positions.factors(scale):
            return _Prepared(at, system, scale)
        return _Stored(at, metric, scale)


class _Dual(Prepared):
    """Measures its steps, which with little damping are wrong where the kernel is singular.

    So it is where columns of B depend on each other, as those of repeated samples do.
    """

    at: Linearization

    def accurate(self, d: np.ndarray | None, mu: float) -> bool:
        if d is None:
            return False
        D = 1.0 if self.scale is None else self.scale
        left = self.at.operator().matvec(d) + mu * D * D * d - self.gradient
        allowed = ACCURATE * np.linalg.norm(self.gradient / D)
        return bool(np.linalg.norm(left / D) <= allowed)


class _Prepared(_Dual):
    def __init__(self, at: Linearization, system: DualSystem, scale: np.ndarray | None) -> None:
        self.at, self.system, self.scale = at, system, scale
        self.gradient = system.gradient
        self.diagonal = system.diagonal
        self.r = system.residual()
        k = len(self.r)
        self.K = at.objective.scratch(k, k)
        system.kernel(scale, self.K)
        idle = system.idle()
        if idle.size:
            self.K[idle, idle] = 1.0  # uncoupled: any pivot will do, at mu = 0 it needs one
        self.factor = at.objective.scratch(k, k)

    def solve(self, mu: float) -> np.ndarray | None:
        if not damped_cholesky(self.K, None, mu, self.factor):
            return None
        return self._substitute(self.r.copy())

    def accelerate(self, d: np.ndarray) -> np.ndarray:
        return self._substitute(self.at.bend_columns(d))

    def _substitute(self, x: np.ndarray) -> np.ndarray:
        _core.cholesky_solve(self.factor, x)
        d = self.system.multiply(x)
        if self.scale is not None:
            d /= self.scale
            d /= self.scale
        return d


class _Stored(_Dual):
    """With Λ = 2 l2 + mu D² and d0 = Λ⁻¹ 2 l2 w: d = d0 + Λ⁻¹B (I + BᵀΛ⁻¹B)⁻¹ (r - Bᵀd0)."""

    def __init__(self, at: Linearization, metric: Metric, scale: np.ndarray | None = None) -> None:
        self.at = at
        self.B, self.r = at.root()
        self.gradient = at.gradient
        self.l2 = 2.0 * np.broadcast_to(at.objective.l2, at.w.shape)
        diagonal = np.einsum("ij,ij->i", self.B, self.B) + self.l2
        self.diagonal = diagonal
        self.scale = metric.scale(diagonal) if scale is None else scale
        k = len(self.r)
        self.K, self.factor = np.empty((k, k)), np.empty((k, k))

    def solve(self, mu: float) -> np.ndarray | None:
        metric = self.l2 + mu * (1.0 if self.scale is None else self.scale**2)
        if not metric.all():
            return None
        self.root = np.sqrt(metric)
        self.scaled = self.B / self.root[:, np.newaxis]
        self.K.fill(0.0)
        _core.add_product(self.scaled, self.K, transposed=True)
        if not damped_cholesky(self.K, None, 1.0, self.factor):
            return None
        d = self.l2 * self.at.w / metric
        return d + self._substitute(self.r - d @ self.B)

    def accelerate(self, d: np.ndarray) -> np.ndarray:
        return self._substitute(self.at.bend_columns(d))

    def _substitute(self, x: np.ndarray) -> np.ndarray:
        _core.cholesky_solve(self.factor, x)
        return (self.scaled @ x) / self.root
