"""What is minimised, as options of the command line say: --loss, --loss-scale, --p and --l2."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn import losses
from ggn.command.parser import decimal
from ggn.io import Model
from ggn.losses import Loss
from ggn.validation import number

__all__ = [
    "add_objective",
    "check_objective",
    "chooses_scale",
    "chosen_loss",
    "kept_loss",
    "objective_text",
]


KEPT = "as the model was trained"
SCALED = "chosen from the residuals, in several trainings"


def add_objective(parser: argparse.ArgumentParser, kept: bool = False) -> None:
    """Add the options to a command; kept: by default they are those that a model keeps."""
    add = parser.add_argument_group("objective").add_argument
    add("--loss", default=None if kept else "squared", metavar="NAME",
        help=f"{', '.join(sorted(losses.FOR_REGRESSION))}; all but squared are robust to outliers "
        f"(default: {KEPT if kept else '%(default)s'})")  # fmt: skip
    add("--loss-scale", type=decimal, metavar="S",
        help="residual from which a robust loss departs from the squared one, in the "
        f"target's unit (default: {KEPT if kept else SCALED})")  # fmt: skip
    add("--p", type=decimal, metavar="P", help="exponent of smooth_lp, in (0, 2] (default: 1)")
    add("--l2", type=decimal, default=None if kept else 0.0, metavar="L2",
        help="penalty L2 * |w|^2 on all weights but biases, added to the mean loss of standardised "
        "targets; against overfitting compare 1e-6, 1e-5, 1e-4 "
        f"(default: {KEPT if kept else '%(default)g'})")  # fmt: skip


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
    number("l2", args.l2, 0.0)
    if kept is not None:
        return
    loss = losses.resolve(args.loss, known=losses.FOR_REGRESSION)
    if args.loss_scale is not None:
        number("loss_scale", args.loss_scale, 0.0, open_low=True)
        if loss.scale is None:
            raise ValueError(f"--loss-scale is for robust losses; {args.loss} has no scale")
    if args.p is not None:
        number("p", args.p, 0.0, 2.0, open_low=True)
        if loss.p is None:
            raise ValueError(f"--p is for smooth_lp; {args.loss} has no exponent")


def chooses_scale(args: argparse.Namespace, loss: Loss) -> bool:
    """Whether the loss's scale is to be chosen from the residuals."""
    return args.loss_scale is None and loss.scale is not None


def chosen_loss(args: argparse.Namespace, y_scale: np.ndarray, targets: Sequence[str]) -> Loss:
    """Return the loss, its scale in standard units."""
    kind: Any = type(losses.resolve(args.loss))
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
    loss: Loss, args: argparse.Namespace, y_scale: np.ndarray, kept: bool = False
) -> str:
    """Return loss and penalty in words; kept: the loss is that of the model."""
    text: str = args.loss
    if args.loss_scale is not None:
        text += f", scale = {args.loss_scale:g}"
    elif loss.scale is not None:
        text += f", scale = {loss.scale * y_scale[0]:.15g}{'' if kept else ', from the residuals'}"
    if loss.p is not None:
        text += f", p = {loss.p:g}"
    return f"{text}, l2 = {args.l2:g}" if args.l2 else text
