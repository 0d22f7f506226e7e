"""What the principles are about, measured at one point.

==============  =====================================================================
Flat units      |σ'| above sqrt(eps) of its maximum
Features        rank Φ_l as large as width and data allow, l = 1 ... L-1, and no equal
                inputs with different targets
Sensitivities   rank Ψ_l^(i) = nL for all layers and samples
Prop. 5         rank Φ_{L-1} = T: the output layer alone can fit exactly
Prop. 2.2       rank Φ_{l-1} = T for some l, widths behind it that do not grow, W_k there
                of full rank: P has full column rank, so a critical w is a global minimum
==============  =====================================================================

The last two are sufficient conditions, not demands.  Ranks are numerical, at w.
"""

from __future__ import annotations

from dataclasses import dataclass

from ggn.network import MLP
from ggn.surface.finding import Finding, Outcome
from ggn.surface.flat_units import Saturation
from ggn.surface.obstruction import ObstructionKind
from ggn.surface.rank import NumericalRank
from ggn.surface.rank_report import RankReport
from ggn.surface.slopes import MILD

__all__ = ["Measured", "check_measured", "short"]

GAP = 1e3  # between the last singular value kept and the first cut, where the structure decides


@dataclass(frozen=True)
class Measured:
    """What these findings rest on."""

    net: MLP
    samples: int
    distinct: int
    state: Saturation
    ranks: RankReport
    obstructions: set[ObstructionKind]


def check_measured(at: Measured) -> tuple[Finding, ...]:
    """Return Flat units, Features, Sensitivities, Prop. 5 and Prop. 2.2."""
    return (
        _flat_units(at),
        _features(at),
        _sensitivities(at),
        _output_layer(at),
        _wide_pyramid(at),
    )


def short(rank: NumericalRank) -> Outcome:
    """Return what a rank too small means."""
    if rank.estimated:
        return Outcome.UNKNOWN
    return Outcome.NUMERICALLY_FAILS if rank.gap < GAP else Outcome.FAILS


REMEDY = {
    Outcome.UNKNOWN: "This is the rank of a random sketch; with more memory the rank itself is "
    "computed.",
    Outcome.NUMERICALLY_FAILS: "Scale the inputs so that net inputs differ by order one.",
    Outcome.FAILS: "Start from other weights.",
}


def _flat_units(at: Measured) -> Finding:
    title, units = "no unit is flat on a sample", at.state.units
    numbers = {
        "flat": sum(int((state.level >= 1).sum()) for state in at.state.layers),
        "units": len(units),
    }
    if not units:
        text = "σ' is above sqrt(eps) of its maximum, of relu and its like on some sample."
        return Finding("Flat units", title, Outcome.HOLDS, text, "", numbers)
    dead = any(unit.everywhere and at.state.layers[unit.layer - 1].flat_part for unit in units)
    verdict = Outcome.FAILS if dead else Outcome.NUMERICALLY_FAILS
    return Finding("Flat units", title, verdict, f"{at.state}.", MILD, numbers)


def _features(at: Measured) -> Finding:
    title = "the layers tell the samples apart"
    ranks = {f"rank_{i}": found.rank for i, found in enumerate(at.ranks.features)}
    numbers = {"samples": at.samples, "distinct": at.distinct, **ranks}
    if ObstructionKind.EQUAL_INPUTS in at.obstructions:
        text = f"{at.samples} samples have {at.distinct} distinct inputs, some with two targets."
        advice = "Average the targets of equal inputs, or add an input that tells them apart."
        return Finding("Features", title, Outcome.FAILS, text, advice, numbers)
    for i, found in enumerate(at.ranks.features[1:], start=1):
        most = min(at.distinct, found.shape[0])
        if found.rank < most:
            verdict = short(found)
            text = f"rank Φ_{i} is {found.rank}, it could be {most}."
            if any(unit.layer == i for unit in at.state.everywhere):
                text += " Units of that layer are saturated on all samples."
            return Finding("Features", title, verdict, text, REMEDY[verdict], numbers)
    text = "rank Φ_l is as large as widths and samples allow."
    if at.distinct < at.samples:
        text += f" Only {at.distinct} of {at.samples} inputs are distinct."
    return Finding("Features", title, Outcome.HOLDS, text, "", numbers)


def _sensitivities(at: Measured) -> Finding:
    title, nL = "rank Ψ_l is that of the output", at.net.n_outputs
    least = [found.min for found in at.ranks.sensitivities]
    weights = [found.rank for found in at.ranks.weights]
    numbers = {f"rank_psi_{i}": rank for i, rank in enumerate(least, start=1)}
    numbers |= {f"rank_w_{i}": rank for i, rank in enumerate(weights, start=1)}
    short = [i for i, rank in enumerate(least, start=1) if rank < nL]
    if not short:
        text = f"rank Ψ_l is {nL} on every sample."
        return Finding("Sensitivities", title, Outcome.HOLDS, text, "", numbers)
    text = f"rank Ψ_{short[-1]} is {least[short[-1] - 1]} on some sample, not {nL}."
    narrow = [n for n in at.net.sizes[1:-1] if n < nL]
    weak = [i for i, W in enumerate(at.ranks.weights, start=1) if W.rank < min(W.shape) and i > 1]
    if narrow:
        text += f" A hidden layer of {min(narrow)} units is narrower than the output."
        advice = f"Give every hidden layer {nL} units or more."
        return Finding("Sensitivities", title, Outcome.FAILS, text, advice, numbers)
    if weak:
        text += f" W_{weak[0]} has rank {weights[weak[0] - 1]}."
        return Finding(
            "Sensitivities", title, Outcome.FAILS, text, "Start from other weights.", numbers
        )
    advice = "Keep σ' away from 0, see Principle 4."
    return Finding("Sensitivities", title, Outcome.NUMERICALLY_FAILS, text, advice, numbers)


def _output_layer(at: Measured) -> Finding:
    title, found = "the output layer alone fits", at.ranks.features[-1]
    width = found.shape[0]
    numbers = {"rank": found.rank, "width": width, "samples": at.distinct}
    if width < at.distinct:
        text = f"{width} inputs of the output layer, {at.distinct} samples."
        return Finding("Prop. 5", title, Outcome.NOT_APPLICABLE, text, "", numbers)
    for kind in (ObstructionKind.EQUAL_INPUTS, ObstructionKind.RANGE, ObstructionKind.EDGE):
        if kind in at.obstructions:
            text = f"there are {kind.value}."
            return Finding("Prop. 5", title, Outcome.FAILS, text, "", numbers)
    text = f"the inputs of the output layer have rank {found.rank} on {at.distinct} samples"
    if found.rank < at.distinct:
        verdict = short(found)
        return Finding("Prop. 5", title, verdict, text + ".", REMEDY[verdict], numbers)
    text += ", so that a linear solve for its weights gives an exact fit."
    return Finding("Prop. 5", title, Outcome.HOLDS, text, "", numbers)


def _wide_pyramid(at: Measured) -> Finding:
    title, sizes, T = "a wide layer, then none wider", at.net.sizes, at.samples
    faults = []
    for i, features in enumerate(at.ranks.features, start=1):
        if features.shape[0] < T:
            continue
        behind = range(i + 1, at.net.depth + 1)  # the W_k that make up Ψ_i
        if features.rank < T:
            faults.append((short(features), f"rank Φ_{i - 1} is {features.rank}, not {T}"))
        elif any(sizes[k] > sizes[k - 1] for k in behind):
            faults.append((Outcome.FAILS, f"the widths {sizes[i:]} behind it grow"))
        elif any(at.ranks.weights[k - 1].rank < sizes[k] for k in behind):
            faults.append((Outcome.FAILS, f"a W_k behind layer {i} is not of full rank"))
        elif at.ranks.sensitivities[i - 1].min < at.net.n_outputs:
            faults.append((Outcome.NUMERICALLY_FAILS, f"σ' vanishes in layer {i} or behind it"))
        else:
            text = (
                f"layer {i} sees {T} samples through {features.shape[0]} inputs of rank {T}: "
                "P has full column rank here, and a critical point would be a global minimum."
            )
            return Finding("Prop. 2.2", title, Outcome.HOLDS, text, "", {"layer": i})
    if not faults:
        text = f"no layer has inputs for {T} samples."
        return Finding("Prop. 2.2", title, Outcome.NOT_APPLICABLE, text)
    verdict, text = faults[0]
    return Finding("Prop. 2.2", title, verdict, f"{text}.")
