"""A regressor's default: a mixture of networks whose penalties the evidence proposes.

Where it cannot be had, a number stands for it: for another loss than the squared one, whose
noise is normal; where samples are held out anyway; and for so many weights that a matrix of
their square, which each estimate needs, is too large.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn._core.machine import threads
from ggn.fit.committee import members_in_turn, train_members
from ggn.fit.limits import Limits, scipy_callback
from ggn.fit.member import Member
from ggn.fit.mixture import Mixture, mixed
from ggn.fit.noise import NoiseKind, kind_of
from ggn.fit.restarts import processes
from ggn.fit.result import TrainResult
from ggn.fit.sizes import check_sizes
from ggn.fit.stages import Stages
from ggn.fit.start import draw
from ggn.fit.task import Task
from ggn.fit.train import train
from ggn.fit.unsettled import (
    hint_of_constant_targets,
    hint_of_the_noise,
    hint_of_the_plane,
    hint_of_the_weights,
)
from ggn.io import Model
from ggn.linearization import Objective
from ggn.linearization.shares import as_counts
from ggn.losses import Loss, Squared
from ggn.network import MLP
from ggn.sklearn.penalty import EVIDENCE
from ggn.validation import ArgumentError, describe

__all__ = ["against_outliers", "by_evidence", "noise_kind", "train_mixture"]

MOST_WEIGHTS = 4000


def by_evidence(alpha: Any, loss: Loss, early_stopping: bool, net: MLP) -> bool:
    """Whether penalties are chosen by the evidence: asked for, and to be had."""
    asked = isinstance(alpha, str) and alpha == EVIDENCE and not early_stopping
    return asked and isinstance(loss, Squared) and net.n_weights <= MOST_WEIGHTS


def noise_kind(noise: Any, evidence: bool) -> NoiseKind:
    """Return what the parameter says, which without the evidence can be said of one kind alone."""
    kind = kind_of(noise)
    if kind.in_turn and not evidence:
        raise ArgumentError(
            "noise",
            f"must be {NoiseKind.name!r} where alpha is not {EVIDENCE!r}, or cannot be for the "
            f"loss, early_stopping or more than {MOST_WEIGHTS} weights, got {describe(noise)}",
        )
    return kind


def against_outliers(noise: Any, alpha: Any, loss: Loss, early_stopping: bool, net: MLP) -> str:
    """Return what there is against outliers; nothing where the noise is of a kind that has them."""
    evidence = by_evidence(alpha, loss, early_stopping, net)
    if noise_kind(noise, evidence).robust:
        return ""
    scale = "loss='cauchy', of a scale that suits the others"
    return f"noise='contaminated', or {scale}" if evidence else scale


def train_mixture(
    task: Task,
    units: Model,
    n_estimators: int,
    seed: int,
    last: TrainResult | None,
    n_jobs: int | None,
    noise: NoiseKind,
) -> Mixture:
    """Train the members, or go on with those of the last fit."""
    call, on = scipy_callback(task.callback), task.fitted

    def trainer(
        data: Objective, w: np.ndarray, l2: np.ndarray, most: int, tol: float, before: int
    ) -> TrainResult:
        def observe(intermediate_result: OptimizeResult) -> None:
            intermediate_result.nit += before
            if call is not None:
                call(intermediate_result)
            if task.verbose:
                at = intermediate_result
                print(f"Iteration {at.nit}, loss = {at.fun:.8g}")

        watched = call is not None or task.verbose
        return train(
            data.net, data.X, data.Yt.T, task.loss, w0=w, sample_weight=data.sample_weight, l2=l2,
            max_iter=most, tol=tol, callback=observe if watched else None, **task.options,
        )  # fmt: skip

    def fit(data: Objective) -> list[Member]:
        return train_members(
            data,
            trainer,
            n_estimators=n_estimators,
            rng=np.random.default_rng(seed),
            max_iter=task.max_iter,
            last=last.members if isinstance(last, Mixture) else (),
            prepare=task.varied.least_norm,
            alone=call is not None or task.verbose,
        )

    def stages(of: Objective) -> Stages:
        limits = Limits(task.max_iter, task.tol, None, math.inf, None)
        return Stages(of, limits, sample_weight=of.sample_weight, **task.options)

    s = on.weights
    if s is not None:
        check_sizes(0.0, sample_weight=s)
        s = as_counts(s)
    whole = Objective(task.net, on.X, on.Y, task.loss, sample_weight=s)
    hint_of_the_weights(whole.sample_weight, noise.copies)
    hint_of_constant_targets(on.Y, units.target_names)
    w0 = draw(whole, np.random.default_rng(seed))
    with _on(n_jobs):
        members, settled = members_in_turn(noise, whole, fit, stages, w0)
    if last is None and not task.varied.everything:
        for member in members:
            w = task.varied.least_norm(member.w)
            member.update(w=w, x=w)
    made = mixed(members, on.Y, units)
    made.noise_settled = settled
    hint_of_the_noise(made)
    hint_of_the_plane(made)
    return made


def _on(n_jobs: int | None) -> contextlib.AbstractContextManager[None]:
    """Return a context in which members run on n_jobs threads; None: as many as there may be."""
    if n_jobs is None:
        return contextlib.nullcontext()
    return threads(processes(n_jobs))
