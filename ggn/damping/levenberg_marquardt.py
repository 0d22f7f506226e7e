"""Levenberg-Marquardt: mu from the gain ratio, in a metric that does not depend on units."""

from __future__ import annotations

from dataclasses import dataclass

from ggn.damping.base import Damping, Rule, Trial
from ggn.damping.metric import Metric, free_of_units
from ggn.linearization import BaseObjective
from ggn.validation import flag, number

__all__ = ["LevenbergMarquardt", "Nielsen"]

ENOUGH = 1e-4  # gain ratio of a trial that is taken


@dataclass(frozen=True)
class LevenbergMarquardt(Damping):
    """Steps of (G + mu D²) d = g, with mu from the gain ratio (Nielsen's update).

    The gain ratio is actual over predicted reduction of J.  Where it is positive
    the step is taken and mu falls by a factor of at least `decrease`; else mu
    rises 2-, 4-, 8-fold and the same linearization is factored again.

    The metric is `ScaleInvariant`: the path does not depend on the units of inputs and
    targets.

    Parameters
    ----------
    initial : float, default 0.1
        First mu, relative to D²; must be positive.
    decrease : float, default 1/3
        Smallest factor applied to mu after a step taken, in (0, 1).
    acceleration : float, default 0.75
        Geodesic acceleration: the step d is followed by a/2, a being the same
        system's solution for the second derivative of the outputs along d,
        where 2 ‖D a‖ <= acceleration · ‖D d‖.  0 turns it off.  It costs a few
        sweeps and no factorisation.
    refits : bool, default True
        After each step, solve for the output layer again under the same damping, where it
        has no activation, the loss no terms that mix outputs, and there are no fewer residuals
        than weights.  It costs a sweep, and saves a quarter of the trials.

    References
    ----------
    Nielsen (1999), Damping parameter in Marquardt's method, IMM-REP-1999-05;
    Moré (1978), The Levenberg-Marquardt algorithm;
    Ruhe & Wedin (1980), Algorithms for separable nonlinear least squares problems;
    Transtrum & Sethna (2012), Improvements to the Levenberg-Marquardt algorithm.
    """

    initial: float = 0.1
    decrease: float = 1.0 / 3.0
    acceleration: float = 0.75
    refits: bool = True
    name = "levenberg_marquardt"

    def __post_init__(self) -> None:
        number("initial", self.initial, 0.0, open_low=True)
        number("acceleration", self.acceleration, 0.0)
        flag("refits", self.refits)
        number("decrease", self.decrease, 0.0, 1.0, open_low=True, open_high=True)

    def metric(self, objective: BaseObjective) -> Metric:
        """Return the metric that does not depend on units."""
        return free_of_units(objective)

    def rule(self, objective: BaseObjective) -> Rule:
        """Return Nielsen's rule."""
        return Nielsen(self, objective)


class Nielsen(Rule):
    """mu falls by max(decrease, 1 - (2 gain - 1)³), or rises 2-, 4-, 8-fold."""

    def __init__(self, damping: LevenbergMarquardt, objective: BaseObjective) -> None:
        self.mu = damping.initial
        self.acceleration = damping.acceleration if objective.net.twice_differentiable else 0.0
        self.refits = damping.refits
        self.decrease = damping.decrease
        self.increase = 2.0

    def judge(self, trial: Trial) -> bool:
        # a ratio of nan (overflow) compares false and rejects
        return trial.actual > ENOUGH * trial.predicted

    def accept(self, trial: Trial) -> None:
        # beyond 1 the factor is `decrease` all the same; where nothing was predicted, as at J
        # near underflow, there is no ratio
        gain = max(min(trial.gain, 1.0), 0.0) if trial.predicted > 0.0 else 1.0
        self.mu *= max(self.decrease, 1.0 - (2.0 * gain - 1.0) ** 3)
        self.increase = 2.0

    def reject(self, trial: Trial | None) -> None:
        self.mu, self.increase = self._refused(self.mu, self.increase)

    def ahead(self, trials: int) -> tuple[float, ...]:
        mus, mu, increase = [], self.mu, self.increase
        for _ in range(trials):
            mu, increase = self._refused(mu, increase)
            mus.append(mu)
        return tuple(mus)

    @staticmethod
    def _refused(mu: float, increase: float) -> tuple[float, float]:
        return mu * increase, 2.0 * increase

    def find(self, mu: float) -> None:
        self.mu, self.increase = mu, 2.0
