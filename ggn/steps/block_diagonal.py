"""The GGN matrix without what couples layers: (G_ll + mu D_l²) d_l = g_l for each layer l."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ggn import _core
from ggn.damping import Metric
from ggn.linearization import BaseLinearization
from ggn.steps.base import Prepared, Step
from ggn.steps.cholesky import damped_cholesky
from ggn.steps.primal import PreparedPrimal

__all__ = ["BlockDiagonal"]


class BlockDiagonal(Step):
    """One Cholesky factor per layer: a comparison, not a step to train with.

    All of G is assembled, so it is quicker than `Primal` only in factoring.

    References
    ----------
    Wang & Lin (1998), A second-order learning algorithm for multilayer networks based on block
    Hessian matrix; Botev, Ritter & Barber (2017), Practical GN optimisation for deep learning.

    Examples
    --------
    >>> import ggn
    >>> x = [[-1.0], [0.0], [1.0]]
    >>> ggn.train(ggn.MLP((1, 2, 1)), x, x, step="block_diagonal", max_iter=50).fun < 1e-8
    True
    """

    name = "block_diagonal"
    indefinite = True

    def prepare(self, at: BaseLinearization, metric: Metric) -> _Prepared:
        """Assemble the normal matrix, and keep a copy of each layer's block."""
        return _Prepared(at, metric)


class _Prepared(Prepared):
    def __init__(self, at: BaseLinearization, metric: Metric) -> None:
        all_ = PreparedPrimal(at, metric)
        self.gradient, self.diagonal, self.scale = all_.gradient, all_.diagonal, all_.scale
        ends = np.cumsum([0, *(n * m for n, m in at.net.layout.shapes)])
        self.layers = [slice(a, b) for a, b in pairwise(ends)]
        self.blocks = [all_.G[layer, layer].copy() for layer in self.layers]

    def solve(self, mu: float) -> np.ndarray | None:
        d = self.gradient.copy() if self.scale is None else self.gradient / self.scale
        for layer, block in zip(self.layers, self.blocks, strict=True):
            factor = np.empty_like(block)
            scale = None if self.scale is None else self.scale[layer]
            if not damped_cholesky(block, scale, mu, factor):
                return None
            _core.cholesky_solve(factor, d[layer])
        return d if self.scale is None else d / self.scale
