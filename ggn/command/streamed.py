"""`ggn train 'part-*.csv'`: the rows of many files, or of Parquet, that need not fit memory.

The files are read once, into a scratch file of numbers; training, and what is reported of it, are
sums over chunks of its rows.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn.command import report
from ggn.command.in_parts import before_weights, kept_text, refuse, wanted
from ggn.command.objective import objective_text
from ggn.command.streamed_data import Streamed, read_in_parts
from ggn.command.summary import (
    DIAGNOSED,
    binary,
    class_table,
    class_text,
    hint_lines,
    network_text,
    starts,
    stopped,
    ways,
)
from ggn.command.training import Fit, allowed_units
from ggn.command.words import said
from ggn.fit.of_sums import Fitted, SampleUnits, Wanted, fit_of_sums, units_of
from ggn.fit.result import Status
from ggn.io import Chunks, Model, terminal
from ggn.io.parts import in_parts, paths_of
from ggn.io.training import PARTS, Training
from ggn.network import MLP
from ggn.surface import diagnose
from ggn.validation import count

__all__ = ["check_streamed", "run_streamed"]

WHERE = "a FILE in parts"


def check_streamed(args: argparse.Namespace) -> None:
    """Refuse what needs all rows in memory; nothing of a table that is one file of text."""
    if in_parts(args.file):
        refuse(args, WHERE)


def run_streamed(
    args: argparse.Namespace, hidden: list[int] | None, activation: str | list[str]
) -> int:
    """Train as the options say, print the summary, and return the exit status."""
    with before_weights():
        data = read_in_parts(args)
    try:
        return _run(args, data, hidden, activation)
    finally:
        data.spool.close()


def _run(
    args: argparse.Namespace,
    data: Streamed,
    hidden: list[int] | None,
    activation: str | list[str],
) -> int:
    nL, rows = data.n_outputs, data.sizes["train"]
    numbers = rows if data.classes is not None else rows * nL
    sizes = hidden or [allowed_units(numbers, len(data.inputs), nL)]
    net = MLP((len(data.inputs), *sizes, nL), activation)
    progress = terminal.Progress(sys.stderr)
    asked, chosen = wanted(args, net, data.classes, data.inputs, data.targets, progress)
    started = time.perf_counter()
    with before_weights(), contextlib.closing(progress):
        units = units_of(asked, data.chunks("train"))
        used = ["train", "validation"] if args.patience is not None else ["train"]
        parts = {name: data.chunks(name, units) for name in used}
        found = fit_of_sums(asked, parts, units)
    seconds = time.perf_counter() - started
    if found.best.status is Status.BAD_START:
        raise ValueError(said(found.best.status))
    saved = "not saved"
    try:
        if args.save:
            found.model.training = Training(data.part, 1, found.best.status.name)
            found.model.save(args.save)
            saved = f"saved to {args.save}"
    finally:  # a disk that is full now does not make the fit worth less
        fit = Fit(found.best, found.model.loss, chosen, found.restarts, None)  # type: ignore[arg-type]
        print(_summary(args, data, asked, units, found, fit, seconds, saved))
    return 130 if fit.interrupted else 0


def _summary(
    args: argparse.Namespace,
    data: Streamed,
    asked: Wanted,
    units: SampleUnits,
    found: Fitted,
    fit: Fit,
    seconds: float,
    saved: str,
) -> str:
    fields = report.fields([*_fields(args, data, units, asked, fit, seconds)])
    if data.classes is not None:
        table, hints = class_table(_class_scores(data, found.model), fit.l2)
    else:
        scores = _scores(data, found.model)
        table, hints = report.scores(data.targets, scores), _hints(args, data, scores, units, fit)
    model = f"{'model':<12}{terminal.visible(saved)}"
    return "\n".join([fields, model, "", table, *hint_lines(hints)])


def _fields(
    args: argparse.Namespace,
    data: Streamed,
    units: SampleUnits,
    asked: Wanted,
    fit: Fit,
    seconds: float,
) -> Iterator[tuple[str, str]]:
    result, net, spool = fit.best, asked.net, data.spool
    counts = f"{args.file}: {count(len(paths_of(args.file)), 'file')}, {count(spool.T, 'row')}, "
    kept = f"kept as {max(spool.nbytes >> 20, 1)} MiB of numbers on disk"
    yield "data", "; ".join([counts + data.parts(), *data.said, kept])
    listed = report.shorten(f"{', '.join(data.inputs)} -> {', '.join(data.targets)}", 100)
    columns = f"{count(len(data.inputs), 'input')}, {count(len(data.targets), 'target')}"
    yield "columns", f"{columns}: {listed}"
    if data.classes is not None:
        yield "classes", class_text(data.classes, sum(map(data.class_sizes, PARTS)))  # type: ignore[arg-type]
    constant = [name for name, flat in zip(data.inputs, units.constant, strict=True) if flat]
    if constant:
        text = f"constant in training, so without weight in the model: {', '.join(constant)}"
        yield "note", report.shorten(text, report.WIDTH - 12)
    yield "network", f"{network_text(net)}; {count(net.n_weights, 'weight')}"
    text = objective_text(fit.loss, args, units.y_scale, asked.alpha, chosen=fit.chosen)
    standard = (
        " in standard units" if data.classes is None else " with the penalty" * (fit.l2 > 0.0)
    )
    yield "loss", f"{text}; {result.fun:.6g}{standard}"
    if args.restarts > 1:
        yield "starts", starts(args, fit)
    yield "run", f"{count(result.nit, 'iteration')}, {seconds:.2f} s{kept_text(result)}"
    lost = result.status is Status.LOST
    yield "stopped", result.message if lost else stopped(args, fit)
    if net.n_weights <= DIAGNOSED and not (fit.interrupted or lost or args.patience is not None):
        at = diagnose(net, result.w, data.chunks("train", units), None, fit.loss, l2=result.l2)
        yield "verdict", at.verdict.value


def _scores(data: Streamed, model: Model) -> dict[str, dict[str, np.ndarray]]:
    """Return RMSE and R2 of each part that has rows, and R where there are three."""
    found, nL = {}, len(data.targets)
    for name in (name for name, n in data.sizes.items() if n):

        def of(name: str = name) -> Iterator[tuple[Any, Any]]:
            for X, Y in data.rows(name):
                F = model.predict(X)
                yield np.hstack([Y, F, F - Y]), np.zeros(len(Y))

        low, high, mean, deviation = Chunks(of).summary.X
        Y, F, E = (slice(i * nL, (i + 1) * nL) for i in range(3))
        rmse = np.hypot(mean[E], deviation[E])
        varies = low[Y] < high[Y]
        none = np.full(nL, np.nan)
        share = np.divide(rmse, deviation[Y], out=none.copy(), where=varies) ** 2
        found[name] = {"RMSE": rmse, "R2": 1.0 - share}
        if data.sizes["test"]:  # var E = var Y + var F - 2 cov
            largest = np.max([deviation[at] for at in (Y, F, E)], axis=0)
            deviation /= np.tile(np.where(largest > 0.0, largest, 1.0), 3)
            variance = deviation**2
            covariance = 0.5 * (variance[Y] + variance[F] - variance[E])
            size = deviation[Y] * deviation[F]
            found[name]["R"] = np.divide(covariance, size, out=none, where=size > 0.0)
    return found


def _class_scores(data: Streamed, model: Model) -> dict[str, tuple[int, float, float, float]]:
    """Return rows, accuracy, log-loss and baseline of each part that has rows."""
    classes = data.classes
    assert classes is not None
    often, found = data.class_sizes("train").argmax(), {}
    for name in (name for name, n in data.sizes.items() if n):
        n, sums = 0, np.zeros(3)
        for X, numbers in data.rows(name):
            F, n = model.predict(X), n + len(X)
            losses = -classes.logarithms(F)[np.arange(len(X)), numbers]
            sums += [(classes.indices(F) == numbers).sum(), losses.sum(), (numbers == often).sum()]
        right, loss, base = map(float, sums / n)
        found[name] = n, right, loss, base
    return found


def _hints(
    args: argparse.Namespace,
    data: Streamed,
    scores: dict[str, dict[str, np.ndarray]],
    units: SampleUnits,
    fit: Fit,
) -> list[str]:
    """Return what the errors suggest; of a robust loss outliers decide them."""
    if fit.loss.scale is not None:
        return []
    hint = report.overfitting(
        data.targets, scores, units.y_scale, weights=fit.best.net.n_weights,
        residuals=data.sizes["train"] * len(data.targets), l2=fit.l2, ways=ways(args, fit),
    )  # fmt: skip
    zeros_and_ones = len(data.targets) == 1 and data.chunks("train").summary.zeros_and_ones
    return [hint, binary(data.targets[0]) if zeros_and_ones else ""]
