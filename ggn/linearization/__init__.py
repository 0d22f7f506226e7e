"""Everything known at one w: loss, gradient, Jacobian, curvature, spectrum."""

from ggn.linearization.at_weights import linearize
from ggn.linearization.base import BaseLinearization, BaseObjective
from ggn.linearization.linearization import Linearization
from ggn.linearization.lost import SourceError
from ggn.linearization.objective import Objective
from ggn.linearization.source import Part, Source
from ggn.linearization.summed import SummedObjective

__all__ = [
    "BaseLinearization",
    "BaseObjective",
    "Linearization",
    "Objective",
    "Part",
    "Source",
    "SourceError",
    "SummedObjective",
    "linearize",
]
