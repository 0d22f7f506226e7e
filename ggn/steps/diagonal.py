"""The diagonal of the GGN matrix in place of all of it: d_j = g_j / (G_jj + mu D_j²)."""

from __future__ import annotations

import numpy as np

from ggn.damping import Metric
from ggn.linearization import BaseLinearization
from ggn.steps.base import Prepared, Step

__all__ = ["Diagonal"]


class Diagonal(Step):
    """A step size for each weight: a comparison, not a step to train with.

    It costs little more than the gradient, and knows nothing of how weights act together.  With
    `Undamped(alpha)` it is the method of Becker & LeCun with the GGN matrix for the Hessian.  A
    weight that nothing depends on, G_jj = 0, stays where it is at mu = 0.

    References
    ----------
    Becker & LeCun (1988), Improving the convergence of back-propagation learning with second order
    methods; Battiti (1992), First- and second-order methods for learning.

    Examples
    --------
    >>> import ggn
    >>> at = ggn.linearize(ggn.MLP((2, 1), bias=False), [1.0, 1.0], [[1.0, 2.0]], [[0.0]])
    >>> at.normal_matrix(), at.gradient
    (array([[2., 4.],
           [4., 8.]]), array([ 6., 12.]))
    >>> Diagonal().prepare(at, ggn.damping.Metric()).solve(0.0)
    array([3. , 1.5])
    """

    name = "diagonal"

    def prepare(self, at: BaseLinearization, metric: Metric) -> _Prepared:
        """Sweep for the gradient, and for the diagonal of G."""
        return _Prepared(at, metric)


class _Prepared(Prepared):
    def __init__(self, at: BaseLinearization, metric: Metric) -> None:
        self.gradient, self.diagonal = at.gradient, at.normal_diagonal()
        self.scale = metric.scale(self.diagonal)

    def solve(self, mu: float) -> np.ndarray:
        damping = mu if self.scale is None else mu * self.scale**2
        weight, d = self.diagonal + damping, np.zeros_like(self.gradient)
        return np.divide(self.gradient, weight, out=d, where=weight > 0.0)
