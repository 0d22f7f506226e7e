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

from ggn.validation.arrays import (
    float_array,
    inputs_and_targets,
    plain,
    samples,
    vector,
    widened,
    with_sum,
)
from ggn.validation.errors import ArgumentError, Setting, a_kind, count, describe, users_line
from ggn.validation.frames import OF_FIT, arranged, names_of, shared

__all__ = [
    "LARGEST",
    "NO_NUMBERS",
    "OF_FIT",
    "ArgumentError",
    "Setting",
    "arranged",
    "classes_of",
    "count",
    "describe",
    "flag",
    "float_array",
    "generator",
    "inputs_and_targets",
    "instance",
    "integer",
    "items",
    "key",
    "named",
    "names_of",
    "number",
    "one_of",
    "plain",
    "same_state",
    "samples",
    "shared",
    "spelled",
    "unknown_name",
    "users_line",
    "vector",
    "widened",
    "with_sum",
]

T = TypeVar("T")
LARGEST = 2**63 - 1
SOURCES = (
    int,
    np.integer,
    np.random.Generator,
    np.random.BitGenerator,
    np.random.SeedSequence,
    np.random.RandomState,
)
MOST_SEEDS = 1000  # numbers of one seed
MOST_SPELLED = 100  # characters of a name that are looked at for what was meant
NO_NUMBERS = (
    str,
    bytes,
    bytearray,
    memoryview,
    complex,
    np.complexfloating,
    np.datetime64,
    np.timedelta64,
)


def number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
    word: str = "",
) -> float:
    """Return a finite float in [low, high]; open_low and open_high exclude the ends.

    A word that the caller takes in place of a number is named where there is none.
    """
    try:
        if type(value) is not float and type(value) is not int and _no_number(value):
            raise TypeError
        result = float(value)
    except Exception as error:  # a tensor's, say, that has many numbers
        wanted = f"a number or {word!r}" if word else "a number"
        raise ArgumentError(name, f"must be {wanted}, got {describe(value)}") from error
    inside = low <= result <= high and not (open_low and result == low)
    if not math.isfinite(result) or not inside or (open_high and result == high):
        left = "(" if open_low else "["
        right = "]" if math.isfinite(high) and not open_high else ")"
        raise ArgumentError(
            name, f"must be a number in {left}{low:g}, {high:g}{right}, got {describe(value)}"
        )
    return result


def _no_number(value: Any) -> bool:
    """Whether a value is none, though NumPy may make one of it."""
    kind = str(getattr(getattr(value, "dtype", None), "kind", "i"))
    return isinstance(value, NO_NUMBERS) or getattr(value, "ndim", 0) != 0 or kind in "cmM"


def generator(value: Any) -> np.random.Generator:
    """Return the random generator of a seed, or the generator itself."""
    try:
        if isinstance(value, np.ndarray):
            value = value.tolist() if value.ndim <= 1 and value.size <= MOST_SEEDS else ""
        if isinstance(value, (list, tuple)):
            for part in value[:MOST_SEEDS]:  # before NumPy, which goes into what holds itself
                integer("rng", part, 0, math.inf)
        elif isinstance(value, (bool, np.bool_)):
            raise TypeError
        elif value is not None and not isinstance(value, SOURCES):
            raise TypeError  # before NumPy, which goes through what is without end
        return np.random.default_rng(value)
    except Exception as error:
        raise ArgumentError(
            "rng",
            f"must be a non-negative integer, a numpy Generator or None, got {describe(value)}",
        ) from error


def same_state(rng: np.random.Generator) -> np.random.Generator:
    """Return another generator that draws, and spawns, what this one would.

    As copy.deepcopy does from NumPy 2.0 on; before, it forgets what `spawn` goes by.
    """
    bits = rng.bit_generator
    seeds: Any = bits.seed_seq
    if isinstance(seeds, np.random.SeedSequence):
        seeds = np.random.SeedSequence(**seeds.state)
    made = type(bits)(seeds)
    made.state = bits.state
    return np.random.Generator(made)


def integer(name: str, value: Any, low: int, high: float = LARGEST) -> int:
    """Return an int of at least low, and at most high; floats are not rounded."""
    others = bool, np.bool_, np.timedelta64
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, others)
    if not whole or value < low:
        raise ArgumentError(name, f"must be an integer of at least {low}, got {describe(value)}")
    if value > high:
        raise ArgumentError(name, f"must be an integer of at most {high}, got {describe(value)}")
    return int(value)


def flag(name: str, value: Any) -> bool:
    """Return a bool, which 0 and 1 are too."""
    if not isinstance(value, (bool, np.bool_, int, np.integer)) or value not in (0, 1):
        raise ArgumentError(name, f"must be True or False, got {describe(value)}")
    return bool(value)


def items(name: str, value: Any, must_be: str = "a sequence of numbers") -> list[Any]:
    """Return the things that a sequence, or what can be gone through, holds; text is none."""
    try:
        if isinstance(value, NO_NUMBERS):
            raise TypeError
        return list(value)
    except Exception as error:  # what cannot be gone through, or is longer than memory
        raise ArgumentError(name, f"must be {must_be}, got {describe(value)}") from error


def unknown_name(
    argument: str, value: Any, known: Iterable[str], answers: Mapping[str, str] | None = None
) -> ArgumentError:
    """Return the error for a name that is not in the list, with an answer or the nearest one."""
    names = sorted(known)
    folded = {name.lower(): name for name in names}
    text = value if isinstance(value, str) else ""
    answer = (answers or {}).get(key(text))
    near = difflib.get_close_matches(text[:MOST_SPELLED].lower(), folded, n=1)
    hint = f"; {answer}" if answer else f"; did you mean {folded[near[0]]!r}?" if near else ""
    listed = ", ".join(names[:20]) + (f" ... ({len(names)} in all)" if len(names) > 20 else "")
    return ArgumentError(argument, f"must be one of {listed}, got {describe(value)}{hint}")


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


def one_of(argument: str, value: Any, known: Iterable[str]) -> str:
    """Return value if it is one of these names."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise unknown_name(argument, value, names)
    return value


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
        raise ArgumentError(argument, f"must be a name or {a_kind(kind)}, got {describe(value)}")
    return value


def instance(must_be: str, value: Any, kind: type[T]) -> T:
    """Return value if it is of the kind; the error begins with must_be."""
    if not isinstance(value, kind):
        raise ValueError(f"{must_be} {a_kind(kind)}, got {describe(value)}")
    return value


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
