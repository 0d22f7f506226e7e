"""The units in which a state-space model sees inputs and outputs.

    u' = (u - u_mean) / u_scale,    y' = (y - y_mean) / y_scale

y_scale is one number for all outputs, so that J only changes by a factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Scaling"]


@dataclass(frozen=True)
class Scaling:
    """The units of a model.

    Attributes
    ----------
    u_mean, u_scale : ndarray, (nu,)
    y_mean : ndarray, (ny,)
    y_scale : float
    """

    u_mean: np.ndarray
    u_scale: np.ndarray
    y_mean: np.ndarray
    y_scale: float

    @classmethod
    def of(
        cls, Us: Sequence[np.ndarray], Ys: Sequence[np.ndarray], outputs: bool = True
    ) -> Scaling:
        """Return mean and deviation of inputs, and unless told otherwise of outputs."""
        U, Y = np.concatenate(Us), np.concatenate(Ys)
        ny = Y.shape[1]
        if not outputs:
            return cls(U.mean(axis=0), U.std(axis=0), np.zeros(ny), 1.0)
        deviation = float(np.sqrt(np.nanmean(np.nanvar(Y, axis=0))))
        if not deviation > 0.0:
            deviation = float(np.nanmax(np.abs(Y))) or 1.0
        return cls(U.mean(axis=0), U.std(axis=0), np.nanmean(Y, axis=0), deviation)

    def inputs(self, U: np.ndarray) -> np.ndarray:
        """Return u'; far outside the data it may overflow, visibly, to inf."""
        with np.errstate(all="ignore"):
            found: np.ndarray = (U - self.u_mean) / self.u_scale
        return found

    def targets(self, Y: np.ndarray) -> np.ndarray:
        """Return y', as `inputs` does."""
        with np.errstate(all="ignore"):
            found: np.ndarray = (Y - self.y_mean) / self.y_scale
        return found

    def outputs(self, Y: np.ndarray) -> np.ndarray:
        """Return y of y'."""
        with np.errstate(all="ignore"):
            found: np.ndarray = self.y_mean + self.y_scale * Y
        return found
