"""Types of the command line's numbers.

Text that is no number is left as it is, to the check of the option, which words the error.
"""

from __future__ import annotations

__all__ = ["decimal", "whole"]


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
