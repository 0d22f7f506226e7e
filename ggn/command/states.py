"""`ggn train --states`: rows are samples in time, and the model has a hidden state."""

from __future__ import annotations

import argparse
import contextlib
import time

from ggn.command import report
from ggn.command.series_data import SeriesData, read_series, scores, series_options, worded
from ggn.command.words import said
from ggn.fit.result import Status
from ggn.io import terminal
from ggn.recurrent import StateSpaceFit, statespace
from ggn.validation import ArgumentError, count

__all__ = ["run_states"]

DIAGNOSED = 200  # weights up to which a verdict is quick
FIRST = 20  # samples that tell the state to begin with


def run_states(args: argparse.Namespace, hidden: list[int] | None) -> int:
    """Train a state-space model, print what it is worth, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    if args.lags is not None:
        raise ValueError("--states and --lags make different models; give one of them")
    if args.activation is not None:
        raise ValueError("--activation is not for --states, whose units are tanh")
    data = read_series(args, "--states")
    u, y = data.part(slice(0, data.cut))
    begun = time.perf_counter()
    options = series_options(args)
    if hidden is not None:
        options["f"] = hidden or None
    try:
        fit = statespace(u, y, args.states, n_restarts=args.restarts, **options)
    except ArgumentError as error:
        raise ValueError(worded(str(error), data.targets, data.inputs)) from error
    seconds = time.perf_counter() - begun
    if fit.status is Status.BAD_START:
        raise ValueError(said(fit.status))
    saved = "not saved"
    try:
        if args.save:
            fit.save(args.save, data.inputs, data.targets)
            saved = f"saved to {args.save}: ggn.recurrent.Simulator.load reads it"
    finally:
        print(_summary(args, fit, data, seconds))
        print(f"{'model':<12}{terminal.visible(saved)}")
    return 130 if fit.status is Status.INTERRUPTED else 0


def _summary(args: argparse.Namespace, fit: StateSpaceFit, data: SeriesData, seconds: float) -> str:
    """Return the report."""
    model = fit.model
    nets = [
        f"{name} of {'-'.join(map(str, net.sizes))}"
        for name, net in (("f", model.f), ("g", model.g))
        if net is not None
    ]
    shape = [count(model.n_states, "state"), *(nets or ["linear"])]
    poles = ", ".join(f"{abs(pole):.4g}" for pole in fit.poles())
    rows = [
        ("data", data.line(args)),
        ("columns", f"{', '.join(data.inputs) or 'no inputs'} -> {', '.join(data.targets)}"),
        ("model", f"{', '.join(shape)}; {count(model.n_weights, 'weight')}"),
        ("run", f"{count(fit.nit, 'iteration')}, {seconds:.2f} s, in free run"),
        ("stopped", said(fit.status)),
        ("poles", f"of modulus {poles}, at mean inputs and state zero"),
        ("stability", fit.stability.sentence),
    ]
    if model.n_weights <= DIAGNOSED and fit.status is not Status.INTERRUPTED:
        with contextlib.suppress(ValueError):
            rows.append(("verdict", fit.diagnose().verdict.value))
    return "\n".join([report.fields(rows), "", *scores(fit, data, FIRST)])
