"""From one step ahead to the free run: horizons that grow as far as the fit allows.

    h_0 = 1 (an ordinary fit)  ->  h_1 < h_2 < ...  ->  the whole window

From weights that predict one step well, a free run may go astray, or to infinity, and its loss
is flat or wild there.  So each horizon is the longest at which these weights are still better
than no model by far; training there makes longer ones possible.  A horizon h cuts windows into
pieces of h samples, each of which begins with what was measured.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ggn.fit.limits import Limits
from ggn.fit.method import Method
from ggn.fit.result import Status, TrainResult
from ggn.linearization import Objective
from ggn.recurrent.chosen_by_data import Given
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.windows import Windows

__all__ = ["ENDED", "FAIR", "Stage", "free_run"]

FAIR = 0.25  # of the loss without a model: a horizon where weights have less is trained at
STEPS = 50  # at a horizon on the way
ENOUGH = 1e-4  # tol there
ENDED = (Status.INTERRUPTED, Status.CALLBACK, Status.MAX_SECONDS, Status.TARGET)


@dataclass(frozen=True)
class Stage:
    """A training at one horizon.

    Attributes
    ----------
    horizon : int or None
        Samples of a run; None is the whole of each window.
    nit : int
    loss, before : float
        J at this horizon, after and before.
    """

    horizon: int | None
    nit: int
    loss: float
    before: float


class Trainer(Protocol):
    """Who trains a stage, see `LoopTraining`."""

    way: Given
    source: np.random.Generator

    def units(self, objective: Objective) -> Any:
        """Return the units in which an objective is trained, under no penalty."""

    def last(self, objective: Objective, method: Method, w0: Any) -> TrainResult:
        """Train to the end."""


def free_run(
    trainer: Trainer, whole: LoopObjective, method: Method, first: TrainResult
) -> tuple[TrainResult, list[Stage]]:
    """Return the fit in free run, and the stages before and including it.

    Parameters
    ----------
    trainer : Trainer
    whole : LoopObjective
        Of the free run, in the caller's units.
    method : Method
        Of the last stage; those before have its step, damping and callback.
    first : TrainResult
        The fit of one step ahead.
    """
    windows, begun = whole.windows, time.perf_counter()
    longest = int(windows.length.max())
    stages = [Stage(1, first.nit, first.fun, float(first.history.loss[0]))]
    result, horizon = first, 1
    while horizon < longest and result.status not in ENDED:
        units = trainer.way.under(trainer.units(whole))
        given, horizon = _next(units.given, windows, result.w, horizon, units.level())
        last = horizon >= longest
        left = method.limits.seconds - (time.perf_counter() - begun)
        limits = _limits(method.limits, last, left)
        how = Method(method.step, method.damping, limits, method.escape_saddles and last)
        if last:
            found = trainer.last(whole, how, result.w)
        else:
            own = trainer.units(given)
            found = trainer.way.brief(own, how, trainer.source, result.w)
        if found.status is Status.BAD_START:
            found = result
            found.update(status=Status.DIVERGES, message=Status.DIVERGES.value, success=False)
            return found, stages
        before = float(found.history.loss[0]) if len(found.history) else math.nan
        stages.append(Stage(None if last else horizon, found.nit, found.fun, before))
        result = found
    return result, stages


def _next(
    given: LoopObjective, windows: Windows, w: np.ndarray, before: int, level: float
) -> tuple[LoopObjective, int]:
    """Return the objective of the longest horizon at which w is fair, or of the next at least."""
    longest = int(windows.length.max())
    ladder = [longest]
    while ladder[-1] > 2 * before:
        ladder.append(-(-ladder[-1] // 4))
    ladder[-1] = max(ladder[-1], min(2 * before, longest))
    for horizon in ladder:
        objective = given if horizon == longest else given.over(windows.cut(horizon))
        if horizon == ladder[-1]:
            break
        with np.errstate(all="ignore"):
            J = objective.value(w)
        if J <= FAIR * level:
            break
    return objective, horizon


def _limits(limits: Limits, last: bool, seconds: float) -> Limits:
    """Return the limits of a stage."""
    target = limits.target if last else None
    steps = limits.max_iter if last else min(STEPS, limits.max_iter)
    tol = limits.tol if last else max(limits.tol, ENOUGH)
    own = Limits(steps, tol, target, max(seconds, 0.0), None)
    own.callback = limits.callback
    return own
