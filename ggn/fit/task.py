"""What is to be trained, and how, as estimators and the command line say it; and one run of it.

    V_k = Σ s_i E(φ_L(w_k, x_i), y_i) / Σ s_i    over held-out samples i

is the validation loss of iterate k.  The weights kept are those of least V; the
run ends where that is `patience` iterates ago.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.fit.bayes import choose_penalty
from ggn.fit.held_out import Score, Watch
from ggn.fit.limits import Limits, scipy_callback
from ggn.fit.plateau import far_out, told
from ggn.fit.result import Status, TrainResult
from ggn.fit.robust import chosen_scale, least
from ggn.fit.stages import From, Stages
from ggn.fit.start import DEFAULT, draw
from ggn.fit.train import train
from ggn.io.least_norm import Varied
from ggn.linearization import Objective, linearize
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["HeldOut", "Samples", "Score", "Task"]


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
    last : TrainResult or None
        The fit that a warm start goes on from; None to draw weights.
    options : dict
        Step and damping, for `ggn.train`.
    max_iter, tol
        Of each training.
    callback : callable or None
    verbose : bool
    constant : ndarray of bool, (n0,)
        The inputs that do not vary, in the units of the data.
    bayesian : bool, default False
        Whether the penalty is chosen as `ggn.train_bayesian` does; l2 is not used.
    scheme : str, optional
        Of the initial weights; by default `ggn.train`'s.
    seconds : float, default inf
        Of all runs together.
    """

    net: MLP
    fitted: Samples
    held: HeldOut | None
    loss: Loss
    choose_scale: bool
    l2: Any
    last: TrainResult | None
    options: dict[str, Any]
    max_iter: int
    tol: float
    callback: Callable[..., Any] | None
    verbose: bool
    constant: np.ndarray
    bayesian: bool = False
    scheme: str | None = None
    seconds: float = math.inf

    def __post_init__(self) -> None:
        self._ends = time.perf_counter() + self.seconds
        on = self.fitted
        self.varied = Varied(self.net, on.X, on.weights, self.constant)
        on.X = self.varied.without(on.X, None if self.last is None else self.last.w)
        self.robust = self.loss.scale is not None  # a way to its minimum that outliers do not bar

    def train(self, rng: np.random.Generator) -> TrainResult:
        """Go on from the last fit, or train from weights drawn with rng.

        What the samples do not vary is left without weight, but for a warm start: there
        they may be what the last fit's samples varied.

        With samples held out, the result's w, fun and jac are those of least
        validation loss, and validation_losses, validation_scores (lists, an entry
        per iterate, without a step one) and kept, the index of the least, say how it was found.
        """
        w0: From
        if self.last is not None:
            w0 = self.last
        else:
            scheme = self.scheme or DEFAULT
            w0 = self.varied.least_norm(draw(self._objective(self.loss), rng, scheme))
        if self.robust:
            data = self._objective(self.loss)
            result: TrainResult = chosen_scale(
                data,
                w0,
                functools.partial(Stages, data, run=self._run),
                max_iter=self.max_iter,
                tol=self.tol,
                fixed=not self.choose_scale,
            )
        else:
            result = self._run(w0, self.loss, self.l2, self.max_iter, self.tol)
        if self.last is None and not self.varied.everything:
            self._move(result, self.varied.least_norm(result.w), result.get("loss", self.loss))
        return result

    def best(self, runs: list[TrainResult]) -> TrainResult:
        """Return the run of least validation loss, or else of least J.

        Scales that were chosen differ, so then J is that at their median; penalties that were
        chosen are compared by the evidence.
        """
        if self.bayesian:
            return max(runs, key=lambda run: float(run.log_evidence))
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

    def _run(self, w0: From, loss: Any, l2: Any, max_iter: int, tol: float) -> TrainResult:
        """Train once, with progress printed and stopped early where asked."""
        stopping = None
        if self.held is not None:
            out = self.held.samples
            stopping = Watch(
                self.net, loss, out.X, out.Y, out.weights, self.held.patience, self.held.score
            )
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
        seconds = max(self._ends - time.perf_counter(), 0.0)
        result: TrainResult
        if self.bayesian:
            limits = Limits(max_iter, tol, None, seconds, observe)
            result = choose_penalty(
                self.net, on.X, on.Y, loss, limits, w0=w0, sample_weight=on.weights, **self.options
            )
        else:
            result = train(
                self.net, on.X, on.Y, loss, w0=w0, sample_weight=on.weights, max_iter=max_iter,
                tol=tol, callback=observe, max_seconds=seconds, l2=l2, **self.options,
            )  # fmt: skip
        if stopping is not None:
            stepped = bool(stopping.losses)
            if not stepped:  # the start is what there is
                stopping.see(result.w)
            result.update(
                validation_losses=stopping.losses,
                validation_scores=stopping.scores,
                kept=stopping.best,
            )
            if stopping.stopped and result.status is Status.CALLBACK:
                far = far_out(self._objective(loss), stopping.best_w)
                status, message = told(Status.VALIDATION, far)
                result.update(status=status, message=message, success=status.success)
            if stepped:
                self._move(result, stopping.best_w, loss)
                result.update(state=None)  # which is of the last iterate
        return result

    def _move(self, result: TrainResult, w: np.ndarray, loss: Loss) -> None:
        """Put a result to weights w."""
        on = self.fitted
        at = linearize(self.net, w, on.X, on.Y, loss, sample_weight=on.weights, l2=result.l2)
        result.update(w=at.w, x=at.w, fun=at.loss, jac=at.gradient)


def _least(losses: list[float] | None, J: float) -> float:
    return min(losses) if losses else float(J)
