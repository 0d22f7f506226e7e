"""The arguments of `ggn.narx`, checked and made into what is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.losses import Loss
from ggn.network import MLP
from ggn.recurrent.chosen_by_data import Given
from ggn.recurrent.lags import Lags
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.scaling import moments
from ggn.recurrent.series import Series
from ggn.validation import ArgumentError, count, describe, integer, items

__all__ = ["held_out", "network", "standard_units"]


def network(hidden: Any, activation: Any, n: int, outputs: int) -> MLP:
    """Return the network of lags."""
    if isinstance(hidden, (int, np.integer)) and not isinstance(hidden, bool):
        hidden = (integer("hidden", hidden, 0),) if hidden != 0 else ()
    given = items("hidden", hidden, "an integer or a sequence of them")
    widths = tuple(integer("hidden", h, 1) for h in given)
    return MLP((n, *widths, outputs), activation) if widths else MLP((n, outputs))


def standard_units(
    series: Series, lags: Lags, s: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return centre and size of each input of the network, centres of the targets, their size.

    What is fed back has those of its target; measured samples count as often as s (T,) says.
    """
    mu, su = moments(np.concatenate(series.U), s)
    my, deviations = moments(np.concatenate(series.Y), s)
    sy = float(np.sqrt(np.square(deviations).mean()))
    m = [my[o] for o, _ in lags.feeds] + [mu[c] for c, _ in lags.taps]
    sizes = [sy for _ in lags.feeds] + [su[c] for c, _ in lags.taps]
    return np.array(m), np.array(sizes), my, sy


def held_out(
    validation: Any,
    patience: int | None,
    series: Series,
    lags: Lags,
    net: MLP,
    loss: Loss,
    free_run: bool,
    way: Given,
    free_start: bool,
) -> LoopObjective | None:
    """Return the objective of the experiments held out, if there are any."""
    if validation is None:
        if patience is not None:
            raise ArgumentError(
                "patience",
                f"stops by series held out, but there is no validation, got {describe(patience)}",
            )
        return None
    if type(way) is not Given or free_start:
        raise ArgumentError(
            "validation",
            "must be left out where penalty, scale or starts are chosen by the fit, got "
            f"{describe(validation)}",
        )
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise ArgumentError("validation", f"must be (U, Y), got {describe(validation)}")
    try:
        held = Series(validation[0], validation[1], names=series.names)
        for name, got, wanted in (
            ("U", held.n_inputs, series.n_inputs),
            ("Y", held.n_outputs, series.n_outputs),
        ):
            if got != wanted:
                raise ArgumentError(name, f"must have {count(wanted, 'column')}, got {got}")
        Z, T, windows, _ = held.samples(lags)
    except ValueError as error:
        raise ArgumentError("validation", f"must be series as the fit's: {error}") from error
    recursion = Recursion([(net, 0)], lags.n, series.n_outputs, lags.feeds)
    return LoopObjective(recursion, net, Z, T, windows if free_run else windows.cut(1), loss)
