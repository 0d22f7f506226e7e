"""Which kind of objective the data of a call make."""

from __future__ import annotations

from typing import Any

from ggn.linearization.base import BaseObjective
from ggn.linearization.objective import Objective
from ggn.linearization.source import Source
from ggn.linearization.summed import SummedObjective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import ArgumentError, describe

__all__ = ["objective_of", "summed_objective"]


def objective_of(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    sample_weight: Any = None,
    l2: Any = 0.0,
) -> BaseObjective:
    """Return the objective of arrays, or of a source in the place of X."""
    if isinstance(X, Source):
        return summed_objective(net, X, Y, loss, sample_weight, l2)
    return Objective(net, X, Y, loss, sample_weight, l2)


def summed_objective(
    net: MLP, X: Source, Y: Any, loss: str | Loss, sample_weight: Any, l2: Any
) -> SummedObjective:
    """Return the objective of a source.

    Raises
    ------
    ValueError
        For targets or weights beside it, as it has its own.
    """
    for name, value in (("Y", Y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                name, f"must be left out where X is {describe(X)}, whose chunks have it"
            )
    return SummedObjective(net, X, loss, l2)
