"""XOR, eq. 33 to 36: the loss surface of F(2,2,1) and F(2,3,1).

    P = [P_1; P_2],   P_2 = [Φ_1; 1 1 1 1]

With dummy units and a linear output P_2 has the hidden outputs for rows.  Prop. 6 bounds
rank P from below by n1, on the premise rank Φ_1 >= n1, which the paper holds to be met by
construction.  Training is from N(0, 1), undamped (alpha = 1, the paper's Algorithm 2) and
with Levenberg-Marquardt damping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ggn import problems
from ggn.damping import Damping, LevenbergMarquardt, Undamped
from ggn.fit.convergence import EXACT
from ggn.fit.result import TrainResult, pass_on_interrupt
from ggn.fit.train import train
from ggn.network import MLP
from ggn.paper.observe import look, verdict_of
from ggn.paper.pieces import Piece, Pieces, as_columns, joined
from ggn.paper.rates import Rate
from ggn.surface.rank import numerical_rank

__all__ = [
    "CASES",
    "ENDS",
    "FOLLOWED",
    "MAX_ITER",
    "METHODS",
    "RUNAWAY",
    "Case",
    "Xor",
    "experiment",
]


class Case(NamedTuple):
    """A network F(2, hidden, 1) and the damping it is trained with, a key of `METHODS`."""

    hidden: int
    activation: str
    method: str

    def __str__(self) -> str:
        return f"F(2,{self.hidden},1) {self.activation}"


METHODS: dict[str, Damping] = {"undamped": Undamped(1.0), "LM": LevenbergMarquardt()}
CASES = tuple(
    Case(hidden, name, method)
    for method in METHODS
    for hidden in (2, 3)
    for name in ("sigmoid", "tanh")
)
ENDS = {"0": 0.0, "1/8": 1 / 8, "1/6": 1 / 6, "1/4": 1 / 4, "other": np.nan}
RUNAWAY = ("1/8", "1/6")
FOLLOWED = ("0", *RUNAWAY)
RANKS = ("p1", "p2", "phi1", "p")
MAX_ITER = 1000
BATCH = 25  # starts to a piece


@dataclass(frozen=True)
class Xor:
    """Where many starts of four networks end, and the ranks of some of them on their way.

    Attributes
    ----------
    starts : int
        Of each case.
    columns : dict of str to ndarray, (8 · starts,)
        hidden, activation, method, start, iterations, loss, end (a key of `ENDS`), verdict, and
        largest and flat at the end (as of `observe.End`).
    ranks : dict of str to ndarray
        For every iterate of the starts followed: hidden, activation, method, start, iterate,
        and the ranks p1, p2, phi1, p of P_1, P_2, Φ_1 and P.
    ends : dict of str to ndarray, (9,)
        Weights of F(2,2,1), sigmoid, at the first "0", "1/8" and "1/6" found.
    """

    starts: int
    columns: dict[str, np.ndarray]
    ranks: dict[str, np.ndarray]
    ends: dict[str, np.ndarray]

    def of(self, case: Case, name: str) -> np.ndarray:
        """Return a column for one case."""
        return self.columns[name][_chosen(self.columns, case)]

    def rate(self, case: Case, end: str = "0") -> Rate:
        """Return how often a case came to an end value."""
        return Rate(int((self.of(case, "end") == end).sum()), self.starts)

    def paths(self, case: Case, ends: Sequence[str]) -> list[np.ndarray]:
        """Return the ranks (iterates, 4) of each start followed that came to one of these ends."""
        chosen = _chosen(self.ranks, case)
        table = np.stack([self.ranks[name][chosen] for name in RANKS], axis=1)
        start, end = self.ranks["start"][chosen], self.of(case, "end")
        return [table[start == k] for k in np.unique(start) if end[k] in ends]


def _chosen(columns: dict[str, np.ndarray], case: Case) -> np.ndarray:
    chosen = [columns[name] == value for name, value in case._asdict().items()]
    return np.asarray(np.logical_and.reduce(chosen))


def experiment(
    pieces: Pieces | None = None, seed: int = 0, starts: int = 500, followed: int = 100
) -> Xor:
    """Train from many starts, and follow the ranks of some.

    Parameters
    ----------
    pieces : Pieces, optional
        Where results are kept, and how many processes work; by default neither.
    seed : int, default 0
    starts : int, default 500
        Of each network and damping.
    followed : int, default 100
        Of them.

    Examples
    --------
    >>> from ggn.paper import xor
    >>> found = xor.experiment(starts=4, followed=1)
    >>> found.rate(xor.Case(3, "tanh", "LM")).k
    4
    """
    pieces = pieces or Pieces()
    columns = joined(pieces.map("xor", _batch, _batches(seed, starts)))
    ranks = joined(pieces.map("xor_ranks", _ranks_of, _batches(seed, min(followed, starts))))
    data = Xor(starts, columns, ranks, {})
    first: dict[str, tuple[Case, int]] = {}
    for method in METHODS:  # damped ends are nearer, so they are preferred
        case = Case(2, "sigmoid", method)
        found = data.of(case, "end")
        first.update(
            {end: (case, int(np.argmax(found == end))) for end in FOLLOWED if (found == end).any()}
        )
    data.ends.update(pieces.map("xor_ends", _ends_of, [(seed, first)])[0])
    return data


def _batches(seed: int, starts: int) -> list[tuple[Any, ...]]:
    return [
        (seed, case, start, min(start + BATCH, starts))
        for case in CASES
        for start in range(0, starts, BATCH)
    ]


def _batch(seed: int, case: Case, start: int, stop: int) -> Piece:
    return as_columns([_row(seed, case, k) for k in range(start, stop)])


def _row(seed: int, case: Case, start: int) -> dict[str, Any]:
    net, _, result = _fit(seed, case, start)
    X, Y = problems.xor()
    end = look(net, result.w, X)
    return {
        **case._asdict(),
        "start": start,
        "iterations": result.nit,
        "loss": result.fun,
        "end": _end(result.fun),
        "verdict": verdict_of(net, result.w, X, Y),
        "largest": end.largest,
        "flat": end.flat,
    }


def _ranks_of(seed: int, case: Case, start: int, stop: int) -> Piece:
    X, _ = problems.xor()
    rows: list[tuple[Any, ...]] = []
    for k in range(start, stop):
        net, path, _ = _fit(seed, case, k)
        for iterate, w in enumerate(path):
            P = net.jacobian(w, X)
            first, second = np.split(P, [3 * case.hidden])
            blocks = (first, second, second[:-1], P)
            rows.append((*case, k, iterate, *(numerical_rank(block).rank for block in blocks)))
    names = (*Case._fields, "start", "iterate", *RANKS)
    return {
        name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


def _ends_of(seed: int, first: dict[str, tuple[Case, int]]) -> Piece:
    return {end: _fit(seed, case, start)[2].w for end, (case, start) in first.items()}


def _fit(seed: int, case: Case, start: int) -> tuple[MLP, list[np.ndarray], TrainResult]:
    """Return the network, its weights on the way from one start, and the end."""
    net = MLP((2, case.hidden, 1), case.activation)
    path = [net.initial_weights(np.random.default_rng([seed, start]))]
    result = train(
        net,
        *problems.xor(),
        w0=path[0],
        damping=METHODS[case.method],
        max_iter=MAX_ITER,
        callback=path.append,
    )
    pass_on_interrupt(result)
    return net, path, result


def _end(J: float) -> str:
    """Return the value that a run came to, to within a thousandth."""
    if J < EXACT:
        return "0"
    near = [name for name, value in ENDS.items() if abs(J - value) < 1e-3 * value]
    return near[0] if near else "other"
