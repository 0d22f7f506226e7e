"""Losses E(φ_L, y), by name.

=========================  =====================================================
for regression             of the residual φ_L - y, see `ggn.losses.residual`
``squared``                least squares
``smooth_lp``              robust: a smooth absolute value, or another power
``cauchy``                 robust: grows like a logarithm
``blake_zisserman``        robust: bounded
for classification         of logits φ_L, see `ggn.losses.cross_entropy`
``logistic``               one yes-or-no question per output
``softmax_cross_entropy``  one class out of nL
=========================  =====================================================

The robust losses' H_E = ρ''(r) is negative for large residuals (smooth ℓp: only
for p < 1), where P H_E Pᵀ need not be positive semi-definite.  `psd=True` gives
in its place the half-quadratic majoriser ρ'(r)/r ≥ ρ''(r): the quadratic with
that curvature touches ρ at r and lies above it everywhere (ρ is concave in r²),
so its minimiser never increases the loss.

A class in a file of this package with a `name` is a built-in loss: there is no other list
of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ggn.losses.base import Loss
from ggn.losses.cross_entropy import Logistic, SoftmaxCrossEntropy
from ggn.losses.residual import BlakeZisserman, Cauchy, Residual, SmoothLp, Squared
from ggn.validation import classes_of, key, named

__all__ = [
    "BlakeZisserman",
    "Cauchy",
    "Logistic",
    "Loss",
    "Residual",
    "SmoothLp",
    "SoftmaxCrossEntropy",
    "Squared",
    "resolve",
]

BUILT_IN = classes_of(__name__, Loss)
FOR_REGRESSION = {name: cls for name, cls in BUILT_IN.items() if issubclass(cls, Residual)}
ROBUST = {name: cls for name, cls in FOR_REGRESSION.items() if cls().scale is not None}

ALIASES = {
    key(alias): name for name, cls in BUILT_IN.items() for alias in (*cls.aliases, cls.__name__)
}
ABSOLUTE = "'smooth_lp' is a smooth absolute value"
HUBER = "'smooth_lp' is like it: a square near zero, an absolute value far out"
ENTROPY = (
    "cross-entropy is, for classification and outputs that are logits, 'logistic' (yes or no) or "
    "'softmax_cross_entropy' (one class of several)"
)
ANSWERS = {
    **dict.fromkeys(("mae", "meanabsoluteerror", "absoluteerror", "l1", "l1loss", "sae"), ABSOLUTE),
    **dict.fromkeys(("huber", "huberloss", "smoothl1loss", "smoothl1", "logcosh"), HUBER),
    **dict.fromkeys(
        (
            "crossentropy",
            "logloss",
            "bce",
            "bceloss",
            "binarycrossentropy",
            "nllloss",
            "categoricalcrossentropy",
            "sparsecategoricalcrossentropy",
            "softmax",
            "deviance",
        ),
        ENTROPY,
    ),
    **dict.fromkeys(("hinge", "squaredhinge"), f"for classes there are no margins here; {ENTROPY}"),
    "rmse": "'squared' has the same minimisers",
}  # by `key`

if not TYPE_CHECKING:

    def __getattr__(name: str) -> type[Loss]:
        """Return the class of a built-in loss that is not imported above by name."""
        for cls in BUILT_IN.values():
            if cls.__name__ == name:
                return cls
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def resolve(
    value: str | Loss, argument: str = "loss", known: Mapping[str, type[Loss]] = BUILT_IN
) -> Loss:
    """Return the loss of a name, with its default parameters, or the object itself.

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.

    Examples
    --------
    >>> resolve("cauchy")
    Cauchy(scale=1)
    """
    return named(argument, value, known, Loss, ALIASES, ANSWERS)
