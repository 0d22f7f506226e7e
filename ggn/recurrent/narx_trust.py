"""What the data leave open about a model of lags, carried through time.

C = σ² (Σ SᵀS + T R)⁺,     σ² = E_D / (n - tr(free))        Laplace's method
var o_i = s_iᵀ C s_i       s_i: derivatives of an output of a run by the weights
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ggn.recurrent.sweeps import Sweeps

__all__ = ["Trust", "trust", "variances"]

CUT = 1e-13  # eigenvalues of the GGN matrix, relative, that count as zero in a covariance


class Trust(NamedTuple):
    """What the data leave open.

    Attributes
    ----------
    covariance : ndarray, (N, N)
        Of the weights in the caller's units.
    left : float
        n over the degrees of freedom left, by which squares of noise are larger than residuals'.
    """

    covariance: np.ndarray
    left: float


def trust(
    G: np.ndarray, prior: np.ndarray, move: np.ndarray, noise_std: np.ndarray, samples: float
) -> Trust:
    """Return C and what noise is to be taken times.

    Parameters
    ----------
    G : ndarray, (N, N)
        The GGN matrix of J', the penalty's Hessian in it, in the units of the run: in others what
        counts as zero would hang on these.
    prior : ndarray, (N,)
        The diagonal of that Hessian.
    move : ndarray, (N, N)
        The caller's step, over the root of J / J', by each one of the run's weights.
    noise_std : ndarray, (n_y,)
        Of residuals, in the caller's units.
    samples : float
    """
    size = np.sqrt(np.where(G.diagonal() > 0.0, G.diagonal(), 1.0))
    values, vectors = np.linalg.eigh(0.5 * (G + G.T) / np.outer(size, size))
    kept = values > CUT * values[-1]
    root = vectors[:, kept] / np.sqrt(values[kept]) / size[:, np.newaxis]
    free = float(kept.sum()) - float(np.square(root).sum(axis=1) @ prior)
    n = samples * len(noise_std)
    left = n / max(n - free, 1.0)
    variance = float(np.mean(np.square(noise_std))) * left
    moved = move @ root * np.sqrt(2.0 * variance / samples)
    return Trust(moved @ moved.T, left)


def variances(sweeps: Sweeps, w: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Return var o_i of the run of these sweeps, (T, n_y)."""
    sweeps.simulate(w)
    found = np.zeros(sweeps.O.shape)

    def take(lane: int, rows: slice, S: np.ndarray) -> None:
        flat = S.reshape(-1, len(w))
        found[rows] = np.einsum("ij,ij->i", flat @ C, flat).reshape(S.shape[:2])

    sweeps.each_rows(w, [range(sweeps.T)], take)
    return found
