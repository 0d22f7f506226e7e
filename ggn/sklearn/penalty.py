"""The penalty of an estimator: a number, or what chooses it.

Where it cannot be chosen a number stands for it: where samples are held out anyway, and of too
few of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.fit.cross_validation import cross_validate
from ggn.fit.penalty import without_biases
from ggn.fit.result import TrainResult
from ggn.fit.task import Task
from ggn.fit.train import train
from ggn.linearization import Objective
from ggn.validation import number

__all__ = ["CROSS_VALIDATION", "EVIDENCE", "chosen", "penalty"]

EVIDENCE, CROSS_VALIDATION = "evidence", "cross_validation"
INSTEAD = {EVIDENCE: 1e-4, CROSS_VALIDATION: 1e-3}  # of the mean loss
LOOSE = 1e-2  # tol of trainings that only compare penalties


def penalty(alpha: Any, chooser: str) -> float:
    """Return alpha as the number that it is, or that stands for the estimator's way to choose."""
    if isinstance(alpha, str) and alpha == chooser:
        return INSTEAD[chooser]
    return number("alpha", alpha, 0.0, word=chooser)


def chosen(task: Task, seed: int) -> tuple[float, np.ndarray]:
    """Return the penalty that cross-validation chooses, and each one tried with its loss."""
    on = task.fitted

    def trainer(data: Objective, w: np.ndarray, alpha: float, most: int) -> TrainResult:
        return train(
            data.net, data.X, data.Yt.T, task.loss, w0=w, sample_weight=data.sample_weight,
            l2=without_biases(data.net, alpha), max_iter=min(most, task.max_iter), tol=LOOSE,
            **task.options,
        )  # fmt: skip

    found = cross_validate(
        Objective(task.net, on.X, on.Y, task.loss, sample_weight=on.weights),
        trainer,
        np.random.default_rng((seed, 1)),
        task.varied.least_norm,
    )
    if found is None:
        return INSTEAD[CROSS_VALIDATION], np.empty((0, 2))
    return found
