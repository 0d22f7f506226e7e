"""What outputs were before each window, as parameters of the fit.

Measured with noise, they are data that a free run trusts more than all others.

    p = (w, o_{-1}, o_{-2}, ... of the first window, of the second, ...)

In the units of the run these are outputs like any; their metric is Moré's, the root of the
largest diagonal of the GGN matrix yet.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ggn.damping import Damping, LevenbergMarquardt, Metric, ScaleInvariant
from ggn.fit.method import Method
from ggn.fit.result import TrainResult
from ggn.fit.train import minimise
from ggn.linearization import BaseObjective
from ggn.recurrent.bridge import Stage
from ggn.recurrent.objective import LoopNet, LoopObjective
from ggn.recurrent.units import LoopUnits

__all__ = ["StartUnits", "fit_starts", "with_starts"]


class StartUnits(LoopUnits):
    """Standard units of weights, and of outputs before windows."""

    def __init__(
        self,
        objective: LoopObjective,
        x: tuple[np.ndarray, np.ndarray],
        y: tuple[np.ndarray, float],
    ) -> None:
        super().__init__(objective, x, y)
        recursion = objective.recursion
        centres = np.empty(recursion.n_initial)
        for (_, output), column in np.ndenumerate(recursion.start):
            if column >= 0:
                centres[column] = y[0][output]
        self._centres = np.tile(centres, objective.windows.count)
        self._starts = slice(recursion.n_weights, None)
        self._of_outputs = slice(self._of_outputs.start, None)  # starts come after the last layer

    def weights(self, w: np.ndarray) -> np.ndarray:
        w = super().weights(w)
        w[self._starts] += self._centres
        return w

    def own(self, w: np.ndarray) -> np.ndarray:
        w = w.copy()
        w[self._starts] -= self._centres
        return super().own(w)


class _Metric(Metric):
    def __init__(self, objective: BaseObjective) -> None:
        self._of_weights = ScaleInvariant(objective)
        self._N = objective.net.layout.n_weights
        self._largest = np.zeros(objective.net.n_weights - self._N)

    def scale(self, diagonal: np.ndarray) -> np.ndarray:
        self._largest = np.maximum(self._largest, diagonal[self._N :])
        starts = np.sqrt(np.where(self._largest > 0.0, self._largest, 1.0))
        return np.concatenate([self._of_weights.scale(diagonal[: self._N]), starts])


class _Damping(LevenbergMarquardt):
    """`LevenbergMarquardt` whose metric has a part for starts."""

    def metric(self, objective: BaseObjective) -> Metric:
        return _Metric(objective)


def damping_of(damping: Damping) -> Damping:
    """Return a damping for weights and starts."""
    if type(damping) is not LevenbergMarquardt:
        return damping
    return _Damping(**{f.name: getattr(damping, f.name) for f in fields(damping)})


def with_starts(given: LoopObjective) -> LoopObjective:
    """Return the objective of weights and starts, without a penalty."""
    recursion, windows = given.recursion, given.windows
    others = windows.count * recursion.n_initial
    return LoopObjective(
        recursion, LoopNet(given.net, others), given.X, given.Yt.T, windows, given.loss,
        given.sample_weight, free=True,
    )  # fmt: skip


def measured_starts(objective: LoopObjective) -> np.ndarray:
    """Return the starts (E,) that were measured, of an objective of weights and starts."""
    sweeps = objective.sweeps
    assert sweeps.places is not None
    samples, inputs, parameters = sweeps.places
    found = np.zeros(sweeps.n_parameters - sweeps.N)
    found[parameters - sweeps.N] = objective.X[samples, inputs]
    return found


def fit_starts(
    found: TrainResult,
    whole: LoopUnits,
    standard: tuple[np.ndarray, np.ndarray, np.ndarray, float],
    method: Method,
    source: np.random.Generator,
) -> tuple[TrainResult, Stage]:
    """Return the fit of weights and starts that goes on from a free run, and its stage.

    Its G is that of the weights alone, G_ww - G_ws G_ss⁻¹ G_sw: what the data say of them where
    starts are not known.
    """
    given: Any = whole.given
    objective, (m, s, my, sy) = with_starts(given), standard
    N, E = given.recursion.n_weights, given.windows.count * given.recursion.n_initial
    l2 = np.broadcast_to(whole.objective.l2, N)
    own = StartUnits(objective, (m, s), (my, sy)).under(np.concatenate([l2, np.zeros(E)]))
    how = Method(method.step, damping_of(method.damping), method.limits, method.escape_saddles)
    begin = np.concatenate([found.w, measured_starts(objective)])
    result = minimise(how, own, source, begin)
    before = float(result.history.loss[0])
    G = own.objective.at(own.own(result.w)).normal_matrix(psd=True)
    across = G[N:, :N]
    noise = np.sqrt(objective.c.array @ np.square(objective.residuals(result.w)))
    result.update(
        starts=result.w[N:].reshape(given.windows.count, -1).copy(),
        G=G[:N, :N] - across.T @ np.linalg.pinv(G[N:, N:], hermitian=True) @ across,
        prior=2.0 * l2,
        move=whole.moves(),
        samples=objective.counting,
        noise_std=np.full(len(noise), found.noise_std) if "scale" in found else noise,
        w=result.w[:N].copy(),
        jac=result.jac[:N].copy(),
        net=given.net,
        state=None,
    )
    result.x = result.w
    return result, Stage(None, result.nit, result.fun, before)
