"""Tables in many files as one data frame of chunks: CSV, and Parquet where pyarrow is there."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ggn.io.table import Table
from ggn.validation import ArgumentError, count

__all__ = ["Files"]

PARQUET = (".parquet", ".parq", ".pq")


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

    def paths(self) -> list[str]:
        """Return the files, sorted by name.

        Raises
        ------
        FileNotFoundError
            If there are none.
        """
        found = sorted(glob.glob(self.pattern)) or [self.pattern]
        if not os.path.exists(found[0]):
            raise FileNotFoundError(2, "No such file, or none that fits the pattern", self.pattern)
        return found

    @property
    def parquet(self) -> bool:
        """Whether the files are Parquet."""
        return self.pattern.lower().endswith(PARQUET)

    def frame(self, columns: Sequence[str] | None = None, floats: Sequence[str] = ()) -> Any:
        """Return a dask data frame of these columns; `floats` are read as such, or are an error."""
        try:
            import dask.dataframe as dd
        except ImportError as error:
            raise ArgumentError(
                "dask", "needs pandas and pyarrow for tables: pip install 'dask[dataframe]'"
            ) from error
        columns = None if columns is None else list(columns)
        if self.parquet:
            table = dd.read_parquet(self.paths(), columns=columns)
            table = table.astype(dict.fromkeys(floats, "float64"))
        else:
            mark = Table(
                self.paths()[0], self.delimiter, self.decimal, self.thousands, self.encoding
            ).delimiter
            table = dd.read_csv(
                self.paths(),
                sep=r"\s+" if mark == " " else mark,
                decimal=self.decimal,
                thousands=self.thousands,
                encoding=self.encoding or "utf-8",
                usecols=columns,
                dtype=dict.fromkeys(floats, "float64"),
                skipinitialspace=True,
            )
        return table.dropna() if self.drop else table

    def require(self, present: Sequence[str], wanted: Sequence[str], option: str) -> None:
        """Raise ValueError for a column that is not there."""
        for name in wanted:
            if name not in present:
                raise ValueError(
                    f"{self.pattern} has no column {name!r}, which {option} names; it has "
                    f"{count(len(present), 'column')}: {', '.join(map(str, present[:20]))}"
                )
