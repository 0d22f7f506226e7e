"""`GGNRegressor`: a multilayer perceptron for scikit-learn, trained to its minimum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from ggn import losses
from ggn.fit.class_targets import CLASSIFIER, hint_of_classes
from ggn.fit.mixture import Mixture
from ggn.fit.outliers import hint_of_outliers
from ggn.fit.scores import r2
from ggn.linearization.objective import zeros_and_ones
from ggn.sklearn.base import BaseGGN
from ggn.sklearn.evidence import against_outliers
from ggn.sklearn.parts import seed_of, target_names
from ggn.validation import describe, flag

__all__ = ["GGNRegressor"]


class GGNRegressor(MultiOutputMixin, RegressorMixin, BaseGGN):
    """Multilayer perceptron for regression, trained by the exact Generalised Gauss-Newton method.

    Inputs and targets are standardised inside the model, and in these units the fit
    minimises the weighted mean loss plus alpha ‖w‖².

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int or "auto", default "auto"
        Units of each hidden layer; () for a linear model; "auto" for one layer with a unit
        for every 20 numbers to fit, but 20 at least and 50 at most.
    activation : str or Activation, or a sequence of them, default "tanh"
        Of the hidden layers, see `ggn.activations`.
    loss : str or Loss, default "squared"
        "squared", or "cauchy", "blake_zisserman", "smooth_lp" against outliers, whose
        scale is chosen from the residuals as `ggn.train_robust` does, in several
        trainings; or an object, its scale in the units of the scaled targets.
    alpha : float or "evidence", default "evidence"
        A number is the penalty added to the mean loss, times the sum of squares of all
        weights but biases.  (For `MLPRegressor`, whose loss is half the mean square and whose
        penalty is divided by the number of samples T, it would be T times this.)
        "evidence": n_estimators networks are trained, each with penalties of its own, one
        for each input and each later layer, which the evidence proposes and a tenth of the
        samples, another one for each network, chooses among; then on all samples.  Their
        mean predicts; what they and their Laplace approximations leave open is the
        deviation.  With a loss other than "squared", with early_stopping and for more than
        4000 weights it means 1e-4.
    n_estimators : int, default 5
        Networks of the mixture, with alpha="evidence".
    noise : {"constant", "varying", "heavy_tailed", "contaminated"}, default "constant"
        How targets scatter, see `ggn.train_bayesian`; with alpha="evidence".  All targets have
        the same noise in standard units.
    scale : {"auto", "standard", "minmax", "robust"} or None, default "auto"
        Units inside the model: mean zero and standard deviation one (for a loss against outliers
        as "robust"), from -1 to 1, median zero and 1.4826 MAD one, or as they are. "auto" is
        "standard", with alpha="evidence" after an `AsinhTransform` of skewed inputs where it pays.
    damping : str or Damping, default "levenberg_marquardt"
    step : str or Step, default "auto"
        See `ggn.train`.
    max_iter : int, default 1000
        Largest number of steps.
    tol : float, default 1e-4
        A fit has converged where a step is smaller than this, relative to the weights, or
        reduces J by less than its square, relatively; see `ggn.train`.
    n_restarts : int, default 1
        With a number as alpha, runs from different initial weights; the best is kept.
    n_jobs : int, optional
        Processes for the runs, see `ggn.train_restarts`; with alpha="evidence" threads for the
        networks, by default as many as `ggn.threads` says.
    warm_start : bool, default False
        Whether `fit` goes on from the weights and the scaling of the last fit, of a mixture
        with the weights and the penalties of each network.
    early_stopping : bool, default False
        Whether to hold validation_fraction of the samples out, stop once their loss has not fallen
        for n_iter_no_change steps, and keep the weights of its least.
    validation_fraction : float, default 0.1
    n_iter_no_change : int, default 10
    random_state : int, RandomState or None, default None
        For initial weights and the samples held out.
    callback : callable, optional
        Called after each step, see `ggn.train`; its weights and loss are those in
        scaled units.
    verbose : bool, default False
        Whether to print a line per step.
    warn_outside : bool, default False
        Whether predictions warn of inputs outside the range of those trained on,
        with how many in which columns; see `outside_range`.

    Attributes
    ----------
    coefs_ : list of ndarray
        Weights (n_(l-1), n_l) of each layer, with the scaling, which must be linear, folded in:
        plain numbers, in `MLPRegressor`'s layout, that give the same predictions.
    intercepts_ : list of ndarray
        Biases (n_l,), likewise.
    n_iter_ : int
        Steps of the run kept; of a mixture, the largest number of a network's.
    loss_ : float
        J, in scaled units, at the weights kept; of a mixture, the mean loss of its mean.
    loss_curve_ : list of float
        J after each step of this fit; of a mixture, of the last steps of `result_.best`.
    n_layers_, n_outputs_ : int
        Of layers inputs and outputs are counted.
    out_activation_ : str
        "identity".
    input_range_ : ndarray, (2, n_features)
        Least and greatest of each column trained on.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had column names, all of them strings.
    validation_scores_ : list of float
        R² on samples held out after each step, without one once; only with early stopping.
    best_validation_score_ : float
        At the weights kept; nan where the targets held out are all the same: R² is undefined.
    model_ : ggn.Model
        Network, weights and scaling; `model_.save(path)` writes a file.  The mean of a mixture
        is one network, its members' hidden units side by side; with
        ``model_.posterior = result_.posterior`` a file has its deviations too.
    result_ : TrainResult
        Of the run kept, as `ggn.train` returns it; or the `ggn.fit.mixture.Mixture`.
    restarts_ : ggn.fit.restarts.Restarts
        All runs; print it for the distribution of their losses.
    diagnosis_ : ggn.Diagnosis
        Why the fit, or of a mixture `result_.best`, stopped, in scaled units; print it.
        Computed when first asked for, from the training data, which are kept until the
        estimator is pickled.

    Warns
    -----
    ConvergenceWarning
        If the fit ended otherwise than converged, with the reason.
    ExtrapolationWarning
        With warn_outside, when predicting.
    ClassTargetsWarning
        Where all targets are 0 or 1, of more samples than weights: see `GGNClassifier`.
    OutliersWarning
        A few targets are far from all others, squared loss and noise follow them; or inputs are.

    Notes
    -----
    Inputs that no sample varied do nothing: the weights of a constant column (constant up
    to rounding) are 0, and of all weights that predict the same of the training inputs, in
    the first layer those of least norm are kept.

    Ctrl-C keeps the weights reached, and is raised again.

    Examples
    --------
    >>> import numpy as np
    >>> from ggn.sklearn import GGNRegressor
    >>> x = np.linspace(-2, 2, 100)[:, np.newaxis]
    >>> y = np.exp(-(x[:, 0] ** 2))
    >>> model = GGNRegressor((8,), alpha=1e-9, random_state=0).fit(x, y)
    >>> bool(np.abs(model.predict(x) - y).max() < 1e-3)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = "auto",
        activation: Any = "tanh",
        *,
        loss: Any = "squared",
        alpha: Any = "evidence",
        n_estimators: int = 5,
        noise: str = "constant",
        scale: str | None = "auto",
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
    ) -> None:
        self._keep_parameters(locals())

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> GGNRegressor:
        """Train on samples X with targets y.

        Parameters
        ----------
        X : array_like, (T, n_features)
        y : array_like, (T,) or (T, n_outputs)
        sample_weight : array_like, (T,), optional
            A weight of 2 counts as the sample given twice, of 0 as not given.

        Returns
        -------
        GGNRegressor
            Itself.

        Raises
        ------
        ValueError
            For data or parameters that cannot be used.
        """
        loss = losses.resolve(self.loss, "loss", losses.FOR_REGRESSION)
        named = target_names(y)
        X, y, s = self._validated(X, y, sample_weight, multi_output=True, y_numeric=True)
        Y = y.astype(np.float64).reshape(len(y), -1)
        net = self._network(Y.shape[1], Y.size)
        hint_of_classes(net, Y.size, lambda: zeros_and_ones(Y), self.loss, CLASSIFIER)
        against = against_outliers(self.noise, self.alpha, loss, self.early_stopping, net)
        hint_of_outliers(X, Y, self.loss, against)
        also = {"_flat": y.ndim == 1, "out_activation_": "identity"}
        self._fit(X, Y, s, loss, _mean_r2, scale_targets=True, also=also, targets=named)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predicted targets; with return_std also the deviations of new ones.

        Parameters
        ----------
        X : array_like, (T, n_features)
        return_std : bool, default False
            Return (mean, deviation), of a fit with alpha="evidence".

        Returns
        -------
        ndarray, (T,) or (T, n_outputs), or a tuple of two
            As y was in `fit`.
        """
        Y = self._shaped(self._outputs(X))
        if not flag("return_std", return_std):
            return Y
        return Y, self._shaped(self._mixture("return_std").predict(self._inputs(X), True)[1])

    def predict_interval(self, X: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of intervals that hold new targets with this probability.

        Parameters
        ----------
        X : array_like, (T, n_features)
        level : float, default 0.9

        Returns
        -------
        tuple of ndarray, each as `predict` returns
        """
        low, high = self._mixture("predict_interval").intervals(self._inputs(X), level)
        return self._shaped(low), self._shaped(high)

    def log_likelihood(self, X: Any, y: Any) -> np.ndarray:
        """Return the logarithm of the predicted density at targets y, of the shape of y.

        Parameters
        ----------
        X : array_like, (T, n_features)
        y : array_like, (T,) or (T, n_outputs)
        """
        found = self._mixture("log_likelihood").log_likelihood(self._inputs(X), y)
        return self._shaped(found)

    def sample_y(self, X: Any, n_samples: int = 1, random_state: Any = 0) -> np.ndarray:
        """Draw new targets, each time of one function that the data allow, with noise.

        Parameters
        ----------
        X : array_like, (T, n_features)
        n_samples : int, default 1
        random_state : int, RandomState or None, default 0

        Returns
        -------
        ndarray, (T, n_samples) or (T, n_outputs, n_samples)
        """
        seed = seed_of(random_state)
        drawn = self._mixture("sample_y").sample(self._inputs(X), n_samples, seed)
        return drawn[:, 0] if self._flat else drawn

    def _shaped(self, Y: np.ndarray) -> np.ndarray:
        return Y.ravel() if self._flat else Y

    def _mixture(self, what: str) -> Mixture:
        check_is_fitted(self)
        if not isinstance(self.result_, Mixture):
            way = "" if self._chooses else "; ggn.train_bayesian, too, needs no search over alpha"
            raise ValueError(
                f"{what} needs a fit with alpha='evidence', and loss='squared', no early_stopping "
                f"and at most 4000 weights; got alpha={describe(self.alpha)}, "
                f"loss={describe(self.loss)}, {self.model_.net.n_weights} weights{way}"
            )
        return self.result_


def _mean_r2(Y: np.ndarray, F: np.ndarray, weights: np.ndarray | None) -> float:
    return float(r2(Y, F, weights).mean())
