"""Tables in files of text: named columns of floats, read strictly by one reader.

The first line that is no comment names the columns.  A fault is reported with
its line, its column and the option that reads it, where there is one; nothing is
guessed, skipped or filled in, but for what `Table.understood` says.
"""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ggn.io.header import read_header
from ggn.io.numerals import Numerals
from ggn.io.rows import CellError, RowReader, Rows, gathered
from ggn.io.terminal import visible
from ggn.io.text import Text
from ggn.io.written import original
from ggn.validation import ArgumentError, count, describe, integer

__all__ = ["CellError", "Rows", "Table"]

LISTED = 20  # names of columns in a message
SHOWN = 60  # characters of one
COMPARED = 10_000  # names, to find the nearest
MISSING = ("refuse", "drop")


class Table:
    r"""A table in a file of text, read column by column on demand.

    Parameters
    ----------
    path : path
    delimiter : str, optional
        What separates cells: comma, semicolon, tab, pipe, space (any run of
        blanks), or another character.  By default the one of these five under
        which the first rows agree best with the header.
    decimal : {".", ","}, default "."
        The decimal mark.
    thousands : {",", ".", "'", " "}, optional
        What separates groups of three digits; by default nothing may.
    encoding : str, optional
        By default what the byte order mark says, and UTF-8 without one.
    missing : {"refuse", "drop"}, default "refuse"
        Of a row in which a cell asked for is missing (empty, NA, NaN, null, -,
        ?, ...): an error, or leave the row out.
    header : int, optional
        Number of the line that names the columns; by default the first that is
        neither blank nor a comment (# or %).

    Attributes
    ----------
    names : tuple of str
        Of all columns, in order; empty for one without a name.
    delimiter : str
        One character.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is empty, not text in its encoding, or without a header.

    Examples
    --------
    >>> import os, tempfile
    >>> from ggn.io.table import Table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data.csv")
    ...     with open(path, "w") as stream:
    ...         _ = stream.write("name; x; y\nfirst; 1,5; 2\nsecond; ; 4\nthird; 5; 6\n")
    ...     table = Table(path, decimal=",", missing="drop")
    >>> table.read(["y", "x"])
    array([[2. , 1.5],
           [6. , 5. ]])
    >>> table.rows(["x"], text=["name"]).text, table.rows(["x"]).dropped
    ([['first', 'third']], 1)
    >>> table.understood()
    'separated by semicolons; decimal comma'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        delimiter: str | None = None,
        decimal: str = ".",
        thousands: str | None = None,
        encoding: str | None = None,
        missing: str = "refuse",
        header: int | None = None,
    ) -> None:
        self._numerals = Numerals(decimal, thousands)
        if missing not in MISSING:
            raise ArgumentError("missing", f"must be refuse or drop, got {describe(missing)}")
        if header is not None:
            integer("header", header, 1)
        self._drop = missing == "drop"
        self._text = Text(path, encoding)
        self.path = self._text.path
        self._header = read_header(self._text, delimiter, header)
        self.names, self.delimiter = self._header.names, self._header.delimiter
        self._where: dict[str, int] = {}
        for i, name in enumerate(self.names):
            if name:
                self._where.setdefault(name, i)
        self._twice = {name for name, n in Counter(self.names).items() if n > 1 and name}

    def columns(self, without: Iterable[str] = ()) -> list[str]:
        """Return the names of all columns but some.

        The first column may be without a name, as pandas and R write the names of
        rows, and any that is empty throughout; these are left out.

        Parameters
        ----------
        without : iterable of str

        Raises
        ------
        ValueError
            If another has no name, or two have the same.
        """
        unnamed = [i for i, name in enumerate(self.names) if i and not name]
        if unnamed:
            reader = self._reader()
            for row in reader:
                for i in unnamed:
                    if row[i].strip():
                        raise ValueError(
                            f"{self.path}: the header does not name column {i + 1}, but line "
                            f"{reader.line} has {describe(row[i].strip())} there; give the "
                            "columns to be used with --inputs"
                        )
        left = dict.fromkeys(without)
        names = [name for name in self.names if name and name not in left]
        for name in names:
            if name in self._twice:
                raise ValueError(f"{self._doubled(name)}; give those to be used with --inputs")
        return names

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
            As `rows`.
        """
        return self.rows(self.columns() if columns is None else columns).values

    def rows(
        self, columns: Sequence[str], text: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Rows:
        """Return the columns of these names, some as floats and some as text.

        Parameters
        ----------
        columns : sequence of str
            To be read as floats, in any order.
        text : sequence of str
            To be read as text; a cell may be missing.
        labels : sequence of str
            To be read as text after these; no cell may be missing.

        Raises
        ------
        ValueError
            If a column is missing or its name stands for two, a row is too long or
            too short, a cell is not a finite number (`CellError`), or there are
            no rows.
        """
        blocks = self.blocks(columns, text, labels)
        return gathered(blocks, len(columns), len(text) + len(labels), self.path)

    def blocks(
        self, columns: Sequence[str], text: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Iterator[Rows]:
        """Yield what `rows` returns, some rows at a time; nothing of a table without rows."""
        self.require([*columns, *text, *labels])
        wanted = [self._where[name] for name in columns]
        named = [self._where[name] for name in labels]
        texts = [*(self._where[name] for name in text), *named]
        for numbers, rows, dropped in self._reader().blocks(wanted, named):
            cells = [[original(row[i].strip()) for row in rows] for i in texts]
            yield Rows(np.array(numbers).reshape(len(rows), len(wanted)), cells, dropped)

    def require(self, columns: Iterable[str], reason: str = "") -> None:
        """Check that there is one column of each of these names.

        Parameters
        ----------
        columns : iterable of str
        reason : str, optional
            What they are wanted for, for the message.

        Raises
        ------
        ValueError
            If one is missing, or there are two.
        """
        for name in columns:
            if name in self._twice:
                raise ValueError(self._doubled(name))
            if name not in self._where:
                known = [*self._where]
                listed = ", ".join(map(_short, known[:LISTED])) or "none with a name"
                if len(known) > LISTED:
                    listed += f" ... ({len(known)} in all)"
                near = _nearest(name, known)
                raise ValueError(
                    f"{self.path} has no column {describe(name)}{', ' if reason else ''}{reason}; "
                    f"it has {listed}"
                    + (f"; the nearest is {describe(near)}" if near else "")
                    + self._header.hint()
                )

    def hint(self) -> str:
        """Return what to add to a message if the columns look as if they were not told apart."""
        return self._header.hint()

    def understood(self) -> str:
        """Return what was decided and is not plain comma-separated text: clauses, or nothing."""
        notes = [*self._header.notes]
        if self._text.encoding not in ("utf-8", "utf-8-sig"):
            notes.append(self._text.encoding)
        if self._numerals.decimal == ",":
            notes.append("decimal comma")
        if without := sum(not name for name in self.names) - self._header.rows_named:
            notes.append(f"{count(without, 'column')} without a name left out")
        return "; ".join(notes)

    def _reader(self) -> RowReader:
        return RowReader(self._text, self._header, self._numerals, drop=self._drop)

    def _doubled(self, name: str) -> str:
        i, j, *_ = (i for i, known in enumerate(self.names, 1) if known == name)
        return f"{self.path}: the header names columns {i} and {j} both {describe(name)}"


def _short(name: str) -> str:
    text = visible(name)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _nearest(name: str, known: Sequence[str]) -> str:
    """Return the most similar of the first names, or an empty text."""
    folded = {other.lower(): other for other in known[:COMPARED] if len(other) <= SHOWN}
    near = difflib.get_close_matches(name[:SHOWN].lower(), folded, n=1)
    return folded[near[0]] if near else ""
