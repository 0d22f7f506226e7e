"""Lines w + s t along which J and its gradient keep still, to rounding.

They are looked at one size of the weights ahead and half of that back: sizes are those of D w,
D as in `ggn.damping.natural_scale`, so that units of inputs and targets do not matter.  What the
gradient changes by is judged beside its largest possible size, (P H_E Pᵀ)_jj^½ (Σ c ∇_E² / h)^½.
"""

from __future__ import annotations

import numpy as np

from ggn.damping import natural_scale
from ggn.linearization import Linearization, Objective
from ggn.surface.units import Units

__all__ = ["CriticalLines"]

RISES = 1e-9  # of the largest possible: a gradient along a line of critical points
CHANGES = 1e-10  # of J


class CriticalLines:
    """What a line through w is compared with; call it with t (N,)."""

    def __init__(self, objective: Objective, w: np.ndarray) -> None:
        self.here = Linearization(objective, w)
        self.scale = natural_scale(objective)
        self.error = _error(self.here)
        self.size = self._size(np.maximum(self.here.normal_diagonal(), np.square(self.scale)))
        natural = float(Units(objective, self.scale).natural.max())
        self.reach = max(float(np.abs(self.scale * w).max()), natural)

    def __call__(self, t: np.ndarray) -> bool:
        """Whether J and g keep still on the line w + s t."""
        here = self.here
        length = self.reach / float(np.abs(self.scale * t).max())
        for s in (-0.5 * length, length):
            there = Linearization(here.objective, here.w + s * t)
            change = np.abs(there.gradient - here.gradient)
            grown = np.maximum(self.size, self._size(there.normal_diagonal()))
            if not (change <= RISES * grown).all():
                return False
            if not abs(there.loss - here.loss) <= CHANGES * abs(here.loss) + 8.0 * here.rounding:
                return False
        return True

    def _size(self, diagonal: np.ndarray) -> np.ndarray:
        size: np.ndarray = np.sqrt(diagonal * self.error)
        return size


def _error(at: Linearization) -> float:
    """Return Σ c ∇_E² / h, in whose units P has the normal matrix's diagonal."""
    objective, total, curvature = at.objective, 0.0, 0.0
    for rows, F in objective.outputs(at.w):
        total += float(np.sum(objective.derivatives(F, rows) ** 2))
        curvature += float(objective.curvature(F, rows, psd=True).diagonal().sum())
    return total * objective.T * objective.net.n_outputs / curvature if curvature else 0.0
