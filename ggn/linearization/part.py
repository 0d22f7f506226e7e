"""One part of the samples that a source has: arrays, checked, and what is kept of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.linearization.lost import SourceError
from ggn.linearization.memory import Memory
from ggn.validation import float_array, vector

__all__ = ["ChunkError", "Part"]


class ChunkError(SourceError, ValueError):
    """A chunk that is not what it should be, or was before; the message says which, and how."""


class Part:
    """One part of the samples, as functions of `parts.py` see it.

    Parameters
    ----------
    number : int
        Its place among the parts, from 0: what errors name it by.
    X, Y : array_like
        Rows are samples; 1-D is one column.
    weights : array_like, optional
        One for each sample, not negative; all may be 0.
    memory : Memory, optional
        Scratch that parts taken in turn share.

    Attributes
    ----------
    X : ndarray, (T, n0)
    Y : ndarray, (T, nL)
    weights : ndarray (T,) or None
    kept : dict
        What has been made of it, for as long as the part lives.

    Raises
    ------
    ChunkError
        For what is no table of finite numbers, with the part's number in the sentence.

    Examples
    --------
    >>> Part(4, [[1.0], [np.inf]], [0.0, 0.0])
    Traceback (most recent call last):
        ...
    ggn.linearization.part.ChunkError: in chunk 4, X must be finite, got inf at X[1, 0]
    """

    def __init__(
        self, number: int, X: Any, Y: Any, weights: Any = None, memory: Memory | None = None
    ) -> None:
        self.number, self.memory = number, memory
        self.kept: dict[str, Any] = {}
        try:
            self.X, self.Y = _table("X", X), _table("Y", Y)
            if len(self.X) != len(self.Y):
                raise ValueError(
                    f"X and Y must have as many rows, got {len(self.X)} and {len(self.Y)}"
                )
            self.weights = None
            if weights is not None:
                name = "sample_weight"
                self.weights = s = vector(name, weights, len(self.X), "one per sample")
                if (s < 0.0).any():
                    i = int(np.argmax(s < 0.0))
                    raise ValueError(f"{name} must not be negative, got {s[i]} at {name}[{i}]")
        except ValueError as error:
            raise ChunkError(f"in chunk {number}, {error}") from error

    def __len__(self) -> int:
        return len(self.X)


def _table(name: str, value: Any) -> np.ndarray:
    array = float_array(name, value, (1, 2))
    return array[:, np.newaxis] if array.ndim == 1 else array
