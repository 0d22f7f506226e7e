"""How objectives of one size are minimised: the arguments of `ggn.train`, checked and chosen."""

from __future__ import annotations

from dataclasses import dataclass

from ggn.damping import Damping
from ggn.fit.limits import Limits
from ggn.fit.planner import choose
from ggn.linearization import BaseObjective
from ggn.losses import Loss, resolve
from ggn.steps import Step
from ggn.validation import flag

__all__ = ["Method", "choose_method", "steered"]


@dataclass(frozen=True)
class Method:
    """How one or many objectives of one size are minimised."""

    step: Step
    damping: Damping
    limits: Limits
    escape_saddles: bool


def steered(loss: str | Loss, damping: Damping, curvature: str | None) -> Loss:
    """Return the loss with the curvature that steps are to have."""
    curvature = damping.curvature if curvature is None else curvature
    given = resolve(loss)
    return given if curvature is None else given.with_curvature(curvature)


def choose_method(
    objective: BaseObjective,
    step: str | Step,
    damping: Damping,
    limits: Limits,
    max_memory: float | None,
    escape_saddles: bool,
) -> Method:
    """Return how to minimise an objective."""
    net = objective.net
    if flag("escape_saddles", escape_saddles) and not net.twice_differentiable:
        raise ValueError(
            "escape_saddles must be False where an activation has no second derivative, "
            f"got True for {net!r}"
        )
    chosen = choose(objective, step, damping, max_memory)
    return Method(chosen, damping, limits, escape_saddles)
