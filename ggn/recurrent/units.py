"""What the numbers of a run through time mean to its caller, and under which penalty it is.

    J = k J',   J' = mean loss + Σ l2_j w'_j²     w' weights in units where data are of size one

The penalty is one of w', so it asks the same of every weight whatever units the data came in, and
nothing of their means.
"""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from ggn.fit.units import Standard, Units, rescaled
from ggn.linearization import Objective
from ggn.losses import Loss, Residual
from ggn.recurrent.statespace_objective import StateSpaceObjective

__all__ = ["LoopUnits", "ScaledLoss", "SeriesUnits", "in_units"]


class SeriesUnits(Protocol):
    """Units of a run whose penalty, and loss, can be exchanged; see `Units` for the rest."""

    given: Any
    objective: Any

    def under(self, l2: float | np.ndarray, loss: Loss | None = None) -> Self:
        """Return the same units under a penalty of w', and another loss in the units of the run."""

    @property
    def size(self) -> float:
        """How large a residual of the caller's is that is 1 in the run."""

    def at(self, w: np.ndarray) -> Any:
        """Return what the caller's J is at the caller's w."""


class At(NamedTuple):
    """The caller's J at the caller's weights."""

    w: np.ndarray
    loss: float
    gradient: np.ndarray


class LoopUnits(Standard):
    """Standard units of a model of lags.

    Parameters
    ----------
    objective : Objective
        In the caller's units, without a penalty.
    x : (ndarray (n,), ndarray (n,))
        Centre and size of each lag; of what is fed back those of its target.
    y : (ndarray (n_y,), float)
        Centre of each output, and one size for all.
    """

    given: Any
    objective: Any

    def __init__(
        self, objective: Objective, x: tuple[np.ndarray, np.ndarray], y: tuple[np.ndarray, float]
    ) -> None:
        super().__init__(objective, x, y, *rescaled(objective.loss, y[1]))

    def under(self, l2: float | np.ndarray, loss: Loss | None = None) -> Self:
        """Return the same units under a penalty of w', and another loss in the units of the run."""
        other = copy.copy(self)
        other.objective = self.objective.under(l2, loss)
        if loss is not None:
            of_caller, factor = rescaled(loss, 1.0 / self._sy)
            other.given = self.given.under(0.0, of_caller)
            other._k = 1.0 / factor
        return other

    @property
    def size(self) -> float:
        """How large a residual of the caller's is that is 1 in the run."""
        return self._sy

    def at(self, w: np.ndarray) -> At:
        if not self.objective.penalised:
            known = self.given.at(w)
        else:  # the penalty is one of w'
            known = self.objective.at(self.own(w))
            return At(w, self.loss(known.loss), self.gradient(known.gradient))
        return At(w, known.loss, known.gradient)

    @property
    def far(self) -> None:
        """Nothing: these units are the data's, and lags share one with their target."""

    def moves(self) -> np.ndarray:
        """Return the caller's step by each weight of the run, over the root of J / J', (N, N)."""
        steps = [self.step(one) for one in np.eye(self.objective.net.layout.n_weights)]
        return np.array(steps).T / math.sqrt(self.loss(1.0))


class ScaledLoss(Units):
    """The units of a state-space model: its weights are the caller's, J is his over a factor.

    Parameters
    ----------
    objective : StateSpaceObjective
    size : float
        How large a residual of the caller's is that is 1 in the run.
    """

    def __init__(self, objective: StateSpaceObjective, size: float) -> None:
        super().__init__(objective)
        self.size = size

    def under(self, l2: float | np.ndarray, loss: Loss | None = None) -> Self:
        """Return the same units under a penalty of w', and another loss in the units of the run."""
        other = copy.copy(self)
        other.objective = other.given = self.objective.under(l2, loss)  # type: ignore[attr-defined]
        return other

    @property
    def factor(self) -> float:
        """J of the caller over that of the run."""
        loss = self.objective.loss
        if not isinstance(loss, Residual):
            return 1.0
        return self.size**2 if loss.scale is None else self.size ** (loss.p or 2.0)

    def loss(self, J: float) -> float:
        return self.factor * J

    def gradient(self, g: np.ndarray) -> np.ndarray:
        return self.factor * g


def in_units(loss: Loss, scale: float) -> Loss:
    """Return the loss of residuals over `scale`."""
    if scale == 1.0 or not isinstance(loss, Residual) or loss.scale is None:
        return loss
    return loss.with_scale(loss.scale / scale)
