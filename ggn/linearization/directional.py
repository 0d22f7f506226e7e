"""Derivatives of the outputs along a direction v, and what they give carried back.

First derivative u = Pᵀv, second u = φ''[v, v], chunk by chunk, both by forward
sweeps; P H_E u by a backward one.  So v -> P H_E Pᵀ v needs no matrix, and
neither does v -> H_J v (see `_kernels/curvature.pyx`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ggn import _core
from ggn.linearization.objective import Objective
from ggn.network import chunks

__all__ = ["bend_columns", "curvature_along", "hessian_along", "product_along"]

Part = tuple[slice, np.ndarray, np.ndarray, np.ndarray]


def derivatives_along(
    objective: Objective, w: np.ndarray, v: np.ndarray, second: bool
) -> Iterator[Part]:
    """Yield (rows, F, u (nL, c), work) of each chunk; work holds its forward sweep."""
    net = objective.net
    c, size = objective.chunk(1, 2 * max(net.sizes))
    work = objective.scratch(size)
    buffer = objective.scratch(net.layout.tangent_size(c))
    with np.errstate(all="ignore"):
        for rows in chunks(objective.T, c):
            F = net.sweep(w, objective.X[rows], work, keep=2 if second else 1)
            u = np.empty(F.shape)
            _core.tangent(net.layout, w, v, F.shape[1], second, work, buffer, u)
            yield rows, F, u, work


def product_along(
    objective: Objective, w: np.ndarray, v: np.ndarray, psd: bool, second: bool
) -> np.ndarray:
    """Return P H_E u (N,), with 1/T in it."""
    net, out = objective.net, np.zeros(objective.net.n_weights)
    for rows, F, u, work in derivatives_along(objective, w, v, second):
        Hu = objective.curvature(F, rows, psd).times(u)
        _core.gradient(net.layout, w, u.shape[1], Hu, work, out)
    return out


def hessian_along(objective: Objective, w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return H_J v (N,), eq. 26, without the penalty."""
    net, out = objective.net, np.zeros(objective.net.n_weights)
    c, size = objective.chunk(1, net.layout.hessian_product_size(1))
    work = objective.scratch(size)
    size = net.layout.hessian_product_size(c)
    buffer = objective.scratch(size)
    with np.errstate(all="ignore"):
        for rows in chunks(objective.T, c):
            F = net.sweep(w, objective.X[rows], work, keep=2)
            eps = objective.derivatives(F, rows)
            h = objective.curvature(F, rows, psd=False).samples_last()
            _core.hessian_product(net.layout, w, v, F.shape[1], eps, h, work, buffer, out)
    return out


def curvature_along(objective: Objective, w: np.ndarray, d: np.ndarray) -> float:
    """Return dᵀ G d, the penalty's part included, for the psd curvature."""
    total = 2.0 * objective.penalty(d)
    for rows, F, u, _ in derivatives_along(objective, w, d, second=False):
        total += float(np.sum(u * objective.curvature(F, rows, psd=True).times(u)))
    return total


def bend_columns(objective: Objective, w: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return Sᵀ φ''[d, d] (T·nL,), columns by output, then sample."""
    out = np.empty((objective.net.n_outputs, objective.T))
    for rows, F, u, _ in derivatives_along(objective, w, d, second=True):
        out[:, rows] = objective.root(F, rows).transposed_times(u)
    return out.ravel()
