"""Several trainings that make one result: where they start, their limits, how they ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.fit.limits import Callback, Limits
from ggn.fit.result import Status, TrainResult
from ggn.fit.start import draw, given_weights
from ggn.fit.train import train
from ggn.linearization import Objective
from ggn.losses import Loss

__all__ = ["STOPPED", "From", "Run", "Stages", "starts", "with_sums"]

Result = TypeVar("Result", bound=TrainResult)
From = np.ndarray | TrainResult  # weights, or the fit that is gone on from
Run = Callable[[From, Any, Any, int, float], TrainResult]

# A training that ended so is the last.
STOPPED = (Status.INTERRUPTED, Status.CALLBACK, Status.MAX_SECONDS, Status.BAD_START)


class Stages:
    """Trainings on the same data, one after another; nit, nfev and njev are their sums.

    Parameters
    ----------
    data : Objective
    limits : Limits, optional
        Of all trainings together, its max_iter and tol apart; the callback sees sums.
    start : float, default 0.0
        When the first of them began, by `time.perf_counter`.
    run : callable, optional
        (w0, loss, l2, max_iter, tol) -> TrainResult, a training in place of `ggn.train` on
        the data, which then minds its own limits.
    **options
        For `ggn.train`: step, damping, sample_weight, max_memory.
    """

    def __init__(
        self,
        data: Objective,
        limits: Limits | None = None,
        start: float = 0.0,
        *,
        run: Run | None = None,
        **options: Any,
    ) -> None:
        self.net, self.X, self.Y = data.net, data.X, data.Yt.T
        self.nit = self.nfev = self.njev = 0
        self._limits, self._start, self._options, self._run = limits, start, options, run

    def train(
        self, w0: From, loss: str | Loss, *, l2: Any, max_iter: int, tol: float
    ) -> TrainResult:
        """Train from w0, weights or the training before, and count."""
        fit = (self._run or self._plain)(w0, loss, l2, max_iter, tol)
        self.nit += fit.nit
        self.nfev += fit.nfev
        self.njev += fit.njev
        return fit

    def weigh(self, sample_weight: np.ndarray | None) -> None:
        """Give samples other weights from the next training on."""
        self._options["sample_weight"] = sample_weight

    def _plain(self, w0: From, loss: Any, l2: Any, max_iter: int, tol: float) -> TrainResult:
        limits, passed = self._limits, time.perf_counter() - self._start
        assert limits is not None
        return train(
            self.net,
            self.X,
            self.Y,
            loss,
            w0=w0,
            l2=l2,
            max_iter=max_iter,
            tol=tol,
            max_seconds=max(limits.seconds - passed, 0.0),
            callback=with_sums(limits.callback, self.nit, self.nfev, passed),
            **self._options,
        )

    def result(self, kind: type[Result], fit: TrainResult, status: Status, **more: Any) -> Result:
        """Return the last training as the result of all, with what else was found."""
        made = kind(fit)
        made.update(
            {"message": fit.message if status is fit.status else status.value} | more,
            success=status.success,
            status=status,
            nit=self.nit,
            nfev=self.nfev,
            njev=self.njev,
        )
        return made


def with_sums(callback: Callback | None, nit: int, nfev: int, seconds: float) -> Callback | None:
    """Return a callback that sees steps, evaluations and time of the trainings before, too."""
    if callback is None:
        return None

    def observe(intermediate_result: OptimizeResult) -> None:
        intermediate_result.nit += nit
        intermediate_result.nfev += nfev
        intermediate_result.seconds += seconds
        callback(intermediate_result)

    return observe


def starts(data: Objective, w0: Any, n_restarts: int) -> Callable[[np.random.Generator], From]:
    """Return what a random stream begins with: w0 where given, for one run alone."""
    if w0 is None:
        return lambda stream: draw(data, stream)
    w, state = given_weights(data.net, w0)
    if n_restarts != 1:
        raise ValueError(f"n_restarts must be 1 where w0 is given, got {n_restarts}")
    begin = w if state is None else TrainResult(net=data.net, w=w, state=state)
    return lambda stream: begin
