"""Median and MAD of columns that come in parts, exact, without all of them in one place.

    median    half of v(W/2 - δ) + v(W/2 + δ),    v(t) = least number y with Σ_{y_i <= y} s_i >= t

as `robust_scale.median` has it, δ = 1e-9 W.  A bracket (low, high] that holds both is cut into
EDGES pieces in each pass, until few enough numbers are in it to be brought here.  The MAD is the
same of |y - m|.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ggn.linearization.part import Part
from ggn.linearization.robust_scale import NORMAL
from ggn.linearization.source import Source

__all__ = ["robust_columns"]

EDGES = 1024
FEW = 100_000  # numbers of a column that may be brought here
PASSES = 12  # after which a bracket holds no two float64 numbers, unless there are repeated ones
NEAR = 1e-9


class What(NamedTuple):
    """Of which numbers: y, or |y - m|; of targets or inputs; those above 0 only, or all."""

    targets: bool
    centre: np.ndarray | None
    positive: bool

    def of(self, part: Part, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of a column, and their weights."""
        y = (part.Y if self.targets else part.X)[:, column]
        s = np.ones(len(y)) if part.weights is None else part.weights
        if self.centre is not None:
            y = np.abs(y - self.centre[column])
        kept = s > 0.0
        if self.positive:
            kept &= y > 0.0
        return y[kept], s[kept]


def robust_columns(source: Source, targets: bool, shift: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return median, or 0 without a shift, and 1.4826 MAD of each target, or each input.

    Of a column most of which is one number the MAD is that of the other numbers.
    """
    A = source.summary.Y if targets else source.summary.X
    centre = np.zeros(len(A.low))
    if shift:
        centre = _medians(source, What(targets, None, False), A.low, A.high)
    far = np.maximum(np.abs(A.high - centre), np.abs(A.low - centre))
    size = _medians(source, What(targets, centre, False), np.zeros(len(far)), far)
    again = (size == 0.0) & (far > 0.0)
    if again.any():
        others = _medians(source, What(targets, centre, True), np.zeros(len(far)), far)
        size = np.where(again, others, size)
    return centre, NORMAL * size


def _medians(source: Source, what: What, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the median of each column, whose numbers lie from least to most."""
    low, high = np.nextafter(least, -np.inf), most.copy()
    whole, inside = (end[:, 0] for end in source.total(weight_below, what, high[:, np.newaxis]))
    first, second = (0.5 - NEAR) * whole, (0.5 + NEAR) * whole
    for _ in range(PASSES):
        if (inside <= FEW).all():
            break
        edges = np.stack([np.linspace(a, b, EDGES) for a, b in zip(low, high, strict=True)])
        below, counts = source.total(weight_below, what, edges)
        for j in range(len(low)):
            i = max(int(np.searchsorted(below[j], first[j])) - 1, 0)  # below[i] < first
            k = min(int(np.searchsorted(below[j], second[j])), EDGES - 1)  # below[k] >= second
            low[j], high[j] = edges[j, i], edges[j, k]
            inside[j] = counts[j, k] - counts[j, i]
    start = source.total(weight_below, what, low[:, np.newaxis])[0][:, 0]
    found = source.reduce(merged_values, values_between, what, low, high)
    assert found is not None
    out = np.zeros(len(low))
    for j, (values, weights) in enumerate(found):
        if len(values):
            upto = start[j] + np.cumsum(weights)
            i, k = np.searchsorted(upto, [first[j], second[j]])
            last = len(values) - 1
            out[j] = 0.5 * values[min(i, last)] + 0.5 * values[min(k, last)]
    return out


def weight_below(part: Part, what: What, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and count of the numbers up to each edge, edges (nL, E) ascending."""
    weight, count = np.zeros(edges.shape), np.zeros(edges.shape)
    for j, edge in enumerate(edges):
        y, s = what.of(part, j)
        order = np.argsort(y)
        where = np.searchsorted(y[order], edge, side="right")
        weight[j] = np.concatenate([[0.0], np.cumsum(s[order])])[where]
        count[j] = where
    return weight, count


Values = tuple[tuple[np.ndarray, np.ndarray], ...]


def values_between(part: Part, what: What, low: np.ndarray, high: np.ndarray) -> Values:
    """Return, of each column, the numbers in (low, high], each once, and their weights."""
    found = []
    for j in range(len(low)):
        y, s = what.of(part, j)
        kept = (y > low[j]) & (y <= high[j])
        found.append(_once(y[kept], s[kept]))
    return tuple(found)


def merged_values(a: Values, b: Values) -> Values:
    """Return the numbers of both."""
    pairs = zip(a, b, strict=True)
    return tuple(_once(*(np.concatenate(two) for two in zip(x, y, strict=True))) for x, y in pairs)


def _once(y: np.ndarray, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers, ascending, each once, with the sum of its weights."""
    values, where = np.unique(y, return_inverse=True)
    return values, np.bincount(where, s, minlength=len(values))
