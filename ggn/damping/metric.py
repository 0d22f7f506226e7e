"""The metric of a step's length, ‖D d‖: the identity, or one that does not depend on units."""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn import _core
from ggn.damping.lasting import Lasting
from ggn.linearization import BaseObjective
from ggn.linearization.objective import or_one
from ggn.losses.curvature import Curvature

__all__ = [
    "LargestYet",
    "Metric",
    "ScaleInvariant",
    "free_of_units",
    "natural_scale",
    "typical_scale",
]


class Metric(Lasting):
    """D = I; another metric inherits this class.

    A run that goes on from a fit gives its `state` to the metric of its own; see
    `ggn.damping.Lasting`.

    Attributes
    ----------
    factors : bool, default False
        Whether D is known to be a product over the units and inputs of each layer, so that
        nobody need look.
    """

    factors: bool = False

    def scale(self, diagonal: np.ndarray) -> np.ndarray | None:
        """Return the diagonal of D (N,) from that of the GGN matrix, or None for the identity.

        Called once for each point of the run, in order; where a run goes on from a fit, the
        point where that ended is its first.
        """
        return None


class ScaleInvariant(Metric):
    """D² = D0^(3/2) (c r)^(1/4): the path does not depend on the units of inputs and targets.

    D0² is the diagonal that G would have if every hidden unit's output were of size
    one and every weight beyond it of the size of the targets' deviation: a fixed
    metric, the identity for standardised data.  c(a) r(u), for unit u and input a of
    a layer, is the diagonal that G does have, in a form that lets no saturated unit
    run free: c(a) is the largest yet of its mean over the layer's units (Moré), and
    r(u) the mean over inputs of the diagonal relative to its mean.  The fixed metric
    alone goes astray where weights differ by orders of magnitude, G's alone tightens
    as the outer weights grow.
    """

    factors = True

    def __init__(self, objective: BaseObjective) -> None:
        self._net = objective.net
        self.fixed = typical_scale(objective) ** 0.75  # of each input of each layer
        self._largest = np.zeros(len(self.fixed))

    def state(self) -> dict[str, Any]:
        return {"_largest": self._largest.copy()}  # the fixed part is that of the data

    def scale(self, diagonal: np.ndarray) -> np.ndarray:
        D = np.empty(len(diagonal))
        diagonal = np.ascontiguousarray(diagonal)
        _core.metric(self._net.layout, diagonal, self.fixed, self._largest, D)
        return D


class LargestYet(Metric):
    """D² = d^(1/4) m^(3/4): d of each weight is the largest diagonal of G yet, m its mean.

    For weights of which none share a unit or an input; m is the geometric mean.  d alone (Moré
    1978) ties down for good what J depended on much at a bad start; m alone, a multiple of the
    identity, knows no units.  (Of 60 state-space models of 2 states and 3 units, from near the
    weights that made the data, with a first mu of 10: 60 end below J = 1e-20, with the power 0
    of d 60, with 1/2 55; of 50 with a first mu of 0.1 and the power 0.7, 35.)
    """

    def __init__(self) -> None:
        self._largest: np.ndarray | None = None

    def state(self) -> dict[str, Any]:
        return {} if self._largest is None else {"_largest": self._largest.copy()}

    def scale(self, diagonal: np.ndarray) -> np.ndarray:
        now = np.where(np.isfinite(diagonal), diagonal, 0.0)
        if self._largest is not None:
            now = np.maximum(self._largest, now)
        self._largest = now
        counts = now > 0.0
        mean = np.exp(np.log(now[counts]).mean()) if counts.any() else 1.0
        D: np.ndarray = np.where(counts, now, mean) ** 0.125 * mean**0.375
        return D


def free_of_units(objective: BaseObjective) -> Metric:
    """Return a new metric that does not depend on units: by layers, or of models that have none."""
    return ScaleInvariant(objective) if objective.layered else LargestYet()


def typical_scale(objective: BaseObjective) -> np.ndarray:
    """Return D0 of each input of each layer: sqrt(h) rms(x_a) sd(y), see `ScaleInvariant`.

    h is the loss's curvature where a target (the first) is met.
    """
    net, layout = objective.net, objective.net.layout
    constant = objective.loss.constant_curvature
    curvature = or_one(_curvature(objective) if constant is None else constant) ** 0.5
    inputs, deviation = objective.spread()
    inputs[inputs == 0.0] = 1.0
    found = np.empty(layout.n_inputs)
    found[:] = curvature * deviation
    found[layout.input_slices[-1]] = curvature
    found[: net.n_inputs] *= inputs
    return np.minimum(np.maximum(found, 1e-300), 1e300)


def _curvature(objective: BaseObjective) -> float:
    """Return h where it is no constant."""
    _, first, _ = objective.some(1, counted=True)
    with np.errstate(all="ignore"):
        h = Curvature.of(objective.loss.hessian(first, first)).diagonal()
        return float(h.sum() / h.size)


def natural_scale(objective: BaseObjective) -> np.ndarray:
    """Return D (N,), of order one for standardised data: weights D w are in units of the data.

    D² is `typical_scale`'s for each weight, and the penalty's 2 l2.
    """
    fixed = objective.net.layout.each_weight(typical_scale(objective))
    D: np.ndarray = np.sqrt(np.square(fixed) + 2.0 * objective.l2)
    return D
