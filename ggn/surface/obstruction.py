"""What stands between an architecture and an exact fit, and the least loss that it leaves."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ggn.validation import instance, items

__all__ = ["Obstruction", "ObstructionKind", "lower_bound"]


class ObstructionKind(enum.Enum):
    """What is in the way."""

    EQUAL_INPUTS = "equal inputs with different targets"
    RANGE = "targets outside the range of the output activation"
    EDGE = "targets at the edge of the range of the output activation"
    ZERO_INPUT = "a fixed output at x = 0, there being no bias"
    NARROW = "a last hidden layer narrower than the targets' rank"
    LINEAR = "linear layers only"
    FEW_WEIGHTS = "fewer weights than numbers to fit"


@dataclass(frozen=True)
class Obstruction:
    """A reason why no finite weights fit the data exactly.

    Attributes
    ----------
    kind : ObstructionKind
    rigorous : bool
        Whether it is a proof, to rounding; else it holds for almost all targets only.
    lower_bound : float
        J >= this for all weights, to rounding; 0 where no bound is known.
    attained : bool
        Whether some finite weights are known to reach lower_bound.
    samples : ndarray of int
        The samples concerned, from 0; empty where all are.
    text : str
        A sentence.
    by_output : ndarray, (nL,), or None
        What each output contributes to lower_bound, where it bounds each by itself.
    margin : float
        By how much lower_bound is below what was computed, because of its rounding.
    """

    kind: ObstructionKind
    rigorous: bool
    lower_bound: float
    attained: bool
    samples: np.ndarray
    text: str
    by_output: np.ndarray | None = None
    margin: float = 0.0

    def __str__(self) -> str:
        return self.text


def lower_bound(found: Iterable[Obstruction]) -> float:
    """Return the largest rigorous lower bound of J, 0 if there is none.

    Parameters
    ----------
    found : iterable of Obstruction
        As from `obstructions`.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 4, 1), output_activation="sigmoid")
    >>> lower_bound(ggn.surface.obstructions(net, [[0.0], [1.0]], [0.5, 3.0]))
    2.0
    """
    known = items("found", found, "a sequence of Obstruction")
    for one in known:
        instance("found must be of", one, Obstruction)
    return max((one.lower_bound for one in known if one.rigorous), default=0.0)
