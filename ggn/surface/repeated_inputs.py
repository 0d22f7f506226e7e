"""The least J that equal inputs with different targets leave, whatever function of x is fitted.

For each group of samples with equal inputs by itself, with one output f for all of them,

    squared                Σ c_i ‖y_i - mean y‖²
    cross-entropies        Σ c_i · H(mean y), H the entropy: E is linear in y
    convex, of residuals   min_f Σ c_i ρ(f - y_i), by bisection; the tangent at its end is below it
    other, of residuals    min c_i · E at half the distance of the two extreme targets
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy, Squared

__all__ = ["Groups"]

HALVINGS = 60


class Groups:
    """Samples in groups: targets Y (T, nL) and shares c (T,), the g-th from `starts[g]` on."""

    def __init__(self, group: np.ndarray, Y: np.ndarray, c: np.ndarray) -> None:
        order = np.argsort(group, kind="stable")
        self.starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        self.Y, self.c = Y[order], c[order, np.newaxis]
        self.size = np.diff(self.starts, append=len(order))
        self.low = np.minimum.reduceat(self.Y, self.starts)
        self.high = np.maximum.reduceat(self.Y, self.starts)

    def bound(self, loss: Loss) -> np.ndarray | float:
        """Return a lower bound of J, of each output where they are bounded by themselves."""
        if isinstance(loss, Squared):
            return np.asarray(np.sum(self.c * np.square(self.Y - self._spread(self.mean)), axis=0))
        if isinstance(loss, Logistic | SoftmaxCrossEntropy):
            p, share = self.mean, self._sums(self.c)
            if isinstance(loss, SoftmaxCrossEntropy):
                return float(np.sum(share * entr(p)))
            return np.asarray(np.sum(share * (entr(p) + entr(1.0 - p)), axis=0))
        if not loss.separable:
            return np.zeros(self.Y.shape[1])
        if loss.convex:
            return self._bisected(loss)
        least = np.minimum.reduceat(self.c, self.starts)[:, 0]
        return least @ self._each(loss, 0.5 * self.high, 0.5 * self.low)

    def _sums(self, A: np.ndarray) -> np.ndarray:
        return np.add.reduceat(A, self.starts)

    def _spread(self, A: np.ndarray) -> np.ndarray:
        return np.repeat(A, self.size, axis=0)

    @property
    def mean(self) -> np.ndarray:
        """The mean targets of each group, (groups, nL)."""
        found: np.ndarray = self._sums(self.c * self.Y) / self._sums(self.c)
        return found

    @staticmethod
    def _each(loss: Loss, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return E of each output by itself, (T, nL)."""
        outputs = range(Y.shape[1])
        return np.column_stack([loss.value(F[:, [o]], Y[:, [o]]) for o in outputs])

    def _bisected(self, loss: Loss) -> np.ndarray:
        low, high = self.low, self.high
        for _ in range(HALVINGS):
            middle = low + 0.5 * (high - low)
            rises = self._sums(self.c * loss.gradient(self._spread(middle), self.Y)) > 0.0
            low, high = np.where(rises, low, middle), np.where(rises, middle, high)
        F = self._spread(low)
        slope = self._sums(self.c * loss.gradient(F, self.Y))
        value = self._sums(self.c * self._each(loss, F, self.Y))
        bound: np.ndarray = np.sum(value - np.abs(slope) * (high - low), axis=0)
        return bound
