"""How samples are cut, into lanes and these into like chunks, and how threads take lanes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

import numpy as np

from ggn._core.machine import limited, share

__all__ = ["even", "in_order", "on_threads", "split"]


def split(T: int, lanes: int) -> list[range]:
    """Return the samples of each lane: alike, and beginning where a cache line does.

    Examples
    --------
    >>> split(100, 2)
    [range(0, 56), range(56, 100)]
    """
    each = -(-T // (8 * lanes)) * 8
    return [range(min(i * each, T), min((i + 1) * each, T)) for i in range(lanes)]


def on_threads(
    lanes: int,
    scratch: Callable[[], np.ndarray],
    one: Callable[[int, np.ndarray, Callable[[], bool]], None],
    alone: bool,
) -> None:
    """Call one(lane, room, stopped) for each lane, several at a time; see `share`.

    Parameters
    ----------
    lanes : int
    scratch : callable
        Returns the room of a lane, used again for those after it.
    one : callable
        With NumPy's settings for errors that the caller's thread has.
    alone : bool
        Whether to stay on the caller's thread.
    """
    if lanes == 1:
        one(0, scratch(), lambda: False)
        return
    free, settings = deque[np.ndarray](), np.geterr()

    def beyond(lane: int, stopped: Callable[[], bool]) -> None:
        try:
            room = free.pop()  # the last that was in use: it is in the cache
        except IndexError:
            room = scratch()
        with np.errstate(**settings):
            one(lane, room, stopped)
        free.append(room)

    with limited():
        share(lanes, beyond, alone)


def in_order(do: Callable[[int], None]) -> Callable[[int], None]:
    """Return end(lane), for threads to say that a lane is done, which calls do(0), do(1), ...

    Each as soon as this lane and all before it are done, by one of those who said so, one at a
    time.  No locks: one that Ctrl-C left taken would be waited for for ever.

    Examples
    --------
    >>> end = in_order(print)
    >>> end(1)
    >>> end(0)
    0
    1
    """
    ended, turn = set[int](), deque([0])

    def end(lane: int) -> None:
        ended.add(lane)
        while turn:
            try:
                next = turn.pop()
            except IndexError:  # another thread was first, and looks again below
                return
            while next in ended:
                do(next)
                next += 1
            turn.append(next)
            if next not in ended:
                return

    return end


def even(T: int, c: int) -> int:
    """Return about c, a multiple of 8, such that T samples leave no small chunk at the end."""
    count = max(math.ceil(T / c - 0.25), 1)
    return -(-T // (8 * count)) * 8
