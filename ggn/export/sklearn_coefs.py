"""Weights as scikit-learn's `coefs_` and `intercepts_`, and models of its MLPRegressor.

coefs_ [K_1, K_2, ...]    intercepts_ [b_1, b_2, ...]    K_l, b_l of `ggn.export.layers`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn.activations import Activation, Identity
from ggn.export.layers import folded_layers
from ggn.export.reading import GivenLayer, chained_model, named_arrays
from ggn.fit.fitted import Fitted, as_model
from ggn.io import Model
from ggn.validation import describe, items, one_of

__all__ = ["from_mlp_regressor", "from_sklearn", "to_sklearn"]

# Our names of scikit-learn's activations.
NAMES = {
    "identity": "identity",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "exp": "exponential",
}


def to_sklearn(model: Fitted) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return `coefs_` and `intercepts_` for scikit-learn's MLPRegressor.

    Parameters
    ----------
    model : Model, TrainResult or estimator
        With one activation in all hidden layers, of those that MLPRegressor
        knows: identity, sigmoid (its "logistic"), tanh or relu.

    Returns
    -------
    coefs, intercepts : list of ndarray
        Float64, the scaling folded in, (n_{l-1}, n_l) and (n_l,).

    Raises
    ------
    ValueError
        If MLPRegressor cannot compute the model.

    Examples
    --------
    >>> import ggn
    >>> from ggn.export import to_sklearn
    >>> coefs, intercepts = to_sklearn(ggn.Model(ggn.MLP((2, 3, 1)), range(13)))
    >>> [K.shape for K in coefs], [b.shape for b in intercepts]
    ([(2, 3), (3, 1)], [(3,), (1,)])
    """
    model = as_model(model)
    layers = folded_layers(model)
    *hidden, last = (layer.activation for layer in layers)
    known = ("identity", "sigmoid", "tanh", "relu")
    if last != Identity() or any(
        a != hidden[0] or a.code < 0 or a.name not in known for a in hidden
    ):
        raise ValueError(
            f"model must have one of {', '.join(known)} in all hidden layers and the identity as "
            f"output activation to be an MLPRegressor, got {model.net!r}"
        )
    coefs = [layer.kernel for layer in layers]
    return coefs, [np.zeros(a.kernel.shape[1]) if a.bias is None else a.bias for a in layers]


def from_sklearn(
    coefs: Sequence[Any],
    intercepts: Sequence[Any],
    activation: str | Activation | Sequence[str | Activation],
    output_activation: str | Activation = "identity",
) -> Model:
    """Return the model of `coefs_` and `intercepts_`.

    Parameters
    ----------
    coefs, intercepts : sequence of array, (n_{l-1}, n_l) and (n_l,)
        One each per layer.
    activation : str or Activation, or a sequence of them
        Of all hidden layers, or one for each.
    output_activation : str or Activation, default "identity"

    Returns
    -------
    Model
        Without scaling.

    Raises
    ------
    ValueError
        If the arrays are not those of layers that follow each other.

    Examples
    --------
    >>> from ggn.export import from_sklearn
    >>> from_sklearn([[[2.0], [1.0]]], [[0.5]], "tanh").predict([[1.0, 3.0]])
    array([[5.5]])
    """
    kernels = named_arrays("coefs", coefs, (2,))
    biases = named_arrays("intercepts", intercepts, (1,))
    if len(kernels) != len(biases):
        raise ValueError(
            f"intercepts must hold one array for each of the {len(kernels)} of coefs, "
            f"got {len(biases)}"
        )
    given = [GivenLayer(*kernel, bias) for kernel, bias in zip(kernels, biases, strict=True)]
    return chained_model("coefs", given, activation, output_activation)


def from_mlp_regressor(estimator: Any) -> Model:
    """Return the model of a fitted MLPRegressor of scikit-learn.

    Parameters
    ----------
    estimator : MLPRegressor

    Returns
    -------
    Model
        Without scaling; with the names of the columns, if the estimator saw them.

    Raises
    ------
    ValueError
        For another object, one that is not fitted, or an activation that is not a
        function of one number.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neural_network import MLPRegressor
    >>> from ggn.export import from_mlp_regressor
    >>> X = np.linspace(0.0, 1.0, 20)[:, np.newaxis]
    >>> other = MLPRegressor(hidden_layer_sizes=(3,), activation="logistic", solver="lbfgs")
    >>> from_mlp_regressor(other.fit(X, X[:, 0]))
    Model(MLP((1, 3, 1), activation='sigmoid'), x1 -> y1)
    """
    if not hasattr(estimator, "coefs_") or not hasattr(estimator, "out_activation_"):
        raise ValueError(f"estimator must be a fitted MLPRegressor, got {describe(estimator)}")
    names = estimator.activation, estimator.out_activation_
    for name in names:
        one_of("estimator's activation", name, NAMES)
    hidden, output = (NAMES[name] for name in names)
    model = from_sklearn(estimator.coefs_, estimator.intercepts_, hidden, output)
    columns = getattr(estimator, "feature_names_in_", None)
    if columns is None:
        return model
    return Model(model.net, model.w, items("feature_names_in_", columns))
