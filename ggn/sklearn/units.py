"""Units in which an estimator trains, and inputs outside what it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.io.scaling import minmax_units, robust_units, standard_units
from ggn.losses import Loss
from ggn.validation import count, unknown_name

__all__ = ["AUTO", "ExtrapolationWarning", "outside", "said_outside", "units"]

AUTO = "auto"

MOST_NAMED = 5


class ExtrapolationWarning(UserWarning):
    """Predictions for inputs outside the range of those trained on."""


def units(
    scale: str | None, loss: Loss, A: np.ndarray, s: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return what `scale` subtracts and divides by, (n,) each.

    Mean and deviation follow outliers, so a loss against them has median and MAD.
    """
    if scale is None:
        return None, None
    named = ("standard", AUTO)
    if scale == "robust" or (scale in named and loss.scale is not None):
        return robust_units(A, s)
    if scale in named:
        return standard_units(A, s)
    if scale == "minmax":
        return minmax_units(A)
    raise unknown_name("scale", scale, (AUTO, "standard", "minmax", "robust", "None"))


def outside(X: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return which inputs (T, n) are not in [low, high], of shape (n,) each."""
    beyond: np.ndarray = (low > X) | (high < X)
    return beyond


def said_outside(beyond: np.ndarray, names: Any) -> str:
    """Return how many samples, and in which columns how many.

    Examples
    --------
    >>> import numpy as np
    >>> said_outside(np.array([[True, False], [True, True]]), ["a", "b"])
    '2 of 2 samples are outside the range of training: a in 2, b in 1'
    """
    rows, columns = int(beyond.any(axis=1).sum()), beyond.sum(axis=0)
    most = np.argsort(-columns, kind="stable")[: np.count_nonzero(columns)]
    said = [f"{names[j]} in {columns[j]}" for j in most[:MOST_NAMED]]
    if len(most) > MOST_NAMED:
        said.append(f"{count(len(most) - MOST_NAMED, 'column')} more")
    verb = "is" if rows == 1 else "are"
    return (
        f"{rows} of {count(len(beyond), 'sample')} {verb} outside the range of training: "
        f"{', '.join(said)}"
    )
