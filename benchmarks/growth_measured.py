"""The constants of `growth`, measured; and its formula against runs that they were not taken from.

Whatever is work is measured in processor time, where it is done, so that other programs of the
machine hardly change it; only `graph` and `lead` are times by the clock.  All are medians.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
from scipy.optimize import nnls

import ggn
from benchmarks.growth import Constants, additions, growth, handed
from ggn import _core
from ggn.linearization import Objective, parts
from ggn.linearization.assembly import normal_work
from ggn.linearization.mean_loss import forward_flops
from ggn.linearization.output_layer import output_sums, refit_flops
from ggn.linearization.source import add
from ggn.linearization.sweeping import sweep_work
from ggn.steps.cholesky import damped_cholesky

__all__ = ["check", "measure", "overhead"]

NETS = (10, 30, 1), (30, 40, 1), (6, 20, 20, 1)  # none of them among the points
FEW, MANY = 8, 64  # chunks of which a task's cost is the difference
POINTS = (
    ((8, 50, 1), 200_000, 8), ((8, 50, 1), 600_000, 16), ((8, 50, 1), 200_000, 64),
    ((20, 60, 1), 100_000, 16), ((50, 40, 1), 60_000, 16), ((4, 20, 1), 800_000, 16),
)  # fmt: skip


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


# -- constants ---------------------------------------------------------------------------------


def kernels(i: int) -> list[float]:
    """Return flops per second of a worker: of assembly, forward sweeps, along a line; two costs.

    These are an assembly's beside the work on samples: of the call, and of each of N² numbers.
    """
    rng, found, beside = np.random.default_rng(0), [], []
    for sizes in NETS:
        net, taken = ggn.MLP(sizes), []
        for T in (2_000, 20_000):
            X = rng.normal(size=(T, sizes[0]))
            objective, w = Objective(net, X, np.sin(X.sum(axis=1))), net.initial_weights(0)
            with ggn.threads(1):
                taken.append((
                    _seconds(parts.normal, objective, w, True), _seconds(objective.value, w),
                    _seconds(output_sums, objective, w),
                    _seconds(parts.bend, objective, w, 0.01 * w),
                ))  # fmt: skip
        slopes = (np.array(taken[1]) - taken[0]) / 18_000
        work = normal_work(net), forward_flops(net), refit_flops(net), sweep_work(net, 1)
        found.append(work / slopes)
        beside.append(max(taken[0][0] - 2_000 * slopes[0], 0.0))
    assembly, value, refit, along = np.median(found, axis=0)
    sizes = np.array([[1.0, float(ggn.MLP(one).n_weights) ** 2] for one in NETS])
    call, matrix = nnls(sizes, beside)[0]
    return [float(assembly), float(value + refit) / 2.0, float(along), call, matrix]


def _seconds(call: Callable[..., object], *args: Any) -> float:
    """Return the median processor seconds of a call in this thread, made once before."""
    call(*args)
    taken = []
    for _ in range(7):
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


def measure() -> Constants:
    """Return the constants of this machine, from clusters of one worker and of one a core."""
    cores = len(os.sched_getaffinity(0))
    tasks = {C: C + sum(additions(C)) for C in (FEW, MANY)}
    with cluster(1) as client:
        quick = rates(client)
        first, few, many = (source(client, C) for C in (1, FEW, MANY))
        idle = spent(client, lambda: time.sleep(1.0), 1)[:2]
        graph = spent(client, lambda: first.total(one), 10)[2]
        leads, costs = [], []
        for of in (few, many):
            waits = []
            for _ in range(20):
                start = time.time()
                waits.append(of.reduce(min, begun) - start)
            leads.append(statistics.median(waits))
            cost = spent(client, lambda of=of: of.total(one), 10)
            costs.append(cost[:2] - idle * cost[2])
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
        nothing, all_of_them = (
            spent(client, lambda of=of: of.total(one), 10) for of in (few, many)
        )
        large = spent(client, lambda: few.reduce(add, numbers, n), 3)
        nothing, all_of_them, large = (
            cost[:2] - idle_here * cost[2] for cost in (nothing, all_of_them, large)
        )
    hand = (all_of_them[1] - nothing[1] - between * task) / (handed(MANY, W) - handed(FEW, W))
    sent = max(float((large - nothing).sum()) - carry * FEW * 8.0 * n, 1e-4)
    wire = (handed(FEW, W) + 1.0) * 8.0 * n / sent
    return Constants(
        *map(float, slow), float(np.median((quick / slow)[:3])), float(graph), float(lead),
        float(schedule), float(task), float(max(hand, 0.0)), float(idle.mean()), carry, float(wire),
        *map(float, solving()),
    )  # fmt: skip


# -- the formula -------------------------------------------------------------------------------


def iterations(
    client: Any, point: tuple[Any, ...], steps: int
) -> tuple[list[tuple[float, float]], float]:
    """Return (seconds, trials) of each iteration but the first, and processor time of all."""
    net, X, Y = data(*point)
    X, Y = client.persist((X, Y))
    marks: list[tuple[float, int, float]] = []

    def mark(intermediate_result: Any) -> None:
        marks.append((time.perf_counter(), intermediate_result.nfev, sum(processor(client))))

    options = {"tol": 0.0, "w0": net.initial_weights(0), "step": "primal"}
    ggn.dask.train(client, net, X, Y, max_iter=steps + 1, callback=mark, **options)
    seconds = [(b[0] - a[0], (b[1] - a[1]) / 2.0) for a, b in itertools.pairwise(marks)]
    return seconds, marks[-1][2] - marks[0][2]


def check(steps: int = 5, rounds: int = 1) -> None:
    """Print what the formula says and what is measured, constants and points in turn."""
    cores = len(os.sched_getaffinity(0))
    known, runs = [], {}
    for _ in range(rounds):
        for W in (1, 2, 4):
            known.append(measure())
            with cluster(W) as client:
                for point in POINTS:
                    runs.setdefault((W, point), []).append(iterations(client, point, steps))
    names = [field.name for field in fields(Constants)]
    constants = Constants(*(
        statistics.median(getattr(one, name) for one in known) for name in names
    ))  # fmt: skip
    print(", ".join(f"{name} {getattr(constants, name):.3g}" for name in names))
    print(f"{'network':<14}{'T':>8}{'chunks':>8}{'workers':>9}{'trials':>8}{'predicted':>11}"
          f"{'measured':>10}{'ratio':>7}{'processor':>11}")  # fmt: skip
    ratios = []
    for (W, (sizes, T, C)), found in runs.items():
        net = ggn.MLP(sizes)

        def told(trials: float, net=net, T=T, C=C, W=W) -> Any:
            return growth(net, T, C, W, constants, cores, trials)

        pairs = [pair for seconds, _ in found for pair in seconds]
        ratio = statistics.median(s / told(k).all for s, k in pairs)
        trials = statistics.fmean(k for _, k in pairs)
        seconds, busy = sum(s for s, _ in pairs), sum(b for _, b in found)
        busy -= constants.idle * (W + 1) * seconds
        ratios.append(max(ratio, 1.0 / ratio))
        print(f"{sizes!s:<14}{T:>8}{C:>8}{W:>9}{trials:>8.1f}{told(trials).all:>11.3f}"
              f"{ratio * told(trials).all:>10.3f}{ratio:>7.2f}"
              f"{busy / (len(pairs) * told(trials).busy):>11.2f}", flush=True)  # fmt: skip
    within = sum(ratio <= 1.25 for ratio in ratios)
    print(f"{within} of {len(ratios)} within 25 %; the median is off by "
          f"{100 * (statistics.median(ratios) - 1):.0f} %, the worst by "
          f"{100 * (max(ratios) - 1):.0f} %")  # fmt: skip


def overhead(T: int = 1_000_000, C: int = 16) -> None:
    """Print the seconds of an iteration here on two threads, and on two workers."""
    net, X, Y = data((8, 50, 1), T, C)
    options = {"tol": 0.0, "w0": net.initial_weights(0), "step": "primal"}
    Xn, Yn = X.compute(), Y.compute()
    with ggn.threads(2):
        here = iteration(lambda n: ggn.train(net, Xn, Yn, max_iter=n, **options))
    with cluster(2) as client:
        X, Y = client.persist((X, Y))
        there = iteration(lambda n: ggn.dask.train(client, net, X, Y, max_iter=n, **options))
        of = source(client, C)
        graph = spent(client, lambda: of.total(one), 20)[2]
    print(f"an iteration: {here:.3f} s on 2 threads, {there:.3f} s on 2 workers, "
          f"ratio {there / here:.2f}; a graph of {C + sum(additions(C))} tasks that do nothing "
          f"{1e3 * graph:.0f} ms, four graphs an iteration")  # fmt: skip


def iteration(train: Callable[[int], object], steps: int = 4) -> float:
    """Return the seconds of an iteration: those of several less one, by their number."""
    train(1)
    start = time.perf_counter()
    train(1)
    middle = time.perf_counter()
    train(1 + steps)
    return (time.perf_counter() - middle - (middle - start)) / steps
