"""A stage of an approximation, a trial of one, and why there is no further stage."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np

from ggn.fit.spread import Kind

__all__ = ["EPS", "Stage", "Stop", "Trial", "merit_of"]

EPS = float(np.finfo(np.float64).eps)
SAFETY = 30.0  # what eps Σ |c| is multiplied by


class Stop(enum.Enum):
    """Why no stage was added."""

    REACHED = "reached"
    STALLED = "stalled"
    UNITS = "max_units"
    SECONDS = "max_seconds"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Stage:
    """A stage of an approximation.

    Attributes
    ----------
    how : {"spread", "trained", "together"}
        Spread units with outer weights by least squares; trained by the Gauss-Newton
        method; or all weights so far trained together.
    units : int
        Hidden units that it added.
    slope : float
        s, radians per half side of the box (nan where trained).
    size : float
        Largest value that was left to fit, relative to half the target's range.
    error : float
        Largest error after it, likewise.
    seconds : float
        From the beginning.
    """

    how: str
    units: int
    slope: float
    size: float
    error: float
    seconds: float


@dataclass(frozen=True)
class Trial:
    """Units tried for what is left, and the largest error that they leave."""

    kind: Kind
    slope: float
    hidden: np.ndarray  # (d + 1, n)
    outer: np.ndarray  # (n + 1,)
    error: float
    size: float

    @property
    def units(self) -> int:
        return self.hidden.shape[1]


def merit_of(trial: Trial) -> float:
    """Return what trials are compared by: the error, or the rounding of the stage's own sum.

    The error can be mended by a further stage, rounding cannot, so that it counts more.
    """
    if not math.isfinite(trial.error):
        return math.inf
    return max(trial.error, SAFETY * EPS * float(np.abs(trial.outer).sum()))
