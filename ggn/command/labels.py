"""Classes from a table: which task a target calls for, its labels as numbers, what each counts.

balanced    class k of n_k samples counts T / (K n_k), so that all K count the same
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from ggn.command.parser import decimal
from ggn.io.classes import Classes
from ggn.io.numerals import Numerals, is_word
from ggn.io.rows import CellError
from ggn.io.table import Table
from ggn.validation import ArgumentError, describe, number

__all__ = [
    "TASKS",
    "add_labels",
    "check_task",
    "is_classification",
    "numbers_of",
    "read_classes",
    "weights_of",
]  # fmt: skip

TASKS = ("auto", "regression", "classification")
MOST_CLASSES = 100
EXACT = 2.0**53  # integers below are floats
WEIGHTS = "must be balanced or LABEL=WEIGHT, with commas between"


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    add = parser.add_argument_group("task").add_argument
    add("--task", default="auto", metavar="NAME",
        help="regression, classification (the target's cells are labels, text or numbers, and the "
        "loss is cross-entropy), or auto: classification where all of them are words "
        "(default: %(default)s)")  # fmt: skip
    add("--class-weight", metavar="balanced|LABEL=W[,...]",
        help="what a row of each class counts; balanced: all classes count the same "
        "(default: 1 each)")  # fmt: skip


def check_task(args: argparse.Namespace) -> None:
    """Check what does not need the data."""
    if args.task not in TASKS:
        raise ArgumentError("task", f"must be one of {', '.join(TASKS)}, got {args.task!r}")
    if args.class_weight is not None:
        if args.task == "regression":
            raise ValueError("--class-weight is for classification, but --task is regression")
        if args.class_weight != "balanced":
            _given_weights(args.class_weight)


def is_classification(task: str, table: Table, targets: Sequence[str], error: CellError) -> bool:
    """Whether a table whose targets are not all numbers, as an error says, is one of labels."""
    if task != "auto" or error.column not in targets:
        return False
    (cells,) = table.rows([], labels=[error.column]).text
    return all(map(is_word, cells)) and len(set(cells)) <= MOST_CLASSES


def read_classes(column: str, cells: Sequence[str]) -> Classes:
    """Return the classes of a column, in the order of their names, or of their numbers.

    Examples
    --------
    >>> read_classes("size", ["10", "9", "9.0", "10"]).labels
    ('9', '10')
    """
    found: dict[object, str] = {}
    for cell in cells:
        found.setdefault(_meant(cell), cell)
    if len(found) < 2:
        raise ValueError(
            f"classification needs two or more classes, but the column {column!r} has only "
            f"{describe(cells[0])}"
        )
    if len(found) > MOST_CLASSES:
        raise ValueError(
            f"classification is for at most {MOST_CLASSES} classes, but the column {column!r} has "
            f"{len(found)} different cells; --task regression reads numbers"
        )
    numeric = not any(isinstance(value, str) for value in found)
    ordered = sorted(found, key=lambda value: value if numeric else found[value])  # type: ignore[arg-type, return-value]
    labels = [found[value] for value in ordered]
    return Classes(labels, "logistic" if len(labels) == 2 else "softmax", column=column)


def numbers_of(classes: Classes, cells: Sequence[str]) -> np.ndarray:
    """Return the number of each cell's class, (T,).

    Raises
    ------
    ValueError
        For a cell that is none of the labels.
    """
    known = {_meant(str(label)): k for k, label in enumerate(classes.labels)}
    try:
        return np.array([known[_meant(cell)] for cell in cells], dtype=int)
    except KeyError:
        strange = next(cell for cell in cells if _meant(cell) not in known)
        raise ValueError(
            f"{describe(strange)} in column {classes.column!r} is not a class of the model, which "
            f"are {describe(classes.labels)}"
        ) from None


def weights_of(text: str | None, classes: Classes, sizes: np.ndarray) -> list[float] | None:
    """Return what a sample of each class counts, None for 1, by how many of each there are."""
    if text is None:
        return None
    if text == "balanced":
        return list((sizes.sum() / (len(sizes) * sizes)).tolist())
    found = [1.0] * len(classes.labels)
    for label, weight in _given_weights(text).items():
        known = [k for k, name in enumerate(classes.labels) if _meant(str(name)) == _meant(label)]
        if not known:
            raise ArgumentError(
                "class_weight",
                f"must name classes of {describe(classes.labels)}, got {describe(label)}",
            )
        found[known[0]] = weight
    return found


def _given_weights(text: str) -> dict[str, float]:
    found = {}
    for part in text.split(","):
        label, equals, weight = part.rpartition("=")
        if not equals or not label.strip():
            raise ArgumentError("class_weight", f"{WEIGHTS}, got {text!r}")
        found[label.strip()] = number("class_weight", decimal(weight), 0.0, open_low=True)
    return found


def _meant(cell: str) -> float | str:
    """Return a label's number, if it is one: 1, 1.0 and 01 are the same class.

    Of so many digits that a float would be its neighbour's, too, it is an integer.
    """
    try:
        value = Numerals().value(cell)
    except ValueError:
        return cell.strip()
    if abs(value) < EXACT:
        return value
    exact = Decimal(cell.strip().replace("\N{MINUS SIGN}", "-"))
    return int(exact) if exact == exact.to_integral_value() else value
