"""Scratch memory: each array belongs to whoever asked for it, for as long as it is looked at.

A training run asks for the same few sizes in each iteration, N² doubles among
them, and fresh pages from the system cost as much as the sweep that fills them.
So a piece of memory whose array is gone is kept and given to the next who asks
for about its size.  "Gone" is what Python says: no name, no view and no memoryview
refers to the array any more.  So two holders never meet in one piece.
"""

from __future__ import annotations

import math
import threading
import weakref
from typing import Any

import numpy as np

__all__ = ["Memory"]

# Doubles below which the system's own memory is as quick, and nothing is kept.
SMALL = 8192

# Held beyond what was in use at once: sweeps of several kinds, 1 MB each, take turns.
SPARE = 4 * 2**20 // 8


# A piece may have so many times the size that is asked for.
ROOMY = 2


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
        # an interrupt between its last line and its end would keep a plain lock for ever
        self._lock = threading.RLock()
        self._pieces: list[tuple[np.ndarray, weakref.ref[_Lease]]] = []  # the latest used last
        self._most = 0  # doubles in use at once

    def array(self, *shape: int) -> np.ndarray:
        """Return an array of this shape, aligned to 64 bytes if large; it may hold anything."""
        size = math.prod(shape)
        if size <= SMALL:
            return np.empty(shape)
        with self._lock:
            piece = self._piece(size)
            lease = _Lease(piece)
            self._pieces.append((piece, weakref.ref(lease)))
            self._most = max(self._most, self._used())
        # NumPy makes the lease the base of the array, and so of every view of it
        return np.asarray(lease)[:size].reshape(shape)

    def _piece(self, size: int) -> np.ndarray:
        used, free = self._used(), self._free()
        # the last chunk of many is shorter than the others: its piece is one of theirs
        fits = [piece for piece in free if size <= len(piece) <= ROOMY * size]
        if fits:
            found = min(reversed(fits), key=len)
            self._forget(found)
            return found
        idle = sum(map(len, free))
        for piece in free:
            if used + idle + size <= max(self._most, used + size) + SPARE:
                break
            self._forget(piece)
            idle -= len(piece)
        return _aligned(size)

    def _forget(self, piece: np.ndarray) -> None:
        self._pieces = [entry for entry in self._pieces if entry[0] is not piece]

    def _free(self) -> list[np.ndarray]:
        return [piece for piece, lease in self._pieces if lease() is None]

    def _used(self) -> int:
        return sum(len(piece) for piece, lease in self._pieces if lease() is not None)

    def __reduce__(self) -> tuple[type[Memory], tuple[()]]:
        return Memory, ()  # a copy has arrays of its own


def _aligned(size: int) -> np.ndarray:
    """Return so many doubles, the first where a cache line begins."""
    room = np.empty(size + 8)
    first = -room.__array_interface__["data"][0] // 8 % 8
    return room[first : first + size]


class _Lease:
    """The base of an array of `Memory`: while it lives, the piece is in use.

    Nothing of ours runs when it dies, so that Ctrl-C cannot be lost there.
    """

    def __init__(self, piece: np.ndarray) -> None:
        self.piece = piece
        self.__array_interface__: dict[str, Any] = piece.__array_interface__
