"""`ggn.dask.train`: the training loop of `ggn.train` runs here, its sums on the cluster.

An iteration is a graph for the normal matrix and the gradient, one for the acceleration, one for
each trial and one where its output layer is solved again; the factorisation is done here.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from distributed import Client

from ggn.damping import Damping
from ggn.dask.chunk import Form
from ggn.dask.divide import division, is_number
from ggn.dask.parts import current, form_of, n_chunks
from ggn.dask.sums import DaskSource
from ggn.dask.together import in_turn_of_threads, run_together
from ggn.dask.waiting import ClusterError, Stop
from ggn.fit.limits import Callback
from ggn.fit.restarts import Restarts, run_restarts
from ggn.fit.result import TrainResult
from ggn.fit.start import DEFAULT, STARTS, as_in_fit
from ggn.fit.train import train as train_here
from ggn.losses import Loss
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import ArgumentError, describe, integer, spelled

__all__ = ["train", "train_restarts"]


def train(
    client: Client | None,
    net: MLP,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    w0: Any = None,
    step: str | Step = "auto",
    damping: str | Damping = "levenberg_marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 1000,
    tol: float = 1e-12,
    l2: Any = 0.0,
    sample_weight: Any = None,
    callback: Callback | None = None,
    loss_target: float | None = None,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    escape_saddles: bool = False,
    curvature: str | None = None,
    validation: Any = None,
    test: Any = None,
    patience: int | None = None,
    split_seed: int = 0,
) -> TrainResult:
    """Minimise J(w) = mean loss + l2·‖w‖² over samples that are on a Dask cluster.

    What `ggn.train` does with all samples in memory, to rounding: the same arguments, statuses,
    history and rules.  Results depend, to the last bit, on how the samples are cut into chunks,
    but not on the number of workers, nor on which of them do what, or die.

    Parameters
    ----------
    client : distributed.Client or None
        None for the current one.
    net : MLP
    X : dask array or data frame, (T, n0)
        Cut along samples only; of a data frame, columns are found by name in every partition.
        What has been persisted stays where it is; what has not is computed once, and kept for
        as long as the fit takes.
    Y : dask array, data frame or series, (T, nL) or (T,)
        With as many rows as X.  Where sizes of chunks are not known there must be as many chunks.
    loss, w0, step, damping, rng, max_iter, tol, l2
        As for `ggn.train`.  Steps that need P itself, "dual" and "minimum_norm", cannot be had.
    sample_weight : dask array or series, (T,), optional
    callback, loss_target, max_seconds, max_memory, escape_saddles, curvature
        As for `ggn.train`; max_memory is this process's.
    validation : tuple, float or sequence of int, optional
        (X, Y) or (X, Y, sample_weight), dask collections held out; or the fraction of every
        chunk of X to hold out, drawn at random; or the numbers of whole chunks.
    test : tuple, optional
        (X, Y) or (X, Y, sample_weight), whose losses are only recorded.
    patience : int, optional
        As for `ggn.train`.
    split_seed : int, default 0
        Of the draw of a fraction.

    Returns
    -------
    TrainResult
        As of `ggn.train`.  Where the cluster is lost after the first step, `Status.LOST`, with
        the last accepted weights and a message that says why.

    Raises
    ------
    ValueError
        As `ggn.train` does; samples that cannot be used are named by chunk and row.
    ggn.dask.ClusterError
        If the cluster is lost before a step was taken.

    Notes
    -----
    A worker that dies is no fault: what it had is computed again elsewhere, and the result is the
    same to the last bit.  Data put on workers by ``client.scatter`` cannot be computed again.
    A cluster without a running worker, or a scheduler that is gone, is given up after a minute;
    ``dask.config.set({"ggn.patience": seconds})`` says otherwise.

    Ctrl-C ends the run with the last accepted weights and Status.INTERRUPTED; the tasks are
    cancelled.

    Examples
    --------
    >>> import dask.array as da, ggn, ggn.dask
    >>> from distributed import Client
    >>> x = da.linspace(-1, 1, 400, chunks=100)
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     fit = ggn.dask.train(client, ggn.MLP((1, 8, 1)), x[:, None], da.sin(3 * x), max_iter=20)
    >>> bool(fit.fun < 1e-8)
    True
    """
    client = current(client)
    options = {
        "w0": w0, "step": step, "damping": damping, "rng": rng, "max_iter": max_iter, "tol": tol,
        "l2": l2, "callback": callback, "loss_target": loss_target, "max_seconds": max_seconds,
        "max_memory": max_memory, "escape_saddles": escape_saddles, "curvature": curvature,
        "patience": patience,
    }  # fmt: skip
    X, Y = as_in_fit(w0, X, Y)
    with sources(client, net, (X, Y, sample_weight), validation, test, split_seed) as found:
        source, held, tested = found
        return train_here(net, source, None, loss, validation=held, test=tested, **options)


def train_restarts(
    client: Client | None,
    net: MLP,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    rng: int | np.random.Generator | None = 0,
    sample_weight: Any = None,
    n_restarts: int = 10,
    n_jobs: int | None = None,
    scheme: str = DEFAULT,
    validation: Any = None,
    split_seed: int = 0,
    **options: Any,
) -> Restarts:
    """Train from several random initial weights, several runs at once on the same chunks.

    While one run factors its matrix here, or waits for the scheduler, the workers sum for others.

    Parameters
    ----------
    client : distributed.Client or None
    net : MLP
    X, Y : dask collections
    loss : str or Loss, default "squared"
    rng : int, Generator or None, default 0
        Where the runs' random streams come from.
    sample_weight : dask array or series, (T,), optional
    n_restarts : int, default 10
    n_jobs : int, optional
        Runs at once; by default so many as keep the workers busy, but no more than fit in
        max_memory with 2.5 N² doubles each.  The results do not depend on it.
    scheme : {"nguyen_widrow", "normal", "uniform", "fan_in"}, default "nguyen_widrow"
    validation, split_seed
        As for `train`.
    **options
        For `train`.

    Returns
    -------
    Restarts
        As of `ggn.train_restarts`.

    Raises
    ------
    ValueError, ggn.dask.ClusterError
        As `train` does.

    Notes
    -----
    The callback is called for all runs, by one at a time.  Ctrl-C ends those under way, each with
    its last accepted weights and Status.INTERRUPTED, and returns them with those that were done;
    so does a cluster that is lost, with Status.LOST.

    Examples
    --------
    >>> import dask.array as da, ggn, ggn.dask
    >>> from distributed import Client
    >>> X, Y = (da.from_array(A, chunks=2) for A in ggn.problems.xor())
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     net, options = ggn.MLP((2, 2, 1)), {"n_restarts": 2, "max_iter": 5}
    ...     found = ggn.dask.train_restarts(client, net, X, Y, **options)
    >>> len(found.losses)
    2
    """
    if "w0" in options:
        raise ArgumentError("w0", f"must be left out: runs draw it; got {describe(options['w0'])}")
    scheme = spelled("scheme", scheme, STARTS)
    options["callback"] = in_turn_of_threads(options.get("callback"))
    with sources(current(client), net, (X, Y, sample_weight), validation, None, split_seed) as of:
        source, held, _ = of
        run = functools.partial(_run, net, source, loss, held, scheme, options)
        own = [one for one in (source, held) if one is not None]
        together = functools.partial(
            run_together, own, net.n_weights, n_jobs, options.get("max_memory")
        )
        return Restarts(tuple(run_restarts(run, n_restarts, rng, together=together)))


def _run(
    net: MLP,
    source: DaskSource,
    loss: str | Loss,
    held: DaskSource | None,
    scheme: str,
    options: dict[str, Any],
    rng: np.random.Generator,
) -> TrainResult:
    return train_here(net, source, None, loss, w0=scheme, rng=rng, validation=held, **options)


@contextlib.contextmanager
def sources(
    client: Client,
    net: MLP,
    given: tuple[Any, ...],
    validation: Any,
    test: Any,
    seed: int,
    encode: Any = None,
) -> Iterator[tuple[DaskSource, DaskSource | None, DaskSource | None]]:
    """Return a context with the samples to train on, to validate and to test with, if any.

    When it ends, the cluster may forget what it kept for it.
    """
    if not isinstance(net, MLP):
        raise ArgumentError("net", f"must be an MLP, got {type(net).__name__}")
    parts: Any = (None, None)
    aside = isinstance(validation, tuple) and not all(map(is_number, validation))
    if validation is not None and not aside:
        form_of(given[0], given[1], net.n_inputs, net.n_outputs, encode)  # X has chunks
        parts = division(validation, integer("split_seed", seed, 0), n_chunks(given[0]))
    stop = Stop()  # one, for Ctrl-C is meant for all
    forms: dict[str, Form] = {}
    with contextlib.ExitStack() as kept:

        def source(name: str, data: Any, part: Any = None) -> DaskSource:
            if not isinstance(data, tuple) or len(data) not in (2, 3):
                raise ArgumentError(
                    name, f"must be (X, Y) or (X, Y, sample_weight), got {describe(data)}"
                )
            X, Y, s = (*data, None)[:3]
            form = form_of(X, Y, net.n_inputs, net.n_outputs, encode, part, forms.get("X"))
            forms[name] = form
            try:
                made = DaskSource.of(client, X, Y, s, form)
            except ClusterError:
                raise
            except ValueError as error:
                if data is given:
                    raise
                raise ValueError(f"{name} must be samples as the fit's: {error}") from error
            kept.callback(made.close)
            made.stop = stop
            return made

        fitted = source("X", given, parts[0])
        held = tested = None
        if validation is not None:
            held = source("validation", validation if aside else given, parts[1])
        if test is not None:
            tested = source("test", test)
        yield fitted, held, tested
