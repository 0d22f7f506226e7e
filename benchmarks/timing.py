"""Medians of times taken in turn, so that both sides of a ratio meet the same machine.

Each call is made once untimed before it is timed: in use, an iteration follows
another of its kind and finds its own data in the cache, not its rival's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

__all__ = ["medians"]


def medians(*calls: Callable[[], object], seconds: float = 2.0, least: int = 5) -> list[float]:
    """Return the median seconds of each call; they take turns until the time is used up."""
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds
    while len(times[0]) < least or time.perf_counter() < end:
        for call, taken in zip(calls, times, strict=True):
            call()
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]
