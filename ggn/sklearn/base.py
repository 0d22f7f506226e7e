"""What regressor and classifier share: the network, its scaling, training, what is kept.

In the units that `scale` makes, a fit minimises over all weights w

    J(w) = Σ s_i E(φ_L(w, x_i), y_i) / Σ s_i + alpha ‖w‖²,    w without the biases.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ggn.fit.mixture import Mixture, trained
from ggn.fit.noise import NoiseKind
from ggn.fit.outliers import hint_of_far_inputs
from ggn.fit.penalty import without_biases
from ggn.fit.restarts import Restarts, run_restarts
from ggn.fit.result import Status, TrainResult
from ggn.fit.skewed_inputs import worth_transforming
from ggn.fit.task import HeldOut, Samples, Score, Task
from ggn.io import Model
from ggn.io.scaling import constant_columns
from ggn.io.training import Training
from ggn.losses import Loss
from ggn.network import MLP
from ggn.sklearn.evidence import by_evidence, noise_kind, train_mixture
from ggn.sklearn.hidden import hidden_sizes, numbers_in, units_for
from ggn.sklearn.parts import counted, plain_targets, read, sample_weights, split
from ggn.sklearn.penalty import EVIDENCE, penalty
from ggn.sklearn.units import AUTO, ExtrapolationWarning, outside, said_outside, units
from ggn.sklearn.weights import WithWeights
from ggn.sklearn.words import WORDS
from ggn.surface import diagnose
from ggn.surface.ending import ended
from ggn.validation import integer, number, plain

__all__ = ["BaseGGN"]


class BaseGGN(WithWeights):
    """The parameters are documented by the two estimators."""

    hidden_layer_sizes: Any
    activation: Any
    loss: Any
    alpha: Any
    n_estimators: int
    noise: str = NoiseKind.name  # who has no such parameter
    scale: str | None
    damping: Any
    step: Any
    max_iter: int
    tol: float
    n_restarts: int
    n_jobs: int | None
    warm_start: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    random_state: Any
    callback: Callable[..., Any] | None
    verbose: bool
    warn_outside: bool
    model_: Model
    result_: TrainResult
    _problem: tuple[Samples, Loss, Any]
    _advice_words: Mapping[Any, str] = WORDS
    _chooser = EVIDENCE

    def _network_targets(self, Y: Any) -> Any:
        """Return targets (T, nL) of the network, in the data's units, for y as `fit` takes it."""
        return Y

    def __getattr__(self, name: str) -> Any:
        """Compute diagnosis_, once; no property, which notebooks would touch to show it."""
        kind = type(self).__name__
        if name != "diagnosis_":
            raise AttributeError(f"{kind!r} object has no attribute {name!r}")
        if "_problem" not in self.__dict__:
            raise AttributeError(
                f"{kind} has a diagnosis_ only once fitted, and not in a copy from a pickle, "
                "which has no training data"
            )
        on, loss, l2 = self._problem
        fit = trained(self.result_)
        found = diagnose(fit.net, fit.w, on.X, on.Y, loss, l2=l2, sample_weight=on.weights)
        found = replace(found, suggestion=replace(found.suggestion, words=WORDS))
        self.diagnosis_ = ended(found, self.result_)
        return self.diagnosis_

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {k: v for k, v in state.items() if k not in ("_problem", "diagnosis_")}

    def _outputs(self, X: Any) -> np.ndarray:
        """Return φ_L in the targets' units, (T, nL)."""
        check_is_fitted(self)
        X = self._inputs(X)
        if self.warn_outside:
            beyond = outside(X, *self.input_range_)
            if beyond.any():
                text = said_outside(beyond, self.model_.input_names)
                warnings.warn(text, ExtrapolationWarning, stacklevel=4)
        outputs: np.ndarray = self.model_.predict(X)
        return outputs

    def _inputs(self, X: Any) -> np.ndarray:
        plain("X", X)
        checked: np.ndarray = read(self, X, reset=False)
        return checked

    def outside_range(self, X: Any) -> np.ndarray:
        """Return which inputs lie outside the range that their column had in training.

        There a prediction is an extrapolation, for which the data do not speak.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray of bool, (T, n_features)
            `outside_range(X).any(axis=1)` is a sample's, `.sum(axis=0)` counts by column.
        """
        check_is_fitted(self)
        return outside(self._inputs(X), *self.input_range_)

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, **options: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return X, y and weights as arrays, without the samples of no weight."""
        plain("X", X)
        plain_targets(y, is_classifier(self))
        X, y = read(self, X, y, ensure_min_samples=2, **options)
        if sample_weight is None:
            return X, y, None
        return counted(self, X, y, sample_weights(sample_weight, X))

    def _fit(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        s: np.ndarray | None,
        loss: Loss,
        score: Score,
        *,
        scale_targets: bool,
        also: dict[str, Any],
        labels: np.ndarray | None = None,
        targets: Sequence[str] | None = None,
    ) -> None:
        """Train on targets Y (T, nL); a split for early stopping is stratified by labels.

        `also` has the attributes that the kind of estimator leaves behind, `targets` their names.
        """
        source = check_random_state(self.random_state)
        seed = int(source.randint(np.iinfo(np.int32).max))
        fraction = self.validation_fraction if self.early_stopping else None
        rows, kept = split(len(X), fraction, labels, source)
        net = self._network(Y.shape[1], numbers_in(Y[rows], None if s is None else s[rows]))
        l2 = penalty(self.alpha, self._chooser)
        evidence = by_evidence(self.alpha, loss, self.early_stopping, net)
        noise = noise_kind(self.noise, evidence)
        before = self._last(net)
        if before is None:
            weights = None if s is None else s[rows]
            of = functools.partial(units, self.scale, loss)
            of_Y = of(Y[rows], weights) if scale_targets else (None, None)
            seen = net, X[rows], Y[rows], weights
            x_transform = worth_transforming(*seen) if evidence and self.scale == AUTO else None
            U = X[rows] if x_transform is None else x_transform(X[rows])
            hint_of_far_inputs(U, self._names(), loss, x_transform)
            told = np.zeros(net.n_weights), self._names(), targets
            before = Model(net, *told, *of(U, weights), *of_Y, x_transform=x_transform)
            last, n_restarts = None, integer("n_restarts", self.n_restarts, 1)
        else:
            last, n_restarts = self._going_on(before), 1

        def part(rows: np.ndarray) -> Samples:
            return Samples(*before.scaled(X[rows], Y[rows]), None if s is None else s[rows])

        patience = integer("n_iter_no_change", self.n_iter_no_change, 1)
        task = Task(
            net,
            part(rows),
            HeldOut(part(kept), score, patience) if len(kept) else None,
            loss,
            isinstance(self.loss, str),
            0.0,
            last,
            {"step": self.step, "damping": self.damping},
            integer("max_iter", self.max_iter, 1),
            number("tol", self.tol, 0.0),
            self.callback,
            bool(self.verbose),
            constant_columns(X[rows]),
        )
        if not evidence:
            task.l2 = without_biases(net, self._chosen(l2, task, seed, also))
        if evidence:
            k = integer("n_estimators", self.n_estimators, 1)
            whole = self.result_ if self._goes_on() else None
            best: TrainResult = train_mixture(task, before, k, seed, whole, self.n_jobs, noise)
            runs = best.members
        else:
            runs = tuple(run_restarts(task.train, n_restarts, seed, self.n_jobs))
            best = task.best(list(runs))
        self.restarts_ = Restarts(runs)
        self.__dict__.pop("diagnosis_", None)
        l2 = best.best.l2 if isinstance(best, Mixture) else task.l2
        on = task.fitted
        if noise.in_turn:  # what samples count for is the noise's, too
            on = Samples(on.X, on.Y, trained(best).sample_weight)
        self._problem = on, best.get("loss", loss), l2
        self.input_range_ = np.array([X[rows].min(axis=0), X[rows].max(axis=0)])
        self._keep(before, best, also)
        if s is None:  # a file has no weights of samples, nor which of them had none
            how = len(runs) if evidence else 1, best.status.name
            self.model_.training = Training.of(len(X), {"validation": kept}, *how)
        if any(run.status is Status.INTERRUPTED for run in runs):
            raise KeyboardInterrupt  # or a search would go on, and score this fit

    @property
    def _chooses(self) -> bool:
        return isinstance(self.alpha, str) and self.alpha == self._chooser

    def _chosen(self, alpha: float, task: Task, seed: int, also: dict[str, Any]) -> float:
        """Return the penalty to train with, given the number that alpha is or stands for."""
        return alpha

    def _keep(self, before: Model, best: TrainResult, also: dict[str, Any]) -> None:
        """Set what a fit leaves behind, and warn if the run did not come to its end."""
        self.model_ = best.model if isinstance(best, Mixture) else Model(
            before.net, best.w, before.input_names, before.target_names,
            before.x_mean, before.x_scale, before.y_mean, before.y_scale, *self._problem[1:],
            classes=also.pop("_told", None),
        )  # fmt: skip
        best.model = self.model_  # the units of its weights
        self.result_ = best
        self.n_iter_ = best.nit
        self.loss_ = float(best.fun)
        self.loss_curve_ = best.history.loss[1:].tolist()
        self.n_layers_ = before.net.depth + 1
        self.n_outputs_ = before.net.n_outputs
        if "validation_scores" in best:
            self.validation_scores_ = best.validation_scores
            self.best_validation_score_ = best.validation_scores[best.kept]
        for name, value in also.items():
            setattr(self, name, value)
        if not best.success and best.status not in (Status.CALLBACK, Status.INTERRUPTED):
            warnings.warn(best.message, ConvergenceWarning, stacklevel=4)

    def _network(self, n_outputs: int, numbers: int = 0) -> MLP:
        """Return the network for so many outputs, and numbers to fit."""
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str) and sizes == "auto":
            sizes = self._trained().sizes[1:-1] if self._goes_on() else units_for(numbers)
        hidden = hidden_sizes(sizes)
        return MLP((self.n_features_in_, *hidden, n_outputs), self.activation)

    def _last(self, net: MLP) -> Model | None:
        """Return the model to go on from, if that is wanted and there is one."""
        if not self._goes_on():
            return None
        if self._trained() != net:
            raise ValueError(
                f"warm_start=True goes on with the network of the last fit, {self._trained()!r}; "
                f"got {net!r}"
            )
        last, fit = self.model_, trained(self.result_)
        of_units = last.x_mean, last.x_scale, last.y_mean, last.y_scale
        names = last.input_names, last.target_names
        return Model(net, fit.w, *names, *of_units, x_transform=last.x_transform)

    def _goes_on(self) -> bool:
        return bool(self.warm_start) and hasattr(self, "model_")

    def _trained(self) -> MLP:
        """Return the network that the last fit trained: a member's, where it was a mixture."""
        net: MLP = trained(self.result_).net
        return net

    def _going_on(self, before: Model) -> TrainResult:
        """Return the last fit for data in the units of its weights, as this one's are."""
        state = trained(self.result_).get("state")
        return TrainResult(net=before.net, w=before.w, state=state)
