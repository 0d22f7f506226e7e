"""What separates the cells of a table, decided on its first rows and not on the header alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from ggn.io.numerals import looks_numeric
from ggn.io.records import BLANKS, Records
from ggn.validation import unknown_name

__all__ = ["SEPARATORS", "decide", "first_rows", "separator", "separator_name"]

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": BLANKS}
ROWS = 100  # looked at
_QUOTED = re.compile(r'"[^"]*"')


def separator(value: str) -> str:
    r"""Return the one character that a name or an escape stands for.

    Parameters
    ----------
    value : str
        A name of `SEPARATORS`, the character itself, or ``\t``.

    Examples
    --------
    >>> separator("semicolon"), separator(";"), separator(r"\t")
    (';', ';', '\t')
    """
    if value in SEPARATORS:
        return SEPARATORS[value]
    if value == "\\t":
        return "\t"
    usable = len(value) == 1 and not value.isalnum() and value not in '"\n\r.+-_'
    if not usable:
        raise unknown_name("delimiter", value, [*SEPARATORS, "one other character"])
    return value


def separator_name(character: str) -> str:
    """Return what to call a separator, in the plural.

    Examples
    --------
    >>> separator_name(";"), separator_name("^")
    ('semicolons', "'^'")
    """
    names = {mark: f"{name}s" for name, mark in SEPARATORS.items()}
    return names.get(character, repr(character))


def first_rows(lines: Sequence[str], mark: str) -> list[list[str]]:
    """Return the first rows of a sample, as far as they can be parsed.

    Parameters
    ----------
    lines : sequence of str
        It may end in the middle of a row.
    mark : str
        The separator.
    """
    rows: list[list[str]] = []
    try:
        for row in itertools.islice(Records(iter(lines), mark), ROWS + 1):
            rows.append(row)
    except ValueError:
        pass  # whoever reads the table says so
    return rows


def decide(lines: Sequence[str]) -> str:
    r"""Return the separator under which the first rows agree best with the header.

    Rows agree if they have as many cells as the header (or one more, the name of
    the row or an empty one).  What tells is, in this order: that there are several
    columns and any row agrees, how many cells of rows that agree are numbers, how
    many rows agree, how many columns there are, the order of `SEPARATORS`.  Spaces
    are no separator if the header has another, or a row does not agree.

    Parameters
    ----------
    lines : sequence of str
        The header and the lines below it.

    Returns
    -------
    str
        A value of `SEPARATORS`.

    Examples
    --------
    >>> decide(["Time, s;y\n", "0,1;2\n", "0,2;3\n"])
    ';'
    >>> decide(["wind speed,y\n", "1,2\n"]), decide(["x y\n", "1 2\n"])
    (',', ' ')
    """
    return max(SEPARATORS.values(), key=lambda mark: _evidence(lines, mark))


def _evidence(lines: Sequence[str], mark: str) -> tuple[bool, int, int, int]:
    rows = first_rows(lines, mark)
    if not rows:
        return False, 0, 0, 0
    header, *below = rows
    width = len(header)
    plain = _QUOTED.sub("", lines[0])
    others = [other for other in SEPARATORS.values() if other != mark and other in plain]
    if width == 1:  # any line is one cell: only a number tells, and not that of a decimal comma
        agree = [
            row
            for row in below
            if len(row) == 1 and looks_numeric(row[0]) and not any(c in row[0] for c in others)
        ]
    else:
        least = max((i for i, name in enumerate(header, 1) if name.strip()), default=width)
        agree = [row for row in below if least <= len(row) <= width + 1]
    if mark == BLANKS and (others or len(agree) < len(below)):
        return False, 0, 0, 0
    numbers = sum(map(looks_numeric, itertools.chain.from_iterable(agree)))
    return width > 1 and bool(agree), numbers, len(agree), width
