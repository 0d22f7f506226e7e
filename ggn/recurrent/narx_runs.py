"""The runs of a model of lags: free, or so many samples ahead of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn._core.machine import check_room
from ggn.io.columns import by_name
from ggn.network import MLP
from ggn.recurrent.lags import Lags
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.series import Named, Series, dimensions, lone
from ggn.recurrent.sweeps import Sweeps
from ggn.recurrent.windows import Windows
from ggn.validation import ArgumentError, integer

__all__ = ["LoopRuns"]

ROWS = 200_000  # samples of the runs that `predict` makes at a time


class LoopRuns:
    """What has a network of lags, its weights w (N,), and flat: whether outputs had no columns."""

    net: MLP
    w: np.ndarray
    lags: Lags
    flat: bool

    @property
    def named(self) -> Named:
        """Names of inputs and outputs, by which columns of data frames are taken."""
        return getattr(self, "input_names", ()), getattr(self, "target_names", ())

    @property
    def recursion(self) -> Recursion:
        """The network in its loop."""
        return Recursion([(self.net, 0)], self.lags.n, self.net.n_outputs, self.lags.feeds)

    def simulate(self, U: Any, y0: Any) -> Any:
        """Return the outputs of a free run: the model's own, from a few measured ones.

        Parameters
        ----------
        U : array_like (T,) or (T, n_u), or int
            Inputs, from the first sample of y0 on; for a model without inputs how many samples
            to return.  A list of series, with a list for y0, gives a list.
        y0 : array_like (p,) or (p, n_y)
            The outputs before the run, p >= `lags.depth`; more of them are not looked at.

        Returns
        -------
        ndarray, (T,) or (T, n_y)
            The first `lags.depth` are y0's.

        Raises
        ------
        ValueError
            For wrong shapes, numbers that are not finite, or too few of y0.
        """
        if isinstance(U, (list, tuple)) and any(dimensions(x) != 0 for x in U):
            if not isinstance(y0, (list, tuple)) or len(y0) != len(U):
                raise ArgumentError("y0", f"must be a list of {len(U)} starts, as U is of series")
            return [self.simulate(x, y) for x, y in zip(U, y0, strict=True)]
        Z, start, T = self._lone(U, y0)
        out = np.full((T, self.net.n_outputs), np.nan)
        out[: self.lags.depth] = start
        if len(Z):
            sweeps = Sweeps(self.recursion, Z, Windows([len(Z)]))
            fine = sweeps.simulate(self.w)
            out[self.lags.depth :] = sweeps.O
            if not fine:
                _after_the_first(out)
        return out[:, 0] if self.flat else out

    def _lone(self, U: Any, y0: Any) -> tuple[np.ndarray, np.ndarray, int]:
        """Return z with what precedes the run, the outputs before it, and how many samples."""
        p, outputs, inputs = self.lags.depth, self.net.n_outputs, len(self.lags.inputs)
        start = np.empty((0, outputs)) if p == 0 else _columns("y0", y0, outputs, self.named[1])
        if len(start) < p:
            raise ArgumentError(
                "y0", f"must have {p} samples, as many as the largest lag, got {len(start)}"
            )
        missing = np.flatnonzero(np.isnan(start[:p]).any(axis=1))
        if len(missing):
            raise ArgumentError(
                "y0", f"must be finite where the run begins, got NaN at sample {missing[0]}"
            )
        if inputs:
            given = _columns("U", U, inputs, self.named[0])
        else:
            each = 8.0 * (self.lags.n + 2 * outputs)
            given = np.empty((check_room("U", integer("U", U, 0), each), 0))
        if len(given) < p:
            raise ArgumentError(
                "U", f"must have at least {p} samples, the largest lag, got {len(given)}"
            )
        if not np.isfinite(given).all():
            raise ArgumentError("U", "must be finite where the model is simulated, got NaN")
        Y = np.zeros((len(given), outputs))
        Y[:p] = start[:p]
        return self.lags.matrix(given, Y), start[:p], len(given)

    def predict(self, U: Any, Y: Any = None, horizon: int | None = 1) -> Any:
        """Return what was predicted of each sample from those measured `horizon` before.

        Parameters
        ----------
        U : array_like (T,) or (T, n_u), a list of these, or None
        Y : array_like (T,) or (T, n_y), or a list of these
            Measured outputs; NaN is a missing sample.
        horizon : int or None, default 1
            Steps ahead; None: the free run from the beginning of each window.

        Returns
        -------
        ndarray, (T,) or (T, n_y), or a list of these
            NaN where there is nothing to predict from.
        """
        series = Series(U, Y, names=self.named)
        self._same(series)
        Z, _, windows, places = series.samples(self.lags)
        if horizon is None:
            sweeps = Sweeps(self.recursion, Z, windows)
            sweeps.simulate(self.w)
            found = sweeps.O
        else:
            found = self._ahead(Z, windows, integer("horizon", horizon, 1))
        out, first = [], 0
        for y, place in zip(series.Y, places, strict=True):
            own = np.full(y.shape, np.nan)
            own[place] = found[first : first + len(place)]
            first += len(place)
            out.append(own[:, 0] if series.flat else own)
        return out if series.several else out[0]

    def _ahead(self, Z: np.ndarray, windows: Windows, h: int) -> np.ndarray:
        """Return the outputs of runs of h samples, at the last of each; NaN before the first."""
        out = np.full((len(Z), self.net.n_outputs), np.nan)
        if h == 1:
            out[:] = self.net.forward(self.w, Z)
            return out
        left = windows.length[windows.window] - windows.age
        starts = np.flatnonzero(left >= h)
        for some in np.array_split(starts, max(-(-len(starts) * h // ROWS), 1)):
            if not len(some):
                continue
            rows = (some[:, np.newaxis] + np.arange(h)).ravel()
            sweeps = Sweeps(self.recursion, Z[rows], Windows(np.full(len(some), h)))
            sweeps.simulate(self.w)
            out[some + h - 1] = sweeps.O[h - 1 :: h]
        return out

    def _same(self, series: Series) -> None:
        """Refuse series of other columns than were trained on."""
        for name, got, wanted in (
            ("U", series.n_inputs, len(self.lags.inputs)),
            ("Y", series.n_outputs, self.net.n_outputs),
        ):
            if got != wanted:
                raise ArgumentError(name, f"must have {wanted} columns, as trained on, got {got}")


def _columns(name: str, value: Any, columns: int, names: Sequence[str]) -> np.ndarray:
    """Return one series (T, columns)."""
    found, _ = lone(name, by_name(value, names, name))
    if found.shape[1] != columns:
        raise ArgumentError(name, f"must have {columns} columns, got {found.shape[1]}")
    return found


def _after_the_first(out: np.ndarray) -> None:
    """Make NaN of all samples from the first that is not finite on."""
    bad = np.flatnonzero(~np.isfinite(out).all(axis=1))
    if len(bad):
        out[bad[0] :] = np.nan
