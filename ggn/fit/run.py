"""The state of one training run: iterate, best iterate, counters, stopping rules."""

from __future__ import annotations

import math
import time

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.damping import Rule, Trial
from ggn.fit.limits import Limits
from ggn.fit.result import Escape, History, Status, TrainResult
from ggn.linearization import Linearization, Objective
from ggn.steps import Prepared, Step
from ggn.validation import instance

__all__ = ["Run"]

# mu is relative to the scaled matrix: with this one, steps are far below rounding.
MOST_DAMPING = 1e60


class Run:
    """The iterate, the best iterate, the counters and the stopping rules of one run."""

    def __init__(self, objective: Objective, w: np.ndarray, limits: Limits) -> None:
        self.objective = objective
        self.w = self.best_w = w
        self.J = self.best_J = math.inf
        self.limits = limits
        self.nit = self.nfev = self.njev = 0
        self.gradient = np.full_like(w, np.nan)
        self.rows: list[tuple[float, ...]] = []
        # damping, step norm, gain ratio, residual of the step that led here
        self.arrival = (math.nan, math.nan, math.nan, math.nan)
        self.before: np.ndarray | None = None  # the step that led here
        self.converged: Status | None = None
        self.escapes: list[Escape] = []
        # For few residuals, fewer than weights, acceleration saves 15 % of the iterations
        # (F(2,20,1), T = 20, five activations) and costs 25 % of the time of each.
        residuals = objective.count * objective.net.n_outputs
        self.accelerates = residuals >= min(64, objective.net.n_weights)
        self.start = time.perf_counter()

    def begin(self) -> bool:
        """Evaluate the initial weights; whether J is finite there."""
        self.J = self.best_J = self.evaluate(self.w)
        return math.isfinite(self.J)

    def evaluate(self, w: np.ndarray) -> float:
        """Return J(w)."""
        self.nfev += 1
        return self.objective.value(w)

    def linearize(self) -> Linearization:
        """Return the linearization at the iterate."""
        self.njev += 1
        return Linearization(self.objective, self.w, self.J)

    def arrive(self, prepared: Prepared) -> Status | None:
        """Record the iterate; stop if it is good enough or the budget is spent."""
        limits, g = self.limits, instance("prepare() must return", prepared, Prepared).gradient
        self.gradient = g
        norm = math.sqrt(g @ g)
        seconds = time.perf_counter() - self.start
        self.rows.append((self.J, norm, *self.arrival, seconds))
        if limits.callback is not None and self.nit > 0:
            try:
                limits.callback(self.snapshot(norm, seconds))
            except StopIteration:
                return Status.CALLBACK
        if not math.isfinite(norm):
            return Status.OVERFLOW
        if limits.target is not None and self.J <= limits.target:
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

    def attempt(self, d: np.ndarray, prepared: Prepared, rule: Rule) -> Trial:
        """Evaluate J after the step; gᵀd - ½ dᵀGd = ½ (gᵀd + mu ‖Dd‖²) is its predicted fall."""
        mu, gain = rule.mu, float(prepared.gradient @ d)
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
        J = self.evaluate(w)
        return Trial(w, d, J, mu, self.J - J, 0.5 * gain, self.before, self.best_J)

    def beyond_rounding(self, trial: Trial, at: Linearization) -> bool:
        """Whether the reduction that damping promises is too small to be seen in J."""
        if trial.mu == 0.0:
            return False
        if trial.predicted > 1e-8 * abs(self.J) and trial.actual > 0.0:
            return False
        return trial.actual < trial.predicted <= 8.0 * at.rounding

    def gradient_falls(self, trial: Trial, prepared: Prepared) -> bool:
        """Judge by the gradient where J is blind: whether it falls to a half, in the metric.

        J may rise by its rounding, as far as that is small beside it, but not above the start.
        """
        if trial.actual < -1e-10 * abs(self.J) or trial.J > self.rows[0][0]:
            return False
        new = Linearization(self.objective, trial.w).gradient
        D = 1.0 if prepared.scale is None else prepared.scale
        return bool(np.linalg.norm(new / D) < 0.5 * np.linalg.norm(prepared.gradient / D))

    def accept(self, trial: Trial, prepared: Prepared, nearer: bool = False) -> Status | None:
        """Move to the trial, and note if it hardly moved or hardly helped.

        `nearer` says that it is better than all before, though J may not show it.
        """
        if not math.isfinite(trial.J):
            return Status.OVERFLOW
        self.arrival = (trial.mu, math.sqrt(trial.d @ trial.d), trial.gain, prepared.residual)
        small = self.limits.tol**2 * abs(self.J)
        self.w, self.J, self.before = trial.w, trial.J, trial.d
        self.nit += 1
        if nearer or self.J <= self.best_J:
            self.best_w, self.best_J = self.w, self.J
        if self.small(trial.d, prepared):
            self.converged = Status.STEP
        elif abs(trial.actual) <= small and trial.predicted <= small:
            self.converged = Status.LOSS
        return None

    def leap(self, w: np.ndarray, J: float) -> None:
        """Move to w, which is better than all before, by no step of the method's."""
        length = float(np.linalg.norm(w - self.w))
        self.arrival = (math.nan, length, math.nan, math.nan)
        self.w, self.J, self.before = w, J, None
        self.best_w, self.best_J = w, J
        self.nit += 1
        self.converged = None

    @property
    def spent(self) -> bool:
        """Whether no step may be taken any more."""
        late = time.perf_counter() - self.start > self.limits.seconds
        return late or self.nit >= self.limits.max_iter

    def unsolved(self, mu: float) -> Status | None:
        """Stop if there was no step, and there can be no more damping."""
        return Status.SINGULAR if mu == 0.0 or not mu < MOST_DAMPING else None

    def stuck(self, trial: Trial) -> Status | None:
        """Stop if the rejected step could not be any smaller, or no damping makes it finite."""
        if trial.mu == 0.0 or not trial.mu < MOST_DAMPING:
            return Status.OVERFLOW
        return Status.PRECISION if (self.w == trial.w).all() else None

    def small(self, d: np.ndarray, prepared: Prepared) -> bool:
        """Whether ‖D d‖ <= tol ‖D w‖."""
        D = prepared.scale
        if self.limits.tol == 0.0:
            return not d.any()
        Dd, Dw = (d, self.w) if D is None else (D * d, D * self.w)
        return bool(Dd @ Dd <= self.limits.tol**2 * (Dw @ Dw))

    def snapshot(self, norm: float, seconds: float) -> OptimizeResult:
        """Return what the callback sees."""
        return OptimizeResult(
            w=self.w,
            x=self.w,
            fun=self.J,
            nit=self.nit,
            nfev=self.nfev,
            damping=self.arrival[0],
            gradient_norm=norm,
            seconds=seconds,
        )

    def result(self, status: Status, step: Step) -> TrainResult:
        """Return the best iterate and how it was reached."""
        gradient = self.gradient
        if self.best_w is not self.w:
            best = Linearization(self.objective, self.best_w, self.best_J)
            gradient = best.gradient
            rounding = 8.0 * best.rounding + np.finfo(float).eps * abs(self.rows[0][0])
            if status.success and self.J > self.best_J + rounding:
                status = Status.WANDERED
        return TrainResult(
            w=self.best_w,
            x=self.best_w,
            fun=self.best_J,
            jac=gradient,
            success=status.success,
            status=status,
            message=status.value,
            nit=self.nit,
            nfev=self.nfev,
            njev=self.njev,
            history=History(self.rows),
            step=step,
            escapes=self.escapes,
        )
