"""Cholesky of a damped matrix, D⁻¹ G D⁻¹ + mu I = F Fᵀ, a large one by blocks on all threads.

Block columns from left to right; below the diagonal, threads take rows of a block each, and
whoever has the topmost goes on to factor the next block of the diagonal, so that others can
begin with the next column while the last rows of this one are at work.  What is done with a
block does not depend on who does it, so the bits are the same for any number of threads.

Working with the scaled matrix is the same step as (G + mu D²) d = g and keeps the
factorisation as well conditioned as a diagonal scaling can (van der Sluis).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from ggn import _core
from ggn._core.machine import limited, share

__all__ = ["damped_cholesky"]

BLOCK = 192
# Rows from which it pays: in one piece, so many take 4 to 7 ms.
BY_BLOCKS_FROM = 1000
POLL = 0.1  # seconds; an end by an error elsewhere wakes nobody


def damped_cholesky(G: np.ndarray, scale: np.ndarray | None, mu: float, out: np.ndarray) -> bool:
    """Write the lower factor F of D⁻¹ G D⁻¹ + mu I, and whether there is one.

    Parameters
    ----------
    G : ndarray, (n, n)
        Its lower triangle is read.
    scale : ndarray, (n,), optional
        The diagonal of D; None for the identity.
    mu : float
    out : ndarray, (n, n)
        Its lower triangle is written; what is above the diagonal is of no use afterwards, and all
        where there is no factor.
    """
    n = len(G)
    if n < BY_BLOCKS_FROM:
        _core.scale_rows(G, scale, mu, 0, n, out)
        return _core.factor_block(out, 0, n, 0, n) == 0
    edges = [*range(0, n, BLOCK), n]
    blocks = len(edges) - 1
    done = [0] * blocks  # columns of each row that are; of its own too, if it is its row's
    tasks = [(0, 0), *((k, i) for k in range(blocks) for i in range(k + 1, blocks))]
    changed, positive = threading.Condition(), True

    def diagonal(k: int) -> None:
        nonlocal positive
        left, right = edges[k], edges[k + 1]
        if _core.factor_block(out, left, right, left, right) != 0:
            positive = False

    def block(task: int, stopped: Callable[[], bool]) -> None:
        k, i = tasks[task]
        if k == 0:
            _core.scale_rows(G, scale, mu, edges[i], edges[i + 1], out)
        with changed:
            # tasks begin in their order, so what is waited for is at work already
            while i > 0 and not (done[k] > k and done[i] == k):
                if stopped() or not positive:
                    return
                changed.wait(POLL)
        if i > 0:
            _core.factor_block(out, edges[k], edges[k + 1], edges[i], edges[i + 1])
        if i <= k + 1:
            diagonal(i)
        with changed:
            done[i] = i + 1 if i <= k + 1 else k + 1
            changed.notify_all()

    with limited():
        share(len(tasks), block)
    return positive
