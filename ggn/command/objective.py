"""What is minimised, as options of the command line say: --loss, --loss-scale, --p and --l2."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn import losses
from ggn.command.parser import decimal
from ggn.losses import Loss
from ggn.validation import number

__all__ = ["add_objective", "check_objective", "chooses_scale", "chosen_loss", "objective_text"]


def add_objective(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    add = parser.add_argument_group("objective").add_argument
    add("--loss", default="squared", metavar="NAME",
        help=f"{', '.join(sorted(losses.FOR_REGRESSION))}; all but squared are robust to outliers "
        "(default: %(default)s)")  # fmt: skip
    add("--loss-scale", type=decimal, metavar="S",
        help="residual from which a robust loss departs from the squared one, in the "
        "target's unit (default: chosen from the residuals, in several trainings)")  # fmt: skip
    add("--p", type=decimal, metavar="P", help="exponent of smooth_lp, in (0, 2] (default: 1)")
    add("--l2", type=decimal, default=0.0, metavar="L2",
        help="penalty L2 * |w|^2 on all weights but biases, added to the mean loss of standardised "
        "targets; against "
        "overfitting compare 1e-6, 1e-5, 1e-4 (default: %(default)g)")  # fmt: skip


def check_objective(args: argparse.Namespace) -> None:
    """Check what does not need the data."""
    number("l2", args.l2, 0.0)
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


def objective_text(loss: Loss, args: argparse.Namespace, y_scale: np.ndarray) -> str:
    """Return loss and penalty in words."""
    text: str = args.loss
    if args.loss_scale is not None:
        text += f", scale = {args.loss_scale:g}"
    elif loss.scale is not None:
        text += f", scale = {loss.scale * y_scale[0]:.15g}, from the residuals"
    if loss.p is not None:
        text += f", p = {loss.p:g}"
    return f"{text}, l2 = {args.l2:g}" if args.l2 else text
