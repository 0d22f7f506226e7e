"""Sweeps over chunks of samples: outputs, and their derivatives in weights and in inputs.

    φ_L                          (nL,)      forward
    P, eq. 19                    (N, nL)    forward, then the sensitivities Ψ_l of eq. 17
    ∂φ_L/∂x = Ψ_1ᵀ W_1ᵀ          (nL, n0)   the same; W_1 (n0, n_1) without its dummy row, for the
                                            dummy unit does not vary with x

for one sample.  Nothing is checked here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ggn import _core

__all__ = ["CHUNK_DOUBLES", "chunk_size", "chunks", "input_jacobian", "jacobian", "outputs"]

# Scratch of one chunk of samples, in doubles: 1 MB, the level-2 cache of one core.
CHUNK_DOUBLES = 1 << 17


def chunks(samples: range, size: int) -> Iterator[slice]:
    """Split them into slices of at most size."""
    for start in samples[::size]:
        yield slice(start, min(start + size, samples.stop))


def chunk_size(layout: _core.Layout, columns: int, extra: int = 0) -> int:
    """Return how many samples, with `extra` doubles each, make a chunk that fits the cache."""
    per_sample = layout.work_size(1, columns) + extra
    c = min(max(CHUNK_DOUBLES // per_sample, 32), 4096)
    return c - c % 8  # so that rows of samples begin where a cache line does


def outputs(layout: _core.Layout, w: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return φ_L, (T, nL)."""
    out = np.empty((len(X), layout.sizes[-1]))
    c = chunk_size(layout, 0)
    work = np.empty(layout.work_size(min(c, len(X)), 0))
    for rows in chunks(range(len(X)), c):
        _core.forward(layout, w, X[rows], work, 0, exact=True)
        out[rows] = layout.outputs(work, rows.stop - rows.start).T
    return out


def jacobian(layout: _core.Layout, w: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return P (N, T·nL); column i·nL + o is sample i, output o."""
    N, nL, T = layout.n_weights, layout.sizes[-1], len(X)
    out = np.empty((N, T, nL))
    for rows, work in _backward(layout, w, X, N * nL):
        n = rows.stop - rows.start
        part = np.empty((N, nL * n))
        _core.jacobian(layout, n, work, part)
        out[:, rows] = part.reshape(N, nL, n).transpose(0, 2, 1)
    return out.reshape(N, T * nL)


def input_jacobian(layout: _core.Layout, w: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return ∂φ_L/∂x, (T, nL, n0)."""
    n0, nL = layout.sizes[0], layout.sizes[-1]
    out = np.empty((len(X), nL, n0))
    W = layout.weights(w)[0][:, :n0]
    for rows, work in _backward(layout, w, X, n0 * nL):
        n = rows.stop - rows.start
        Psi = layout.sensitivities(work, n, 1)
        with np.errstate(all="ignore"):  # far outside the data it may overflow
            product = (W.T @ Psi.reshape(len(W), nL * n)).reshape(n0, nL, n)
        out[rows] = product.transpose(2, 1, 0)
    return out


def _backward(
    layout: _core.Layout, w: np.ndarray, X: np.ndarray, extra: int
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield each chunk and the scratch with its sensitivities, overwritten by the next."""
    nL = layout.sizes[-1]
    c = chunk_size(layout, nL, extra)
    work = np.empty(layout.work_size(min(c, len(X)), nL))
    for rows in chunks(range(len(X)), c):
        _core.forward(layout, w, X[rows], work, 1)
        _core.sensitivities(layout, w, rows.stop - rows.start, None, work)
        yield rows, work
