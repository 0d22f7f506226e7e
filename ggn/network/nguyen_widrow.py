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
    Ws, H = [], X
    for layer, (n, m) in enumerate(net.layout.shapes[:-1]):
        sigma, dummy, inputs = net.activations[layer], net.bias[layer], H.shape[1]
        W = np.zeros((m, n))
        with np.errstate(all="ignore"):
            if layer > 0:
                low, high = np.minimum.reduce(H), np.maximum.reduce(H)
            if not _bends(sigma, n, inputs):
                _by_size(W, H, c, dummy, rng)
            else:
                _shared_out(W, low, high, dummy, rng, smooth)
                if isinstance(sigma, Sigmoid):  # tanh at half the argument
                    W *= 2.0
            b = W[-1] if dummy else np.zeros(n)
            largest = np.maximum.reduce(np.abs(H))
            rounding = 16.0 * EPS * (largest @ np.abs(W[:inputs]) + np.abs(b))
            H = sigma.value(H @ W[:inputs] + b)
            # a unit that bends at the very edge of the range, and is 0 within it, says nothing
            H[:, np.maximum.reduce(np.abs(H)) <= rounding] = 0.0
        if dummy:
            W[-1] += net.fixed_bias
        Ws.append(W)
    return Ws, H


def output_layer(net: Any, rng: np.random.Generator, H: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return W_L for outputs of size one where it is fed with H (T, n_{L-1}), c as above."""
    n, m = net.layout.shapes[-1]
    W, dummy = np.zeros((m, n)), net.bias[-1]
    with np.errstate(all="ignore"):
        _by_size(W, H, c, dummy, rng)
    if dummy:
        W[-1] += net.fixed_bias
    return W


def _by_size(
    W: np.ndarray, H: np.ndarray, c: np.ndarray, dummy: bool, rng: np.random.Generator
) -> None:
    """Draw net inputs of size one, of which the dummy unit has a share as other inputs have."""
    W[:] = rng.standard_normal(W.shape)
    m = H.shape[1]
    largest = np.maximum(np.maximum.reduce(H), -np.minimum.reduce(H))
    largest[~(largest > 0.0)] = 1.0
    Z = H / largest
    share = c[:, np.newaxis] / c.sum()
    mean = np.add.reduce(share * Z) if dummy else np.zeros(m)
    Z -= mean
    Z_mean = Z + mean
    W[:m][_alike(np.minimum.reduce(Z_mean), np.maximum.reduce(Z_mean))] *= 0.0 if dummy else 1.0
    size = float((share * np.square(Z)).sum()) + dummy
    W /= np.sqrt(size) if np.isfinite(size) and size > 0.0 else 1.0
    W[:m] /= largest[:, np.newaxis]
    if dummy:
        W[-1] -= (mean * largest) @ W[:m]


def _shared_out(
    W: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    dummy: bool,
    rng: np.random.Generator,
    smooth: bool,
) -> None:
    """Draw weights with which each unit bends in a part of the range of its own."""
    if not dummy:  # nothing can shift: ranges about zero
        high = np.maximum(high, -low)
        low = -high
    half = 0.5 * high - 0.5 * low
    varies = (~_alike(low, high)).nonzero()[0]
    n, k = W.shape[1], len(varies)
    if k == 0:  # one unit is as good as another
        if dummy:
            W[-1] = rng.uniform(-1.0, 1.0, n)
        return
    reach = 0.7 * n ** (1.0 / k)
    if smooth:
        reach = min(0.5 * reach, 2.0)
    V = rng.uniform(-1.0, 1.0, (k, n))
    V *= reach / np.sqrt(np.add.reduce(V * V))
    W[varies] = V / half[varies, np.newaxis]
    if dummy:
        grid = np.linspace(-reach, reach, n) if n > 1 else np.zeros(1)
        W[-1] = grid * np.sign(V[0]) - (low + half)[varies] @ W[varies]


def _alike(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which columns of such a range do not vary but by rounding."""
    alike: np.ndarray = high - low <= 16.0 * EPS * np.maximum(np.abs(low), np.abs(high))
    return alike


@functools.lru_cache(maxsize=256)
def _bends(sigma: Activation, n: int, m: int) -> bool:
    """Whether units with these net inputs are worth sharing out: no line, and no explosion."""
    reach = 1.4 * n ** (1.0 / m)
    z = np.linspace(-reach, reach, 41)
    with np.errstate(all="ignore"):
        value = np.asarray(sigma.value(z.copy()), float)
    bend = np.abs(np.diff(value, 2)).max()
    return bool(np.isfinite(bend) and bend > 1e-9 and np.abs(value).max() <= 4.0 * (1.0 + reach))
