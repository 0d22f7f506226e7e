"""`ggn predict` with a model of series: its free run, one row of the table after the other.

A model of lags begins with the outputs measured in the first rows, as many as its largest lag.  One
of states begins with the state that the first rows tell, where they have measured outputs, or else
at rest, with state zero.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from ggn.command.series_data import with_gaps
from ggn.command.table_options import open_table
from ggn.fit.scores import r2, rmse
from ggn.io.table import Table
from ggn.recurrent import NARXModel, Simulator
from ggn.validation import count

__all__ = ["FreeRun", "SeriesModel", "free_run"]

SeriesModel: TypeAlias = NARXModel | Simulator


class FreeRun(NamedTuple):
    """What is written, and what is said.

    Attributes
    ----------
    values : ndarray, (T, n_y)
        Of each target; NaN where nothing was measured or simulated.
    text : list of (str, list of str)
        The column of --id, if there is one.
    notes, scores : list of str
        How the table was understood, and how the run begins; how near it is to what was measured.
    """

    values: np.ndarray
    text: list[tuple[str, list[str]]]
    notes: list[str]
    scores: list[str]


def free_run(args: argparse.Namespace, model: SeriesModel) -> FreeRun:
    """Return the outputs of a model from the inputs in a table.

    Raises
    ------
    ValueError, OSError
        For options, files or cells that cannot be used.
    """
    if args.std:
        raise ValueError(f"--std is not for a model of series, which {args.model} is")
    if args.missing == "drop":
        raise ValueError(
            "--missing drop is not for a model of series, whose rows follow one another in time; a "
            "target may be missing behind the rows that the run begins with"
        )
    table, ids = open_table(args), [] if args.id is None else [args.id]
    table.require(ids, "which --id names")
    table.require(model.input_names, "which the model needs")
    if args.id in model.target_names:
        raise ValueError(f"the column {args.id!r} is in --id and a target of the model")
    text = table.rows([], ids).text if ids else []
    known = [name for name in model.target_names if name in table.names]
    U = with_gaps(args, table, model.input_names)
    Y = np.full((len(U), len(model.target_names)), np.nan)
    Y[:, [model.target_names.index(name) for name in known]] = with_gaps(args, table, known)
    for name, column in zip(model.input_names, U.T, strict=True):
        if np.isnan(column).any():
            raise ValueError(
                f"{args.file}: the input {name!r} has no number in row "
                f"{np.isnan(column).argmax() + 1}, and a run needs it in each"
            )
    if isinstance(model, NARXModel):
        first, start = model.lags.depth, ""
        F = _of_lags(args, model, table, U, Y)
    else:
        first = 0
        F, start = _of_states(model, U, Y)
    notes = [f"{args.file}: {table.understood()}"] if table.understood() else []
    notes += [start] if start else []
    wild = ~np.isfinite(F[first:]).all(axis=1)
    if wild.any():
        row = first + int(wild.argmax())
        F[row:] = np.nan
        notes.append(f"the run leaves the finite numbers in row {row + 1}; from there it is nan")
    scores = _scores(model, known, F[first:], Y[first:])
    return FreeRun(F, list(zip(ids, text, strict=True)), notes, scores)


def _of_lags(
    args: argparse.Namespace, model: NARXModel, table: Table, U: np.ndarray, Y: np.ndarray
) -> np.ndarray:
    """Return the run of a model of lags, behind what it begins with."""
    depth, T = model.lags.depth, len(U)
    rows = _first(depth)
    fed = [model.target_names[o] for o in sorted({o for o, _ in model.lags.feeds})]
    table.require(fed, f"with which the model begins in the {rows}")
    if T <= depth:
        raise ValueError(
            f"{args.file} has {count(T, 'row')}, but the model begins with the {rows}, so that "
            "none is left"
        )
    for name in fed:
        gaps = np.isnan(Y[:depth, model.target_names.index(name)])
        if gaps.any():
            raise ValueError(
                f"{args.file}: the model begins with {name!r} in the {rows}, but there is no "
                f"number in row {gaps.argmax() + 1}"
            )
    begun = np.where(np.isnan(Y[:depth]), 0.0, Y[:depth])  # of what is not fed back
    run: np.ndarray = model.simulate(U if model.input_names else T, begun).reshape(T, -1)
    run[:depth] = Y[:depth]
    return run


def _of_states(model: Simulator, U: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the run of a model of states, and what it begins with."""
    few = slice(0, model.memory)
    inputs = U if model.input_names else None
    if np.isfinite(Y[few]).any():
        x0 = model.initial_state(None if inputs is None else U[few], Y[few])
        rows = _first(len(Y[few]))
        start = f"begins with the state that the targets in the {rows} tell"
    else:
        x0, start = None, "begins at rest, state zero, for no target is in the first rows"
    steps = len(U) if inputs is None else None
    return np.array(model.simulate(inputs, x0, steps)), start


def _first(rows: int) -> str:
    return "first row" if rows == 1 else f"first {rows} rows"


def _scores(model: SeriesModel, known: Sequence[str], F: np.ndarray, Y: np.ndarray) -> list[str]:
    """Return a line for each target that was measured in the rows simulated."""
    lines = []
    for name in known:
        o = model.target_names.index(name)
        both = np.isfinite(F[:, o]) & np.isfinite(Y[:, o])
        if both.any():
            y, f = Y[both, o, np.newaxis], F[both, o, np.newaxis]
            lines.append(
                f"{name}: RMSE {rmse(y, f)[0]:.6g}, R2 {r2(y, f)[0]:.6f}, "
                f"{count(len(y), 'row')}, in free run"
            )
    return lines
