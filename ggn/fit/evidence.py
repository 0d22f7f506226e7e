"""The evidence for priors of several groups of weights: how wide each is, and how large the noise.

    y = φ_L(w, x) + noise,  noise ~ N(0, 1/(2β)),  n = T·nL numbers, inputs and targets standardised
    w_j ~ N(0, 1/(2α_c))  weights of group c;  biases free: their deviation WIDE times as large
    l2_j = α_c / (βT),  Λ = 2 diag(l2)
    M    = I + Λ^(-1/2) G Λ^(-1/2)    G = 2/T P Pᵀ the data's GGN matrix, or, with n < N,
           I + Bᵀ Λ⁻¹ B               G = B Bᵀ
    γ_c  = Σ_{j in c} (1 - M⁻¹_jj)    weights of the group that the data determine
    α_c  = γ_c / (2 Σ_{j in c} w_j²),  β = (n - γ) / (2 E_D)    MacKay's fixed point

Groups are the weights of each input into the first hidden layer, and those of each later layer.
One prior for all makes weights into a unit as large as those out of it, whatever the function;
with one for each layer, the same function costs the same in other units; with one for each
input, those that do not matter lose their weight (MacKay's and Neal's automatic relevance).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, qr, solve_triangular

from ggn.linearization import Linearization, Objective
from ggn.network import MLP

__all__ = ["Estimate", "Priors", "determined", "left_over", "scaled_root"]

WIDE = 1e3
SHARE = 0.25  # of what is left over where samples count in full
SMALLEST, LARGEST = 1e-14, 1e6  # of l2, over the largest entry of G's diagonal
EPS = float(np.finfo(np.float64).eps)
LEAST = float(np.finfo(np.float64).tiny)  # of what is divided by
CERTAIN = 1e300  # l2 of a weight that is known


class Estimate(NamedTuple):
    """What the data say at weights w trained with l2.

    Attributes
    ----------
    gamma : float
        γ, of all weights.
    beta : float
    l2 : ndarray, (groups,)
        The penalty of each group that suits γ and β.
    log_evidence : float
        log p(Y | α, β) by Laplace's method, at the penalty trained with.
    """

    gamma: float
    beta: float
    l2: np.ndarray
    log_evidence: float


class Priors:
    """The weights of a network in groups, and its biases, free.

    Attributes
    ----------
    group : ndarray of int, (N,)
        Which group each weight is of; a bias, a group of its layer.
    free : ndarray of bool, (N,)
        The biases.
    count : int
        How many groups there are.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> priors = Priors(ggn.MLP((2, 2, 1)))
    >>> priors.penalty(np.array([0.5, 0.3, 0.1]))
    array([0.5, 0.3, 0. , 0.5, 0.3, 0. , 0.1, 0.1, 0. ])
    """

    def __init__(self, net: MLP) -> None:
        Ws, n0 = net.unpack(np.zeros(net.n_weights)), net.n_inputs
        # without a hidden layer an input has one weight: too few to say how wide they are
        each = n0 if net.depth > 1 else 1
        layers = [np.full_like(W, each - 1 + layer) for layer, W in enumerate(Ws)]
        layers[0][:n0] = np.minimum(np.arange(n0), each - 1)[:, np.newaxis]
        frees = [np.zeros_like(W) for W in Ws]
        for free, has_dummy in zip(frees, net.bias, strict=True):
            free[-1] = has_dummy
        self.group = net.pack(layers).astype(int)
        self.free = net.pack(frees) > 0.0
        self.count, self.depth = each - 1 + net.depth, net.depth
        self.some = np.bincount(self.group[~self.free], minlength=self.count) > 0

    def penalty(self, l2: np.ndarray) -> np.ndarray:
        """Return the penalty of each weight, (N,), from that of each group: 0 for biases."""
        return np.where(self.free, 0.0, l2[self.group])

    def squares(self, w: np.ndarray) -> np.ndarray:
        """Return Σ w² of each group, biases left out."""
        return self.sums(np.where(self.free, 0.0, w * w))

    def sums(self, each: np.ndarray) -> np.ndarray:
        """Return the sums over the weights of each group, biases left out."""
        counted: np.ndarray = np.bincount(
            self.group[~self.free], each[~self.free], minlength=self.count
        )
        return counted

    def alike(self, l2: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return penalties of which all inputs share one: Σ γ_c over Σ of their squares."""
        squares, shared = self.squares(w), l2.copy()
        inputs = slice(self.count - self.depth + 1)
        # by a power of two: weights that nothing needs go to zero, and products would vanish
        squares = np.ldexp(squares, -np.frexp(squares[inputs].max(initial=0.0))[1])
        total = float(squares[inputs].sum())
        if total > 0.0:
            shared[inputs] = float((l2 * squares)[inputs].sum()) / total
        return shared

    def first(self, data: Objective, w: np.ndarray) -> np.ndarray:
        """Return l2 of each group: all weights determined, and all deviation noise."""
        mean = data.Yt @ data.c.array
        variance = float((np.square(data.Yt - mean[:, np.newaxis]) @ data.c.array).mean())
        counts, squares = self.sums(np.ones(len(w))), self.squares(w)
        found: np.ndarray = counts / np.where(squares > 0.0, squares, np.maximum(counts, 1.0))
        return np.where(found > 0.0, found, 1.0) * (variance or 1.0) / data.count

    def estimate(self, data: Objective, w: np.ndarray, l2: np.ndarray) -> Estimate:
        """Estimate noise and penalties at weights trained with l2 of each group."""
        T, n = data.count, data.count * data.net.n_outputs
        prior = self._precision(l2)
        at = data.at(w)
        root, left, diagonal, rest = determined(at, prior)
        E_D = T * max(at.loss - data.penalty(w), 0.0)
        size = float(np.abs(data.Yt).max()) or 1.0
        E_D = max(E_D, n * (EPS * size) ** 2)
        gamma = float((1.0 - left).sum())
        rest = left_over(data, rest)
        beta = 0.5 * rest / E_D
        squares, own = self.squares(w), self.sums(1.0 - left)
        with np.errstate(all="ignore"):
            best = own / (squares * 2.0 * beta * T)
        largest = float(diagonal.max()) or 1.0
        told = self.some & (squares > 0.0) & ~np.isnan(best)
        best = np.where(told, best, LARGEST * largest)
        best = np.clip(best, SMALLEST * largest, LARGEST * largest)
        alpha = 0.5 * beta * T * prior  # of each weight
        evidence = -beta * E_D - float(alpha @ (w * w)) + 0.5 * n * math.log(beta / math.pi)
        evidence -= float(np.log(np.diag(root)).sum())  # ½ log det H - ½ Σ log 2α = ½ log det M
        return Estimate(gamma, beta, best, evidence)

    def _precision(self, l2: np.ndarray) -> np.ndarray:
        """Return 2 l2 of each weight, (N,), and of biases what their wide prior is."""
        each = 2.0 * l2[self.group]
        return np.maximum(np.where(self.free, each / WIDE**2, each), LEAST)

    def root(self, data: Objective, w: np.ndarray, l2: np.ndarray) -> np.ndarray:
        """Return R (N, N), lower triangular, with R Rᵀ = G + Λ, the GGN matrix of J.

        An input that no sample varied does nothing: its weights are 0, and certain.
        """
        prior = np.where(_of_nothing(data.net, w), CERTAIN, self._precision(l2))
        G = _data_matrix(data.at(w))
        G[np.diag_indices(len(w))] += prior
        return scaled_root(G)


def _of_nothing(net: MLP, w: np.ndarray) -> np.ndarray:
    """Return which weights (N,) are those of an input whose weights are all 0."""
    found, n0 = [np.zeros_like(W) for W in net.unpack(w)], net.n_inputs
    found[0][:n0] = ~net.unpack(w)[0][:n0].any(axis=1, keepdims=True)
    return net.pack(found) > 0.0


def _data_matrix(at: Linearization) -> np.ndarray:
    """Return G (N, N), without what the objective's penalty adds."""
    G = at.normal_matrix()
    if at.objective.penalised:
        G[np.diag_indices(len(G))] -= 2.0 * at.objective.l2
    return G


def determined(
    at: Linearization, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return the root of M, the diagonal of M⁻¹ as of (N,) weights, that of G, and T nL - γ.

    The last without cancellation, where as many weights as numbers are determined.
    """
    N, n = len(prior), at.objective.Yt.size
    scale = np.sqrt(prior)
    if n >= N:
        G = _data_matrix(at)
        diagonal = G.diagonal().copy()
        G /= scale[:, np.newaxis]
        G /= scale
        G[np.diag_indices(N)] += 1.0
        root = lower_root(G)
        half = solve_triangular(root, np.eye(N), lower=True, overwrite_b=True)
        left = np.einsum("ij,ij->j", half, half)
        return root, left, diagonal, float(left.sum()) + n - N
    B, _ = at.root()
    diagonal = np.einsum("ij,ij->i", B, B)
    B /= scale[:, np.newaxis]
    # I + BᵀB from B itself: eigenvalues near 1 are lost beside 1e14 where it is squared first
    upper = qr(np.vstack([B, np.eye(n)]), mode="r", overwrite_a=True, check_finite=False)[0][:n]
    root = (np.sign(upper.diagonal())[:, np.newaxis] * upper).T
    inverse = solve_triangular(root, np.eye(n), lower=True)
    half = inverse @ B.T
    left = np.maximum(1.0 - np.einsum("ij,ij->j", half, half), 0.0)
    return root, left, diagonal, float(np.square(inverse).sum())


def left_over(data: Objective, rest: float) -> float:
    """Return n - γ of n = Σ s_i nL numbers, from T nL - γ.

    What samples count for under a noise with outliers may be less than γ.  There it is no less
    than a share of what it would be of samples that count in full, or noise would be infinite.
    """
    nL, rows = data.net.n_outputs, data.Yt.size
    n, full = data.count * nL, np.count_nonzero(data.s) * nL
    least = SHARE * n / full * (rest - (rows - full)) if n < full else 0.0
    return max(rest + n - rows, least, EPS * n)


def scaled_root(G: np.ndarray) -> np.ndarray:
    """Return the lower root of a definite matrix whose rows may be of very different sizes."""
    scale = np.sqrt(np.maximum(G.diagonal(), LEAST))
    found: np.ndarray = scale[:, np.newaxis] * lower_root(G / scale[:, np.newaxis] / scale)
    return found


def lower_root(A: np.ndarray) -> np.ndarray:
    """Return the lower root of a definite matrix, with what rounding may have taken given back."""
    for jitter in (0.0, 16.0 * EPS, 1e3 * EPS, 1e6 * EPS):
        try:
            B = A.copy()
            B[np.diag_indices(len(A))] += jitter * float(A.diagonal().max())
            root: np.ndarray = cholesky(B, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        return root
    return np.diag(np.sqrt(np.maximum(A.diagonal(), EPS)))
