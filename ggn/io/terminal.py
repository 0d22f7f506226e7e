"""A line of a terminal that is written over while something runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, TextIO

import numpy as np

__all__ = ["Progress", "StatusLine", "visible"]

WIDTH = 80


def visible(text: str) -> str:
    r"""Return a text with an escape in place of each character that would act on a terminal.

    Among these are ends of lines, control characters, and marks that turn the
    direction of writing.

    Examples
    --------
    >>> print(visible("größe\x1b[2J"))
    größe\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class StatusLine:
    """One line of a terminal that is written over.

    Parameters
    ----------
    stream : text stream
        Nothing is written unless it is a terminal.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.stream = stream if stream is not None and stream.isatty() else None
        self._shown = 0

    def show(self, text: str) -> None:
        """Replace the line, cut to the terminal's width."""
        if self.stream is None:
            return
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or WIDTH
        except (OSError, ValueError):
            width = WIDTH
        text = text[: width - 1]  # a full last column would wrap
        # two more for the ^C that a terminal echoes
        self.stream.write("\r" + text.ljust(min(self._shown + 2, width - 1)))
        self.stream.flush()
        self._shown = len(text)

    def close(self) -> None:
        """Wipe the line."""
        if self.stream is not None and self._shown:
            self.show("")
            self.stream.write("\r")
            self.stream.flush()


class Progress:
    """A callback that keeps one line of a terminal up to date.

    Parameters
    ----------
    stream : text stream
        Nothing is written unless it is a terminal.
    detail : callable, optional
        Text to add, from the current weights.
    """

    INTERVAL = 0.1  # seconds; no faster than can be read

    def __init__(
        self, stream: TextIO | None, detail: Callable[[np.ndarray], str] | None = None
    ) -> None:
        self._line = StatusLine(stream)
        self.detail = detail
        self._next = 0.0

    def __call__(self, intermediate_result: Any) -> None:
        """Show the iterate, if it is time to."""
        started = time.monotonic()
        if self._line.stream is None or started < self._next:
            return
        state = intermediate_result
        text = f"iteration {state.nit}  loss {state.fun:.6g}"
        if self.detail is not None:
            text += f"  {self.detail(state.w)}"
        if state.damping > 0.0:
            text += f"  damping {state.damping:.1e}"
        self._line.show(text)
        now = time.monotonic()
        # with much data the detail takes time: at most a twentieth of the run
        self._next = now + max(self.INTERVAL, 20.0 * (now - started))

    def close(self) -> None:
        """Wipe the line."""
        self._line.close()
