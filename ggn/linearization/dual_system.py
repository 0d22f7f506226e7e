"""B = P S as the dual step sees it, without storing it (Hadamard structure, eq. 39)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn import _core
from ggn.losses.curvature import samples_last

__all__ = ["DualSystem"]


class DualSystem:
    """What a dual step needs of B = P S without storing it: diag(B Bᵀ), Bᵀ D⁻² B, B x.

    Columns run by output, then sample.  `at` is a Linearization.
    """

    def __init__(self, at: Any) -> None:
        self.net, self.w, objective = at.net, at.w, at.objective
        net, T, nL = at.net, objective.T, at.net.n_outputs
        self.T, self.objective = T, objective
        self.F = self.eps = np.empty(0)
        self.diagonal = np.zeros(net.n_weights)
        # own scratch: solving for several dampings must outlive other sweeps
        self.work = objective.scratch("dual work", net.work_size(T, nL))
        self.buffer = objective.scratch("dual", _core.kernel_size(net.layout, T))
        constant = objective.constant_curvature()
        self.root = None if constant is None else math.sqrt(constant)
        self.S = np.empty(0) if self.root is None else np.full((nL, T), self.root)

        def accumulate(rows: slice, F: np.ndarray, eps: np.ndarray, work: np.ndarray) -> None:
            if self.root is None:
                self.S = samples_last(objective.root(F, rows))
                self.F = F.copy()
            self.eps = eps
            _core.sensitivities(net.layout, self.w, T, self.S, work)
            _core.add_diagonal(net.layout, T, work, self.buffer, self.diagonal)

        at.sweep(nL, 0, accumulate, whole=self.work)

    def residual(self) -> np.ndarray:
        """Return S⁺ε (T·nL,)."""
        if self.root is not None:
            return (self.eps / self.root).ravel()
        return self.objective.whitened(self.F, slice(self.T)).ravel()

    def idle(self) -> np.ndarray:
        """Return the columns of B that a singular S makes zero; their r is 0."""
        return np.flatnonzero(~(self.S.any(axis=0) if self.S.ndim == 3 else self.S.astype(bool)))

    def kernel(self, D: np.ndarray | None, out: np.ndarray) -> None:
        """Write the lower triangle of Bᵀ D⁻² B to out; D is a product over units and inputs.

        To be called once: what it is computed from is used up.
        """
        net = self.net
        where = net.positions
        if D is None:
            units, inputs = np.ones(where.n_units), np.ones(where.n_inputs)
        else:
            units, inputs = where.factor(D)
        out.fill(0.0)
        coupled = self.S.ndim == 3
        _core.add_kernel(net.layout, self.T, coupled, units, inputs, self.work, self.buffer, out)

    def multiply(self, x: np.ndarray) -> np.ndarray:
        """Return B x."""
        x = x.reshape(-1, self.T)
        eps = self.S * x if self.S.ndim == 2 else np.einsum("opi,pi->oi", self.S, x)
        out = np.zeros(self.net.n_weights)
        net = self.net
        _core.gradient(net.layout, self.w, self.T, eps, self.work, out)
        return out
