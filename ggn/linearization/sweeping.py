"""The sweep over chunks of samples: the gradient, and whatever else is a sum over samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ggn import _core
from ggn.linearization.lanes import split
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.squares import nothing, squares_of
from ggn.network import MLP

__all__ = ["Accumulate", "sweep", "sweep_work"]

# Forming one element of a pair row takes as long as this many flops of dgemm
# (measured: 0.2 ns against 55 Gflop/s, one thread).
FLOPS_PER_ELEMENT = 11.0


class Accumulate(Protocol):
    """Adds a chunk to a sum."""

    def __call__(self, rows: slice, F: np.ndarray, work: np.ndarray, buffer: np.ndarray, /) -> None:
        """Add the samples `rows`, with outputs F (nL, c), that the sweep has left in work."""


def sweep(
    objective: MeanLoss,
    w: np.ndarray,
    columns: int,
    extra: int = 0,
    accumulate: Accumulate | None = None,
    whole: np.ndarray | None = None,
    lanes: Sequence[Accumulate] = (),
    beside: Callable[[int], int] = nothing,
) -> np.ndarray:
    """Return the gradient of J at w, (N,); on the way, call accumulate on each chunk.

    Parameters
    ----------
    objective : MeanLoss
    w : ndarray, (N,)
    columns : int
        How many columns per sample go backward: 1 for the gradient, nL for Ψ.
    extra : int, default 0
        Doubles per sample that accumulate needs beside, for the size of a chunk.
    accumulate : callable, optional
    whole : ndarray, optional
        Scratch for taking all samples at once.
    lanes : sequence of callable, optional
        Instead of accumulate, one for each lane into which samples are split: threads take
        lanes, and who calls adds up what they have summed.
    beside : callable, optional
        The doubles of the buffer that each is given, for a chunk of c samples; none by default.
    """
    net, layout = objective.net, objective.net.layout
    parts = split(objective.T, len(lanes)) if lanes else [range(objective.T)]
    if not lanes and accumulate is None:
        parts = objective.lanes(sweep_work, columns, sums=net.n_weights)
    gradients = np.zeros((len(parts), net.n_weights))
    squares = squares_of(objective) if whole is None else None

    def do(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
        if squares:
            _core.squares_gradient(*squares.of(w, rows, work, buffer), out=gradients[lane])
            F = layout.outputs(work, rows.stop - rows.start)
        else:
            F = net.sweep(w, objective.X[rows], work, keep=1)
            eps = objective.derivatives(F, rows)
            _core.gradient(layout, w, F.shape[1], eps, work, gradients[lane])
        add = lanes[lane] if lanes else accumulate
        if add is not None:
            add(rows, F, work, buffer)

    def room(c: int) -> int:
        return max(beside(c), squares.size(c)) if squares else beside(c)  # one after the other

    with np.errstate(all="ignore"):
        if whole is None:
            objective.each_chunk(parts, columns, extra, do, room)
        else:
            do(0, slice(objective.T), whole, np.empty(0))
        for others in gradients[1:]:
            gradients[0] += others
        if objective.penalised:
            gradients[0] += 2.0 * objective.l2 * w
    return gradients[0]


def sweep_work(net: MLP, outputs: int) -> float:
    """Return the flops per sample of trial, forward, backward, and Psi for so many outputs."""
    widths = net.sizes[1:]
    hidden = sum(n * below for n, below in zip(widths[1:], widths, strict=False))
    elements = sum(widths) * (8 + outputs)
    return 8.0 * net.n_weights + 2.0 * outputs * hidden + FLOPS_PER_ELEMENT * elements
