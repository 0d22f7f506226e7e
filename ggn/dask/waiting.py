"""Waiting for the cluster, never without end.

    a task's error            raised here
    data lost for good        ClusterError: what was scattered, say, cannot be computed again
    a client closed           ClusterError, at once
    a scheduler gone          ClusterError, once it has not come back for `patience` seconds
    no worker that works      ClusterError, likewise: none is left, or all have paused

A worker that dies, with others left, is no fault: its tasks run elsewhere.  Nor is a slow one.
`dask.config` says otherwise of the patience: {"ggn.patience": seconds}.  After Ctrl-C, which in a
terminal the workers of this machine may have heard too, it is `HURRY`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import dask
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from ggn.linearization.source import SourceError
from ggn.validation import number

__all__ = ["LOOK", "ClusterError", "Stop", "bounded", "patience", "result_of"]

PATIENCE = 60.0
SLICE = 0.5  # seconds between looks at the client
OVER = ("finished", "error", "cancelled")
LOOK = 5.0  # seconds between looks at the workers
HURRY = 1.0  # seconds of patience of who was interrupted


class ClusterError(SourceError):
    """The cluster cannot go on: data, workers, scheduler or client are gone."""


def patience() -> float:
    """Return the seconds without any sign of work after which the cluster is given up."""
    return number("ggn.patience", dask.config.get("ggn.patience", PATIENCE), 0.0)


def result_of(client: Client, future: Future, stop: Stop | None = None) -> Any:
    """Return the result of a future; whatever ends the wait else, the future is released.

    Raises
    ------
    ClusterError
        If it will not come.
    KeyboardInterrupt
        On Ctrl-C; and once in each thread, if `stop` is asked for.
    """
    watch, done = _Watch(client, stop), threading.Event()
    try:
        future.add_done_callback(lambda _: done.set())
        while future.status not in OVER:
            if done.wait(SLICE) and future.status not in OVER:
                time.sleep(0.1 * SLICE)  # lost, and computed again
            watch.look()
        return _fetched(client, future, watch)
    except KeyboardInterrupt:
        if stop is not None:
            stop.ask()
        raise
    finally:
        future.release()


def _fetched(client: Client, future: Future, watch: _Watch) -> Any:
    """Return what a future that is done has; the longer the transfer, the longer it may take."""
    seconds = 4 * SLICE
    while True:
        if future.cancelled():
            raise ClusterError(
                "the cluster lost data that it cannot compute again, or its scheduler; "
                "data from files or from computed arrays are made again where a worker dies"
            )
        try:
            return future.result(timeout=seconds)
        except KilledWorker as error:
            raise ClusterError(f"workers died again and again at the same task: {error}") from error
        except TimeoutError:
            if future.status == "error":
                raise
            watch.look()
            seconds *= 2.0
        except Exception as error:
            if future.cancelled():
                continue
            if future.status == "error":
                raise
            raise ClusterError(f"the cluster did not hand back a result: {error}") from error


class Stop:
    """Ctrl-C for threads, which it does not reach: once asked for, each is interrupted once.

    What it does then, to come to an end, is not.
    """

    def __init__(self) -> None:
        self._asked, self._told = threading.Event(), threading.local()

    @property
    def asked(self) -> bool:
        """Whether any has asked."""
        return self._asked.is_set()

    def ask(self) -> None:
        """Interrupt all others at their next look; who asks knows."""
        self._told.once = True
        self._asked.set()

    def look(self) -> None:
        """Raise KeyboardInterrupt, if that was asked for and this thread was not told yet."""
        if self.asked and not getattr(self._told, "once", False):
            self._told.once = True
            raise KeyboardInterrupt


class _Watch:
    """Looks, from time to time, whether there is anybody to wait for."""

    def __init__(self, client: Client, stop: Stop | None) -> None:
        self.client, self.stop, self._patience = client, stop, patience()
        self.looked = self.well = time.monotonic()
        self.trouble = ""

    @property
    def patience(self) -> float:
        hurries = self.stop is not None and self.stop.asked
        return min(self._patience, HURRY) if hurries else self._patience

    def look(self) -> None:
        if self.stop is not None:
            self.stop.look()
        now, status = time.monotonic(), self.client.status
        if status in ("closed", "closing", "newly-created"):
            raise ClusterError(f"the client is {status}")
        if status != "running":
            self._since(now, "the connection to the scheduler is lost")
        elif now - self.looked >= min(LOOK, self.patience):
            self.looked = now
            trouble = _trouble(self.client)
            if trouble:
                self._since(now, trouble)
            else:
                self.well = now
        elif not self.trouble:
            self.well = now

    def _since(self, now: float, trouble: str) -> None:
        self.trouble = trouble
        if now - self.well > self.patience:
            raise ClusterError(f"{trouble}, for {self.patience:g} s")


def _trouble(client: Client) -> str:
    """Return why no task can run now, or nothing."""
    try:
        seen = bounded(client, client.scheduler.identity, LOOK)["workers"]
    except TimeoutError:
        return "the scheduler does not answer"
    except Exception as error:
        return f"the scheduler does not answer ({type(error).__name__})"
    if not seen:
        return "the cluster has no workers"
    states = {worker.get("status", "running") for worker in seen.values()}
    if "running" in states:
        return ""
    return f"no worker of the cluster is running: all are {' or '.join(sorted(states))}"


def bounded(client: Client, ask: Callable[..., Any], seconds: float) -> Any:
    """Return the answer of a client's own coroutine, or raise TimeoutError."""
    return client.sync(ask, callback_timeout=seconds)
