"""By how much J changes with w, to the last digit that the outputs have.

    J(w') - J(w) = Σ_i c_i [E(F_i', y_i) - E(F_i, y_i)] + Σ_j l2_j (w_j' - w_j)(w_j' + w_j)

The bracket is ∫ ∇_E dF along the segment (Gauss-Legendre, three points beside two for the
error), or the difference itself where that is nearer: the difference of two sums J would hide
what one output of small units does beside another of large ones.

What rounding can make of an output is carried forward: each product W_ab φ_a and each σ is off
by eps of itself, independently,

    s_z² = (W²)ᵀ (s_φ² + eps² φ²),    s_σ² = σ'² s_z² + eps² σ².

At a kink z is a rest of terms that rounding has left, smaller than itself there: W² eps² is then
that of weights of natural size, where they are less, and σ' that of the steeper side.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn._core.cached import cached_property
from ggn.linearization import Objective, SummedObjective
from ggn.losses import Logistic
from ggn.losses.curvature import Curvature
from ggn.losses.residual import Residual
from ggn.network import chunks
from ggn.surface.kinks import steeper

__all__ = ["Change", "Changes", "along", "fall_of_sums", "output_rounding"]

EPS = float(np.finfo(np.float64).eps)
VISIBLE = 4.0  # times the rounding: a change that is none of it
STEPS = 4.0 ** np.arange(-15.0, 1.0)
_THREE = (0.5 - math.sqrt(0.15), 0.5, 0.5 + math.sqrt(0.15))
_TWO = (0.5 - math.sqrt(1.0 / 12.0), 0.5 + math.sqrt(1.0 / 12.0))


def output_rounding(
    objective: Objective, w: np.ndarray, natural: np.ndarray | None = None
) -> np.ndarray:
    """Return how far rounding may move each output, (T, nL): about a standard deviation.

    Where w is at a kink, `natural` is the natural size of each weight, (N,).
    """
    net = objective.net
    least = [None] * net.depth if natural is None else net.unpack(natural)
    out = np.empty((objective.T, net.n_outputs))
    c, _ = objective.chunk(0)
    Ws, work = net.unpack(w), np.empty(net.work_size(min(c, objective.T), net.n_outputs))
    with np.errstate(all="ignore"):
        for rows in chunks(range(objective.T), c):
            n = rows.stop - rows.start
            F = net.sweep(w, objective.X[rows], work, keep=1)
            variance = np.zeros((net.n_inputs, n))
            for layer, (W, size) in enumerate(zip(Ws, least, strict=True), start=1):
                phi = net.layout.inputs(work, n, layer)
                terms = np.square(EPS * phi)
                more: np.ndarray | float = 0.0
                if size is not None:
                    more = np.square(np.where(np.abs(W) < size, size, 0.0)).T @ terms
                terms[: len(variance)] += variance
                value = F if layer == net.depth else net.layout.inputs(work, n, layer + 1)
                value = value[: W.shape[1]]
                slope = net.layout.slopes(work, n, layer)
                if size is not None:
                    slope = steeper(net.activations[layer - 1], W.T @ phi - net.fixed_bias)
                of_z = np.square(W).T @ terms + more
                variance = np.square(slope) * of_z + np.square(EPS * value)
            out[rows] = np.sqrt(variance).T
    return out


@dataclass(frozen=True)
class Change:
    """J(w') - J(w).

    Attributes
    ----------
    total, rounding : float
        It, and how far rounding may move it.
    outputs, output_rounding : ndarray, (nL,)
        Each output's part of the loss, where it is a sum over outputs; else nan.
    """

    total: float
    rounding: float
    outputs: np.ndarray
    output_rounding: np.ndarray

    @property
    def falls(self) -> bool:
        """Whether J is seen to fall."""
        return self.total < -VISIBLE * self.rounding

    @property
    def rises(self) -> bool:
        """Whether J is seen to rise; also where it overflows."""
        return not self.total <= VISIBLE * self.rounding


class Changes:
    """Changes of J from one w; call it with w'."""

    def __init__(self, objective: Objective, w: np.ndarray) -> None:
        self.objective, self.w = objective, w
        self.F = objective.net.forward(w, objective.X)
        self.Y = objective.Yt.T
        self.c = objective.c.array
        self.off = output_rounding(objective, w)
        with np.errstate(all="ignore"):
            self.E = objective.loss.value(self.F, self.Y)
            self.G = objective.loss.gradient(self.F, self.Y)
            H = objective.loss.hessian(self.F, self.Y, psd=True)
        curvature = Curvature.of(H)
        self.separable = curvature.form == 1  # a sum over outputs, its H_E being diagonal
        self.h = curvature.diagonal()

    @cached_property
    def parts(self) -> np.ndarray:
        """Each output's part of J, penalty left out, (nL,); nan where it is no sum over outputs."""
        nL = self.F.shape[1]
        if nL == 1 or not self.separable:
            return np.full(nL, float(self.c @ self.E) if nL == 1 else np.nan)
        loss = self.objective.loss
        if isinstance(loss, Residual | Logistic):
            each = [loss.value(self.F[:, [o]], self.Y[:, [o]]) for o in range(nL)]
            return np.array([float(self.c @ E) for E in each])
        return np.full(nL, float(self.c @ self.E))  # no part is larger, where none is negative

    @cached_property
    def rounding(self) -> np.ndarray:
        """How far rounding of the outputs may move each output's part of J, (nL,)."""
        moved = np.abs(self.G) * self.off + 0.5 * self.h * np.square(self.off)
        out: np.ndarray = self.c @ np.nan_to_num(moved, nan=0.0)
        return out

    def __call__(self, w: np.ndarray) -> Change:
        objective, Y, c = self.objective, self.Y, self.c
        if not np.isfinite(w).all():
            none = np.full(Y.shape[1], np.nan)
            return Change(math.nan, math.inf, none, none)
        with np.errstate(all="ignore"):
            F = objective.net.forward(w, objective.X)
            E, G = objective.loss.value(F, Y), objective.loss.gradient(F, Y)
            d = F - self.F
            kept = ~d.any(axis=0)  # outputs that nothing has moved
            off = np.where(kept, 0.0, self.off + EPS * np.abs(F))
            three = (5.0 * (self._slope(d, _THREE[0]) + self._slope(d, _THREE[2]))
                     + 8.0 * self._slope(d, _THREE[1])) / 18.0  # fmt: skip
            two = 0.5 * (self._slope(d, _TWO[0]) + self._slope(d, _TWO[1]))
            error = np.abs(three - two) + EPS * np.abs(three)
            moved = (np.abs(self.G) + np.abs(G)) * off + self.h * np.square(off)
            whole, uncertain = three.sum(axis=1), error.sum(axis=1)
            direct = EPS * (np.abs(self.E) + np.abs(E))
            nearer = ~(uncertain <= direct)
            whole = np.where(nearer, E - self.E, whole)
            uncertain = np.where(nearer, direct, uncertain)
            penalty, lost = _of_penalty(objective.l2, self.w, w)
            total = float(c @ whole) + penalty
            rounding = float(c @ (uncertain + moved.sum(axis=1))) + lost
            outputs, each = c @ three, c @ (error + moved)
        if not self.separable:
            outputs = each = np.full(F.shape[1], np.nan)
        return Change(total, rounding, outputs, each)

    def _slope(self, d: np.ndarray, s: float) -> np.ndarray:
        return np.asarray(self.objective.loss.gradient(self.F + s * d, self.Y) * d)

    def fall(self, d: np.ndarray, output: int | None = None) -> float:
        """Return by how much J, or one output's part of it, is seen to fall along -d, or 0."""
        own = output if self.separable and not self.objective.penalised else None

        def each(change: Change) -> tuple[float, float]:
            if own is None:
                return change.total, change.rounding
            return float(change.outputs[own]), float(change.output_rounding[own])

        return _first_fall(each(self(self.w - t * d)) for t in STEPS)


def _of_penalty(l2: Any, before: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Return Σ l2 (w² - before²), and its rounding."""
    penalty = l2 * (w - before) * (w + before)
    return float(np.sum(penalty)), EPS * float(np.sum(np.abs(penalty)))


def _first_fall(changes: Iterable[tuple[float, float]]) -> float:
    """Return the fall that changes of J, and their roundings, along longer and longer steps show.

    From the least step on: the first change that shows must be a fall, for beyond a rise,
    or a kink, lies another basin.
    """
    best = 0.0
    for total, rounding in changes:
        if not total <= best + VISIBLE * rounding:
            break
        if total < -VISIBLE * rounding:
            best = float(total)
    return -best


def along(objective: Objective, w: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return the change of J and its rounding at w - t d, t each of `STEPS`, (2, steps)."""
    changes = Changes(objective, w)
    found = [changes(w - t * d) for t in STEPS]
    return np.array([[each.total for each in found], [each.rounding for each in found]])


def fall_of_sums(objective: SummedObjective, w: np.ndarray, d: np.ndarray) -> float:
    """Return what `Changes.fall` does, by one sum over parts of the samples.

    A change is a sum over samples, and so is what rounding makes of it; the penalty's, which
    parts have not, is added once.
    """
    found = objective.total(along, w, d).T
    with np.errstate(all="ignore"):
        penalty = [_of_penalty(objective.l2, w, w - t * d) for t in STEPS]
        return _first_fall(found + penalty)
