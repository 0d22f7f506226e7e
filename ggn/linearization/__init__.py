"""Everything known at one w: loss, gradient, Jacobian, curvature, spectrum."""

from ggn.linearization.linearization import Linearization, linearize
from ggn.linearization.objective import Objective

__all__ = ["Linearization", "Objective", "linearize"]
