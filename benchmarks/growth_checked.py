"""The formula of `growth` against runs on networks that its constants were not taken from."""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import ggn
from benchmarks.growth import Constants, growth
from benchmarks.growth_measured import cluster, data, measure, one, processor, source, spent
from ggn.dask.wire import WIDE, additions

__all__ = ["check", "overhead"]

POINTS = (
    ((8, 50, 1), 200_000, 8), ((8, 50, 1), 600_000, 16), ((8, 50, 1), 200_000, 64),
    ((20, 60, 1), 100_000, 16), ((50, 40, 1), 60_000, 16), ((4, 20, 1), 800_000, 16),
)  # fmt: skip


def iterations(
    client: Any, point: tuple[Any, ...], steps: int
) -> tuple[list[tuple[float, float]], float]:
    """Return (seconds, trials) of each iteration but the first, and processor time of all."""
    net, X, Y = data(*point)
    X, Y = client.persist((X, Y))
    marks: list[tuple[float, float, int, float]] = []

    def mark(intermediate_result: Any) -> None:
        reached = time.perf_counter()  # what is asked of the workers here is not the iteration's
        busy = sum(processor(client))
        marks.append((reached, time.perf_counter(), intermediate_result.nfev, busy))

    options = {"tol": 0.0, "w0": net.initial_weights(0), "step": "primal"}
    ggn.dask.train(client, net, X, Y, max_iter=steps + 1, callback=mark, **options)
    seconds = [(b[0] - a[1], (b[2] - a[2]) / 2.0) for a, b in itertools.pairwise(marks)]
    return seconds, marks[-1][3] - marks[0][3]


def check(steps: int = 5, rounds: int = 3) -> None:
    """Print what the formula says and what is measured; constants and points in turn, by rounds.

    What else a machine does makes single rounds differ by up to 40 %.
    """
    cores = len(os.sched_getaffinity(0))
    known, runs = [], {}
    for _ in range(rounds):
        known.append(measure())
        for W in (1, 2, 4):
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
        nothing = spent(client, lambda: of.total(one), 20)[2]
    print(f"an iteration: {here:.3f} s on 2 threads, {there:.3f} s on 2 workers, "
          f"ratio {there / here:.2f}; a graph of {C + sum(additions(C, WIDE))} tasks that do "
          f"nothing {1e3 * nothing:.0f} ms, four graphs an iteration")  # fmt: skip


def iteration(train: Callable[[int], object], steps: int = 4) -> float:
    """Return the seconds of an iteration: those of several less one, by their number."""
    train(1)
    start = time.perf_counter()
    train(1)
    middle = time.perf_counter()
    train(1 + steps)
    return (time.perf_counter() - middle - (middle - start)) / steps
