"""Independent fits on the same chunks, several at once: their graphs share the workers.

Each is a thread of this process, which mostly waits.  While one fit factors, or waits for the
scheduler, the workers sum for the others; and where there are more cores than chunks, these are
kept by several workers.  A fit's sums are its own, so the results are those of one after the other.
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from ggn._core.machine import memory_limit
from ggn.dask.sums import DaskSource
from ggn.dask.waiting import Stop
from ggn.fit.early import EARLY, ended
from ggn.fit.limits import Callback
from ggn.fit.result import Status, TrainResult, interrupted
from ggn.linearization import SourceError
from ggn.validation import integer

__all__ = ["in_turn_of_threads", "run_together"]

LOOK = 0.5  # seconds
DOUBLES = 2.5  # times N² of a fit on the client: the matrix, its factor, and a sum that comes in


def run_together(
    sources: list[DaskSource],
    n_weights: int,
    n_jobs: int | None,
    max_memory: float | None,
    run: Callable[[np.random.Generator], TrainResult],
    streams: list[np.random.Generator],
) -> list[TrainResult]:
    """Return run(stream) of each stream, n_jobs of them at once.

    By default as many as fill the workers, if their matrices fit the memory here.  Where
    one is interrupted all are, where one has lost the cluster none is begun any more, and those
    that have weights are returned.
    """
    if n_jobs is None:
        room = memory_limit(max_memory) / (8.0 * DOUBLES * n_weights**2)
        n_jobs = int(max(min(sources[0].fits_at_once(), room), 1))
    n_jobs = min(integer("n_jobs", n_jobs, 1), len(streams))
    stop = Stop()
    for source in sources:
        source.stop, source.at_once = stop, n_jobs

    lost = threading.Event()

    def do(stream: np.random.Generator) -> TrainResult | SourceError | None:
        if stop.asked or lost.is_set():
            return None
        try:
            result = run(stream)
        except KeyboardInterrupt:  # before there were weights
            stop.ask()
            return None
        except SourceError as error:  # those under way will find out, and keep what they have
            lost.set()
            return error
        except BaseException:
            stop.ask()  # whoever asked is told of it, so others need not go on
            raise
        if result.status is Status.INTERRUPTED:
            stop.ask()
        elif result.status is Status.LOST:
            lost.set()
        return result

    with ThreadPoolExecutor(n_jobs, "ggn-fit") as pool:
        try:
            asked = [pool.submit(contextvars.copy_context().run, do, stream) for stream in streams]
            _wait(asked, stop)
        except BaseException:  # else leaving the pool would wait for the fits
            stop.ask()
            raise
    results = [one.result() for one in asked]
    found = ended([result for result in results if result is not None])
    if not found:
        raise KeyboardInterrupt
    if stop.asked and None in results and all(run.status not in EARLY for run in found):
        interrupted(found[-1])  # after which there were to be more
    return found


def _wait(asked: list[Future[Any]], stop: Stop) -> None:
    """Wait for all; Ctrl-C stops them, and is over when they have stopped."""
    left = set(asked)
    while left:
        try:
            left = wait(left, LOOK).not_done
        except KeyboardInterrupt:
            stop.ask()


def in_turn_of_threads(callback: Callback | None) -> Callback | None:
    """Return a callback that is called by one thread at a time."""
    if not callable(callback):
        return callback
    lock = threading.Lock()

    @functools.wraps(callback)
    def locked(*args: Any, **named: Any) -> Any:
        with lock:
            return callback(*args, **named)

    return locked
