"""What a choice by the evidence leaves in doubt, told.

A penalty, or a noise, that the data were still choosing when the steps or rounds ran out; and a
noise that they cannot tell from the curve, as where a plane passes through all samples.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from ggn.fit.committee import numbered
from ggn.fit.mixture import Mixture
from ggn.fit.result import Status, TrainResult
from ggn.fit.sizes import far_from_one
from ggn.fit.units import ScalingWarning
from ggn.linearization import Objective
from ggn.linearization.columns import constant_columns
from ggn.validation import count, users_line

__all__ = [
    "EvidenceWarning",
    "hint_of_constant_targets",
    "hint_of_one_prior",
    "hint_of_the_limit",
    "hint_of_the_noise",
    "hint_of_the_plane",
    "hint_of_the_weights",
]

# Mean weight, of more than which only whole numbers may be how often: where weights of 0.5 to 3
# compared 100 samples, intervals of 90 % held 82 %.
MANY = 1.5
MOST = 1e9  # and hardly these


class EvidenceWarning(UserWarning):
    """A penalty or noise chosen by the evidence had not settled, or the data cannot tell it."""


def hint_of_constant_targets(Y: np.ndarray, names: Sequence[str]) -> None:
    """Warn of targets, some of Y (T, nL), that are one number each, in which there is no noise.

    Outputs share one noise and one prior, so the others would pass for less noisy than they are.
    """
    constant = constant_columns(Y)
    if not constant.any() or constant.all():
        return
    said = ", ".join(name for name, same in zip(names, constant, strict=True) if same)
    warnings.warn(
        f"all targets share one noise, but of {said} all samples have the same number: deviations "
        "and intervals of the others are too small; leave constant targets out",
        EvidenceWarning,
        stacklevel=users_line(),
    )


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


def hint_of_the_weights(s: np.ndarray | None, copies: bool = True) -> None:
    """Warn if weights of samples do not look like how often each was given, as which they count.

    The evidence knows the noise by how many samples there are; a training does not.  Without
    `copies` few were given often: what agrees exactly would be followed sample by sample.
    """
    if s is None or not s.any():
        return
    T, total = int(np.count_nonzero(s)), float(s.sum())
    if T > 2 and s.max() > 0.5 * total:
        warnings.warn(
            f"sample_weight has sample {int(s.argmax())} count for more than all {T - 1} others, "
            f"as {s.max():.3g} that agree exactly: noise and intervals are about it alone",
            EvidenceWarning,
            stacklevel=users_line(),
        )
        return
    if total > MANY * T and (not copies or (s % 1.0).any() or s.max() > MOST):
        warnings.warn(
            f"sample_weight sums to {total:.3g} for {count(T, 'sample')}, and the evidence takes a "
            "weight of 2 for the sample given twice, so for noise and intervals they are so many; "
            "weights that compare samples should have mean 1: sample_weight / sample_weight.mean()",
            EvidenceWarning,
            stacklevel=users_line(),
        )


def hint_of_one_prior(data: Objective) -> None:
    """Warn where units are so far from 1 that weights of different layers share no prior."""
    far = far_from_one(data)
    if far is not None:
        warnings.warn(
            f"The prior is one for all weights, and {far}: give (value - mean) / deviation of "
            "each input and target, or n_estimators=5, which scales by itself.",
            ScalingWarning,
            stacklevel=users_line(),
        )


def hint_of_the_plane(result: TrainResult) -> None:
    """Warn of a mixture whose inputs, with a column of ones, are of as high a rank as samples.

    Any targets are then a linear function of the inputs.  Networks without hidden units have one
    prior for all inputs and the evidence exactly; those of a mixture each choose which inputs
    matter, by a few samples left out.
    """
    if not isinstance(result, Mixture) or not (result.success or result.status is Status.MAX_ITER):
        return
    first = result.members[0]
    X, depth = first.X, first.net.depth
    if depth == 1 or len(X) < 2:
        return
    distinct = len(numbered(X, np.lexsort(X.T[::-1]))[1])
    varied = int(np.count_nonzero(np.ptp(X, axis=0)))
    if distinct > varied + 1 or not varied:  # of no input at all there is the mean alone
        return
    if np.linalg.matrix_rank(np.column_stack([X, np.ones(len(X))])) == distinct:
        warnings.warn(
            f"{distinct} different samples are no more than a plane in {varied} inputs fits "
            "exactly, so noise cannot be told from what matters: deviations and intervals may be "
            "far too small; take fewer inputs, more samples, or no hidden units",
            EvidenceWarning,
            stacklevel=users_line(),
        )
