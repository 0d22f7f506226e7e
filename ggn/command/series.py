"""`ggn train --lags`: rows are samples in time, and the model is one of their lags."""

from __future__ import annotations

import argparse
import time

from ggn.command import report
from ggn.command.parser import whole
from ggn.command.series_data import (
    SeriesData,
    objective_line,
    read_series,
    reported,
    scores,
    series_options,
    verdict,
    worded,
)
from ggn.command.words import said
from ggn.recurrent import NARXResult, narx
from ggn.validation import ArgumentError, count

__all__ = ["add_lags", "run_series"]

UNITS = 10  # hidden units, unless it is said
FEWER = "fewer lags (--lags)"


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
    group("--states", type=whole, metavar="N",
        help="fit a state-space model of N states in free run instead; --hidden are the units of "
        "the network in the state, 0 for a linear model")  # fmt: skip


def run_series(args: argparse.Namespace, hidden: list[int] | None, activation: object) -> int:
    """Train a model of lags, print what it is worth, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    lags = _lags(args.lags)
    data = read_series(args, "--lags")
    targets, inputs, U, Y, cut = data
    begun = time.perf_counter()
    try:
        fit = narx(
            U[:cut] if inputs else None,
            Y[:cut],
            **series_options(args),
            hidden=UNITS if hidden is None else hidden,
            activation=activation,  # type: ignore[arg-type]
            output_lags=lags[0],
            input_lags=lags[1],
            free_run=args.free_run,
            n_starts=args.restarts,
        )
    except ArgumentError as error:
        raise ValueError(worded(str(error), targets, inputs)) from error
    seconds = time.perf_counter() - begun

    def save() -> str:
        fit.save(args.save, inputs, targets)
        return f"saved to {args.save}: ggn predict simulates with it"

    return reported(fit, save if args.save else None, lambda: _summary(args, fit, data, seconds))


def _summary(args: argparse.Namespace, fit: NARXResult, data: SeriesData, seconds: float) -> str:
    """Return the report."""
    targets, inputs, U, Y, cut = data
    stages = ", ".join("free run" if s.horizon is None else str(s.horizon) for s in fit.stages)
    rows = [
        ("data", data.line(args)),
        ("columns", f"{', '.join(inputs) or 'no inputs'} -> {', '.join(targets)}"),
        ("network", f"{'-'.join(map(str, fit.net.sizes))} of "
         f"{', '.join(fit.lags.columns(targets, inputs))}; {count(fit.net.n_weights, 'weight')}"),
        ("loss", objective_line(args, fit)),
        ("run", f"{count(fit.nit, 'iteration')}, {seconds:.2f} s; horizons: {stages}"),
        ("stopped", said(fit.status)),
    ]  # fmt: skip
    u, y = (U[:cut] if inputs else None), Y[:cut]
    rows.append(("stability", fit.stability(u, y).sentence))
    rows += verdict(fit, lambda: fit.diagnose(u, y))
    return "\n".join([report.fields(rows), "", *scores(args, fit, data, fit.lags.depth + 1, FEWER)])


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
