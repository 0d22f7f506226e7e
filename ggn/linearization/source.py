"""Samples in parts that somebody else has: files, a generator, a cluster; and sums over them.

    Source.reduce(combine, function, *args)    combine over parts of function(part, *args)

Whatever a training asks is such a sum of N or N² numbers (`parts.py`), so whoever has the parts
need not show them.  Results are combined in a binary tree of fixed shape, which depends on the
number of parts alone: not on who was quicker, nor on how many there are to work.

A part is what the user calls a chunk, as chunks here are what a sweep takes at a time.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ggn.linearization.memory import Memory
from ggn.validation import float_array, vector

__all__ = ["Columns", "Part", "Source", "SourceError", "Summary", "add", "either", "tree"]

R = TypeVar("R")


class SourceError(ValueError):
    """Samples that cannot be had, or are not what they were or should be; the message says which.

    Raised in a training that has taken a step, it ends the run with `Status.LOST` and the last
    accepted weights; before that it is the caller's.
    """


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
    SourceError
        For what is no table of finite numbers, with the part's number in the sentence.

    Examples
    --------
    >>> Part(4, [[1.0], [np.inf]], [0.0, 0.0])
    Traceback (most recent call last):
        ...
    ggn.linearization.source.SourceError: in chunk 4, X must be finite, got inf at X[1, 0]
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
            raise SourceError(f"in chunk {number}, {error}") from error

    def __len__(self) -> int:
        return len(self.X)


def _table(name: str, value: Any) -> np.ndarray:
    array = float_array(name, value, (1, 2))
    return array[:, np.newaxis] if array.ndim == 1 else array


class Summary(NamedTuple):
    """What one pass over the parts has found of the samples.

    Attributes
    ----------
    first : int
        The number of the first part that has any.
    sizes : tuple of int
        Samples of each part, in order; empty ones have their 0.
    counted : tuple of int
        Those of them with a weight above 0.
    weight : float
        Sum of the weights; T where there are none.
    weighted : bool
        Whether any part has weights.
    X, Y : Columns
        Of inputs and targets.
    zeros_and_ones : bool
        Whether all targets are 0 or 1.
    """

    first: int
    sizes: tuple[int, ...]
    counted: tuple[int, ...]
    weight: float
    weighted: bool
    X: Columns
    Y: Columns
    zeros_and_ones: bool


class Columns(NamedTuple):
    """Of each column, over samples that count: least, largest, mean, standard deviation."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


class Source(ABC):
    """Where the parts are; another kind inherits this class, and says `reduce`."""

    @abstractmethod
    def reduce(
        self, combine: Callable[[R, R], R], function: Callable[..., R | None], *args: Any
    ) -> R | None:
        """Return combine(...) over all parts, in order, of function(part, *args).

        Both are functions of modules, partial at most, so that pickle can take them, and pure:
        combine returns a new result, and changes neither of the two.  None stands for nothing,
        as a part without samples gives: `either` sees to it, and `tree` is the shape.  The same
        parts come in the same order each time.
        """

    def total(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return the sum over the parts of a float, an array or a tuple of them."""
        return self.reduce(add, function, *args)

    @functools.cached_property
    def summary(self) -> Summary:
        """What the first pass finds; errors of the samples come from here.

        Raises
        ------
        SourceError
            For numbers that are not finite, widths that differ, weights that are all 0, or no
            samples at all.
        """
        found = self.reduce(merged, summary_of)
        if found is None or not sum(found.sizes):
            raise SourceError("X must hold at least one sample, got chunks without any")
        if found.weight == 0.0:
            raise SourceError("sample_weight must not be all zero, got zeros only")
        if not np.isfinite(found.weight):
            raise SourceError(f"sample_weight must have a finite sum, got {found.weight}")
        return found

    @property
    def n_samples(self) -> int:
        """Samples, those of weight 0 too."""
        return sum(self.summary.sizes)

    @property
    def weight(self) -> float:
        """Sum of the weights."""
        return self.summary.weight

    @property
    def n_inputs(self) -> int:
        """Columns of X."""
        return len(self.summary.X.low)

    @property
    def n_outputs(self) -> int:
        """Columns of Y."""
        return len(self.summary.Y.low)


def tree(combine: Callable[[R, R], R], results: Iterable[R | None]) -> R | None:
    """Return results combined in pairs, pairs in pairs and so on, each as soon as it can be.

    Examples
    --------
    >>> tree(lambda a, b: f"({a}{b})", "abcdefg")
    '(((ab)(cd))((ef)g))'
    """
    waiting: list[tuple[int, R | None]] = []
    for result in results:
        level = 0
        while waiting and waiting[-1][0] == level:
            result, level = either(combine, waiting.pop()[1], result), level + 1
        waiting.append((level, result))
    last = waiting.pop()[1] if waiting else None
    while waiting:
        last = either(combine, waiting.pop()[1], last)
    return last


def either(combine: Callable[[R, R], R], a: R | None, b: R | None) -> R | None:
    """Return combine(a, b), or the one that there is."""
    if a is None or b is None:
        return b if a is None else a
    return combine(a, b)


def add(a: Any, b: Any) -> Any:
    """Return a + b, tuples by their elements."""
    if isinstance(a, tuple):
        return tuple(add(x, y) for x, y in zip(a, b, strict=True))
    return a + b


# -- the first pass ------------------------------------------------------------------------


def summary_of(part: Part) -> Summary:
    """Return what there is to know of one part."""
    s, Y = part.weights, part.Y
    counted = len(part) if s is None else int(np.count_nonzero(s))
    weight = float(len(part)) if s is None else float(s.sum())
    return Summary(
        part.number,
        (len(part),),
        (counted,),
        weight,
        s is not None,
        _columns(part.X, s),
        _columns(Y, s),
        bool(((Y == 0.0) | (Y == 1.0)).all()),
    )


def _columns(A: np.ndarray, s: np.ndarray | None) -> Columns:
    if s is not None and not s.all():
        A, s = A[s > 0.0], s[s > 0.0]
    n = A.shape[1]
    if not len(A):
        return Columns(np.full(n, np.inf), np.full(n, -np.inf), np.zeros(n), np.zeros(n))
    low, high = A.min(axis=0), A.max(axis=0)
    unit = np.maximum(high, -low)  # squares of the numbers themselves may overflow
    unit[unit == 0.0] = 1.0
    Z = A / unit
    share = None if s is None else s / s.sum()
    mean = Z.mean(axis=0) if share is None else share @ Z
    Z -= mean
    np.square(Z, out=Z)
    variance = Z.mean(axis=0) if share is None else share @ Z
    return Columns(low, high, unit * mean, unit * np.sqrt(variance))


def merged(a: Summary, b: Summary) -> Summary:
    """Return the summary of both (Chan, Golub & LeVeque 1983, with deviations for variances)."""
    sizes, counted = a.sizes + b.sizes, a.counted + b.counted
    if not (sum(a.sizes) and sum(b.sizes)):
        return (a if sum(a.sizes) else b)._replace(sizes=sizes, counted=counted)
    for name, one, other in (("X", a.X, b.X), ("Y", a.Y, b.Y)):
        if len(one.low) != len(other.low):
            raise SourceError(
                f"{name} must have as many columns in each chunk, got {len(one.low)} in chunk "
                f"{a.first} and {len(other.low)} in chunk {b.first}"
            )
    weight = a.weight + b.weight
    share = b.weight / weight if weight > 0.0 else 0.5
    return Summary(
        a.first,
        sizes,
        counted,
        weight,
        a.weighted or b.weighted,
        _both(a.X, b.X, share),
        _both(a.Y, b.Y, share),
        a.zeros_and_ones and b.zeros_and_ones,
    )


def _both(a: Columns, b: Columns, share: float) -> Columns:
    """Return the columns of both, b's weight being that share of all."""
    apart = b.mean - a.mean
    within = np.hypot(np.sqrt(1.0 - share) * a.deviation, np.sqrt(share) * b.deviation)
    return Columns(
        np.minimum(a.low, b.low),
        np.maximum(a.high, b.high),
        a.mean + share * apart,
        np.hypot(within, np.sqrt(share * (1.0 - share)) * np.abs(apart)),
    )
