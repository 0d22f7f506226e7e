"""The estimators: scikit-learn's own checks, known answers, and what they leave behind."""

import importlib
import io
import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn_data import BOTH, classification, data, quiet, regression

import ggn
from ggn.sklearn import GGNClassifier, GGNRegressor

# --------------------------------------------------------------------- scikit-learn's own checks


@parametrize_with_checks(
    [
        GGNRegressor(max_iter=20),
        GGNRegressor((4, 4), alpha=1e-4, scale="minmax", n_restarts=2, max_iter=10),
        GGNClassifier(max_iter=20),
        GGNClassifier(loss="squared", scale=None, max_iter=20),
    ],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_sparse_data": "1.6.0 asks it of all estimators"
    },
)
@quiet
@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")  # of fewer samples than inputs
def test_scikit_learn_checks(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # or one check is skipped
    check(estimator)


def test_without_scikit_learn(monkeypatch):
    for name in [n for n in sys.modules if n.startswith("ggn.sklearn")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn.utils.validation", None)
    with pytest.raises(
        ImportError, match=r"scikit-learn 1.6 or newer: pip install 'ggn\[sklearn\]'"
    ):
        importlib.import_module("ggn.sklearn")


# ------------------------------------------------------------------------------- known answers


@pytest.mark.parametrize("outputs", [None, 3])
@pytest.mark.parametrize("scale", ["standard", "minmax", None])
@pytest.mark.parametrize("weighted", [False, True])
def test_without_hidden_layer_or_penalty_it_is_linear_regression(outputs, scale, weighted):
    X, y = regression(outputs)
    s = np.random.default_rng(1).uniform(0.1, 5.0, len(X)) if weighted else None
    ours = GGNRegressor((), alpha=0.0, scale=scale, tol=1e-9).fit(X, y, s)
    theirs = LinearRegression().fit(X, y, s)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)
    assert ours.score(X, y, s) == pytest.approx(theirs.score(X, y, s), abs=1e-9)


def test_alpha_is_the_penalty_on_the_mean_loss_of_scaled_data():
    """Ridge adds its alpha to the sum: T times ours; the biases of centred data are zero."""
    X, y = regression()
    Z, z = StandardScaler().fit_transform(X), (y - y.mean()) / y.std()
    ridge = Ridge(alpha=0.3 * len(X)).fit(Z, z)
    ours = GGNRegressor((), alpha=0.3, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), y.mean() + y.std() * ridge.predict(Z), rtol=1e-9)
    J = np.mean((ridge.predict(Z) - z) ** 2) + 0.3 * np.sum(ridge.coef_**2)
    assert ours.loss_ == pytest.approx(J, rel=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_without_hidden_layer_or_penalty_it_is_logistic_regression(n_classes):
    X, y = classification(n_classes)
    ours = GGNClassifier((), alpha=0.0, tol=1e-9).fit(X, y)
    theirs = make_pipeline(
        StandardScaler(), LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-9, max_iter=500)
    ).fit(X, y)
    p = theirs.predict_proba(X)
    np.testing.assert_allclose(ours.predict_proba(X), p, atol=1e-6)
    np.testing.assert_allclose(ours.predict_log_proba(X), np.log(p), atol=1e-4)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    if n_classes == 2:
        np.testing.assert_allclose(
            ours.decision_function(X), theirs.decision_function(X), atol=1e-5
        )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_squared_loss_without_hidden_layer_regresses_indicators(n_classes):
    X, y = classification(n_classes)
    ours = GGNClassifier((), loss="squared", alpha=0.0, tol=1e-9).fit(X, y)
    indicators = 1.0 * (y[:, np.newaxis] == ours.classes_)
    F = LinearRegression().fit(X, indicators).predict(X)
    assert np.array_equal(ours.predict(X), ours.classes_[F.argmax(axis=1)])
    expected = F[:, 1] - 0.5 if n_classes == 2 else F
    np.testing.assert_allclose(ours.decision_function(X), expected, atol=1e-7)
    assert not hasattr(ours, "predict_proba")
    with pytest.raises(AttributeError, match="predict_log_proba"):
        ours.predict_log_proba(X)


def test_probabilities_far_out_keep_their_logarithms():
    X, y = classification(2)
    model = GGNClassifier((), alpha=1e-3).fit(X, y)
    far = 1e4 * X[:5]
    F = model.decision_function(far)
    logarithms = model.predict_log_proba(far)
    assert np.abs(F).min() > 50.0
    np.testing.assert_allclose(logarithms.min(axis=1), -np.abs(F), rtol=1e-12)
    assert model.predict_proba(far).sum(axis=1) == pytest.approx(1.0)


def test_outliers_and_a_robust_loss():
    X, y = regression(T=200)
    clean = y.copy()
    y[::10] += 2000.0
    squared, robust = (
        GGNRegressor(6, loss=loss, alpha=1e-4, random_state=0).fit(X, y)
        for loss in ("squared", ggn.losses.Cauchy(0.1))
    )
    error = [np.sqrt(np.mean((m.predict(X) - clean) ** 2)) for m in (squared, robust)]
    assert error[1] < 15.0 < 100.0 < error[0]


# ----------------------------------------------------------------------------- units and weights


@quiet
@pytest.mark.parametrize("estimator", BOTH)
@pytest.mark.parametrize("scale", ["standard", "minmax", None])
def test_weights_are_repetitions(estimator, scale):
    """Rows of weight 0 may hold anything, and their labels are no classes."""
    X, y = data(estimator, 40)
    times = np.random.default_rng(0).integers(0, 4, len(X))
    X[times == 0] *= 1e3
    if estimator is GGNClassifier:
        y = y.astype(object)
        y[times == 0] = "zebra"
    if scale is None:
        X = X / [1.0, 100.0, 1e-3][: X.shape[1]]
    model = estimator(5, scale=scale, random_state=0, max_iter=8)
    weighted = clone(model).fit(X, y, times)
    repeated = clone(model).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-9)
    method = "predict" if estimator is GGNRegressor else "predict_proba"
    kept = X[times > 0]
    np.testing.assert_allclose(
        getattr(weighted, method)(kept), getattr(repeated, method)(kept), rtol=1e-7
    )


@quiet
@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_units_of_the_data_do_not_matter(scale):
    X, y = regression()
    model = GGNRegressor(5, scale=scale, random_state=0, max_iter=10)
    plain = model.fit(X, y).predict(X)
    other = model.fit(1e5 * X + [1e7, 0.0, 1.0], 1e-6 * y - 3.0).predict(1e5 * X + [1e7, 0.0, 1.0])
    np.testing.assert_allclose((other + 3.0) * 1e6, plain, rtol=1e-6)


@quiet
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
@pytest.mark.parametrize("scale", ["standard", "minmax", None])
@pytest.mark.parametrize("outputs", [None, 2])
def test_coefs_are_those_of_mlp_regressor(hidden, scale, outputs):
    """scikit-learn's network with our weights predicts the same from data in their own units."""
    X, y = regression(outputs)
    X = X / [1.0, 100.0, 1e-3]
    ours = GGNRegressor(hidden, scale=scale, random_state=0, max_iter=10).fit(X, y)
    side_by_side = ours.model_.net.sizes[1:-1]  # of the networks whose mean this is
    assert side_by_side == tuple(5 * n for n in hidden)
    theirs = MLPRegressor(hidden_layer_sizes=side_by_side, activation="tanh", max_iter=1).fit(X, y)
    assert [c.shape for c in ours.coefs_] == [c.shape for c in theirs.coefs_]
    assert [b.shape for b in ours.intercepts_] == [b.shape for b in theirs.intercepts_]
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name)
    theirs.coefs_, theirs.intercepts_ = ours.coefs_, ours.intercepts_
    np.testing.assert_allclose(theirs.predict(X), ours.predict(X), rtol=1e-12)


@quiet
@pytest.mark.parametrize("n_classes", [2, 3])
def test_coefs_are_those_of_mlp_classifier(n_classes):
    X, y = classification(n_classes)
    ours = GGNClassifier((4, 3), random_state=0, max_iter=10).fit(X, y)
    theirs = MLPClassifier(hidden_layer_sizes=(4, 3), activation="tanh", max_iter=1).fit(X, y)
    assert ours.out_activation_ == theirs.out_activation_
    assert ours.n_outputs_ == theirs.n_outputs_
    theirs.coefs_, theirs.intercepts_ = ours.coefs_, ours.intercepts_
    np.testing.assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), rtol=1e-10)


@quiet
def test_the_model_goes_into_a_file(tmp_path):
    X, y = regression(2)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    model = GGNRegressor(4, random_state=0, max_iter=5).fit(frame, y)
    model.model_.save(tmp_path / "m.npz")
    loaded = ggn.Model.load(tmp_path / "m.npz")
    assert loaded.input_names == ("a", "b", "c")
    assert np.array_equal(loaded.predict(X), model.predict(frame))


# --------------------------------------------------------------------------------- in the ecosystem


@quiet
@pytest.mark.parametrize("estimator", BOTH)
def test_data_frames_go_in(estimator):
    X, y = data(estimator)
    names = ["mass", "length", "age"][: X.shape[1]]
    frame, target = pd.DataFrame(X, columns=names), pd.Series(y, name="target")
    model = estimator(4, random_state=0, max_iter=5)
    plain = model.fit(X, y).predict(X)
    fitted = model.fit(frame, target)
    assert fitted.feature_names_in_.tolist() == names
    assert np.array_equal(fitted.predict(frame), plain)
    assert isinstance(fitted.predict(frame), np.ndarray)
    with pytest.raises(ValueError, match=r"Feature names seen at fit time, yet now missing"):
        fitted.predict(frame.drop(columns="mass"))
    with pytest.raises(ValueError, match=r"The feature names should match"):
        fitted.predict(frame.rename(columns={"mass": "weight"}))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        fitted.predict(X)


@quiet
@pytest.mark.parametrize("estimator", BOTH)
def test_copies_predict_the_same(estimator, tmp_path):
    X, y = data(estimator)
    model = estimator(4, random_state=0, max_iter=5, n_restarts=2).fit(X, y)
    expected = model.predict(X)
    joblib.dump(model, tmp_path / "m.joblib")
    stream = io.BytesIO(pickle.dumps(model))
    for twin in (joblib.load(tmp_path / "m.joblib"), pickle.load(stream), clone(model).fit(X, y)):
        assert np.array_equal(twin.predict(X), expected)
        assert twin.loss_curve_ == model.loss_curve_


@quiet
def test_in_a_pipeline_and_a_grid_search():
    X, y = load_iris(return_X_y=True)
    pipe = make_pipeline(StandardScaler(), GGNClassifier(scale=None, random_state=0, max_iter=30))
    grid = {
        "ggnclassifier__hidden_layer_sizes": [(), 3, (3, 2)],
        "ggnclassifier__alpha": [1e-3, 100.0],
    }
    search = GridSearchCV(pipe, grid, scoring="neg_log_loss", cv=3, n_jobs=2).fit(X, y)
    assert search.best_params_["ggnclassifier__alpha"] == 1e-3
    assert search.score(X, y) > -0.15
    assert np.mean(search.predict(X) == y) > 0.95


@quiet
@pytest.mark.parametrize("labels", [[3, -1], [True, False], ["b", "a", "c"], [2.0, 5.0, 1.0]])
def test_labels_of_any_kind(labels):
    X, words = classification(len(labels))
    y = np.array(labels)[np.unique(words, return_inverse=True)[1]]
    model = GGNClassifier(4, random_state=0, max_iter=10).fit(X, y)
    assert model.classes_.tolist() == sorted(labels)
    assert model.classes_.dtype == model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.6


@quiet
@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 2)])
def test_predictions_have_the_shape_of_the_targets(shape):
    X, y = regression(2)
    y = y[:, : np.prod(shape) // 60].reshape(shape)
    assert GGNRegressor(3, max_iter=3).fit(X, y).predict(X).shape == shape
