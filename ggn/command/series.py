"""`ggn train --lags`: rows are samples in time, and the model is one of their lags."""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import time

import numpy as np

from ggn.command import report
from ggn.command.table_options import open_table
from ggn.command.words import said
from ggn.fit.result import Status
from ggn.io import Model, terminal
from ggn.io.numerals import Numerals, is_missing
from ggn.io.table import Table
from ggn.recurrent import NARXResult, narx
from ggn.validation import ArgumentError, count, number

__all__ = ["add_lags", "run_series"]

UNITS = 10  # hidden units, unless it is said
HELD_OUT = 0.2  # of the rows, the last
DIAGNOSED = 200  # weights up to which a verdict is quick
# of a model of rows in no order, without a meaning here
OTHERS = ("test", "patience", "bayesian", "robust", "plot", "class_weight", "warm_start")


def add_lags(parser: argparse.ArgumentParser) -> None:
    """Add the options of series to the command."""
    group = parser.add_argument_group(
        "series", "rows are samples in the order of time"
    ).add_argument
    group("--lags", metavar="P,Q",
        help="predict from the last P outputs, at lags 1 to P, and inputs at lags 0 to Q; the "
        "last of the rows are held out (--validation), and --missing drop is a gap")  # fmt: skip
    group("--free-run", action="store_true",
        help="minimise the error of a simulation, not of one step ahead")  # fmt: skip


def run_series(args: argparse.Namespace, hidden: list[int] | None, activation: object) -> int:
    """Train a model of lags, print what it is worth, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    lags = _lags(args.lags)
    for name in OTHERS:
        if getattr(args, name, None):
            raise ValueError(f"--{name.replace('_', '-')} is not for series, which --lags makes")
    targets = _names(args.target)
    table = open_table(args)
    inputs = _inputs(args, table, targets)
    values = _values(args, table, [*targets, *inputs])
    held = HELD_OUT if args.validation is None else number("validation", args.validation, 0.0, 1.0)
    cut = len(values) - round(held * len(values))
    Y, U = values[:, : len(targets)], values[:, len(targets) :]
    begun = time.perf_counter()
    try:
        fit = narx(
            U[:cut] if inputs else None,
            Y[:cut],
            args.loss or "squared",
            rng=args.seed or 0,
            max_iter=args.max_iter,
            tol=args.tol,
            l2=0.0 if args.l2 is None else args.l2,
            max_seconds=float("inf") if args.max_seconds is None else args.max_seconds,
            hidden=UNITS if hidden is None else hidden,
            activation=activation,  # type: ignore[arg-type]
            output_lags=lags[0],
            input_lags=lags[1],
            free_run=args.free_run,
            n_starts=args.restarts,
        )
    except ArgumentError as error:
        raise ValueError(_worded(str(error), targets, inputs)) from error
    seconds = time.perf_counter() - begun
    if fit.status is Status.BAD_START:
        raise ValueError(said(fit.status))
    saved = "not saved"
    try:
        if args.save:
            names = fit.lags.columns(targets, inputs)
            Model(fit.net, fit.w, names, targets, loss=fit.loss).save(args.save)
            saved = f"saved to {args.save}: one step, from {', '.join(names)}"
    finally:
        print(_summary(args, fit, U, Y, cut, seconds, targets, inputs))
        print(f"{'model':<12}{terminal.visible(saved)}")
    return 130 if fit.status is Status.INTERRUPTED else 0


def _summary(
    args: argparse.Namespace, fit: NARXResult, U: np.ndarray, Y: np.ndarray, cut: int,
    seconds: float, targets: list[str], inputs: list[str],
) -> str:  # fmt: skip
    """Return the report."""
    stages = ", ".join("free run" if s.horizon is None else str(s.horizon) for s in fit.stages)
    held = f", the last {len(Y) - cut} held out" if cut < len(Y) else ""
    rows = [
        ("data", f"{os.path.basename(args.file)}: {count(len(Y), 'sample')}{held}"),
        ("columns", f"{', '.join(inputs) or 'no inputs'} -> {', '.join(targets)}"),
        ("network", f"{'-'.join(map(str, fit.net.sizes))} of "
         f"{', '.join(fit.lags.columns(targets, inputs))}; {count(fit.net.n_weights, 'weight')}"),
        ("run", f"{count(fit.nit, 'iteration')}, {seconds:.2f} s; horizons: {stages}"),
        ("stopped", said(fit.status)),
    ]  # fmt: skip
    u, y = (U[:cut] if inputs else None), Y[:cut]
    rows.append(("stability", fit.stability(u, y).sentence))
    if fit.net.n_weights <= DIAGNOSED and fit.status is not Status.INTERRUPTED:
        with contextlib.suppress(ValueError):
            rows.append(("verdict", fit.diagnose(u, y).verdict.value))
    lines = [report.fields(rows), "", f"{'target':<14}{'part':<12}{'one step RMSE':>15}"
             f"{'free run RMSE':>15}{'free run fit':>14}"]  # fmt: skip
    for part, rows_of in (("train", slice(0, cut)), ("validation", slice(cut, len(Y)))):
        if rows_of.stop - rows_of.start <= fit.lags.depth + 1:
            continue
        u, y = (U[rows_of] if inputs else None), Y[rows_of]
        try:
            ahead, free = (fit.predict(u, y, horizon=h).reshape(len(y), -1) for h in (1, None))
        except ValueError:
            continue
        for o, name in enumerate(targets):
            one, run, best = _scores(ahead[:, o], free[:, o], y[:, o])
            lines.append(f"{name:<14}{part:<12}{one:>15.6g}{run:>15.6g}{best:>13.2f}%")
    return "\n".join(lines)


def _scores(ahead: np.ndarray, free: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return both RMSE, and MATLAB's fit 100 (1 - ‖y - ŷ‖ / ‖y - mean y‖)."""
    with np.errstate(all="ignore"):
        one = float(np.sqrt(np.nanmean(np.square(ahead - y))))
        run = float(np.sqrt(np.nanmean(np.square(free - y))))
        return one, run, 100.0 * (1.0 - run / float(np.nanstd(y)))


def _lags(text: str) -> tuple[int, int]:
    try:
        p, q = (int(part) for part in text.split(","))
        if p < 0 or q < 0:
            raise ValueError
    except ValueError as error:
        raise ValueError(
            f"--lags must be two numbers of samples, as 5,5, of outputs and inputs, got {text!r}"
        ) from error
    return p, q


def _names(text: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def _inputs(args: argparse.Namespace, table: Table, targets: list[str]) -> list[str]:
    """Return the columns that are inputs; there may be none."""
    exclude = [] if args.exclude is None else _names(args.exclude)
    table.require(targets, "which --target names")
    table.require(exclude, "which --exclude names")
    if args.inputs is None:
        return table.columns(without=[*targets, *exclude])
    inputs = _names(args.inputs)
    table.require(inputs, "which --inputs names")
    both = [name for name in inputs if name in targets]
    if both:
        raise ValueError(f"the column {both[0]!r} is both in --inputs and in --target")
    return [name for name in inputs if name not in exclude]


def _values(args: argparse.Namespace, table: Table, columns: list[str]) -> np.ndarray:
    """Return the columns, (T, columns); a missing cell is NaN with --missing drop."""
    if args.missing != "drop":
        return table.read(columns)
    whole = Table(
        args.file, args.delimiter, args.decimal, args.thousands, args.encoding,
        header=args.header,
    )  # fmt: skip
    numerals, found = Numerals(args.decimal, args.thousands), []
    for name, cells in zip(columns, whole.rows([], text=columns).text, strict=True):
        own = np.full(len(cells), np.nan)
        for i, cell in enumerate(cells):
            if not is_missing(cell):
                try:
                    own[i] = numerals.value(cell)
                except ValueError as error:
                    raise ValueError(
                        f"{args.file}: {cell!r} in row {i + 1} of the column {name!r} is no number"
                    ) from error
        found.append(own)
    return np.stack(found, axis=1)


def _worded(text: str, targets: list[str], inputs: list[str]) -> str:
    """Return an error of the library's in the words of the command line."""
    words = {"U": "the inputs", "Y": "the targets", "output_lags": "--lags", "input_lags": "--lags"}
    first, _, rest = text.partition(" ")
    for name, columns in (("inputs", inputs), ("targets", targets)):
        if words.get(first) == f"the {name}" and "throughout column " in rest:
            column = columns[int(rest.rsplit(" ", 1)[1])]
            value = rest.split(" got ")[1].split(" ")[0]
            return f"the column {column!r} does not vary: {value} throughout"
    return f"{words.get(first, first)} {rest}"
