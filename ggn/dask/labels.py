"""Classes of a dask collection of labels: found in one pass, told apart chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import Client

from ggn.dask.parts import is_collection
from ggn.dask.waiting import result_of
from ggn.validation import ArgumentError, describe

__all__ = ["Encode", "labels_of"]

MOST = 1000


@dataclass(frozen=True)
class Encode:
    """Labels of a chunk as targets: 0 or 1 of two classes, else a column of 0 and 1 for each.

    Attributes
    ----------
    labels : ndarray, (n_classes,)
        Sorted.
    """

    labels: np.ndarray

    def __call__(self, y: Any) -> np.ndarray:
        given = np.asarray(y).reshape(-1)
        found = np.minimum(np.searchsorted(self.labels, given), len(self.labels) - 1)
        strange = np.flatnonzero(self.labels[found] != given)
        if strange.size:
            raise ArgumentError("Y", f"must have labels of the fit, got {given[strange[0]]!r}")
        if len(self.labels) == 2:
            return found[:, np.newaxis].astype(np.float64)
        return np.eye(len(self.labels))[found]


def labels_of(client: Client, y: Any) -> np.ndarray:
    """Return the labels of a collection y (T,), sorted.

    Raises
    ------
    ValueError
        For what is no collection of labels, one class only, missing labels, or labels of
        several kinds.
    """
    if not is_collection(y):
        raise ArgumentError("y", f"must be a dask array or series, got {type(y).__name__}")
    if y.ndim != 1 and y.shape[1] != 1:
        raise ArgumentError("y", f"must be one column of labels, got {y.ndim} dimensions")
    blocks = y.to_delayed(optimize_graph=False)
    blocks = list(blocks.ravel()) if isinstance(y, da.Array) else list(blocks)
    found = [dask.delayed(_unique, pure=False)(block) for block in blocks]
    kinds = result_of(client, client.compute(dask.delayed(_together)(found)))
    if len(kinds) < 2:
        raise ArgumentError("y", f"must have at least 2 classes, got {describe(kinds.tolist())}")
    labels: np.ndarray = kinds
    return labels


def _unique(block: Any) -> np.ndarray:
    values = np.asarray(block).reshape(-1)
    if values.dtype == object:
        missing = [x for x in values if x is None or x != x]
        if missing:
            raise ArgumentError("y", f"must have a label for every sample, got {missing[0]}")
        values = np.array(sorted(set(values.tolist())))
    elif values.dtype.kind == "f" and np.isnan(values).any():
        raise ArgumentError("y", "must have a label for every sample, got nan")
    unique = np.unique(values)
    if len(unique) > MOST:
        raise ArgumentError(
            "y", f"must hold labels of at most {MOST} classes, got {len(unique)} in one chunk"
        )
    return unique


def _together(found: list[np.ndarray]) -> np.ndarray:
    some = [labels for labels in found if labels.size]
    return np.unique(np.concatenate(some)) if some else np.empty(0)
