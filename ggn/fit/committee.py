"""Several networks, each stopped by a part of the samples that the others are trained on.

Member j leaves out part j of 10, or of as many as there are members: each sample judges no more
than one of them and is learnt by the others.  Samples of the same inputs are in the same part,
or repeats would tell what they are to judge; not those of categories, of which new samples have
the same inputs again.  Members of some size run on threads, as many as
`ggn.threads` says; what they find does not depend on how many.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ggn._core.machine import lane_count, limited, share, threads
from ggn.fit.member import Member, Path, Trainer, begin_member, finish_member, lighter
from ggn.fit.noise import Counts, NoiseKind
from ggn.fit.result import Status, interrupted, pass_on_interrupt
from ggn.fit.reweighted import begun, gained, in_turn, weighed
from ggn.fit.stages import STOPPED, Stages
from ggn.fit.start import draw
from ggn.linearization import Objective

__all__ = ["FEWEST", "UNSEEN", "members_in_turn", "numbered", "parts", "train_members"]

PARTS = 10  # at least, where there are inputs for them; against 5, errors were 8 and 0.4 % less
LEAST_PARTS = 5
ENDS_ALL = (Status.INTERRUPTED, Status.CALLBACK)
FEWEST = 4  # distinct inputs of a part
UNSEEN = 0.01  # of new samples, that have inputs not seen: next to none
ROUNDS, SETTLED = 5, 0.1  # of all members, before the last; each begins anew, and scatters
STEPS = 100  # of each training of a robust fit


def train_members(
    data: Objective,
    trainer: Trainer,
    *,
    n_estimators: int,
    rng: np.random.Generator,
    max_iter: int,
    last: tuple[Member, ...] = (),
    prepare: Callable[[np.ndarray], np.ndarray] = np.asarray,
    alone: bool = False,
) -> list[Member]:
    """Return n_estimators members trained on data in standard units.

    Parameters
    ----------
    data : Objective
        Without a penalty.
    trainer : callable
        (objective, w, l2 (N,), most steps, tol, steps before) -> TrainResult.
    n_estimators : int
    rng : Generator
    max_iter : int
        Largest number of steps of a member, before the last few.
    last : tuple of Member
        To go on from.
    prepare : callable, optional
        What is done to weights once they are drawn.
    alone : bool, default False
        Whether to stay on the caller's thread, for functions of the user's own.
    """
    left_out = parts(data.X, data.Yt.T, max(n_estimators, PARTS), rng)
    streams = rng.spawn(n_estimators)
    begun: list[list[Path]] = [[] for _ in range(n_estimators)]
    found: list[Member | None] = [None] * n_estimators

    def ended() -> bool:
        return any(path.status in ENDS_ALL for paths in begun for path in paths)

    def begin(j: int, stopped: Callable[[], bool]) -> None:
        if ended():
            return
        with limited(), threads(1):
            if j < len(last):
                w, penalties = last[j].w, last[j].penalties
            else:
                w, penalties = prepare(draw(_alike(data), streams[j])), None
            begun[j] = begin_member(
                _alike(data), left_out[j % len(left_out)], w, penalties, trainer, max_iter
            )

    def finish(j: int, stopped: Callable[[], bool]) -> None:
        if begun[j]:
            with limited(), threads(1):
                found[j] = finish_member(_alike(data), begun[j][which], ended())

    # of small networks threads would do little but wait for one another
    flops = float(data.net.n_weights) ** 2 * data.Yt.size
    alone = alone or data.of_the_users_own or lane_count(flops) == 1
    share(n_estimators, begin, alone)
    which = -1 if lighter(begun) else 0
    share(n_estimators, finish, alone)
    return [member for member in found if member is not None]


def _alike(data: Objective) -> Objective:
    """Return the same objective with scratch memory of its own, for another thread."""
    return Objective(data.net, data.X, data.Yt.T, sample_weight=data.sample_weight)


def parts(X: np.ndarray, Y: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return which samples are in each part, (count or fewer, T), by inputs X (T, n0).

    Samples of the same inputs are in the same part; of categories (`all_seen`) only those of the
    same targets Y (T, nL) as well, copies.  Where there are too few for parts to tell anything,
    there is one, without samples.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.repeat(np.arange(40.0), 2)[:, np.newaxis]
    >>> part = parts(X, np.sin(X), 5, np.random.default_rng(0))
    >>> part.sum(axis=1), bool((part[:, ::2] == part[:, 1::2]).all())
    (array([16, 16, 16, 16, 16]), True)
    """
    of, firsts = numbered(X, np.lexsort(X.T[::-1]))
    if all_seen(X, of):
        both = np.hstack([X, Y])
        of, firsts = numbered(both, np.lexsort(both.T[::-1]))
    distinct = len(firsts)
    count = min(count, distinct // FEWEST)
    if count < LEAST_PARTS:
        return np.zeros((1, len(X)), dtype=bool)
    numbers = rng.permutation(distinct) % count
    found: np.ndarray = numbers[of] == np.arange(count)[:, np.newaxis]
    return found


def all_seen(X: np.ndarray, of: np.ndarray) -> bool:
    """Whether new samples will hardly have inputs but those of X (T, n0), numbered by `of`.

    So it is where every column has two values, between which there is nothing, and next to no
    sample has inputs that occur once, which is Good's estimate of what has not been seen.

    Examples
    --------
    >>> import numpy as np
    >>> of = np.repeat(np.arange(4), 9)
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])[of]
    >>> all_seen(X, of), all_seen(X + np.arange(36.0)[:, np.newaxis], np.arange(36))
    (True, False)
    """
    once = np.bincount(of) == 1
    if once.sum() >= UNSEEN * len(X):
        return False
    return bool(((X == X.min(axis=0)) | (X == X.max(axis=0))).all())


def numbered(X: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the distinct inputs each sample has, (T,), and the first sample of each.

    Parameters
    ----------
    X : ndarray, (T, n0)
    order : ndarray of int, (T,)
        That sorts them.
    """
    # not np.unique, which loses an interrupt among the rows that it compares as objects
    begins = np.concatenate([[True], (X[order[1:]] != X[order[:-1]]).any(axis=1)])
    of = np.empty(len(X), dtype=np.intp)
    of[order] = np.cumsum(begins) - 1
    return of, order[begins]


def members_in_turn(
    kind: NoiseKind,
    data: Objective,
    train: Callable[[Objective], list[Member]],
    stages: Callable[[Objective], Stages],
    w0: np.ndarray,
) -> tuple[list[Member], bool]:
    """Return members, all with the same noise, and whether that has settled.

    Parameters
    ----------
    kind : NoiseKind
    data : Objective
        In standard units.
    train : callable
        (objective) -> members, from the same starts each time.
    stages, w0
        What trains a robust fit, and from where, if the noise needs one to begin with.
    """
    nL, Y = data.net.n_outputs, data.Yt.T

    def fit(counts: Counts, last: list[Member] | None, end: bool) -> tuple[list[Member], bool]:
        members = train(weighed(data, counts))
        for member in members:
            member.noise = counts.law
        return members, not any(member.status in STOPPED for member in members)

    def look(members: list[Member], counts: Counts) -> Counts | None:
        q = np.mean([_squares(member, data.X, Y).mean(axis=1) for member in members], axis=0)
        try:
            return kind.counts(data.X, q, data.s, nL, counts)
        except KeyboardInterrupt:
            interrupted(members[0])
            return None

    begin, stopped = begun(kind, data, w0, stages, STEPS)
    if stopped is not None:
        pass_on_interrupt(stopped)
    members, counts, settled = in_turn(kind, fit, look, lambda _: True, begin, ROUNDS, SETTLED)
    for member in members:
        member.log_evidence += gained(data, member.w, counts, member.beta)
    return members, settled


def _squares(member: Member, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return what (φ_L - y)² are expected to be under a member's posterior, (T, nL)."""
    spread = member.posterior.spread(member.net, member.w, X)
    found: np.ndarray = np.square(member.net.forward(member.w, X) - Y) + spread
    return found
