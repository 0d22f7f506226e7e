"""Ctrl-C while a cluster sums, as a terminal sends it: to this process and to all its children."""

import os
import select
import signal
import time

import numpy as np
import pytest
from commands import process

import ggn
from ggn import Status
from ggn.command.cli import main

pytest.importorskip("distributed", reason="needs dask and distributed")
import dask
import dask.array as da
import pandas as pd
from distributed import Client, LocalCluster

import ggn.dask
from ggn._core.interrupts import unheard
from ggn.command import cluster as command

RNG = np.random.default_rng(61)
X = RNG.normal(size=(400, 2))
Y = np.sin(X.sum(axis=1))
NET = ggn.MLP((2, 3, 1))
SIGNALS = pytest.mark.skipif(os.name != "posix", reason="needs groups of processes and signals")


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(2):
        table = pd.DataFrame(X[200 * i : 200 * (i + 1)], columns=["a", "b"])
        table.assign(y=Y[200 * i : 200 * (i + 1)]).to_csv(f"part-{i}.csv", index=False)
    return tmp_path


@SIGNALS
def test_workers_of_the_command_sum_on(written):
    """So the weights are saved, and their errors known."""
    master, slave = os.openpty()
    line = "train part-*.csv --target y --hidden 9 --tol 0 --max-iter 1000000 --save m.npz --dask"
    child = process(*line.split(), stderr=slave, start_new_session=True)
    seen = b""
    while b"iteration" not in seen and child.poll() is None:  # training has not begun
        if select.select([master], [], [], 0.2)[0]:
            seen += os.read(master, 1000)
    os.killpg(child.pid, signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    os.write(slave, b"the end")
    seen += os.read(master, 10000)
    os.close(slave)
    os.close(master)
    assert child.returncode == 130
    assert Status.INTERRUPTED.value in " ".join(out.split())
    assert "train RMSE" in out
    assert b"Traceback" not in seen
    assert ggn.Model.load(written / "m.npz").input_names == ("a", "b")


@SIGNALS
@pytest.mark.usefixtures("ctrl_c")
def test_what_is_started_unheard_has_it_blocked():
    """This thread hears it once the context is left, and its signals are as they were."""
    found, before = [], signal.pthread_sigmask(signal.SIG_BLOCK, ())

    def start():
        with unheard():
            signal.raise_signal(signal.SIGINT)
            found.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    with pytest.raises(KeyboardInterrupt):
        start()
    assert found == [True]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_workers_that_heard_it_too_are_not_waited_for(monkeypatch):
    """Where they are gone, who was interrupted has not the patience that there is with others."""
    monkeypatch.setattr("ggn.dask.waiting.HURRY", 0.1)
    seen, begun = [], []
    with (
        dask.config.set({"ggn.patience": 120}),
        LocalCluster(
            n_workers=1, processes=False, dashboard_address=":0", silence_logs=50
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):

        def interrupt(intermediate_result):
            seen.append(intermediate_result.w.copy())
            if intermediate_result.nit == 2:
                cluster.scale(0)
                while client.nthreads():
                    time.sleep(0.01)
                begun.append(time.monotonic())
                raise KeyboardInterrupt

        A, B = (da.from_array(a, chunks=(150, *a.shape[1:])) for a in (X, Y))
        fit = ggn.dask.train(client, NET, A, B, validation=[2], callback=interrupt, tol=0.0)
        assert time.monotonic() - begun[0] < 100.0
    assert (fit.status, fit.nit, fit.kept) == (Status.INTERRUPTED, 2, 2)
    assert fit.message == Status.INTERRUPTED.value
    assert np.array_equal(fit.w, seen[-1])
    held = NET.forward(fit.w, X[:300])[:, 0] - Y[:300]
    assert fit.fun == pytest.approx(np.mean(held**2), rel=1e-12)
    assert np.isnan(fit.jac).all()  # nobody was left to ask


def test_before_there_are_weights_it_says_that_nothing_was_saved(written, capsys, monkeypatch):
    def interrupted(address):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_client", interrupted)
    assert main(["train", "part-*.csv", "--target", "y", "--save", "m.npz", "--dask"]) == 130
    told = "ggn: interrupted before there were weights; nothing was saved\n"
    assert capsys.readouterr() == ("", told)
    assert not (written / "m.npz").exists()


def test_the_command_saves_what_it_has_where_errors_cannot_be_had(written, capsys, monkeypatch):
    """A run that is not the best was interrupted, and by then all samples were gone."""
    from ggn.dask import fitting
    from ggn.fit import of_sums

    def gone(*args):
        raise ggn.dask.ClusterError("gone")

    monkeypatch.setattr(of_sums, "_errors", gone)
    whole = fitting.fit_of_sums

    def ended(*args):
        found = whole(*args)
        worst = max(found.restarts.runs, key=lambda run: run.fun)
        worst.update(status=Status.INTERRUPTED)
        return found

    monkeypatch.setattr(fitting, "fit_of_sums", ended)
    with LocalCluster(
        n_workers=1, processes=False, dashboard_address=":0", silence_logs=50
    ) as cluster:
        line = (
            "train part-*.csv --target y --hidden 2 --max-iter 1 --restarts 2 --save m.npz --dask"
        )
        assert main([*line.split(), cluster.scheduler_address]) == 130
    assert "RMSE" not in capsys.readouterr().out
    assert (written / "m.npz").exists()
