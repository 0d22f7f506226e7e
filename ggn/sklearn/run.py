"""One run: training, with progress printed and stopped early where asked.

    V_k = Σ s_i E(φ_L(w_k, x_i), y_i) / Σ s_i    over held-out samples i

is the validation loss of iterate k.  The weights kept are those of least V; the
run ends where that is `patience` iterates ago.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.fit.limits import scipy_callback
from ggn.fit.result import TrainResult
from ggn.fit.train import train
from ggn.linearization import linearize
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["HeldOut", "Samples", "Score", "end_loss", "train_once"]

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

    def __call__(self, at: OptimizeResult) -> None:
        on, k = self.held.samples, len(self.losses)
        F = self.net.forward(at.w, on.X)
        self.losses.append(float(np.average(self.loss.value(F, on.Y), weights=on.weights)))
        self.scores.append(self.held.score(on.Y, F, on.weights))
        if k == 0 or self.losses[k] < self.losses[self.best]:
            self.best, self.best_w = k, np.copy(at.w)
        elif k - self.best >= self.held.patience:
            raise StopIteration


def train_once(
    net: MLP,
    fitted: Samples,
    held: HeldOut | None,
    loss: Loss,
    l2: float,
    w0: np.ndarray | None,
    options: dict[str, Any],
    callback: Callable[..., Any] | None,
    verbose: bool,
    rng: np.random.Generator,
) -> TrainResult:
    """Train from w0, or from weights drawn with rng; `options` are for `ggn.train`.

    With samples held out, the result's w, fun and jac are those of least
    validation loss, and validation_losses, validation_scores (lists, an entry
    per iterate) and kept, the index of the least, say how it was found.
    """
    stopping = None if held is None else _EarlyStopping(net, loss, held)
    call = scipy_callback(callback)

    def observe(intermediate_result: OptimizeResult) -> None:
        if call is not None:
            call(intermediate_result)
        text = f"Iteration {intermediate_result.nit}, loss = {intermediate_result.fun:.8g}"
        try:
            if stopping is not None:
                stopping(intermediate_result)
        finally:
            if verbose:
                more = "" if stopping is None else f", validation loss = {stopping.losses[-1]:.8g}"
                print(text + more)

    start = net.initial_weights(rng, "fan_in") if w0 is None else w0
    X, Y, weights = fitted.X, fitted.Y, fitted.weights
    result = train(
        net, X, Y, loss, w0=start, l2=l2, sample_weight=weights, callback=observe, **options
    )
    if stopping is not None:
        result.update(
            validation_losses=stopping.losses, validation_scores=stopping.scores, kept=stopping.best
        )
        if stopping.losses:
            at = linearize(net, stopping.best_w, X, Y, loss, sample_weight=weights, l2=l2)
            result.update(w=at.w, x=at.w, fun=at.loss, jac=at.gradient)
    return result


def end_loss(result: TrainResult) -> float:
    """Return what runs are compared by: the least validation loss, or else J."""
    return min(result.get("validation_losses") or [float(result.fun)])
