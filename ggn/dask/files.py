"""Tables in many files as one data frame of chunks: CSV, and Parquet where pyarrow is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ggn.io.numerals import MISSING
from ggn.io.parts import is_parquet, paths_of
from ggn.io.table import Table
from ggn.validation import ArgumentError, count

__all__ = ["Files"]


@dataclass(frozen=True)
class Files:
    """Files of one table, by a pattern, and how they are written.

    Attributes
    ----------
    pattern : str
        A path, or several by ``*`` and ``?``; of a name that ends in .parquet or .pq, Parquet.
    delimiter, decimal, thousands, encoding
        Of CSV, as `ggn.io.table.Table` takes them; the delimiter is found from the first file.
    drop : bool
        Whether rows with a missing cell are left out; else they are an error of the fit.
    """

    pattern: str
    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    encoding: str | None = None
    drop: bool = False

    def frame(self, columns: Sequence[str] | None = None, floats: Sequence[str] = ()) -> Any:
        """Return a dask data frame of these columns; `floats` are read as such, or are an error."""
        try:
            import dask.dataframe as dd
            import pandas
            from pyarrow.parquet import read_schema
        except ImportError as error:
            raise ArgumentError(
                "dask", "needs pandas and pyarrow for tables: pip install 'dask[dataframe]'"
            ) from error
        columns = None if columns is None else list(columns)
        paths = paths_of(self.pattern)
        if is_parquet(self.pattern):
            _check(paths, columns, lambda path: read_schema(path).names)
            table = dd.read_parquet(paths, columns=columns)
            table = table.astype(dict.fromkeys(floats, "float64"))
        else:
            mark = Table(
                paths[0], self.delimiter, self.decimal, self.thousands, self.encoding
            ).delimiter
            how = {
                "sep": r"\s+" if mark == " " else mark,
                "encoding": self.encoding or "utf-8",
                "skipinitialspace": True,
                "na_values": sorted(
                    {form(cell) for cell in MISSING for form in (str, str.upper, str.capitalize)}
                ),
            }
            _check(paths, columns, lambda path: list(pandas.read_csv(path, nrows=0, **how)))
            table = dd.read_csv(
                paths,
                decimal=self.decimal,
                thousands=self.thousands,
                usecols=columns,
                dtype=dict.fromkeys(floats, "float64"),
                **how,
            )
            table = table.map_partitions(_as_cells)
        return table.dropna() if self.drop else table

    def require(self, present: Sequence[str], wanted: Sequence[str], option: str) -> None:
        """Raise ValueError for a column that is not there."""
        for name in wanted:
            if name not in present:
                raise ValueError(
                    f"{self.pattern} has no column {name!r}, which {option} names; it has "
                    f"{count(len(present), 'column')}: {', '.join(map(str, present[:20]))}"
                )


def _as_cells(table: Any) -> Any:
    """Return a chunk whose text is as `ggn.io.table.Table` takes cells: no spaces, missing ones."""
    for name, column in table.items():
        if column.dtype == object or column.dtype.name.startswith("str"):
            cells = column.map(_cell, na_action="ignore").astype(column.dtype)
            table = table.assign(**{name: cells})
    return table


def _cell(cell: Any) -> Any:
    text = cell.strip() if isinstance(cell, str) else cell
    return None if isinstance(text, str) and text.lower() in MISSING else text


def _check(
    paths: list[str], wanted: Sequence[str] | None, names: Callable[[str], list[str]]
) -> None:
    """Raise ValueError for a file without a column of the first; a worker would not name it."""
    for path in paths[1:] if wanted else ():
        has = names(path)
        for name in wanted or ():
            if name not in has:
                raise ValueError(
                    f"{path} has no column {name!r}, which {paths[0]} has; it has "
                    f"{count(len(has), 'column')}: {', '.join(map(str, has[:20]))}"
                )
