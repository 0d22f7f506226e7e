"""What estimators and the command line do with a cluster: samples in, a `ggn.Model` out."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from distributed import Client

from ggn.dask.together import in_turn_of_threads, run_together
from ggn.dask.training import sources
from ggn.fit.of_sums import Fitted, Wanted, fit_of_sums, units_of

__all__ = ["fit_model"]


def fit_model(
    client: Client,
    wanted: Wanted,
    X: Any,
    Y: Any,
    sample_weight: Any = None,
    *,
    held: float = 0.0,
    encode: Any = None,
    measure: bool = False,
) -> Fitted:
    """Train on dask collections.

    Parameters
    ----------
    client, wanted, X, Y, sample_weight
    held : float, default 0.0
        The fraction of samples held out, 0 for none.
    encode : callable, optional
        Makes targets of labels.
    measure : bool, default False
        Whether the errors of each part are asked for, for a graph or two more.
    """
    net, given = wanted.net, (X, Y, sample_weight)
    with sources(client, net, given, held or None, None, wanted.seed, encode) as found:
        units = units_of(wanted, found[0])
        parts = dict(zip(("train", "validation"), found[:2], strict=True))
        own = {k: part.in_units(units) for k, part in parts.items() if part is not None}
        for part in found:
            if part is not None:
                part.close()
        together = functools.partial(
            run_together, list(own.values()), net.n_weights, None, wanted.options.get("max_memory")
        )
        call = in_turn_of_threads(wanted.options.get("callback"))
        wanted = replace(wanted, options={**wanted.options, "callback": call})
        try:
            return fit_of_sums(wanted, own, units, measure, together)
        finally:
            for part in own.values():
                part.close()
