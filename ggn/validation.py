"""Checks at the public door: one clear sentence per fault, naming the argument.

An error knows the arguments that its sentence names, so that another face, such as the
command line, can name them in its own way.
"""

from __future__ import annotations

import difflib
import importlib
import math
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


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


def float_array(name: str, value: Any, ndim: tuple[int, ...] | None = None) -> np.ndarray:
    """Return value as a C-contiguous float64 array of finite numbers, copied only if needed."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged nesting
        raise ArgumentError(name, f"must be an array of numbers, got {describe(value)}") from error
    if array.dtype == object:
        array = _from_objects(name, value, array)
    if array.dtype.kind not in "fiub":
        raise ArgumentError(name, f"must hold real numbers, got dtype {array.dtype}")
    if ndim is not None and array.ndim not in ndim:
        wanted = " or ".join(f"{n}-D" for n in ndim)
        raise ArgumentError(name, f"must be {wanted}, got an array of shape {array.shape}")
    array = np.ascontiguousarray(array, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()  # finite only if all are; spares a mask of the array's size
    if not np.isfinite(total) and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        index = ", ".join(map(str, where))
        raise ArgumentError(name, f"must be finite, got {array[where]} at {name}[{index}]")
    return array


def _from_objects(name: str, value: Any, array: np.ndarray) -> np.ndarray:
    """Accept object arrays of plain numbers (as pandas makes of nullable columns)."""
    if not all(isinstance(x, (int, float, np.number)) for x in array.ravel()):
        raise ArgumentError(name, f"must hold real numbers, got dtype object ({describe(value)})")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(name, "must hold real numbers, got dtype object") from error


def samples(name: str, value: Any, columns: int) -> np.ndarray:
    """Return (T, columns) float64; a 1-D array is accepted as the one column."""
    array = float_array(name, value, (1, 2))
    if array.ndim == 1:
        if columns != 1:
            raise ArgumentError(
                name, f"must have shape (samples, {columns}), got an array of shape {array.shape}"
            )
        array = array[:, np.newaxis]
    if array.shape[1] != columns:
        raise ArgumentError(
            name, f"must have {columns} columns, got an array of shape {array.shape}"
        )
    return array


def vector(name: str, value: Any, length: int, of: str) -> np.ndarray:
    """Return (length,) float64."""
    array = float_array(name, value, (1,))
    if array.shape != (length,):
        raise ArgumentError(name, f"must have shape ({length},), {of}, got {array.shape}")
    return array


def number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Return a finite float in [low, high]; open_low and open_high exclude the ends."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(name, f"must be a number, got {describe(value)}") from error
    inside = low <= result <= high and not (open_low and result == low)
    if not math.isfinite(result) or not inside or (open_high and result == high):
        left = "(" if open_low else "["
        right = "]" if math.isfinite(high) and not open_high else ")"
        raise ArgumentError(
            name, f"must be a number in {left}{low:g}, {high:g}{right}, got {describe(value)}"
        )
    return result


def generator(value: Any) -> np.random.Generator:
    """Return the random generator of a seed, or the generator itself."""
    try:
        return np.random.default_rng(value)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            "rng",
            f"must be a non-negative integer, a numpy Generator or None, got {describe(value)}",
        ) from error


def integer(name: str, value: Any, low: int) -> int:
    """Return an int of at least low; floats are not rounded."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ArgumentError(name, f"must be an integer of at least {low}, got {describe(value)}")
    if value < low:
        raise ArgumentError(name, f"must be an integer of at least {low}, got {value}")
    return int(value)


def unknown_name(argument: str, value: str, known: Iterable[str]) -> ArgumentError:
    """Return the error for a name that is not in the list, with the nearest one."""
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(str(value).lower(), folded, n=1, cutoff=0.5)
    hint = f"; did you mean {folded[near[0]]!r}?" if near else ""
    listed = ", ".join(names[:20]) + (f" ... ({len(names)} in all)" if len(names) > 20 else "")
    return ArgumentError(argument, f"must be one of {listed}, got {value!r}{hint}")


def spelled(argument: str, value: Any, known: Iterable[str]) -> str:
    """Return the name of the list that value spells, with hyphens or underscores.

    Examples
    --------
    >>> spelled("scheme", "fan-in", ["normal", "fan_in"])
    'fan_in'
    """
    names = {name.replace("-", "_"): name for name in known}
    if isinstance(value, str) and value.replace("-", "_") in names:
        return names[value.replace("-", "_")]
    raise unknown_name(argument, value, names.values())


def named(argument: str, value: Any, known: Mapping[str, Callable[[], Any]], kind: type[T]) -> T:
    """Return what a name stands for, or value itself if it is of the kind."""
    if isinstance(value, str):
        made: T = known[spelled(argument, value, known)]()
        return made
    if not isinstance(value, kind):
        raise ArgumentError(argument, f"must be a name or {_a(kind)}, got {describe(value)}")
    return value


def instance(must_be: str, value: Any, kind: type[T]) -> T:
    """Return value if it is of the kind; the error begins with must_be."""
    if not isinstance(value, kind):
        raise ValueError(f"{must_be} {_a(kind)}, got {describe(value)}")
    return value


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


def classes_of(package: str, base: type[T]) -> dict[str, type[T]]:
    """Return the classes below base that state a `name`, by name, in all modules of a package.

    Called by the package itself, as classes_of(__name__, base), below the classes of its own:
    so a class in it, or a file put into it, is all that a new strategy needs.
    """
    found: dict[str, type[T]] = {}
    home = importlib.import_module(package)
    files = pkgutil.iter_modules(home.__path__)
    for module in [home, *(importlib.import_module(f"{package}.{file.name}") for file in files)]:
        for cls in vars(module).values():
            own = isinstance(cls, type) and cls.__module__ == module.__name__
            if own and issubclass(cls, base) and isinstance(vars(cls).get("name"), str):
                name: str = vars(cls)["name"]
                if found.get(name, cls) is not cls:
                    raise ValueError(f"name must be a class's own, got {name!r} of {cls} again")
                found[name] = cls
    return found


def describe(value: Any) -> str:
    """Return a short description of a value for an error message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:40]}…"


def count(n: int, thing: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{n} {thing}{'' if n == 1 else 's'}"
