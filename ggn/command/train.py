"""`ggn train`: from a table to a saved network and a summary of how well it does."""

from __future__ import annotations

import argparse
import functools
import math
import os
import sys
import textwrap
import time
from typing import Any

import numpy as np

from ggn import activations, damping, losses, steps
from ggn.command import report
from ggn.command.objective import (
    add_objective,
    check_objective,
    chosen_loss,
    objective_text,
)
from ggn.command.parser import decimal, whole
from ggn.command.table_options import add_table_options
from ggn.command.training_data import TrainingData, read
from ggn.command.words import said
from ggn.fit.penalty import without_biases
from ggn.fit.result import Status, TrainResult
from ggn.fit.robust import chosen_scale
from ggn.fit.scores import median_error, r2, rmse
from ggn.fit.stages import From, Stages
from ggn.fit.start import DEFAULT, STARTS, draw
from ggn.fit.train import train
from ggn.io import Model, terminal
from ggn.io.files import check_writable
from ggn.io.least_norm import Varied
from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface import diagnose
from ggn.validation import count, describe, integer, number, spelled

__all__ = ["THREADS", "add", "run"]

MEBIBYTE = 2**20
DIAGNOSED = 1000  # weights: as quick as ten iterations and one dense factorisation

TRAIN = """\
Train a network on columns of a CSV file with a header line. Inputs and targets
are standardised (mean 0, standard deviation 1 on the training part; for a
robust --loss median 0, 1.4826 MAD 1), so --l2 and the loss are in those units;
RMSE is printed in the units of the file.
Ctrl-C stops training and keeps the weights reached."""

THREADS = """\
For small networks one thread is often faster: set OPENBLAS_NUM_THREADS=1 in the
environment.
"""

TRAIN_END = f"""\
example:
  python -m ggn train yacht.csv --target y --l2 1e-4 --save yacht.npz

{THREADS}"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description, parser.epilog = TRAIN, TRAIN_END
    parser.set_defaults(run=run)
    parser.add_argument("file", metavar="FILE.csv", help="a header line, then numbers")
    group = parser.add_argument_group("data").add_argument
    group("--target", required=True, metavar="COL[,COL]", help="columns to predict")
    group("--inputs", metavar="COL[,COL]", help="columns to predict from (default: all others)")
    group("--exclude", metavar="COL[,COL]", help="columns not to predict from")
    group("--validation", type=decimal, default=0.2, metavar="FRACTION",
        help="of the rows, drawn at random, not trained on (default: %(default)s)")  # fmt: skip
    group("--seed", type=whole, default=0, metavar="N",
        help="of that draw and of the initial weights (default: %(default)s)")  # fmt: skip
    group("--save", metavar="MODEL.npz", help="where to keep the trained network")

    add_table_options(parser)
    group = parser.add_argument_group("network").add_argument
    group("--hidden", default="20", metavar="N[,N]",
        help="units of each hidden layer (default: %(default)s)")  # fmt: skip
    group("--activation", default="tanh", metavar="NAME[,NAME]",
        help=f"of all hidden layers, or one each: {', '.join(sorted(activations.BUILT_IN))} "
        "(default: %(default)s)")  # fmt: skip
    group("--init", default=DEFAULT, metavar="NAME",
        help=f"how to draw the initial weights: {', '.join(STARTS)} "
        "(default: %(default)s)")  # fmt: skip

    add_objective(parser)
    group = parser.add_argument_group("method").add_argument
    group("--step", default="auto", metavar="NAME",
        help=f"auto, {', '.join(steps.NAMES)} (default: %(default)s)")  # fmt: skip
    group("--damping", default="levenberg_marquardt", metavar="NAME",
        help=f"{', '.join(damping.NAMES)} (default: %(default)s)")  # fmt: skip
    group("--max-iter", type=whole, default=1000, metavar="N",
        help="largest number of iterations (default: %(default)s)")  # fmt: skip
    group("--tol", type=decimal, default=1e-12, metavar="TOL",
        help="relative change to stop at; 0: never (default: %(default)g)")  # fmt: skip
    group("--max-seconds", type=decimal, metavar="S", help="time limit (default: none)")
    group("--max-memory", type=decimal, metavar="MB",
        help="for the matrices of --step auto (default: half of the machine's)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train as the options say, print the summary, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    _check_options(args)
    hidden, activation = _sizes(args.hidden), _activations(args.activation)
    rng = np.random.default_rng(args.seed)
    data = read(args, rng, losses.resolve(args.loss))
    loss = chosen_loss(args, data.units[3], data.targets)
    net = MLP((len(data.inputs), *hidden, len(data.targets)), activation)
    started = time.perf_counter()
    result = _train(args, data, net, loss, rng)
    loss = result.get("loss", loss)
    seconds = time.perf_counter() - started
    if result.status is Status.BAD_START:
        raise ValueError(said(result.status))
    model = Model(net, result.w, data.inputs, data.targets, *data.units, result.loss, result.l2)
    saved = "not saved"
    try:
        if args.save:
            model.save(args.save)
            saved = f"saved to {args.save}"
    finally:  # a disk that is full now does not make the fit worth less
        _print_summary(args, data, model, loss, result, seconds, saved)
    return 130 if result.status is Status.INTERRUPTED else 0


def _train(
    args: argparse.Namespace, data: TrainingData, net: MLP, loss: Loss, rng: np.random.Generator
) -> TrainResult:
    """Train with a line of progress."""
    X, Y = data.standard()
    y_scale, varied, l2 = data.units[3], Varied(net, X), without_biases(net, args.l2)
    ends = math.inf if args.max_seconds is None else time.perf_counter() + args.max_seconds

    def detail(w: np.ndarray) -> str:
        return f"train RMSE {y_scale[0] * rmse(Y, net.forward(w, X))[0]:.4g}"

    progress = terminal.Progress(sys.stderr, detail if len(data.targets) == 1 else None)

    def one(w0: From, loss: Any, l2: Any, max_iter: int, tol: float) -> TrainResult:
        return train(
            net,
            X,
            Y,
            loss=loss,
            w0=w0,
            step=args.step,
            damping=args.damping,
            max_iter=max_iter,
            tol=tol,
            l2=l2,
            callback=progress,
            max_seconds=max(ends - time.perf_counter(), 0.0),
            max_memory=None if args.max_memory is None else args.max_memory * MEBIBYTE,
        )

    objective = Objective(net, X, Y, loss, l2=l2)
    w0 = varied.least_norm(draw(objective, rng, args.init))
    result: TrainResult
    try:
        if loss.scale is not None:
            result = chosen_scale(
                objective,
                w0,
                functools.partial(Stages, objective, run=one),
                max_iter=args.max_iter,
                tol=args.tol,
                fixed=args.loss_scale is not None,
            )
        else:
            result = one(w0, loss, l2, args.max_iter, args.tol)
    finally:
        progress.close()
    result.w = result.x = varied.least_norm(result.w)
    return result


def _print_summary(
    args: argparse.Namespace,
    data: TrainingData,
    model: Model,
    loss: Loss,
    result: TrainResult,
    seconds: float,
    saved: str,
) -> None:
    F = model.predict(data.X)
    robust = not isinstance(loss, losses.Squared)
    measures = (rmse, r2, median_error) if robust else (rmse, r2)
    fitted, held = (
        [measure(data.Y[part], F[part]) for measure in measures] if len(part) else None
        for part in (data.fitted, data.held)
    )
    assert fitted is not None
    parts = f"{len(data.fitted)} for training, {len(data.held)} for validation"
    names = report.shorten(f"{', '.join(data.inputs)} -> {', '.join(data.targets)}", 100)
    counts = f"{count(len(data.inputs), 'input')}, {count(len(data.targets), 'target')}"
    text = objective_text(loss, args, data.units[3])
    rows = [
        (
            "data",
            "; ".join(
                [f"{os.path.basename(args.file)}: {count(len(F), 'row')}, {parts}", *data.said]
            ),
        ),
        ("columns", f"{counts}: {names}"),
        *data.notes(),
        ("network", f"{_text(model.net)}; {count(model.net.n_weights, 'weight')}"),
        (
            "loss",
            f"{text}; {result.fun:.6g} in standard units",
        ),
        ("run", f"{count(result.nit, 'iteration')}, {seconds:.2f} s"),
        ("stopped", said(result.status)),
    ]
    if model.net.n_weights <= DIAGNOSED and result.status is not Status.INTERRUPTED:
        found = diagnose(
            model.net,
            result.w,
            *data.standard(),
            loss,
            l2=without_biases(model.net, args.l2),
        )
        rows.append(("verdict", found.verdict.value))
    print(report.fields(rows))
    print(f"{'model':<12}{terminal.visible(saved)}")  # a path is not to be wrapped
    print()
    print(report.scores(data.targets, fitted, held))
    hint = report.overfitting(
        data.targets,
        [values / model.y_scale for values in fitted],
        None if held is None else [values / model.y_scale for values in held],
        weights=model.net.n_weights,
        residuals=len(data.fitted) * len(data.targets),
        l2=args.l2,
    )
    if hint:
        print("\n" + textwrap.fill(f"hint: {hint}", report.WIDTH, break_on_hyphens=False))


def _check_options(args: argparse.Namespace) -> None:
    """Check what does not need the data, before reading it."""
    number("validation", args.validation, 0.0, 1.0)
    number("tol", args.tol, 0.0)
    integer("seed", args.seed, 0)
    integer("max_iter", args.max_iter, 0)
    if args.max_seconds is not None:
        number("max_seconds", args.max_seconds, 0.0)
    if args.max_memory is not None:
        number("max_memory", args.max_memory, 0.0, open_low=True)
    for argument, value, known in (
        ("step", args.step, ("auto", *steps.NAMES)),
        ("damping", args.damping, damping.NAMES),
        ("init", args.init, STARTS),
    ):
        spelled(argument, value, known)
    check_objective(args)
    if args.save:
        check_writable(args.save)
        if os.path.exists(args.save) and os.path.samefile(args.save, args.file):
            raise ValueError(f"--save would overwrite {args.file}, which is read")


def _sizes(text: str) -> list[int]:
    try:
        return [integer("units", int(part), 1) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(
            f"--hidden must be positive integers separated by commas, got {describe(text)}"
        ) from error


def _activations(text: str) -> str | list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        activations.resolve(name)
    return names[0] if len(names) == 1 else names


def _text(net: MLP) -> str:
    names = [a.name for a in net.activations[:-1]]
    return (
        f"{'-'.join(map(str, net.sizes))}, {', '.join(names if len(set(names)) > 1 else names[:1])}"
    )
