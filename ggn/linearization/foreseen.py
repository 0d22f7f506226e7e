"""Sums that will perhaps be asked for, had before, all together, where asking takes long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Foreseen", "UnforeseenError", "several"]


class UnforeseenError(Exception):
    """A sum that is not known yet, where none may be asked for."""

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        super().__init__(function)
        self.function, self.args = function, args


class _Key(NamedTuple):
    function: Callable[..., Any]
    args: tuple[Any, ...]


def several(objective: Any, calls: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...]) -> Any:
    """Return what each function says of the objective of a part: the sum of each is its own."""
    return tuple(function(objective, *args) for function, args in calls)


class Foreseen:
    """Sums by what they are of.

    Attributes
    ----------
    only : bool
        Whether sums that are not here may not be asked for: `UnforeseenError` is raised.
    """

    def __init__(self) -> None:
        self.only = False
        self._known: dict[_Key, Any] = {}

    def get(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return a sum, or None for one that has to be asked for.

        Raises
        ------
        UnforeseenError
            In place of None, if `only`.
        """
        if not (self.only or self._known):
            return None
        found = self._known.get(_key(function, args))
        if found is None and self.only:
            raise UnforeseenError(function, args)
        return _own(found)

    def keep(self, asked: list[UnforeseenError], sums: tuple[Any, ...]) -> None:
        """Keep these."""
        for one, found in zip(asked, sums, strict=True):
            self._known[_key(one.function, one.args)] = found

    def forget(self) -> None:
        """Forget all."""
        self._known.clear()


def _own(found: Any) -> Any:
    """Return a sum that may be written to."""
    if isinstance(found, tuple):
        return tuple(map(_own, found))
    return found.copy() if isinstance(found, np.ndarray) else found


def _key(function: Callable[..., Any], args: tuple[Any, ...]) -> _Key:
    return _Key(function, tuple(a.tobytes() if isinstance(a, np.ndarray) else a for a in args))
