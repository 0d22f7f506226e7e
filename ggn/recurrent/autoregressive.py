"""Nonlinear autoregressive models with inputs: a network of earlier outputs and inputs.

    y_i ≈ φ_L(w; y_{i-1}, ..., y_{i-p}, u_i, ..., u_{i-q})

One step ahead the earlier outputs are those measured, and the fit is an ordinary one of a
matrix of lags ("series-parallel").  In free run they are the model's own ("parallel"): what a
simulation needs, and what noise in the measured outputs does not bias.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn import damping as dampings
from ggn import steps
from ggn._core.machine import limited
from ggn.activations import Activation
from ggn.damping import Damping
from ggn.fit.limits import Callback, Limits
from ggn.fit.method import Method, choose_method, steered
from ggn.fit.result import TrainResult
from ggn.fit.start import given_weights
from ggn.fit.train import minimise
from ggn.fit.units import Standard, Units, rescaled
from ggn.linearization import Objective
from ggn.losses import FOR_REGRESSION, Loss, resolve
from ggn.network import MLP
from ggn.recurrent.bridge import ENDED, FAIR, Stage, free_run
from ggn.recurrent.free_start import fit_starts
from ggn.recurrent.lags import Lags
from ggn.recurrent.narx_fit import NARXResult
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.series import Series
from ggn.steps import Step
from ggn.validation import ArgumentError, Setting, generator, integer

__all__ = ["narx"]

FIRST, ENOUGH = 200, 1e-6  # steps, and tol, of the fit of one step ahead before a free run


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
        As for `ggn.train`; of a free run "primal", "conjugate_gradient" or "gradient".
    damping, rng
        As for `ggn.train`.
    max_iter : int, default 1000
        Largest number of steps of the free run; of the fit of one step ahead before it 200 at
        most are taken, and 50 at each horizon between.
    tol, l2, callback, loss_target, max_seconds, escape_saddles
        As for `ggn.train`; the target is one of the last stage.
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
        Runs from that many draws of w0; the fit of least J is returned.

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

    Training is in standard units, one size for all outputs.

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
    Z, T, windows, _ = series.samples(lags)
    net = _network(hidden, activation, lags.n, series.n_outputs)
    given = resolve(loss)
    if type(given) not in FOR_REGRESSION.values():
        raise ArgumentError("loss", f"must be one of residuals, got {given!r}")
    rules, chosen = dampings.resolve(damping), steps.resolve(step)
    curved = steered(loss, rules, None)
    ordinary = Objective(net, Z, T, curved, None, l2)
    recursion = Recursion([(net, 0)], lags.n, series.n_outputs, lags.feeds) if free_run else None
    if free_run and chosen is not None and chosen.rooted:
        able = tuple(name for name, kind in steps.NAMES.items() if not kind.rooted)
        raise ArgumentError(
            "step", "must be one that a free run can take, as ", Setting("step", able),
            f" are, got {chosen!r}",
        )  # fmt: skip
    if free_start and not free_run:
        raise ArgumentError("free_start", "must be False where free_run is, got True")
    runs = integer("n_starts", n_starts, 1)
    limits = Limits(max_iter, tol, loss_target, max_seconds, callback)
    source, standard = generator(rng), _standard_units(series, lags)
    begun, best = time.perf_counter(), None
    for _ in range(runs):
        left = max(limits.seconds - (time.perf_counter() - begun), 0.0)
        if best is not None and left == 0.0:
            break
        with limited():
            found, stages = _fit(
                ordinary, recursion, windows, standard, chosen, rules, source, w0, limits,
                left, escape_saddles, free_start,
            )  # fmt: skip
        if best is None or (found.success, -found.fun) > (best[0].success, -best[0].fun):
            best = found, stages
        if found.status.name in ("INTERRUPTED", "CALLBACK", "TARGET"):
            break
    assert best is not None
    return _result(*best, given, lags, series, free_run)


def _fit(
    ordinary: Objective,
    recursion: Recursion | None,
    windows: Any,
    standard: Any,
    chosen: Step | None,
    rules: Damping,
    source: np.random.Generator,
    w0: Any,
    limits: Limits,
    seconds: float,
    escape_saddles: bool,
    free_start: bool,
) -> tuple[TrainResult, list[Stage]]:
    """Return one fit and its stages."""

    def units_of(objective: Objective) -> Units:
        m, s, my, sy = standard
        return Standard(objective, (m, s), (my, sy), *rescaled(objective.loss, sy))

    own = Limits(limits.max_iter, limits.tol, None, seconds, None)
    own.callback, own.target = limits.callback, limits.target
    if recursion is not None:  # it is to begin with, and what it is good for is soon there
        before = Limits(min(own.max_iter, FIRST), max(own.tol, ENOUGH), None, seconds, None)
        before.callback = own.callback
    step = "auto" if chosen is None else chosen
    ahead = own if recursion is None else before
    method = choose_method(ordinary, step, rules, ahead, None, escape_saddles)
    if recursion is None:
        first = minimise(method, units_of(ordinary), source, w0)
        return first, [Stage(1, first.nit, first.fun, float(first.history.loss[0]))]
    net, Y = ordinary.net, ordinary.Yt.T
    whole = LoopObjective(recursion, net, ordinary.X, Y, windows, ordinary.loss, None, ordinary.l2)
    loop = Method(chosen or steps.Primal(), rules, own, escape_saddles)
    stages: list[Stage] = []
    if w0 is not None and not isinstance(w0, str):
        units = units_of(whole)
        begin = given_weights(net, w0)[0]
        if whole.value(begin) <= FAIR * units.level():
            found = minimise(loop, units, source, w0)
            stages = [Stage(None, found.nit, found.fun, float(found.history.loss[0]))]
    if not stages:
        first = minimise(method, units_of(ordinary), source, w0)
        found, stages = free_run(whole, units_of, loop, first, source)
    if free_start and stages[-1].horizon is None and found.status not in ENDED:
        found, last = fit_starts(found, whole, standard, loop, source)
        stages.append(last)
    return found, stages


def _network(hidden: Any, activation: Any, n: int, outputs: int) -> MLP:
    """Return the network of lags."""
    if isinstance(hidden, (int, np.integer)) and not isinstance(hidden, bool):
        hidden = (integer("hidden", hidden, 0),) if hidden != 0 else ()
    try:
        widths = tuple(integer("hidden", h, 1) for h in hidden)
    except TypeError:
        raise ArgumentError(
            "hidden", f"must be an integer or a sequence of them, got {hidden!r}"
        ) from None
    return MLP((n, *widths, outputs), activation) if widths else MLP((n, outputs))


def _standard_units(series: Series, lags: Lags) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return centre and size of each input of the network, centres of the targets, their size.

    What is fed back has those of its target; all measured samples count.
    """
    U, Y = np.concatenate(series.U), np.concatenate(series.Y)
    mu, su = np.nanmean(U, axis=0), np.nanstd(U, axis=0)
    my, sy = np.nanmean(Y, axis=0), float(np.sqrt(np.nanvar(Y, axis=0).mean()))
    m = [my[o] for o, _ in lags.feeds] + [mu[c] for c, _ in lags.taps]
    s = [sy for _ in lags.feeds] + [su[c] for c, _ in lags.taps]
    return np.array(m), np.array(s), my, sy


def _result(
    found: TrainResult, stages: list[Stage], loss: Loss, lags: Lags, series: Series, free: bool
) -> NARXResult:
    """Return the fit with what it takes to run it."""
    result = NARXResult(found)
    result.update(
        loss=loss,
        lags=lags,
        stages=stages,
        free_run=free,
        flat=series.flat,
        nit=sum(stage.nit for stage in stages),
    )
    result.learn(series)
    return result
