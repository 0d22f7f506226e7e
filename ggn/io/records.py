r"""Lines of text to rows of cells: the one grammar by which every table is read.

A row is a line, cut at each separator.  A cell that begins with a quote goes on
to the closing quote, over separators and ends of lines; a doubled quote inside
it stands for one.  A quote further on in a cell is an ordinary character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["BLANKS", "Records"]

BLANKS = " "  # the separator that stands for any run of spaces and tabs
# up to the closing quote; possessive, so the time is linear in the text
_QUOTED = re.compile(r'([^"]*+(?:""[^"]*+)*+)"')


class Records(Iterable[list[str]]):
    r"""The rows of a stream of lines, each a list of cells.

    Parameters
    ----------
    lines : iterator of str
        Each with its end, `\n`; it is read no further than the rows asked for.
    separator : str
        One character; `BLANKS` for any run of spaces and tabs.
    before : int, default 0
        Number of lines that were read before these.
    blank_rows : bool, default False
        Whether a blank line between others is a row of one empty cell; blank
        lines are skipped otherwise, and at the end in either case.

    Attributes
    ----------
    line : int
        Number of the line, counted from 1, in which the last row ends.

    Raises
    ------
    ValueError
        If a quote is not closed, or text follows a closing quote; the message
        begins with `line`.

    Examples
    --------
    >>> from ggn.io.records import Records
    >>> list(Records(iter(['a;"b;""c"" d"\n', "\n", "1;2\n"]), ";"))
    [['a', 'b;"c" d'], ['1', '2']]
    """

    def __init__(
        self, lines: Iterator[str], separator: str, before: int = 0, *, blank_rows: bool = False
    ) -> None:
        self.line = before
        self._lines = lines
        self._separator = separator
        self._rows = self._with_blanks() if blank_rows else self._without_blanks()
        self._first = before  # line in which the last row begins
        if separator == BLANKS:
            space, mark, plain = r"[ \t]*+", r"([ \t]++)", r"([^ \t\n]*+)"
        else:
            space = " *+" if separator == "\t" else r"[ \t]*+"
            mark = f"{space}({re.escape(separator)})"
            plain = rf"([^\n{re.escape(separator)}]*+)"
        # group 1 of the end, if it is there: another cell follows
        end = rf"(?:{space}(?=\n|$)|{mark})"
        self._opening = re.compile(rf'{space}"')
        self._plain, self._end = re.compile(plain), re.compile(end)

    def __iter__(self) -> Iterator[list[str]]:
        return self._rows

    def _without_blanks(self) -> Iterator[list[str]]:
        separator = self._separator
        for line in self._lines:
            self.line += 1
            self._first = self.line
            if '"' in line:
                yield self._quoted(line)
            elif not line.isspace():
                yield line.split() if separator == BLANKS else line.rstrip("\n").split(separator)
            elif separator == "\t" and separator in line:
                yield line.rstrip("\n").split(separator)

    def _with_blanks(self) -> Iterator[list[str]]:
        last = self.line
        for row in self._without_blanks():
            first, end = self._first, self.line
            for blank in range(last + 1, first):
                self.line = blank
                yield [""]
            self.line = last = end
            yield row

    def _quoted(self, line: str) -> list[str]:
        """Return the cells of a row with quotes, which may go on over several lines."""
        cells: list[str] = []
        at = len(line) - len(line.lstrip(" \t")) if self._separator == BLANKS else 0
        while True:
            opening = self._opening.match(line, at)
            if opening is None:
                found = self._plain.match(line, at)
                assert found is not None
                cells.append(found[1])
                at = found.end()
            else:
                text, line, at = self._to_closing_quote(line, opening.end())
                cells.append(text)
            end = self._end.match(line, at)
            if end is None:
                rest = line[at : at + 20].strip()
                raise ValueError(
                    f"line {self.line}: {rest!r} follows a closing quote, where a "
                    "separator or the end of the line must"
                )
            if end[1] is None:
                return cells
            at = end.end()

    def _to_closing_quote(self, line: str, at: int) -> tuple[str, str, int]:
        """Return the text of a quoted cell, the line in which it ends, and where."""
        opened, parts = self.line, []
        while (found := _QUOTED.match(line, at)) is None:
            parts.append(line[at:])
            following = next(self._lines, None)
            if following is None:
                raise ValueError(f"line {opened}: a quote is opened and never closed")
            line, at = following, 0
            self.line += 1
        parts.append(found[1])
        return "".join(parts).replace('""', '"'), line, found.end()
