"""Noise that is not the same everywhere: coverage, likelihood and errors of `train_bayesian`.

    python -m benchmarks.noise --seeds 10 [--estimators 5]

Two sets with a deviation that is constant, or grows tenfold along one input; then a sine with a
share of gross outliers, all on one side, or with Student's noise of three degrees of freedom.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np

import ggn

NEW = 3000


def one(x):
    return np.sin(x)


def four(X):
    return np.sin(2 * X[:, :1]) + X[:, 1:2] ** 2 - X[:, 2:3] * X[:, :1]


# function, number of inputs, half-width of the box, the input along which it grows, sigma before
SETS = {"one input": (one, 1, 3.0, 0, 0.05), "four inputs": (four, 4, 1.75, 1, 0.1)}


def varying(name, grows, T, seed, estimators):
    """Return, for each kind, coverage of each third, mean log-likelihood, RMSE."""
    f, d, half, along, least = SETS[name]
    rng = np.random.default_rng(seed)

    def drawn(T):
        X = rng.uniform(-half, half, (T, d))
        X = X[np.argsort(X[:, along])]
        times = 10 ** (0.5 + 0.5 * X[:, along : along + 1] / half) if grows else np.sqrt(10.0)
        return X, f(X) + least * times * rng.normal(size=(T, 1))

    (X, Y), (new, targets) = drawn(T), drawn(NEW)
    for kind in ("constant", "varying"):
        fit = ggn.train_bayesian(
            ggn.MLP((d, 12, 1)), X, Y, rng=seed, n_estimators=estimators, noise=kind
        )
        low, high = fit.intervals(new)
        thirds = ((low < targets) & (targets < high)).reshape(3, -1).mean(axis=1)
        error = np.sqrt(np.mean((fit.predict(new) - f(new)) ** 2))
        yield kind, [*thirds, fit.log_likelihood(new, targets).mean(), error]


def outliers(share, T, seed, estimators):
    """Return, for each kind, coverage of new targets that are no outliers, log-likelihood, RMSE."""
    rng = np.random.default_rng(seed)

    def drawn(T):
        X = rng.uniform(-2.0, 2.0, (T, 1))
        size = (T, 1)
        z = rng.standard_t(3, size=size) if share is None else rng.normal(size=size)
        return X, np.sin(2 * X) + 0.1 * z

    (X, Y), (new, targets) = drawn(T), drawn(NEW)
    bad = np.arange(0 if share is None else round(share * T))
    good = np.arange(len(bad), T)
    Y[bad] += rng.uniform(2.0, 6.0, (len(bad), 1))
    for kind in ("without them", "constant", "heavy_tailed", "contaminated"):
        rows, noise = (good, "constant") if kind == "without them" else (np.arange(T), kind)
        fit = ggn.train_bayesian(
            ggn.MLP((1, 12, 1)), X[rows], Y[rows], rng=seed, n_estimators=estimators, noise=noise
        )
        low, high = fit.intervals(new)
        inside = np.mean((low < targets) & (targets < high))
        error = np.sqrt(np.mean((fit.predict(new) - np.sin(2 * new)) ** 2))
        yield kind, [inside, fit.log_likelihood(new, targets).mean(), error]


def table(title, run, seeds):
    found = {}
    for seed in range(seeds):
        for kind, numbers in run(seed):
            found.setdefault(kind, []).append(numbers)
    print(f"\n{title}: coverage of 90 %, log-likelihood, RMSE of the mean (largest)")
    for kind, numbers in found.items():
        A = np.array(numbers)
        print(f"  {kind:<14}", *(f"{v:7.3f}" for v in A.mean(axis=0)), f"({A[:, -1].max():.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--estimators", type=int, default=1)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ggn.EvidenceWarning)
    for name, T in (("one input", 200), ("four inputs", 400)):
        for grows in (False, True):
            title = f"{name}, {T} samples, sigma {'grows tenfold' if grows else 'constant'}"
            table(
                title,
                lambda seed, of=(name, grows, T): varying(*of, seed, args.estimators),
                args.seeds,
            )
    for share in (0.0, 0.01, 0.05, 0.1, 0.2, None):
        title = "Student's noise" if share is None else f"{share:.0%} outliers"
        table(title, lambda seed, of=share: outliers(of, 150, seed, args.estimators), args.seeds)


if __name__ == "__main__":
    main()
