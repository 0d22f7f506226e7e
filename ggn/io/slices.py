"""Arrays read by slices, some rows at a time: in memory, or of a mapped file."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["slices"]


def slices(arrays: Sequence[Any], step: int) -> Iterator[tuple[Any, ...]]:
    """Yield so many rows of each array at a time."""
    for start in range(0, len(arrays[0]), step):
        yield tuple(array[start : start + step] for array in arrays)
        for array in arrays:
            _let_go(array)


def _let_go(array: Any) -> None:
    """Give the pages of a mapped file back: what was read once would stay, up to all of it."""
    if not isinstance(array, np.memmap) or array.mode == "c":  # that is a copy of its own
        return
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
