"""Classes of a dask collection of labels: found in one pass, told apart chunk by chunk."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, TypeVar

import dask
import dask.array as da
import numpy as np
from distributed import Client

from ggn.dask.parts import is_collection
from ggn.dask.waiting import result_of
from ggn.validation import ArgumentError, describe

__all__ = ["Encode", "labels_of"]

S = TypeVar("S", bound=Sized)
MOST = 1000
FAN = 32  # neighbours' labels that are put together at once
CONTINUOUS = (  # scikit-learn's sentence, without which clusters may be
    "Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects "
    "discrete classes on a regression target with continuous values."
)


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
        try:
            found = np.minimum(np.searchsorted(self.labels, given), len(self.labels) - 1)
            strange = given[self.labels[found] != given].tolist()
        except TypeError:  # words cannot be compared with numbers
            known = set(self.labels.tolist())
            strange = [label for label in given.tolist() if label not in known]
        if strange:
            raise ArgumentError("Y", f"must have labels of the fit, got {describe(strange[0])}")
        if len(self.labels) == 2:
            return found[:, np.newaxis].astype(np.float64)
        return np.eye(len(self.labels))[found]


def labels_of(client: Client, y: Any, continuous: bool = False) -> np.ndarray:
    """Return the labels of a collection y (T,), sorted.

    Chunks are looked through once, and of no number of chunks more than `MOST` labels are kept.

    Parameters
    ----------
    client : Client
    y : dask array or series
    continuous : bool, default False
        Whether numbers that are no integers may be labels.

    Raises
    ------
    ValueError
        For what is no collection of labels, one class only or more than `MOST`, missing labels,
        labels of several kinds, or targets of regression.
    """
    if not is_collection(y):
        raise ArgumentError("y", f"must be a dask array or series, got {type(y).__name__}")
    if y.ndim != 1 and y.shape[1] != 1:
        raise ArgumentError("y", f"must be one column of labels, got {y.ndim} dimensions")
    blocks = y.to_delayed(optimize_graph=False)
    blocks = list(blocks.ravel()) if isinstance(y, da.Array) else list(blocks)
    found = [dask.delayed(_unique, pure=False)(block, continuous) for block in blocks]
    while len(found) > 1:
        found = [
            dask.delayed(_together, pure=False)(found[i : i + FAN])
            for i in range(0, len(found), FAN)
        ]
    kinds = result_of(client, client.compute(found[0]))
    if len(kinds) < 2:
        raise ArgumentError("y", f"must have at least 2 classes, got {describe(kinds.tolist())}")
    labels: np.ndarray = kinds
    return labels


def _unique(block: Any, continuous: bool) -> np.ndarray:
    values = np.asarray(block).reshape(-1)
    if values.dtype == object:
        missing = [x for x in values if x is None or type(x).__name__ == "NAType" or x != x]
        if missing:
            raise ArgumentError("y", f"must have a label for every sample, got {missing[0]}")
        different = _bounded(list(set(values.tolist())))
        values = _together([np.array([x]) for x in different])
    elif values.dtype.kind == "f" and not np.isfinite(values).all():
        strange = values[~np.isfinite(values)][0]
        raise ArgumentError("y", f"must have a label for every sample, got {strange}")
    unique: np.ndarray = np.unique(values)
    if unique.dtype.kind == "f" and not continuous and (unique % 1.0 != 0.0).any():
        raise ValueError(CONTINUOUS)
    return _bounded(unique)


def _together(found: list[np.ndarray]) -> np.ndarray:
    """Return the labels of neighbours, sorted; numbers beside words NumPy would make words."""
    some = [labels for labels in found if labels.size]
    kinds = {labels.dtype.type for labels in some}
    try:
        if len({issubclass(kind, str) for kind in kinds}) > 1:
            raise TypeError("words and numbers have no order")
        labels: np.ndarray = np.unique(np.concatenate(some)) if some else np.empty(0)
    except TypeError as error:
        said = sorted({kind.__name__.rstrip("_0123456789") for kind in kinds})
        raise ArgumentError("y", f"must have labels of one kind, got {' and '.join(said)}") from (
            error
        )
    return _bounded(labels)


def _bounded(labels: S) -> S:
    if len(labels) > MOST:
        raise ArgumentError("y", f"must hold labels of at most {MOST} classes, got more")
    return labels
