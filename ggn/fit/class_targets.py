"""Targets of 0 and 1 on the squared loss: usually classes, which cross-entropy is for.

Told where there are more numbers to fit than weights, for an exact fit of zeros and ones, such
as XOR, is no statistics; and where the loss is named or left out, for whoever gives the object
`Squared()` has chosen it.
"""

from __future__ import annotations

import warnings

import numpy as np

from ggn.activations import Identity
from ggn.losses import Loss, Squared, resolve
from ggn.network import MLP
from ggn.validation import users_line

__all__ = ["ClassTargetsWarning", "hint_of_classes"]


class ClassTargetsWarning(UserWarning):
    """Targets are zeros and ones, and the loss is squared."""


def hint_of_classes(net: MLP, Y: np.ndarray, given: str | Loss) -> None:
    """Warn if all targets Y, (T, nL) or its transpose, look like classes; `given` is the loss."""
    named = isinstance(given, str) and isinstance(resolve(given), Squared)
    if not named or net.activations[-1] != Identity():
        return
    if Y.size <= net.n_weights or Y.min() != 0.0 or Y.max() != 1.0:
        return
    if ((Y == 0.0) | (Y == 1.0)).all():
        warnings.warn(
            "all targets are 0 or 1, and squared loss fits them as any numbers: for classes take "
            "loss='logistic' or 'softmax_cross_entropy', or ggn.sklearn.GGNClassifier; "
            "loss=ggn.losses.Squared() is silent",
            ClassTargetsWarning,
            stacklevel=users_line(),
        )
