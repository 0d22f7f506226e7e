"""`GGNClassifier`: a multilayer perceptron for scikit-learn, trained to its minimum."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy, Squared
from ggn.sklearn.base import BaseGGN
from ggn.validation import spelled

__all__ = ["GGNClassifier"]

LOSSES = ("log_loss", "squared")


def _has_probabilities(estimator: GGNClassifier) -> bool:
    """Whether the loss makes outputs logarithms of probabilities."""
    if spelled("loss", estimator.loss, LOSSES) != "log_loss":
        raise AttributeError(f"probabilities need loss='log_loss', got loss={estimator.loss!r}")
    return True


class GGNClassifier(ClassifierMixin, BaseGGN):
    """Multilayer perceptron for classification, trained by the exact GGN method.

    Two classes are told apart by one output, more by one output per class.
    Inputs are standardised inside the model; the fit minimises the weighted mean
    loss plus alpha ‖w‖².

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (20,)
        Units of each hidden layer; () for a linear model.
    activation : str or Activation, or a sequence of them, default "tanh"
        Of the hidden layers, see `ggn.activations`.
    loss : {"log_loss", "squared"}, default "log_loss"
        Cross-entropy of the classes' probabilities (logistic for two classes,
        softmax for more), or squared error of 0 and 1, without probabilities.
    alpha : float, default 1e-3
        Penalty added to the mean loss, times the sum of squares of all weights and
        biases.  (For `MLPClassifier`, whose penalty is half of that divided by the
        number of samples T, it would be 2 T times this.)  With 0, classes that can
        be separated drive weights to infinity.
    scale : {"standard", "minmax"} or None, default "standard"
        Units of inputs inside the model: mean zero and standard deviation one,
        from -1 to 1, or as they are.
    damping : str or Damping, default "levenberg_marquardt"
    step : str or Step, default "auto"
        See `ggn.train`.
    max_iter : int, default 1000
        Largest number of steps.
    tol : float, default 1e-2
        A fit has converged where a step is smaller than this, relative to the
        weights, or reduces J by less than its square, relatively; see `ggn.train`.
    n_restarts : int, default 1
        Runs from different initial weights; the best is kept.
    n_jobs : int, optional
        Processes for the runs, see `ggn.train_restarts`.
    warm_start : bool, default False
        Whether `fit` goes on from the weights and the scaling of the last fit.
    early_stopping : bool, default False
        Whether to hold samples out, stop once their loss has not fallen for
        n_iter_no_change steps, and keep the weights of its least.
    validation_fraction : float, default 0.1
        Of the samples of each class, to hold out.
    n_iter_no_change : int, default 10
    random_state : int, RandomState or None, default None
        For initial weights and the samples held out.
    callback : callable, optional
        Called after each step, see `ggn.train`; its weights are those for scaled
        inputs.
    verbose : bool, default False
        Whether to print a line per step.

    Attributes
    ----------
    classes_ : ndarray, (n_classes,)
        The labels, sorted.
    coefs_ : list of ndarray
        Weights (n_(l-1), n_l) of each layer, with the scaling folded in: used as
        plain numbers, in `MLPClassifier`'s layout, they give the same predictions.
    intercepts_ : list of ndarray
        Biases (n_l,), likewise.
    n_iter_ : int
        Steps of the run kept.
    loss_ : float
        J at the weights kept.
    loss_curve_ : list of float
        J after each step of this fit.
    n_layers_ : int
        Inputs and outputs counted.
    n_outputs_ : int
        1 for two classes.
    out_activation_ : str
        What makes probabilities of outputs: "logistic" or "softmax"; "identity" for
        squared loss.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had column names, all of them strings.
    validation_scores_ : list of float
        Accuracy on the samples held out, after each step; only with early stopping.
    best_validation_score_ : float
        At the weights kept.
    model_ : ggn.Model
        Network, weights and scaling, with outputs as in `decision_function`;
        `model_.save(path)` writes a file.
    result_ : TrainResult
        Of the run kept: status, history and what else `ggn.train` returns.
    restarts_ : ggn.fit.restarts.Restarts
        All runs; print it for the distribution of their losses.
    diagnosis_ : ggn.Diagnosis
        Why the fit stopped, in scaled units; print it.  Computed when first asked for,
        from the training data, which are kept until the estimator is pickled.

    Warns
    -----
    ConvergenceWarning
        If the fit ended otherwise than converged, with the reason.

    Examples
    --------
    >>> from ggn.sklearn import GGNClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> model = GGNClassifier((3,), random_state=0).fit(X, y)
    >>> print(*model.predict([[0, 0], [1, 0]]))
    no yes
    """

    classes_: np.ndarray

    def __init__(
        self,
        hidden_layer_sizes: Any = (20,),
        activation: Any = "tanh",
        *,
        loss: str = "log_loss",
        alpha: float = 1e-3,
        scale: str | None = "standard",
        damping: Any = "levenberg_marquardt",
        step: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-2,
        n_restarts: int = 1,
        n_jobs: int | None = None,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
        verbose: bool = False,
    ) -> None:
        self._keep_parameters(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GGNClassifier:
        """Train on samples X with class labels y.

        Parameters
        ----------
        X : array_like, (T, n_features)
        y : array_like, (T,)
            Labels of any type that can be sorted, of at least two classes.
        sample_weight : array_like, (T,), optional
            A weight of 2 counts as the sample given twice, of 0 as not given.

        Returns
        -------
        GGNClassifier
            Itself.

        Raises
        ------
        ValueError
            For data or parameters that cannot be used.
        """
        squared = spelled("loss", self.loss, LOSSES) == "squared"
        X, y, s = self._validated(X, y, sample_weight)
        check_classification_targets(y)
        classes, labels = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, but the data has "
                f"only one class: {classes[0]}"
            )
        if self.warm_start and not np.array_equal(getattr(self, "classes_", classes), classes):
            raise ValueError(
                f"warm_start=True goes on with the classes of the last fit, {self.classes_}; "
                f"got {classes}"
            )
        two = len(classes) == 2
        Y = labels[:, np.newaxis].astype(np.float64) if two else np.eye(len(classes))[labels]
        cross_entropy: Loss = Logistic() if two else SoftmaxCrossEntropy()
        loss = Squared() if squared else cross_entropy
        score = functools.partial(_accuracy, 0.5 if squared else 0.0)
        self._fit(X, Y, s, loss, score, scale_targets=False, labels=labels)
        self.classes_ = classes
        names = {Squared: "identity", Logistic: "logistic", SoftmaxCrossEntropy: "softmax"}
        self.out_activation_ = names[type(loss)]
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the outputs: logits or, for squared loss, estimates of 0 and 1.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T,) or (T, n_classes)
            For two classes, positive where the second is likelier.
        """
        F = self._outputs(X)
        if F.shape[1] > 1:
            return F
        return F[:, 0] - (0.5 if self.out_activation_ == "identity" else 0.0)

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest class of each sample.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T,)
        """
        F = self.decision_function(X)
        labels: np.ndarray = self.classes_[
            F.argmax(axis=1) if F.ndim > 1 else (F > 0.0).astype(int)
        ]
        return labels

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T, n_classes)
            Columns in the order of `classes_`.
        """
        F = self.decision_function(X)
        if F.ndim == 1:
            return np.column_stack([log_expit(-F), log_expit(F)])
        logarithms: np.ndarray = log_softmax(F, axis=1)
        return logarithms

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T, n_classes)
            Columns in the order of `classes_`.
        """
        p: np.ndarray = np.exp(self.predict_log_proba(X))
        return p


def _accuracy(threshold: float, Y: np.ndarray, F: np.ndarray, weights: np.ndarray | None) -> float:
    right = (
        (F[:, 0] > threshold) == (Y[:, 0] > 0.5)
        if F.shape[1] == 1
        else F.argmax(axis=1) == Y.argmax(axis=1)
    )
    return float(np.average(right, weights=weights))
