"""What an experiment has to say: claims beside measurements, tables, one report."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Claim", "Section", "Table", "csv_bytes", "markdown", "tally"]


@dataclass(frozen=True)
class Claim:
    """A statement, what was measured, and whether the two agree; None where that is open.

    `paper` is the number that the paper gives, if it gives one.
    """

    statement: str
    measured: str
    holds: bool | None
    paper: str = "–"

    @property
    def answer(self) -> str:
        """Yes, no or open."""
        return {True: "yes", False: "**no**", None: "open"}[self.holds]


@dataclass(frozen=True)
class Table:
    """Columns by name, all of one length."""

    columns: Mapping[str, Sequence[Any]]

    @classmethod
    def of(cls, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
        """Return the table of these rows."""
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        return cls(dict(zip(names, columns, strict=True)))

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """The rows."""
        return list(zip(*self.columns.values(), strict=True))


@dataclass(frozen=True)
class Section:
    """One experiment's part of the report.

    Attributes
    ----------
    title, setting : str
        Its heading and its first paragraph.
    claims : list of Claim
    notes : list of str
        Paragraphs of Markdown that follow the figure.
    tables : dict of str to Table
        By file name; the same seed gives the same bytes.
    timings : dict of str to Table
        By file name; seconds, which no seed determines.
    """

    title: str
    setting: str
    claims: list[Claim]
    notes: list[str] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    timings: dict[str, Table] = field(default_factory=dict)


def tally(names: Iterable[str]) -> str:
    """Return how often each name occurs, the most frequent first.

    Examples
    --------
    >>> tally(["a", "b", "b"])
    'b 2, a 1'
    """
    return ", ".join(f"{name} {n}" for name, n in Counter(map(str, names)).most_common())


def csv_bytes(table: Table) -> bytes:
    r"""Return the table as comma-separated values; floats read back as the same floats.

    Examples
    --------
    >>> csv_bytes(Table({"name": ["a"], "value": [0.1]}))
    b'name,value\na,0.1\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue().encode()


def markdown(table: Table) -> str:
    r"""Return the table in Markdown.

    Examples
    --------
    >>> print(markdown(Table({"run": [1, 2], "J": ["0", "|x|"]})))
    | run | J |
    |---|---|
    | 1 | 0 |
    | 2 | \|x\| |
    """
    lines = [tuple(table.columns), ("---",) * len(table.columns), *table.rows]
    text = ["| " + " | ".join(str(x).replace("|", r"\|") for x in line) + " |" for line in lines]
    text[1] = text[1].replace(" ", "")
    return "\n".join(text)
