r"""One search for a stationary point: eigenvector following, then Newton's method.

With H = V diag(λ) Vᵀ, λ_1 <= ... <= λ_N, and c = Vᵀ ∇J, a step is

    d_i = s_i c_i / |λ_i|,   s_i = 1 for i <= k, else -1,   |d_i| <= 1/4 (1 + max |w|)

uphill along the k lowest eigenvectors and downhill along the others: stationary
points of index k attract, and near them this is Newton's step -c_i / λ_i.  Where
that is short it is taken as it is, towards the nearest stationary point of any index,
until it gets no shorter.  Minimising ‖∇J‖² instead finds fewer points: on the XOR
problem of the tests 31 to 35 orbits of 49 from 4000 random starts, against 46.

Towards an infimum at infinity λ and c decay together until both are rounding.  So
unless J is coercive no layer may be saturated throughout, nor, where H is singular,
any unit.
"""

from __future__ import annotations

import numpy as np

from ggn.linearization import Linearization, Objective
from ggn.surface.layers import sweep_layers

__all__ = ["find"]

FOLLOWED, POLISHED = 40, 100  # most steps
NEAR = 1e-3  # Newton's step, relative to 1 + max |w|, from which on it is taken
NULL = 1e-10  # an eigenvalue below this times the largest counts as zero in a step
# σ' of a unit that may be on its way to infinity: there λ ~ σ'² is zero by the line above.
# Far above where σ' is too small to matter, sqrt(eps), see `saturation`.
FLAT = NULL**0.5


class _Point:
    """∇J and the eigenvectors of H at w."""

    def __init__(self, objective: Objective, w: np.ndarray) -> None:
        self.at = Linearization(objective, w)
        self.scale = 1.0 + float(np.abs(w).max())
        H = self.at.hessian()
        self.finite = bool(np.isfinite(H).all() and np.isfinite(self.at.gradient).all())
        if self.finite:
            self.eigenvalues, self.vectors = np.linalg.eigh(H)
            self.slopes = self.at.gradient @ self.vectors
            self.largest = float(np.abs(self.eigenvalues).max())
            self.null = np.abs(self.eigenvalues) <= NULL * self.largest
            self.lengths = np.where(self.null, np.inf, np.abs(self.eigenvalues))

    def newton(self) -> np.ndarray:
        """Return the step -H⁺∇J, in eigenvectors."""
        return -self.slopes / self.lengths * np.sign(self.eigenvalues)

    def towards(self, index: int) -> np.ndarray:
        """Return the step that an index-`index` point attracts, in eigenvectors."""
        d = -self.slopes / self.lengths
        d[:index] *= -1.0
        return np.clip(d, -0.25 * self.scale, 0.25 * self.scale)

    def step(self, d: np.ndarray) -> np.ndarray:
        """Return the weights after a step given in eigenvectors."""
        return self.at.w + self.vectors @ d

    @property
    def stationary(self) -> bool:
        """Whether ∇J is what rounding makes of zero."""
        rounding = 32.0 * np.finfo(np.float64).eps * self.largest * self.scale
        return bool((np.abs(self.slopes) <= rounding).all())


def find(
    objective: Objective, w: np.ndarray, index: int, coercive: bool
) -> tuple[Linearization, np.ndarray] | None:
    """Search from w for a stationary point of a J that is coercive or not, first of this index.

    Returns
    -------
    tuple of Linearization and ndarray (N,), or None
        At the point, and the eigenvalues of its Hessian, ascending; None if the search
        cycled or the weights ran away.
    """
    with np.errstate(all="ignore"):  # weights that run away may overflow
        for _ in range(FOLLOWED):
            point = _Point(objective, w)
            if not point.finite:
                return None
            if np.abs(point.newton()).max() <= NEAR * point.scale:
                break
            w = point.step(point.towards(index))
        else:
            return None
        ended = _polished(objective, point)
        if not (ended.finite and ended.stationary):
            return None
        if not coercive and _saturated(objective, ended.at.w, bool(ended.null.any())):
            return None
        return ended.at, ended.eigenvalues


def _polished(objective: Objective, point: _Point) -> _Point:
    """Take Newton's steps as long as they get shorter."""
    length = np.inf
    for _ in range(POLISHED):
        d = point.newton()
        last, length = length, float(np.linalg.norm(d))
        if length >= 0.9 * last or length == 0.0:
            break
        point = _Point(objective, point.step(d))
        if not point.finite:
            break
    return point


def _saturated(objective: Objective, w: np.ndarray, singular: bool) -> bool:
    """Return whether σ' is all but zero throughout a layer or, if singular, anywhere."""
    (part,) = sweep_layers(objective.net, w, objective.X, objective.T)
    flat = [np.abs(slopes) < FLAT for slopes in part.slopes]
    return any(layer.all() or (singular and layer.any()) for layer in flat)
