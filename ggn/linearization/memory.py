"""Scratch memory: each array belongs to whoever asked for it, for as long as it is looked at.

A training run asks for the same few sizes in each iteration, N² doubles among
them, and fresh pages from the system cost as much as the sweep that fills them.
So a piece of memory whose array is gone is kept and given to the next who asks
for its size.  "Gone" is what Python says: no name, no view and no memoryview
refers to the array any more.  So two holders never meet in one piece.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["Memory"]

# Held beyond what was in use at once: sweeps of several kinds, 1 MB each, take turns.
SPARE = 4 * 2**20 // 8


class Memory:
    """Hands out uninitialised arrays, and uses again the memory of those that are gone.

    It holds never more than was once in use at the same time, and 4 MiB.

    Examples
    --------
    >>> memory = Memory()
    >>> first = memory.array(2, 3)
    >>> second = memory.array(6)
    >>> bool(np.shares_memory(first, second))
    False
    """

    def __init__(self) -> None:
        self._free: list[np.ndarray] = []  # the longest unused first
        self._used = self._most = 0  # doubles

    def array(self, *shape: int) -> np.ndarray:
        """Return an array of this shape, aligned to 64 bytes; its contents are anything."""
        piece = self._piece(math.prod(shape))
        self._used += len(piece)
        self._most = max(self._most, self._used)
        # NumPy makes the lease the base of the array, and so of every view of it
        return np.asarray(_Lease(self, piece)).reshape(shape)

    def _piece(self, size: int) -> np.ndarray:
        for i in reversed(range(len(self._free))):
            if len(self._free[i]) == size:
                return self._free.pop(i)
        idle = sum(map(len, self._free))
        while self._free and self._used + idle + size > max(self._most, self._used + size) + SPARE:
            idle -= len(self._free.pop(0))
        room = np.empty(size + 8)
        first = -room.ctypes.data // 8 % 8
        return room[first : first + size]

    def _back(self, piece: np.ndarray) -> None:
        self._used -= len(piece)
        self._free.append(piece)

    def __reduce__(self) -> tuple[type[Memory], tuple[()]]:
        return Memory, ()  # a copy has arrays of its own


class _Lease:
    """The base of an array of `Memory`; gives the piece back when the last view is gone."""

    def __init__(self, memory: Memory, piece: np.ndarray) -> None:
        self.memory, self.piece = memory, piece

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.piece.__array_interface__

    def __del__(self) -> None:
        self.memory._back(self.piece)
