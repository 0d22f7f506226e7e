"""Windows: stretches of samples, one after the other, in which outputs are fed back.

Nothing is carried from one to the next, however near they are: each begins with values that
are data, or free.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ggn._core.machine import lane_count

__all__ = ["Windows"]


class Windows:
    """Samples 0 ... T - 1 in windows of these lengths.

    Attributes
    ----------
    first, length : ndarray of intp, (count,)
    age, window : ndarray of intp, (T,)
        How far into its window each sample is, and which that is.

    Examples
    --------
    >>> windows = Windows([3, 2])
    >>> windows.age.tolist(), windows.window.tolist()
    ([0, 1, 2, 0, 1], [0, 0, 0, 1, 1])
    """

    def __init__(self, lengths: Sequence[int] | np.ndarray) -> None:
        self.length = np.asarray(lengths, dtype=np.intp)
        self.count, self.T = len(self.length), int(self.length.sum())
        self.first = np.concatenate([[0], np.cumsum(self.length)[:-1]]).astype(np.intp)
        self.window = np.repeat(np.arange(self.count, dtype=np.intp), self.length)
        self.age = np.arange(self.T, dtype=np.intp) - self.first[self.window]

    def cut(self, horizon: int) -> Windows:
        """Return each in pieces of `horizon` samples, the last of each with what is left.

        Examples
        --------
        >>> Windows([5, 2]).cut(2).length.tolist()
        [2, 2, 1, 2]
        """
        lengths: list[int] = []
        for n in self.length.tolist():
            whole, left = divmod(n, horizon)
            lengths += [horizon] * whole + [left] * (left > 0)
        return Windows(lengths)

    def in_step(self, flops: float) -> list[np.ndarray]:
        """Return first samples and lengths, (2, count), of each lane for a sweep in time.

        The longest come first; flops are those of a sample.
        """
        order = np.argsort(-self.length, kind="stable")
        count = min(lane_count(self.T * flops), self.count)
        # the longest first, each to the lane that has least: near enough to a fair share
        if count == 1 or self.length[order[0]] == self.length[order[-1]]:
            parts = [order[i::count] for i in range(count)]
        else:
            loads = np.zeros(count)
            shares: list[list[int]] = [[] for _ in range(count)]
            for j in order.tolist():
                lane = int(np.argmin(loads))
                loads[lane] += self.length[j]
                shares[lane].append(j)
            parts = [np.array(s, dtype=np.intp) for s in shares if s]
        return [np.ascontiguousarray([self.first[p], self.length[p]]) for p in parts]

    def in_order(self, flops: float, sums: int = 0) -> list[range]:
        """Return the samples of each lane, whole windows; flops are those of a sample."""
        count = lane_count(self.T * flops, sums)
        ends = np.cumsum(self.length)
        cuts = [int(ends[np.searchsorted(ends, self.T * (i + 1) / count)]) for i in range(count)]
        edges = sorted({0, *cuts})
        return [range(a, b) for a, b in itertools.pairwise(edges)]
