"""What a sample of a network in a loop is computed by.

    o_i = Σ_p net_p(w_p, z_i) + L z_i,   z_i = (o_{i - delay_a, output_a} for a < f;  what is given)

each net into its own range of outputs, L (k, n) if there is one.  An autoregressive model has
one net, and delays 1, 2, ...; a state-space model has x_{i+1} and y_i for outputs, and the
delay 1.  w has the nets' weights, one after the other, then L row by row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ggn import _core
from ggn._core.machine import one_thread
from ggn.network import MLP
from ggn.validation import ArgumentError

__all__ = ["Recursion"]


class Recursion:
    """Networks, and which of their outputs are fed back; nothing in it changes.

    Parameters
    ----------
    parts : sequence of (MLP, int)
        Nets of n inputs, and the first output that each adds to.
    n, k : int
        Inputs z and outputs o.
    feeds : sequence of (int, int)
        For each of the first inputs: the output that it was, and the delay, at least 1.
    linear : bool, default False
        Whether there is L.

    Attributes
    ----------
    n_weights : int
        N, of all nets and of L.
    places : tuple of slice
        The weights of each net in w; then those of L, if there is one.
    depth : int
        The largest delay.
    start : ndarray of intp, (depth, k)
        Which of a window's `n_initial` values is output o, 1, 2, ... samples before it; or -1.

    Examples
    --------
    >>> y = Recursion([(MLP((3, 4, 1)), 0)], n=3, k=1, feeds=[(0, 1), (0, 2)])
    >>> y.n_weights, y.depth, y.n_initial
    (21, 2, 2)
    """

    def __init__(
        self,
        parts: Sequence[tuple[MLP, int]],
        n: int,
        k: int,
        feeds: Sequence[tuple[int, int]],
        linear: bool = False,
    ) -> None:
        for net, _ in parts:
            own = [a for a in net.activations if a.code < 0]
            if own:
                raise ArgumentError(
                    "activation", f"must be a built-in one for a network in a loop, got {own[0]!r}"
                )
        self.parts, self.n, self.k, self.feeds = tuple(parts), n, k, tuple(feeds)
        places, N = [], 0
        for size in [net.n_weights for net, _ in parts] + [n * k] * linear:
            places.append(slice(N, N + size))
            N += size
        self.places, self.n_weights, self.linear = tuple(places), N, linear
        self.depth = max((d for _, d in feeds), default=0)
        self.start = np.full((self.depth, k), -1, dtype=np.intp)
        # the largest delay of an output says how long before a window it is asked for
        reach = [max((d for o, d in feeds if o == output), default=0) for output in range(k)]
        asked = [(i, o) for i in range(self.depth) for o in range(k) if i < reach[o]]
        for column, (i, o) in enumerate(asked):
            self.start[i, o] = column
        self.n_initial = len(asked)
        self._loops: dict[bool, _core.Loop] = {}

    @property
    def loop(self) -> _core.Loop:
        """The door's description, for as many BLAS threads as there are now."""
        alone = one_thread()
        if alone not in self._loops:
            self._loops[alone] = _core.Loop(
                tuple(net.layout for net, _ in self.parts),
                [(row, at.start) for (_, row), at in zip(self.parts, self.places, strict=False)],
                self.places[-1].start if self.linear else -1,
                self.feeds,
                self.n,
                self.k,
            )
        return self._loops[alone]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_loops": {}}

    def flops(self) -> float:
        """Return the flops of one sample forward, with 75 in the time of an activation."""
        units = sum(sum(net.sizes[1:]) for net, _ in self.parts)
        return 2.0 * self.n_weights + 75.0 * units

    def row_flops(self, columns: int) -> float:
        """Return the flops of one sample's derivatives, and of their products."""
        return columns * self.k * (2.0 * len(self.feeds) + 8.0 + columns)

    def work_doubles(self, columns: int) -> float:
        """Return the doubles of scratch per sample of a chunk with so many columns of rows."""
        own = sum(net.work_size(1, net.n_outputs) + 4 * max(net.sizes) for net, _ in self.parts)
        return own + self.k * (columns + len(self.feeds))
