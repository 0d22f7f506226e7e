"""The arguments of `ggn.statespace`, checked and chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ggn import damping as dampings
from ggn import steps
from ggn.damping import Damping, LevenbergMarquardt
from ggn.recurrent.series import Series
from ggn.recurrent.statespace_fit import StateSpaceFit
from ggn.recurrent.statespace_model import StateSpace
from ggn.steps import Primal, Step
from ggn.validation import ArgumentError, Setting

__all__ = [
    "check_lengths",
    "check_outputs",
    "check_step",
    "chosen_damping",
    "chosen_step",
    "given_weights",
]

FIRST_MU = 10.0  # see `LargestYet`
STEPS = ("primal", "conjugate_gradient", "minimum_norm", "gradient")


def check_outputs(series: Series) -> None:
    """Raise ValueError where a series, or a column, has no output."""
    for j, y in enumerate(series.Y):
        if not np.isfinite(y).any():
            where = f" in series {j}" if series.several else ""
            raise ArgumentError("Y", f"must have some output{where}, got nan only")
    for o, column in enumerate(np.concatenate(series.Y).T):
        if np.isnan(column).all():
            raise ArgumentError("Y", f"must have some output in column {o}, got nan only")


def check_lengths(n_states: int, Ys: list[np.ndarray]) -> None:
    """Raise ValueError where there are fewer outputs than states to begin with."""
    for e, Y in enumerate(Ys):
        seen = int(np.isfinite(Y).sum())
        if seen <= n_states:
            where = f" in series {e}" if len(Ys) > 1 else ""
            raise ArgumentError(
                "n_states", f"must be less than the outputs given{where}, {seen}, got {n_states}"
            )


def chosen_damping(damping: str | Damping) -> Damping:
    """Return the damping; of one that is named, the first mu suits `LargestYet`."""
    rules = dampings.resolve(damping)
    if isinstance(damping, str) and isinstance(rules, LevenbergMarquardt):
        return replace(rules, initial=FIRST_MU)
    return rules


def chosen_step(step: str | Step) -> Step:
    """Return the step, one that needs no layers."""
    found = steps.resolve(step) or Primal()
    check_step(found, STEPS)
    return found


def check_step(step: Step, able: Sequence[str]) -> None:
    """Raise ValueError for a step that is none of these."""
    if step.name in steps.NAMES and step.name not in able:
        raise ArgumentError(
            "step",
            "must be one that a free run can take, as ", Setting("step", tuple(able)),
            f" are, got {step!r}",
        )  # fmt: skip


def given_weights(model: StateSpace, w0: Any) -> np.ndarray | None:
    """Return the weights that w0 says, if any."""
    if w0 is None:
        return None
    if isinstance(w0, StateSpaceFit):
        if w0.model != model:
            raise ArgumentError("w0", f"must be a fit of {model!r}, got one of {w0.model!r}")
        return w0.w.copy()
    return model._weights(w0, "w0").copy()
