"""Columns of data frames, by name: of pandas, of polars, of whatever has `columns`.

Frames that follow the first one must have its columns, in any order.  0, 1, 2, ... are what
pandas calls columns that nobody named: beside names they are taken as they come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.validation.errors import ArgumentError

__all__ = ["OF_FIT", "arranged", "names_of", "shared"]

OF_FIT = "the data of the fit have"  # the columns that others must have, too
MOST = 20  # names in a sentence


def names_of(A: Any) -> list[Any] | None:
    """Return the names of a data frame's columns, or a series' own, and None of anything else."""
    if isinstance(A, type):
        return None
    if getattr(A, "ndim", None) == 1 and hasattr(A, "to_frame"):
        name = getattr(A, "name", None)
        return [name] if isinstance(name, str) and name else None
    if not hasattr(A, "columns"):
        return None
    try:
        names = list(A.columns)
    except TypeError:
        return None
    known = all(isinstance(name, (str, int, np.integer, tuple)) for name in names)
    return names if names and known else None


def arranged(name: str, A: Any, wanted: Sequence[Any] | None, of: str) -> Any:
    """Return a data frame with the columns of these names, in this order; else A as it is."""
    own = names_of(A)
    if own is None or getattr(A, "ndim", 2) == 1:  # a series is one column, whatever it is called
        return A
    order = shared(name, own, wanted, of)
    return A if order == own else A[order]


def shared(name: str, own: list[Any], wanted: Sequence[Any] | None, of: str) -> list[Any]:
    """Return the order in which to take columns of a frame that has its own names.

    Parameters
    ----------
    name : str
        The argument, for errors.
    own : list
    wanted : sequence, optional
        Names, as `names_of` gives them; None where there are none.
    of : str
        Who has them, in words: "the first chunk has".

    Raises
    ------
    ValueError
        For other names, or one twice.

    Examples
    --------
    >>> shared("X", ["b", "a"], ["a", "b"], "the first has")
    ['a', 'b']
    """
    if wanted is None or own == list(wanted):
        return own
    if len(own) == len(wanted) == len(set(own)) and set(own) == set(wanted):
        return list(wanted)
    if any(names == list(range(len(names))) for names in (own, list(wanted))):
        return own
    raise ArgumentError(name, f"must have the columns {_said(wanted)}, as {of}, got {_said(own)}")


def _said(names: Sequence[Any]) -> str:
    more = ", ..." if len(names) > MOST else ""
    return ", ".join(map(str, names[:MOST])) + more
