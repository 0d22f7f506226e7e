"""Whether some net input lies where its activation's derivatives jump.

    |σ'(z + δ) - σ'(z - δ)|,  |σ''(z + δ) - σ''(z - δ)|,    δ = sqrt(eps) max(1, |z|)

relu has such a point for σ', softsign and elu for σ''; all at 0, where weights of 0 put all
net inputs.  There gradient or Hessian are those of one side, and prove nothing of J.

A built-in activation says which derivative jumps at 0 (its `kink`), so that |z| <= δ is asked;
jumps are looked for in one of the user's own, unless it says so too.  There a change that
shrinks with δ is no jump: sin z at z = 10⁴ changes by 10⁻⁴ between neighbours δ apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ggn.linearization import Objective, SummedObjective
from ggn.network import MLP
from ggn.surface.layers import sweep_layers

__all__ = ["kinks", "kinks_of_sums"]

DELTA = float(np.finfo(np.float64).eps) ** 0.5
CLOSER = 2.0**-6  # times as near, a smooth function changes as much less
JUMP = 1e-4  # of the largest value nearby, or of 1: smooth functions change by about DELTA


def kinks(net: MLP, w: np.ndarray, X: np.ndarray) -> tuple[bool, bool]:
    """Return whether σ' jumps at any net input, and whether σ'' does; nothing is checked."""
    Ws, first, second = net.unpack(w), False, False
    with np.errstate(all="ignore"):
        for part in sweep_layers(net, w, X, net.chunk_size(net.n_outputs)):
            for sigma, W, inputs in zip(net.activations, Ws, part.inputs, strict=True):
                z = W.T @ inputs - net.fixed_bias
                delta = DELTA * np.maximum(1.0, np.abs(z))
                if sigma.kink is not None:
                    at_0 = bool((np.abs(z) <= delta).any())
                    first = first or (at_0 and sigma.kink == 1)
                    second = second or (at_0 and sigma.kink == 2)
                    continue
                first = first or _jumps(sigma.derivative, z, delta)
                if sigma.has_second_derivative:
                    second = second or _jumps(sigma.second_derivative, z, delta)
    return first, second


def _kinked(objective: Objective, w: np.ndarray) -> np.ndarray:
    return np.array(kinks(objective.net, w, objective.X), dtype=float)


def kinks_of_sums(objective: SummedObjective, w: np.ndarray) -> tuple[bool, bool]:
    """Return the same of samples in chunks, by a pass where an activation may have a kink."""
    if all(sigma.kink == 0 for sigma in objective.net.activations):
        return False, False
    first, second = objective.total(_kinked, w)
    return bool(first), bool(second)


def _jumps(f: Callable[[np.ndarray], np.ndarray], z: np.ndarray, delta: np.ndarray) -> bool:
    wide = _change(f, z, delta)
    return bool(((wide > JUMP) & (_change(f, z, CLOSER * delta) > 0.5 * wide)).any())


def _change(f: Callable[[np.ndarray], np.ndarray], z: np.ndarray, delta: np.ndarray) -> np.ndarray:
    below, above = f(z - delta), f(z + delta)
    size: np.ndarray = np.maximum(1.0, np.maximum(np.abs(below), np.abs(above)))
    return np.asarray(np.abs(above - below) / size)
