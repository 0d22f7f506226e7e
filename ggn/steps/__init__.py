"""Where to go from one linearization: the solvers of (G + mu D²) d = g.

Primal             N x N Cholesky of the normal matrix
Dual               T·nL x T·nL Cholesky of the kernel matrix (eq. 39)
MinimumNorm        SVD of P S itself
Subsampled         Primal, with curvature from part of the samples
ConjugateGradient  no matrix at all
Gradient           backpropagation, Algorithm 1

For comparisons only: Diagonal, BlockDiagonal, parts of the normal matrix.
"""

from __future__ import annotations

from ggn.steps.base import Prepared, Step
from ggn.steps.block_diagonal import BlockDiagonal
from ggn.steps.conjugate_gradient import ConjugateGradient
from ggn.steps.diagonal import Diagonal
from ggn.steps.dual import Dual
from ggn.steps.gradient import Gradient
from ggn.steps.minimum_norm import MinimumNorm
from ggn.steps.primal import Primal
from ggn.steps.subsampled import Subsampled
from ggn.validation import classes_of, named

__all__ = [
    "BlockDiagonal",
    "ConjugateGradient",
    "Diagonal",
    "Dual",
    "Gradient",
    "MinimumNorm",
    "Prepared",
    "Primal",
    "Step",
    "Subsampled",
    "resolve",
]

NAMES = classes_of(__name__, Step)


def resolve(value: str | Step) -> Step | None:
    """Return the step of a name, or the object itself; None for "auto".

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.
    """
    if isinstance(value, str) and value == "auto":
        return None
    return named("step", value, {"auto": Primal, **NAMES}, Step)
