"""The strategies of one run, which may be gone on with: rule and metric, and what makes steps."""

from __future__ import annotations

import numpy as np

from ggn.damping import Damping, Metric, Rule
from ggn.damping.lasting import alike, kind_of
from ggn.fit.run import Run
from ggn.fit.start import Start
from ggn.fit.state import State
from ggn.fit.units import Units
from ggn.steps import Step
from ggn.validation import instance

__all__ = ["Strategies"]


class Strategies:
    """What `ggn.train` asks in one run.

    Attributes
    ----------
    running : Step
        What prepares the steps of the run.
    rule : Rule
    metric : Metric
        Once begun.
    """

    def __init__(self, units: Units, damping: Damping, step: Step) -> None:
        self.units, self.damping, self.step = units, damping, step
        self.running = instance("start() must return", step.start(units.objective), Step)
        self.end()

    def end(self) -> None:
        """Have neither, as where there is no run."""
        self.rule, self.metric, self.begun = Rule(), Metric(), False

    def begin(self) -> tuple[Metric, Rule]:
        """Return metric and rule, made anew."""
        damping, objective = self.damping, self.units.objective
        self.metric = instance("metric() must return", damping.metric(objective), Metric)
        self.rule = instance("rule() must return", damping.rule(objective), Rule)
        self.begun = True
        return self.metric, self.rule

    def resume(self, run: Run, begin: Start) -> bool:
        """Bring all to where they were at the end of a fit; return whether the rule was."""
        state = begin.state
        if state is None:
            return False
        same = state.in_units(self.units)
        if same and np.array_equal(run.w, state.own):
            run.point = run.point._replace(before=state.before)
        if self.running is not self.step and alike(state.step, kind_of(self.step)):
            self.running.resume(state.step_state)
        if not alike(state.damping, kind_of(self.damping)):
            return False
        self.rule.resume(state.rule_state)
        if same and alike(state.loss, kind_of(self.units.given.loss)):
            self.metric.resume(state.metric_state)
        return True

    def state(self, w: np.ndarray, own: np.ndarray, before: np.ndarray | None) -> State:
        """Return what the result keeps, at weights w of the caller's and own ones of the run."""
        return State(
            w=w,
            own=own,
            units=self.units.numbers(),
            near=self.units.near,
            before=before,
            loss=kind_of(self.units.given.loss),
            damping=kind_of(self.damping),
            step=kind_of(self.step),
            rule_state=self.rule.state(),
            metric_state=self.metric.state(),
            step_state={} if self.running is self.step else self.running.state(),
        )
