"""Columns of Parquet files, some rows at a time (pyarrow)."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn.validation import ArgumentError

__all__ = ["batches", "check_columns", "files_of"]


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
                chunk = [np.column_stack([table[n] for n in own]) for own in (inputs, targets)]
                yield (*chunk, *([table[weight]] if weight else []))
