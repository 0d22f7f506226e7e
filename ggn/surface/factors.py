"""Small factors with the singular values of the large matrices at w, from one or two sweeps.

    Pᵀ = Q R,    σ(P) = σ(R),    σ(P_l) = σ(the columns of R that belong to layer l)

R is updated chunk by chunk by Householder reflections, so nothing is squared and nothing
of P's size is kept.  Three ways, the first that fits the memory:

    N <= T·nL    samples stream, R is N x N                     O(N² + chunk)
    N > T·nL     P = Q R, weights stream, R is T·nL square      O((T·nL)² + layers of all samples)
    neither      P_l gives way to Q_lᵀ P_l, Q_l an orthonormal basis of P_l Ω, Ω Gaussian with
                 `sketch` columns: no singular value is above P_l's own, and of a P_l of
                 lower rank than that none is lost (with probability one)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dtpqrt

from ggn.network import MLP, chunks
from ggn.surface.layers import LayerChunk, sweep_layers
from ggn.surface.rank import SampleRanks, sample_ranks

__all__ = ["Factors", "factorise"]

SKETCH = 256  # columns of a random sketch where memory is no limit
PANEL = 32  # reflections applied together
TINY = float(np.finfo(np.float64).tiny)
ROWS = 128  # of a block, if there are as many: QR of fewer at a time is slower


class Factor:
    """F with FᵀF = AᵀA, at most square, of an A (rows x columns) that arrives in row blocks."""

    def __init__(self, rows: int, columns: int) -> None:
        self.reduces = rows > columns
        self._filled = 0
        self.matrix = np.zeros((min(rows, columns), columns), order="F")

    def add(self, block: np.ndarray) -> None:
        """Append rows to A."""
        if self.reduces:
            panel = min(PANEL, self.matrix.shape[1])
            block = np.asfortranarray(block)
            self.matrix, *_ = dtpqrt(0, panel, self.matrix, block, overwrite_a=1)
        else:
            self.matrix[self._filled : self._filled + len(block)] = block
        self._filled += len(block)


@dataclass(frozen=True)
class Factors:
    """What the ranks at one point are read from; lists over layers have layer l at [l - 1].

    Attributes
    ----------
    jacobian : ndarray
        Factor of P.
    row_blocks : list of ndarray
        Of P_l.
    inputs : list of ndarray
        Of [φ̂_{l-1}^(1) ... φ̂_{l-1}^(T)], whose rows are columns here; a dummy unit's is the last.
    joint : list of ndarray
        Of [Ψ_l^(1) ... Ψ_l^(T)].
    sensitivities : list of SampleRanks
        Of every Ψ_l^(i).
    least_slopes : ndarray, (L, T)
        Smallest |σ'_l| over the units of layer l.
    norms : ndarray, (L, T)
        ‖φ̂_{l-1}^(i)‖, of the inputs of layer l with its dummy unit.
    sketch : int or None
        Columns of the sketch that stands for whatever has more rows than that.
    """

    jacobian: np.ndarray
    row_blocks: list[np.ndarray]
    inputs: list[np.ndarray]
    joint: list[np.ndarray]
    sensitivities: list[SampleRanks]
    least_slopes: np.ndarray
    norms: np.ndarray
    sketch: int | None

    def estimates(self, rows: int) -> bool:
        """Return whether a matrix with so many rows gave way to its sketch."""
        return self.sketch is not None and rows > self.sketch


def factorise(net: MLP, w: np.ndarray, X: np.ndarray, max_memory: float) -> Factors:
    """Sweep the samples at w and return the factors.

    Raises
    ------
    ValueError
        If not even a sketch fits max_memory (bytes), or what is met is not finite.
    """
    with np.errstate(all="ignore"):
        T, room = len(X), max_memory / 8.0
        if T * net.n_outputs < net.n_weights and room >= weights_doubles(net, T):
            return stream_weights(net, w, X)
        sketch = None
        if room < samples_doubles(net, T, None):
            sketch = SKETCH
            while sketch > 1 and room < samples_doubles(net, T, sketch):
                sketch //= 2
        spare = room - samples_doubles(net, T, sketch)
        if spare < 0.0:
            raise ValueError(
                f"max_memory must be at least {8.0 * (room - spare):.3g} bytes to estimate the "
                f"ranks of {net.n_weights} weights on {T} samples, got {max_memory:.3g}"
            )
        return stream_samples(net, w, X, sketch, 1 + int(spare / sample_doubles(net)))


def sample_doubles(net: MLP) -> int:
    """Return the doubles of one sample in a chunk: the layers and columns of P, and copies."""
    return 2 * net.work_size(1, net.n_outputs) + 3 * net.n_weights * net.n_outputs


def result_doubles(net: MLP, T: int) -> int:
    """Return the doubles kept of every sample, and a sorted copy of all σ(Ψ) for the bounds."""
    return T * sum(3 + 2 * min(n, net.n_outputs) for n in net.sizes[1:])


def weights_doubles(net: MLP, T: int) -> int:
    """Return the doubles of `stream_weights`: all layers, factors, a block of rows, copies."""
    k = T * net.n_outputs
    parts = sum(min(n * m, k) * k for n, m in net.layout.shapes)
    return result_doubles(net, T) + 2 * net.work_size(T, net.n_outputs) + parts + 5 * k * k


def samples_doubles(net: MLP, T: int, sketch: int | None) -> int:
    """Return the doubles of `stream_samples` with one sample at a time."""
    total = result_doubles(net, T) + sample_doubles(net)
    columns = 0
    for (n, m), below in zip(net.layout.shapes, net.sizes, strict=False):
        widths = n * m, below, n
        small = [w if sketch is None else min(w, sketch) for w in widths]
        columns += small[0]
        total += (small[1] + 1) ** 2 + small[2] ** 2
        # the basis, and what it is made from
        total += sum(2 * w * v for w, v in zip(widths, small, strict=True) if v < w)
    return total + 3 * min(T * net.n_outputs, columns) * columns


def stream_samples(
    net: MLP, w: np.ndarray, X: np.ndarray, sketch: int | None, largest: int
) -> Factors:
    """Return the factors from QR of Pᵀ, or of its sketch, at most `largest` samples at a time."""
    T, nL, L = len(X), net.n_outputs, net.depth
    size = min(max(net.chunk_size(nL, net.n_weights * nL), -(-ROWS // nL)), largest)
    bases: list[np.ndarray | None] = [None] * (3 * L)
    if sketch is not None:
        bases = sketch_bases(net, w, X, sketch, size)
    width = [
        n if Q is None else Q.shape[1] for n, Q in zip(heights(net), bases, strict=True)
    ]  # of each part, once it is small
    jacobian = Factor(T * nL, sum(width[:L]))
    inputs = [Factor(T, n + b) for n, b in zip(width[L : 2 * L], net.bias, strict=True)]
    joint = [Factor(T * nL, n) for n in width[2 * L :]]
    each = PerSample(net, T)
    for chunk in sweep_layers(net, w, X, size):
        each.add(chunk)
        small = [
            part if Q is None else Q.T @ part for part, Q in zip(parts(chunk), bases, strict=True)
        ]
        jacobian.add(np.vstack(small[:L]).T)
        for factor, phi, dummy in zip(inputs, small[L : 2 * L], net.bias, strict=True):
            factor.add(np.vstack([phi, np.ones((int(dummy), phi.shape[1]))]).T)
        for factor, Psi in zip(joint, small[2 * L :], strict=True):
            factor.add(Psi.T)
    R, stops = jacobian.matrix, np.cumsum(width[:L])
    blocks = [
        # below row `stop` of a triangle there is nothing in these columns
        R[: stop if jacobian.reduces else None, stop - n : stop]
        for n, stop in zip(width[:L], stops, strict=True)
    ]
    return each.factors(R, blocks, inputs, joint, sketch)


def stream_weights(net: MLP, w: np.ndarray, X: np.ndarray) -> Factors:
    """Return the factors from QR of P, a block of units at a time."""
    T, k = len(X), len(X) * net.n_outputs
    (chunk,) = sweep_layers(net, w, X, T)
    each = PerSample(net, T)
    each.add(chunk)
    blocks, inputs, joint = [], [], []
    total = Factor(sum(min(n * m, k) for n, m in net.layout.shapes), k)
    for layer, (n, m) in enumerate(net.layout.shapes, start=1):
        block = Factor(n * m, k)
        for units in chunks(range(n), max(1, max(ROWS, k) // m)):
            block.add(chunk.row_block(layer, units))
        total.add(block.matrix)
        blocks.append(block.matrix)
        inputs.append(Factor(T, m))
        inputs[-1].add(chunk.inputs[layer - 1].T)
        joint.append(Factor(k, n))
        joint[-1].add(chunk.sensitivities[layer - 1].reshape(n, k).T)
    return each.factors(total.matrix, blocks, inputs, joint, None)


def heights(net: MLP) -> list[int]:
    """Return the rows of each of the `parts`."""
    return [*(n * m for n, m in net.layout.shapes), *net.sizes[:-1], *net.sizes[1:]]


def parts(chunk: LayerChunk) -> Iterator[np.ndarray]:
    """Yield the chunk's columns of P_1 ... P_L, of φ_0 ... φ_{L-1}, and of all Ψ_1 ... Ψ_L."""
    net = chunk.net
    P = chunk.jacobian()
    yield from (P[rows] for rows in net.layout.weight_slices)
    yield from (phi[:n] for phi, n in zip(chunk.inputs, net.sizes, strict=False))
    yield from (Psi.reshape(len(Psi), -1) for Psi in chunk.sensitivities)


def sketch_bases(
    net: MLP, w: np.ndarray, X: np.ndarray, sketch: int, size: int
) -> list[np.ndarray | None]:
    """Return orthonormal bases Q of AΩ for the parts A that have more rows than the sketch."""
    rng = np.random.default_rng(0)
    images = [np.zeros((n, sketch)) if n > sketch else None for n in heights(net)]
    for chunk in sweep_layers(net, w, X, size):
        for part, image in zip(parts(chunk), images, strict=True):
            if image is not None:
                image += part @ rng.standard_normal((part.shape[1], sketch))
    return [None if image is None else np.linalg.qr(image)[0] for image in images]


class PerSample:
    """What is kept of every sample."""

    def __init__(self, net: MLP, T: int) -> None:
        self._net = net
        self._values = [np.empty((T, min(n, net.n_outputs))) for n in net.sizes[1:]]
        self._slopes = np.empty((net.depth, T))
        self._norms = np.empty((net.depth, T))

    def add(self, chunk: LayerChunk) -> None:
        """Take the singular values of Ψ_l, the least slopes and ‖φ̂_{l-1}‖ of a chunk."""
        last = self._net.depth - 1
        for j, (slopes, Psi) in enumerate(zip(chunk.slopes, chunk.sensitivities, strict=True)):
            if not np.isfinite(Psi).all():
                raise not_finite(j + 1)
            self._slopes[j, chunk.rows] = np.abs(slopes).min(axis=0)
            self._norms[j, chunk.rows] = np.linalg.norm(chunk.inputs[j], axis=0)
            if j == last:  # diagonal
                values = np.sort(np.abs(slopes).T, axis=1)[:, ::-1]
            elif min(Psi.shape[:2]) == 1:
                Psi = Psi.reshape(-1, Psi.shape[2])
                scale = np.maximum(np.abs(Psi).max(axis=0), TINY)  # squares must not underflow
                values = (scale * np.linalg.norm(Psi / scale, axis=0))[:, np.newaxis]
            else:
                values = np.linalg.svd(Psi.transpose(2, 0, 1), compute_uv=False)
            self._values[j][chunk.rows] = values

    def factors(
        self,
        jacobian: np.ndarray,
        row_blocks: list[np.ndarray],
        inputs: list[Factor],
        joint: list[Factor],
        sketch: int | None,
    ) -> Factors:
        """Return all factors."""
        for j, block in enumerate(row_blocks):
            if block.size and not np.isfinite(np.abs(block).max() * block.size):
                raise not_finite(j + 1)
        return Factors(
            jacobian,
            row_blocks,
            [factor.matrix for factor in inputs],
            [factor.matrix for factor in joint],
            [
                sample_ranks(values, (n, self._net.n_outputs))
                for values, n in zip(self._values, self._net.sizes[1:], strict=True)
            ],
            self._slopes,
            self._norms,
            sketch,
        )


def not_finite(layer: int) -> ValueError:
    """Return the error for a Jacobian that overflows."""
    return ValueError(
        f"w must give a finite Jacobian, got one beyond float64 in the rows of layer {layer}"
    )
