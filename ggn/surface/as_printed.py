"""Statements on ranks as the paper prints them, where they are wrong.

    rank P_l >= n_l rank Φ_{l-1} + Σ_i rank Ψ_l^(i) - T nL     eq. 23 of the arXiv form
    rank Ψ_l^(i) = min(n_l, ..., n_L)                          Remark 4, by Principles 3, 4, 5
    rank P >= max(n_1 n_2, n_1 (rank Φ_0 + n_2 - T))           Prop. 6, by Principles 3, 4

Eq. 23 has T n_l in the CVPR form, which is right.  Principle 5 (eq. 25), n_l <= max(n_{l-1},
n_{l+1}), is printed for l <= L - 2; what Remark 4 needs is that no width n_l ... n_L is above
widths on both sides of it, so the index is one too low, and neighbours are not enough: behind
W of 1 x 2, 2 x 2 and 2 x 1, all of full rank, there may be 0.  Prop. 6 needs rank Φ_1 >= n_1,
which weights of full rank and slopes that are not 0 do not give.

What holds instead is in `ggn.surface.block_bounds` and `whole_bounds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.surface.bounds import Bound, Premise
from ggn.surface.rank_report import RankReport
from ggn.validation import describe, instance

__all__ = ["printed_bounds"]


def printed_bounds(report: RankReport, X: Any) -> list[Bound]:
    """Return the bounds that the paper prints and that do not always hold.

    Parameters
    ----------
    report : RankReport
        From `ggn.surface.ranks`.
    X : array_like, (T, n0)
        The inputs of the report.

    Returns
    -------
    list of Bound
        With the premises that are printed, checked here.  Weights count without the dummy
        unit's row.

    Raises
    ------
    ValueError
        For inputs of another shape than the report's.

    Examples
    --------
    A network that meets Principles 3 to 5 as printed, and has Ψ_1 = 0 all the same:

    >>> import ggn
    >>> net, X = ggn.MLP((2, 1, 2, 1), "tanh", bias=False), [[1.0, 2.0]]
    >>> w = net.pack([[[0.5], [0.5]], [[1.0, 0.0]], [[0.0], [1.0]]])
    >>> report = ggn.surface.ranks(net, w, X)
    >>> print(printed_bounds(report, X)[1])
    rank Psi_1 >= 1  Remark 4 (25): widths [1, 2, 1]
    >>> report.sensitivities[0].max
    0
    """
    instance("report must be", report, RankReport)
    net, T = report.net, report.samples
    X = net._inputs(X)
    if len(X) != T:
        raise ValueError(f"X must hold the report's {T} samples, got {len(X)}")
    units, layers = net.sizes[1:], range(1, net.depth + 1)
    principles = principle_3(report), principle_4(report), principle_5(net.sizes)
    found = []
    for layer, phi, psi in zip(layers, report.features, report.sensitivities, strict=True):
        n, k = psi.shape[0], T * net.n_outputs
        value = max(0, n * phi.rank + psi.sum - k)
        detail = f"rank(Phi_{layer - 1}) = {phi.rank}, sum of rank(Psi_{layer}) = {psi.sum}, {k}"
        found.append(Bound("eq. 23 (arXiv)", "23", f"P_{layer}", True, value, detail))
        between = list(units[layer - 1 :])
        found.append(
            Bound(
                "Remark 4", "25", f"Psi_{layer}", True, min(between), f"widths {between}",
                principles,
            )
        )  # fmt: skip
    if net.depth == 2:
        found.append(proposition_6(report, X, principles[:2]))
    return found


def proposition_6(report: RankReport, X: np.ndarray, principles: Sequence[Premise]) -> Bound:
    """Return Proposition 6 with the premises that are printed."""
    (n0, n1, n2), T, rank = report.net.sizes, report.samples, report.features[0].rank
    distinct = len(np.unique(X, axis=0))
    terms = n1 * n2, n1 * (rank + n2 - T)
    premises = (
        Premise("both layers have dummy units", all(report.net.bias), describe(report.net.bias)),
        Premise("n_2 <= n_1 <= T", n2 <= n1 <= T, f"{n2}, {n1}, {T}"),
        Premise("the samples are unique", distinct == T, f"{distinct} of {T}"),
        Premise("rank([X', 1]) is n_0 or n_0 + 1", rank >= n0, f"rank {rank}, n_0 = {n0}"),
        *principles,
    )
    equation = "32" if rank > n0 else "31"
    return Bound("Prop. 6, as printed", equation, "P", True, max(terms), f"max{terms}", premises)


def principle_3(report: RankReport) -> Premise:
    """Return whether all weights have full rank."""
    lacking = [
        layer for layer, W in enumerate(report.weights, start=1) if W.rank < min(W.shape)
    ]  # fmt: skip
    evidence = f"W_{lacking[0]} has not" if lacking else "all have"
    return Premise("all W have full rank (Principle 3)", not lacking, evidence)


def principle_4(report: RankReport) -> Premise:
    """Return whether no derivative is 0 at this point."""
    least = report.least_slopes.min()
    return Premise("no derivative is 0 (Principle 4)", bool(least > 0.0), f"smallest {least:.1e}")


def principle_5(sizes: Sequence[int]) -> Premise:
    """Return whether eq. 25 holds as printed, for 1 <= l <= L - 2."""
    above = [j for j in range(1, len(sizes) - 2) if sizes[j] > max(sizes[j - 1], sizes[j + 1])]
    evidence = f"n_{above[0]} is above both" if above else "none is above both"
    text = "n_l <= max(n_(l-1), n_(l+1)) for l <= L - 2 (Principle 5)"
    return Premise(text, not above, evidence)
