"""Known autoregressive models, fitted to their own runs: are they found, and do intervals hold?

    python tests/recover_narx.py [--runs 100] [--seed 0]

Without noise, from weights that are off by a tenth: J < 1e-20 of outputs of size one.  With
noise at the outputs: how often intervals of 90 % hold new measurements of a new run.
"""

import argparse

import numpy as np

import ggn
from ggn.recurrent.lags import Lags
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.sweeps import Sweeps
from ggn.recurrent.windows import Windows

NET = ggn.MLP((4, 4, 1))
LAGS = {"output_lags": 2, "input_lags": [1, 2]}


def known(rng, T):
    """A stable model whose run has size one: weights, input and output; nothing of `ggn.narx`."""
    while True:
        Ws = [rng.normal(size=(5, 4)) * 0.8, rng.normal(size=(5, 1)) * 0.8]
        w, u, y = NET.pack(Ws), rng.uniform(-2.0, 2.0, T), np.zeros(T)
        for k in range(2, T):
            z = np.array([y[k - 1], y[k - 2], u[k - 1], u[k - 2]])
            y[k] = np.tanh(z @ Ws[0][:-1] + Ws[0][-1]) @ Ws[1][:-1, 0] + Ws[1][-1, 0]
        if 0.3 < y[10:].std() < 3.0 and forgets(w, u, y):
            return w, u, y


def forgets(w, u, y):
    """Whether a run from another start comes to the same outputs."""
    lags = Lags(2, [1, 2], 1, 1)
    Z = lags.matrix(u[:, np.newaxis], y[:, np.newaxis])
    Z[:2] += 0.1
    sweeps = Sweeps(Recursion([(NET, 0)], 4, 1, lags.feeds), Z, Windows([len(Z)]))
    return sweeps.simulate(w) and np.abs(sweeps.O[-50:, 0] - y[-50:]).max() < 1e-6


def recovered(seed, T=300):
    """J of a fit without noise from a start that is off by a tenth."""
    rng = np.random.default_rng(seed)
    w, u, y = known(rng, T)
    w0 = w * (1.0 + 0.1 * rng.normal(size=len(w)))
    fit = ggn.narx(u, y, hidden=4, w0=w0, tol=0.0, max_iter=200, loss_target=1e-25, **LAGS)
    return fit.fun


def coverage(seed, T=400, noise=0.05):
    """The share of new measurements of a new run inside intervals of 90 %."""
    rng = np.random.default_rng(seed)
    w, u, y = known(rng, 2 * T)
    measured = y + noise * rng.normal(size=2 * T)
    fit = ggn.narx(u[:T], measured[:T], hidden=4, w0=w, max_iter=100, tol=1e-8, **LAGS)
    low, high = fit.intervals(u[T:], y[T : T + 2])
    inside = (low <= measured[T:]) & (measured[T:] <= high)
    return float(inside[2:].mean())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    seeds = range(given.seed, given.seed + given.runs)
    found = np.array([recovered(seed) for seed in seeds])
    print(f"{(found < 1e-20).sum()} of {len(found)} with J < 1e-20; median {np.median(found):.2g}")
    inside = np.array([coverage(seed) for seed in seeds])
    print(f"intervals of 90 % hold {inside.mean():.3f} of new measurements "
          f"(runs: {np.quantile(inside, 0.1):.3f} to {np.quantile(inside, 0.9):.3f})")  # fmt: skip
