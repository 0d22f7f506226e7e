"""A penalty that chooses itself: training and estimates of noise and penalty in turn.

As `ggn.train_bayesian` does for networks; the prior is one for all weights, in the model's units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ggn.fit.bayes import settle
from ggn.fit.limits import Limits
from ggn.fit.method import Method
from ggn.fit.result import TrainResult
from ggn.fit.stages import From, Stages
from ggn.fit.train import minimise
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.recurrent.statespace_units import ScaledLoss

__all__ = ["by_evidence"]


def by_evidence(
    data: StateSpaceObjective,
    method: Method,
    source: np.random.Generator,
    w0: np.ndarray,
    factor: float,
) -> TrainResult:
    """Return the training whose penalty and noise agree, J in the model's units.

    Parameters
    ----------
    data : StateSpaceObjective
        Without a penalty, of the squared loss.
    method : Method
    source : Generator
    w0 : ndarray, (N,)
    factor : float
        Of J in the caller's units, for the history and the callback.
    """

    def run(w0: From, loss: Any, l2: Any, max_iter: int, tol: float) -> TrainResult:
        given = method.limits
        limits = Limits(max_iter, tol, None, given.seconds, given.callback)
        w = w0 if isinstance(w0, np.ndarray) else w0.w
        units = ScaledLoss(data.penalised_by(l2), factor)
        return minimise(replace(method, limits=limits), units, source, w)

    limits = method.limits
    return settle(data, Stages(data, run=run), w0, limits.max_iter, limits.tol)
