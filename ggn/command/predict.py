"""`ggn predict`: the predictions of a saved network for a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from ggn.command.labels import numbers_of
from ggn.command.saved_model import add_model, load_any
from ggn.command.simulate import free_run
from ggn.command.table_options import add_table_options, left_out, open_any
from ggn.fit.scores import r2, rmse
from ggn.io import Model
from ggn.io.classes import Classes
from ggn.io.files import replacing
from ggn.io.parts import Parts, in_parts, paths_of
from ggn.io.table import Table
from ggn.io.terminal import visible
from ggn.io.written import csv_text
from ggn.validation import count

__all__ = ["add", "run"]

PREDICT = """\
Predict the targets for the rows of a CSV file. Columns are found by name, in
any order; others are ignored. A model of classes gives the likeliest label and
the probability p(LABEL) of each; one of train --bayesian gives std(TARGET), the
standard deviation of a new target, beside the mean. If the file holds the
targets too, RMSE and R2, or accuracy and log-loss, are printed on standard
error. A model of series, of train --lags or --states, runs freely over the
rows, from its inputs and, to begin with, its targets in the first rows. Text
that a spreadsheet would run as a formula is written with an apostrophe before
it, and read without."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = PREDICT
    parser.set_defaults(run=run)
    add_model(parser)
    parser.add_argument("file", metavar="FILE.csv",
        help="with a header line; or several, by a pattern in quotation marks, or Parquet"
    )  # fmt: skip
    parser.add_argument(
        "-o", "--output", metavar="OUT.csv", help="file to write (default: standard output)"
    )
    parser.add_argument(
        "--id", metavar="COL", help="a column, of text or numbers, to be written as the first"
    )
    parser.add_argument(
        "--std", action="store_true",
        help="refuse a model that does not give the standard deviations of its predictions",
    )  # fmt: skip
    add_table_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write the predictions, and print how well they do where the targets are known.

    Raises
    ------
    ValueError, OSError
        For files or cells that cannot be used.
    """
    paths = paths_of(args.file) if in_parts(args.file) else [args.file]
    model = load_any(args, *paths, output=args.output)
    if not isinstance(model, Model):
        run = free_run(args, model)
        for line in run.notes:
            _note(f"ggn: {line}")
        _write(args, csv_text(model.target_names, run.values, *run.text))
        for line in run.scores:
            _note(line)
        return 0
    if args.std and (model.posterior is None or model.classes is not None):
        raise ValueError(
            f"--std needs a model of train --bayesian, or one of Python with a posterior, but "
            f"{args.model} {'is one of classes' if model.classes is not None else 'has none'}"
        )
    table = open_any(args)
    ids = [] if args.id is None else [args.id]
    table.require(ids, "which --id names")
    table.require(model.input_names, "which the model needs")
    X, text, dropped = table.rows(model.input_names, ids)
    told, names, values = _columns(model, X)
    if args.id in (*(name for name, _ in told), *names):
        raise ValueError(f"the column {args.id!r} is in --id and a target of the model")
    if table.understood():
        _note(f"ggn: {args.file}: {table.understood()}")
    if dropped:
        which = "" if ids else "; --id COL tells which rows have predictions"
        _note(f"ggn: {left_out(dropped)}{which}")
    _write(args, csv_text(names, values, *zip(ids, text, strict=True), *told))
    if model.classes is None:
        _compare(model, table)
    else:
        _compare_classes(model, model.classes, table)
    return 0


def _write(args: argparse.Namespace, pieces: Iterable[str]) -> None:
    """Write the pieces of a table to the file asked for, or print them."""
    if args.output:
        with replacing(args.output) as stream:
            for piece in pieces:
                stream.write(piece.encode())
    elif sys.stdout is None:
        raise OSError("standard output is closed")
    else:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()


def _columns(
    model: Model, X: np.ndarray
) -> tuple[list[tuple[str, list[str]]], list[str], np.ndarray]:
    """Return columns of text, and names and values of columns of numbers, that are written."""
    F, classes = model.predict(X), model.classes
    if classes is None:
        names = list(model.target_names)
        if model.posterior is None:
            return [], names, F
        deviations = [f"std({name})" for name in names]
        return [], [*names, *deviations], np.hstack([F, model.deviation(X)])
    labels = [f"p({label})" for label in classes.labels]
    p = classes.probabilities(F) if classes.link != "identity" else F
    names = list(model.target_names) if classes.link == "identity" else labels
    if classes.several:
        return [], names, p
    return [(_column(model, classes), [str(label) for label in classes.told(F)])], names, p


def _column(model: Model, classes: Classes) -> str:
    """Return what the column of labels is called."""
    if classes.column is not None:
        return classes.column
    return model.target_names[0] if len(model.target_names) == 1 else "class"


def _compare(model: Model, table: Table | Parts) -> None:
    """Print how well the model does, if the table holds targets."""
    known = [name for name in model.target_names if name in table.names]
    if not known:
        return
    try:
        data = table.read([*model.input_names, *known])
    except ValueError as error:
        _note(f"ggn: not compared with the targets: {error}")
        return
    n = len(model.input_names)
    F, Y = model.predict(data[:, :n]), data[:, n:]
    F = F[:, [model.target_names.index(name) for name in known]]
    for name, miss, share in zip(known, rmse(Y, F), r2(Y, F), strict=True):
        _note(f"{name}: RMSE {miss:.6g}, R2 {share:.6f}, {count(len(Y), 'row')}")


def _compare_classes(model: Model, classes: Classes, table: Table | Parts) -> None:
    """Print how often the model's label is right, if the table holds the labels."""
    column = _column(model, classes)
    if column not in table.names or classes.several:
        return
    try:
        X, (cells,), _ = table.rows(model.input_names, labels=[column])
        numbers = numbers_of(classes, cells)
    except ValueError as error:
        _note(f"ggn: not compared with the targets: {error}")
        return
    F = model.predict(X)
    line = f"{column}: accuracy {np.mean(classes.indices(F) == numbers):.6f}"
    if classes.link != "identity":
        line += f", log-loss {-classes.logarithms(F)[np.arange(len(F)), numbers].mean():.6g}"
    _note(f"{line}, {count(len(F), 'row')}")


def _note(line: str) -> None:
    """Print to standard error, if there is one (print() would turn to standard output)."""
    if sys.stderr is not None:
        print(visible(line), file=sys.stderr)
