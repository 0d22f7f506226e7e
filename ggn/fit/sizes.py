"""How large inputs and targets are: the units that the data bring with them."""

from __future__ import annotations

import math

import numpy as np

from ggn.activations import Identity
from ggn.io.scaling import centre_and_size
from ggn.linearization import Objective
from ggn.losses import BUILT_IN, FOR_REGRESSION, Residual, Squared

__all__ = ["advice", "column_units", "far_from_one", "input_units", "target_sizes", "target_units"]

FAR = 100.0  # factor between a deviation and one, or a mean and its deviation, that is told


def column_units(
    A: np.ndarray, objective: Objective, shift: bool = True, robust: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of the columns of A (T, n), see `ggn.io.scaling.centre_and_size`.

    Samples count as they do in the objective.
    """
    return centre_and_size(A, objective.c.weights, robust=robust, shift=shift)


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
    robust = isinstance(objective.loss, Residual) and not isinstance(objective.loss, Squared)
    return _of("Yt", objective, shift, robust)


def input_units(objective: Objective, shift: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return the `column_units` of the inputs."""
    return _of("X", objective, shift, False)


def _of(
    name: str, objective: Objective, shift: bool, robust: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the `column_units` of X, or of Ytᵀ; they are asked for several times in a run."""
    A, c = getattr(objective, name), objective.c
    key = name, shift, robust
    found = objective.known.get(key)
    if found is None or found[0] is not A or found[1] is not c:  # a copy may have other data
        columns = column_units(A.T if name == "Yt" else A, objective, shift, robust)
        found = objective.known[key] = A, c, columns
    centre, size = found[2]
    return centre.copy(), size.copy()


def far_from_one(objective: Objective, given: Objective | None = None) -> str | None:
    """Return what is far from zero mean and deviation one, as part of a sentence, or None.

    The numbers in it are those of the data as they were given, `given` where in other units.
    """
    with np.errstate(all="ignore"):
        found = [("input", *input_units(objective))]
        if isinstance(objective.loss, Residual) or type(objective.loss) not in BUILT_IN.values():
            found.append(("target", *_measured(objective)))
        for kind, mean, size in found:
            deviation = np.where(size > 0.0, size, np.abs(mean) + (mean == 0.0))
            away = np.abs(mean) / deviation
            far = (away > FAR) | (deviation > FAR) | (deviation * FAR < 1.0)
            if far.any():
                i = int(np.argmax(far))
                if given is not None:
                    mean, size = input_units(given) if kind == "input" else _measured(given)
                return f"{kind} {i} is {mean[i]:.6g} ± {size[i]:.3g}"
    return None


def advice(far: str) -> str:
    """Return what to do about what `far_from_one` has found."""
    return (
        f"Training is in these units, and {far}: use (value - mean) / deviation of each input "
        "and target."
    )
