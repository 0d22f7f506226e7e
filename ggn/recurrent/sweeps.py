"""Sweeps through windows: outputs, their derivatives forward, and sums of these carried back.

Legend:
    Z (T, n)      inputs of all samples; what is fed back is written by `simulate`
    O (T, k)      outputs
    p (N + E,)    weights, then what outputs were before each window, where that is free
    S (k, M)      derivatives of a sample's outputs by weights, and by what is free in its window
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ggn import _core
from ggn._core.machine import limited, share
from ggn.linearization.memory import Memory
from ggn.network.sweeps import CHUNK_DOUBLES
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.windows import Windows

__all__ = ["Sweeps"]

# of a lane, samples, S (c, k, M): may be overwritten
TakeRows = Callable[[int, slice, np.ndarray], None]


class Sweeps:
    """A recursion over the samples of windows.

    Parameters
    ----------
    recursion : Recursion
    Z : ndarray, (T, n)
        What is fed back holds, at the beginning of a window, the values from before it.
    windows : Windows
    free : bool, default False
        Whether those values are parameters, after the weights, window by window.
    chunk_size : int, optional
        Samples of a sweep of derivatives; the result depends on it only by rounding.
    """

    def __init__(
        self,
        recursion: Recursion,
        Z: np.ndarray,
        windows: Windows,
        free: bool = False,
        chunk_size: int | None = None,
    ) -> None:
        self.recursion, self.windows, self.free = recursion, windows, free
        self.Z, self.T, self.chunk_size = Z.copy(), len(Z), chunk_size
        self.O = np.empty((self.T, recursion.k))
        N, n0 = recursion.n_weights, recursion.n_initial if free else 0
        self.N, self.n_initial = N, n0
        self.n_parameters = N + n0 * windows.count
        self.start = recursion.start + N if free else np.full_like(recursion.start, -1)
        self.start[recursion.start < 0] = -1
        self.memory = Memory()
        self._known: tuple[np.ndarray, bool] | None = None
        self._in_step = windows.in_step(recursion.flops())
        self.places = self._initial_places() if free else None

    def _initial_places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return samples, inputs and parameters: where which free value is seen."""
        age, of = self.windows.age, self.windows.window
        samples, inputs, parameters = [], [], []
        for a, (output, delay) in enumerate(self.recursion.feeds):
            seen = np.flatnonzero(age < delay)
            samples.append(seen)
            inputs.append(np.full(len(seen), a))
            column = self.recursion.start[delay - age[seen] - 1, output]
            parameters.append(self.N + of[seen] * self.n_initial + column)
        if not samples:
            return (np.empty(0, dtype=np.intp),) * 3
        return np.concatenate(samples), np.concatenate(inputs), np.concatenate(parameters)

    # -- outputs ---------------------------------------------------------------------------

    def simulate(self, p: np.ndarray) -> bool:
        """Bring Z and O to parameters p; return whether all is finite."""
        if self._known is not None and np.array_equal(self._known[0], p):
            return self._known[1]
        w, loop, self._known = self._weights(p), self.recursion.loop, None
        if self.places is not None:
            samples, inputs, parameters = self.places
            self.Z[samples, inputs] = p[parameters]
        fine = [True] * len(self._in_step)

        def lane(i: int, stopped: Callable[[], bool]) -> None:
            windows = self._in_step[i]
            buffer = self.memory.array(loop.simulate_size(windows.shape[1]))
            fine[i] = _core.simulate(loop, w, windows, self.Z, self.O, buffer)

        self._share(len(fine), lane)
        self._known = p.copy(), all(fine)
        return all(fine)

    def kept(self) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return what `simulate` has left, for `bring_back`."""
        return self._known, self.Z.copy(), self.O.copy()

    def bring_back(self, kept: tuple[Any, np.ndarray, np.ndarray]) -> None:
        """Be where `kept` was called."""
        self._known, self.Z, self.O = kept

    def _weights(self, p: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(p[: self.N])

    def _share(self, lanes: int, work: Callable[[int, Callable[[], bool]], None]) -> None:
        if lanes == 1:
            work(0, lambda: False)
            return
        with limited():
            share(lanes, work)

    def chunk(self, columns: int) -> int:
        """Return the samples of a chunk whose rows have so many columns."""
        if self.chunk_size is not None:
            return self.chunk_size
        fits = int(CHUNK_DOUBLES // self.recursion.work_doubles(columns))
        return min(max(fits - fits % 8, 32), 4096)

    def each_chunk(
        self, parts: list[range], columns: int, do: Callable[[int, slice, np.ndarray], None]
    ) -> None:
        """Call do(lane, rows, buffer) for the chunks of each lane in turn, lanes on threads."""
        c, loop = self.chunk(columns), self.recursion.loop
        size = loop.sweep_size(min(c, self.T))

        def lane(i: int, stopped: Callable[[], bool]) -> None:
            buffer = self.memory.array(size)
            for begin in parts[i][::c]:
                if stopped():
                    return
                do(i, slice(begin, min(begin + c, parts[i].stop)), buffer)

        self._share(len(parts), lane)

    # -- derivatives at the parameters that `simulate` was called with ---------------------

    def each_rows(self, p: np.ndarray, parts: list[range], take: TakeRows) -> None:
        """Call take(lane, rows, S) for the chunks of each lane in turn, lanes on threads.

        S has M = N + n_initial columns; the last are those of what is free in the sample's
        own window.
        """
        recursion, w = self.recursion, self._weights(p)
        depth, k, M = recursion.depth, recursion.k, self.N + self.n_initial
        c = min(self.chunk(M), self.T)
        held = [self.memory.array(depth + c, k, M) for _ in parts]
        slopes = [self.memory.array(c, k, len(recursion.feeds)) for _ in parts]
        loop = recursion.loop

        def do(lane: int, rows: slice, buffer: np.ndarray) -> None:
            n, S = rows.stop - rows.start, held[lane]
            A = slopes[lane][:n]
            _core.loop_slopes(loop, w, self.Z[rows], buffer, A, S[depth : depth + n])
            _core.recur(loop, A, self.windows.age[rows], self.start, S[: depth + n])
            last = S[n : depth + n].copy()
            take(lane, rows, S[depth : depth + n])
            S[:depth] = last

        self.each_chunk(parts, M, do)

    def slopes(self, p: np.ndarray) -> np.ndarray:
        """Return A (T, k, f), the derivatives of outputs by what is fed back."""
        w, loop, f = self._weights(p), self.recursion.loop, len(self.recursion.feeds)
        A = self.memory.array(self.T, self.recursion.k, f)
        parts = self.windows.in_order(self.recursion.flops())

        def do(lane: int, rows: slice, buffer: np.ndarray) -> None:
            _core.loop_slopes(loop, w, self.Z[rows], buffer, A[rows])

        self.each_chunk(parts, 1, do)
        return A

    def carry_back(self, p: np.ndarray, lam: np.ndarray) -> np.ndarray:
        """Return Σ S_iᵀ λ_i, (N + E,), for λ (T, k), which is overwritten."""
        w, loop, windows = self._weights(p), self.recursion.loop, self.windows
        out = np.zeros(self.n_parameters)
        initial = np.zeros((windows.count, max(self.n_initial, 1)))
        start = np.where(self.start >= 0, self.start - self.N, -1)
        _core.recur_back(loop, self.slopes(p), windows.age, windows.window, start, lam, initial)
        parts = windows.in_order(self.recursion.flops(), self.N)
        sums = np.zeros((len(parts), self.N))

        def do(lane: int, rows: slice, buffer: np.ndarray) -> None:
            _core.loop_gradient(loop, w, self.Z[rows], lam[rows], buffer, sums[lane])

        self.each_chunk(parts, 1, do)
        for own in sums:
            out[: self.N] += own
        if self.n_initial:
            out[self.N :] = initial.ravel()
        return out

    def along(self, p: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return S_i v of all samples, (T, k), for v (N + E,)."""
        w, loop, windows = self._weights(p), self.recursion.loop, self.windows
        out, A = np.empty((self.T, self.recursion.k)), self.slopes(p)
        weights = self._weights(v)

        def do(lane: int, rows: slice, buffer: np.ndarray) -> None:
            _core.loop_tangent(loop, w, weights, self.Z[rows], buffer, out[rows])

        self.each_chunk(windows.in_order(self.recursion.flops()), 1, do)
        if self.places is not None:
            samples, inputs, parameters = self.places
            np.add.at(out, samples, A[samples, :, inputs] * v[parameters][:, np.newaxis])
        none = np.full_like(self.start, -1)
        _core.recur(loop, A, windows.age, none, out.reshape(self.T, -1, 1))
        return out
