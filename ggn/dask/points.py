"""What is known at one w of samples on a cluster: loss, gradient, curvature, and what it says."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, overload

from distributed import Client

from ggn.dask.labels import Encode
from ggn.dask.parts import current, form_of
from ggn.dask.sums import DaskSource
from ggn.fit.fitted import Fitted, as_model, is_fitted, words_of
from ggn.fit.mixture import trained
from ggn.fit.of_sums import SampleUnits
from ggn.fit.result import TrainResult
from ggn.io import Model
from ggn.io.columns import by_name
from ggn.io.scaling import linear_units
from ggn.linearization import SummedObjective
from ggn.linearization import linearize as linearize_here
from ggn.linearization.summed import SummedLinearization
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface import Diagnosis
from ggn.surface import diagnose as diagnose_here
from ggn.surface.ending import ended
from ggn.validation import ArgumentError, describe

__all__ = ["diagnose", "linearize"]


def linearize(
    client: Client | None,
    net: MLP,
    w: Any,
    X: Any,
    Y: Any = None,
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


def _source(
    client: Client | None, net: MLP, X: Any, Y: Any, sample_weight: Any, encode: Any = None
) -> DaskSource:
    client = current(client)
    if not isinstance(net, MLP):
        raise ArgumentError("net", f"must be an MLP, got {type(net).__name__}")
    form = form_of(X, Y, net.n_inputs, net.n_outputs, encode)
    return DaskSource.of(client, X, Y, sample_weight, form)


def _takes_fits(diagnose: Callable[..., Diagnosis]) -> Callable[..., Diagnosis]:
    """Let diagnose(client, net, w, X, Y, ...) be called as diagnose(client, fit, X, Y, ...) too."""

    @functools.wraps(diagnose)
    def call(client: Client | None, *data: Any, **options: Any) -> Diagnosis:
        client = current(client)
        # three arguments without a network are meant as (fit, X, Y), whatever the first is
        meant = len(data) == 3 and not isinstance(data[0], MLP)
        if data and (is_fitted(data[0]) or meant):
            return _of_fit(client, *data, **options)
        return diagnose(client, *data, **options)

    return call


def _of_fit(
    client: Client | None,
    fit: Fitted,
    X: Any,
    Y: Any,
    loss: str | Loss | None = None,
    *,
    l2: Any = None,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis:
    """Diagnose the weights of a fit on samples in its units, and with its loss and penalty."""
    if isinstance(fit, TrainResult) and fit.diagnoses_itself:
        raise ArgumentError("fit", f"must be one to samples, got {describe(fit)}, to series")
    model = as_model(fit, "fit")
    whole = fit if isinstance(fit, TrainResult) else getattr(fit, "result_", None)
    if whole is not None and trained(whole) is not whole:
        model = as_model(trained(whole))  # a mixture's best member
    labels = None if getattr(fit, "_several", False) else getattr(fit, "classes_", None)
    encode = None if labels is None else Encode(labels)
    with contextlib.ExitStack() as kept:

        def closed_later(source: DaskSource) -> DaskSource:
            kept.callback(source.close)
            return source

        named = by_name(X, model.input_names)
        source = closed_later(_source(client, model.net, named, Y, sample_weight, encode))
        scaling = linear_units(model, "fit")
        if any((one != plain).any() for one, plain in zip(scaling, (0, 1, 0, 1), strict=True)):
            sizes = SummedObjective(model.net, source, model.loss or "squared").columns(
                targets=False, shift=True, robust=False
            )[1]
            scaled = closed_later(source.in_units(SampleUnits(*scaling, sizes == 0.0)))
            source.close()
            source = scaled
        inside = Model(model.net, model.w, loss=model.loss, l2=model.l2)
        found = diagnose_here(inside, source, loss=loss, l2=l2, max_memory=max_memory)
    found = replace(found, suggestion=replace(found.suggestion, words=words_of(fit)))
    return found if whole is None else ended(found, whole)


_of_fit.__qualname__ = "diagnose"  # what Python's errors call it, for an unknown option too


@overload
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
) -> Diagnosis: ...
@overload
def diagnose(
    client: Client | None,
    fit: Fitted,
    X: Any,
    Y: Any,
    loss: str | Loss | None = None,
    *,
    l2: Any = None,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis: ...
@_takes_fits
def diagnose(
    client: Client | None,
    net: MLP,
    w: Any,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis:
    """Say what w is, by what are sums over samples that are on a cluster.

    As `ggn.diagnose` does of `ggn.Chunks`; the report says what was not looked at.  Called as
    ``diagnose(client, fit, X, Y)`` too, with a TrainResult, a Model or an estimator, of
    `ggn.dask` or not, and the data in their own units: a classifier's Y are the labels.

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
