"""The command line: train a network on a table, predict with it, see a demonstration.

Exit status: 0 done, 2 bad input (one line on standard error says what), 130 interrupted (Ctrl-C).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from ggn import activations, damping, steps
from ggn.command import demo
from ggn.command.arguments import decimal, whole
from ggn.command.diagnose_table import add_diagnose, diagnose_table
from ggn.command.export import export_model
from ggn.command.fit_table import fit_table
from ggn.command.loss_options import add_loss_options
from ggn.command.reproduce import reproduce_paper
from ggn.fit.scores import r2, rmse
from ggn.io import Model
from ggn.io.files import replacing
from ggn.io.table import Table, csv_text
from ggn.network import SCHEMES
from ggn.validation import integer

__all__ = ["main"]

DESCRIPTION = "Train smooth multilayer perceptrons with the exact Generalised Gauss-Newton method."

TRAIN = """\
Train a network on columns of a CSV file with a header line. Inputs and targets
are standardised (mean 0, standard deviation 1 on the training part), so --l2
and the loss are in those units; RMSE is printed in the units of the file.
Ctrl-C stops training and keeps the weights reached."""

THREADS = """\
For small networks one thread is often faster: set OPENBLAS_NUM_THREADS=1 in the
environment.
"""

TRAIN_END = f"""\
example:
  python -m ggn train yacht.csv --target y --l2 1e-4 --save yacht.npz

{THREADS}"""

PREDICT = """\
Predict the targets for the rows of a CSV file. Columns are found by name, in
any order; others are ignored. If the file holds the targets too, RMSE and R2
are printed on standard error."""

EXPORT = """\
Write a trained network as an ONNX file (float64) or as a C function,
predict(x, y), of one sample; both take and give the units of the data."""

REPRODUCE = """\
Run experiments of the paper on all cores: pictures (PNG), tables (CSV) and
report.md, with each claim beside what was measured. Interrupted, the same
command goes on where it stopped."""


class _UsageError(ValueError):
    """A command line that cannot be understood."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would print the usage as well
        raise _UsageError(re.sub(r"^argument (?=-)", "", message))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.
    """
    try:
        arguments = sys.argv[1:] if argv is None else list(argv)
        if not arguments:
            if sys.stderr is not None:
                _parser().print_help(sys.stderr)
            return 2
        args = _parser().parse_args(arguments)
        status: int = args.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _abandon_output()
        return 0
    except KeyboardInterrupt:
        _flush()
        return 130
    except MemoryError as error:
        return _fail(f"not enough memory: {error}" if str(error) else "not enough memory")
    except OSError as error:
        reason = error.strerror or str(error)
        return _fail(f"{error.filename}: {reason}" if error.filename else reason)
    except ValueError as error:
        return _fail(str(error))


def _fail(message: str) -> int:
    """Say on one line what is wrong."""
    _note(f"ggn: error: {' '.join(message.split())}")
    _flush()
    return 2


def _flush() -> None:
    """Print what is left, if there still is somebody to read it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _abandon_output()


def _note(line: str) -> None:
    """Print to standard error, if there is one (print() would turn to standard output)."""
    if sys.stderr is not None:
        print(line, file=sys.stderr)


def _abandon_output() -> None:
    """Point standard output nowhere, or Python would complain of it once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _load(args: argparse.Namespace, *read: str) -> Model:
    """Return the model to be used, unless the output would overwrite something that is read."""
    for path in (args.model, *read):
        if args.output and os.path.exists(args.output) and os.path.samefile(path, args.output):
            raise ValueError(f"--output would overwrite {path}, which is read")
    try:
        return Model.load(args.model)
    except ValueError as error:
        here = ", which the command line does not have"
        raise ValueError(
            re.sub(r", which must be given to Model\.load .*", here, f"{error}")
        ) from error


def _export(args: argparse.Namespace) -> int:
    export_model(_load(args), args.output)
    return 0


def _diagnose(args: argparse.Namespace) -> int:
    diagnose_table(_load(args), args)
    return 0


def _predict(args: argparse.Namespace) -> int:
    model = _load(args, args.file)
    table = Table(args.file)
    table.require(model.input_names, "which the model needs")
    known = [name for name in model.target_names if name in table.names]
    try:
        data = table.read([*model.input_names, *known])
    except ValueError as error:
        data = table.read(model.input_names)  # raises again unless only a target is at fault
        _note(f"ggn: not compared with the targets: {error}")
        known = []
    n = len(model.input_names)
    F, Y = model.predict(data[:, :n]), data[:, n:]
    pieces = csv_text(model.target_names, F)
    if args.output:
        with replacing(args.output) as stream:
            for piece in pieces:
                stream.write(piece.encode())
    elif sys.stdout is None:
        raise OSError("standard output is closed")
    else:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    if known:
        F = F[:, [model.target_names.index(name) for name in known]]
        for name, miss, share in zip(known, rmse(Y, F), r2(Y, F), strict=True):
            _note(f"{name}: RMSE {miss:.6g}, R2 {share:.6f}, {len(Y)} rows")
    return 0


def _demo(args: argparse.Namespace) -> int:
    demo.run(integer("--seed", args.seed, 0))
    return 0


def _version() -> str:
    try:
        return importlib.metadata.version("ggn")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ggn", description=DESCRIPTION, epilog=THREADS, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"ggn {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary, add in (
        ("train", "train a network on a CSV file", _add_train),
        ("predict", "predict with a trained network", _add_predict),
        ("diagnose", "say what the weights reached are: a minimum, a saddle, ...", _add_diagnose),
        ("export", "write a trained network for another program", _add_export),
        ("demo", "see exact learning and a noisy regression, in seconds", _add_demo),
        ("reproduce", "run the paper's experiments and write a report", _add_reproduce),
    ):
        add(
            commands.add_parser(
                name,
                help=summary,
                formatter_class=argparse.RawDescriptionHelpFormatter,
                allow_abbrev=False,
            )
        )
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.description, parser.epilog = TRAIN, TRAIN_END
    parser.set_defaults(run=fit_table)
    parser.add_argument("file", metavar="FILE.csv", help="separated by commas, semicolons or tabs")
    add = parser.add_argument_group("data").add_argument
    add("--target", required=True, metavar="COL[,COL]", help="columns to predict")
    add("--inputs", metavar="COL[,COL]", help="columns to predict from (default: all others)")
    add("--exclude", metavar="COL[,COL]", help="columns not to predict from")
    add("--validation", type=decimal, default=0.2, metavar="FRACTION",
        help="of the rows, drawn at random, not trained on (default: %(default)s)")  # fmt: skip
    add("--seed", type=whole, default=0, metavar="N",
        help="of that draw and of the initial weights (default: %(default)s)")  # fmt: skip
    add("--save", metavar="MODEL.npz", help="where to keep the trained network")

    add = parser.add_argument_group("network").add_argument
    add("--hidden", default="20", metavar="N[,N]",
        help="units of each hidden layer (default: %(default)s)")  # fmt: skip
    add("--activation", default="tanh", metavar="NAME[,NAME]",
        help=f"of all hidden layers, or one each: {', '.join(sorted(activations.BUILT_IN))} "
        "(default: %(default)s)")  # fmt: skip
    add("--init", default="fan_in", metavar="NAME",
        help=f"distribution of the initial weights: {', '.join(SCHEMES)} "
        "(default: %(default)s)")  # fmt: skip

    add_loss_options(parser)
    add = parser.add_argument_group("method").add_argument
    add("--step", default="auto", metavar="NAME",
        help=f"auto, {', '.join(steps.NAMES)} (default: %(default)s)")  # fmt: skip
    add("--damping", default="levenberg_marquardt", metavar="NAME",
        help=f"{', '.join(damping.NAMES)} (default: %(default)s)")  # fmt: skip
    add("--max-iter", type=whole, default=1000, metavar="N",
        help="largest number of iterations (default: %(default)s)")  # fmt: skip
    add("--tol", type=decimal, default=1e-12, metavar="TOL",
        help="relative change to stop at; 0: never (default: %(default)g)")  # fmt: skip
    add("--max-seconds", type=decimal, metavar="S", help="time limit (default: none)")
    add("--max-memory", type=decimal, metavar="MB",
        help="for the matrices of --step auto (default: half of the machine's)")  # fmt: skip


def _add_diagnose(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_diagnose, output=None)
    add_diagnose(parser)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.description = PREDICT
    parser.set_defaults(run=_predict)
    parser.add_argument("model", metavar="MODEL.npz", help="saved by ggn train --save")
    parser.add_argument("file", metavar="FILE.csv", help="with a header line")
    parser.add_argument(
        "-o", "--output", metavar="OUT.csv", help="file to write (default: standard output)"
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.description = EXPORT
    parser.set_defaults(run=_export)
    parser.add_argument("model", metavar="MODEL.npz", help="saved by ggn train --save")
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT.onnx|OUT.c", help="file to write"
    )


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.description = "Two fits: one exact, with quadratic convergence; one of noisy data."
    parser.set_defaults(run=_demo)
    parser.add_argument(
        "--seed",
        type=whole,
        default=demo.SEED,
        metavar="N",
        help="of the data and the initial weights (default: %(default)s)",
    )


def _add_reproduce(parser: argparse.ArgumentParser) -> None:
    parser.description = REPRODUCE
    parser.set_defaults(run=reproduce_paper)
    add = parser.add_argument
    add("experiment", nargs="?", default="all", metavar="EXPERIMENT",
        help="xor, fig1a, fig1b, fig1c or all (default: %(default)s)")  # fmt: skip
    add("--out", required=True, metavar="DIR", help="folder to write to, made if need be")
    add("--seed", type=whole, default=0, metavar="N",
        help="of data and initial weights (default: %(default)s)")  # fmt: skip
    add("--quick", action="store_true", help="fewer runs: a minute instead of several")
