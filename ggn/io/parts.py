"""A table in several files, or in Parquet: its parts in order, read some rows at a time.

Parts of text are what `ggn.io.table.Table` reads, so each may hold what a table may, and has a
header of its own; columns are found by name in each.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from ggn.io.parquet import ParquetTable
from ggn.io.rows import Rows, gathered
from ggn.io.table import Table

__all__ = ["AnyTable", "Parts", "in_parts", "is_parquet", "paths_of"]

PARQUET = (".parquet", ".parq", ".pq")
AnyTable: TypeAlias = Table | ParquetTable


def is_parquet(path: str) -> bool:
    """Whether a file, or those of a pattern, are Parquet, by the name's end."""
    return path.lower().endswith(PARQUET)


def in_parts(path: str) -> bool:
    """Whether a path stands for a table that is not one file of text.

    Examples
    --------
    >>> in_parts("part-*.csv"), in_parts("all.parquet"), in_parts("all.csv")
    (True, True, False)
    """
    return is_parquet(path) or (glob.has_magic(path) and not os.path.exists(path))


def paths_of(pattern: str) -> list[str]:
    """Return the files of a path or a pattern, sorted by name.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    found = sorted(glob.glob(pattern)) or [pattern]
    if not os.path.exists(found[0]):
        raise FileNotFoundError(2, "No such file, or none that fits the pattern", pattern)
    return found


class Parts:
    """The parts of one table.

    Parameters
    ----------
    pattern : str
        A path, or several by ``*`` and ``?``; of a name that ends in .parquet or .pq, Parquet.
    missing : {"refuse", "drop"}, default "refuse"
        As `ggn.io.table.Table` takes it, as it takes the others.
    **how
        delimiter, decimal, thousands, encoding, header of text.  What separates cells is found
        from the first part.

    Attributes
    ----------
    path : str
        The pattern, for messages.
    names : tuple of str
        Of the columns of the first part.
    paths : list of str
    first : Table or ParquetTable
        The first part, which says which columns there are.

    Raises
    ------
    OSError, ValueError
        For a pattern without files, or a first part that cannot be read.
    """

    def __init__(self, pattern: str, missing: str = "refuse", **how: Any) -> None:
        self.path, self.paths, self.parquet = pattern, paths_of(pattern), is_parquet(pattern)
        self._missing, self._how = missing, how
        self.first = self._open(self.paths[0])
        self.names = self.first.names
        if isinstance(self.first, Table):
            self._how = how | {"delimiter": self.first.delimiter}

    def _open(self, path: str) -> AnyTable:
        if self.parquet:
            return ParquetTable(path, self._missing)
        return Table(path, missing=self._missing, **self._how)

    def require(self, columns: Iterable[str], reason: str = "") -> None:
        """Raise ValueError if the first part has not one column of each of these names."""
        self.first.require(columns, reason)

    def understood(self) -> str:
        """Return how the first part was understood, if that is worth a word."""
        return self.first.understood()

    def read(self, columns: Sequence[str]) -> np.ndarray:
        """Return columns of all parts as floats, (rows, columns)."""
        return self.rows(columns).values

    def rows(
        self, columns: Sequence[str], text: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Rows:
        """Return the rows of all parts, as `Table.rows` does of one."""
        blocks = self.blocks(columns, text, labels)
        return gathered(blocks, len(columns), len(text) + len(labels), self.path)

    def blocks(
        self, columns: Sequence[str], text: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Iterator[Rows]:
        """Yield the rows of all parts, some at a time, as `Table.blocks` does of one."""
        for place, path in enumerate(self.paths):
            part = self.first if place == 0 else self._open(path)
            yield from part.blocks(columns, text, labels)
