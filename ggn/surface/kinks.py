"""Whether some net input lies where its activation's derivatives jump.

    |σ'(z + δ) - σ'(z - δ)|,  |σ''(z + δ) - σ''(z - δ)|,    δ = sqrt(eps) max(1, |z|)

relu has such a point for σ', softsign and elu for σ''; all at 0, where weights of 0 put all
net inputs.  There gradient or Hessian are those of one side, and prove nothing of J.

A built-in activation says which derivative jumps at 0 (its `kink`), so that |z| <= δ is asked;
jumps are looked for in one of the user's own, unless it says so too.  There a change that
shrinks with δ is no jump: sin z at z = 10⁴ changes by 10⁻⁴ between neighbours δ apart.

Between two points J has one gradient, and steps from one to the other prove something, where no
net input passes such a point: none lies between the two, nor as far again beyond either, as the
way of net inputs bends, nor within δ, here times what the terms of z are at natural weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ggn.activations import Activation
from ggn.linearization import BaseObjective, Objective, SummedObjective
from ggn.network import MLP
from ggn.surface.layers import sweep_layers

__all__ = ["kinks", "kinks_between", "kinks_of_sums", "steeper"]

DELTA = float(np.finfo(np.float64).eps) ** 0.5
CLOSER = 2.0**-6  # times as near, a smooth function changes as much less
HALVINGS = 10  # of an interval, which a smooth function's change follows, and a jump's does not
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


def kinks_between(
    objective: BaseObjective, w: np.ndarray, there: np.ndarray, natural: np.ndarray
) -> tuple[bool, bool]:
    """Return whether σ' jumps at any net input on the way from w, and whether σ'' does at its end.

    Where σ'' jumps, J's gradient does not: to have passed there is no matter.

    Parameters
    ----------
    objective : BaseObjective
        Of a layered network, samples in memory or in chunks.
    w, there : ndarray, (N,)
        The way's ends.
    natural : ndarray, (N,)
        The natural size of each weight.
    """
    if all(sigma.kink == 0 for sigma in objective.net.activations):
        return False, False
    if isinstance(objective, SummedObjective):
        first, second = objective.total(_passed, w, there, natural)
    else:
        assert isinstance(objective, Objective)
        first, second = _passed(objective, w, there, natural)
    return bool(first), bool(second)


def _passed(
    objective: Objective, w: np.ndarray, there: np.ndarray, natural: np.ndarray
) -> np.ndarray:
    net, X = objective.net, objective.X
    size, first, second = net.chunk_size(net.n_outputs), False, False
    weights = [*zip(net.unpack(w), net.unpack(there), net.unpack(natural), strict=True)]
    with np.errstate(all="ignore"):
        ways = sweep_layers(net, w, X, size), sweep_layers(net, there, X, size)
        for parts in zip(*ways, strict=True):
            layers = zip(net.activations, weights, *(part.inputs for part in parts), strict=True)
            for sigma, (W, V, N), before, after in layers:
                if sigma.kink == 0:
                    continue
                start, end = W.T @ before - net.fixed_bias, V.T @ after - net.fixed_bias
                terms = np.maximum(np.abs(V), N).T @ np.abs(after)
                delta = DELTA * np.maximum(1.0, terms)
                far = np.abs(end - start) + delta
                low, high = np.minimum(start, end) - far, np.maximum(start, end) + far
                if sigma.kink is not None:
                    first = first or (sigma.kink == 1 and bool(((low <= 0) & (high >= 0)).any()))
                    second = second or (sigma.kink == 2 and bool((np.abs(end) <= delta).any()))
                    continue
                first = first or _jumps_within(sigma.derivative, low, high)
                if sigma.has_second_derivative:
                    second = second or _jumps(sigma.second_derivative, end, delta)
    return np.array([first, second], dtype=float)


def _jumps_within(f: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray) -> bool:
    """Whether f jumps between two points: by halves, the one of larger change followed."""
    a, b = f(low), f(high)
    size = np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    wide = np.abs(b - a) / size
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        value = f(middle)
        left = np.abs(value - a) > np.abs(b - value)
        low, a = np.where(left, low, middle), np.where(left, a, value)
        high, b = np.where(left, middle, high), np.where(left, value, b)
    return bool(((wide > JUMP) & (np.abs(b - a) / size > 0.5 * wide)).any())


def steeper(sigma: Activation, z: np.ndarray) -> np.ndarray:
    """Return |σ'| at z, next to a kink that of the side where it is larger."""
    delta = DELTA * np.maximum(1.0, np.abs(z))
    sides = np.abs(sigma.derivative(z - delta)), np.abs(sigma.derivative(z + delta))
    return np.maximum(*sides)


def _jumps(f: Callable[[np.ndarray], np.ndarray], z: np.ndarray, delta: np.ndarray) -> bool:
    wide = _change(f, z, delta)
    return bool(((wide > JUMP) & (_change(f, z, CLOSER * delta) > 0.5 * wide)).any())


def _change(f: Callable[[np.ndarray], np.ndarray], z: np.ndarray, delta: np.ndarray) -> np.ndarray:
    below, above = f(z - delta), f(z + delta)
    size: np.ndarray = np.maximum(1.0, np.maximum(np.abs(below), np.abs(above)))
    return np.asarray(np.abs(above - below) / size)
