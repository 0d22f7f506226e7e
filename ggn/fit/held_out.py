"""Samples held out of a fit: they stop it, or only watch.

    V_k = Σ s_i E(φ_L(w_k, x_i), y_i) / Σ s_i      over them, at iterate k, without a penalty

Where they stop it, the weights kept are those of least V, and the run ends where that is
`patience` iterates ago.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn.fit.limits import Callback, scipy_callback
from ggn.fit.plateau import far_out, told
from ggn.fit.result import Status, TrainResult, lost
from ggn.io.chunks import Chunks
from ggn.linearization import BaseObjective, Objective, Source, SourceError, SummedObjective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.validation import (
    OF_FIT,
    ArgumentError,
    arranged,
    describe,
    float_array,
    generator,
    integer,
    names_of,
    number,
)

__all__ = ["Held", "Score", "Watch", "split"]

PATIENCE = 10  # steps, by default
Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]


class Watch:
    """What is seen of held-out samples, iterate by iterate; a callback of `ggn.train`.

    Parameters
    ----------
    net : MLP
    loss : Loss
    X : ndarray, (T, n0)
    Y : ndarray, (T, nL)
    weights : ndarray, (T,), optional
    patience : int, optional
        Iterates without a new least loss after which to stop; None never does.
    score : callable, optional
        Of (Y, F, weights), recorded beside the loss.
    """

    def __init__(
        self,
        net: MLP,
        loss: Loss,
        X: np.ndarray,
        Y: np.ndarray,
        weights: np.ndarray | None = None,
        patience: int | None = None,
        score: Score | None = None,
    ) -> None:
        self.net, self.loss, self.X, self.Y, self.weights = net, loss, X, Y, weights
        self.patience, self.score = patience, score
        self.losses: list[float] = []
        self.scores: list[float] = []
        self._best = 0, np.empty(0)
        self.stopped = False

    @property
    def best(self) -> int:
        """The iterate of least loss."""
        return self._best[0]

    @property
    def best_w(self) -> np.ndarray:
        """Its weights."""
        return self._best[1]

    def see(self, w: np.ndarray) -> None:
        """Record an iterate."""
        with np.errstate(all="ignore"):
            F = self.net.forward(w, self.X)
            V = float(np.average(self.loss.value(F, self.Y), weights=self.weights))
        if self.score is not None:
            self.scores.append(self.score(self.Y, F, self.weights))
        self.note(w, V)

    def note(self, w: np.ndarray, V: float) -> None:
        """Record the loss of an iterate."""
        k = len(self.losses)
        self.losses.append(V)
        if not self.losses[self.best] <= V or k == 0:
            self._best = k, np.copy(w)  # one store, for Ctrl-C
        elif self.patience is not None and k - self.best >= self.patience:
            self.stopped = True

    def __call__(self, at: OptimizeResult) -> None:
        self.see(at.w)
        if self.stopped:
            raise StopIteration


class ObjectiveWatch(Watch):
    """What is seen of samples held out that have an objective: in parts, or in a loop.

    Parameters
    ----------
    objective : BaseObjective
        Their own, without a penalty.
    patience : int, optional
    """

    def __init__(self, objective: BaseObjective, patience: int | None) -> None:
        none = np.empty((0, 0))
        super().__init__(objective.net, objective.loss, none, none, patience=patience)
        self.objective = objective

    def see(self, w: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            self.note(w, self.objective.value(w))


class Held:
    """The samples that `ggn.train` is given beside those that it fits.

    Parameters
    ----------
    objective : BaseObjective
        What is minimised.
    validation, test : tuple of array_like, Source, BaseObjective or None
        (X, Y) or (X, Y, sample_weight); or what comes in parts; or an objective of their own.
    patience : int, optional
    given : BaseObjective, optional
        What has the outputs and targets, where the objective is one in other units.
    like : tuple, default (None, None)
        X and Y of the fit: where they are data frames, those held out have columns by name.
    """

    def __init__(
        self,
        objective: BaseObjective,
        validation: Any,
        test: Any,
        patience: int | None,
        given: BaseObjective | None = None,
        like: tuple[Any, Any] = (None, None),
    ) -> None:
        if patience is not None:
            patience = integer("patience", patience, 1)
        if validation is None and patience is not None:
            raise ArgumentError(
                "patience", f"stops by samples held out, but there is no validation, got {patience}"
            )
        self.objective, self.given = objective, objective if given is None else given
        self.names = like[0].names if isinstance(like[0], Source) else tuple(map(names_of, like))
        watch = functools.partial(_watch, objective, self.names)
        self.validation = watch("validation", validation, patience or PATIENCE)
        self.test = watch("test", test, None)
        self.watches = [watch for watch in (self.validation, self.test) if watch is not None]

    def see(self, w: np.ndarray) -> None:
        """Record the start."""
        for watch in self.watches:
            watch.see(w)

    def callback(self, own: Callback | None) -> Callback | None:
        """Return what is called after each step, the caller's own callback with it."""
        if not self.watches:
            return own
        call = scipy_callback(own)

        def observe(intermediate_result: OptimizeResult) -> None:
            self.see(intermediate_result.w)
            if call is not None:
                call(intermediate_result)
            if any(watch.stopped for watch in self.watches):
                raise StopIteration

        return observe

    def keep(self, result: TrainResult) -> None:
        """Put the result to the weights of least validation loss, and note what was seen."""
        if self.test is not None:
            result.test_losses = np.array(self.test.losses)
        if self.validation is None:
            return
        seen = self.validation
        J, g = result.history.loss[seen.best], np.full_like(result.jac, np.nan)
        if result.status is not Status.LOST:
            try:
                at = self.objective.at(seen.best_w)
                J, g = at.loss, at.gradient
            except SourceError as error:
                lost(result, error)
        result.update(
            w=seen.best_w,
            x=seen.best_w,
            fun=J,
            jac=g,
            validation_losses=np.array(seen.losses),
            kept=seen.best,
        )
        if seen.best < len(seen.losses) - 1:
            result.state = None  # of another iterate
        if seen.stopped and result.status is Status.CALLBACK:
            out = far_out(self.given, seen.best_w)
            status, message = told(Status.VALIDATION, out)
            result.update(status=status, message=message, success=status.success)


def _watch(
    objective: BaseObjective, names: tuple[Any, ...], name: str, given: Any, patience: int | None
) -> Watch | None:
    if given is None:
        return None
    if isinstance(given, Chunks) and any(names):
        given = given.named_as((names[0], names[1]), OF_FIT)
    if isinstance(given, Source):
        try:
            summed = SummedObjective(objective.net, given, objective.loss)
        except ValueError as error:
            raise ValueError(f"{name} must be samples as the fit's: {error}") from error
        return ObjectiveWatch(summed, patience)
    if isinstance(given, BaseObjective):
        return ObjectiveWatch(given, patience)
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise ArgumentError(name, f"must be (X, Y) or (X, Y, sample_weight), got {describe(given)}")
    X, Y, s = (*given, None)[:3]
    try:
        X, Y = arranged("X", X, names[0], OF_FIT), arranged("Y", Y, names[1], OF_FIT)
        on = Objective(objective.net, X, Y, objective.loss, sample_weight=s)
    except ValueError as error:
        raise ValueError(f"{name} must be samples as the fit's: {error}") from error
    return Watch(on.net, on.loss, on.X, on.Yt.T, None if s is None else on.s, patience)


def split(
    X: Any,
    Y: Any = None,
    *,
    rng: int | np.random.Generator | None = 0,
    validation: float = 0.15,
    test: float = 0.15,
) -> tuple[tuple[Any, Any], ...]:
    """Divide samples at random into those to train on, to validate and to test.

    Of samples that follow one another in time divide by time instead: X[:700], X[700:850], ...

    Parameters
    ----------
    X : array_like, (T, n0) or (T,)
    Y : array_like, (T, nL) or (T,)
    rng : int, Generator or None, default 0
    validation, test : float, default 0.15
        Fractions of the samples, rounded; samples keep their order within a part.

    Returns
    -------
    tuple of (ndarray, ndarray)
        (X, Y) to train on, to validate and to test; data frames and series of pandas stay such.

    Raises
    ------
    ValueError
        For fractions that leave none to train on, or X and Y of different lengths.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> x = np.linspace(-1, 1, 100)
    >>> training, validation, test = ggn.split(x, np.sin(3 * x))
    >>> len(training[0]), len(validation[0]), len(test[0])
    (70, 15, 15)
    >>> net = ggn.MLP((1, 8, 1))
    >>> fit = ggn.train(net, *training, validation=validation, test=test)
    >>> bool(fit.test_losses[fit.kept] < 1e-6)
    True
    """
    given, arrays = (X, Y), (float_array("X", X, (1, 2)), float_array("Y", Y, (1, 2)))
    if (T := len(arrays[0])) != len(arrays[1]):
        raise ValueError(f"X and Y must have as many rows, got {T} and {len(arrays[1])}")
    X, Y = (A.iloc if hasattr(A, "iloc") else a for A, a in zip(given, arrays, strict=True))
    parts = [
        round(number(name, fraction, 0.0, 1.0) * T)
        for name, fraction in (("validation", validation), ("test", test))
    ]
    if sum(parts) >= T:
        got = f"{parts[0]} and {parts[1]} of {T}"
        raise ValueError(f"validation and test must leave samples to train on, got {got}")
    order = generator(rng).permutation(T)
    first, second = parts[0], sum(parts)
    chosen = (order[second:], order[:first], order[first:second])
    return tuple((X[rows], Y[rows]) for rows in map(np.sort, chosen))
