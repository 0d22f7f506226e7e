"""Initial weights after Nguyen & Widrow: the units of a layer share out the range of its inputs.

With m inputs mapped from their range to [-1, 1], n units of weights v and bias b:

    v = 0.7 n^(1/m) u / ‖u‖,  u ~ U(-1, 1)^m,    b_j on a grid from -0.7 n^(1/m) to 0.7 n^(1/m)

so that each unit bends in a part of the range of its own, and every part has a unit.  The map
is folded into v and b exactly.  The last layer is N(0, 1) over the size of its inputs.

Smooth ones are half as long, and no longer than 2: what is noise, they do not follow at once.

Nguyen & Widrow (1990), Improving the learning speed of 2-layer neural networks by choosing
initial values of the adaptive weights.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ggn import _core
from ggn.activations import Activation, Sigmoid

__all__ = ["hidden_layers", "output_layer"]

EPS = float(np.finfo(np.float64).eps)


def hidden_layers(
    net: Any,
    rng: np.random.Generator,
    X: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    c: np.ndarray,
    smooth: bool = False,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return W_1 ... W_{L-1} for samples like X (T, n0), from low to high, and their outputs.

    c (T,) says how much each sample counts in a mean; none counts for nothing.

    An input that does not vary gets no weight where there is a dummy unit to stand for it.
    Units that grow faster than their net inputs (exponential), and those without a bend
    (identity), have nothing to share out: N(0, 1) over the size of the inputs for them, as
    `output_layer` has it.
    """
    Ws, H = [], np.ascontiguousarray(X)
    for layer, (n, _) in enumerate(net.layout.shapes[:-1]):
        sigma, dummy, inputs = net.activations[layer], net.bias[layer], H.shape[1]
        if layer > 0:
            with np.errstate(all="ignore"):
                low, high = np.minimum.reduce(H), np.maximum.reduce(H)
        if _bends(sigma, n, inputs):
            W = _shared_out(n, low, high, dummy, rng, smooth, isinstance(sigma, Sigmoid))
        else:
            W = rng.standard_normal((inputs + dummy, n))
            _core.scale_draws(H, c, dummy, W)
        H = _responses(sigma, H, W, dummy)
        if dummy:
            W[-1] += net.fixed_bias
        Ws.append(W)
    return Ws, H


def output_layer(net: Any, rng: np.random.Generator, H: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return W_L for outputs of size one where it is fed with H (T, n_{L-1}), c as above."""
    n, m = net.layout.shapes[-1]
    W: np.ndarray = rng.standard_normal((m, n))
    # the dummy unit has a share of the net input as other inputs have
    _core.scale_draws(H, c, net.bias[-1], W)
    if net.bias[-1]:
        W[-1] += net.fixed_bias
    return W


def _responses(sigma: Activation, H: np.ndarray, W: np.ndarray, dummy: bool) -> np.ndarray:
    """Return outputs (T, n) of units W (m [+ 1], n) whose inputs are H (T, m).

    A unit that bends at the very edge of the range, and is 0 within it, says nothing.
    """
    if sigma.code >= 0:
        return _core.respond(H, W, dummy, sigma.code, sigma.slope)
    m, b = H.shape[1], W[-1] if dummy else np.zeros(W.shape[1])
    with np.errstate(all="ignore"):
        rounding = 16.0 * EPS * (np.abs(H).max(axis=0) @ np.abs(W[:m]) + np.abs(b))
        found: np.ndarray = np.array(sigma.value(H @ W[:m] + b), dtype=np.float64)
        found[:, np.abs(found).max(axis=0) <= rounding] = 0.0
    return found


def _shared_out(
    n: int,
    low: np.ndarray,
    high: np.ndarray,
    dummy: bool,
    rng: np.random.Generator,
    smooth: bool,
    twice: bool,
) -> np.ndarray:
    """Draw weights with which each unit bends in a part of the range of its own."""
    if not dummy:  # nothing can shift: ranges about zero
        high = np.maximum(high, -low)
        low = -high
    ranges = zip(low.tolist(), high.tolist(), strict=True)
    varies = [a for a, of_input in enumerate(ranges) if not _alike(*of_input)]
    times, k = 2.0 if twice else 1.0, len(varies)  # a sigmoid is a tanh at half the argument
    if k == 0:  # one unit is as good as another
        W = np.zeros((len(low) + dummy, n))
        if dummy:
            W[-1] = times * rng.uniform(-1.0, 1.0, n)
        return W
    reach = 0.7 * n ** (1.0 / k)
    if smooth:
        reach = min(0.5 * reach, 2.0)
    V = rng.uniform(-1.0, 1.0, (k, n))
    return _core.share_out(low, high, np.array(varies, dtype=np.intp), V, reach, dummy, times)


def _alike(low: float, high: float) -> bool:
    """Whether an input with such a range does not vary but by rounding."""
    return high - low <= 16.0 * EPS * max(abs(low), abs(high))


@functools.lru_cache(maxsize=256)
def _bends(sigma: Activation, n: int, m: int) -> bool:
    """Whether units with these net inputs are worth sharing out: no line, and no explosion."""
    reach = 1.4 * n ** (1.0 / m)
    z = np.linspace(-reach, reach, 41)
    with np.errstate(all="ignore"):
        value = np.asarray(sigma.value(z.copy()), float)
    bend = np.abs(np.diff(value, 2)).max()
    return bool(np.isfinite(bend) and bend > 1e-9 and np.abs(value).max() <= 4.0 * (1.0 + reach))
