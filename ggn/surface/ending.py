"""A diagnosis that knows how the training ended, and so what going on would bring.

Where samples held out, or a criterion, have ended it, the gradient is not meant to be zero: advice
on how to lower J further is taken back.  Where a limit has, or a target or a callback, that is what
to change, and not tol.
"""

from __future__ import annotations

from dataclasses import replace

from ggn.fit.mixture import Mixture, trained
from ggn.fit.result import Status, TrainResult
from ggn.surface.advice import Advice, Suggestion
from ggn.surface.diagnosis import Diagnosis

__all__ = ["ended", "of_a_mean"]

FAR = 2.0  # times J; the mean of 15 squared normal errors deviates by a third of itself

_OUTSIDE = (Status.MAX_SECONDS, Status.TARGET, Status.CALLBACK, Status.INTERRUPTED)

# what is no way to a lower J of the same network, and so not at odds with that stop
_KEPT = (
    Advice.VALIDATE,
    Advice.BEST_OF_NETWORK,
    Advice.SCALE,
    Advice.ROBUST,
    Advice.KEEP_FINITE,
    Advice.PENALISE,
    Advice.SATURATE_LESS,
)


def ended(found: Diagnosis, fit: TrainResult) -> Diagnosis:
    """Return the diagnosis of the weights of a fit, with how its training ended.

    Parameters
    ----------
    found : Diagnosis
        Of a mixture, that of its best member.
    fit : TrainResult
    """
    run, mixed = trained(fit), isinstance(fit, Mixture)
    status = run.get("status")
    given = found.suggestion
    advice, remedy = given.advice, given.remedy
    if status is Status.VALIDATION:
        advice, remedy = _kept(advice, Advice.HELD_OUT), None
        if not found.differs and _held_out(run) > FAR * found.loss:
            advice += (Advice.OVERFITTED,)
    elif status is Status.CRITERION:
        advice, remedy = _kept(advice, Advice.PREDICTS_WORSE), None
    elif status is Status.MAX_ITER:
        advice = _instead(advice, Advice.MEMBERS_STEPS if mixed else Advice.MORE_STEPS)
    elif status in _OUTSIDE:
        advice = _instead(advice, Advice.MEMBERS_TIME if mixed else Advice.GO_ON)
    elif mixed and status.success:
        advice, remedy = _kept(advice, Advice.SETTLED), None
    suggestion = Suggestion(advice, remedy, given.words)
    members = len(fit.members) if mixed else 1
    return replace(found, suggestion=suggestion, status=status, members=members)


def of_a_mean(found: Diagnosis) -> Diagnosis:
    """Return the diagnosis of the mean of a mixture, where no training ended."""
    advice = _kept(found.suggestion.advice, Advice.MEAN)
    return replace(found, suggestion=Suggestion(advice, None, found.suggestion.words))


def _kept(advice: tuple[Advice, ...], ending: Advice) -> tuple[Advice, ...]:
    """Return what is no way to a lower J, and how it ended."""
    return (*(key for key in advice if key in _KEPT), ending)


def _instead(advice: tuple[Advice, ...], other: Advice) -> tuple[Advice, ...]:
    """Return the advice with another one in the place of TRAIN_ON, and of PERTURB.

    Where a run was cut off, what the point is may only be open because it is none to stay at.
    """
    return tuple(other if key in (Advice.TRAIN_ON, Advice.PERTURB) else key for key in advice)


def _held_out(run: TrainResult) -> float:
    """Return the least loss of the samples held out; of a member, of those that it left out."""
    if "validation_losses" in run:
        return float(run.validation_losses[run.kept])
    return float(run.path[run.kept, 0])
