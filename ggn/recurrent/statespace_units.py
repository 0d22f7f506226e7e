"""J of a run in the units of a model, and in those of its caller: a factor between them."""

from __future__ import annotations

import numpy as np

from ggn.fit.units import Units
from ggn.losses import Loss, Residual
from ggn.recurrent.statespace_objective import StateSpaceObjective

__all__ = ["ScaledLoss", "in_units"]


class ScaledLoss(Units):
    """The units of a run whose J is that of its caller over a factor."""

    def __init__(self, objective: StateSpaceObjective, factor: float) -> None:
        super().__init__(objective)
        self.factor = factor

    def loss(self, J: float) -> float:
        return self.factor * J

    def gradient(self, g: np.ndarray) -> np.ndarray:
        return self.factor * g


def in_units(loss: Loss, scale: float) -> tuple[Loss, float]:
    """Return the loss of residuals over `scale`, and the factor between the losses."""
    if scale == 1.0 or not isinstance(loss, Residual):
        return loss, 1.0
    if loss.scale is None:
        return loss, scale**2
    return loss.with_scale(loss.scale / scale), scale ** (loss.p or 2.0)
