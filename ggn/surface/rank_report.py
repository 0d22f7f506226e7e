"""The ranks at one point w: of P and of everything it is made of, with bounds.

    P = [P_1; ...; P_L],   P_l = Ψ_l ⊙ Φ̂_{l-1}   (N x T·nL, eq. 19, 22, 54)

A critical point with rank P = T·nL is a global minimum (Prop. 1); the ranks of the
factors and the bounds say which layer keeps P from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn._core.cached import cached_property
from ggn._core.machine import memory_limit
from ggn.network import MLP
from ggn.surface.block_bounds import row_block_bounds, sensitivity_bound
from ggn.surface.bounds import Bound
from ggn.surface.factors import Factors, factorise
from ggn.surface.rank import NumericalRank, SampleRanks, numerical_rank, rank_from_factor
from ggn.surface.whole_bounds import jacobian_bounds
from ggn.validation import describe, flag, instance

__all__ = ["RankReport", "ranks"]


@dataclass(frozen=True, repr=False, eq=False)
class RankReport:
    """Ranks at one point; see `ranks`.  Prints as a table.

    Sequences over layers have layer l at [l - 1], those over Φ_0 ... Φ_{L-1} have Φ_j at [j].

    Attributes
    ----------
    net : MLP
    samples : int
        T.
    jacobian : NumericalRank
        Of P, (N, T·nL).
    features : tuple of NumericalRank
        Of Φ̂_0 ... Φ̂_{L-1}, (n_j [+ 1], T): with the dummy unit where it has one.
    sensitivities : tuple of SampleRanks
        Of every Ψ_l^(i), (n_l, nL).
    joint : tuple of NumericalRank
        Of [Ψ_l^(1) ... Ψ_l^(T)], (n_l, T·nL).
    weights : tuple of NumericalRank
        Of W_l without the dummy unit's row, (n_{l-1}, n_l).
    least_slopes : ndarray, (L, T)
        Smallest |σ'_l| over the units of layer l.
    """

    net: MLP
    samples: int
    jacobian: NumericalRank
    features: tuple[NumericalRank, ...]
    sensitivities: tuple[SampleRanks, ...]
    joint: tuple[NumericalRank, ...]
    weights: tuple[NumericalRank, ...]
    least_slopes: np.ndarray
    _factors: Factors

    @cached_property
    def row_blocks(self) -> tuple[NumericalRank, ...]:
        """Of P_1 ... P_L, (n_l (n_{l-1} [+ 1]), T·nL), with the tolerance of P."""
        columns, tol = self.jacobian.shape[1], self.jacobian.tolerance
        return tuple(
            rank_from_factor(block, (n * m, columns), tol, self._factors.estimates(n * m))
            for block, (n, m) in zip(self._factors.row_blocks, self.net.layout.shapes, strict=True)
        )

    @cached_property
    def outputs(self) -> tuple[NumericalRank, ...]:
        """Of Φ_0 ... Φ_{L-1}, (n_j, T): without the dummy unit."""
        found, net = self._factors, self.net
        return tuple(
            rank_from_factor(
                F[:, : F.shape[1] - dummy], (n, self.samples), None, found.estimates(n)
            )
            for F, n, dummy in zip(found.inputs, net.sizes, net.bias, strict=False)
        )

    @cached_property
    def bounds(self) -> tuple[Bound, ...]:
        """Bounds on the ranks of every P_l, every Ψ_l and P, premises checked."""
        cut, sizes = self.jacobian.tolerance, self.net.sizes
        layers = zip(self.features, self.sensitivities, self.joint, strict=True)
        found: list[Bound] = []
        with np.errstate(all="ignore"):  # products of singular values may leave float64
            for layer, factors in enumerate(layers, start=1):
                found += row_block_bounds(layer, *factors, self._factors.norms[layer - 1], cut)
                found.append(
                    sensitivity_bound(layer, sizes, self.weights, self.least_slopes, factors[1])
                )
            found += jacobian_bounds(sizes, self.features, self.sensitivities, self.joint, cut)
        return tuple(found)

    def best(self, of: str = "P", lower: bool = True) -> Bound:
        """Return the sharpest bound that applies to P (from below: or to some P_l).

        Parameters
        ----------
        of : str, default "P"
            "P", "P_1" ..., "Psi_1" ...; for P from below, eq. 61 lets those of P_l count.
        lower : bool, default True

        Raises
        ------
        ValueError
            If there is none.
        """
        known = [
            b
            for b in self.bounds
            if isinstance(of, str)
            and b.lower == flag("lower", lower) and b.applies
            and (b.of == of or (of == "P" and lower and b.of.startswith("P_")))
        ]  # fmt: skip
        if not known:
            raise ValueError(f"of must name a matrix with such a bound, got {describe(of)}")
        return max(known, key=lambda b: b.value if lower else -b.value)

    def __str__(self) -> str:
        low, high = self.best(), self.best(lower=False)
        lines = [
            f"P: {self.jacobian}",
            f"at least {low.value} by {low.name} for {low.of}, at most {high.value} by {high.name}",
            f"{'layer':<6}{'rank P_l':>14}{'rank Phi_(l-1)':>18}{'rank Psi_l':>14}{'rank W_l':>14}",
        ]
        rows = zip(self.row_blocks, self.features, self.sensitivities, self.weights, strict=True)
        lines += [
            f"{layer:<6}{of(P):>14}{of(phi):>18}{span(psi):>14}{of(W):>14}"
            for layer, (P, phi, psi, W) in enumerate(rows, start=1)
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def of(found: NumericalRank) -> str:
    """Return "rank of most"."""
    return f"{'>= ' if found.estimated else ''}{found.rank} of {min(found.shape)}"


def span(ranks: SampleRanks) -> str:
    """Return "smallest to largest of most"."""
    low, high = ranks.min, ranks.max
    return f"{low if low == high else f'{low} to {high}'} of {min(ranks.shape)}"


def ranks(
    net: MLP, w: Any, X: Any, *, tol: float | None = None, max_memory: float | None = None
) -> RankReport:
    """Return the ranks at w of P, its row blocks P_l, all Φ_l, all Ψ_l^(i) and W_l.

    P is never stored: QR of its shorter side, streamed, keeps its singular values.  Where
    not even that fits the memory, a random sketch gives estimates from below, and they say so.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)
    tol : float, optional
        For P and P_l; by default max(N, T·nL) · eps · s_1(P).  The other matrices have
        their own, max(shape) · eps · s_1.
    max_memory : float, optional
        Bytes; by default half of the machine's memory.

    Returns
    -------
    RankReport

    Raises
    ------
    ValueError
        For wrong shapes, dtypes or non-finite numbers, a Jacobian that overflows, or too
        little memory.

    Examples
    --------
    >>> import ggn
    >>> X, _ = ggn.problems.xor()
    >>> report = ranks(ggn.MLP((2, 2, 1)), [0.0] * 9, X)
    >>> report.jacobian.rank, report.features[0].rank, report.weights[0].rank
    (1, 3, 0)
    >>> print(report.best(lower=False))
    rank P <= 1  the factors (54, 59): 9 weights, T nL = 4, sum over layers 1
    """
    instance("net must be", net, MLP)
    w, X = net._weights(w), net._inputs(X, some=True)
    limit = memory_limit(max_memory)
    T, nL, sizes = len(X), net.n_outputs, net.sizes
    found = factorise(net, w, X, limit)
    return RankReport(
        net,
        T,
        rank_from_factor(
            found.jacobian,
            (net.n_weights, T * nL),
            tol,
            any(found.estimates(n * m) for n, m in net.layout.shapes),
        ),
        tuple(
            rank_from_factor(factor, (m, T), None, found.estimates(n))
            for factor, n, (_, m) in zip(found.inputs, sizes, net.layout.shapes, strict=False)
        ),
        tuple(found.sensitivities),
        tuple(
            rank_from_factor(factor, (n, T * nL), None, found.estimates(n))
            for factor, n in zip(found.joint, sizes[1:], strict=True)
        ),
        tuple(numerical_rank(W[:n]) for W, n in zip(net.unpack(w), sizes, strict=False)),
        found.least_slopes,
        found,
    )
