"""A fit, a Model and an estimator are taken alike, and a model keeps what it was trained with."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ggn
from ggn import plot
from ggn.export import to_c, to_keras_weights, to_onnx, to_sklearn, to_torch_state_dict
from ggn.fit.fitted import as_model, as_result
from ggn.losses import BlakeZisserman, SmoothLp
from ggn.sklearn import GGNClassifier, GGNRegressor

RNG = np.random.default_rng(3)
X = RNG.uniform(1000.0, 3000.0, (60, 2))
Y = np.sin(X[:, 0] / 500.0) * 40.0 + X[:, 1]


@pytest.fixture(scope="module")
def regressor():
    return GGNRegressor((5,), random_state=0, tol=1e-1).fit(X, Y)


def same(a, b):
    """Whether two models are one function, said with the same names and numbers."""
    return to_c(a) == to_c(b)


def test_an_estimator_and_the_fit_inside_it_are_the_model(regressor):
    """Its fit's weights are for scaled data: a model without the scaling would be wrong."""
    for source in (regressor, regressor.result_, pickle.loads(pickle.dumps(regressor))):
        model = as_model(source)
        np.testing.assert_array_equal(model.predict(X)[:, 0], regressor.predict(X))
    assert as_model(regressor.model_) is regressor.model_
    assert as_result(regressor) is as_result(regressor.result_) is regressor.result_


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
@pytest.mark.parametrize(
    "train", [ggn.train, ggn.train_bayesian, ggn.train_robust], ids=lambda f: f.__name__
)
def test_a_fit_is_its_network_for_data_as_they_are(train):
    net = ggn.MLP((2, 3, 1))
    Z = (X - 2000.0) / 600.0
    fit = train(net, Z, (Y - Y.mean()) / Y.std(), max_iter=20)
    assert fit.net is net
    np.testing.assert_array_equal(as_model(fit).predict(Z), net.forward(fit.w, Z))
    assert as_model(fit).loss is fit.loss
    assert as_result(fit) is fit


@pytest.mark.parametrize(
    "write", [to_c, to_sklearn, to_keras_weights, to_torch_state_dict], ids=lambda f: f.__name__
)
def test_every_export_takes_an_estimator_a_fit_and_a_model(write, regressor):
    truth = pickle.dumps(write(regressor.model_))
    assert pickle.dumps(write(regressor)) == pickle.dumps(write(regressor.result_)) == truth


def test_onnx_takes_an_estimator(regressor, tmp_path):
    pytest.importorskip("onnx")
    for k, source in enumerate((regressor, regressor.model_)):
        to_onnx(source, tmp_path / f"{k}.onnx")
    assert (tmp_path / "0.onnx").read_bytes() == (tmp_path / "1.onnx").read_bytes()


@pytest.mark.parametrize(
    ("value", "way"),
    [
        (ggn.MLP((1, 1)), r"ggn\.Model\(net, w\) joins it and its weights"),
        (GGNRegressor(), "it is not fitted yet"),
        (ggn.train_restarts(ggn.MLP((1, 1)), [[1.0]], [1.0], n_restarts=1), r"its fit is \.best"),
        (np.zeros(3), r"got array\(\[0., 0., 0.\]\)$"),
        (GGNRegressor, "got <class"),
        (None, "got None"),
    ],
    ids=["net", "unfitted", "restarts", "weights", "class", "nothing"],
)
def test_what_is_none_of_them_is_told_where_they_are(value, way):
    for ask in (as_model, as_result, to_c, to_torch_state_dict):
        with pytest.raises(ValueError, match=rf"\.result_ and \.model_.*{way}") as caught:
            ask(value)
        assert "\n" not in str(caught.value)


def around(what):
    """Return something of scikit-learn's with a fitted estimator inside, and where it is."""
    one = GGNRegressor((3,), alpha=1e-3, random_state=0, tol=1e-1)
    piped = make_pipeline(StandardScaler(), one)
    return {
        "pipeline": (piped, lambda p: p[-1]),
        "search": (GridSearchCV(one, {"alpha": [1e-3]}, cv=2), lambda s: s.best_estimator_),
        "both": (
            GridSearchCV(piped, {"ggnregressor__alpha": [1e-3]}, cv=2),
            lambda s: s.best_estimator_[-1],
        ),
        "targets": (
            TransformedTargetRegressor(one, func=np.cbrt, inverse_func=lambda y: y**3),
            lambda t: t.regressor_,
        ),
        "several": (BaggingRegressor(one, 2, random_state=0), lambda b: b.estimators_[0]),
    }[what]


@pytest.mark.parametrize("what", ["pipeline", "search", "both", "targets", "several"])
@pytest.mark.filterwarnings("ignore")
def test_an_estimator_inside_another_thing_is_pointed_at(what):
    """It is not taken without a word, as what the rest does to data would be left out."""
    outer, inside = around(what)
    outer.fit(X, Y)
    asked = {
        "model": lambda it: to_c(it),
        "fit": lambda it: ggn.diagnose(it, X, Y),
        "w0": lambda it: ggn.train(ggn.MLP((2, 3, 1)), X, Y, w0=it, max_iter=1),
    }
    for argument, ask in asked.items():
        with pytest.raises(ValueError, match=rf"^{argument} must be .*: the estimator is ") as told:
            ask(outer)
        where = re.search(r": the estimator is (\S+?)(,|$)", str(told.value))[1]
        found = eval(where, {argument: outer})
        assert found is inside(outer)
        if what != "several":  # which has seen some of the samples
            ask(found)
        if what in ("pipeline", "both"):
            before = re.search(r"sees inputs as (\S+)\(X\) gives them", str(told.value))[1]
            given = eval(before, {argument: outer})(X)
            np.testing.assert_array_equal(found.predict(given), outer.predict(X))
        assert ("transformed targets" in str(told.value)) is (what == "targets")
        assert ("one of 2" in str(told.value)) is (what == "several")


@pytest.mark.parametrize("draw", [plot.history, plot.damping], ids=lambda f: f.__name__)
def test_pictures_of_a_run_take_an_estimator(draw, regressor):
    pytest.importorskip("matplotlib")
    with plot.figure(1, 2) as (_, axes):
        for ax, source in zip(axes[0], (regressor, regressor.result_), strict=True):
            draw(source, ax=ax)
    a, b = (ax.lines[0].get_ydata() for ax in axes[0])
    np.testing.assert_array_equal(a, b)
    for wrong in (regressor.model_, regressor.model_.net):
        with pytest.raises(ValueError, match=r"^result must be a fit, .*\.result_"):
            draw(wrong)


def test_a_model_has_no_history(regressor):
    with pytest.raises(ValueError, match=r"whose fit is \.result_, got Model.* has no history$"):
        as_result(regressor.model_)


@pytest.mark.parametrize("loss", ["squared", "cauchy", SmoothLp(1.5, 0.3), BlakeZisserman(2.0)])
@pytest.mark.parametrize("l2", [0.0, 1e-3, [0.0, 0.5]])
def test_a_model_keeps_the_loss_and_the_penalty_of_its_training(loss, l2, tmp_path):
    fit = ggn.train(ggn.MLP((1, 1)), [[0.0], [1.0]], [1.0, 3.0], loss, l2=l2, max_iter=3)
    as_model(fit).save(tmp_path / "m.npz")
    kept = ggn.Model.load(tmp_path / "m.npz")
    assert repr(kept.loss) == repr(fit.loss)
    np.testing.assert_array_equal(kept.l2, l2)


def test_a_file_may_tell_nothing_of_the_training(tmp_path):
    ggn.Model(ggn.MLP((1, 1)), [2.0, 1.0]).save(tmp_path / "m.npz")
    kept = ggn.Model.load(tmp_path / "m.npz")
    assert (kept.loss, kept.l2) == (None, None)
    own = ggn.Loss("own", *[lambda F, Y: F] * 3)
    ggn.Model(ggn.MLP((1, 1)), [2.0, 1.0], loss=own, l2=0.5).save(tmp_path / "m.npz")
    kept = ggn.Model.load(tmp_path / "m.npz")
    assert (kept.loss, kept.l2) == (None, 0.5)


@pytest.mark.parametrize("make", [GGNRegressor, GGNClassifier], ids=lambda f: f.__name__)
def test_an_estimators_model_is_enough_for_its_loss(make):
    """J of the model's own loss and penalty in its own units is that of the fit."""
    y = Y if make is GGNRegressor else (Y > np.median(Y)).astype(int)
    est = make((4,), alpha=1e-2, random_state=0, tol=1e-1).fit(X, y)
    model = as_model(est)
    Z, T = model.scaled(X, y)
    at = ggn.linearize(model.net, model.w, Z, T, model.loss, l2=model.l2)
    np.testing.assert_allclose(at.loss, est.loss_, rtol=1e-12)
    assert model.linearize(X, y).loss == at.loss


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
def test_printing_a_fit_shows_no_arrays():
    net, data = ggn.MLP((2, 30, 1)), RNG.normal(size=(400, 2))
    fit = ggn.train_bayesian(net, data, np.sin(data[:, 0]), max_iter=5)
    for text in (str(fit), repr(fit)):
        lines = text.splitlines()
        assert len(lines) <= len(fit) + 1
        assert max(map(len, lines)) < 120
        assert "X: array (400, 2), " in text
        assert f"net: {net!r}" in text
    assert repr(ggn.TrainResult(jac=np.full((3, 3), np.nan))) == "jac: array (3, 3)"


@pytest.mark.parametrize("ask", [lambda r: r.fun, lambda r: r["fun"], lambda: None])
def test_a_callback_that_gets_bare_weights_is_told_of_the_other_name(ask):
    with pytest.raises((AttributeError, IndexError, TypeError)) as caught:
        ggn.train(ggn.MLP((1, 1)), [[0.0], [1.0]], [1.0, 3.0], callback=ask)
    assert "name its one parameter intermediate_result" in caught.value.__notes__[0]


def test_another_error_of_a_callback_is_its_own():
    with pytest.raises(AttributeError) as caught:
        ggn.train(ggn.MLP((1, 1)), [[0.0], [1.0]], [1.0, 3.0], callback=lambda w: None.fun)
    assert not hasattr(caught.value, "__notes__")
