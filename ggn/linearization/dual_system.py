"""B = P S as the dual step sees it, without storing it (Hadamard structure, eq. 39)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from ggn import _core
from ggn._core.machine import limited, number_of_threads, share
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.sweeping import sweep
from ggn.losses.curvature import Curvature, Diagonal

__all__ = ["DualSystem", "tile_doubles"]

# Rows of the kernel matrix that a thread takes at a time, of one that is larger than WHOLE.
ROWS, WHOLE = 256, 1024


class DualSystem:
    """What a dual step needs of B = P S without storing it: diag(B Bᵀ), Bᵀ D⁻² B, B x.

    Columns run by output, then sample; the gradient of J comes with them.
    """

    def __init__(self, objective: MeanLoss, w: np.ndarray) -> None:
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

        def accumulate(rows: slice, F: np.ndarray, work: np.ndarray, _: np.ndarray) -> None:
            if self.root is None:
                self.S = objective.root(F, rows)
            self.F[:] = F
            s = last if self.root else self.S.samples_last()
            _core.sensitivities(layout, w, T, s, work)
            _core.add_diagonal(layout, T, work, self.buffer, self.diagonal)

        self.gradient = sweep(objective, w, nL, accumulate, whole=self.work)

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
        layout, T, work, buffer = self.layout, self.T, self.work, self.buffer
        coupled, size = self.S.form == 2, len(out)
        _core.scale_kernel(layout, T, units, inputs, work, buffer)
        for layer in range(1, self.net.depth + 1):
            in_rows(T, partial(_core.gram, layout, layer, T, buffer))

            def add(first: int, stop: int, layer: int = layer) -> None:
                tile = self.objective.scratch((stop - first) * size)
                _core.add_kernel(layout, layer, T, first, stop, coupled, work, buffer, tile, out)

            in_rows(size, add)

    def multiply(self, x: np.ndarray) -> np.ndarray:
        """Return B x."""
        eps = self.S.times(x.reshape(-1, self.T))
        out = np.zeros(self.net.n_weights)
        _core.gradient(self.layout, self.w, self.T, eps, self.work, out)
        return out


def in_rows(size: int, do: Callable[[int, int], None]) -> None:
    """Call do(first, stop) for all rows of a triangle: at once, or threads take some each."""
    if size <= WHOLE:
        do(0, size)
        return
    edges = [*range(0, size, ROWS), size]
    last = len(edges) - 2  # the longest rows first
    with limited():
        share(last + 1, lambda i, stopped: do(edges[last - i], edges[last - i + 1]))


def tile_doubles(k: int) -> int:
    """Return the doubles of the tiles in which k rows of a kernel matrix are formed at once."""
    return k * k if k <= WHOLE else number_of_threads() * ROWS * k
