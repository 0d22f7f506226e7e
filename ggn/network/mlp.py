"""The multilayer perceptron F(n0, ..., nL): its shape, and its values at given weights.

Layer l computes φ_l = σ_l(W_lᵀ [φ_{l-1}; 1] - b), l = 1 ... L, the 1 being the
dummy unit (free bias) and b the fixed scalar bias of eq. 2, 0 by default.
Weights are one flat vector w (N,): layer 1 first, and inside a layer unit by
unit, so W_lᵀ (n_l, n_{l-1} [+ 1]) is C-contiguous in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn import _core
from ggn._core.machine import one_thread
from ggn.activations import Activation
from ggn.network import sweeps
from ggn.network.architecture import (
    Positions,
    joined,
    network_text,
    parse_activations,
    parse_flags,
    parse_matrices,
    parse_sizes,
)  # fmt: skip
from ggn.network.initial import initial_weights
from ggn.validation import generator, number, samples, vector

__all__ = ["MLP"]


class MLP:
    """A multilayer perceptron with smooth activations.

    Parameters
    ----------
    sizes : sequence of int
        (n0, ..., nL): inputs, hidden units of each layer, outputs.
    activation : str or Activation, or a sequence of them, default "tanh"
        For all hidden layers, or one for each.
    output_activation : str or Activation, default "identity"
    bias : bool or sequence of bool, default True
        Whether each of the L layers has a dummy unit (a free bias per unit).
    fixed_bias : float, default 0.0
        The constant b that eq. 2 subtracts from every net input.

    Attributes
    ----------
    n_weights : int
        N, dummy units counted (eq. 20).
    activations : tuple of Activation
        One per layer, the output's last.

    Raises
    ------
    ValueError
        For sizes, names or flags that do not describe a network.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((2, 20, 1), activation="bent_identity")
    >>> net.n_weights
    81
    >>> [W.shape for W in net.unpack(net.initial_weights(rng=0))]
    [(3, 20), (21, 1)]
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Activation | Sequence[str | Activation] = "tanh",
        output_activation: str | Activation = "identity",
        bias: bool | Sequence[bool] = True,
        fixed_bias: float = 0.0,
    ) -> None:
        self.sizes = parse_sizes(sizes)
        self.depth = len(self.sizes) - 1
        self.activations = parse_activations(activation, output_activation, self.depth)
        self.bias = parse_flags(bias, self.depth)
        self.fixed_bias = number("fixed_bias", fixed_bias)
        self._layouts = tuple(self._layout(one_thread) for one_thread in (False, True))
        self.n_weights = self.layout.n_weights
        self.positions = Positions(self.layout)
        self.has_kinks = any(a.kink == 1 for a in self.activations)  # whether a derivative jumps

    def _layout(self, one_thread: bool) -> _core.Layout:
        codes, slopes = zip(*((a.code, a.slope) for a in self.activations), strict=True)
        units = codes, slopes, self.fixed_bias, self.activations
        return _core.Layout(self.sizes, self.bias, *units, one_thread)

    @property
    def layout(self) -> _core.Layout:
        """The door's description of the network, for as many BLAS threads as there are now."""
        return self._layouts[one_thread()]

    @property
    def n_inputs(self) -> int:
        """n0."""
        return self.sizes[0]

    @property
    def twice_differentiable(self) -> bool:
        """Whether every activation has a second derivative to call."""
        return all(a.has_second_derivative for a in self.activations)

    @property
    def n_outputs(self) -> int:
        """The number of outputs, nL."""
        return self.sizes[-1]

    def unpack(self, w: Any) -> list[np.ndarray]:
        """Return the matrices W_l (n_{l-1} [+ 1], n_l), views of w; a dummy unit is the last row.

        Parameters
        ----------
        w : array_like, (N,)

        Returns
        -------
        list of ndarray
            W_1 ... W_L.

        Raises
        ------
        ValueError
            If w has another length or is not finite.
        """
        return self.matrices(self._weights(w))

    def matrices(self, w: np.ndarray) -> list[np.ndarray]:
        """Return what `unpack` does, of w known to be weights (N,): nothing is checked."""
        return [W.T for W in self.layout.weights(w)]

    def pack(self, Ws: Sequence[Any]) -> np.ndarray:
        """Return the flat weights w (N,) of the matrices W_1 ... W_L; the inverse of `unpack`.

        Raises
        ------
        ValueError
            If the number of matrices or a shape does not fit the network.

        Examples
        --------
        >>> import ggn
        >>> ggn.MLP((1, 2), bias=False).pack([[[3.0, 4.0]]])
        array([3., 4.])
        """
        return joined(parse_matrices(Ws, self.layout.shapes))

    def initial_weights(
        self, rng: int | np.random.Generator | None = None, scheme: str = "normal"
    ) -> np.ndarray:
        """Draw weights w (N,).

        Parameters
        ----------
        rng : int, Generator or None
            Seed or source of randomness.
        scheme : {"normal", "uniform", "fan_in"}, default "normal"
            N(0, 1), as in the paper; uniform on [-1, 1]; or N(0, 1/fan-in), which keeps
            net inputs of standardised data near one whatever the width.

        Raises
        ------
        ValueError
            For an unknown scheme.

        Examples
        --------
        >>> import ggn
        >>> ggn.MLP((1, 1)).initial_weights(rng=0).round(3)
        array([ 0.126, -0.132])
        """
        return initial_weights(self.layout, generator(rng), scheme)

    def forward(self, w: Any, X: Any) -> np.ndarray:
        """Return the outputs φ_L.

        Parameters
        ----------
        w : array_like, (N,)
        X : array_like, (T, n0)
            Samples are rows.

        Returns
        -------
        ndarray, (T, nL)

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.

        Examples
        --------
        >>> import ggn
        >>> net = ggn.MLP((1, 1), bias=False)
        >>> net.forward([2.0], [[1.0], [3.0]])
        array([[2.],
               [6.]])
        """
        return sweeps.outputs(self.layout, self._weights(w), self._inputs(X))

    def jacobian(self, w: Any, X: Any) -> np.ndarray:
        """Return the Jacobian P of the outputs, eq. 19; column i·nL + o is sample i, output o.

        Parameters
        ----------
        w : array_like, (N,)
        X : array_like, (T, n0)

        Returns
        -------
        ndarray, (N, T·nL)

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.

        Examples
        --------
        >>> import ggn
        >>> ggn.MLP((1, 1)).jacobian([2.0, 0.0], [[5.0], [3.0]])
        array([[5., 3.],
               [1., 1.]])
        """
        return sweeps.jacobian(self.layout, self._weights(w), self._inputs(X))

    def input_jacobian(self, w: Any, X: Any) -> np.ndarray:
        """Return the derivatives of the outputs with respect to the inputs, ∂φ_L/∂x = Ψ_1ᵀ W_1ᵀ.

        Parameters
        ----------
        w : array_like, (N,)
        X : array_like, (T, n0)

        Returns
        -------
        ndarray, (T, nL, n0)
            Entry [i, o, a] is the slope of output o at sample i along input a.

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.

        Examples
        --------
        >>> import ggn
        >>> ggn.MLP((2, 1)).input_jacobian([3.0, -1.0, 0.5], [[5.0, 7.0]])
        array([[[ 3., -1.]]])
        """
        return sweeps.input_jacobian(self.layout, self._weights(w), self._inputs(X))

    def kernel_matrix(self, w: Any, X: Any) -> np.ndarray:
        """Return PᵀP (T·nL, T·nL), the empirical tangent kernel."""
        P = self.jacobian(w, X)
        return P.T @ P

    def sweep(
        self, w: np.ndarray, X: np.ndarray, work: np.ndarray, keep: int, exact: bool = False
    ) -> np.ndarray:
        """Carry one chunk forward; return φ_Lᵀ (nL, c), a view of work.

        keep = 1 leaves σ' in work for the backward sweeps, keep = 2 also σ''; nothing is checked.
        Below the smallest normal number all is 0 unless exact.
        """
        _core.forward(self.layout, w, X, work, keep, exact)
        return self.layout.outputs(work, len(X))

    def work_size(self, c: int, columns: int) -> int:
        """Return the doubles of scratch that c samples need; see `ggn._core.Layout`."""
        return self.layout.work_size(c, columns)

    def chunk_size(self, columns: int, extra: int = 0) -> int:
        """Return how many samples, with `extra` doubles each, make a chunk that fits the cache."""
        return sweeps.chunk_size(self.layout, columns, extra)

    def _weights(self, w: Any, name: str = "w") -> np.ndarray:
        return vector(name, w, self.n_weights, "the network's n_weights")

    def _inputs(self, X: Any, some: bool = False) -> np.ndarray:
        return samples("X", X, self.sizes[0], some)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MLP) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return self.sizes, self.activations, self.bias, self.fixed_bias

    def __repr__(self) -> str:
        return network_text(*self._key())
