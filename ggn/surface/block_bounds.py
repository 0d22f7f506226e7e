"""Bounds on the rank of one layer's rows of P, and of its sensitivities, from their factors.

    P_l = Ψ_l ⊙ Φ̂_{l-1} = [Ψ_l^(1) ⊗ φ̂_{l-1}^(1) ... Ψ_l^(T) ⊗ φ̂_{l-1}^(T)]           (eq. 22)
        = A_l B_l                                                                       (eq. 54)
    A_l = [I ⊗ φ̂^(1) ... I ⊗ φ̂^(T)]  of rank n_l rank(Φ̂_{l-1}),   B_l = blockdiag_i Ψ_l^(i)
    Ψ_l^(i) = Σ'_l W_{l+1} Σ'_{l+1} ... W_L Σ'_L                                        (eq. 17)

    rank P_l >= n_l rank Φ̂_{l-1} + Σ_i rank Ψ_l^(i) - T n_l             Proposition 2 (eq. 23)
    rank P_l <= rank Ψ_l · rank Φ̂_{l-1}                                 Corollary 1   (eq. 45)
    rank P_l >= rank Ψ_l · rank Φ̂_{l-1} - T (T - 1) nL                                (eq. 52)

φ̂ and Φ̂ (n_{l-1} [+ 1] x T) have the dummy unit, W_k has not; Σ'_k = diag(σ'_k),
Ψ_l = [Ψ_l^(1) ... Ψ_l^(T)].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ggn.surface.bounds import SLACK, TINY, Bound, Premise, lower_cut, sylvester_above
from ggn.surface.inequalities import sylvester
from ggn.surface.rank import NumericalRank, SampleRanks

__all__ = ["proposition_2", "row_block_bounds", "sensitivity_bound", "tracy_singh_bounds"]


def row_block_bounds(
    layer: int,
    features: NumericalRank,
    sensitivities: SampleRanks,
    joint: NumericalRank,
    norms: np.ndarray,
    cut: float,
) -> list[Bound]:
    """Return all bounds on rank P_l.

    Parameters
    ----------
    layer : int
        l.
    features : NumericalRank
        Of Φ̂_{l-1}.
    sensitivities : SampleRanks
        Of every Ψ_l^(i).
    joint : NumericalRank
        Of [Ψ_l^(1) ... Ψ_l^(T)].
    norms : ndarray, (T,)
        ‖φ̂_{l-1}^(i)‖.
    cut : float
        The tolerance of P's rank.
    """
    which, most = upper(layer, features, sensitivities, joint, cut / SLACK)
    return [
        *proposition_2(layer, features, sensitivities, norms, cut),
        *tracy_singh_bounds(layer, features, joint, cut),
        Bound("the factors", "54", f"P_{layer}", False, most, which),
    ]


def proposition_2(
    layer: int, features: NumericalRank, sensitivities: SampleRanks, norms: np.ndarray, cut: float
) -> list[Bound]:
    """Return Proposition 2 for P_l: in general (eq. 23) and its three cases.

    The cases rest on less than is printed, "all Ψ_l^(i) and Φ_{l-1} of full rank": the first
    on full row rank of the Ψ_l^(i), the second on rank Φ_{l-1} = T, the third on one sample.
    The first two are equalities.  Arguments as for `row_block_bounds`.
    """
    of, below, low = f"P_{layer}", layer - 1, lower_cut(cut)
    (n, nL), T = sensitivities.shape, features.shape[1]
    phi, each = features.kept, sensitivities.singular_values
    kept = each > sensitivities.tolerances[:, np.newaxis]
    psi = np.sort(each[kept])
    numbers = f"rank(Phi_{below}) = {features.rank}, sum of rank(Psi_{layer}) = {len(psi)}"
    rows = Premise(
        f"every Psi_{layer} has full row rank n_{layer} = {n}",
        sensitivities.min == n,
        f"smallest rank {sensitivities.min}",
    )
    wide = Premise(
        f"rank(Phi_{below}) = T = {T}",
        features.rank == T,
        f"rank {features.rank} of {features.shape[0]} x {T}",
    )
    # block column i alone has the singular values σ(Ψ^(i)) ‖φ^(i)‖
    alone = np.sum(kept & (each * norms[:, np.newaxis] > low), axis=1)
    one = Premise(
        f"on some sample Psi_{layer} has full column rank nL = {nL} and phi_{below} is not 0",
        bool(alone.max() == nL),
        f"largest rank of a sample {alone.max()}",
    )
    case_1 = int(np.sum(phi * each.min() > low)) if rows.holds else features.rank
    case_2 = int(np.sum(psi * phi[-1] > low)) if wide.holds else len(psi)
    return [
        Bound(
            "Proposition 2", "23", of, True, sylvester_above(n, phi, psi, T * n, low),
            f"{numbers}, T n_{layer} = {T * n}",
        ),
        Bound("Proposition 2, case 1", "56", of, True, n * case_1, numbers, (rows,)),
        Bound("Proposition 2, case 2", "57", of, True, case_2, numbers, (wide,)),
        Bound("Proposition 2, case 3", "58", of, True, nL, f"nL = {nL}", (one,)),
    ]  # fmt: skip


def tracy_singh_bounds(
    layer: int, features: NumericalRank, joint: NumericalRank, cut: float
) -> list[Bound]:
    """Return what rank(Ψ_l ∘ Φ̂_{l-1}) = rank Ψ_l · rank Φ̂_{l-1} says of P_l.

    P_l are T·nL of its T²·nL columns (eq. 44).  Eq. 52 is printed for a Tracy-Singh product of
    full rank, which it does not need.  Arguments as for `row_block_bounds`.
    """
    of, k, T = f"P_{layer}", joint.shape[1], features.shape[1]
    numbers = f"rank([Psi_{layer}]) = {joint.rank}, rank(Phi_{layer - 1}) = {features.rank}"
    sure = int(np.sum(np.outer(joint.kept, features.kept) > lower_cut(cut)))
    products = np.outer(joint.singular_values, features.singular_values)
    known = Premise(
        "all singular values of both factors are known",
        not (features.estimated or joint.estimated),
        "a sketch of them is" if features.estimated or joint.estimated else "none is sketched",
    )
    return [
        Bound(
            "selection from Tracy-Singh", "52", of, True, max(0, sure - (T - 1) * k),
            f"{numbers}, {(T - 1) * k} columns are left out",
        ),
        Bound(
            "Corollary 1", "45", of, False, int(np.sum(products > cut / SLACK)), numbers, (known,)
        ),
    ]  # fmt: skip


def upper(
    layer: int,
    features: NumericalRank,
    sensitivities: SampleRanks,
    joint: NumericalRank,
    cut: float,
) -> tuple[str, int]:
    """Return the least of the upper bounds on #{σ(P_l) > cut}, and how it comes about.

    An estimated factor, whose singular values may be too small, is left out.
    """
    n, below, each = sensitivities.shape[0], layer - 1, sensitivities.singular_values
    bounds = {"its size": min(n * features.shape[0], joint.shape[1])}
    if not features.estimated:
        s = features.singular_values
        bounds[f"n_{layer} rank(Phi_{below})"] = n * int(np.sum(s * each.max() > cut))
        bounds[f"sum of rank(Psi_{layer})"] = int(np.sum(each * s[0] > cut))
        if not joint.estimated:
            products = np.outer(joint.singular_values, s)
            bounds[f"rank([Psi_{layer}]) rank(Phi_{below})"] = int(np.sum(products > cut))
    which = min(bounds, key=lambda name: bounds[name])
    return which, bounds[which]


def sensitivity_bound(
    layer: int,
    widths: Sequence[int],
    weights: Sequence[NumericalRank],
    least_slopes: np.ndarray,
    sensitivities: SampleRanks,
) -> Bound:
    """Return Sylvester's bound: rank Ψ_l^(i) >= Σ_{k>l} rank W_k - Σ_{l<k<L} n_k if no σ' is 0.

    With all W_k of full rank it is min(n_l, ..., n_L), which Remark 4 claims, if and only if no
    width of layers l to L is above widths on both sides of it (see `printed_bounds`).

    Parameters
    ----------
    layer : int
        l.
    widths : sequence of int
        n_0 ... n_L.
    weights : sequence of NumericalRank
        Of W_1 ... W_L, without dummy units.
    least_slopes : ndarray, (L, T)
        Smallest |σ'_k| over the units of each layer.
    sensitivities : SampleRanks
        Of every Ψ_l^(i).
    """
    above, hidden = weights[layer:], widths[layer + 1 : -1]
    ranks = [W.rank for W in above]
    value = sylvester(ranks, hidden) if above else widths[-1]
    slopes = least_slopes[layer - 1 :]
    where = np.unravel_index(np.argmin(slopes), slopes.shape)
    nonzero = Premise(
        f"no derivative of the activations is 0 in layers {layer} to {len(widths) - 1}",
        bool(slopes.min() > 0.0),
        f"smallest {slopes.min():.1e} in layer {layer + where[0]} on sample {where[1]}",
    )
    premises = [nonzero]
    if value > 0:
        # σ_value(Ψ) is at least the product of what is kept of its factors
        gain = np.prod(slopes, axis=0) * float(np.prod([W.kept[-1] for W in above]))
        cuts = np.maximum(SLACK * sensitivities.tolerances, TINY)
        i = int(np.argmin(gain / cuts))
        survives = Premise(
            "the product of what is kept of the factors stays above the cut",
            bool((gain > cuts).all()),
            f"{gain[i]:.1e} against {cuts[i]:.1e} on sample {i}",
        )
        premises.append(survives)
    detail = f"ranks of W {ranks}, widths between {list(hidden)}" if above else "a diagonal matrix"
    name, of = "Sylvester on sensitivities", f"Psi_{layer}"
    return Bound(name, "17, 50", of, True, value, detail, tuple(premises))
