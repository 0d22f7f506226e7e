"""Whether some net input lies where its activation's derivatives jump.

    |σ'(z + δ) - σ'(z - δ)|,  |σ''(z + δ) - σ''(z - δ)|,    δ = sqrt(eps) max(1, |z|)

relu has such a point for σ', softsign and elu for σ''; all at 0, where weights of 0 put all
net inputs.  There gradient or Hessian are those of one side, and prove nothing of J.

A built-in activation says which derivative jumps at 0 (its `kink`), so that |z| <= δ is asked;
jumps are looked for in one of the user's own, unless it says so too.
"""

from __future__ import annotations

import numpy as np

from ggn.network import MLP
from ggn.surface.layers import sweep_layers

__all__ = ["kinks"]

DELTA = float(np.finfo(np.float64).eps) ** 0.5
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
                first = first or _jumps(sigma.derivative(z - delta), sigma.derivative(z + delta))
                if sigma.has_second_derivative:
                    second = second or _jumps(
                        sigma.second_derivative(z - delta), sigma.second_derivative(z + delta)
                    )
    return first, second


def _jumps(below: np.ndarray, above: np.ndarray) -> bool:
    size = np.maximum(1.0, np.maximum(np.abs(below), np.abs(above)))
    return bool((np.abs(above - below) > JUMP * size).any())
