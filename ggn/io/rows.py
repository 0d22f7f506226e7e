"""Rows of cells to floats: a block at a time, and cell by cell where one needs a closer look."""

from __future__ import annotations

import array
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ggn.io.header import Header
from ggn.io.numerals import Numerals, is_missing, looks_numeric
from ggn.io.records import Records
from ggn.io.text import Text
from ggn.validation import count, describe

__all__ = ["Block", "CellError", "RowReader", "Rows", "gathered"]

CELLS = 2**15  # of a block
NO_ROWS = "has a header but no rows"


class CellError(ValueError):
    """A cell that is not a number; `column` is the name of its column."""

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column


class Rows(NamedTuple):
    """The rows that were read.

    Attributes
    ----------
    values : ndarray, (rows, columns)
    text : list of list of str
        The cells of each column of text, without spaces around them, and without the
        apostrophe that `ggn.io.written` puts before a formula.
    dropped : int
        Number of rows left out because a cell was missing.
    """

    values: np.ndarray
    text: list[list[str]]
    dropped: int


def gathered(blocks: Iterable[Rows], columns: int, texts: int, path: str) -> Rows:
    """Return the rows of all blocks, of so many columns of numbers and of text.

    Raises
    ------
    ValueError
        If there are none; path, for the message.
    """
    values, cells = array.array("d"), [list[str]() for _ in range(texts)]
    kept = dropped = 0
    for block in blocks:
        values.frombytes(block.values.tobytes())
        dropped += block.dropped
        for column, more in zip(cells, block.text, strict=True):
            column.extend(more)
        kept += len(block.values)
    if not kept:
        raise ValueError(f"{path} {'has a missing cell in each row' if dropped else NO_ROWS}")
    flat = np.frombuffer(values, dtype=np.float64) if values else np.empty(0)
    return Rows(flat.reshape(kept, columns), cells, dropped)


class Block(NamedTuple):
    """Some rows: the numbers asked for, row by row; all cells; how many rows were left out."""

    numbers: list[float]
    rows: list[list[str]]
    dropped: int


class RowReader:
    """The rows below a header, once.

    Parameters
    ----------
    text : Text
    header : Header
    numerals : Numerals
    drop : bool
        Whether a row is left out in which a cell asked for is missing.

    Attributes
    ----------
    line : int
        Number of the line in which the last row ends.
    """

    def __init__(self, text: Text, header: Header, numerals: Numerals, *, drop: bool) -> None:
        self._path, self._header, self._numerals, self._drop = text.path, header, numerals, drop
        self._width = len(header.names)
        self._least = max((i for i, name in enumerate(header.names, 1) if name), default=0)
        lines = itertools.islice(text.lines(), header.line, None)
        self._records = Records(lines, header.delimiter, header.line, blank_rows=self._width == 1)

    @property
    def line(self) -> int:
        return self._records.line

    def __iter__(self) -> Iterator[list[str]]:
        """Yield rows of as many cells as there are columns."""
        for row in self._parsed():
            yield row if len(row) == self._width else self._fitted(row)

    def blocks(self, wanted: list[int], labels: Sequence[int] = ()) -> Iterator[Block]:
        """Yield all rows, those of some columns as floats.

        Parameters
        ----------
        wanted : list of int
            Indices of columns.
        labels : sequence of int
            Indices of columns of text in which no cell may be missing.

        Raises
        ------
        ValueError
            If a row is too long or too short, or a cell is not a finite number
            (`CellError`).
        """
        everything = wanted == [*range(self._width)]
        rows = iter(self)
        size = max(1, CELLS // self._width)
        for number in itertools.count():
            block, lines = [], []
            for row in itertools.islice(rows, size):
                block.append(row)
                lines.append(self.line)
            if not block:
                return
            if everything:
                flat = [*itertools.chain.from_iterable(block)]
            else:
                flat = [row[i] for row in block for i in wanted]
            numbers = self._numerals.values(flat)
            gaps = any(is_missing(row[i]) for i in labels for row in block)
            if numbers is None or gaps:
                if number == 0 and not gaps:
                    self._check_units(block[:2], lines[0], wanted)
                yield self._carefully(block, lines, wanted, labels)
            else:
                yield Block(numbers, block, 0)

    def _parsed(self) -> Iterator[list[str]]:
        try:
            yield from self._records
        except ValueError as error:
            raise ValueError(f"{self._path}, {error}") from error

    def _fitted(self, row: list[str]) -> list[str]:
        """Return a row without empty cells after the last column, or with some in their place."""
        width, header = self._width, self._header
        if len(row) > width and not any(cell.strip() for cell in row[width:]):
            return row[:width]
        if self._least <= len(row) < width:
            return row + [""] * (width - len(row))
        hint = header.hint()
        if header.delimiter == "," and len(row) == 2 * width:
            hint = "; decimal commas cannot be told from the commas between cells"
        elif len(row) > width and not hint:
            hint = f" in line {header.line}; --header says in which line the names are"
        raise ValueError(
            f"{self._path}, line {self.line}: {count(len(row), 'cell')}, but the header names "
            f"{count(width, 'column')}{hint}"
        )

    def _carefully(
        self,
        block: list[list[str]],
        lines: list[int],
        wanted: list[int],
        labels: Sequence[int],
    ) -> Block:
        """Read cell by cell."""
        numbers, kept = list[float](), list[list[str]]()
        for row, line in zip(block, lines, strict=True):
            if self._drop and any(is_missing(row[i]) for i in (*wanted, *labels)):
                continue
            kept.append(row)
            for i in labels:
                if is_missing(row[i]):
                    raise self._fault(row, line, i)
            for i in wanted:
                try:
                    numbers.append(self._numerals.value(row[i]))
                except ValueError:
                    raise self._fault(row, line, i) from None
        return Block(numbers, kept, len(block) - len(kept))

    def _fault(self, row: list[str], line: int, i: int) -> CellError:
        """Return what is wrong with a cell."""
        name, fault = self._header.names[i], self._numerals.fault(row[i])
        return CellError(f"{self._path}, line {line}, column {describe(name)}: {fault}", name)

    def _check_units(self, rows: list[list[str]], line: int, wanted: list[int]) -> None:
        """Raise if the first row looks like units, and the next like numbers."""
        cells = [[row[i].strip() for i in wanted] for row in rows]
        if len(cells) < 2 or any(map(looks_numeric, cells[0])) or all(map(is_missing, cells[0])):
            return
        if all(looks_numeric(cell) or is_missing(cell) for cell in cells[1]):
            shown = ", ".join(map(describe, cells[0][:3]))
            raise ValueError(
                f"{self._path}, line {line} holds no numbers ({shown}), but the line below does: "
                "if these are units, delete the line"
            )
