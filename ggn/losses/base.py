"""What a loss is: E(φ_L, y) with gradient ∇_E and curvature H_E in the network's outputs.

Steps need a semi-definite curvature and, in dual form, a root of it:

    H_E = S Sᵀ,    S r = ∇_E,    r = S⁺∇_E
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np

from ggn.losses.curvature import CHOICES, Curvature
from ggn.validation import describe, one_of

SCALES = 1e-150, 1e150  # of residuals: their squares are numbers yet

__all__ = ["Loss"]

Function = Callable[[np.ndarray, np.ndarray], Any]


class Loss:
    """A loss from Python functions of outputs F and targets Y, both (T, nL).

    Parameters
    ----------
    name : str
        What `repr` and messages call it.
    value : callable
        (F, Y) -> (T,), the loss of each sample.
    gradient : callable
        (F, Y) -> (T, nL), its gradient in F.
    hessian : callable
        (F, Y) -> (T, nL) if H_E is diagonal, else (T, nL, nL).
    psd_hessian : callable, optional
        The same for a positive semi-definite curvature to take steps with.  If
        left out, the negative eigenvalues of `hessian` are set to zero.

    Attributes
    ----------
    unique_minimum, convex : bool or None
        Whether ∇_E = 0 only at F = Y, the minimum, and whether E is convex in F.  Either is
        enough for Principle 1.
    nondegenerate : bool or None
        Whether H_E is singular at no F (Principle 1.a).
    scale : float or None
        Of a robust loss: the residuals below it are small.

        None, for a loss of your own, means not known; what you know you may set.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> log_cosh = ggn.Loss(
    ...     "log_cosh",
    ...     lambda F, Y: np.log(np.cosh(F - Y)).sum(axis=1),
    ...     lambda F, Y: np.tanh(F - Y),
    ...     lambda F, Y: 1 / np.cosh(F - Y) ** 2,
    ... )
    >>> log_cosh.gradient(np.array([[0.0]]), np.array([[0.0]]))
    array([[0.]])
    """

    name: str
    aliases: ClassVar[tuple[str, ...]] = ()  # what other tools call it
    constant_curvature: float | None = None  # h where H_E = h I always
    # whether ε always lies in the range of the psd curvature, as S⁺ε needs
    reachable = False
    unique_minimum: bool | None = None
    convex: bool | None = None
    nondegenerate: bool | None = None
    separable = False  # whether E = Σ ρ(r_o) with ρ even, increasing in |r|
    shift_invariant = False  # whether E stays the same where all outputs rise together
    scale: float | None = None  # of the residuals that a robust loss takes for small
    p: float | None = None  # the exponent of |r| far out, of a loss that has one to choose
    curvature = "majoriser"  # what `psd=True` gives, by `with_curvature`

    def __init__(
        self,
        name: str,
        value: Function,
        gradient: Function,
        hessian: Function,
        psd_hessian: Function | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise ValueError(f"name must be a non-empty string, got {describe(name)}")
        for argument, function in (("value", value), ("gradient", gradient), ("hessian", hessian)):
            if not callable(function):
                raise ValueError(f"{argument} must be callable, got {describe(function)}")
        self.name = name
        self._value, self._gradient = value, gradient
        self._hessian, self._psd_hessian = hessian, psd_hessian

    def value(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return E of each sample, (T,)."""
        return self._checked("value", self._value(F, Y), [F.shape[:1]])

    def gradient(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return ∇_E, (T, nL)."""
        return self._checked("gradient", self._gradient(F, Y), [F.shape])

    def hessian(self, F: np.ndarray, Y: np.ndarray, psd: bool = False) -> np.ndarray:
        """Return H_E, (T, nL) if diagonal, else (T, nL, nL); psd: the curvature of steps."""
        shapes = [F.shape, (*F.shape, F.shape[1])]
        exact = not psd or self.curvature == "hessian"
        if not exact and self._psd_hessian is not None:
            return self._checked("psd_hessian", self._psd_hessian(F, Y), shapes)
        H = self._checked("hessian", self._hessian(F, Y), shapes)
        return H if exact else Curvature.of(H).clipped().array

    def root(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return S with S Sᵀ = `hessian(psd=True)`, (T, nL) if diagonal, else (T, nL, nL)."""
        return Curvature.of(self.hessian(F, Y, psd=True)).root().array

    def whitened(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Return r = S⁺∇_E for the S of `root`, (T, nL).

        Raises
        ------
        CurvatureError
            If the curvature is zero in a direction in which the gradient is not.
        """
        return Curvature.of(self.root(F, Y)).whiten(self.gradient(F, Y))

    @property
    def semidefinite(self) -> bool:
        """Whether the curvature of steps, `psd=True`, is positive semi-definite everywhere."""
        return self.curvature == "majoriser" or self.convex is True

    def with_curvature(self, curvature: str) -> Self:
        """Return the same loss with this curvature for steps, what `psd=True` gives.

        Parameters
        ----------
        curvature : str
            "hessian": H_E, as in Algorithm 2 of the paper; of a loss that is not convex it is
            indefinite.  "majoriser": a positive semi-definite one, ρ'(r)/r for the robust
            losses, `psd_hessian` for a loss of your own.  "auto": H_E for a built-in loss that
            is convex, else as it was.  The cross-entropies have one for both.

        Raises
        ------
        ValueError
            For an unknown name (the known ones are listed).

        Examples
        --------
        >>> import numpy as np, ggn
        >>> cauchy, F, Y = ggn.losses.Cauchy(), np.array([[2.0]]), np.array([[0.0]])
        >>> for curvature in ("auto", "majoriser", "hessian"):
        ...     print(curvature, cauchy.with_curvature(curvature).hessian(F, Y, psd=True))
        auto [[0.4]]
        majoriser [[0.4]]
        hessian [[-0.24]]
        """
        one_of("curvature", curvature, CHOICES)
        if curvature == "auto":
            # a user's own psd_hessian was given to be used
            curvature = "hessian" if self.convex and type(self) is not Loss else self.curvature
        if curvature == self.curvature:
            return self
        twin = copy.copy(self)
        twin.curvature = curvature
        twin.reachable = type(self).reachable and twin.semidefinite
        return twin

    def with_scale(self, scale: float) -> Self:
        """Return the same loss, one that has a scale, with another; within `SCALES`."""
        twin = copy.copy(self)
        twin.scale = min(max(scale, SCALES[0]), SCALES[1])
        return twin

    def check_targets(self, Y: np.ndarray) -> None:
        """Raise ValueError for targets Y (T, nL) that the loss has no meaning for."""

    def _checked(self, kind: str, result: Any, shapes: list[tuple[int, ...]]) -> np.ndarray:
        array = np.asarray(result, dtype=np.float64)
        if array.shape not in shapes:
            wanted = " or ".join(map(str, shapes))
            raise ValueError(
                f"{kind} of loss {self.name!r} must return an array of shape {wanted}, "
                f"got {array.shape}"
            )
        return array

    def __repr__(self) -> str:
        return f"Loss({self.name!r})"
