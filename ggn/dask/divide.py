"""Which samples of a chunk are trained on, and which are held out: known by its number alone.

So a chunk that is made again, wherever, is divided as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.validation import ArgumentError, describe, number

__all__ = ["Chosen", "Drawn", "division", "is_number"]


@dataclass(frozen=True)
class Drawn:
    """A fraction of every chunk, drawn at random, or what is left.

    Examples
    --------
    >>> held, rest = Drawn(0.25, 0, True), Drawn(0.25, 0, False)
    >>> bool((held(7, 1000) ^ rest(7, 1000)).all()), int(held(7, 1000).sum())
    (True, 223)
    """

    fraction: float
    seed: int
    held: bool

    def __call__(self, chunk: int, n: int) -> np.ndarray:
        drawn = np.random.default_rng([self.seed, chunk]).random(n) < self.fraction
        return drawn if self.held else ~drawn


@dataclass(frozen=True)
class Chosen:
    """Whole chunks, or all others."""

    chunks: frozenset[int]
    held: bool

    def __call__(self, chunk: int, n: int) -> np.ndarray:
        return np.full(n, (chunk in self.chunks) == self.held)


def division(validation: Any, seed: int, n_chunks: int) -> tuple[Any, Any]:
    """Return what is trained on and what is held out, for a fraction or numbers of chunks.

    Examples
    --------
    >>> division([1, 7], 0, 5)
    Traceback (most recent call last):
        ...
    ggn.validation.errors.ArgumentError: validation names chunk 7, but there are chunks 0 to 4
    """
    if isinstance(validation, float):
        fraction = number("validation", validation, 0.0, 1.0, open_low=True, open_high=True)
        return Drawn(fraction, seed, False), Drawn(fraction, seed, True)
    several = isinstance(validation, (Sequence, np.ndarray)) and np.ndim(validation) == 1
    if several and len(validation) and all(map(is_number, validation)):
        chunks = frozenset(int(i) for i in validation)
        for i in validation:
            if not 0 <= i < n_chunks:
                there = f"chunks 0 to {n_chunks - 1}" if n_chunks > 1 else "chunk 0 alone"
                raise ArgumentError("validation", f"names chunk {i}, but there are {there}")
        if len(chunks) == n_chunks:
            raise ArgumentError(
                "validation", f"must leave chunks to train on, got all of them: {n_chunks}"
            )
        return Chosen(chunks, False), Chosen(chunks, True)
    raise ArgumentError(
        "validation",
        "must be a fraction in (0, 1), a sequence of numbers of chunks, or (X, Y) or "
        f"(X, Y, sample_weight), got {describe(validation)}",
    )


def is_number(i: Any) -> bool:
    """Whether i can be the number of a chunk."""
    return isinstance(i, (int, np.integer)) and not isinstance(i, bool)
