"""What `ggn train` does alike where its rows are not in one memory: on a cluster, or in parts."""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn.command.objective import chosen_loss, chosen_penalty, cross_entropy, is_robust
from ggn.command.training import MEBIBYTE
from ggn.fit.of_sums import Wanted
from ggn.fit.result import TrainResult
from ggn.fit.start import DEFAULT
from ggn.io import terminal
from ggn.io.classes import Classes
from ggn.network import MLP

__all__ = ["before_weights", "kept_text", "refuse", "wanted"]

REFUSED = {
    "plot": "draws the errors of all rows",
    "bayesian": "needs the rows in one memory",
    "warm_start": "goes on in the units of one table",
    "lags": "needs rows that follow one another in one table",
    "states": "needs rows that follow one another in one table",
    "free_run": "needs rows that follow one another in one table",
}


@contextlib.contextmanager
def before_weights() -> Iterator[None]:
    """Return a context that says so where Ctrl-C comes before there is anything."""
    try:
        yield
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("ggn: interrupted before there were weights; nothing was saved", file=sys.stderr)
        raise


def refuse(args: argparse.Namespace, where: str, more: dict[str, str] | None = None) -> None:
    """Refuse what needs all rows in one place; more: other options, and why not."""
    for name, why in (REFUSED | (more or {})).items():
        if getattr(args, name) not in (None, False):
            raise ValueError(f"--{name.replace('_', '-')} {why}, so it cannot be used with {where}")
    if is_robust(args) and args.loss_scale is None:
        raise ValueError(
            f"a robust loss needs --loss-scale with {where}, for its scale is chosen from the "
            "residuals of all rows"
        )


def kept_text(result: TrainResult) -> str:
    """Return which iteration's weights are kept by samples held out, which have seen the start."""
    kept = result.get("kept")
    return "" if kept is None else f"; weights of iteration {kept} kept"


def wanted(
    args: argparse.Namespace,
    net: MLP,
    classes: Classes | None,
    inputs: list[str],
    targets: list[str],
    progress: terminal.Progress,
) -> tuple[Wanted, str]:
    """Return what the options say of the training, and what chose the penalty, if they do not."""
    loss = chosen_loss(args, np.ones(1), targets)
    if classes is not None:
        loss = cross_entropy(net.n_outputs)
    names = targets
    if classes is not None and net.n_outputs > 1:
        names = [f"{targets[0]}={label}" for label in classes.labels]
    l2: Any
    l2, chosen = chosen_penalty(args, loss, net.n_weights, evidence=False)
    in_units = functools.partial(chosen_loss, args, targets=targets)
    asked = Wanted(
        net, loss, l2, True, args.seed, args.restarts,
        args.patience,
        {
            "step": args.step,
            "damping": args.damping,
            "max_iter": args.max_iter,
            "tol": args.tol,
            "max_seconds": math.inf if args.max_seconds is None else args.max_seconds,
            "max_memory": None if args.max_memory is None else args.max_memory * MEBIBYTE,
            "callback": lambda intermediate_result: progress(intermediate_result),
        },
        args.init or DEFAULT, classes, (inputs, names),
        None if classes is not None else in_units, True,
    )  # fmt: skip
    return asked, chosen
