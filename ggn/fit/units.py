"""The data's own units: training works in them wherever that changes nothing but the numbers.

    x' = (x - m) / s,    y' = (y - m_y) / s_y,    J(w) = k J'(w'),    w = A w' + a

m and s are mean and deviation of each input, m_y the mean of each target, s_y one size for
all targets, so that J only changes by a factor: k = s_y^p for a loss with
ρ_s(t r) = t^p ρ_{s/t}(r), p = 2 but for smooth ℓp.  A shift needs a dummy unit to take it, and
no penalty on that.  Means of at most three deviations stay, of inputs only where the caller
has chosen the weights to start from: the metric sees them, so elsewhere the path would depend
on them.

    W_1 = W_1' / s,   its dummy row: less m W_1;     W_L = s_y W_L',   its dummy row: plus m_y
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from ggn import steps
from ggn._core.cached import cached_property
from ggn._core.machine import memory_limit
from ggn.damping import Damping, LevenbergMarquardt
from ggn.fit.sizes import LARGEST, advice, far_from_one, input_units, target_units
from ggn.linearization import BaseObjective
from ggn.losses import Loss
from ggn.losses.base import SCALES
from ggn.steps import Step
from ggn.validation import users_line

__all__ = [
    "CENTRED",
    "NEARBY",
    "OWN_COPY",
    "ScalingWarning",
    "Standard",
    "Units",
    "choose_units",
    "rescaled",
    "untold",
]

NEAR = math.log(10.0)  # deviations nearer to one than this factor stay as they are
OWN_COPY = 0.25  # of the memory allowed, which inputs in their own units may take
LEAST = 1e-300  # deviations whose reciprocals are numbers, times weights too
CENTRED, NEARBY = 1e-9, 3.0  # deviations that a mean which stays may lie from zero


_TOLD = ContextVar("_TOLD", default=True)


@contextlib.contextmanager
def untold() -> Iterator[None]:
    """Return a context whose trainings warn of no units, for data that nobody outside has seen."""
    token = _TOLD.set(False)
    try:
        yield
    finally:
        _TOLD.reset(token)


class ScalingWarning(UserWarning):
    """Inputs or targets are far from unit size, where training cannot change to their units."""


class Units:
    """What the numbers of a run mean to its caller: here, just what they are."""

    near = NEARBY  # in deviations, how far from zero the means of inputs stay

    def __init__(self, objective: BaseObjective) -> None:
        self.given = objective  # in the caller's units
        self.objective = objective  # in those of the run

    @cached_property
    def far(self) -> str | None:
        """What is far from zero mean and deviation one in these units, see `far_from_one`."""
        return far_from_one(self.objective, self.given)

    def weights(self, w: np.ndarray) -> np.ndarray:
        """Return the caller's weights for those of the run."""
        return w

    def own(self, w: np.ndarray) -> np.ndarray:
        """Return the run's weights for those of the caller."""
        return w

    def loss(self, J: float) -> float:
        """Return the caller's J."""
        return J

    def gradient(self, g: np.ndarray) -> np.ndarray:
        """Return the caller's ∇J."""
        return g

    def step(self, d: np.ndarray) -> np.ndarray:
        """Return the caller's step."""
        return d

    def at(self, w: np.ndarray) -> Any:
        """Return what the caller's J is at the caller's w: it has .w, .loss and .gradient."""
        return self.given.at(w)

    def factors(self) -> tuple[np.ndarray, np.ndarray, float, float] | None:
        """Return m, s, s_y and k, or None where the units are the caller's."""
        return None

    def numbers(self) -> np.ndarray:
        """Return the numbers that tell this change of units from all others."""
        return np.empty(0)

    def level(self) -> float:
        """Return J of outputs that are the mean of the targets, or the rounding of J of zeros.

        In the caller's units.
        """
        own = self.objective
        mean = own.mean_target()
        with np.errstate(all="ignore"):
            found = self.loss(own.constant(mean)), 1e-16 * self.given.constant(0.0 * mean)
        return max((J for J in found if math.isfinite(J)), default=0.0)


class Standard(Units):
    """Standard units of inputs, targets or both."""

    def __init__(
        self,
        objective: BaseObjective,
        x: tuple[np.ndarray, np.ndarray],
        y: tuple[np.ndarray, float],
        loss: Loss,
        factor: float,
    ) -> None:
        super().__init__(objective)
        self._net, layout = objective.net, objective.net.layout
        (self._m, self._s), (self._my, self._sy), self._k = x, y, factor
        self._shifted = bool(self._m.any())
        self._first, self._shape = layout.weight_slices[0], layout.shapes[0]
        self._of_outputs = layout.weight_slices[-1]  # what is in units of the targets
        l2 = objective.l2
        if objective.penalised:
            scale = self._scaled(np.ones(self._net.n_weights))
            with np.errstate(all="ignore"):
                l2 = objective.l2 * np.square(scale) / factor
        own = objective.standard(self._m, self._s, self._my, self._sy, loss, l2)
        self.finite = own is not None
        self.objective = own or objective

    def _first_of(self, w: np.ndarray) -> np.ndarray:
        """Return W_1ᵀ (n_1, n_0 [+ 1]) of w, a view."""
        return w[self._first].reshape(self._shape)

    def _scaled(self, d: np.ndarray) -> np.ndarray:
        """Return the caller's step but for the shift: inputs' weights / s, the last layer's s_y."""
        d = d.copy()
        self._first_of(d)[:, : len(self._s)] /= self._s
        if self._sy != 1.0:
            d[self._of_outputs] *= self._sy
        return d

    def _shift_outputs(self, w: np.ndarray, times: float) -> None:
        """Add what the last dummy unit is for, outputs' means, to w so many times."""
        if self._net.bias[-1] and (self._sy != 1.0 or self._my.any()):
            last = self._net.layout.weight_slices[-1]
            by = self._my - (self._sy - 1.0) * self._net.fixed_bias
            w[last].reshape(len(by), -1)[:, -1] += times * by

    def factors(self) -> tuple[np.ndarray, np.ndarray, float, float]:
        return self._m, self._s, self._sy, self._k

    def numbers(self) -> np.ndarray:
        return np.concatenate([self._m, self._s, self._my, [self._sy, self._k]])

    def step(self, d: np.ndarray) -> np.ndarray:
        d = self._scaled(d)
        if self._shifted:
            first = self._first_of(d).T
            first[-1] -= self._m @ first[: len(self._m)]
        return d

    def weights(self, w: np.ndarray) -> np.ndarray:
        w = self.step(w)
        self._shift_outputs(w, 1.0)
        return w

    def own(self, w: np.ndarray) -> np.ndarray:
        w = w.copy()
        first, n0 = self._first_of(w), len(self._m)
        self._shift_outputs(w, -1.0)
        w[self._of_outputs] /= self._sy
        if self._shifted:
            first[:, -1] += self._m @ first.T[:n0]
        first[:, :n0] *= self._s
        return w

    def loss(self, J: float) -> float:
        return self._k * J

    def gradient(self, g: np.ndarray) -> np.ndarray:
        if not np.isfinite(g).all():
            return g
        of_outputs, n0 = g[self._of_outputs], len(self._m)
        g = g * self._k
        g[self._of_outputs] = of_outputs * (self._k / self._sy)
        first = self._first_of(g)
        first[:, :n0] *= self._s
        if self._shifted:
            first[:, :n0] += self._m * first[:, -1:]
        return g


def choose_units(
    objective: BaseObjective,
    step: Step,
    damping: Damping,
    max_memory: float | None,
    near: float = NEARBY,
) -> Units:
    """Return the units of a run, and warn where they should be others and cannot.

    A damping other than Levenberg-Marquardt, and a step of the user's own, see the units given.
    Means of at most `near` deviations stay in the inputs.
    """
    units = Units(objective)
    if type(damping) is LevenbergMarquardt and type(step) in steps.NAMES.values():
        units = _own_units(objective, OWN_COPY * memory_limit(max_memory), near)
        units.near = near
    if units.far is not None and _TOLD.get():
        warnings.warn(advice(units.far), ScalingWarning, stacklevel=users_line())
    return units


def _own_units(objective: BaseObjective, most_bytes: float, near: float) -> Units:
    """Return the units to train in: the data's own, or the given ones where those will do.

    They do where every deviation is of size one and no mean far beyond it.  They stay also
    where nothing could be changed, and where a copy of the inputs would exceed `most_bytes`.
    """
    net = objective.net
    shifts = not objective.penalised, not objective.penalised
    if objective.penalised:
        l2 = net.matrices(objective.l2 * np.ones(net.n_weights))
        shifts = not l2[0][-1].any(), not l2[-1][-1].any()
    centre, deviation = input_units(objective, net.bias[0] and shifts[0])
    of_inputs = list(zip(centre.tolist(), deviation.tolist(), strict=True))
    m = [mean if abs(mean) > near * size else 0.0 for mean, size in of_inputs]
    s = [size if size > 0.0 else abs(mean) or 1.0 for mean, size in of_inputs]
    stay = not any(m) and all(abs(math.log(size)) <= NEAR for size in s)
    if stay or objective.copied_inputs() > most_bytes:
        stay, m, s = True, [0.0] * net.n_inputs, [1.0] * net.n_inputs
    centre, sy = target_units(objective, net.bias[-1] and shifts[1])
    my = [mean if abs(mean) > NEARBY * sy else 0.0 for mean in centre.tolist()]
    sy = sy or max(map(abs, my)) or 1.0  # constant targets are measured by their value
    if not any(my):
        sy = 1.0 if abs(math.log(sy)) <= NEAR else sy
        if stay and sy == 1.0:
            return Units(objective)
    scale = objective.loss.scale
    if scale is not None and not SCALES[0] <= scale / sy <= SCALES[1]:
        return Units(objective)
    with np.errstate(all="ignore"):
        x, y = (np.array(m), np.array(s)), (np.array(my), sy)
        found = Standard(objective, x, y, *rescaled(objective.loss, sy))
    # weights of the run become the caller's by 1/s and sy
    fine = found.finite and min(s) > LEAST and sy < 1.0 / LEAST
    fine = fine and float(np.max(found.objective.l2)) <= LARGEST  # a gradient is squared
    return found if fine else Units(objective)


def rescaled(loss: Loss, t: float) -> tuple[Loss, float]:
    """Return ρ_{s/t}, and the factor t^p between the losses."""
    if t == 1.0 or loss.scale is None:
        return loss, t * t
    return loss.with_scale(loss.scale / t), float(np.float64(t) ** (loss.p or 2.0))
