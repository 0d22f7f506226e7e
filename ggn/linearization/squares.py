"""The squared loss, whose passes over chunks are one compiled call (`_core/squares_door.pyx`).

Other losses, weighted samples and activations of the user's own are passed over in steps, with
Python between them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ggn import _core
from ggn.losses import Squared

# layout, w, X and Yt, the first sample's place in Yt, c_i, work and buffer, samples of a chunk
Passed = tuple[
    _core.Layout, np.ndarray, np.ndarray, np.ndarray, int, float, np.ndarray, np.ndarray, int
]

SquaresPass = Callable[[Passed, np.ndarray], None]

__all__ = ["Passed", "Squares", "SquaresPass", "nothing", "squares_of"]


# Flops of a call: 2 ms, in which neither Ctrl-C nor the end of other threads is heard.
CALL_FLOPS = 1e8


class Squares(NamedTuple):
    """What the passes take of an objective."""

    layout: _core.Layout
    X: np.ndarray
    Yt: np.ndarray
    share: float

    def of(
        self, w: np.ndarray, rows: slice, work: np.ndarray, buffer: np.ndarray, c: int
    ) -> Passed:
        """Return the arguments of a pass over these samples, in chunks of c."""
        return self.layout, w, self.X[rows], self.Yt, rows.start, self.share, work, buffer, c

    def at_once(self, flops: float, c: int) -> int:
        """Return how many chunks of c samples, of so many flops each sample, one call takes."""
        return max(int(CALL_FLOPS / (flops * c)), 1)

    def size(self, c: int) -> int:
        """Return the doubles of `buffer` that a pass takes for itself, in chunks of c samples."""
        return _core.squares_size(self.layout, c)


def squares_of(objective: Any) -> Squares | None:
    """Return what the passes take of a `MeanLoss`, None where its loss is not theirs."""
    net, share = objective.net, objective.c.common
    if type(objective.loss) is not Squared or objective.constant_curvature() is None:
        return None
    if share is None or any(a.code < 0 for a in net.activations):
        return None
    return Squares(net.layout, objective.X, objective.Yt, share)


def nothing(c: int) -> int:
    """Return 0: what is beside where nothing is."""
    return 0
