"""The normal matrix P H_E Pᵀ, accumulated chunk by chunk, in the cheaper of two forms.

    Blocks    products of pairs (see `_core/normal.pyx`): Khatri-Rao structure,
              any H_E, half the flops of dsyrk or less, but pairs must be formed
    Columns   dsyrk on B = P S, a chunk of columns at a time; needs H_E >= 0

Blocks wins but for a handful of weights, or samples, and one output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ggn import _core
from ggn._core.machine import lane_count, share
from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.squares import Passed
from ggn.linearization.sweeping import FLOPS_PER_ELEMENT, Accumulator
from ggn.network import MLP

__all__ = ["Blocks", "Columns", "accumulators", "normal_memory", "normal_work"]

# Weights, or samples, up to which dsyrk on chunks is taken where there is one output: products of
# pairs took 1.0 to 1.2 of its time up to 16 weights, 0.8 to 1.0 from there to 40, less beyond
# (1 to 5 inputs, one layer of 2 to 12 units or two of 3 to 5); an iteration with 20 samples took
# 1.0 to 1.1, with 50 0.9 to 1.05 (AMD EPYC, Zen 5, AVX2 and AVX-512).  With more outputs than one
# they win at any size.
FEW_WEIGHTS = 16
FEW_SAMPLES = 32
# How much more than dsyrk BLAS's products of pairs do in the same time, where we have none.
BLAS_RATE = 0.85

# Doubles of the lanes' sums that are added at once: 256 KB, which stay in the cache meanwhile.
PIECE = 2**15
# Sums that threads share at the end, to add and to put in their places: fewer are added by whoever
# has summed them, from his cache, and put in their places in less time than a thread starts.
SHARED_FROM = 2**20
PARTS = 16


class Blocks:
    """Products of pairs of units with pairs of inputs; `lent` has room for their sums."""

    chunk_doubles = 256  # so that a chunk has 200 to 350 samples, measured best

    def __init__(
        self, objective: MeanLoss, G: np.ndarray, psd: bool, lent: np.ndarray | None = None
    ) -> None:
        self.objective, self.net, self.G, self.psd = objective, objective.net, G, psd
        self.constant = objective.constant_curvature()
        self.form: int | None = None
        self.taken: list[np.ndarray] = []  # sums of other lanes, still to be added
        self.sums = np.empty(0) if lent is None else lent.reshape(-1)

    def beside(self, c: int) -> int:
        _, tile, weighted = self.net.layout.normal_sizes(c, 0 if self.constant is not None else 1)
        return tile + weighted

    def add(
        self, w: np.ndarray, F: np.ndarray, rows: slice, work: np.ndarray, buffer: np.ndarray
    ) -> None:
        net, objective, c = self.net, self.objective, F.shape[1]
        h, form = None, 0
        if self.constant is None:
            H = objective.curvature(F, rows, self.psd)
            h, form = H.samples_last(), H.form
        _, tile, _ = net.layout.normal_sizes(c, form)
        first = self.begins(form)
        _core.sensitivities(net.layout, w, c, None, work)
        _core.add_normal(net.layout, c, h, work, buffer[tile:], buffer[:tile], self.sums, first)

    def add_squares(self, passed: Passed, gradient: np.ndarray) -> None:
        """Add samples under the squared loss, and their gradient to it; see `Squares.of`."""
        begins = self.begins(0)
        _core.squares_normal(passed, out=gradient, sums=self.sums, begins=begins)

    def begins(self, form: int) -> bool:
        """Return whether these are the first samples, and then make room for their sums."""
        if self.form is not None:
            return False
        self.form = form
        sums, _, _ = self.net.layout.normal_sizes(1, form)
        if len(self.sums) < sums:
            self.sums = self.objective.scratch(sums)
        self.sums = self.sums[:sums]
        return True

    def take(self, other: Accumulator) -> None:
        assert isinstance(other, Blocks)
        if other.form is not None:  # else there were fewer samples than lanes
            self.taken.append(other.sums)
            other.sums = np.empty(0)
            if len(self.sums) < SHARED_FROM:
                self.add_taken(slice(None))
                self.taken.clear()

    def add_taken(self, part: slice) -> None:
        with np.errstate(all="ignore"):  # products above the diagonal may not be written
            for sums in self.taken:
                self.sums[part] += sums[part]

    def finish(self) -> None:
        """Write the lower triangle of the matrix."""
        net, form = self.net, self.form
        assert form is not None

        def add(piece: int, stopped: Callable[[], bool]) -> None:
            self.add_taken(slice(piece * PIECE, (piece + 1) * PIECE))

        if self.taken:
            share(-(-len(self.sums) // PIECE), add)
        alpha = 1.0 if self.constant is None else self.constant

        def scatter(part: int, stopped: Callable[[], bool]) -> None:
            _core.scatter_normal(net.layout, form, alpha, self.sums, self.G, part, PARTS)

        share(PARTS, scatter, alone=len(self.sums) < SHARED_FROM)


class Columns:
    """dsyrk on chunks of B = P S."""

    add_squares = None

    def __init__(self, objective: MeanLoss, G: np.ndarray) -> None:
        self.objective, self.net, self.G = objective, objective.net, G
        self.chunk_doubles = self.net.n_weights * self.net.n_outputs
        G.fill(0.0)

    def beside(self, c: int) -> int:
        return self.chunk_doubles * c

    def add(
        self, w: np.ndarray, F: np.ndarray, rows: slice, work: np.ndarray, buffer: np.ndarray
    ) -> None:
        net, c = self.net, F.shape[1]
        s = self.objective.root(F, rows).samples_last()
        _core.sensitivities(net.layout, w, c, s, work)
        B = buffer[: self.chunk_doubles * c].reshape(net.n_weights, net.n_outputs * c)
        _core.jacobian(net.layout, c, work, B)
        _core.add_product(B, self.G)

    def take(self, other: Accumulator) -> None:
        raise NotImplementedError("one lane")

    def finish(self) -> None:
        pass


def accumulators(
    objective: MeanLoss, G: np.ndarray, psd: bool, lent: np.ndarray | None = None
) -> Sequence[Blocks | Columns]:
    """Return the cheaper form for this network, one for each lane; Blocks if H_E may be indefinite.

    The first takes what the others have summed, and is to be finished.
    """
    net = objective.net
    if psd and by_columns(objective):
        return [Columns(objective, G)]
    others = range(lanes_of_blocks(net, objective.T) - 1)
    return [Blocks(objective, G, psd, lent), *(Blocks(objective, G, psd) for _ in others)]


def by_columns(objective: MeanLoss) -> bool:
    """Return whether Columns is the cheaper form of the matrix that steps are taken with."""
    return objective.loss.semidefinite and columns_are_cheaper(objective.net, objective.T)


def columns_are_cheaper(net: MLP, T: int) -> bool:
    """Return whether dsyrk on chunks of P takes less time than pair products."""
    if _core.SIMD == "none":
        return BLAS_RATE * column_work(net) < block_work(net)
    return net.n_outputs == 1 and (net.n_weights <= FEW_WEIGHTS or T <= FEW_SAMPLES)


def lanes_of_blocks(net: MLP, T: int) -> int:
    """Return into how many lanes the samples are split."""
    sums, _, _ = net.layout.normal_sizes(1, 1)
    return lane_count(T * block_work(net), sums)


def column_work(net: MLP) -> float:
    """Return the work of dsyrk on a chunk of P, in flops per sample."""
    N, nL = net.n_weights, net.n_outputs
    return N * N * nL + FLOPS_PER_ELEMENT * N * nL


def block_work(net: MLP) -> float:
    """Return the work of the pair products, in flops per sample."""
    nL, shapes = net.n_outputs, net.layout.shapes
    flops = elements = 0.0
    for i, (n, m) in enumerate(shapes):
        for j, (nk, mk) in enumerate(shapes[: i + 1]):
            if i == j and net.layout.by_triples(i + 1):  # half of the columns, and so of all
                pairs = (0.5 * n, n * (m * mk + m) / 2)
                elements += pairs[1] + n
            elif i == len(shapes) - 1:  # rows H Psi_k are there already; or one dsyrk
                pairs = (nk * nL if j < i else 0.5, float(m * mk))
                elements += pairs[1] if j < i else 0
            else:
                half = 0.5 if i == j else 1.0
                pairs = (half * (n * nk + n * (i == j)), half * (m * mk + m * (i == j)))
                elements += pairs[0] * (1 + nL) / 2 + pairs[1]
            flops += 2.0 * pairs[0] * pairs[1]
    return flops + FLOPS_PER_ELEMENT * elements


def normal_work(net: MLP) -> float:
    """Return the work of the cheaper form, in flops per sample."""
    return min(block_work(net), column_work(net))


def normal_memory(net: MLP, T: int) -> int:
    """Return the doubles that the cheaper form needs beside N² for G and N² lent."""
    nL = net.n_outputs
    if columns_are_cheaper(net, T):
        per_sample = net.n_weights * nL
        return per_sample * min(net.chunk_size(nL, per_sample), T)
    c = min(net.chunk_size(nL, Blocks.chunk_doubles), T)
    sums, tile, weighted = net.layout.normal_sizes(c, 2)
    lanes = lanes_of_blocks(net, T)
    return int(lanes * (tile + weighted) + (lanes - 1) * sums)
