"""Columns of Parquet files, some rows at a time (pyarrow)."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ggn.io.numerals import LEFT_OUT
from ggn.io.rows import CellError, Rows
from ggn.validation import ArgumentError, count, describe

__all__ = ["ParquetTable", "batches", "check_columns", "files_of"]

ROWS = 65536  # read at a time


def files_of(paths: Any) -> list[str]:
    """Return the files of a path, a pattern, or a sequence of paths."""
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    found: list[str] = []
    for path in (os.fspath(path) for path in given):
        own = sorted(glob.glob(path)) if glob.has_magic(path) else [path]
        if not own:
            raise ArgumentError("paths", f"must name files, got {path!r}, which none match")
        found += own
    if not found:
        raise ArgumentError("paths", "must name at least one file, got none")
    return found


def check_columns(files: list[str], wanted: list[str]) -> None:
    """Raise ValueError for a file without one of these columns."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Chunks.of_parquet needs the package pyarrow: pip install ggn[parquet]"
        ) from error

    for path in files:
        has = pyarrow.parquet.read_schema(path).names
        missing = [name for name in wanted if name not in has]
        if missing:
            raise ValueError(f"{path} must have a column {missing[0]!r}, got {', '.join(has)}")


class NamedColumns:
    """Numbers (T, n) whose columns have names, which are taken by them as those of a data frame."""

    ndim = 2

    def __init__(self, values: np.ndarray, columns: Sequence[str]) -> None:
        self.values, self.columns, self.shape = values, list(columns), values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)

    def __getitem__(self, names: list[str]) -> NamedColumns:
        return NamedColumns(self.values[:, [self.columns.index(name) for name in names]], names)


def batches(
    files: list[str], wanted: tuple[list[str], list[str], str | None], step: int
) -> Iterator[tuple[Any, ...]]:
    """Yield (X, Y) or (X, Y, weights) of so many rows at a time; wanted: names of their columns."""
    import pyarrow.parquet

    inputs, targets, weight = wanted
    columns = [*inputs, *targets, *([weight] if weight else [])]
    for path in files:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(step, columns=columns):
                table = {
                    name: batch.column(name).to_numpy(zero_copy_only=False) for name in columns
                }
                chunk = [
                    NamedColumns(np.column_stack([table[n] for n in own]), own)
                    for own in (inputs, targets)
                ]
                yield (*chunk, *([table[weight]] if weight else []))


class ParquetTable:
    """A table in a Parquet file, asked for by column as `ggn.io.table.Table` is.

    Parameters
    ----------
    path : str
    missing : {"refuse", "drop"}, default "refuse"
        As of a `Table`: a null or NaN is a missing cell.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is no Parquet; without pyarrow, which says so.
    """

    def __init__(self, path: str, missing: str = "refuse") -> None:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise ValueError(
                f"{path} needs the package pyarrow: pip install ggn[parquet]"
            ) from error
        self.path, self._drop = path, missing == "drop"
        try:
            self.names = tuple(pyarrow.parquet.read_schema(path).names)
        except pyarrow.ArrowInvalid as error:
            raise ValueError(f"{path} is not a Parquet file: {error}") from error

    def columns(self, without: Iterable[str] = ()) -> list[str]:
        """Return the names of all columns but some."""
        left = set(without)
        return [name for name in self.names if name not in left]

    def require(self, columns: Iterable[str], reason: str = "") -> None:
        """Raise ValueError if there is not one column of each of these names."""
        for name in columns:
            n = self.names.count(name)
            if n != 1:
                raise ValueError(
                    f"{self.path} has {n or 'no'} column{'s' * (n > 1)} {describe(name)}"
                    f"{', ' if reason else ''}{reason}; it has "
                    f"{count(len(self.names), 'column')}: {', '.join(self.names[:20])}"
                )

    def hint(self) -> str:
        """Return nothing: its columns are told apart."""
        return ""

    def understood(self) -> str:
        """Return nothing: there is one way to read it."""
        return ""

    def blocks(
        self, columns: Sequence[str], text: Sequence[str] = (), labels: Sequence[str] = ()
    ) -> Iterator[Rows]:
        """Yield some rows at a time: columns as floats, others as text, as `Table.rows` does.

        Raises
        ------
        ValueError
            For a column that is not there, and a cell that is no number, not finite, or
            missing where it may not be (`CellError`).
        """
        import pyarrow.parquet

        self.require([*columns, *text, *labels])
        start, used = 0, [*dict.fromkeys([*columns, *text, *labels])]
        with pyarrow.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(ROWS, columns=used):
                values = np.empty((batch.num_rows, len(columns)))
                for i, name in enumerate(columns):
                    values[:, i] = self._numbers(name, batch.column(name))
                cells, more = (
                    [batch.column(name).cast("string").to_pylist() for name in names]
                    for names in (labels, text)
                )
                there = np.empty((len(values), len(columns) + len(labels)), dtype=bool)
                there[:, : len(columns)] = ~np.isnan(values)
                for i, column in enumerate(cells, len(columns)):
                    there[:, i] = [cell is not None for cell in column]
                kept = np.logical_and.reduce(there, axis=1)
                if not (self._drop or kept.all()):
                    missing = f"the cell is missing; {LEFT_OUT}"
                    raise self._fault([*columns, *labels], ~there, start, missing)
                far = np.isinf(values) & kept[:, np.newaxis]
                if far.any():
                    raise self._fault(columns, far, start, "the number is not finite")
                some = [
                    [c or "" for c, k in zip(column, kept, strict=True) if k]
                    for column in (*more, *cells)
                ]
                yield Rows(values[kept], some, int(len(kept) - kept.sum()))
                start += batch.num_rows

    def _numbers(self, name: str, column: Any) -> Any:
        """Return a column's numbers, NaN for a null."""
        from pyarrow import types

        kind = column.type
        known = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
        if not any(is_it(kind) for is_it in known):
            raise CellError(
                f"{self.path}, column {describe(name)}: {kind} is not a kind of numbers", name
            )
        return column.cast("float64", safe=False).to_numpy(zero_copy_only=False)

    def _fault(self, names: Sequence[str], wrong: np.ndarray, start: int, fault: str) -> CellError:
        """Return what is wrong with the first of some cells, (rows, names)."""
        row, i = divmod(int(np.argmax(wrong)), len(names))
        where = f"{self.path}, row {start + row}, column {describe(names[i])}"
        return CellError(f"{where}: {fault}", names[i])
