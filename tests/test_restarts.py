"""Several starts: the same runs however they are shared out, and what they are told apart by."""

import re
import sys

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import ggn
from ggn.fit.restarts import Restarts, run_restarts, train_restarts
from ggn.fit.result import Status
from ggn.linearization import SourceError

X = np.linspace(-2.0, 2.0, 30)[:, np.newaxis]
Y = np.sin(2.0 * X) + 0.1 * np.cos(9.0 * X)
NET = ggn.MLP((1, 4, 1))


def test_runs_are_those_of_the_spawned_streams():
    found = train_restarts(
        NET, X, Y, "cauchy", n_restarts=5, rng=3, max_iter=20, l2=1e-4, scheme="uniform"
    )
    alone = [
        ggn.train(NET, X, Y, "cauchy", w0=NET.initial_weights(s, "uniform"), max_iter=20, l2=1e-4)
        for s in np.random.default_rng(3).spawn(5)
    ]
    assert found.losses.tolist() == [run.fun for run in alone]
    assert found.best.fun == min(run.fun for run in alone)
    assert len(set(found.losses)) == 5


def test_processes_do_not_change_a_bit():
    one, two = (train_restarts(NET, X, Y, n_restarts=5, n_jobs=n, max_iter=30) for n in (1, 2))
    for a, b in zip(one.runs, two.runs, strict=True):
        assert np.array_equal(a.w, b.w)
        assert np.array_equal(a.history.loss, b.history.loss)
        assert a.status is b.status
    assert repr(two) == repr(one)


def test_distinct_losses_of_a_problem_with_two_minima():
    """Robust location: mean Cauchy loss of one weight to -1, -1 and 1 has a minimum near each."""
    y = np.array([-1.0, -1.0, 1.0])
    s = 0.2

    def mean_loss(w):
        return float(np.mean(s**2 * np.log1p(((w - y) / s) ** 2)))

    least = [
        minimize_scalar(
            mean_loss, bounds=(c - 0.2, c + 0.2), method="bounded", options={"xatol": 1e-9}
        )
        for c in (-1.0, 1.0)
    ]
    net = ggn.MLP((1, 1), bias=False)
    found = train_restarts(net, np.ones((3, 1)), y[:, None], ggn.losses.Cauchy(s), n_restarts=16)
    assert all(run.success for run in found.runs)
    levels = found.levels()
    assert [level.loss for level in levels] == pytest.approx([m.fun for m in least], rel=1e-9)
    ends = np.array([run.w[0] for run in found.runs])
    assert [level.runs for level in levels] == [np.sum(ends < 0.0), np.sum(ends > 0.0)]
    assert min(level.runs for level in levels) > 0
    assert found.best.w[0] == pytest.approx(least[0].x, abs=1e-6)
    text = str(found)
    assert text.startswith("16 runs, 16 converged to 2 distinct losses\n")
    assert re.search(rf"^{levels[1].loss:.7g} +{levels[1].runs}$", text, re.MULTILINE)
    # looser than the minima are apart, they are one
    assert len(found.levels(rtol=10.0)) == 1


def test_zeros_are_one_loss_to_rounding():
    """More weights than samples: losses of 1e-30 and 1e-28 are both zero."""
    found = train_restarts(ggn.MLP((1, 8, 1)), X[::6], Y[::6], n_restarts=6)
    exact = [run for run in found.runs if run.fun < 1e-18]
    assert len(exact) >= 3
    assert len({run.fun for run in exact}) > 1
    assert found.levels()[0].runs == len(exact)


def test_runs_that_did_not_converge_are_counted_apart():
    found = train_restarts(NET, X, Y, n_restarts=3, max_iter=1)
    assert found.levels() == []
    assert str(found).startswith("3 runs, 0 converged to 0 distinct losses\nloss at the end: least")


def test_ctrl_c_returns_the_runs_so_far():
    steps = []

    def callback(intermediate_result):
        steps.append(intermediate_result.nit)
        if steps.count(1) == 3:
            raise KeyboardInterrupt

    found = train_restarts(NET, X, Y, n_restarts=9, max_iter=4, callback=callback)
    assert [run.status for run in found.runs] == [Status.MAX_ITER] * 2 + [Status.INTERRUPTED]


def test_without_joblib(monkeypatch):
    expected = train_restarts(NET, X, Y, n_restarts=2, max_iter=3).losses
    monkeypatch.setitem(sys.modules, "joblib", None)
    for n_jobs in (None, 1):
        found = train_restarts(NET, X, Y, n_restarts=2, max_iter=3, n_jobs=n_jobs)
        assert np.array_equal(found.losses, expected)
    with pytest.raises(ValueError, match=r"^n_jobs must be 1 where joblib is not installed, got 2"):
        train_restarts(NET, X, Y, n_restarts=2, n_jobs=2)


@pytest.mark.parametrize("n", [0, 1.5, True, "many"])
def test_number_of_runs(n):
    with pytest.raises(ValueError, match=r"^n_restarts must be an integer of at least 1, got "):
        train_restarts(NET, X, Y, n_restarts=n)


def test_faults_come_through():
    with pytest.raises(ValueError, match=r"^rng must be "):
        train_restarts(NET, X, Y, rng=-1)
    with pytest.raises(ValueError, match=r"^X and Y must have as many rows, got 30 and 3"):
        train_restarts(NET, X, Y[:3])
    for n_jobs in (1, 2):
        with pytest.raises(ValueError, match=r"^scheme must be one of .*, got 'q'"):
            train_restarts(NET, X, Y, scheme="q", n_jobs=n_jobs)


def test_any_run_of_ones_own():
    """`run_restarts` asks of a run no more than to take a stream and return a result."""
    seen = []

    def run(stream):
        seen.append(stream.integers(1 << 62))
        return ggn.train(NET, X, Y, rng=stream, max_iter=2)

    found = Restarts(tuple(run_restarts(run, 3, np.random.default_rng(5))))
    assert seen == [s.integers(1 << 62) for s in np.random.default_rng(5).spawn(3)]
    assert len(found.losses) == 3


@pytest.mark.parametrize("failing", ["at its start", "after its second step"])
def test_runs_that_ended_outlive_their_samples(failing):
    """The third of five loses them: what has ended is returned, and it, if it has taken a step."""
    run, calls = [], []

    def chunks():
        if len(run) == 2 and (failing == "at its start" or len(calls) == 2):
            raise OSError("gone")
        yield X[:10], Y[:10]
        yield X[10:], Y[10:]

    def callback(intermediate_result):
        calls.append(0)
        if intermediate_result.nit == 4:  # where a run ends
            calls.clear()
            run.append(0)

    options = {"n_restarts": 5, "max_iter": 4, "n_jobs": 1, "callback": callback, "tol": 0.0}
    found = ggn.train_restarts(NET, ggn.Chunks(chunks), **options)
    run.clear()
    whole = ggn.train_restarts(NET, X, Y, n_restarts=2, max_iter=4, n_jobs=1, tol=0.0)
    begun = failing != "at its start"
    assert [one.nit for one in found.runs] == [4, 4, 2][: 2 + begun]
    np.testing.assert_allclose(found.losses[:2], whole.losses, rtol=1e-9)
    lost = [one.status is ggn.Status.LOST for one in found.runs]
    assert lost == [False] * (1 + begun) + [True]
    assert "OSError('gone')" in found.runs[-1].message


def test_samples_lost_before_any_run_has_ended_are_told():
    passes = []

    def chunks():
        passes.append(0)
        if len(passes) > 1:
            raise OSError("gone")
        yield X, Y

    for n_jobs in (1, 2):
        passes.clear()
        with pytest.raises(SourceError, match="OSError\\('gone'\\)"):
            ggn.train_restarts(NET, ggn.Chunks(chunks), n_restarts=2, n_jobs=n_jobs)
