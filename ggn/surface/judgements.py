"""The tests of a point, each of which may settle what it is; `ggn.surface.verdict` has their order.

Each is a function of the `Examination`, and returns a `Judgement`: a verdict or none, and
what is to be said of the point either way.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn.losses import Logistic, SoftmaxCrossEntropy
from ggn.surface.evidence import Evidence, EvidenceKind, Judgement, Verdict, seen
from ggn.surface.examination import RELATIVE, Examination
from ggn.surface.fit import exact_fit, is_least, separated, vanishes
from ggn.surface.null_space import null_space
from ggn.surface.obstruction import Obstruction
from ggn.surface.runaway import runaway_ray
from ggn.surface.second_order import Bent, SecondOrder
from ggn.surface.theorem_1 import certify

__all__ = [
    "at_lower_bound",
    "convex",
    "descends",
    "fits_exactly",
    "isolated",
    "moves_on",
    "rank_of_jacobian",
    "rises_for_ever",
    "runs_away",
    "separates",
    "unsettled",
]

AT_BOUND = 1e-14  # of J, or of an output's part of it, above a proven bound
PROVEN = 1e-11  # of J: how far a proof may be below what it bounds
SEEN = 1e-9  # of a sample's loss: a fall
EPS = float(np.finfo(np.float64).eps)
OPEN = Judgement()


def at_lower_bound(point: Examination) -> Judgement:
    """Judge by J beside its proven lower bound."""
    J, bound, beyond = point.at.loss, point.bound, point.beyond
    if point.objective.penalised:
        return OPEN
    gap = J - bound
    tight = [o for o in point.proofs if o.lower_bound == bound]
    margin = min((o.margin for o in tight), default=0.0)
    near = margin <= PROVEN * abs(J)  # so that next to the bound is next to the minimum
    if not (near and gap <= _resolution(point) + margin and (bound > 0.0 or beyond)):
        return OPEN
    if not beyond and not any(_each_at_bound(point, o) for o in tight):
        return OPEN
    kind = EvidenceKind.BOUND_AT_INFINITY if beyond else EvidenceKind.AT_BOUND
    said = [seen(kind, gap=max(gap, 0.0), bound=bound)]
    said += [seen(EvidenceKind.OBSTRUCTION, obstruction=o) for o in tight[:2]]
    if beyond:
        return Judgement(Verdict.RUNAWAY, (*said, *_saturation(point)))
    return Judgement(Verdict.GLOBAL_MINIMUM, tuple(said))


def _resolution(point: Examination) -> float:
    """Return how far J may be above a bound that it has reached."""
    return 8.0 * point.at.rounding + AT_BOUND * abs(point.at.loss)


def _each_at_bound(point: Examination, found: Obstruction) -> bool:
    """Whether every output is at its own part of the bound.

    Where the bound is one of all outputs together, each must vary by more than J can tell.
    """
    changes, nL = point.changes, point.net.n_outputs
    if nL == 1:
        return True
    if found.by_output is not None and changes.separable:
        gaps = changes.parts - found.by_output
        own = 8.0 * changes.rounding + (AT_BOUND + 8.0 * EPS) * np.abs(changes.parts)
        own += np.minimum(found.margin, PROVEN * np.abs(changes.parts))
        return bool((gaps <= own).all())
    varied = point.objective.c.array @ np.square(changes.Y - changes.Y.mean(axis=0))
    return bool((varied[varied > 0.0] * RELATIVE >= _resolution(point)).all())


def separates(point: Examination) -> Judgement:
    """Judge by whether growing output weights bring every sample's loss to 0."""
    if point.objective.penalised or not separated(point.objective, point.at.w):
        return OPEN
    return Judgement(Verdict.RUNAWAY, (seen(EvidenceKind.SEPARATED),))


def fits_exactly(point: Examination) -> Judgement:
    """Judge by the residuals, where the loss has its minimum at 0 and there only."""
    objective, found = point.objective, None
    if objective.penalised:
        found = vanishes(objective, point.at.loss)
    elif objective.loss.unique_minimum and not point.proofs:
        found = exact_fit(point.changes, point.units, point.max_memory, point.kinks[0])
    elif objective.loss.convex and is_least(point.changes):
        found = seen(EvidenceKind.LEAST)
    return OPEN if found is None else Judgement(Verdict.GLOBAL_MINIMUM, (found,))


def rank_of_jacobian(point: Examination) -> Judgement:
    """Apply Prop. 1, where P can have full column rank at all.

    It settles w where the loss's minimum is no matter of residuals, which `fits_exactly` judges.
    """
    K = point.objective.T * point.net.n_outputs
    if point.net.n_weights < K or point.objective.penalised:
        return OPEN
    found = certify(point.at, None, RELATIVE, point.max_memory)
    said = found.rank is not None and not found.exact_fit
    evidence = (seen(EvidenceKind.CERTIFICATE, certificate=found),) if said else ()
    settled = found.certifies_global and not point.objective.loss.unique_minimum
    verdict = Verdict.GLOBAL_MINIMUM if settled else None
    return Judgement(verdict, evidence, {"certificate": found})


def moves_on(point: Examination) -> Judgement:
    """Judge by the gradient, and by whether J falls along it."""
    measured = {"promised": point.promised, **_spectrum(point.dense)}
    if point.level:
        return Judgement(measured=measured)
    J, found = point.at.loss, point.fall
    if not found > 0.0:
        if point.idle_output is not None:
            output, found, part = point.idle_output
            said = seen(EvidenceKind.IDLE_OUTPUT, output=output, fall=found, percent=100.0 * part)
            evidence = (said, *_saturation(point), *_obstructions(point))
            return Judgement(Verdict.NOT_STATIONARY, evidence, measured)
        said = seen(EvidenceKind.FALL_NOT_SEEN, promised=point.promised)
        return Judgement(None, (said,), measured)
    if J > 0.0:
        share = {"relative": point.relative, "fall": found, "percent": 100.0 * found / J}
        said = seen(EvidenceKind.FALLS_BY_SHARE, **share)
    else:
        said = seen(EvidenceKind.FALLS, relative=point.relative, fall=found)
    evidence = (said, *_saturation(point), *_obstructions(point))
    return Judgement(Verdict.NOT_STATIONARY, evidence, measured)


def convex(point: Examination) -> Judgement:
    """Judge by convexity: a zero of the gradient is a global minimum."""
    if point.lost or not (point.level and point.convex):
        return OPEN
    said = seen(EvidenceKind.CONVEX, promised=point.promised)
    if point.falls is not None:
        return Judgement(Verdict.GLOBAL_MINIMUM, (said,))
    if point.dense is None or not point.near:
        return OPEN
    classes = isinstance(point.objective.loss, (Logistic, SoftmaxCrossEntropy))
    if classes and not point.objective.penalised and point.margins[0] is not False:
        return OPEN
    # what J does along weights that it is not seen to depend on is not known
    near, X = point.dense.stationary, point.objective.X
    inputs = np.column_stack([X, np.ones(len(X))]) if point.net.bias[0] else X
    strict = near is not None and near.minimum(point.dense.spectrum.tolerance)
    if not (strict and (point.objective.penalised or null_space(inputs)[1])):
        return OPEN
    return Judgement(Verdict.GLOBAL_MINIMUM, (said,))


def rises_for_ever(point: Examination) -> Judgement:
    """Judge by whether output weights can grow so that the loss of no sample rises."""
    found, direction = (False, None) if point.objective.penalised else point.margins
    if not found or direction is None:
        return OPEN
    changes, loss = point.changes, point.objective.loss
    moved = point.net.forward(point.at.w + direction, point.objective.X) - changes.F
    moved[np.abs(moved) <= 8.0 * changes.off] = 0.0
    far = [loss.value(changes.F + t * moved, changes.Y) for t in (1.0, 16.0, 256.0)]
    count = int((np.min(far, axis=0) < changes.E * (1.0 - SEEN)).sum())
    said = seen(EvidenceKind.QUASI_SEPARATED, count=count, direction=direction)
    return Judgement(Verdict.RUNAWAY, (said, *_saturation(point)))


def descends(point: Bent) -> Judgement:
    """Judge by whether J falls along negative curvature, and a zero of the gradient is near."""
    second = point.second
    measured = _spectrum(second)
    found = None if second is None else second.descent()
    if second is None or found is None:
        return Judgement(measured=measured)
    direction, path = found
    (t, J), near = path[-1], second.stationary
    lower = point.at.loss - J
    if near is None and not lower > point.enough:
        return Judgement(measured=measured)
    measured |= {"descent": direction, "descent_path": tuple(path)}
    bend = float(direction @ (point.at.hessian_operator() @ direction))
    lowest = {"lowest": second.values[0], "tolerance": second.tolerance, "curvature": bend}
    said = [
        seen(EvidenceKind.NEGATIVE_EIGENVALUE, **lowest),
        seen(EvidenceKind.DESCENT, fall=lower, t=t, promised=point.promised),
    ]
    if near is None or not near.bends_down(direction):
        said.append(seen(EvidenceKind.NO_NEARBY_ZERO))
        return Judgement(Verdict.NOT_STATIONARY, tuple(said), measured)
    said.append(seen(EvidenceKind.NEARBY_ZERO, zero=near))
    return Judgement(Verdict.SADDLE, tuple(said), measured)


def runs_away(point: Examination) -> Judgement:
    """Judge by whether growing weights of saturated units have lowered J, which levels off."""
    if not point.saturation.units:
        return OPEN
    objective = point.objective
    ray = runaway_ray(
        point.net, point.at.w, objective.X, objective.Yt.T, objective.loss,
        l2=objective.l2, sample_weight=point.weight,
    )  # fmt: skip
    if ray is None or not ray.infimum:
        return Judgement(measured={"ray": ray})
    said = seen(EvidenceKind.RUNAWAY_RAY, ray=ray)
    evidence = (*_saturation(point), said, *_obstructions(point))
    return Judgement(Verdict.RUNAWAY, evidence, {"ray": ray})


def isolated(point: Bent) -> Judgement:
    """Judge by whether a minimum is near, its only zeros directions of constant J."""
    second = point.second
    if point.lost or second is None or second.spectrum.inertia is None:
        return OPEN
    near = None if point.kinks[1] else second.stationary
    if near is None or near.one_sided:
        return OPEN
    flat = near.flat.shape[1]
    measured: dict[str, Any] = {"flat": flat}
    if not near.minimum(second.spectrum.tolerance):
        return Judgement(measured=measured)
    across = second.values[np.argsort(np.abs(second.values))[flat:]]
    least = float(across.min(initial=math.inf))
    fields = {
        "positive": len(second.values) - flat,
        "least": least,
        "tolerance": second.spectrum.tolerance,
    }
    zeros = EvidenceKind.POSITIVE_BUT_FLAT if near.constant else EvidenceKind.POSITIVE_BUT_LEVEL
    said = [
        seen(zeros, **fields, zeros=flat) if flat else seen(EvidenceKind.POSITIVE, **fields),
        seen(EvidenceKind.NEARBY_ZERO, zero=near),
    ]
    if point.objective.penalised:
        said.append(seen(EvidenceKind.PENALISED))
    evidence = (*said, *_obstructions(point))
    return Judgement(Verdict.LOCAL_MINIMUM, evidence, measured | {"degenerate": flat > 0})


def unsettled(point: Examination) -> Judgement:
    """Say why the point is open, and whether an exact fit is impossible."""
    said = [_why_open(point), *_saturation(point)]
    if point.large:
        largest = np.abs(point.at.w).max()
        said.append(seen(EvidenceKind.LARGE_WEIGHTS, largest=largest))
    verdict = Verdict.INFEASIBLE if point.proofs else Verdict.INCONCLUSIVE
    return Judgement(verdict, (*said, *_obstructions(point)))


def _why_open(point: Examination) -> Evidence:
    second = point.second
    if point.kinks[0]:
        return seen(EvidenceKind.AT_KINK)
    if second is None:
        return seen(EvidenceKind.NO_HESSIAN)
    if not second.spectrum.dense:
        return seen(EvidenceKind.ESTIMATE, lowest=second.values[0])
    if second.over_kink:
        return seen(EvidenceKind.OVER_KINK)
    positive, zero, negative = second.counts
    if point.kinks[1] or (second.stationary is not None and second.stationary.one_sided):
        kind = EvidenceKind.ONE_SIDED
    elif negative or not zero:
        kind = EvidenceKind.NO_DESCENT
    else:
        kind = EvidenceKind.UNEXPLAINED_ZEROS
    return seen(kind, positive=positive, zero=zero, negative=negative, tolerance=second.tolerance)


def _saturation(point: Examination) -> tuple[Evidence, ...]:
    """Return what is said of flat units, if there are any."""
    found = point.saturation
    return (seen(EvidenceKind.SATURATION, saturation=found),) if found.units else ()


def _obstructions(point: Bent) -> tuple[Evidence, ...]:
    """Return the first two, of those proven if any is."""
    found = (point.proofs or point.obstructions)[:2]
    return tuple(seen(EvidenceKind.OBSTRUCTION, obstruction=o) for o in found)


def _spectrum(second: SecondOrder | None) -> dict[str, Any]:
    return {} if second is None else {"spectrum": second.spectrum, "tolerance": second.tolerance}
