"""How samples are cut: into lanes, which threads take, and these into chunks of like size."""

from __future__ import annotations

import math

__all__ = ["even", "split"]


def split(T: int, lanes: int) -> list[range]:
    """Return the samples of each lane: alike, and beginning where a cache line does.

    Examples
    --------
    >>> split(100, 2)
    [range(0, 56), range(56, 100)]
    """
    each = -(-T // (8 * lanes)) * 8
    return [range(min(i * each, T), min((i + 1) * each, T)) for i in range(lanes)]


def even(T: int, c: int) -> int:
    """Return about c, a multiple of 8, such that T samples leave no small chunk at the end."""
    count = max(math.ceil(T / c - 0.25), 1)
    return -(-T // (8 * count)) * 8
