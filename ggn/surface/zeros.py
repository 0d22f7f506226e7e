"""Where a function of one real number is 0, or rounding makes it so.

A change of sign, or a zero with values other than 0 on both sides, is a zero.  Where f is 0
over a range, its size at the range's edge tells: a jump to 0 is a zero, a descent into
rounding (underflow, or 1 - tanh² = 0) is not.  Searched is |t| <= 1e150, on a grid that
grows with |t|: zeros closer together than that are missed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

__all__ = ["Zeros", "zeros"]

_TAIL = np.geomspace(1e-9, 1e150, 1200)
POINTS = np.unique(np.concatenate([-_TAIL, np.linspace(-10.0, 10.0, 1001), _TAIL]))
ROUNDING = 1e-12  # of the function's size near 0: a value below, next to a range of zeros


@dataclass(frozen=True)
class Zeros:
    """What was found.

    Attributes
    ----------
    at : float or None
        A zero, of those found the one nearest to 0.
    low, high : float
        f is numerically 0 for all t <= low and t >= high; -inf and inf where it is not.
    """

    at: float | None
    low: float
    high: float

    @property
    def lost(self) -> float:
        """The least |t| from which f is numerically 0 on some side; inf if on none."""
        return min(-self.low, self.high)


def zeros(f: Callable[[np.ndarray], np.ndarray]) -> Zeros:
    """Search f, which maps an array to one of its shape.

    Examples
    --------
    >>> import numpy as np
    >>> round(zeros(np.cos).at, 12), zeros(lambda t: np.exp(-t * t)).at
    (-1.570796326795, None)
    >>> print(f"{zeros(lambda t: np.exp(-t * t)).lost:.1f}")
    27.3
    """

    def value(t: float) -> float:
        return float(f(np.array([t]))[0])

    with np.errstate(all="ignore"):
        values = np.asarray(f(POINTS))
        finite = ~np.isnan(values)
        t, values = POINTS[finite], values[finite]
        found: list[float] = []
        low, high = -inf, inf
        if not values.any():
            return Zeros(0.0, low, high)
        signs = np.sign(values)
        kept = np.flatnonzero(signs)
        changes = np.flatnonzero(signs[kept[1:]] != signs[kept[:-1]])
        if changes.size:
            a, b = kept[changes], kept[changes + 1]
            first = int(np.argmin(np.minimum(np.abs(t[a]), np.abs(t[b]))))  # next to 0
            sign = signs[b[first]]
            found.append(_edge(lambda s: np.sign(value(s)) == sign, t[a[first]], t[b[first]])[1])
        size = float(np.abs(values[(np.abs(t) <= 1.0) & np.isfinite(values)]).max(initial=0.0))
        for start, stop in _runs(signs == 0.0):
            if stop - start == 1 and 0 < start and stop < len(t):
                found.append(float(t[start]))
                continue
            for outside, inside in ((start - 1, start), (stop, stop - 1)):
                if not 0 <= outside < len(t):
                    continue
                edge, zero = _edge(lambda s: value(s) == 0.0, t[outside], t[inside])
                if abs(value(edge)) > ROUNDING * size:
                    found.append(zero)
                elif start == 0 and outside == stop:
                    low = zero
                elif stop == len(t) and inside == start:
                    high = zero
    return Zeros(min(found, key=abs, default=None), low, high)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return [start, stop) of each run of True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]


def _edge(test: Callable[[float], bool], a: float, b: float) -> tuple[float, float]:
    """Return neighbours between a, where the test fails, and b, where it is passed."""
    while True:
        middle = 0.5 * (a + b)
        if middle in (a, b):
            return float(a), float(b)
        a, b = (a, middle) if test(middle) else (middle, b)
