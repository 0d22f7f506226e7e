"""A cluster that is lost, in one process: what is told, and that the weights are kept."""

import dask
import numpy as np
import pytest

import ggn
from ggn.fit.result import Status

pytest.importorskip("distributed", reason="needs dask and distributed")
import dask.array as da
from distributed import Client, LocalCluster

import ggn.dask

RNG = np.random.default_rng(61)
X = RNG.normal(size=(400, 2))
Y = np.sin(X.sum(axis=1))
NET = ggn.MLP((2, 3, 1))


@pytest.fixture
def cluster():
    with LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as cluster:
        yield cluster


def client_of(cluster):
    return Client(cluster, set_as_default=False)


def cut(*arrays):
    return tuple(da.from_array(a, chunks=(150, *a.shape[1:])) for a in arrays)


def test_lost_data_leave_the_last_weights(cluster):
    """What was scattered cannot be computed again."""
    seen = []
    with client_of(cluster) as client:
        A, B = (da.from_delayed(client.scatter(a, hash=False), a.shape, float) for a in (X, Y))

        def lose(intermediate_result):
            seen.append(intermediate_result.w.copy())
            if intermediate_result.nit == 2:
                client.restart(wait_for_workers=False)

        fit = ggn.dask.train(client, NET, A, B, callback=lose, max_iter=9)
        assert fit.status is Status.LOST
        assert not fit.success
        assert fit.message.startswith(Status.LOST.value)
        assert "cannot compute again" in fit.message
        assert np.array_equal(fit.w, seen[-1])
        assert fit.fun == pytest.approx(ggn.linearize(NET, fit.w, X, Y).loss, rel=1e-12)
        with pytest.raises(ggn.dask.ClusterError, match="cannot compute again"):
            ggn.dask.train(client, NET, A, B, max_iter=9)


def test_lost_while_held_out_samples_are_watched(cluster):
    with client_of(cluster) as client:
        fit = ggn.dask.train(
            client, NET, *cut(X, Y), validation=[1], max_iter=9,
            callback=lambda intermediate_result: client.close(),
        )  # fmt: skip
    assert fit.status is Status.LOST
    assert fit.kept == 1 == len(fit.validation_losses) - 1
    assert fit.fun == fit.history.loss[1]


def test_a_closed_client(cluster):
    client = client_of(cluster)
    fit = ggn.dask.train(
        client, NET, *cut(X, Y), max_iter=9, callback=lambda intermediate_result: client.close()
    )
    assert fit.status is Status.LOST
    assert "client is closed" in fit.message
    with pytest.raises(ValueError, match="client must be running, got one that is closed"):
        ggn.dask.train(client, NET, *cut(X, Y), max_iter=9)


def test_a_cluster_without_workers(cluster):
    cluster.scale(0)
    with (
        dask.config.set({"ggn.patience": 0.2}),
        client_of(cluster) as client,
        pytest.raises(ggn.dask.ClusterError, match="has no workers"),
    ):
        ggn.dask.train(client, NET, *cut(X, Y), max_iter=9)


def test_without_a_client():
    with pytest.raises(ValueError, match="client must be given where there is no current one"):
        ggn.dask.train(None, NET, *cut(X, Y), max_iter=9)
