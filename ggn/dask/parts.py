"""Collections of samples as chunks: X, Y and weights side by side, each chunk where it is.

Arrays are cut along samples only, data frames by partition.  Where sizes of chunks are known and
differ, Y and weights are cut as X is; where they are not known, collections must have as many
chunks, and each is compared on its worker.
"""

from __future__ import annotations

import math
from typing import Any

import dask
import dask.array as da
from dask.delayed import Delayed
from distributed import Client

from ggn.dask.chunk import Form
from ggn.validation import OF_FIT, ArgumentError, count, shared

__all__ = ["current", "form_of", "frame_columns", "n_chunks", "pieces", "width"]


def current(client: Client | None) -> Client:
    """Return the client, by default the current one.

    Raises
    ------
    ValueError
        If there is none, or it is closed or asynchronous.
    """
    if client is None:
        try:
            from distributed import default_client

            client = default_client()
        except ValueError as error:
            raise ArgumentError(
                "client", "must be given where there is no current one: distributed.Client(...)"
            ) from error
    if not isinstance(client, Client):
        raise ArgumentError(
            "client",
            "must be a distributed.Client, or None for the current one, got "
            f"{type(client).__name__}; it is the first argument",
        )
    if client.asynchronous:
        raise ArgumentError("client", "must not be asynchronous: training waits for each step")
    if client.status != "running":
        raise ArgumentError("client", f"must be running, got one that is {client.status}")
    return client


def is_frame(A: Any) -> bool:
    """Return whether A is a dask data frame."""
    return hasattr(A, "columns") and hasattr(A, "npartitions")


def is_collection(A: Any) -> bool:
    """Return whether A is a dask array, data frame or series."""
    if isinstance(A, Delayed) or not dask.is_dask_collection(A):  # the first has any attribute
        return False
    return isinstance(A, da.Array) or (hasattr(A, "npartitions") and hasattr(A, "ndim"))


def frame_columns(A: Any) -> list[Any] | None:
    """Return the names of a data frame's columns."""
    return list(A.columns) if is_frame(A) and A.ndim == 2 else None


def width(A: Any) -> int:
    """Return the number of columns."""
    if A.ndim == 1:
        return 1
    return len(A.columns) if is_frame(A) else int(A.shape[1])


def n_chunks(A: Any) -> int:
    """Return the number of chunks."""
    return int(A.numblocks[0] if isinstance(A, da.Array) else A.npartitions)


def form_of(
    X: Any,
    Y: Any,
    n_inputs: int,
    n_outputs: int,
    encode: Any = None,
    part: Any = None,
    like: Form | None = None,
) -> Form:
    """Return what chunks must look like, if the collections can be used at all.

    Columns of data frames are those of `like`, where that has frames, in its order.
    """
    for name, A, wanted in (("X", X, n_inputs), ("Y", Y, 1 if encode else n_outputs)):
        if not is_collection(A):
            advice = "what fits this machine's memory is for ggn.train"
            if isinstance(A, Delayed):
                advice = "dask.array.from_delayed makes one of it"
            raise ArgumentError(
                name, f"must be a dask array or data frame, got {type(A).__name__}; {advice}"
            )
        if A.ndim not in (1, 2):
            raise ArgumentError(name, f"must be 1-D or 2-D, got {A.ndim} dimensions")
        if width(A) != wanted:
            raise ArgumentError(name, f"must have {count(wanted, 'column')}, got {width(A)}")
    inputs, targets = frame_columns(X), frame_columns(Y)
    if like is not None:
        inputs = inputs and shared("X", inputs, like.inputs, OF_FIT)
        targets = targets and shared("Y", targets, like.targets, OF_FIT)
    return Form(n_inputs, n_outputs, inputs, targets, encode, part)


def pieces(X: Any, Y: Any, sample_weight: Any = None) -> list[tuple[Any, ...]]:
    """Return (X, Y) or (X, Y, sample_weight) of each chunk, as delayed objects."""
    given = [("X", X), ("Y", Y)]
    if sample_weight is not None:
        if not is_collection(sample_weight) or sample_weight.ndim != 1:
            raise ArgumentError(
                "sample_weight",
                f"must be a dask array or series, 1-D, got {type(sample_weight).__name__}",
            )
        given.append(("sample_weight", sample_weight))
    first = _whole_rows(X)
    sizes = _sizes(first)
    columns = [_delayed(first)]
    for name, A in given[1:]:
        A = _whole_rows(A)
        own = _sizes(A)
        if sizes is not None and own is not None and sum(sizes) != sum(own):
            raise ValueError(
                f"X and {name} must have as many rows, got {sum(sizes)} and {sum(own)}"
            )
        if sizes is not None and own is not None and own != sizes:
            A = A.rechunk({0: sizes})
        elif len(_delayed(A)) != len(columns[0]):
            raise ArgumentError(
                name,
                f"must have as many chunks as X, got {len(_delayed(A))} and {len(columns[0])}, of "
                "sizes that are not all known: repartition, or call compute_chunk_sizes()",
            )
        columns.append(_delayed(A))
    return list(zip(*columns, strict=True))


def _whole_rows(A: Any) -> Any:
    """Return A with rows that no cut divides."""
    if isinstance(A, da.Array) and A.ndim == 2 and A.numblocks[1] > 1:
        return A.rechunk({1: -1})
    return A


def _sizes(A: Any) -> tuple[int, ...] | None:
    """Return the samples of each chunk, where they are known."""
    if not isinstance(A, da.Array) or any(math.isnan(n) for n in A.chunks[0]):
        return None
    return tuple(int(n) for n in A.chunks[0])


def _delayed(A: Any) -> list[Any]:
    # optimised each by itself, what X and Y have in common would be two things of one name, and
    # of one table other partitions be read for each
    found = A.to_delayed(optimize_graph=False)
    return list(found.ravel()) if isinstance(A, da.Array) else list(found)
