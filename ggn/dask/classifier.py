"""`GGNClassifier` on dask collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distributed import Client
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from ggn.dask.estimator import DaskGGN, values_of
from ggn.dask.labels import Encode, labels_of
from ggn.io.classes import Classes
from ggn.io.columns import of_data
from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy
from ggn.sklearn import GGNClassifier as LocalClassifier
from ggn.sklearn.labels import targets_of

__all__ = ["GGNClassifier"]


class GGNClassifier(ClassifierMixin, DaskGGN):
    """Multilayer perceptron for classification, trained on the samples of a Dask cluster.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (20,)
    activation : str or Activation, or a sequence of them, default "tanh"
    alpha : float, default 1e-3
        Penalty added to the mean cross-entropy, times the sum of squares of all weights but
        biases.
    scale, damping, step, max_iter, tol, n_restarts, early_stopping, validation_fraction
    n_iter_no_change, random_state, callback, client
        As of `GGNRegressor`; only inputs are standardised.

    Attributes
    ----------
    classes_ : ndarray, (n_classes,)
        The labels, sorted: found in one pass.
    model_, result_, restarts_, coefs_, intercepts_, n_iter_, n_features_in_, n_outputs_, loss_
    loss_curve_, feature_names_in_
        As of `GGNRegressor`.

    Notes
    -----
    Ctrl-C keeps the weights reached, once there are any, and is raised again.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from ggn.dask import GGNClassifier
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     X = da.linspace(-2, 2, 200, chunks=50)[:, None]
    ...     model = GGNClassifier((3,), random_state=1, tol=0.01, client=client)
    ...     model = model.fit(X, abs(X[:, 0]) > 1)
    ...     float((model.predict(X) == (abs(X[:, 0]) > 1)).mean().compute())
    1.0
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (20,),
        activation: Any = "tanh",
        *,
        alpha: float = 1e-3,
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GGNClassifier:
        """Train on dask collections X (T, n_features) and labels y (T,).

        Parameters
        ----------
        X : dask array or data frame
        y : dask array or series
        sample_weight : dask array or series, optional

        Returns
        -------
        GGNClassifier
            Itself.

        Raises
        ------
        ValueError
            For data or parameters that cannot be used, targets of regression, or labels of
            fewer than two classes, or more than a thousand.
        ggn.dask.ClusterError
            If the cluster was lost before there were weights.
        """
        labels = labels_of(self.client_, y)
        n_outputs = 1 if len(labels) == 2 else len(labels)
        loss: Loss = Logistic() if n_outputs == 1 else SoftmaxCrossEntropy()
        link = "logistic" if n_outputs == 1 else "softmax"
        also = {"classes_": labels, "out_activation_": link, "_several": False}
        (column,) = of_data(None, y).get("target_names", (None,))
        told = {"encode": Encode(labels), "classes": Classes(labels, link, column=column)}
        self._fit(X, y, sample_weight, loss, n_outputs, also, **told)
        return self

    def _network_targets(self, Y: Any) -> Any:
        return targets_of(self.classes_, super()._network_targets(Y))

    def decision_function(self, X: Any) -> Any:
        """Return the outputs: logits, (T,) of two classes, else (T, n_classes)."""
        check_is_fitted(self)
        return self._predicted(X, "outputs", len(self.classes_) == 2)

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of each sample, (T,), lazily for a dask collection."""
        check_is_fitted(self)
        return self._predicted(X, "classes", True, self.classes_)

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities of the classes, (T, n_classes), lazily likewise."""
        check_is_fitted(self)
        return self._predicted(X, "probabilities", False, self.classes_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of samples whose class is predicted, computed on the cluster."""
        right = values_of(self.predict(X)) == values_of(y)
        if sample_weight is None:
            return float(right.mean())
        s = values_of(sample_weight)
        return float((s * right).sum() / s.sum())

    def to_local(self) -> LocalClassifier:
        """Return a `ggn.sklearn.GGNClassifier` with this fit."""
        local = self._local(LocalClassifier)
        local._several = False
        found: LocalClassifier = local
        return found
