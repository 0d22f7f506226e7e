"""The parser of the command line, whose errors are one sentence, and its numbers.

Text that is no number is left as it is, to the check of the option, which words the error.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NoReturn

__all__ = ["Parser", "UsageError", "decimal", "whole"]


class UsageError(ValueError):
    """A command line that cannot be understood."""


class Parser(argparse.ArgumentParser):
    """A parser that raises what it finds wrong, instead of printing its usage as well."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False, exit_on_error=False)

    def error(self, message: str) -> NoReturn:
        """Raise the error."""
        raise UsageError(message)

    def options(self) -> Mapping[str, str]:
        """Return the option of each argument that has one: "max_iter" is "--max-iter"."""
        return {a.dest: a.option_strings[-1] for a in self._actions if a.option_strings}


def usage_text(error: argparse.ArgumentError) -> str:
    """Return what is wrong with an option or an argument."""
    if error.argument_name is None:
        return error.message
    kind = "" if error.argument_name.startswith("-") else "argument "
    return f"{kind}{error.argument_name}: {error.message}"


def decimal(text: str) -> float | str:
    """Return a number, or the text."""
    try:
        return float(text)
    except ValueError:
        return text


def whole(text: str) -> int | str:
    """Return an integer, or the text."""
    try:
        return int(text)
    except ValueError:
        return text
