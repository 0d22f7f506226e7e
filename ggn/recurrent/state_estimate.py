"""The state that a model was in when it began, of the samples that followed.

x_0 = argmin Σ_k |y_k(x_0) - y_k|²,  k of outputs that are there: damped Gauss-Newton
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import lstsq

from ggn.recurrent.statespace_model import StateSpace

__all__ = ["estimated"]


def estimated(
    model: StateSpace, w: np.ndarray, u: np.ndarray, y: np.ndarray, x: np.ndarray | None = None
) -> np.ndarray:
    """Return x_0 (nx,) of samples u (T, nu), y (T, ny) in the model's units, beginning with x.

    Where residuals leave the finite numbers, as those of an unstable model may, nothing is told
    of the state, and it is returned as it was.
    """
    x = np.zeros(model.n_states) if x is None else x.copy()
    seen = np.isfinite(y).ravel()
    with np.errstate(all="ignore"):  # a state whose run is too far off is refused
        r, P = _sensitive(model, w, u, y, x, seen)
        mu = 1e-6
        for _ in range(50):
            size = np.sqrt(mu * (np.einsum("ij,ij->j", P, P) + 1e-30))
            if not math.isfinite(size.sum() + r @ r):
                break
            d = lstsq(np.vstack([P, np.diag(size)]), np.append(r, 0.0 * x))[0]
            r_new, P_new = _sensitive(model, w, u, y, x - d, seen)
            if np.isfinite(P_new).all() and r_new @ r_new <= r @ r:
                small = bool(np.abs(d).max() <= 1e-12 * (1.0 + np.abs(x).max()))
                x, r, P, mu = x - d, r_new, P_new, 0.1 * mu
                if small:
                    break
            else:
                mu = max(10.0 * mu, 1e-12)
                if mu > 1e12:
                    break
    return x


def _sensitive(
    model: StateSpace,
    w: np.ndarray,
    u: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    seen: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals and their derivatives by the initial state, of outputs seen."""
    layout = model.layout
    nx, n = model.n_states, model.n_shared
    S = np.zeros((nx, layout.n_moving + nx))
    S[:, layout.n_moving :] = np.eye(nx)
    Y, P = np.empty(y.shape), np.empty((*y.shape, n + nx))
    layout.rows(w[:n].copy(), u, x.copy(), S, Y, P, layout.scratch())
    r = (Y - y).ravel()[seen]
    return r, np.ascontiguousarray(P[:, :, n:].reshape(-1, nx)[seen])
