"""Data and parameters that the estimators cannot use: one sentence each."""

import numpy as np
import pytest
from sklearn import exceptions
from sklearn.base import clone
from sklearn_data import BOTH, classification, data

from ggn.sklearn import GGNClassifier, GGNRegressor

R, C = GGNRegressor(3, max_iter=2), GGNClassifier(3, max_iter=2)
NAN = np.array([[0.0, np.nan], [1.0, 2.0], [3.0, 4.0]])
OK = np.array([[0.0, 1.0], [1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("model", "X", "y", "s", "sentence"),
    [
        (R, NAN, [1, 2, 3], None, "Input X contains NaN"),
        (C, NAN, [0, 1, 1], None, "Input X contains NaN"),
        (R, OK, [1, np.nan, 3], None, "Input y contains NaN"),
        (C, OK, [1, np.nan, 0], None, "Input y contains NaN"),
        (R, [[0.0], [np.inf], [1.0]], [1, 2, 3], None, "Input X contains infinity"),
        (R, OK[:1], [1], None, r"Found array with 1 sample\(s\).* minimum of 2 is required"),
        (C, OK[:1], [1], None, r"Found array with 1 sample\(s\).* minimum of 2 is required"),
        (C, OK, [1, 1, 1], None, r"needs samples of at least 2 classes.* only one class: .*1"),
        (C, OK, [0, 1, 1], [0, 1, 1], r"needs samples of at least 2 classes"),
        (R, OK, [1, 2, 3], [0, 0, 0], "Sample weights must contain at least one non-zero number"),
        (C, OK, [0, 1, 1], [0, 0, 0], "Sample weights must contain at least one non-zero number"),
        (R, OK, [1, 2, 3], [1, -1, 1], "Negative values in data passed to `sample_weight`"),
        (R, OK, [1, 2, 3], [1, 1], r"sample_weight.shape == \(2,\), expected \(3,\)"),
        (R, OK, [1, 2, 3], [1, np.nan, 1], "Input sample_weight contains NaN"),
        (R, OK, [1, 2, 3], [10**400], "sample_weight must be of numbers that float64"),
        (C, OK, [0, 1, 1], range(2**62), "sample_weight must be of numbers that float64"),
        (R, OK, ["a", "b", "c"], None, "could not convert string to float"),
        (R, [["a", "b"], ["c", "d"]], [1, 2], None, "could not convert string to float"),
        (C, OK, [0.1, 0.2, 0.3], None, "Unknown label type: continuous"),
        (C, OK, [1e200, -1e200, 2e200], None, "Unknown label type: continuous"),
        (C, OK, [[0, 1], [1, 0], [1, 2]], None, "y should be a 1d array"),
        (R, OK, [1, 2], None, r"inconsistent numbers of samples: \[3, 2\]"),
        (R, OK[:, 0], [1, 2, 3], None, "Expected 2D array, got 1D array instead"),
        (R, OK, None, None, "requires y to be passed, but the target y is None"),
    ],
)  # fmt: skip
def test_data_that_cannot_be_used(model, X, y, s, sentence):
    with pytest.raises(ValueError, match=sentence):
        clone(model).fit(X, y, s)


@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        (
            "hidden_layer_sizes",
            (3, 0),
            r"^hidden_layer_sizes\[1\] must be an integer of at least 1",
        ),
        ("hidden_layer_sizes", 2.5, r"^hidden_layer_sizes\[0\] must be an integer of at least 1"),
        ("activation", "tan", r"^activation must be one of .*did you mean 'tanh'"),
        ("loss", "log", r"^loss must be one of .*, got 'log'"),
        ("loss", "logistic", r"^loss must be one of .*, got 'logistic'"),
        ("alpha", -1.0, r"^alpha must be a number in \[0, inf\), got -1"),
        ("scale", "mapstd", r"^scale must be one of .*minmax, robust, standard, got 'mapstd'"),
        ("damping", "lm", r"^damping must be one of"),
        ("step", "newton", r"^step must be one of"),
        ("max_iter", 0, r"^max_iter must be an integer of at least 1, got 0"),
        ("tol", -1.0, r"^tol must be a number"),
        ("n_restarts", 0, r"^n_restarts must be an integer of at least 1, got 0"),
        ("validation_fraction", 1.0, r"^validation_fraction must be a number in \(0, 1\), got 1"),
        ("n_iter_no_change", 0, r"^n_iter_no_change must be an integer of at least 1, got 0"),
        ("callback", 3, r"^callback must be callable, got 3"),
        ("random_state", "seed", r"cannot be used to seed"),
        ("step", "adam", r"^step must be one of .*, got 'adam'$"),  # near to none
    ],
)
def test_parameters_that_cannot_be_used(estimator, parameter, value, sentence):
    X, y = data(estimator)
    with pytest.raises(ValueError, match=sentence):
        estimator(early_stopping=True).set_params(**{parameter: value}).fit(X, y)


@pytest.mark.parametrize("estimator", BOTH)
def test_predicting_what_was_never_learnt(estimator):
    X, y = data(estimator)
    with pytest.raises(exceptions.NotFittedError, match="is not fitted yet"):
        estimator().predict(X)
    assert not hasattr(estimator(), "coefs_")
    model = estimator(3, alpha=0.1).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 1 features, but GGN\w+ is expecting \d features"):
        model.predict(X[:, :1])
    with pytest.raises(ValueError, match="Input X contains infinity"):
        model.predict(np.full_like(X, np.inf))


def test_a_class_too_small_to_hold_out():
    X, y = classification(2)
    y[0] = "only one"
    with pytest.raises(ValueError, match="least populated class"):
        GGNClassifier(early_stopping=True).fit(X, y)


def test_names_are_spelt_with_hyphens_too():
    X, y = np.array([[-1.0], [-0.5], [0.5], [1.0]]), [0, 0, 1, 1]
    one, other = (
        GGNClassifier((2,), loss=name, random_state=0).fit(X, y)
        for name in ("log_loss", "log-loss")
    )
    assert (one.predict_proba(X) == other.predict_proba(X)).all()
    with pytest.raises(ValueError, match=r"^loss must be one of log_loss, squared"):
        GGNClassifier(loss="logloss").fit(X, y)


@pytest.mark.parametrize("kind", [GGNRegressor, GGNClassifier])
def test_one_weight_for_all_samples_is_real(kind):
    X, y = np.arange(12.0)[:, np.newaxis], np.arange(12) % 2
    for weight in (2 + 1j, np.complex128(2.0), 10**400, -1.0):
        with pytest.raises(ValueError, match=r"^sample_weight must be a number"):
            kind((2,), max_iter=3).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("y", [[2.0, 2.0, 2.0, 2.0], [1.0, 4.0]])
def test_early_stopping_of_what_is_a_minimum_at_the_start(y):
    """Constant targets, or one sample to train on, are met by a constant: no step is taken."""
    X = np.arange(float(len(y)))[:, np.newaxis]
    model = GGNRegressor(3, alpha=0.0, early_stopping=True, random_state=0).fit(X, y)
    assert model.n_iter_ == 0
    assert len(model.validation_scores_) == 1
    held = model.model_.training.rows("validation")
    error = (model.predict(X) - y)[held] / model.model_.y_scale
    assert model.result_.validation_losses == pytest.approx([np.mean(error**2)], abs=1e-20)
