"""What one pass over the parts of a source finds: sizes, weights, means, deviations, ranges.

Two summaries make one (Chan, Golub & LeVeque 1983, with deviations in place of variances): with
b the share of the second in the weight, and δ the difference of the means,

    m = m_1 + b δ,    s² = (1 - b) s_1² + b s_2² + b (1 - b) δ²
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ggn.linearization.part import ChunkError, Part

__all__ = ["Columns", "Summary", "merged", "summary_of"]


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
        Whether parts have weights: all or none.
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

    def scaled(self, m: np.ndarray, s: Any) -> Columns:
        """Return those of (A - m) / s."""
        with np.errstate(all="ignore"):
            ends = (self.low - m) / s, (self.high - m) / s
            return Columns(*ends, (self.mean - m) / s, self.deviation / s)


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
            raise ChunkError(
                f"{name} must have as many columns in each chunk, got {len(one.low)} in chunk "
                f"{a.first} and {len(other.low)} in chunk {b.first}"
            )
    if a.weighted != b.weighted:
        has, lacks = (a.first, b.first) if a.weighted else (b.first, a.first)
        raise ChunkError(
            f"sample_weight must be in each chunk or in none, got it in chunk {has} and not in "
            f"chunk {lacks}"
        )
    weight = a.weight + b.weight
    share = b.weight / weight if weight > 0.0 else 0.5
    return Summary(
        a.first,
        sizes,
        counted,
        weight,
        a.weighted,
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
