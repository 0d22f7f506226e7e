"""B = P S as the dual step sees it, without storing it (Hadamard structure, eq. 39)."""

from __future__ import annotations

import math

import numpy as np

from ggn import _core
from ggn.linearization.objective import Objective
from ggn.linearization.sweeping import sweep
from ggn.losses.curvature import Curvature, Diagonal

__all__ = ["DualSystem"]


class DualSystem:
    """What a dual step needs of B = P S without storing it: diag(B Bᵀ), Bᵀ D⁻² B, B x.

    Columns run by output, then sample; the gradient of J comes with them.
    """

    def __init__(self, objective: Objective, w: np.ndarray) -> None:
        net, T, nL = objective.net, objective.T, objective.net.n_outputs
        self.net, self.w, self.T, self.objective = net, w, T, objective
        self.layout = layout = net.layout
        self.F = np.empty((nL, T))
        self.diagonal = np.zeros(net.n_weights)
        # kept: `multiply` carries back through what the sweep has left here
        self.work = objective.scratch(net.work_size(T, nL))
        self.buffer = objective.scratch(layout.kernel_size(T))
        constant = objective.constant_curvature()
        self.root = None if constant is None else math.sqrt(constant)
        # as the kernels take it: by output, then sample
        last = np.empty(0) if self.root is None else np.full((nL, T), self.root)
        self.S: Curvature = Diagonal(last.T)

        def accumulate(rows: slice, F: np.ndarray, work: np.ndarray) -> None:
            if self.root is None:
                self.S = objective.root(F, rows)
            self.F[:] = F
            s = last if self.root else self.S.samples_last()
            _core.sensitivities(layout, w, T, s, work)
            _core.add_diagonal(layout, T, work, self.buffer, self.diagonal)

        self.gradient = sweep(objective, w, nL, 0, accumulate, whole=self.work)

    def residual(self) -> np.ndarray:
        """Return S⁺ε (T·nL,)."""
        if self.root is not None:
            return (self.objective.derivatives(self.F, slice(self.T)) / self.root).ravel()
        return self.objective.whitened(self.F, slice(self.T)).ravel()

    def idle(self) -> np.ndarray:
        """Return the columns of B that a singular S makes zero; their r is 0."""
        none = np.empty(0, dtype=np.intp)
        return none if self.root else np.flatnonzero(self.S.zero_columns())

    def kernel(self, D: np.ndarray | None, out: np.ndarray) -> None:
        """Write the lower triangle of Bᵀ D⁻² B to out; D is a product over units and inputs.

        To be called once: what it is computed from is used up.
        """
        where = self.net.positions
        if D is None:
            units, inputs = np.ones(where.n_units), np.ones(where.n_inputs)
        else:
            units, inputs = where.factor(D)
        out.fill(0.0)
        coupled = self.S.form == 2
        _core.add_kernel(self.layout, self.T, coupled, units, inputs, self.work, self.buffer, out)

    def multiply(self, x: np.ndarray) -> np.ndarray:
        """Return B x."""
        eps = self.S.times(x.reshape(-1, self.T))
        out = np.zeros(self.net.n_weights)
        _core.gradient(self.layout, self.w, self.T, eps, self.work, out)
        return out
