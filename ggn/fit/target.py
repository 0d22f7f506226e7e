"""What is approximated, in units of its own: a function on a box, or samples.

    z = (x - middle) / half     of the box, so that -1 <= z <= 1
    u = (y - middle) / half     of the values, so that errors of u are relative to half the range

Nodes of a function are denser towards the faces of the box, as Chebyshev's are, or the error
between them would grow there; in one dimension half of them may follow |dy/dx|.  Points to
measure errors at are drawn at random, apart from all nodes.  Of samples, every fifth is kept
back: half of those to decide by, half to report the error on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from ggn.io.scaling import minmax_units
from ggn.validation import ArgumentError, count, describe, float_array

__all__ = ["FunctionTarget", "Points", "SampledTarget", "Target", "target_of"]

Points = tuple[np.ndarray, np.ndarray]  # z (T, d) and u (T,), or x and y

MOST_INPUTS = 3
GRID = 4001  # points at which a function of one variable is looked at for steep places
STEEP = 0.5  # share of nodes that follow |dy/dx|, where any do
FEWEST = 20  # samples
GOLDEN = {1: 1.618033988749895, 2: 1.324717957244746, 3: 1.2207440846057596}


class Target(ABC):
    """A function of d variables, -1 <= z <= 1, with values of half-range one."""

    x_middle: np.ndarray
    x_half: np.ndarray
    y_middle: float
    y_half: float
    evaluations: int = 0
    capacity: float = np.inf  # nodes that there are

    @property
    def d(self) -> int:
        """The number of variables."""
        return len(self.x_middle)

    @property
    def rounding(self) -> float:
        """How far rounding alone moves the values, in their own units."""
        return float(np.finfo(float).eps) * (abs(self.y_middle) + self.y_half) / self.y_half

    @abstractmethod
    def nodes(self, number: int, steep: bool, rng: np.random.Generator) -> Points:
        """Return about as many points to fit at."""

    @abstractmethod
    def watched(self, number: int, rng: np.random.Generator) -> Points:
        """Return points to decide by."""

    @abstractmethod
    def fresh(self, number: int, rng: np.random.Generator) -> Points:
        """Return points that nothing has been decided by, in the units of the data."""

    @abstractmethod
    def _profile(self) -> Points:
        """Return z and u in the order of z, of one variable."""

    def density(self, steep: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return z (n,) and how much of the nodes lies below it, of one variable."""
        if not steep:
            z = np.linspace(-1.0, 1.0, GRID)
            return z, _spread_evenly(z)
        at, u = self._profile()
        z, which = np.unique(at[:, 0], return_index=True)
        length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(u[which])))])
        share = STEEP if length[-1] > 0.0 else 0.0
        below = (1.0 - share) * _spread_evenly(z) + share * length / (length[-1] or 1.0)
        return z, (below - below[0]) / (below[-1] - below[0])

    def raw(self, z: np.ndarray) -> tuple[float, ...]:
        """Return one point in the units of the inputs."""
        return tuple(float(x) for x in self.x_middle + self.x_half * z)


def _spread_evenly(z: np.ndarray) -> np.ndarray:
    """Return the distribution function of nodes: half Chebyshev's, half uniform."""
    return 0.5 * np.arccos(-np.clip(z, -1.0, 1.0)) / np.pi + 0.25 * (z + 1.0)


class FunctionTarget(Target):
    """A function on a box."""

    def __init__(self, f: Callable[..., Any], low: np.ndarray, high: np.ndarray) -> None:
        self.x_middle, self.x_half = 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low
        self.f, self._ends = f, (low, high)
        self.pointwise = self._is_pointwise()
        self.y_middle, self.y_half = 0.0, 1.0
        z = 1.0 - 2.0 * quasi_random(GRID, self.d)
        at = np.vstack([np.linspace(-1.0, 1.0, GRID)[:, np.newaxis] * np.ones(self.d), z])
        self._grid = at, self(at)[1]
        middle, half = minmax_units(self._grid[1][:, np.newaxis])
        self.y_middle, self.y_half = float(middle[0]), float(half[0])
        self._grid = at, (self._grid[1] - self.y_middle) / self.y_half

    def __call__(self, Z: np.ndarray) -> Points:
        """Return points with their values, both in units of their own."""
        X, y = self._at(Z)
        # z of the x that there is in double precision, as the model will have it
        return (X - self.x_middle) / self.x_half, (y - self.y_middle) / self.y_half

    def _at(self, Z: np.ndarray) -> Points:
        X = np.clip(self.x_middle + self.x_half * Z, *self._ends)
        y = self._values(X, self.pointwise)
        wrong = np.flatnonzero(~np.isfinite(y))
        if len(wrong):
            at = ", ".join(f"{x:.6g}" for x in X[wrong[0]])
            raise ValueError(f"f must be finite in the box, got {y[wrong[0]]} at ({at})")
        self.evaluations += len(y)
        return X, y

    def _values(self, X: np.ndarray, pointwise: bool) -> np.ndarray:
        with np.errstate(all="ignore"):
            if pointwise:
                value: Any = [self.f(*(float(x) for x in row)) for row in X]
            else:
                value = self.f(*X.T.copy())
        y = np.asarray(value)
        if y.dtype.kind not in "fiub":
            raise ArgumentError("f", f"must return real numbers, got dtype {y.dtype}")
        if y.shape not in ((), (len(X),)):
            raise ArgumentError(
                "f", f"must return one number per point, got shape {y.shape} for {len(X)} points"
            )
        return np.broadcast_to(y.astype(np.float64), len(X)).copy()

    def _is_pointwise(self) -> bool:
        """Whether f is to be called point by point: it fails on arrays, or mixes their entries."""
        X = self.x_middle + self.x_half * (1.0 - 2.0 * quasi_random(3, self.d))
        try:
            together = self._values(X, False)
        except Exception as error:
            try:
                self._values(X, True)
            except Exception:
                if isinstance(error, ArgumentError):
                    raise error from None
                raise ValueError(
                    f"f must take {count(self.d, 'argument')}, arrays or numbers, "
                    f"got {type(error).__name__}: {error}"
                ) from error
            return True
        try:
            apart = self._values(X, True)
        except Exception:
            return False
        return not np.allclose(together, apart, rtol=1e-6, atol=0.0, equal_nan=True)

    def nodes(self, number: int, steep: bool, rng: np.random.Generator) -> Points:
        if self.d > 1:
            return self(-np.cos(np.pi * quasi_random(number, self.d, rng)))
        z, below = self.density(steep)
        return self(np.interp((np.arange(number) + 0.5) / number, below, z)[:, np.newaxis])

    def watched(self, number: int, rng: np.random.Generator) -> Points:
        return self(self._random(number, rng))

    def fresh(self, number: int, rng: np.random.Generator) -> Points:
        return self._at(self._random(number, rng))

    def _random(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Return z: a half evenly, a half near the faces or where it is steep, and the corners."""
        even = rng.uniform(-1.0, 1.0, (number // 2, self.d))
        other = np.cos(np.pi * rng.random((number - number // 2, self.d)))
        if self.d == 1:
            z, below = self.density(True)
            other[::2, 0] = np.interp(rng.random(len(other[::2])), below, z)
        corners = np.stack(np.meshgrid(*[[-1.0, 1.0]] * self.d), axis=-1).reshape(-1, self.d)
        return np.vstack([even, other, corners])

    def _profile(self) -> Points:
        return self._grid[0][:GRID], self._grid[1][:GRID]


class SampledTarget(Target):
    """Samples of a function."""

    def __init__(
        self, X: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray, seed: Any
    ) -> None:
        self.x_middle, self.x_half = 0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low
        middle, half = minmax_units(y[:, np.newaxis])
        self.y_middle, self.y_half = float(middle[0]), float(half[0])
        Z, u = (X - self.x_middle) / self.x_half, (y - self.y_middle) / self.y_half
        order = seed.permutation(len(X))
        # what is outermost is kept: the error is to be that between nodes
        outermost = np.unique(np.concatenate([X.argmin(axis=0), X.argmax(axis=0)]))
        order = order[~np.isin(order, outermost)]
        back = order[: len(X) // 5]
        kept = np.setdiff1d(np.arange(len(X)), back)
        self._kept, self._watched = ((Z[i], u[i]) for i in (kept, back[::2]))
        self._fresh = X[back[1::2]], y[back[1::2]]
        self.capacity = len(kept)

    def nodes(self, number: int, steep: bool, rng: np.random.Generator) -> Points:
        return self._kept

    def watched(self, number: int, rng: np.random.Generator) -> Points:
        return self._watched

    def fresh(self, number: int, rng: np.random.Generator) -> Points:
        return self._fresh

    def _profile(self) -> Points:
        return self._kept


def quasi_random(number: int, d: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Return points (number, d) that fill the unit cube evenly: Roberts's Kronecker sequence."""
    shift = 0.5 if rng is None else rng.random(d)
    step = GOLDEN[d] ** -np.arange(1.0, d + 1.0)
    return np.asarray((shift + np.outer(np.arange(1, number + 1), step)) % 1.0)


def target_of(f: Any, bounds: Any, rng: np.random.Generator) -> Target:
    """Return what a function with bounds, or a pair of samples, stands for."""
    if callable(f):
        if bounds is None:
            raise ValueError("bounds must be given with a function, such as (-1, 1)")
        return FunctionTarget(f, *_box(bounds))
    if not isinstance(f, (tuple, list)) or len(f) != 2:
        raise ValueError(
            f"f must be a function of 1 to 3 arrays, or a pair (X, Y) of samples, got {describe(f)}"
        )
    X, Y = float_array("X", f[0], (1, 2)), float_array("Y", f[1], (1, 2))
    X, Y = (A[:, np.newaxis] if A.ndim == 1 else A for A in (X, Y))
    if not 1 <= X.shape[1] <= MOST_INPUTS:
        raise ValueError(f"X must have 1 to {MOST_INPUTS} columns, got {X.shape[1]}")
    if Y.shape[1] != 1:
        raise ValueError(f"Y must have one column, got {Y.shape[1]}")
    if len(X) != len(Y):
        raise ValueError(f"X and Y must have as many rows, got {len(X)} and {len(Y)}")
    if len(X) < FEWEST:
        raise ValueError(f"X must hold at least {FEWEST} samples, got {len(X)}")
    if bounds is None:
        low, high = X.min(axis=0), X.max(axis=0)
        constant = np.flatnonzero(low == high)
        if len(constant):
            raise ValueError(
                f"X must vary in every column, got only {low[constant[0]]:g} in "
                f"column {constant[0]}"
            )
    else:
        low, high = _box(bounds)
        if len(low) != X.shape[1]:
            raise ValueError(
                f"bounds must be {X.shape[1]} pairs, one per column of X, got {len(low)}"
            )
        outside = int(((X < low) | (X > high)).any(axis=1).sum())
        if outside:
            raise ValueError(f"X must lie within bounds, got {outside} rows outside")
    return SampledTarget(X, Y[:, 0], low, high, rng)


def _box(bounds: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high, (d,) each, of a pair or a list of pairs."""
    array = float_array("bounds", bounds, (1, 2))
    if array.shape == (2,):
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[1] != 2 or not 1 <= len(array) <= MOST_INPUTS:
        raise ValueError(
            f"bounds must be 1 to {MOST_INPUTS} pairs (low, high), got {describe(bounds)}"
        )
    low, high = array.T.copy()
    wrong = np.flatnonzero(~(low < high))
    if len(wrong):
        i = wrong[0]
        raise ValueError(f"bounds must be pairs low < high, got ({low[i]:g}, {high[i]:g})")
    return low, high
