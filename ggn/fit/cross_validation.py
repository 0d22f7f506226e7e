"""How large a penalty should be, by samples that are left out, one part of them after another.

    V(α) = Σ_j Σ_(i in part j) s_i E(φ_L(w_j(α), x_i), y'_i) / Σ s_i,    y' = (n y + u) / (n + 1)

w_j(α) is trained on all samples but part j, a few steps only.  From START α goes by factors of
√10 to where V is less, until it is more again, and each network goes on from its weights at the
α before.  (To begin with a large α would be no good: it makes all hidden units the same, which
they then stay.)

u has all classes equally probable: V counts one sample more than the n there are, of any class,
as the rule of succession does and Platt (1999) for his targets.  Else, of classes that can be
separated, V would fall with α for ever, and the first sample on the wrong side cost dearly.

Parts are dealt out in the order of the targets, so each has its share of every class; copies of a
sample are in the same part.  Where a part is large, the first few tell enough.

What occurs more than once is a copy, or was drawn more than once.  Of inputs drawn again, new
samples will have the same inputs too, and V is to be of those; copies would tell what they are to
judge.  Copies have the same label.  So samples of the same inputs were drawn each by itself
  where their labels differ, by a tenth or more of what any two samples' labels do;
  where next to no new sample would have inputs not seen (of n draws, Good's estimate is the share
  of inputs drawn once) and values recur in every column, as those of categories do, where copies
  of measured rows share all or nothing.
Whatever else, r samples of the same inputs and label are one draw if r divides how often each
occurs, of all that have that label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ggn._core.machine import lane_count, limited, share, threads
from ggn.fit.committee import FEWEST, UNSEEN, numbered
from ggn.fit.member import of_rows
from ggn.fit.result import Status, TrainResult
from ggn.fit.start import draw
from ggn.linearization import Objective
from ggn.losses import SoftmaxCrossEntropy

__all__ = ["CrossValidated", "cross_validate", "dealt"]

PARTS = 5
ENOUGH = 1000  # samples to judge by; with so many, V differs little from that of all
START = -6  # log α, in units of half a decade
LEAST, LARGEST = -16, 2
DIFFER = 0.1  # of the labels of any two samples: of repeats, no copies
DIVIDED = 8  # kinds of sample that a divisor is found in: by chance once in 256
FIRST, STEPS = 20, 8  # steps at START, and at each further α

# (objective, w, α, most steps) -> TrainResult
Trainer = Callable[[Objective, np.ndarray, float, int], TrainResult]


class CrossValidated(NamedTuple):
    """What samples left out say.

    Attributes
    ----------
    alpha : float
        α of least V.
    path : ndarray, (k, 2)
        Each α tried, in increasing order, and V there.
    """

    alpha: float
    path: np.ndarray


def cross_validate(
    data: Objective,
    trainer: Trainer,
    rng: np.random.Generator,
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> CrossValidated | None:
    """Return the penalty of least loss for samples left out; None of too few but copies.

    Parameters
    ----------
    data : Objective
        Without a penalty.
    trainer : callable
        (objective, w, α, most steps) -> TrainResult.
    rng : Generator
    prepare : callable, optional
        What is done to weights once they are drawn.

    Raises
    ------
    KeyboardInterrupt
        Where a training was interrupted.
    """
    parts = dealt(data.X, data.Yt.T, PARTS, rng)
    if not len(parts):
        return None
    enough = np.cumsum(parts.sum(axis=1)) >= min(ENOUGH, data.T)
    parts = parts[: int(enough.argmax()) + 1]
    ws = [prepare(draw(data, stream)) for stream in rng.spawn(len(parts))]
    tried = _Tried(data, parts, trainer)
    best = START
    tried.go(START, ws, FIRST)
    for direction in (1, -1):
        k = best
        while k == best and LEAST <= k + direction <= LARGEST:
            tried.go(k + direction, tried.ws[k], STEPS)
            k += direction
            if tried.V[k] < tried.V[best]:
                best = k
        if best != START:
            break
    path = [(_alpha(k), tried.V[k]) for k in sorted(tried.V)]
    return CrossValidated(_alpha(best), np.array(path))


def _alpha(k: int) -> float:
    return float(f"{10.0 ** (0.5 * k):.4g}")


class _Tried:
    """V and the weights of all networks, by the α that they were trained with."""

    def __init__(self, data: Objective, parts: np.ndarray, trainer: Trainer) -> None:
        self.V: dict[int, float] = {}
        self.ws: dict[int, list[np.ndarray]] = {}
        self._trainer = trainer
        self._fitted = [of_rows(data, ~part) for part in parts]
        soft = _softened(data)
        self._judged = [of_rows(soft, _tellable(data.Yt.T, part)) for part in parts]
        # of small networks threads would do little but wait for one another
        flops = float(data.net.n_weights) ** 2 * data.Yt.size
        self._alone = data.of_the_users_own or lane_count(flops) == 1

    def go(self, k: int, ws: list[np.ndarray], most: int) -> None:
        """Train all networks on from weights ws."""
        losses, found = np.zeros(len(ws)), list(ws)

        def work(j: int, stopped: Callable[[], bool]) -> None:
            # to the end: what other threads do to BLAS meanwhile would be seen in the last bits
            with limited(), threads(1):
                fit = self._trainer(self._fitted[j], ws[j], _alpha(k), most)
                if fit.status is Status.INTERRUPTED:
                    raise KeyboardInterrupt
                with np.errstate(all="ignore"):
                    losses[j] = self._judged[j].value(fit.w)
            found[j] = fit.w

        share(len(ws), work, self._alone)
        V = float(np.average(losses, weights=[judged.count for judged in self._judged]))
        self.V[k], self.ws[k] = V if math.isfinite(V) else math.inf, found


def _softened(data: Objective) -> Objective:
    """Return the objective of y': its loss is linear in the targets."""
    nL = data.net.n_outputs
    u = 1.0 / nL if isinstance(data.loss, SoftmaxCrossEntropy) else 0.5
    # of weights that are small, Kish's count
    n = max(data.count, 1.0 / float(np.square(data.c.array).sum()))
    Y = (n * data.Yt.T + u) / (n + 1.0)
    return Objective(data.net, data.X, Y, data.loss, sample_weight=data.sample_weight)


def _tellable(Y: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return the samples of a part but those of a class that no other part has.

    What was not learnt is missed by as much as the steps let weights run away.
    """
    others = Y[~part]
    low, high = others.min(axis=0), others.max(axis=0)
    learnt = ((low <= Y) & (high >= Y)).all(axis=1)
    return part & learnt if (part & learnt).any() else part


def dealt(X: np.ndarray, Y: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return which samples are in each part, (count, T), of like targets (T, nL) in each.

    Copies, of inputs (T, n0), are in the same part; of too few samples but copies there are no
    parts.

    Examples
    --------
    >>> import numpy as np
    >>> X, Y = np.arange(50.0)[:, np.newaxis], np.repeat([[0.0], [1.0]], [40, 10], axis=0)
    >>> part = dealt(X, Y, 5, np.random.default_rng(0))
    >>> part.sum(axis=1), (part @ Y).ravel()
    (array([10, 10, 10, 10, 10]), array([2., 2., 2., 2., 2.]))
    """
    of, firsts = without_copies(X, Y)
    if len(firsts) < count * FEWEST:
        return np.zeros((0, len(X)), dtype=bool)
    numbers = np.empty(len(firsts), dtype=np.intp)
    numbers[np.lexsort((rng.random(len(firsts)), *Y[firsts].T[::-1]))] = np.arange(len(firsts))
    found: np.ndarray = numbers[of] % count == np.arange(count)[:, np.newaxis]
    return found


def without_copies(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which draw each sample is of, (T,), and the first sample of each.

    Examples
    --------
    Twelve cells, of which labels differ, and twelve samples of which each has five copies:

    >>> import numpy as np
    >>> X = np.repeat(np.arange(12.0), 5)[:, np.newaxis]
    >>> y = np.arange(60) % 7 < 3
    >>> [len(without_copies(X, Y[:, np.newaxis])[1]) for Y in (y, X[:, 0] > 5)]
    [60, 12]
    """
    order = np.lexsort((*Y.T[::-1], *X.T[::-1]))
    inputs, first_inputs = numbered(X, order)
    label, first_labels = numbered(Y, np.lexsort(Y.T[::-1]))
    kind, first_kinds = numbered(np.hstack([X, Y]), order)
    times = np.bincount(kind)
    divisor = np.ones(len(first_labels), dtype=np.intp)
    for k in range(len(divisor)):
        of_label = times[label[first_kinds] == k]
        if len(of_label) >= DIVIDED:
            divisor[k] = np.gcd.reduce(of_label)
    within = np.arange(len(X)) - np.repeat(np.cumsum(times) - times, times)
    begins = within % divisor[label[order]] == 0
    drawn = np.empty(len(X), dtype=np.intp)
    drawn[order] = np.cumsum(begins) - 1
    firsts = order[begins]
    # of each draw: how many have its inputs, and its label as well
    like, same = (np.bincount(of[firsts])[of[firsts]] for of in (inputs, kind))
    again = like > 1
    if not again.any():
        return inputs, first_inputs
    other = 1.0 - np.square(np.bincount(label[firsts]) / len(firsts)).sum()
    differ = np.mean((like - same)[again] / (like - 1)[again])
    if differ > 0.0 and differ >= DIFFER * other:
        return drawn, firsts
    if np.mean(~again) < UNSEEN and _of_categories(X[first_inputs]):
        return drawn, firsts
    return inputs, first_inputs


def _of_categories(X: np.ndarray) -> bool:
    """Whether values recur in every column of rows that are all different."""
    return all(2 * len(np.unique(column)) <= len(X) for column in X.T)
