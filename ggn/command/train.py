"""`ggn train`: from a table to a saved network and a summary of how well it does."""

from __future__ import annotations

import argparse
import glob
import os
import time

from ggn import activations, damping, steps
from ggn.command.cluster import add_cluster, check_cluster, run_on_cluster
from ggn.command.curves import check_plot
from ggn.command.in_parts import before_weights
from ggn.command.labels import add_labels, check_task
from ggn.command.objective import (
    add_objective,
    check_cross_entropy,
    check_objective,
    is_robust,
)
from ggn.command.parser import decimal, whole
from ggn.command.series import add_lags, run_series
from ggn.command.states import run_states
from ggn.command.streamed import check_streamed, run_streamed
from ggn.command.summary import curves_label, summary
from ggn.command.table_options import add_table_options
from ggn.command.training import Fit, fitted
from ggn.command.training_data import VALIDATION, TrainingData, fill_draw, read
from ggn.command.warm_start import model_to_go_on
from ggn.command.words import said
from ggn.fit.result import Status
from ggn.fit.start import DEFAULT, STARTS
from ggn.io.files import check_writable
from ggn.io.parts import in_parts
from ggn.validation import describe, integer, number, spelled

__all__ = ["THREADS", "add", "run"]

TRAIN = """\
Train a network on columns of a CSV file with a header line. Inputs and targets
are standardised (mean 0, standard deviation 1 on the training part; for a
robust loss median 0, 1.4826 MAD 1), so --l2 and the loss are in those units;
RMSE is printed in the units of the file. A target of words is one of classes:
the network gives their probabilities.
Ctrl-C stops training and keeps the weights reached."""

THREADS = """\
For small networks one thread is often faster: set OPENBLAS_NUM_THREADS=1 in the
environment.
"""

TRAIN_END = f"""\
examples:
  python -m ggn train yacht.csv --target y --save yacht.npz
  python -m ggn train iris.csv --target species --restarts 5 --save iris.npz
  python -m ggn train yacht.csv --target y --validation 0.15 --test 0.15
      --patience 10 --plot curves.png
  python -m ggn train 'part-*.csv' --target y --l2 1e-6 --save large.npz
  python -m ggn train series.csv --target y --lags 5,5 --free-run
  python -m ggn train series.csv --target y --states 3

{THREADS}"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description, parser.epilog = TRAIN, TRAIN_END
    parser.set_defaults(run=run)
    parser.add_argument(
        "file",
        metavar="FILE.csv",
        help="a header line, then numbers; a target may be words. A pattern in quotation marks, "
        "as 'part-*.csv', or Parquet is read once and trained on in chunks, larger than memory",
    )
    group = parser.add_argument_group("data").add_argument
    group("--target", metavar="COL[,COL]", help="columns to predict")
    group("--inputs", metavar="COL[,COL]", help="columns to predict from (default: all others)")
    group("--exclude", metavar="COL[,COL]", help="columns not to predict from")
    group("--validation", type=decimal, metavar="FRACTION",
        help=f"of the rows, drawn at random, not trained on (default: {VALIDATION})")  # fmt: skip
    group("--test", type=decimal, metavar="FRACTION",
        help="of the rows, drawn at random, that nothing is decided by (default: 0)")  # fmt: skip
    group("--seed", type=whole, metavar="N",
        help="of the initial weights (default: 0)")  # fmt: skip
    group("--split-seed", type=whole, metavar="N",
        help="of the draw of rows (default: that of --seed)")  # fmt: skip
    group("--save", metavar="MODEL.npz", help="where to keep the trained network")
    group("--warm-start", metavar="MODEL.npz",
        help="go on from a saved network: with its columns, units, held-out rows (of a file of as "
        "many), loss and penalty where no option says others")  # fmt: skip
    group("--plot", metavar="FILE.png|svg|pdf",
        help="picture of each part's error after each iteration")  # fmt: skip

    add_labels(parser)
    add_lags(parser)
    add_table_options(parser)
    group = parser.add_argument_group("network").add_argument
    group("--hidden", metavar="N[,N]",
        help="units of each hidden layer (default: one layer of 20, or fewer, so that there are "
        "two training rows to a weight; for --lags of 10, for --states of 8)")  # fmt: skip
    group("--activation", metavar="NAME[,NAME]",
        help=f"of all hidden layers, or one each: {', '.join(sorted(activations.BUILT_IN))} "
        "(default: tanh)")  # fmt: skip
    group("--init", metavar="NAME",
        help=f"how to draw the initial weights: {', '.join(STARTS)} "
        f"(default: {DEFAULT})")  # fmt: skip

    add_objective(parser)
    add_cluster(parser)
    group = parser.add_argument_group("method").add_argument
    group("--restarts", type=whole, default=1, metavar="N",
        help="train from N random starts and keep the best: of least loss, greatest evidence or, "
        "with --patience, least validation loss (default: %(default)s)")  # fmt: skip
    group("--patience", type=whole, metavar="N",
        help="stop once the validation loss has not fallen for N iterations, and keep the weights "
        "of its least (default: never)")  # fmt: skip
    group("--step", default="auto", metavar="NAME",
        help=f"auto, {', '.join(steps.NAMES)} (default: %(default)s)")  # fmt: skip
    group("--damping", default="levenberg_marquardt", metavar="NAME",
        help=f"{', '.join(damping.NAMES)} (default: %(default)s)")  # fmt: skip
    group("--max-iter", type=whole, default=1000, metavar="N",
        help="largest number of iterations of a training; restarts, horizons of series, and the "
        "choice of a penalty or a robust scale take several (default: %(default)s)")  # fmt: skip
    group("--tol", type=decimal, default=1e-12, metavar="TOL",
        help="relative change to stop at; 0: never (default: %(default)g)")  # fmt: skip
    group("--max-seconds", type=decimal, metavar="S",
        help="time limit of all starts together (default: none)")  # fmt: skip
    group("--max-memory", type=decimal, metavar="MB",
        help="for the matrices of --step auto (default: half of the machine's)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Train as the options say, print the summary, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    if args.dask is not None:
        check_cluster(args)
    else:
        check_streamed(args)
    start = model_to_go_on(args)
    _check_options(args)
    linear = args.states is not None and args.hidden == "0"
    hidden = None if args.hidden is None else [] if linear else _sizes(args.hidden)
    activation = _activations("tanh" if args.activation is None else args.activation)
    if args.dask is not None:
        return run_on_cluster(args, hidden, activation)
    if in_parts(args.file):
        return run_streamed(args, hidden, activation)
    if args.states is not None:
        return run_states(args, hidden)
    if args.lags is not None:
        return run_series(args, hidden, activation)
    if args.free_run:
        raise ValueError("--free-run is for series; --lags P,Q says what they are predicted from")
    data = read(args, is_robust(args), start)
    if data.classes is not None:
        check_cross_entropy(args)
    started = time.perf_counter()
    with before_weights():
        fit = fitted(args, data, hidden, activation)
    seconds = time.perf_counter() - started
    if fit.best.status is Status.BAD_START:
        raise ValueError(said(fit.best.status))
    model = fit.model(args, data)
    saved = "not saved"
    try:
        if args.save:
            model.save(args.save)
            saved = f"saved to {args.save}"
        if args.plot:
            _plot(args, data, fit)
    finally:  # a disk that is full now does not make the fit worth less
        print(summary(args, data, model, fit, seconds, saved))
    return 130 if fit.interrupted else 0


def _plot(args: argparse.Namespace, data: TrainingData, fit: Fit) -> None:
    assert fit.curves is not None
    fit.curves.save(args.plot, fit.place, curves_label(data), fit.kept)


def _check_options(args: argparse.Namespace) -> None:
    """Check what does not need the data, before reading it."""
    number("tol", args.tol, 0.0)
    args.drawn = fill_draw(args)
    integer("max_iter", args.max_iter, 0)
    integer("restarts", args.restarts, 1)
    if args.max_seconds is not None:
        number("max_seconds", args.max_seconds, 0.0)
    if args.max_memory is not None:
        number("max_memory", args.max_memory, 0.0, open_low=True)
    for argument, value, known in (
        ("step", args.step, ("auto", *steps.NAMES)),
        ("damping", args.damping, damping.NAMES),
        ("init", DEFAULT if args.init is None else args.init, STARTS),
    ):
        spelled(argument, value, known)
    check_task(args)
    check_objective(args)
    if args.task == "classification":
        check_cross_entropy(args)
    _check_patience(args)
    check_plot(args)
    if args.save:
        check_writable(args.save)
    for option, path in (("--save", args.save), ("--plot", args.plot)):
        if path and os.path.exists(path):
            for read_from in glob.glob(args.file) if in_parts(args.file) else [args.file]:
                if os.path.exists(read_from) and os.path.samefile(path, read_from):
                    raise ValueError(f"{option} would overwrite {read_from}, which is read")


def _check_patience(args: argparse.Namespace) -> None:
    if args.patience is None:
        return
    integer("patience", args.patience, 1)
    if args.validation == 0.0:
        raise ValueError("--patience stops by rows held out, but --validation is 0")
    if args.bayesian:
        raise ValueError("--patience and --bayesian are two ways not to overfit; choose one")


def _sizes(text: str) -> list[int]:
    try:
        return [integer("units", int(part), 1) for part in text.split(",")]
    except ValueError as error:
        raise ValueError(
            f"--hidden must be positive integers separated by commas, got {describe(text)}"
        ) from error


def _activations(text: str) -> str | list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        activations.resolve(name)
    return names[0] if len(names) == 1 else names
