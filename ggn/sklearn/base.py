"""What regressor and classifier share: the network, its scaling, training, what is kept.

In the units that `scale` makes, a fit minimises over all weights w

    J(w) = Σ s_i E(φ_L(w, x_i), y_i) / Σ s_i + alpha ‖w‖²,    w without the biases.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from numbers import Number
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ggn.fit.penalty import without_biases
from ggn.fit.restarts import Restarts, run_restarts
from ggn.fit.result import Status, TrainResult
from ggn.fit.task import HeldOut, Samples, Score, Task
from ggn.io import Model
from ggn.io.scaling import constant_columns, fold
from ggn.losses import Loss
from ggn.network import MLP
from ggn.sklearn.units import ExtrapolationWarning, outside, said_outside, units
from ggn.sklearn.words import WORDS
from ggn.surface import diagnose
from ggn.validation import ArgumentError, describe, integer, number, plain, widened

__all__ = ["BaseGGN"]


class BaseGGN(BaseEstimator):
    """The parameters are documented by the two estimators."""

    hidden_layer_sizes: Any
    activation: Any
    loss: Any
    alpha: float
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
    _advice_words: Mapping[Any, str] = WORDS

    def _network_targets(self, Y: Any) -> Any:
        """Return targets (T, nL) of the network, in the data's units, for y as `fit` takes it."""
        return Y

    def _keep_parameters(self, given: dict[str, Any]) -> None:
        """Set what the constructor was given, as it is, from its local variables."""
        for name in self._get_param_names():
            setattr(self, name, given[name])

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights between layers, (n_(l-1), n_l) each, for data in their own units."""
        return [W[:-1] for W in self._folded()]

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Bias of each layer, (n_l,), for data in their own units."""
        return [W[-1] for W in self._folded()]

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
        m: Model = self.model_
        found = diagnose(m.net, m.w, on.X, on.Y, loss, l2=l2, sample_weight=on.weights)
        worded = replace(found.suggestion, words=WORDS)
        self.diagnosis_ = replace(found, suggestion=worded)
        return self.diagnosis_

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {k: v for k, v in state.items() if k not in ("_problem", "diagnosis_")}

    def _folded(self) -> list[np.ndarray]:
        m: Model = self.model_
        return m.net.unpack(fold(m.net, m.w, m.x_mean, m.x_scale, m.y_mean, m.y_scale))

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
        checked: np.ndarray = validate_data(self, widened(X), dtype=np.float64, reset=False)
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
        plain("y", y, labels=is_classifier(self))
        plain("sample_weight", sample_weight)
        X, y = validate_data(
            self, widened(X), widened(y), dtype=np.float64, ensure_min_samples=2, **options
        )
        if sample_weight is None:
            return X, y, None
        s = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        some = s > 0.0
        if not some.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return X[some], y[some], s[some]

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
    ) -> None:
        """Train on targets Y (T, nL); a split for early stopping is stratified by labels.

        `also` has the attributes that the kind of estimator leaves behind.
        """
        source = check_random_state(self.random_state)
        seed = int(source.randint(np.iinfo(np.int32).max))
        rows, kept = self._split(len(X), labels, source)
        net = self._network(Y.shape[1])
        before = self._last(net)
        if before is None:
            weights = None if s is None else s[rows]
            of = functools.partial(units, self.scale, loss)
            targets = of(Y[rows], weights) if scale_targets else (None, None)
            of_data = (*of(X[rows], weights), *targets)
            before = Model(net, np.zeros(net.n_weights), self._names(), None, *of_data)
            last: TrainResult | None = None
            n_restarts = integer("n_restarts", self.n_restarts, 1)
        else:
            last, n_restarts = self._going_on(before), 1

        def part(rows: np.ndarray) -> Samples:
            return Samples(
                (X[rows] - before.x_mean) / before.x_scale,
                (Y[rows] - before.y_mean) / before.y_scale,
                None if s is None else s[rows],
            )

        patience = integer("n_iter_no_change", self.n_iter_no_change, 1)
        task = Task(
            net,
            part(rows),
            HeldOut(part(kept), score, patience) if len(kept) else None,
            loss,
            isinstance(self.loss, str),
            without_biases(net, number("alpha", self.alpha, 0.0)),
            last,
            {"step": self.step, "damping": self.damping},
            integer("max_iter", self.max_iter, 1),
            number("tol", self.tol, 0.0),
            self.callback,
            bool(self.verbose),
            constant_columns(X[rows]),
        )
        runs = run_restarts(task.train, n_restarts, seed, self.n_jobs)
        best = task.best(runs)
        self.restarts_ = Restarts(tuple(runs))
        self.__dict__.pop("diagnosis_", None)
        self._problem = task.fitted, best.get("loss", loss), task.l2
        self.input_range_ = np.array([X[rows].min(axis=0), X[rows].max(axis=0)])
        self._keep(before, best, also)
        if any(run.status is Status.INTERRUPTED for run in runs):
            raise KeyboardInterrupt  # or a search would go on, and score this fit

    def _keep(self, before: Model, best: TrainResult, also: dict[str, Any]) -> None:
        """Set what a fit leaves behind, and warn if the run did not come to its end."""
        self.model_ = Model(
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

    def _network(self, n_outputs: int) -> MLP:
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, (str, bytes)) or not isinstance(sizes, (Number, Iterable)):
            raise ArgumentError(
                "hidden_layer_sizes",
                f"must be an integer or a sequence of them, got {describe(sizes)}",
            )
        sizes = [sizes] if isinstance(sizes, Number) else list(sizes)
        hidden = [integer(f"hidden_layer_sizes[{i}]", n, 1) for i, n in enumerate(sizes)]
        return MLP((self.n_features_in_, *hidden, n_outputs), self.activation)

    def _last(self, net: MLP) -> Model | None:
        """Return the model to go on from, if that is wanted and there is one."""
        if not self.warm_start or not hasattr(self, "model_"):
            return None
        last: Model = self.model_
        if last.net != net:
            raise ValueError(
                f"warm_start=True goes on with the network of the last fit, {last.net!r}; "
                f"got {net!r}"
            )
        return last

    def _going_on(self, before: Model) -> TrainResult:
        """Return the last fit for data in the units of its weights, as this one's are."""
        state = self.__dict__["result_"].get("state")
        return TrainResult(net=before.net, w=before.w, state=state)

    def _split(
        self, T: int, labels: np.ndarray | None, source: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and those, if any, to stop by."""
        rows = np.arange(T)
        if not self.early_stopping:
            return rows, rows[:0]
        fraction = number(
            "validation_fraction", self.validation_fraction, 0.0, 1.0, open_low=True, open_high=True
        )
        fitted, kept = train_test_split(
            rows, test_size=fraction, random_state=source, stratify=labels
        )
        return fitted, kept

    def _names(self) -> list[str] | None:
        """Return the columns' names if a model's file can have them."""
        names = list(getattr(self, "feature_names_in_", []))
        return names if all(names) and len(set(names)) == len(names) > 0 else None
