"""What regressor and classifier on dask collections have in common.

After the manners of `lightgbm.DaskLGBMRegressor` and `xgboost.dask`: `fit` takes dask arrays or
data frames and works on the cluster of `client` or the current one, `predict` is lazy, and what a
fit leaves behind is a `ggn.Model`, which needs no cluster.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import dask.array as da
import numpy as np
from dask.base import is_dask_collection
from distributed import Client
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ggn.dask.fitting import fit_model
from ggn.dask.lazy import predicted
from ggn.dask.parts import current, frame_columns, is_collection, width
from ggn.fit.of_sums import Wanted
from ggn.fit.result import Status, TrainResult
from ggn.io import Model
from ggn.io.columns import of_data
from ggn.losses import Loss
from ggn.network import MLP
from ggn.sklearn.hidden import hidden_sizes
from ggn.sklearn.weights import WithWeights
from ggn.sklearn.words import WORDS
from ggn.surface import Advice
from ggn.validation import ArgumentError, describe, integer, number, users_line

__all__ = ["DaskGGN", "values_of"]


# where an estimator in memory can do more
DASK_WORDS = {
    **WORDS,
    Advice.TRAIN_ON: "Fit again, with a larger max_iter or a smaller tol.",
    Advice.MORE_STEPS: "max_iter ended the training: fit again, with a larger one.",
    Advice.GO_ON: "Fit again, without the callback that ended the training.",
    Advice.HELD_OUT: "The training was meant to stop here: the loss of samples held out falls no "
    "more, which a larger max_iter or a smaller tol would not change.",
    Advice.SCALE: 'First scale inside the model (scale="standard"): the sizes of inputs or '
    "targets are more than 1000 apart, and random weights start far off.",
    Advice.LARGER_SCALE: "Give the loss a larger scale, as in loss=ggn.losses.Cauchy(3.0): few "
    "samples decide on the fit.",
}


class DaskGGN(WithWeights):
    """What the two have in common; the parameters are documented by them."""

    hidden_layer_sizes: Any
    activation: Any
    alpha: float
    scale: str | None
    damping: Any
    step: Any
    max_iter: int
    tol: float
    n_restarts: int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    random_state: Any
    callback: Callable[..., Any] | None
    client: Client | None
    model_: Model
    result_: TrainResult
    n_features_in_: int
    _advice_words: Mapping[Any, str] = DASK_WORDS

    @property
    def client_(self) -> Client:
        """The client that the estimator works with: its own, or the current one."""
        return current(self.client)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the client, which belongs to this process."""
        state: dict[str, Any] = super().__getstate__()
        return state | {"client": None}

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        loss: Loss,
        n_outputs: int,
        also: dict[str, Any],
        encode: Any = None,
        **more: Any,
    ) -> None:
        """Train; `also` has the attributes that the kind of estimator leaves behind."""
        if not (self.scale is None or (isinstance(self.scale, str) and self.scale == "standard")):
            raise ArgumentError("scale", f"must be 'standard' or None, got {describe(self.scale)}")
        if not is_dask_collection(X) or not hasattr(X, "ndim"):
            raise ArgumentError("X", f"must be a dask array or data frame, got {type(X).__name__}")
        self._check_columns(X, reset=True)
        net = MLP((width(X), *hidden_sizes(self.hidden_layer_sizes), n_outputs), self.activation)
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        wanted = Wanted(
            net,
            loss,
            number("alpha", self.alpha, 0.0),
            self.scale is not None,
            seed,
            integer("n_restarts", self.n_restarts, 1),
            integer("n_iter_no_change", self.n_iter_no_change, 1) if self.early_stopping else None,
            {
                "step": self.step,
                "damping": self.damping,
                "max_iter": integer("max_iter", self.max_iter, 1),
                "tol": number("tol", self.tol, 0.0),
                "callback": self.callback,
            },
            names=(self._names(), None if encode else of_data(None, y).get("target_names")),
            as_estimators=True,
            **more,
        )
        held = (
            number("validation_fraction", self.validation_fraction, 0.0, 1.0)
            if self.early_stopping
            else 0.0
        )
        found = fit_model(self.client_, wanted, X, y, sample_weight, held=held, encode=encode)
        best = found.best
        self.model_, self.result_, self.restarts_ = found.model, best, found.restarts
        self.n_iter_, self.loss_ = best.nit, float(best.fun)
        self.loss_curve_ = best.history.loss[1:].tolist()
        self.n_outputs_ = n_outputs
        for name, value in also.items():
            setattr(self, name, value)
        if not best.success and best.status not in (Status.CALLBACK, Status.INTERRUPTED):
            warnings.warn(best.message, ConvergenceWarning, stacklevel=users_line())
        if any(run.status is Status.INTERRUPTED for run in found.restarts.runs):
            raise KeyboardInterrupt  # or a search would go on, and score this fit

    def __getattr__(self, name: str) -> Any:
        """Say what an estimator on a cluster has not."""
        if name == "diagnosis_":
            raise AttributeError(
                f"{type(self).__name__} of ggn.dask has no diagnosis_, for it keeps no training "
                "data: ggn.dask.diagnose(client, model, X, Y) takes them"
            )
        return object.__getattribute__(self, name)  # its own error, of a property too

    def _network_targets(self, Y: Any) -> Any:
        """Return targets (T, nL) of the network, in the data's units, for arrays as of `fit`."""
        if is_dask_collection(Y):
            raise ArgumentError(
                "Y",
                f"must be in memory, got {type(Y).__name__}: ggn.dask.diagnose(client, model, X, "
                "Y) takes dask collections",
            )
        return Y

    def _check_columns(self, X: Any, reset: bool = False) -> None:
        """Compare the columns of X, by name and number, with those of the fit; or keep them.

        That is scikit-learn's check, and its sentences: a frame in another order is refused.
        """
        seen = X
        if frame_columns(X) is not None:
            seen = X._meta
        elif is_collection(X):
            seen = np.empty((1, width(X)))
        elif not hasattr(X, "columns"):
            seen = np.asarray(X)
            seen = seen[:, np.newaxis] if seen.ndim == 1 else seen  # samples of one input
        validate_data(self, seen, reset=reset, skip_check_array=True)

    def _predicted(self, X: Any, *what: Any) -> Any:
        """Return what `predicted` does of the fit's model, for X with the fit's columns."""
        self._check_columns(X)
        return predicted(self.model_, X, *what)

    def _local(self, kind: Any) -> Any:
        """Return the estimator for arrays in memory, with the parameters that both have."""
        check_is_fitted(self)
        own = self.get_params(deep=False)
        local = kind(**{k: v for k, v in own.items() if k in kind().get_params(deep=False)})
        for name, value in vars(self).items():
            if name.endswith("_") and not name.startswith("_"):
                setattr(local, name, value)
        local.n_layers_ = self.model_.net.depth + 1
        return local


def values_of(A: Any) -> Any:
    """Return the values of a frame or series as an array."""
    return A.values if hasattr(A, "values") and not isinstance(A, da.Array) else A
