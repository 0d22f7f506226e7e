"""Lanes of samples on threads: the same bits for any number of them, and nothing left running."""

import contextlib
import gc
import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from strategies import assert_close

import ggn
from ggn._core import machine
from ggn._core.interrupts import done
from ggn.linearization import assembly
from ggn.linearization.lanes import split

NETS = [
    ggn.MLP((3, 7, 1)),
    ggn.MLP((2, 5, 4, 3), "sigmoid"),
    ggn.MLP((4, 3), bias=False),
    ggn.MLP((1, 20, 1)),
]
T = 203


@pytest.fixture
def many_lanes(monkeypatch):
    """As many lanes as there may be, also where they would not pay."""
    monkeypatch.setattr(machine, "LANE_FLOPS", 1.0)
    monkeypatch.setattr(machine, "FLOPS_PER_SUM", 1e-9)
    monkeypatch.setattr(assembly, "SHARED_FROM", 0)


def data(net, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, net.n_inputs)), rng.normal(size=(T, net.n_outputs))


def known(net, loss="squared", **options):
    """Loss, gradient and normal matrix as one array, all by lanes."""
    at = ggn.linearize(net, net.initial_weights(1), *data(net), loss, **options)
    G = np.zeros((net.n_weights, net.n_weights))
    gradient = at.assemble_normal(G, psd=False)
    return np.concatenate([[at.loss], gradient, np.tril(G).ravel()])


def fit(seed):
    net = NETS[0]
    return ggn.train(net, *data(net, seed), rng=seed, max_iter=20).w.tobytes()


@pytest.mark.usefixtures("many_lanes")
@pytest.mark.parametrize("net", NETS, ids=repr)
@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_the_same_bits_for_any_number_of_threads(net, loss):
    assert assembly.lanes_of_blocks(net, T) == 8
    found = []
    for n in (1, 2, 3, 8):
        with ggn.threads(n):
            found.append(known(net, loss).tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("net", NETS, ids=repr)
@pytest.mark.parametrize("chunk", [None, 1, 16])
def test_lanes_change_nothing_but_rounding(net, chunk, monkeypatch):
    whole = known(net)
    monkeypatch.setattr(machine, "LANE_FLOPS", 1.0)
    monkeypatch.setattr(machine, "FLOPS_PER_SUM", 1e-9)
    monkeypatch.setattr(assembly, "SHARED_FROM", 0)
    assert_close(known(net, chunk_size=chunk), whole)


@pytest.mark.usefixtures("many_lanes")
def test_fits_at_once_from_several_threads():
    alone = [fit(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fit, range(8))) == alone


@pytest.mark.usefixtures("many_lanes")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_after_a_fork():
    with ggn.threads(3):
        before = known(NETS[0]).tobytes()
        child = os.fork()
        if not child:
            os._exit(0 if known(NETS[0]).tobytes() == before else 1)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.usefixtures("many_lanes")
def test_a_users_functions_stay_on_the_callers_thread():
    seen = set()

    def value(z):
        seen.add(threading.get_ident())
        return np.tanh(z)

    own = ggn.Activation("own", value, lambda z: 1.0 - np.tanh(z) ** 2)
    with ggn.threads(4):
        assert_close(known(ggn.MLP((3, 7, 1), own)), known(ggn.MLP((3, 7, 1))))
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("where", [0, 3])
def test_an_error_in_a_lane_ends_all(kind, where):
    started, left = threading.Barrier(4), []

    def work(lane, stopped):
        started.wait(10.0)
        if lane == where:
            raise kind
        while not stopped():
            pass
        left.append(lane)

    with ggn.threads(4), pytest.raises(kind):
        machine.share(4, work)
    assert sorted([where, *left]) == [0, 1, 2, 3]


def test_a_thread_that_has_ended_holds_nothing():
    """It may be long until the system runs it again, and its frame is gone."""

    class Held:
        """What a lane sums, N² doubles and more."""

    go_on, one = threading.Event(), threading.Barrier(2)

    class Late:
        """The lock of who waits: its thread is set aside as soon as it has freed it."""

        def __init__(self, lock):
            self.acquire, self._release = lock.acquire, lock.release

        def release(self):
            self._release()
            go_on.wait(10.0)

    class Delayed(machine.Worker):
        def __init__(self, work):
            super().__init__(work)
            self._ended = Late(self._ended)

    def sweep():
        held = Held()

        def work(lane, stopped):
            one.wait(10.0)  # a lane on each thread
            assert held

        machine.share(2, work)
        return weakref.ref(held)

    try:
        with ggn.threads(2), pytest.MonkeyPatch.context() as patch:
            patch.setattr(machine, "Worker", Delayed)
            assert sweep()() is None
    finally:
        go_on.set()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
def test_an_error_lets_go_of_what_its_frames_held(kind):
    """What they have limited lasts as long as they: not until Python looks for circles."""

    class Held:
        pass

    watched = []

    def work(*_):
        held = Held()
        watched.append(weakref.ref(held))
        raise kind

    gc.collect()
    gc.disable()
    try:
        for run in (lambda: machine.share(2, work), lambda: done(work)):
            with ggn.threads(2), contextlib.suppress(kind):
                run()
        assert watched
        assert [one() for one in watched] == [None] * len(watched)
    finally:
        gc.enable()


def test_ctrl_c_while_others_work():
    """The caller waits for them to stop: they write to its memory."""
    ready = threading.Barrier(3)
    caller = threading.get_ident()

    def work(_, stopped):
        ready.wait(10.0)
        if threading.get_ident() == caller:
            return
        while not stopped():
            pass

    begun = []

    class Interrupted(machine.Worker):
        once = False

        def start(self):
            begun.append(self)
            super().start()

        def wait(self):
            if not self.once:
                self.once = True
                raise KeyboardInterrupt
            super().wait()

    with pytest.MonkeyPatch.context() as patch, ggn.threads(3):
        patch.setattr(machine, "Worker", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            machine.share(3, work)
    assert any(worker.once for worker in begun)
    assert not any(worker.alive for worker in begun)


AT_EACH_BYTECODE = """
import faulthandler, sys, threading
import ggn
from ggn._core import interrupts, machine

OURS = interrupts.__file__, machine.__file__, threading.__file__


def interrupted(at):
    seen, home = [0], threading.get_ident()

    def trace(frame, event, _):
        if threading.get_ident() != home or frame.f_code.co_filename not in OURS:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        seen[0] += event == "opcode"
        if event == "opcode" and seen[0] == at:
            raise KeyboardInterrupt
        return trace

    called = []
    sys.settrace(trace)
    try:
        machine.share(3, lambda lane, stopped: called.append(lane))
        assert sorted(called) == [0, 1, 2], called
        assert interrupts.done(lambda: 7) == 7
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return seen[0]


faulthandler.dump_traceback_later(40.0, exit=True)
with ggn.threads(3):
    number = interrupted(0)
    for at in range(1, number + 1):
        interrupted(at)
print(number, "bytecodes")
"""


def test_ctrl_c_at_each_bytecode_of_starting_and_waiting():
    """No lock is left taken that a thread would wait for: the process ends."""
    found = subprocess.run(
        [sys.executable, "-c", AT_EACH_BYTECODE], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert int(found.stdout.split()[0]) > 100


@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
@pytest.mark.parametrize("samples", [1, 7, 8, 63, 64, 65, 1000])
def test_each_sample_is_in_one_lane(samples, lanes):
    assert [i for part in split(samples, lanes) for i in part] == list(range(samples))


def test_small_problems_have_one_lane_and_large_sums_few():
    assert machine.lane_count(machine.LANE_FLOPS * 1.9) == 1
    assert machine.lane_count(machine.LANE_FLOPS * 7.0) == 4
    assert machine.lane_count(1e12) == 8
    assert machine.lane_count(1e12, 2 * machine.LARGE_SUMS) == 4
    assert machine.lane_count(1e9, 10**7) == 1


def test_their_memory_is_counted():
    net = ggn.MLP((8, 50, 50, 1))
    sums, tile, weighted = net.layout.normal_sizes(net.chunk_size(1, 256), 2)
    lanes = assembly.lanes_of_blocks(net, 10_000)
    assert lanes > 1
    assert assembly.normal_memory(net, 10_000) >= (lanes - 1) * sums + lanes * (tile + weighted)


def test_the_number_of_threads(monkeypatch):
    monkeypatch.delenv("GGN_NUM_THREADS", raising=False)
    for told, name in ((3, "OMP_NUM_THREADS"), (5, "GGN_NUM_THREADS")):
        monkeypatch.setenv(name, str(told))
        machine._cores.cache_clear()
        assert machine.number_of_threads() == told
    with ggn.threads(2):
        assert machine.number_of_threads() == 2
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.delenv("GGN_NUM_THREADS")
    machine._cores.cache_clear()
    assert 1 <= machine.number_of_threads() <= os.cpu_count()
    with pytest.raises(ValueError, match="n must"), ggn.threads(0):
        pass


@pytest.fixture(autouse=True)
def cores_anew():
    yield
    machine._cores.cache_clear()


@pytest.mark.parametrize("callback", [None, lambda intermediate_result: None])
@pytest.mark.parametrize("step", ["primal", "conjugate_gradient"])  # compiled, and Python's loop
def test_runs_on_other_threads_end_with_the_one_that_ctrl_c_ended(step, callback):
    """They would have gone on for hours, and whoever waits for them with them."""
    rng = np.random.default_rng(0)
    x, y, net = np.linspace(-1.0, 1.0, 300), rng.normal(size=300), ggn.MLP((1, 20, 1))
    begun, ended = threading.Event(), []

    def work(lane, stopped):
        if lane == 0:
            begun.wait(30.0)
            raise KeyboardInterrupt
        begun.set()
        options = {"step": step, "tol": 0.0, "max_iter": 10**7, "callback": callback}
        run = ggn.train(net, x, y, w0="normal", **options)
        ended.append(run.status)
        raise ValueError("an error of its own")

    with ggn.threads(2), pytest.raises(ValueError, match="of its own"):
        machine.share(2, work)
    assert ended == [ggn.Status.INTERRUPTED]
    machine.heed()  # nothing is left of it here
    assert ggn.train(net, x, y, w0="normal", max_iter=3).nit == 3
