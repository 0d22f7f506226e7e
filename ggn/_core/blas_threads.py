"""How many threads BLAS has.

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
import threading
import weakref
from contextvars import ContextVar
from typing import Any

from ggn._core.interrupts import done

__all__ = ["limited", "one_thread"]

HELD = 10.0  # seconds: what is done alone takes microseconds, and at first a look at libraries


class _OneThread:
    """One limit shared by all fits that run at once: the first sets it, the last lifts it.

    A limit for each would be lifted in any order, and the wrong number stay behind.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        # A fit that Ctrl-C ended on its way in or out is gone, and so counts no more.
        self._inside: weakref.WeakSet[_Inside] = weakref.WeakSet()
        self._before: list[tuple[Any, int]] | None = None  # until it is lifted

    def _alone(self) -> threading.RLock:
        """Return the lock, taken: here is one thread at a time.

        An interrupt between a block and its end leaves it taken.  Its thread may take it again;
        others, who would wait for ever, know by the time and take a new one.
        """
        while not (lock := self._lock).acquire(timeout=HELD):
            self._lock = threading.RLock()
        return lock

    def enter(self, fit: _Inside) -> None:
        lock = self._alone()
        try:
            self._inside.add(fit)
            if self._before is None:
                self._before = [(blas, blas.num_threads) for blas in _blas() or ()]
            for blas, number in self._before:
                if number != 1:
                    blas.set_num_threads(1)
        finally:
            lock.release()

    def leave(self, fit: _Inside) -> None:
        lock = self._alone()
        try:
            self._inside.discard(fit)
            if not self._inside:
                for blas, number in self._before or ():
                    if number != 1:
                        blas.set_num_threads(number)
                self._before = None
        finally:
            lock.release()


class _Inside:
    """A fit that has limited BLAS."""


_ONE_THREAD = _OneThread()


# The fit that runs in this context and has limited BLAS: each its own, so that what other
# threads begin and end meanwhile does not change its bits.
_LIMITED: ContextVar[weakref.ref[_Inside] | None] = ContextVar("_LIMITED", default=None)


def one_thread() -> bool:
    """Return whether products may count on BLAS having one thread: this fit's, or any's here."""
    fit = _LIMITED.get()
    return (fit is not None and fit() is not None) or _one_by_default()


@functools.cache
def _one_by_default() -> bool:
    """Return whether BLAS was told to have one thread, or the machine has no more."""
    told = (os.environ.get(name) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"))
    return next((value for value in told if value), str(os.cpu_count())) == "1"


@functools.cache
def _blas() -> Any:
    try:
        return done(_found)
    except ImportError:
        return None


def _found() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers


class _Limit:
    """A context; a class, which takes half the time of a generator."""

    def __enter__(self) -> None:
        self._fit, self._outer = _Inside(), _LIMITED.get()
        try:
            _ONE_THREAD.enter(self._fit)
            if _blas() is not None:
                _LIMITED.set(weakref.ref(self._fit))
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        _LIMITED.set(self._outer)
        _ONE_THREAD.leave(self._fit)


def limited() -> contextlib.AbstractContextManager[None]:
    """Return a context in which BLAS has one thread: threads here are our own, and take lanes."""
    return _Limit()
