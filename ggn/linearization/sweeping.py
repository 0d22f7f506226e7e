"""The sweep over chunks of samples: the gradient, and whatever else is a sum over samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ggn import _core
from ggn.linearization.lanes import in_order, split
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.squares import SquaresPass, nothing, squares_of
from ggn.network import MLP

__all__ = ["Accumulate", "Accumulator", "sweep", "sweep_work"]

# Forming one element of a pair row takes as long as this many flops of dgemm
# (measured: 0.2 ns against 55 Gflop/s, one thread).
FLOPS_PER_ELEMENT = 11.0


class Accumulate(Protocol):
    """Adds a chunk to a sum."""

    def __call__(self, rows: slice, F: np.ndarray, work: np.ndarray, buffer: np.ndarray, /) -> None:
        """Add the samples `rows`, with outputs F (nL, c), that the sweep has left in work."""


class Accumulator(Protocol):
    """A sum over the chunks of a lane."""

    @property
    def chunk_doubles(self) -> int:
        """Scratch per sample beside the sweep's."""

    @property
    def add_squares(self) -> SquaresPass | None:
        """Adds samples under the squared loss, and their gradient to it, where one pass does."""

    def beside(self, c: int) -> int:
        """Return the doubles of `buffer`, for a chunk of c samples."""

    def add(
        self, w: np.ndarray, F: np.ndarray, rows: slice, work: np.ndarray, buffer: np.ndarray
    ) -> None:
        """Add the chunk of these samples, with outputs F, that the forward sweep left in work."""

    def take(self, other: Accumulator) -> None:
        """Add what the lane after this, and those taken before, has summed, which it gives up."""


def sweep(
    objective: MeanLoss,
    w: np.ndarray,
    columns: int,
    accumulate: Accumulate | None = None,
    whole: np.ndarray | None = None,
    lanes: Sequence[Accumulator] = (),
    beside: Callable[[int], int] = nothing,
) -> np.ndarray:
    """Return the gradient of J at w, (N,); on the way, call accumulate on each chunk.

    Parameters
    ----------
    objective : MeanLoss
    w : ndarray, (N,)
    columns : int
        How many columns per sample go backward: 1 for the gradient, nL for Ψ.
    accumulate : callable, optional
    whole : ndarray, optional
        Scratch for taking all samples at once.
    lanes : sequence of Accumulator, optional
        Instead of accumulate, one for each lane into which samples are split: threads take
        lanes, and the first takes what the others have summed.
    beside : callable, optional
        The doubles of the buffer that each is given, for a chunk of c samples; none by default.
    """
    net, layout = objective.net, objective.net.layout
    parts = split(objective.T, len(lanes)) if lanes else [range(objective.T)]
    if not lanes and accumulate is None:
        parts = objective.lanes(sweep_work, columns, sums=net.n_weights)
    gradients = np.zeros((len(parts), net.n_weights))
    squares = squares_of(objective) if whole is None else None
    extra = 0
    end: Callable[[int], object] = nothing
    if lanes:
        first, extra, beside = lanes[0], lanes[0].chunk_doubles, lanes[0].beside
        end = in_order(lambda lane: first.take(lanes[lane]) if lane else None)
    (c, _), at_once = objective.chunk(columns, extra, len(parts)), 1
    if squares and not lanes and accumulate is None:
        at_once = squares.at_once(sweep_work(net, columns), c)

    def do(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
        if squares:
            passed = squares.of(w, rows, work, buffer, c)
            if lanes and (compiled := lanes[lane].add_squares):
                compiled(passed, gradients[lane])
                return
            _core.squares_gradient(passed, out=gradients[lane])
            if at_once > 1:
                return
            F = layout.outputs(work, rows.stop - rows.start)
        else:
            F = net.sweep(w, objective.X[rows], work, keep=1)
            eps = objective.derivatives(F, rows)
            _core.gradient(layout, w, F.shape[1], eps, work, gradients[lane])
        if lanes:
            lanes[lane].add(w, F, rows, work, buffer)
        elif accumulate is not None:
            accumulate(rows, F, work, buffer)

    def room(c: int) -> int:
        return max(beside(c), squares.size(c)) if squares else beside(c)  # one after the other

    with np.errstate(all="ignore"):
        if whole is None:
            objective.each_chunk(parts, columns, extra, do, room, at_once, end)
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
