"""The training loop, and the one place that says in which order strategies are asked.

    step.start(objective)                        once per run: what prepares its steps
    damping.metric(objective), .rule(objective)  at the start, and after a saddle left
    .resume(state) of step, rule, metric         after it, where w0 is a fit
      step.prepare(at, metric)                   once per point w_k; asks metric.scale(diagonal)
        prepared.solve(rule.mu)                  once per trial; None: rule.reject(None), again
        prepared.accelerate(d)                   after it, where rule.acceleration and mu > 0
        rule.judge(trial)                        then one of:
          rule.accept(trial)                     on to w_{k+1} = trial.w
          rule.reject(trial)                     solve again, with the mu it has set

gradient, diagonal, scale are read after `prepare`, residual after a trial taken.  At mu = 0 a
refusal, or no step, ends the run.  Where the promise is below the rounding of J, the gradient
judges; the rule is not told.  Before such an end, and where J falls but slowly, see `reach`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn import damping as dampings
from ggn._core.machine import limited, memory_limit
from ggn.damping import Damping
from ggn.fit import compiled
from ggn.fit.class_targets import hint_of_classes
from ggn.fit.foresight import Foresight
from ggn.fit.held_out import Held
from ggn.fit.limits import Callback, Limits
from ggn.fit.method import Method, choose_method, steered
from ggn.fit.reach import find_at_start, find_before_the_end
from ggn.fit.result import Status, TrainResult
from ggn.fit.run import Run
from ggn.fit.saddle import leave
from ggn.fit.start import Start, as_in_fit, nearness, start, stream
from ggn.fit.strategies import Strategies
from ggn.fit.success import judged
from ggn.fit.units import OWN_COPY, Units, choose_units
from ggn.io import Chunks
from ggn.io.columns import of_frames
from ggn.linearization import SourceError
from ggn.linearization.choice import objective_of
from ggn.losses import Loss, resolve
from ggn.losses.curvature import CurvatureError
from ggn.network import MLP
from ggn.steps import Step

__all__ = ["minimise", "train"]


def train(
    net: MLP,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    w0: Any = None,
    step: str | Step = "auto",
    damping: str | Damping = "levenberg_marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 1000,
    tol: float = 1e-12,
    l2: Any = 0.0,
    sample_weight: Any = None,
    callback: Callback | None = None,
    loss_target: float | None = None,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    escape_saddles: bool = False,
    curvature: str | None = None,
    validation: Any = None,
    test: Any = None,
    patience: int | None = None,
) -> TrainResult:
    """Minimise J(w) = mean loss + l2·‖w‖² by the Generalised Gauss-Newton method.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0), or Chunks
        Samples are rows.  `ggn.Chunks` are samples that come a chunk at a time, larger than
        memory perhaps, with their targets and weights; Y and sample_weight are left out then.
        A `numpy.memmap` larger than a quarter of `max_memory` is read in chunks by itself.
    Y : array_like, (T, nL)
        1-D is accepted where nL = 1.
    loss : str or Loss, default "squared"
        "squared", "smooth_lp", "cauchy", "blake_zisserman", for probabilities of classes
        "logistic", "softmax_cross_entropy", or an object.
    w0 : array_like, (N,), fit or str, default "nguyen_widrow"
        Initial weights, or how to draw them: units that share out the range of the inputs, in
        the units of the data; or as `MLP.initial_weights` does, "normal" (the paper's N(0, 1)),
        "uniform" or "fan_in".  A fit, a `Model` or an estimator is gone on with; a fit with its
        damping too, so that with the same data and options two runs are worth one.
    step : str or Step, default "auto"
        "primal", "subsampled", "dual", "minimum_norm", "conjugate_gradient", "gradient",
        or "auto": chosen by shape and memory, see `ggn.plan`; or an object.  For comparisons,
        "diagonal" and "block_diagonal".
    damping : str or Damping, default "levenberg_marquardt"
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
        Called after each step taken.  As in SciPy, the name of its parameter decides what it
        gets: ``lambda intermediate_result: ...`` an OptimizeResult with w (a copy is yours to
        make), fun, nit, damping, gradient_norm, seconds; ``lambda w: ...``, or any other name,
        a copy of the weights alone.  Raising StopIteration ends the run.
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
    curvature : str, optional
        The loss's curvature in the GGN matrix P H_E Pᵀ: "hessian", H_E itself, indefinite where
        a loss is not convex (for steps "primal", "block_diagonal" and "gradient"); "majoriser",
        ρ'(r)/r, which is semi-definite and gives the steps of iteratively reweighted least
        squares; "auto", H_E of a built-in loss that is convex, else the majoriser.  By default
        "auto" if undamped, else "majoriser", which takes fewer iterations.
    validation : tuple or Chunks, optional
        (X, Y) or (X, Y, sample_weight), held out: the weights of the iterate of their least
        mean loss are kept.  `ggn.split` divides samples so, `Chunks.split` those in chunks.
    test : tuple or Chunks, optional
        The same, whose losses are only recorded.
    patience : int, optional
        Steps without a new least validation loss after which the run ends, by default 10;
        only with validation.

    Returns
    -------
    TrainResult
        An OptimizeResult: w, fun, success, status, message, nit, nfev, njev, history, net, state.
        Its weights are never worse than w0 and always finite.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names, ranges or non-finite numbers.

    Warns
    -----
    ScalingWarning
        Where inputs or targets are far from unit size and the run cannot change their units.
    ClassTargetsWarning
        Where all targets are 0 or 1, the loss is "squared", and there are fewer weights than
        numbers to fit; the object `losses.Squared` is silent.

    Notes
    -----
    With Levenberg-Marquardt damping the run is in standard units of inputs and targets where
    these are far from zero mean and deviation one and the change is exact: a dummy unit takes
    a shift (and has no penalty), and the loss is of residuals of outputs without activation.
    From the default w0 any mean of an input is far enough, so the result depends on none.
    What comes back is in the units given; only `escapes` is not.

    Targets that are all one number are met by the last dummy unit alone, all other weights
    into the outputs 0, where nothing penalises it.

    Ctrl-C ends the run with the last accepted weights and Status.INTERRUPTED.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> x = np.linspace(-1, 1, 40)
    >>> fit = ggn.train(ggn.MLP((1, 8, 1)), x[:, None], np.sin(3 * x), max_iter=200)
    >>> bool(fit.fun < 1e-8)
    True

    Going on from where a fit ended:

    >>> net, y = ggn.MLP((1, 8, 1)), np.sin(3 * x)
    >>> begun = ggn.train(net, x, y, max_iter=50)
    >>> on = ggn.train(net, x, y, w0=begun, max_iter=150)
    >>> bool(on.fun == ggn.train(net, x, y, max_iter=200).fun)
    True
    """
    rules, told, (X, Y) = dampings.resolve(damping), sample_weight, as_in_fit(w0, X, Y)
    chunks = Chunks.of_mapped(X, OWN_COPY * memory_limit(max_memory), Y, sample_weight)
    if chunks is not None:
        X, Y, sample_weight = chunks, None, None
    objective = objective_of(net, X, Y, steered(loss, rules, curvature), sample_weight, l2)
    hint_of_classes(net, objective.T * net.n_outputs, objective.of_zeros_and_ones, loss)
    source = stream(rng, w0, escape_saddles)
    held = Held(objective, validation, test, patience, like=(X, Y))
    limits = Limits(max_iter, tol, loss_target, max_seconds, held.callback(callback))
    method = choose_method(objective, step, rules, limits, max_memory, escape_saddles)
    units = choose_units(objective, method.step, rules, max_memory, nearness(w0))
    with limited():
        result = minimise(method, units, source, w0, held)
    result.update(loss=resolve(loss), **of_frames(held.names))
    if chunks is not None and told is not None:
        result.update(sample_weight=np.array(told, dtype=np.float64))
    held.keep(result)
    return result


def minimise(
    method: Method, units: Units, source: np.random.Generator, w0: Any, held: Held | None = None
) -> TrainResult:
    """Return the end of one run, from w0 as `train` takes it."""
    begin = start(units, source, w0)
    run, how = Run(units, begin, method.limits), Strategies(units, method.damping, method.step)
    if held is not None and held.watches:
        held.see(units.weights(run.w))
    try:
        with np.errstate(all="ignore"):
            status, why = _loop(run, how, begin), ""
            while method.escape_saddles and leave(run, status, source):
                status = _loop(run, how)  # with mu anew: that of a stall fits no other place
    except KeyboardInterrupt:
        if not compiled.known(run, how):
            raise  # nothing is known of the start yet
        status, why = Status.INTERRUPTED, ""
    except (CurvatureError, SourceError) as error:
        if run.nit == 0:  # nothing to lose yet: the arguments are at fault
            raise
        lost = isinstance(error, SourceError)
        status, why = (Status.LOST, str(error)) if lost else (Status.CURVATURE, "")
    try:
        return _ended(run, how, status, why)
    except KeyboardInterrupt:  # what was trained is not to be lost, unless it comes again
        return _ended(run, how, Status.INTERRUPTED)


def _ended(run: Run, how: Strategies, status: Status, why: str = "") -> TrainResult:
    """Return the end of a run, as `train` does."""
    given = run.units.given
    try:
        end = judged(run, status, why)
    except SourceError as error:
        if run.nit == 0:
            raise
        end = judged(run, Status.LOST, str(error))
    result = run.result(end, how.step)
    state = how.state(result.w, run.best_w, run.before)
    result.update(net=given.net, l2=given.l2, sample_weight=given.sample_weight, state=state)
    return result


def _loop(run: Run, how: Strategies, begin: Start | None = None) -> Status:
    """Iterate until a status says why not to go on; from `begin`, perhaps where a fit ended."""
    small = compiled.suits(run.objective, how.step, how.damping)
    if begin is not None and not small and not run.begin():
        return Status.BAD_START
    metric, rule = how.begin()
    late = begin is not None and begin.found and not how.resume(run, begin)
    if small:
        return compiled.Small(run, how).iterate(late)
    foresight = Foresight(run)
    while True:
        at = run.linearize()
        prepared = how.running.prepare(at, metric)
        status, came = run.arrive(prepared), rule.mu
        while status is None:
            foresight.look(prepared, rule)
            tried, d = rule.settings, prepared.solve(rule.mu)
            if d is None:
                rule.reject(None)
                status = run.unsolved(tried, rule)
                continue
            trial = run.attempt(d, prepared, rule)
            if late:
                trial, late = find_at_start(run, trial, prepared, rule), False
            blind = run.beyond_rounding(trial, at)
            if blind and run.gradient_falls(trial, prepared, at):
                status = run.accept(trial, prepared, nearer=True)
                break
            if not blind and rule.judge(trial):
                rule.accept(trial)
                status = run.accept(trial, prepared)
                break
            if not blind:
                rule.reject(trial)
                status = run.stuck(trial, rule.settings == tried)
            if blind or status is Status.PRECISION:
                found = find_before_the_end(run, prepared, at, rule, came)
                if found is None:
                    return Status.PRECISION
                rule.accept(found)
                status = run.accept(found, prepared)
                break
        if status is not None:
            return status
        del prepared  # its matrices are the next one's memory
