"""Series in tables, for `ggn train --lags` and `--states`: what is read, and how good fits are."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ggn.command import report
from ggn.command.objective import (
    chooses_scale,
    chosen_loss,
    chosen_penalty,
    objective_text,
)
from ggn.command.table_options import open_table
from ggn.command.training_data import columns_of
from ggn.command.words import said
from ggn.fit.result import Status, TrainResult
from ggn.io import terminal
from ggn.io.numerals import LEFT_OUT, Numerals, is_missing
from ggn.io.table import Table
from ggn.losses import Loss
from ggn.validation import count, number

__all__ = [
    "SeriesData",
    "objective_line",
    "read_series",
    "reported",
    "scores",
    "series_options",
    "verdict",
    "with_gaps",
    "worded",
]

# what --missing drop does in series, in place of what it does in a table
AS_GAPS = "--missing drop makes it a gap"
OF_TARGETS = "--missing drop makes a gap of a target, but inputs are needed in every row"
HELD_OUT = 0.2  # of the rows, the last
TINY = float(np.finfo(np.float64).tiny)
DIAGNOSED = 200  # weights up to which a verdict is quick
# of a model of rows in no order, without a meaning here
OTHERS = ("test", "patience", "plot", "class_weight", "warm_start")


class SeriesData(NamedTuple):
    """What was read.

    Attributes
    ----------
    targets, inputs : list of str
        Names of columns.
    U, Y : ndarray, (T, n_u) and (T, n_y)
    cut : int
        Samples to train on; those after are held out.
    """

    targets: list[str]
    inputs: list[str]
    U: np.ndarray
    Y: np.ndarray
    cut: int

    def part(self, rows: slice) -> tuple[np.ndarray | None, np.ndarray]:
        """Return inputs, None where there are none, and outputs of some samples."""
        return (self.U[rows] if self.inputs else None), self.Y[rows]

    def line(self, args: argparse.Namespace) -> str:
        """Return file and samples in words."""
        left = len(self.Y) - self.cut
        held = f", the last {left} held out" if left else ""
        return f"{os.path.basename(args.file)}: {count(len(self.Y), 'sample')}{held}"


def read_series(args: argparse.Namespace, option: str) -> SeriesData:
    """Return the columns of a table, rows in the order of time.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    for name in OTHERS:
        if getattr(args, name, None):
            raise ValueError(f"--{name.replace('_', '-')} is not for series, which {option} makes")
    targets = columns_of("--target", args.target)
    table = open_table(args)
    inputs = _inputs(args, table, targets)
    values = _values(args, table, [*targets, *inputs])
    gaps = np.argwhere(np.isnan(values[:, len(targets) :])) if args.states is not None else ()
    for row, column in gaps[:1]:
        raise ValueError(
            f"{args.file}, row {row + 1}, column {inputs[column]!r}: the cell is missing, and a "
            "state-space model needs its inputs in every row"
        )
    held = HELD_OUT if args.validation is None else number("validation", args.validation, 0.0, 1.0)
    cut = len(values) - round(held * len(values))
    return SeriesData(targets, inputs, values[:, len(targets) :], values[:, : len(targets)], cut)


def series_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return what the options of loss, penalty and limits say, for `narx` and `statespace`."""
    loss, l2, _ = objective_of(args)
    return {
        "loss": loss,
        "robust": chooses_scale(args, loss),
        "rng": args.seed or 0,
        "max_iter": args.max_iter,
        "tol": args.tol,
        "l2": "evidence" if l2 is None else l2,
        "max_seconds": float("inf") if args.max_seconds is None else args.max_seconds,
    }


def objective_of(args: argparse.Namespace) -> tuple[Loss, Any, str]:
    """Return the loss in the targets' unit, l2, None for that of the evidence, and what chose."""
    loss = chosen_loss(args, np.ones(1), ())
    return loss, *chosen_penalty(args, loss, 0)  # of whatever number of weights


def objective_line(args: argparse.Namespace, fit: TrainResult) -> str:
    """Return loss and penalty in words; a scale is in the target's unit."""
    *_, chosen = objective_of(args)
    return objective_text(fit.loss, args, np.ones(1), float(np.max(fit.l2)), chosen=chosen)


def reported(fit: TrainResult, save: Callable[[], str] | None, summary: Callable[[], str]) -> int:
    """Save a fit, print what it is worth, saved or not, and return the exit status."""
    if fit.status is Status.BAD_START:
        raise ValueError(said(fit.status))
    saved = "not saved"
    try:
        if save is not None:
            saved = save()
    finally:
        print(summary())
        print(f"{'model':<12}{terminal.visible(saved)}")
    return 130 if fit.status is Status.INTERRUPTED else 0


def verdict(fit: TrainResult, diagnose: Callable[[], Any]) -> list[tuple[str, str]]:
    """Return the row that says what the weights are, where that is quick."""
    if len(fit.w) > DIAGNOSED or fit.status is Status.INTERRUPTED:
        return []
    with contextlib.suppress(ValueError):
        return [("verdict", diagnose().verdict.value)]
    return []


def scores(
    args: argparse.Namespace, fit: Any, data: SeriesData, least: int, way: str, trained: Any = None
) -> list[str]:
    """Return the lines that say how good a fit is, on parts of more than `least` samples.

    `trained` is the run that was minimised, where other samples tell its start less well; `way` is
    to be compared where runs on samples held out are far worse.
    """
    lines = [f"{'target':<14}{'part':<12}{'one step RMSE':>15}{'free run RMSE':>15}"
             f"{'free run fit':>14}"]  # fmt: skip
    T, runs = len(data.Y), {}
    for part, rows in (("train", slice(0, data.cut)), ("validation", slice(data.cut, T))):
        if rows.stop - rows.start <= least:
            continue
        u, y = data.part(rows)
        try:
            ahead, free = (fit.predict(u, y, horizon=h).reshape(len(y), -1) for h in (1, None))
        except ValueError:
            continue
        free = trained if part == "train" and trained is not None else free
        found = [_scores(ahead[:, o], free[:, o], y[:, o]) for o in range(len(data.targets))]
        for name, (one, run, best) in zip(data.targets, found, strict=True):
            lines.append(f"{name:<14}{part:<12}{one:>15.6g}{run:>15.6g}{best:>13.2f}%")
        runs[part] = {"RMSE": np.array([run for _, run, _ in found])}
    if len(runs) < 2:
        return lines
    ways = ["--l2 0 (data without noise)", way, "fewer units (--hidden)"]
    hint = report.overfitting(
        data.targets,
        runs,
        np.maximum(np.nanstd(data.Y[: data.cut], axis=0), TINY),
        weights=len(fit.w),
        residuals=data.Y[: data.cut].size,
        l2=float(np.max(fit.l2)),
        ways=ways if objective_of(args)[1] is None else (),
    )
    return [*lines, f"\nhint: {hint}"] if hint else lines


def _scores(ahead: np.ndarray, free: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return both RMSE, and MATLAB's fit 100 (1 - ‖y - ŷ‖ / ‖y - mean y‖)."""
    with np.errstate(all="ignore"):
        one = float(np.sqrt(np.nanmean(np.square(ahead - y))))
        run = float(np.sqrt(np.nanmean(np.square(free - y))))
        return one, run, 100.0 * (1.0 - run / float(np.nanstd(np.where(np.isnan(free), np.nan, y))))


def _inputs(args: argparse.Namespace, table: Table, targets: list[str]) -> list[str]:
    """Return the columns that are inputs; there may be none."""
    exclude = [] if args.exclude is None else columns_of("--exclude", args.exclude)
    table.require(targets, "which --target names")
    table.require(exclude, "which --exclude names")
    if args.inputs is None:
        return table.columns(without=[*targets, *exclude])
    inputs = columns_of("--inputs", args.inputs)
    table.require(inputs, "which --inputs names")
    both = [name for name in inputs if name in targets]
    if both:
        raise ValueError(f"the column {both[0]!r} is both in --inputs and in --target")
    return [name for name in inputs if name not in exclude]


def _values(args: argparse.Namespace, table: Table, columns: list[str]) -> np.ndarray:
    """Return the columns, (T, columns); a missing cell is NaN with --missing drop."""
    if args.missing == "drop":
        return with_gaps(args, table, columns)
    try:
        return table.read(columns)
    except ValueError as error:  # rows follow one another in time, and none is left out
        gaps = OF_TARGETS if args.states is not None else AS_GAPS
        raise ValueError(str(error).replace(LEFT_OUT, gaps)) from error


def with_gaps(args: argparse.Namespace, table: Table, columns: Sequence[str]) -> np.ndarray:
    """Return the columns, (T, columns); a missing cell is NaN, and no row is left out."""
    rows = table.rows([], text=columns)
    numerals = Numerals(args.decimal, args.thousands)
    found = np.full((len(rows.values), len(columns)), np.nan)
    for c, (name, cells) in enumerate(zip(columns, rows.text, strict=True)):
        for i, cell in enumerate(cells):
            if not is_missing(cell):
                try:
                    found[i, c] = numerals.value(cell)
                except ValueError:
                    raise ValueError(
                        f"{args.file}, row {i + 1}, column {name!r}: {numerals.fault(cell)}"
                    ) from None
    return found


def worded(text: str, targets: list[str], inputs: list[str]) -> str:
    """Return an error of the library's in the words of the command line."""
    words = {"U": "the inputs", "Y": "the targets", "output_lags": "--lags", "input_lags": "--lags"}
    first, _, rest = text.partition(" ")
    for name, columns in (("inputs", inputs), ("targets", targets)):
        if words.get(first) == f"the {name}" and "throughout column " in rest:
            column = columns[int(rest.rsplit(" ", 1)[1])]
            value = rest.split(" got ")[1].split(" ")[0]
            return f"the column {column!r} does not vary: {value} throughout"
    return f"{words.get(first, first)} {rest}"
