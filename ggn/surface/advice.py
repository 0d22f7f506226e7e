"""What to do about a verdict: keys, which each face words in its own way."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ggn.activations import BentIdentity, Identity, Softplus, Softsign
from ggn.damping import LevenbergMarquardt
from ggn.fit.units import ScalingWarning, choose_units
from ggn.linearization import Objective
from ggn.network import MLP
from ggn.steps import Primal
from ggn.surface.evidence import Verdict
from ggn.surface.obstruction import Obstruction, ObstructionKind

__all__ = ["REMEDIES", "Advice", "Suggestion", "suggestion"]

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

APART = 1e3  # sizes of inputs or targets that one scale of weights does not suit

_FINITE = "small penalty (l2=1e-6) keeps weights finite"
_MAY_NOT_RUN = "other starts (rng=1, 2, ...) may not run away."


class Advice(enum.Enum):
    """What to do; the value is the sentence, in Python's words, with a place for a remedy."""

    VALIDATE = "No weights fit these data better; validate on others."
    BEST_OF_NETWORK = "No weights fit these data better with this network."
    TRAIN_ON = "Train on from here: w0=fit, with a larger max_iter or a smaller tol."
    MORE_STEPS = "max_iter ended the training: go on from here with w0=fit."
    GO_ON = (
        "Train on from here with w0=fit, without what ended the training (Ctrl-C, max_seconds, "
        "loss_target or a callback)."
    )
    SETTLED = (
        "This network ended by itself: its penalties settled, and a few steps on all samples "
        "followed, so a larger max_iter or a smaller tol would change nothing."
    )
    MEMBERS_STEPS = "max_iter ended the training of this network: train again, with a larger one."
    MEMBERS_TIME = (
        "Train again, without what ended the training of this network (Ctrl-C, max_seconds or a "
        "callback)."
    )
    MEAN = (
        "No training ended at a mean of networks, and none goes on from it: validate it on others."
    )
    HELD_OUT = (
        "The training was meant to stop here: the loss of samples held out falls no more, and "
        "to train on would fit the noise of the others."
    )
    PREDICTS_WORSE = (
        "The training was meant to stop here: from these weights on new targets are predicted "
        "worse, as generalised cross-validation has it."
    )
    OVERFITTED = (
        "Theirs is more than twice that of the others: use fewer hidden units, a larger penalty "
        "(l2) or more data."
    )
    LEAVE_SADDLE = (
        "Train on with escape_saddles=True, or from w + t · descent (.descent, .descent_path)."
    )
    SCALE = (
        "First bring inputs and targets to a mean of 0 and a deviation of 1: sizes more than 1000 "
        "times one another's, their mean's or 1 are among them, and random weights start far off."
    )
    KEEP_FINITE = f"A {_FINITE}."
    PENALISE = f"A {_FINITE}; {_MAY_NOT_RUN}"
    SATURATE_LESS = (
        f"bent_identity, softsign or softplus hardly saturate; a {_FINITE}; {_MAY_NOT_RUN}"
    )
    OTHER_STARTS = (
        "Train from ten other starts and keep the best (ggn.train_restarts); where none ends "
        "lower, use more hidden units."
    )
    LARGER_SCALE = (
        "Give the loss a larger scale, or one chosen from the residuals (ggn.train_robust): few "
        "samples decide on the fit."
    )
    ROBUST = (
        "If those few targets are outliers, use ggn.train_robust: the squared loss follows them."
    )
    FIT_CLOSER = "To fit more closely, {remedy}."
    REMEDY_OR_ACCEPT = "{Remedy}; or accept the error, and validate."
    SMOOTH = "Use a smooth activation (softplus for relu) to have the point settled."
    PENALISE_TO_SETTLE = f"A {_FINITE}, and settles the point."
    PERTURB = (
        "Move w at random by a little and train on: where the Hessian is singular, higher "
        "derivatives decide, which are not computed."
    )


@dataclass(frozen=True)
class Suggestion:
    """What to do next.  Prints as a sentence or two.

    Attributes
    ----------
    advice : tuple of Advice
    remedy : ObstructionKind or None
        The obstruction to remove, where an advice speaks of one.
    words : mapping
        Another face's words for kinds of advice and remedies.

    Examples
    --------
    >>> print(Suggestion((Advice.BEST_OF_NETWORK, Advice.FIT_CLOSER), ObstructionKind.LINEAR))
    No weights fit these data better with this network. To fit more closely, use a nonlinear
    activation.
    """

    advice: tuple[Advice, ...]
    remedy: ObstructionKind | None = None
    words: Mapping[Any, str] = field(default_factory=dict, repr=False, compare=False)

    def worded(self, words: Mapping[Any, str]) -> str:
        """Return the sentences, with the words of another face for the keys that it names."""
        remedy = "" if self.remedy is None else words.get(self.remedy, REMEDIES[self.remedy])
        capital = remedy[:1].upper() + remedy[1:]
        said = (words.get(key, key.value) for key in self.advice)
        return " ".join(text.format(remedy=remedy, Remedy=capital) for text in said)

    def __str__(self) -> str:
        return self.worded(self.words)


def suggestion(
    verdict: Verdict,
    net: MLP,
    objective: Objective,
    obstructions: Sequence[Obstruction],
    large: bool,
    descends: bool = False,
    far_out: bool = False,
    outliers: bool = False,
) -> Suggestion:
    """Return what to do next.

    `large` says that the weights are out of proportion, `descends` that J is seen to fall along
    negative curvature, where a run that stalled at the gradient would stall again; `far_out` that
    most samples hardly act, by the scale of the loss, `outliers` that it follows a few targets.
    """
    if far_out:
        return Suggestion((Advice.LARGER_SCALE,))
    if outliers:
        found = suggestion(verdict, net, objective, obstructions, large, descends)
        return Suggestion((*found.advice, Advice.ROBUST), found.remedy)
    if descends and verdict is Verdict.NOT_STATIONARY:
        verdict = Verdict.SADDLE
    found = _found(verdict, net, objective, obstructions, large)
    done = verdict in (Verdict.GLOBAL_MINIMUM, Verdict.SADDLE) or net.depth == 1
    if done or not _odd_sizes(objective):
        return found
    return Suggestion((Advice.SCALE, *found.advice), found.remedy)


def _odd_sizes(objective: Objective) -> bool:
    """Whether units are in the way that training cannot change: it does so where that is exact.

    They are where inputs or targets stay odd in the units that a run would have, or where the
    penalty of some weight is there out of proportion: inputs of size 1e-3 need weights of 1e3.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ScalingWarning)
        own = choose_units(objective, Primal(), LevenbergMarquardt(), None).objective
        if np.any(own.l2 > APART * np.max(objective.l2)):
            return True
    assert isinstance(own, Objective)
    return _odd(own)


def _odd(objective: Objective) -> bool:
    """Whether inputs, or outputs, are of very different sizes, far from 0, or saturate units.

    Targets only where the output is linear: else they are in units of its range.
    """
    given: list[np.ndarray] = [objective.X]
    if objective.net.activations[-1] == Identity() and objective.loss.unique_minimum:
        given.append(objective.Yt.T)
    for i, A in enumerate(given):
        top = np.maximum(A.max(axis=0), -A.min(axis=0))
        # a column at a time, lest many samples be copied
        columns = (A[:, j] / top[j] for j in np.flatnonzero(top))
        own = [(column.std(), abs(column.mean())) for column in columns]
        deviation, mean = np.array(own).reshape(-1, 2).T
        varied = deviation > 1e-12
        size = top[top > 0.0][varied] * deviation[varied]
        if size.size and (size.max() > APART * size.min()):
            return True
        if (mean[varied] > APART * deviation[varied]).any():
            return True
        if i == 0 and size.max(initial=0.0) > APART:
            return True
    return False


def _found(
    verdict: Verdict,
    net: MLP,
    objective: Objective,
    obstructions: Sequence[Obstruction],
    large: bool,
) -> Suggestion:
    """Return what to do about the verdict."""
    remedy = obstructions[0].kind if obstructions else None
    if verdict is Verdict.INFEASIBLE:
        return Suggestion((Advice.REMEDY_OR_ACCEPT,), remedy)
    advice = _advice(verdict, net, objective, remedy, large)
    said = advice is Advice.OTHER_STARTS and remedy is ObstructionKind.FEW_WEIGHTS
    if remedy is None or said or advice in (Advice.LEAVE_SADDLE, *_UNSETTLED):
        return Suggestion((advice,))
    return Suggestion((advice, Advice.FIT_CLOSER), remedy)


_UNSETTLED = (Advice.SMOOTH, Advice.PERTURB)  # first find out what the point is


def _advice(
    verdict: Verdict, net: MLP, objective: Objective, remedy: ObstructionKind | None, large: bool
) -> Advice:
    """Return the advice itself."""
    match verdict:
        case Verdict.GLOBAL_MINIMUM:
            best = objective.loss.unique_minimum and remedy is None
            return Advice.VALIDATE if best else Advice.BEST_OF_NETWORK
        case Verdict.NOT_STATIONARY:
            return Advice.TRAIN_ON
        case Verdict.SADDLE:
            return Advice.LEAVE_SADDLE
        case Verdict.RUNAWAY:
            if net.depth == 1:
                return Advice.KEEP_FINITE
            mild = (BentIdentity, Softsign, Softplus)
            tried = all(isinstance(a, mild) for a in net.activations[:-1])
            return Advice.PENALISE if tried else Advice.SATURATE_LESS
        case Verdict.LOCAL_MINIMUM:
            return Advice.OTHER_STARTS
    if not net.twice_differentiable:
        return Advice.SMOOTH
    return Advice.PENALISE_TO_SETTLE if large else Advice.PERTURB
