"""The error that knows which argument it is about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["ArgumentError", "Setting", "a_kind", "count", "describe", "users_line"]


@dataclass(frozen=True)
class Setting:
    """An argument in a sentence, or an argument and values to give it.

    Examples
    --------
    >>> print(Setting("step", ("dual", "minimum_norm")))
    step='dual' or 'minimum_norm'
    """

    argument: str
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        said = " or ".join(map(repr, self.values))
        return f"{self.argument}={said}" if said else self.argument


class ArgumentError(ValueError):
    """An argument that cannot be used.

    Parameters
    ----------
    argument : str
        Its name.
    *text : str, Setting or other objects
        The rest of the sentence, in pieces: what was expected and what was seen.

    Examples
    --------
    >>> error = ArgumentError("tol", "is too small for ", Setting("step", ("gradient",)))
    >>> print(error)
    tol is too small for step='gradient'
    >>> print(error.worded(lambda piece: f"<{piece}>"))
    <tol> is too small for <step='gradient'>
    """

    def __init__(self, argument: str, *text: Any) -> None:
        super().__init__(argument, *text)  # all of it, or pickles would lose some
        self.argument, self.text = argument, text

    def worded(self, word: Callable[[Any], str]) -> str:
        """Return the sentence, with what is no plain text in the words of another face."""
        pieces = (piece if isinstance(piece, str) else word(piece) for piece in self.text)
        return f"{word(Setting(self.argument))} {''.join(pieces)}"

    def __str__(self) -> str:
        return self.worded(str)


def describe(value: Any) -> str:
    """Return a short description of a value for an error message.

    Of one whose own text cannot be had, or is nested too deep to be, only what it is.
    """
    try:
        text = " ".join(line.strip() for line in repr(value).splitlines())  # of arrays, say
    except Exception:  # whatever the value's own code raises
        return f"{a_kind(type(value))} that cannot be shown"
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:40]}…"


def a_kind(kind: type) -> str:
    """Return the name of a kind of thing with its article."""
    name = kind.__name__
    vowel = name[0] in ("AEFHILMNORSX" if name.isupper() else "AEIOUaeiou")  # an MLP
    return f"{'an' if vowel else 'a'} {name}"


def count(n: int, thing: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{n} {thing}{'' if n == 1 else 's'}"


def users_line() -> int:
    """Return the `stacklevel` at which a warning of the caller's shows the user's line.

    It is that of the first frame outside this package, however deep a run is within it.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_globals.get("__name__", "").partition(".")[0] == "ggn" and frame.f_back:
        level, frame = level + 1, frame.f_back
    return level
