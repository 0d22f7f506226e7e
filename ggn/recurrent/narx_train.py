"""One fit of a model of lags: one step ahead, horizons that grow, and the free run.

Each stage is `ggn.fit.train.minimise` of an objective in standard units; the first and the last
go the caller's `way`, which may choose penalty or scale, and those between keep what it chose.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.fit.held_out import Held
from ggn.fit.limits import Limits, scipy_callback
from ggn.fit.method import Method
from ggn.fit.result import TrainResult
from ggn.fit.start import given_weights
from ggn.linearization import Objective
from ggn.recurrent.bridge import ENDED, FAIR, Stage, free_run
from ggn.recurrent.chosen_by_data import Given
from ggn.recurrent.free_start import fit_starts
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.units import LoopUnits

__all__ = ["LoopTraining"]

FIRST, ENOUGH = 200, 1e-6  # steps, and tol, of the fit of one step ahead before a free run
CHOSEN = ("log_evidence", "effective_parameters", "scale")  # by a way


@dataclass
class LoopTraining:
    """What is trained, and how.

    Attributes
    ----------
    ordinary : Objective
        Of one step ahead, in the caller's units and without a penalty.
    whole : LoopObjective or None
        Of the free run; None where there is none.
    standard : tuple
        Centre and size of the lags (n,), centres (n_y,) and one size of the outputs.
    ahead, loop : Method
        How each is minimised.
    way : Given
    source : Generator
    validation : LoopObjective, optional
        Of experiments held out, as those of the last stage.
    patience : int, optional
    free_start : bool, default False
    """

    ordinary: Objective
    whole: LoopObjective | None
    standard: tuple[np.ndarray, np.ndarray, np.ndarray, float]
    ahead: Method
    loop: Method
    way: Given
    source: np.random.Generator
    validation: LoopObjective | None = None
    patience: int | None = None
    free_start: bool = False

    @property
    def horizon(self) -> int | None:
        """Of the last stage; None: the whole of each window."""
        return 1 if self.whole is None else None

    def units(self, objective: Objective) -> LoopUnits:
        """Return the units in which an objective is trained, under no penalty."""
        m, s, my, sy = self.standard
        return LoopUnits(objective, (m, s), (my, sy))

    def fit(self, w0: Any, seconds: float) -> tuple[TrainResult, list[Stage]]:
        """Return a fit, and its stages."""
        loop = replace(self.loop, limits=_within(self.loop.limits, seconds))
        if self.whole is None:
            first = self.last(self.ordinary, replace(self.ahead, limits=loop.limits), w0)
            return first, [_stage(1, first)]
        stages: list[Stage] = []
        if w0 is not None and not isinstance(w0, str):
            units = self.way.under(self.units(self.whole))
            begin = given_weights(self.ordinary.net, w0)[0]
            if self.whole.value(begin) <= FAIR * units.level():
                found = self.last(self.whole, loop, w0)
                stages = [_stage(None, found)]
        if not stages:
            limits = loop.limits
            brief = Limits(
                min(limits.max_iter, FIRST), max(limits.tol, ENOUGH), None, limits.seconds, None
            )
            brief.callback = limits.callback
            ahead = replace(self.ahead, limits=brief)
            first = self.way.train(self.units(self.ordinary), ahead, self.source, w0)
            found, stages = free_run(self, self.whole, loop, first)
        if self.free_start and stages[-1].horizon is None and found.status not in ENDED:
            units = self.way.under(self.units(self.whole))
            chosen = {name: found[name] for name in CHOSEN if name in found}
            found, last = fit_starts(found, units, self.standard, loop, self.source)
            found.update(chosen)
            stages.append(last)
        return found, stages

    def last(self, objective: Objective, method: Method, w0: Any) -> TrainResult:
        """Train to the end, watched by what is held out."""
        units = self.units(objective)
        if self.validation is None:
            return self.way.train(units, method, self.source, w0)
        under = self.way.under(units)
        held = Held(under, self.validation, None, self.patience, under.given)
        limits = copy.copy(method.limits)
        own = limits.callback

        def observe(intermediate_result: OptimizeResult) -> None:
            if own is not None:
                own(intermediate_result)

        limits.callback = scipy_callback(held.callback(observe))
        result = self.way.train(units, replace(method, limits=limits), self.source, w0, held)
        held.keep(result)
        return result


def _stage(horizon: int | None, found: TrainResult) -> Stage:
    return Stage(horizon, found.nit, found.fun, float(found.history.loss[0]))


def _within(limits: Limits, seconds: float) -> Limits:
    """Return the same limits, of the seconds that are left."""
    own = copy.copy(limits)
    own.seconds = seconds
    return own
