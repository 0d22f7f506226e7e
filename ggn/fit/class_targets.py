"""Targets of 0 and 1 on the squared loss: usually classes, which cross-entropy is for.

Told where there are more numbers to fit than weights, for an exact fit of zeros and ones, such
as XOR, is no statistics; and where the loss is named or left out, for whoever gives the object
`Squared()` has chosen it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

from ggn.activations import Identity
from ggn.losses import Loss, Squared, resolve
from ggn.network import MLP
from ggn.validation import users_line

__all__ = ["CLASSIFIER", "ClassTargetsWarning", "hint_of_classes"]

CLASSIFIER = "ggn.sklearn.GGNClassifier"


class ClassTargetsWarning(UserWarning):
    """Targets are zeros and ones, and the loss is squared."""


def hint_of_classes(
    net: MLP,
    size: int,
    alike: Callable[[], bool],
    given: str | Loss,
    instead: str = f"loss='logistic' or 'softmax_cross_entropy', or {CLASSIFIER}",
) -> None:
    """Warn if targets look like classes.

    Parameters
    ----------
    net : MLP
    size : int
        How many numbers the targets are.
    alike : callable
        Whether all of them are 0 or 1, and both occur.
    given : str or Loss
        The loss, as the caller has said it.
    instead : str, optional
        What to take for classes, where not all of it is the caller's.
    """
    named = isinstance(given, str) and isinstance(resolve(given), Squared)
    if not named or net.activations[-1] != Identity():
        return
    if size > net.n_weights and alike():
        warnings.warn(
            "all targets are 0 or 1, and squared loss fits them as any numbers: for classes take "
            f"{instead}; loss=ggn.losses.Squared() is silent",
            ClassTargetsWarning,
            stacklevel=users_line(),
        )
