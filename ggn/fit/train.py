"""The training loop: linearize, solve, try, judge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn import damping as dampings
from ggn import steps
from ggn.damping import Damping
from ggn.fit.planner import plan
from ggn.fit.result import Status, TrainResult
from ggn.fit.run import MOST_DAMPING, Callback, Run, scipy_callback
from ggn.fit.saddle import leave
from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.losses.curvature import CurvatureError
from ggn.machine import limited
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import generator, integer, number

__all__ = ["train"]


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
    loss_target: float | None = None,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    escape_saddles: bool = False,
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
        "squared", "smooth_lp", "cauchy", "blake_zisserman", for probabilities of classes
        "logistic", "softmax_cross_entropy", or an object.
    w0 : array_like, (N,), optional
        Initial weights; by default `net.initial_weights(rng)`, N(0, 1).
    step : str or Step, default "auto"
        "primal", "subsampled", "dual", "minimum-norm", "conjugate-gradient", "gradient",
        or "auto":
        chosen by shape and memory, see `ggn.plan`.
    damping : str or Damping, default "levenberg-marquardt"
        Or "undamped" (Algorithm 2 of the paper), or an object.
    rng : int, Generator or None, default 0
        Seed of the initial weights, and of the search for negative curvature.
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
    loss_target : float, optional
        Stop where J is at most this.
    max_seconds : float, default inf
        Stop after the first step that ends later.
    max_memory : float, optional
        Bytes that step="auto" may use for its matrices; by default half of the machine's.
    escape_saddles : bool, default False
        Where the run stalls, look at the exact Hessian.  If it has eigenvalues below zero,
        beyond rounding, go down along their eigenvectors and train on; the result's
        `escapes` says where.  A look costs a few iterations, and the activations must
        have second derivatives.

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
    >>> bool(fit.fun < 1e-8)
    True
    """
    objective = Objective(net, X, Y, loss, sample_weight, l2)
    source = generator(rng)
    if escape_saddles and not net.twice_differentiable:
        raise ValueError(
            "escape_saddles must be False where an activation has no second derivative, "
            f"got True for {net!r}"
        )
    rule = dampings.resolve(damping).start(objective)
    chosen = steps.resolve(step)
    if max_memory is not None:
        max_memory = number("max_memory", max_memory, 0.0, open_low=True)
    planned = plan(
        net,
        objective.T,
        loss=objective.loss,
        damping=damping,
        penalised=objective.penalised,
        max_memory=max_memory,
    )
    if chosen is None:
        chosen = planned.step
    run = Run(
        objective,
        net.initial_weights(source) if w0 is None else net._weights(w0, "w0").copy(),
        max_iter=integer("max_iter", max_iter, 0),
        tol=number("tol", tol, 0.0),
        target=None if loss_target is None else number("loss_target", loss_target),
        deadline=float("inf") if max_seconds == math.inf else number("max_seconds", max_seconds, 0),
        callback=scipy_callback(callback),
    )
    # a step with a state of its own in each run says so
    running = chosen.start(objective) if hasattr(chosen, "start") else chosen
    try:
        with np.errstate(all="ignore"), limited(planned.work(chosen)):
            status = _loop(run, running, rule) if run.begin() else Status.BAD_START
            while escape_saddles and leave(run, status, source):
                # the damping of a stall fits no other place
                status = _loop(run, running, dampings.resolve(damping).start(objective))
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    except CurvatureError:
        if run.nit == 0:  # nothing to lose yet: the arguments are at fault
            raise
        status = Status.CURVATURE
    return run.result(status, chosen)


def _loop(run: Run, step: Step, rule: dampings.DampingState) -> Status:
    """Iterate until a status says why not to go on."""
    while True:
        at = run.linearize()
        prepared = step.prepare(at, rule)
        status = run.arrive(prepared)
        while status is None:
            mu = rule.mu
            d = prepared.solve(mu)
            if d is None:
                if mu == 0.0 or not mu < MOST_DAMPING:
                    return Status.SINGULAR
                rule.judge(-math.inf, 1.0)
                continue
            trial = run.attempt(d, mu, prepared, rule)
            if mu > 0.0 and run.beyond_rounding(trial, at):
                if not run.gradient_falls(trial, prepared):
                    return Status.PRECISION
                run.best_J = trial.J  # as good to rounding, and nearer
            elif not rule.judge(trial.actual, trial.predicted):
                status = run.stuck(trial)
                continue
            status = run.accept(trial, prepared)
            break
        if status is not None:
            return status
        del prepared  # its matrices are the next one's memory
