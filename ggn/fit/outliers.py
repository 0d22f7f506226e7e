"""Targets and inputs far from all others: outliers perhaps.

    |y_i - median y| > 30 σ                   no normal number is: of a million, none beyond five
    median over the 4 nearest samples j of |y_j - median y| < |y_i - median y| / 10

σ is 1.4826 MAD, or what the nearest 90 % say, if that is more.  The second line tells an outlier
from a peak, whose samples stand by one another.  Least squares follows either; it is told where the
loss is named or left out, for who gives the object `Squared()` has chosen it.

Of inputs it is a few that make the column's deviation more than 30 σ: a network hardly tells the
others apart, neither in units of that deviation, where they lie together, nor in units of σ, where
those few saturate every unit that tells (tried: errors of .03 without them, .1 to .6 either way).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ggn.io.asinh_transform import AsinhTransform
from ggn.linearization.columns import centre_and_size
from ggn.linearization.robust_scale import median, robust_deviation
from ggn.losses import Loss, Squared, resolve
from ggn.validation import count, users_line

__all__ = [
    "FAR",
    "Outliers",
    "OutliersWarning",
    "far_inputs",
    "farthest",
    "hint_of_far_inputs",
    "hint_of_outliers",
    "lone_targets",
]

FAR = 30.0  # scaled median deviations
NEIGHBOURS, SHARE = 4, 0.1
MOST = 0.1  # share of the samples: of more, it is how the targets are distributed
Q90 = 1.6448536269514722  # of |z|, z ~ N(0, 1)
SEVERAL, SAME, TRACE = 5, 20.0, 1e6  # two levels with a trace of noise, as zeros and ones have
NONE = np.empty(0, dtype=np.intp)
LOOKED_AT = 100  # candidates, the farthest
NAMED = 3


class OutliersWarning(UserWarning):
    """A few targets are far from all others, and the loss is squared; or a few inputs."""


class Outliers(NamedTuple):
    """Targets that no others are near; prints as part of a sentence.

    Attributes
    ----------
    rows : ndarray of int
        Their samples, in ascending order.
    column : int
        Which target or input.
    times : float
        The farthest from the median, in σ.
    samples : int
    """

    rows: np.ndarray
    column: int
    times: float
    samples: int

    def values(self, A: np.ndarray) -> str:
        """Return the first few of them, in A (T, n)."""
        first = [f"{a:.6g}" for a in A[self.rows[:NAMED], self.column]]
        return ", ".join([*first, *(["..."] if len(self.rows) > NAMED else [])])

    def __str__(self) -> str:
        one = len(self.rows) == 1
        has, it = ("has a target", "it") if one else ("have targets", "them")
        return (
            f"{len(self.rows)} of {count(self.samples, 'sample')} {has} up to {self.times:.2g} "
            f"deviations of the others from their median, and those nearest to {it} have not"
        )


def farthest(y: np.ndarray) -> float:
    """Return how far the farthest of numbers (n,) is from their median, in 1.4826 MAD.

    Examples
    --------
    >>> import numpy as np
    >>> farthest(np.append(np.linspace(-1.0, 1.0, 99), 1e6)) > 1e6
    True
    >>> farthest(np.ones(9))
    0.0
    """
    width = robust_deviation(y)
    return float(np.abs(y - median(y)).max()) / width if width > 0.0 else 0.0


def lone_targets(X: np.ndarray, Y: np.ndarray) -> Outliers | None:
    """Return the outliers of the first target that has any: X is (T, n0), Y (T, nL).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1.0, 1.0, 60)[:, np.newaxis]
    >>> peak = np.exp(-100.0 * x**2)
    >>> lone_targets(x, peak) is None
    True
    >>> peak[7] = -9999.0
    >>> lone_targets(x, peak).rows
    array([7])
    """
    if len(Y) <= 2 * NEIGHBOURS:
        return None
    unit = centre_and_size(X)[1]
    for column, y in enumerate(Y.T):
        off, width = _off(y)
        rows = np.flatnonzero(off > FAR * width)
        if not len(rows):  # never more than a tenth, by the width
            continue
        rows = np.sort(rows[np.argsort(-off[rows], kind="stable")[:LOOKED_AT]])
        Z = X / np.where(unit > 0.0, unit, 1.0)
        lone = [i for i in rows.tolist() if _around(Z, off, i) < SHARE * off[i]]
        if lone:
            found = np.array(lone)
            return Outliers(found, column, float(off[found].max()) / width, len(y))
    return None


def far_inputs(X: np.ndarray) -> Outliers | None:
    """Return the few inputs of X (T, n0), of the first column that has any, which press the others.

    Examples
    --------
    >>> X = np.linspace([0.0, 0.0], [1.0, 1.0], 60)
    >>> far_inputs(X) is None
    True
    >>> X[7, 1] = -9999.0
    >>> found = far_inputs(X)
    >>> found.column, found.rows
    (1, array([7]))
    """
    if len(X) <= 2 * NEIGHBOURS:
        return None
    for column, (x, size) in enumerate(zip(X.T, centre_and_size(X)[1].tolist(), strict=True)):
        if size > 0.0:
            off, width = _off(x / size)
            rows = np.flatnonzero(off > FAR * width) if 0.0 < FAR * width < 1.0 else NONE
            times = float(off.max()) / width if len(rows) else 0.0
            level = len(rows) >= SEVERAL and np.ptp(x[rows]) < SAME * width * size
            if len(rows) and not (level and times > TRACE):
                return Outliers(rows, column, times, len(X))
    return None


def _off(y: np.ndarray) -> tuple[np.ndarray, float]:
    """Return how far numbers (n,) are from their median, and σ."""
    off = np.abs(y - median(y))
    # of a peak among zeros the MAD is next to nothing
    return off, max(robust_deviation(y), float(np.quantile(off, 1.0 - MOST)) / Q90)


def _around(Z: np.ndarray, off: np.ndarray, i: int) -> float:
    """Return the median distance from the median, of the targets of the nearest samples."""
    far = np.square(Z - Z[i]).sum(axis=1)
    far[i] = np.inf
    return float(np.median(off[np.argpartition(far, NEIGHBOURS)[:NEIGHBOURS]]))


def hint_of_outliers(X: np.ndarray, Y: np.ndarray, given: str | Loss, instead: str) -> None:
    """Warn if a few targets are outliers and the loss is the squared one, by its name.

    `instead` is what there is against them, nothing if the caller has it.
    """
    if not instead or not (isinstance(given, str) and isinstance(resolve(given), Squared)):
        return
    found = lone_targets(X, Y)
    if found is not None:
        warnings.warn(
            f"{found} ({found.values(Y)}): the squared loss follows outliers, against which there "
            f"is {instead}; loss=ggn.losses.Squared() is silent",
            OutliersWarning,
            stacklevel=users_line(),
        )


def hint_of_far_inputs(
    X: np.ndarray,
    names: Sequence[str] | None,
    loss: Loss,
    x_transform: AsinhTransform | None = None,
) -> None:
    """Warn if a few inputs press the others together, and the loss is none that gives them up.

    Not of columns that are made logarithmic.
    """
    straight = X if x_transform is None else np.where(x_transform.applied, 0.0, X)
    found = None if loss.scale is not None else far_inputs(straight)
    if found is not None:
        name = found.column if names is None else names[found.column]
        warnings.warn(
            f"{len(found.rows)} of {count(len(X), 'sample')} "
            f"{'has' if len(found.rows) == 1 else 'have'} an input {name} up to {found.times:.2g} "
            f"deviations of the others from their median ({found.values(X)}), beside which a "
            "network hardly tells the others apart: codes for missing values are for an imputer, "
            "mistakes to be left out, columns of many magnitudes for their logarithm, else "
            "numpy.clip helps",
            OutliersWarning,
            stacklevel=users_line(),
        )
