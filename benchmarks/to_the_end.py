"""Errors on data not seen along a fit by the evidence: its end against its best step in hindsight.

python -m benchmarks.to_the_end [FOLDER] [--splits 10] [--sets NAMES] [--fits NAMES] [--cache DIR]

Sets and splits are those of `benchmarks.prediction`.  `one` is `ggn.train_bayesian` with 20 units
on standardised data, `settled` the same alternation to where its penalty settles, `mixture` the
five networks that `GGNRegressor()` mixes.  After each step the RMSE on the samples held out is
noted: of the first two along the way to where the penalty settles, of a mixture that of the mean
of its networks after as many steps each.  With --cache, what was measured before is read.

Printed are the steps of the fit, means over the splits of the RMSE at its end and at the best
number of steps (that best for the mean over the splits, and that best for each split), and ratios
of the first to the others; the last is that of the worst split.  One thread.
"""

from __future__ import annotations

import argparse
import functools
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import ggn
from benchmarks.prediction import SETS, cached, read, split
from ggn.fit.alternation import settle
from ggn.fit.limits import Limits
from ggn.fit.stages import Stages
from ggn.fit.start import draw
from ggn.io.scaling import standard_units
from ggn.linearization import Objective
from ggn.sklearn.hidden import units_for

MOST = 1000  # steps of a fit
TOL = 1e-12
UNITS = 20
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def standard(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[Split, float]:
    """Return inputs and targets to fit and held out, in standard units, and that of the targets."""
    rows, held = split(len(y), seed)
    (mx, sx), (my, sy) = standard_units(X[rows]), standard_units(y[rows, np.newaxis])
    Z, Y = (X - mx) / sx, (y[:, np.newaxis] - my) / sy
    return (Z[rows], Y[rows], Z[held], Y[held]), float(sy[0])


class Onlooker:
    """What is predicted of the samples held out after each step, of one network after another."""

    def __init__(self, net: ggn.MLP, X: np.ndarray) -> None:
        self.net, self.X = net, X
        self.paths: list[list[np.ndarray]] = []

    def __call__(self, intermediate_result: Any) -> None:
        at = intermediate_result
        if not self.paths or at.nit <= len(self.paths[-1]):
            self.paths.append([])
        self.paths[-1].append(self.net.forward(at.w, self.X))

    def errors(self, Y: np.ndarray, end: np.ndarray, unit: float, nit: int) -> np.ndarray:
        """Return nit, the RMSE after each step, and that at the end."""
        steps = max(map(len, self.paths))
        # a network that has ended stays where it is
        mean = np.mean([path + [path[-1]] * (steps - len(path)) for path in self.paths], axis=0)
        found = np.sqrt(np.mean((np.vstack([mean, end[np.newaxis]]) - Y) ** 2, axis=(1, 2)))
        return np.array([nit, *(unit * found)])


def one(X: np.ndarray, y: np.ndarray, seed: int, judged: bool = True) -> np.ndarray:
    (Z, Y, Z_held, Y_held), unit = standard(X, y, seed)
    net = ggn.MLP((X.shape[1], UNITS, 1))
    path, data = Onlooker(net, Z_held), Objective(net, Z, Y)
    stages = Stages(data, Limits(MOST, TOL, None, math.inf, path), time.perf_counter())
    fit = settle(data, stages, draw(data, np.random.default_rng(seed).spawn(1)[0]), MOST, TOL)
    if judged:
        fit = ggn.train_bayesian(net, Z, Y, rng=seed, max_iter=MOST, tol=TOL)
    return path.errors(Y_held, fit.predict(Z_held), unit, fit.nit)


def mixture(X: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    (Z, Y, Z_held, Y_held), unit = standard(X, y, seed)
    net = ggn.MLP((X.shape[1], units_for(Y.size), 1))
    path = Onlooker(net, Z_held)
    fit = ggn.train_bayesian(net, Z, Y, rng=seed, max_iter=MOST, callback=path, n_estimators=5)
    return path.errors(Y_held, fit.predict(Z_held), unit, fit.nit)


FITS: dict[str, Callable[..., np.ndarray]] = {
    "settled": functools.partial(one, judged=False),
    "one": one,
    "mixture": mixture,
}


def judged(found: list[np.ndarray]) -> np.ndarray:
    """Return steps, RMSE at the end, at the best common step, at each one's, and three ratios.

    The ratios are those of the means at the end to both, and the largest of a split to its own.

    Examples
    --------
    >>> judged([np.array([2.0, 3.0, 1.0, 2.0]), np.array([4.0, 3.0, 4.0])]).tolist()
    [3.0, 3.0, 2.5, 2.0, 1.2, 1.5, 2.0]
    """
    paths = [path[1:] for path in found]
    longest = max(map(len, paths))
    all_ = np.array([np.append(path, [path[-1]] * (longest - len(path))) for path in paths])
    end, each = all_[:, -1], all_.min(axis=1)
    means = float(end.mean()), float(all_.mean(axis=0).min()), float(each.mean())
    ratios = means[0] / means[1], means[0] / means[2], float((end / each).max())
    return np.array([np.mean([path[0] for path in found]), *means, *ratios])


def main() -> None:
    """Print a row for each set and kind of fit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--fits", default=",".join(FITS))
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of steps that ran out
    print(
        f"{'':<22}{'steps':>7}{'end':>9}{'best':>9}{'each':>9}{'ratio':>8}{'each':>8}{'worst':>8}"
    )
    for name in options.sets.split(","):
        data = read(name, options.folder)
        if data is None:
            continue
        for kind in options.fits.split(","):
            row = judged(
                [
                    cached(
                        options.cache,
                        f"end-{name}-{kind}-{k}",
                        lambda data=data, kind=kind, k=k: FITS[kind](*data, k),
                    )
                    for k in range(options.splits)
                ]
            )
            print(
                f"{name + ', ' + kind:<22}{row[0]:>7.0f}"
                + "".join(f"{value:>9.4g}" for value in row[1:4])
                + "".join(f"{value:>8.3f}" for value in row[4:]),
                flush=True,
            )


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
