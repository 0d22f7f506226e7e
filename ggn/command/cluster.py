"""`ggn train 'part-*.csv' --dask [ADDRESS]`: the same training, its samples on a Dask cluster."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn.command import report
from ggn.command.objective import (
    ALPHA,
    ALPHA_OF_CLASSES,
    chosen_loss,
    cross_entropy,
    is_robust,
    objective_text,
)
from ggn.command.training import MEBIBYTE
from ggn.command.training_data import columns_of
from ggn.command.words import said
from ggn.fit.result import Status
from ggn.fit.start import DEFAULT
from ggn.io import terminal
from ggn.io.classes import Classes
from ggn.network import MLP
from ggn.validation import count

__all__ = ["add_cluster", "check_cluster", "run_on_cluster"]

UNITS = 20
HERE = ""  # no address: a cluster of this machine's cores, for the time of the training
REFUSED = {
    "plot": "draws samples that are elsewhere",
    "bayesian": "needs the samples in one memory",
    "class_weight": "needs the rows counted by class",
    "warm_start": "goes on in the units of one table",
    "lags": "needs rows that follow one another in one table",
    "states": "needs rows that follow one another in one table",
    "free_run": "needs rows that follow one another in one table",
    "header": "looks for the names in one file",
}


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the option to a command."""
    parser.add_argument_group("cluster").add_argument(
        "--dask",
        nargs="?",
        const=HERE,
        metavar="ADDRESS",
        help="train on the Dask cluster whose scheduler has this address, or on one of this "
        "machine's cores; FILE may be a pattern, as 'part-*.csv' in quotation marks, or Parquet",
    )


def check_cluster(args: argparse.Namespace) -> None:
    """Refuse what needs all samples in one place."""
    for name, why in REFUSED.items():
        if getattr(args, name) not in (None, False):
            raise ValueError(f"--{name.replace('_', '-')} {why}, so --dask cannot be with it")
    if args.test:
        raise ValueError("--test divides rows of one table, so --dask cannot be with it")
    if is_robust(args) and args.loss_scale is None:
        raise ValueError("a robust loss needs --loss-scale with --dask")


def run_on_cluster(
    args: argparse.Namespace, hidden: list[int] | None, activation: str | list[str]
) -> int:
    """Train as the options say, print the summary, and return the exit status."""
    try:
        from ggn.dask.files import Files
        from ggn.dask.fitting import Wanted, fit_model
        from ggn.dask.labels import Encode, labels_of
    except ImportError as error:
        raise ValueError(str(error)) from error
    files = Files(
        args.file, args.delimiter, args.decimal, args.thousands, args.encoding,
        args.missing == "drop",
    )  # fmt: skip
    inputs, targets, words = _columns(args, files)
    table = files.frame([*inputs, *targets], [*inputs, *([] if words else targets)])
    with _client(args.dask) as (client, where):
        X, Y, encode, classes = table[inputs], table[targets], None, None
        if words:
            labels = labels_of(client, Y)
            nL = 1 if len(labels) == 2 else len(labels)
            loss, encode = cross_entropy(nL), Encode(labels)
            link = "logistic" if nL == 1 else "softmax"
            classes = Classes(labels, link, column=targets[0])
        else:
            nL, loss = len(targets), chosen_loss(args, np.ones(1), targets)
        names = targets if len(targets) == nL else [f"{targets[0]}={k}" for k in labels]
        net = MLP((len(inputs), *(hidden or [UNITS]), nL), activation)
        progress = terminal.Progress(sys.stderr)
        wanted = Wanted(
            net, loss, _penalty(args, words), True, args.seed, args.restarts, args.validation,
            args.patience, _options(args, progress), args.init or DEFAULT, encode, classes,
            (inputs, names),
        )  # fmt: skip
        started = time.perf_counter()
        try:
            found = fit_model(client, wanted, X, Y, measure=True)
        finally:
            progress.close()
        seconds = time.perf_counter() - started
    saved = "not saved"
    best, errors = found.best, found.errors
    try:
        if args.save:
            found.model.save(args.save)
            saved = f"saved to {args.save}"
    finally:
        rows = ", ".join(
            f"{errors[part].n} for {name}"
            for part, name in (("train", "training"), ("validation", "validation"))
            if part in errors
        )
        columns = f"{count(len(inputs), 'input')}, {count(len(targets), 'target')}: "
        listed = report.shorten(f"{', '.join(inputs)} -> {', '.join(targets)}", 100)
        said_loss = objective_text(loss, args, np.ones(1), wanted.alpha)
        fields = [
            ("data", f"{args.file}: {count(table.npartitions, 'chunk')}; {rows}"),
            ("columns", columns + listed),
            ("cluster", where),
            ("network", f"{'-'.join(map(str, net.sizes))}; {count(net.n_weights, 'weight')}"),
            ("loss", f"{said_loss}; {best.fun:.6g} in standard units"),
            ("run", f"{count(best.nit, 'iteration')}, {seconds:.2f} s"),
            ("stopped", best.message if best.status is Status.LOST else said(best.status)),
        ]
        lines = [report.fields(fields), f"{'model':<12}{terminal.visible(saved)}"]
        if errors:
            lines += ["", _scores(found.model, errors, targets, words)]
        print("\n".join(lines))
    return 130 if best.status is Status.INTERRUPTED else 0


def _columns(args: argparse.Namespace, files: Any) -> tuple[list[str], list[str], bool]:
    """Return inputs, targets, and whether the target is one of labels."""
    whole = files.frame()
    present = [str(name) for name in whole.columns]
    targets = columns_of("--target", args.target)
    inputs = None if args.inputs is None else columns_of("--inputs", args.inputs)
    exclude = [] if args.exclude is None else columns_of("--exclude", args.exclude)
    for option, names in (("--target", targets), ("--inputs", inputs), ("--exclude", exclude)):
        files.require(present, names or [], option)
    inputs = [name for name in inputs or present if name not in (*targets, *exclude)]
    if not inputs:
        raise ValueError(f"{args.file} has no columns but the targets, so no inputs")
    kinds = whole[inputs].dtypes
    for name in inputs:
        if kinds[name].kind not in "fiub":
            raise ValueError(
                f"column {name!r} is not of numbers; leave it out with --inputs or --exclude"
            )
    numeric = all(kind.kind in "fiub" for kind in whole[targets].dtypes)
    words = args.task == "classification" or (args.task == "auto" and not numeric)
    if words and len(targets) > 1:
        raise ValueError(
            f"--target must be one column for classification, got {', '.join(targets)}"
        )
    return inputs, targets, words


def _penalty(args: argparse.Namespace, words: bool) -> float:
    if args.l2 is not None:
        return float(args.l2)
    if args.patience is not None:
        return 0.0
    return ALPHA_OF_CLASSES if words else ALPHA


def _options(args: argparse.Namespace, progress: Any) -> dict[str, Any]:
    return {
        "step": args.step,
        "damping": args.damping,
        "max_iter": args.max_iter,
        "tol": args.tol,
        "max_seconds": math.inf if args.max_seconds is None else args.max_seconds,
        "max_memory": None if args.max_memory is None else args.max_memory * MEBIBYTE,
        "callback": lambda intermediate_result: progress(intermediate_result),
    }


@contextlib.contextmanager
def _client(address: str) -> Iterator[tuple[Any, str]]:
    """Return a context with a client, and what the cluster is; one of our own is stopped."""
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as kept:
        where = address
        if address == HERE:
            address = kept.enter_context(LocalCluster(dashboard_address=":0", silence_logs=50))
            where = "started on this machine, and stopped"
        try:
            client = kept.enter_context(Client(address, timeout="10s"))
        except (OSError, ValueError) as error:
            raise ValueError(f"--dask: no scheduler answers at {where}: {error}") from error
        workers = len(client.nthreads())
        yield client, f"{where}; {count(workers, 'worker')}"


def _scores(model: Any, errors: dict[str, Any], targets: list[str], words: bool) -> str:
    """Return the table of errors, in the units of the file."""
    if words:
        lines = [f"{'part':<14}{'rows':>10}{'log-loss':>11}"]
        lines += [f"{part:<14}{e.n:>10}{e.loss:>11.5g}" for part, e in errors.items()]
        return "\n".join(lines)
    found = {}
    for part, e in errors.items():
        share = np.divide(
            e.mean_square, e.variance, out=np.full_like(e.variance, np.nan), where=e.variance > 0.0
        )
        found[part] = {"RMSE": np.sqrt(e.mean_square) * model.y_scale, "R2": 1.0 - share}
    return report.scores(targets, found)
