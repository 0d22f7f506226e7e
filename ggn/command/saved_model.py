"""The saved network that a command works with: its argument, and how it is read."""

from __future__ import annotations

import argparse
import os

from ggn.io import Model
from ggn.io.archive import CustomActivationError

__all__ = ["add_model", "load", "loaded"]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument to a command."""
    parser.add_argument("model", metavar="MODEL.npz", help="saved by ggn train --save")


def load(args: argparse.Namespace, *read: str, output: str | None = None) -> Model:
    """Return the model, unless the output would overwrite it or what else is read."""
    for path in (args.model, *read):
        if output and os.path.exists(output) and os.path.samefile(path, output):
            raise ValueError(f"--output would overwrite {path}, which is read")
    return loaded(args.model)


def loaded(path: str) -> Model:
    """Return the model of a file."""
    try:
        return Model.load(path)
    except CustomActivationError as error:
        raise ValueError(error.worded("the command line does not have")) from error
