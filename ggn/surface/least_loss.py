"""Whether the loss of every sample is least, to rounding: ε = 0 as seen in the outputs.

    a minimum at y only     ‖φ_L - y‖  <= sqrt(eps) spread of y, for each output
    cross-entropies         ‖p/y - 1‖  <= sqrt(eps T), or of (p - y) / (y (1 - y)): to first
                            order what the logits are off theirs, which hard labels have not
    another convex E        ‖δ‖        <= sqrt(eps) spread of φ_L - δ,   δ = H_E⁻¹ ∇_E

δ is the Newton step of E in the outputs, φ_L - y for the squared loss.
"""

from __future__ import annotations

import numpy as np

from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy

__all__ = ["ROOT_EPS", "residual_norms", "spread", "zero_error"]

ROOT_EPS = float(np.finfo(np.float64).eps) ** 0.5


def residual_norms(F: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return ‖φ_L - y‖ over samples of each output, (nL,)."""
    norms: np.ndarray = np.linalg.norm(F - Y, axis=0)
    return norms


def spread(Y: np.ndarray) -> np.ndarray:
    """Return ‖y - mean y‖ of each output, (nL,); ‖y‖ where y does not vary, 1 where it is 0."""
    varied = np.linalg.norm(Y - Y.mean(axis=0), axis=0)
    size = np.where((Y != Y[0]).any(axis=0), varied, np.linalg.norm(Y, axis=0))
    return np.where(size > 0.0, size, 1.0)


def zero_error(loss: Loss, F: np.ndarray, Y: np.ndarray, exact: bool, error: float) -> bool:
    """Return whether ε = 0 to rounding, given whether the fit is exact, and ‖ε‖."""
    if loss.unique_minimum:
        return exact
    if not loss.convex:
        return error == 0.0
    with np.errstate(all="ignore"):
        G = loss.gradient(F, Y)
        if isinstance(loss, (Logistic, SoftmaxCrossEntropy)):
            off = G / (Y if isinstance(loss, SoftmaxCrossEntropy) else Y * (1.0 - Y))
            return bool((np.linalg.norm(off, axis=0) <= ROOT_EPS * np.sqrt(len(F))).all())
        step = _newton_step(G, loss.hessian(F, Y))
        return bool((np.linalg.norm(step, axis=0) <= ROOT_EPS * spread(F - step)).all())


def _newton_step(G: np.ndarray, H: np.ndarray) -> np.ndarray:
    """Return H_E⁻¹ ∇_E of each sample, (T, nL); not finite where H_E is singular."""
    if H.ndim == 2:
        return G / H
    singular = ~(np.linalg.cond(H) < 1.0 / ROOT_EPS**2)
    H = np.where(singular[:, None, None], np.eye(H.shape[1]), H)
    step = np.linalg.solve(H, G[:, :, None])[:, :, 0]
    return np.where(singular[:, None], np.inf, step)
