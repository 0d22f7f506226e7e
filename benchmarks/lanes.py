"""One thread against all of them: an assembly, and a whole iteration of training.

python -m benchmarks.lanes
"""

from __future__ import annotations

from collections.abc import Callable

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
    ((1, 70, 40, 1), 10_000),
    ((10, 1000, 1), 500),
    ((2, 10, 10, 4), 1000),
    ((2, 20, 1), 1000),
    ((2, 20, 1), 20),
]
STEPS = 3


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

    def train(iterations: int) -> Callable[[], object]:
        options = {"w0": w, "step": step, "tol": 0.0, "max_iter": iterations}
        return lambda: ggn.train(net, data.X, data.Yt.T, **options)

    alone, together = medians(on(1, assemble), on(most, assemble), seconds=seconds)
    begun, begun_by_all, done, done_by_all = medians(
        on(1, train(1)),
        on(most, train(1)),
        on(1, train(1 + STEPS)),
        on(most, train(1 + STEPS)),
        seconds=seconds,
    )
    one = (done - begun) / STEPS
    return alone / together, one / ((done_by_all - begun_by_all) / STEPS), 1e3 * one


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
