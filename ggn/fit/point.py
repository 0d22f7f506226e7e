"""Where a training run is, and how it moves: by one store, so Ctrl-C never finds half a step."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ggn.fit.result import History

__all__ = ["Moving", "Point"]


class Point(NamedTuple):
    """The iterate, the best iterate, and the step that led here."""

    w: np.ndarray
    J: float
    best_w: np.ndarray
    best_J: float  # noqa: N815
    # damping, step norm, gain ratio, residual of the step that led here
    arrival: tuple[float, float, float, float] = (math.nan, math.nan, math.nan, math.nan)
    before: np.ndarray | None = None  # the step that led here
    nit: int = 0
    rows: int = 0  # of the history that are written


class Moving:
    """What has a `point`, and the history of those before."""

    def __init__(self, w: np.ndarray) -> None:
        self.point = Point(w, math.inf, w, math.inf)
        self.table = np.empty((1, len(History.FIELDS)))  # whose first rows the point says hold

    @property
    def w(self) -> np.ndarray:
        return self.point.w

    @property
    def J(self) -> float:  # noqa: N802
        return self.point.J

    @property
    def best_w(self) -> np.ndarray:
        return self.point.best_w

    @property
    def best_J(self) -> float:  # noqa: N802
        return self.point.best_J

    @property
    def nit(self) -> int:
        return self.point.nit

    @property
    def before(self) -> np.ndarray | None:
        return self.point.before

    def room(self, count: int) -> np.ndarray:
        """Return rows of the history that are yet to be written, so many at least."""
        held = self.point.rows
        if held + count > len(self.table):
            table = np.empty((2 * held + count, self.table.shape[1]))
            table[:held] = self.table[:held]
            self.table = table
        return self.table[held:]

    def record(self, *rows: tuple[float, ...]) -> None:
        """Append to the history."""
        self.room(len(rows))[: len(rows)] = rows
        self.point = self.point._replace(rows=self.point.rows + len(rows))

    def move(
        self,
        w: np.ndarray,
        J: float,
        arrival: tuple[float, float, float, float],
        d: np.ndarray | None,
        best: bool,
    ) -> None:
        """Go to w, by the step d, all at once."""
        at = self.point
        best_w, best_J = (w, J) if best else (at.best_w, at.best_J)
        self.point = Point(w, J, best_w, best_J, arrival, d, at.nit + 1, at.rows)
