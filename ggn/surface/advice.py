"""What to do about a verdict."""

from __future__ import annotations

from collections.abc import Sequence

from ggn.activations import BentIdentity, Softplus, Softsign
from ggn.linearization import Objective
from ggn.network import MLP
from ggn.surface.diagnosis import Verdict
from ggn.surface.obstruction import Obstruction, ObstructionKind

__all__ = ["suggestion"]

REMEDIES = {
    ObstructionKind.EQUAL_INPUTS: "average the repeated samples or add an input that tells them "
    "apart",
    ObstructionKind.RANGE: "use an output activation whose range holds the targets, or the "
    "identity",
    ObstructionKind.EDGE: "move the targets off the edge (0.1 and 0.9 for 0 and 1), or use the "
    "identity as output activation",
    ObstructionKind.ZERO_INPUT: "use dummy units (bias=True)",
    ObstructionKind.NARROW: "make the last hidden layer at least as wide as the output",
    ObstructionKind.LINEAR: "use a nonlinear activation",
    ObstructionKind.FEW_WEIGHTS: "use more hidden units",
}


def suggestion(
    verdict: Verdict,
    net: MLP,
    objective: Objective,
    obstructions: Sequence[Obstruction],
    large: bool,
) -> str:
    """Return what to do next, in a sentence or two."""
    remedies = [REMEDIES[o.kind] for o in obstructions]
    remedy = f" To fit more closely, {remedies[0]}." if remedies else ""
    if verdict is Verdict.GLOBAL_MINIMUM:
        if objective.loss.unique_minimum and not remedies:
            return "No weights fit these data better; validate on others."
        return "No weights fit these data better with this network." + remedy
    if verdict is Verdict.NOT_STATIONARY:
        return "Train on from here: w0=w, with a larger max_iter or a smaller tol." + remedy
    if verdict is Verdict.SADDLE:
        return (
            "Train on with escape_saddles=True, or from w + t · descent (.descent, .descent_path)."
        )
    if verdict is Verdict.RUNAWAY:
        mild = (BentIdentity, Softsign, Softplus)
        if all(isinstance(a, mild) for a in net.activations[:-1]):
            change = "A small penalty (l2=1e-6) keeps weights finite"
        else:
            change = (
                "bent_identity, softsign or softplus hardly saturate; a small penalty (l2=1e-6) "
                "keeps weights finite"
            )
        return f"{change}; other starts (rng=1, 2, ...) may not run away.{remedy}"
    if verdict is Verdict.LOCAL_MINIMUM:
        K = objective.T * net.n_outputs
        few = net.n_weights < K and not objective.penalised
        wider = " More hidden units have fewer such minima." if few and not remedy else ""
        return f"Train from other starts (rng=1, 2, ...) and keep the best.{remedy}{wider}"
    if verdict is Verdict.INFEASIBLE:
        return f"{remedies[0][:1].upper()}{remedies[0][1:]}; or accept the error, and validate."
    if not net.twice_differentiable:
        return "Use a smooth activation (softplus for relu) to have the point settled."
    if large:
        return f"A small penalty (l2=1e-6) keeps weights finite, and settles the point.{remedy}"
    return (
        "Move w at random by a little and train on: where the Hessian is singular, higher "
        "derivatives decide, which are not computed."
    )
