"""`ggn train`: from a table to a saved network and a summary of how well it does."""

from __future__ import annotations

import argparse
import csv
import math
import os
import sys
import textwrap
import time
from typing import NamedTuple

import numpy as np

from ggn import activations, damping, losses, steps
from ggn.command import report
from ggn.command.loss_options import check_loss, chosen_loss, loss_text
from ggn.command.report import in_options
from ggn.fit.result import Status, TrainResult
from ggn.fit.scores import median_error, r2, rmse, split
from ggn.fit.train import train
from ggn.io import Model, terminal
from ggn.io.files import check_writable
from ggn.io.scaling import standard_units
from ggn.io.table import CellError, Table
from ggn.losses import Loss
from ggn.network import MLP, SCHEMES
from ggn.surface import diagnose
from ggn.validation import count, describe, integer, number, spelled

__all__ = ["fit_table"]

MEBIBYTE = 2**20
DIAGNOSED = 1000  # weights: as quick as ten iterations and one dense factorisation


def fit_table(args: argparse.Namespace) -> int:
    """Train as the options say, print the summary, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    _check_options(args)
    hidden, activation = _sizes(args.hidden), _activations(args.activation)
    rng = np.random.default_rng(args.seed)
    data = _read(args, rng)
    loss = chosen_loss(args, data.units[3], data.targets)
    try:
        net = MLP((len(data.inputs), *hidden, len(data.targets)), activation)
        started = time.perf_counter()
        result = _train(args, data, net, loss, net.initial_weights(rng, args.init))
        seconds = time.perf_counter() - started
    except ValueError as error:
        raise ValueError(in_options(str(error))) from error
    if result.status is Status.BAD_START:
        raise ValueError(in_options(result.message))
    model = Model(net, result.w, data.inputs, data.targets, *data.units)
    saved = "not saved"
    try:
        if args.save:
            model.save(args.save)
            saved = f"saved to {args.save}"
    finally:  # a disk that is full now does not make the fit worth less
        _print_summary(args, data, model, loss, result, seconds, saved)
    return 130 if result.status is Status.INTERRUPTED else 0


class _Data(NamedTuple):
    """The columns used, and which of their rows for what."""

    inputs: list[str]
    targets: list[str]
    X: np.ndarray
    Y: np.ndarray
    fitted: np.ndarray
    held: np.ndarray
    units: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_mean, x_scale, y_...

    def standard(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of the training part, in standard units."""
        x_mean, x_scale, y_mean, y_scale = self.units
        return (self.X[self.fitted] - x_mean) / x_scale, (self.Y[self.fitted] - y_mean) / y_scale


def _read(args: argparse.Namespace, rng: np.random.Generator) -> _Data:
    targets = _columns("--target", args.target)
    inputs = None if args.inputs is None else _columns("--inputs", args.inputs)
    exclude = [] if args.exclude is None else _columns("--exclude", args.exclude)
    table = Table(args.file)
    for option, names in (("--target", targets), ("--inputs", inputs), ("--exclude", exclude)):
        table.require(names or [], f"which {option} names")
        both = [] if option == "--target" else [name for name in names or [] if name in targets]
        if both:
            raise ValueError(f"the column {both[0]!r} is both in {option} and in --target")
    if inputs is None:
        inputs = [name for name in table.names if name not in targets]
    inputs = [name for name in inputs if name not in exclude]
    if not inputs:
        left = " that are not excluded" if exclude else ""
        raise ValueError(
            f"{args.file} has no columns but the targets{left}, so no inputs{table.understood()}"
        )
    try:
        values = table.read([*targets, *inputs])
    except CellError as error:
        if error.column in targets:
            raise
        advice = "leave the column out with --inputs or --exclude"
        raise ValueError(f"{error}; {advice}") from error
    Y, X = values[:, : len(targets)], values[:, len(targets) :]
    fitted, held = split(len(X), args.validation, rng)
    units = (*standard_units(X[fitted]), *standard_units(Y[fitted]))
    return _Data(inputs, targets, X, Y, fitted, held, units)


def _train(
    args: argparse.Namespace, data: _Data, net: MLP, loss: Loss, w0: np.ndarray
) -> TrainResult:
    """Train with a line of progress."""
    X, Y = data.standard()
    y_scale = data.units[3]

    def detail(w: np.ndarray) -> str:
        return f"train RMSE {y_scale[0] * rmse(Y, net.forward(w, X))[0]:.4g}"

    progress = terminal.Progress(sys.stderr, detail if len(data.targets) == 1 else None)
    try:
        return train(
            net,
            X,
            Y,
            loss=loss,
            w0=w0,
            step=args.step,
            damping=args.damping,
            max_iter=args.max_iter,
            tol=args.tol,
            l2=args.l2,
            callback=progress,
            max_seconds=math.inf if args.max_seconds is None else args.max_seconds,
            max_memory=None if args.max_memory is None else args.max_memory * MEBIBYTE,
        )
    finally:
        progress.close()


def _print_summary(
    args: argparse.Namespace,
    data: _Data,
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
    rows = [
        ("data", f"{os.path.basename(args.file)}: {count(len(F), 'row')}, {parts}"),
        ("columns", f"{counts}: {names}"),
        *_notes(data),
        ("network", f"{_text(model.net)}; {count(model.net.n_weights, 'weight')}"),
        ("loss", f"{loss_text(loss, args)}; {result.fun:.6g} in standard units"),
        ("run", f"{count(result.nit, 'iteration')}, {seconds:.2f} s"),
        ("stopped", in_options(result.message)),
    ]
    if model.net.n_weights <= DIAGNOSED and result.status is not Status.INTERRUPTED:
        found = diagnose(model.net, result.w, *data.standard(), loss, args.l2)
        rows.append(("verdict", found.verdict.value))
    print(report.fields(rows))
    print(f"{'model':<12}{saved}")  # a path is not to be wrapped
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


def _notes(data: _Data) -> list[tuple[str, str]]:
    """Return what is odd about the columns."""
    X = data.X[data.fitted]
    constant = [name for name, x in zip(data.inputs, X.T, strict=True) if x.min() == x.max()]
    if not constant:
        return []
    text = f"constant in training, teaching the model nothing: {', '.join(constant)}"
    return [("note", report.shorten(text, report.WIDTH - 12))]


def _check_options(args: argparse.Namespace) -> None:
    """Check what does not need the data, before reading it."""
    number("--validation", args.validation, 0.0, 1.0)
    number("--tol", args.tol, 0.0)
    integer("--seed", args.seed, 0)
    integer("--max-iter", args.max_iter, 0)
    if args.max_seconds is not None:
        number("--max-seconds", args.max_seconds, 0.0)
    if args.max_memory is not None:
        number("--max-memory", args.max_memory, 0.0, open_low=True)
    for option, value, known in (
        ("--step", args.step, ("auto", *steps.NAMES)),
        ("--damping", args.damping, damping.NAMES),
        ("--init", args.init, SCHEMES),
    ):
        spelled(option, value, known)
    check_loss(args)
    if args.save:
        check_writable(args.save)
        if os.path.exists(args.save) and os.path.samefile(args.save, args.file):
            raise ValueError(f"--save would overwrite {args.file}, which is read")


def _columns(option: str, text: str) -> list[str]:
    """Split a list of column names; one that holds a comma is quoted, as in the file."""
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise ValueError(f"{option} must be column names separated by commas, got {text!r}")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{option} names the column {name!r} twice")
    return names


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
        activations.resolve(name, "--activation")
    return names[0] if len(names) == 1 else names


def _text(net: MLP) -> str:
    names = [a.name for a in net.activations[:-1]]
    return (
        f"{'-'.join(map(str, net.sizes))}, {', '.join(names if len(set(names)) > 1 else names[:1])}"
    )
