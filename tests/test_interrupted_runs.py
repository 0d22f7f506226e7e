"""Ctrl-C in one of several runs ends them all, and the one result says so."""

import numpy as np
import pytest

import ggn
from ggn.fit import many
from ggn.recurrent import statespace_train

x = np.linspace(-1.0, 1.0, 24)[:, np.newaxis]
y = np.sin(3.0 * x) + 0.1 * np.cos(17.0 * x)
U = np.random.default_rng(2).uniform(-1.0, 1.0, 40)
R = np.sin(np.convolve(U, [1.0, 0.5, 0.2])[:40])
NET = ggn.MLP((1, 3, 1))
FEW = {"max_iter": 6}
CALLS = {
    "train_bayesian": lambda n, **more: ggn.train_bayesian(NET, x, y, n_restarts=n, **more),
    "train_robust": lambda n, **more: ggn.train_robust(NET, x, y, n_restarts=n, **more),
    "narx": lambda n, **more: ggn.narx(U, R, hidden=2, n_starts=n, **more),
    "statespace": lambda n, **more: ggn.statespace(U, R, 2, f=2, n_restarts=n, **more),
}


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
@pytest.mark.parametrize("name", CALLS)
def test_the_best_of_several_says_that_there_were_to_be_more(name):
    calls = []
    alone = CALLS[name](1, callback=lambda w: calls.append(0), **FEW)
    assert alone.status is not ggn.Status.INTERRUPTED
    seen = []

    def once_more(w):
        seen.append(0)
        if len(seen) == len(calls) + 1:  # the first iterate of the second run
            raise KeyboardInterrupt

    fit = CALLS[name](3, callback=once_more, **FEW)
    assert len(seen) == len(calls) + 1
    assert np.array_equal(fit.w, alone.w)
    assert fit.status is ggn.Status.INTERRUPTED
    assert not fit.success
    assert fit.message == ggn.Status.INTERRUPTED.value


@pytest.mark.parametrize("status", [ggn.Status.INTERRUPTED, ggn.Status.MAX_SECONDS])
def test_windows_end_where_they_are_interrupted(status, monkeypatch):
    found = []
    minimise = statespace_train.minimise

    def ended_in_the_second(method, units, source, w0, *more):
        result = minimise(method, units, source, w0, *more)
        found.append((result, method.limits))
        if len(found) == 2:
            result.status = status
        return result

    whole = ggn.statespace(U, R, 1, f=2, window=5, **FEW)
    monkeypatch.setattr(statespace_train, "minimise", ended_in_the_second)
    monkeypatch.setattr("ggn.recurrent.chosen_by_data.minimise", ended_in_the_second)
    fit = ggn.statespace(U, R, 1, f=2, window=5, **FEW)
    assert len(found) == 3  # two windows, and J of the free run
    model = found[1][0]
    n = fit.model.n_shared
    if status is ggn.Status.INTERRUPTED:
        assert np.array_equal(fit.w[:n], model.w[:n])
        assert (fit.nit, fit.status, fit.success) == (0, status, False)
    run = fit.simulate(U, x0=fit.initial_states[0])[:, 0]
    assert fit.fun == pytest.approx(np.square(run - R).mean(), rel=1e-9)
    assert not np.array_equal(fit.w, whole.w)


def test_the_seconds_are_those_of_all_runs(monkeypatch):
    clock = iter(np.arange(0.0, 1e6, 10.0))
    monkeypatch.setattr(statespace_train.time, "perf_counter", lambda: next(clock))
    fit = ggn.statespace(U, R, 2, f=2, n_restarts=5, window=5, max_seconds=15.0, **FEW)
    assert fit.status is ggn.Status.MAX_SECONDS
    assert fit.nit == 0


@pytest.mark.parametrize("place", [0, 1, 2])
def test_restarts_return_the_runs_that_were_done(place, monkeypatch):
    minimise, begun = many.minimise, []

    def interrupted_at(*arguments):
        begun.append(0)
        if len(begun) == place + 1:
            raise KeyboardInterrupt  # where no run could take it
        return minimise(*arguments)

    monkeypatch.setattr(many, "minimise", interrupted_at)
    with ggn.threads(1):
        if place == 0:
            with pytest.raises(KeyboardInterrupt):
                ggn.train_restarts(NET, x, y, n_restarts=4, **FEW)
        else:
            found = ggn.train_restarts(NET, x, y, n_restarts=4, **FEW)
            said = [run.status is ggn.Status.INTERRUPTED for run in found.runs]
            assert said == [False] * (place - 1) + [True]
    assert len(begun) == place + 1


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
def test_a_mixture_says_that_a_network_was_interrupted():
    calls = []
    alone = ggn.train_bayesian(
        NET, x, y, n_estimators=2, callback=lambda w: calls.append(0), max_iter=2
    )
    assert alone.status is ggn.Status.MAX_ITER
    seen = []

    def at_last(w):
        seen.append(0)
        if len(seen) == len(calls):
            raise KeyboardInterrupt

    fit = ggn.train_bayesian(NET, x, y, n_estimators=2, callback=at_last, max_iter=2)
    assert [member.status for member in fit.members] == [
        ggn.Status.MAX_ITER,
        ggn.Status.INTERRUPTED,
    ]
    assert (fit.status, fit.success) == (ggn.Status.INTERRUPTED, False)
