"""Newton's method for a few steps: whether a zero of the gradient is near, and what it is.

    w' = w - D⁻¹ V (Vᵀ H V)⁻¹ Vᵀ D⁻¹ g,    H = D⁻¹ H_J D⁻¹ taken anew for each step,
                                           unless that of the start does as well,

V the eigenvectors of H at the start whose eigenvalues do not count as zero.  A zero is near
where (Kantorovich) each step is at most half the one before it, none leads further than a
tenth of the weights of any unit, and what is left of g, along all directions, is rounding.
In a tail, as of exp(-w), each step is as long as the last; on a plateau what is left is g.
The Hessian is that of one side of every kink: of a zero on one, or beyond, it knows nothing.

Units are judged one by one, each by its incoming weights: those of an output in small units,
or of an input in large ones, do not count for less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg.lapack import dposv, dpotrf, dpotrs, dsysv
from scipy.sparse.linalg import minres

from ggn._core.cached import cached_property
from ggn.linearization import BaseLinearization
from ggn.linearization.hessian import scaled_hessian, scaled_operator
from ggn.linearization.spectrum import Spectrum, rounded
from ggn.surface.flat import flat_directions
from ggn.surface.kinks import kinks_between
from ggn.surface.units import Units

__all__ = ["NearbyZero", "gradient_noise", "nearby_zero"]

EPS = float(np.finfo(np.float64).eps)
STEPS = 8
PRODUCTS = 120  # for a truncated step
CONTRACTS = 0.1  # of ‖g‖ may be left by a truncated step
FAR = 0.1  # of each unit's weights
SHRINKS = 0.5  # each step, times the one before
STRAIGHT = 0.01  # the same, of steps that are all by the Hessian of the start
LEVEL = 1e-6  # of ‖H‖: curvature along directions of constant J, near their critical points
CLOSE = 1e-4  # of a unit's weights: J bends alike over less
ALIKE = 0.5  # curvatures, up to this factor
FEW = 3  # eigenvectors that are looked along
INVERSE = 4  # iterations that find them
NOISE = 30.0  # times the noise: what is left of g when it is rounding
STEADY = 100.0  # the noise changes by less over a tenth of a unit's weights


def gradient_noise(at: BaseLinearization, units: Units) -> np.ndarray:
    """Return how far rounding moves the gradient of each unit, (units,).

    Of w and the samples' weights by 4 eps, as for the Hessian's tolerance; of weights near 0
    by 4 eps of the size that is natural for them.
    """
    source, square = np.random.default_rng(0), np.zeros(units.count)
    natural = 4.0 * EPS * units.natural_weights
    with np.errstate(all="ignore"):
        for _ in range(3):
            there = rounded(at, source)
            there.w += natural * source.normal(size=len(at.w))
            moved = (there.gradient - at.gradient) / units.scale
            square += np.square(units.norms(moved))
    noise: np.ndarray = np.sqrt(square / 3.0)
    return noise


@dataclass(frozen=True)
class NearbyZero:
    """Where Newton's method went, next to a zero of the gradient.  Prints as a sentence."""

    end: BaseLinearization
    units: Units
    steps: int
    moved: float  # of a unit's weights, at most
    left: float  # share of the gradient, for weights D w
    noise: np.ndarray  # of the gradient of each unit
    hessian: np.ndarray | None = field(default=None, repr=False)  # D⁻¹ H_J D⁻¹ there, if at hand
    over_kink: bool = False  # where σ' jumps: on the way, or there
    one_sided: bool = False  # whether σ'' jumps there

    @property
    def scale(self) -> np.ndarray:
        """D (N,)."""
        return self.units.scale

    @cached_property
    def _directions(self) -> tuple[np.ndarray, bool]:
        if not self.end.objective.layered:
            return np.empty((len(self.end.w), 0)), True
        return flat_directions(self.end.objective, self.end.w, self.scale)

    @property
    def flat(self) -> np.ndarray:
        """The known directions of constant J there, orthonormal for weights D w, (N, k).

        Of samples in chunks fewer are known.
        """
        return self._directions[0]

    @property
    def constant(self) -> bool:
        """Whether J is constant along them for certain, and not to rounding only."""
        return self._directions[1]

    def minimum(self, tolerance: float) -> bool:
        """Whether H is positive there, beyond the tolerance, across `flat`."""
        H = scaled_hessian(self.end, self.scale) if self.hessian is None else self.hessian.copy()
        Q, top = self.flat, float(np.linalg.norm(H))
        if top == 0.0 and Q.shape[1] < len(H):
            return False  # of no curvature at all none is left across, but by rounding
        top = top or 1.0
        if Q.size:
            across = H @ Q
            if float(np.linalg.norm(across)) > LEVEL * top:
                return False
            H -= across @ Q.T
            H -= Q @ (Q.T @ H)
            H += top * (Q @ Q.T)
        H[np.diag_indices(len(H))] -= tolerance
        L, info = dpotrf(H, lower=1, overwrite_a=True)
        return info == 0 and self._keeps_curvature(L, tolerance)

    def _keeps_curvature(self, L: np.ndarray, tolerance: float) -> bool:
        """Whether J bends alike as far as the zero may be for all that rounding hides of g.

        Along an eigenvector, of a small eigenvalue λ of H = L Lᵀ + tolerance, that is (|vᵀg| +
        its noise) / λ.  In a tail, as of exp(-w), that is a unit of w and more, over which the
        curvature changes by a factor of e: no zero need be there.
        """
        g, units, w = self.end.gradient / self.scale, self.units, self.end.w
        V = np.random.default_rng(0).normal(size=(len(g), min(FEW, len(g))))
        for _ in range(INVERSE):
            V = np.linalg.qr(dpotrs(L, V, lower=1)[0])[0]
        each, values = units.spread(self.noise), np.square(np.tril(L).T @ V).sum(axis=0) + tolerance
        for v, value in zip(V.T, values.tolist(), strict=True):
            reach = (abs(float(v @ g)) + float(np.linalg.norm(v * each))) / value
            far = w + reach * v / self.scale
            if any(kinks_between(self.end.objective, w, far, units.natural_weights)):
                return False
            if not units.shares(reach * v, w).max(initial=0.0) > CLOSE:
                continue
            for side in (-reach, reach):
                there = self.end.objective.at(w + side * v / self.scale)
                with np.errstate(all="ignore"):
                    along = v / self.scale
                    bend = float(along @ (there.hessian_operator() @ along)) / value
                if not ALIKE <= bend <= 1.0 / ALIKE:
                    return False
        return True

    def bends_down(self, v: np.ndarray) -> bool:
        """Whether J is concave along v there."""
        return float(v @ (self.end.hessian_operator() @ v)) < 0.0

    def __str__(self) -> str:
        if self.steps == 0:
            return "The gradient is zero to rounding."
        steps = "A Newton step" if self.steps == 1 else f"{self.steps} Newton steps"
        verb = "leaves" if self.steps == 1 else "leave"
        return (
            f"{steps} of up to {self.moved:.1g} of a unit's weights {verb} {self.left:.1g} of the "
            "gradient: a zero of it is that near."
        )


def nearby_zero(
    at: BaseLinearization, units: Units, spectrum: Spectrum, tolerance: float
) -> NearbyZero | None:
    """Return where Newton's method goes, or None where it does not contract.

    Eigenvalues up to `tolerance`, or else up to the spectrum's own, are left out.
    """
    found = _nearby(at, units, spectrum, tolerance)
    if found is None:
        return None
    jumps = kinks_between(at.objective, at.w, found.end.w, units.natural_weights)
    return replace(found, over_kink=jumps[0], one_sided=jumps[1])


def _nearby(
    at: BaseLinearization, units: Units, spectrum: Spectrum, tolerance: float
) -> NearbyZero | None:
    if not spectrum.dense:
        return _truncated(at, units)
    for zero in sorted({tolerance, spectrum.tolerance}, reverse=True):
        seen = np.abs(spectrum.eigenvalues) > zero
        found = _follow(at, units, spectrum, seen)
        if found is not None:
            return found
    return None


def _follow(
    at: BaseLinearization, units: Units, spectrum: Spectrum, seen: np.ndarray
) -> NearbyZero | None:
    """Take Newton steps along the eigenvectors seen until the gradient is rounding."""
    noise = gradient_noise(at, units)
    quick = _walk(at, units, spectrum, seen, noise, STRAIGHT)
    return quick or _walk(at, units, spectrum, seen, noise, SHRINKS)


def _walk(
    at: BaseLinearization,
    units: Units,
    spectrum: Spectrum,
    seen: np.ndarray,
    noise: np.ndarray,
    shrinks: float,
) -> NearbyZero | None:
    """Take steps that shrink so; where that is straight on, by the Hessian of the start."""
    scale, there = units.scale, at
    V, values, zeros = spectrum.eigenvectors[:, seen], spectrum.eigenvalues[seen], None
    rest = at.gradient / scale
    norm = float(np.linalg.norm(rest)) or 1.0
    H, before = spectrum.applied, math.inf
    for k in range(STEPS + 1):
        far = units.shares(scale * (there.w - at.w), at.w).max(initial=0.0)
        if not far <= FAR:
            return None
        still = (units.norms(rest) <= STEADY * NOISE * noise).all()
        if still and k > 0:
            noise = gradient_noise(there, units)
        still = still and (units.norms(rest) <= NOISE * noise).all()
        if k == 0 or (shrinks == STRAIGHT and not still):
            step = V @ ((V.T @ rest) / values)
        else:
            zeros = spectrum.eigenvectors[:, ~seen] if zeros is None else zeros
            H, solution = _newton(there, scale, rest, zeros)
            if solution is None:
                return None
            step = solution
        length = units.shares(step, at.w).max(initial=0.0)
        if still and length <= FAR:
            left = float(np.linalg.norm(rest)) / norm
            return NearbyZero(there, units, k, float(far), left, noise, H)
        if not length <= min(shrinks * before, FAR):
            return None
        before = length
        there = at.objective.at(there.w - step / scale)
        with np.errstate(all="ignore"):
            rest = there.gradient / scale
        if not np.isfinite(rest).all():
            return None
    return None


def _newton(
    there: BaseLinearization, scale: np.ndarray, rest: np.ndarray, zeros: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the Hessian there and Newton's step, none of it along `zeros` (N, k)."""
    H = scaled_hessian(there, scale)
    A = H.copy()
    if zeros.size:
        A += (float(np.abs(H).max(initial=0.0)) or 1.0) * (zeros @ zeros.T)
    step = _solved(A, rest)
    if step is not None:
        step -= zeros @ (zeros.T @ step)
    return H, step


def _solved(A: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Return A⁻¹ b; next to a minimum, where A is positive, by the quicker factorisation."""
    *_, x, info = dposv(A, b, lower=1)
    if info != 0:
        *_, x, info = dsysv(A, b, overwrite_a=True)
    return x if info == 0 else None


def _truncated(at: BaseLinearization, units: Units) -> NearbyZero | None:
    """Take one truncated step, where the Hessian is known by its products only."""
    scale, g = units.scale, at.gradient / units.scale
    norm = float(np.linalg.norm(g))
    noise = gradient_noise(at, units)
    if (units.norms(g) <= NOISE * noise).all():
        return NearbyZero(at, units, 0, 0.0, 1.0, noise)
    A = scaled_operator(at.hessian_operator(), scale)
    step = minres(A, g, rtol=1e-2, maxiter=PRODUCTS)[0]
    there = at.objective.at(at.w - step / scale)
    with np.errstate(all="ignore"):
        left = float(np.linalg.norm(there.gradient / scale)) / norm
    far = float(units.shares(step, at.w).max(initial=0.0))
    near = left <= CONTRACTS and far <= FAR
    return NearbyZero(there, units, 1, far, left, noise) if near else None
