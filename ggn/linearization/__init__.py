"""Everything known at one w: loss, gradient, Jacobian, curvature, spectrum."""

from ggn.linearization.at_weights import linearize
from ggn.linearization.base import BaseLinearization, BaseObjective
from ggn.linearization.linearization import Linearization
from ggn.linearization.objective import Objective

__all__ = ["BaseLinearization", "BaseObjective", "Linearization", "Objective", "linearize"]
