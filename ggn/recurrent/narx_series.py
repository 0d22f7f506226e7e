"""Series of one or several experiments, and the samples of them that a model can be asked for.

A sample can where it and all its lags were measured.  Those that follow one another without a
gap make a window: a missing sample ends it, and the next begins once all lags are there again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.recurrent.experiments import dimensions
from ggn.recurrent.lags import Lags
from ggn.recurrent.windows import Windows
from ggn.validation import ArgumentError, count, plain

__all__ = ["Series", "experiments"]


class Series:
    """Inputs and outputs of experiments, checked.

    Attributes
    ----------
    U, Y : list of ndarray, (T_j, n_u) and (T_j, n_y)
        NaN where a sample is missing.
    flat : bool
        Whether outputs were given without columns.
    several : bool
        Whether a list of experiments was given.
    """

    def __init__(self, U: Any, Y: Any) -> None:
        self.Y, self.several, self.flat = experiments("Y", Y)
        if U is None:
            self.U = [np.empty((len(y), 0)) for y in self.Y]
        else:
            self.U, several, _ = experiments("U", U)
            if len(self.U) != len(self.Y) or several != self.several:
                raise ArgumentError(
                    "U", f"must have as many series as Y, {len(self.Y)}, got {len(self.U)}"
                )
        for j, (u, y) in enumerate(zip(self.U, self.Y, strict=True)):
            if len(u) != len(y):
                where = f" in series {j}" if self.several else ""
                raise ArgumentError(
                    "U", f"must have as many samples as Y, {len(y)}, got {len(u)}{where}"
                )
        self.n_inputs, self.n_outputs = self.U[0].shape[1], self.Y[0].shape[1]

    def vary(self) -> None:
        """Refuse columns that are one number throughout: nothing can be learnt of their effect."""
        for name, parts in (("U", self.U), ("Y", self.Y)):
            for c, column in enumerate(np.concatenate(parts).T):
                seen = column[~np.isnan(column)]
                if not len(seen) or np.ptp(seen) == 0.0:
                    what = f"{seen[0]:.6g}" if len(seen) else "NaN"
                    raise ArgumentError(
                        name, f"must vary in each column, got {what} throughout column {c}"
                    )

    def samples(self, lags: Lags) -> tuple[np.ndarray, np.ndarray, Windows, list[np.ndarray]]:
        """Return z (T, n), y (T, n_y), their windows, and which samples of each series they are.

        Raises
        ------
        ValueError
            Where a series is no longer than its lags, or gaps leave no sample.
        """
        Z, targets, places = [], [], []
        lengths: list[int] = []
        for j, (u, y) in enumerate(zip(self.U, self.Y, strict=True)):
            if len(y) <= lags.depth:
                where = f" in series {j}" if self.several else ""
                raise ArgumentError(
                    "Y",
                    f"must have more samples than the largest lag, {lags.depth}, got "
                    f"{len(y)}{where}",
                )
            z, t = lags.matrix(u, y), y[lags.depth :]
            there = np.isfinite(z).all(axis=1) & np.isfinite(t).all(axis=1)
            own = np.flatnonzero(there)
            Z.append(z[own])
            targets.append(t[own])
            places.append(own + lags.depth)
            breaks = np.flatnonzero(np.diff(own) > 1) + 1
            lengths += np.diff([0, *breaks.tolist(), len(own)]).tolist() if len(own) else []
        if not lengths:
            raise ArgumentError(
                "Y",
                f"must have {lags.depth + 1} samples in a row without a gap, for lags up to "
                f"{lags.depth}, got none",
            )
        return np.concatenate(Z), np.concatenate(targets), Windows(lengths), places


def experiments(name: str, value: Any, least: int = 2) -> tuple[list[np.ndarray], bool, bool]:
    """Return the series (T_j, columns) of one, or of a list of them; whether it was; if 1-D.

    Missing samples are NaN, None, or masked.
    """
    several = isinstance(value, (list, tuple)) and any(dimensions(one) != 0 for one in value)
    given = list(value) if several else [value]
    if not given:
        raise ArgumentError(name, "must hold at least one series, got none")
    found = [
        _one(name, one, f" in series {j}" if several else "", least) for j, one in enumerate(given)
    ]
    columns = {a.shape[1] for a, _ in found}
    if len(columns) > 1:
        raise ArgumentError(
            name, f"must have as many columns in each series, got {sorted(columns)}"
        )
    if not columns or columns == {0}:
        raise ArgumentError(name, "must have at least one column, got none")
    return [a for a, _ in found], several, all(flat for _, flat in found)


def _one(name: str, value: Any, where: str, least: int) -> tuple[np.ndarray, bool]:
    """Return one series (T, columns), NaN where a sample is missing, and whether it was 1-D."""
    if isinstance(value, np.ma.MaskedArray):
        value = np.ma.filled(value.astype(np.float64), np.nan)
    plain(name, value)
    try:
        array = np.asarray(value)
        if array.dtype == object:
            array = np.array(
                [[np.nan if x is None else x for x in row] for row in np.atleast_2d(array.T)],
                dtype=np.float64,
            ).T.reshape(array.shape)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"dtype {array.dtype}")
        array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise ArgumentError(
            name, f"must hold real numbers, got {type(value).__name__}{where}: {error}"
        ) from error
    if array.ndim not in (1, 2):
        raise ArgumentError(
            name, f"must have samples as rows, got an array of shape {array.shape}{where}"
        )
    flat = array.ndim == 1
    array = array[:, np.newaxis] if flat else array
    if np.isinf(array).any():
        i = int(np.argwhere(np.isinf(array))[0, 0])
        raise ArgumentError(
            name, f"must be finite or NaN, got {array[i].max()} at sample {i}{where}"
        )
    if len(array) < least:
        raise ArgumentError(
            name, f"must have at least {count(least, 'sample')}, got {len(array)}{where}"
        )
    return array, flat
