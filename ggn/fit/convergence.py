"""How fast a sequence of weights converges, d_k = ‖w_k - w_end‖₂.

    d_{k+1} ≈ C d_k^p,    p = log(d_{k+1}/d_k) / log(d_k/d_{k-1}) is the observed order

p = 2 is quadratic convergence, and C = d_{k+1}/d_k² its constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.damping import Undamped
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.network import MLP

__all__ = ["EXACT", "Approach", "orders", "undamped_approach"]

FLOOR = 1e-13  # distances below are rounding
EXACT = 1e-20  # a mean squared error below is an exact fit


@dataclass(frozen=True)
class Approach:
    """A run's way to its end; see `undamped_approach`.

    Attributes
    ----------
    losses : ndarray, (K+1,)
        J at each iterate, the start included.
    distances : ndarray, (K+1,)
        d_k = ‖w_k - w_K‖₂.
    rounding : float
        Distances below are rounding.
    """

    losses: np.ndarray
    distances: np.ndarray
    rounding: float

    @property
    def exact(self) -> bool:
        """Whether the end is an exact fit."""
        return bool(self.losses[-1] < EXACT)

    @property
    def orders(self) -> list[float]:
        """The observed order at each iterate, nan where it means nothing."""
        return orders(self.distances, self.rounding)

    @property
    def last(self) -> int | None:
        """The last iterate with an observed order, if any has one."""
        known = np.flatnonzero(np.isfinite(self.orders))
        return int(known[-1]) if len(known) else None

    @property
    def order(self) -> float:
        """The last observed order, or nan."""
        return math.nan if self.last is None else self.orders[self.last]

    @property
    def constant(self) -> float:
        """C = d_{k+1}/d_k² at the last observed order, or nan."""
        k = self.last
        return math.nan if k is None else float(self.distances[k] / self.distances[k - 1] ** 2)


def orders(distances: np.ndarray, floor: float = FLOOR) -> list[float]:
    """Return the observed order of convergence at each iterate, nan where it means nothing.

    At iterate k+1 it is log(d_{k+1}/d_k) / log(d_k/d_{k-1}), where the three
    distances fall, the first below 1 and the last above `floor`, the rounding.

    Examples
    --------
    >>> import numpy as np
    >>> [round(order, 3) for order in orders(np.array([1e-1, 1e-2, 1e-4, 1e-8, 0.0]))]
    [nan, nan, 2.0, 2.0, nan]
    """
    result = [math.nan] * len(distances)
    for k in range(2, len(distances)):
        a, b, c = distances[k - 2 : k + 1]
        if 1.0 > a > b > c > floor:
            result[k] = math.log(c / b) / math.log(b / a)
    return result


def undamped_approach(
    net: MLP,
    X: np.ndarray,
    Y: np.ndarray,
    w0: np.ndarray,
    max_iter: int = 60,
    max_seconds: float = math.inf,
) -> Approach:
    """Take full GGN steps on squared loss until J is exact and only jitters.

    Raises
    ------
    KeyboardInterrupt
        If interrupted: a part of the way has no end.

    Examples
    --------
    >>> import ggn
    >>> net, (X, Y) = ggn.MLP((2, 20, 1), "bent_identity"), ggn.problems.four_regions(20, rng=16)
    >>> way = undamped_approach(net, X, Y, net.initial_weights(16))
    >>> way.exact, 1.8 < way.order < 2.2
    (True, True)
    """
    iterates, losses = [w0], [float(np.square(net.forward(w0, X) - Y).sum(axis=1).mean())]
    beyond: list[np.ndarray] = []

    def keep(intermediate_result: Any) -> None:
        w, J = intermediate_result.w.copy(), intermediate_result.fun
        # once J only jitters there is nothing more to see
        if J < EXACT and J > 0.1 * losses[-1]:
            beyond.append(w)
            raise StopIteration
        iterates.append(w)
        losses.append(J)

    result = train(
        net,
        X,
        Y,
        w0=w0,
        damping=Undamped(1.0),
        tol=0.0,
        max_iter=max_iter,
        callback=keep,
        max_seconds=max_seconds,
    )
    pass_on_interrupt(result)
    distances = np.linalg.norm(np.array(iterates) - iterates[-1], axis=1)
    # one step beyond the end moves by rounding alone: so well is the end known
    rounding = max([FLOOR, *(3.0 * float(np.linalg.norm(w - iterates[-1])) for w in beyond)])
    return Approach(np.array(losses), distances, rounding)
