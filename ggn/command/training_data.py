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
from ggn.io.scaling import standard_units

__all__ = ["TrainingData", "read"]


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
        return (self.X[self.fitted] - x_mean) / x_scale, (self.Y[self.fitted] - y_mean) / y_scale

    def notes(self) -> list[tuple[str, str]]:
        """Return what is odd about the columns."""
        X = self.X[self.fitted]
        constant = [name for name, x in zip(self.inputs, X.T, strict=True) if x.min() == x.max()]
        if not constant:
            return []
        text = f"constant in training, teaching the model nothing: {', '.join(constant)}"
        return [("note", report.shorten(text, report.WIDTH - 12))]


def read(args: argparse.Namespace, rng: np.random.Generator) -> TrainingData:
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
    units = (*standard_units(X[fitted]), *standard_units(Y[fitted]))
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
