"""What a fit gone on with is worth beside one that was never interrupted.

Run as `python tests/going_on.py [FIRST] [REST] [N]`: 500 and 1500 iterations of N (20) problems,
gone on with from the fit (w0=fit) and from its weights alone (w0=fit.w), beside FIRST + REST at
once.  Printed are the ratios of the losses and of the iterations.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np

import ggn


@dataclass(frozen=True)
class Problem:
    """Data and options of a fit."""

    name: str
    sizes: tuple[int, ...]
    X: np.ndarray
    Y: np.ndarray
    activation: str = "tanh"
    options: dict = field(default_factory=dict)

    def fit(self, **given):
        net = ggn.MLP(self.sizes, self.activation)
        return ggn.train(net, self.X, self.Y, **(self.options | given))


def line(f, low=-3.0, high=3.0, count=200):
    x = np.linspace(low, high, count)
    return x[:, np.newaxis], f(x)


def box(f, n, count=300, seed=0):
    X = np.random.default_rng(seed).uniform(-1.0, 1.0, (count, n))
    return X, f(*X.T)


def noisy(f, sd, **grid):
    X, y = line(f, **grid)
    return X, y + sd * np.random.default_rng(1).normal(size=y.shape)


def lorentz(x):
    return np.sin(3.0 * x) / (1.0 + x**2)


def problems():
    waves = line(lambda x: np.exp(-(x**2)) * np.cos(6.0 * x), -2.0, 2.0)
    two = box(lambda x, y: np.sin(2.0 * x) * np.exp(y), 2)
    three = box(lambda x, y, z: x * y + np.cos(2.0 * z), 3)
    steps = line(lambda x: np.tanh(5.0 * x) + 0.3 * np.abs(x))
    arm = box(lambda a, b: np.column_stack([np.cos(a) + np.cos(a + b), np.sin(a + b)]), 2)
    classes = box(lambda x, y: (x * y > 0.0).astype(float), 2, 120)
    return [
        Problem("sin 3x/(1+x²)", (1, 20, 1), *line(lorentz, count=400)),
        Problem("sin 3x/(1+x²), 8 units", (1, 8, 1), *line(lorentz)),
        Problem("sin 3x/(1+x²), softplus", (1, 12, 1), *line(lorentz), "softplus"),
        Problem("sin 3x/(1+x²), bent", (1, 12, 1), *line(lorentz), "bent_identity"),
        Problem("sin 3x/(1+x²), two layers", (1, 8, 8, 1), *line(lorentz)),
        Problem("wave", (1, 12, 1), *waves),
        Problem("wave, sigmoid", (1, 12, 1), *waves, "sigmoid"),
        Problem("wave, gelu", (1, 10, 1), *waves, "gelu"),
        Problem("two inputs", (2, 12, 1), *two),
        Problem("two inputs, two layers", (2, 6, 6, 1), *two),
        Problem("three inputs", (3, 10, 1), *three),
        Problem("three inputs, sine", (3, 10, 1), *three, "sine"),
        Problem("step", (1, 10, 1), *steps),
        Problem("step, arctan", (1, 10, 1), *steps, "arctan"),
        Problem("arm", (2, 10, 2), *arm),
        Problem("arm, penalty", (2, 10, 2), *arm, options={"l2": 1e-9}),
        Problem("noise", (1, 12, 1), *noisy(lorentz, 0.05)),
        Problem("noise, cauchy", (1, 8, 1), *noisy(lorentz, 0.05), options={"loss": "cauchy"}),
        Problem("units", (2, 10, 1), two[0] * [1e4, 1e-3] + [1e5, 0.0], 1e-3 * two[1]),
        Problem("classes", (2, 6, 1), *classes, options={"loss": "logistic", "l2": 1e-5}),
    ]


def measured(problem, first, rest, plain):
    """(loss, iterations, status) in two parts over those at once; plain: from weights alone."""
    once = problem.fit(max_iter=first + rest)
    begun = problem.fit(max_iter=first)
    on = problem.fit(max_iter=rest, w0=begun.w if plain else begun)
    tiny = np.finfo(float).tiny
    return (on.fun + tiny) / (once.fun + tiny), (begun.nit + on.nit) / once.nit, once, on


def main():
    first, rest, count = (
        int(a) for a in [*sys.argv[1:], *("500", "1500", "20")[len(sys.argv) - 1 :]]
    )
    print(f"{'':28}{'at once':>22}{'w0=fit':>16}{'w0=fit.w':>17}")
    print(f"{'':28}{'J':>12}{'nit':>10}{'J':>8}{'nit':>8}{'J':>9}{'nit':>8}")
    for problem in problems()[:count]:
        a = measured(problem, first, rest, False)
        b = measured(problem, first, rest, True)
        print(
            f"{problem.name:28}{a[2].fun:12.2e}{a[2].nit:10}{a[0]:8.2f}{a[1]:8.2f}{b[0]:9.2g}"
            f"{b[1]:8.2f}  {a[2].status.name} {a[3].status.name} {b[3].status.name}"
        )


if __name__ == "__main__":
    main()
