"""Which earlier samples a model sees: z_i = (y_{i-d}, d in output lags; u_{i-d}, d in input lags).

An integer n stands for the last n: outputs at lags 1 ... n, inputs at 0 ... n, the sample itself
among them.  Sequences say which lags; a sequence of them, one for each column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.validation import ArgumentError, count, integer, items

__all__ = ["Lags"]

MOST = 10**5  # lags, whose normal matrix is 80 GB already


class Lags:
    """The lags of each output and each input, ascending.

    Attributes
    ----------
    outputs, inputs : tuple of tuple of int
        Of each column.
    depth : int
        The largest lag of all: how many samples precede the first that can be computed.
    feeds : tuple of (int, int)
        Output and lag of each of the first inputs of the network.

    Examples
    --------
    >>> lags = Lags(2, [0, 3], n_outputs=1, n_inputs=1)
    >>> lags.outputs, lags.inputs, lags.depth
    (((1, 2),), ((0, 3),), 3)
    >>> lags.columns(["y"], ["u"])
    ['y(k-1)', 'y(k-2)', 'u(k)', 'u(k-3)']
    """

    def __init__(self, output_lags: Any, input_lags: Any, n_outputs: int, n_inputs: int) -> None:
        self.outputs = _lags("output_lags", output_lags, n_outputs, 1)
        self.inputs = _lags("input_lags", input_lags, n_inputs, 0)
        self.feeds = tuple((o, d) for o, own in enumerate(self.outputs) for d in own)
        self.taps = tuple((c, d) for c, own in enumerate(self.inputs) for d in own)
        self.depth = max((d for _, d in (*self.feeds, *self.taps)), default=0)
        if not self.feeds and not self.taps:
            raise ArgumentError(
                "output_lags", "must name a lag where there are no inputs, got none"
            )

    @property
    def n(self) -> int:
        """Inputs of the network."""
        return len(self.feeds) + len(self.taps)

    def matrix(self, U: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return z_i, (T - depth, n), of the samples from `depth` on; U (T, n_u), Y (T, n_y)."""
        p, T = self.depth, len(Y)
        columns = [Y[p - d : T - d, o] for o, d in self.feeds]
        columns += [U[p - d : T - d, c] for c, d in self.taps]
        return np.stack(columns, axis=1)

    def columns(self, outputs: Sequence[str], inputs: Sequence[str]) -> list[str]:
        """Return a name for each input of the network."""
        named = [(outputs[o], d) for o, d in self.feeds] + [(inputs[c], d) for c, d in self.taps]
        return [f"{name}(k-{d})" if d else f"{name}(k)" for name, d in named]

    def __repr__(self) -> str:
        return f"Lags(outputs={self.outputs}, inputs={self.inputs})"


def _lags(name: str, value: Any, columns: int, low: int) -> tuple[tuple[int, ...], ...]:
    """Return the lags of each column, at least `low`."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return (_up_to(name, low, value),) * columns
    given = items(name, value, "an integer or a sequence of them")
    if not any(isinstance(one, (list, tuple, np.ndarray, range)) for one in given):
        return (_column(name, given, low),) * columns
    if len(given) != columns:
        raise ArgumentError(name, f"must be one sequence for each of {count(columns, 'column')}, "
                            f"got {len(given)}")  # fmt: skip
    return tuple(
        _up_to(name, low, one) if isinstance(one, int) else _column(name, one, low) for one in given
    )


def _up_to(name: str, low: int, n: Any) -> tuple[int, ...]:
    """Return the lags from the least to n; of outputs 0 is none."""
    return tuple(range(low, integer(name, n, 0, MOST) + 1))


def _column(name: str, given: Any, low: int) -> tuple[int, ...]:
    given = items(name, given, "a sequence of integers")
    lags = tuple(sorted(integer(name, d, low) for d in given))
    if len(set(lags)) < len(lags):
        raise ArgumentError(name, f"must name each lag once, got {list(given)}")
    return lags
