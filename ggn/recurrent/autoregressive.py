"""Nonlinear autoregressive models with inputs: a network of earlier outputs and inputs.

    y_i ≈ φ_L(w; y_{i-1}, ..., y_{i-p}, u_i, ..., u_{i-q})

One step ahead the earlier outputs are those measured, and the fit is an ordinary one of a
matrix of lags ("series-parallel").  In free run they are the model's own ("parallel"): what a
simulation needs, and what noise in the measured outputs does not bias.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ggn import damping as dampings
from ggn import steps
from ggn._core.machine import FIT_BYTES, check_room, check_square, limited
from ggn.activations import Activation
from ggn.damping import Damping
from ggn.fit.limits import Callback, Limits
from ggn.fit.method import Method, choose_method, steered
from ggn.fit.result import TrainResult, best_of
from ggn.linearization import Objective
from ggn.linearization.mean_loss import penalty
from ggn.losses import FOR_REGRESSION, Loss, resolve
from ggn.recurrent.bridge import Stage
from ggn.recurrent.chosen_by_data import way_of
from ggn.recurrent.lags import Lags
from ggn.recurrent.narx_arguments import held_out, network, standard_units
from ggn.recurrent.narx_fit import NARXResult
from ggn.recurrent.narx_train import LoopTraining
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.series import Series
from ggn.recurrent.statespace_arguments import check_step
from ggn.steps import Step
from ggn.validation import ArgumentError, flag, generator, integer

__all__ = ["narx"]


def narx(
    U: Any,
    Y: Any,
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
    escape_saddles: bool = False,
    hidden: int | Sequence[int] = 10,
    activation: str | Activation | Sequence[str | Activation] = "tanh",
    output_lags: Any = 2,
    input_lags: Any = 2,
    free_run: bool = True,
    free_start: bool = False,
    n_starts: int = 1,
    robust: bool = False,
    validation: Any = None,
    patience: int | None = None,
) -> NARXResult:
    """Fit a nonlinear autoregressive model with inputs (NARX) to series.

    Parameters
    ----------
    U : array_like (T,) or (T, n_u), a list of these, or None
        Inputs, of one experiment or of several; None where there are none.
    Y : array_like (T,) or (T, n_y), or a list of these
        Outputs.  NaN is a missing sample, in U or Y: it ends a window, and the next begins
        where all lags have been measured again.
    loss : str or Loss, default "squared"
        "squared" or one of the robust ones, see `ggn.train`.
    w0 : array_like, (N,), fit or str, default "nguyen_widrow"
        As for `ggn.train`; of the fit of one step ahead, with which all begins.  Weights whose
        free run is fair already are gone on with as they are.
    step : str or Step, default "auto"
        As for `ggn.train`; of a free run not "dual", which is made of layers.
    damping, rng
        As for `ggn.train`.
    max_iter : int, default 1000
        Largest number of steps of the free run; of the fit of one step ahead before it 200 at
        most are taken, and 50 at each horizon between.
    tol, callback, loss_target, max_seconds, escape_saddles
        As for `ggn.train`; the target is one of the last stage.
    l2 : float, array_like (N,) or "evidence", default 0.0
        Penalty l2_j w_j² of weights in standard units, see Notes, added to the mean loss in
        them.  "evidence": chosen by the evidence, as `train_bayesian` does, for the squared
        loss; the fit then has .effective_parameters and .log_evidence too.
    sample_weight : array_like, (T,), optional
        Of all samples, one experiment after the other.
    hidden : int or sequence of int, default 10
        Hidden units, of each layer; 0 or () for a linear model (ARX).
    activation : str or Activation, or a sequence of them, default "tanh"
        For all hidden layers, or one for each; a built-in one for a free run.
    output_lags, input_lags : int or sequence, default 2
        n stands for the last n: outputs at lags 1 ... n, and inputs at 0 ... n, the sample
        itself among them.  A sequence says which lags; a sequence of sequences, those of each
        column.
    free_run : bool, default True
        Minimise the error of a simulation that begins with the measured outputs of each
        window; False: that of one step ahead.
    free_start : bool, default False
        Whether what outputs were before each window is fitted as well, in a last stage, in place
        of what was measured: noise there weighs more than anywhere else.  See `starts`.
    n_starts : int, default 1
        Runs from that many draws of w0; the fit of least J is returned, or of most evidence.
    robust : bool, default False
        Whether the scale of a robust loss is chosen from the residuals of the free run, as
        `train_robust` does, in several trainings.
    validation : tuple, optional
        (U, Y), experiments held out: the weights of the last stage that have the least mean
        loss on them are kept; see `ggn.train`.
    patience : int, optional
        Steps of the last stage without a new least after which it ends, by default 10.

    Returns
    -------
    NARXResult
        A `TrainResult` with `simulate`, `predict`, `stability` and `intervals`; J, in `fun`, is
        the mean loss of the free run (or of one step ahead), w in the units of the data.

    Raises
    ------
    ValueError
        For series of unequal length, lags that are longer than a series, columns that do not
        vary, numbers that are not finite, and what `ggn.train` refuses.

    Notes
    -----
    From one step ahead to the free run the horizon grows as far as the fit allows: from
    weights that predict one step well a free run may go astray, where its loss is wild, or to
    infinity.  `stages` says which horizons were trained at.  A trial step whose run leaves the
    finite numbers is refused, like any that is no better; where no run of the next horizon is
    finite, the weights of the last are returned with Status.DIVERGES.

    Derivatives through time are exact; memory is O(N² + T n), for n lags, of which the T n are
    the lags themselves.

    Training is in standard units, of data less their means over their deviations, one size for
    all outputs; so a penalty asks the same whatever units the series are in.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> rng = np.random.default_rng(0)
    >>> u, y = rng.uniform(-1, 1, 300), np.zeros(300)
    >>> for k in range(2, 300):
    ...     y[k] = 0.6 * y[k - 1] - 0.2 * y[k - 2] + np.tanh(u[k - 1])
    >>> fit = ggn.narx(u, y, output_lags=2, input_lags=[1], hidden=2)
    >>> bool(np.abs(fit.simulate(u, y[:2]) - y).max() < 1e-6)
    True
    """
    series = Series(U, Y)
    series.vary()
    lags = Lags(output_lags, input_lags, series.n_outputs, series.n_inputs)
    Z, T, windows, places = series.samples(lags)
    net = network(hidden, activation, lags.n, series.n_outputs)
    check_square("the weights of hidden", net.n_weights)
    given = resolve(loss)
    if type(given) not in FOR_REGRESSION.values():
        raise ArgumentError("loss", f"must be a function of residuals, got {given!r}")
    way = way_of(given, l2, robust, loss_target)
    weights = every = None
    if sample_weight is not None:
        every = series.weights(sample_weight, [np.arange(len(y)) for y in series.Y])
        weights = way.counted(series.weights(sample_weight, places))
    penalty(way.l2, net.n_weights)
    rules, chosen = dampings.resolve(damping), steps.resolve(step)
    curved = steered(loss, rules, None)
    ordinary = Objective(net, Z, T, curved, weights)
    free_run, free_start = flag("free_run", free_run), flag("free_start", free_start)
    if free_run and chosen is not None:
        check_step(chosen, [name for name in steps.NAMES if name != "dual"])  # made of layers
    if free_start and not free_run:
        raise ArgumentError("free_start", "must be False where free_run is, got True")
    recursion = Recursion([(net, 0)], lags.n, series.n_outputs, lags.feeds) if free_run else None
    whole = None
    if recursion is not None:
        whole = LoopObjective(recursion, net, ordinary.X, T, windows, curved, weights)
    runs = check_room("n_starts", integer("n_starts", n_starts, 1), FIT_BYTES)
    limits = Limits(max_iter, tol, loss_target, max_seconds, callback)
    method = choose_method(
        ordinary.under(way.l2), "auto" if chosen is None else chosen, rules, limits, None,
        escape_saddles,
    )  # fmt: skip
    training = LoopTraining(
        ordinary, whole, standard_units(series, lags, every), method,
        Method(chosen or steps.Primal(), rules, limits, escape_saddles), way, generator(rng),
        held_out(validation, patience, series, lags, net, curved, free_run, way, free_start),
        patience, free_start,
    )  # fmt: skip
    found = _best(training, runs, w0)
    return _result(*found, curved if robust else given, lags, series, weights, free_run)


def _best(
    training: LoopTraining, runs: int, w0: Any
) -> tuple[TrainResult, list[Stage], LoopTraining]:
    """Return the best of so many fits, with its stages and its way."""
    limits, begun = training.loop.limits, time.perf_counter()
    found: list[tuple[TrainResult, list[Stage], LoopTraining]] = []
    for _ in range(runs):
        left = max(limits.seconds - (time.perf_counter() - begun), 0.0)
        if found and left == 0.0:
            break
        own = replace(training, way=copy.copy(training.way))
        with limited():
            result, stages = own.fit(w0, left)
        found.append((result, stages, own))
        if result.status.name in ("INTERRUPTED", "CALLBACK", "TARGET"):
            break
    # J of another horizon is another J
    reached = [one for one in found if one[1][-1].horizon == found[-1][2].horizon] or found
    units = training.units(training.whole or training.ordinary)
    best = reached[training.way.best(units, [result for result, _, _ in reached])]
    best_of(best[0], (result for result, _, _ in found))
    return best


def _result(
    found: TrainResult,
    stages: list[Stage],
    training: LoopTraining,
    loss: Loss,
    lags: Lags,
    series: Series,
    weights: np.ndarray | None,
    free: bool,
) -> NARXResult:
    """Return the fit with what it takes to run it."""
    result, way = NARXResult(found), training.way
    units = way.under(training.units(training.whole or training.ordinary))
    result.pop("X", None)
    result.update(
        loss=loss if way.loss is None else units.given.loss,
        l2=way.l2,
        lags=lags,
        stages=stages,
        free_run=free,
        flat=series.flat,
        nit=sum(stage.nit for stage in stages),
        standard=training.standard,
        sample_weight=weights,
    )
    result.update(series.told())
    result.learn(units)
    return result
