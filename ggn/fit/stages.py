"""Several trainings that make one result: where they start, their counts, how they ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from ggn.fit.result import Status, TrainResult
from ggn.fit.train import train
from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["Stages", "starts"]

Result = TypeVar("Result", bound=TrainResult)


class Stages:
    """Trainings on the same data, one after another; nit, nfev and njev are their sums."""

    def __init__(self, data: Objective) -> None:
        self.net, self.X, self.Y = data.net, data.X, data.Yt.T
        self.nit = self.nfev = self.njev = 0

    def train(
        self, w: np.ndarray, loss: str | Loss, l2: Any, max_iter: int, tol: float
    ) -> TrainResult:
        """Train from w, and count."""
        fit = train(self.net, self.X, self.Y, loss, w, l2=l2, max_iter=max_iter, tol=tol)
        self.nit += fit.nit
        self.nfev += fit.nfev
        self.njev += fit.njev
        return fit

    def result(self, kind: type[Result], fit: TrainResult, status: Status, **more: Any) -> Result:
        """Return the last training as the result of all, with what else was found."""
        made = kind(fit)
        made.update(
            success=status.success,
            status=status,
            message=status.value,
            nit=self.nit,
            nfev=self.nfev,
            njev=self.njev,
            **more,
        )
        return made


def starts(net: MLP, w0: Any, n_restarts: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Return the weights that a random stream begins with: w0 where given, for one run alone."""
    if w0 is None:
        return lambda stream: net.initial_weights(stream, "fan_in")
    w = net._weights(w0, "w0")
    if n_restarts != 1:
        raise ValueError(f"n_restarts must be 1 where w0 is given, got {n_restarts}")
    return lambda stream: w
