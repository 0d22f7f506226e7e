"""The output layer solved again: for given hidden weights it is a linear problem.

A network whose outputs have no activation is linear in its last weights.  After a step of all
weights, these are solved for once more, under the same damping: variable projection, damped
(Ruhe & Wedin 1980; Ceres calls it inner iterations).
"""

from __future__ import annotations

import numpy as np

from ggn import _core
from ggn.activations import Identity
from ggn.linearization.base import BaseObjective
from ggn.linearization.mean_loss import MeanLoss, forward_flops
from ggn.linearization.squares import nothing, squares_of
from ggn.network import MLP

__all__ = ["best_output", "output_sums", "refit", "refit_pays"]


def refit_pays(objective: BaseObjective, work: float) -> bool:
    """Return whether `refit` can be had, and for less than half of so many flops a sample.

    Each output's curvature must be one number for each sample, so that outputs do not mix.
    """
    net = objective.net
    m, outputs = net.layout.shapes[-1][1], net.n_outputs
    if net.depth == 1 or net.activations[-1] != Identity() or not objective.loss.separable:
        return False
    return 2.0 * (m * m + m**3 * outputs / objective.T / 3) <= work


def refit(
    objective: MeanLoss, w: np.ndarray, before: np.ndarray, D: np.ndarray | None, mu: float
) -> tuple[float, np.ndarray | None]:
    """Return J(w), and w with the output layer that is best under damping, if there is one.

    Parameters
    ----------
    objective : MeanLoss
    w, before : ndarray, (N,)
        Damping is by mu/2 ‖D (w - before)‖², as the step from `before` to w was.
    D : ndarray, (N,), optional
        None for the identity.
    mu : float
    """
    J, sums = output_sums(objective, w)
    J += objective.penalty(w) if objective.penalised else 0.0
    return J, best_output(objective, objective.constant_curvature(), sums, w, before, D, mu)


def output_sums(objective: MeanLoss, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Return J(w) without the penalty, and the sums over samples that `best_output` needs."""
    net, layout = objective.net, objective.net.layout
    parts, constant = objective.lanes(refit_flops), objective.constant_curvature()
    own = constant is None
    m, k = layout.shapes[-1][1], net.n_outputs
    sums = np.zeros((len(parts), k * m + (k if own else 1) * m * m))
    losses = [0.0] * len(parts)

    squares, (c, _) = squares_of(objective), objective.chunk(0, m, len(parts))

    def add(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
        if squares:
            of = squares.of(w, rows, work, buffer, c)
            losses[lane] += _core.squares_output_sums(of, sums=sums[lane])
            return
        F = net.sweep(w, objective.X[rows], work, keep=0)
        losses[lane] += objective.sum_loss(F, rows)
        eps = objective.derivatives(F, rows)
        h = None
        if own:
            h = np.ascontiguousarray(objective.curvature(F, rows, psd=True).diagonal().T)
        _core.output_sums(layout, F.shape[1], h, eps, work, buffer, sums[lane])

    own_size, at_once = nothing, 1
    if squares:
        own_size, at_once = squares.size, squares.at_once(refit_flops(net), c)
    objective.each_chunk(parts, 0, m, add, lambda c: m * c + own_size(c), at_once)
    for others in sums[1:]:
        sums[0] += others
    return sum(losses), sums[0]


def best_output(
    objective: BaseObjective,
    constant: float | None,
    sums: np.ndarray,
    w: np.ndarray,
    before: np.ndarray,
    D: np.ndarray | None,
    mu: float,
) -> np.ndarray | None:
    """Return w with the output layer that is best, from its sums, or None where there is none.

    `constant` is α where c_i H_E = α I for all samples, else None; see `refit`.
    """
    layout, own = objective.net.layout, constant is None
    l2 = None
    if objective.penalised:
        l2 = np.ascontiguousarray(np.broadcast_to(objective.l2, w.shape))
    out = np.empty_like(w)
    alpha = 1.0 if constant is None else constant
    found = _core.output_weights(layout, own, alpha, sums, l2, D, mu, before, w, out)
    return out if found else None


def refit_flops(net: MLP) -> float:
    """Return the flops of a sample."""
    m = net.layout.shapes[-1][1]
    return forward_flops(net) + 2.0 * m * (m + net.n_outputs)
