"""`ggn reproduce`: the paper's experiments from the command line."""

from __future__ import annotations

import argparse
import sys

from ggn.command.parser import whole
from ggn.validation import integer

__all__ = ["add", "run"]

REPRODUCE = """\
Run experiments of the paper on all cores: pictures (PNG), tables (CSV) and
report.md, with each claim beside what was measured. Interrupted, the same
command goes on where it stopped."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = REPRODUCE
    parser.set_defaults(run=run)
    option = parser.add_argument
    option("experiment", nargs="?", default="all", metavar="EXPERIMENT",
        help="xor, fig1a, fig1b, fig1c or all (default: %(default)s)")  # fmt: skip
    option("--out", required=True, metavar="DIR", help="folder to write to, made if need be")
    option("--seed", type=whole, default=0, metavar="N",
        help="of data and initial weights (default: %(default)s)")  # fmt: skip
    option("--quick", action="store_true", help="fewer runs: a minute instead of several")


def run(args: argparse.Namespace) -> int:
    """Run the experiments that the options name, and return the exit status.

    Raises
    ------
    ValueError, OSError
        For options or a folder that cannot be used, or without the extra `paper`.
    """
    seed = integer("seed", args.seed, 0)
    try:
        import joblib  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"reproduce needs {error.name}: pip install ggn[paper] brings what it needs"
        ) from error
    # only now: importing it takes as long as many a command runs
    from ggn.paper.reproduce import reproduce

    try:
        path = reproduce(args.experiment, args.out, seed, args.quick, stream=sys.stderr)
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("ggn: interrupted; the same command goes on from here", file=sys.stderr)
        raise
    print(path)
    return 0
