"""What an experiment looks at along a run: ranks, saturation, and at its end the verdict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ggn.network import MLP
from ggn.surface.flat_units import saturation
from ggn.surface.layers import sweep_layers
from ggn.surface.rank import numerical_rank
from ggn.surface.verdict import diagnose

__all__ = ["End", "look", "rank_and_slope", "verdict_of"]


class End(NamedTuple):
    """Weights at which a run of a network of one hidden layer ended; see `look`.

    Attributes
    ----------
    rank : int
        Of P.
    flat : int
        Pairs of hidden unit and sample that `ggn.surface.saturation` finds flat.
    flat_units : int
        Hidden units that are flat on all samples.
    largest : float
        max |w_j|.
    """

    rank: int
    flat: int
    flat_units: int
    largest: float


def look(net: MLP, w: np.ndarray, X: np.ndarray) -> End:
    """Return rank and saturation at an end.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> net, (X, Y) = ggn.MLP((2, 3, 1), "sigmoid"), ggn.problems.xor()
    >>> look(net, np.zeros(net.n_weights), X)
    End(rank=1, flat=0, flat_units=0, largest=0.0)
    """
    flat = saturation(net, w, X).layers[0].level > 0
    return End(
        rank_and_slope(net, w, X)[0],
        int(flat.sum()),
        int(flat.all(axis=0).sum()),
        float(np.abs(w).max()),
    )


def rank_and_slope(net: MLP, w: np.ndarray, X: np.ndarray) -> tuple[int, float]:
    """Return rank P, and the smallest σ' of a unit of the first layer on a sample.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> net, (X, Y) = ggn.MLP((2, 3, 1), "sigmoid"), ggn.problems.xor()
    >>> rank_and_slope(net, np.zeros(net.n_weights), X)
    (1, 0.25)
    """
    (layers,) = sweep_layers(net, w, X, len(X))
    return numerical_rank(layers.jacobian()).rank, float(layers.slopes[0].min())


def verdict_of(net: MLP, w: np.ndarray, X: np.ndarray, Y: np.ndarray) -> str:
    """Return the name of the verdict of `ggn.diagnose` with squared loss.

    Examples
    --------
    >>> import ggn
    >>> net, (X, Y) = ggn.MLP((2, 3, 1)), ggn.problems.xor()
    >>> verdict_of(net, net.initial_weights(0), X, Y)
    'NOT_STATIONARY'
    """
    return diagnose(net, w, X, Y).verdict.name
