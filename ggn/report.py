"""What a person sees of a fit in a terminal: a line while it runs, a table when it is done."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import numpy as np

__all__ = ["Progress", "fields", "scores", "shorten"]

WIDTH = 80


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
        self.stream = stream if stream is not None and stream.isatty() else None
        self.detail = detail
        self._next = 0.0
        self._shown = 0

    def __call__(self, intermediate_result: Any) -> None:
        """Show the iterate, if it is time to."""
        started = time.monotonic()
        if self.stream is None or started < self._next:
            return
        state = intermediate_result
        text = f"iteration {state.nit}  loss {state.fun:.6g}"
        if self.detail is not None:
            text += f"  {self.detail(state.w)}"
        if state.damping > 0.0:
            text += f"  damping {state.damping:.1e}"
        self._write(text)
        now = time.monotonic()
        # with much data the detail takes time: at most a twentieth of the run
        self._next = now + max(self.INTERVAL, 20.0 * (now - started))

    def close(self) -> None:
        """Wipe the line."""
        if self.stream is not None and self._shown:
            self._write("")
            self.stream.write("\r")
            self.stream.flush()

    def _write(self, text: str) -> None:
        assert self.stream is not None
        try:
            width = os.get_terminal_size(self.stream.fileno()).columns or WIDTH
        except (OSError, ValueError):
            width = WIDTH
        text = text[: width - 1]  # a full last column would wrap
        # two more for the ^C that a terminal echoes
        self.stream.write("\r" + text.ljust(min(self._shown + 2, width - 1)))
        self.stream.flush()
        self._shown = len(text)


def fields(rows: Sequence[tuple[str, str]]) -> str:
    """Return labels and their texts, aligned and wrapped.

    Examples
    --------
    >>> print(fields([("network", "2-20-1"), ("run", "8 iterations")]))
    network     2-20-1
    run         8 iterations
    """
    lines = []
    for label, text in rows:
        wrapped = textwrap.wrap(text, WIDTH - 12, break_long_words=False, break_on_hyphens=False)
        first, *more = wrapped or [""]
        lines += [f"{label:<12}{first}", *(" " * 12 + line for line in more)]
    return "\n".join(lines)


def scores(
    names: Sequence[str],
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray] | None,
) -> str:
    """Return a table of RMSE and R2 for each target.

    Parameters
    ----------
    names : sequence of str
    train, validation : pair of ndarray, (nL,)
        RMSE and R2.

    Examples
    --------
    >>> print(scores(["y"], ([0.5], [0.9]), ([1.0], [float("nan")])))
    target           train RMSE   train R2   validation RMSE   validation R2
    y                       0.5   0.900000                 1               -
    """
    lines = [f"{'target':<14}{'train RMSE':>13}{'train R2':>11}"]
    if validation is not None:
        lines[0] += f"{'validation RMSE':>18}{'validation R2':>16}"
    for i, name in enumerate(names):
        line = f"{shorten(name, 13):<14}{train[0][i]:>13.5g}{_r2(train[1][i]):>11}"
        if validation is not None:
            line += f"{validation[0][i]:>18.5g}{_r2(validation[1][i]):>16}"
        lines.append(line)
    return "\n".join(lines)


def shorten(text: str, width: int) -> str:
    """Return the text on one line, cut with an ellipsis if it is longer than width."""
    text = " ".join(text.split())
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."


def _r2(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.6f}" if value > -100.0 else f"{value:.3g}"
