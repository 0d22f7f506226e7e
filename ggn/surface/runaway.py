"""Whether J falls towards weights at infinity.

A unit with incoming weights v runs away if v can grow along a d that leaves its net
input as it is on the other samples U and drives it outwards on those S where it is flat:

    d = (1 - Φ_U⁺ Φ_U) v,    sign(z_i) φ_iᵀ d > 0 for i in S    (φ_i: rows of φ̂_{l-1}),

each input in units of its largest size, so that d does not depend on those of the data.
If J does not rise along w + (factor - 1) d, the stop is on the way to an infimum at
infinity rather than at a local minimum.  What J itself does not show in its rounding, its
slope dᵀ∇J does, of which no part cancels but what ∇_E and ∂φ_L/∂d are off by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.linearization import Linearization, linearize
from ggn.linearization.directional import sum_along
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface.change import output_rounding
from ggn.surface.flat_units import FLAT, SaturatedUnit, saturation
from ggn.surface.layers import sweep_layers
from ggn.validation import float_array

__all__ = ["RunawayRay", "runaway_ray"]

FACTORS = (0.25, 0.5, 1.0, 1.01, 1.05, 1.1, 1.2, 1.4, 2.0, 4.0, 8.0, 16.0)
SHARE = 1e-6
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class RunawayRay:
    """J along w + (factor - 1) d, see `runaway_ray`.

    Attributes
    ----------
    units : tuple of SaturatedUnit
        Whose incoming weights grow.
    w, direction : ndarray, (N,)
        The weights at factor 1, and d, zero for all others.
    factors, losses, slopes, gradient_norms : ndarray
        Factor, J, dJ/d factor and ‖∇J‖ at each point; factor 1 is w itself.
    rounding : float
        How much of J its rounding can move.
    slope_rounding : ndarray
        How much of each slope.
    """

    units: tuple[SaturatedUnit, ...]
    w: np.ndarray
    direction: np.ndarray
    factors: np.ndarray
    losses: np.ndarray
    slopes: np.ndarray
    gradient_norms: np.ndarray
    rounding: float
    slope_rounding: np.ndarray

    @property
    def nonincreasing(self) -> bool:
        """Whether J, beyond its rounding, never rises from w outwards."""
        J = self.losses[self.factors >= 1.0]
        return bool(np.isfinite(J).all() and (np.diff(J) <= self.rounding).all())

    @property
    def turns_up(self) -> bool:
        """Whether the slope is seen to be positive somewhere from w outwards.

        Beside a visible fall at w, slopes a millionth of that are the other weights' misfit.
        """
        out = self.factors >= 1.0
        falls = max(-float(self.slopes[out][0]), 0.0)
        return bool((self.slopes[out] > self.slope_rounding[out] + SHARE * falls).any())

    @property
    def levels_off(self) -> bool:
        """Whether J keeps still, to rounding, over the last doubling, and its slope with it."""
        change = abs(self.losses[-1] - self.losses[-2])
        return bool(change <= self.rounding and abs(self.slopes[-1]) <= self.rounding)

    @property
    def falls_inwards(self) -> bool:
        """Whether J is lower on the way back (factor < 1): train on from `best`."""
        here = self.losses[self.factors == 1.0][0]
        return bool((self.losses[self.factors < 1.0] < here - self.rounding).any())

    @property
    def rises_inwards(self) -> bool:
        """Whether J is higher on the way back: growing is what lowered it."""
        here = self.losses[self.factors == 1.0][0]
        return bool((self.losses[self.factors < 1.0] > here + self.rounding).any())

    @property
    def infimum(self) -> bool:
        """Whether J fell on the way here and now levels off: evidence, no proof."""
        fell = self.rises_inwards and not self.falls_inwards
        return fell and self.nonincreasing and self.levels_off and not self.turns_up

    @property
    def limit(self) -> float:
        """J at the far end."""
        return float(self.losses[-1])

    @property
    def best(self) -> np.ndarray:
        """The weights of least J on the ray, (N,)."""
        factor = self.factors[np.nanargmin(self.losses)]
        return self.w + (factor - 1.0) * self.direction

    def __str__(self) -> str:
        units = f"{len(self.units)} saturated {'unit' if len(self.units) == 1 else 'units'}"
        if self.falls_inwards:
            best = int(np.nanargmin(self.losses))
            return (
                f"with the runaway part of the weights of {units} multiplied by "
                f"{self.factors[best]:g} J is lower, {self.losses[best]:.6g}"
            )
        course = "levels off at" if self.infimum else "does not level off; it goes to"
        return (
            f"with the weights of {units} growing {self.factors[-1]:g}-fold "
            f"J {course} {self.limit:.6g}"
        )


def runaway_ray(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    factors: Sequence[float] = FACTORS,
) -> RunawayRay | None:
    """Follow J as the incoming weights of saturated units grow.

    Parameters
    ----------
    net, w, X, Y, loss, l2, sample_weight
        As in `ggn.linearize`.
    factors : sequence of float
        Ascending, 1 among them.

    Returns
    -------
    RunawayRay or None
        None if no unit can run away: none is flat anywhere, or the samples on which it is
        not leave its weights no freedom.  Units of activations exactly flat on one side,
        such as relu, cannot: there J does not fall but keeps still.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> net, X = ggn.MLP((1, 1, 1)), [[-1.0], [1.0]]
    >>> ray = runaway_ray(net, [25.0, 0.0, 1.0, 0.0], X, [[-1.0], [1.0]])
    >>> ray.infimum, ray.limit
    (True, 0.0)
    """
    factor = float_array("factors", factors, (1,))
    if len(factor) < 2 or not (np.diff(factor) > 0.0).all() or 1.0 not in factor[:-1]:
        raise ValueError(
            f"factors must ascend, with 1 among them and one above it, got {factor.tolist()}"
        )
    at = linearize(net, w, X, Y, loss, l2=l2, sample_weight=sample_weight)
    units, d = _outwards(net, at.w, at.objective.X)
    if not units:
        return None
    points = [Linearization(at.objective, at.w + (f - 1.0) * d) for f in factor]
    return RunawayRay(
        tuple(units),
        at.w,
        d,
        factor,
        np.array([p.loss for p in points]),
        np.array([p.gradient @ d for p in points]),
        np.array([np.linalg.norm(p.gradient) for p in points]),
        float(8.0 * at.rounding),
        np.array([_slope_rounding(p, d) for p in points]),
    )


def _slope_rounding(at: Linearization, d: np.ndarray) -> float:
    """Return how far Σ c ∇_E ∂φ_L/∂d may be off, the outputs being off by their rounding."""
    objective = at.objective
    off = output_rounding(objective, at.w)

    def rounding(rows: slice, F: np.ndarray, u: np.ndarray) -> float:
        h = objective.curvature(F, rows, psd=True).diagonal().T
        E = np.abs(objective.derivatives(F, rows))
        return float(np.sum((h * off[rows].T + 16.0 * EPS * E) * np.abs(u)))

    return 4.0 * sum_along(objective, at.w, d, rounding)


def _outwards(net: MLP, w: np.ndarray, X: np.ndarray) -> tuple[list[SaturatedUnit], np.ndarray]:
    """Return the units that can run away, and the direction d."""
    state = saturation(net, w, X)
    found = [unit for unit in state.units if not state.layers[unit.layer - 1].flat_part]
    d = np.zeros(net.n_weights)
    grown: list[SaturatedUnit] = []
    if not found:
        return grown, d
    for layer in sorted({unit.layer for unit in found}):
        parts = sweep_layers(net, w, X, net.chunk_size(net.n_outputs))
        inputs = np.concatenate([part.inputs[layer - 1].T.copy() for part in parts])
        v = net.unpack(w)[layer - 1]
        z = inputs @ v - net.fixed_bias
        D = np.abs(inputs).max(axis=0)
        D[D == 0.0] = 1.0
        along = net.unpack(d)[layer - 1]  # a view: d is filled through it
        for unit in (unit for unit in found if unit.layer == layer):
            k, flat = unit.unit, np.zeros(len(X), bool)
            flat[unit.samples] = True
            step = _null_part(inputs[~flat] / D, D * v[:, k]) / D
            outwards = np.sign(z[flat, k]) * (inputs[flat] @ step)
            if (outwards > FLAT * np.abs(z[flat, k])).all():
                along[:, k] = step
                grown.append(unit)
    return grown, d


def _null_part(A: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the part of v that A (m, n) maps to 0."""
    _, s, Vt = np.linalg.svd(np.linalg.qr(A, mode="r"), full_matrices=False)
    rows = Vt[s > max(A.shape) * EPS * s.max(initial=0.0)]
    part: np.ndarray = v - rows.T @ (rows @ v)
    return part
