"""What Ctrl-C may not leave half done, or end: threads, imports of packages, processes of ours."""

from __future__ import annotations

import _thread
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["Worker", "done", "join", "raise_alone", "unheard"]

T = TypeVar("T")


class Worker:
    """A thread that can be waited for, wherever Ctrl-C comes.

    `threading.Thread` will not do: to start one takes a lock of all threads, and waits for it by
    one of its own; where Ctrl-C comes between a lock and its block, it is never free again, and
    the thread waits for it for ever.  The lock here is taken by one side, and freed by the other.

    Parameters
    ----------
    work : callable
        Without arguments; keeps its errors to itself.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work, self._started, self._over = [work], list[int](), False
        self._ended = _thread.allocate_lock()
        self._ended.acquire()

    @property
    def alive(self) -> bool:
        """Whether it has been started, and is not done."""
        return bool(self._started) and not self._over

    def start(self) -> None:
        """Start; the thread is alive when this returns, or is so or not when it raises Ctrl-C.

        Raises
        ------
        RuntimeError
            If there are no threads here.
        """
        # in one call of C's, so that Ctrl-C never comes between the start and word of it; to wait
        # until the thread itself says that it runs took 40 us, as long as its start does
        self._started.extend(map(_thread.start_new_thread, [self._run], [()]))

    def wait(self) -> None:
        """Wait for the end of a thread that is alive."""
        self._ended.acquire()

    def _run(self) -> None:
        try:
            # referred to no more when it is done: it may be long until this thread runs again and
            # its frame is gone, and who waited counts on the memory that the work held
            self._work.pop()()
        finally:
            self._over = True
            self._ended.release()


def done(work: Callable[[], T]) -> T:
    """Return work(), done to its end whenever Ctrl-C comes: it comes to the main thread alone.

    For imports of what is needed only now: a package half imported stays in pieces, and breaks
    all that asks for it later in this process.
    """
    results: list[T] = []
    failed: list[BaseException] = []

    def call() -> None:
        try:
            results.append(work())
        except BaseException as error:
            failed.append(error)

    worker = Worker(call)
    try:
        worker.start()
    except RuntimeError:  # there are no threads here
        return work()
    finally:
        join([worker])
    raise_alone(failed)
    return results[0]


def raise_alone(errors: list[BaseException]) -> None:
    """Raise the error of a list, if it has one, and empty it.

    Kept where its traceback passes, an error is a circle with all frames on its way, and what they
    hold, and have limited, would last until Python looks for such.
    """
    if errors:
        error = errors[0]
        errors.clear()
        try:
            raise error
        finally:
            del error


def join(workers: Sequence[Worker], stop: Callable[[], object] = lambda: None) -> None:
    """Wait for all, for they write to the caller's memory; where Ctrl-C comes, call stop."""
    interrupted: list[BaseException] = []
    for worker in workers:
        while worker.alive:
            try:
                worker.wait()
            except KeyboardInterrupt as error:
                interrupted[:] = [error]
                stop()
    raise_alone(interrupted)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Return a context whose new threads, and their processes, Ctrl-C does not reach.

    A terminal sends it to a process and all its children.  Both inherit from who starts them which
    signals are blocked, and so do children that they start later.  This thread hears of it when
    the context ends.  Where signals cannot be blocked, on Windows, nothing is.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # who starts it has Ctrl-C let through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
