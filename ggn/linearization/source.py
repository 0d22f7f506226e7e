"""Samples in parts that somebody else has: files, a generator, a cluster; and sums over them.

    Source.reduce(combine, function, *args)    combine over parts of function(part, *args)

Whatever a training asks is such a sum of N or N² numbers (`parts.py`), so whoever has the parts
need not show them.  Results are combined in a binary tree of fixed shape, which depends on the
number of parts alone: not on who was quicker, nor on how many there are to work.

A part is what the user calls a chunk, as chunks here are what a sweep takes at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ggn._core.cached import cached_property
from ggn.linearization.lost import SourceError
from ggn.linearization.part import ChunkError, Part
from ggn.linearization.summary import Summary, merged, summary_of
from ggn.linearization.transport import Transport

__all__ = ["ChunkError", "Names", "Part", "Source", "SourceError", "add", "either", "tree"]

R = TypeVar("R")
Names: TypeAlias = tuple[list[Any] | None, list[Any] | None]


class Source(ABC):
    """Where the parts are; another kind inherits this class, and says `reduce`.

    Attributes
    ----------
    transport : Transport, optional
        What a sum costs beside the work on samples; None where they are on this machine.
    """

    transport: Transport | None = None
    no_array = (
        "samples in chunks are for ggn.train, train_restarts, linearize and diagnose, and "
        "Chunks.split divides them"
    )

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

    def hurry(self) -> None:
        """Take note of Ctrl-C: what may have gone with it is not to be waited for."""
        return

    def latency(self) -> float:
        """Return the seconds that a sum of no work takes; 0 where that is next to nothing."""
        return 0.0

    def total(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return the sum over the parts of a float, an array or a tuple of them."""
        return self.reduce(add, function, *args)

    @cached_property
    def _found(self) -> Summary | None:
        return self.reduce(merged, summary_of)

    @property
    def summary(self) -> Summary:
        """What the first pass finds; errors of the samples come from here.

        Raises
        ------
        ChunkError
            For numbers that are not finite, widths that differ, weights that are all 0, or no
            samples at all.
        """
        found = self._found
        if found is None or not sum(found.sizes):
            raise ChunkError("X must hold at least one sample, got chunks without any")
        if found.weight == 0.0:
            raise ChunkError("sample_weight must not be all zero, got zeros only")
        if not np.isfinite(found.weight):
            raise ChunkError(f"sample_weight must have a finite sum, got {found.weight}")
        return found

    @property
    def names(self) -> Names:
        """Names of the columns of X and Y, where they are data frames that have some."""
        return None, None

    @property
    def n_samples(self) -> int:
        """Samples, those of weight 0 too."""
        return 0 if self._found is None else sum(self._found.sizes)

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
