"""Plain backpropagation, Algorithm 1: d = g."""

from __future__ import annotations

import numpy as np

from ggn.damping import DampingState
from ggn.linearization import Linearization

__all__ = ["Gradient"]


class Gradient:
    """d = g, with `Undamped(alpha)` the paper's Algorithm 1 at learning rate alpha.

    With `LevenbergMarquardt` damping the step is g / mu, in the metric D = 1.
    """

    def prepare(self, at: Linearization, damping: DampingState) -> _Prepared:
        """Sweep back once."""
        return _Prepared(at)

    def __repr__(self) -> str:
        return "Gradient()"


class _Prepared:
    residual = 0.0
    scale: np.ndarray | None = None
    diagonal: np.ndarray | float = 1.0

    def __init__(self, at: Linearization) -> None:
        self.gradient = at.gradient

    def solve(self, mu: float) -> np.ndarray:
        return self.gradient / mu if mu > 0.0 else self.gradient

    def accelerate(self, d: np.ndarray) -> None:
        return None
