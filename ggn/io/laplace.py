"""What the data leave open about weights and new targets, by Laplace's method.

p(w | Y)     ≈ N(w*, H⁻¹),  H = L Lᵀ;  of a mixture, 1/k Σ_j N(w_j, H_j⁻¹)
new target   ~ N(φ_L, c (σ² e^g + pᵀ H⁻¹ p))    p: a column of P at its input, σ the noise, which
may vary by g(x), or be Student's with that as its scale, see `ggn.io.noise`
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from ggn.io.noise import NoiseLaw
from ggn.linearization.columns import root_mean_square
from ggn.network import MLP, chunks, one_of
from ggn.validation import ArgumentError, describe, number

__all__ = ["Laplace", "LaplaceMixture", "posterior_of"]

NUMBERS = ("noise_std", "freedom", "inflation")


class Laplace:
    """The distribution of weights about those found, all in the units of the network.

    Parameters
    ----------
    root : array_like, (N, N)
        L, lower triangular, with a positive diagonal.
    noise_std : float
        σ of the targets.
    freedom : float
        Degrees of freedom of the noise: how many numbers more than effective parameters.
    inflation : float, default 1.0
        c > 0, what the variance of new targets is multiplied by.
    noise : NoiseLaw, optional
        How the noise is distributed; by default normal, and the same everywhere.

    Examples
    --------
    >>> import ggn
    >>> of = Laplace([[2.0, 0.0], [0.0, 1.0]], noise_std=0.6, freedom=10.0)
    >>> of.deviation(ggn.MLP((1, 1)), [1.0, 0.0], [[1.6]]).round(4)
    array([[1.4142]])
    """

    def __init__(
        self,
        root: Any,
        noise_std: float,
        freedom: float,
        inflation: float = 1.0,
        noise: NoiseLaw | None = None,
    ) -> None:
        self.root = np.tril(np.asarray(root, dtype=np.float64))
        if self.root.ndim != 2 or not (np.diag(self.root) > 0.0).all():
            raise ArgumentError(
                "root", f"must be square with a positive diagonal, got {describe(root)}"
            )
        self.noise_std = number("noise_std", noise_std, 0.0)
        self.freedom = number("freedom", freedom)
        self.inflation = number("inflation", inflation, 0.0, open_low=True)
        self.noise = noise or NoiseLaw()

    def inflated(self, by: float) -> Laplace:
        """Return the same with the variance of new targets multiplied."""
        made = copy.copy(self)
        made.inflation = by * self.inflation
        return made

    def suits(self, net: MLP) -> bool:
        """Whether it is of a network's weights."""
        return len(self.root) == net.n_weights

    def members(self, net: MLP, w: Any) -> tuple[MLP, list[tuple[np.ndarray, Laplace]]]:
        """Return the network that it is about, and its weights beside itself: it has no others."""
        return net, [(np.asarray(w), self)]

    def covariance(self) -> np.ndarray:
        """Return H⁻¹, (N, N)."""
        H: np.ndarray = cho_solve((self.root, True), np.eye(len(self.root)))
        return H

    def deviation(self, net: MLP, w: Any, X: Any) -> np.ndarray:
        """Return the standard deviation of new targets at inputs X, (T, nL).

        Of Student's noise, which need have none, its scale counts.
        """
        X = net._inputs(X)
        variance = self.spread(net, w, X) + self.noise_std**2 * self.noise.variance(X)
        found: np.ndarray = np.sqrt(self.inflation * variance)
        return found

    @property
    def tails(self) -> float:
        """Degrees of freedom of the Student distribution that new targets have, at least 1."""
        return max(min(self.freedom, self.noise.freedom), 1.0)

    def spread(self, net: MLP, w: Any, X: Any) -> np.ndarray:
        """Return pᵀ H⁻¹ p, the variance of the outputs at inputs X, (T, nL)."""
        X, nL = net._inputs(X), net.n_outputs
        variance = np.empty((len(X), nL))
        for rows in chunks(range(len(X)), net.chunk_size(nL, len(self.root) * nL)):
            half = solve_triangular(
                self.root, net.jacobian(w, X[rows]), lower=True, overwrite_b=True
            )
            variance[rows] = np.einsum("ij,ij->j", half, half).reshape(-1, nL)
        return variance

    def draws(
        self, net: MLP, w: np.ndarray, X: np.ndarray, count: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return F + Pᵀ δ + noise, (T, nL, count), δ ~ N(0, H⁻¹).

        Tails are the noise's own, of each target by itself, or where they are heavier those of how
        large it was estimated to be, by a factor for each draw: as `tails` has it.
        """
        F, nL = net.forward(w, X), net.n_outputs
        normal = rng.standard_normal((len(w), count))
        moves = solve_triangular(self.root, normal, lower=True, trans="T")
        drawn = np.empty((*F.shape, count))
        for rows in chunks(range(len(X)), net.chunk_size(nL, len(w) * nL)):
            drawn[rows] = (net.jacobian(w, X[rows]).T @ moves).reshape(drawn[rows].shape)
        heavy = self.noise.freedom < self.freedom
        drawn += self.noise_std * self.noise.draw(X, drawn.shape, rng, heavy)
        drawn *= math.sqrt(self.inflation)
        if not heavy:
            drawn *= np.sqrt(self.tails / rng.chisquare(self.tails, count))
        drawn += F[:, :, np.newaxis]
        return drawn

    def numbers(self) -> dict[str, Any]:
        """Return the constructor's other arguments by name, as a file's header has them."""
        return {name: getattr(self, name) for name in NUMBERS} | _told(self.noise)

    def packed(self) -> np.ndarray:
        """Return L's lower triangle, row by row, (N (N + 1) / 2,)."""
        return self.root[np.tril_indices(len(self.root))]

    @classmethod
    def from_packed(cls, values: np.ndarray, N: int, *more: Any) -> Laplace:
        """Return what `packed` was made of, and the other arguments of the constructor.

        Raises
        ------
        ValueError
            If these are not the numbers for so many weights.
        """
        if values.shape != (N * (N + 1) // 2,):
            raise ValueError(f"{values.size} numbers of the posterior do not fit {N} weights")
        root = np.zeros((N, N))
        root[np.tril_indices(N)] = values
        return cls(root, *more)

    def __repr__(self) -> str:
        return f"Laplace({len(self.root)} weights, noise_std={self.noise_std:.6g})"


class LaplaceMixture:
    """The distributions about the weights of k networks whose mean is one network.

    deviation² = 1/k Σ_j s_j² + 1/k Σ_j (φ_j - mean)²,    s_j the deviation as each has it

    Parameters
    ----------
    ws : array_like, (k, N)
        The weights of each; their mean is the network that `ggn.network.side_by_side` makes.
    parts : sequence of Laplace
        About each of them.

    Examples
    --------
    >>> import ggn
    >>> one = Laplace([[2.0, 0.0], [0.0, 1.0]], noise_std=0.6, freedom=10.0)
    >>> of = LaplaceMixture([[1.0, 0.0], [1.0, 2.0]], [one, one])
    >>> of.deviation(ggn.MLP((1, 1)), [1.0, 1.0], [[1.6]]).round(4)  # ** 2: 2 and 1
    array([[1.7321]])
    """

    def __init__(self, ws: Any, parts: Sequence[Laplace]) -> None:
        self.ws, self.parts = np.asarray(ws, dtype=np.float64), tuple(parts)
        if self.ws.ndim != 2 or [len(part.root) for part in parts] != len(self.ws) * [
            self.ws.shape[1]
        ]:
            raise ArgumentError(
                "ws", f"must have a row of weights for each of the parts, got {describe(ws)}"
            )

    def suits(self, net: MLP) -> bool:
        """Whether a network may be the mean of those that it is about."""
        try:
            one, _ = self.members(net, None)
        except ValueError:
            return False
        return one.n_weights == self.ws.shape[1]

    def deviation(self, net: MLP, w: Any, X: Any) -> np.ndarray:
        """Return the standard deviation of new targets at inputs X, (T, nL); net is the mean."""
        one, members = self.members(net, w)
        means = [one.forward(v, X) for v, _ in members]
        each = [part.deviation(one, v, X) for v, part in members]
        return mixed_deviation(each, means)

    def members(self, net: MLP, w: Any) -> tuple[MLP, list[tuple[np.ndarray, Laplace]]]:
        """Return the shape of each network that is mixed, and of each weights and part."""
        return one_of(net, len(self.ws)), list(zip(self.ws, self.parts, strict=True))

    def numbers(self) -> dict[str, Any]:
        """Return the numbers of each part, in lists, as a file's header has them."""
        of = {name: [getattr(part, name) for part in self.parts] for name in NUMBERS}
        return of | _told(self.parts[0].noise)

    def packed(self) -> np.ndarray:
        """Return, a row for each network, its weights and what its part packs."""
        return np.hstack([self.ws, [part.packed() for part in self.parts]])

    @classmethod
    def from_packed(
        cls, values: np.ndarray, *more: Sequence[float], noise: NoiseLaw | None = None
    ) -> LaplaceMixture:
        """Return what `packed` was made of, by the parts' other arguments, a number for each.

        Raises
        ------
        ValueError
            If it was made of something else.
        """
        N = (math.isqrt(9 + 8 * values.shape[1]) - 3) // 2  # N (N + 3) / 2 numbers in a row
        parts = [
            Laplace.from_packed(row[N:], N, *of, noise)
            for row, *of in zip(values, *more, strict=True)
        ]
        return cls(values[:, :N], parts)

    def __repr__(self) -> str:
        return f"LaplaceMixture({len(self.ws)} of {self.ws.shape[1]} weights)"


def mixed_deviation(each: Any, means: Any) -> np.ndarray:
    """Return the deviation of a mixture from those of its k parts and their means, (k, ...).

    In whatever unit: squares of a target's own unit may leave float64 where it does not.

    Examples
    --------
    >>> mixed_deviation([[3e-200], [3e-200]], [[-4e-200], [4e-200]])
    array([5.e-200])
    """
    each, means = np.asarray(each), np.asarray(means)
    with np.errstate(all="ignore"):
        apart = means - (means / len(means)).sum(axis=0)
        found: np.ndarray = np.hypot(root_mean_square(each), root_mean_square(apart))
    return found


def _told(noise: NoiseLaw) -> dict[str, Any]:
    """Return what a header says of noise; of the usual one, nothing."""
    return {} if noise.kind == NoiseLaw.kind else {"noise": noise.header()}


def posterior_of(given: Any, net: MLP) -> Laplace | LaplaceMixture:
    """Return what is given, if it is a posterior of the network's weights.

    Raises
    ------
    ValueError
        If it is something else, the fit itself, say.
    """
    if not isinstance(given, (Laplace, LaplaceMixture)):
        raise ArgumentError(
            "posterior",
            f"must be fit.posterior of a fit of ggn.train_bayesian, got {type(given).__name__}",
        )
    if not given.suits(net):
        raise ArgumentError("posterior", f"must be of {net.n_weights} weights, got {given!r}")
    return given
