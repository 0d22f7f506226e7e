"""Which samples of a chunk are trained on, and which are held out: known by its number alone.

So a chunk that is made again, wherever, is divided as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.validation import ArgumentError, describe, number

__all__ = ["Chosen", "Drawn", "division"]


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


def division(validation: Any, seed: int) -> tuple[Any, Any]:
    """Return what is trained on and what is held out, for a fraction or numbers of chunks."""
    if isinstance(validation, float):
        fraction = number("validation", validation, 0.0, 1.0, open_low=True, open_high=True)
        return Drawn(fraction, seed, False), Drawn(fraction, seed, True)
    if (
        isinstance(validation, Sequence)
        and validation
        and all(
            isinstance(i, (int, np.integer)) and not isinstance(i, bool) and i >= 0
            for i in validation
        )
    ):
        chunks = frozenset(int(i) for i in validation)
        return Chosen(chunks, False), Chosen(chunks, True)
    raise ArgumentError(
        "validation",
        "must be a fraction in (0, 1), a sequence of numbers of chunks, or (X, Y) or "
        f"(X, Y, sample_weight), got {describe(validation)}",
    )
