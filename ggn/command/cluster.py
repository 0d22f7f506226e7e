"""`ggn train 'part-*.csv' --dask [ADDRESS]`: the same training, its samples on a Dask cluster."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn._core.interrupts import unheard
from ggn.command import report
from ggn.command.in_parts import before_weights, kept_text, refuse, wanted
from ggn.command.objective import objective_text
from ggn.command.training_data import columns_of
from ggn.command.words import said
from ggn.fit.of_sums import Fitted
from ggn.fit.result import Status
from ggn.io import terminal
from ggn.io.classes import Classes
from ggn.network import MLP
from ggn.validation import count

__all__ = ["add_cluster", "check_cluster", "run_on_cluster"]

UNITS = 20
HERE = ""  # no address: a cluster of this machine's cores, for the time of the training
REFUSED = {
    "class_weight": "needs the rows counted by class",
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
    refuse(args, "--dask", REFUSED)
    if args.test:
        raise ValueError("--test divides rows of one table, so it cannot be used with --dask")


def run_on_cluster(
    args: argparse.Namespace, hidden: list[int] | None, activation: str | list[str]
) -> int:
    """Train as the options say, print the summary, and return the exit status."""
    try:
        from ggn.dask.files import Files
        from ggn.dask.fitting import fit_model
        from ggn.dask.labels import Encode, labels_of
    except ImportError as error:
        raise ValueError(str(error)) from error
    files = Files(
        args.file, args.delimiter, args.decimal, args.thousands, args.encoding,
        args.missing == "drop",
    )  # fmt: skip
    with contextlib.ExitStack() as kept:
        with before_weights():
            inputs, targets, words = _columns(args, files)
            table = files.frame([*inputs, *targets], [*inputs, *([] if words else targets)])
            client, where = kept.enter_context(_client(args.dask))
            X, Y, encode, classes = table[inputs], table[targets], None, None
            nL = len(targets)
            if words:
                labels = labels_of(client, Y, continuous=True)
                nL = 1 if len(labels) == 2 else len(labels)
                encode = Encode(labels)
                classes = Classes(labels, "logistic" if nL == 1 else "softmax", column=targets[0])
            net = MLP((len(inputs), *(hidden or [UNITS]), nL), activation)
            progress = terminal.Progress(sys.stderr)
            asked, chosen = wanted(args, net, classes, inputs, targets, progress)
            started = time.perf_counter()
            with contextlib.closing(progress), _dropping():
                found = fit_model(
                    client, asked, X, Y, held=args.validation, encode=encode, measure=True
                )
            seconds = time.perf_counter() - started
        best = found.best
        fields = [
            ("data", f"{args.file}: {count(table.npartitions, 'chunk')}"),
            ("columns", _columns_text(inputs, targets)),
            ("cluster", where),
            ("network", f"{'-'.join(map(str, net.sizes))}; {count(net.n_weights, 'weight')}"),
            ("loss", objective_text(asked.loss, args, np.ones(1), asked.alpha, chosen=chosen)),
            ("run", f"{count(best.nit, 'iteration')}, {seconds:.2f} s{kept_text(best)}"),
        ]
        # before our cluster is stopped: Ctrl-C then loses nothing
        return _finish(args.save, found, fields, targets, words)


@contextlib.contextmanager
def _dropping() -> Iterator[None]:
    """Return a context whose error for a missing cell says what to do about it."""
    try:
        yield
    except ValueError as error:
        if "missing cells" not in str(error):
            raise
        raise ValueError(f"{error}; --missing drop leaves out such rows") from error


def _finish(
    path: str | None, found: Fitted, fields: list[tuple[str, str]], targets: list[str], words: bool
) -> int:
    """Save the model, print the summary, and return the exit status."""
    saved, best, errors, told = "not saved", found.best, found.errors, dict(fields)
    try:
        if path:
            found.model.save(path)
            saved = f"saved to {path}"
    finally:
        rows = [
            f"{errors[part].n} for {name}"
            for part, name in (("train", "training"), ("validation", "validation"))
            if part in errors
        ]
        if rows:
            told["data"] += f"; {', '.join(rows)}"
        told["loss"] += f"; {best.fun:.6g} in standard units"
        told["stopped"] = best.message if best.status is Status.LOST else said(best.status)
        lines = [report.fields([*told.items()]), f"{'model':<12}{terminal.visible(saved)}"]
        if errors:
            lines += ["", _scores(found.model, errors, targets, words)]
        print("\n".join(lines), flush=True)
    interrupted = any(run.status is Status.INTERRUPTED for run in found.restarts.runs)
    return 130 if interrupted else 0


def _columns_text(inputs: list[str], targets: list[str]) -> str:
    counts = f"{count(len(inputs), 'input')}, {count(len(targets), 'target')}"
    listed = report.shorten(f"{', '.join(inputs)} -> {', '.join(targets)}", 100)
    return f"{counts}: {listed}"


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


@contextlib.contextmanager
def _client(address: str) -> Iterator[tuple[Any, str]]:
    """Return a context with a client, and what the cluster is; one of our own is stopped."""
    import dask
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as kept:
        where = address
        if address == HERE:
            # a sampler that nobody will look at, half of what an idle worker takes
            kept.enter_context(dask.config.set({"distributed.worker.profile.enabled": False}))
            with unheard():  # for its workers are to sum on at Ctrl-C, which is for the training
                cluster = LocalCluster(dashboard_address=":0", silence_logs=50)
                address = kept.enter_context(cluster)
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
