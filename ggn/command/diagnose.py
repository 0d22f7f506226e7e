"""`ggn diagnose`: what the weights of a saved network are for a table, and what was assumed."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ggn.command import report
from ggn.command.labels import numbers_of
from ggn.command.objective import (
    add_objective,
    check_objective,
    chooses_scale,
    chosen_loss,
    kept_loss,
    objective_text,
)
from ggn.command.parser import decimal, whole
from ggn.command.saved_model import add_model, load
from ggn.command.table_options import add_table_options, left_out, open_table
from ggn.command.training_data import split_source
from ggn.command.words import WORDS
from ggn.fit.penalty import without_biases
from ggn.fit.robust import scaled_by_residuals
from ggn.fit.scores import split
from ggn.io import Model
from ggn.io.scaling import robust_units, standard_units
from ggn.io.table import Table
from ggn.surface import diagnose
from ggn.validation import count, integer, number

__all__ = ["add", "run"]

MEBIBYTE = 2**20

DIAGNOSE = """\
Say what the weights of a trained network are: a global or a local minimum, a
saddle, on their way to infinity, or no stop at all; on what evidence, and what
to do. Give it the file and the rows of the training, by the same --validation,
--test, --seed and --split-seed; loss and penalty are kept in the model. What is
assumed is said."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = DIAGNOSE
    parser.set_defaults(run=run)
    add_model(parser)
    parser.add_argument("file", metavar="FILE.csv", help="that it was trained on")
    group = parser.add_argument_group("rows").add_argument
    group("--validation", type=decimal, default=0.2, metavar="FRACTION",
        help="of the rows, not trained on, as given to train (default: %(default)s)")  # fmt: skip
    group("--test", type=decimal, default=0.0, metavar="FRACTION",
        help="of the rows, as given to train (default: 0)")  # fmt: skip
    group("--seed", type=whole, default=0, metavar="N",
        help="of their draw, as given to train (default: %(default)s)")  # fmt: skip
    group("--split-seed", type=whole, metavar="N",
        help="of their draw, as given to train (default: that of --seed)")  # fmt: skip
    add_table_options(parser)
    add_objective(parser, kept=True)
    parser.add_argument("--max-memory", type=decimal, metavar="MB",
        help="for the Hessian (default: half of the machine's)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print what the model's weights are for the rows that it was trained on.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    model = load(args)
    number("validation", args.validation, 0.0, 1.0)
    number("test", args.test, 0.0, 1.0)
    integer("seed", args.seed, 0)
    if args.split_seed is not None:
        integer("split_seed", args.split_seed, 0)
    if args.max_memory is not None:
        number("max_memory", args.max_memory, 0.0, open_low=True)
    if model.classes is not None and args.loss is not None:
        raise ValueError("--loss is for regression, but the model is one of classes")
    penalty_kept = args.l2 is None and model.l2 is not None
    kept = kept_loss(args, model)
    check_objective(args, kept)
    table, (X, Y, s, dropped) = _data(args, model)
    total = len(X)
    rows = split(total, args.validation, args.test, split_source(args))[0]
    X, Y, s = X[rows], Y[rows], None if s is None else s[rows]
    loss = chosen_loss(args, model.y_scale, model.target_names) if kept is None else kept
    Z, V = (X - model.x_mean) / model.x_scale, (Y - model.y_mean) / model.y_scale
    l2 = model.l2 if penalty_kept else without_biases(model.net, args.l2)
    if kept is None and chooses_scale(args, loss):
        loss = scaled_by_residuals(loss, model.net, model.w, Z, V, l2)
    found = diagnose(
        model.net,
        model.w,
        Z,
        V,
        loss,
        l2=l2,
        sample_weight=s,
        max_memory=None if args.max_memory is None else args.max_memory * MEBIBYTE,
    )
    text = objective_text(loss, args, model.y_scale, args.l2, kept is not None)
    penalty = "" if args.l2 else ", no penalty"
    penalty += " (as the model was trained)" if kept is not None and penalty_kept else ""
    said = [f"{os.path.basename(args.file)}: {len(rows)} of {count(total, 'row')}",
            table.understood(), left_out(dropped)]  # fmt: skip
    fields = [
        ("data", "; ".join(filter(None, said))),
        ("assumed", f"trained on these rows ({_drawn(args)}); loss {text}{penalty}; "
                    "all in the model's standard units"),
    ]  # fmt: skip
    if not _trained_on(model, X, Y):
        text = "the model's units are not those of these rows: it was trained on others"
        fields.append(("note", text))
    print(report.fields(fields))
    print(found.report(WORDS))
    return 0


class _Data(NamedTuple):
    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    dropped: int


def _data(args: argparse.Namespace, model: Model) -> tuple[Table, _Data]:
    """Return the table, and its rows."""
    table, classes = open_table(args), model.classes
    if classes is None or classes.column is None:
        table.require([*model.input_names, *model.target_names], "which the model needs")
        values, _, dropped = table.rows([*model.input_names, *model.target_names])
        n = len(model.input_names)
        return table, _Data(values[:, :n], values[:, n:], None, dropped)
    table.require([*model.input_names, classes.column], "which the model needs")
    X, (cells,), dropped = table.rows(model.input_names, labels=[classes.column])
    numbers = numbers_of(classes, cells)
    s = None if classes.weights is None else np.array(classes.weights)[numbers]
    return table, _Data(X, classes.targets(numbers), s, dropped)


def _drawn(args: argparse.Namespace) -> str:
    """Return the options of the draw of rows."""
    test = f", --test {args.test:g}" if args.test else ""
    seed = f"--seed {args.seed}" if args.split_seed is None else f"--split-seed {args.split_seed}"
    return f"--validation {args.validation:g}{test}, {seed}"


def _trained_on(model: Model, X: np.ndarray, Y: np.ndarray) -> bool:
    """Whether the model's units are those of these rows, for one loss or another."""
    own = (model.x_mean, model.x_scale, model.y_mean, model.y_scale)
    if model.classes is not None:  # whose targets have no units
        own, Y = (*own[:2], *own[:2]), X

    def same(of: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> bool:
        units = (*of(X), *of(Y))
        scales = (units[1], units[1], units[3], units[3])
        return all(
            bool((np.abs(a - b) <= 1e-9 * scale).all())
            for a, b, scale in zip(units, own, scales, strict=True)
        )

    return same(standard_units) or same(robust_units)
