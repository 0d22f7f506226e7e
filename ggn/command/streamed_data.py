"""The rows of a table in parts, read once as text and then in chunks of numbers, in every pass.

Columns, targets, classes, which rows are held out: all as for a table that is read whole.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.command.labels import MOST_CLASSES, numbers_of, read_classes, weights_of
from ggn.command.table_options import left_out, open_parts
from ggn.command.training_data import (
    check_classes,
    columns_of,
    inputs_of,
    split_source,
    with_task,
    without,
)
from ggn.fit.of_sums import SampleUnits
from ggn.fit.scores import split
from ggn.io import Chunks
from ggn.io.classes import Classes
from ggn.io.numerals import is_word
from ggn.io.parts import Parts
from ggn.io.rows import CellError
from ggn.io.spool import Spool
from ggn.io.training import PARTS

__all__ = ["Streamed", "read_in_parts"]

PERMUTED = 2**22  # rows up to which those held out are the same as of one table


@dataclass
class Streamed:
    """The columns used, in a scratch file, and which of their rows are for what.

    Attributes
    ----------
    inputs, targets : list of str
    spool : Spool
        Rows of inputs, then targets; of classes the number of the label, as labels came.
    part : ndarray of uint8, (T,)
        Of each row which of `PARTS` it is of.
    classes : Classes or None
    order : ndarray of int
        Which class each label is of.
    said : list of str
        How the files were understood.
    """

    inputs: list[str]
    targets: list[str]
    spool: Spool
    part: np.ndarray
    classes: Classes | None
    order: np.ndarray
    said: list[str]

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        if self.classes is None:
            return len(self.targets)
        return self.classes.targets(np.zeros(1, dtype=int)).shape[1]

    @property
    def sizes(self) -> dict[str, int]:
        """Rows of each part."""
        found = np.bincount(self.part, minlength=len(PARTS))
        return dict(zip(PARTS, map(int, found), strict=True))

    def rows(self, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield inputs (n, n0), and targets (n, nL) or numbers of classes (n,), of a part."""
        which, n0 = PARTS.index(name), len(self.inputs)
        for start, rows in self.spool.blocks():
            found = rows[self.part[start : start + len(rows)] == which]
            Y = found[:, n0:]
            yield found[:, :n0], Y if self.classes is None else self.order[Y[:, 0].astype(int)]

    def class_sizes(self, name: str) -> np.ndarray:
        """Return how many rows of a part each class has."""
        assert self.classes is not None
        K = len(self.classes.labels)
        return np.sum([np.bincount(k, minlength=K) for _, k in self.rows(name)], axis=0, dtype=int)

    def chunks(self, name: str, units: SampleUnits | None = None) -> Chunks:
        """Return a part as chunks, in these units, classes weighed; or as it is, all counting 1."""
        classes = self.classes

        def samples() -> Iterator[tuple[Any, ...]]:
            for X, Y in self.rows(name):
                targets = Y if classes is None else classes.targets(Y)
                if units is None:
                    yield X, targets
                elif classes is None or classes.weights is None:
                    yield units.scaled(X, targets)
                else:
                    yield (*units.scaled(X, targets), np.array(classes.weights)[Y])

        return Chunks(samples)

    def parts(self) -> str:
        """Return how many rows are for what."""
        sizes = self.sizes
        some = [
            f"{sizes[name]} for {purpose}"
            for name, purpose in zip(PARTS, ("training", "validation", "testing"), strict=True)
        ]
        return ", ".join(some if sizes["test"] else some[:2])


def read_in_parts(args: argparse.Namespace) -> Streamed:
    """Read the columns that the options name, and draw the rows to be held back.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    targets = columns_of("--target", args.target)
    parts = open_parts(args)
    inputs = inputs_of(args, parts.first, targets)
    spool = Spool(len(inputs) + len(targets))
    try:
        classes, order, dropped = _read(args.task, parts, inputs, targets, spool)
        if not spool.T:
            every = "has a missing cell in each row" if dropped else "has no rows"
            raise ValueError(f"{args.file} {every}")
        part = _divided(spool.T, args)
        said = [parts.first.understood(), left_out(dropped)]
        said = [one for one in said if one]
        found = Streamed(inputs, targets, spool, part, classes, order, said)
        if classes is not None:
            found.classes = _weighted(args, found, classes)
        elif args.class_weight is not None:
            raise ValueError(
                "--class-weight is for classification, but the targets are numbers; "
                "--task classification takes them as labels"
            )
    except BaseException:
        spool.close()
        raise
    return found


def _read(
    task: str, parts: Parts, inputs: list[str], targets: list[str], spool: Spool
) -> tuple[Classes | None, np.ndarray, int]:
    """Fill the spool; return classes and `order`, if the target is of labels; rows left out."""
    try:
        if task == "classification":
            return _labelled(parts, inputs, targets, spool)
        try:
            return None, np.empty(0, dtype=int), _numbers(parts, [*inputs, *targets], spool)
        except CellError as error:
            if task != "auto" or error.column not in targets or not _words(parts, error.column):
                raise
        return _labelled(parts, inputs, targets, spool)
    except CellError as error:
        if error.column in targets:
            raise with_task(error, task) from error
        raise without(error) from error


def _numbers(parts: Parts, columns: list[str], spool: Spool) -> int:
    dropped = 0
    for block in parts.blocks(columns):
        spool.append(block.values)
        dropped += block.dropped
    return dropped


def _words(parts: Parts, column: str) -> bool:
    """Whether all cells of a column are words, of which there are few."""
    found: set[str] = set()
    for block in parts.blocks([], labels=[column]):
        found.update(block.text[0])
        if len(found) > MOST_CLASSES or not all(map(is_word, found)):
            return False
    return True


def _labelled(
    parts: Parts, inputs: list[str], targets: list[str], spool: Spool
) -> tuple[Classes, np.ndarray, int]:
    if len(targets) > 1:
        raise ValueError(
            f"--target must be one column for classification, got {', '.join(targets)}"
        )
    spool.clear()
    known: dict[str, int] = {}  # in the order of the rows
    dropped = 0
    for block in parts.blocks(inputs, labels=targets):
        codes = [known.setdefault(cell, len(known)) for cell in block.text[0]]
        if len(known) > MOST_CLASSES:
            read_classes(targets[0], list(known))  # which may find them too many
        spool.append(np.column_stack([block.values, codes]))
        dropped += block.dropped
    if not known:
        raise ValueError(f"{parts.first.path} has no rows")
    classes = read_classes(targets[0], list(known))
    return classes, numbers_of(classes, list(known)), dropped


def _divided(T: int, args: argparse.Namespace) -> np.ndarray:
    """Return of which part each row is; of very many, each row is drawn by itself."""
    rng = split_source(args)
    part = np.zeros(T, dtype=np.uint8)
    if T <= PERMUTED:
        for number, rows in enumerate(split(T, args.validation, args.test, rng)):
            part[rows] = number
        return part
    limits = np.cumsum([args.validation, args.test])
    if limits[-1] >= 1.0:
        raise ValueError("--validation and --test leave no rows to train on")
    for start in range(0, T, PERMUTED):
        drawn = np.searchsorted(limits, rng.random(min(PERMUTED, T - start)), side="right")
        part[start : start + PERMUTED] = (drawn + 1) % len(PARTS)
    return part


def _weighted(args: argparse.Namespace, found: Streamed, classes: Classes) -> Classes:
    """Return the classes with what a row of each counts."""
    sizes = found.class_sizes("train")
    check_classes(classes, sizes)
    weights = weights_of(args.class_weight, classes, sizes)
    return Classes(classes.labels, classes.link, weights=weights, column=found.targets[0])
