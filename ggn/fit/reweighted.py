"""Fits, and what samples count for under a kind of noise, in turn.

    fit at u_k -> q -> u_k+1 -> ...     until the u stay, see `ggn.fit.noise`

It begins with all samples alike, or, where those of a kind may be outliers, with what they count
for under Student's noise about a robust fit: least squares would follow them, and to begin with
outliers told from all others at once would keep what the robust fit was caught by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from ggn.fit.noise import Counts, HeavyTailed, NoiseKind, kind_of
from ggn.fit.result import Status, TrainResult
from ggn.fit.robust import chosen_scale
from ggn.fit.stages import STOPPED, From, Stages
from ggn.fit.units import untold
from ggn.io.noise import NoiseLaw
from ggn.linearization import Objective
from ggn.linearization.robust_scale import robust_deviation
from ggn.losses import Cauchy

__all__ = ["begun", "gained", "in_turn", "weighed"]

ROUNDS = 12
SETTLED = 0.05  # mean change of u
# Of the robust fit l2 over the variance of the targets: with a tenth of it one fit in twenty was
# caught by outliers (60 samples, a fifth of them outliers), with ten times it curves are too flat.
PENALTY, LOOSE = 1e-3, 1e-6
Fit = TypeVar("Fit")


def in_turn(
    kind: NoiseKind,
    fit: Callable[[Counts, Fit | None, bool], tuple[Fit, bool]],
    look: Callable[[Fit, Counts], Counts | None],
    ended: Callable[[Fit], bool],
    begin: Counts,
    rounds: int = ROUNDS,
    enough: float = SETTLED,
) -> tuple[Fit, Counts, bool]:
    """Fit and look at what is left in turn; return the last fit, its counts, whether they settled.

    Parameters
    ----------
    fit : callable
        (counts, the fit before or None, whether it is the last) -> the next, and whether more
        fits make sense.
    look : callable
        (a fit, the counts that it was made with) -> those that it calls for; None: make no more.
    ended : callable
        Whether a fit came to its end, so that another one at the same counts would be the same.
    begin : Counts
    rounds : int
        At most so many fits before the last.
    enough : float
        Mean change of u with which they have settled.
    """
    counts, now, settled = begin, None, not kind.in_turn
    for _ in range(rounds if kind.in_turn else 0):
        now, more = fit(counts, now, False)
        if not more:
            return now, counts, False
        new = look(now, counts)
        if new is None:
            return now, counts, False
        change = float(np.abs(new.u - counts.u).mean())
        settled = change < enough
        if change == 0.0 and ended(now):  # as where it is the same everywhere after all
            return now, counts, True
        counts = new
        if settled:
            break
    now, _ = fit(counts, now, True)
    return now, counts, settled


def weighed(data: Objective, counts: Counts) -> Objective:
    """Return the same objective, of samples that count so much."""
    if (counts.u == 1.0).all():
        return data
    return Objective(data.net, data.X, data.Yt.T, sample_weight=data.s * counts.u)


def gained(data: Objective, w: np.ndarray, counts: Counts, beta: float) -> float:
    """Return what `NoiseKind.gain` says of a fit, by the kind of its law.

    It is another kind than was asked for where the run ended before the first look at the noise.
    """
    kind = kind_of(counts.law.kind)
    with np.errstate(all="ignore"):  # of a start that overflows
        r2 = np.square(data.net.forward(w, data.X) - data.Yt.T).sum(axis=1)
        return kind.gain(counts, r2, data.s, data.net.n_outputs, beta)


def begun(
    kind: NoiseKind, data: Objective, w0: From, stages: Callable[[Objective], Stages], most: int
) -> tuple[Counts, TrainResult | None]:
    """Return what samples count for at first: as much as one another, or by a robust fit.

    And this fit, if it was stopped, by which no time is left for another.

    Parameters
    ----------
    kind : NoiseKind
    data : Objective
        Of squared loss, without penalty.
    w0 : ndarray (N,) or TrainResult
        Where a robust fit starts.
    stages : callable
        (objective) -> what trains on it.
    most : int
        Steps of each training.
    """
    T, nL = len(data.X), data.net.n_outputs
    if not kind.robust:
        return Counts(np.ones(T), NoiseLaw()), None
    Y = data.Yt.T
    size = float(np.square(robust_deviation(Y.ravel())))
    l2 = PENALTY * size
    cauchy = Objective(data.net, data.X, Y, Cauchy(), sample_weight=data.sample_weight, l2=l2)
    with untold():  # units have been chosen by all samples, those far out too
        fit = chosen_scale(cauchy, w0, lambda: stages(cauchy), max_iter=most, tol=LOOSE)
    q = np.square(data.net.forward(fit.w, data.X) - Y).mean(axis=1)
    stopped = fit.status in STOPPED and fit.status is not Status.BAD_START
    return HeavyTailed().counts(data.X, q, data.s, nL), fit if stopped else None
