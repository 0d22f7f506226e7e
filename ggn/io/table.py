"""Comma-separated values: named columns of floats, read strictly and written exactly.

The first line names the columns.  Cells are separated by commas, semicolons or
tabs, whichever the first line uses most.  A fault is reported with its line
and column; nothing is guessed, skipped or filled in (blank lines excepted).
"""

from __future__ import annotations

import csv
import difflib
import io
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ggn.validation import describe

__all__ = ["CellError", "Table", "csv_text"]

DELIMITERS = ",;\t"
LISTED = 20  # names of columns in a message


class CellError(ValueError):
    """A cell that is not a number; `column` is the name of its column."""

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column


class Table:
    r"""A file of comma-separated values, read column by column on demand.

    Parameters
    ----------
    path : path

    Attributes
    ----------
    names : tuple of str
        The columns, in order.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is empty, not UTF-8 text, or its header does not name each column once.

    Examples
    --------
    >>> import os, tempfile
    >>> from ggn.io.table import Table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data.csv")
    ...     with open(path, "w") as stream:
    ...         _ = stream.write("name; x; y\nfirst; 1; 2\nsecond; 3; 4\n")
    ...     Table(path).read(["y", "x"])
    array([[2., 1.],
           [4., 3.]])
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._bytes = Path(path).read_bytes()
        try:
            self._bytes.decode("utf-8")
        except UnicodeDecodeError as error:
            line = self._bytes.count(b"\n", 0, error.start) + 1
            byte = self._bytes[error.start]
            raise ValueError(
                f"{self.path} is not UTF-8 text: line {line} has the byte 0x{byte:02x}"
            ) from error
        self.delimiter = max(DELIMITERS, key=lambda d: len(self._header(d)[0]))
        cells, lines = self._header(self.delimiter)
        self.names = tuple(cell.strip() for cell in cells)
        self._check_names()
        # numpy reads quotes more leniently than the csv module: leave them to the latter
        self._quotes = self._bytes.count(b'"') > sum(line.count('"') for line in lines)

    def read(self, columns: Sequence[str] | None = None) -> np.ndarray:
        """Return the columns of these names, by default all of them, as floats.

        Parameters
        ----------
        columns : sequence of str, optional
            In any order; the others may hold anything.

        Returns
        -------
        ndarray, (rows, columns)

        Raises
        ------
        ValueError
            If a column is missing, a row is too long or too short, a cell is
            not a finite number (`CellError`), or there are no rows.
        """
        wanted = self.names if columns is None else tuple(columns)
        self.require(wanted)
        indices = [self.names.index(name) for name in wanted]
        values = None if self._quotes else self._read_fast(indices)
        return self._read_carefully(indices) if values is None else values

    def require(self, columns: Iterable[str], reason: str = "") -> None:
        """Check that there are columns of these names.

        Parameters
        ----------
        columns : iterable of str
        reason : str, optional
            What they are wanted for, for the message.

        Raises
        ------
        ValueError
            If one is missing.
        """
        for name in columns:
            if name not in self.names:
                listed = ", ".join(self.names[:LISTED])
                if len(self.names) > LISTED:
                    listed += f" ... ({len(self.names)} in all)"
                folded = {known.lower(): known for known in self.names}
                near = difflib.get_close_matches(name.lower(), folded, n=1)
                raise ValueError(
                    f"{self.path} has no column {name!r}{', ' if reason else ''}{reason}; "
                    f"it has {listed}"
                    + (f"; the nearest is {folded[near[0]]!r}" if near else "")
                    + self.understood()
                )

    def understood(self) -> str:
        """Return what to add to a message if the columns look as if they were not told apart."""
        if len(self.names) == 1 and re.search(r"[\s|:]", self.names[0]):
            return (
                "; its first line was read as the name of one column, because "
                "the separators read are comma, semicolon and tab"
            )
        return ""

    def _stream(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(self._bytes), encoding="utf-8-sig", newline="")

    def _header(self, delimiter: str) -> tuple[list[str], list[str]]:
        """Return the cells of the first line that is not blank, and the lines up to its end."""
        lines: list[str] = []
        for row in self._rows(_kept(self._stream(), lines), delimiter, strict=False):
            return row, lines
        raise ValueError(f"{self.path} is empty")

    def _rows(
        self, lines: Iterable[str], delimiter: str, *, strict: bool = True
    ) -> Iterator[list[str]]:
        """Parse the lines, without blank ones."""
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)
        self._reader = reader
        try:
            for row in reader:
                if len(row) > 1 or "".join(row).strip():
                    yield row
        except csv.Error as error:
            raise ValueError(f"{self.path}, line {reader.line_num}: {error}") from error

    def _check_names(self) -> None:
        first: dict[str, int] = {}
        for number, name in enumerate(self.names, 1):
            if not name:
                raise ValueError(f"{self.path}: the header does not name column {number}")
            if name in first:
                raise ValueError(
                    f"{self.path}: the header names columns {first[name]} and {number} "
                    f"both {name!r}"
                )
            first[name] = number
        if all(_is_number(name) for name in self.names):
            raise ValueError(
                f"{self.path} has no header: its first line holds numbers, not column names; "
                "the first line must hold the names, separated by commas, semicolons or tabs"
            )

    def _read_fast(self, indices: list[int]) -> np.ndarray | None:
        """Let numpy's compiled parser try; None if it meets anything but finite numbers."""
        everything = len(set(indices)) == len(self.names)
        # a one-character field: the cells of a column that is not wanted are cut, not kept
        fields = [(f"f{i}", "f8" if i in indices else "U1") for i in range(len(self.names))]
        stream = self._stream()
        next(self._rows(stream, self.delimiter))
        start = next((line for line in stream if line.strip()), None)
        if start is None:
            return None
        try:
            table: Any = np.loadtxt(
                _prepended(start, stream),
                dtype=np.float64 if everything else np.dtype(fields),
                delimiter=self.delimiter,
                comments=None,
                ndmin=2 if everything else 1,
            )
        except ValueError:
            return None
        if everything:
            if table.shape[1] != len(self.names):
                return None
            values = table[:, indices]
        else:
            values = np.stack([table[f"f{i}"] for i in indices], axis=1)
        return values if np.isfinite(values).all() else None

    def _read_carefully(self, indices: list[int]) -> np.ndarray:
        """Read row by row, to name what is wrong where."""
        rows = self._rows(self._stream(), self.delimiter)
        next(rows)
        values: list[list[float]] = []
        for row in rows:
            if len(row) != len(self.names):
                raise ValueError(
                    f"{self.path}, line {self._reader.line_num}: {len(row)} "
                    f"{'cell' if len(row) == 1 else 'cells'}, but the header names "
                    f"{len(self.names)} {'column' if len(self.names) == 1 else 'columns'}"
                )
            try:
                values.append([_finite(row[i]) for i in indices])
            except ValueError:
                raise self._bad_cell(row, indices) from None
        if not values:
            raise ValueError(f"{self.path} has a header but no rows")
        return np.array(values)

    def _bad_cell(self, row: list[str], indices: list[int]) -> CellError:
        i = next(i for i in indices if not _is_number(row[i], finite=True))
        cell, line = row[i].strip(), self._reader.line_num
        if not cell:
            fault = "the cell is empty"
        elif _is_number(cell):
            fault = f"{cell} is not finite"
        elif "," in cell and _is_number(cell.replace(",", ".")):
            fault = f"{cell!r} has a decimal comma, but only a point is read"
        else:
            fault = f"{describe(cell)} is not a number"
        name = self.names[i]
        return CellError(f"{self.path}, line {line}, column {name!r}: {fault}", name)


def csv_text(names: Sequence[str], values: np.ndarray) -> Iterator[str]:
    r"""Yield the text of a file of comma-separated values, in pieces.

    Floats are written with the fewest digits that read back as the same float.

    Examples
    --------
    >>> import numpy as np
    >>> "".join(csv_text(["a", "b"], np.array([[0.1, 2.0]])))
    'a,b\n0.1,2.0\n'
    """
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(names)
    yield header.getvalue()
    for start in range(0, len(values), 4096):
        rows = values[start : start + 4096].tolist()
        yield "".join(",".join(map(repr, row)) + "\n" for row in rows)


def _kept(lines: Iterable[str], record: list[str]) -> Iterator[str]:
    """Pass lines on, and note them."""
    for line in lines:
        record.append(line)
        yield line


def _prepended(first: str, rest: Iterable[str]) -> Iterator[str]:
    yield first
    yield from rest


def _finite(cell: str) -> float:
    value = float(cell)
    if not math.isfinite(value) or "_" in cell:  # Python's 1_000 is not a number elsewhere
        raise ValueError
    return value


def _is_number(cell: str, *, finite: bool = False) -> bool:
    try:
        return "_" not in cell and (math.isfinite(float(cell)) or not finite)
    except ValueError:
        return False
