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
from typing import Any, TypeVar

import numpy as np

from ggn.validation.arrays import float_array, plain, samples, vector, widened
from ggn.validation.errors import ArgumentError, Setting, count, describe, users_line

__all__ = [
    "ArgumentError",
    "Setting",
    "classes_of",
    "count",
    "describe",
    "float_array",
    "generator",
    "instance",
    "integer",
    "key",
    "named",
    "number",
    "plain",
    "samples",
    "spelled",
    "unknown_name",
    "users_line",
    "vector",
    "widened",
]

T = TypeVar("T")


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


def unknown_name(
    argument: str, value: str, known: Iterable[str], answers: Mapping[str, str] | None = None
) -> ArgumentError:
    """Return the error for a name that is not in the list, with an answer or the nearest one."""
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    answer = (answers or {}).get(key(value))
    near = difflib.get_close_matches(str(value).lower(), folded, n=1, cutoff=0.5)
    hint = f"; {answer}" if answer else f"; did you mean {folded[near[0]]!r}?" if near else ""
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


def key(name: Any) -> str:
    """Return what the spellings of a name in several tools have in common.

    Examples
    --------
    >>> key("torch.nn.LeakyReLU()"), key("leaky-relu"), key("leaky_relu")
    ('leakyrelu', 'leakyrelu', 'leakyrelu')
    """
    text = str(name).removesuffix("()").lower().replace("-", "").replace("_", "")
    return text if "(" in text else text.rpartition(".")[2]


def named(
    argument: str,
    value: Any,
    known: Mapping[str, Callable[[], T]],
    kind: type[T],
    aliases: Mapping[str, str] | None = None,
    answers: Mapping[str, str] | None = None,
) -> T:
    """Return what a name stands for, or value itself if it is of the kind.

    Parameters
    ----------
    argument, value
    known : mapping of str to callable
    kind : type
    aliases : mapping of str to str, optional
        The `key` of a name that other tools use, to one that is known.
    answers : mapping of str to str, optional
        The `key` of a name for what we do not have, to what can be done instead.
    """
    if isinstance(value, str):
        if value in known:
            return known[value]()
        own = {key(name): name for name in known}
        name = own.get(key(value)) or (aliases or {}).get(key(value))
        if name is None or name not in known:
            raise unknown_name(argument, value, known, answers)
        return known[name]()
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
