"""The columns of a table that `ggn train` works on, which of their rows, and in which units."""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from typing import NamedTuple

import numpy as np

from ggn.command import report
from ggn.command.table_options import left_out, open_table
from ggn.fit.scores import validation_split
from ggn.io.rows import CellError
from ggn.io.scaling import constant_columns, robust_units, standard_units
from ggn.losses import Loss

__all__ = ["TrainingData", "read", "units_of"]


class TrainingData(NamedTuple):
    """The columns used, and which of their rows for what."""

    inputs: list[str]
    targets: list[str]
    X: np.ndarray
    Y: np.ndarray
    fitted: np.ndarray
    held: np.ndarray
    units: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # x_mean, x_scale, y_...
    said: list[str]  # how the file was understood

    def standard(self) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of the training part, in standard units."""
        x_mean, x_scale, y_mean, y_scale = self.units
        Z = (self.X[self.fitted] - x_mean) / x_scale
        Z[:, constant_columns(self.X[self.fitted])] = 0.0  # not their rounding
        return Z, (self.Y[self.fitted] - y_mean) / y_scale

    def notes(self) -> list[tuple[str, str]]:
        """Return what is odd about the columns."""
        same = constant_columns(self.X[self.fitted])
        constant = [name for name, flat in zip(self.inputs, same, strict=True) if flat]
        if not constant:
            return []
        text = f"constant in training, so without weight in the model: {', '.join(constant)}"
        return [("note", report.shorten(text, report.WIDTH - 12))]


def units_of(A: np.ndarray, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Return what columns are reduced by and divided by: robust against what the loss is."""
    return robust_units(A) if loss.scale is not None else standard_units(A)


def read(args: argparse.Namespace, rng: np.random.Generator, loss: Loss) -> TrainingData:
    """Read the columns that the options name, and draw the rows to be held back."""
    targets = _columns("--target", args.target)
    inputs = None if args.inputs is None else _columns("--inputs", args.inputs)
    exclude = [] if args.exclude is None else _columns("--exclude", args.exclude)
    table = open_table(args)
    for option, names in (("--target", targets), ("--inputs", inputs), ("--exclude", exclude)):
        table.require(names or [], f"which {option} names")
        both = [] if option == "--target" else [name for name in names or [] if name in targets]
        if both:
            raise ValueError(f"the column {both[0]!r} is both in {option} and in --target")
    if inputs is None:
        inputs = table.columns(without=[*targets, *exclude])
    inputs = [name for name in inputs if name not in exclude]
    if not inputs:
        left = " that are not excluded" if exclude else ""
        raise ValueError(
            f"{args.file} has no columns but the targets{left}, so no inputs{table.hint()}"
        )
    try:
        values, _, dropped = table.rows([*targets, *inputs])
    except CellError as error:
        if error.column in targets:
            raise
        advice = "leave the column out with --inputs or --exclude"
        raise ValueError(f"{error}; {advice}") from error
    Y, X = values[:, : len(targets)], values[:, len(targets) :]
    fitted, held = validation_split(len(X), args.validation, rng)
    units = (*units_of(X[fitted], loss), *units_of(Y[fitted], loss))
    said = [text for text in (table.understood(), left_out(dropped)) if text]
    return TrainingData(inputs, targets, X, Y, fitted, held, units, said)


def _columns(option: str, text: str) -> list[str]:
    """Split a list of column names; one that holds a comma is quoted, as in the file."""
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise ValueError(f"{option} must be column names separated by commas, got {text!r}")
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{option} names the column {name!r} twice")
    return names
