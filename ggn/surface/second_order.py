"""The second-order evidence at a point: eigenvalues, what a step promises, where J falls.

In weights D w (see `ggn.surface.fit`), with gradient g, eigenpairs (λ_j, v_j) of the exact
Hessian and τ the size up to which an eigenvalue counts as zero,

    promised = Σ (v_jᵀ g)² / 2 max(|λ_j|, τ).

Of a symmetry the eigenvalue 0 is off by the order of ‖g‖ / ‖w‖, which `tolerance` has too.
Of weights near 0 it is the size that is natural for them that counts (`ggn.surface.units`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from ggn._core.cached import cached_property
from ggn.linearization import BaseLinearization, BaseObjective
from ggn.linearization.hessian import scaled_operator
from ggn.linearization.spectrum import spectrum
from ggn.surface.kinks import kinks_between
from ggn.surface.newton import NearbyZero, nearby_zero
from ggn.surface.obstruction import Obstruction
from ggn.surface.row_span import scaled_norm
from ggn.surface.units import Units

__all__ = ["Bent", "SecondOrder", "has_hessian", "normal_step"]

EPS = float(np.finfo(np.float64).eps)
PRODUCTS = 60  # for a truncated step


def has_hessian(at: BaseLinearization, scale: np.ndarray) -> bool:
    """Whether J is twice differentiable at w, in double precision."""
    if not at.net.twice_differentiable:
        return False
    with np.errstate(all="ignore"):
        product = scaled_operator(at.hessian_operator(), scale) @ np.ones(len(scale))
        return bool(np.isfinite(np.linalg.norm(product)))


def normal_step(at: BaseLinearization, scale: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the fall of J that a truncated GGN step promises, and the step."""
    G, g = scaled_operator(at.operator(), scale), at.gradient / scale
    norm = float(np.linalg.norm(g))
    if norm == 0.0:
        return 0.0, g
    # lest rounding be promised along directions that change nothing
    shift = 1e-12 * float(np.linalg.norm(G @ g)) / norm
    A = LinearOperator(G.shape, matvec=lambda v: G @ v + shift * v, dtype=np.float64)
    with np.errstate(all="ignore"):
        d, _ = cg(A, g, rtol=1e-3, maxiter=PRODUCTS)
    return 0.5 * float(g @ d), d / scale


class SecondOrder:
    """The spectrum at w, eigenvectors and gradient those in the weights D w."""

    def __init__(
        self,
        at: BaseLinearization,
        units: Units,
        max_memory: float,
        promised: float = 0.0,
    ) -> None:
        self.at, self.units, self.scale = at, units, units.scale
        scale = self.scale
        self.spectrum = spectrum(at, scale=scale, max_memory=max_memory)
        self.gradient = at.gradient / scale
        self.norm = scaled_norm(self.gradient)
        self.length = scaled_norm(scale * at.w)
        self.natural = scaled_norm(units.natural) / math.sqrt(units.count)
        size = max(self.length / math.sqrt(len(at.w)), self.natural)
        self.tolerance = self.spectrum.tolerance + 10.0 * self.norm / size
        self.values, self.vectors = self.spectrum.eigenvalues, self.spectrum.eigenvectors
        known, self.step = self._step()
        self.promised = max(known, promised)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many eigenvalues, of those known, are positive, zero and negative."""
        above = int(np.sum(self.values > self.tolerance))
        below = int(np.sum(self.values < -self.tolerance))
        return above, len(self.values) - above - below, below

    def _step(self) -> tuple[float, np.ndarray]:
        """Return the fall of J that is promised, and the step that does, as far as is known."""
        size = np.maximum(np.abs(self.values), self.spectrum.tolerance)
        size[size == 0.0] = math.inf
        along = self.vectors.T @ self.gradient
        return float(np.sum(along**2 / (2.0 * size))), self.vectors @ (along / size) / self.scale

    def descent(self) -> tuple[np.ndarray, list[tuple[float, float]]] | None:
        """Return a direction of negative curvature, of unit length, and (t, J) along it.

        None unless J falls by more than the gradient explains.
        """
        if not self.spectrum.descends:
            return None
        low = float(self.values[0])
        v = self.vectors[:, 0] / self.scale
        unit = 1.0 / float(np.linalg.norm(v))
        v, path = min(
            ((u, list(self._follow(u, -low))) for u in (v, -v)), key=lambda pair: pair[1][-1][1]
        )
        enough = self.at.loss - path[-1][1] > 10.0 * self.promised + 8.0 * self.at.rounding
        return (v * unit, [(t / unit, J) for t, J in path]) if enough else None

    def _follow(self, v: np.ndarray, curvature: float) -> Iterator[tuple[float, float]]:
        """Yield (t, J) along v, t doubling, until J rises, or a kink ends what H tells."""
        at = self.at
        far = self.natural + self.length
        t = math.sqrt(16.0 * (at.rounding + self.promised) / curvature) or EPS * far
        least = at.loss
        yield 0.0, least
        while t <= far:
            there = at.w + t * v
            with np.errstate(all="ignore"):
                J = at.objective.value(there)
            passed = kinks_between(at.objective, at.w, there, self.units.natural_weights)[0]
            if passed or not J < least:
                return
            least = J
            yield t, J
            t *= 2.0

    @cached_property
    def _nearby(self) -> NearbyZero | None:
        return nearby_zero(self.at, self.units, self.spectrum, self.tolerance)

    @property
    def stationary(self) -> NearbyZero | None:
        """The zero of the gradient nearby, if that is known."""
        return None if self.over_kink else self._nearby

    @property
    def over_kink(self) -> bool:
        """Whether Newton steps lead to a kink or beyond, where J has another gradient."""
        return self._nearby is not None and self._nearby.over_kink


class Bent(Protocol):
    """What the second-order tests ask of a point, wherever its samples are."""

    @property
    def at(self) -> BaseLinearization:
        """The point."""

    @property
    def objective(self) -> BaseObjective:
        """What is minimised."""

    @property
    def second(self) -> SecondOrder | None:
        """The second-order evidence."""

    @property
    def kinks(self) -> tuple[bool, bool]:
        """Whether some net input lies where σ' jumps, and where σ'' does."""

    @property
    def promised(self) -> float:
        """The fall of J that gradient and Hessian promise."""

    @property
    def enough(self) -> float:
        """The fall of J that would tell."""

    @property
    def lost(self) -> bool:
        """Whether J underflows where outputs are off their targets."""

    @property
    def proofs(self) -> list[Obstruction]:
        """The obstructions that are rigorous."""

    @property
    def obstructions(self) -> tuple[Obstruction, ...]:
        """What is known to make an exact fit impossible."""
