"""`GGNRegressor` on dask collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from dask.base import is_dask_collection
from distributed import Client
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ggn import losses
from ggn.dask.estimator import DaskGGN, values_of
from ggn.dask.parts import width
from ggn.sklearn import GGNRegressor as LocalRegressor
from ggn.validation import ArgumentError

__all__ = ["GGNRegressor"]


class GGNRegressor(RegressorMixin, DaskGGN):
    """Multilayer perceptron for regression, trained on the samples of a Dask cluster.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (20,)
    activation : str or Activation, or a sequence of them, default "tanh"
    loss : str or Loss, default "squared"
        The scale of a robust loss is in standard units of the targets.
    alpha : float, default 1e-4
        Penalty added to the mean loss, times the sum of squares of all weights but biases.
    scale : "standard" or None, default "standard"
        Whether inputs and targets are standardised inside the model.
    damping, step
        See `ggn.train`.
    max_iter : int, default 1000
    tol : float, default 1e-4
    n_restarts : int, default 1
        Runs from different initial weights, one after the other; the best is kept.
    early_stopping : bool, default False
        Hold out `validation_fraction` of every chunk, drawn at random, and stop once their loss
        has not fallen for `n_iter_no_change` steps.
    validation_fraction : float, default 0.1
    n_iter_no_change : int, default 10
    random_state : int, RandomState or None, default None
    callback : callable, optional
        See `ggn.train`; its weights are those in scaled units.
    client : distributed.Client, optional
        By default the current one; not kept in a pickle.

    Attributes
    ----------
    model_ : ggn.Model
    result_ : TrainResult
    restarts_ : ggn.fit.restarts.Restarts
    coefs_, intercepts_ : list of ndarray
    n_iter_, n_features_in_, n_outputs_ : int
    loss_ : float
    loss_curve_ : list of float
    feature_names_in_ : ndarray of str

    Notes
    -----
    Ctrl-C keeps the weights reached, once there are any, and is raised again.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from ggn.dask import GGNRegressor
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     X = da.linspace(-2, 2, 200, chunks=50)[:, None]
    ...     model = GGNRegressor((8,), alpha=1e-9, random_state=0, client=client)
    ...     y = model.fit(X, da.exp(-(X[:, 0] ** 2))).predict(X)
    ...     bool(abs(y - da.exp(-(X[:, 0] ** 2))).max().compute() < 1e-3)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (20,),
        activation: Any = "tanh",
        *,
        loss: Any = "squared",
        alpha: float = 1e-4,
        scale: str | None = "standard",
        damping: Any = "levenberg_marquardt",
        step: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        n_restarts: int = 1,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
        client: Client | None = None,
    ) -> None:
        self._keep_parameters(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GGNRegressor:
        """Train on dask collections X (T, n_features) and y (T,) or (T, n_outputs).

        Parameters
        ----------
        X : dask array or data frame
        y : dask array, data frame or series
        sample_weight : dask array or series, optional

        Returns
        -------
        GGNRegressor
            Itself.

        Raises
        ------
        ValueError
            For data or parameters that cannot be used; NaN is named by chunk and row.
        ggn.dask.ClusterError
            If the cluster was lost before there were weights.
        """
        loss = losses.resolve(self.loss, "loss", losses.FOR_REGRESSION)
        if not is_dask_collection(y) or not hasattr(y, "ndim"):
            raise ArgumentError("y", f"must be a dask array or data frame, got {type(y).__name__}")
        also = {"_flat": y.ndim == 1, "out_activation_": "identity"}
        self._fit(X, y, sample_weight, loss, width(y), also)
        return self

    def predict(self, X: Any) -> Any:
        """Return the predicted targets, lazily for a dask collection.

        Parameters
        ----------
        X : dask array or data frame, or array_like, (T, n_features)

        Returns
        -------
        dask array, data frame or series, or ndarray

        Raises
        ------
        ValueError
            For columns other than the fit's, of a frame also for names in another order.
        """
        check_is_fitted(self)
        return self._predicted(X, "predict", self._flat)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², of dask collections computed on the cluster."""
        F, Y = values_of(self.predict(X)), values_of(y)
        s: Any = F * 0.0 + 1.0
        if sample_weight is not None:
            given = values_of(sample_weight)
            s = s * (given if F.ndim == 1 else given[:, np.newaxis])
        mean = (s * Y).sum(axis=0) / s.sum(axis=0)
        share = (s * (F - Y) ** 2).sum(axis=0) / (s * (Y - mean) ** 2).sum(axis=0)
        return float(np.mean(1.0 - np.asarray(share)))

    def to_local(self) -> LocalRegressor:
        """Return a `ggn.sklearn.GGNRegressor` with this fit."""
        local = self._local(LocalRegressor)
        local._flat = self._flat
        found: LocalRegressor = local
        return found
