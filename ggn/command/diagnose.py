"""`ggn diagnose`: what the weights of a saved network are for a table, and what was assumed."""

from __future__ import annotations

import argparse
import os
from typing import Any, NamedTuple

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
from ggn.command.same_rows import has_units_of
from ggn.command.saved_model import add_model, of_table
from ggn.command.table_options import add_table_options, left_out, open_any
from ggn.command.training_data import fill_draw, split_source
from ggn.command.words import WORDS
from ggn.fit.penalty import without_biases
from ggn.fit.result import Status, TrainResult
from ggn.fit.robust import scaled_by_residuals
from ggn.fit.scores import split
from ggn.io import Model
from ggn.io.parts import Parts
from ggn.io.table import Table
from ggn.linearization import linearize
from ggn.losses import Loss
from ggn.surface import Diagnosis, diagnose
from ggn.surface.ending import ended, of_a_mean
from ggn.validation import count, number

__all__ = ["add", "run"]

MEBIBYTE = 2**20
_TOLD = "trained on these rows, as the model tells"  # by their numbers: where units agree

DIAGNOSE = """\
Say what the weights of a trained network are: a global or a local minimum, a
saddle, on their way to infinity, or no stop at all; on what evidence, and what
to do. Give it the file of the training: which rows of it were trained on, loss
and penalty are kept in the model. What is assumed is said."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = DIAGNOSE
    parser.set_defaults(run=run)
    add_model(parser)
    parser.add_argument("file", metavar="FILE.csv",
        help="that it was trained on; or its parts, by a pattern in quotation marks, or Parquet"
    )  # fmt: skip
    group = parser.add_argument_group("rows").add_argument
    group("--validation", type=decimal, metavar="FRACTION",
        help="of the rows, drawn as by train, not to look at (default: those that the model was "
        "not trained on)")  # fmt: skip
    group("--test", type=decimal, metavar="FRACTION", help="more of the rows")
    group("--seed", type=whole, metavar="N", help="of the draw of rows")
    group("--split-seed", type=whole, metavar="N", help="of the draw of rows")
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
    model = of_table(args.model, "diagnose", "; in Python, ask fit.diagnose(u, y)")
    drawn = fill_draw(args)
    if args.max_memory is not None:
        number("max_memory", args.max_memory, 0.0, open_low=True)
    if model.classes is not None and args.loss is not None:
        raise ValueError("--loss is for regression, but the model is one of classes")
    penalty_kept = args.l2 is None and model.l2 is not None
    kept = kept_loss(args, model)
    check_objective(args, kept)
    table, (X, Y, s, dropped) = _data(args, model)
    total = len(X)
    rows, which = _rows(args, model, total, drawn)
    every = X, Y, s
    X, Y, s = X[rows], Y[rows], None if s is None else s[rows]
    same = has_units_of(model, X, Y)
    others = same is False
    if which == _TOLD and not same:
        which = "trained on rows of these numbers, as the model tells, but maybe of another table"
    loss = chosen_loss(args, model.y_scale, model.target_names) if kept is None else kept
    Z, V = model.scaled(X, Y)
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
    members = 1 if model.training is None else model.training.members
    if members > 1:
        found = of_a_mean(found)
    elif kept is not None and penalty_kept and not drawn and not others:
        found = _ended(found, model, total, *every, loss)
    text = objective_text(loss, args, model.y_scale, args.l2, kept is not None)
    penalty = "" if args.l2 else ", no penalty"
    penalty += " (as the model was trained)" if kept is not None and penalty_kept else ""
    said = [f"{os.path.basename(args.file)}: {len(rows)} of {count(total, 'row')}",
            table.understood(), left_out(dropped)]  # fmt: skip
    fields = [
        ("data", "; ".join(filter(None, said))),
        ("assumed", f"{which}; loss {text}{penalty}; all in the model's standard units"),
    ]  # fmt: skip
    if members > 1:
        text = f"the model is the mean of {members} networks, at which no training ended; in "
        text += "Python ggn.diagnose(fit, X, Y) looks at one of them"
        fields.append(("note", text))
    if others:
        text = "the model's units are not those of these rows, as where it was trained, or at "
        text += "first, on others or on these in another order"
        fields.append(("note", text))
    print(report.fields(fields))
    print(found.report(WORDS))
    return 0


class _Data(NamedTuple):
    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    dropped: int


def _data(args: argparse.Namespace, model: Model) -> tuple[Table | Parts, _Data]:
    """Return the table, and its rows."""
    table, classes = open_any(args), model.classes
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


def _rows(
    args: argparse.Namespace, model: Model, total: int, drawn: bool
) -> tuple[np.ndarray, str]:
    """Return the rows trained on, and in words how that is known."""
    if drawn:
        rows = split(total, args.validation, args.test, split_source(args))[0]
        return rows, f"trained on these rows ({_drawn(args)})"
    known, every = model.training, np.arange(total)
    if known is None:
        return every, (
            "trained on all rows, for the model does not say on which (--validation, --test and "
            "--split-seed draw others)"
        )
    if known.T != total:
        return every, (
            "trained on all rows, for which were held out is not known: the model was trained on "
            f"a file of {count(known.T, 'row')}"
        )
    return known.rows("train"), _TOLD


def _ended(
    found: Diagnosis, model: Model, total: int, X: np.ndarray, Y: np.ndarray, s: Any, loss: Loss
) -> Diagnosis:
    """Return the diagnosis with how the training ended, where the model tells."""
    known = model.training
    if known is None or known.T != total:
        return found
    status = Status.__members__.get(known.status or "")
    fit, held = TrainResult(status=status), known.rows("validation")
    if len(held):
        weights = None if s is None else s[held]
        on = linearize(
            model.net, model.w, *model.scaled(X[held], Y[held]), loss, sample_weight=weights
        )
        fit.update(validation_losses=[on.loss], kept=0)
    elif status is Status.VALIDATION:
        return found
    return ended(found, fit)


def _drawn(args: argparse.Namespace) -> str:
    """Return the options of the draw of rows."""
    test = f", --test {args.test:g}" if args.test else ""
    seed = f"--seed {args.seed}" if args.split_seed is None else f"--split-seed {args.split_seed}"
    return f"--validation {args.validation:g}{test}, {seed}"
