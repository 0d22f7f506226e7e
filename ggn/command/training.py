"""What `ggn train` trains, as its options say, and its runs: a `Task`, as the estimators have."""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.command.curves import Curves
from ggn.command.objective import chosen_loss, chosen_penalty, cross_entropy, loss_to_go_on
from ggn.command.training_data import TrainingData
from ggn.fit.penalty import without_biases
from ggn.fit.posterior import BayesianResult
from ggn.fit.restarts import Restarts, run_restarts
from ggn.fit.result import Status, TrainResult
from ggn.fit.scores import rmse
from ggn.fit.task import HeldOut, Samples, Task
from ggn.io import Model, terminal
from ggn.io.training import Training
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["Fit", "allowed_units", "fitted", "why_units"]

MEBIBYTE = 2**20
# With 120 noisy rows of 5 inputs 20 units had 1.4 times the error of the 6 that these allow.
ROWS_PER_WEIGHT, LEAST_UNITS, MOST_UNITS = 2, 2, 20


@dataclass
class Fit:
    """The end of `ggn train`.

    Attributes
    ----------
    best : TrainResult
        The run that is kept.
    loss : Loss
        With its scale.
    chosen : str
        What chose the penalty, if it was not given.
    restarts : Restarts
    curves : Curves or None
    """

    best: TrainResult
    loss: Loss
    chosen: str
    restarts: Restarts
    curves: Curves | None

    @property
    def interrupted(self) -> bool:
        """Whether a run was."""
        return any(run.status is Status.INTERRUPTED for run in self.restarts.runs)

    @property
    def l2(self) -> float:
        """The penalty of a weight."""
        return float(np.max(self.best.l2))

    @property
    def kept(self) -> int | None:
        """The iterate kept, if it is not the last; a `Task` counts from that of the first step."""
        kept = self.best.get("kept")
        return None if kept is None else min(kept + 1, self.best.nit)

    @property
    def place(self) -> int:
        """Which of the runs is kept."""
        return next(i for i, run in enumerate(self.restarts.runs) if run is self.best)

    def model(self, args: argparse.Namespace, data: TrainingData) -> Model:
        """Return what is to be saved."""
        targets = data.targets
        if data.start is not None:
            targets = list(data.start.target_names)
        elif data.classes is not None and data.Y.shape[1] > 1:
            targets = [f"{data.targets[0]}={label}" for label in data.classes.labels]
        return Model(
            self.best.net, self.best.w, data.inputs, targets, *data.units,
            self.best.loss, self.best.l2, classes=data.classes,
            posterior=self.best.posterior if args.bayesian else None,
            training=Training.of(
                len(data.X), data.rows, 1, self.best.status.name, "log_evidence" in self.best
            ),
        )  # fmt: skip


def fitted(
    args: argparse.Namespace,
    data: TrainingData,
    hidden: list[int] | None,
    activation: str | list[str],
) -> Fit:
    """Train from one start or several, with a line of progress; without hidden as rows allow."""
    nL, start, classes = data.Y.shape[1], data.start, data.classes is not None
    if start is None:
        hidden = [units_for(data)] if hidden is None else hidden
        net = MLP((len(data.inputs), *hidden, nL), activation)
    else:
        net = start.net
    kept = None if start is None else loss_to_go_on(args, start)
    loss = kept or (
        cross_entropy(nL) if classes else chosen_loss(args, data.units[3], data.targets)
    )
    l2: Any
    l2, chosen = chosen_penalty(args, loss, net.n_weights, start)
    from_file = start is not None and l2 is start.l2  # for biases too, if it says so
    curves = None if args.plot is None else Curves(_measures(net, data, loss))
    progress = terminal.Progress(
        sys.stderr, _detail(net, data) if nL == 1 and not classes else None
    )

    def callback(intermediate_result: Any) -> None:
        progress(intermediate_result)
        if curves is not None:
            curves(intermediate_result)

    task = Task(
        net,
        Samples(*data.standard(), data.weights()),
        _held(args, data),
        loss,
        args.loss_scale is None and kept is None,
        0.0 if l2 is None else l2 if from_file else without_biases(net, l2),
        None if start is None else _last(start),
        {
            "step": args.step,
            "damping": args.damping,
            "max_memory": None if args.max_memory is None else args.max_memory * MEBIBYTE,
        },
        args.max_iter,
        args.tol,
        callback,
        False,
        data.constant,
        bayesian=l2 is None,
        scheme=args.init,
        seconds=math.inf if args.max_seconds is None else args.max_seconds,
    )

    def run(stream: np.random.Generator) -> TrainResult:
        if curves is not None:
            curves.begin()
        return task.train(stream)

    rng = np.random.default_rng(args.seed)
    try:
        runs = [run(rng)] if args.restarts == 1 else run_restarts(run, args.restarts, rng, 1)
    finally:
        progress.close()
    best = task.best(runs)
    return Fit(best, best.get("loss", loss), chosen, Restarts(tuple(runs)), curves)


def _last(start: Model) -> TrainResult:
    """Return the fit that a model is of, as far as its file tells."""
    found = 0.0 if start.l2 is None else float(np.max(start.l2))
    if (start.training is not None and start.training.evidence) or start.posterior is not None:
        return BayesianResult(net=start.net, w=start.w, l2=found)
    return TrainResult(net=start.net, w=start.w)


def units_for(data: TrainingData) -> int:
    """Return how many hidden units there are unless it is said."""
    return allowed_units(_numbers(data), len(data.inputs), data.Y.shape[1])


def allowed_units(numbers: int, n0: int, nL: int) -> int:
    """Return 20 hidden units, or as many as the numbers to be fitted allow.

    u (n0 + 1) + (u + 1) nL weights are at most half of the numbers to be fitted, of classes
    half of the rows.
    """
    allowed = int((numbers / ROWS_PER_WEIGHT - nL) // (n0 + 1 + nL))
    return max(min(allowed, MOST_UNITS), LEAST_UNITS)


def why_units(args: argparse.Namespace, data: TrainingData, net: MLP) -> str:
    """Return why there are other than the usual number of hidden units, or nothing."""
    if data.start is not None:
        return f", gone on from {os.path.basename(args.warm_start)}"
    if args.hidden is not None or net.sizes[1] == MOST_UNITS:
        return ""
    enough = net.n_weights * ROWS_PER_WEIGHT <= _numbers(data)
    return ", for two training rows to a weight" if enough else ", for there are few rows"


def _numbers(data: TrainingData) -> int:
    """Return how many numbers there are to be fitted; of classes, one in each row."""
    rows = len(data.rows["train"])
    return rows if data.classes is not None else rows * data.Y.shape[1]


def _held(args: argparse.Namespace, data: TrainingData) -> HeldOut | None:
    if args.patience is None:
        return None
    if not len(data.rows["validation"]):
        raise ValueError("--patience stops by rows held out, but the model held out none")
    samples = Samples(*data.standard("validation"), data.weights("validation"))
    return HeldOut(samples, lambda Y, F, weights: 0.0, args.patience)


def _detail(net: MLP, data: TrainingData) -> Any:
    X, Y = data.standard()
    y_scale = data.units[3]
    return lambda w: f"train RMSE {y_scale[0] * rmse(Y, net.forward(w, X))[0]:.4g}"


def _measures(net: MLP, data: TrainingData, loss: Loss) -> dict[str, Any]:
    """Return the error of each part that has rows: RMSE, in one target's unit, or cross-entropy."""
    unit = data.units[3][0] if data.Y.shape[1] == 1 else 1.0

    def of(part: str) -> Any:
        X, Y = data.standard(part)
        weights = data.weights(part)
        if data.classes is not None:
            return lambda w: float(np.average(loss.value(net.forward(w, X), Y), weights=weights))
        return lambda w: float(unit * np.sqrt(np.square(net.forward(w, X) - Y).mean()))

    return {part: of(part) for part, rows in data.rows.items() if len(rows)}
