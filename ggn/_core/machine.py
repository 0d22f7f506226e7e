"""The machine: its memory, the rate of its products, its cores, and what runs on how many.

Samples of a large problem are split into lanes, as many as its sizes say; threads of our own
take lanes, and what they bring is added in the lanes' order.  So the number of threads
is nobody's business but the clock's: the bits are the same for any.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context

import numpy as np

from ggn._core.blas_threads import limited, one_thread
from ggn._core.interrupts import Worker, done, join, raise_alone
from ggn.validation import ArgumentError, integer, number

__all__ = [
    "FIT_BYTES",
    "check_room",
    "check_square",
    "done",
    "flop_rate",
    "heed",
    "lane_count",
    "limited",
    "memory_limit",
    "one_thread",
    "share",
    "threads",
]

FIT_BYTES = 8192  # that the result of a fit takes at least
# Flops that make a lane worth a thread: 0.4 ms, where to start and join one takes 0.13 ms.
LANE_FLOPS = 2e7
MOST_LANES = 8
# Doubles of a lane's own sums from which there are half as many lanes: 8 MB.
LARGE_SUMS = 2**20
# Flops in the time that it takes to write and add a double of a lane's sums, ten times over.
FLOPS_PER_SUM = 1000.0


@functools.cache
def flop_rate() -> float:
    """Return the flops per second of dgemm here, timed once per process."""
    a, times = np.ones((400, 400)), []
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2.0 * 400**3 / statistics.median(times)


def memory_limit(max_memory: float | None) -> float:
    """Return the bytes that a caller allows: half of the machine's where none are named.

    Raises
    ------
    ValueError
        For a max_memory that is not a number above zero.
    """
    if max_memory is not None:
        return number("max_memory", max_memory, 0.0, open_low=True)
    return _half()


def check_room(name: str, value: int, each: float) -> int:
    """Return how many things are asked for, if memory holds them, each of so many bytes.

    Raises
    ------
    ValueError
        If half of the machine's does not.
    """
    if value * each > _half():
        most = int(_half() / each)
        raise ArgumentError(name, f"must be at most {most}, which memory holds, got {value}")
    return value


def check_square(name: str, value: int) -> int:
    """Return how many things are asked for, if the machine's memory holds a square of doubles.

    Raises
    ------
    ValueError
        If it does not.
    """
    most = math.isqrt(int(2.0 * _half() / 8.0))
    if value > most:
        raise ArgumentError(
            name, f"must be at most {most}, a square of which memory holds, got {value}"
        )
    return value


def _half() -> float:
    """Return half the physical memory, in bytes, or 4 GiB where it cannot be asked for."""
    try:
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 4.0 * 2**30


def lane_count(flops: float, sums: int = 0) -> int:
    """Return into how many lanes, 1, 2, 4 or 8, to split a sweep of so many flops.

    Parameters
    ----------
    flops : float
    sums : int, default 0
        Doubles that each lane sums.
    """
    most = MOST_LANES // 2 if sums > LARGE_SUMS else MOST_LANES
    worth = min(flops / LANE_FLOPS, flops / (FLOPS_PER_SUM * max(sums, 1)), most)
    lanes = 1
    while 2 * lanes <= worth:
        lanes *= 2
    return lanes


_THREADS: ContextVar[int | None] = ContextVar("_THREADS", default=None)
_STOPPED: ContextVar[Callable[[], bool]] = ContextVar("_STOPPED", default=lambda: False)


@contextlib.contextmanager
def threads(n: int) -> Iterator[None]:
    """Return a context in which the library's sweeps run on n threads.

    By default they run on as many as this process has cores (its affinity and its cgroup's
    share of them counted), or as the environment says in GGN_NUM_THREADS, or else in
    OMP_NUM_THREADS, which joblib sets in its workers.  What is computed is the same to the
    last bit for any number.

    Parameters
    ----------
    n : int
        At least 1.

    Raises
    ------
    ValueError
        If n is not a positive integer.

    Examples
    --------
    >>> import ggn
    >>> X, Y = ggn.problems.xor()
    >>> with ggn.threads(1):
    ...     fit = ggn.train(ggn.MLP((2, 3, 1)), X, Y, max_iter=5)
    """
    token = _THREADS.set(integer("n", n, 1))
    try:
        yield
    finally:
        _THREADS.reset(token)


def number_of_threads() -> int:
    """Return on how many threads a sweep may run in this context."""
    told = _THREADS.get()
    return _cores() if told is None else told


@functools.cache
def _cores() -> int:
    for name in ("GGN_NUM_THREADS", "OMP_NUM_THREADS"):
        told = os.environ.get(name, "").split(",")[0].strip()
        if told.isdecimal() and int(told) > 0:
            return int(told)
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError), open("/sys/fs/cgroup/cpu.max") as file:
        quota, period = map(int, file.read().split())  # "max" is no number: no limit
        cores = min(cores, max(round(quota / period), 1))
    return cores


def share(lanes: int, work: Callable[[int, Callable[[], bool]], None], alone: bool = False) -> None:
    """Call work(lane, stopped) for each lane, on several threads, the caller's among them.

    An error, or Ctrl-C, ends all: work returns early where `stopped()` says so.  None of the
    threads outlives the call, so there is nothing to be lost in a fork.

    Parameters
    ----------
    lanes : int
    work : callable
    alone : bool, default False
        Whether to stay on the caller's thread, for functions of the user's own.
    """
    # no locks: one that Ctrl-C left taken would be waited for for ever
    todo, stop = deque(range(lanes)), deque[bool]()
    errors: dict[int, BaseException] = {}

    def stopped() -> bool:
        return bool(stop)

    def take() -> None:
        outer = _STOPPED.set(stopped)
        try:
            take_all()
        finally:
            _STOPPED.reset(outer)

    def take_all() -> None:
        while todo and not stop:
            try:
                lane = todo.popleft()
            except IndexError:  # another thread was first
                return
            try:
                work(lane, stopped)
            except BaseException as error:
                errors[lane] = error
                stop.append(True)

    count = 1 if alone else min(number_of_threads(), lanes)
    others = [Worker(functools.partial(copy_context().run, take)) for _ in range(count - 1)]
    try:
        for worker in others:
            worker.start()
        take()
    except BaseException:
        stop.append(True)
        raise
    finally:
        join(others, lambda: stop.append(True))
    if errors:
        # an error of its own before Ctrl-C, which others have heeded
        raised = [errors[min(errors, key=lambda i: (isinstance(errors[i], KeyboardInterrupt), i))]]
        errors.clear()
        raise_alone(raised)


def heed() -> None:
    """Raise KeyboardInterrupt where `share` has ended all, for work that asks nobody else.

    So a run of many iterations on another thread ends with the run that Ctrl-C has ended.
    """
    if _STOPPED.get()():
        raise KeyboardInterrupt
