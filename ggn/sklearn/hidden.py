"""How many hidden units an estimator's network has."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number
from typing import Any

import numpy as np

from ggn.validation import ArgumentError, describe, integer

__all__ = ["hidden_sizes", "numbers_in", "units_for"]

# On 277 samples 20 units were better than 50 (RMSE 0.09 and 0.13), on 927 and 1350 worse (4.6 and
# 4.1, 1.95 and 1.68), on 450 the same.
FEWEST, MOST, NUMBERS_PER_UNIT = 20, 50, 20
MANY = 1e9  # samples: of more, a network has no more units


def units_for(numbers: int) -> int:
    """Return how many hidden units suit so many numbers to fit.

    Examples
    --------
    >>> units_for(300), units_for(700), units_for(10_000)
    (20, 35, 50)
    """
    return min(max(numbers // NUMBERS_PER_UNIT, FEWEST), MOST)


def numbers_in(Y: np.ndarray, s: np.ndarray | None) -> int:
    """Return how many numbers targets Y (T, nL) are, a weight of 2 being the sample given twice.

    Of weights that are small, as many as Kish's count says.

    Examples
    --------
    >>> numbers_in(np.zeros((100, 2)), None), numbers_in(np.zeros((50, 2)), np.full(50, 2.0))
    (200, 200)
    >>> numbers_in(np.zeros((100, 2)), np.full(100, 0.01))
    200
    """
    if s is None:
        return Y.size
    largest = float(s.max())  # a sum of weights may leave float64
    shares = s / largest
    total = float(shares.sum())
    return round(min(max(largest * total, total**2 / float(shares @ shares)), MANY)) * Y.shape[1]


def hidden_sizes(sizes: Any) -> list[int]:
    """Return the units of each hidden layer, from a number or a sequence of them."""
    if isinstance(sizes, (str, bytes)) or not isinstance(sizes, (Number, Iterable)):
        raise ArgumentError(
            "hidden_layer_sizes",
            f"must be an integer or a sequence of them, got {describe(sizes)}",
        )
    sizes = [sizes] if isinstance(sizes, Number) else list(sizes)
    return [integer(f"hidden_layer_sizes[{i}]", n, 1) for i, n in enumerate(sizes)]
