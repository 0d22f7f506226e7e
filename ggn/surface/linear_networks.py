"""Ranks of deep linear networks at almost all weights: known in closed form.

Identity activations, r the rank of the data, K = nL, M = n_1 + ... + n_{L-1} hidden units,
q = min(r, K, n_1, ..., n_{L-1}), s = min(r, K); squared loss, no dummy units:

    rank P = rank P H_E Pᵀ = q (r + K - q)           dimension of the matrices of rank q
    rank (H_J - P H_E Pᵀ)  = 2qM + 2qs - Lq²         L >= 2, otherwise 0
    rank H_J               = 2qM - Lq² + q (r + K)

(Singh, Bachmann & Hofmann, "Analytic insights into structure and rank of neural network
Hessian maps", NeurIPS 2021: the first exact, the others as upper bounds.)

A dummy unit of the first layer alone gives the data a row of ones.  One of the output
layer shifts all outputs freely, which is K dimensions, and leaves the centred data, of
rank r_c, to the rest, whatever other layers have dummy units:  rank P = K + q (r_c + K - q).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.activations import Identity
from ggn.network import MLP
from ggn.surface.rank import numerical_rank
from ggn.validation import describe

__all__ = ["LinearNetworkRanks", "linear_network_ranks"]


@dataclass(frozen=True)
class LinearNetworkRanks:
    """What `linear_network_ranks` returns.

    Attributes
    ----------
    ggn : int
        Of P and of the GGN matrix at almost all weights, and at most that at all weights.
    functional : int or None
        Largest rank of H_J - P H_E Pᵀ; None with dummy units.
    hessian : int or None
        Largest rank of H_J; None with dummy units.
    """

    ggn: int
    functional: int | None
    hessian: int | None


def linear_network_ranks(net: MLP, X: Any) -> LinearNetworkRanks:
    """Return the ranks that a linear network has on these inputs at almost all weights.

    Parameters
    ----------
    net : MLP
        All activations the identity; no dummy units, or one in the output layer and any
        others, or one in the first layer alone.
    X : array_like, (T, n0)

    Returns
    -------
    LinearNetworkRanks
        For squared loss, and for almost all targets.

    Raises
    ------
    ValueError
        For other networks, or inputs of a wrong shape.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> X = np.random.default_rng(0).normal(size=(50, 25))
    >>> linear_network_ranks(ggn.MLP((25, 5, 10, 10), "identity", bias=False), X)
    LinearNetworkRanks(ggn=150, functional=175, hessian=250)
    """
    if not isinstance(net, MLP) or any(a != Identity() for a in net.activations):
        raise ValueError(f"net must be an MLP with identity activations, got {describe(net)}")
    if net.fixed_bias:
        raise ValueError(f"net must have no fixed bias, got fixed_bias={net.fixed_bias:g}")
    X, K, hidden = net._inputs(X, some=True), net.n_outputs, net.sizes[1:-1]
    free = 0
    if net.bias[-1]:
        X, free = X - X.mean(axis=0), K
    elif any(net.bias[1:]):
        raise ValueError(
            "net must have a dummy unit in the output layer, or none above the first, got "
            f"bias={list(net.bias)}"
        )
    elif net.bias[0]:
        X = np.hstack([X, np.ones((len(X), 1))])
    r = numerical_rank(X).rank
    q, s, M, L = min(r, K, *hidden), min(r, K), sum(hidden), net.depth
    if any(net.bias):
        return LinearNetworkRanks(free + q * (r + K - q), None, None)
    functional = 2 * q * M + 2 * q * s - L * q * q if L > 1 else 0
    return LinearNetworkRanks(q * (r + K - q), functional, 2 * q * M - L * q * q + q * (r + K))
