"""Data sets and starts of many fits at once, each one array for all fits or a stack of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ggn._core.machine import FIT_BYTES, check_room
from ggn.fit.start import STARTS
from ggn.linearization import Objective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import ArgumentError, float_array, instance, integer, spelled

__all__ = ["Stack"]


class Stack:
    """Which data and which start each fit has."""

    def __init__(
        self, net: MLP, X: Any, Y: Any, sample_weight: Any, w0: Any, n_fits: int | None
    ) -> None:
        self.net = instance("net must be", net, MLP)
        self._X, self._Y = float_array("X", X, (1, 2, 3)), float_array("Y", Y, (1, 2, 3))
        T = self._X.shape[-2] if self._X.ndim > 1 else len(self._X)
        flat = self._Y.ndim == 2 and net.n_outputs == 1 and self._Y.shape[1] == T
        if flat and self._Y.shape != (T, 1):
            self._Y = self._Y[:, :, np.newaxis]
        self._s: Any = None
        self._w0: Any = None
        if sample_weight is not None:
            self._s = float_array("sample_weight", sample_weight, (1, 2))
        if isinstance(w0, str):
            self._w0 = spelled("w0", w0, STARTS)
        elif w0 is not None:
            self._w0 = float_array("w0", w0, (1, 2))
        stacks = {"X": (self._X, 3), "Y": (self._Y, 3), "sample_weight": (self._s, 2),
                  "w0": (self._w0, 2)}  # fmt: skip
        self._stacked = {
            name: len(array)
            for name, (array, ndim) in stacks.items()
            if isinstance(array, np.ndarray) and array.ndim == ndim
        }
        if n_fits is not None:
            self._stacked["n_fits"] = check_room("n_fits", integer("n_fits", n_fits, 1), FIT_BYTES)
        (name, self.size), *others = self._stacked.items() or [("n_fits", 1)]
        for other, size in others:
            if size != self.size:
                raise ArgumentError(
                    other, f"must say as many fits as {name}, {self.size}, got {size}"
                )
        if self.size == 0:
            raise ArgumentError(name, "must hold at least one fit, got 0")

    @property
    def one_data_set(self) -> bool:
        """Whether only starts differ."""
        return not self._stacked.keys() & {"X", "Y", "sample_weight"}

    def _of(self, name: str, array: Any, i: int) -> Any:
        return array[i] if name in self._stacked else array

    def start(self, i: int) -> Any:
        """Return w0 of fit i."""
        return self._of("w0", self._w0, i)

    def first(self, loss: Loss, l2: Any) -> Objective:
        """Return the first objective; the targets of all have been checked."""
        X, Y = self._of("X", self._X, 0), self._of("Y", self._Y, 0)
        made = Objective(self.net, X, Y, loss, self._of("sample_weight", self._s, 0), l2)
        if "Y" in self._stacked:
            try:
                loss.check_targets(self._Y.reshape(-1, self.net.n_outputs))
            except ValueError:
                for i, of_fit in enumerate(self._Y):  # whose they are
                    with _named(i):
                        loss.check_targets(of_fit.reshape(-1, self.net.n_outputs))
                raise
        return made

    def objective(self, first: Objective, i: int) -> Objective:
        """Return the objective of fit i."""
        if i == 0 or self.one_data_set:
            return first
        arrays = {"X": self._X, "Y": self._Y, "sample_weight": self._s}
        with _named(i):
            return first.twin(
                *(array[i] if name in self._stacked else None for name, array in arrays.items())
            )


@contextlib.contextmanager
def _named(i: int) -> Iterator[None]:
    """Return a context that says of an error in which fit it is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{error}, in fit {i}") from error
