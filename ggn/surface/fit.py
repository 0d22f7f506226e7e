"""How closely w fits, and how near it is to a zero of the gradient, whatever the units.

    D_j        size of weight j's effect for data of this scale, the penalty's added
    relative   ‖D⁻¹ ∇J‖ / (‖D⁻¹ P‖_F ‖ε‖ + ‖D⁻¹ 2 l2 w‖)
    exact      each output's φ_L - y is no more than the rounding of φ_L (`change.py`), and a
               tiny share of what y varies; or it is small, and Gauss-Newton steps, themselves
               small, make it so.  At a kink, where these have no way, the rounding of φ_L is
               taken at weights of natural size, which the training's rest there is below

What a change of w in its last digit does to φ_L is no measure: two units that tend to a
derivative, with weights of ±10⁷, would be excused by it, whose infimum lies at infinity.
"""

from __future__ import annotations

import copy
import math

import numpy as np

from ggn.activations import Identity
from ggn.damping import LevenbergMarquardt
from ggn.fit.train import train
from ggn.linearization import Linearization, Objective
from ggn.losses import Residual, Squared
from ggn.surface.change import Changes, output_rounding
from ggn.surface.evidence import Evidence, EvidenceKind, seen
from ggn.surface.feasibility import equal_inputs
from ggn.surface.least_loss import ROOT_EPS, residual_norms, spread
from ggn.surface.repeated_inputs import Groups
from ggn.surface.units import Units

__all__ = [
    "beyond_reach",
    "exact_fit",
    "has_certain_labels",
    "is_least",
    "relative_gradient",
    "separated",
    "vanishes",
]

EPS = float(np.finfo(np.float64).eps)
ROUNDING = 4.0  # times its standard deviation: residuals that are rounding, over all samples
WORST = 16.0  # and of each
DIRECT = 1e-11  # of the targets' deviation, residuals of weights that are in proportion
VARIES = 1e-12  # of their size: targets that vary by less are constant but for rounding
ABRUPT = 1e-100  # a loss that is larger before it is 0 has not got there by underflow
PLACES = 64  # on the way from 0 to the outputs
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
        # ‖P‖_F from ‖P S‖_F and the mean curvature; where E has none, from that of squares
        if curvature == 0.0 < error:
            objective = copy.copy(objective)
            objective.loss, curvature = Squared(), 2.0
            diagonal = Linearization(objective, at.w).normal_diagonal() - 2.0 * objective.l2
        else:
            diagonal = at.normal_diagonal() - 2.0 * objective.l2
        trace = max(float(np.sum(diagonal / np.square(scale))), 0.0)
        size = math.sqrt(trace / (curvature or 1.0) * error * objective.T)
        size += float(np.linalg.norm(2.0 * objective.l2 * at.w / scale))
        return float(np.linalg.norm(at.gradient / scale)) / size if size else 0.0


def exact_fit(
    point: Changes, units: Units, max_memory: float, kinked: bool = False
) -> Evidence | None:
    """Return how exact the fit is, or None if it is not; `kinked` says that w is at a kink."""
    objective, F, Y = point.objective, point.F, point.Y
    share = residual_norms(F, Y) / _varied(Y)
    # rounding as large as the targets' deviation, at weights of 1e13, would excuse any fit
    # far from 0, targets have no more digits than that
    direct = np.maximum(DIRECT, 4.0 * EPS * np.linalg.norm(Y, axis=0) / _varied(Y))
    if (share <= direct).all():
        off = point.off
        if not _to_rounding(point, off) and kinked:
            off = output_rounding(objective, point.w, units.natural_weights)
        if _to_rounding(point, off):
            return seen(EvidenceKind.EXACT)
    if not (share <= ROOT_EPS).all():
        return None
    fit = train(
        objective.net,
        objective.X,
        Y,
        objective.loss,
        w0=point.w,
        damping=LevenbergMarquardt(initial=1e-10),
        max_iter=STEPS,
        tol=0.0,
        sample_weight=objective.c.weights,
        max_memory=max(max_memory, LEAST_MEMORY),
    )
    moved = float(units.shares(units.scale * (fit.w - point.w), point.w).max())
    there = Changes(objective, fit.w)
    left = residual_norms(there.F, Y) / _varied(Y)
    if not (moved <= NEAR and (left <= direct).all() and _to_rounding(there, there.off)):
        return None
    return seen(EvidenceKind.NEARLY_EXACT, share=share.max(), moved=moved)


def _varied(Y: np.ndarray) -> np.ndarray:
    """Return the spread of each output; its size where it varies by rounding only."""
    size, varied = np.linalg.norm(Y, axis=0), spread(Y)
    return np.where(varied > VARIES * size, varied, np.where(size > 0.0, size, 1.0))


def _to_rounding(point: Changes, off: np.ndarray) -> bool:
    """Whether no output is off its targets by more than its own rounding, (T, nL)."""
    r = np.abs(point.F - point.Y)
    unit = np.maximum(off.max(axis=0), 1e-300)  # in which squares do not underflow
    whole = np.linalg.norm(r / unit, axis=0) <= ROUNDING * np.linalg.norm(off / unit, axis=0)
    return bool(whole.all() and (r <= WORST * off).all())


def vanishes(objective: Objective, J: float) -> Evidence | None:
    """Return that J, penalty included, is what rounding of the targets makes, if it is.

    A loss of residuals cannot be below 0, so no weights are better that a double could tell.
    """
    if not isinstance(objective.loss, Residual):
        return None
    middle, size = objective.columns(True, True, False)
    size = np.where(size > 0.0, size, np.where(middle == 0.0, 1.0, np.abs(middle)))
    r = DIRECT * size.min(keepdims=True)[np.newaxis]  # of the output that has the smallest unit
    least = float(objective.loss.value(r, 0.0 * r)[0])
    return seen(EvidenceKind.VANISHES, loss=J) if J <= least else None


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


def has_certain_labels(objective: Objective) -> bool:
    """Whether the mean label of some input is 0 or 1, as no finite outputs have it."""
    p = Groups(equal_inputs(objective.X), objective.Yt.T, objective.c.array).mean
    return bool(((p == 0.0) | (p == 1.0)).any())


def is_least(point: Changes) -> bool:
    """Whether ∇_E is 0 on every sample, and not because a tail of E underflows there.

    On the way from 0 to the outputs a tail passes through tiny numbers.
    """
    if point.G.any():
        return False
    with np.errstate(all="ignore"):
        for t in np.arange(PLACES) / PLACES:
            G = np.abs(point.objective.loss.gradient(t * point.F, point.Y))
            if ((G > 0.0) & (G < ABRUPT)).any():
                return False
    return True


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
        if loss.value(F / most * 1e300, objective.Yt.T).any():
            return False
        reached = loss.value(F, objective.Yt.T)
        for exponent in range(1, 1000):  # no further than J is still there
            further = loss.value(np.ldexp(F / most, exponent), objective.Yt.T)
            if not further.any():
                # a hinge is 0 from a margin on, where finite weights get; a tail underflows
                return bool(reached.any() and reached.max() < ABRUPT)
            reached = further
        return False
