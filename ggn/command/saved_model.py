"""The saved network that a command works with: its argument, and how it is read."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from ggn.io import Model
from ggn.io.archive import CustomActivationError
from ggn.recurrent import NARXModel, Simulator
from ggn.recurrent.narx_model import is_narx
from ggn.recurrent.statespace_file import is_statespace

__all__ = ["add_model", "load", "load_any", "loaded"]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument to a command."""
    parser.add_argument("model", metavar="MODEL.npz", help="saved by ggn train --save")


def load(args: argparse.Namespace, *read: str, output: str | None = None) -> Model:
    """Return the model, unless the output would overwrite it or what else is read."""
    _check_apart((args.model, *read), output)
    return loaded(args.model)


def load_any(
    args: argparse.Namespace, *read: str, output: str | None = None
) -> Model | Simulator | NARXModel:
    """Return the model, one of series too, unless the output would overwrite what is read."""
    _check_apart((args.model, *read), output)
    if is_statespace(args.model):
        return Simulator.load(args.model)
    return NARXModel.load(args.model) if is_narx(args.model) else loaded(args.model)


def _check_apart(read: Sequence[str], output: str | None) -> None:
    for path in read:
        if output and os.path.exists(output) and os.path.samefile(path, output):
            raise ValueError(f"--output would overwrite {path}, which is read")


def loaded(path: str) -> Model:
    """Return the model of a file."""
    try:
        return Model.load(path)
    except CustomActivationError as error:
        raise ValueError(error.worded("the command line does not have")) from error
