"""Windows that grow: a bridge to free run from weights that would diverge in it, or get stuck.

Each experiment is cut in windows, whose initial states are weights too (multiple shooting; Bock
& Plitt 1984).  A short run cannot get lost, so J has fewer minima.  Trained for some steps, the
windows are cut anew, twice as long where runs of that length stay in bounds, with the states that
the last run had there, until one window is an experiment.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from ggn.fit.result import Status, TrainResult
from ggn.recurrent.statespace_model import StateSpace

__all__ = ["ENDED", "bridge"]

GROW = 2
PATIENCE = 3  # trainings of one length before it grows all the same
LARGER = 10.0  # than all states found: of a run that is on its way out
BOUND = 1e3  # of states: beyond, a run is lost
MOST_STATES = 300  # numbers that initial states may be: they are rows of the normal matrix

# after which there are no more runs; those on windows have no callback
ENDED = (Status.INTERRUPTED, Status.CALLBACK, Status.MAX_SECONDS)

# minimises a model with windows for experiments from some weights
Minimise = Callable[[StateSpace, list[np.ndarray], list[np.ndarray], np.ndarray], TrainResult]


def bridge(
    model: StateSpace,
    Us: Sequence[np.ndarray],
    Ys: Sequence[np.ndarray],
    w: np.ndarray,
    window: int,
    minimise: Minimise,
) -> tuple[np.ndarray, Status | None]:
    """Return weights (N,) for free run, from w and windows that begin with so many steps.

    And what has ended them before they were whole experiments, if anything has.
    """
    n, nx = model.n_shared, model.n_states
    total, longest = sum(map(len, Us)), max(map(len, Us))
    length = max(window, -(-total * nx // MOST_STATES))
    shared = w[:n]
    runs = [_bounded(model, w, U, e) for e, U in enumerate(Us)]  # states of all steps
    waited, stopped = 0, None
    while length < longest:
        pieces = [(e, part) for e, U in enumerate(Us) for part in _cut(len(U), length)]
        pieces = [(e, part) for e, part in pieces if np.isfinite(Ys[e][part]).any()]
        cut = StateSpace(
            model.n_inputs, nx, model.n_outputs, model.f, model.g, model.linear,
            model.feedthrough, len(pieces),
        )  # fmt: skip
        x0 = np.array([runs[e][part.start] for e, part in pieces])
        if not model.initial_states:
            first = [i for i, (_, part) in enumerate(pieces) if part.start == 0]
            x0[first] = 0.0
        begin = np.concatenate([shared, x0.ravel()])
        found = minimise(
            cut, [Us[e][part] for e, part in pieces], [Ys[e][part] for e, part in pieces], begin
        )
        shared = found.w[:n]
        for i, (e, part) in enumerate(pieces):
            states, _ = cut.states_and_outputs(
                found.w, Us[e][part], cut.initial_state(found.w, i), part.stop - part.start
            )
            runs[e][part] = states[:-1]
        if found.status in ENDED:
            stopped = found.status
            break
        waited += 1
        if waited > PATIENCE or _holds(cut, found.w, Us, runs, GROW * length):
            length, waited = GROW * length, 0
    if not model.initial_states:
        return shared.copy(), stopped
    return np.concatenate([shared, *(run[0] for run in runs)]), stopped


def _cut(T: int, length: int) -> list[slice]:
    """Return windows of about so many steps."""
    edges = np.linspace(0, T, max(T // length, 1) + 1).astype(int)
    return [slice(int(a), int(b)) for a, b in itertools.pairwise(edges)]


def _holds(
    cut: StateSpace, w: np.ndarray, Us: Sequence[np.ndarray], runs: list[np.ndarray], length: int
) -> bool:
    """Whether runs of so many steps from states that were found stay where states are."""
    most = LARGER * max(float(np.abs(run).max()) for run in runs)
    for U, run in zip(Us, runs, strict=True):
        for part in _cut(len(U), length):
            T = part.stop - part.start
            X, _ = cut.states_and_outputs(w, U[part], run[part.start], T)
            if not np.abs(X).max() <= most:
                return False
    return True


def _bounded(model: StateSpace, w: np.ndarray, U: np.ndarray, e: int) -> np.ndarray:
    """Return the states of a run, or zeros where it leaves all bounds."""
    X, _ = model.states_and_outputs(w, U, model.initial_state(w, e), len(U))
    with np.errstate(all="ignore"):
        fine = bool(np.abs(X).max() < BOUND)
    return X[:-1] if fine else np.zeros((len(U), model.n_states))
