"""Algorithm 2 as printed: w - alpha d, whatever becomes of J."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ggn.damping.base import Damping, Rule, Trial
from ggn.linearization import BaseObjective
from ggn.losses.curvature import CHOICES
from ggn.validation import number, one_of

__all__ = ["Undamped"]


@dataclass(frozen=True)
class Undamped(Damping):
    """Full GGN steps w - α d, each of them taken: Algorithm 2 of the paper.

    Parameters
    ----------
    alpha : float, default 1.0
        Step size α > 0.
    curvature : str, default "auto"
        The loss's curvature in G: "hessian", H_E as printed; "majoriser", a positive
        semi-definite one; "auto", H_E where it is semi-definite everywhere, else the
        majoriser.  With an indefinite H_E, the step solves eq. 38 wherever the matrix
        is regular, and need not lead down.
    """

    alpha: float = 1.0
    curvature: str | None = "auto"
    name = "undamped"
    damped = False

    def __post_init__(self) -> None:
        number("alpha", self.alpha, 0.0, open_low=True)
        if self.curvature is not None:
            one_of("curvature", self.curvature, CHOICES)

    def rule(self, objective: BaseObjective) -> Rule:
        """Return the rule that takes every finite step."""
        return _Every(self.alpha)


class _Every(Rule):
    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def judge(self, trial: Trial) -> bool:
        return math.isfinite(trial.actual)
