"""`ggn train --warm-start`: the saved network to go on from, and what it says of the options.

Columns, units, network, loss and penalty are its own, and so are the rows held out, of a file of
as many rows; what of them an option says counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ggn.command.saved_model import of_table
from ggn.command.training_data import columns_of
from ggn.io import Model

__all__ = ["model_to_go_on"]

NEW = ("hidden", "activation", "init")


def model_to_go_on(args: argparse.Namespace) -> Model | None:
    """Return the model, if one is asked for, and fill in the options that it answers.

    Raises
    ------
    ValueError, OSError
        For a file that cannot be used, and options that ask for another network.
    """
    path = args.warm_start
    if path is None:
        if args.target is None:
            raise ValueError("the following arguments are required: --target")
        return None
    new = [name for name in NEW if getattr(args, name) is not None]
    new += ["restarts"] * (args.restarts != 1)
    if new:
        raise ValueError(
            f"--{new[0]} is for new weights, but --warm-start goes on from those of {path}"
        )
    model = of_table(path, "--warm-start", "")
    members = 1 if model.training is None else model.training.members
    if members > 1:
        raise ValueError(
            f"{path} is the mean of {members} networks, from which no training goes on; an "
            "estimator does with warm_start=True"
        )
    targets: Sequence[str] = model.target_names
    if model.classes is not None:
        if model.classes.several or model.classes.link == "identity":
            raise ValueError(
                f"{path} is of labels that ggn train does not train; an estimator goes on with it "
                "by warm_start=True"
            )
        args.task = "classification"
        targets = _labels(args, model)
    elif args.task == "classification":
        raise ValueError(f"--task is classification, but {path} predicts numbers")
    args.target = _same("--target", args.target, targets, path)
    args.inputs = _same("--inputs", args.inputs, model.input_names, path)
    without = [] if args.exclude is None else columns_of("--exclude", args.exclude)
    for name in set(without) & set(model.input_names):
        raise ValueError(f"--exclude names {name}, which {path} has as an input")
    said = (args.loss, args.loss_scale, args.p, args.l2, args.patience)
    if not args.robust and all(value is None for value in said):
        args.bayesian |= model.posterior is not None
    return model


def _labels(args: argparse.Namespace, model: Model) -> Sequence[str]:
    """Return the column of the labels, which a model of Python may not know."""
    assert model.classes is not None
    if model.classes.column is not None:
        return [model.classes.column]
    if args.target is not None:
        return columns_of("--target", args.target)
    if model.net.n_outputs == 1:
        return model.target_names
    raise ValueError("the model does not say which column has the labels; --target does")


def _same(option: str, given: str | None, own: Sequence[str], path: str) -> list[str]:
    """Return the model's columns, which are those given, if any are."""
    if given is not None and set(columns_of(option, given)) != set(own):
        raise ValueError(f"{option} is {given}, but {path} has {', '.join(own)}")
    return list(own)
