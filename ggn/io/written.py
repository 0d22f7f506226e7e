r"""Tables as they are written: floats to the last bit, and no text that a spreadsheet would run.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula.  Such
text is written with an apostrophe before it, and read without; so that nothing
is lost, text that already has apostrophes before such a character gets one more.
Numbers stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ggn.io.numerals import looks_numeric

__all__ = ["csv_text", "harmless", "original"]

ROWS = 4096  # at a time
_FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠]|'*[\t\r]")


def harmless(text: str) -> str:
    """Return a text as it is written.

    Examples
    --------
    >>> harmless("=1+1"), harmless("'@x"), harmless("-1.5"), harmless("speed")
    ("'=1+1", "''@x", '-1.5', 'speed')
    """
    runs = _FORMULA.match(text) is not None and not looks_numeric(text)
    return f"'{text}" if runs else text


def original(text: str) -> str:
    """Return the text that `harmless` was given.

    Examples
    --------
    >>> original("'=1+1"), original("''@x"), original("'quoted'")
    ('=1+1', "'@x", "'quoted'")
    """
    return text[1:] if text[:1] == "'" and harmless(text[1:]) == text else text


def csv_text(
    names: Sequence[str],
    values: np.ndarray,
    *text: tuple[str, Sequence[str]],
) -> Iterator[str]:
    r"""Yield the text of a file of comma-separated values, in pieces.

    Floats are written with the fewest digits that read back as the same float.

    Parameters
    ----------
    names : sequence of str
    values : ndarray, (rows, columns)
    *text : (str, sequence of str)
        Names and cells of columns of text, which come first.

    Examples
    --------
    >>> import numpy as np
    >>> "".join(csv_text(["a", "b"], np.array([[0.1, 2.0]])))
    'a,b\n0.1,2.0\n'
    >>> "".join(csv_text(["y"], np.array([[0.5]]), ("id", ["=A1"])))
    "id,y\n'=A1,0.5\n"
    """
    yield _line([*(name for name, _ in text), *names])
    for start in range(0, len(values), ROWS):
        rows = values[start : start + ROWS].tolist()
        lines = [",".join(map(repr, row)) for row in rows]
        if text:
            some = zip(*(cells[start : start + ROWS] for _, cells in text), strict=True)
            first = [_line(cells)[:-1] for cells in some]
            lines = [
                f"{cells},{line}" if line else cells
                for cells, line in zip(first, lines, strict=True)
            ]
        yield "".join(f"{line}\n" for line in lines)


def _line(cells: Iterable[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([harmless(cell) for cell in cells])
    return stream.getvalue()
