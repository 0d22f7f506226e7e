"""How the seconds of an iteration on a cluster grow: a formula, and where its constants come from.

    sweep   ⌈C / W⌉ T/C (work(N) / rate + k forward(N) / forward rate), k sweeps an iteration
    tasks   (C + C/7 + ...) t_task + t_graph, for each of four graphs
    wire    4 N² (1 + Σ_l 7 ⌈C / 8^l / W⌉ (W - 1)/W) / B
    solve   N³/3 / rate of the client

C chunks of T samples, W workers of one thread each; additions are eight to a task (`ggn.dask`).

python -m benchmarks.growth            the table of the guide, from the constants below
python -m benchmarks.growth measure    the constants of this machine
python -m benchmarks.growth check      the formula against runs with 1, 2 and 4 workers
python -m benchmarks.growth overhead   (8,50,1), T = 1e6: 2 workers against ggn.train on 2 threads
"""

from __future__ import annotations

import contextlib
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.linalg import cholesky

import ggn
from ggn.linearization import Objective
from ggn.linearization.assembly import normal_work
from ggn.linearization.mean_loss import forward_flops
from ggn.linearization.source import add

__all__ = ["Constants", "Parts", "parts"]

FAN = 8
GRAPHS = 4  # of an iteration: the matrix, the acceleration, a trial, its output layer again


@dataclass(frozen=True)
class Constants:
    """What was measured on a machine.

    Attributes
    ----------
    rate : float
        Flops per second of an assembly on one thread, in `normal_work`.
    forward : float
        Of a forward sweep, in `forward_flops`.
    sweeps : float
        How many of these the rest of an iteration takes: trial, acceleration, output layer.
    task : float
        Seconds of the scheduler and a worker for each task of a training of next to no samples.
    graph : float
        Seconds of a graph beside its tasks.
    wire : float
        Bytes per second from worker to worker, or to the client: serialised, sent, added.
    solve : float
        Flops per second of a factorisation on the client.
    """

    rate: float
    forward: float
    sweeps: float
    task: float
    graph: float
    wire: float
    solve: float


# a Zen 4 core; tasks by the processor time of scheduler and client; the wire is ten gigabit
MEASURED = Constants(48e9, 39e9, 9.6, 1.7e-3, 12e-3, 1.25e9, 30e9)


@dataclass(frozen=True)
class Parts:
    """Seconds of an iteration, by what they are spent on."""

    sweep: float
    tasks: float
    wire: float
    solve: float

    @property
    def all(self) -> float:
        """Their sum."""
        return self.sweep + self.tasks + self.wire + self.solve


def additions(C: int) -> list[int]:
    """Return the tasks of each level of additions."""
    levels = []
    while C > 1:
        C = math.ceil(C / FAN)
        levels.append(C)
    return levels


def received(C: int, W: int) -> float:
    """Return how many sums go over the wire one after the other, the client's one with them."""
    return 1.0 + sum((FAN - 1) * math.ceil(n / W) * (W - 1) / W for n in additions(C))


def parts(net: Any, T: float, C: int, W: int, known: Constants, cores: float = math.inf) -> Parts:
    """Return what an iteration takes, of workers that share so many cores."""
    N, busy = net.n_weights, int(min(W, cores))
    each = math.ceil(C / busy) * T / C
    sweep = each * (
        normal_work(net) / known.rate + known.sweeps * forward_flops(net) / known.forward
    )
    tasks = GRAPHS * (known.graph + (C + sum(additions(C))) * known.task)
    return Parts(sweep, tasks, received(C, W) * 4.0 * N * N / known.wire, N**3 / 3.0 / known.solve)


def table(known: Constants) -> str:
    """Return seconds per iteration against T, N and workers."""
    lines = [f"{'network':<16}{'N':>7}{'samples':>9}{'workers':>9}{'chunks':>8}"
             f"{'sweep':>9}{'tasks':>9}{'wire':>9}{'solve':>9}{'all':>9}"]  # fmt: skip
    for sizes in ((8, 50, 1), (20, 100, 50, 1), (50, 100, 1)):
        net = ggn.MLP(sizes)
        for T, W in ((1e6, 2), (1e8, 16), (1e8, 100), (1e10, 100), (1e10, 1000)):
            C = max(W, math.ceil(T / 1e6))
            p = parts(net, T, C, W, known)
            lines.append(
                f"{sizes!s:<16}{net.n_weights:>7}{T:>9.0e}{W:>9}{C:>8}{p.sweep:>9.3g}"
                f"{p.tasks:>9.3g}{p.wire:>9.3g}{p.solve:>9.3g}{p.all:>9.3g}"
            )
    return "\n".join(lines)


# -- measuring ---------------------------------------------------------------------------------


def seconds_of(call: Callable[[], object], times: int = 5) -> float:
    """Return the median seconds of a call, made once before."""
    call()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


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


def numbers(part: Any, n: int) -> np.ndarray:
    return np.ones(n)


def measure() -> Constants:
    """Return the constants of this machine."""
    net, T, N = ggn.MLP((8, 50, 1)), 50_000, 2000
    rng = np.random.default_rng(0)
    X = rng.normal(size=(T, 8))
    objective, w = Objective(net, X, np.sin(X.sum(axis=1))), net.initial_weights(0)
    G, A = np.empty((net.n_weights,) * 2), rng.normal(size=(N, N))
    A = A @ A.T + N * np.eye(N)
    with ggn.threads(1):
        assembly = seconds_of(lambda: objective.at(w).assemble_normal(G))
        value = seconds_of(lambda: objective.value(w))
        Y, options = objective.Yt[0], {"w0": w, "tol": 0.0, "step": "primal"}
        whole = iteration(lambda n: ggn.train(net, X, Y, max_iter=n, **options), 10)
    rate, forward = T * normal_work(net) / assembly, T * forward_flops(net) / value
    solve = N**3 / 3.0 / seconds_of(lambda: cholesky(A, lower=True, check_finite=False))
    sweeps = (whole - assembly - net.n_weights**3 / 3.0 / solve) / value
    with cluster(2) as client:
        counts, times = (8, 64), []
        for C in counts:
            small, few_X, few_Y = data((8, 2, 1), 32 * C, C)
            few_X, few_Y = client.persist((few_X, few_Y))
            options["w0"] = small.initial_weights(0)
            times.append(iteration(
                lambda n, few=(small, few_X, few_Y): ggn.dask.train(
                    client, *few, max_iter=n, **options
                ), 6,
            ) / GRAPHS)  # fmt: skip
        of = source(client, counts[1])
        nothing = seconds_of(lambda: of.total(one), 20)
        few, many = (C + sum(additions(C)) for C in counts)
        task = (times[1] - times[0]) / (many - few)
        n = N * N // 2
        large = seconds_of(lambda: of.reduce(add, numbers, n)) - nothing
    wire = received(64, 2) * 8.0 * n / large
    return Constants(rate, forward, sweeps, task, times[0] - few * task, wire, solve)


def iteration(train: Callable[[int], object], steps: int = 4) -> float:
    """Return the seconds of an iteration: those of several less one, by their number."""
    train(1)
    start = time.perf_counter()
    train(1)
    middle = time.perf_counter()
    train(1 + steps)
    return (time.perf_counter() - middle - (middle - start)) / steps


def check(known: Constants) -> None:
    """Print predicted and measured seconds of an iteration."""
    print(f"{'network':<16}{'T':>8}{'chunks':>8}{'workers':>9}{'predicted':>11}{'measured':>10}"
          f"{'ratio':>8}")  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    for W in (1, 2, 4):
        with cluster(W) as client:
            for sizes, T, C in (
                ((8, 50, 1), 200_000, 8), ((8, 50, 1), 600_000, 16), ((8, 50, 1), 200_000, 64),
                ((20, 60, 1), 100_000, 16), ((50, 40, 1), 60_000, 16),
            ):  # fmt: skip
                net, X, Y = data(sizes, T, C)
                X, Y = client.persist((X, Y))
                options = {"tol": 0.0, "w0": net.initial_weights(0), "step": "primal"}
                seconds = iteration(
                    lambda n, net=net, X=X, Y=Y, options=options: ggn.dask.train(
                        client, net, X, Y, max_iter=n, **options
                    )
                )
                told = parts(net, T, C, W, known, cores).all
                print(f"{sizes!s:<16}{T:>8}{C:>8}{W:>9}{told:>11.3f}{seconds:>10.3f}"
                      f"{seconds / told:>8.2f}", flush=True)  # fmt: skip


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
        graph = seconds_of(lambda: of.total(one), 20)
    print(f"an iteration: {here:.3f} s on 2 threads, {there:.3f} s on 2 workers, "
          f"ratio {there / here:.2f}; a graph of {C + sum(additions(C))} tasks that do nothing "
          f"{1e3 * graph:.0f} ms, {GRAPHS} graphs an iteration")  # fmt: skip


if __name__ == "__main__":
    what = sys.argv[1] if len(sys.argv) > 1 else "table"
    if what == "table":
        print(table(MEASURED))
    elif what == "measure":
        print(asdict(measure()))
    elif what == "check":
        check(measure())
    elif what == "overhead":
        overhead(*map(int, sys.argv[2:]))
    else:
        sys.exit(__doc__)
