"""The loss's curvature H_E of each sample: semi-definite parts and square roots.

H is (T, nL) where it is diagonal, else (T, nL, nL).
"""

from __future__ import annotations

import numpy as np

__all__ = ["CurvatureError", "clip_negative", "samples_last", "square_root", "whiten"]


class CurvatureError(ValueError):
    """The curvature is zero in a direction in which the gradient is not."""


def clip_negative(H: np.ndarray) -> np.ndarray:
    """Set the negative eigenvalues of each sample's H_E to zero."""
    if H.ndim == 2:
        return np.maximum(H, 0.0)
    values, vectors = np.linalg.eigh(H)
    return (vectors * np.maximum(values, 0.0)[:, np.newaxis, :]) @ vectors.transpose(0, 2, 1)


def samples_last(H: np.ndarray) -> np.ndarray:
    """Return H, or a square root of it, as the kernels have it: (nL, T) or (nL, nL, T)."""
    return np.ascontiguousarray(H.T if H.ndim == 2 else H.transpose(1, 2, 0))


def square_root(H: np.ndarray) -> np.ndarray:
    """Return S with H_E = S Sᵀ for each sample.

    H is (T, nL) or (T, nL, nL), semi-definite; S has its shape.
    """
    if H.ndim == 2:
        return np.sqrt(H)
    values, vectors = np.linalg.eigh(H)
    floor = np.maximum(values[:, -1:], 0.0) * (H.shape[1] * np.finfo(float).eps)
    return vectors * np.sqrt(np.where(values > floor, values, 0.0))[:, np.newaxis, :]


def whiten(S: np.ndarray, eps: np.ndarray) -> np.ndarray:
    """Return S⁺ε, (T, nL), for an S of `square_root` and ε (T, nL).

    Raises
    ------
    CurvatureError
        If the curvature is zero in a direction in which ε is not.
    """
    if S.ndim == 2:
        if S.all():
            return eps / S
        r = np.divide(eps, S, out=np.zeros_like(S), where=S > 0.0)
        _check_reach(S * r, eps)
        return r
    squared = np.einsum("iab,iab->ib", S, S)  # the columns of S are orthogonal
    projected = np.einsum("iab,ia->ib", S, eps)
    r = np.divide(projected, squared, out=np.zeros_like(eps), where=squared > 0.0)
    _check_reach(np.einsum("iab,ib->ia", S, r), eps)
    return r


def _check_reach(reached: np.ndarray, eps: np.ndarray) -> None:
    lost = np.abs(reached - eps).max(axis=1, initial=0.0)
    size = np.abs(eps).max(axis=1, initial=0.0)
    if (lost > 1e-6 * size + np.finfo(float).tiny).any():
        i = int(np.argmax(lost))
        raise CurvatureError(
            "loss must have a positive curvature wherever its gradient is not zero for "
            f"step='dual' or 'minimum-norm', got none on sample {i}; "
            "step='primal' or 'conjugate-gradient' need no such thing"
        )
