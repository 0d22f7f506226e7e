"""Classes in models and their files, and in what other programs are given."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess

import numpy as np
import pytest

import ggn
from ggn.export import to_c, to_onnx
from ggn.io import Model
from ggn.io.archive import ARRAYS
from ggn.io.classes import Classes
from ggn.sklearn import GGNClassifier

COMPILER = shutil.which("cc") or shutil.which("gcc")
FLAGS = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]


def plain(kind, F):
    """Probabilities from their definition."""
    if kind == "softmax":
        e = np.exp(F)
        return e / e.sum(axis=1, keepdims=True)
    p = 1.0 / (1.0 + np.exp(-F))
    return np.hstack([1.0 - p, p]) if kind == "two" else p


def classifier(kind):
    loss, n, labels = {
        "two": ("logistic", 1, ["no", "yes"]),
        "softmax": ("softmax_cross_entropy", 3, ["größe", 'a "b" ??=\\', "*/"]),
        "several": ("logistic", 3, ["x", "y", "z"]),
        "squared": ("squared", 3, [1, 2, 3]),
        "squared two": ("squared", 1, [0.5, 2.5]),
    }[kind]
    net = ggn.MLP((2, 4, n))
    w = 2.0 * np.random.default_rng(1).standard_normal(net.n_weights)
    return Model(net, w, x_mean=[3.0, -1.0], x_scale=[2.0, 0.5], loss=loss, classes=labels)


KINDS = ["two", "softmax", "several", "squared", "squared two"]
X = np.random.default_rng(0).normal([3.0, -1.0], [2.0, 0.5], (60, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_probabilities_and_labels_are_those_of_the_definition(kind):
    model = classifier(kind)
    F, labels = model.predict(X), model.classes.labels
    if kind.startswith("squared"):
        with pytest.raises(ValueError, match="no probabilities"):
            model.predict_proba(X)
        likeliest = (F[:, 0] > 0.5).astype(int) if F.shape[1] == 1 else F.argmax(axis=1)
    else:
        p = plain(kind, F)
        np.testing.assert_allclose(model.predict_proba(X), p, rtol=1e-13)
        np.testing.assert_allclose(model.classes.logarithms(F), np.log(p), rtol=1e-9, atol=1e-13)
        likeliest = p.argmax(axis=1)
    if kind == "several":
        assert model.predict_labels(X) == [[k for k, f in zip(labels, row, strict=True) if f > 0]
                                           for row in F]  # fmt: skip
    else:
        assert model.predict_labels(X) == [labels[k] for k in likeliest]


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_keeps_them(kind, tmp_path):
    model, path = classifier(kind), tmp_path / "m.npz"
    model.save(path)
    again = Model.load(path)
    assert again.classes.labels == model.classes.labels
    assert (again.classes.link, again.classes.several) == (
        model.classes.link, model.classes.several)  # fmt: skip
    assert again.predict_labels(X) == model.predict_labels(X)
    with np.load(path, allow_pickle=False) as archive:
        header = json.loads(archive["header"].tobytes())
    assert header["version"] == 2  # a reader of version 1 would take logits for predictions


def test_weights_and_the_columns_name_are_kept(tmp_path):
    told = Classes(["a", "b"], "logistic", weights=[1.0, 2.5], column="kind")
    Model(ggn.MLP((1, 1)), [1.0, 0.0], loss="logistic", classes=told).save(tmp_path / "m.npz")
    again = Model.load(tmp_path / "m.npz").classes
    assert (again.weights, again.column) == ((1.0, 2.5), "kind")


def test_files_without_them_are_of_version_1_and_read_as_before(tmp_path):
    path = tmp_path / "m.npz"
    Model(ggn.MLP((1, 1)), [1.0, 0.0]).save(path)
    with np.load(path) as archive:
        assert json.loads(archive["header"].tobytes())["version"] == 1
        assert set(archive) == {"header", *ARRAYS}
    assert Model.load(path).classes is None
    with pytest.raises(ValueError, match="without classes predicts numbers"):
        Model.load(path).predict_labels([[1.0]])


@pytest.mark.parametrize(
    ("labels", "loss", "n", "message"),
    [
        (["a"], "logistic", 1, "classes must be two or more distinct"),
        (["a", "a"], "logistic", 1, "classes must be two or more distinct"),
        ("ab", "logistic", 1, "classes must be a sequence of labels, got 'ab'"),
        (["a", "b", "c"], "logistic", 1, "as many as the 1 outputs"),
        (["a", "b"], "softmax_cross_entropy", 3, "as many as the 3 outputs"),
    ],
)
def test_wrong_classes_are_refused(labels, loss, n, message):
    net = ggn.MLP((1, n))
    with pytest.raises(ValueError, match=message):
        Model(net, np.zeros(net.n_weights), loss=loss, classes=labels)


def test_a_damaged_header_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    classifier("two").save(path)
    with np.load(path) as archive:
        parts = dict(archive)
    header = json.loads(parts["header"].tobytes())
    for classes in ({}, {"labels": ["a"], "link": "logistic", "several": False}, 3):
        text = json.dumps(header | {"classes": classes}).encode()
        np.savez(path, **parts | {"header": np.frombuffer(text, dtype=np.uint8)})
        with pytest.raises(ValueError, match=r"m\.npz is not a (whole|usable) model"):
            Model.load(path)


# other programs


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_onnx_gives_probabilities_and_labels(kind, dtype, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    model = classifier(kind)
    to_onnx(model, tmp_path / "m.onnx", dtype)
    session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"X": X.astype(dtype)}), strict=True))
    assert names[0] == "Y"
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    if kind in ("two", "softmax", "several"):
        p = plain(kind, model.predict(X))
        np.testing.assert_allclose(found["probabilities"], p, atol=tolerance)
    else:
        assert "probabilities" not in found
    if kind == "several":
        assert "label" not in found
    else:
        expected = model.predict_labels(X)
        if kind == "squared two":
            expected = [str(label) for label in expected]  # ONNX gathers whole numbers or text
        assert found["label"].tolist() == expected
    told = session.get_modelmeta().custom_metadata_map["classes"]
    assert json.loads(told) == list(model.classes.labels)


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize("kind", KINDS)
def test_c_has_names_probabilities_and_the_likeliest(kind, tmp_path):
    model, source, library = classifier(kind), tmp_path / "m.c", tmp_path / "m.so"
    source.write_text(to_c(model, "guess"), encoding="ascii")
    subprocess.run([COMPILER, *FLAGS, "-o", library, source, "-lm"], check=True)
    c, K = ctypes.CDLL(str(library)), len(model.classes.labels)
    names = (ctypes.c_char_p * K).in_dll(c, "ggn_guess_classes")
    assert [name.decode() for name in names] == [str(label) for label in model.classes.labels]
    array = np.ctypeslib.ndpointer(np.float64, ndim=1, flags="C_CONTIGUOUS")
    if kind.startswith("squared"):
        assert not hasattr(c, "ggn_guess_probabilities")
    else:
        c.ggn_guess_probabilities.argtypes, c.ggn_guess_probabilities.restype = [array, array], None
        P = np.full((len(X), K), np.nan)
        for x, p in zip(X, P, strict=True):
            c.ggn_guess_probabilities(x, p)
        np.testing.assert_allclose(P, plain(kind, model.predict(X)), rtol=1e-12, atol=1e-300)
    if kind == "several":
        assert not hasattr(c, "ggn_guess_class")
    else:
        c.ggn_guess_class.argtypes = [array]
        told = [model.classes.labels[c.ggn_guess_class(x)] for x in X]
        assert told == model.predict_labels(X)


@pytest.mark.parametrize("labels", [["no", "yes"], [3, 7], [False, True], ["a", "b", "c"]])
def test_an_estimators_model_carries_them(labels, tmp_path):
    y = np.array(labels)[np.arange(60) % len(labels)]
    estimator = GGNClassifier((3,), random_state=0, max_iter=3, tol=0.9).fit(X, y)
    estimator.model_.save(tmp_path / "m.npz")
    again = Model.load(tmp_path / "m.npz")
    assert again.classes.labels == tuple(labels)
    assert again.predict_labels(X) == estimator.predict(X).tolist()
    np.testing.assert_allclose(again.predict_proba(X), estimator.predict_proba(X), rtol=1e-13)


def test_a_posterior_is_kept_and_gives_the_same_deviations(tmp_path):
    rng = np.random.default_rng(0)
    x = np.linspace(-2.0, 2.0, 60)[:, np.newaxis]
    y = np.hstack([np.sin(x), x**2]) + 0.1 * rng.standard_normal((60, 2))
    net = ggn.MLP((1, 5, 2))
    fit = ggn.train_bayesian(net, x, y)
    scale = np.array([10.0, 0.1])
    model = Model(net, fit.w, x_mean=[5.0], y_scale=scale, posterior=fit.posterior)
    model.save(tmp_path / "m.npz")
    again = Model.load(tmp_path / "m.npz")
    # from the covariance itself: variance p^T H^-1 p + sigma^2, of each output
    P = net.jacobian(fit.w, x)
    own = np.einsum("ij,ik,kj->j", P, fit.weight_covariance(), P).reshape(60, 2)
    wider = 120 / (120 - fit.effective_parameters)
    expected = scale * np.sqrt(wider * (own + fit.noise_std**2))
    np.testing.assert_allclose(again.deviation(x + 5.0), expected, rtol=1e-8)
    with pytest.raises(ValueError, match="without posterior"):
        Model(net, fit.w).predict(x, return_std=True)
    with pytest.raises(ValueError, match="posterior must be of 4 weights"):
        Model(ggn.MLP((1, 1, 1)), np.zeros(4), posterior=fit.posterior)
    # the fit in its place; its fields, methods and properties are found
    with pytest.raises(ValueError, match=r"be fit\.posterior .* got BayesianResult"):
        Model(net, fit.w, posterior=fit)
    assert {"posterior", "intervals", "weight_covariance", "noise_std", "w"} <= {*dir(fit)}


class Unspeakable:
    """Has no text."""

    def __repr__(self):
        raise RecursionError


def test_classes_that_have_no_text():
    with pytest.raises(ValueError, match=r"^classes must have a text each, got an Unspeakable"):
        ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0], loss="logistic", classes=["yes", Unspeakable()])
    inside: list = []
    for _ in range(100_000):
        inside = [inside]
    with pytest.raises(ValueError, match=r"^classes must have a text each, got a list that"):
        ggn.Model(ggn.MLP((1, 1)), [1.0, 0.0], loss="logistic", classes=["yes", inside])
