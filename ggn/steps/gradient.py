"""Plain backpropagation, Algorithm 1: d = g."""

from __future__ import annotations

import numpy as np

from ggn.damping import Metric
from ggn.linearization import BaseLinearization
from ggn.steps.base import Prepared, Step

__all__ = ["Gradient"]


class Gradient(Step):
    """d = g, with `Undamped(alpha)` the paper's Algorithm 1 at learning rate alpha.

    With `LevenbergMarquardt` damping the step is g / mu, in the metric D = 1.
    """

    name = "gradient"
    indefinite = True

    def prepare(self, at: BaseLinearization, metric: Metric) -> _Prepared:
        """Sweep back once."""
        return _Prepared(at)


class _Prepared(Prepared):
    def __init__(self, at: BaseLinearization) -> None:
        self.gradient = at.gradient

    def solve(self, mu: float) -> np.ndarray:
        return self.gradient / mu if mu > 0.0 else self.gradient
