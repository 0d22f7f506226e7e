"""Robust fits of data with gross outliers: does the clean curve come back?

python -m benchmarks.robust [--seeds 20] [--curvature]

Ten in a hundred targets are wrong; noise 0.05.  The error is the RMSE to the true curve, in units
of that of a squared fit to the same data without the outliers; a fit holds if it is at most 2.

With --curvature: iterations with each curvature of the loss, from the same weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import ggn
from ggn import losses
from ggn.fit.robust import train_robust

NOISE, PENALTIES = 0.05, (1e-3, 1e-4, 1e-5)
FITS: dict[str, dict[str, object]] = {
    "squared": {},
    "smooth_lp": {"loss": "smooth_lp"},
    "cauchy": {"loss": "cauchy"},
    "blake_zisserman": {"loss": "blake_zisserman"},
    "cauchy, best of 5": {"loss": "cauchy", "n_restarts": 5},
    "blake_zisserman, best of 5": {"loss": "blake_zisserman", "n_restarts": 5},
}


CURVATURES = ("majoriser", "hessian")
BENT = [
    losses.SmoothLp(1.5, 0.1),
    losses.SmoothLp(1.0, 0.1),
    losses.SmoothLp(0.5, 0.1),
    losses.Cauchy(0.12),
    losses.BlakeZisserman(0.15),
]


def wave(X: np.ndarray) -> np.ndarray:
    return np.sin(2.0 * X)


def surface(X: np.ndarray) -> np.ndarray:
    return np.sin(2.0 * X[:, :1]) + X[:, 1:] ** 2 * np.cos(X[:, :1])


def scattered(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One in ten, anywhere."""
    return rng.permutation(len(X))[: len(X) // 10]


def clustered(X: np.ndarray, rng: np.random.Generator, share: int = 3) -> np.ndarray:
    """One in `share` of the neighbours of a sample, one in ten of all."""
    near = np.argsort(np.linalg.norm(X - X[rng.integers(len(X))], axis=1))
    return rng.permutation(near[: share * (len(X) // 10)])[: len(X) // 10]


def uniform(rng: np.random.Generator, y: np.ndarray) -> np.ndarray:
    return rng.uniform(-3.0, 3.0, y.shape)


def above(rng: np.random.Generator, y: np.ndarray) -> np.ndarray:
    return y + rng.uniform(1.0, 3.0, y.shape)


CASES: list[tuple[str, Callable, float, int, Callable, Callable]] = [
    ("sin 2x, T = 100, F(1,10,1): uniform in (-3, 3)", wave, 3.0, 100, scattered, uniform),
    ("sin 2x, T = 100: all above, clustered", wave, 3.0, 100, clustered, above),
    ("surface, T = 200, F(2,10,1): uniform in (-3, 3)", surface, 1.0, 200, scattered, uniform),
    ("surface, T = 200: all above, clustered", surface, 1.0, 200, clustered, above),
]


def problem(case: tuple, seed: int) -> tuple[ggn.MLP, np.ndarray, np.ndarray, np.ndarray, list]:
    """Return the network, X, Y with its outliers, w0; a grid and which samples are clean."""
    _, curve, half, T, where, how = case
    rng, n0 = np.random.default_rng(seed), 1 if curve is wave else 2
    X = rng.uniform(-half, half, (T, n0))
    grid = rng.uniform(-half, half, (2000, n0))
    Y = curve(X) + NOISE * rng.standard_normal((T, 1))
    wrong = where(X, rng)
    clean = np.delete(np.arange(T), wrong)
    Y[wrong] = how(rng, Y[wrong])
    net = ggn.MLP((n0, 10, 1))
    return net, X, Y, net.initial_weights(seed, "fan_in"), [grid, clean]


def errors(case: tuple, seed: int, l2: float) -> list[float]:
    """Return the error of a clean fit and those of FITS."""
    curve = case[1]
    net, X, Y, w0, (grid, clean) = problem(case, seed)
    ends = [ggn.train(net, X[clean], Y[clean], w0=w0, l2=l2).w]
    for options in FITS.values():
        fit = (
            train_robust(net, X, Y, l2=l2, rng=seed, **options)
            if options
            else ggn.train(net, X, Y, w0=w0, l2=l2)
        )
        ends.append(fit.w)
    return [float(np.sqrt(np.mean((net.forward(w, grid) - curve(grid)) ** 2))) for w in ends]


def iterations(loss: losses.Loss, case: tuple, seed: int, l2: float = 1e-4) -> list[float]:
    """Return, for each curvature, iterations to a gradient of 1e-8 and the J at which they end.

    Losses that are not convex start from the end of smooth l1.
    """
    net, X, Y, w, _ = problem(case, seed)
    if not loss.convex:
        w = ggn.train(net, X, Y, losses.SmoothLp(1.0, 0.1), w0=w, l2=l2).w
    found = []
    for curvature in CURVATURES:
        fit = ggn.train(net, X, Y, loss, w0=w, l2=l2, curvature=curvature, tol=1e-8, max_iter=3000)
        found += [float(fit.nit), float(fit.fun)]
    return found


def compare_curvatures(seeds: int) -> None:
    """Print a row for each loss, over all problems and seeds."""
    for loss in BENT:
        table = np.array([iterations(loss, case, seed) for case in CASES for seed in range(seeds)])
        own, true = table[:, 0], table[:, 2]
        same = np.isclose(table[:, 1], table[:, 3], rtol=1e-6)
        print(
            f"{loss!r:<40} median {np.median(own):.0f} with the majoriser, {np.median(true):.0f} "
            f"with H_E; ratio {np.exp(np.mean(np.log(true / own)[same])):.2f} where both end at "
            f"the same loss, {same.sum()} of {len(same)}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--curvature", action="store_true")
    options = parser.parse_args()
    seeds = options.seeds
    if options.curvature:
        return compare_curvatures(seeds)
    for case in CASES:
        print(case[0])
        for l2 in PENALTIES:
            start = time.perf_counter()
            table = np.array([errors(case, seed, l2) for seed in range(seeds)])
            seconds = time.perf_counter() - start
            print(f"  l2 = {l2:g}: clean RMSE {np.median(table[:, 0]):.4f} ({seconds:.0f} s)")
            for name, column in zip(FITS, table[:, 1:].T, strict=True):
                ratio = column / table[:, 0]
                print(
                    f"    {name:<28} holds {np.sum(ratio <= 2.0):3d} of {seeds},"
                    f"  median {np.median(ratio):6.2f}, worst {ratio.max():7.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
