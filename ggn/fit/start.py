"""Where training starts by default: weights that suit the data, whatever units it is in."""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.fit.sizes import target_sizes
from ggn.fit.units import Units
from ggn.linearization import Objective
from ggn.network import SCHEMES, chunks
from ggn.network.nguyen_widrow import nguyen_widrow
from ggn.validation import spelled

__all__ = ["DEFAULT", "STARTS", "by_default", "draw", "start"]

DEFAULT = "nguyen_widrow"
STARTS = (DEFAULT, *SCHEMES)
MOST_SAMPLES = 1000  # that tell how large the outputs of a layer are


def draw(objective: Objective, rng: np.random.Generator, scheme: str = DEFAULT) -> np.ndarray:
    """Return initial weights (N,) for an objective.

    Parameters
    ----------
    objective : Objective
    rng : Generator
    scheme : {"nguyen_widrow", "normal", "uniform", "fan_in"}
        The first, the default, looks at the data: units share out the range of the inputs
        (`ggn.network.nguyen_widrow`), and outputs have the mean and the size of the
        targets where they are to meet them.  The others are `MLP.initial_weights`.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> from ggn.linearization import Objective
    >>> pressure, volume = 1013.0 + np.linspace(-2, 2, 50), 1e-6 * np.linspace(1, 2, 50)
    >>> net = ggn.MLP((1, 8, 1))
    >>> w = draw(Objective(net, pressure[:, None], volume), np.random.default_rng(0))
    >>> bool(np.ptp(net.forward(w, pressure[:, None])) < 1e-5)
    True
    """
    if spelled("scheme", scheme, STARTS) != DEFAULT:
        return objective.net.initial_weights(rng, scheme)
    net, X = objective.net, objective.X
    counted = objective.c.array > 0.0
    low, high = np.full(net.n_inputs, np.inf), np.full(net.n_inputs, -np.inf)
    for rows in chunks(objective.T, objective.chunk(0)[0]):
        seen = X[rows][counted[rows]]
        low = np.minimum(low, seen.min(axis=0, initial=np.inf))
        high = np.maximum(high, seen.max(axis=0, initial=-np.inf))
    some = np.flatnonzero(counted)
    some = some[:: -(-len(some) // MOST_SAMPLES)]
    near, far = _fences(X[some], objective.c.array[some])
    low, high = np.maximum(low, near), np.minimum(high, far)
    Ws = nguyen_widrow(net, rng, X[some], low, high, objective.c.array[some])
    centre, size = target_sizes(objective, net.bias[-1])
    Ws[-1] *= size
    if net.bias[-1]:
        Ws[-1][-1] += centre - (size - 1.0) * net.fixed_bias
    return net.pack(Ws)


def _fences(X: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Tukey's outer fences of each column, q ∓ 3 (q_3/4 - q_1/4), infinite where they meet.

    One outlier would otherwise take the whole range for itself; c (T,) are the samples' shares.
    """
    near, far = np.full(X.shape[1], -np.inf), np.full(X.shape[1], np.inf)
    for a, x in enumerate(X.T):
        order = np.argsort(x)
        share = np.cumsum(c[order]) / c.sum()
        # repeated samples must give what their weights do, so a share is met to rounding
        first, third = (x[order][np.argmax(share >= p - 1e-9)] for p in (0.25, 0.75))
        if third > first:
            near[a], far[a] = first - 3.0 * (third - first), third + 3.0 * (third - first)
    return near, far


def by_default(w0: Any) -> bool:
    """Whether w0 asks for the default start."""
    return w0 is None or (isinstance(w0, str) and spelled("w0", w0, STARTS) == DEFAULT)


def start(units: Units, rng: np.random.Generator, w0: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the weights that a run begins with, in its units, and those given, in the caller's.

    w0 is an array, the name of a scheme, or None for the default.
    """
    if by_default(w0):
        return draw(units.objective, rng), None
    net = units.given.net
    given = draw(units.given, rng, w0) if isinstance(w0, str) else net._weights(w0, "w0").copy()
    return units.own(given), given
