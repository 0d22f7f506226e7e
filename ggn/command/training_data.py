"""The columns of a table that `ggn train` works on, which of their rows, and in which units."""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ggn.command import report
from ggn.command.labels import is_classification, numbers_of, read_classes, weights_of
from ggn.command.table_options import left_out, open_table
from ggn.fit.scores import split
from ggn.io.classes import Classes
from ggn.io.rows import CellError
from ggn.io.scaling import constant_columns, robust_units, standard_units
from ggn.io.table import Table
from ggn.validation import count

__all__ = ["TrainingData", "read", "split_source"]

PARTS = ("train", "validation", "test")


@dataclass
class TrainingData:
    """The columns used, and which of their rows for what.

    Attributes
    ----------
    inputs, targets : list of str
        Names of columns.
    X : ndarray, (T, n0)
    Y : ndarray, (T, nL)
        Of classes zeros and ones.
    rows : dict of str to ndarray
        Those of "train", "validation" and "test".
    units : tuple of ndarray
        x_mean, x_scale, y_mean, y_scale.
    said : list of str
        How the file was understood.
    classes : Classes or None
    numbers : ndarray (T,) or None
        Which class each row is of.
    """

    inputs: list[str]
    targets: list[str]
    X: np.ndarray
    Y: np.ndarray
    rows: dict[str, np.ndarray]
    units: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
    said: list[str]
    classes: Classes | None = None
    numbers: np.ndarray | None = None

    def standard(self, part: str = "train") -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of a part, in standard units."""
        x_mean, x_scale, y_mean, y_scale = self.units
        Z = (self.X[self.rows[part]] - x_mean) / x_scale
        Z[:, self.constant] = 0.0  # not their rounding
        return Z, (self.Y[self.rows[part]] - y_mean) / y_scale

    @property
    def constant(self) -> np.ndarray:
        """Which inputs do not vary in training, (n0,)."""
        return constant_columns(self.X[self.rows["train"]])

    def weights(self, part: str = "train") -> np.ndarray | None:
        """Return what each sample of a part counts, (T,), None for 1."""
        if self.classes is None or self.classes.weights is None or self.numbers is None:
            return None
        return np.array(self.classes.weights)[self.numbers[self.rows[part]]]

    def notes(self) -> list[tuple[str, str]]:
        """Return what is odd about the columns."""
        constant = [name for name, flat in zip(self.inputs, self.constant, strict=True) if flat]
        if not constant:
            return []
        text = f"constant in training, so without weight in the model: {', '.join(constant)}"
        return [("note", report.shorten(text, report.WIDTH - 12))]

    def parts(self) -> str:
        """Return how many rows are for what."""
        purposes = zip(self.rows.values(), ("training", "validation", "testing"), strict=True)
        some = [f"{len(rows)} for {purpose}" for rows, purpose in purposes]
        return ", ".join(some if len(self.rows["test"]) else some[:2])


def split_source(args: argparse.Namespace) -> np.random.Generator:
    """Return what draws the rows of each part: of --split-seed or, by default, of --seed."""
    return np.random.default_rng(args.seed if args.split_seed is None else args.split_seed)


def read(args: argparse.Namespace, robust: bool) -> TrainingData:
    """Read the columns that the options name, and draw the rows to be held back.

    With robust, units are those of what is not outliers.
    """
    targets = _columns("--target", args.target)
    table = open_table(args)
    inputs = _inputs(args, table, targets)
    try:
        classes, numbers, Y, X, dropped = _values(args.task, table, targets, inputs)
    except CellError as error:
        if error.column in targets:
            raise _with_task(error, args.task) from error
        advice = "leave the column out with --inputs or --exclude"
        raise ValueError(f"{error}; {advice}") from error
    rows = dict(zip(PARTS, split(len(X), args.validation, args.test, split_source(args)),
                    strict=True))  # fmt: skip
    units = robust_units if robust else standard_units
    x_units = units(X[rows["train"]])
    if classes is None or numbers is None:
        if args.class_weight is not None:
            raise ValueError(
                "--class-weight is for classification, but the targets are numbers; "
                "--task classification takes them as labels"
            )
        of = (*x_units, *units(Y[rows["train"]]))
    else:
        fitted = numbers[rows["train"]]
        _check_classes(classes, fitted)
        weights = weights_of(args.class_weight, classes, fitted)
        classes = Classes(classes.labels, classes.link, weights=weights, column=classes.column)
        nL = Y.shape[1]
        of = (*x_units, np.zeros(nL), np.ones(nL))
    said = [text for text in (table.understood(), left_out(dropped)) if text]
    return TrainingData(inputs, targets, X, Y, rows, of, said, classes, numbers)


def _inputs(args: argparse.Namespace, table: Table, targets: list[str]) -> list[str]:
    """Return the columns to predict from."""
    inputs = None if args.inputs is None else _columns("--inputs", args.inputs)
    exclude = [] if args.exclude is None else _columns("--exclude", args.exclude)
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
    return inputs


def _values(
    task: str, table: Table, targets: list[str], inputs: list[str]
) -> tuple[Classes | None, np.ndarray | None, np.ndarray, np.ndarray, int]:
    """Return classes and their numbers, if there are any; targets, inputs, rows dropped."""
    if task != "classification":
        try:
            values, _, dropped = table.rows([*targets, *inputs])
            return None, None, values[:, : len(targets)], values[:, len(targets) :], dropped
        except CellError as error:
            if not is_classification(task, table, targets, error):
                raise
    if len(targets) > 1:
        raise ValueError(
            f"--target must be one column for classification, got {', '.join(targets)}"
        )
    X, (cells,), dropped = table.rows(inputs, labels=targets)
    classes = read_classes(targets[0], cells)
    numbers = numbers_of(classes, cells)
    return classes, numbers, classes.targets(numbers), X, dropped


def _with_task(error: CellError, task: str) -> ValueError:
    """Return an error of a target's cell, with the option that takes it for a label."""
    if task == "classification" or "--missing" in str(error):
        return error
    return ValueError(f"{error}; --task classification takes the cells for labels")


def _check_classes(classes: Classes, fitted: np.ndarray) -> None:
    sizes = np.bincount(fitted, minlength=len(classes.labels))
    if not sizes.all():
        label = classes.labels[int(sizes.argmin())]
        raise ValueError(
            f"no row of the class {label!r} is among the {count(len(fitted), 'row')} for training; "
            "another --split-seed draws others"
        )


def _columns(option: str, text: str) -> list[str]:
    """Split a list of column names; one that holds a comma is quoted, as in the file."""
    names = [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]
    if not names or not all(names):
        raise ValueError(f"{option} must be column names separated by commas, got {text!r}")
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{option} names the column {name!r} twice")
    return names
