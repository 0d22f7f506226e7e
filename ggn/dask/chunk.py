"""A chunk of samples as a worker holds it, and the fault in it if it cannot be used.

It is the result of a task like any other: a worker keeps it as long as somebody wants it, and
makes it again, there or elsewhere, if it is lost.  What is derived from it (the objective, its
scratch memory) is made where it is first asked for, and stays behind when it moves.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.fit.of_sums import SampleUnits
from ggn.linearization.memory import Memory
from ggn.linearization.source import Part
from ggn.validation import ArgumentError, samples

__all__ = ["Chunk", "Form", "Scaled", "fault_of", "first_of", "make_chunk"]


@dataclass(frozen=True)
class Form:
    """What chunks must look like.

    Attributes
    ----------
    n_inputs, n_outputs : int
    inputs, targets : list of str, optional
        Columns by name, of a data frame; None takes them as they come.
    encode : callable, optional
        Turns the targets of a chunk into numbers: classes, say.
    part : callable, optional
        Of (number of the chunk, its samples), which of them are taken, (n,) of bool.
    """

    n_inputs: int
    n_outputs: int
    inputs: Sequence[Any] | None = None
    targets: Sequence[Any] | None = None
    encode: Callable[[Any], Any] | None = None
    part: Callable[[int, int], np.ndarray] | None = None


class Chunk(Part):
    """A part of the samples that can be sent, with the fault in it, if any.

    Attributes
    ----------
    fault : str or None
    lock : Lock
        Held by who uses what is kept: an objective serves one thread at a time.
    """

    def __init__(
        self, number: int, X: Any, Y: Any, weights: Any = None, fault: str | None = None
    ) -> None:
        super().__init__(number, X, Y, weights, _memory())
        self.fault = fault
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Chunk, (self.number, self.X, self.Y, self.weights, self.fault)

    def __sizeof__(self) -> int:
        """Return the bytes that it would take to send, by which tasks are placed."""
        arrays = (self.X, self.Y, self.weights)
        return object.__sizeof__(self) + sum(0 if a is None else a.nbytes for a in arrays)


_SHARED: weakref.WeakValueDictionary[str, Memory] = weakref.WeakValueDictionary()


def _memory() -> Memory:
    """Return the scratch memory of this process, which goes with the last of its chunks."""
    found = _SHARED.get("all")
    if found is None:
        found = _SHARED["all"] = Memory()
    return found


def make_chunk(number: int, X: Any, Y: Any, s: Any, form: Form) -> Chunk:
    """Return the chunk of this number; one that cannot be used is empty, and says why."""
    try:
        return _checked(number, X, Y, s, form)
    except ValueError as error:
        text = str(error)
        return _empty(number, form, text if "chunk" in text else f"in chunk {number}, {text}")


def _empty(number: int, form: Form, fault: str | None = None) -> Chunk:
    return Chunk(number, np.empty((0, form.n_inputs)), np.empty((0, form.n_outputs)), None, fault)


def _checked(number: int, X: Any, Y: Any, s: Any, form: Form) -> Chunk:
    if not len(X) and not len(Y):  # whatever the shape of nothing is
        return _empty(number, form)
    X, Y = _columns("X", X, form.inputs), _columns("Y", Y, form.targets)
    _whole("X", X)
    if form.encode is not None:
        Y = form.encode(Y)
    _whole("Y", Y)
    X, Y = samples("X", X, form.n_inputs), samples("Y", Y, form.n_outputs)
    if s is not None:
        s = np.asarray(s).reshape(-1)
    whole = Chunk(number, X, Y, s)
    if form.part is None:
        return whole
    rows = form.part(number, len(whole))
    weights = None if whole.weights is None else whole.weights[rows]
    return Chunk(number, whole.X[rows], whole.Y[rows], weights)


def _columns(name: str, A: Any, wanted: Sequence[Any] | None) -> Any:
    """Return the columns of a frame in the order that the collection has them, by name."""
    if wanted is None or not hasattr(A, "columns"):
        return A
    present = list(A.columns)
    for column in wanted:
        if present.count(column) != 1:
            seen = present.count(column) or "none"
            raise ArgumentError(name, f"must have one column {column!r}, got {seen}")
    return A if present == list(wanted) else A[list(wanted)]


def _whole(name: str, A: Any) -> None:
    """Raise ValueError for a frame in which a cell is missing, with the name of its column."""
    if not hasattr(A, "columns"):
        return
    missing = np.argwhere(A.isna().to_numpy())
    if len(missing):
        row, column = missing[0]
        raise ArgumentError(
            name,
            f"must have no missing cells, got one in column {A.columns[column]!r} at row {row}",
        )


@dataclass(frozen=True)
class Scaled:
    """A task that gives a chunk in other units."""

    units: SampleUnits

    def __call__(self, chunk: Chunk) -> Chunk:
        return Chunk(chunk.number, *self.units.scaled(chunk.X, chunk.Y), chunk.weights, chunk.fault)


def fault_of(chunk: Part) -> str | None:
    """Return what is wrong with a chunk."""
    return getattr(chunk, "fault", None)


def first_of(a: str, b: str) -> str:
    """Return the fault of the earlier chunk."""
    return a
