"""What is known at one w of samples on a cluster: loss, gradient, curvature, and what it says."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np
from distributed import Client
from scipy.linalg import eigh

from ggn.damping import natural_scale
from ggn.dask.parts import current, form_of
from ggn.dask.sums import DaskSource
from ggn.linearization import SummedObjective
from ggn.linearization.spectrum import negative
from ggn.linearization.summed import SummedLinearization
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import ArgumentError, generator

__all__ = ["Point", "PointVerdict", "diagnose", "linearize"]

EPS = float(np.finfo(np.float64).eps)
STATIONARY = 1e-6  # of J: what a Gauss-Newton step may promise at a stationary point


def linearize(
    client: Client | None,
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
) -> SummedLinearization:
    """Linearise the network and loss at w, for samples on a cluster.

    Parameters
    ----------
    client : distributed.Client or None
        None for the current one.
    net : MLP
    w : array_like, (N,)
    X : dask array or data frame, (T, n0)
    Y : dask array, data frame or series, (T, nL)
    loss : str or Loss, default "squared"
    l2 : float or array_like (N,), default 0.0
    sample_weight : dask array or series, (T,), optional

    Returns
    -------
    SummedLinearization
        With .loss .gradient .normal_matrix() .operator() .hessian() .hessian_operator(): what
        are sums over samples.  What is asked for is one graph of tasks.

    Raises
    ------
    ValueError
        For wrong shapes, names or non-finite numbers, by chunk and row.

    Examples
    --------
    >>> import dask.array as da, ggn, ggn.dask
    >>> from distributed import Client
    >>> net, X = ggn.MLP((1, 1), bias=False), da.from_array([[1.0], [3.0]], chunks=1)
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     at = ggn.dask.linearize(client, net, [2.0], X, da.from_array([1.0, 5.0], chunks=1))
    ...     at.loss, at.gradient
    (1.0, array([4.]))
    """
    source = _source(client, net, X, Y, sample_weight)
    return SummedObjective(net, source, loss, l2).at(net._weights(w).copy())


def _source(client: Client | None, net: MLP, X: Any, Y: Any, sample_weight: Any) -> DaskSource:
    if not isinstance(net, MLP):
        raise ArgumentError("net", f"must be an MLP, got {type(net).__name__}")
    form = form_of(X, Y, net.n_inputs, net.n_outputs)
    return DaskSource.of(current(client), X, Y, sample_weight, form)


class PointVerdict(enum.Enum):
    """What sums over samples say of a point."""

    MINIMUM = "stationary, and the Hessian shows no negative curvature: a minimum, or a flat place"
    SADDLE = "stationary, with negative curvature: a saddle; escape_saddles=True leaves it"
    NOT_STATIONARY = "not stationary: a Gauss-Newton step promises a visible fall of the loss"


@dataclass(frozen=True)
class Point:
    """What `diagnose` has found; prints as a report.

    Attributes
    ----------
    verdict : PointVerdict
    loss : float
    gradient_norm : float
    promise : float
        ½ gᵀ G⁺ g, the fall of the loss that an undamped Gauss-Newton step promises.
    rounding : float
        How far the loss may be off by rounding.
    n_weights, rank : int
        And how many directions of weights move the outputs: the inertia of G is
        (rank, n_weights - rank, 0).
    condition : float
        Largest eigenvalue of D⁻¹ G D⁻¹ over the least that counts; D² is its diagonal.
    negative : ndarray
        Eigenvalues of the Hessian, scaled likewise, that are below zero beyond rounding.
    """

    verdict: PointVerdict
    loss: float
    gradient_norm: float
    promise: float
    rounding: float
    n_weights: int
    rank: int
    condition: float
    negative: np.ndarray

    def __str__(self) -> str:
        least = f", least {self.negative.min():.3g}" if self.negative.size else ""
        return "\n".join(
            [
                f"verdict    {self.verdict.value}",
                f"loss       {self.loss:.6g}, to rounding {self.rounding:.1e}",
                f"gradient   norm {self.gradient_norm:.3g}; a step promises {self.promise:.3g}",
                f"GGN matrix rank {self.rank} of {self.n_weights}, condition {self.condition:.1e}",
                f"Hessian    {self.negative.size} negative eigenvalues found{least}",
            ]
        )


def diagnose(
    client: Client | None,
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    rng: int | np.random.Generator | None = 0,
    l2: Any = 0.0,
    sample_weight: Any = None,
) -> Point:
    """Say what a point is, by what are sums over samples.

    `ggn.diagnose` says more, from the samples themselves.

    Parameters
    ----------
    client : distributed.Client or None
        None for the current one.
    net : MLP
    w : array_like, (N,)
    X : dask array or data frame, (T, n0)
    Y : dask array, data frame or series, (T, nL)
    loss : str or Loss, default "squared"
    rng : int, Generator or None, default 0
        Of the search for negative curvature, which takes Hessian products, a graph for each.
    l2 : float or array_like (N,), default 0.0
    sample_weight : dask array or series, (T,), optional

    Returns
    -------
    Point

    Raises
    ------
    ValueError
        As `linearize` does, and for activations without a second derivative.
    """
    source = _source(client, net, X, Y, sample_weight)
    try:
        at = SummedObjective(net, source, loss, l2).at(net._weights(w).copy())
        return _seen(at, generator(rng))
    finally:
        source.close()


def _seen(at: SummedLinearization, rng: np.random.Generator) -> Point:
    N = at.net.n_weights
    G = np.empty((N, N))
    g = at.assemble_normal(G)
    D = np.sqrt(np.where(np.diag(G) > 0.0, np.diag(G), 1.0))
    values, vectors = eigh(G / D / D[:, np.newaxis], lower=True)
    counted = values > N * EPS * max(float(values[-1]), 0.0)
    along = vectors[:, counted].T @ (g / D)
    promise = 0.5 * float(along @ (along / values[counted]))
    found = negative(at, rng, natural_scale(at.objective))[0]
    verdict = PointVerdict.NOT_STATIONARY
    if promise <= max(STATIONARY * abs(at.loss), 8.0 * at.rounding):
        verdict = PointVerdict.SADDLE if found.size else PointVerdict.MINIMUM
    condition = float(values[-1] / values[counted][0]) if counted.any() else np.inf
    norm, rank = float(np.linalg.norm(g)), int(counted.sum())
    return Point(verdict, at.loss, norm, promise, at.rounding, N, rank, condition, found)
