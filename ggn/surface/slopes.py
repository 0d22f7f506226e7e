"""Principle 4: σ'(z) ≠ 0 for all z.

By design it is the activation's own statement (`Activation.monotone`), checked against the
zeros of σ' that can be found; squashing activations obey it, and underflow.  Here, at the
net inputs of a point, |σ'| counts as 0 below eps of its maximum over |z| <= 1.
"""

from __future__ import annotations

from math import isinf

import numpy as np

from ggn.activations import Activation
from ggn.network import MLP
from ggn.surface.finding import Finding, Outcome, worst
from ggn.surface.flat_units import LayerSaturation, Saturation
from ggn.surface.zeros import Zeros, zeros

__all__ = ["check_slopes"]

TITLE = "σ'(z) ≠ 0 for all z"
MILD = (
    "Scale inputs to order one, start from smaller weights, penalise with l2, or use an "
    "activation that does not saturate, such as bent_identity."
)
SMOOTH = "Use a strictly monotone activation, such as softplus or bent_identity."


def check_slopes(net: MLP, w: np.ndarray, X: np.ndarray, state: Saturation) -> Finding:
    """Check Principle 4 at w, given what `saturation` found there."""
    known = {sigma: zeros(sigma.derivative) for sigma in net.activations}
    judged = [_design(sigma, found) for sigma, found in known.items()]
    design = worst(*(outcome for outcome, _ in judged))
    why = " ".join(text for outcome, text in judged if outcome is design)
    numbers: dict[str, float] = {
        "vanished": sum(int((at.level >= 2).sum()) for at in state.layers),
        "zero": sum(int((at.level == 3).sum()) for at in state.layers),
    }
    verdict, text = Outcome.HOLDS, "σ' is above eps of its maximum everywhere."
    for at in state.layers:
        if not (at.level >= 2).any():
            continue
        outcome, said = _layer(net, w, X, at, known[net.activations[at.layer - 1]])
        if worst(outcome, verdict) is not verdict:
            verdict, text = outcome, said
    if verdict is not Outcome.HOLDS:
        text += f" ({numbers['vanished']} units x samples in all)."
    advice = ""
    if Outcome.FAILS in (verdict, design):
        advice = SMOOTH
    elif verdict is Outcome.NUMERICALLY_FAILS:
        advice = MILD
    elif design is Outcome.UNKNOWN:
        advice = "If you know that it is so, set monotone = True on the activation."
    return Finding("4", TITLE, verdict, text, advice, numbers, design, why)


def _design(sigma: Activation, found: Zeros) -> tuple[Outcome, str]:
    if found.at is not None:
        at = float(f"{found.at:.12g}") + 0.0
        return Outcome.FAILS, f"σ' of {sigma.name} is 0 at z = {at:.6g}."
    if sigma.monotone is False:
        return Outcome.FAILS, f"σ' of {sigma.name} is 0 for some z."
    if sigma.monotone is None:
        text = f"no zero of σ' of {sigma.name} was found, which proves nothing."
        return Outcome.UNKNOWN, text
    if not isinf(found.lost):
        text = f"σ' of {sigma.name} is nowhere 0, but underflows from |z| = {found.lost:.4g} on."
        return Outcome.NUMERICALLY_FAILS, text
    return Outcome.HOLDS, f"σ' of {sigma.name} is nowhere 0."


def _layer(
    net: MLP, w: np.ndarray, X: np.ndarray, at: LayerSaturation, found: Zeros
) -> tuple[Outcome, str]:
    """Judge one layer in which some σ' has vanished, given the zeros of its σ'."""
    sigma, exact = net.activations[at.layer - 1], at.level == 3
    if exact.any() and not sigma.monotone:
        z = _net_inputs(net, w, X, at.layer)
        exact &= (z > found.low) & (z < found.high)  # beyond them, σ' underflows
        if exact.any():
            sample, unit = (int(i) for i in np.argwhere(exact)[0])
            text = f"σ' of {sigma.name} is 0 at unit {unit} of layer {at.layer} on sample {sample}"
            return Outcome.FAILS, text
    sample, unit = (int(i) for i in np.argwhere(at.level >= 2)[0])
    how = "underflows" if at.level[sample, unit] == 3 else "is below eps of its maximum"
    text = f"σ' {how} at unit {unit} of layer {at.layer} on sample {sample}"
    return Outcome.NUMERICALLY_FAILS, text


def _net_inputs(net: MLP, w: np.ndarray, X: np.ndarray, layer: int) -> np.ndarray:
    """Return z_l, (T, n_l): the outputs of the first l layers, the last with the identity."""
    hidden = net.activations[: layer - 1]
    part = MLP(net.sizes[: layer + 1], list(hidden), "identity", net.bias[:layer], net.fixed_bias)
    return part.forward(w[: part.n_weights], X)
