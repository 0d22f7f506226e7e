"""The columns of a table that `ggn train` works on, which of their rows, and in which units."""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ggn.command import report
from ggn.command.labels import is_classification, numbers_of, read_classes, weights_of
from ggn.command.same_rows import has_units_of
from ggn.command.table_options import left_out, open_table
from ggn.fit.scores import split
from ggn.io import Model
from ggn.io.classes import Classes
from ggn.io.parts import AnyTable
from ggn.io.rows import CellError
from ggn.io.scaling import constant_columns, linear_units, robust_units, standard_units
from ggn.io.table import Table
from ggn.io.training import PARTS
from ggn.validation import count, integer, number

__all__ = [
    "TrainingData",
    "check_classes",
    "columns_of",
    "fill_draw",
    "inputs_of",
    "read",
    "split_source",
    "with_task",
    "without",
]

VALIDATION = 0.2  # of the rows, by default
# what is known of rows with the numbers of a model's, by whether its units are theirs
_HAD = {
    True: "as the model had them",
    None: "of the numbers that the model had",
    False: "of the numbers that the model had, but its units are of other rows or another order",
}
DRAW = ("validation", "test", "seed", "split_seed")


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
    start : Model or None
        What is gone on from, in its units.
    others : bool
        Whether rows of the numbers that the start was trained on are other rows, as its units tell.
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
    start: Model | None = None
    others: bool = False

    def standard(self, part: str = "train") -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of a part, in standard units."""
        x_mean, x_scale, y_mean, y_scale = self.units
        Z = (self.X[self.rows[part]] - x_mean) / x_scale
        if self.start is None:
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
        """Return what is odd about the rows and columns."""
        if self.others:
            text = "the model's units are not those of the rows for training: it was trained, or "
            text += "at first, on others or on these in another order, so rows held out now may be "
            text += "among those that it was trained on, and their errors too small"
            return [("note", text)]
        constant = [name for name, flat in zip(self.inputs, self.constant, strict=True) if flat]
        if not constant or self.start is not None:
            return []
        text = f"constant in training, so without weight in the model: {', '.join(constant)}"
        return [("note", report.shorten(text, report.WIDTH - 12))]

    def parts(self) -> str:
        """Return how many rows are for what."""
        purposes = zip(self.rows.values(), ("training", "validation", "testing"), strict=True)
        some = [f"{len(rows)} for {purpose}" for rows, purpose in purposes]
        return ", ".join(some if len(self.rows["test"]) else some[:2])


def fill_draw(args: argparse.Namespace) -> bool:
    """Fill in what is not given of the draw of rows, and check it; return if any of it is given."""
    given = any(getattr(args, name) is not None for name in DRAW)
    args.validation = VALIDATION if args.validation is None else args.validation
    args.test = 0.0 if args.test is None else args.test
    args.seed = 0 if args.seed is None else args.seed
    number("validation", args.validation, 0.0, 1.0)
    number("test", args.test, 0.0, 1.0)
    integer("seed", args.seed, 0)
    if args.split_seed is not None:
        integer("split_seed", args.split_seed, 0)
    return given


def split_source(args: argparse.Namespace) -> np.random.Generator:
    """Return what draws the rows of each part: of --split-seed or, by default, of --seed."""
    return np.random.default_rng(args.seed if args.split_seed is None else args.split_seed)


def read(args: argparse.Namespace, robust: bool, start: Model | None = None) -> TrainingData:
    """Read the columns that the options name, and draw the rows to be held back.

    With robust, units are those of what is not outliers; with a start, a model to go on from,
    they are its own, and so are its classes and, of as many rows, those that it held out.
    """
    targets = args.target if start is not None else columns_of("--target", args.target)
    table = open_table(args)
    if start is not None:
        table.require([*args.inputs, *targets], "which the model needs")
    inputs = inputs_of(args, table, targets)
    try:
        known = None if start is None else start.classes
        classes, numbers, Y, X, dropped = _values(args.task, table, targets, inputs, known)
    except CellError as error:
        if error.column in targets:
            raise with_task(error, args.task) from error
        raise without(error) from error
    rows, how, others = _parts(args, X, Y, start)
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
        sizes = np.bincount(numbers[rows["train"]], minlength=len(classes.labels))
        if start is None:
            check_classes(classes, sizes)
        weights: Sequence[float] | None = classes.weights
        if args.class_weight is not None:
            weights = weights_of(args.class_weight, classes, sizes)
        classes = Classes(classes.labels, classes.link, weights=weights, column=targets[0])
        nL = Y.shape[1]
        of = (*x_units, np.zeros(nL), np.ones(nL))
    if start is not None:
        of = linear_units(start, "--warm-start")
    said = [text for text in (table.understood(), left_out(dropped), how) if text]
    return TrainingData(inputs, targets, X, Y, rows, of, said, classes, numbers, start, others)


def _parts(
    args: argparse.Namespace, X: np.ndarray, Y: np.ndarray, start: Model | None
) -> tuple[dict[str, np.ndarray], str, bool]:
    """Return the rows of each part: those of a model that goes on, or drawn; in words; `others`."""
    total, how = len(X), ""
    if start is not None and start.training is not None and not args.drawn:
        known = start.training
        if known.T == total:
            rows = {name: known.rows(name) for name in PARTS}
            same = has_units_of(start, X[rows["train"]], Y[rows["train"]])
            return rows, _HAD[same], same is False
        how = f"drawn anew, for the model had {count(known.T, 'row')}"
    drawn = split(total, args.validation, args.test, split_source(args))
    return dict(zip(PARTS, drawn, strict=True)), how, False


def inputs_of(args: argparse.Namespace, table: AnyTable, targets: list[str]) -> list[str]:
    """Return the columns to predict from."""
    inputs = args.inputs
    if isinstance(inputs, str):
        inputs = columns_of("--inputs", inputs)
    exclude = [] if args.exclude is None else columns_of("--exclude", args.exclude)
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
    task: str, table: Table, targets: list[str], inputs: list[str], known: Classes | None
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
    classes = read_classes(targets[0], cells) if known is None else known
    numbers = numbers_of(classes, cells)
    return classes, numbers, classes.targets(numbers), X, dropped


def with_task(error: CellError, task: str) -> ValueError:
    """Return an error of a target's cell, with the option that takes it for a label."""
    if task == "classification" or "--missing" in str(error):
        return error
    return ValueError(f"{error}; --task classification takes the cells for labels")


def without(error: CellError) -> ValueError:
    """Return an error of an input's cell, with the options that leave it out."""
    return ValueError(f"{error}; leave the column out with --inputs or --exclude")


def check_classes(classes: Classes, sizes: np.ndarray) -> None:
    """Raise ValueError where no row that is trained on is of one of the classes."""
    if not sizes.all():
        label = classes.labels[int(sizes.argmin())]
        raise ValueError(
            f"no row of the class {label!r} is among the {count(int(sizes.sum()), 'row')} for "
            "training; another --split-seed draws others"
        )


def columns_of(option: str, text: str) -> list[str]:
    """Split a list of column names; one that holds a comma is quoted, as in the file."""
    try:
        read = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:  # a line end outside of quotation marks
        read = [text]
    names = [name.strip() for name in read]
    if not names or not all(names):
        raise ValueError(f"{option} must be column names separated by commas, got {text!r}")
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"{option} names the column {name!r} twice")
    return names
