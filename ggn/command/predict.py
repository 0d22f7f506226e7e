"""`ggn predict`: the predictions of a saved network for a table."""

from __future__ import annotations

import argparse
import sys

from ggn.command.saved_model import add_model, load
from ggn.fit.scores import r2, rmse
from ggn.io.files import replacing
from ggn.io.table import Table
from ggn.io.written import csv_text

__all__ = ["add", "run"]

PREDICT = """\
Predict the targets for the rows of a CSV file. Columns are found by name, in
any order; others are ignored. If the file holds the targets too, RMSE and R2
are printed on standard error."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = PREDICT
    parser.set_defaults(run=run)
    add_model(parser)
    parser.add_argument("file", metavar="FILE.csv", help="with a header line")
    parser.add_argument(
        "-o", "--output", metavar="OUT.csv", help="file to write (default: standard output)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the predictions, and print how well they do where the targets are known.

    Raises
    ------
    ValueError, OSError
        For files or cells that cannot be used.
    """
    model = load(args, args.file, output=args.output)
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


def _note(line: str) -> None:
    """Print to standard error, if there is one (print() would turn to standard output)."""
    if sys.stderr is not None:
        print(line, file=sys.stderr)
