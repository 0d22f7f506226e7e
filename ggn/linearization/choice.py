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

__all__ = ["objective_of"]


def objective_of(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    sample_weight: Any = None,
    l2: Any = 0.0,
) -> BaseObjective:
    """Return the objective of arrays, or of a source in the place of X.

    Raises
    ------
    ValueError
        For targets or weights beside a source, which has its own.
    """
    if not isinstance(X, Source):
        return Objective(net, X, Y, loss, sample_weight, l2)
    for name, value in (("Y", Y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ArgumentError(
                name, f"must be left out where X is {describe(X)}, whose chunks have it"
            )
    return SummedObjective(net, X, loss, l2)
