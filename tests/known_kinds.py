"""What a point of the loss surface can be, and how to bring weights near one by the oracle."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import reference

import ggn


class Kind(enum.Enum):
    """The truth about a point."""

    GLOBAL = "global minimum"
    STRICT = "strict local minimum"
    FLAT = "degenerate local minimum"
    SADDLE = "strict saddle"
    DEGENERATE = "degenerate"
    MOVING = "not stationary"
    RUNAWAY = "infimum at infinity"
    INFEASIBLE = "degenerate, exact fit impossible"


@dataclass(frozen=True)
class Point:
    """Weights of a problem, and what they are."""

    name: str
    kind: Kind
    net: ggn.MLP
    w: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self):
        return f"{self.kind.name.lower()}: {self.name}"


SQUARED = reference.LOSSES["squared"]()
SMOOTH = ("tanh", "sigmoid", "softsign", "softplus", "bent_identity")


def spec_of(net):
    """The oracle's twin of a network of named activations."""
    names = [a.name for a in net.activations]
    return reference.named_spec(net.sizes, names, net.bias, net.fixed_bias)


def polish(net, w, X, Y, loss=SQUARED, l2=0.0, steps=30):
    """Newton's method with the oracle's gradient and Hessian, to where it no longer gains."""
    spec = spec_of(net)

    def gradient(v):
        return reference.gradient(spec, v, X, Y, loss, l2=l2)

    g = gradient(w)
    for _ in range(steps):
        H = reference.hessian(spec, w, X, Y, loss, l2=l2)
        trial = w - np.linalg.solve(0.5 * (H + H.T), g)
        new = gradient(trial)
        if not np.linalg.norm(new) < np.linalg.norm(g):
            break
        w, g = trial, new
    return w


def curvatures(net, w, X, Y, loss=SQUARED, l2=0.0):
    """Eigenvalues of the Hessian by differences of the oracle's gradient; ‖g‖ too."""
    spec = spec_of(net)
    H = reference.hessian_fd(spec, w, X, Y, loss, l2=l2)
    g = reference.gradient(spec, w, X, Y, loss, l2=l2)
    return np.linalg.eigvalsh(0.5 * (H + H.T)), np.linalg.norm(g)


def data(rng, T, n0, nL=1, noise=0.3):
    """A smooth function with noise."""
    X = rng.uniform(-2.0, 2.0, (T, n0))
    A = rng.normal(size=(n0, nL))
    return X, np.sin(X @ A) + noise * rng.normal(size=(T, nL))
