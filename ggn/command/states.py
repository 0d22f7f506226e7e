"""`ggn train --states`: rows are samples in time, and the model has a hidden state."""

from __future__ import annotations

import argparse
import time

from ggn.command import report
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
from ggn.recurrent import StateSpaceFit, statespace
from ggn.validation import ArgumentError, count

__all__ = ["run_states"]

FEWER = "fewer states (--states)"


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

    def save() -> str:
        fit.save(args.save, data.inputs, data.targets)
        return f"saved to {args.save}: ggn predict simulates with it"

    return reported(fit, save if args.save else None, lambda: _summary(args, fit, data, seconds))


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
        ("loss", objective_line(args, fit)),
        ("run", f"{count(fit.nit, 'iteration')}, {seconds:.2f} s, in free run"),
        ("stopped", said(fit.status)),
        ("poles", f"of modulus {poles}, at mean inputs and state zero"),
        ("stability", fit.stability.sentence),
    ]
    rows += verdict(fit, fit.diagnose)
    trained = fit.simulate().reshape(data.cut, -1)
    return "\n".join(
        [report.fields(rows), "", *scores(args, fit, data, fit.memory, FEWER, trained)]
    )
