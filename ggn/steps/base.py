"""What a step is: started once per run, prepared once per point, solved once per trial.

`ggn.fit.train` says in which order the methods are called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ggn.damping import Lasting, Metric
from ggn.linearization import BaseLinearization, BaseObjective, Linearization
from ggn.validation import instance

__all__ = ["Prepared", "Step", "in_memory"]


class Prepared(ABC):
    """One linearization, ready for any mu; to be inherited.

    Attributes
    ----------
    gradient : ndarray, (N,)
        g = ∇J; it has no default.
    diagonal : ndarray, (N,), or float, default 1.0
        Of the GGN matrix, the squared length of each weight's effect: what the
        gradient is measured by where it is to be zero.
    scale : ndarray, (N,), optional
        D, what the metric returned for the diagonal; None for the identity.
    residual : float, default 0.0
        ‖(G + mu D²) d - g‖ / ‖g‖ of the last solve; 0 for direct solvers.
    """

    gradient: np.ndarray
    diagonal: np.ndarray | float = 1.0
    scale: np.ndarray | None = None
    residual: float = 0.0

    @abstractmethod
    def solve(self, mu: float) -> np.ndarray | None:
        """Return the step d (to be subtracted from w), or None if it cannot be had."""

    def accurate(self, d: np.ndarray | None, mu: float) -> bool:
        """Return whether d, the last solve's at mu, is as good as more damping would make it.

        By default True, also where there is none.
        """
        return True

    def accelerate(self, d: np.ndarray) -> np.ndarray | None:
        """Return a = (G + mu D²)⁻¹ P H_E φ''[d, d] with the last solve's factor, or None.

        By default None: the step is not accelerated.
        """
        return None


class Step(Lasting, ABC):
    """A way to compute steps; to be inherited by one of your own.

    Where `start` returns another object for each run, that has a `state` which a run that goes
    on from a fit resumes; see `ggn.damping.Lasting`.
    """

    name: ClassVar[str]
    # whether it can be computed where G is indefinite, that is where P H_E Pᵀ has no root P S
    indefinite: ClassVar[bool] = False
    # whether it is made of that root, which only samples in memory have
    rooted: ClassVar[bool] = False

    def start(self, objective: BaseObjective) -> Step:
        """Return what prepares the steps of one run; by default itself, which has no state."""
        return self

    @abstractmethod
    def prepare(self, at: BaseLinearization, metric: Metric) -> Prepared:
        """Assemble what `solve` needs, in the metric `metric.scale(diagonal of G)`."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def in_memory(at: BaseLinearization, step: Step) -> Linearization:
    """Return `at`, whose P S can be had, for a step that is made of it."""
    return instance(f"{step!r} must be prepared at", at, Linearization)
