"""What is minimised, as whoever minimises it sees it, and what is known of it at one w.

Training, steps and damping know nothing of where the samples are.  Another kind inherits both.

    Objective          samples in memory
    SummedObjective    samples in parts that somebody else has; every number is a sum over parts
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse.linalg import LinearOperator

from ggn.linearization.symmetric import mirrored
from ggn.linearization.transport import Transport
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import flag

__all__ = ["BaseLinearization", "BaseObjective"]


class BaseObjective(ABC):
    """J(w) = Σ_i c_i E_i(w) + Σ_j l2_j w_j², and what a training asks of its data.

    Attributes
    ----------
    net : MLP
    loss : Loss
    l2 : float or ndarray (N,)
    penalised : bool
        Whether any l2 is not 0.
    T, count, counting : int, float, float
        Samples; as many where a weight of 2 counts as the sample given twice; of these no fewer
        than have a weight, which may be in any unit: what rules and statistics of a fit go by.
    rooted, layered : bool
        Whether `root` of the linearization, P S, can be had, of which the dual and the
        minimum-norm step are made; whether outputs are those of the layers of `net` alone.
    transport : Transport, optional
        What sums cost where samples are on other machines.
    """

    net: MLP
    loss: Loss
    l2: float | np.ndarray
    penalised: bool
    T: int
    count: float
    counting: float
    rooted: ClassVar[bool] = False
    layered: ClassVar[bool] = True
    transport: Transport | None = None

    @abstractmethod
    def at(self, w: np.ndarray, J: float | None = None) -> BaseLinearization:
        """Return what is known at w (N,); J is J(w) where that is known already."""

    @abstractmethod
    def value(self, w: np.ndarray) -> float:
        """Return J(w); inf or nan, and NumPy's warnings, where it overflows."""

    @abstractmethod
    def rounding(self, w: np.ndarray, J: float) -> float:
        """Return how much of J = J(w) the rounding of the outputs can move."""

    def penalty(self, w: np.ndarray) -> float:
        """Return Σ l2_j w_j²."""
        return float(np.sum(self.l2 * w * w))

    def refit_pays(self, work: float) -> bool:
        """Return whether `refit` can be had for less than half of so many flops a sample."""
        return False

    def refit(
        self, w: np.ndarray, before: np.ndarray, D: np.ndarray | None, mu: float
    ) -> tuple[float, np.ndarray | None]:
        """Return J(w), and w with the output layer that is best under damping, if there is one."""
        return self.value(w), None

    @abstractmethod
    def shaken(self, rng: np.random.Generator, size: float) -> BaseObjective:
        """Return this with shares c_i moved at random, by a relative deviation of that size."""

    @abstractmethod
    def scratch(self, *shape: int) -> np.ndarray:
        """Return an uninitialised array, the caller's until nothing refers to it; see `Memory`."""

    @property
    @abstractmethod
    def sample_weight(self) -> np.ndarray | None:
        """The weights of the samples (T,), or None where none was weighted or they are not here."""

    @abstractmethod
    def part(self, rows: np.ndarray) -> BaseObjective:
        """Return the objective of these samples alone; rows ascend."""

    def subsample(self, m: int, rng: np.random.Generator) -> BaseObjective:
        """Return the objective of m samples at random, or about as many of very many."""
        return self.part(np.sort(rng.choice(self.T, m, replace=False)))

    @abstractmethod
    def some(self, most: int, counted: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return X (m, n0), Y (m, nL) and c (m,) of at most so many samples, spread over all.

        counted: of those that count only, c > 0.
        """

    @abstractmethod
    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the largest of each input, (n0,), over samples that count."""

    @abstractmethod
    def columns(self, targets: bool, shift: bool, robust: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return centre and size of each input, or target, see `centre_and_size`."""

    @abstractmethod
    def spread(self) -> tuple[np.ndarray, float]:
        """Return the root mean square of each input (n0,), and the deviation of the targets."""

    @abstractmethod
    def of_zeros_and_ones(self) -> bool:
        """Whether all targets are 0 or 1, and both occur."""

    @abstractmethod
    def mean_target(self) -> np.ndarray:
        """Return the mean of each target, (nL,)."""

    @abstractmethod
    def constant(self, output: np.ndarray) -> float:
        """Return the mean loss where all samples have the same outputs (nL,), no penalty."""

    @abstractmethod
    def standard(
        self, m: np.ndarray, s: np.ndarray, my: np.ndarray, sy: float, loss: Loss, l2: Any
    ) -> Self | None:
        """Return this with inputs (x - m) / s, targets (y - my) / sy, another loss and l2.

        None where those are not finite.
        """

    @abstractmethod
    def copied_inputs(self) -> int:
        """Return the bytes of inputs that `standard` copies, if it changes any."""


class BaseLinearization(ABC):
    """An objective at one w: what it is asked for is evaluated then, and kept if small."""

    objective: BaseObjective

    def __init__(self, objective: BaseObjective, w: np.ndarray, loss: float | None = None) -> None:
        self.objective, self.net, self.w = objective, objective.net, w
        self._loss = loss
        self._gradient: np.ndarray | None = None
        self._rounding: float | None = None

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({self.net!r}, {self.objective.T} samples, loss {self.loss:.6g})"

    @property
    def loss(self) -> float:
        """J(w)."""
        if self._loss is None:
            with np.errstate(all="ignore"):
                self._loss = self.objective.value(self.w)
        return self._loss

    @property
    def gradient(self) -> np.ndarray:
        """∇J(w), (N,)."""
        if self._gradient is None:
            self._gradient = self._compute_gradient()
        return self._gradient

    @property
    def rounding(self) -> float:
        """How far J may be off by the rounding of the outputs.

        That is eps Σ c |∇_E φ_L| and ½ eps² Σ c h φ_L², h the curvature's diagonal.  A
        reduction below this is invisible in J.
        """
        if self._rounding is None:
            self._rounding = self.objective.rounding(self.w, self.loss)
        return self._rounding

    def normal_matrix(self, psd: bool = False) -> np.ndarray:
        """Return P H_E Pᵀ + 2 diag(l2), (N, N), the GGN matrix; psd: with the loss's psd curvature.

        Examples
        --------
        >>> import ggn
        >>> ggn.linearize(ggn.MLP((1, 1), bias=False), [1.0], [[3.0]], [[0.0]]).normal_matrix()
        array([[18.]])
        """
        G = np.empty((len(self.w), len(self.w)))
        self.assemble_normal(G, flag("psd", psd))
        return mirrored(G)

    def operator(self, psd: bool = True) -> LinearOperator:
        """Return v -> P H_E Pᵀ v + 2 l2 v as a SciPy LinearOperator (N, N), two sweeps each.

        psd: with the loss's psd curvature, as steps are taken with; else H_E, as `normal_matrix`.

        Examples
        --------
        >>> import ggn
        >>> at = ggn.linearize(ggn.MLP((1, 1), bias=False), [1.0], [[3.0]], [[0.0]])
        >>> at.operator() @ [2.0]
        array([36.])
        """
        return self._symmetric(lambda v: self.normal_product(v, flag("psd", psd)))

    def hessian(self) -> np.ndarray:
        """Return the exact Hessian H_J, (N, N), eq. 26, the loss's true H_E and the penalty in it.

        Raises
        ------
        ValueError
            If an activation has no second derivative.

        Examples
        --------
        >>> import ggn
        >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
        >>> ggn.linearize(net, [0.0, 0.0], [[1.0]], [[0.5]]).hessian()  # J = (w1 w2 - 1/2)²
        array([[ 0., -1.],
               [-1.,  0.]])
        """
        H = self.functional_hessian()
        H += self.normal_matrix(psd=False)
        return H

    def hessian_operator(self) -> LinearOperator:
        """Return v -> H_J v as a SciPy LinearOperator (N, N), for a few sweeps a product.

        Raises
        ------
        ValueError
            In use, if an activation has no second derivative.

        Examples
        --------
        >>> import ggn
        >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
        >>> ggn.linearize(net, [0.0, 0.0], [[1.0]], [[0.5]]).hessian_operator() @ [2.0, 0.0]
        array([ 0., -2.])
        """
        return self._symmetric(self.hessian_product)

    def _symmetric(self, product: Callable[[np.ndarray], np.ndarray]) -> LinearOperator:
        """Return v -> product(v) + 2 l2 v as an operator."""
        N = len(self.w)

        def matvec(v: Any) -> np.ndarray:
            v = np.ascontiguousarray(v, dtype=np.float64).reshape(-1)
            return product(v) + 2.0 * self.objective.l2 * v

        return LinearOperator((N, N), matvec=matvec, rmatvec=matvec, dtype=np.float64)

    @abstractmethod
    def _compute_gradient(self) -> np.ndarray:
        """Return ∇J(w), (N,), penalty included."""

    @abstractmethod
    def assemble_normal(
        self, G: np.ndarray, psd: bool = True, lent: np.ndarray | None = None
    ) -> np.ndarray:
        """Write the lower triangle of the GGN matrix to G; return the gradient, a by-product.

        `lent` (N, N) is overwritten: with it, the sums need no memory of their own.
        """

    @abstractmethod
    def normal_diagonal(self) -> np.ndarray:
        """Return the diagonal of the (psd) normal matrix, (N,), without forming it."""

    @abstractmethod
    def normal_product(self, v: np.ndarray, psd: bool) -> np.ndarray:
        """Return P H_E Pᵀ v (N,), without the penalty."""

    @abstractmethod
    def hessian_product(self, v: np.ndarray) -> np.ndarray:
        """Return H_J v (N,), without the penalty."""

    @abstractmethod
    def functional_hessian(self) -> np.ndarray:
        """Return Σ ε_io ∇²φ_L,o(x_i), (N, N), symmetric: what H_J has beside the normal matrix."""

    @abstractmethod
    def bend(self, d: np.ndarray) -> np.ndarray:
        """Return P H_E φ''[d, d] (N,): the gradient that the outputs' curvature along d adds."""

    @abstractmethod
    def curvature_along(self, d: np.ndarray) -> float:
        """Return dᵀ G d, the penalty's part included, for the psd curvature."""
