"""One run: training, with progress printed and stopped early where asked.

    V_k = Σ s_i E(φ_L(w_k, x_i), y_i) / Σ s_i    over held-out samples i

is the validation loss of iterate k.  The weights kept are those of least V; the
run ends where that is `patience` iterates ago.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.fit.limits import scipy_callback
from ggn.fit.result import TrainResult
from ggn.fit.robust import chosen_scale, least
from ggn.fit.stages import Stages
from ggn.fit.start import draw
from ggn.fit.train import train
from ggn.io.least_norm import Varied
from ggn.linearization import Objective, linearize
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["HeldOut", "Samples", "Score", "Task"]

Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


@dataclass
class Samples:
    """Inputs (T, n0), targets (T, nL) and weights (T,) or None, in the units of the network."""

    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None


@dataclass
class HeldOut:
    """Samples to stop by, and score(Y, F, weights) to record beside their loss."""

    samples: Samples
    score: Score
    patience: int


class _EarlyStopping:
    """The callback of one run, and what it saw."""

    def __init__(self, net: MLP, loss: Loss, held: HeldOut) -> None:
        self.net, self.loss, self.held = net, loss, held
        self.losses: list[float] = []
        self.scores: list[float] = []
        self.best, self.best_w = 0, np.empty(0)
        self.stopped = False

    def __call__(self, at: OptimizeResult) -> None:
        on, k = self.held.samples, len(self.losses)
        F = self.net.forward(at.w, on.X)
        self.losses.append(float(np.average(self.loss.value(F, on.Y), weights=on.weights)))
        self.scores.append(self.held.score(on.Y, F, on.weights))
        if k == 0 or self.losses[k] < self.losses[self.best]:
            self.best, self.best_w = k, np.copy(at.w)
        elif k - self.best >= self.held.patience:
            self.stopped = True
            raise StopIteration


@dataclass
class Task:
    """What is to be trained, and how; the same for all restarts.

    Attributes
    ----------
    net : MLP
    fitted : Samples
    held : HeldOut or None
    loss : Loss
    choose_scale : bool
        Whether the loss's scale is chosen from the residuals, as `ggn.train_robust` does.
    l2 : float or ndarray (N,)
    w0 : ndarray (N,) or None
        Of a warm start; None to draw weights.
    options : dict
        Step and damping, for `ggn.train`.
    max_iter, tol
        Of each training.
    callback : callable or None
    verbose : bool
    constant : ndarray of bool, (n0,)
        The inputs that do not vary, in the units of the data.
    """

    net: MLP
    fitted: Samples
    held: HeldOut | None
    loss: Loss
    choose_scale: bool
    l2: Any
    w0: np.ndarray | None
    options: dict[str, Any]
    max_iter: int
    tol: float
    callback: Callable[..., Any] | None
    verbose: bool
    constant: np.ndarray

    def __post_init__(self) -> None:
        on = self.fitted
        self.varied = Varied(self.net, on.X, on.weights, self.constant)
        on.X = self.varied.without(on.X, self.w0)
        self.robust = self.loss.scale is not None  # a way to its minimum that outliers do not bar

    def train(self, rng: np.random.Generator) -> TrainResult:
        """Train from w0, or from weights drawn with rng.

        What the samples do not vary is left without weight, but for a warm start: there
        they may be what the last fit's samples varied.

        With samples held out, the result's w, fun and jac are those of least
        validation loss, and validation_losses, validation_scores (lists, an entry
        per iterate) and kept, the index of the least, say how it was found.
        """
        w = self.w0
        if w is None:
            w = self.varied.least_norm(draw(self._objective(self.loss), rng))
        if self.robust:
            data = self._objective(self.loss)
            result: TrainResult = chosen_scale(
                data,
                w,
                functools.partial(Stages, data, run=self._run),
                max_iter=self.max_iter,
                tol=self.tol,
                fixed=not self.choose_scale,
            )
        else:
            result = self._run(w, self.loss, self.l2, self.max_iter, self.tol)
        if self.w0 is None and not self.varied.everything:
            self._move(result, self.varied.least_norm(result.w), result.get("loss", self.loss))
        return result

    def best(self, runs: list[TrainResult]) -> TrainResult:
        """Return the run of least validation loss, or else of least J.

        Scales that were chosen differ, so then J is that at their median.
        """
        if not self.robust:
            return min(runs, key=lambda run: _least(run.get("validation_losses"), run.fun))
        held = self.fitted if self.held is None else self.held.samples
        data = Objective(
            self.net, held.X, held.Y, self.loss, sample_weight=held.weights,
            l2=self.l2 if self.held is None else 0.0,
        )  # fmt: skip
        return least(data, runs)

    def _objective(self, loss: Loss) -> Objective:
        on = self.fitted
        return Objective(self.net, on.X, on.Y, loss, sample_weight=on.weights, l2=self.l2)

    def _run(self, w: np.ndarray, loss: Any, l2: Any, max_iter: int, tol: float) -> TrainResult:
        """Train once, with progress printed and stopped early where asked."""
        stopping = None if self.held is None else _EarlyStopping(self.net, loss, self.held)
        call = scipy_callback(self.callback)

        def observe(intermediate_result: OptimizeResult) -> None:
            if call is not None:
                call(intermediate_result)
            text = f"Iteration {intermediate_result.nit}, loss = {intermediate_result.fun:.8g}"
            try:
                if stopping is not None:
                    stopping(intermediate_result)
            finally:
                if self.verbose:
                    more = (
                        "" if stopping is None else f", validation loss = {stopping.losses[-1]:.8g}"
                    )
                    print(text + more)

        on = self.fitted
        result = train(
            self.net, on.X, on.Y, loss, w0=w, sample_weight=on.weights, l2=l2,
            max_iter=max_iter, tol=tol, callback=observe, **self.options,
        )  # fmt: skip
        if stopping is not None:
            result.update(
                validation_losses=stopping.losses,
                validation_scores=stopping.scores,
                kept=stopping.best,
                stopped_early=stopping.stopped,
            )
            if stopping.losses:
                self._move(result, stopping.best_w, loss, l2)
        return result

    def _move(self, result: TrainResult, w: np.ndarray, loss: Loss, l2: Any = None) -> None:
        """Put a result to weights w."""
        on, l2 = self.fitted, self.l2 if l2 is None else l2
        at = linearize(self.net, w, on.X, on.Y, loss, sample_weight=on.weights, l2=l2)
        result.update(w=at.w, x=at.w, fun=at.loss, jac=at.gradient)


def _least(losses: list[float] | None, J: float) -> float:
    return min(losses) if losses else float(J)
