"""Training of state-space models: the call, and the runs of `ggn.fit.train.minimise` it makes."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ggn._core.machine import FIT_BYTES, check_room, check_square, limited
from ggn.damping import Damping
from ggn.fit.limits import Callback, Limits
from ggn.fit.method import Method, steered
from ggn.fit.result import Status, TrainResult, best_of, interrupted
from ggn.fit.train import minimise
from ggn.fit.units import Units
from ggn.losses import Loss, Residual
from ggn.recurrent.chosen_by_data import Given, way_of
from ggn.recurrent.scaling import Scaling
from ggn.recurrent.series import Series
from ggn.recurrent.statespace_arguments import (
    check_lengths,
    check_outputs,
    chosen_damping,
    chosen_step,
    given_weights,
)
from ggn.recurrent.statespace_fit import StateSpaceFit
from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.recurrent.statespace_start import linear_start
from ggn.recurrent.statespace_windows import ENDED, bridge
from ggn.recurrent.units import ScaledLoss, in_units
from ggn.steps import Primal, Step
from ggn.validation import flag, generator, integer, vector

__all__ = ["statespace"]

WINDOW_STEPS = 30  # iterations between two lengths of windows


def statespace(
    U: Any,
    Y: Any,
    n_states: int,
    loss: str | Loss = "squared",
    *,
    w0: Any = None,
    step: str | Step = "primal",
    damping: str | Damping = "levenberg_marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 300,
    tol: float = 1e-12,
    l2: Any = 0.0,
    sample_weight: Any = None,
    callback: Callback | None = None,
    loss_target: float | None = None,
    max_seconds: float = math.inf,
    f: Any = 8,
    g: Any = None,
    linear: bool = True,
    feedthrough: bool = True,
    free_initial_states: bool = True,
    window: int | None = None,
    n_restarts: int = 1,
    robust: bool = False,
) -> StateSpaceFit:
    """Train a state-space model in free run, by exact GGN through time.

    x_{k+1} = A x_k + B u_k + f(x_k, u_k),  y_k = C x_k + D u_k + o + g(x_k, u_k)

    Parameters
    ----------
    U : array_like (T, nu), list of them, or None
        Inputs of one experiment, or of each of several, of any lengths.  1-D is one input; None
        is none.
    Y : array_like (T, ny), or list of them
        Outputs of the same; nan is missing and left out of J.
    n_states : int
        nx.
    loss : str or Loss, default "squared"
        As in `ggn.train`.
    w0 : array_like (N,) or StateSpaceFit, optional
        Weights in the model's own units, see Notes, or a fit that is gone on with.  By default
        the best linear model, by a subspace method and least squares, with f and g of outputs
        zero.
    step : str or Step, default "primal"
        "primal", "conjugate_gradient", "minimum_norm" or "gradient".
    damping : str or Damping, default "levenberg_marquardt"
        By its name, its first mu is 10.
    rng : int, Generator or None, default 0
        Of the hidden units of f and g.
    max_iter : int, default 300
        Largest number of steps taken in free run.
    tol : float, default 1e-12
        As in `ggn.train`.
    l2 : float or array_like (N,), default 0.0
        Penalty l2_j w_j² added to J, of weights in the model's own units.  "evidence": chosen by
        the evidence, as `train_bayesian` does, for the squared loss; the fit then has
        .effective_parameters, .noise_std and .log_evidence too.
    sample_weight : array_like, (T,), optional
        Of all samples, one experiment after the other.
    callback : callable, optional
        As in `ggn.train`; called in free run.
    loss_target : float, optional
        Stop where J is at most this.
    max_seconds : float, default inf
    f : int, sequence of int, MLP or None, default 8
        Hidden units of the network in the state, or a network of nx + nu inputs (states first)
        and nx outputs.  None: a linear state.
    g : int, sequence of int, MLP or None, default None
        The same in the outputs.
    linear : bool, default True
        Whether there are A and B.  Without, and with f a network of one layer, this is Elman's
        network (MATLAB's `layrecnet`).
    feedthrough : bool, default True
        Whether y_k depends on u_k at once: D.
    free_initial_states : bool, default True
        Whether the initial state of each experiment is fitted; else it is zero.
    window : int, optional
        Begin with windows of so many steps, whose initial states are free, and let them grow to
        the experiments: from weights that diverge in free run, or are far from a good fit.
    n_restarts : int, default 1
        Draws of hidden units, of which the fit of least J is returned, or of most evidence.
    robust : bool, default False
        Whether the scale of a robust loss is chosen from the residuals of the free run, as
        `train_robust` does, in several trainings; the fit then has .scale and .noise_std.

    Returns
    -------
    StateSpaceFit
        A `TrainResult` that simulates, predicts and knows its stability.

    Raises
    ------
    ValueError
        For wrong shapes, constant inputs, missing inputs, experiments without outputs, and
        arguments out of range.

    Notes
    -----
    The model sees inputs and outputs less their means, over their deviations (`fit.scaling`;
    one deviation for all outputs), and its weights are in these units; J is in the units given.

    A trial whose free run diverges is refused, as any that J rises for.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> rng = np.random.default_rng(0)
    >>> u, y, x = rng.normal(size=300), np.empty(300), 0.0
    >>> for k in range(300):
    ...     y[k] = x
    ...     x = 0.7 * x + np.tanh(u[k])
    >>> fit = ggn.statespace(u, y, 1, f=4)
    >>> bool(fit.fun < 1e-8 * y.var()), fit.stability.stable
    (True, True)
    >>> fit.simulate(u[:5], x0=fit.initial_states[0]).shape
    (5, 1)
    """
    series = Series(U, Y, gaps=False)
    series.vary(outputs=False)
    check_outputs(series)
    Us, Ys = series.U, series.Y
    count = check_room("n_restarts", integer("n_restarts", n_restarts, 1), FIT_BYTES)
    source = generator(rng)
    check_lengths(integer("n_states", n_states, 1), Ys)  # before they take memory
    model = StateSpace(
        Us[0].shape[1], n_states, Ys[0].shape[1], f, g, linear, feedthrough,
        len(Ys) if flag("free_initial_states", free_initial_states) else 0,
    )  # fmt: skip
    rules, taken = chosen_damping(damping), chosen_step(step)
    if isinstance(taken, Primal):
        check_square("the weights of a model for step='primal'", model.n_weights)
    steering = steered(loss, rules, None)
    residual, weights = isinstance(steering, Residual), None
    if sample_weight is not None:
        weights = vector("sample_weight", sample_weight, sum(map(len, Ys)), "one per sample")
        Ys = without(Ys, weights)
    scaling = w0.scaling if isinstance(w0, StateSpaceFit) else Scaling.of(Us, Ys, residual, weights)
    size = scaling.y_scale
    own_loss, way = in_units(steering, size), way_of(steering, l2, robust, loss_target)
    Us, Ys = [scaling.inputs(u) for u in Us], [scaling.targets(y) for y in Ys]
    if weights is not None:
        seen = np.concatenate([np.isfinite(y).any(axis=1) for y in Ys])
        weights = way.counted(np.where(seen, weights, 0.0))
    limits = Limits(max_iter, tol, loss_target, max_seconds, callback)
    method = Method(taken, rules, limits, False)
    units = ScaledLoss(StateSpaceObjective(model, Us, Ys, own_loss, weights), size)
    given = given_weights(model, w0)
    fits: list[TrainResult] = []
    ways: list[Given] = []
    singular_values = np.empty(0)
    window = None if window is None else integer("window", window, 2)
    begun = time.perf_counter()
    with limited(), np.errstate(all="ignore"):  # a run that diverges is refused
        for _ in range(1 if given is not None else count):
            w, stopped = given, None
            if w is None:
                w, singular_values = linear_start(model, Us, Ys, source)
            if window is not None:
                short = _short(method, own_loss, source, begun)
                w, stopped = bridge(model, Us, Ys, w, window, short)
            ways.append(copy.copy(way))
            rest = _left(method, begun)
            if stopped is Status.INTERRUPTED:
                rest.limits.max_iter = 0
            fits.append(ways[-1].train(units, rest, source, w))
            if stopped is Status.INTERRUPTED:
                interrupted(fits[-1])
            if fits[-1].status in ENDED:
                break
        best = way.best(units, fits)
        best_of(fits[best], fits)
    fit = _fit(fits[best], ways[best].under(units), scaling, singular_values)
    fit.update(series.told())
    return fit


def _fit(
    result: TrainResult, units: ScaledLoss, scaling: Scaling, singular_values: np.ndarray
) -> StateSpaceFit:
    """Return the result as a fit, J and its gradient in the caller's units."""
    fit, factor = StateSpaceFit(result), units.factor
    objective: Any = units.objective
    if "log_evidence" in fit:
        fit.noise_std = units.size * fit.noise_std
    fit.update(
        fun=factor * result.fun,
        jac=factor * result.jac,
        loss=in_units(objective.loss, 1.0 / units.size),
        l2=objective.l2,
        model=objective.net,
        scaling=scaling,
        singular_values=singular_values,
        objective=objective,
    )
    return fit


def without(Ys: list[np.ndarray], s: np.ndarray) -> list[np.ndarray]:
    """Return the outputs (T_j, ny), missing where they have no weight; one that has none stays."""
    edges = np.cumsum([len(y) for y in Ys])[:-1]
    whole = np.concatenate(Ys)
    left = np.where((s != 0.0)[:, np.newaxis], whole, np.nan)
    return np.split(np.where(np.isfinite(left).any(axis=0), left, whole), edges)


def _left(method: Method, begun: float) -> Method:
    """Return the method with the seconds that are left."""
    limits = copy.copy(method.limits)
    limits.seconds = max(limits.seconds - (time.perf_counter() - begun), 0.0)
    return replace(method, limits=limits)


def _short(
    method: Method, loss: Loss, source: np.random.Generator, begun: float
) -> Callable[..., TrainResult]:
    """Return what minimises with windows for experiments: for some steps, and not to the end."""

    def run(
        model: StateSpace, Us: list[np.ndarray], Ys: list[np.ndarray], w: np.ndarray
    ) -> TrainResult:
        left = _left(method, begun).limits.seconds
        brief = replace(method, limits=Limits(WINDOW_STEPS, 1e-6, None, left, None))
        return minimise(brief, Units(StateSpaceObjective(model, Us, Ys, loss)), source, w)

    return run
