"""A model's columns: their names and units, and where they are in a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.validation import describe, items, names_of, vector

__all__ = ["by_name", "names", "of_data", "of_frames", "units"]


def by_name(X: Any, columns: Sequence[str], argument: str = "X") -> Any:
    """Return the columns of these names of a data frame, and anything else as it is."""
    known = getattr(X, "columns", None)
    if known is None or not any(name in known for name in columns):
        return X
    missing = [name for name in columns if name not in known]
    if missing:
        raise ValueError(
            f"{argument} must have the columns {', '.join(columns)}, "
            f"got none named {', '.join(missing)}"
        )
    return X[list(columns)]


def of_frames(columns: Sequence[Sequence[Any] | None]) -> dict[str, tuple[str, ...]]:
    """Return names of inputs and of targets as a Model takes them, where data frames have such.

    Examples
    --------
    >>> of_frames((["force", "speed"], [0]))
    {'input_names': ('force', 'speed')}
    """
    found = {}
    for argument, given in zip(("input_names", "target_names"), columns, strict=True):
        text = given is not None and all(isinstance(name, str) and name for name in given)
        if given is not None and text and len(set(given)) == len(given):
            found[argument] = tuple(given)
    return found


def of_data(X: Any, Y: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of inputs and of targets of data, where these are frames or series."""
    return of_frames((names_of(X), names_of(Y)))


def names(argument: str, given: Any, count: int, letter: str) -> tuple[str, ...]:
    """Return names, one each; by default x1, x2, ... of the letter x."""
    if given is None:
        return tuple(f"{letter}{i + 1}" for i in range(count))
    result = tuple(items(argument, given, f"{count} names"))
    if len(result) != count or not all(isinstance(n, str) and n for n in result):
        raise ValueError(f"{argument} must be {count} names, got {describe(result)}")
    if len(set(result)) != count:
        raise ValueError(f"{argument} must be distinct, got {describe(result)}")
    return result


def units(argument: str, value: Any, count: int, default: float) -> np.ndarray:
    """Return means, or scales, which are positive, one for each column."""
    if value is None:
        return np.full(count, default)
    array = vector(argument, value, count, "one number per column").copy()
    if argument.endswith("scale") and not (array > 0.0).all():
        raise ValueError(f"{argument} must be positive, got {array.min()}")
    return array
