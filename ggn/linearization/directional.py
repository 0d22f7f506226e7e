"""Derivatives of the outputs along a direction v, and what they give carried back.

First derivative u = Pᵀv, second u = φ''[v, v], chunk by chunk, both by forward
sweeps; P H_E u by a backward one.  So v -> P H_E Pᵀ v needs no matrix, and
neither does v -> H_J v (the kernels of the same name have the formulas).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ggn import _core
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.squares import squares_of
from ggn.linearization.sweeping import sweep_work

__all__ = ["bend_columns", "curvature_along", "hessian_along", "product_along", "sum_along"]

# of a lane, rows, F and u, both (nL, c), and what the forward sweep left
Take = Callable[[int, slice, np.ndarray, np.ndarray, np.ndarray], None]


def parts_along(objective: MeanLoss) -> list[range]:
    """Return the samples of each lane."""
    return objective.lanes(sweep_work, 1, sums=objective.net.n_weights)


def derivatives_along(
    objective: MeanLoss, w: np.ndarray, v: np.ndarray, second: bool, take: Take
) -> None:
    """Call take(lane, rows, F, u, work) for each chunk; lanes are on threads."""
    net, parts = objective.net, parts_along(objective)
    room = 2 * max(net.sizes)

    def do(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
        F = net.sweep(w, objective.X[rows], work, keep=2 if second else 1)
        u = np.empty(F.shape)
        _core.tangent(net.layout, w, v, F.shape[1], second, work, buffer, u)
        take(lane, rows, F, u, work)

    with np.errstate(all="ignore"):
        objective.each_chunk(parts, 1, room, do, net.layout.tangent_size)


def product_along(
    objective: MeanLoss, w: np.ndarray, v: np.ndarray, psd: bool, second: bool
) -> np.ndarray:
    """Return P H_E u (N,), with 1/T in it."""
    net, sums, squares = objective.net, _sums(objective), squares_of(objective)
    if squares:
        parts, room = parts_along(objective), 2 * max(net.sizes)
        c, _ = objective.chunk(1, room, len(parts))

        def do(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
            of = squares.of(w, rows, work, buffer, c)
            _core.squares_product(of, v=v, second=second, out=sums[lane])

        def beside(c: int) -> int:
            return net.layout.tangent_size(c) + squares.size(c)

        at_once = squares.at_once(sweep_work(net, 1), c)
        objective.each_chunk(parts, 1, room, do, beside, at_once)
        return _total(sums)

    def take(lane: int, rows: slice, F: np.ndarray, u: np.ndarray, work: np.ndarray) -> None:
        Hu = objective.curvature(F, rows, psd).times(u)
        _core.gradient(net.layout, w, u.shape[1], Hu, work, sums[lane])

    derivatives_along(objective, w, v, second, take)
    return _total(sums)


def hessian_along(objective: MeanLoss, w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return H_J v (N,), eq. 26, without the penalty."""
    net, sums, parts = objective.net, _sums(objective), parts_along(objective)
    room = net.layout.hessian_product_size(1)

    def do(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
        F = net.sweep(w, objective.X[rows], work, keep=2)
        eps = objective.derivatives(F, rows)
        h = objective.curvature(F, rows, psd=False).samples_last()
        _core.hessian_product(net.layout, w, v, F.shape[1], eps, h, work, buffer, sums[lane])

    with np.errstate(all="ignore"):
        objective.each_chunk(parts, 1, room, do, net.layout.hessian_product_size)
    return _total(sums)


def sum_along(
    objective: MeanLoss,
    w: np.ndarray,
    d: np.ndarray,
    of: Callable[[slice, np.ndarray, np.ndarray], float],
) -> float:
    """Return the sum of of(rows, F, u) over chunks, u the outputs' first derivative along d."""
    sums = [0.0] * len(parts_along(objective))

    def take(lane: int, rows: slice, F: np.ndarray, u: np.ndarray, work: np.ndarray) -> None:
        sums[lane] += of(rows, F, u)

    derivatives_along(objective, w, d, False, take)
    return sum(sums)


def curvature_along(objective: MeanLoss, w: np.ndarray, d: np.ndarray) -> float:
    """Return dᵀ G d, the penalty's part included, for the psd curvature."""

    def curved(rows: slice, F: np.ndarray, u: np.ndarray) -> float:
        return float(np.sum(u * objective.curvature(F, rows, psd=True).times(u)))

    return 2.0 * objective.penalty(d) + sum_along(objective, w, d, curved)


def bend_columns(objective: MeanLoss, w: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return Sᵀ φ''[d, d] (T·nL,), columns by output, then sample."""
    out = np.empty((objective.net.n_outputs, objective.T))

    def take(lane: int, rows: slice, F: np.ndarray, u: np.ndarray, work: np.ndarray) -> None:
        out[:, rows] = objective.root(F, rows).transposed_times(u)

    derivatives_along(objective, w, d, True, take)
    return out.ravel()


def _sums(objective: MeanLoss) -> np.ndarray:
    """Return a row of zeros for each lane."""
    return np.zeros((len(parts_along(objective)), objective.net.n_weights))


def _total(sums: np.ndarray) -> np.ndarray:
    """Return the sum of what the lanes bring, in their order."""
    for others in sums[1:]:
        sums[0] += others
    total: np.ndarray = sums[0]
    return total
