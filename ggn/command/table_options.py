"""The options that say how the table of a command is to be read."""

from __future__ import annotations

import argparse

from ggn.command.parser import whole
from ggn.io.dialect import SEPARATORS
from ggn.io.parts import Parts, in_parts
from ggn.io.table import Table
from ggn.validation import count

__all__ = ["add_table_options", "left_out", "open_any", "open_parts", "open_table"]


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command that has the argument `file`."""
    add = parser.add_argument_group("file").add_argument
    add("--delimiter", metavar="NAME",
        help=f"what separates cells: {', '.join(SEPARATORS)} or another character "
        "(default: as the first rows agree best)")  # fmt: skip
    add("--decimal", default=".", metavar="MARK", help="decimal point or comma (default: .)")
    add("--thousands", metavar="MARK",
        help="between groups of three digits: , . ' or a space (default: none)")  # fmt: skip
    add("--encoding", metavar="NAME",
        help="as cp1252 or utf-16 (default: UTF-8, or what the file's mark says)")  # fmt: skip
    add("--missing", default="refuse", metavar="refuse|drop",
        help="a row with a missing cell (empty, NA, nan, null, -, ?) in a column that is used "
        "(default: refuse)")  # fmt: skip
    add("--header", type=whole, metavar="LINE",
        help="line of the names (default: the first that is not blank and does not begin with "
        "# or %%)")  # fmt: skip


def open_table(args: argparse.Namespace) -> Table:
    """Return the table that the options describe, in one file of text.

    Raises
    ------
    ValueError, OSError
        For options or a file that cannot be used, a table in parts among them.
    """
    if in_parts(args.file):
        raise ValueError(
            f"{args.file} is a table in parts, or Parquet, but rows of series follow one another "
            "in one file of text"
        )
    return Table(
        args.file,
        args.delimiter,
        args.decimal,
        args.thousands,
        args.encoding,
        args.missing,
        args.header,
    )


def open_any(args: argparse.Namespace) -> Table | Parts:
    """Return the table that the options describe, in one file or in several."""
    return open_parts(args) if in_parts(args.file) else open_table(args)


def open_parts(args: argparse.Namespace) -> Parts:
    """Return the table in several files, or in Parquet, that the options describe."""
    return Parts(
        args.file, args.missing, delimiter=args.delimiter, decimal=args.decimal,
        thousands=args.thousands, encoding=args.encoding, header=args.header,
    )  # fmt: skip


def left_out(dropped: int) -> str:
    """Return how many rows were left out, or nothing.

    Examples
    --------
    >>> left_out(2)
    '2 rows with a missing cell left out'
    """
    return f"{count(dropped, 'row')} with a missing cell left out" if dropped else ""
