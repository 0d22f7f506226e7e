"""Experiments: series of inputs and outputs, checked, and the units in which a model sees them.

    u' = (u - u_mean) / u_scale,    y' = (y - y_mean) / y_scale

y_scale is one number for all outputs, so that J only changes by a factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.validation import ArgumentError, count, float_array

__all__ = ["Scaling", "check_columns", "experiments", "inputs", "series"]


def experiments(U: Any, Y: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return inputs (T_e, nu) and outputs (T_e, ny) of each experiment.

    Parameters
    ----------
    U : array_like (T, nu), list of them, or None
        1-D is one input; None: no inputs.
    Y : array_like (T, ny), or list of them
        1-D is one output; nan is missing.

    Raises
    ------
    ValueError
        For other shapes, missing or constant inputs, experiments without an output.

    Examples
    --------
    >>> Us, Ys = experiments([[1.0, 2.0, 3.0], [4.0, 5.0]], [[0.0, 0.0, 0.0], [0.0, np.nan]])
    >>> [u.shape for u in Us]
    [(3, 1), (2, 1)]
    """
    Ys = series("Y", Y, missing=True)
    Us = inputs(U, [len(y) for y in Ys])
    if len(Us) != len(Ys):
        raise ArgumentError("U", f"must have as many experiments as Y, {len(Ys)}, got {len(Us)}")
    for e, (u, y) in enumerate(zip(Us, Ys, strict=True)):
        where = f" in experiment {e}" if len(Ys) > 1 else ""
        if len(u) != len(y):
            raise ArgumentError(
                "U", f"must have as many samples as Y, {len(y)}{where}, got {len(u)}"
            )
        if len(y) < 2:
            raise ArgumentError(
                "Y", f"must have at least 2 samples{where}, for a state to move, got {len(y)}"
            )
        if not np.isfinite(y).any():
            raise ArgumentError("Y", f"must have some output{where}, got nan only")
    for o, column in enumerate(np.concatenate(Ys).T):
        if np.isnan(column).all():
            raise ArgumentError("Y", f"must have some output in column {o}, got nan only")
    for a, column in enumerate(np.concatenate(Us).T):
        if np.ptp(column) == 0.0:
            raise ArgumentError(
                "U", f"must vary, got {column[0]:g} throughout in column {a}; leave it out"
            )
    return Us, Ys


def inputs(U: Any, lengths: Sequence[int]) -> list[np.ndarray]:
    """Return the inputs (T_e, nu) of each experiment; None: none, of these lengths."""
    if U is None:
        return [np.empty((T, 0)) for T in lengths]
    return series("U", U, missing=False)


def dimensions(value: Any) -> int:
    """Return np.ndim, or -1 of what is no array; where it is read, that is said."""
    try:
        return int(np.ndim(value))
    except (TypeError, ValueError, OverflowError, MemoryError):
        return -1


def series(name: str, value: Any, missing: bool) -> list[np.ndarray]:
    """Return one array (T, n) for each series; `missing`: nan is allowed."""
    if isinstance(value, (list, tuple)) and len(value) == 0:
        raise ArgumentError(name, "must hold at least one series, got none")
    several = isinstance(value, (list, tuple)) and not np.isscalar(value[0])
    several = several and dimensions(value[0]) != 0
    parts = list(value) if several else [value]
    if several and all(
        isinstance(part, (list, tuple, np.ndarray)) and len(part) <= 1 and dimensions(part) == 1
        for part in parts
    ):
        parts = [value]  # a column, row by row
    found = [_one(name, part, missing) for part in parts]
    widths = {part.shape[1] for part in found}
    if len(widths) > 1:
        raise ArgumentError(
            name, f"must have the same columns in every experiment, got {sorted(widths)}"
        )
    return found


def _one(name: str, value: Any, missing: bool) -> np.ndarray:
    gaps = None
    if missing:
        try:
            array = np.asarray(value)
            array = array.astype(np.float64) if array.dtype.kind in "fiubO" else np.asarray("")
            gaps = np.isnan(array)
            value = np.where(gaps, 0.0, array)
        except (TypeError, ValueError, OverflowError, MemoryError):
            gaps = None  # the sentence is float_array's
    array = float_array(name, value, (1, 2))
    if gaps is not None:
        array = np.where(gaps, np.nan, array)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.shape[1] == 0:
        raise ArgumentError(name, "must have at least one column, got none")
    return np.ascontiguousarray(array)


def check_columns(name: str, parts: Sequence[np.ndarray], n: int) -> None:
    """Raise ValueError where series have not n columns."""
    if parts[0].shape[1] != n:
        raise ArgumentError(name, f"must have {count(n, 'column')}, got {parts[0].shape[1]}")


@dataclass(frozen=True)
class Scaling:
    """The units of a model.

    Attributes
    ----------
    u_mean, u_scale : ndarray, (nu,)
    y_mean : ndarray, (ny,)
    y_scale : float
    """

    u_mean: np.ndarray
    u_scale: np.ndarray
    y_mean: np.ndarray
    y_scale: float

    @classmethod
    def of(
        cls, Us: Sequence[np.ndarray], Ys: Sequence[np.ndarray], outputs: bool = True
    ) -> Scaling:
        """Return mean and deviation of inputs, and unless told otherwise of outputs."""
        U, Y = np.concatenate(Us), np.concatenate(Ys)
        ny = Y.shape[1]
        if not outputs:
            return cls(U.mean(axis=0), U.std(axis=0), np.zeros(ny), 1.0)
        deviation = float(np.sqrt(np.nanmean(np.nanvar(Y, axis=0))))
        if not deviation > 0.0:
            deviation = float(np.nanmax(np.abs(Y))) or 1.0
        return cls(U.mean(axis=0), U.std(axis=0), np.nanmean(Y, axis=0), deviation)

    def inputs(self, U: np.ndarray) -> np.ndarray:
        """Return u'."""
        return (U - self.u_mean) / self.u_scale

    def targets(self, Y: np.ndarray) -> np.ndarray:
        """Return y'."""
        return (Y - self.y_mean) / self.y_scale

    def outputs(self, Y: np.ndarray) -> np.ndarray:
        """Return y of y'."""
        found: np.ndarray = self.y_mean + self.y_scale * Y
        return found
