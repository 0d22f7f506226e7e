"""Cholesky of a damped matrix, D⁻¹ G D⁻¹ + mu I = F Fᵀ, a large one by blocks on all threads.

Block columns from left to right; below the diagonal, threads take rows of a block each, and
whoever has the topmost goes on to factor the next block of the diagonal.  What is done with
a block does not depend on who does it, so the bits are the same for any number of threads.

Working with the scaled matrix is the same step as (G + mu D²) d = g and keeps the
factorisation as well conditioned as a diagonal scaling can (van der Sluis).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ggn import _core
from ggn._core.machine import limited, share

__all__ = ["damped_cholesky"]

BLOCK = 192
# Rows from which it pays: in one piece, LAPACK takes 7 ms for so many.
BY_BLOCKS_FROM = 1000


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
        Its lower triangle is written.
    """
    n = len(G)
    if n < BY_BLOCKS_FROM:
        _core.scale_rows(G, scale, mu, 0, n, out)
        return _core.factor_block(out, 0, n, 0, n) == 0
    edges = [*range(0, n, BLOCK), n]
    positive = True

    def diagonal(k: int) -> None:
        nonlocal positive
        left, right = edges[k], edges[k + 1]
        if _core.factor_block(out, left, right, left, right) != 0:
            positive = False

    def scaled(i: int, stopped: Callable[[], bool]) -> None:
        _core.scale_rows(G, scale, mu, edges[i], edges[i + 1], out)
        if i == 0:
            diagonal(0)

    def below(i: int, stopped: Callable[[], bool]) -> None:
        top = k + 1 + i
        _core.factor_block(out, edges[k], edges[k + 1], edges[top], edges[top + 1])
        if i == 0:
            diagonal(top)

    blocks = len(edges) - 1
    with limited():
        share(blocks, scaled)
        for k in range(blocks - 1):
            if not positive:
                break
            share(blocks - 1 - k, below)
    return positive
