"""Robust fits whose scale is chosen from the residuals.

    sigma = 1.4826 median |r|     of all residuals but the N smallest, at most half of them
    scale = c · sigma             of the loss ρ
    c: (E ρ'')² = 0.95 E ρ'²      expectations over N(0, 1): 95 % efficient for normal noise

N weights can make N residuals vanish, and they say nothing about the noise.
1.4826 makes the median that of normal noise.  The first residuals are those of
a fit by a smooth absolute value: a fit of least squares with enough weights
follows the outliers, and no scale would show them any more.  Of two such fits,
one under a heavier penalty, the one that ends better is kept: each alone is now
and then caught by outliers that lie together, or by a curve too flat.
"""

from __future__ import annotations

import copy
import functools
import math
import time
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ggn.damping import Damping
from ggn.fit.limits import Callback, Limits
from ggn.fit.restarts import run_restarts
from ggn.fit.result import TrainResult
from ggn.fit.stages import STOPPED, Stages, starts
from ggn.linearization import Objective
from ggn.losses import Loss, SmoothLp, resolve
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import describe

__all__ = ["RobustResult", "train_robust"]

NORMAL = 1.4826022185056018  # 1 / the 3/4 quantile of N(0, 1)
EFFICIENCY = 0.95
FIRST = 0.1  # scale of the first fit's absolute value, in deviations of the targets
PENALTIES = (1.0, 16.0)  # of the first fits, in units of the given one
SETTLED = 1e-2  # relative change of sigma at which it is settled
MOST_UPDATES = 20
LOOSE = 1e-6  # tol of all trainings but the last
SMALLEST = 1e-8  # sigma, in deviations of the targets: below, the fit is exact


class RobustResult(TrainResult):
    """A `TrainResult` with the scale chosen; nit, nfev, njev count all trainings that led there.

    Attributes
    ----------
    loss : Loss
        With the scale chosen; `fun` is J with it.
    scale : float
        The loss's scale.
    noise_std : float
        sigma, the deviation of the residuals without outliers.
    """


def train_robust(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "cauchy",
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
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    n_restarts: int = 1,
) -> RobustResult:
    """Minimise a robust loss, its scale chosen from the residuals.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
        1-D is accepted where nL = 1.  Targets share one scale.
    loss : str or Loss, default "cauchy"
        "cauchy", "blake_zisserman", "smooth_lp", or such an object, whose own scale
        is not used; `ggn.train` does use it.
    w0 : array_like, (N,), optional
        Initial weights; by default `net.initial_weights(rng, "fan_in")`.
    step, damping
        As in `ggn.train`.
    rng : int, Generator or None, default 0
        Where initial weights come from.
    max_iter : int, default 1000
        Largest number of steps of each training.
    tol : float, default 1e-12
        Of the last training, see `ggn.train`.
    l2 : float or array_like (N,), default 0.0
        Penalty l2_j w_j².  A network with weights to spare follows outliers without one.
    sample_weight : array_like, (T,), optional
        A weight of 2 counts as the sample given twice, in the median too.
    callback : callable, optional
        As in `ggn.train`, after each step of every training; nit, nfev and seconds count
        from the beginning of the run, which StopIteration ends.
    max_seconds : float, default inf
        Of one run.
    max_memory : float, optional
        As in `ggn.train`.
    n_restarts : int, default 1
        Random weights to start from; the end of least J, at the median of all scales,
        is returned.

    Returns
    -------
    RobustResult
        A TrainResult with loss, scale and noise_std.

    Raises
    ------
    ValueError
        For a loss without scale, w0 with restarts, wrong shapes, dtypes, names,
        ranges or non-finite numbers.

    References
    ----------
    Holland & Welsch (1977), Robust regression using iteratively reweighted least-squares;
    Yohai (1987), High breakdown-point and high efficiency robust estimates for regression.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> net, x = ggn.MLP((1, 6, 1)), np.linspace(-1, 1, 60)
    >>> y = np.sin(2 * x) + 0.05 * np.random.default_rng(0).normal(size=60)
    >>> y[::10] += 2.0
    >>> fit = ggn.train_robust(net, x, y, l2=1e-4)
    >>> bool(np.abs(net.forward(fit.w, x)[:, 0] - np.sin(2 * x)).max() < 0.1)
    True
    """
    chosen = resolve(loss)
    if chosen.scale is None:
        raise ValueError(
            "loss must have a scale, as smooth_lp, cauchy and blake_zisserman do, "
            f"got {describe(loss)}"
        )
    data = Objective(net, X, Y, chosen, sample_weight, l2)
    limits = Limits(max_iter, tol, None, max_seconds, callback)
    start = starts(net, w0, n_restarts)
    stages = functools.partial(
        Stages,
        data,
        limits,
        step=step,
        damping=damping,
        sample_weight=sample_weight,
        max_memory=max_memory,
    )

    def run(stream: np.random.Generator) -> RobustResult:
        w, begun = start(stream), time.perf_counter()
        ends = [_run(data, stages(begun), w, PENALTIES[0], limits.max_iter, limits.tol)]
        if data.penalised and ends[0].status not in STOPPED:
            ends.append(_run(data, stages(begun), w, PENALTIES[1], limits.max_iter, limits.tol))
        return _best(data, ends)

    return _best(data, run_restarts(run, n_restarts, rng))


def _best(data: Objective, ends: list[RobustResult]) -> RobustResult:
    """Return the end of least J at the median of their scales."""
    judge = copy.copy(data)
    judge.loss = _scaled(data.loss, float(np.median([end.scale for end in ends])))
    with np.errstate(all="ignore"):
        return min(ends, key=lambda end: judge.value(end.w))


def _run(
    data: Objective, stages: Stages, w: np.ndarray, penalty: float, max_iter: int, tol: float
) -> RobustResult:
    """Fit by absolute values, then in turn choose the scale and refit."""
    net, X, Y, s = data.net, data.X, data.Yt.T, data.s
    c = _efficient_scale(data.loss)
    size = NORMAL * middle(np.abs(Y - [middle(y, s) for y in Y.T]), s)
    size = size or float(np.abs(Y - data.c.array @ Y)[s > 0.0].max()) or 1.0

    def deviation(w: np.ndarray) -> float:
        found = NORMAL * middle(np.abs(net.forward(w, X) - Y), s, net.n_weights)
        return min(max(found, SMALLEST * size), size)

    first = SmoothLp(1.0, FIRST * size)
    # the same penalty beside the same curvature of small residuals
    ratio = _at_zero(first) / _at_zero(_scaled(data.loss, c * size))
    loose = max(tol, LOOSE)
    heavy = penalty * ratio * data.l2
    fit = stages.train(w, first, l2=heavy, max_iter=max_iter, tol=loose)
    for _ in range(MOST_UPDATES):
        sigma = deviation(fit.w)
        loss = _scaled(data.loss, c * sigma)
        if fit.status in STOPPED:
            break
        fit = stages.train(fit.w, loss, l2=data.l2, max_iter=max_iter, tol=loose)
        if abs(deviation(fit.w) - sigma) <= SETTLED * sigma:
            break
    ended = fit.status if fit.status in STOPPED else None
    fit = stages.train(fit.w, loss, l2=data.l2, max_iter=0 if ended else max_iter, tol=tol)
    status = ended or fit.status
    return stages.result(RobustResult, fit, status, loss=loss, scale=c * sigma, noise_std=sigma)


def middle(values: np.ndarray, s: np.ndarray, without: int = 0) -> float:
    """Return the median of values, each s times, without so many smallest, at most half of all.

    Parameters
    ----------
    values : ndarray, (T,) or (T, nL)
    s : ndarray, (T,)
        Weights of samples.
    without : int, default 0

    Examples
    --------
    >>> middle(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0]))
    2.5
    """
    weights = np.broadcast_to(s.reshape(-1, *[1] * (values.ndim - 1)), values.shape).ravel()
    order = np.argsort(values, axis=None)
    sums, values = np.cumsum(weights[order]), values.ravel()[order]
    cut = min(without, sums[-1] // 2)
    ends = (np.searchsorted(sums, 0.5 * (cut + sums[-1]), side) for side in ("left", "right"))
    return 0.5 * sum(float(values[min(end, len(values) - 1)]) for end in ends)


def _scaled(loss: Loss, scale: float) -> Loss:
    """Return the same loss with another scale."""
    twin: Any = copy.copy(loss)
    twin.scale = scale
    return twin


def _at_zero(loss: Loss) -> float:
    """Return ρ''(0)."""
    zero = np.zeros((1, 1))
    return float(loss.hessian(zero, zero)[0, 0])


def _efficient_scale(loss: Loss) -> float:
    """Return c, or 1 where a loss is as efficient at any scale."""
    z = np.linspace(-9.0, 9.0, 4001)[:, np.newaxis]
    density = np.exp(-0.5 * z[:, 0] ** 2)
    density /= density.sum()

    def excess(c: float) -> float:
        twin = _scaled(loss, c)
        bend, slope = twin.hessian(z, 0.0 * z)[:, 0], twin.gradient(z, 0.0 * z)[:, 0]
        return float((density @ bend) ** 2 - EFFICIENCY * (density @ slope**2))

    return float(brentq(excess, 0.1, 100.0)) if excess(0.1) < 0.0 else 1.0
