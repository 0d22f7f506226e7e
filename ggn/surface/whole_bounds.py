"""Bounds on the rank of P, from the factors of all layers.

    P = A B C,   A = blockdiag_l A_l,   B = blockdiag_l B_l,   C = [I; ...; I], L times   (eq. 59)

    rank P >= Σ_l n_l rank Φ̂_{l-1} + Σ_l Σ_i rank Ψ_l^(i)
              - T Σ_{l<L} n_l - L T nL                            Proposition 3 (eq. 24, 60)
    rank P >= Σ_l n_l rank Φ̂_{l-1} + Σ_i rank Ψ_L^(i) - T Σ_l n_l    Sylvester on all layers
    rank P >= max(n_1 n_2, n_1 (rank Φ̂_0 + n_2 - T))       L = 2, Proposition 6 (eq. 31, 32)

The second bounds rank BC by the rank of its last block, the slopes of the output.  It is the
first with Σ_{l<L} (T nL - Σ_i rank Ψ_l^(i)) >= 0 added, so never weaker.  The second term of
Proposition 6 never exceeds the first, for rank Φ̂_0 <= T.  A_l, B_l, Φ̂, Ψ as in `block_bounds`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ggn.surface.block_bounds import upper
from ggn.surface.bounds import SLACK, Bound, Premise, lower_cut, sylvester_above
from ggn.surface.rank import NumericalRank, SampleRanks

__all__ = ["jacobian_bounds", "proposition_3", "proposition_6", "sylvester_on_all_layers"]


def jacobian_bounds(
    widths: Sequence[int],
    features: Sequence[NumericalRank],
    sensitivities: Sequence[SampleRanks],
    joint: Sequence[NumericalRank],
    cut: float,
) -> list[Bound]:
    """Return all bounds on rank P; Proposition 6 for two layers only.

    Parameters
    ----------
    widths : sequence of int
        n_0 ... n_L.
    features, sensitivities, joint : sequences over layers
        As for `ggn.surface.block_bounds.row_block_bounds`.
    cut : float
        The tolerance of P's rank.
    """
    units, L = widths[1:], len(widths) - 1
    T, nL = features[0].shape[1], widths[-1]
    bounds = [
        proposition_3(units, features, sensitivities, cut),
        sylvester_on_all_layers(units, features, sensitivities[-1], cut),
    ]
    per_layer = [
        upper(layer, *each, cut / (SLACK * np.sqrt(L)))[1]
        for layer, each in enumerate(zip(features, sensitivities, joint, strict=True), start=1)
    ]
    weights = sum(n * f.shape[0] for n, f in zip(units, features, strict=True))
    bounds.append(
        Bound(
            "the factors", "54, 59", "P", False, min(weights, T * nL, sum(per_layer)),
            f"{weights} weights, T nL = {T * nL}, sum over layers {sum(per_layer)}",
        )
    )  # fmt: skip
    if L == 2:
        bounds.append(proposition_6(widths, features, sensitivities[-1], cut))
    return bounds


def proposition_3(
    units: Sequence[int],
    features: Sequence[NumericalRank],
    sensitivities: Sequence[SampleRanks],
    cut: float,
) -> Bound:
    """Return Proposition 3, eq. 24 and 60: eq. 50 on P = A B C.  No premises.

    Parameters
    ----------
    units : sequence of int
        n_1 ... n_L.
    features, sensitivities : sequences over layers
    cut : float
    """
    T, L, k = features[0].shape[1], len(units), features[0].shape[1] * units[-1]
    # every singular value of C is sqrt(L); as 1 they keep the order of the two bounds
    psi = np.empty(sum(s.sum for s in sensitivities))  # sorted in place: T may be large
    stop = 0
    for s in sensitivities:
        start, stop = stop, stop + s.sum
        psi[start:stop] = s.singular_values[s.singular_values > s.tolerances[:, np.newaxis]]
    psi.sort()
    inner = T * sum(units) + (L - 1) * k
    value = sylvester_above(1, features_of_a(units, features), psi, inner, lower_cut(cut))
    detail = (
        f"ranks of Phi {[f.rank for f in features]}, sums of ranks of Psi "
        f"{[s.sum for s in sensitivities]}, widths {list(units)}, T = {T}"
    )
    return Bound("Proposition 3", "24, 60", "P", True, value, detail)


def sylvester_on_all_layers(
    units: Sequence[int], features: Sequence[NumericalRank], output: SampleRanks, cut: float
) -> Bound:
    """Return eq. 49 on P = A (BC), rank BC by its last block.  Never weaker than Proposition 3.

    Parameters
    ----------
    units : sequence of int
        n_1 ... n_L.
    features : sequence over layers
    output : SampleRanks
        Of every Ψ_L^(i) = Σ'_L.
    cut : float
    """
    T = features[0].shape[1]
    slopes = np.sort(output.singular_values.ravel())
    phi = features_of_a(units, features)
    return Bound(
        "Sylvester on all layers", "49, 59", "P", True,
        sylvester_above(1, phi, slopes, T * sum(units), lower_cut(cut)),
        f"ranks of Phi {[f.rank for f in features]}, widths {list(units)}, T = {T}",
    )  # fmt: skip


def proposition_6(
    widths: Sequence[int], features: Sequence[NumericalRank], output: SampleRanks, cut: float
) -> Bound:
    """Return Proposition 6: rank P of F(n_0, n_1, n_2) from below.

    Eq. 31 where rank Φ̂_0 = rank [Xᵀ, 1] is n_0, eq. 32 where it is n_0 + 1; it holds for any,
    with dummy units or without.  What it rests on is rank Φ̂_1 >= n_1, which the paper has "by
    construction" but which weights of full rank do not ensure, and output slopes that are not 0.

    Parameters
    ----------
    widths : sequence of int
        n_0, n_1, n_2.
    features : sequence of NumericalRank
        Of Φ̂_0 and Φ̂_1.
    output : SampleRanks
        Of every Ψ_2^(i) = Σ'_2.
    cut : float
    """
    (n0, n1, n2), T, rank = widths, features[0].shape[1], features[0].rank
    least = output.singular_values.min()
    counted = int(np.sum(features[1].kept * least > lower_cut(cut)))
    premise = Premise(
        f"rank(Phi_1) >= n_1 = {n1}, and the output's derivatives are not 0",
        counted >= n1,
        f"rank {features[1].rank}, smallest derivative {least:.1e}",
    )
    terms = n1 * n2, n1 * (rank + n2 - T)
    return Bound(
        "Proposition 6", {n0: "31", n0 + 1: "32"}.get(rank, "31, 32"), "P", True, max(terms),
        f"max(n_1 n_2, n_1 (rank(Phi_0) + n_2 - T)) = max{terms}", (premise,),
    )  # fmt: skip


def features_of_a(units: Sequence[int], features: Sequence[NumericalRank]) -> np.ndarray:
    """Return the singular values of A that are kept, descending."""
    copies = np.repeat(units, [f.rank for f in features])
    return np.sort(np.repeat(np.concatenate([f.kept for f in features]), copies))[::-1]
