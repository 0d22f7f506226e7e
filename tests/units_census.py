"""Census of units: twenty problems, given to `ggn.train` in units that people have.

    python tests/units_census.py [runs of each problem]    (100 by default, some minutes)

Inputs are scaled by 1e-9 ... 1e9, targets by 1e-100 ... 1e100, and both are then moved by up to
1e6 of their deviations.  Each run is compared with that on standardised data, from the same
seed: its end loss over the targets' variance, and what it says of itself.
"""

import collections
import itertools
import sys
import warnings
from dataclasses import dataclass

import numpy as np

import ggn

SIZES_OF_INPUTS = (1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9)
SIZES_OF_TARGETS = (1e-100, 1e-50, 1e-9, 1.0, 1e9, 1e50, 1e100)
OFFSETS = (0.0, 1.0, 1e2, 1e4, 1e6)  # in deviations
ITERATIONS = 150


@dataclass(frozen=True)
class Problem:
    net: ggn.MLP
    X: np.ndarray
    Y: np.ndarray
    loss: str = "squared"


def problems():
    """Yield name and problem, standardised."""
    rng = np.random.default_rng(0)
    x, wide = np.linspace(-1.0, 1.0, 100), rng.uniform(-1.0, 1.0, (150, 3))
    a, b, c = wide.T
    noise = rng.normal(size=150)
    made = {
        "sine": ((1, 6, 1), x, np.sin(4 * x)),
        "wave": ((1, 10, 1), x, np.exp(-4 * x**2) * np.cos(4 * np.pi * x)),
        "step": ((1, 5, 1), x, np.tanh(20 * x) + 0.3 * x),
        "kink": ((1, 8, 1), x, np.abs(x - 0.2)),
        "peak": ((1, 8, 1), x, 1.0 / (1.0 + 25.0 * x**2)),
        "exponential": ((1, 5, 1), x, np.exp(3 * x)),
        "skewed inputs": ((1, 6, 1), np.exp(2 * x), np.sin(4 * x)),
        "two layers": ((1, 5, 5, 1), x, np.sin(5 * x)),
        "noisy sine": ((1, 5, 1), a, np.sin(3 * a) + 0.2 * noise),
        "nothing but noise": ((2, 3, 1), wide[:, :2], noise),
        "product": ((2, 6, 1), wide[:, :2], a * b),
        "hill": ((2, 10, 1), wide[:, :2], np.exp(-3 * (a**2 + b**2))),
        "ridge": ((3, 4, 1), wide, np.sin(2 * (a + b - c))),
        "two outputs": ((3, 8, 2), wide, np.column_stack([np.sin(2 * a) + b, b * c])),
        "deep": ((3, 6, 6, 2), wide, np.column_stack([np.cos(3 * a), a + b**2])),
        "line": ((3, 1), wide, a - 2 * b + 0.1 * noise),
        "one unit": ((2, 1, 1), wide[:, :2], np.tanh(a + 2 * b) + 0.05 * noise),
        "idle column": ((3, 5, 1), np.column_stack([a, 0 * a + 1.0, b]), np.sin(3 * a) + b),
    }
    for name, (sizes, X, Y) in made.items():
        yield name, Problem(ggn.MLP(sizes), *standard(X, Y))
    X, Y = standard(a, np.sin(3 * a))
    yield "sigmoid", Problem(ggn.MLP((1, 6, 1), "sigmoid"), X, Y)
    yield "softplus", Problem(ggn.MLP((1, 6, 1), "softplus"), X, Y)


def standard(X, Y):
    """Return columns of mean 0 and, unless they are constant, deviation 1."""
    out = []
    for A in (X, Y):
        A = np.asarray(A, float).reshape(len(A), -1)
        deviation = A.std(axis=0)
        out.append((A - A.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1.0))
    return out


def in_units(problem, x_size, x_offset, y_size, y_offset):
    """Return X and Y in other units; offsets are in deviations."""
    return x_size * (problem.X + x_offset), y_size * (problem.Y + y_offset)


def relative_loss(problem, w, X, Y, y_size):
    """Return the mean squared error over the targets' variance, all in long double."""
    F = problem.net.forward(w, X)
    r = (np.asarray(F, np.longdouble) - Y) / np.longdouble(y_size)
    return float(np.mean(np.square(r).sum(axis=1)) / problem.Y.shape[1])


@dataclass(frozen=True)
class Outcome:
    units: tuple
    loss: float
    standard: float
    fit: ggn.TrainResult

    @property
    def as_good(self):
        """Within ten times, or within what the digits of such inputs and targets leave."""
        offset = 1.0 + max(self.units[1], self.units[3])
        digits = (100.0 * offset * np.finfo(float).eps) ** 2
        return bool(self.loss <= 10.0 * self.standard + digits)

    @property
    def false_success(self):
        """R² below 0.99 of what it could be, without a word."""
        silent = self.fit.success and self.fit.message == self.fit.status.value
        return silent and 1.0 - self.loss < 0.99 * (1.0 - self.standard)


def outcomes(problem, units, seed=0):
    """Yield what becomes of each choice of units."""
    ours = ggn.train(problem.net, problem.X, problem.Y, rng=seed, max_iter=ITERATIONS)
    best = relative_loss(problem, ours.w, problem.X, problem.Y, 1.0)
    for chosen in units:
        X, Y = in_units(problem, *chosen)
        fit = ggn.train(problem.net, X, Y, rng=seed, max_iter=ITERATIONS)
        yield Outcome(chosen, relative_loss(problem, fit.w, X, Y, chosen[2]), best, fit)


def main(runs=100):
    rng = np.random.default_rng(1)
    every = list(itertools.product(SIZES_OF_INPUTS, OFFSETS, SIZES_OF_TARGETS, OFFSETS))
    total = collections.Counter()
    for name, problem in problems():
        units = [every[i] for i in rng.choice(len(every), runs, replace=False)]
        found = list(outcomes(problem, units, seed=int(rng.integers(100))))
        count = collections.Counter(
            runs=len(found),
            as_good=sum(o.as_good for o in found),
            plain_tenfold=sum(o.loss <= 10.0 * o.standard for o in found),
            false_success=sum(o.false_success for o in found),
            success=sum(o.fit.success for o in found),
        )
        total += count
        worst = max(found, key=lambda o: o.loss / max(o.standard, 1e-20))
        last = f"worst {worst.loss:.2g} at {worst.units} {worst.fit.status.name}"
        print(f"{name:18s} {dict(count)} standard {found[0].standard:.2g}, {last}", flush=True)
    print("all", dict(total))


if __name__ == "__main__":
    warnings.simplefilter("error", ggn.ScalingWarning)
    main(*map(int, sys.argv[1:]))
