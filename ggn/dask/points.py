"""What is known at one w of samples on a cluster: loss, gradient, curvature, and what it says."""

from __future__ import annotations

from typing import Any

from distributed import Client

from ggn.dask.parts import current, form_of
from ggn.dask.sums import DaskSource
from ggn.linearization import linearize as linearize_here
from ggn.linearization.summed import SummedLinearization
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface import Diagnosis
from ggn.surface import diagnose as diagnose_here
from ggn.validation import ArgumentError

__all__ = ["diagnose", "linearize"]


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
    return linearize_here(net, w, source, None, loss, l2=l2)


def _source(client: Client | None, net: MLP, X: Any, Y: Any, sample_weight: Any) -> DaskSource:
    if not isinstance(net, MLP):
        raise ArgumentError("net", f"must be an MLP, got {type(net).__name__}")
    form = form_of(X, Y, net.n_inputs, net.n_outputs)
    return DaskSource.of(current(client), X, Y, sample_weight, form)


def diagnose(
    client: Client | None,
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis:
    """Say what w is, by what are sums over samples that are on a cluster.

    As `ggn.diagnose` does of `ggn.Chunks`; the report says what was not looked at.

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
    max_memory : float, optional
        Of this process, see `ggn.diagnose`.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        As `linearize` does.

    Examples
    --------
    >>> import dask.array as da, ggn, ggn.dask
    >>> from distributed import Client
    >>> net, X = ggn.MLP((1, 1, 1), "identity", bias=False), da.linspace(1, 2, 10, chunks=5)
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     ggn.dask.diagnose(client, net, [0.0, 0.0], X[:, None], X).verdict.value
    'strict saddle'
    """
    source = _source(client, net, X, Y, sample_weight)
    try:
        return diagnose_here(net, w, source, None, loss, l2=l2, max_memory=max_memory)
    finally:
        source.close()
