"""Series of one or several experiments: the one place that reads them.

A series is (T,) or (T, columns); a list is of several.  NaN, None and masked numbers are missing.

A model of lags can be asked for a sample where it and all its lags were measured.  Those that
follow one another without a gap make a window: a missing sample ends it, and the next begins
once all lags are there again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ggn.fit.sizes import check_sizes
from ggn.io.columns import by_name, of_data
from ggn.recurrent.lags import Lags
from ggn.recurrent.windows import Windows
from ggn.validation import ArgumentError, count, float_array, vector

__all__ = ["Named", "Read", "Series", "check_columns", "dimensions", "inputs", "lone", "read"]

Named: TypeAlias = tuple[Sequence[str], Sequence[str]]  # of inputs, of outputs


class Read(NamedTuple):
    """Series that were read.

    Attributes
    ----------
    parts : list of ndarray, (T_j, columns)
    several : bool
        Whether a list of them was given.
    flat : bool
        Whether they were given without columns.
    """

    parts: list[np.ndarray]
    several: bool
    flat: bool


class Series:
    """Inputs and outputs of experiments, checked.

    Parameters
    ----------
    U : array_like (T,) or (T, n_u), a list of these, or None
    Y : array_like (T,) or (T, n_y), or a list of these
    gaps : bool, default True
        Whether inputs may be missing.
    names : tuple of two sequences of str, optional
        Of inputs and outputs: columns of data frames are taken by them.

    Attributes
    ----------
    U, Y : list of ndarray, (T_j, n_u) and (T_j, n_y)
        NaN where a sample is missing.
    flat : bool
        Whether outputs were given without columns.
    several : bool
        Whether a list of experiments was given.
    names : tuple of two sequences of str
        What data frames call their columns; empty where they do not.

    Examples
    --------
    >>> series = Series([[1.0, 2.0, 3.0], [4.0, 5.0]], [[0.0, 0.0, 0.0], [0.0, np.nan]])
    >>> [u.shape for u in series.U], series.several
    ([(3, 1), (2, 1)], True)
    """

    def __init__(self, U: Any, Y: Any, gaps: bool = True, names: Named = ((), ())) -> None:
        self.Y, self.several, self.flat = read("Y", Y, least=2, names=names[1])
        self.U = inputs(U, [len(y) for y in self.Y], gaps, names[0])
        self.names: Named = _names_of_first(U), _names_of_first(Y)
        if len(self.U) != len(self.Y):
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

    def told(self) -> dict[str, Sequence[str]]:
        """Return the names that there are, as a fit has them."""
        each = zip(("input_names", "target_names"), self.names, strict=True)
        return {key: names for key, names in each if names}

    def vary(self, outputs: bool = True) -> None:
        """Refuse columns that are one number throughout: nothing can be learnt of their effect.

        So are those whose squares, of which deviations and J are sums, leave float64.
        """
        for name, parts in (("U", self.U), ("Y", self.Y)):
            for c, column in enumerate(np.concatenate(parts).T):
                seen = column[~np.isnan(column)]
                check_sizes(**{name: seen})
                if (outputs or name == "U") and (not len(seen) or np.ptp(seen) == 0.0):
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

    def weights(self, sample_weight: Any, places: Sequence[np.ndarray]) -> np.ndarray:
        """Return the weights of the samples at these places of each series, of (T,) for all."""
        given = vector("sample_weight", sample_weight, sum(map(len, self.Y)), "one per sample")
        edges = np.cumsum([0, *map(len, self.Y)])
        return np.concatenate([given[a + own] for a, own in zip(edges, places, strict=False)])


def inputs(
    U: Any, lengths: Sequence[int], gaps: bool = False, names: Sequence[str] = ()
) -> list[np.ndarray]:
    """Return the inputs (T_j, n_u) of each series; None: none, of these lengths."""
    if U is None:
        return [np.empty((T, 0)) for T in lengths]
    return read("U", U, missing=gaps, names=names).parts


def check_columns(name: str, parts: Sequence[np.ndarray], n: int) -> None:
    """Raise ValueError where series have not n columns."""
    if parts[0].shape[1] != n:
        raise ArgumentError(name, f"must have {count(n, 'column')}, got {parts[0].shape[1]}")


def read(
    name: str, value: Any, missing: bool = True, least: int = 0, names: Sequence[str] = ()
) -> Read:
    """Return the series (T_j, columns) of one, or of a list of them, of at least so many samples.

    Parameters
    ----------
    name : str
    value : array_like (T,) or (T, columns), or a list of these
    missing : bool, default True
        Whether numbers may be missing.
    least : int, default 0
    names : sequence of str, optional
        By which columns of data frames are taken; by default those that the first has.

    Examples
    --------
    >>> read("Y", [[1.0, None], [2.0, 3.0, 4.0]]).parts[0].ravel()
    array([ 1., nan])
    """
    several = isinstance(value, (list, tuple)) and any(dimensions(one) != 0 for one in value)
    if several and all(
        isinstance(one, (list, tuple, np.ndarray)) and len(one) <= 1 and dimensions(one) == 1
        for one in value
    ):
        several = False  # a column, row by row
    given = list(value) if several else [value]
    if isinstance(value, (list, tuple)) and not value:
        raise ArgumentError(name, "must hold at least one series, got none")
    found = []
    names = names or _names_of_first(value)
    for j, one in enumerate(given):
        where = f" in series {j}" if several else ""
        found.append(lone(name, by_name(one, names, name), missing, where))
        if len(found[-1][0]) < least:
            raise ArgumentError(
                name,
                f"must have at least {count(least, 'sample')}, got {len(found[-1][0])}{where}",
            )
    columns = {a.shape[1] for a, _ in found}
    if len(columns) > 1:
        raise ArgumentError(
            name, f"must have as many columns in each series, got {sorted(columns)}"
        )
    if columns == {0}:
        raise ArgumentError(name, "must have at least one column, got none")
    return Read([a for a, _ in found], several, all(flat for _, flat in found))


def _names_of_first(value: Any) -> Sequence[str]:
    """Return the names of the columns of a data frame, or of the first of several."""
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    return of_data(first, None).get("input_names", ())


def dimensions(value: Any) -> int:
    """Return np.ndim, or -1 of what is no array; where it is read, that is said."""
    try:
        return int(np.ndim(value))
    except (TypeError, ValueError, OverflowError, MemoryError):
        return -1


def lone(name: str, value: Any, missing: bool = True, where: str = "") -> tuple[np.ndarray, bool]:
    """Return one series (T, columns), NaN where a sample is missing, and whether it was 1-D."""
    gaps = None
    if missing:
        with_gaps = _with_gaps(value)
        if with_gaps is not None:
            gaps = np.isnan(with_gaps)
            infinite = np.argwhere(np.isinf(with_gaps))
            if len(infinite):
                i = int(infinite[0, 0]) if with_gaps.ndim else 0
                raise ArgumentError(
                    name,
                    f"must be finite or NaN, got {with_gaps[tuple(infinite[0])]} at sample "
                    f"{i}{where}",
                )
            value = np.where(gaps, 0.0, with_gaps)
    array = float_array(name, value)
    if array.ndim not in (1, 2):
        raise ArgumentError(
            name, f"must have samples as rows, got an array of shape {array.shape}{where}"
        )
    if gaps is not None:
        array = np.where(gaps, np.nan, array)
    flat = array.ndim == 1
    return np.ascontiguousarray(array[:, np.newaxis] if flat else array), flat


def _with_gaps(value: Any) -> np.ndarray | None:
    """Return the numbers, NaN where one is missing; None of what is none: others word that."""
    try:
        if isinstance(value, np.ma.MaskedArray):
            return np.ma.filled(value.astype(np.float64), np.nan)
        array = np.asarray(value)
        return array.astype(np.float64) if array.dtype.kind in "fiubO" else None
    except (TypeError, ValueError, OverflowError, MemoryError):
        return None
