"""Weights to start from: N(0, 1) as in the paper, uniform, or scaled by the fan-in.

normal     w ~ N(0, 1)
uniform    w ~ U(-1, 1)
fan_in     w ~ N(0, 1/m),  m = n_{l-1} [+ 1], the inputs of a unit of layer l
"""

from __future__ import annotations

import numpy as np

from ggn import _core
from ggn.validation import spelled

__all__ = ["SCHEMES", "initial_weights"]

SCHEMES = ("normal", "uniform", "fan_in")


def initial_weights(layout: _core.Layout, rng: np.random.Generator, scheme: str) -> np.ndarray:
    """Draw weights w (N,).

    Raises
    ------
    ValueError
        For an unknown scheme.
    """
    scheme = spelled("scheme", scheme, SCHEMES)
    if scheme == "uniform":
        return rng.uniform(-1.0, 1.0, layout.n_weights)
    w = rng.standard_normal(layout.n_weights)
    if scheme == "fan_in":
        w *= np.concatenate([np.full(n * m, 1.0 / np.sqrt(m)) for n, m in layout.shapes])
    return w
