"""Everything known at one w: loss, gradient, Jacobian, normal and kernel matrices.

With c_i H_E^(i) = S Sᵀ, B = P S and ε_i = c_i ∇_E (c_i carries the mean's 1/T):

    gradient       g = P ε + 2 l2 w                        (eq. 16, 18)
    normal matrix  G = P H_E Pᵀ + 2 diag(l2) = B Bᵀ + ...   (eq. 37)
    kernel matrix  K = Sᵀ Pᵀ P S = Bᵀ B                     (eq. 39)
    Hessian        H = G + Σ ε_io ∇²φ_L,o(x_i)              (eq. 26)

Each is a sum over chunks of samples (`sweeping.py`); P is not stored for it, so
memory is O(N² + chunk).  What one of them is does not depend, not in one bit, on
which others were asked for before.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn import _core
from ggn.linearization.assembly import accumulators
from ggn.linearization.base import BaseLinearization
from ggn.linearization.directional import (
    bend_columns,
    curvature_along,
    hessian_along,
    product_along,
)
from ggn.linearization.dual_system import DualSystem
from ggn.linearization.functional_hessian import functional_hessian
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.sweeping import sweep
from ggn.linearization.symmetric import mirrored
from ggn.network import MLP

__all__ = ["Linearization"]


class Linearization(BaseLinearization):
    """The objective at one w, evaluated when asked; see `linearize`."""

    objective: Any  # the `Objective` that has made this one, whose module is above

    def _compute_gradient(self) -> np.ndarray:
        return sweep(self.objective, self.w, 1)

    def jacobian(self) -> np.ndarray:
        """Return P(W), (N, T·nL), eq. 19; column i·nL + o is sample i, output o."""
        return self.net.jacobian(self.w, self.objective.X)

    def assemble_normal(
        self, G: np.ndarray, psd: bool = True, lent: np.ndarray | None = None
    ) -> np.ndarray:
        """Write the lower triangle of the GGN matrix to G; return the gradient, a by-product.

        `lent` (N, N) is overwritten: with it, the sums need no memory of their own.
        """
        net: MLP = self.net
        objective: MeanLoss = self.objective
        lanes = accumulators(objective, G, psd, lent)
        gradient = sweep(objective, self.w, net.n_outputs, lanes=lanes)
        lanes[0].finish()
        if objective.penalised:
            G[np.diag_indices(len(G))] += 2.0 * objective.l2
        return gradient

    def root(self) -> tuple[np.ndarray, np.ndarray]:
        """Return B = P S (N, T·nL) and S⁺ε (T·nL,), columns by output, then sample.

        B Bᵀ is the GGN matrix and B S⁺ε the gradient, both without the penalty.
        """
        net: MLP = self.net
        objective: MeanLoss = self.objective
        N, nL, T = net.n_weights, net.n_outputs, objective.T
        B, residual = np.empty((N, nL * T)), np.empty(nL * T)

        def accumulate(rows: slice, F: np.ndarray, work: np.ndarray, _: np.ndarray) -> None:
            S = objective.root(F, rows)
            residual[:] = objective.whitened(F, rows).ravel()
            _core.sensitivities(net.layout, self.w, T, S.samples_last(), work)
            _core.jacobian(net.layout, T, work, B)

        work = objective.scratch(net.work_size(T, nL))
        sweep(objective, self.w, nL, accumulate, whole=work)
        return B, residual

    def normal_diagonal(self) -> np.ndarray:
        """Return the diagonal of the (psd) normal matrix, (N,), without forming it."""
        net, nL = self.net, self.net.n_outputs
        out = np.zeros(net.n_weights)

        def accumulate(rows: slice, F: np.ndarray, work: np.ndarray, buffer: np.ndarray) -> None:
            s = self.objective.root(F, rows).samples_last()
            n = F.shape[1]
            _core.sensitivities(net.layout, self.w, n, s, work)
            _core.add_diagonal(net.layout, n, work, buffer, out)

        sweep(self.objective, self.w, nL, accumulate, beside=net.layout.diagonal_size)
        return out + 2.0 * self.objective.l2

    def functional_hessian(self) -> np.ndarray:
        """Return Σ ε_io ∇²φ_L,o(x_i), (N, N), symmetric: what H_J has beside the normal matrix."""
        return functional_hessian(self.objective, self.w)

    def normal_product(self, v: np.ndarray, psd: bool) -> np.ndarray:
        return product_along(self.objective, self.w, v, psd, False)

    def hessian_product(self, v: np.ndarray) -> np.ndarray:
        return hessian_along(self.objective, self.w, v)

    def curvature_along(self, d: np.ndarray) -> float:
        """Return dᵀ G d, the penalty's part included, for the psd curvature."""
        return curvature_along(self.objective, self.w, d)

    def bend(self, d: np.ndarray) -> np.ndarray:
        """Return P H_E φ''[d, d] (N,): the gradient that the outputs' curvature along d adds."""
        return product_along(self.objective, self.w, d, psd=True, second=True)

    def bend_columns(self, d: np.ndarray) -> np.ndarray:
        """Return Sᵀ φ''[d, d] (T·nL,), columns by output, then sample."""
        return bend_columns(self.objective, self.w, d)

    def kernel_matrix(self) -> np.ndarray:
        """Return Sᵀ Pᵀ P S, (T·nL, T·nL), columns by sample; S Sᵀ is the psd curvature over T.

        Its non-zero eigenvalues are those of the (psd) normal matrix without penalty.
        `MLP.kernel_matrix` is PᵀP alone.
        """
        dual = DualSystem(self.objective, self.w)
        T, nL = self.objective.T, self.net.n_outputs
        K = np.empty((T * nL, T * nL))
        dual.kernel(None, K)
        return mirrored(K).reshape(nL, T, nL, T).transpose(1, 0, 3, 2).reshape(T * nL, T * nL)
