"""What estimators and the command line do with a cluster: samples in, a `ggn.Model` out.

    J(w) = Σ s_i E(φ_L(w, x_i), y_i) / Σ s_i + alpha ‖w‖²,    w without the biases,

in units that one pass over the samples finds.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from distributed import Client

from ggn.activations import Identity
from ggn.dask.chunk import Units
from ggn.dask.sums import DaskSource
from ggn.dask.together import in_turn_of_threads, run_together
from ggn.dask.training import sources
from ggn.fit.penalty import without_biases
from ggn.fit.restarts import Restarts, run_restarts
from ggn.fit.result import TrainResult
from ggn.fit.start import DEFAULT
from ggn.fit.train import train
from ggn.io import Model
from ggn.io.classes import Classes
from ggn.linearization import Objective, SummedObjective
from ggn.losses import FOR_REGRESSION, Loss
from ggn.network import MLP

__all__ = ["Errors", "Fitted", "Wanted", "fit_model"]


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
        Of initial weights and of the draw of samples held out.
    n_restarts : int
    held : float
        The fraction of samples held out, 0 for none.
    patience : int or None
        Stop by them, with so many steps of patience; None only measures them.
    options : dict
        For `ggn.train`.
    scheme : str
        Of the initial weights.
    encode : callable, optional
        Makes targets of labels.
    classes : Classes, optional
    names : tuple of two lists of str, optional
        Of inputs and targets.
    """

    net: MLP
    loss: Loss
    alpha: float
    scaled: bool
    seed: int
    n_restarts: int
    held: float
    patience: int | None
    options: dict[str, Any]
    scheme: str = DEFAULT
    encode: Callable[[Any], Any] | None = None
    classes: Classes | None = None
    names: tuple[list[str] | None, list[str] | None] = (None, None)


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


def fit_model(
    client: Client,
    wanted: Wanted,
    X: Any,
    Y: Any,
    sample_weight: Any = None,
    measure: bool = False,
) -> Fitted:
    """Train on dask collections; `measure` adds the errors, for a graph or two more."""
    net, given, held = wanted.net, (X, Y, sample_weight), wanted.held or None
    with sources(client, net, given, held, None, wanted.seed, wanted.encode) as found:
        units, constant = _units(wanted, found[0])
        parts = dict(zip(("train", "validation"), found[:2], strict=True))
        own = {k: part.in_units(units) for k, part in parts.items() if part is not None}
        for part in found:
            if part is not None:
                part.close()
        try:
            return _fitted(wanted, own, units, constant, measure)
        finally:
            for part in own.values():
                part.close()


def _units(wanted: Wanted, source: DaskSource) -> tuple[Units, np.ndarray]:
    """Return the units to train in, and which inputs never vary (n0,)."""
    net, loss = wanted.net, wanted.loss
    objective = SummedObjective(net, source, loss)
    x_mean, x_scale = objective.columns(targets=False, shift=True, robust=False)
    constant = x_scale == 0.0
    y_mean, y_scale = np.zeros(net.n_outputs), np.ones(net.n_outputs)
    if not wanted.scaled:
        return Units(np.zeros_like(x_mean), np.ones_like(x_scale), y_mean, y_scale), constant
    if net.activations[-1] == Identity() and type(loss) in FOR_REGRESSION.values():
        robust = loss.scale is not None
        y_mean, y_scale = objective.columns(targets=True, shift=True, robust=robust)
    return Units(x_mean, _or_one(x_scale), y_mean, _or_one(y_scale)), constant


def _or_one(size: np.ndarray) -> np.ndarray:
    return np.where(size > 0.0, size, 1.0)


def _fitted(
    wanted: Wanted,
    own: dict[str, DaskSource],
    units: Units,
    constant: np.ndarray,
    measure: bool,
) -> Fitted:
    net, loss, held = wanted.net, wanted.loss, own.get("validation")
    stops = {} if wanted.patience is None else {"validation": held, "patience": wanted.patience}
    options = {**wanted.options, **stops, "l2": without_biases(net, wanted.alpha)}
    source, scheme = own["train"], wanted.scheme

    def run(stream: np.random.Generator) -> TrainResult:
        return train(net, source, None, loss, w0=scheme, rng=stream, **options)

    rng = np.random.default_rng(wanted.seed)
    several = wanted.n_restarts > 1
    together = functools.partial(
        run_together, list(own.values()), net.n_weights, None, options.get("max_memory")
    )
    options["callback"] = in_turn_of_threads(options.get("callback"))
    runs = run_restarts(run, wanted.n_restarts, rng, together=together) if several else [run(rng)]
    restarts = Restarts(tuple(runs))
    best = restarts.best
    Ws = [W.copy() for W in net.unpack(best.w)]
    Ws[0][: net.n_inputs][constant] = 0.0  # of what was never varied nothing is known
    model = Model(
        net, net.pack(Ws), *wanted.names,
        units.x_mean, units.x_scale, units.y_mean, units.y_scale,
        loss, options["l2"], classes=wanted.classes,
    )  # fmt: skip
    best.model = model
    errors = {}
    if measure:
        errors = {name: _errors(net, part, loss, best.w) for name, part in own.items()}
    return Fitted(model, best, restarts, errors)


def _errors(net: MLP, source: DaskSource, loss: Loss, w: np.ndarray) -> Errors:
    objective = SummedObjective(net, source, loss)
    J, squares = objective.total(errors, w)
    deviation = source.summary.Y.deviation
    return Errors(objective.T, squares, np.square(deviation), J)


def errors(objective: Objective, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Return Σ c E and Σ c (φ_L - y)², (nL,), of a chunk."""
    J, squares = 0.0, np.zeros(objective.net.n_outputs)
    for rows, F in objective.outputs(w):
        J += objective.sum_loss(F, rows)
        squares += np.square(F - objective.Yt[:, rows]) @ objective.c.array[rows]
    return J, squares
