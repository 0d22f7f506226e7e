"""The sweep over chunks of samples: the gradient, and whatever else is a sum over samples."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ggn import _core
from ggn.linearization.objective import Objective
from ggn.network import chunks

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
    """
    net, gradient = objective.net, np.zeros(objective.net.n_weights)
    c, size = objective.chunk(columns, extra)
    if whole is None:
        work = objective.scratch(size)
    else:
        c, work = objective.T, whole
    with np.errstate(all="ignore"):
        for rows in chunks(objective.T, c):
            F = net.sweep(w, objective.X[rows], work, keep=1)
            eps = objective.derivatives(F, rows)
            _core.gradient(net.layout, w, F.shape[1], eps, work, gradient)
            if accumulate is not None:
                accumulate(rows, F, work)
        if objective.penalised:
            gradient += 2.0 * objective.l2 * w
    return gradient
