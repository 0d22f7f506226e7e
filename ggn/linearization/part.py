"""One part of the samples that a source has: arrays, checked, and what is kept of them."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ggn.linearization.lost import SourceError
from ggn.linearization.memory import Memory
from ggn.validation import vector, with_sum

__all__ = ["ChunkError", "Part", "Seen"]

ALIKE = 1e-10  # of rows times the largest number: sums that differ by rounding


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
    sums : tuple of (float, float, float or None)
        Of all numbers of X, Y and weights.
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
            (self.X, in_X), (self.Y, in_Y) = _table("X", X), _table("Y", Y)
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
            own = None if self.weights is None else float(self.weights.sum())
            self.sums = (in_X, in_Y, own)
        except ValueError as error:
            raise ChunkError(f"in chunk {number}, {error}") from error

    def __len__(self) -> int:
        return len(self.X)


class Seen(NamedTuple):
    """What is remembered of a part, lest a later pass bring other samples unseen.

    Attributes
    ----------
    rows : int
    sums : tuple
        As of the part.  They cost nothing: the look for numbers that are not finite takes them.
    off : tuple of float
        How far rounding may move each, as where threads make the samples anew.
    """

    rows: int
    sums: tuple[float, float, float | None]
    off: tuple[float, ...]

    @classmethod
    def of(cls, part: Part) -> Seen:
        """Return what is to be remembered of a part."""
        arrays = (part.X, part.Y, part.weights)
        most = [0.0 if A is None else A.size * float(np.abs(A).max(initial=0.0)) for A in arrays]
        return cls(len(part), part.sums, tuple(ALIKE * size for size in most))

    def check(self, part: Part) -> None:
        """Raise ChunkError where a part of as many rows has other sums."""
        if len(part) != self.rows:
            return  # which whoever needs the rows says
        names = ("X", "Y", "sample_weight")
        for name, before, now, off in zip(names, self.sums, part.sums, self.off, strict=True):
            if before is None or now is None:
                same = before is now
            else:
                same = abs(now - before) <= off or not math.isfinite(before)
            if not same:
                raise ChunkError(
                    f"the samples of chunk {part.number} have changed: the sum of {name} was "
                    f"{_said(before)} in the first pass and is {_said(now)} now"
                )


def _said(total: float | None) -> str:
    return "that of none" if total is None else f"{total:.12g}"


def _table(name: str, value: Any) -> tuple[np.ndarray, float]:
    array, total = with_sum(name, value, (1, 2))
    return array[:, np.newaxis] if array.ndim == 1 else array, total
