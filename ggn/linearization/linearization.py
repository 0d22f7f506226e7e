"""Everything known at one w: loss, gradient, Jacobian, normal and kernel matrices.

With c_i H_E^(i) = S Sᵀ, B = P S and ε_i = c_i ∇_E (c_i carries the mean's 1/T):

    gradient       g = P ε + 2 l2 w                        (eq. 16, 18)
    normal matrix  G = P H_E Pᵀ + 2 diag(l2) = B Bᵀ + ...   (eq. 37)
    kernel matrix  K = Sᵀ Pᵀ P S = Bᵀ B                     (eq. 39)
    Hessian        H = G + Σ ε_io ∇²φ_L,o(x_i)              (eq. 26)

Each is a sum over chunks of samples (`sweeping.py`); P is not stored for it, so
memory is O(N² + chunk).  What one of them is does not depend, not in one bit, on
which others were asked for before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from ggn import _core
from ggn.linearization.assembly import Accumulator, accumulators
from ggn.linearization.directional import bend_columns, hessian_along, product_along
from ggn.linearization.dual_system import DualSystem
from ggn.linearization.functional_hessian import functional_hessian
from ggn.linearization.objective import Objective
from ggn.linearization.sweeping import Accumulate, sweep
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import integer

__all__ = ["Linearization", "linearize"]


class Linearization:
    """The objective at one w, evaluated when asked; see `linearize`."""

    def __init__(self, objective: Objective, w: np.ndarray, loss: float | None = None) -> None:
        self.objective = objective
        self.net = objective.net
        self.w = w
        self._loss = loss
        self._gradient: np.ndarray | None = None
        self._rounding: float | None = None

    def __repr__(self) -> str:
        return f"Linearization({self.net!r}, {self.objective.T} samples, loss {self.loss:.6g})"

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
            self._gradient = sweep(self.objective, self.w, 1)
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

    def jacobian(self) -> np.ndarray:
        """Return P(W), (N, T·nL), eq. 19; column i·nL + o is sample i, output o."""
        return self.net.jacobian(self.w, self.objective.X)

    def normal_matrix(self, psd: bool = False) -> np.ndarray:
        """Return P H_E Pᵀ + 2 diag(l2), (N, N), the GGN matrix; psd: with the loss's psd curvature.

        Examples
        --------
        >>> import ggn
        >>> ggn.linearize(ggn.MLP((1, 1), bias=False), [1.0], [[3.0]], [[0.0]]).normal_matrix()
        array([[18.]])
        """
        N = self.net.n_weights
        G = np.empty((N, N))
        self.assemble_normal(G, psd)
        return np.tril(G) + np.tril(G, -1).T

    def assemble_normal(
        self, G: np.ndarray, psd: bool = True, lent: np.ndarray | None = None
    ) -> np.ndarray:
        """Write the lower triangle of the GGN matrix to G; return the gradient, a by-product.

        `lent` (N, N) is overwritten: with it, the sums need no memory of their own.
        """
        net, objective = self.net, self.objective
        first, *others = accumulators(objective, G, psd, lent)

        def lane(total: Accumulator) -> Accumulate:
            return lambda rows, F, work: total.add(self.w, F, rows, work)

        lanes = [lane(total) for total in (first, *others)]
        gradient = sweep(objective, self.w, net.n_outputs, first.chunk_doubles, lanes=lanes)
        first.finish(others)
        if objective.penalised:
            G[np.diag_indices(len(G))] += 2.0 * objective.l2
        return gradient

    def root(self) -> tuple[np.ndarray, np.ndarray]:
        """Return B = P S (N, T·nL) and S⁺ε (T·nL,), columns by output, then sample.

        B Bᵀ is the GGN matrix and B S⁺ε the gradient, both without the penalty.
        """
        net, objective = self.net, self.objective
        N, nL, T = net.n_weights, net.n_outputs, objective.T
        B, residual = np.empty((N, nL * T)), np.empty(nL * T)

        def accumulate(rows: slice, F: np.ndarray, work: np.ndarray) -> None:
            S = objective.root(F, rows)
            residual[:] = objective.whitened(F, rows).ravel()
            _core.sensitivities(net.layout, self.w, T, S.samples_last(), work)
            _core.jacobian(net.layout, T, work, B)

        work = objective.scratch(net.work_size(T, nL))
        sweep(objective, self.w, nL, 0, accumulate, whole=work)
        return B, residual

    def normal_diagonal(self) -> np.ndarray:
        """Return the diagonal of the (psd) normal matrix, (N,), without forming it."""
        net, nL = self.net, self.net.n_outputs
        out = np.zeros(net.n_weights)
        c, _ = self.objective.chunk(nL)
        buffer = self.objective.scratch(net.diagonal_size(c))

        def accumulate(rows: slice, F: np.ndarray, work: np.ndarray) -> None:
            s = self.objective.root(F, rows).samples_last()
            n = F.shape[1]
            _core.sensitivities(net.layout, self.w, n, s, work)
            _core.add_diagonal(net.layout, n, work, buffer, out)

        sweep(self.objective, self.w, nL, 0, accumulate)
        return out + 2.0 * self.objective.l2

    def operator(self, psd: bool = True) -> LinearOperator:
        """Return v -> P H_E Pᵀ v + 2 l2 v as a SciPy LinearOperator (N, N), without a matrix.

        Each product is a forward sweep for Pᵀv and a backward one for P u.

        Examples
        --------
        >>> import ggn
        >>> at = ggn.linearize(ggn.MLP((1, 1), bias=False), [1.0], [[3.0]], [[0.0]])
        >>> at.operator() @ [2.0]
        array([36.])
        """
        return self._symmetric(lambda v: product_along(self.objective, self.w, v, psd, False))

    def functional_hessian(self) -> np.ndarray:
        """Return Σ ε_io ∇²φ_L,o(x_i), (N, N), symmetric: what H_J has beside the normal matrix."""
        return functional_hessian(self.objective, self.w)

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
        return self._symmetric(lambda v: hessian_along(self.objective, self.w, v))

    def _symmetric(self, product: Callable[[np.ndarray], np.ndarray]) -> LinearOperator:
        """Return v -> product(v) + 2 l2 v as an operator."""
        N = self.net.n_weights

        def matvec(v: Any) -> np.ndarray:
            v = np.ascontiguousarray(v, dtype=np.float64).reshape(-1)
            return product(v) + 2.0 * self.objective.l2 * v

        return LinearOperator((N, N), matvec=matvec, rmatvec=matvec, dtype=np.float64)

    def bend(self, d: np.ndarray) -> np.ndarray:
        """Return P H_E φ''[d, d] (N,): the gradient that the outputs' curvature along d adds."""
        return product_along(self.objective, self.w, d, psd=True, second=True)

    def bend_columns(self, d: np.ndarray) -> np.ndarray:
        """Return Sᵀ φ''[d, d] (T·nL,), columns by output, then sample."""
        return bend_columns(self.objective, self.w, d)

    def kernel_matrix(self) -> np.ndarray:
        """Return Sᵀ Pᵀ P S, (T·nL, T·nL), columns by sample; S Sᵀ is the psd curvature over T.

        Its non-zero eigenvalues are those of the (psd) normal matrix without penalty.
        `MLP.kernel_matrix` is PᵀP alone.
        """
        dual = DualSystem(self.objective, self.w)
        T, nL = self.objective.T, self.net.n_outputs
        K = np.empty((T * nL, T * nL))
        dual.kernel(None, K)
        K = np.tril(K) + np.tril(K, -1).T
        return K.reshape(nL, T, nL, T).transpose(1, 0, 3, 2).reshape(T * nL, T * nL)


def linearize(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    chunk_size: int | None = None,
) -> Linearization:
    """Linearise the network and loss at w.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
    l2 : float or array_like (N,), default 0.0
    sample_weight : array_like, (T,), optional
    chunk_size : int, optional
        Samples per sweep; by default chosen to fit the cache.

    Returns
    -------
    Linearization
        With .loss .gradient .jacobian() .normal_matrix() .kernel_matrix() .hessian().

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> at = ggn.linearize(ggn.MLP((1, 1), bias=False), [2.0], [[1.0], [3.0]], [[1.0], [5.0]])
    >>> at.loss, at.gradient
    (1.0, array([4.]))
    """
    if chunk_size is not None:
        chunk_size = integer("chunk_size", chunk_size, 1)
    objective = Objective(net, X, Y, loss, sample_weight, l2, chunk_size)
    # what is computed later must not depend on what the caller does to the data in between
    objective.X, objective.Yt = objective.X.copy(), objective.Yt.copy()
    return Linearization(objective, net._weights(w).copy())
