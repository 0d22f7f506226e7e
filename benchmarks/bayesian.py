"""Bayesian regularisation against a fixed l2 from a grid, and the coverage of its intervals.

python -m benchmarks.bayesian [--data DIR] [--seeds 20] [--folds 10]

Noisy sin x, F(1,20,1), over seeds; and the yacht set (from a folder, see peer_problems),
standardised inside each fold, F(6,20,1).  RMSE on held-out points, in the units of the targets, of
l2 chosen by the evidence (one run, and the best of five), by cross-validation inside the training
part, and by looking at the held-out points (what no one can do: the best of the grid).
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from scipy.stats import norm

import ggn
from ggn.fit.bayes import train_bayesian
from ggn.fit.posterior import BayesianResult
from ggn.fit.scores import rmse
from ggn.io.scaling import standard_units

GRID = 10.0 ** np.arange(-8.0, 0.0)
LEVEL, INNER_FOLDS, RESTARTS = 0.9, 5, 5
Data = tuple[np.ndarray, np.ndarray]


def error(net: ggn.MLP, w: np.ndarray, held: Data) -> float:
    return float(rmse(held[1], net.forward(w, held[0]))[0])


def fixed(net: ggn.MLP, data: Data, l2: float, seed: int) -> np.ndarray:
    w0 = net.initial_weights(seed, "fan_in")
    return ggn.train(net, *data, w0=w0, l2=l2, max_iter=300).w


def by_cross_validation(net: ggn.MLP, data: Data, seed: int) -> float:
    """Return the l2 of the grid with the least mean squared error in the inner folds."""
    part = np.random.default_rng(seed).permutation(len(data[0])) % INNER_FOLDS
    loss = [
        sum(
            error(
                net,
                fixed(net, (data[0][part != k], data[1][part != k]), l2, seed),
                (data[0][part == k], data[1][part == k]),
            )
            ** 2
            for k in range(INNER_FOLDS)
        )
        for l2 in GRID
    ]
    return float(GRID[np.argmin(loss)])


def coverage(fit: BayesianResult, held: Data) -> tuple[float, float]:
    """Return the share of targets inside Student's and inside normal intervals."""
    lower, upper = fit.intervals(held[0], LEVEL)
    F, std = fit.predict(held[0], return_std=True)
    half = norm.ppf(0.5 + 0.5 * LEVEL) * std
    return float(np.mean((lower < held[1]) & (held[1] < upper))), float(
        np.mean(np.abs(held[1] - F) < half)
    )


def compare(net: ggn.MLP, cases: list[tuple[Data, Data, float]]) -> None:
    """Print medians and means over cases (data, held out, unit of the targets)."""
    rows, seconds = [], np.zeros(3)
    for seed, (data, held, unit) in enumerate(cases):
        start = time.perf_counter()
        one = train_bayesian(net, *data, rng=seed)
        seconds[0] += time.perf_counter() - start
        start = time.perf_counter()
        best = train_bayesian(net, *data, rng=seed, n_restarts=RESTARTS)
        seconds[1] += time.perf_counter() - start
        start = time.perf_counter()
        chosen = by_cross_validation(net, data, seed)
        grid = [error(net, fixed(net, data, l2, seed), held) for l2 in GRID]
        seconds[2] += time.perf_counter() - start
        rows.append(
            [
                unit * error(net, one.w, held),
                unit * error(net, best.w, held),
                unit * grid[int(np.argmin(np.abs(np.log(GRID / chosen))))],
                unit * min(grid),
                one.effective_parameters,
                np.log10(one.l2),
                np.log10(chosen),
                np.log10(GRID[np.argmin(grid)]),
                one.noise_std * unit,
                *coverage(one, held),
                *coverage(best, held),
                one.nit,
                one.success,
            ]
        )
    table = np.array(rows)
    mean, median = table.mean(axis=0), np.median(table, axis=0)
    print(
        f"  {len(table)} cases, {net.n_weights} weights; seconds: evidence {seconds[0]:.1f}, "
        f"{RESTARTS} restarts {seconds[1]:.1f}, grid and cross-validation {seconds[2]:.1f}"
    )
    print(f"  {'':<28}{'median RMSE':>12}{'mean':>9}{'median l2':>11}")
    for name, column, l2 in (
        ("evidence, one run", 0, 5),
        (f"evidence, best of {RESTARTS}", 1, None),
        (f"{INNER_FOLDS}-fold cross-validation", 2, 6),
        ("best of the grid, unknowable", 3, 7),
    ):
        penalty = "" if l2 is None else f"{10.0 ** median[l2]:.1e}"
        print(f"  {name:<28}{median[column]:12.4f}{mean[column]:9.4f}{penalty:>11}")
    print(
        f"  gamma {median[4]:.1f} (from {table[:, 4].min():.1f} to {table[:, 4].max():.1f}), "
        f"noise {median[8]:.4f}, steps {median[13]:.0f}, settled {table[:, 14].sum():.0f}"
    )
    print(
        f"  coverage of {LEVEL:.0%} intervals: Student {mean[9]:.3f}, normal {mean[10]:.3f}; "
        f"best of {RESTARTS}: {mean[11]:.3f}, {mean[12]:.3f}\n"
    )


def sine(T: int, noise: float, seed: int) -> tuple[Data, Data, float]:
    rng = np.random.default_rng(seed)

    def draw(count: int) -> Data:
        x = rng.uniform(-np.pi, np.pi, (count, 1))
        return x, np.sin(x) + noise * rng.standard_normal((count, 1))

    return draw(T), draw(500), 1.0


def folds(table: np.ndarray, count: int) -> list[tuple[Data, Data, float]]:
    part, cases = np.random.default_rng(0).permutation(len(table)) % count, []
    for k in range(count):
        train = table[part != k]
        mean, scale = standard_units(train)
        Z = (table - mean) / scale
        data, held = ((Z[rows, :-1], Z[rows, -1:]) for rows in (part != k, part == k))
        cases.append((data, held, float(scale[-1])))
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=os.environ.get("GGN_BENCH_DATA"))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--folds", type=int, default=10)
    options = parser.parse_args()
    for T, noise in ((40, 0.2), (100, 0.1)):
        print(f"sin x, T = {T}, noise {noise}, F(1,20,1)")
        compare(ggn.MLP((1, 20, 1)), [sine(T, noise, seed) for seed in range(options.seeds)])
    path = Path(options.data or "") / "yacht.csv"
    if not options.data or not path.exists():
        print("yacht: no folder with yacht.csv; give --data DIR or GGN_BENCH_DATA")
        return
    print(f"yacht, {options.folds} folds, F(6,20,1)")
    table = np.genfromtxt(path, delimiter=",", skip_header=1)
    compare(ggn.MLP((6, 20, 1)), folds(table, options.folds))


if __name__ == "__main__":
    main()
