"""`ggn.linearize`: data, loss and weights in, everything known there out."""

from __future__ import annotations

from typing import Any

from ggn.linearization.linearization import Linearization
from ggn.linearization.objective import Objective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import integer

__all__ = ["linearize"]


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
) -> Linearization:
    """Linearise the network and loss at w.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
    l2 : float or array_like (N,), default 0.0
    sample_weight : array_like, (T,), optional
    chunk_size : int, optional
        Samples per sweep; by default chosen to fit the cache.

    Returns
    -------
    Linearization
        With .loss .gradient .jacobian() .normal_matrix() .kernel_matrix() .hessian().

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
    if chunk_size is not None:
        chunk_size = integer("chunk_size", chunk_size, 1)
    objective = Objective(net, X, Y, loss, sample_weight, l2, chunk_size)
    # what is computed later must not depend on what the caller does to the data in between
    objective.X, objective.Yt = objective.X.copy(), objective.Yt.copy()
    return Linearization(objective, net._weights(w).copy())
