"""A stage of an approximation, a trial of one, and why there is no further stage."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ggn.activations import Activation
from ggn.fit.spread import Kind
from ggn.network import MLP

__all__ = ["EPS", "Stage", "Stop", "Sum", "Trial", "merit_of"]

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


class Sum(NamedTuple):
    """The network so far, what it leaves at the points watched, and its stages.

    One for all, so that Ctrl-C finds the one before or the next, and nothing between.
    """

    hidden: np.ndarray
    outer: np.ndarray
    activation: Activation
    left: np.ndarray
    stages: tuple[Stage, ...] = ()

    @property
    def network(self) -> tuple[MLP, np.ndarray]:
        """Return the network, and its weights."""
        d, n = len(self.hidden) - 1, self.hidden.shape[1]
        net = MLP((d, max(n, 1), 1), self.activation)
        if n == 0:
            return net, np.zeros(net.n_weights)
        return net, net.pack([self.hidden, self.outer[:, np.newaxis]])

    def forward(self, Z: np.ndarray) -> np.ndarray:
        """Return the network's values, rounded as its user will have them."""
        net, w = self.network
        return np.asarray(net.forward(w, Z)[:, 0])
