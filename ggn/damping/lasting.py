"""What lives through a run, and goes on in another that begins where it ended.

state = old.state()              at the end of a run, kept by its result
new.resume(state)                at the start of the next, before anything else is asked
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Lasting", "alike", "kind_of", "plain_state"]

NUMBERS = {bool, int, float, str, type(None)}  # that are their own copies
PLAIN = (bool, int, float, str, np.number, np.bool_, np.ndarray, np.random.Generator, type(None))


class Lasting:
    """A rule, a metric, or what prepares the steps of a run; the defaults suit nearly all."""

    def state(self) -> dict[str, Any]:
        """Return what another run needs in order to go on from the end of this one.

        By default all attributes that are numbers, texts, None, arrays or random generators,
        copied; what else there is (a description, data, a log) belongs to this run.
        """
        return plain_state(self)

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of another of this class; by default, set these attributes."""
        for name, value in state.items():
            setattr(self, name, copy.deepcopy(value))


def plain_state(thing: object) -> dict[str, Any]:
    """Return copies of the attributes that are numbers, texts, None, arrays or generators."""
    own = getattr(thing, "__dict__", {})
    return {
        name: value if type(value) in NUMBERS else copy.deepcopy(value)
        for name, value in own.items()
        if isinstance(value, PLAIN)
    }


def kind_of(thing: object) -> tuple[str, dict[str, Any]]:
    """Return the class of a description by its name, and its parameters."""
    cls = type(thing)
    return f"{cls.__module__}.{cls.__qualname__}", plain_state(thing)


def alike(one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]) -> bool:
    """Whether two descriptions are of one class and have the same parameters.

    Examples
    --------
    >>> from ggn.damping import LevenbergMarquardt
    >>> one, other = LevenbergMarquardt(), LevenbergMarquardt(initial=1.0)
    >>> alike(kind_of(one), kind_of(LevenbergMarquardt())), alike(kind_of(one), kind_of(other))
    (True, False)
    """
    (name, values), (other_name, others) = one, other
    if name != other_name or values.keys() != others.keys():
        return False
    return all(np.array_equal(values[key], others[key]) for key in values)
