"""`GGNClassifier`: a multilayer perceptron for scikit-learn, trained to its minimum."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from ggn.fit.task import Task
from ggn.io.classes import Classes
from ggn.sklearn import labels as labelling
from ggn.sklearn.base import BaseGGN
from ggn.sklearn.penalty import CROSS_VALIDATION, chosen

__all__ = ["GGNClassifier"]


class GGNClassifier(ClassifierMixin, BaseGGN):
    """Multilayer perceptron for classification, trained by the exact GGN method.

    Two classes are told apart by one output, more by one output per class; where samples may
    have several labels (y of zeros and ones, a column for each) an output says yes or no to each.
    Inputs are standardised inside the model; the fit minimises the weighted mean loss plus
    alpha ‖w‖².

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (20,)
        Units of each hidden layer; () for a linear model.
    activation : str or Activation, or a sequence of them, default "tanh"
        Of the hidden layers, see `ggn.activations`.
    loss : {"log_loss", "squared"}, default "log_loss"
        Cross-entropy of the classes' probabilities (logistic for two classes or several labels
        per sample, softmax for more classes), or squared error of 0 and 1, without probabilities.
    alpha : float or "cross_validation", default "cross_validation"
        A number is the penalty added to the mean loss, times the sum of squares of all
        weights but biases.  (For `MLPClassifier`, whose penalty is half of that divided by
        the number of samples T, it would be 2 T times this.)  With 0, classes that can
        be separated drive weights to infinity.
        "cross_validation": the number is chosen among powers of √10 by the loss of samples left
        out, a fifth at a time, copies together, in short trainings; then the fit is as if it had
        been given.  With early_stopping, and for fewer than 20 samples but copies, it means 1e-3.
    scale : {"standard", "minmax", "robust"} or None, default "standard"
        Units of inputs inside the model: mean zero and standard deviation one,
        from -1 to 1, median zero and 1.4826 MAD one, or as they are.
    damping : str or Damping, default "levenberg_marquardt"
    step : str or Step, default "auto"
        See `ggn.train`.
    max_iter : int, default 1000
        Largest number of steps.
    tol : float, default 1e-4
        A fit has converged where a step is smaller than this, relative to the weights, or
        reduces J by less than its square, relatively; see `ggn.train`.
    n_restarts : int, default 1
        Runs from different initial weights; the best is kept.
    n_jobs : int, optional
        Processes for the runs, see `ggn.train_restarts`.
    warm_start : bool, default False
        Whether `fit` goes on from the weights and the scaling of the last fit, and with its
        penalty unless alpha is a number.
    early_stopping : bool, default False
        Whether to hold samples out, stop once their loss has not fallen for
        n_iter_no_change steps, and keep the weights of its least.
    validation_fraction : float, default 0.1
        Of the samples of each class, to hold out.
    n_iter_no_change : int, default 10
    random_state : int, RandomState or None, default None
        For initial weights and the samples held out.
    callback : callable, optional
        Called after each step of the fit itself, see `ggn.train`; its weights are those for
        scaled inputs.
    verbose : bool, default False
        Whether to print a line per step.
    warn_outside : bool, default False
        Whether predictions warn of inputs outside the range of those trained on, with how many
        in which columns; see `outside_range`.
    class_weight : dict of label to float, "balanced" or None, default None
        What a sample of each class counts (1 where a dict is silent), times its own weight;
        "balanced": so much that all classes count the same.  Probabilities are then those of
        such a balance, not of the data.

    Attributes
    ----------
    classes_ : ndarray, (n_classes,)
        The labels, sorted; for several per sample the numbers of their columns.
    alpha_ : float
        The penalty.
    alpha_path_ : ndarray, (k, 2)
        Each alpha that was tried, with the mean loss of samples left out; empty where none was.
    coefs_ : list of ndarray
        Weights (n_(l-1), n_l) of each layer, with the scaling folded in: used as plain
        numbers, in `MLPClassifier`'s layout, they give the same predictions.
    intercepts_ : list of ndarray
        Biases (n_l,), likewise.
    n_iter_ : int
        Steps of the run kept.
    loss_ : float
        J at the weights kept.
    loss_curve_ : list of float
        J after each step of this fit.
    n_layers_, n_outputs_ : int
        Of layers inputs and outputs are counted; outputs: 1 for two classes.
    out_activation_ : str
        What makes probabilities of outputs: "logistic", "softmax"; "identity" for squared loss.
    input_range_ : ndarray, (2, n_features)
        Least and greatest of each column trained on.
    n_features_in_, feature_names_in_ : int, ndarray of str
        Names where X had column names, all of them strings.
    validation_scores_ : list of float
        Accuracy on samples held out after each step, without one once; only with early stopping.
    best_validation_score_ : float
        At the weights kept.
    model_ : ggn.Model
        Network, weights and scaling, with outputs as in `decision_function`, and the classes;
        `model_.save(path)` writes a file.
    result_ : TrainResult
        Of the run kept: status, history and what else `ggn.train` returns.
    restarts_ : ggn.fit.restarts.Restarts
        All runs; print it for the distribution of their losses.
    diagnosis_ : ggn.Diagnosis
        Why the fit stopped, in scaled units; print it.  Computed when first asked for, from the
        training data, which are kept until the estimator is pickled.

    Warns
    -----
    ConvergenceWarning
        If the fit ended otherwise than converged, with the reason.
    ExtrapolationWarning
        With warn_outside, when predicting.

    Notes
    -----
    Inputs that no sample varied do nothing: the weights of a constant column (constant up
    to rounding) are 0, and of all weights that predict the same of the training inputs, in
    the first layer those of least norm are kept.

    Ctrl-C keeps the weights reached, once the penalty is chosen, and is raised again.

    Examples
    --------
    >>> from ggn.sklearn import GGNClassifier
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> model = GGNClassifier((3,), random_state=0).fit(X, y)
    >>> print(*model.predict([[0, 0], [1, 0]]))
    no yes
    """

    classes_: np.ndarray
    class_weight: Any
    alpha_: float
    alpha_path_: Any
    n_estimators = 1
    _several: bool
    _chooser = CROSS_VALIDATION

    def __init__(
        self,
        hidden_layer_sizes: Any = (20,),
        activation: Any = "tanh",
        *,
        loss: str = "log_loss",
        alpha: Any = CROSS_VALIDATION,
        scale: str | None = "standard",
        damping: Any = "levenberg_marquardt",
        step: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-4,
        n_restarts: int = 1,
        n_jobs: int | None = None,
        warm_start: bool = False,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
        verbose: bool = False,
        warn_outside: bool = False,
        class_weight: Any = None,
    ) -> None:
        self._keep_parameters(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GGNClassifier:
        """Train on samples X with class labels y.

        Parameters
        ----------
        X : array_like, (T, n_features)
        y : array_like, (T,) or (T, n_labels)
            Labels of any type that can be sorted, of at least two classes; or zeros and
            ones, which of several labels a sample has.
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
        squared = labelling.is_squared(self.loss)
        X, checked, s = self._validated(X, y, sample_weight, multi_output=True)
        labels = labelling.read_labels(type(self).__name__, checked)
        several = labels.numbers is None
        if self.warm_start:
            labelling.check_same(self, labels)
        s = labelling.class_weights(self.class_weight, labels, s)
        loss, link = labelling.loss_of(labels, squared)
        score = functools.partial(labelling.accuracy, 0.5 if squared else 0.0, several)
        also = {"classes_": labels.classes, "_several": several, "out_activation_": link}
        column, outputs = labelling.named(y, several)
        also["_told"] = Classes(labels.classes, link, several, column=column)
        self._fit(X, labels.targets, s, loss, score, scale_targets=False, also=also,
                  labels=labels.numbers, targets=outputs)  # fmt: skip
        return self

    def _chosen(self, alpha: float, task: Task, seed: int, also: dict[str, Any]) -> float:
        found = alpha, np.empty((0, 2))
        if self._chooses and not self.early_stopping:
            first = task.last is None or not hasattr(self, "alpha_")
            found = chosen(task, seed) if first else (self.alpha_, self.alpha_path_)
        also["alpha_"], also["alpha_path_"] = found
        return found[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _network_targets(self, Y: Any) -> Any:
        return Y if self._several else labelling.targets_of(self.classes_, Y)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the outputs: logits or, for squared loss, estimates of 0 and 1.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T,) or (T, n_classes)
            For two classes, positive where the second is likelier; for several labels per
            sample, (T, n_labels), where the label is.
        """
        F = self._outputs(X)
        if F.shape[1] > 1 and not self._several:
            return F
        F = F - (0.5 if self.out_activation_ == "identity" else 0.0)
        return F if self._several else F[:, 0]

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest class of each sample.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T,) or (T, n_labels)
            As y was in `fit`.
        """
        F = self._outputs(X)
        found = self._kinds.indices(F)
        return found if self._several else self.classes_[found]

    @property
    def _kinds(self) -> Classes:
        kinds: Any = self.model_.classes
        return kinds  # type: ignore[no-any-return]

    @available_if(labelling.has_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : array_like, (T, n_features)

        Returns
        -------
        ndarray, (T, n_classes)
            Columns in the order of `classes_`; for several labels per sample, of each label.
        """
        F = self._outputs(X)
        return self._kinds.logarithms(F)

    @available_if(labelling.has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities, of the shape of `predict_log_proba`."""
        p: np.ndarray = np.exp(self.predict_log_proba(X))
        return p
