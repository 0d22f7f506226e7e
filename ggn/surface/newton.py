"""Newton's method for a few steps: whether a zero of the gradient is near, and what it is.

    w' = w - D⁻¹ V (Vᵀ H V)⁻¹ Vᵀ D⁻¹ g,    H = D⁻¹ H_J D⁻¹ taken anew for each step,

V the eigenvectors of H at the start whose eigenvalues do not count as zero.  Where the
method contracts, it goes to a zero of g, and nearer with each step; elsewhere it wanders.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dsysv
from scipy.sparse.linalg import minres

from ggn.linearization import Linearization
from ggn.linearization.hessian import scaled_hessian, scaled_operator
from ggn.linearization.spectrum import Spectrum

__all__ = ["NearbyZero", "nearby_zero"]

STEPS = 4
PRODUCTS = 120  # for a truncated step
CONTRACTS = 0.1  # of ‖g‖ may be left
FAR = 0.03  # of the weights: steps beyond the first do not go further than that
NOISE = 1e-13  # relative gradient that is rounding


@dataclass(frozen=True)
class NearbyZero:
    """Where Newton's method went, next to a zero of the gradient.  Prints as a sentence."""

    end: Linearization
    scale: np.ndarray
    zeros: np.ndarray  # eigenvectors left out, (N, k)
    steps: int
    moved: float  # share of the weights
    left: float  # share of the gradient

    def minimum(self, tolerance: float) -> bool:
        """Whether H is positive there, beyond the tolerance and across the zeros."""
        H = scaled_hessian(self.end, self.scale)
        top = float(np.abs(H).max(initial=0.0))
        H += top * (self.zeros @ self.zeros.T)
        H[np.diag_indices(len(H))] -= tolerance
        return bool(dpotrf(H, overwrite_a=True)[1] == 0)

    def bends_down(self, v: np.ndarray) -> bool:
        """Whether J is concave along v there."""
        return float(v @ (self.end.hessian_operator() @ v)) < 0.0

    def __str__(self) -> str:
        if self.steps == 0:
            return "The gradient is zero to rounding."
        steps = "A Newton step" if self.steps == 1 else f"{self.steps} Newton steps"
        verb = "leaves" if self.steps == 1 else "leave"
        return (
            f"{steps} of {self.moved:.1g} of the weights {verb} {self.left:.1g} of the gradient: "
            "a zero of it is that near."
        )


def nearby_zero(
    at: Linearization, scale: np.ndarray, spectrum: Spectrum, tolerance: float, relative: float
) -> NearbyZero | None:
    """Return where Newton's method goes, or None where it does not contract.

    Eigenvalues up to `tolerance`, or else up to the spectrum's own, are left out.
    """
    g = at.gradient / scale
    norm, length = float(np.linalg.norm(g)), float(np.linalg.norm(scale * at.w)) or 1.0
    if relative <= NOISE:
        return NearbyZero(at, scale, np.empty((len(g), 0)), 0, 0.0, 1.0)
    noise = NOISE / relative * norm
    for zero in (tolerance, spectrum.tolerance):
        seen = np.abs(spectrum.eigenvalues) > zero
        V, zeros = spectrum.eigenvectors[:, seen], spectrum.eigenvectors[:, ~seen]
        if spectrum.dense:
            step = V @ ((V.T @ g) / spectrum.eigenvalues[seen])
        else:
            step = _truncated(at, scale, g)
        there, before = at, norm
        for k in range(1, STEPS + 1):
            there = Linearization(at.objective, there.w - step / scale)
            with np.errstate(all="ignore"):
                rest = there.gradient / scale
                left = float(np.linalg.norm(rest))
                moved = float(np.linalg.norm(scale * (there.w - at.w))) / length
            # in a tail, as of exp(-w), each step takes its share of g, and no zero is near
            if left <= max(CONTRACTS * min(before, norm), noise):
                return NearbyZero(there, scale, zeros, k, moved, left / norm)
            if not (spectrum.dense and math.isfinite(left) and moved <= FAR):
                break
            before = left
            H = scaled_hessian(there, scale)
            top = float(np.abs(H).max(initial=0.0)) or 1.0
            if zeros.size:
                H += top * (zeros @ zeros.T)
            *_, step, info = dsysv(H, rest, overwrite_a=True)
            if info != 0:
                break
            step -= zeros @ (zeros.T @ step)
    return None


def _truncated(at: Linearization, scale: np.ndarray, g: np.ndarray) -> np.ndarray:
    A = scaled_operator(at.hessian_operator(), scale)
    step: np.ndarray = minres(A, g, rtol=1e-2, maxiter=PRODUCTS)[0]
    return step
