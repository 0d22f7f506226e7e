"""`ggn.linearize`: data, loss and weights in, everything known there out."""

from __future__ import annotations

from typing import Any, overload

from ggn.linearization.choice import summed_objective
from ggn.linearization.linearization import Linearization
from ggn.linearization.objective import Objective
from ggn.linearization.source import Source
from ggn.linearization.summed import SummedLinearization
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import ArgumentError, describe, integer

__all__ = ["linearize"]


@overload
def linearize(
    net: MLP,
    w: Any,
    X: Source,
    Y: None = None,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
) -> SummedLinearization: ...
@overload
def linearize(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    chunk_size: int | None = None,
) -> Linearization: ...
def linearize(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    chunk_size: int | None = None,
) -> Linearization | SummedLinearization:
    """Linearise the network and loss at w.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0), or Chunks
        `ggn.Chunks` have targets and weights of their own.
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
    l2 : float or array_like (N,), default 0.0
    sample_weight : array_like, (T,), optional
    chunk_size : int, optional
        Samples per sweep; by default chosen to fit the cache.

    Returns
    -------
    Linearization
        With .loss .gradient .jacobian() .normal_matrix() .kernel_matrix() .hessian(); of chunks
        without .jacobian() and .kernel_matrix(), which are as large as the data.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> at = ggn.linearize(ggn.MLP((1, 1), bias=False), [2.0], [[1.0], [3.0]], [[1.0], [5.0]])
    >>> at.loss, at.gradient
    (1.0, array([4.]))
    """
    if isinstance(X, Source):
        if chunk_size is not None:
            raise ArgumentError(
                "chunk_size", f"must be left out where X is {describe(X)}, got {chunk_size}"
            )
        summed = summed_objective(net, X, Y, loss, sample_weight, l2)
        return summed.at(net._weights(w).copy())
    if Y is None:
        raise TypeError("linearize(net, w, X, Y) needs Y, the targets of the samples X")
    if chunk_size is not None:
        chunk_size = integer("chunk_size", chunk_size, 1)
    objective = Objective(net, X, Y, loss, sample_weight, l2, chunk_size)
    # what is computed later must not depend on what the caller does to the data in between
    objective.X, objective.Yt = objective.X.copy(), objective.Yt.copy()
    return Linearization(objective, net._weights(w).copy())
