"""The training loop: linearize, solve, try, judge."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult

from ggn import damping as dampings
from ggn import steps
from ggn.damping import Damping
from ggn.linearization import Linearization
from ggn.losses import Loss
from ggn.network import MLP
from ggn.objective import Objective
from ggn.result import History, Status, TrainResult
from ggn.steps import Step
from ggn.validation import integer, number

__all__ = ["train"]

Callback = Callable[..., Any]


def train(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    w0: Any = None,
    step: str | Step = "auto",
    damping: str | Damping = "levenberg-marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 1000,
    tol: float = 1e-12,
    l2: Any = 0.0,
    sample_weight: Any = None,
    callback: Callback | None = None,
    *,
    loss_target: float = 0.0,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
) -> TrainResult:
    """Minimise J(w) = mean loss + l2·‖w‖² by the Generalised Gauss-Newton method.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0)
        Samples are rows.
    Y : array_like, (T, nL)
        1-D is accepted where nL = 1.
    loss : str or Loss, default "squared"
        "squared", "smooth_lp", "cauchy", "blake_zisserman", or an object.
    w0 : array_like, (N,), optional
        Initial weights; by default `net.initial_weights(rng)`, N(0, 1).
    step : str or Step, default "auto"
        "primal", "dual", "minimum-norm", "gradient", or "auto": by shape and memory.
    damping : str or Damping, default "levenberg-marquardt"
        Or "undamped" (Algorithm 2 of the paper), or an object.
    rng : int, Generator or None, default 0
        Seed of the initial weights.
    max_iter : int, default 1000
        Largest number of steps taken.
    tol : float, default 1e-12
        Stop where the gradient (scaled, relative to J), the step (scaled,
        relative to w) or both the predicted and the actual reduction of J
        (relative to J) fall below it.  0 runs to max_iter or to where no step helps.
    l2 : float or array_like (N,), default 0.0
        Penalty l2_j w_j² added to J.
    sample_weight : array_like, (T,), optional
    callback : callable, optional
        Called after each step taken, as callback(intermediate_result) with fields
        w (a copy is yours to make), fun, nit, damping, gradient_norm, seconds; a
        function whose parameter has another name is called with w.  Raising
        StopIteration ends the run.
    loss_target : float, default 0.0
        Stop where J is at most this.
    max_seconds : float, default inf
        Stop after the first step that ends later.
    max_memory : float, optional
        Bytes that step="auto" may use for its matrices; by default half of the machine's.

    Returns
    -------
    TrainResult
        An OptimizeResult: w, fun, success, status, message, nit, nfev, njev, history.
        Its weights are never worse than w0 and always finite.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names, ranges or non-finite numbers.

    Notes
    -----
    Ctrl-C ends the run with the last accepted weights and Status.INTERRUPTED.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> x = np.linspace(-1, 1, 40)
    >>> fit = ggn.train(ggn.MLP((1, 8, 1)), x[:, None], np.sin(3 * x), max_iter=200)
    >>> bool(fit.fun < 1e-10)
    True
    """
    objective = Objective(net, X, Y, loss, sample_weight, l2)
    rule = dampings.resolve(damping).start(net)
    chosen = steps.resolve(step)
    if max_memory is not None:
        max_memory = number("max_memory", max_memory, 0.0, open_low=True)
    if chosen is None:
        chosen = steps.choose(net, objective.T, rule.mu > 0.0, objective.penalised, max_memory)
    run = _Run(
        objective,
        net.initial_weights(rng) if w0 is None else net._weights(w0).copy(),
        max_iter=integer("max_iter", max_iter, 0),
        tol=number("tol", tol, 0.0),
        target=number("loss_target", loss_target, 0.0),
        deadline=float("inf") if max_seconds == math.inf else number("max_seconds", max_seconds, 0),
        callback=_scipy_callback(callback),
    )
    try:
        with np.errstate(all="ignore"):
            status = _loop(run, chosen, rule)
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return run.result(status, chosen)


def _loop(run: _Run, step: Step, rule: dampings.DampingState) -> Status:
    """Iterate until a status says why not to go on."""
    if not run.begin():
        return Status.BAD_START
    while True:
        at = run.linearize()
        prepared = step.prepare(at, rule)
        status = run.arrive(prepared)
        while status is None:
            mu = rule.mu
            d = prepared.solve(mu)
            if d is None:
                if mu == 0.0 or mu > 1e40:
                    return Status.SINGULAR
                rule.judge(-math.inf, 1.0)
                continue
            trial = run.attempt(d, mu, prepared, rule.alpha)
            if mu > 0.0 and run.beyond_rounding(trial, at):
                if not run.gradient_falls(trial, prepared):
                    return Status.PRECISION
                run.best_J = math.inf  # equal to rounding, and nearer
            elif not rule.judge(trial.actual, trial.predicted):
                status = run.stuck(trial)
                continue
            status = run.accept(trial, prepared)
            break
        if status is not None:
            return status


class _Trial(NamedTuple):
    """A step tried: w = w_k - d."""

    w: np.ndarray
    d: np.ndarray
    J: float
    mu: float
    actual: float
    predicted: float


class _Run:
    """The iterate, the best iterate, the counters and the stopping rules of one run."""

    def __init__(
        self,
        objective: Objective,
        w: np.ndarray,
        *,
        max_iter: int,
        tol: float,
        target: float,
        deadline: float,
        callback: Callback | None,
    ) -> None:
        self.objective = objective
        self.w = self.best_w = w
        self.J = self.best_J = math.inf
        self.max_iter, self.tol, self.target, self.deadline = max_iter, tol, target, deadline
        self.callback = callback
        self.nit = self.nfev = self.njev = 0
        self.gradient = np.full_like(w, np.nan)
        self.rows: list[tuple[float, ...]] = []
        self.arrival = (math.nan, math.nan, math.nan)  # damping, step norm, gain ratio
        self.converged: Status | None = None
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

    def arrive(self, prepared: steps.Prepared) -> Status | None:
        """Record the iterate; stop if it is good enough or the budget is spent."""
        g = self.gradient = prepared.gradient
        norm = math.sqrt(g @ g)
        seconds = time.perf_counter() - self.start
        self.rows.append((self.J, norm, *self.arrival, seconds))
        if self.callback is not None and self.nit > 0:
            try:
                self.callback(self.snapshot(norm, seconds))
            except StopIteration:
                return Status.CALLBACK
        if not math.isfinite(norm):
            return Status.OVERFLOW
        if self.J <= self.target:
            return Status.TARGET
        if self.converged is not None:
            return self.converged
        if (g * g <= (2.0 * self.J * self.tol**2) * prepared.diagonal).all():
            return Status.GRADIENT
        if self.nit >= self.max_iter:
            return Status.MAX_ITER
        if seconds > self.deadline:
            return Status.MAX_SECONDS
        return None

    def attempt(
        self, d: np.ndarray, mu: float, prepared: steps.Prepared, alpha: float
    ) -> _Trial:
        """Evaluate J after the step; gᵀd - ½ dᵀGd = ½ (gᵀd + mu ‖Dd‖²) is its predicted fall."""
        gain = float(prepared.gradient @ d)
        if mu > 0.0:
            Dd = d if prepared.scale is None else prepared.scale * d
            gain += mu * float(Dd @ Dd)
        if alpha != 1.0:
            d = alpha * d
        w = self.w - d
        J = self.evaluate(w)
        return _Trial(w, d, J, mu, self.J - J, 0.5 * gain)

    def beyond_rounding(self, trial: _Trial, at: Linearization) -> bool:
        """Whether the promised reduction is too small to be seen in J."""
        if trial.predicted > 1e-8 * self.J and trial.actual > 0.0:
            return False
        return trial.predicted <= 8.0 * at.rounding and trial.actual >= -8.0 * at.rounding

    def gradient_falls(self, trial: _Trial, prepared: steps.Prepared) -> bool:
        """Judge by the gradient where J is blind: whether it falls to a half, in the metric."""
        new = Linearization(self.objective, trial.w).gradient
        D = 1.0 if prepared.scale is None else prepared.scale
        return bool(np.linalg.norm(new / D) < 0.5 * np.linalg.norm(prepared.gradient / D))

    def accept(self, trial: _Trial, prepared: steps.Prepared) -> Status | None:
        """Move to the trial, and note if it hardly moved or hardly helped."""
        if not math.isfinite(trial.J):
            return Status.OVERFLOW
        gain = trial.actual / trial.predicted if trial.predicted else math.nan
        self.arrival = (trial.mu, math.sqrt(trial.d @ trial.d), gain)
        small = self.tol**2 * self.J
        self.J, self.w = trial.J, trial.w
        self.nit += 1
        if self.J <= self.best_J:
            self.best_J, self.best_w = self.J, self.w
        if self.small(trial.d, prepared):
            self.converged = Status.STEP
        elif abs(trial.actual) <= small and trial.predicted <= small:
            self.converged = Status.LOSS
        return None

    def stuck(self, trial: _Trial) -> Status | None:
        """Stop if the rejected step could not be any smaller."""
        if trial.mu == 0.0:
            return Status.OVERFLOW
        return Status.PRECISION if (self.w == trial.w).all() else None

    def small(self, d: np.ndarray, prepared: steps.Prepared) -> bool:
        """Whether ‖D d‖ <= tol ‖D w‖."""
        D = prepared.scale
        Dd, Dw = (d, self.w) if D is None else (D * d, D * self.w)
        return bool(Dd @ Dd <= self.tol**2 * (Dw @ Dw))

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
        return TrainResult(
            x=self.best_w,
            fun=self.best_J,
            jac=self.gradient,
            success=status.success,
            status=status,
            message=status.value,
            nit=self.nit,
            nfev=self.nfev,
            njev=self.njev,
            history=History(self.rows),
            step=step,
        )


def _scipy_callback(callback: Callback | None) -> Callback | None:
    """Follow SciPy: a parameter named intermediate_result gets the snapshot, any other gets w."""
    if callback is None:
        return None
    if not callable(callback):
        raise ValueError(f"callback must be callable, got {callback!r}")
    import inspect

    try:
        parameters = list(inspect.signature(callback).parameters)
    except (TypeError, ValueError):
        parameters = []
    if parameters == ["intermediate_result"]:
        return lambda snapshot: callback(intermediate_result=snapshot)
    return lambda snapshot: callback(np.copy(snapshot.w))
