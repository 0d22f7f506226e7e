"""The command line's words, where the library's sentences speak of Python.

A sentence has a key (a status, a kind of evidence, an advice) or names an argument; those
not listed here read the same everywhere.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from ggn import steps
from ggn.fit.result import Status
from ggn.surface import Advice, EvidenceKind, ObstructionKind
from ggn.validation import ArgumentError, Setting

__all__ = ["WORDS", "in_options", "said"]

_PENALTY = "small penalty (--l2 1e-6) keeps weights finite"
_MAY_NOT_RUN = "other starts (--seed 1, 2, ...) may not run away."

WORDS: Mapping[enum.Enum, str] = {
    Status.GRADIENT: "The gradient is zero to within --tol.",
    Status.STEP: "The last step changed the weights by less than --tol.",
    Status.LOSS: "The last step reduced the loss by less than --tol, as predicted.",
    Status.MAX_ITER: "The iteration limit --max-iter was reached.",
    Status.MAX_SECONDS: "The time limit --max-seconds was reached.",
    Status.SINGULAR: "The step could not be computed because its matrix is singular; "
    "try --damping levenberg_marquardt.",
    Status.CURVATURE: "The loss's curvature vanished where its gradient did not; "
    "try --step primal.",
    Status.PLATEAU: "Most residuals lie where the loss is almost flat, and hardly act: give a "
    "larger --loss-scale, or none, and one is chosen from the residuals.",
    Status.BAD_START: "The loss is not finite at the initial weights; try another --init or "
    "--seed.",
    EvidenceKind.DESCENT: "J falls along its eigenvector, by {fall:.3g} at t = {t:.3g}, "
    "where the gradient explains no more than {promised:.1g}.",
    Advice.TRAIN_ON: "Go on (train --warm-start), with a larger --max-iter or a smaller --tol.",
    Advice.MORE_STEPS: "--max-iter ended the training: go on (train --warm-start), or train with a "
    "larger one.",
    Advice.GO_ON: "Go on (train --warm-start), with a larger --max-seconds, or without one.",
    Advice.HELD_OUT: "The training was meant to stop here (--patience): the loss of samples held "
    "out falls no more, and to train on would fit the noise of the others.",
    Advice.OVERFITTED: "Theirs is more than twice that of the others: use fewer hidden units "
    "(--hidden), a larger penalty (--l2) or more data.",
    Advice.LEAVE_SADDLE: "Train again, with another --seed.",
    Advice.ROBUST: "If those few targets are outliers, train with --robust: the squared loss "
    "follows them.",
    Advice.LARGER_SCALE: "Train with a larger --loss-scale, or none, and one is chosen from the "
    "residuals: few samples decide on the fit.",
    Advice.KEEP_FINITE: f"A {_PENALTY}.",
    Advice.PENALISE: f"A {_PENALTY}; {_MAY_NOT_RUN}",
    Advice.SATURATE_LESS: "bent_identity, softsign or softplus hardly saturate; "
    f"a {_PENALTY}; {_MAY_NOT_RUN}",
    Advice.OTHER_STARTS: "Train from ten other starts (--seed 1, 2, ...) and keep the best; where "
    "none ends lower, use more hidden units (--hidden).",
    Advice.PENALISE_TO_SETTLE: f"A {_PENALTY}, and settles the point.",
    Advice.PERTURB: "Train again, with another --seed: where the Hessian is singular, higher "
    "derivatives decide, which are not computed.",
    ObstructionKind.ZERO_INPUT: "use dummy units",
}


def said(key: enum.Enum) -> str:
    """Return the sentence of a key without fields.

    Examples
    --------
    >>> said(Status.MAX_ITER)
    'The iteration limit --max-iter was reached.'
    """
    return WORDS.get(key, str(key.value))


def in_options(error: ArgumentError, options: Mapping[str, str]) -> str:
    """Return an error's sentence, with an option where it names an argument that has one.

    Examples
    --------
    >>> error = ArgumentError("max_memory", "is too small for ", steps.Primal())
    >>> in_options(error, {"max_memory": "--max-memory"})
    '--max-memory is too small for the step primal'
    """

    def word(piece: Any) -> str:
        for name, kind in steps.NAMES.items():
            if type(piece) is kind:
                return f"the step {name}"
        if isinstance(piece, Setting) and piece.argument in options:
            values = " or ".join(map(str, piece.values))
            return f"{options[piece.argument]} {values}".rstrip()
        return str(piece)

    return error.worded(word)
