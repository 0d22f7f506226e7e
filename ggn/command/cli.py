"""The command line: train a network on a table, predict with it, see a demonstration.

Exit status: 0 done, 2 bad input (one line on standard error says what), 130 interrupted (Ctrl-C).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import sys
from collections.abc import Sequence

from ggn.command import demo, diagnose, export, predict, reproduce, train
from ggn.command.parser import Parser, usage_text
from ggn.command.words import in_options
from ggn.io.terminal import visible
from ggn.validation import ArgumentError

__all__ = ["main"]

DESCRIPTION = "Train smooth multilayer perceptrons with the exact Generalised Gauss-Newton method."

COMMANDS = (
    ("train", "train a network on a CSV file", train.add),
    ("predict", "predict with a trained network", predict.add),
    ("diagnose", "say what the weights reached are: a minimum, a saddle, ...", diagnose.add),
    ("export", "write a trained network for another program", export.add),
    ("demo", "see exact learning and a noisy regression, in seconds", demo.add),
    ("reproduce", "run the paper's experiments and write a report", reproduce.add),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.
    """
    args = argparse.Namespace(options={})
    try:
        arguments = sys.argv[1:] if argv is None else list(argv)
        if not arguments:
            if sys.stderr is not None:
                _parser().print_help(sys.stderr)
            return 2
        _parser().parse_args(arguments, args)
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
    except argparse.ArgumentError as error:
        return _fail(usage_text(error))
    except ArgumentError as error:
        return _fail(in_options(error, args.options))
    except ValueError as error:
        return _fail(str(error))


def _fail(message: str) -> int:
    """Say on one line what is wrong."""
    if sys.stderr is not None:
        print(f"ggn: error: {visible(' '.join(message.split()))}", file=sys.stderr)
    _flush()
    return 2


def _flush() -> None:
    """Print what is left, if there still is somebody to read it."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _abandon_output()


def _abandon_output() -> None:
    """Point standard output nowhere, or Python would complain of it once more at exit."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _version() -> str:
    try:
        return importlib.metadata.version("ggn")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _parser() -> Parser:
    parser = Parser(prog="ggn", description=DESCRIPTION, epilog=train.THREADS)
    parser.add_argument("--version", action="version", version=f"ggn {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary, add in COMMANDS:
        command = commands.add_parser(
            name, help=summary, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add(command)
        command.set_defaults(options=command.options())
    return parser
