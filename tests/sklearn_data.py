"""Data for the estimators: several units, words for labels."""

import numpy as np
import pytest

from ggn.sklearn import GGNClassifier, GGNRegressor

BOTH = [GGNRegressor, GGNClassifier]
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regression(outputs=None, T=60, seed=0):
    """Inputs of several sizes, targets far from zero."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(T, 3))
    y = np.sin(Z[:, 0]) + Z[:, 1] * Z[:, 2] + 0.1 * rng.normal(size=T)
    y = (
        y
        if outputs is None
        else np.column_stack([(k + 1) * y + Z[:, k % 3] for k in range(outputs)])
    )
    return Z * [1.0, 100.0, 1e-3] + [5.0, -300.0, 0.0], 1000.0 + 50.0 * y


def classification(n_classes, T=90, seed=0):
    """Overlapping classes, labelled by words."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(T, 2))
    angle = np.arctan2(X[:, 1], X[:, 0]) + 0.4 * rng.normal(size=T)
    return X * [10.0, 0.1], np.array(["pear", "apple", "fig"])[
        np.digitize(angle, [-1.0, 1.0][: n_classes - 1])
    ]


def data(estimator, T=60):
    return regression(T=T) if estimator is GGNRegressor else classification(3, T=T)
