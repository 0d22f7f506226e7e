"""The constants of `growth`, measured.

Whatever is work is measured in processor time, where it is done, so that other programs of the
machine hardly change it; only `graph`, `lead`, `crowd` and `press` are times by the clock, and need
a quiet machine.  All are medians.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import nnls

import ggn
from benchmarks.growth import Constants, graph
from ggn import _core
from ggn.dask.wire import WIDE, additions, handed
from ggn.linearization import Objective, parts
from ggn.linearization.assembly import normal_work
from ggn.linearization.mean_loss import forward_flops
from ggn.linearization.output_layer import output_sums, refit_flops
from ggn.linearization.source import add
from ggn.linearization.sweeping import sweep_work
from ggn.steps.cholesky import damped_cholesky

__all__ = ["cluster", "data", "measure", "one", "processor", "source", "spent"]

# none of them among the points
NETS = (10, 30, 1), (30, 40, 1), (6, 20, 20, 1), (3, 10, 1), (12, 80, 1), (5, 10, 10, 3)
SAMPLES = 1_000, 8_000  # of which a kernel's cost is the difference
BURNT = 3e-3, 30e-3  # seconds of work of a leaf, of which what a crowd costs is fitted
SHORT = 2e-3  # and of one whose task's cost is measured: of none, workers take many at a time
FLUSHED = 8_000_000  # doubles, more than caches hold
FEW, MANY = 8, 64  # chunks of which a task's cost is the difference


@contextlib.contextmanager
def cluster(W: int) -> Iterator[Any]:
    """Return a client of W processes of one thread."""
    from distributed import Client, LocalCluster

    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with LocalCluster(n_workers=W, **options) as here, Client(here) as client:
        yield client


def data(sizes: tuple[int, ...], T: int, C: int) -> tuple[Any, ...]:
    """Return network, inputs and targets as dask arrays of C chunks."""
    import dask.array as da

    rng = da.random.default_rng(0)
    X = rng.normal(size=(T, sizes[0]), chunks=(-(-T // C), sizes[0]))
    return ggn.MLP(sizes), X, da.sin(X.sum(axis=1))[:, None] * np.ones((1, sizes[-1]))


def source(client: Any, C: int) -> Any:
    """Return C chunks with next to nothing in them."""
    from ggn.dask.parts import form_of
    from ggn.dask.sums import DaskSource

    _, X, Y = data((1, 1), 8 * C, C)
    return DaskSource.of(client, X, Y, None, form_of(X, Y, 1, 1))


def one(part: Any) -> float:
    return 1.0


def begun(part: Any) -> float:
    return time.time()


def numbers(part: Any, n: int) -> np.ndarray:
    return np.ones(n)


def kernels(i: int) -> list[float]:
    """Return flops per second of a worker: of assembly, forward sweeps, along a line; three costs.

    These are an assembly's for each unit and sample, of the call, and of each of N² numbers.
    """
    rng, found, beside = np.random.default_rng(0), [], []
    few, many = SAMPLES
    for sizes in NETS:
        net, taken = ggn.MLP(sizes), []
        for T in SAMPLES:
            X = rng.normal(size=(T, sizes[0]))
            Y = np.sin(X.sum(axis=1))[:, np.newaxis] * np.ones((1, sizes[-1]))
            objective, w = Objective(net, X, Y), net.initial_weights(0)
            with ggn.threads(1):
                taken.append((
                    _seconds(parts.normal, objective, w, True), _seconds(objective.value, w),
                    _seconds(output_sums, objective, w),
                    _seconds(parts.bend, objective, w, 0.01 * w),
                ))  # fmt: skip
        slopes = (np.array(taken[1]) - taken[0]) / (many - few)
        found.append(slopes)
        beside.append(max(taken[0][0] - few * slopes[0], 0.0))
    nets = [ggn.MLP(sizes) for sizes in NETS]
    taken = np.array(found)
    assembly, unit = _shared([[normal_work(net), sum(net.sizes[1:])] for net in nets], taken[:, 0])
    value, refit, along = (
        np.median([work(net) / t for net, t in zip(nets, column, strict=True)])
        for work, column in zip(
            (forward_flops, refit_flops, lambda net: sweep_work(net, 1)), taken.T[1:], strict=True
        )
    )
    call, matrix = nnls([[1.0, float(net.n_weights) ** 2] for net in nets], beside)[0]
    return [1.0 / assembly, float(value + refit) / 2.0, float(along), unit, call, matrix]


def _shared(parts: list[list[float]], taken: Any) -> Any:
    """Return what each of some quantities costs, by least squares of relative errors, none < 0."""
    weighted = np.array(parts, dtype=float) / np.asarray(taken)[:, np.newaxis]
    return nnls(weighted, np.ones(len(taken)))[0]


def _seconds(call: Callable[..., object], *args: Any) -> float:
    """Return the median processor seconds of a call in this thread, made once before.

    What it works on is not in a cache: that of a chunk is not either when its turn comes.
    """
    call(*args)
    taken, other = [], np.ones(FLUSHED)
    for _ in range(7):
        other += 1.0
        start = time.thread_time()
        call(*args)
        taken.append(time.thread_time() - start)
    return statistics.median(taken)


def rates(client: Any) -> np.ndarray:
    """Return the rates of `kernels`, all workers at once."""
    workers = list(client.nthreads())
    asked = [client.submit(kernels, i, workers=[at], pure=False) for i, at in enumerate(workers)]
    return np.median(client.gather(asked), axis=0)


def spent(client: Any, call: Callable[[], object], times: int) -> np.ndarray:
    """Return seconds of a call: processor time of client and workers, and by the clock."""
    call()
    found = []
    for _ in range(5):
        before = np.array(processor(client))
        start = time.perf_counter()
        for _ in range(times):
            call()
        wall = time.perf_counter() - start
        found.append([*(np.array(processor(client)) - before) / times, wall / times])
    return np.median(found, axis=0)


def beside(client: Any, of: Any, idle: np.ndarray) -> np.ndarray:
    """Return processor seconds of client and workers for a graph, less its work and its waiting."""
    worked: list[float] = []
    cost = spent(client, lambda: worked.append(of.total(burn, SHORT)), 10)
    rest: np.ndarray = cost[:2] - idle * cost[2] - [0.0, statistics.mean(worked)]
    return rest


def processor(client: Any) -> tuple[float, float]:
    """Return the processor seconds so far of client with scheduler, and of all workers."""
    return time.process_time(), sum(client.run(time.process_time).values())


def solving() -> tuple[float, float]:
    """Return the flops per second of a factorisation, and the seconds of N² numbers copied."""
    rows, taken = [], []
    for N in (300, 600, 1200):
        rng = np.random.default_rng(0)
        A = rng.normal(size=(N, N))
        A, G, factor = A @ A.T + N * np.eye(N), np.empty((N, N)), np.empty((N, N))
        triangle, D, g = parts.packed(A), np.ones(N), np.ones(N)

        def solve(G=G, factor=factor, triangle=triangle, D=D, g=g) -> None:
            parts.unpacked(triangle, G)
            damped_cholesky(G, D, 0.1, factor)
            for _ in range(2):
                _core.cholesky_solve(factor, g.copy())

        rows.append([N**3 / 3.0, N * N])
        with ggn.threads(1):
            taken.append(_seconds(solve))
    weighted = np.array(rows) / np.array(taken)[:, np.newaxis]  # least squares of relative errors
    flop, number = np.linalg.lstsq(weighted, np.ones(len(rows)), rcond=None)[0]
    return 1.0 / max(flop, 1e-12), max(number, 0.0)


def burn(part: Any, seconds: float) -> float:
    """Work for so long, as kernels do, without Python's lock; return this thread's seconds."""
    A = np.ones((100, 100))
    start = time.thread_time()
    while time.thread_time() - start < seconds:
        A @ A
    return time.thread_time() - start


def crowded(client: Any, W: int, cores: float, known: Constants) -> tuple[float, float]:
    """Return `crowd` and `press`, or `throng` and `crush`, from graphs whose work is known."""
    rows, taken = [], []
    free = replace(known, graph=0.0, press=0.0, crowd=1.0, crush=0.0, throng=1.0)
    for C in (FEW, MANY):
        of = source(client, C)
        for seconds in BURNT:
            of.total(burn, seconds)
            walls = []
            for _ in range(5):
                start = time.perf_counter()
                of.total(burn, seconds)
                walls.append(time.perf_counter() - start)
            rows.append([graph(seconds, C, W, free, cores).wall, C + sum(additions(C, WIDE))])
            taken.append(max(statistics.median(walls) - known.graph, 1e-3))
    crowd, press = _shared(rows, taken)
    return float(crowd), float(press)


def measure() -> Constants:
    """Return the constants of this machine, from clusters of one worker and of one a core."""
    cores = len(os.sched_getaffinity(0))
    tasks = {C: C + sum(additions(C, WIDE)) for C in (FEW, MANY)}
    with cluster(1) as client:
        quick = rates(client)
        first, few, many = (source(client, C) for C in (1, FEW, MANY))
        idle = spent(client, lambda: time.sleep(1.0), 1)[:2]
        latency = spent(client, lambda: first.total(one), 10)[2]
        leads, costs = [], []
        for of in (few, many):
            waits = []
            for _ in range(20):
                start = time.time()
                waits.append(of.reduce(min, begun) - start)
            leads.append(statistics.median(waits))
            costs.append(beside(client, of, idle))
        n = 500_000
        cost = spent(client, lambda: few.reduce(add, numbers, n), 3)
        carried = cost[1] - idle[1] * cost[2] - costs[0][1]
    carry = max(float(carried), 0.0) / (FEW * 8.0 * n)
    between = tasks[MANY] - tasks[FEW]
    schedule, task = (costs[1] - costs[0]) / between
    lead = min(max((leads[1] - leads[0]) / between, 0.0), schedule)
    with cluster(max(cores, 2)) as client:
        W = max(cores, 2)
        slow = rates(client)
        idle_here = spent(client, lambda: time.sleep(1.0), 1)[:2]
        few, many = source(client, FEW), source(client, MANY)
        nothing, all_of_them = (beside(client, of, idle_here) for of in (few, many))
        cost = spent(client, lambda: few.reduce(add, numbers, n), 3)
        large = cost[:2] - idle_here * cost[2]
        more = handed(MANY, W, WIDE) - handed(FEW, W, WIDE)
        hand = (all_of_them[1] - nothing[1] - between * task) / more
        sent = max(float((large - nothing).sum()) - carry * FEW * 8.0 * n, 1e-4)
        wire = (handed(FEW, W) + 1.0) * 8.0 * n / sent
        found = Constants(
            *map(float, slow), float(np.median((quick / slow)[:3])), float(latency), float(lead),
            float(schedule), float(task), float(max(hand, 0.0)), float(idle.mean()), carry,
            float(wire), *map(float, solving()), 1.0, float(lead), 1.0, 1.0, float(lead),
        )  # fmt: skip
        crowd, press = crowded(client, W, W, found)
    with cluster(2 * W) as client:
        slower = float(np.median((slow / rates(client))[:3]))
        throng, crush = crowded(client, 2 * W, W, found)
    known = {"crowd": crowd, "press": press, "shared": slower, "throng": throng, "crush": crush}
    return replace(found, **known)
