"""The saved network that a command works with: its argument, and how it is read."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from ggn.io import Model
from ggn.io.archive import CustomActivationError
from ggn.recurrent import NARXModel, Simulator
from ggn.recurrent.narx_model import is_narx
from ggn.recurrent.statespace_file import is_statespace

__all__ = ["add_model", "load_any", "loaded", "of_table"]

M = TypeVar("M")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument to a command."""
    parser.add_argument("model", metavar="MODEL.npz", help="saved by ggn train --save")


def load_any(
    args: argparse.Namespace, *read: str, output: str | None = None
) -> Model | Simulator | NARXModel:
    """Return the model, one of series too, unless the output would overwrite what is read."""
    path = args.model
    _check_apart((path, *read), output)
    if is_statespace(path):
        return Simulator.load(path)
    return _loaded(NARXModel.load, path) if is_narx(path) else loaded(path)


def _check_apart(read: Sequence[str], output: str | None) -> None:
    for path in read:
        if output and os.path.exists(output) and os.path.samefile(path, output):
            raise ValueError(f"--output would overwrite {path}, which is read")


def of_table(path: str, command: str, advice: str) -> Model:
    """Return the model of a file, unless it is one of series, which the command is not for.

    Raises
    ------
    ValueError, OSError
        If it is, or the file cannot be used.
    """
    if is_statespace(path) or is_narx(path):
        raise ValueError(
            f"{path} is a model of series, and {command} is for models of tables{advice}"
        )
    return loaded(path)


def loaded(path: str) -> Model:
    """Return the model of a file."""
    return _loaded(Model.load, path)


def _loaded(load: Callable[[str], M], path: str) -> M:
    """Return what is loaded, or say in the command line's words what it has not."""
    try:
        return load(path)
    except CustomActivationError as error:
        raise ValueError(error.worded("the command line does not have")) from error
