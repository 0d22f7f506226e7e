"""Training on a cluster of two processes: the same answers, the same faults in words, no trace."""

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
import types

import numpy as np
import pytest
from commands import surroundings

import ggn
from ggn.fit.result import Status

pytest.importorskip("distributed", reason="needs dask and distributed")
import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from distributed import Client, LocalCluster

import ggn.dask
from ggn.dask.divide import Drawn
from ggn.dask.parts import form_of
from ggn.dask.sums import DaskSource

RNG = np.random.default_rng(16)
X = RNG.normal(size=(1000, 3))
Y = np.column_stack([np.sin(X.sum(axis=1)), X[:, 0] * X[:, 1]])
S = RNG.uniform(0.5, 2.0, 1000)
NET = ggn.MLP((3, 4, 2))
W = NET.initial_weights(RNG)


@pytest.fixture(scope="module")
def client():
    quiet = {"distributed.admin.log-length": 0, "logging.distributed": "critical"}
    with (
        dask.config.set(quiet),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
            silence_logs=50,
        ) as cluster,
        Client(cluster) as client,
    ):  # fmt: skip
        yield client


@pytest.fixture(autouse=True)
def _cluster_is_left_clean(request):
    """Nothing of a fit is left on the cluster."""
    yield
    if "client" not in request.fixturenames:
        return
    client = request.getfixturevalue("client")
    deadline = time.monotonic() + 10.0
    while time.monotonic() < deadline:
        if not [key for key in client.run_on_scheduler(tasks) if "ggn" in key]:
            return
        time.sleep(0.02)
    pytest.fail(f"left behind: {client.run_on_scheduler(tasks)}")


def tasks(dask_scheduler):
    return [str(key) for key in dask_scheduler.tasks]


def cut(*arrays, rows=300):
    return tuple(da.from_array(a, chunks=(rows, *a.shape[1:])) for a in arrays)


def source(client, A=None, B=None, s=None):
    A, B = cut(X, Y) if A is None else (A, B)
    return DaskSource.of(client, A, B, s, form_of(A, B, 3, 2))


# -- the same answers --------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "weighted"), [("squared", False), ("cauchy", True)])
def test_training_is_that_of_one_machine(client, loss, weighted):
    options = {"loss": loss, "max_iter": 2, "l2": 1e-4}
    weights = {"sample_weight": S} if weighted else {}
    here = ggn.train(NET, X, Y, **options, **weights)
    if weighted:
        weights = {"sample_weight": da.from_array(S, chunks=250)}
    seen = []
    there = ggn.dask.train(client, NET, *cut(X, Y), callback=seen.append, **options, **weights)
    assert there.nit == here.nit == len(seen)
    np.testing.assert_allclose(there.w, here.w, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(there.history.loss, here.history.loss, rtol=1e-12)
    assert there.status is here.status is Status.MAX_ITER


def test_bits_do_not_depend_on_who_works(client):
    here, there = (list(client.run(os.getpid)) for _ in range(2))
    fits = []
    for workers in (here[:1], there):
        with dask.annotate(workers=workers):
            fits.append(ggn.dask.train(client, NET, *cut(X, Y, rows=97), max_iter=1))
    assert fits[0].w.tobytes() == fits[1].w.tobytes()
    assert fits[0].history.loss.tobytes() == fits[1].history.loss.tobytes()


def test_linearization_is_that_of_one_machine(client):
    at, here = ggn.dask.linearize(client, NET, W, *cut(X, Y)), ggn.linearize(NET, W, X, Y)
    np.testing.assert_allclose(at.loss, here.loss, rtol=1e-13)
    np.testing.assert_allclose(at.gradient, here.gradient, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(at.normal_matrix(), here.normal_matrix(), rtol=1e-10, atol=1e-12)
    v = RNG.normal(size=NET.n_weights)
    for name in ("operator", "hessian_operator"):
        np.testing.assert_allclose(
            getattr(at, name)() @ v, getattr(here, name)() @ v, rtol=1e-9, atol=1e-11
        )


def test_diagnosis_from_sums(client):
    net, (A, B) = ggn.MLP((1, 1, 1), "identity", bias=False), cut(X[:50, :1], X[:50, :1], rows=20)
    saddle = ggn.dask.diagnose(client, net, [0.0, 0.0], A, B)
    assert saddle.verdict is ggn.surface.Verdict.SADDLE
    assert saddle.loss == pytest.approx(float(np.mean(X[:50, 0] ** 2)), rel=1e-14)
    assert "sums" in str(saddle)
    assert ggn.dask.diagnose(client, net, [1.0, 0.5], A, B).verdict is (
        ggn.surface.Verdict.NOT_STATIONARY
    )


# -- kinds of collections ----------------------------------------------------------------------


def frames(partitions=3):
    table = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=Y[:, 0], z=Y[:, 1], s=S)
    return dd.from_pandas(table, npartitions=partitions)


COLLECTIONS = {
    "cut across columns": lambda: (da.from_array(X, chunks=(300, 2)), cut(Y)[0], None),
    "other chunks": lambda: (*cut(X, rows=300), *cut(Y, S, rows=217)),
    "unknown sizes": lambda: tuple(a[a.reshape(len(a), -1)[:, 0] > -9.0] for a in cut(X, Y, S)),
    "frames": lambda: (frames()[["a", "b", "c"]], frames()[["y", "z"]], frames().s),
    "frame and array": lambda: (frames()[["a", "b", "c"]], frames()[["y", "z"]].values, None),
    "columns in disorder": lambda: (
        dd.concat([frames(2)[["a", "b", "c"]].partitions[[0]],
                   frames(2)[["c", "a", "b"]].partitions[[1]]]),
        frames(2)[["y", "z"]], None),
    "empty chunks": lambda: (
        *(da.concatenate([a[:0], a, a[:0]]) for a in cut(X, Y)), None),
    "float32": lambda: (cut(X)[0].astype("f4").astype("f8"), *cut(Y), None),
}  # fmt: skip


@pytest.mark.parametrize("kind", COLLECTIONS)
def test_collections_are_read_by_chunk(client, kind):
    A, B, s = COLLECTIONS[kind]()
    at = ggn.dask.linearize(client, NET, W, A, B, sample_weight=s)
    values = X.astype("f4").astype("f8") if kind == "float32" else X
    here = ggn.linearize(NET, W, values, Y, sample_weight=None if s is None else S)
    assert at.objective.T == 1000
    np.testing.assert_allclose(at.loss, here.loss, rtol=1e-13)


def test_frames_held_out_are_taken_by_the_names_of_the_fit(client):
    table = dd.from_pandas(pd.DataFrame(X[:80], columns=list("abc")), npartitions=1)
    B = da.from_array(Y[:80], chunks=80)
    fit = ggn.dask.train(client, NET, table, B, max_iter=0, validation=(table[list("cab")], B))
    np.testing.assert_allclose(fit.validation_losses, fit.fun, rtol=1e-12)
    like, other = form_of(table, B, 3, 2), table.rename(columns={"c": "d"})
    with pytest.raises(ValueError, match="columns a, b, c, as the data of the fit have, got a, b,"):
        form_of(other, B, 3, 2, like=like)


def test_a_fit_names_its_columns_and_is_gone_on_from_by_name(client):
    table = dd.from_pandas(pd.DataFrame(X[:80], columns=list("abc")), npartitions=2)
    targets = dd.from_pandas(pd.DataFrame(Y[:80], columns=["load", "lift"]), npartitions=2)
    fit = ggn.dask.train(client, NET, table, targets, max_iter=3)
    model = fit.as_model()
    assert (model.input_names, model.target_names) == (("a", "b", "c"), ("load", "lift"))
    other = table[list("cab")], targets[["lift", "load"]]
    assert ggn.dask.train(client, NET, *other, w0=fit, max_iter=0).fun == fit.fun


def test_validation_by_fraction_by_chunk_and_aside(client):
    A, B = cut(X, Y)
    whole = ggn.dask.train(client, NET, A, B, max_iter=1, validation=[1, 3])
    rows = np.r_[0:300, 600:900]
    held = np.r_[300:600, 900:1000]
    here = ggn.train(NET, X[rows], Y[rows], max_iter=1, validation=(X[held], Y[held]))
    np.testing.assert_allclose(whole.validation_losses, here.validation_losses, rtol=1e-10)
    aside = ggn.dask.train(client, NET, A[:600], B[:600], max_iter=1, validation=(A[600:], B[600:]))
    here = ggn.train(NET, X[:600], Y[:600], max_iter=1, validation=(X[600:], Y[600:]))
    np.testing.assert_allclose(aside.validation_losses, here.validation_losses, rtol=1e-10)
    part = ggn.dask.train(client, NET, A, B, max_iter=0, validation=0.25, split_seed=4)
    drawn = [Drawn(0.25, 4, True)(i, n) for i, n in enumerate(A.chunks[0])]
    held = np.concatenate(drawn)
    left = ggn.train(NET, X[~held], Y[~held], max_iter=0, validation=(X[held], Y[held]))
    np.testing.assert_allclose(part.validation_losses, left.validation_losses, rtol=1e-10)


def test_restarts_are_those_of_one_machine(client):
    found = ggn.dask.train_restarts(client, NET, *cut(X, Y), n_restarts=2, max_iter=1)
    here = ggn.train_restarts(NET, X, Y, n_restarts=2, max_iter=1)
    np.testing.assert_allclose(found.losses, here.losses, rtol=1e-9)


# -- estimators --------------------------------------------------------------------------------


def test_regressor_is_lazy_and_local(client):
    from ggn.dask import GGNRegressor

    A, y = cut(100.0 + 5.0 * X, 50.0 + 9.0 * Y[:, 0])
    model = GGNRegressor((4,), random_state=0, max_iter=2, tol=1.0).fit(A, y)
    F = model.predict(A)
    assert isinstance(F, da.Array)
    assert F.chunks == y.chunks
    local = model.to_local()
    values = F.compute()
    np.testing.assert_allclose(values, local.predict(A.compute()), rtol=1e-12)
    assert model.score(A, y) == pytest.approx(local.score(A.compute(), y.compute()), rel=1e-10)
    kept = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(kept.predict(A.compute()), values, rtol=1e-12)
    frame = GGNRegressor((6,), random_state=0, max_iter=1, tol=1.0)
    frame.fit(frames()[["a", "b", "c"]], frames()[["y", "z"]])
    Z = frame.predict(frames()[["c", "b", "a"]][["a", "b", "c"]])
    assert isinstance(Z, dd.DataFrame)
    assert Z.compute().shape == (1000, 2)
    assert list(frame.feature_names_in_) == ["a", "b", "c"]


def test_classifier(client):
    from ggn.dask import GGNClassifier

    kinds = np.where(X[:, 0] > 0.5, "right", np.where(X[:, 0] < -0.5, "left", "middle"))
    A, k = cut(X, kinds)
    model = GGNClassifier((3,), random_state=0, max_iter=9, tol=0.3).fit(A, k)
    assert model.classes_.tolist() == ["left", "middle", "right"]
    told, p = model.predict(A), model.predict_proba(A)
    assert isinstance(told, da.Array)
    local = model.to_local()
    assert np.array_equal(told.compute(), local.predict(X))
    np.testing.assert_allclose(p.compute(), local.predict_proba(X), rtol=1e-12)
    assert model.score(A, k) == np.mean(local.predict(X) == kinds) > 0.9
    with pytest.raises(ValueError, match="at least 2 classes"):
        model.fit(A, da.from_array(np.full(1000, "one"), chunks=300))


# -- faults ------------------------------------------------------------------------------------


def with_value(array, value, *where):
    array = array.copy()
    array[where] = value
    return array


NEGATIVE = with_value(S, -1.0, 700)
FAULTS = {
    r"in chunk 2, X must be finite, got nan at X\[50, 1\]": lambda: (
        *cut(with_value(X, np.nan, [650, 950], 1), Y), None),
    r"in chunk 3, Y must be finite, got inf at Y\[7, 0\]": lambda: (
        *cut(X, with_value(Y, np.inf, 907, 0)), None),
    r"in chunk 2, sample_weight must not be negative, got -1.0 at sample_weight\[100\]": lambda: (
        *cut(X, Y, NEGATIVE),),
    "X and Y must have as many rows, got 1000 and 999": lambda: (*cut(X, Y[1:]), None),
    "Y must have as many chunks as X, got 4 and 5, of sizes that are not all known": lambda: (
        cut(X, rows=217)[0][cut(X, rows=217)[0][:, 0] > 0], *cut(Y), None),
    "in chunk 0, X and Y must have as many rows, got": lambda: (
        cut(X)[0][cut(X)[0][:, 0] > 0], *cut(Y), None),
    "X must have 3 columns, got 2": lambda: (*cut(X[:, :2], Y), None),
    "in chunk 1, X must have 3 columns, got an array of shape": lambda: (
        da.concatenate([cut(X[:300])[0],
                        da.from_delayed(dask.delayed(np.ones)((300, 2)), (300, 3), float)]),
        *cut(Y[:600]), None),
    "in chunk 1, X must have one column 'c', got none": lambda: (
        dd.from_delayed(
            [dask.delayed(pd.DataFrame)(X[:500], columns=list(names)) for names in ("abc", "abd")],
            meta=pd.DataFrame(X[:0], columns=list("abc")), verify_meta=False),
        frames(2)[["y", "z"]], None),
    "X must be a dask array or data frame, got ndarray": lambda: (X, *cut(Y), None),
    "X must hold at least one sample": lambda: (*cut(X[:0], Y[:0]), None),
}  # fmt: skip


@pytest.mark.parametrize("said", FAULTS)
def test_what_cannot_be_used_is_named(client, said):
    A, B, s = FAULTS[said]()
    with pytest.raises(ValueError, match=said):
        ggn.dask.train(client, NET, A, B, sample_weight=s)


class Unpicklable(ggn.losses.Squared):
    def __init__(self):
        self.lock = threading.Lock()


def test_a_loss_or_an_activation_that_cannot_be_sent(client):
    lock = threading.Lock()

    def slope(z):
        return 0.0 * z if lock.locked() else 1.0 - np.tanh(z) ** 2

    net = ggn.MLP((3, 4, 2), activation=ggn.Activation("mine", np.tanh, slope))
    for of, loss in ((NET, Unpicklable()), (net, "squared")):
        with pytest.raises(ValueError, match="must be picklable, to be sent to workers"):
            ggn.dask.train(client, of, *cut(X, Y), loss=loss)


def test_a_loss_that_workers_cannot_import_is_no_end_of_theirs(client, monkeypatch):
    here = types.ModuleType("only_here")
    here.Mine = type("Mine", (ggn.losses.Squared,), {"__module__": "only_here"})
    monkeypatch.setitem(sys.modules, "only_here", here)
    before = client.run(os.getpid)
    with pytest.raises(ValueError, match="No module named 'only_here'; define it in the script"):
        ggn.dask.train(client, NET, *cut(X, Y), loss=here.Mine())
    assert client.run(os.getpid) == before


def test_a_users_own_activation_goes_along(client):
    own = ggn.Activation("mine", np.tanh, lambda z: 1 / np.cosh(z) ** 2)
    net = ggn.MLP((3, 4, 2), activation=own)
    at = ggn.dask.linearize(client, net, W, *cut(X, Y))
    np.testing.assert_allclose(at.loss, ggn.linearize(NET, W, X, Y).loss, rtol=1e-12)


@contextlib.contextmanager
def after(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def once(part):
    """A quarter of a second, so that something can happen meanwhile."""
    time.sleep(0.25)
    return 1.0


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_cancels_the_graph(client):
    held = source(client)
    interrupt = after(0.2, lambda: signal.raise_signal(signal.SIGINT))
    try:
        with pytest.raises(KeyboardInterrupt), interrupt:
            held.reduce(max, once)
        assert held.reduce(max, once) == 1.0  # the cluster works on
    finally:
        held.close()


def test_ctrl_c_keeps_weights(client):
    def interrupt(intermediate_result):
        raise KeyboardInterrupt

    fit = ggn.dask.train(client, NET, *cut(X, Y), callback=interrupt)
    assert (fit.status, fit.nit) == (Status.INTERRUPTED, 1)


def test_a_worker_killed_changes_no_bit(client):
    A, B = client.persist(cut(X, Y, rows=130))
    whole = ggn.dask.train(client, NET, A, B, max_iter=2)

    def kill(intermediate_result):
        if intermediate_result.nit == 1:
            os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)

    hurt = ggn.dask.train(client, NET, A, B, max_iter=2, callback=kill)
    assert hurt.status is Status.MAX_ITER
    assert hurt.w.tobytes() == whole.w.tobytes()


def test_without_dask_one_sentence(tmp_path):
    import subprocess

    for name in ("dask", "distributed"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('none here')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import ggn; ggn.dask"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env=surroundings(),
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1] == (
        "ImportError: ggn.dask needs dask and distributed: pip install 'ggn[dask]'"
    )
