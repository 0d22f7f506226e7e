"""The units in which a state-space model sees inputs and outputs.

    u' = (u - u_mean) / u_scale,    y' = (y - y_mean) / y_scale

y_scale is one number for all outputs, so that J only changes by a factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Scaling", "moments"]


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
        cls,
        Us: Sequence[np.ndarray],
        Ys: Sequence[np.ndarray],
        outputs: bool = True,
        s: np.ndarray | None = None,
    ) -> Scaling:
        """Return mean and deviation of inputs, and unless told otherwise of outputs.

        Samples count as often as s (T,) says.
        """
        U, Y = np.concatenate(Us), np.concatenate(Ys)
        ny, (u_mean, u_scale) = Y.shape[1], moments(U, s)
        if not outputs:
            return cls(u_mean, u_scale, np.zeros(ny), 1.0)
        centre, deviations = moments(Y, s)
        deviation = float(np.sqrt(np.nanmean(np.square(deviations))))
        if not deviation > 0.0:
            deviation = float(np.nanmax(np.abs(Y))) or 1.0
        return cls(u_mean, u_scale, centre, deviation)

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


def moments(A: np.ndarray, s: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of the columns of A (T, n), of numbers that are not missing.

    A weight of 2 is the sample given twice; of a column in which samples that count are one
    number, all of them count.

    Examples
    --------
    >>> moments(np.array([[1.0], [3.0], [np.nan], [1e6]]), np.array([1.0, 1.0, 1.0, 0.0]))
    (array([2.]), array([1.]))
    """
    mean, deviation = np.nanmean(A, axis=0), np.nanstd(A, axis=0)
    if s is None:
        return mean, deviation
    seen = np.isfinite(A) * (s / (s.max() or 1.0))[:, np.newaxis]
    with np.errstate(all="ignore"):
        middle = np.where(seen > 0.0, A * seen, 0.0).sum(axis=0) / seen.sum(axis=0)
        squares = np.where(seen > 0.0, np.square(A - middle) * seen, 0.0).sum(axis=0)
        width = np.sqrt(squares / seen.sum(axis=0))
    varies = width > 1e-12 * np.abs(middle)  # else rounding
    return np.where(varies, middle, mean), np.where(varies, width, deviation)
