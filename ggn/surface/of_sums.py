"""The diagnosis of samples in chunks: what sums over them can say of w, and what they cannot.

    G, H_J       one pass each, and their eigenvalues, for weights in units of the data
    J(w - d)     along the Newton step, and along the eigenvector of least curvature
    ∇J(w - d)    of up to three Newton steps with the Hessian at w: whether a zero is near

The rest of `ggn.diagnose` looks at samples one by one (exact fits, bounds of J, flat units,
kinks, weights that run away, ranks of P), and is not looked at here: the report says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn.damping import natural_scale
from ggn.fit.plateau import far_out
from ggn.linearization.spectrum import Spectrum, dense_fits, inertia, spectrum
from ggn.linearization.summed import SummedLinearization
from ggn.surface.advice import Advice, Suggestion
from ggn.surface.diagnosis import Diagnosis
from ggn.surface.evidence import Evidence, EvidenceKind, Verdict, seen
from ggn.surface.examination import PROMISE, RELATIVE
from ggn.surface.second_order import has_hessian, normal_step

__all__ = ["diagnose_sums"]

EPS = float(np.finfo(np.float64).eps)
HALVINGS = 6  # of a step along which J is to fall
NEWTON = 3  # steps towards a zero of the gradient

ADVICE = {
    Verdict.NOT_STATIONARY: Advice.TRAIN_ON,
    Verdict.SADDLE: Advice.LEAVE_SADDLE,
    Verdict.LOCAL_MINIMUM: Advice.OTHER_STARTS,
    Verdict.INCONCLUSIVE: Advice.PERTURB,
}


def diagnose_sums(at: SummedLinearization, max_memory: float) -> Diagnosis:
    """Return what is known of w by sums over the samples alone."""
    point = _Point(at, max_memory)
    verdict, said, measured = _judged(point)
    unseen, far = seen(EvidenceKind.SUMS_ONLY), far_out(at.objective, at.w)
    if far is not None:
        said += (seen(EvidenceKind.FAR_OUT, influence=far.influence),)
    advice = ADVICE[verdict] if far is None else Advice.LARGER_SCALE
    return Diagnosis(
        verdict=verdict,
        evidence=(*said, *point.of_normal, unseen),
        suggestion=Suggestion((advice,)),
        loss=at.loss,
        gradient_norm=float(np.linalg.norm(at.gradient)),
        relative_gradient=point.relative,
        promised=point.promised,
        lower_bound=-math.inf,
        obstructions=(),
        saturation=None,
        spectrum=point.spectrum,
        scale=point.scale,
        tolerance=point.tolerance,
        _at=at,
        **measured,
    )


class _Point:
    """What is measured, with the gradient g and the eigenpairs those for weights D w."""

    def __init__(self, at: SummedLinearization, max_memory: float) -> None:
        self.at, self.scale = at, natural_scale(at.objective)
        self.g = at.gradient / self.scale
        self.of_normal: tuple[Evidence, ...] = ()
        self.spectrum: Spectrum | None = None
        self.tolerance = 0.0
        self.relative = self._relative()
        kinks = any(activation.kink for activation in at.net.activations)  # where is not known
        self.curved = not kinks and has_hessian(at, self.scale)
        if dense_fits(at.net.n_weights, max_memory):
            found = inertia(at.normal_matrix(psd=True) / np.outer(self.scale, self.scale))
            self.of_normal = (
                seen(
                    EvidenceKind.NORMAL_INERTIA,
                    positive=found.positive,
                    zero=found.zero + found.negative,
                    tolerance=found.tolerance,
                ),
            )
            if self.curved:
                self.spectrum = spectrum(at, scale=self.scale, max_memory=max_memory)
        if self.spectrum is None:
            self.promised, self.step = normal_step(at, self.scale)
            return
        values, vectors = self.spectrum.eigenvalues, self.spectrum.eigenvectors
        length = float(np.linalg.norm(self.scale * at.w)) / math.sqrt(len(at.w))
        natural = float(self.scale[-1]) * at.objective.spread()[1]  # an output's, see `units.py`
        off = 10.0 * float(np.linalg.norm(self.g)) / max(length, natural)  # 0 of a symmetry is
        self.tolerance = self.spectrum.tolerance + off
        size = np.maximum(np.abs(values), self.spectrum.tolerance)
        size[size == 0.0] = math.inf
        along = vectors.T @ self.g
        self.promised = float(np.sum(along**2 / (2.0 * size)))
        self.step = vectors @ (along / size) / self.scale

    def _relative(self) -> float:
        """Return ‖D⁻¹ ∇J‖ in units of its largest possible size, see `fit.relative_gradient`."""
        at, objective = self.at, self.at.objective
        error, curvature = objective.error_and_curvature(at.w)
        diagonal = at.normal_diagonal() - 2.0 * objective.l2
        trace = max(float(np.sum(diagonal / np.square(self.scale))), 0.0)
        size = math.sqrt(trace / (curvature or 1.0) * error * objective.T)
        size += float(np.linalg.norm(2.0 * objective.l2 * at.w / self.scale))
        return float(np.linalg.norm(self.g)) / size if size else 0.0

    @property
    def enough(self) -> float:
        """The fall of J that would tell."""
        return PROMISE * abs(self.at.loss) + self.at.rounding

    @property
    def level(self) -> bool:
        """Whether the gradient is small and promises next to nothing."""
        return self.relative <= RELATIVE and not self.promised > self.enough

    def fall(self) -> float:
        """Return by how much J is seen to fall along the step, halved where it does not."""
        t = 1.0
        for _ in range(HALVINGS):
            fall = self.at.loss - self._value(self.at.w - t * self.step)
            if fall > 8.0 * self.at.rounding:
                return fall
            t *= 0.5
        return 0.0

    def descent(self) -> tuple[np.ndarray, list[tuple[float, float]]] | None:
        """Return a direction of negative curvature, and (t, J) along it, if J falls so."""
        if self.spectrum is None or not float(self.spectrum.eigenvalues[0]) < -self.tolerance:
            return None
        low, at = float(self.spectrum.eigenvalues[0]), self.at
        v = self.spectrum.eigenvectors[:, 0] / self.scale
        far = 1.0 + float(np.linalg.norm(self.scale * at.w))
        best = None
        for u in (v, -v):
            t, path = math.sqrt(16.0 * (at.rounding + self.promised) / -low), [(0.0, at.loss)]
            while t <= far:
                J = self._value(at.w + t * u)
                if not J < path[-1][1]:
                    break
                path.append((t, J))
                t *= 2.0
            if best is None or path[-1][1] < best[1][-1][1]:
                best = u, path
        assert best is not None
        u, path = best
        if not at.loss - path[-1][1] > 10.0 * self.promised + 8.0 * at.rounding:
            return None
        unit = float(np.linalg.norm(u))
        return u / unit, [(t * unit, J) for t, J in path]

    def minimum_near(self) -> bool:
        """Whether Newton steps with the Hessian at w, which is definite, halve the gradient."""
        assert self.spectrum is not None
        values, vectors = self.spectrum.eigenvalues, self.spectrum.eigenvectors
        w, g, norm = self.at.w, self.g, float(np.linalg.norm(self.g))
        size = float(np.linalg.norm(self.scale * w))
        floor = 16.0 * len(w) * EPS * float(values[-1]) * size
        for _ in range(NEWTON):
            if norm <= floor:
                return True
            w = w - (vectors @ ((vectors.T @ g) / values)) / self.scale
            g = self.at.objective.at(w).gradient / self.scale
            before, norm = norm, float(np.linalg.norm(g))
            if not norm <= max(0.5 * before, floor):
                return False
        return True

    def _value(self, w: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            return self.at.objective.value(w)


def _judged(point: _Point) -> tuple[Verdict, tuple[Evidence, ...], dict[str, Any]]:
    """Return the first verdict that applies, its evidence, and what was measured for it."""
    at, found = point.at, point.spectrum
    if not point.level:
        fall = point.fall()
        if fall > point.enough:
            told = {"relative": point.relative, "fall": fall}
            if at.loss > 0.0:
                percent = 100.0 * fall / at.loss
                said = seen(EvidenceKind.FALLS_BY_SHARE, **told, percent=percent)
            else:
                said = seen(EvidenceKind.FALLS, **told)
            return Verdict.NOT_STATIONARY, (said,), {}
    descent = point.descent()
    if found is not None and descent is not None:
        direction, path = descent
        bend = float(direction @ (at.hessian_operator() @ direction))
        low = float(found.eigenvalues[0])
        evidence: tuple[Evidence, ...] = (
            seen(
                EvidenceKind.NEGATIVE_EIGENVALUE,
                lowest=low,
                tolerance=point.tolerance,
                curvature=bend,
            ),
            seen(
                EvidenceKind.DESCENT,
                fall=at.loss - path[-1][1],
                t=path[-1][0],
                promised=point.promised,
            ),
        )
        verdict = Verdict.SADDLE if point.level else Verdict.NOT_STATIONARY
        return verdict, evidence, {"descent": direction, "descent_path": tuple(path)}
    if found is None:
        kind = EvidenceKind.TOO_MANY_WEIGHTS if point.curved else EvidenceKind.NO_HESSIAN
        return Verdict.INCONCLUSIVE, (seen(kind),), {}
    values = found.eigenvalues
    above, below = int(np.sum(values > point.tolerance)), int(np.sum(values < -point.tolerance))
    if above == len(values) and point.level and point.minimum_near():
        least = {"positive": above, "least": float(values[0]), "tolerance": found.tolerance}
        evidence = (seen(EvidenceKind.POSITIVE, **least),)
        if at.objective.penalised:
            evidence += (seen(EvidenceKind.PENALISED),)
        return Verdict.LOCAL_MINIMUM, evidence, {"degenerate": False}
    zero = len(values) - above - below
    counts = {"positive": above, "zero": zero, "negative": below, "tolerance": point.tolerance}
    kind = EvidenceKind.UNEXPLAINED_ZEROS if zero and not below else EvidenceKind.NO_DESCENT
    return Verdict.INCONCLUSIVE, (seen(kind, **counts),), {}
