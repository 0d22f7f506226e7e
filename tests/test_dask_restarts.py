"""Several fits at once on the same chunks: each is what it is by itself, and all end together."""

import os
import signal
import threading

import numpy as np
import pytest

import ggn
from ggn.fit.result import Status

pytest.importorskip("distributed", reason="needs dask and distributed")
import dask.array as da
from distributed import Client

import ggn.dask
from ggn.dask.sums import DaskSource

RNG = np.random.default_rng(4)
X = RNG.normal(size=(300, 2))
Y = np.sin(X.sum(axis=1))
NET = ggn.MLP((2, 3, 1))
DATA = da.from_array(X, chunks=(100, 2)), da.from_array(Y, chunks=100)


@pytest.fixture(scope="module")
def client():
    with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0") as one:
        yield one


def test_bits_do_not_depend_on_how_many_run_at_once(client):
    options = {"n_restarts": 2, "max_iter": 1, "rng": 5, "validation": [2]}
    alone, together = (
        ggn.dask.train_restarts(client, NET, *DATA, n_jobs=n, **options) for n in (1, 2)
    )
    for one, other in zip(alone.runs, together.runs, strict=True):
        assert one.w.tobytes() == other.w.tobytes()
        assert one.history.loss.tobytes() == other.history.loss.tobytes()
    assert len({run.w.tobytes() for run in alone.runs}) == 2


def test_runs_are_at_once_and_share_the_objectives_of_chunks(client, monkeypatch):
    inside, most, sources = [], [], set()
    reduce = DaskSource.reduce

    def counted(self, *args):
        inside.append(0)
        most.append(len(inside))
        sources.add(self)
        try:
            return reduce(self, *args)
        finally:
            inside.pop()

    def kept(intermediate_result):
        for source in sources:
            for chunk in client.gather(source._chunks):
                seen.append(len(chunk.kept))

    seen = []
    monkeypatch.setattr(DaskSource, "reduce", counted)
    options = {"n_restarts": 2, "n_jobs": 2, "max_iter": 1, "callback": kept}
    ggn.dask.train_restarts(client, NET, *DATA, **options)
    assert max(most) > 1
    assert max(seen) <= 2


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("where", ["main thread", "callback"])
def test_ctrl_c_ends_all_with_their_weights(client, where):
    past = threading.Event()

    def callback(intermediate_result):
        if intermediate_result.nit == 1 and not past.is_set():
            past.set()
            if where == "callback":
                raise KeyboardInterrupt
            os.kill(os.getpid(), signal.SIGINT)

    # none ends by itself, however slow the main thread is
    options = {"n_restarts": 3, "n_jobs": 2, "max_iter": 100_000, "tol": 0.0, "callback": callback}
    options |= {"validation": [2], "patience": 100_000}
    found = ggn.dask.train_restarts(client, NET, *DATA, **options)
    assert 1 <= len(found.runs) <= 2
    assert {run.status for run in found.runs} == {Status.INTERRUPTED}
    assert all(run.fun <= run.history.loss[0] for run in found.runs)
    whole = ggn.dask.train_restarts(client, NET, *DATA, n_restarts=1, max_iter=1)
    assert whole.best.nit == 1  # the cluster works on


def test_what_goes_wrong_in_one_is_told(client):
    def callback(intermediate_result):
        raise LookupError("of the user's")

    options = {"n_restarts": 3, "n_jobs": 3, "max_iter": 100_000, "callback": callback}
    with pytest.raises(LookupError, match="of the user's"):
        ggn.dask.train_restarts(client, NET, *DATA, **options)
    with pytest.raises(ValueError, match="n_jobs must be"):
        ggn.dask.train_restarts(client, NET, *DATA, n_jobs=0)
    with pytest.raises(ValueError, match=r"^scheme must be one of .*, got 'q'"):
        ggn.dask.train_restarts(client, NET, *DATA, scheme="q")


def test_runs_that_ended_outlive_the_cluster():
    with Client(
        processes=False, n_workers=1, threads_per_worker=1, dashboard_address=":0",
        set_as_default=False,
    ) as client:  # fmt: skip
        first = ggn.dask.train_restarts(client, NET, *DATA, n_restarts=1, max_iter=2)
        steps = []

        def close(intermediate_result):
            steps.append(intermediate_result.nit)
            if steps == [1, 2, 1]:
                client.close()

        options = {"n_restarts": 3, "n_jobs": 1, "max_iter": 2, "callback": close}
        found = ggn.dask.train_restarts(client, NET, *DATA, **options)
    assert [run.status for run in found.runs] == [first.best.status, Status.LOST]
    assert found.runs[0].w.tobytes() == first.best.w.tobytes()
    assert found.runs[1].nit == 1
    assert "client is closed" in found.runs[1].message
