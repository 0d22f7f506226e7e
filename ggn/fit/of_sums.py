"""Samples that come in parts made a `ggn.Model`: units by sums, training in them, its errors.

    J(w) = Σ s_i E(φ_L(w, x_i), y_i) / Σ s_i + alpha ‖w‖²,    w without the biases,

in units that one pass over the samples finds; whoever has the parts puts them into these units.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ggn.activations import Identity
from ggn.fit.penalty import without_biases
from ggn.fit.restarts import Restarts, run_restarts
from ggn.fit.result import TrainResult
from ggn.fit.start import DEFAULT, draw
from ggn.fit.train import train
from ggn.io import Model
from ggn.io.classes import Classes
from ggn.linearization import Objective, Source, SourceError, SummedObjective
from ggn.losses import FOR_REGRESSION, Loss
from ggn.network import MLP

__all__ = ["Errors", "Fitted", "SampleUnits", "Wanted", "fit_of_sums", "units_of"]


@dataclass(frozen=True)
class Wanted:
    """What is to be trained, and how.

    Attributes
    ----------
    net : MLP
    loss : Loss
    alpha : float
    scaled : bool
        Whether inputs, and targets that outputs are to meet, are standardised.
    seed : int
        Of initial weights.
    n_restarts : int
    patience : int or None
        Stop by samples held out, with so many steps of patience; None only measures them.
    options : dict
        For `ggn.train`; max_seconds is of all runs together.
    scheme : str
        Of the initial weights.
    classes : Classes, optional
    names : tuple of two sequences of str, optional
        Of inputs and targets.
    in_units : callable, optional
        The loss for targets of these sizes, (nL,): that whose scale is in the targets' own unit.
    robust_inputs : bool, default False
        Whether a robust loss has inputs in robust units, too.
    as_estimators : bool, default False
        Whether runs start as those of estimators in memory do: a single one, too, from a stream
        of its own, and from weights that are drawn before, so that means of inputs stay.
    """

    net: MLP
    loss: Loss
    alpha: float
    scaled: bool
    seed: int
    n_restarts: int
    patience: int | None
    options: dict[str, Any]
    scheme: str = DEFAULT
    classes: Classes | None = None
    names: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None)
    in_units: Callable[[np.ndarray], Loss] | None = None
    robust_inputs: bool = False
    as_estimators: bool = False


class SampleUnits(NamedTuple):
    """What (X - x_mean) / x_scale and (Y - y_mean) / y_scale are, and which inputs never vary."""

    x_mean: np.ndarray
    x_scale: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray
    constant: np.ndarray

    def scaled(self, X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return samples in these units."""
        Z = (X - self.x_mean) / self.x_scale
        Z[:, self.constant] = 0.0  # not their rounding
        return Z, (Y - self.y_mean) / self.y_scale


@dataclass(frozen=True)
class Errors:
    """Of one part of the samples, in the units that it was trained in, per output.

    Attributes
    ----------
    n : int
    mean_square : ndarray, (nL,)
    variance : ndarray, (nL,)
        Of the targets.
    loss : float
        Without the penalty.
    """

    n: int
    mean_square: np.ndarray
    variance: np.ndarray
    loss: float


@dataclass(frozen=True)
class Fitted:
    """A fit, the model that it makes and the errors of each part."""

    model: Model
    best: TrainResult
    restarts: Restarts
    errors: dict[str, Errors] = field(default_factory=dict)


def units_of(wanted: Wanted, source: Source) -> SampleUnits:
    """Return the units to train in, by a pass over the samples; medians take ten more."""
    net, loss = wanted.net, wanted.loss
    objective, robust = SummedObjective(net, source, loss), loss.scale is not None
    x_mean, x_scale = objective.columns(
        targets=False, shift=True, robust=robust and wanted.robust_inputs
    )
    constant = x_scale == 0.0
    y_mean, y_scale = np.zeros(net.n_outputs), np.ones(net.n_outputs)
    if not wanted.scaled:
        return SampleUnits(np.zeros_like(x_mean), np.ones_like(x_scale), y_mean, y_scale, constant)
    if net.activations[-1] == Identity() and type(loss) in FOR_REGRESSION.values():
        y_mean, y_scale = objective.columns(targets=True, shift=True, robust=robust)
    return SampleUnits(x_mean, _or_one(x_scale), y_mean, _or_one(y_scale), constant)


def _or_one(size: np.ndarray) -> np.ndarray:
    return np.where(size > 0.0, size, 1.0)


def fit_of_sums(
    wanted: Wanted,
    parts: dict[str, Any],
    units: SampleUnits,
    measure: bool = False,
    together: Callable[..., Any] | None = None,
) -> Fitted:
    """Train on parts["train"], a source in these units.

    Parameters
    ----------
    wanted : Wanted
    parts : dict of str to Source
        "train", and "validation" and others where there are any.
    units : SampleUnits
    measure : bool
        Whether the errors of each part are asked for, a pass or two more; there are none of those
        that are lost by then.
    together : callable, optional
        As `ggn.fit.restarts.run_restarts` takes it.
    """
    net, held = wanted.net, parts.get("validation")
    loss = wanted.loss if wanted.in_units is None else wanted.in_units(units.y_scale)
    stops = {} if wanted.patience is None else {"validation": held, "patience": wanted.patience}
    options = {**wanted.options, **stops, "l2": without_biases(net, wanted.alpha)}
    ends = time.perf_counter() + options.pop("max_seconds", math.inf)

    def varied(w: np.ndarray) -> np.ndarray:
        """Return w without what acts on inputs of which nothing is known."""
        Ws = [W.copy() for W in net.unpack(w)]
        Ws[0][: net.n_inputs][units.constant] = 0.0
        return net.pack(Ws)

    def run(stream: np.random.Generator) -> TrainResult:
        left = max(ends - time.perf_counter(), 0.0)
        w0: Any = wanted.scheme
        if wanted.as_estimators or units.constant.any():
            w0 = varied(draw(SummedObjective(net, parts["train"], loss), stream, wanted.scheme))
        return train(
            net, parts["train"], None, loss, w0=w0, rng=stream, max_seconds=left, **options
        )

    rng = np.random.default_rng(wanted.seed)
    if wanted.n_restarts > 1:
        runs = run_restarts(run, wanted.n_restarts, rng, 1, together)
    else:
        runs = [run(rng.spawn(1)[0] if wanted.as_estimators else rng)]
    restarts = Restarts(tuple(runs))
    best = restarts.best
    model = Model(
        net, varied(best.w), *wanted.names, *units[:4], loss, options["l2"],
        classes=wanted.classes,
    )  # fmt: skip
    best.model = model
    found: dict[str, Errors] = {}
    with contextlib.suppress(SourceError):  # what was trained is not lost with the samples
        for name in parts if measure else ():
            found[name] = _errors(net, parts[name], loss, best.w)
    return Fitted(model, best, restarts, found)


def _errors(net: MLP, source: Source, loss: Loss, w: np.ndarray) -> Errors:
    objective = SummedObjective(net, source, loss)
    J, squares = objective.total(_sums, w)
    deviation = source.summary.Y.deviation
    return Errors(objective.T, squares, np.square(deviation), J)


def _sums(objective: Objective, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Return Σ c E and Σ c (φ_L - y)², (nL,), of a chunk."""
    J, squares = 0.0, np.zeros(objective.net.n_outputs)
    for rows, F in objective.outputs(w):
        J += objective.sum_loss(F, rows)
        squares += np.square(F - objective.Yt[:, rows]) @ objective.c.array[rows]
    return J, squares
