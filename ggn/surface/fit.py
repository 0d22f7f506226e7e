"""How closely w fits, and how near it is to a zero of the gradient, whatever the units.

    D_j        size of weight j's effect for data of this scale, the penalty's added
    relative   ‖D⁻¹ ∇J‖ / (‖D⁻¹ P‖_F ‖ε‖ + ‖D⁻¹ 2 l2 w‖)
    exact      each output's φ_L - y is no more than rounding moves φ_L; or it is small,
               and Gauss-Newton steps, themselves small, make it so

Rounding is measured: w moved at random by a few units in its last place (normal, 4 eps),
and 4 eps of the outputs themselves.
"""

from __future__ import annotations

import math

import numpy as np

from ggn.activations import Identity
from ggn.damping import LevenbergMarquardt
from ggn.fit.train import train
from ggn.linearization import Linearization, Objective
from ggn.surface.evidence import Evidence, EvidenceKind, seen
from ggn.surface.feasibility import equal_inputs
from ggn.surface.least_loss import ROOT_EPS, residual_norms, spread

__all__ = ["beyond_reach", "exact_fit", "relative_gradient", "separated"]

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 100.0  # times the rounding measured: what training to the end leaves
STEPS = 4
LEAST_MEMORY = 2.0**27  # with which some step can always be taken
NEAR = 1e-6  # of the weights: how far these steps may go


def relative_gradient(at: Linearization, scale: np.ndarray) -> float:
    """Return ‖D⁻¹ ∇J‖ in units of its largest possible size; 0 where that is 0."""
    objective = at.objective
    error = curvature = 0.0
    with np.errstate(all="ignore"):
        for rows, F in objective.outputs(at.w):
            error += float(np.sum(objective.derivatives(F, rows) ** 2))
            H = objective.curvature(F, rows, psd=True).diagonal()
            curvature += float(H.sum()) / objective.net.n_outputs
        # ‖P‖_F from ‖P S‖_F and the mean curvature
        diagonal = at.normal_diagonal() - 2.0 * objective.l2
        trace = max(float(np.sum(diagonal / np.square(scale))), 0.0)
        size = math.sqrt(trace / (curvature or 1.0) * error * objective.T)
        size += float(np.linalg.norm(2.0 * objective.l2 * at.w / scale))
        return float(np.linalg.norm(at.gradient / scale)) / size if size else 0.0


def exact_fit(at: Linearization, scale: np.ndarray, max_memory: float) -> Evidence | None:
    """Return how exact the fit is, or None if it is not."""
    objective, Y = at.objective, at.objective.Yt.T
    F = objective.net.forward(at.w, objective.X)
    share = residual_norms(F, Y) / spread(Y)
    # rounding as large as the targets' deviation, at weights of 1e13, would excuse any fit
    if (share <= 64.0 * ROOT_EPS).all() and _to_rounding(objective, at.w, F):
        return seen(EvidenceKind.EXACT)
    if not (share <= ROOT_EPS).all():
        return None
    fit = train(
        objective.net,
        objective.X,
        Y,
        objective.loss,
        w0=at.w,
        damping=LevenbergMarquardt(initial=1e-10),
        max_iter=STEPS,
        tol=0.0,
        sample_weight=objective.c.weights,
        max_memory=max(max_memory, LEAST_MEMORY),
    )
    size, moved = (float(np.linalg.norm(scale * v)) for v in (at.w, fit.w - at.w))
    there = objective.net.forward(fit.w, objective.X)
    if not (moved <= NEAR * size and _to_rounding(objective, fit.w, there)):
        return None
    return seen(EvidenceKind.NEARLY_EXACT, share=share.max(), moved=moved / size)


def _to_rounding(objective: Objective, w: np.ndarray, F: np.ndarray) -> bool:
    """Whether no output is off its targets, F - Y (T, nL), by more than rounding."""
    Y, source = objective.Yt.T, np.random.default_rng(0)
    unit = np.maximum(np.abs(F).max(axis=0), np.abs(Y).max(axis=0))
    unit[unit == 0.0] = 1.0  # in which squares do not underflow
    moved = np.square(4.0 * EPS * np.linalg.norm(F / unit, axis=0))
    for _ in range(2):
        near = w * (1.0 + source.normal(scale=4.0 * EPS, size=len(w)))
        moved += (
            0.5 * residual_norms(objective.net.forward(near, objective.X) / unit, F / unit) ** 2
        )
    off = residual_norms(F / unit, Y / unit)
    return bool((off <= ROUNDING * np.sqrt(moved)).all())


def beyond_reach(objective: Objective) -> bool:
    """Whether all targets of some input are at, or beyond, an end of the output's open range.

    Then no finite weights have the least J that the targets and that range allow.
    """
    sigma = objective.net.activations[-1]
    if sigma.image is None:
        return False
    group, Y = equal_inputs(objective.X), objective.Yt.T
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    above = np.minimum.reduceat(Y[order], starts) >= sigma.image.high
    below = np.maximum.reduceat(Y[order], starts) <= sigma.image.low
    unreached = sigma.image.unreached
    return bool(
        (above.any() and sigma.image.high in unreached)
        or (below.any() and sigma.image.low in unreached)
    )


def separated(objective: Objective, w: np.ndarray) -> bool:
    """Whether growing weights of the output layer alone bring the loss of every sample to 0.

    So it is with the cross-entropies where each sample is on its side; their minimum for
    hard labels is at infinity, and they fall all the way there (being convex).
    """
    net, loss = objective.net, objective.loss
    if loss.unique_minimum is not False or not loss.convex or net.fixed_bias:
        return False
    F = net.forward(w, objective.X)
    most = np.abs(F).max()
    if net.activations[-1] != Identity() or most == 0.0:
        return False
    with np.errstate(all="ignore"):
        return bool((loss.value(F / most * 1e300, objective.Yt.T) == 0.0).all())
