"""Hidden units spread over the box, and the output layer by least squares.

    φ_j(z) = σ(a_jᵀ (z - p_j))     a_j: random direction, length up to s; p_j: all over the box
    c = argmin ‖u - Φ c‖           by QR with pivots, what is below RCOND of the first left out

A sum of such units can follow any smooth function; that is Nguyen and Widrow's start.  What
is left free is the slope s, in radians per unit of z: too small, and the units are so alike
that c has to be huge, and rounding is too; too large, and a unit varies between the nodes.
In one variable p_j and nodes have the same density, and s is relative to it, so that units are
steep where they are close.  For sine, which is as steep everywhere, p_j is a random phase.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from ggn.activations import Activation, Sine
from ggn.fit.target import Target, quasi_random

__all__ = ["Kind", "features", "outer_weights", "spread"]

# Φ is singular to rounding by design.  QR with pivots at 1e-15 is as fast as singular values,
# and 1 to 10 times as accurate (five functions of 1 to 3 variables, 120 to 1200 units).
RCOND = 1e-15


@dataclass(frozen=True)
class Kind:
    """A way to spread units.

    Attributes
    ----------
    activation : Activation
    steep : bool
        Whether units and nodes gather where the target is steep.
    """

    activation: Activation
    steep: bool = False

    def __str__(self) -> str:
        return f"{self.activation}{', steep' if self.steep else ''}"


def spread(
    target: Target, kind: Kind, count: int, slope: float, rng: np.random.Generator
) -> np.ndarray:
    """Return first-layer weights (d + 1, count), the dummy unit's last."""
    d = target.d
    if isinstance(kind.activation, Sine):
        a = _directions(d, count, rng) * slope * rng.uniform(0.0 if d == 1 else 0.3, 1.0, count)
        return np.vstack([a, rng.uniform(0.0, 2.0 * np.pi, count)])
    if d > 1:
        p = -np.cos(np.pi * quasi_random(count, d, rng))
        a = _directions(d, count, rng) * slope * rng.uniform(0.3, 1.0, count)
    else:
        z, below = target.density(kind.steep)
        level = (np.arange(count) + 0.5) / count
        p = np.interp(level, below, z)[:, np.newaxis]
        # the density where p is, from the units' own distances; 1 where they are even
        edges = np.interp(np.arange(count + 1) / count, below, z)
        dense = (2.0 / count) / np.maximum(np.diff(edges), 1e-300)
        a = (slope * dense * rng.uniform(0.5, 1.0, count))[np.newaxis]
    return np.vstack([a, -(a * p.T).sum(axis=0)])


def _directions(d: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return random unit vectors, (d, count)."""
    v = rng.standard_normal((d, count))
    return np.asarray(v / np.linalg.norm(v, axis=0))


def outer_weights(hidden: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return c (n,) of the least ‖u - Φ c‖, of least norm to within RCOND."""
    return np.asarray(
        scipy.linalg.lstsq(hidden, u, cond=RCOND, check_finite=False, lapack_driver="gelsy")[0]
    )


def features(kind: Kind, hidden: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """Return the hidden units' outputs and the dummy unit's, (T, n + 1)."""
    out = np.ones((len(Z), hidden.shape[1] + 1))
    out[:, :-1] = kind.activation.value(Z @ hidden[:-1] + hidden[-1])
    return out
