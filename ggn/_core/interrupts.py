"""What Ctrl-C may not leave half done: threads that are waited for, packages that are imported."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["done", "join"]

T = TypeVar("T")


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

    thread = threading.Thread(target=call, daemon=True)
    try:
        thread.start()
    except RuntimeError:  # there are no threads here
        return work()
    join([thread], threading.Event())
    if failed:
        raise failed[0]
    return results[0]


def join(others: list[threading.Thread], stop: threading.Event) -> None:
    """Wait for all, for they write to the caller's memory, also if Ctrl-C comes meanwhile."""
    interrupt = None
    for thread in others:
        while thread.is_alive():
            try:
                thread.join()
            except KeyboardInterrupt as error:
                interrupt = error
                stop.set()
    if interrupt is not None:
        raise interrupt
