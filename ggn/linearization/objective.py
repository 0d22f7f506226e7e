"""What is minimised, with all samples in memory: `MeanLoss`, and what a training asks of data."""

from __future__ import annotations

import copy
import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from ggn import _core
from ggn.linearization.columns import centre_and_size
from ggn.linearization.linearization import Linearization
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.output_layer import refit, refit_pays
from ggn.linearization.shares import Shares
from ggn.losses import Loss
from ggn.network import chunks

__all__ = ["Objective"]

ROUNDING = 16.0 * float(np.finfo(np.float64).eps)


class Objective(MeanLoss):
    """Data, loss and penalty of one fit; see `MeanLoss` for its arguments.

    Examples
    --------
    >>> import ggn
    >>> objective = Objective(ggn.MLP((1, 1), bias=False), [[3.0]], [[0.0]], l2=0.5)
    >>> objective.at(np.array([1.0])).loss
    9.5
    """

    rooted: ClassVar[bool] = True

    def at(self, w: np.ndarray, J: float | None = None) -> Linearization:
        return Linearization(self, w, J)

    def refit_pays(self, work: float) -> bool:
        return refit_pays(self, work)

    def refit(
        self, w: np.ndarray, before: np.ndarray, D: np.ndarray | None, mu: float
    ) -> tuple[float, np.ndarray | None]:
        return refit(self, w, before, D, mu)

    def shaken(self, rng: np.random.Generator, size: float) -> Self:
        other = copy.copy(self)
        noise = rng.normal(scale=size, size=self.T)
        other.c = Shares(self.c.array * (1.0 + noise), self.T)
        return other

    @property
    def sample_weight(self) -> np.ndarray | None:
        return None if self.c.weights is None else self.s.copy()

    def some(self, most: int, counted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        c, every = self.c.array, -(-self.T // most)
        if self.c.weights is None or not counted:
            return self.X[::every], np.ascontiguousarray(self.Yt.T[::every]), c[::every].copy()
        rows = np.flatnonzero(c > 0.0)
        rows = rows[:: -(-len(rows) // most)]
        return self.X[rows], self.Yt.T[rows], c[rows]

    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = self._found("ranges", (self.X, self.c), self._ranges)
        return low.copy(), high.copy()

    def columns(self, targets: bool, shift: bool, robust: bool) -> tuple[np.ndarray, np.ndarray]:
        A, weights = self.Yt.T if targets else self.X, self.c.weights
        centre, size = self._found(
            (targets, shift, robust),
            (self.Yt if targets else self.X, self.c),
            lambda: centre_and_size(A, weights, robust=robust, shift=shift),
        )
        return centre.copy(), size.copy()

    def spread(self) -> tuple[np.ndarray, float]:
        inputs, deviation = self._found("spread", (self.X, self.Yt, self.c), self._spread)
        return inputs.copy(), deviation

    def _found(self, key: Any, of: tuple[Any, ...], find: Callable[[], Any]) -> Any:
        """Return what is found of these data, once for them; a copy of this may have others."""
        found = self.known.get(key)
        if found is None or not all(map(operator.is_, found[0], of)):
            found = self.known[key] = of, find()
        return found[1]

    def _ranges(self) -> tuple[np.ndarray, np.ndarray]:
        if self.c.common is not None:
            return np.minimum.reduce(self.X), np.maximum.reduce(self.X)
        n0, counted = self.net.n_inputs, self.c.array > 0.0
        low, high = np.full(n0, np.inf), np.full(n0, -np.inf)
        for rows in chunks(range(self.T), self.chunk(0)[0]):
            seen = self.X[rows][counted[rows]]
            low = np.minimum(low, seen.min(axis=0, initial=np.inf))
            high = np.maximum(high, seen.max(axis=0, initial=-np.inf))
        return low, high

    def _spread(self) -> tuple[np.ndarray, float]:
        share, size = self.c.common, self.chunk(0)[0]
        if share is not None:
            variance, largest = _core.variance(self.Yt.T, share, size, ROUNDING)
            deviation = largest * or_one((variance / len(self.Yt)) ** 0.5)
            return _core.root_mean_square(self.X, share, size), deviation
        with np.errstate(all="ignore"):  # squares of the data itself may overflow
            return self._inputs(), self._deviation()

    def _deviation(self) -> float:
        """Return the deviation of the targets."""
        Y, c = self.Yt, self.c.array
        largest = or_one(max(float(Y.max()), -float(Y.min())))
        variance = 0.0
        for y in Y:
            mean = y @ c / largest
            own = sum(
                float(c[rows] @ (y[rows] / largest - mean) ** 2)
                for rows in chunks(range(self.T), self.chunk(0)[0])
            )
            # of a constant target rounding alone is left, and says nothing
            variance += own if own > (ROUNDING * mean) ** 2 else 0.0
        return largest * or_one((variance / len(Y)) ** 0.5)

    def _inputs(self) -> np.ndarray:
        """Return the root mean square of each input."""
        c = self.c.array
        most = np.maximum(np.maximum.reduce(self.X), -np.minimum.reduce(self.X))
        most[most == 0.0] = 1.0
        inputs = np.zeros_like(most)
        for rows in chunks(range(self.T), self.chunk(0)[0]):
            inputs += c[rows] @ (self.X[rows] / most) ** 2
        size: np.ndarray = most * np.sqrt(inputs)
        return size

    def of_zeros_and_ones(self) -> bool:
        return zeros_and_ones(self.Yt)

    def mean_target(self) -> np.ndarray:
        mean: np.ndarray = self.Yt @ self.c.array
        return mean

    def constant(self, output: np.ndarray) -> float:
        total = 0.0
        for rows in chunks(range(self.T), self.chunk(0)[0]):
            F = np.repeat(output[:, np.newaxis], self.Yt[:, rows].shape[1], axis=1)
            total += self.sum_loss(F, rows)
        return total

    def standard(
        self, m: np.ndarray, s: np.ndarray, my: np.ndarray, sy: float, loss: Loss, l2: Any
    ) -> Self | None:
        own = object.__new__(type(self))  # as copy.copy does, in a fifth of the time
        own.__dict__.update(self.__dict__, known={})
        fine = bool(np.isfinite(l2).all()) if isinstance(l2, np.ndarray) else math.isfinite(l2)
        if m.any() or (s != 1.0).any():
            own.X = np.empty_like(self.X)
            fine = _core.standardise(self.X, m, s, own.X) and fine
        own.Yt = np.empty_like(self.Yt)
        fine = _core.standardise(self.Yt.T, my, np.full(len(my), sy), own.Yt.T) and fine
        own.loss, own.l2 = loss, l2
        return own if fine else None

    def copied_inputs(self) -> int:
        return self.X.nbytes


def zeros_and_ones(Y: np.ndarray) -> bool:
    """Whether all numbers are 0 or 1, and both occur."""
    if Y.min() != 0.0 or Y.max() != 1.0:
        return False
    return bool(((Y == 0.0) | (Y == 1.0)).all())


def or_one(x: float) -> float:
    """Return x, or 1 where it is 0 or not finite and so says nothing."""
    return float(x) if math.isfinite(x) and x > 0.0 else 1.0
