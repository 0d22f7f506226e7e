"""What a step is: prepared once per accepted point, solved once per trial."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ggn.damping import DampingState
from ggn.linearization import Linearization

__all__ = ["Prepared", "Step"]


class Prepared(Protocol):
    """One linearization, ready for any damping; `residual` and `accelerate` may be left out."""

    gradient: np.ndarray
    diagonal: np.ndarray | float  # of the GGN matrix, the squared length of each weight's effect
    scale: np.ndarray | None  # D (N,), or None for the identity
    residual: float  # ‖(G + mu D²) d - g‖ / ‖g‖ of the last solve; 0 for direct solvers

    def solve(self, mu: float) -> np.ndarray | None:
        """Return the step d (to be subtracted from w), or None if it cannot be had."""

    def accelerate(self, d: np.ndarray) -> np.ndarray | None:
        """Return a = (G + mu D²)⁻¹ P H_E φ''[d, d] with the last solve's factor, or None."""


class Step(Protocol):
    """A way to compute steps; `ggn.train` accepts any object with this method."""

    def prepare(self, at: Linearization, damping: DampingState) -> Prepared:
        """Assemble and scale what `solve` needs."""
