"""The sweep over chunks of samples: the gradient, and whatever else is a sum over samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from ggn import _core
from ggn.linearization.objective import Objective, chunks, split
from ggn.machine import limited, share

__all__ = ["Accumulate", "sweep"]


class Accumulate(Protocol):
    """Adds a chunk to a sum."""

    def __call__(self, rows: slice, F: np.ndarray, work: np.ndarray) -> None:
        """Add the samples `rows`, with outputs F (nL, c), that the sweep has left in work."""


def sweep(
    objective: Objective,
    w: np.ndarray,
    columns: int,
    extra: int = 0,
    accumulate: Accumulate | None = None,
    whole: np.ndarray | None = None,
    lanes: Sequence[Accumulate] = (),
) -> np.ndarray:
    """Return the gradient of J at w, (N,); on the way, call accumulate on each chunk.

    Parameters
    ----------
    objective : Objective
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
    """
    net, layout, count = objective.net, objective.net.layout, max(len(lanes), 1)
    gradients, parts = np.zeros((count, net.n_weights)), split(objective.T, count)
    c, size = objective.chunk(columns, extra, count)
    if whole is None:
        works = [objective.scratch(size) for _ in parts]
    else:
        c, works = objective.T, [whole]

    def work(lane: int, stopped: Callable[[], bool] | None = None) -> None:
        add = lanes[lane] if lanes else accumulate
        with np.errstate(all="ignore"):
            for rows in chunks(parts[lane], c):
                if stopped is not None and stopped():
                    return
                F = net.sweep(w, objective.X[rows], works[lane], keep=1)
                eps = objective.derivatives(F, rows)
                _core.gradient(layout, w, F.shape[1], eps, works[lane], gradients[lane])
                if add is not None:
                    add(rows, F, works[lane])

    if count == 1:
        work(0)
        if not objective.penalised:
            return gradients[0]
    else:
        with limited(0.0):
            share(count, work, objective.of_the_users_own)
    with np.errstate(all="ignore"):
        for lane in gradients[1:]:
            gradients[0] += lane
        if objective.penalised:
            gradients[0] += 2.0 * objective.l2 * w
    return gradients[0]
