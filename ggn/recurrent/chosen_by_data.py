"""To the end of a fit through time: as given, or with a penalty or a scale that the data choose.

    Given       at the penalty and the loss that the caller said
    Evident     training and estimates of noise and penalty in turn (`ggn.fit.alternation`)
    Robust      training and estimates of the loss's scale in turn (`ggn.fit.robust`)

What alternates is that of ordinary networks: only who minimises is another.  Penalties and losses
are in the units of the run; what one training has chosen, the next begins with.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ggn.fit.alternation import settle
from ggn.fit.held_out import Held
from ggn.fit.limits import Limits
from ggn.fit.method import Method
from ggn.fit.result import TrainResult
from ggn.fit.robust import chosen_scale
from ggn.fit.stages import From, Run, Stages, with_sums
from ggn.fit.start import start
from ggn.fit.train import minimise
from ggn.linearization.shares import as_counts
from ggn.losses import Loss, Squared
from ggn.validation import ArgumentError, describe, flag, spelled

__all__ = ["Given", "way_of"]

EVIDENCE = "evidence"


class Given:
    """Train as it was said.

    Attributes
    ----------
    l2 : float or ndarray (N,)
        Of w', the weights in the units of a run; what was given, or chosen last.
    loss : Loss or None
        In the units of a run; None: that of the objective.
    """

    def __init__(self, l2: Any = 0.0) -> None:
        self.l2: Any = l2
        self.loss: Loss | None = None

    def counted(self, sample_weight: np.ndarray) -> np.ndarray:
        """Return weights of samples as what chooses takes them."""
        return sample_weight

    def under(self, units: Any) -> Any:
        """Return units (`SeriesUnits`) with penalty and loss as they are now."""
        return units.under(self.l2, self.loss)

    def brief(
        self, units: Any, method: Method, source: np.random.Generator, w0: Any
    ) -> TrainResult:
        """Train at the penalty and the loss of now, on the way to elsewhere."""
        return minimise(method, self.under(units), source, w0)

    def train(
        self,
        units: Any,
        method: Method,
        source: np.random.Generator,
        w0: Any,
        held: Held | None = None,
    ) -> TrainResult:
        """Train to the end; w and J of the result are the caller's."""
        return minimise(method, self.under(units), source, w0, held)

    def best(self, units: Any, fits: Sequence[TrainResult]) -> int:
        """Return which of several fits is the best."""
        return _least([float(fit.fun) for fit in fits])


class _InTurn(Given):
    """Trainings and estimates in turn."""

    def _run(self, units: Any, method: Method, source: np.random.Generator) -> Run:
        """Return what trains once for `Stages`: the weights of its results are those of the run."""
        begun, given = time.perf_counter(), method.limits
        nit = nfev = 0

        def run(w0: From, loss: Any, l2: Any, max_iter: int, tol: float) -> TrainResult:
            nonlocal nit, nfev
            passed = time.perf_counter() - begun
            limits = Limits(max_iter, tol, None, max(given.seconds - passed, 0.0), None)
            limits.callback = with_sums(given.callback, nit, nfev, passed)
            own = units.under(l2, None if isinstance(loss, str) else loss)
            w = w0 if isinstance(w0, np.ndarray) else w0.w
            fit = minimise(replace(method, limits=limits), own, source, own.weights(w))
            fit.w = own.own(fit.w)
            nit, nfev = nit + fit.nit, nfev + fit.nfev
            return fit

        return run

    def _of_caller(self, units: Any, found: TrainResult) -> TrainResult:
        """Return a result of the run's as the caller's."""
        own = self.under(units)
        with np.errstate(all="ignore"):
            at = own.at(own.weights(found.w))
            found.update(w=at.w, x=at.w, fun=at.loss, jac=at.gradient)
        return found


class Evident(_InTurn):
    """The penalty is chosen by the evidence; see `ggn.train_bayesian`."""

    def counted(self, sample_weight: np.ndarray) -> np.ndarray:
        return as_counts(sample_weight)

    def train(
        self,
        units: Any,
        method: Method,
        source: np.random.Generator,
        w0: Any,
        held: Held | None = None,
    ) -> TrainResult:
        begin, data = start(units, source, w0).w, units.objective
        run = self._run(units, method, source)
        limits = method.limits
        stages = Stages(data, run=run)
        found = settle(data, stages, begin, limits.max_iter, limits.tol, self.l2 or None)
        self.l2 = found.l2
        return self._of_caller(units, found)

    def best(self, units: Any, fits: Sequence[TrainResult]) -> int:
        # one that was stopped on the way has none
        return int(np.argmax([float(fit.get("log_evidence", -np.inf)) for fit in fits]))


class Robust(_InTurn):
    """The scale of a robust loss is chosen from the residuals; see `ggn.train_robust`."""

    def train(
        self,
        units: Any,
        method: Method,
        source: np.random.Generator,
        w0: Any,
        held: Held | None = None,
    ) -> TrainResult:
        begin = start(units, source, w0).w
        data: Any = self.under(units).objective
        run = self._run(units, method, source)
        limits = method.limits
        found = chosen_scale(
            data, begin, functools.partial(Stages, data, run=run),
            max_iter=limits.max_iter, tol=limits.tol,
        )  # fmt: skip
        self.loss = found.loss
        found.update(noise_std=found.noise_std * units.size, scale=found.scale * units.size)
        return self._of_caller(units, found)

    def best(self, units: Any, fits: Sequence[TrainResult]) -> int:
        # scales differ, and so does what J means: all are judged at their median
        scales = [fit.scale for fit in fits if "scale" in fit]
        if not scales:  # all were stopped on the way
            return super().best(units, fits)
        scale = float(np.median(scales)) / units.size
        judge = units.under(self.l2, units.objective.loss.with_scale(scale))
        with np.errstate(all="ignore"):
            return _least([judge.at(fit.w).loss for fit in fits])


def _least(J: Sequence[float]) -> int:
    """Return the place of the least; nan, of a run that diverges, is no number."""
    return int(np.argmin(np.where(np.isnan(J), np.inf, J)))


def way_of(loss: Loss, l2: Any, robust: bool, target: float | None) -> Given:
    """Return how to train, as the arguments of `ggn.narx` and `ggn.statespace` say it.

    Raises
    ------
    ValueError
        For "evidence" with a loss that is not squared, a robust fit of a loss without scale, or
        with either a target, which J of no single penalty or scale would meet.
    """
    evident = isinstance(l2, str) and spelled("l2", l2, (EVIDENCE,)) == EVIDENCE
    if evident and not isinstance(loss, Squared):
        raise ArgumentError("l2", f"must be numbers where the loss is not squared, got {l2!r}")
    if (evident or flag("robust", robust)) and target is not None:
        raise ArgumentError(
            "loss_target",
            "must be left out where penalty or scale are chosen by the fit, got "
            f"{describe(target)}",
        )
    if flag("robust", robust):
        if loss.scale is None:
            raise ArgumentError(
                "loss",
                "must have a scale where robust is True, as smooth_lp, cauchy and blake_zisserman "
                f"do, got {loss!r}",
            )
        return Robust(l2)
    return Evident(0.0) if evident else Given(l2)
