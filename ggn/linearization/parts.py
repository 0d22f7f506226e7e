"""What one part of the samples adds to each sum: functions for `Source.total`.

    of_part(part, problem, function, *args)  =  function(objective of the part, *args)

That objective has the shares c_i = s_i / Σ s, the sum over all parts, and no penalty, which is
added once.  Symmetric matrices travel as their lower triangles, row by row.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ggn._core.machine import limited
from ggn.linearization.objective import Objective
from ggn.linearization.output_layer import output_sums
from ggn.linearization.part import ChunkError, Part
from ggn.linearization.shares import Shares
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["Problem", "Rows", "Scales", "of_part", "packed", "unpacked"]

KEPT = 2  # objectives of a part that is kept: in the units given, and in those of the run


class Scales(NamedTuple):
    """Inputs (x - m) / s and targets (y - my) / sy."""

    m: np.ndarray
    s: np.ndarray
    my: np.ndarray
    sy: float


class Rows(NamedTuple):
    """Some of the samples: their rows, which ascend, and the row at which each part begins."""

    chosen: np.ndarray
    starts: tuple[int, ...]

    def of(self, number: int, size: int) -> np.ndarray:
        """Return which rows of a part of that size these are."""
        start = self.starts[number]
        first, last = np.searchsorted(self.chosen, (start, start + size))
        return self.chosen[first:last] - start


def token_of(*fields: Any) -> str:
    """Return a name for what fields say, so that runs on the same samples share objectives.

    What cannot be pickled gets one that nobody else gives.
    """
    try:
        return hashlib.sha256(pickle.dumps(fields)).hexdigest()
    except Exception:
        return uuid.uuid4().hex


@dataclass(frozen=True, eq=False)
class Problem:
    """What makes an objective of a part; it goes with every task, so it is small.

    Attributes
    ----------
    net : MLP
    loss : Loss
    weight : float
        Sum of the weights of all parts.
    weighted : bool
        Whether parts have weights.
    sizes : tuple of int
        Samples of each part, as the first pass has found them.
    scales : Scales, optional
    rows : Rows, optional
        None for all.
    drawn : tuple of (int, float), optional
        Seed and share of samples that are drawn each by itself; the weight is then what they
        have in the mean, so that sums are right in the mean.
    noise : tuple of (int, float), optional
        Seed and size of a relative change of each share.
    token : str
        What objectives that a part keeps are found by; made of the rest.
    """

    net: MLP
    loss: Loss
    weight: float
    weighted: bool
    sizes: tuple[int, ...]
    scales: Scales | None = None
    rows: Rows | None = None
    drawn: tuple[int, float] | None = None
    noise: tuple[int, float] | None = None
    token: str = field(init=False)

    def __post_init__(self) -> None:
        kept = self.rows is self.drawn is self.noise is None
        known = self.net, self.loss, self.weight, self.weighted, self.sizes, self.scales
        object.__setattr__(self, "token", token_of(*known) if kept else "")


def of_part(part: Part, problem: Problem, function: Callable[..., Any], *args: Any) -> Any:
    """Return function(objective, *args), or None where the part has no samples.

    Raises
    ------
    ChunkError
        For a part that is not as it was in the first pass, or not what loss and network take.
    """
    with np.errstate(all="ignore"), limited():
        objective = _objective(part, problem)
        return None if objective is None else function(objective, *args)


def _objective(part: Part, problem: Problem) -> Objective | None:
    if problem.token in part.kept:
        kept: Objective = part.kept[problem.token]
        return kept
    told = problem.sizes[part.number] if part.number < len(problem.sizes) else 0
    if len(part) != told:
        raise ChunkError(
            f"chunk {part.number} must have as many rows in every pass, got {told} in the first "
            f"and then {len(part)}"
        )
    if not len(part):
        return None
    if (part.weights is not None) != problem.weighted:
        raise ChunkError(f"chunk {part.number} must have sample_weight in every pass or in none")
    try:
        made = Objective(problem.net, part.X, part.Y, problem.loss)
    except ValueError as error:
        raise ChunkError(f"in chunk {part.number}, {error}") from error
    if part.memory is not None:
        made.share(part.memory)
    if (s := part.weights) is not None:
        made.s, made.c = s, Shares(s / problem.weight, made.T)
    else:
        made.c = Shares(1.0 / problem.weight, made.T)
    objective: Objective | None = made
    if problem.scales is not None:
        objective = made.standard(*problem.scales, problem.loss, 0.0)
    local = None
    if problem.rows is not None:
        local = problem.rows.of(part.number, made.T)
    elif problem.drawn is not None:
        seed, p = problem.drawn
        local = np.flatnonzero(np.random.default_rng([seed, part.number]).random(made.T) < p)
    if objective is not None and local is not None:
        c = objective.c
        objective = objective.part(local) if len(local) else None
        if objective is not None:
            own = c.array[local] if problem.weighted else c.common
            objective.c = Shares(own, objective.T)
    if objective is not None and problem.noise is not None:
        seed, size = problem.noise
        objective = objective.shaken(np.random.default_rng([seed, part.number]), size)
    if local is problem.noise is None and objective is not None:
        for token in list(part.kept)[: 1 - KEPT]:
            del part.kept[token]
        part.kept[problem.token] = objective
    return objective


# -- sums of an objective ------------------------------------------------------------------


def value(objective: Objective, w: np.ndarray) -> float:
    """Return Σ c E."""
    return objective.value(w)


def gradient(objective: Objective, w: np.ndarray) -> np.ndarray:
    """Return P ε (N,)."""
    return objective.at(w).gradient


def normal(objective: Objective, w: np.ndarray, psd: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return P ε (N,) and the triangle of P H_E Pᵀ."""
    N = objective.net.n_weights
    G, lent = objective.scratch(N, N), objective.scratch(N, N)
    g = objective.at(w).assemble_normal(G, psd, lent)
    return g, packed(G)


def rounding(objective: Objective, w: np.ndarray) -> float:
    """Return how much the rounding of the outputs can move Σ c E, but for eps J."""
    return objective.rounding(w, 0.0)


def diagonal(objective: Objective, w: np.ndarray) -> np.ndarray:
    """Return the diagonal of P H_E Pᵀ, psd (N,)."""
    return objective.at(w).normal_diagonal()


def normal_product(objective: Objective, w: np.ndarray, v: np.ndarray, psd: bool) -> np.ndarray:
    """Return P H_E Pᵀ v (N,)."""
    return objective.at(w).normal_product(v, psd)


def hessian_product(objective: Objective, w: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return H_J v (N,)."""
    return objective.at(w).hessian_product(v)


def functional_hessian(objective: Objective, w: np.ndarray) -> np.ndarray:
    """Return the triangle of Σ ε ∇²φ_L."""
    return packed(objective.at(w).functional_hessian())


def bend(objective: Objective, w: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return P H_E φ''[d, d] (N,)."""
    return objective.at(w).bend(d)


def curvature_along(objective: Objective, w: np.ndarray, d: np.ndarray) -> float:
    """Return dᵀ P H_E Pᵀ d, psd."""
    return objective.at(w).curvature_along(d)


def error_and_curvature(objective: Objective, w: np.ndarray) -> tuple[float, float]:
    """Return Σ ‖c ∇_E‖² and Σ tr(c H_E) / nL, psd."""
    error = curvature = 0.0
    for rows, F in objective.outputs(w):
        error += float(np.sum(objective.derivatives(F, rows) ** 2))
        H = objective.curvature(F, rows, psd=True).diagonal()
        curvature += float(H.sum()) / objective.net.n_outputs
    return error, curvature


def refit_sums(objective: Objective, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Return Σ c E, and the sums that the output layer is solved from."""
    return output_sums(objective, w)


def constant(objective: Objective, output: np.ndarray) -> float:
    """Return Σ c E where all outputs are these (nL,)."""
    return objective.constant(output)


# -- of the part itself --------------------------------------------------------------------


def starts(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the first row of each part, counted over all."""
    return tuple(int(end) - size for end, size in zip(np.cumsum(sizes), sizes, strict=True))


def picked(
    part: Part, starts: tuple[int, ...], step: int, counted: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return X, Y and weights of every so many samples, counted over all parts."""
    s = np.ones(len(part)) if part.weights is None else part.weights
    rows = np.flatnonzero(s > 0.0) if counted else np.arange(len(part))
    rows = rows[-starts[part.number] % step :: step]
    return (part.X[rows], part.Y[rows], s[rows]) if len(rows) else None


def weight_of(part: Part, rows: Rows) -> float:
    """Return the sum of the weights of these samples."""
    local = rows.of(part.number, len(part))
    return float(len(local)) if part.weights is None else float(part.weights[local].sum())


def stacked(a: Any, b: Any) -> Any:
    """Return the rows of both, array by array."""
    return tuple(np.concatenate(pair) for pair in zip(a, b, strict=True))


# -- symmetric matrices --------------------------------------------------------------------


def packed(A: np.ndarray) -> np.ndarray:
    """Return the lower triangle of A (N, N), N (N + 1) / 2 numbers.

    Examples
    --------
    >>> packed(np.array([[1.0, 0.0], [2.0, 3.0]]))
    array([1., 2., 3.])
    """
    triangle: np.ndarray = A[_triangle(len(A))]
    return triangle


def unpacked(triangle: np.ndarray, A: np.ndarray) -> None:
    """Write a lower triangle to A (N, N)."""
    A[_triangle(len(A))] = triangle


@functools.lru_cache(maxsize=1)
def _triangle(N: int) -> np.ndarray:
    return np.tri(N, dtype=bool)
