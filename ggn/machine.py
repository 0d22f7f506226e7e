"""The machine: its memory, the rate of its products, and one BLAS thread where more would not pay.

For small matrices the threads of BLAS cost more than they bring, and on a
machine whose cores are busy they wait for one another: iterations of a
millisecond have been seen to take a hundred.  With threadpoolctl installed
(optional), fits below a certain size run on one thread; BLAS calls of other
threads of the process are limited meanwhile, too.
"""

from __future__ import annotations

import contextlib
import functools
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from ggn.validation import number

__all__ = ["flop_rate", "limited", "memory_limit", "one_thread"]

# Flops of an iteration up to which one thread is used: about 4 ms.
ONE_THREAD_UP_TO = 2e8


class _OneThread:
    """One limit shared by all fits that run at once: the first sets it, the last lifts it.

    A limit for each would be lifted in any order, and the wrong number stay behind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                blas = _blas()
                self._limit = None if blas is None else blas.limit(limits=1)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._limit is not None:
                self._limit.restore_original_limits()


_ONE_THREAD = _OneThread()


# Whether the fit that runs in this context has limited BLAS: each its own, so that what other
# threads begin and end meanwhile does not change its bits.
_LIMITED: ContextVar[bool] = ContextVar("_LIMITED", default=False)


def one_thread() -> bool:
    """Return whether products may count on BLAS having one thread: this fit's, or any's here."""
    return _LIMITED.get() or _one_by_default()


@functools.cache
def _one_by_default() -> bool:
    """Return whether BLAS was told to have one thread, or the machine has no more."""
    told = (os.environ.get(name) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"))
    return next((value for value in told if value), str(os.cpu_count())) == "1"


@functools.cache
def _blas() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


@contextlib.contextmanager
def limited(flops: float) -> Iterator[None]:
    """Return a context with one BLAS thread if an iteration has so few flops."""
    if flops > ONE_THREAD_UP_TO:
        yield
        return
    with _ONE_THREAD:
        token = _LIMITED.set(_blas() is not None)
        try:
            yield
        finally:
            _LIMITED.reset(token)


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


def _half() -> float:
    """Return half the physical memory, in bytes, or 4 GiB where it cannot be asked for."""
    try:
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 4.0 * 2**30
