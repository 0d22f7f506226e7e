"""What the data leave open about a model of lags, carried through time.

C = σ² (Σ SᵀS + T R)⁺,     σ² = E_D / (n - tr(free))        Laplace's method
var o_i = s_iᵀ C s_i       s_i: derivatives of an output of a run by the weights
"""

from __future__ import annotations

import numpy as np

from ggn.recurrent.sweeps import Sweeps

__all__ = ["covariance", "variances"]

CUT = 1e-13  # eigenvalues of the GGN matrix, relative, that count as zero in a covariance


def covariance(
    G: np.ndarray, prior: np.ndarray, noise_std: np.ndarray, samples: float
) -> np.ndarray:
    """Return C (N, N), of the GGN matrix, the penalty's Hessian in it, and the residuals."""
    values, vectors = np.linalg.eigh(0.5 * (G + G.T))
    kept = values > CUT * values[-1]
    n = samples * len(noise_std)
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    free = float(kept.sum()) - float(np.sum(inverse * prior))
    variance = float(np.mean(np.square(noise_std))) * n / max(n - free, 1.0)
    found: np.ndarray = 2.0 * variance / samples * inverse
    return found


def variances(sweeps: Sweeps, w: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Return var o_i of the run of these sweeps, (T, n_y)."""
    sweeps.simulate(w)
    found = np.zeros(sweeps.O.shape)

    def take(lane: int, rows: slice, S: np.ndarray) -> None:
        flat = S.reshape(-1, len(w))
        found[rows] = np.einsum("ij,ij->i", flat @ C, flat).reshape(S.shape[:2])

    sweeps.each_rows(w, [range(sweeps.T)], take)
    return found
