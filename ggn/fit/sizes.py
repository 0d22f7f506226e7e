"""How large inputs and targets are: the units that the data bring with them."""

from __future__ import annotations

import math

import numpy as np

from ggn.activations import Identity
from ggn.linearization import BaseObjective
from ggn.losses import BUILT_IN, FOR_REGRESSION, Residual, Squared
from ggn.validation import ArgumentError

__all__ = [
    "LARGEST",
    "advice",
    "check_sizes",
    "far_from_one",
    "input_units",
    "target_sizes",
    "target_units",
]

LARGEST, LEAST = 1e140, 1e-140  # numbers that may be squared, and their squares divided
FAR = 100.0  # factor between a deviation and one, or a mean and its deviation, that is told


def check_sizes(least: float = LEAST, **data: np.ndarray) -> None:
    """Raise ValueError for arrays of numbers whose squares overflow, or vanish.

    Parameters
    ----------
    least : float, default 1e-140
        0 where squares may vanish.
    **data : ndarray
        Each by the name that its argument has.
    """
    for name, array in data.items():
        size = max(float(array.max(initial=0.0)), -float(array.min(initial=0.0)))
        if size > LARGEST or 0.0 < size < least:
            raise ArgumentError(
                name,
                f"must be of a size in [{least:g}, {LARGEST:g}], as squares of it are needed, "
                f"got {size:g}; give it in another unit",
            )


def target_units(objective: BaseObjective, shift: bool = True) -> tuple[np.ndarray, float]:
    """Return the centre of each target and one size for all, see `target_sizes`."""
    centre, sizes = target_sizes(objective, shift)
    if len(sizes) == 1:
        return centre, float(sizes[0])
    largest = float(sizes.max()) or 1.0
    return centre, largest * math.sqrt(float(np.square(sizes / largest).sum()) / len(sizes))


def target_sizes(objective: BaseObjective, shift: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of each target; zeros and ones where no output is to meet it.

    Outputs meet targets where the loss is one of residuals and the output activation the
    identity.  Centre and size are mean and deviation for the squared loss, median and scaled
    median deviation for the robust ones; the size of a constant target is 0.
    """
    loss, outputs = type(objective.loss), objective.net.activations[-1]
    if outputs != Identity() or loss not in FOR_REGRESSION.values():
        nL = objective.net.n_outputs
        return np.zeros(nL), np.ones(nL)
    return _measured(objective, shift)


def _measured(objective: BaseObjective, shift: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of each target, robust where the loss is."""
    robust = isinstance(objective.loss, Residual) and not isinstance(objective.loss, Squared)
    return objective.columns(True, shift, robust)


def input_units(objective: BaseObjective, shift: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and size of each input."""
    return objective.columns(False, shift, False)


def far_from_one(objective: BaseObjective, given: BaseObjective | None = None) -> str | None:
    """Return what is far from zero mean and deviation one, as part of a sentence, or None.

    The numbers in it are those of the data as they were given, `given` where in other units.
    """
    if not objective.layered:
        return None
    with np.errstate(all="ignore"):
        found = [("input", input_units)]
        if isinstance(objective.loss, Residual) or type(objective.loss) not in BUILT_IN.values():
            found.append(("target", _measured))
        for kind, measured in found:
            mean, size = measured(objective)
            for i, one in enumerate(zip(mean.tolist(), size.tolist(), strict=True)):
                if _far(*one):
                    mean, size = measured(objective if given is None else given)
                    return f"{kind} {i} is {mean[i]:.6g} ± {size[i]:.3g}"
    return None


def _far(mean: float, size: float) -> bool:
    """Whether a deviation is far from one, or a mean, in deviations, from zero."""
    size = size if size > 0.0 else abs(mean) or 1.0
    return abs(mean) / size > FAR or size > FAR or size * FAR < 1.0


def advice(far: str) -> str:
    """Return what to do about what `far_from_one` has found."""
    return (
        f"Training is in these units, and {far}: use (value - mean) / deviation of each input "
        "and target."
    )
