"""Predictions of a model on dask collections: lazy, chunk by chunk, on any scheduler."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

from ggn.dask.parts import frame_columns, is_frame
from ggn.io import Model

__all__ = ["predicted"]


def predicted(model: Model, X: Any, what: str, flat: bool, labels: np.ndarray | None = None) -> Any:
    """Return what a model says of X, of the kind that X is.

    Parameters
    ----------
    model : Model
    X : dask array or data frame, or array_like
        With the columns of the fit, as its estimator has made sure.
    what : {"predict", "outputs", "probabilities", "classes"}
    flat : bool
        Whether as (T,).
    labels : ndarray, optional
        Of a classifier.
    """
    told = labels if what == "probabilities" else None
    columns = model.net.n_outputs if told is None else len(told)
    kind = labels.dtype if what == "classes" and labels is not None else np.dtype(np.float64)
    names = frame_columns(X)
    given = (what, flat, labels)
    if isinstance(X, da.Array):
        if X.ndim == 2 and X.numblocks[1] > 1:
            X = X.rechunk({1: -1})
        options: dict[str, Any] = {"chunks": (X.chunks[0], (columns,))}
        if flat:
            options = {"drop_axis": 1} if X.ndim == 2 else {}
        elif X.ndim == 1:
            options["new_axis"] = 1
        meta: Any = np.empty((0,) if flat else (0, 0), kind)
        return X.map_blocks(_of_block, model, *given, dtype=kind, meta=meta, **options)
    if is_frame(X):
        import pandas as pd

        empty = np.empty((0,) if flat else (0, columns), kind)
        targets = model.target_names if told is None else list(told)
        meta = pd.Series(empty) if flat else pd.DataFrame(empty, columns=targets)
        return X.map_partitions(_of_partition, model, *given, names, targets, meta=meta)
    return _of_block(np.asarray(X), model, *given)


def _of_block(X: Any, model: Model, what: str, flat: bool, labels: np.ndarray | None) -> np.ndarray:
    F, kinds = model.predict(X), model.classes
    if kinds is not None and what == "probabilities":
        F = kinds.probabilities(F)
    elif kinds is not None and labels is not None and what == "classes":
        return np.asarray(labels[kinds.indices(F)])
    return F.reshape(-1) if flat else F


def _of_partition(
    X: Any,
    model: Model,
    what: str,
    flat: bool,
    labels: np.ndarray | None,
    names: list[Any],
    targets: list[Any],
) -> Any:
    import pandas as pd

    F = _of_block(X[names].to_numpy(), model, what, flat, labels)
    if flat:
        return pd.Series(F, index=X.index)
    return pd.DataFrame(F, index=X.index, columns=targets)
