"""Losses of the residual r = φ_L - y, for regression.

Each is a sum over outputs of ρ(r).  For small r, ρ is close to r²
(Blake-Zisserman: r²/(1 + ε); smooth ℓp: its multiple by p s^(p-2)/2):

=================  ================================================  ============
name               ρ(r)                                              parameters
=================  ================================================  ============
``squared``        r²
``smooth_lp``      (r² + s²)^(p/2) - s^p  (p = 2: r²)                p, scale s
``cauchy``         s² log(1 + r²/s²)                                 scale s
``blake_zisserman``  s² [log(1 + ε) - log(exp(-r²/s²) + ε)]          scale s, ε
=================  ================================================  ============

The last three are robust.  Their H_E = ρ''(r) is negative for large residuals
(smooth ℓp: only for p < 1), where P H_E Pᵀ need not be positive semi-definite.
`psd=True` gives in its place the half-quadratic majoriser ρ'(r)/r ≥ ρ''(r):
the quadratic with that curvature touches ρ at r and lies above it everywhere
(ρ is concave in r²), so its minimiser never increases the loss.  With
`with_curvature("hessian")` it gives H_E itself, of a convex loss at least eps ρ'(r)/r.
"""

from __future__ import annotations

import inspect

import numpy as np

from ggn.losses.base import SCALES, Loss
from ggn.validation import number

EPS = float(np.finfo(np.float64).eps)

__all__ = ["BlakeZisserman", "Cauchy", "Residual", "Scaled", "SmoothLp", "Squared"]


class Residual(Loss):
    """E = Σ_o ρ(r_o); a subclass gives ρ, ρ'(r)/r and ρ''."""

    reachable = separable = unique_minimum = True

    def __init__(self) -> None:
        pass

    def value(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return self._rho(F - Y).sum(axis=1)

    def gradient(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        r = F - Y
        return r * self._weight(r)

    def hessian(self, F: np.ndarray, Y: np.ndarray, psd: bool = False) -> np.ndarray:
        r = F - Y
        if not psd:
            return self._second(r)
        weight = self._weight(r)
        if self.curvature == "majoriser":
            return weight
        H = self._second(r)
        # far out H may vanish beside ∇_E: so S⁺∇_E stays finite, and no step loses digits
        return np.maximum(H, EPS * weight) if self.convex else H

    def __repr__(self) -> str:
        given = inspect.signature(type(self)).parameters
        return f"{type(self).__name__}({', '.join(f'{p}={getattr(self, p):g}' for p in given)})"

    def _rho(self, r: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _weight(self, r: np.ndarray) -> np.ndarray:
        """ρ'(r)/r."""
        raise NotImplementedError

    def _second(self, r: np.ndarray) -> np.ndarray:
        """ρ''(r)."""
        raise NotImplementedError


class Squared(Residual):
    """E = ‖φ_L - y‖² (no ½), the least-squares loss.

    Examples
    --------
    >>> import numpy as np
    >>> Squared().value(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]]))
    array([5.])
    """

    name = "squared"
    aliases = ("mse", "mean_squared_error", "MSELoss", "squared_error", "sse")
    constant_curvature = 2.0
    convex = nondegenerate = True

    def value(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        r = F - Y
        return np.einsum("io,io->i", r, r)

    def gradient(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return 2.0 * (F - Y)

    def hessian(self, F: np.ndarray, Y: np.ndarray, psd: bool = False) -> np.ndarray:
        return np.full_like(F, 2.0)


class Scaled(Residual):
    """One with a scale s, below which residuals count as squares."""

    scale: float
    convex = nondegenerate = False

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = number("scale", scale, *SCALES)


class SmoothLp(Scaled):
    """ρ(r) = (r² + s²)^(p/2) - s^p, the smoothed ℓp norm; p = 1 is a smooth absolute value.

    Parameters
    ----------
    p : float, default 1.0
        In (0, 2].  H_E can be negative only for p < 1.
    scale : float, default 0.1
        s in [1e-150, 1e150], in the units of the targets; below it the loss is quadratic.
    """

    name = "smooth_lp"
    p: float

    def __init__(self, p: float = 1.0, scale: float = 0.1) -> None:
        super().__init__(scale)
        self.p = number("p", p, 0.0, 2.0, open_low=True)
        self.convex = self.nondegenerate = self.p >= 1.0

    def _rho(self, r: np.ndarray) -> np.ndarray:
        u = np.square(r / self.scale)
        return self.scale**self.p * np.expm1(0.5 * self.p * np.log1p(u))

    def _weight(self, r: np.ndarray) -> np.ndarray:
        return self.p * np.hypot(r, self.scale) ** (self.p - 2.0)

    def _second(self, r: np.ndarray) -> np.ndarray:
        h = np.hypot(r, self.scale)
        bend = (self.p - 1.0) * np.square(r / h) + np.square(self.scale / h)
        return self.p * h ** (self.p - 2.0) * bend


class Cauchy(Scaled):
    """ρ(r) = s² log(1 + r²/s²).

    Parameters
    ----------
    scale : float, default 1.0
        s in [1e-150, 1e150], in the units of the targets; H_E is negative for |r| > s.
    """

    name = "cauchy"

    def _rho(self, r: np.ndarray) -> np.ndarray:
        return self.scale**2 * np.log1p(np.square(r / self.scale))

    def _weight(self, r: np.ndarray) -> np.ndarray:
        return 2.0 / (1.0 + np.square(r / self.scale))

    def _second(self, r: np.ndarray) -> np.ndarray:
        u = np.square(r / self.scale)
        return 2.0 * (1.0 - u) / np.square(1.0 + u)


class BlakeZisserman(Scaled):
    """ρ(r) = s² [log(1 + ε) - log(exp(-r²/s²) + ε)]: bounded, so far outliers do not count.

    Parameters
    ----------
    scale : float, default 1.0
        s in [1e-150, 1e150], in the units of the targets.
    epsilon : float, default 0.01
        ε > 0; ρ levels off at s² log((1 + ε)/ε).
    """

    name = "blake_zisserman"

    def __init__(self, scale: float = 1.0, epsilon: float = 0.01) -> None:
        super().__init__(scale)
        self.epsilon = number("epsilon", epsilon, 0.0, open_low=True)

    def _inlier(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return u = r²/s² and the inlier weight q = exp(-u) / (exp(-u) + ε)."""
        u = np.square(r / self.scale)
        g = np.exp(-u)
        return u, g / (g + self.epsilon)

    def _rho(self, r: np.ndarray) -> np.ndarray:
        u = np.square(r / self.scale)
        near = np.log1p(np.expm1(-np.minimum(u, 1.0)) / (1.0 + self.epsilon))
        far = np.log(np.exp(-u) + self.epsilon) - np.log1p(self.epsilon)
        return -(self.scale**2) * np.where(u < 1.0, near, far)

    def _weight(self, r: np.ndarray) -> np.ndarray:
        return 2.0 * self._inlier(r)[1]

    def _second(self, r: np.ndarray) -> np.ndarray:
        u, q = self._inlier(r)
        return 2.0 * q * (1.0 - 2.0 * u * (1.0 - q))
