"""A cluster in one process: what is told where it is lost, and the command line."""

import operator
import time

import dask
import numpy as np
import pytest

import ggn
from ggn.fit.result import Status

pytest.importorskip("distributed", reason="needs dask and distributed")
import dask.array as da
import dask.bag
import pandas as pd
from distributed import Client, LocalCluster

import ggn.dask
from ggn.dask.divide import Drawn
from ggn.dask.parts import form_of
from ggn.dask.sums import DaskSource
from ggn.linearization.source import tree

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


def test_a_scheduler_that_is_gone_leaves_the_last_weights(cluster):
    seen = []

    def close(intermediate_result):
        seen.append(intermediate_result.w.copy())
        cluster.close()

    with dask.config.set({"ggn.patience": 0.2}), client_of(cluster) as client:
        fit = ggn.dask.train(client, NET, *cut(X, Y), max_iter=9, callback=close)
    assert fit.status is Status.LOST
    assert np.array_equal(fit.w, seen[-1])


def slow(part):
    time.sleep(0.5)
    return float(part.X[0, 0])


def test_a_worker_that_is_slow_is_waited_for(cluster):
    with dask.config.set({"ggn.patience": 0.1}), client_of(cluster) as client:
        of = DaskSource.of(client, *cut(X, Y), None, form_of(*cut(X, Y), 2, 1))
        assert of.reduce(max, slow) == X[[0, 150, 300], 0].max()
        of.close()


def test_a_worker_that_joins_changes_no_bit(cluster):
    def join(intermediate_result):
        if intermediate_result.nit == 1:
            cluster.scale(2)
            client.wait_for_workers(2)

    with client_of(cluster) as client:
        whole, joined = (
            ggn.dask.train(client, NET, *cut(X, Y), max_iter=3, callback=call)
            for call in (None, join)
        )
        assert len(client.nthreads()) == 2
    assert whole.w.tobytes() == joined.w.tobytes()


NOT_THERE = {
    "validation names chunk 7, but there are chunks 0 to 2": [1, 7],
    "validation names chunk 3, but": [3],
    "validation names chunk -1, but": np.array([0, -1]),
    "validation must leave chunks to train on, got all of them: 3": range(3),
    "validation must be a fraction in": np.array([0.5, 0.1]),
}


def test_chunks_that_are_not_there_cannot_be_held_out(cluster):
    with client_of(cluster) as client:
        for said, validation in NOT_THERE.items():
            with pytest.raises(ValueError, match=said):
                ggn.dask.train(client, NET, *cut(X, Y), validation=validation, max_iter=0)
        with pytest.raises(ValueError, match="X must be a dask array"):
            ggn.dask.train(client, NET, X, Y, validation=[1])
        fits = [
            ggn.dask.train(client, NET, *cut(X, Y), validation=numbers, max_iter=0)
            for numbers in ((1, 2), np.array([2, 1]))
        ]
    held = NET.forward(fits[0].w, X[150:])[:, 0] - Y[150:]
    for fit in fits:
        np.testing.assert_allclose(fit.validation_losses, np.mean(held**2), rtol=1e-12)


def test_workers_without_the_library(cluster, monkeypatch):
    monkeypatch.setattr("ggn.dask.sums.LIBRARY", "not_installed")
    with client_of(cluster) as client, pytest.raises(ggn.dask.ClusterError, match="install it"):
        ggn.dask.train(client, NET, *cut(X, Y), max_iter=1)


def test_without_a_client():
    with pytest.raises(ValueError, match="client must be given where there is no current one"):
        ggn.dask.train(None, NET, *cut(X, Y), max_iter=9)


def test_what_is_no_client_and_what_is_no_collection(cluster):
    A, B = cut(X, Y)
    w = NET.initial_weights(0)
    for call, given in (
        (ggn.dask.train, (NET, A, B)),
        (ggn.dask.train, (NET, A, B, "squared")),
        (ggn.dask.train_restarts, (NET, A, B)),
        (ggn.dask.linearize, (NET, w, A, B)),
        (ggn.dask.diagnose, (NET, w, A, B)),
    ):
        with pytest.raises(ValueError, match=r"client must be a distributed.Client, .* got MLP"):
            call(*given)
    late, bag = dask.delayed(X), dask.bag.from_sequence([1, 2])
    with client_of(cluster) as client:
        for one, given in (("X", (late, B)), ("X", (bag, B)), ("Y", (A, dask.delayed(Y)))):
            with pytest.raises(ValueError, match=f"{one} must be a dask array or data frame, got"):
                ggn.dask.train(client, NET, *given)
        with pytest.raises(ValueError, match="sample_weight must be a dask array or series, 1-D"):
            ggn.dask.train(client, NET, A, B, sample_weight=dask.delayed(Y))


def third(part):
    return float(part.X[0, 0]) / 3.0


def test_a_small_sum_has_fewer_additions_and_the_same_bits(cluster, monkeypatch):
    values = RNG.normal(size=41) * 10.0 ** RNG.integers(-8, 8, 41)
    A = da.from_array(values[:, np.newaxis], chunks=(1, 1))
    with client_of(cluster) as client:
        of = DaskSource.of(client, A, A[:, 0], None, form_of(A, A[:, 0], 1, 1))
        get, tasks = client.get, []

        def counted(graph, *args, **options):
            tasks.append(len(graph))
            return get(graph, *args, **options)

        monkeypatch.setattr(client, "get", counted)
        sums = [of.total(third) for _ in range(2)]
        of.close()
    assert tasks == [41 + 6 + 1, 41 + 2 + 1]
    assert sums == [tree(operator.add, [float(v) / 3.0 for v in values])] * 2


# -- the command line --------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame(X, columns=["a", "b"]).assign(
        y=50.0 + 9.0 * Y, kind=np.where(X[:, 0] > 0.0, "right", "left")
    )
    for i in range(2):
        part = table.iloc[200 * i : 200 * (i + 1)]
        part.to_csv(f"part-{i}.csv", index=False, sep=";")
        part.to_parquet(f"part-{i}.parquet")
    return table


def test_command_line_on_files(cluster, written, capsys):
    from ggn.command.cli import main

    address = cluster.scheduler_address
    line = f"train part-*.csv --target y --exclude kind --hidden 4 --max-iter 1 --dask {address}"
    assert main([*line.split(), "--save", "model.npz"]) == 0
    said = capsys.readouterr().out
    assert "part-*.csv: 2 chunks" in said
    model = ggn.Model.load("model.npz")
    assert model.input_names == ("a", "b")
    drawn = Drawn(0.2, 0, False)
    rows = np.r_[np.flatnonzero(drawn(0, 200)), 200 + np.flatnonzero(drawn(1, 200))]
    np.testing.assert_allclose(model.x_mean, X[rows].mean(axis=0), rtol=1e-12)
    F = model.predict(X[rows])[:, 0]
    rmse = np.sqrt(np.mean((F - written.y.to_numpy()[rows]) ** 2))
    assert float(said.splitlines()[-1].split()[1]) == pytest.approx(rmse, rel=1e-4)
    line = (
        f"train part-*.parquet --target kind --inputs a,b --hidden 2 --max-iter 1 --dask {address}"
    )
    assert main(line.split()) == 0
    assert "logistic" in capsys.readouterr().out


def test_command_line_takes_a_scale_in_the_target_s_unit(cluster, written):
    from ggn.command.cli import main

    address = cluster.scheduler_address
    line = "train part-*.csv --target y --inputs a,b --hidden 2 --max-iter 1 --validation 0"
    more = f"--robust --loss-scale 3 --save model.npz --dask {address}"
    assert main([*line.split(), *more.split()]) == 0
    model, y = ggn.Model.load("model.npz"), written.y.to_numpy()
    mad = 1.4826022185056018 * np.median(np.abs(y - np.median(y)))
    np.testing.assert_allclose(model.y_scale, mad, rtol=1e-12)
    np.testing.assert_allclose(model.x_mean, np.median(X, axis=0), rtol=1e-12)
    assert model.loss.scale == pytest.approx(3.0 / mad, rel=1e-12)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("part-*.csv --target y", "column 'kind' is not of numbers; leave it out with --inputs"),
        ("part-*.csv --target z", "has no column 'z', which --target names; it has 4 columns"),
        ("none-*.csv --target y", "none-*.csv: No such file, or none that fits the pattern"),
        (
            "part-*.csv --target y --plot p.png",
            "--plot draws the errors of all rows",
        ),
        ("part-*.csv --target y --robust", "a robust loss needs --loss-scale with --dask"),
    ],
)
def test_command_line_refuses_in_a_sentence(written, capsys, line, said):
    from ggn.command.cli import main

    assert main(["train", *line.split(), "--dask", "tcp://127.0.0.1:1"]) == 2
    assert said in capsys.readouterr().err


def test_command_line_names_the_file_without_a_column_and_a_cell_without_a_number(
    cluster, written, capsys
):
    from ggn.command.cli import main

    line = "--target y --inputs a,b --hidden 2 --max-iter 1 --dask"
    for kind in ("csv", "parquet"):
        for i, names in enumerate((["a", "b", "y"], ["a", "y"])):
            table = written[names].iloc[200 * i : 200 * (i + 1)]
            table.to_csv(f"m-{i}.csv", index=False)
            table.to_parquet(f"m-{i}.parquet")
        assert main(["train", f"m-*.{kind}", *line.split(), "tcp://127.0.0.1:1"]) == 2
        said = f"m-1.{kind} has no column 'b', which m-0.{kind} has; it has 2 columns: a, y"
        assert said in capsys.readouterr().err
    table = written[["a", "b", "y"]].iloc[200:].astype(object)
    table.iloc[7, 1] = None
    table.to_csv("m-1.csv", index=False)
    for more, status in ((["--missing", "drop"], 0), ([], 2)):
        line = [*line.split(), cluster.scheduler_address] if isinstance(line, str) else line
        assert main(["train", "m-*.csv", *line, *more]) == status
    told = capsys.readouterr().err
    assert "in chunk 1, X must have no missing cells, got one in column 'b' at row 7" in told
    assert "; --missing drop leaves out such rows" in told
