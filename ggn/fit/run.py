"""The state of one training run: iterate, best iterate, counters, stopping rules."""

from __future__ import annotations

import math
import time

import numpy as np
from scipy.linalg import norm as blas_norm
from scipy.optimize import OptimizeResult

from ggn._core.machine import heed
from ggn.damping import Rule, Trial
from ggn.fit.limits import Limits
from ggn.fit.point import Moving
from ggn.fit.result import End, Escape, History, Status, TrainResult
from ggn.fit.start import Start
from ggn.fit.units import Units
from ggn.linearization import BaseLinearization
from ggn.linearization.assembly import normal_work
from ggn.steps import Prepared, Step
from ggn.validation import instance

__all__ = ["Run"]

# mu is relative to the scaled matrix: with this one, steps are far below rounding.
MOST_DAMPING = 1e60
EPS = float(np.finfo(np.float64).eps)
PATIENCE = 20  # undamped steps at a minimum, none shorter than all before: rounding alone
NEGLIGIBLE = 1e-6  # of the level: an R² of 1 - 1e-6
BLIND = 1e-8  # of J: a promise that is larger can be seen in J
ROUNDINGS = 8.0  # of J: a promise that is smaller cannot
NEARER = 0.5  # of the gradient: what it must fall to where it judges
LITTLE = 1e-3  # of J: a fall that leaves little to gain


class Run(Moving):
    """The iterate, the best iterate, the counters and the stopping rules of one run.

    All in the units of the run; those of its caller are in the history, in what the callback
    sees, and in the result.
    """

    def __init__(self, units: Units, begin: Start, limits: Limits) -> None:
        self.units, self.objective, self.given = units, units.objective, begin.given
        super().__init__(begin.w)
        self.first_w, self.first_J = begin.w, math.inf
        self.limits = limits
        self.nfev = self.njev = 0
        self.told = 0  # the last iterate that the callback was told of
        self.gradient = np.full_like(begin.w, np.nan)
        self.diagonal: np.ndarray | float = 1.0
        self.converged: Status | None = None
        self.shortest, self.since = math.inf, 0  # step that promised nothing, and steps since
        self.escapes: list[Escape] = []
        # For few residuals, fewer than weights, acceleration saves 15 % of the iterations
        # (F(2,20,1), T = 20, five activations) and costs 25 % of the time of each.
        net = self.objective.net
        residuals = self.objective.counting * net.n_outputs
        self.accelerates = residuals >= min(64, net.n_weights)
        self.refits = False
        if self.objective.layered and residuals >= net.n_weights:
            work = normal_work(net) + net.n_weights**3 / 3 / self.objective.T
            self.refits = self.objective.refit_pays(work)
        self.start = time.perf_counter()

    def begin(self) -> bool:
        """Evaluate the initial weights; whether J is finite there."""
        self.first_J = self.evaluate(self.w)
        self.point = self.point._replace(J=self.first_J, best_J=self.first_J)
        return math.isfinite(self.J)

    def evaluate(self, w: np.ndarray) -> float:
        """Return J(w)."""
        self.nfev += 1
        return self.objective.value(w)

    def linearize(self) -> BaseLinearization:
        """Return the linearization at the iterate."""
        heed()
        self.njev += 1
        return self.objective.at(self.w, self.J)

    def arrive(self, prepared: Prepared) -> Status | None:
        """Record the iterate; stop if it is good enough or the budget is spent."""
        limits, g = self.limits, instance("prepare() must return", prepared, Prepared).gradient
        self.gradient, self.diagonal = g, prepared.diagonal
        norm, J = length(self.units.gradient(g)), self.units.loss(self.J)
        seconds = time.perf_counter() - self.start
        self.record((J, norm, *self.point.arrival, seconds))
        if not self.tell(norm, seconds):
            return Status.CALLBACK
        if not math.isfinite(norm) and not math.isfinite(g @ g):
            return Status.OVERFLOW
        if limits.target is not None and J <= limits.target:
            return Status.TARGET
        if self.converged is not None:
            return self.converged
        small = 2.0 * abs(self.J) * limits.tol**2
        if limits.tol > 0.0 and (g * g <= small * prepared.diagonal).all():
            return Status.GRADIENT
        if self.nit >= limits.max_iter:
            return Status.MAX_ITER
        if seconds > limits.seconds:
            return Status.MAX_SECONDS
        return None

    def tell(self, norm: float, seconds: float) -> bool:
        """Call the callback, unless it was told already; return whether to go on."""
        if self.limits.callback is not None and self.nit > self.told:
            self.told = self.nit
            try:
                self.limits.callback(self.snapshot(norm, seconds))
            except StopIteration:
                return False
        return True

    def promise(self, d: np.ndarray, prepared: Prepared, mu: float) -> float:
        """Return the fall of J that a full step promises, ½ (gᵀd + mu ‖Dd‖²)."""
        Dd = d if prepared.scale is None else prepared.scale * d
        return 0.5 * (float(prepared.gradient @ d) + mu * float(Dd @ Dd))

    def attempt(
        self, d: np.ndarray, prepared: Prepared, rule: Rule, mu: float | None = None
    ) -> Trial:
        """Evaluate J after the step; gᵀd - ½ dᵀGd = ½ (gᵀd + mu ‖Dd‖²) is its predicted fall."""
        mu, gain = rule.mu if mu is None else mu, float(prepared.gradient @ d)
        D = prepared.scale
        if mu > 0.0:
            Dd = d if D is None else D * d
            length = float(Dd @ Dd)
            gain += mu * length
            most = rule.acceleration if self.accelerates else 0.0
            a = prepared.accelerate(d) if most else None
            if a is not None:
                Da = a if D is None else D * a
                if 4.0 * float(Da @ Da) <= most**2 * length:
                    d = d + 0.5 * a
        if rule.alpha != 1.0:
            gain *= rule.alpha * (2.0 - rule.alpha)
            d = rule.alpha * d
        w = self.w - d
        if mu > 0.0 and rule.refits and self.refits:
            J, w = self.refitted(w, D, mu)
            d = self.w - w
        else:
            J = self.evaluate(w)
        return Trial(w, d, J, mu, self.J - J, 0.5 * gain, self.before, self.best_J)

    def refitted(self, w: np.ndarray, D: np.ndarray | None, mu: float) -> tuple[float, np.ndarray]:
        """Return J and the weights where the output layer is solved for again, if J is less."""
        J, better = self.objective.refit(w, self.w, D, mu)
        self.nfev += 1
        if better is not None:
            least = self.evaluate(better)
            if least < J:
                return least, better
        return J, w

    def beyond_rounding(self, trial: Trial, at: BaseLinearization) -> bool:
        """Whether the reduction that damping promises is too small to be seen in J."""
        if trial.mu == 0.0:
            return False
        if trial.predicted > BLIND * abs(self.J) and trial.actual > 0.0:
            return False
        return trial.actual < trial.predicted <= ROUNDINGS * at.rounding

    def gradient_falls(self, trial: Trial, prepared: Prepared, at: BaseLinearization) -> bool:
        """Judge by the gradient where J is blind: whether it falls to a half, in the metric.

        J may rise by its rounding, but not above the start.
        """
        if trial.actual < -ROUNDINGS * at.rounding or trial.J > self.first_J:
            return False
        new = self.objective.at(trial.w).gradient
        D = 1.0 if prepared.scale is None else prepared.scale
        return bool(np.linalg.norm(new / D) < NEARER * np.linalg.norm(prepared.gradient / D))

    def accept(self, trial: Trial, prepared: Prepared, nearer: bool = False) -> Status | None:
        """Move to the trial, and note if it hardly moved or hardly helped.

        `nearer` says that it is better than all before, though J may not show it.
        """
        if not math.isfinite(trial.J):
            return Status.OVERFLOW
        far = length(self.units.step(trial.d))
        arrival = trial.mu, far, trial.gain, prepared.residual
        small = self.limits.tol**2 * abs(self.J)
        self.move(trial.w, trial.J, arrival, trial.d, nearer or trial.J <= self.best_J)
        if self.small(trial.d, prepared) and self.settled(trial):
            self.converged = Status.STEP
        elif abs(trial.actual) <= small and trial.predicted <= small:
            self.converged = Status.LOSS
        elif self.jitters(trial, far):
            self.converged = Status.PRECISION
        return None

    def jitters(self, trial: Trial, far: float) -> bool:
        """Whether undamped steps have come to rounding: they promise nothing, nor get shorter."""
        if trial.mu > 0.0 or self.limits.tol == 0.0 or trial.predicted > EPS * abs(trial.J):
            self.shortest, self.since = math.inf, 0
            return False
        self.since = 0 if far < self.shortest else self.since + 1
        self.shortest = min(far, self.shortest)
        return self.since >= PATIENCE

    def leap(self, w: np.ndarray, J: float) -> None:
        """Move to w, which is better than all before, by no step of the method's."""
        far = length(self.units.step(w - self.w))
        self.converged = None
        self.move(w, J, (math.nan, far, math.nan, math.nan), None, True)

    @property
    def spent(self) -> bool:
        """Whether no step may be taken any more."""
        late = time.perf_counter() - self.start > self.limits.seconds
        return late or self.nit >= self.limits.max_iter

    def unsolved(self, tried: tuple[float, ...], rule: Rule) -> Status | None:
        """Stop if there was no step, and the rule has no more damping."""
        more = 0.0 < tried[0] < MOST_DAMPING and rule.mu > tried[0]
        return None if more else Status.SINGULAR

    def stuck(self, trial: Trial, same: bool) -> Status | None:
        """Stop if the next trial is this rejected one, or no damping makes it finite."""
        if trial.mu == 0.0 or not trial.mu < MOST_DAMPING:
            return Status.OVERFLOW
        if (self.w == trial.w).all():
            return Status.PRECISION
        if same:
            return Status.STALLED if math.isfinite(trial.J) else Status.OVERFLOW
        return None

    def small(self, d: np.ndarray, prepared: Prepared) -> bool:
        """Whether ‖D d‖ <= tol ‖D w‖."""
        if self.limits.tol == 0.0:
            return not d.any()
        D = prepared.scale
        if D is None:  # weights that hardly act, however large, do not count
            D = np.sqrt(np.abs(prepared.diagonal))
        Dd, Dw = D * d, D * self.w
        return bool(Dd @ Dd <= self.limits.tol**2 * (Dw @ Dw))

    def settled(self, trial: Trial) -> bool:
        """Whether a small step left little to gain: J hardly falls, or hardly matters."""
        falls = max(abs(trial.actual), trial.predicted)
        return (
            falls <= LITTLE * abs(trial.J)
            or self.units.loss(trial.J) <= NEGLIGIBLE * self.units.level()
        )

    def snapshot(self, norm: float, seconds: float) -> OptimizeResult:
        """Return what the callback sees."""
        w = self.units.weights(self.w)
        return OptimizeResult(
            w=w,
            x=w,
            fun=self.units.loss(self.J),
            nit=self.nit,
            nfev=self.nfev,
            damping=self.point.arrival[0],
            gradient_norm=norm,
            seconds=seconds,
        )

    def history(self, end: End) -> History:
        """Return the iterates up to the last one taken, which Ctrl-C may have left unrecorded."""
        rows = self.table[: min(self.point.rows, self.nit + 1)]
        if end.status is Status.INTERRUPTED and len(rows) <= self.nit:
            seconds = time.perf_counter() - self.start
            norm = length(end.gradient) if self.best_w is self.w else math.nan
            last = self.units.loss(self.J), norm, *self.point.arrival, seconds
            rows = np.vstack([rows, last])
        return History(rows)

    def result(self, end: End, step: Step) -> TrainResult:
        """Return the end of the run and how it was reached."""
        return TrainResult(
            w=end.w,
            x=end.w,
            fun=end.loss,
            jac=end.gradient,
            success=end.status.success,
            status=end.status,
            message=end.message,
            nit=self.nit,
            nfev=self.nfev,
            njev=self.njev,
            history=self.history(end),
            step=step,
            escapes=self.escapes,
        )


def length(v: np.ndarray) -> float:
    """Return ‖v‖₂; squares do not overflow."""
    squared = float(v @ v)
    if 1e-280 < squared < math.inf:
        return math.sqrt(squared)
    return float(blas_norm(v, check_finite=False))  # squares may overflow, or vanish
