"""When a run is to stop, as its caller says it; checked once, at the door."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.validation import describe, integer, number

__all__ = ["Callback", "Limits", "scipy_callback", "time_limit"]

Callback = Callable[..., Any]

BARE = (
    "the callback was called with the array of weights alone, as SciPy does; name its one "
    "parameter intermediate_result to be given .w .fun .nit .damping .gradient_norm .seconds"
)

LARGEST_TOL = 1e100  # whose square is a number; larger ones ask for no more


class Limits:
    """Iterations, tolerance, target, seconds and the callback of `ggn.train`."""

    def __init__(
        self,
        max_iter: int,
        tol: float,
        target: float | None,
        seconds: float,
        callback: Callback | None,
    ) -> None:
        self.max_iter = integer("max_iter", max_iter, 0)
        self.tol = min(number("tol", tol, 0.0), LARGEST_TOL)
        self.target = None if target is None else number("loss_target", target)
        self.seconds = time_limit(seconds)
        self.callback = scipy_callback(callback)


def time_limit(seconds: Any) -> float:
    """Return max_seconds, which may be infinite."""
    endless = isinstance(seconds, (float, np.floating)) and seconds == math.inf
    return math.inf if endless else number("max_seconds", seconds, 0.0)


def scipy_callback(callback: Callback | None) -> Callback | None:
    """Follow SciPy: a parameter named intermediate_result gets the snapshot, any other gets w."""
    if callback is None:
        return None
    if not callable(callback):
        raise ValueError(f"callback must be callable, got {describe(callback)}")
    try:
        parameters = list(inspect.signature(callback).parameters)
    except (TypeError, ValueError):
        parameters = []
    if parameters == ["intermediate_result"]:
        return lambda snapshot: callback(intermediate_result=snapshot)

    def with_weights(snapshot: OptimizeResult) -> Any:
        w = np.copy(snapshot.w)
        try:
            return callback(w)
        except (AttributeError, IndexError, TypeError) as error:
            if not isinstance(error, AttributeError) or error.obj is w:
                error.add_note(BARE)
            raise

    return with_weights
