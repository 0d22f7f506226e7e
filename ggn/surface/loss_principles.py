"""Principles 1 and 1.a: what a loss must be like for a critical point to be worth something.

1      ∇_E(φ_L) = 0 only at φ_L = y, where E is least
1.a    H_E(φ_L) is positive definite at φ_L = y

A redescending loss (ρ'' < 0 far out) obeys both, yet ∇_E of a far outlier is lost beside
the others: it counts as lost below sqrt(eps) of what it is at a residual of one scale.
"""

from __future__ import annotations

import numpy as np

from ggn.losses import Loss
from ggn.losses.curvature import Curvature
from ggn.surface.finding import Finding, Outcome

__all__ = ["check_loss"]

SMALL = float(np.finfo(np.float64).eps) ** 0.5
TITLE = "∇_E = 0 only at the target, the loss's minimum"


def check_loss(loss: Loss, F: np.ndarray, Y: np.ndarray) -> tuple[Finding, Finding]:
    """Check Principles 1 and 1.a for outputs F and targets Y, both (T, nL).

    Examples
    --------
    >>> import numpy as np, ggn
    >>> outlier = check_loss(ggn.losses.BlakeZisserman(), np.array([[8.0]]), np.zeros((1, 1)))[0]
    >>> print(outlier.verdict.value)
    fails numerically
    """
    with np.errstate(all="ignore"):
        return (_built_in if loss.unique_minimum else _unknown)(loss, F, Y), _curved(loss, Y)


def _built_in(loss: Loss, F: np.ndarray, Y: np.ndarray) -> Finding:
    """Judge a loss that obeys Principle 1 by how its gradient fares at these outputs."""
    scale = getattr(loss, "scale", 1.0)
    bent = ~(Curvature.of(loss.hessian(F, Y)).least_eigenvalues() > 0.0)
    size = np.linalg.norm(loss.gradient(F, Y), axis=1)
    typical = np.linalg.norm(loss.gradient(Y + scale, Y), axis=1)
    residual = np.linalg.norm(F - Y, axis=1)
    lost = (residual > scale) & (size <= SMALL * typical)
    numbers = {"not_convex": int(bent.sum()), "lost": int(lost.sum())}
    text = f"so it is for {loss!r}"
    if bent.any():
        text += f", but on {bent.sum()} of {len(Y)} samples H_E is not positive definite"
    if not lost.any():
        return Finding("1", TITLE, Outcome.HOLDS, text + ".", "", numbers)
    text += f" and on {lost.sum()}, with residuals from {residual[lost].min():.3g} on, "
    text += "∇_E is numerically 0."
    advice = "Raise the loss's scale, or start from a fit with the squared loss."
    return Finding("1", TITLE, Outcome.NUMERICALLY_FAILS, text, advice, numbers)


def _unknown(loss: Loss, F: np.ndarray, Y: np.ndarray) -> Finding:
    """Look for a counterexample among these data."""
    gradient, at_target = loss.gradient(F, Y), loss.gradient(Y, Y)
    least, off = loss.value(Y, Y), (F != Y).any(axis=1)
    # in the units of the gradient one unit off the target
    typical = np.linalg.norm(loss.gradient(Y + 1.0, Y), axis=1)
    faults = {
        "is not finite at the target": ~np.isfinite(at_target).all(axis=1),
        "is not 0 at the target": np.linalg.norm(at_target, axis=1) > SMALL * typical,
        "is 0 off the target": off & ~gradient.any(axis=1),
        "leads below the loss at the target": loss.value(F, Y) < least - SMALL * np.abs(least),
    }
    for fault, where in faults.items():
        if where.any():
            text = f"∇_E of {loss!r} {fault} on {where.sum()} of {len(Y)} samples, "
            text += f"first on sample {int(np.argmax(where))}."
            advice = "Use a loss whose gradient vanishes at φ_L = y and nowhere else."
            return Finding("1", TITLE, Outcome.FAILS, text, advice, {"samples": int(where.sum())})
    text = f"no counterexample among these outputs and targets, which proves nothing for {loss!r}."
    advice = "If you know that it is so, set unique_minimum = True on the loss."
    return Finding("1", TITLE, Outcome.UNKNOWN, text, advice, {"samples": 0})


def _curved(loss: Loss, Y: np.ndarray) -> Finding:
    title = "H_E is positive definite at the target"
    H = loss.hessian(Y, Y)
    least = float(Curvature.of(H).least_eigenvalues().min())
    numbers = {"least": least, "largest": float(np.abs(H).max())}
    text = f"its least eigenvalue over these targets is {least:.3g}."
    if not (np.isfinite(H).all() and least > 0.0):
        advice = "Use a loss with E''> 0 at the target; without it convergence is slow."
        return Finding("1.a", title, Outcome.FAILS, text, advice, numbers)
    return Finding("1.a", title, Outcome.HOLDS, text, "", numbers)
