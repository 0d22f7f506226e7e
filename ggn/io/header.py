"""The names of a table's columns, and how its first lines were understood."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from ggn.io import dialect
from ggn.io.numerals import looks_numeric
from ggn.io.records import Records
from ggn.io.text import Text
from ggn.io.written import original

__all__ = ["Header", "read_header"]

COLUMNS = 2**20  # at most; a spreadsheet has 2**14
SAMPLE = 2**20  # characters of the first rows that are looked at
_COMMENT = re.compile(r"[#%]+")
_EXCEL = re.compile(r'sep=([^\w\n"+.\-])\n?', re.IGNORECASE)


class Header(NamedTuple):
    """What the first lines say.

    Attributes
    ----------
    names : tuple of str
        Of all columns, in order; empty for one without a name.
    delimiter : str
        One character.
    line : int
        The last line of the header, counted from 1.
    notes : tuple of str
        What was decided and is not plain: clauses of a sentence.
    rows_named : bool
        Whether each row begins with a name, which the first of `names`, an empty
        one, was put in for.
    """

    names: tuple[str, ...]
    delimiter: str
    line: int
    notes: tuple[str, ...]
    rows_named: bool

    def hint(self) -> str:
        """Return what to add to a message if the columns look as if they were not told apart."""
        if len(self.names) == 1 and any(c.isspace() or c in ",;|:" for c in self.names[0]):
            return (
                f"; line {self.line} was read as the name of one column: --delimiter says "
                "what separates cells, and --header in which line the names are"
            )
        return ""


def read_header(text: Text, delimiter: str | None, line: int | None) -> Header:
    """Find the header of a table and what separates its cells.

    Parameters
    ----------
    text : Text
    delimiter : str, optional
        As `dialect.separator` takes it; by default it is decided on the first rows.
    line : int, optional
        Where the header is, counted from 1; by default the first line that is
        neither blank nor a comment, which begins with # or %.

    Raises
    ------
    ValueError
        If the file is empty, its first line holds numbers and `line` does not say that these
        are names, or there are more than 1,048,576 columns.
    """
    mark = None if delimiter is None else dialect.separator(delimiter)
    lines = text.lines()
    above: list[str] = []  # the last comment
    comments, at, first = 0, line or 0, ""
    if line is not None:
        first = next(itertools.islice(lines, line - 1, None), "")
        if not first.strip():
            raise ValueError(f"{text.path} has no header in line {line}, as --header says")
    else:
        for at, first in enumerate(lines, 1):
            excel = _EXCEL.fullmatch(first) if not comments and not above else None
            if excel is not None:
                mark = mark or dialect.separator(excel[1])
            elif _COMMENT.match(first.lstrip()):
                comments += 1
                above = [_COMMENT.sub("", first.lstrip(), count=1).lstrip(" \t"), str(at)]
            elif first.strip():
                break
        else:
            only = ", but for comments" if comments else ""
            raise ValueError(f"{text.path} is empty{only}")
    sample = [first, *_sample(lines)]
    decided = mark is None
    if mark is None:
        mark = dialect.decide(sample)
    records = Records(itertools.chain([first], _rest(text, at)), mark, at - 1)
    try:
        cells = next(iter(records))
    except ValueError as error:
        raise ValueError(f"{text.path}, {error}") from error
    if len(cells) > COLUMNS:
        raise ValueError(
            f"{text.path} has more than {COLUMNS} columns, read as separated by "
            f"{dialect.separator_name(mark)}"
        )
    below, end, notes = sample[1:], records.line, []
    if any(map(looks_numeric, cells)) and above:
        commented = [*dialect.first_rows(above[:1], mark), []][0]
        if len(commented) == len(cells) and not any(map(looks_numeric, commented)):
            cells, below, end, comments = commented, sample, int(above[1]), comments - 1
            notes.append(f"the comment in line {end} names the columns")
    if line is None and all(map(looks_numeric, cells)):
        raise ValueError(
            f"{text.path} has no header: its first line holds numbers, not column names; "
            "the first line must hold the names, separated as the numbers are; if these are "
            f"the names, --header {at} says so"
        )
    names = [original(cell.strip()) for cell in cells]
    rows_named = _rows_are_named(below, mark, len(names))
    if rows_named:
        names.insert(0, "")
        notes.append("the first cell of each row is its name and is left out")
    if mark != "," or (decided and any(m in first for m in (";", "\t", "|"))):
        notes.insert(0, f"separated by {dialect.separator_name(mark)}")
    if comments:
        notes.append(f"{comments} comment {'line' if comments == 1 else 'lines'} skipped")
    return Header(tuple(names), mark, end, tuple(notes), rows_named)


def _rest(text: Text, line: int) -> Iterator[str]:
    return itertools.islice(text.lines(), line, None)


def _sample(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines of the first rows, without blank ones."""
    size = count = 0
    for line in lines:
        if count > dialect.ROWS or size > SAMPLE:
            return
        if line != "\n":
            count += 1
            size += len(line)
            yield line


def _rows_are_named(lines: list[str], mark: str, width: int) -> bool:
    """Whether each row begins with a cell that the header has not, as R's write.table writes."""
    rows = dialect.first_rows(lines, mark)
    if not rows or any(len(row) != width + 1 for row in rows):
        return False
    if not any(row[-1].strip() for row in rows):
        return False  # a separator at the end of each row
    quoted = lines[0].lstrip().startswith('"')
    first = [row[0] for row in rows]
    counted = any(first == [str(i + start) for i in range(len(rows))] for start in (0, 1))
    return quoted or (counted and len(rows) > 2) or not any(looks_numeric(row[0]) for row in rows)
