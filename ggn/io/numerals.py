"""Cells to numbers: which decimal mark and thousands separator, and what else a cell may be."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

from ggn.validation import ArgumentError, describe

__all__ = ["LEFT_OUT", "MISSING", "Numerals", "is_missing", "is_word", "looks_numeric"]

LEFT_OUT = "--missing drop leaves such rows out"
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "-", "?", "."}
THOUSANDS = {",": ",", ".": ".", "'": "'’", " ": " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"}
_NUMERIC = re.compile(
    r"[+\-−]?(?:(?:\d+|\d{1,3}(?:[.,'’ \u00a0\u202f]\d{3})+)(?:[.,]\d*)?|[.,]\d+)"
    r"(?:[eE][+\-−]?\d+)?"
)
_DATE = re.compile(r"(?:\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?!\d)|\d{1,2}:\d{2}\b).*", re.DOTALL)
_ISO_TIME = re.compile(r"[+\-−]?\d+:\d{2}:\d{2}.*|\d{8}T\d.*", re.DOTALL)


def is_missing(cell: str) -> bool:
    """Whether a cell stands for a value that is not there.

    Examples
    --------
    >>> [is_missing(cell) for cell in ("", " NA ", "nan", "?", "-9999", "inf")]
    [True, True, True, True, False, False]
    """
    return cell.strip().lower() in MISSING


def looks_numeric(cell: str) -> bool:
    """Whether a cell is a number in one notation or another.

    Examples
    --------
    >>> [looks_numeric(cell) for cell in ("-1.5e3", "1.234,5", "1 000", "a", "", "1;2")]
    [True, True, True, False, False, False]
    """
    return _NUMERIC.fullmatch(cell.strip()) is not None


def is_word(cell: str) -> bool:
    """Whether a cell is text for sure: it begins with a letter, and stands for no number.

    Examples
    --------
    >>> [is_word(cell) for cell in ("setosa", "Class 1", "5 kg", "3,14", "nan", "inf", "")]
    [True, True, False, False, False, False, False]
    """
    cell = cell.strip()
    if is_missing(cell) or not (cell[:1].isalpha() or cell[:1] == "_"):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


class Numerals:
    """One notation of numbers.

    Parameters
    ----------
    decimal : {".", ","}, default "."
        The decimal mark.
    thousands : {",", ".", "'", " "}, optional
        What separates groups of three digits; by default nothing may.

    Raises
    ------
    ValueError
        For other marks, or the same twice.

    Examples
    --------
    >>> Numerals(",", ".").value("1.234,5")
    1234.5
    """

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        if decimal not in (".", ","):
            raise ArgumentError("decimal", f"must be a point or a comma, got {describe(decimal)}")
        if thousands is not None and (thousands not in THOUSANDS or thousands == decimal):
            raise ArgumentError(
                "thousands",
                "must be a comma, a point, an apostrophe or a space, and not the "
                f"decimal mark, got {describe(thousands)}",
            )
        self.decimal, self.thousands = decimal, thousands
        if thousands is not None:
            marks, point = re.escape(THOUSANDS[thousands]), re.escape(decimal)
            self._grouped = re.compile(
                rf"[+\-]?\d{{1,3}}(?:[{marks}]\d{{3}})+(?:{point}\d*)?(?:[eE][+\-]?\d+)?", re.ASCII
            )
            self._marks = re.compile(f"[{marks}]")

    def value(self, cell: str) -> float:
        """Return the finite number that a cell holds, or raise ValueError.

        Parameters
        ----------
        cell : str
            Spaces around the number are ignored.
        """
        text = cell.strip().replace("−", "-")
        if self.thousands is not None and self._grouped.fullmatch(text):
            text = self._marks.sub("", text)
        if self.decimal == ",":
            if "." in text:
                raise ValueError
            text = text.replace(",", ".", 1)
        if "_" in text or not text.isascii():  # Python's 1_000 is not a number elsewhere
            raise ValueError
        value = float(text)
        if not math.isfinite(value):
            raise ValueError
        return value

    def values(self, cells: Sequence[str]) -> list[float] | None:
        """Return the numbers of many cells, or None if one of them needs a closer look.

        Parameters
        ----------
        cells : sequence of str

        Returns
        -------
        list of float or None
            As `value` returns for each; it is only faster.
        """
        text = "\n".join(cells)
        if not text.isascii() or "_" in text:
            return None
        if self.decimal == ",":
            if "." in text:
                return None
            cells = text.replace(",", ".").split("\n")
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return None
        return numbers if all(map(math.isfinite, numbers)) else None

    def fault(self, cell: str) -> str:
        """Return why a cell is not read as a number, and what reads it.

        Parameters
        ----------
        cell : str

        Examples
        --------
        >>> Numerals().fault("3,14")
        "'3,14' is not a number; --decimal , reads it as 3.14"
        >>> Numerals().fault("NA")
        "'NA' stands for a missing value; --missing drop leaves such rows out"
        """
        cell = cell.strip()
        if not cell:
            return f"the cell is empty; {LEFT_OUT}"
        if is_missing(cell):
            return f"{cell!r} stands for a missing value; {LEFT_OUT}"
        wrong = f"{describe(cell)} is not a number"
        readings = []
        for decimal, thousands in itertools.product(".,", (None, *THOUSANDS)):
            if decimal != thousands:
                try:
                    value = Numerals(decimal, thousands).value(cell)
                except ValueError:
                    continue
                options = [] if decimal == self.decimal else [f"--decimal {decimal}"]
                if thousands is not None:
                    options.append(f'--thousands "{thousands}"' if thousands in "' " else
                                   f"--thousands {thousands}")  # fmt: skip
                readings.append((len(options), f"{' '.join(options)} reads it as {value!r}"))
        if readings:
            fewest = min(count for count, _ in readings)
            return f"{wrong}; " + ", ".join(text for count, text in readings if count == fewest)
        if _DATE.fullmatch(cell) or _ISO_TIME.fullmatch(cell):
            return f"{wrong} but a date or a time; write it as a number, of seconds or days say"
        try:
            return f"{describe(cell)} is not finite" if abs(float(cell)) == math.inf else wrong
        except ValueError:
            if not any(letter.isdigit() for letter in cell):
                return f"{wrong}; text must be coded as numbers, as a column of 0 and 1 say"
            return wrong
