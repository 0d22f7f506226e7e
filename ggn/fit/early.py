"""Independent runs that end early: what is returned where Ctrl-C comes, or samples are lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ggn._core.machine import limited
from ggn.fit.result import Status, TrainResult, interrupted, lost
from ggn.linearization import SourceError

__all__ = ["EARLY", "ended", "on_one_thread", "or_lost", "until_interrupted"]

EARLY = (Status.INTERRUPTED, Status.LOST)


def ended(results: Sequence[TrainResult | SourceError]) -> list[TrainResult]:
    """Return the runs that have an end; the last says so where others have none.

    Raises
    ------
    SourceError
        If all were lost before their first step.
    """
    runs = [one for one in results if not isinstance(one, SourceError)]
    errors = [one for one in results if isinstance(one, SourceError)]
    if errors and not runs:
        raise errors[0]
    if errors and all(run.status is not Status.LOST for run in runs):
        lost(runs[-1], errors[0])
    return runs


def until_interrupted(
    run: Callable[[np.random.Generator], TrainResult], streams: list[np.random.Generator]
) -> list[TrainResult]:
    """Return the runs, one after the other, up to one that was interrupted, or lost its samples."""
    results: list[Any] = []
    for stream in streams:
        try:
            results.append(or_lost(run, stream))
        except KeyboardInterrupt:
            if not results:
                raise
            interrupted(results[-1])  # after which there were to be more
            break
        if isinstance(results[-1], SourceError) or results[-1].status in EARLY:
            break
    return ended(results)


def or_lost(
    run: Callable[[np.random.Generator], TrainResult], stream: np.random.Generator
) -> TrainResult | SourceError:
    """Return run(stream), or why it lost its samples before there was anything to return."""
    try:
        return on_one_thread(run, stream)
    except SourceError as error:
        return error


def on_one_thread(
    run: Callable[[np.random.Generator], TrainResult], stream: np.random.Generator
) -> TrainResult:
    """Return run(stream), in which BLAS sums in an order that n_jobs does not change."""
    with limited():
        return run(stream)
