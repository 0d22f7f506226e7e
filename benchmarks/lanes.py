"""One thread against all of them: an assembly, and a whole iteration of training.

python -m benchmarks.lanes
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np

import ggn
from benchmarks.assembly import machine, objective
from benchmarks.timing import medians
from ggn._core.machine import number_of_threads
from ggn.linearization import Linearization

SHAPES = [
    ((8, 50, 1), 20_000),
    ((8, 50, 50, 1), 5000),
    ((64, 32, 10), 1797),
    ((1, 70, 40, 1), 40_000),
    ((10, 1000, 1), 500),
    ((2, 10, 10, 4), 1000),
    ((2, 20, 1), 1000),
    ((2, 20, 1), 20),
]
ITERATIONS = 6


def on(n: int, call: Callable[[], object]) -> Callable[[], None]:
    """Return the call on n threads."""

    def run() -> None:
        with ggn.threads(n):
            call()

    return run


def ratios(sizes: tuple[int, ...], T: int, seconds: float) -> tuple[float, float, float]:
    """Return one thread's time over that of all, for an assembly and an iteration, and its ms."""
    data, w = objective(sizes, T)
    net, most = data.net, number_of_threads()
    G = np.empty((net.n_weights,) * 2)
    assemble = lambda: Linearization(data, w).assemble_normal(G)  # noqa: E731
    step = "dual" if T * sizes[-1] < net.n_weights else "primal"
    taken: dict[int, list[float]] = {1: [], most: []}

    def train(n: int) -> None:
        ends: list[float] = []
        with ggn.threads(n):
            ggn.train(
                net,
                data.X,
                data.Yt.T,
                w0=w,
                step=step,
                tol=0.0,
                max_iter=ITERATIONS,
                callback=lambda state: ends.append(time.perf_counter()),
            )
        taken[n] += [end - before for before, end in pairwise(ends)]

    alone, together = medians(on(1, assemble), on(most, assemble), seconds=seconds)
    medians(lambda: train(1), lambda: train(most), seconds=seconds, least=2)
    one, all_ = statistics.median(taken[1]), statistics.median(taken[most])
    return alone / together, one / all_, 1e3 * one


def main() -> None:
    """Print the table."""
    print(machine())
    print(f"{number_of_threads()} threads")
    print(f"{'network':<20}{'T':>8}{'assembly':>10}{'iteration':>11}{'ms alone':>10}")
    for sizes, T in SHAPES:
        assembly, iteration, ms = ratios(sizes, T, 5.0)
        print(f"{sizes!s:<20}{T:>8}{assembly:>10.2f}{iteration:>11.2f}{ms:>10.3g}", flush=True)


if __name__ == "__main__":
    main()
