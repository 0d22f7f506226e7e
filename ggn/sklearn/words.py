"""Advice in an estimator's words: its own parameters, not those of `ggn.train`."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from ggn.surface import Advice, ObstructionKind

__all__ = ["WORDS"]

_PENALTY = "small penalty (alpha=1e-6) keeps weights finite"
_MAY_NOT_RUN = "other starts (random_state=1, 2, ...) may not run away."

WORDS: Mapping[enum.Enum, str] = {
    Advice.TRAIN_ON: "Fit on, with a larger max_iter or a smaller tol; with warm_start=True the "
    "next fit goes on from here.",
    Advice.MORE_STEPS: "max_iter ended the training: fit on, with a larger max_iter, or with "
    "warm_start=True from here.",
    Advice.GO_ON: "With warm_start=True the next fit goes on from here, without the callback that "
    "ended the training.",
    Advice.SETTLED: "This network ended by itself: its penalties settled, and a few steps on all "
    "samples followed, which a larger max_iter or a smaller tol would not change.",
    Advice.MEMBERS_STEPS: "max_iter ended the training of this network: fit on, with a larger "
    "max_iter, or with warm_start=True from here.",
    Advice.MEMBERS_TIME: "With warm_start=True the next fit goes on from here, without the "
    "callback that ended the training of this network.",
    Advice.HELD_OUT: "The training was meant to stop here: the loss of samples held out falls no "
    "more, which a larger max_iter, a smaller tol or warm_start=True would not change.",
    Advice.OVERFITTED: "Theirs is more than twice that of the others: use fewer hidden units "
    "(hidden_layer_sizes), a larger penalty (alpha) or more data.",
    Advice.LEAVE_SADDLE: "Fit from other starts (n_restarts=10, or another random_state), of "
    "which the best is kept.",
    Advice.SCALE: 'First scale inside the model (scale="standard", or scale="robust" where a few '
    "samples are far out): the sizes of inputs or targets are more than 1000 apart, and random "
    "weights start far off.",
    Advice.ROBUST: 'If those few targets are outliers, use loss="cauchy": the squared loss follows '
    "them.",
    Advice.LARGER_SCALE: 'Let the scale of the loss be chosen from the residuals (loss="cauchy"), '
    "or give it a larger one: few samples decide on the fit.",
    Advice.KEEP_FINITE: f"A {_PENALTY}.",
    Advice.PENALISE: f"A {_PENALTY}; {_MAY_NOT_RUN}",
    Advice.SATURATE_LESS: "bent_identity, softsign or softplus hardly saturate; "
    f"a {_PENALTY}; {_MAY_NOT_RUN}",
    Advice.OTHER_STARTS: "Fit from other starts (n_restarts=10, or another random_state), of "
    "which the best is kept.",
    Advice.PENALISE_TO_SETTLE: f"A {_PENALTY}, and settles the point.",
    Advice.PERTURB: "Fit again from another random_state: where the Hessian is singular, higher "
    "derivatives decide, which are not computed.",
    ObstructionKind.FEW_WEIGHTS: "use more hidden units (hidden_layer_sizes)",
    ObstructionKind.LINEAR: "use a hidden layer of a nonlinear activation (hidden_layer_sizes, "
    "activation)",
}
