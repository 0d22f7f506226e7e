"""Estimators on collections do as those of `ggn.sklearn` on arrays, in the same words."""

import os
import signal

import numpy as np
import pytest

import ggn

pytest.importorskip("distributed", reason="needs dask and distributed")
import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from distributed import Client
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import ggn.dask
import ggn.sklearn
from ggn.dask import GGNClassifier, GGNRegressor, estimator, labels
from ggn.dask.fitting import fit_model

RNG = np.random.default_rng(22)
X = RNG.normal(size=(120, 2))
Y = np.sin(X[:, 0]) + 0.2 * X[:, 1]
KINDS = np.where(X[:, 0] > 0.0, "high", "low")
TABLE = pd.DataFrame(X, columns=["a", "b"]).assign(y=Y, kind=KINDS)
FRAME = dd.from_pandas(TABLE, npartitions=2)
ARRAYS = da.from_array(X, chunks=(60, 2)), da.from_array(Y, chunks=60)
NO_STEP = {"tol": 1.0, "random_state": 0}


@pytest.fixture(scope="module")
def client():
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0") as one:
        yield one


@pytest.fixture(scope="module")
def by_name(client):
    return GGNRegressor((3,), **NO_STEP).fit(FRAME[["a", "b"]], FRAME.y)


@pytest.fixture(scope="module")
def classifier(client):
    return GGNClassifier((2,), **NO_STEP).fit(FRAME[["a", "b"]], FRAME.kind)


# -- columns -----------------------------------------------------------------------------------


OTHERS = {
    "in another order": (lambda t: t[["b", "a"]], "must be in the same order as they were in fit"),
    "one other": (lambda t: t[["y", "a"]], "unseen at fit time:\n- y\n.*now missing:\n- b\n"),
    "renamed": (lambda t: t[["a", "b"]].rename(columns={"b": "c"}), "unseen at fit time:\n- c\n"),
    "missing": (lambda t: t[["a"]], "seen at fit time, yet now missing:\n- b\n"),
    "one more": (lambda t: t[["a", "b", "y"]], "unseen at fit time:\n- y\n"),
}


@pytest.mark.parametrize("table", [FRAME, TABLE], ids=["dask", "pandas"])
@pytest.mark.parametrize("kind", OTHERS)
def test_columns_by_other_names_are_refused_at_every_door(by_name, classifier, kind, table):
    choose, said = OTHERS[kind]
    A = choose(table)
    doors = [by_name.predict, classifier.predict, classifier.predict_proba]
    doors += [classifier.decision_function]
    doors += [lambda A: by_name.score(A, table.y), lambda A: classifier.score(A, table.kind)]
    local = by_name.to_local()
    with pytest.raises(ValueError, match="names should match those that were passed") as theirs:
        local.predict(choose(TABLE))
    for door in doors:
        with pytest.raises(ValueError, match=f"(?s){said}") as ours:
            door(A)
        assert str(ours.value) == str(theirs.value)


def test_arrays_have_no_names_and_as_many_columns(by_name):
    plain = GGNRegressor((3,), **NO_STEP).fit(*ARRAYS)
    assert not hasattr(plain, "feature_names_in_")
    told = by_name.predict(FRAME[["a", "b"]]).compute()
    for A in (ARRAYS[0], X):
        with pytest.warns(UserWarning, match="GGNRegressor was fitted with feature names"):
            np.testing.assert_allclose(by_name.predict(A), told, rtol=1e-12, atol=1e-14)
    for A in (FRAME[["b", "a"]], TABLE[["b", "a"]]):
        with pytest.warns(UserWarning, match="X has feature names, but GGNRegressor was fitted"):
            plain.predict(A)
    for A in (ARRAYS[0][:, :1], X[:, :1], X[:, 0]):
        with pytest.raises(ValueError, match="X has 1 features, but GGNRegressor is expecting 2"):
            plain.predict(A)
    again = GGNRegressor((3,), **NO_STEP).fit(FRAME[["a", "b"]], FRAME.y).fit(*ARRAYS)
    assert not hasattr(again, "feature_names_in_")
    with pytest.raises(TypeError, match="only supported if all input features have string names"):
        again.fit(FRAME[["a", "b"]].rename(columns={"b": 1}), FRAME.y)


def test_the_model_and_its_file_know_the_columns(by_name, classifier, tmp_path):
    for fitted in (by_name, classifier):
        model = fitted.model_
        assert model.input_names == fitted.to_local().model_.input_names == ("a", "b")
        model.save(tmp_path / "model.npz")
        kept = ggn.Model.load(tmp_path / "model.npz")
        assert kept.input_names == ("a", "b")
        np.testing.assert_array_equal(
            kept.predict(TABLE[["kind", "b", "a"]]), model.predict(X), strict=True
        )
    assert by_name.model_.target_names == ("y",)
    assert classifier.model_.classes.column == kept.classes.column == "kind"


# -- labels ------------------------------------------------------------------------------------


def labels_in_chunks(*chunks):
    return da.concatenate([da.from_array(np.asarray(one), chunks=-1) for one in chunks])


NO_LABELS = {
    "continuous": (
        lambda: da.from_array(Y, chunks=40),
        "Unknown label type: continuous. Maybe you are trying to fit a classifier",
    ),
    "continuous in the last chunk": (
        lambda: labels_in_chunks(np.zeros(40), np.ones(40), Y[:40]),
        "Unknown label type: continuous",
    ),
    "words among numbers": (
        lambda: da.from_array(np.array([3, "a"] * 60, dtype=object), chunks=40),
        "y must have labels of one kind, got int and str",
    ),
    "numbers among words": (
        lambda: da.from_array(np.array(["a", 3] * 60, dtype=object), chunks=40),
        "y must have labels of one kind, got int and str",
    ),
    "words in one chunk": (
        lambda: dd.from_delayed(
            [dask.delayed(pd.Series)(one) for one in ([1, 2] * 20, ["1", "2"] * 20)] * 2,
            meta=pd.Series([], dtype=object), verify_meta=False),
        "y must have labels of one kind, got int and str",
    ),
    "infinite": (
        lambda: labels_in_chunks(np.zeros(40), np.ones(40), np.full(40, np.inf)),
        "y must have a label for every sample, got inf",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NO_LABELS)
@pytest.mark.usefixtures("client")
def test_what_are_no_labels_is_told_before_training(kind):
    make, said = NO_LABELS[kind]
    with pytest.raises(ValueError, match=said):
        GGNClassifier((2,), **NO_STEP).fit(ARRAYS[0], make())


@pytest.mark.parametrize("y", [[3, "a"], ["a", 3]])
def test_words_among_numbers_are_told_of_arrays_too(y):
    with pytest.raises(ValueError, match="y must have labels of one kind, got int and str"):
        ggn.sklearn.GGNClassifier((2,)).fit(X, np.array(y * 60, dtype=object))


def test_no_task_holds_more_labels_than_there_may_be(client, monkeypatch):
    monkeypatch.setattr(labels, "MOST", 10)
    monkeypatch.setattr(labels, "FAN", 2)
    ids = da.arange(40, chunks=8)
    assert labels.labels_of(client, ids // 4).tolist() == list(range(10))
    with pytest.raises(ValueError, match="y must hold labels of at most 10 classes, got more"):
        labels.labels_of(client, ids)
    halves = labels.labels_of(client, ids % 3 / 2, continuous=True)
    assert halves.tolist() == [0.0, 0.5, 1.0]


def test_labels_that_the_fit_had_not_are_named():
    encode = labels.Encode(np.array(["a", "b"]))
    assert encode(np.array(["b", "a"], dtype=object)).tolist() == [[1.0], [0.0]]
    for given, strange in ((["a", "c"], "'c'"), ([3, 3], "3"), (["a", 3], "3")):
        with pytest.raises(ValueError, match=f"Y must have labels of the fit, got {strange}"):
            encode(np.array(given, dtype=object))


# -- the end of a fit --------------------------------------------------------------------------


@pytest.mark.usefixtures("client", "ctrl_c")
@pytest.mark.parametrize(("kind", "n_restarts"), [(GGNRegressor, 1), (GGNClassifier, 2)])
def test_ctrl_c_is_raised_again_and_the_weights_are_there(kind, n_restarts):
    def callback(intermediate_result):
        path.append(intermediate_result.w.copy())
        if len(path) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    path = []
    options = {"random_state": 0, "tol": 0.0, "max_iter": 100_000, "n_restarts": n_restarts}
    model = kind((3,), callback=callback, **options)
    with pytest.raises(KeyboardInterrupt):
        model.fit(FRAME[["a", "b"]], FRAME.kind if kind is GGNClassifier else FRAME.y)
    assert ggn.Status.INTERRUPTED in {run.status for run in model.restarts_.runs}
    assert model.loss_ == model.result_.history.loss[-1] <= model.result_.history.loss[0]
    if n_restarts == 1:
        assert np.array_equal(model.model_.w, path[-1])
    assert model.predict(TABLE[["a", "b"]]).shape == (120,)
    np.testing.assert_array_equal(
        model.to_local().predict(TABLE[["a", "b"]]), model.predict(TABLE[["a", "b"]])
    )


@pytest.mark.usefixtures("client")
def test_a_fit_counts_as_interrupted_if_one_of_its_runs_was(monkeypatch):
    """The best of several may have come to its end; a search would go on, and score it."""

    def interrupted(*args, **options):
        found = fit_model(*args, **options)
        max(found.restarts.runs, key=lambda run: run.fun).status = ggn.Status.INTERRUPTED
        return found

    monkeypatch.setattr(estimator, "fit_model", interrupted)
    model = GGNRegressor((3,), **NO_STEP, n_restarts=2)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*ARRAYS)
    assert model.result_.status is not ggn.Status.INTERRUPTED


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("scale", ["standard", None])
def test_the_same_random_state_is_the_same_fit_on_one_machine(scale):
    options = {"random_state": 0, "alpha": 1e-4, "max_iter": 2, "scale": scale}
    with pytest.warns(ConvergenceWarning):
        there = GGNRegressor((3,), **options).fit(*ARRAYS)
    with pytest.warns(ConvergenceWarning):
        here = ggn.sklearn.GGNRegressor((3,), **options).fit(X, Y)
    assert there.n_iter_ == here.n_iter_ == 2
    np.testing.assert_allclose(there.model_.w, here.model_.w, rtol=1e-7, atol=1e-9)


# -- why a fit stopped -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_a_fit_on_a_cluster_is_diagnosed_there_and_here(client, by_name, classifier, kind):
    model, column = (by_name, "y") if kind == "regressor" else (classifier, "kind")
    there = ggn.dask.diagnose(client, model, FRAME[["b", "a"]], FRAME[column])  # by name
    assert there.loss == pytest.approx(model.loss_, rel=1e-12)
    here = ggn.diagnose(model, TABLE[["a", "b"]], TABLE[column])
    local = ggn.diagnose(model.to_local(), TABLE[["a", "b"]], TABLE[column])
    assert here.loss == pytest.approx(model.loss_, rel=1e-12)
    assert not here.differs
    assert here.gradient_norm == local.gradient_norm
    assert there.gradient_norm == pytest.approx(here.gradient_norm, rel=1e-6)
    assert there.verdict is here.verdict is local.verdict
    for found in (there, here):
        assert "warm_start" not in str(found)
    fits = [model.result_] if kind == "regressor" else []
    for fit in (model.to_local(), *fits):
        same = ggn.dask.diagnose(client, fit, FRAME[["a", "b"]], FRAME[column])
        assert (same.loss, same.gradient_norm) == (there.loss, there.gradient_norm)


def test_a_fit_of_ggn_dask_train_is_taken_with_its_loss_and_penalty(client):
    net = ggn.MLP((2, 2, 1))
    fit = ggn.dask.train(client, net, *ARRAYS, loss="cauchy", l2=1e-2, max_iter=1)
    found = ggn.dask.diagnose(client, fit, *ARRAYS)
    assert found.loss == pytest.approx(fit.fun, rel=1e-12)
    assert "max_iter" in str(found)
    other = ggn.dask.diagnose(client, fit, *ARRAYS, loss="squared", l2=0.0)
    assert other.loss == pytest.approx(np.mean((net.forward(fit.w, X)[:, 0] - Y) ** 2), rel=1e-12)


def test_an_input_that_no_sample_varied_is_none_of_its_rounding(client):
    flat = np.column_stack([X[:, 0], np.full(120, 0.1)])
    A = da.from_array(flat, chunks=(60, 2))
    model = GGNRegressor((2,), **NO_STEP).fit(A, ARRAYS[1])
    found = ggn.dask.diagnose(client, model, A, ARRAYS[1])
    assert found.loss == pytest.approx(model.loss_, rel=1e-12)
    on = ggn.dask.diagnose(client, model.result_.net, model.result_.w, da.from_array(
        np.column_stack([(X[:, 0] - X[:, 0].mean()) / X[:, 0].std(), np.zeros(120)]), chunks=60,
    ), da.from_array((Y - Y.mean()) / Y.std(), chunks=60), l2=model.result_.l2)  # fmt: skip
    np.testing.assert_allclose(found.scale, on.scale, rtol=1e-9)


def test_what_cannot_be_diagnosed_says_what_can(client, by_name):
    with pytest.raises(AttributeError, match=r"ggn.dask.diagnose\(client, .*\) takes them"):
        _ = by_name.diagnosis_
    assert not hasattr(by_name, "diagnosis_")
    with pytest.raises(AttributeError, match="object has no attribute 'curve_'"):
        _ = by_name.curve_
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        _ = GGNRegressor().coefs_
    with pytest.raises(ValueError, match=r"Y must be in memory, .* ggn.dask.diagnose\(client, "):
        ggn.diagnose(by_name, FRAME[["a", "b"]], FRAME.y)
    with pytest.raises(ValueError, match=r"fit must be a fit, .* it is not fitted yet"):
        ggn.dask.diagnose(client, GGNRegressor(), *ARRAYS)
