"""What is minimised, as options of the command line say.

--loss, --loss-scale, --p, --robust    the loss of a residual
--l2, --bayesian                       the penalty
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn import losses
from ggn.command.parser import decimal
from ggn.io import Model
from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy
from ggn.validation import number

__all__ = [
    "add_objective",
    "check_cross_entropy",
    "check_objective",
    "chooses_scale",
    "chosen_loss",
    "chosen_penalty",
    "cross_entropy",
    "is_robust",
    "kept_loss",
    "loss_to_go_on",
    "objective_text",
]


KEPT = "as the model was trained"
BY_EVIDENCE = "chosen by the evidence of the training rows"
SCALED = "chosen from the residuals, in several trainings"
EVIDENT = 1000  # weights up to which an estimate of the evidence is as quick as a few iterations
# The estimators' alpha: what is a little too much costs less than what is a little too little.
ALPHA, ALPHA_OF_CLASSES = 1e-4, 1e-3


def add_objective(parser: argparse.ArgumentParser, kept: bool = False) -> None:
    """Add the options to a command; kept: by default they are those that a model keeps."""
    add = parser.add_argument_group("objective").add_argument
    add("--loss", metavar="NAME",
        help=f"{', '.join(sorted(losses.FOR_REGRESSION))}; all but squared are robust to outliers "
        f"(default: {KEPT if kept else 'squared; for classification cross-entropy'})")  # fmt: skip
    if not kept:
        add("--robust", action="store_true",
            help="against outliers: cauchy where --loss names no other robust loss")  # fmt: skip
    add("--loss-scale", type=decimal, metavar="S",
        help="residual from which a robust loss departs from the squared one, in the "
        f"target's unit (default: {KEPT if kept else SCALED})")  # fmt: skip
    add("--p", type=decimal, metavar="P", help="exponent of smooth_lp, in (0, 2] (default: 1)")
    chosen = (
        f"with squared loss and at most {EVIDENT} weights, or for series, as the evidence of the "
        f"training rows chooses it, for biases too; else {ALPHA:g}, for classification "
        f"{ALPHA_OF_CLASSES:g}, with --patience 0"
    )
    add("--l2", type=decimal, metavar="L2",
        help="penalty L2 * |w|^2 on all weights but biases, added to the mean loss of standardised "
        f"targets; 0: none (default: {KEPT if kept else chosen})")  # fmt: skip
    if not kept:
        add("--bayesian", action="store_true",
            help="choose the penalty, of biases too, by the evidence, and keep in the model what "
            "the standard deviations of predictions need")  # fmt: skip


def kept_loss(args: argparse.Namespace, model: Model) -> Loss | None:
    """Fill in what is not given as the model keeps it; return its loss if nothing was given of it.

    A model that keeps none was trained, it is assumed, by the defaults of train.
    """
    own = args.loss is args.loss_scale is args.p is None
    if args.loss is None:
        args.loss = "squared" if model.loss is None else model.loss.name
    if args.l2 is None:
        args.l2 = 0.0 if model.l2 is None else float(np.max(model.l2))
    return model.loss if own else None


def check_objective(args: argparse.Namespace, kept: Loss | None = None) -> None:
    """Check what does not need the data; kept: the loss of the model, where none is given."""
    if args.l2 is not None:
        number("l2", args.l2, 0.0)
    if kept is not None:
        return
    loss = _named(args)
    if args.loss_scale is not None:
        number("loss_scale", args.loss_scale, 0.0, open_low=True)
        if loss.scale is None:
            raise ValueError(f"--loss-scale is for robust losses; {loss.name} has no scale")
    if args.p is not None:
        number("p", args.p, 0.0, 2.0, open_low=True)
        if loss.p is None:
            raise ValueError(f"--p is for smooth_lp; {loss.name} has no exponent")
    if getattr(args, "robust", False) and loss.scale is None:
        raise ValueError(f"--robust needs a loss with a scale, but --loss is {loss.name}")
    if getattr(args, "bayesian", False):
        if args.l2 is not None:
            raise ValueError("--bayesian chooses the penalty, so --l2 must be left out")
        if loss.scale is not None:
            raise ValueError(
                f"--bayesian takes the noise to be normal, so the loss must be squared, not "
                f"{loss.name}"
            )


def check_cross_entropy(args: argparse.Namespace) -> None:
    """Refuse what is only for targets that are numbers."""
    for option, given in (
        ("--loss", args.loss is not None),
        ("--robust", args.robust),
        ("--bayesian", args.bayesian),
    ):
        if given:
            raise ValueError(f"{option} is for regression; classification minimises cross-entropy")


def cross_entropy(n_outputs: int) -> Loss:
    """Return the loss of classes told by so many outputs."""
    return Logistic() if n_outputs == 1 else SoftmaxCrossEntropy()


def is_robust(args: argparse.Namespace) -> bool:
    """Whether the loss that is asked for is one against outliers."""
    return _named(args).scale is not None


def loss_to_go_on(args: argparse.Namespace, start: Model) -> Loss | None:
    """Return the loss of the model to go on from, with its scale, unless an option says another."""
    given = args.robust or not args.loss is args.loss_scale is args.p is None
    return None if given else start.loss


def chosen_penalty(
    args: argparse.Namespace,
    loss: Loss,
    n_weights: int,
    start: Model | None = None,
    evidence: bool = True,
) -> tuple[float | np.ndarray | None, str]:
    """Return l2, None for that of the evidence, and what chose it, or nothing where it was given.

    Where the data have no noise the evidence lets it fall to rounding, so it costs no digits.
    evidence: whether it can be had at all, of rows in one memory.
    """
    if args.l2 is not None:
        return args.l2, ""
    if args.bayesian:
        return None, "chosen by the evidence (--bayesian)"
    if start is not None and start.l2 is not None:
        known = start.training
        if known is not None and known.evidence and loss.scale is args.patience is None:
            return None, BY_EVIDENCE
        return start.l2, KEPT
    if args.patience is not None:
        return 0.0, ""
    if isinstance(loss, Logistic | SoftmaxCrossEntropy):
        return ALPHA_OF_CLASSES, "the default for classes"
    if evidence and loss.scale is None and n_weights <= EVIDENT:
        return None, BY_EVIDENCE
    return ALPHA, "the default"


def _named(args: argparse.Namespace) -> Loss:
    robust = "cauchy" if getattr(args, "robust", False) else "squared"
    name = robust if args.loss is None else args.loss
    return losses.resolve(name, known=losses.FOR_REGRESSION)


def chooses_scale(args: argparse.Namespace, loss: Loss) -> bool:
    """Whether the loss's scale is to be chosen from the residuals."""
    return args.loss_scale is None and loss.scale is not None


def chosen_loss(args: argparse.Namespace, y_scale: np.ndarray, targets: Sequence[str]) -> Loss:
    """Return the loss, its scale in standard units."""
    kind: Any = type(_named(args))
    options: dict[str, float] = {}
    if args.p is not None:
        options["p"] = args.p
    if args.loss_scale is not None:
        if np.ptp(y_scale) > 1e-9 * y_scale.max():
            raise ValueError(
                f"--loss-scale is in one unit, but the targets {', '.join(targets)} have "
                "different standard deviations; train on one target at a time"
            )
        options["scale"] = args.loss_scale / y_scale[0]
    chosen: Loss = kind(**options)
    return chosen


def objective_text(
    loss: Loss,
    args: argparse.Namespace,
    y_scale: np.ndarray,
    l2: float,
    kept: bool = False,
    chosen: str = "",
) -> str:
    """Return loss and penalty in words.

    kept: the loss is that of the model; chosen: what chose the penalty.
    """
    text = loss.name
    if args.loss_scale is not None:
        text += f", scale = {args.loss_scale:g}"
    elif loss.scale is not None:
        text += f", scale = {loss.scale * y_scale[0]:.15g}{'' if kept else ', from the residuals'}"
    if loss.p is not None:
        text += f", p = {loss.p:g}"
    if chosen:
        return f"{text}, l2 = {l2:.3g}, {chosen}"
    return f"{text}, l2 = {l2:g}" if l2 else text
