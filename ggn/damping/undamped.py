"""Algorithm 2 as printed: w - alpha d, whatever becomes of J."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ggn.damping.base import Damping, Rule, Trial
from ggn.linearization import Objective
from ggn.validation import number

__all__ = ["Undamped"]


@dataclass(frozen=True)
class Undamped(Damping):
    """Full GGN steps w - α d, each of them taken: Algorithm 2 of the paper.

    Parameters
    ----------
    alpha : float, default 1.0
        Step size in (0, 1].

    Notes
    -----
    Steps use the loss's positive semi-definite curvature (for squared loss, H_E itself).
    """

    alpha: float = 1.0
    name = "undamped"
    damped = False

    def __post_init__(self) -> None:
        number("alpha", self.alpha, 0.0, 1.0, open_low=True)

    def rule(self, objective: Objective) -> Rule:
        """Return the rule that takes every finite step."""
        return _Every(self.alpha)


class _Every(Rule):
    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def judge(self, trial: Trial) -> bool:
        return math.isfinite(trial.actual)
