"""A penalty, or a noise, that the data were still choosing when the steps or rounds ran out."""

from __future__ import annotations

import warnings

from ggn.fit.mixture import Mixture
from ggn.fit.result import Status, TrainResult
from ggn.validation import users_line

__all__ = ["EvidenceWarning", "hint_of_the_limit", "hint_of_the_noise"]


class EvidenceWarning(UserWarning):
    """A penalty chosen by the evidence had not settled when the steps ran out."""


def hint_of_the_limit(result: TrainResult, max_iter: int) -> None:
    """Warn if it ended at max_iter, for what it says of noise and weights rests on the penalty."""
    if result.status is not Status.MAX_ITER:
        hint_of_the_noise(result)
        return
    advice = "take more steps"
    if isinstance(result, Mixture):
        settled = "it was clear which penalties predict best"
        k, of = result.ended(Status.MAX_ITER), len(result.members)
        settled += f" in {k} of the {of} networks" if k < of else ""
    else:
        settled = "the penalty settled"
        advice += (
            " or fewer units, or mix networks, which samples left out stop, with n_estimators=5"
        )
    warnings.warn(
        f"max_iter = {max_iter} steps were taken before {settled}: noise_std, log_evidence and "
        f"intervals are those reached; {advice}",
        EvidenceWarning,
        stacklevel=users_line(),
    )


def hint_of_the_noise(result: TrainResult) -> None:
    """Warn if what samples count for still changed from fit to fit."""
    if result.get("noise_settled", True) or not result.success:
        return
    warnings.warn(
        f"what samples count for under {result.noise.kind!r} noise still changed in the last of "
        "the fits: deviations and intervals are those reached; take fewer units, or compare "
        "log_evidence with that of noise='constant'",
        EvidenceWarning,
        stacklevel=users_line(),
    )
