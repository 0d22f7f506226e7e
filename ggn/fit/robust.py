"""Robust fits whose scale is chosen from the residuals.

    sigma = 1.4826 median |r|     of all residuals but the N smallest, at most half of them
    scale = c · sigma             of the loss ρ
    scale ≥ c r with ρ(r) = l2 ‖w‖², nearly: what the penalty does is no outlier
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
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy.optimize import brentq

from ggn.damping import Damping
from ggn.fit.limits import Callback, Limits
from ggn.fit.restarts import run_restarts
from ggn.fit.result import TrainResult, best_of
from ggn.fit.sizes import check_sizes
from ggn.fit.stages import STOPPED, From, Stages, starts
from ggn.fit.start import as_in_fit
from ggn.io.columns import of_data
from ggn.linearization import Objective
from ggn.linearization.robust_scale import Noise
from ggn.losses import ROBUST, Loss, SmoothLp, resolve
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import describe

__all__ = ["RobustResult", "chosen_scale", "least", "scaled_by_residuals", "train_robust"]

Result = TypeVar("Result", bound=TrainResult)
EFFICIENCY = 0.95
FIRST = 0.1  # scale of the first fit's absolute value, in deviations of the targets
PENALTIES = (1.0, 16.0)  # of the first fits, in units of the given one
SETTLED = 1e-2  # relative change of sigma at which it is settled
MOST_UPDATES = 20
LOOSE = 1e-6  # tol of all trainings but the last


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
    Y: Any = None,
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
    w0 : array_like, (N,), or fit, optional
        Initial weights, or what is gone on with; by default drawn as `ggn.train` does.
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
        A weight of 2 counts as the sample given twice, in the median too; weights that add up to
        less than the samples only compare these.
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
    chosen = resolve(loss, known=ROBUST)
    if chosen.scale is None:
        raise ValueError(
            "loss must have a scale, as smooth_lp, cauchy and blake_zisserman do, "
            f"got {describe(loss)}"
        )
    X, Y = as_in_fit(w0, X, Y)
    data = Objective(net, X, Y, chosen, sample_weight, l2)
    check_sizes(Y=data.Yt)
    limits = Limits(max_iter, tol, None, max_seconds, callback)
    start = starts(data, w0, n_restarts)
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
        w0, begun = start(stream), time.perf_counter()
        new = functools.partial(stages, begun)
        return chosen_scale(data, w0, new, max_iter=limits.max_iter, tol=limits.tol)

    best = least(data, run_restarts(run, n_restarts, rng))
    best.update(of_data(X, Y))
    return best


def chosen_scale(
    data: Objective,
    w0: From,
    stages: Callable[[], Stages],
    *,
    max_iter: int,
    tol: float,
    fixed: bool = False,
) -> RobustResult:
    """Minimise data's loss from w0 in new stages, its scale chosen.

    With fixed, the loss's own scale is kept, and only the way there is the same.
    """
    check_sizes(0.0, sample_weight=data.s)
    ends = [_run(data, stages(), w0, PENALTIES[0], max_iter, tol, fixed)]
    if data.penalised and ends[0].status not in STOPPED:
        ends.append(_run(data, stages(), w0, PENALTIES[1], max_iter, tol, fixed))
    return least(data, ends)


def least(data: Objective, ends: list[Result]) -> Result:
    """Return the end of least J at the median of their scales."""
    judge = copy.copy(data)
    judge.loss = data.loss.with_scale(float(np.median([end.scale for end in ends])))
    with np.errstate(all="ignore"):
        return best_of(min(ends, key=lambda end: judge.value(end.w)), ends)


def _run(
    data: Objective,
    stages: Stages,
    w0: From,
    penalty: float,
    max_iter: int,
    tol: float,
    fixed: bool,
) -> RobustResult:
    """Fit by absolute values, then in turn choose the scale and refit."""
    own: Any = data.loss
    c = 1.0 if fixed else _efficient_scale(data.loss)
    noise = Noise(data)
    size = noise.size

    def deviation(w: np.ndarray) -> float:
        if fixed:
            return float(own.scale)
        under = data.penalty(w) if data.penalised else 0.0
        return noise.width(_at_zero(own.with_scale(c * noise.deviation(w))), w, under)

    first = SmoothLp(1.0, FIRST * size)
    # the same penalty beside the same curvature of small residuals
    ratio = _at_zero(first) / _at_zero(own if fixed else own.with_scale(c * size))
    heavy = penalty * ratio * data.l2
    # far outliers make up J, of which tol is a share: not the given one, then
    fit = stages.train(w0, first, l2=heavy, max_iter=max_iter, tol=LOOSE)
    for _ in range(MOST_UPDATES):
        sigma, noise_std = deviation(fit.w), noise.deviation(fit.w)
        loss: Any = data.loss.with_scale(c * sigma)
        if fit.status in STOPPED:
            break
        fit = stages.train(fit, loss, l2=data.l2, max_iter=max_iter, tol=LOOSE)
        if abs(deviation(fit.w) - sigma) <= SETTLED * sigma:
            break
    ended = fit.status if fit.status in STOPPED else None
    fit = stages.train(fit, loss, l2=data.l2, max_iter=0 if ended else max_iter, tol=tol)
    status = ended or fit.status
    if fixed:  # which has waited for nothing to settle
        noise_std = noise.deviation(fit.w)
    return stages.result(
        RobustResult, fit, status, loss=loss, scale=loss.scale, noise_std=noise_std
    )


def scaled_by_residuals(
    loss: Loss, net: MLP, w: np.ndarray, X: np.ndarray, Y: np.ndarray, l2: Any
) -> Loss:
    """Return the loss with the scale that its residuals at w call for."""
    noise, c = Noise(Objective(net, X, Y)), _efficient_scale(loss)
    at = loss.with_scale(c * noise.deviation(w))
    return loss.with_scale(c * noise.width(_at_zero(at), w, float(np.sum(l2 * w * w))))


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
        twin = loss.with_scale(c)
        bend, slope = twin.hessian(z, 0.0 * z)[:, 0], twin.gradient(z, 0.0 * z)[:, 0]
        return float((density @ bend) ** 2 - EFFICIENCY * (density @ slope**2))

    return float(brentq(excess, 0.1, 100.0)) if excess(0.1) < 0.0 else 1.0
