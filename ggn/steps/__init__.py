"""Where to go from one linearization: the solvers of (G + mu D²) d = g.

Primal             N x N Cholesky of the normal matrix
Dual               T·nL x T·nL Cholesky of the kernel matrix (eq. 39)
MinimumNorm        SVD of P S itself
ConjugateGradient  no matrix at all
Gradient           backpropagation, Algorithm 1
"""

from __future__ import annotations

from collections.abc import Callable

from ggn.steps.base import Prepared, Step
from ggn.steps.conjugate_gradient import ConjugateGradient
from ggn.steps.dual import Dual
from ggn.steps.gradient import Gradient
from ggn.steps.minimum_norm import MinimumNorm
from ggn.steps.primal import Primal
from ggn.steps.subsampled import Subsampled
from ggn.validation import named

__all__ = [
    "ConjugateGradient",
    "Dual",
    "Gradient",
    "MinimumNorm",
    "Prepared",
    "Primal",
    "Step",
    "Subsampled",
    "resolve",
]

NAMES: dict[str, Callable[[], Step]] = {
    "primal": Primal,
    "dual": Dual,
    "minimum-norm": MinimumNorm,
    "subsampled": Subsampled,
    "conjugate-gradient": ConjugateGradient,
    "gradient": Gradient,
}


def resolve(value: str | Step) -> Step | None:
    """Return the step of a name, or the object itself; None for "auto".

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.
    """
    if value == "auto":
        return None
    ok = callable(getattr(value, "prepare", None))
    result: Step = named("step", value, {"auto": Primal, **NAMES}, "an object with prepare()", ok)
    return result
