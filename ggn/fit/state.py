"""What a fit leaves for a training that goes on from its end, ``ggn.train(..., w0=fit)``.

    weights          in the units of the run, where the next is in the same
    damping, rule    mu, and what else the rule knows, where the damping is the same
    metric           where units and loss are the same too
    step             where it is the same and has a state

With the same data and options the next run is that which a larger max_iter would have been,
bit by bit.  It is plain data (numbers, texts, arrays, random generators), without the samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.fit.units import Units

__all__ = ["State"]

Kind = tuple[str, dict[str, Any]]


@dataclass(frozen=True, repr=False)
class State:
    """The state of rule, metric and step at the end of a run; see above.

    Attributes
    ----------
    w, own : ndarray, (N,)
        The weights that it belongs to, in the caller's units and in those of the run.
    units : ndarray
        The change between them.
    near : float
        How far from zero means stayed, in deviations; see `ggn.fit.units`.
    before : ndarray (N,) or None
        The step that led there, in the units of the run.
    """

    w: np.ndarray
    own: np.ndarray
    units: np.ndarray
    near: float
    before: np.ndarray | None
    loss: Kind
    damping: Kind
    step: Kind
    rule_state: dict[str, Any]
    metric_state: dict[str, Any]
    step_state: dict[str, Any]

    def weights(self, w: np.ndarray, units: Units) -> np.ndarray | None:
        """Return the run's own weights for w, where they are those of the end."""
        ours = self.in_units(units) and np.array_equal(w, self.w)
        return self.own.copy() if ours else None

    def in_units(self, units: Units) -> bool:
        """Whether a run has the units that this one had."""
        return np.array_equal(self.units, units.numbers())

    def __repr__(self) -> str:
        mu = self.rule_state.get("mu")
        return "State()" if mu is None else f"State(mu={mu:.3g})"
