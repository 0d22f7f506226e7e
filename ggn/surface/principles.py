"""The design principles of the paper, each checked on one network, data and weights.

=========  =======================================================================
1, 1.a     on the loss: see `ggn.surface.loss_principles`
2          N >= T·nL: as many weights as numbers to fit
3          σ'(z) ≠ 0
4          rank Φ_l as large as width and data allow, l = 1 ... L-1, and no equal
           inputs with different targets
5          rank Ψ_l^(i) = nL for all layers and samples: no layer narrower than the output
Prop. 5    rank Φ_{L-1} = T: the output layer alone can fit exactly
Prop. 2.2  rank Φ_{l-1} = T for some l, widths behind it that do not grow, W_k there
           of full rank: P has full column rank, so a critical w is a global minimum
=========  =======================================================================

The last two are sufficient conditions, not demands.  Ranks are numerical, at w.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface.feasibility import equal_inputs, obstructions
from ggn.surface.finding import Finding, Outcome
from ggn.surface.flat_units import Saturation, saturation
from ggn.surface.loss_principles import check_loss
from ggn.surface.obstruction import ObstructionKind
from ggn.surface.rank import NumericalRank
from ggn.surface.rank_report import RankReport, ranks

__all__ = ["check_principles"]

GAP = 1e3  # between the last singular value kept and the first cut, where the structure decides


def check_principles(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    sample_weight: Any = None,
    report: RankReport | None = None,
) -> tuple[Finding, ...]:
    """Check the design principles at w.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
        Of one of your own, Principles 1 and 1.a are looked at on these data only.
    sample_weight : array_like, (T,), optional
        Samples of weight 0 are left out.
    report : RankReport, optional
        `ranks(net, w, X)` on the samples not left out, if it is there already.

    Returns
    -------
    tuple of Finding
        In the order 1, 1.a, 2, 3, 4, 5, Prop. 5, Prop. 2.2.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> X, Y = ggn.problems.xor()
    >>> net = ggn.MLP((2, 2, 1))
    >>> for found in check_principles(net, net.initial_weights(rng=0), X, Y)[-3:]:
    ...     print(found)
    Principle 5 (no layer narrower than the output) holds: rank Ψ_l is 1 on every sample.
    Prop. 5 (the output layer alone fits) does not apply: 3 inputs of the output layer, 4 samples.
    Prop. 2.2 (a wide layer, then none wider) does not apply: no layer has inputs for 4 samples.
    """
    w = net._weights(w)
    objective = Objective(net, X, Y, loss, sample_weight)
    rows = objective.c.array > 0.0
    X, Y, loss = objective.X[rows], objective.Yt.T[rows], objective.loss
    if report is None:
        report = ranks(net, w, X)
    elif report.samples != len(X):
        raise ValueError(f"report must be on {len(X)} samples, got one on {report.samples}")
    kinds = {found.kind for found in obstructions(net, X, Y, loss)}
    distinct = int(equal_inputs(X).max()) + 1
    at = _Measured(net, len(X), distinct, saturation(net, w, X), report, kinds)
    return (
        *check_loss(loss, net.forward(w, X), Y),
        _weights(at),
        _slopes(at),
        _features(at),
        _sensitivities(at),
        _output_layer(at),
        _wide_pyramid(at),
    )


@dataclass(frozen=True)
class _Measured:
    """What the checks rest on."""

    net: MLP
    samples: int
    distinct: int
    state: Saturation
    ranks: RankReport
    obstructions: set[ObstructionKind]


def _weights(at: _Measured) -> Finding:
    title = "as many weights as numbers to fit"
    N, K = at.net.n_weights, at.samples * at.net.n_outputs
    numbers = {"weights": N, "targets": K}
    text = f"{N} weights for {at.samples} x {at.net.n_outputs} targets."
    if N >= K:
        return Finding("2", title, Outcome.HOLDS, text, "", numbers)
    advice = "With noisy data this is as it should be; for an exact fit use "
    if at.net.depth == 1:
        advice += "a hidden layer."
    else:
        more = _units_to_add(at.net, K)
        advice += f"{more} more {'unit' if more == 1 else 'units'} in each hidden layer."
    return Finding("2", title, Outcome.FAILS, text, advice, numbers)


def _units_to_add(net: MLP, K: int) -> int:
    """Return the least h so that with h more units in each hidden layer N >= K."""

    def enough(h: int) -> bool:
        sizes = [net.n_inputs, *(n + h for n in net.sizes[1:-1]), net.n_outputs]
        return sum((m + b) * n for m, n, b in zip(sizes, sizes[1:], net.bias, strict=False)) >= K

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _slopes(at: _Measured) -> Finding:
    title, layers = "σ' is nowhere 0", at.state.layers
    numbers = {
        "flat": sum(int((state.level >= 1).sum()) for state in layers),
        "vanished": sum(int((state.level >= 2).sum()) for state in layers),
    }
    for state in layers:
        if state.flat_part:
            name = at.net.activations[state.layer - 1].name
            count, pairs = int((state.level == 3).sum()), state.level.size
            text = f"σ' of {name} is 0 over a range, here at {count} of {pairs} units x samples "
            text += f"of layer {state.layer}."
            advice = "Use a smooth activation, such as softplus or bent_identity."
            return Finding("3", title, Outcome.FAILS, text, advice, numbers)
    for state in layers:
        if (state.level >= 2).any():
            sample, unit = (int(i) for i in np.argwhere(state.level >= 2)[0])
            exact = (
                "underflows" if state.level[sample, unit] == 3 else "is below eps of its maximum"
            )
            text = f"σ' {exact} at unit {unit} of layer {state.layer} on sample {sample}"
            text += f" ({numbers['vanished']} units x samples in all)."
            advice = (
                "Scale inputs to order one, start from smaller weights, penalise with l2, or "
                "use an activation that does not saturate, such as bent_identity."
            )
            return Finding("3", title, Outcome.NUMERICALLY_FAILS, text, advice, numbers)
    text = "σ' is above eps of its maximum everywhere."
    if numbers["flat"]:
        text += f" At {numbers['flat']} units x samples it is below sqrt(eps) of it."
    return Finding("3", title, Outcome.HOLDS, text, "", numbers)


def _short(rank: NumericalRank) -> tuple[Outcome, str]:
    """Return what a rank too small means, and what to do."""
    if rank.estimated:
        text = "This is the rank of a random sketch; with more memory the rank itself is computed."
        return Outcome.UNKNOWN, text
    if rank.gap < GAP:
        return Outcome.NUMERICALLY_FAILS, "Scale the inputs so that net inputs differ by order one."
    return Outcome.FAILS, "Start from other weights."


def _features(at: _Measured) -> Finding:
    title = "the layers tell the samples apart"
    ranks = {f"rank_{i}": found.rank for i, found in enumerate(at.ranks.features)}
    numbers = {"samples": at.samples, "distinct": at.distinct, **ranks}
    if ObstructionKind.EQUAL_INPUTS in at.obstructions:
        text = f"{at.samples} samples have {at.distinct} distinct inputs, some with two targets."
        advice = "Average the targets of equal inputs, or add an input that tells them apart."
        return Finding("4", title, Outcome.FAILS, text, advice, numbers)
    for i, found in enumerate(at.ranks.features[1:], start=1):
        most = min(at.distinct, found.shape[0])
        if found.rank < most:
            verdict, advice = _short(found)
            text = f"rank Φ_{i} is {found.rank}, it could be {most}."
            if any(unit.layer == i for unit in at.state.everywhere):
                text += " Units of that layer are saturated on all samples."
            return Finding("4", title, verdict, text, advice, numbers)
    text = "rank Φ_l is as large as widths and samples allow."
    if at.distinct < at.samples:
        text += f" Only {at.distinct} of {at.samples} inputs are distinct."
    return Finding("4", title, Outcome.HOLDS, text, "", numbers)


def _sensitivities(at: _Measured) -> Finding:
    title, nL = "no layer narrower than the output", at.net.n_outputs
    least = [found.min for found in at.ranks.sensitivities]
    weights = [found.rank for found in at.ranks.weights]
    numbers = {f"rank_psi_{i}": rank for i, rank in enumerate(least, start=1)}
    numbers |= {f"rank_w_{i}": rank for i, rank in enumerate(weights, start=1)}
    short = [i for i, rank in enumerate(least, start=1) if rank < nL]
    if not short:
        text = f"rank Ψ_l is {nL} on every sample."
        return Finding("5", title, Outcome.HOLDS, text, "", numbers)
    text = f"rank Ψ_{short[-1]} is {least[short[-1] - 1]} on some sample, not {nL}."
    narrow = [n for n in at.net.sizes[1:-1] if n < nL]
    weak = [i for i, W in enumerate(at.ranks.weights, start=1) if W.rank < min(W.shape) and i > 1]
    if narrow:
        text += f" A hidden layer of {min(narrow)} units is narrower than the output."
        advice = f"Give every hidden layer {nL} units or more."
        return Finding("5", title, Outcome.FAILS, text, advice, numbers)
    if weak:
        text += f" W_{weak[0]} has rank {weights[weak[0] - 1]}."
        return Finding("5", title, Outcome.FAILS, text, "Start from other weights.", numbers)
    advice = "Keep σ' away from 0, see Principle 3."
    return Finding("5", title, Outcome.NUMERICALLY_FAILS, text, advice, numbers)


def _output_layer(at: _Measured) -> Finding:
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
        verdict, advice = _short(found)
        return Finding("Prop. 5", title, verdict, text + ".", advice, numbers)
    text += ", so that a linear solve for its weights gives an exact fit."
    return Finding("Prop. 5", title, Outcome.HOLDS, text, "", numbers)


def _wide_pyramid(at: _Measured) -> Finding:
    title, sizes, T = "a wide layer, then none wider", at.net.sizes, at.samples
    faults = []
    for i, features in enumerate(at.ranks.features, start=1):
        if features.shape[0] < T:
            continue
        behind = range(i + 1, at.net.depth + 1)  # the W_k that make up Ψ_i
        if features.rank < T:
            faults.append((_short(features)[0], f"rank Φ_{i - 1} is {features.rank}, not {T}"))
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
