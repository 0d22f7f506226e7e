"""`ggn predict`: the predictions of a saved network for a table."""

from __future__ import annotations

import argparse
import sys

from ggn.command.saved_model import add_model, load
from ggn.command.table_options import add_table_options, left_out, open_table
from ggn.fit.scores import r2, rmse
from ggn.io import Model
from ggn.io.files import replacing
from ggn.io.table import Table
from ggn.io.terminal import visible
from ggn.io.written import csv_text
from ggn.validation import count

__all__ = ["add", "run"]

PREDICT = """\
Predict the targets for the rows of a CSV file. Columns are found by name, in
any order; others are ignored. If the file holds the targets too, RMSE and R2
are printed on standard error. Text that a spreadsheet would run as a formula
is written with an apostrophe before it, and read without."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = PREDICT
    parser.set_defaults(run=run)
    add_model(parser)
    parser.add_argument("file", metavar="FILE.csv", help="with a header line")
    parser.add_argument(
        "-o", "--output", metavar="OUT.csv", help="file to write (default: standard output)"
    )
    parser.add_argument(
        "--id", metavar="COL", help="a column, of text or numbers, to be written as the first"
    )
    add_table_options(parser)


def run(args: argparse.Namespace) -> int:
    """Write the predictions, and print how well they do where the targets are known.

    Raises
    ------
    ValueError, OSError
        For files or cells that cannot be used.
    """
    model = load(args, args.file, output=args.output)
    table = open_table(args)
    if args.id in model.target_names:
        raise ValueError(f"the column {args.id!r} is in --id and a target of the model")
    ids = [] if args.id is None else [args.id]
    table.require(ids, "which --id names")
    table.require(model.input_names, "which the model needs")
    X, text, dropped = table.rows(model.input_names, ids)
    if table.understood():
        _note(f"ggn: {args.file}: {table.understood()}")
    if dropped:
        which = "" if ids else "; --id COL tells which rows have predictions"
        _note(f"ggn: {left_out(dropped)}{which}")
    pieces = csv_text(model.target_names, model.predict(X), (ids[0], text[0]) if ids else None)
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
    _compare(model, table)
    return 0


def _compare(model: Model, table: Table) -> None:
    """Print how well the model does, if the table holds targets."""
    known = [name for name in model.target_names if name in table.names]
    if not known:
        return
    try:
        data = table.read([*model.input_names, *known])
    except ValueError as error:
        _note(f"ggn: not compared with the targets: {error}")
        return
    n = len(model.input_names)
    F, Y = model.predict(data[:, :n]), data[:, n:]
    F = F[:, [model.target_names.index(name) for name in known]]
    for name, miss, share in zip(known, rmse(Y, F), r2(Y, F), strict=True):
        _note(f"{name}: RMSE {miss:.6g}, R2 {share:.6f}, {count(len(Y), 'row')}")


def _note(line: str) -> None:
    """Print to standard error, if there is one (print() would turn to standard output)."""
    if sys.stderr is not None:
        print(visible(line), file=sys.stderr)
