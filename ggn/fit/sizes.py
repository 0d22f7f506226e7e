"""How large inputs and targets are: the units that the data bring with them."""

from __future__ import annotations

import math

import numpy as np

from ggn.activations import Identity
from ggn.linearization import Objective
from ggn.losses import BUILT_IN, FOR_REGRESSION, Residual, Squared
from ggn.network import chunks

__all__ = ["advice", "column_units", "far_from_one", "target_sizes", "target_units"]

EPS = float(np.finfo(np.float64).eps)
NORMAL = 1.4826  # makes the median of |r| the deviation of normal r
FAR = 100.0  # factor between a deviation and one, or a mean and its deviation, that is told


def column_units(
    A: np.ndarray, objective: Objective, shift: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of the columns of A (T, n); zeros and rms without a shift.

    The deviation of a column that varies by rounding only is 0, and its mean the first entry.
    """
    c, parts = objective.c.array, list(chunks(objective.T, objective.chunk(0)[0]))
    low, high = A.min(axis=0), A.max(axis=0)
    largest = np.maximum(high, -low)
    largest[largest == 0.0] = 1.0  # in units of which no square overflows
    alike = high / largest - low / largest <= 16.0 * EPS
    mean, variance = np.zeros(len(low)), np.zeros(len(low))
    for rows in parts if shift else ():
        mean += c[rows] @ (A[rows] / largest)
    for rows in parts:
        variance += c[rows] @ np.square(A[rows] / largest - mean)
    alike &= shift
    return np.where(alike, A[0], largest * mean), np.where(alike, 0.0, largest * np.sqrt(variance))


def target_units(objective: Objective, shift: bool = True) -> tuple[np.ndarray, float]:
    """Return the centre of each target and one size for all, see `target_sizes`."""
    centre, sizes = target_sizes(objective, shift)
    largest = float(sizes.max()) or 1.0
    return centre, largest * math.sqrt(float(np.square(sizes / largest).mean()))


def target_sizes(objective: Objective, shift: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of each target; zeros and ones where no output is to meet it.

    Outputs meet targets where the loss is one of residuals and the output activation the
    identity.  Centre and size are mean and deviation for the squared loss, median and scaled
    median deviation for the robust ones; the size of a constant target is 0.
    """
    loss, outputs = type(objective.loss), objective.net.activations[-1]
    if outputs != Identity() or loss not in FOR_REGRESSION.values():
        return np.zeros(len(objective.Yt)), np.ones(len(objective.Yt))
    return _measured(objective, shift)


def _measured(objective: Objective, shift: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of each target, robust where the loss is."""
    Y, c = objective.Yt, objective.c.array
    centre, size = np.zeros(len(Y)), np.ones(len(Y))
    if objective.c.common is None:
        Y, c = Y[:, c > 0.0], c[c > 0.0]
    robust = isinstance(objective.loss, Residual) and not isinstance(objective.loss, Squared)
    for o, y in enumerate(Y):
        largest = max(float(y.max()), -float(y.min())) or 1.0
        z = y / largest
        if shift:
            alike = np.ptp(z) <= 16.0 * EPS
            middle = z[0] if alike else np.median(z) if robust else z @ c
            centre[o], z = largest * middle, z - middle
        found = NORMAL * float(np.median(np.abs(z))) if robust else 0.0
        if not found > 16.0 * EPS:  # not robust, or more than half of the targets are alike
            found = math.sqrt(float(np.square(z) @ c))
        size[o] = largest * found if found > 16.0 * EPS else 0.0
    return centre, size


def far_from_one(objective: Objective) -> str | None:
    """Return what is far from zero mean and deviation one, as part of a sentence, or None."""
    with np.errstate(all="ignore"):
        found = [("input", *column_units(objective.X, objective))]
        if isinstance(objective.loss, Residual) or type(objective.loss) not in BUILT_IN.values():
            found.append(("target", *_measured(objective)))
        for kind, mean, size in found:
            deviation = np.where(size > 0.0, size, np.abs(mean) + (mean == 0.0))
            away = np.abs(mean) / deviation
            far = (away > FAR) | (deviation > FAR) | (deviation * FAR < 1.0)
            if far.any():
                i = int(np.argmax(far))
                return f"{kind} {i} is {mean[i]:.3g} ± {size[i]:.3g}"
    return None


def advice(far: str) -> str:
    """Return what to do about what `far_from_one` has found."""
    return (
        f"Training is in these units, and {far}: use (value - mean) / deviation of each input "
        "and target."
    )
