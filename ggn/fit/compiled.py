"""The loop of a small fit without Python: Levenberg-Marquardt by the compiled `descend`.

Its decisions are those of `ggn.fit.train`, `Run`, `reach` and `Nielsen`, whose constants it is
handed.  What Python costs in an iteration, some hundred microseconds, is most of the time of a
fit whose sweeps are a single thread's.
"""

from __future__ import annotations

import math
import time
from typing import TypeGuard

import numpy as np

from ggn import _core
from ggn._core.machine import heed
from ggn.damping import Damping, LevenbergMarquardt, Nielsen, ScaleInvariant
from ggn.damping.levenberg_marquardt import ENOUGH
from ggn.fit import reach
from ggn.fit import run as owner
from ggn.fit.point import Point
from ggn.fit.result import Status
from ggn.fit.run import Run
from ggn.fit.strategies import Strategies
from ggn.linearization import BaseObjective, Objective
from ggn.linearization.assembly import by_columns, lanes_of_blocks
from ggn.losses import BUILT_IN, Loss, Residual
from ggn.steps import Dual, Primal, Step
from ggn.steps.dual import outnumbered

__all__ = ["Small", "known", "memory_size", "suits"]

SLICE = 0.01  # seconds after which Python looks whether Ctrl-C was pressed
ROWS = 128  # iterates of which the history has room meanwhile
MOST_BYTES = 8 * 2**20  # two sweeps are kept: of more, the plan's memory would not be enough
MOST = 512  # rows of a system: larger ones take far longer than Python
BLOCKS, COLUMNS, DUAL = range(3)  # as point.pxd numbers them
AGAIN, LEVEL, CALL = range(3)  # as descent.pxd does
ENDS = {
    3: Status.PRECISION,
    4: Status.GRADIENT,
    5: Status.STEP,
    6: Status.LOSS,
    7: Status.TARGET,
    8: Status.MAX_ITER,
    9: Status.MAX_SECONDS,
    10: Status.SINGULAR,
    11: Status.OVERFLOW,
    12: Status.BAD_START,
}
BEGINNING = {  # of the numbers of descent.pxd, those that are the same for every run
    "standard": 0.0,
    "k": 1.0,
    "sy": 1.0,
    "most_damping": owner.MOST_DAMPING,
    "negligible": owner.NEGLIGIBLE,
    "roundings": owner.ROUNDINGS,
    "blind": owner.BLIND,
    "nearer": owner.NEARER,
    "little": owner.LITTLE,
    "enough": ENOUGH,
    "least_mu": reach.LEAST,
    "largest_mu": reach.LARGEST,
    "most_mu": reach.MOST,
    "misses": reach.MISSES,
    "phase": 0.0,
    "flipped": 0.0,
    "rows": 0.0,
    "level": math.nan,
    "norm": math.nan,
    "seen": 0.0,
    "late": 0.0,
    "anew": 0.0,
    "unproved": 0.0,
    "otherwise": 0.0,
    "best_nit": -1.0,
}
CODES: dict[Status | None, int] = {None: 0, **{status: code for code, status in ENDS.items()}}


def suits(objective: BaseObjective, step: Step, damping: Damping) -> TypeGuard[Objective]:
    """Whether nothing here is the user's own, and a sweep is one lane's: threads would not help."""
    if type(objective) is not Objective:
        return False
    net = objective.net
    if type(damping) is not LevenbergMarquardt or objective.chunk_size is not None:
        return False
    if any(a.code < 0 for a in net.activations) or not _known(objective.loss):
        return False
    if _dual(objective, step):
        few = not objective.penalised and objective.T * net.n_outputs <= MOST
        return few and memory_size(objective, step) <= MOST_BYTES
    one = lanes_of_blocks(net, objective.T) == 1
    small = type(step) in (Primal, Dual) and one and net.n_weights <= MOST
    return small and memory_size(objective, step) <= MOST_BYTES


def _dual(objective: BaseObjective, step: Step) -> bool:
    """Whether the kernel matrix is what is solved with."""
    return type(step) is Dual and not outnumbered(objective)


def _known(loss: Loss) -> bool:
    """Whether the kernels know the loss, and its curvature for steps."""
    known = BUILT_IN.get(loss.name) is type(loss) and loss.name in _core.LOSSES
    two = isinstance(loss, Residual) and loss.constant_curvature is None
    return known and (loss.curvature == "majoriser" or not two)


def known(run: Run, how: Strategies) -> bool:
    """Whether J is known where Ctrl-C came; of a start that was left to the kernels, ask now."""
    if run.J == math.inf and how.begun:
        with np.errstate(all="ignore"):
            run.begin()
    return run.J != math.inf


class Small:
    """A run's iterations without Python; J of the start is theirs too, unless it is known."""

    def __init__(self, run: Run, how: Strategies) -> None:
        objective = run.objective
        assert isinstance(objective, Objective)
        self.objective, self.layout = objective, objective.net.layout
        assert isinstance(how.metric, ScaleInvariant)
        assert isinstance(how.rule, Nielsen)
        self.run, self.metric, self.rule, self.how = run, how.metric, how.rule, how
        self.form, self.kind = _forms(objective, how.step)
        size = self.layout.descent_size(objective.T, self.kind, self.form)
        self.memory = objective.scratch(size)
        parts = self.layout.descent_parts(self.memory, objective.T, self.kind, self.form)
        parts["l2"][:], parts["fixed"][:] = objective.l2, self.metric.fixed
        self.parts, self.factors, weights = parts, run.units.factors(), objective.c.weights
        if self.factors is not None:
            parts["shift"][:], parts["stretch"][:], *_ = self.factors
        if weights is not None:
            parts["shares"][:] = weights

    def iterate(self, late: bool) -> Status:
        """Iterate until a status says why not to go on.

        `late` says whether the first trial is yet to be looked at by `reach.find_at_start`.
        """
        while True:
            status: Status | None = self._iterate(late)
            if status is Status.PRECISION and self.kind == DUAL:
                status, late = self._go_on(), False
            if status is not None:
                return status

    def _go_on(self) -> Status | None:
        """Take a step that the kernels did not find: they do not measure how accurate theirs are.

        They end where there is none with more damping, or one that is wrong promises little.
        """
        run, rule = self.run, self.rule
        at = run.linearize()
        prepared = self.how.step.prepare(at, self.metric)
        found = reach.find_before_the_end(run, prepared, at, rule, rule.mu)
        if found is None:
            return Status.PRECISION
        rule.accept(found)
        return run.accept(found, prepared)

    def _iterate(self, late: bool) -> Status:
        """Iterate as far as the kernels go."""
        run, parts = self.run, self.parts
        parts["w"][:], parts["best"][:], parts["largest"][:] = (
            run.w,
            run.best_w,
            self.metric._largest,
        )
        numbers = _numbers(run, self.rule, self.objective)
        numbers["step"], numbers["form"] = self.kind, self.form
        numbers["unproved"] = run.J == math.inf
        numbers["late"], numbers["anew"] = reach.LATE if late else 0.0, run.nit == 0
        if self.factors is not None:
            *_, numbers["sy"], numbers["k"] = self.factors
            numbers["standard"] = 1.0
        while True:
            numbers["elapsed"] = time.perf_counter() - run.start
            code, numbers = _core.descend(
                self.layout,
                self.objective.X,
                self.objective.Yt,
                numbers,
                self.memory,
                run.room(ROWS),
            )
            if ENDS.get(code) is Status.BAD_START:
                if run.begin():  # Python has J where the kernels overflow
                    return self._iterate(late)
                self.how.end()
                return Status.BAD_START
            self._store(numbers)
            if code in ENDS:
                return ENDS[code]
            heed()
            if code == LEVEL:
                numbers["level"] = run.units.level()
            elif code == CALL:
                if not run.tell(numbers["norm"], numbers["seen"]):
                    return Status.CALLBACK
                numbers["told"] = run.told

    def _store(self, numbers: dict[str, float]) -> None:
        """Bring run, rule and metric to where the kernels are."""
        run, parts, nit = self.run, self.parts, int(numbers["nit"])
        w, before, best_w = run.w, run.before, run.best_w
        if nit != run.nit:
            w, before = parts["w"].copy(), parts["before"].copy()
        best = int(numbers["best_nit"])
        if best >= 0:
            best_w = w if best == nit else parts["best"].copy()
        damping, far, gain = numbers["damping"], numbers["moved"], numbers["gain"]
        arrival = damping, far, gain, numbers["residual"]
        run.first_J = numbers["first_J"]
        run.nfev, run.njev = int(numbers["nfev"]), int(numbers["njev"])
        run.gradient, run.diagonal = parts["gradient"].copy(), parts["diagonal"].copy()
        run.converged = ENDS.get(int(numbers["converged"]))
        J, best_J, rows = numbers["J"], numbers["best_J"], run.point.rows + int(numbers["rows"])
        run.point = Point(w, J, best_w, best_J, arrival, before, nit, rows)
        self.rule.mu, self.rule.increase = numbers["mu"], numbers["increase"]
        self.metric._largest[:] = parts["largest"]


def memory_size(objective: Objective, step: Step) -> int:
    """Return the bytes that a run needs for its matrices and sweeps."""
    form, kind = _forms(objective, step)
    return 8 * int(objective.net.layout.descent_size(objective.T, kind, form))


def _forms(objective: Objective, step: Step) -> tuple[int, int]:
    """Return what H_E is, and whose system is solved, as the kernels number them."""
    constant = objective.constant_curvature() is not None
    form = 0 if constant else 2 if objective.loss.name == "softmax_cross_entropy" else 1
    return form, DUAL if _dual(objective, step) else COLUMNS if by_columns(objective) else BLOCKS


def _numbers(run: Run, rule: Nielsen, objective: Objective) -> dict[str, float]:
    """Return the numbers of descent.pxd for a run that is about to begin, or to go on."""
    limits, loss, nan = run.limits, objective.loss, math.nan
    share, constant = objective.c.common, objective.constant_curvature()
    damping, far, gain, residual = run.point.arrival
    return BEGINNING | {
        "loss": _core.LOSSES.index(loss.name),
        "p": loss.p or 0.0,
        "scale": loss.scale or 1.0,
        "epsilon": getattr(loss, "epsilon", 0.0),
        "share": nan if share is None else share,
        "constant": 0.0 if constant is None else constant,
        "penalised": objective.penalised,
        "max_iter": limits.max_iter,
        "tol": limits.tol,
        "target": nan if limits.target is None else limits.target,
        "seconds": limits.seconds,
        "decrease": rule.decrease,
        "acceleration": rule.acceleration if run.accelerates else 0.0,
        "refits": rule.refits and run.refits,
        "slice": SLICE,
        "J": run.J,
        "best_J": run.best_J,
        "first_J": run.first_J,
        "mu": rule.mu,
        "increase": rule.increase,
        "nit": run.nit,
        "nfev": run.nfev or 1,  # that of the start
        "njev": run.njev,
        "damping": damping,
        "moved": far,
        "gain": gain,
        "residual": residual,
        "told": math.inf if limits.callback is None else run.told,
        "converged": CODES[run.converged],
    }
