"""What is minimised: the mean loss over samples plus the weight penalty.

    J(w) = Σ_i c_i E(φ_L(x_i), y_i) + Σ_j l2_j w_j²,    c_i = s_i / Σ s,

s the sample weights (all equal: c_i = 1/T).  The data, loss and penalty are
frozen here, and summed chunk by chunk; an `Objective` says what else is known of them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from ggn import _core
from ggn._core.machine import lane_count
from ggn.activations import Identity
from ggn.linearization.base import BaseObjective
from ggn.linearization.lanes import even, on_threads, split
from ggn.linearization.memory import Memory
from ggn.linearization.shares import Shares, as_counts, repeated
from ggn.linearization.squares import nothing, squares_of
from ggn.losses import Loss, resolve
from ggn.losses.curvature import Curvature
from ggn.network import MLP, chunks
from ggn.validation import ArgumentError, float_array, inputs_and_targets, instance, number

__all__ = ["MeanLoss", "penalty"]

ONE = np.ones(())


class MeanLoss(BaseObjective):
    """Data, loss and penalty of one fit, and scratch memory for evaluating them.

    Not safe to use from two threads at once; make one per thread.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
        1-D is accepted where nL = 1.
    loss : str or Loss, default "squared"
    sample_weight : array_like, (T,), optional
        Not negative, not all zero; a weight of 2 counts as the sample given twice.
    l2 : float or array_like (N,), default 0.0
        Penalty l2_j w_j², not negative.
    chunk_size : int, optional
        Samples per sweep; the result depends on it only by rounding.
    """

    def __init__(
        self,
        net: MLP,
        X: Any,
        Y: Any,
        loss: str | Loss = "squared",
        sample_weight: Any = None,
        l2: Any = 0.0,
        chunk_size: int | None = None,
    ) -> None:
        instance("net must be", net, MLP)
        self.net = net
        self.X, Y = inputs_and_targets(X, Y, net.n_inputs, net.n_outputs)
        self.T = len(self.X)
        if len(Y) != self.T:
            raise ValueError(f"X and Y must have as many rows, got {self.T} and {len(Y)}")
        self.loss = resolve(loss)
        self.loss.check_targets(Y)
        # samples run fastest in the kernels, so targets are kept that way round
        self.Yt = np.ascontiguousarray(Y.T)
        self.c = Shares.from_weights(sample_weight, self.T)
        self.s, self.count = repeated(ONE, self.T), float(self.T)
        self.counting = self.count
        if sample_weight is not None:
            self.s = np.broadcast_to(float_array("sample_weight", sample_weight), self.T)
            # how many samples there are where a weight of 2 counts as the sample given twice
            with np.errstate(over="ignore"):
                self.count = float(self.s.sum())
            self.counting = max(self.count, float(np.count_nonzero(self.s)))
        self.l2 = penalty(l2, net.n_weights)
        self.penalised = bool(self.l2 > 0.0 if isinstance(self.l2, float) else self.l2.any())
        self.chunk_size = chunk_size
        self._memory = Memory()
        self.known: dict[Any, Any] = {}  # what has been found of the data, by who keeps it here
        self._lanes: dict[Any, list[range]] = {}
        self._chunk: dict[tuple[int, int, int], tuple[int, int]] = {}

    def scratch(self, *shape: int) -> np.ndarray:
        """Return an uninitialised array, the caller's until nothing refers to it; see `Memory`."""
        return self._memory.array(*shape)

    def share(self, memory: Memory) -> None:
        """Take scratch from this memory, which others use in turn."""
        self._memory = memory

    def value(self, w: np.ndarray) -> float:
        """Return J(w); inf or nan, and NumPy's warnings, where it overflows."""
        parts, squares = self.lanes(forward_flops), squares_of(self)
        sums, (c, _) = [0.0] * len(parts), self.chunk(0, 0, len(parts))

        def add(lane: int, rows: slice, work: np.ndarray, buffer: np.ndarray) -> None:
            if squares:
                sums[lane] += _core.squares_value(squares.of(w, rows, work, buffer, c))
                return
            F = self.net.sweep(w, self.X[rows], work, keep=0)
            sums[lane] += self.sum_loss(F, rows)

        if squares:
            at_once = squares.at_once(forward_flops(self.net), c)
            self.each_chunk(parts, 0, 0, add, squares.size, at_once)
        else:
            self.each_chunk(parts, 0, 0, add)
        return (self.penalty(w) if self.penalised else 0.0) + sum(sums)

    def lanes(self, flops: Callable[..., float], *of: int, sums: int = 0) -> list[range]:
        """Return the samples of each lane, for flops(net, *of) a sample; see `lane_count`."""
        key = flops, of, sums
        if key not in self._lanes:
            count = lane_count(self.T * flops(self.net, *of), sums)
            self._lanes[key] = split(self.T, count)
        return self._lanes[key]

    def each_chunk(
        self,
        parts: list[range],
        columns: int,
        extra: int,
        do: Callable[[int, slice, np.ndarray, np.ndarray], None],
        beside: Callable[[int], int] = nothing,
        at_once: int = 1,
        end: Callable[[int], object] = nothing,
    ) -> None:
        """Call do(lane, rows, work, buffer) for the chunks of each lane in turn, lanes on threads.

        Parameters
        ----------
        parts : list of range
            The samples of each lane.
        columns, extra : int
            What a chunk's scratch, `work`, has room for; see `chunk`.
        do : callable
        beside : callable, optional
            The doubles that `buffer` has for a chunk of c samples, none by default.
        at_once : int, default 1
            How many chunks a call is given, which uses the same scratch for one after the other.
        end : callable, optional
            end(lane) is called when a lane is done, by the thread that has done it.
        """
        c, size = self.chunk(columns, extra, len(parts))
        size, more = -(-size // 8) * 8, beside(c)  # each begins where a cache line does
        c *= at_once

        def one(lane: int, room: np.ndarray, stopped: Callable[[], bool]) -> None:
            for rows in chunks(parts[lane], c):
                if stopped():
                    return
                do(lane, rows, room[:size], room[size:])
            end(lane)

        on_threads(len(parts), lambda: self.scratch(size + more), one, self.of_the_users_own)

    @property
    def of_the_users_own(self) -> bool:
        """Whether functions of the user's are called, which need not bear several threads."""
        known = type(self.loss).__module__.startswith("ggn.losses")
        return not known or any(a.code < 0 for a in self.net.activations)

    def rounding(self, w: np.ndarray, J: float) -> float:
        """Return how much of J = J(w) the rounding of the outputs can move."""
        eps = np.finfo(np.float64).eps
        total = eps * abs(J)
        for rows, F in self.outputs(w):
            total += eps * float(np.abs(self.derivatives(F, rows) * F).sum())
            # half the curvature: of a bounded loss far out, outputs move J by next to nothing
            with np.errstate(all="ignore"):
                h = self.curvature(F, rows, psd=True).diagonal()
                total += 0.5 * eps**2 * float(np.square(F * np.sqrt(h).T).sum())
        return total

    def part(self, rows: np.ndarray) -> Self:
        """Return the objective of these samples alone, with the memory of this one."""
        part = copy.copy(self)
        part.X, part.Yt, part.T = self.X[rows], np.ascontiguousarray(self.Yt[:, rows]), len(rows)
        part.c, part.s = self.c.part(rows), self.s[rows]
        part._chunk, part._lanes = {}, {}
        return part

    def under(self, l2: Any, loss: Loss | None = None) -> Self:
        """Return this with another penalty, and perhaps another loss, and the same memory."""
        other = copy.copy(self)
        other.l2 = penalty(l2, self.net.n_weights)
        other.penalised = bool(np.any(other.l2))
        other.loss = loss or self.loss
        return other

    @property
    def counted(self) -> np.ndarray:
        """How often each number of the targets counts, (T, nL); small weights only compare them."""
        return np.broadcast_to(as_counts(self.s)[:, np.newaxis], self.Yt.T.shape)

    def residuals(self, w: np.ndarray) -> np.ndarray:
        """Return φ_L - y, (T, nL)."""
        out = np.empty(self.Yt.T.shape)
        for rows, F in self.outputs(w):
            out[rows] = (F - self.Yt[:, rows]).T
        return out

    def twin(self, X: Any, Y: Any, sample_weight: Any) -> Self:
        """Return the objective of as many other samples, X (T, n0) and Y (T, nL), checked before.

        It shares the memory of this one; what is None, and what is known of it, it has too.
        """
        twin = copy.copy(self)
        twin.X = self.X if X is None else X.reshape(self.X.shape)
        if Y is not None:
            twin.Yt = np.ascontiguousarray(Y.reshape(self.T, -1).T)
        if sample_weight is not None:
            twin.c, twin.s = Shares.from_weights(sample_weight, self.T), sample_weight
            with np.errstate(over="ignore"):
                twin.count = float(sample_weight.sum())
            twin.counting = max(twin.count, float(np.count_nonzero(sample_weight)))
        return twin

    def outputs(self, w: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Sweep forward; yield each chunk and its outputs (nL, c), overwritten by the next."""
        net, (c, size) = self.net, self.chunk(0)
        work = self.scratch(size)
        for rows in chunks(range(self.T), c):
            yield rows, net.sweep(w, self.X[rows], work, keep=0)

    def chunk(self, columns: int, extra: int = 0, among: int = 1) -> tuple[int, int]:
        """Return the samples of a chunk of a lane, and the doubles of scratch its sweep needs."""
        key = columns, extra, among
        if key not in self._chunk:
            T = -(-self.T // among)
            c = self.chunk_size or even(T, self.net.chunk_size(columns, extra))
            c = min(c, self.T)
            self._chunk[key] = c, self.net.work_size(c, columns)
        return self._chunk[key]

    def sum_loss(self, F: np.ndarray, rows: slice) -> float:
        """Return Σ c_i E_i of a chunk with outputs F (nL, c)."""
        return self.c.total(self.loss.value(F.T, self.Yt[:, rows].T), rows)

    def derivatives(self, F: np.ndarray, rows: slice) -> np.ndarray:
        """Return c_i ∇_E of a chunk, (nL, c)."""
        eps = self.loss.gradient(F.T, self.Yt[:, rows].T).T
        return np.ascontiguousarray(eps * self.c.of(rows))

    def curvature(self, F: np.ndarray, rows: slice, psd: bool) -> Curvature:
        """Return c_i H_E of a chunk."""
        H = self.loss.hessian(F.T, self.Yt[:, rows].T, psd=psd)
        return Curvature.of(H).weighted(self.c.of(rows))

    def root(self, F: np.ndarray, rows: slice) -> Curvature:
        """Return S of a chunk, S Sᵀ = c_i H_E (psd)."""
        S = self.loss.root(F.T, self.Yt[:, rows].T)
        return Curvature.of(S).weighted(np.sqrt(self.c.of(rows)))

    def whitened(self, F: np.ndarray, rows: slice) -> np.ndarray:
        """Return S⁺ c_i ∇_E of a chunk, (nL, c), for the S of `root`."""
        r = self.loss.whitened(F.T, self.Yt[:, rows].T).T
        return np.ascontiguousarray(r * np.sqrt(self.c.of(rows)))

    def constant_curvature(self) -> float | None:
        """Return α where c_i H_E = α I for all samples and the output is φ_L = z_L, else None."""
        constant = self.loss.constant_curvature
        last, common = self.net.activations[-1], self.c.common
        if constant is None or common is None or last != Identity():
            return None
        return common * constant


def forward_flops(net: MLP) -> float:
    """Return the flops of carrying one sample forward, with 75 in the time of an activation."""
    return 2.0 * net.n_weights + 75.0 * sum(net.sizes[1:])


def penalty(l2: Any, N: int) -> float | np.ndarray:
    """Return the penalty l2 as a number or (N,), if it can be one."""
    if isinstance(l2, str) and l2 == "evidence":
        raise ArgumentError("l2", f"must be numbers, got {l2!r}; train_bayesian chooses it so")
    if isinstance(l2, (int, float, str, np.number)) or l2 is None:
        return number("l2", l2, 0.0)
    array = float_array("l2", l2, (0, 1))
    if array.ndim == 0 or array.size == 1 == N:
        return number("l2", array.ravel()[0], 0.0)
    if array.shape != (N,):
        raise ValueError(f"l2 must be a number or have shape ({N},), got {array.shape}")
    if (array < 0.0).any():
        raise ValueError(f"l2 must not be negative, got {array.min()}")
    return array
