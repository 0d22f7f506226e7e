"""Many small fits: `ggn.train_many` against joblib over `ggn.train`, compiled and by Python's loop.

python -m benchmarks.many [FITS [MAX_ITER]]

Seconds are the processor's with one fit at once, all of them in this process, else the clock's.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import ggn
from benchmarks.assembly import machine
from ggn.fit import compiled

ROUNDS = 3


def problem(fits: int) -> tuple[ggn.MLP, np.ndarray, np.ndarray]:
    """Return F(1,8,1) and a stack of noisy sines of 50 samples."""
    rng = np.random.default_rng(0)
    x = np.linspace(-1.0, 1.0, 50)[:, np.newaxis]
    k, phase = rng.uniform(1.0, 4.0, (2, fits, 1, 1))
    return ggn.MLP((1, 8, 1)), x, np.sin(k * x + phase) + 0.05 * rng.normal(size=(fits, 50, 1))


def one(
    net: ggn.MLP, x: np.ndarray, y: np.ndarray, stream: np.random.Generator, most: int, python: bool
):
    """Train one, in a process of joblib's."""
    suits = compiled.suits
    if python:
        compiled.suits = lambda *_: False  # type: ignore[assignment]
    try:
        return ggn.train(net, x, y, rng=stream, max_iter=most)
    finally:
        compiled.suits = suits


def main(fits: int = 1000, most: int = 1000) -> None:
    """Print the seconds, and the ratios."""
    from joblib import Parallel, delayed

    print(machine())
    net, x, Y = problem(fits)
    cores = ggn._core.machine.number_of_threads()
    for threads in sorted({1, cores}):
        clock = time.process_time if threads == 1 else time.perf_counter
        times: dict[str, list[float]] = {"many": [], "joblib": [], "joblib, Python's loop": []}
        for _ in range(ROUNDS):
            for name, taken in times.items():
                streams = np.random.default_rng(0).spawn(fits)
                start = clock()
                with ggn.threads(threads):
                    if name == "many":
                        found = ggn.train_many(net, x, Y, max_iter=most)
                    else:
                        part = slice(None) if name == "joblib" else slice(fits // 10)
                        Parallel(n_jobs=threads)(
                            delayed(one)(net, x, y, s, most, "Python" in name)
                            for y, s in zip(Y[part], streams[part], strict=True)
                        )
                scale = 1.0 if "Python" not in name else fits / (fits // 10)
                taken.append(scale * (clock() - start))
        least = {name: min(taken) for name, taken in times.items()}
        print(
            f"{fits} fits of F(1,8,1), T = 50, {threads} at once, "
            f"{found.nit.mean():.0f} iterations each:"
        )
        for name, seconds in least.items():
            print(f"  {name:<24}{seconds:>8.2f} s{seconds / least['many']:>8.1f} x")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
