"""The paper's five principles on one network, data and weights, and what else is measured there.

==============  =====================================================================
1, 1.a          on the loss: see `ggn.surface.loss_principles`
2               N >= T·nL: as many weights as numbers to fit
3               all W_l of full rank (the dummy unit's row left out)
4               σ'(z) ≠ 0 for all z: see `ggn.surface.slopes`
5               n_l <= max(n_{l-1}, n_{l+1}), l = 1 ... L-2, eq. 25 as printed
5, corrected    the widths n_1 ... n_L first do not rise, then do not fall
==============  =====================================================================

Principles 3-5 are to keep the rank of every Ψ_l = Σ'_l W_{l+1} ... W_L Σ'_L from falling
below the least of n_l ... n_L.  Printed, eq. 25 does not: its index is one too low (what
matters are n_2 ... n_{L-1}, between W_2 ... W_L), and it lets a hill with a flat top pass,
as 2, 3, 3, 2.  Without a hill the W_l on the way down have full column rank and those on the
way up full row rank, so the rank is that of the narrowest layer; over any hill some W_l of
full rank lose it.  Full rank of Ψ_l, min(n_l, nL), asks for no valley either.

Each is answered by design, for all weights and outputs, and here.  Measured besides
(`ggn.surface.measured`): curvature, flat units, features, sensitivities, Prop. 5, Prop. 2.2.
"""

from __future__ import annotations

from typing import Any

from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface.feasibility import equal_inputs, obstructions
from ggn.surface.finding import Finding, Findings, Outcome
from ggn.surface.flat_units import saturation
from ggn.surface.loss_principles import check_curvature, check_loss
from ggn.surface.measured import Measured, check_measured, short
from ggn.surface.rank_report import RankReport, ranks
from ggn.surface.slopes import check_slopes
from ggn.validation import instance

__all__ = ["check_principles"]


def check_principles(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    sample_weight: Any = None,
    report: RankReport | None = None,
) -> Findings:
    """Check the paper's principles, by design and at w, and measure what they are about.

    Parameters
    ----------
    net : MLP
        Activations of your own say by `monotone` whether they obey Principle 4.
    w : array_like, (N,)
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
        One of your own says by `convex`, `unique_minimum` and `nondegenerate` whether it obeys
        Principles 1 and 1.a; else they are looked at on these data only.
    sample_weight : array_like, (T,), optional
        Samples of weight 0 are left out.
    report : RankReport, optional
        `ranks(net, w, X)` on the samples not left out, if it is there already.

    Returns
    -------
    Findings
        A tuple of Finding that prints as a table: 1, 1.a, 2, 3, 4, 5, 5 corrected, then
        Curvature, Flat units, Features, Sensitivities, Prop. 5, Prop. 2.2.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> X, Y = ggn.problems.xor()
    >>> net = ggn.MLP((2, 2, 1))
    >>> found = check_principles(net, net.initial_weights(rng=0), X, Y)
    >>> print(found[4])
    Principle 4 (σ'(z) ≠ 0 for all z) by design fails only numerically: σ' of tanh is nowhere 0,
    but underflows from |z| = 372.6 on. Here it holds: σ' is above eps of its maximum everywhere.
    """
    objective = Objective(net, X, Y, loss, sample_weight)
    w = net._weights(w)
    rows = objective.c.array > 0.0
    X, Y, loss = objective.X[rows], objective.Yt.T[rows], objective.loss
    if report is None:
        report = ranks(net, w, X)
    elif instance("report must be", report, RankReport).samples != len(X):
        raise ValueError(f"report must be on {len(X)} samples, got one on {report.samples}")
    kinds = {found.kind for found in obstructions(net, X, Y, loss)}
    distinct = int(equal_inputs(X).max()) + 1
    state = saturation(net, w, X)
    return Findings(
        (
            *check_loss(loss, net.forward(w, X), Y),
            _variables(net, len(X)),
            _weights(report),
            check_slopes(net, w, X, state),
            _widths_printed(net),
            _widths(net),
            check_curvature(loss, Y),
            *check_measured(Measured(net, len(X), distinct, state, report, kinds)),
        )
    )


def _variables(net: MLP, samples: int) -> Finding:
    title = "as many weights as numbers to fit"
    N, K = net.n_weights, samples * net.n_outputs
    numbers = {"weights": N, "targets": K}
    text = f"{N} weights for {samples} x {net.n_outputs} targets."
    if N >= K:
        return Finding("2", title, Outcome.HOLDS, text, "", numbers, Outcome.HOLDS)
    advice = "With noisy data this is as it should be; for an exact fit use "
    if net.depth == 1:
        advice += "a hidden layer."
    else:
        more = _units_to_add(net, K)
        advice += f"{more} more {'unit' if more == 1 else 'units'} in each hidden layer."
    return Finding("2", title, Outcome.FAILS, text, advice, numbers, Outcome.FAILS)


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


def _weights(report: RankReport) -> Finding:
    title = "all W_l have full rank"
    why = "no architecture ensures it for all weights: W_l = 0 has rank 0; almost all have it."
    numbers = {f"rank_w_{i}": found.rank for i, found in enumerate(report.weights, start=1)}
    judged = [(short(W), i, W) for i, W in enumerate(report.weights, start=1)
              if W.rank < min(W.shape)]  # fmt: skip
    if not judged:
        text = "so they have, dummy units left out."
        return Finding("3", title, Outcome.HOLDS, text, "", numbers, Outcome.FAILS, why)
    judged.sort(key=lambda one: one[0] is not Outcome.FAILS)
    verdict, i, W = judged[0]
    text = f"W_{i} ({W.shape[0]} x {W.shape[1]}) has rank {W.rank}, not {min(W.shape)}."
    advice = "Start from other weights."
    return Finding("3", title, verdict, text, advice, numbers, Outcome.FAILS, why)


def _widths_printed(net: MLP) -> Finding:
    title, n = "n_l <= max(n_{l-1}, n_{l+1}), l <= L-2", net.sizes
    if net.depth < 3:
        text = "with fewer than two hidden layers it asks for nothing."
        return Finding("5", title, Outcome.HOLDS, text, design=Outcome.HOLDS)
    for layer in range(1, net.depth - 1):
        before, here, after = n[layer - 1 : layer + 2]
        if here > max(before, after):
            text = f"n_{layer} = {here} is more than {before} before it and {after} behind it."
            advice = "What counts is eq. 25 corrected."
            numbers = {"layer": layer}
            return Finding("5", title, Outcome.FAILS, text, advice, numbers, Outcome.FAILS)
    text = f"so it is for {n}."
    return Finding("5", title, Outcome.HOLDS, text, design=Outcome.HOLDS)


def _widths(net: MLP) -> Finding:
    title, n = "n_1 ... n_L have no hill", net.sizes[1:]
    numbers = {f"least_rank_{i + 1}": min(n[i:]) for i in range(len(n))}
    for j in range(1, len(n) - 1):
        before, after = min(n[:j]), min(n[j + 1 :])
        if n[j] > max(before, after):
            i, k = n.index(before) + 1, j + 2 + n[j + 1 :].index(after)
            text = f"n_{j + 1} = {n[j]} lies above n_{i} = {before} and n_{k} = {after}: some W_l "
            text += f"of full rank take Ψ_{i} below rank {min(n[i - 1 :])}."
            advice = "Let the widths behind layer 1 fall, or fall and then rise."
            numbers |= {"layer": j + 1}
            return Finding(
                "5, corrected", title, Outcome.FAILS, text, advice, numbers, Outcome.FAILS
            )
    text = "with Principles 3 and 4, rank Ψ_l is the least of n_l ... n_L."
    valley = [i for i in range(len(n)) if min(n[i:]) < min(n[i], n[-1])]
    if valley:
        i = valley[0]
        text += f" A valley keeps Ψ_{i + 1} at rank {min(n[i:])}, not {min(n[i], n[-1])}."
    return Finding("5, corrected", title, Outcome.HOLDS, text, "", numbers, Outcome.HOLDS)
