"""What a damping is: a metric D, and a rule for mu.

    (G + mu D²) d = g,    w - d is a trial; its model says that J falls by gᵀd - ½ dᵀGd

A damping is a frozen description; `metric` and `rule` make the two objects that live
through one run.  `ggn.fit.train` says in which order they are asked.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np

from ggn.damping.lasting import Lasting
from ggn.damping.metric import Metric
from ggn.linearization import BaseObjective

__all__ = ["Damping", "Rule", "Trial"]


class Trial(NamedTuple):
    """A step tried from w_k.

    Attributes
    ----------
    w : ndarray, (N,)
        w_k - d.
    d : ndarray, (N,)
        The step, with the rule's alpha and acceleration in it.
    J : float
        J(w).
    mu : float
        The damping that d was solved with.
    actual, predicted : float
        J(w_k) - J(w), and what the quadratic model says of it.
    before : ndarray, (N,), or None
        The step that led to w_k; None at a start.
    best : float
        The least J of the run before this trial.
    """

    w: np.ndarray
    d: np.ndarray
    J: float
    mu: float
    actual: float
    predicted: float
    before: np.ndarray | None = None
    best: float = math.inf

    @property
    def gain(self) -> float:
        """Actual over predicted reduction, nan where nothing is predicted."""
        return self.actual / self.predicted if self.predicted else math.nan


class Rule(Lasting):
    """mu in one run, and which trials are taken.  To be inherited; all has a default.

    A run that goes on from a fit, ``ggn.train(..., w0=fit)``, makes a rule of its own, and
    `resume` gives it the `state` that the fit's had; see `ggn.damping.Lasting`.

    Attributes
    ----------
    mu : float, default 0.0
        The damping of the next trial.
    alpha : float, default 1.0
        Step size: trials are w - alpha d.
    acceleration : float, default 0.0
        Largest 2 ‖D a‖ / ‖D d‖ with which the second-order term a/2 is added; 0: never.
    refits : bool, default False
        Whether a trial's output layer, if that is linear, is solved for again under the same
        damping, in place of acceleration.
    """

    mu: float = 0.0
    alpha: float = 1.0
    acceleration: float = 0.0
    refits: bool = False

    @property
    def settings(self) -> tuple[float, ...]:
        """What the next trial depends on; a run ends where a refusal leaves it as it is."""
        return self.mu, self.alpha, self.acceleration, self.refits

    def judge(self, trial: Trial) -> bool:
        """Return whether to take the trial; by default, where J falls."""
        return trial.actual > 0.0

    def accept(self, trial: Trial) -> None:
        """Set mu after a trial taken; by default it stays."""

    def reject(self, trial: Trial | None) -> None:
        """Raise mu after a trial refused, or None: no step could be computed.  Default: tenfold."""
        self.mu *= 10.0

    def ahead(self, trials: int) -> tuple[float, ...]:
        """Return mu after each of so many trials refused, where it depends on nothing else.

        By default (): it is not known.  Of samples on a cluster these trials may be tried
        together with the first.
        """
        return ()

    def find(self, mu: float) -> None:
        """Go on with another mu, found by trying decades of it; by default it is set."""
        self.mu = mu


class Damping(ABC):
    """How far to trust a step; to be inherited by one of your own, which makes a `Rule`.

    Attributes
    ----------
    damped : bool, default True
        Whether mu is ever positive; the planner asks.
    curvature : str, optional
        The curvature of the loss in G, see `ggn.train`, where that is not told; by default
        what the loss has.
    """

    name: ClassVar[str]
    damped: ClassVar[bool] = True
    curvature: str | None = None

    def metric(self, objective: BaseObjective) -> Metric:
        """Return the metric of a new run; by default D = I."""
        return Metric()

    @abstractmethod
    def rule(self, objective: BaseObjective) -> Rule:
        """Return the rule of a new run."""
