"""Threads of a user's, and ours below them, on one network at once: for a race detector.

    python tests/races.py

What is shared is what may be: networks, losses, steps and rules, data that nobody writes.
Each thread's numbers are compared with those of a run by itself.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import ggn

T, THREADS, ROUNDS = 3000, 4, 3


def jobs():
    """Functions of nothing that return arrays, over shared objects."""
    rng = np.random.default_rng(0)
    net = ggn.MLP((3, 8, 8, 1), activation=["tanh", "gelu"])
    X = rng.normal(size=(T, 3))
    Y = np.sin(X[:, :1])
    loss, rule = ggn.losses.Cauchy(1.0), ggn.damping.LevenbergMarquardt()
    w = net.initial_weights(0)

    def trained(T, **options):
        fit = ggn.train(net, X[:T], Y[:T], max_iter=4, damping=rule, **options)
        return np.append(fit.w, fit.fun)

    def many():
        return ggn.train_many(net, X[:40], Y[:40], n_fits=6, max_iter=5).w

    return [
        lambda: trained(50),
        lambda: trained(T),
        lambda: trained(T, loss=loss, step="conjugate_gradient"),
        lambda: trained(50, step="dual"),
        many,
        lambda: ggn.linearize(net, w, X, Y).normal_matrix(),
        lambda: net.forward(w, X),
        lambda: net.jacobian(w, X[:50]),
    ]


def on_two_threads(job):
    """Our own threads, too; how many is each thread's own setting."""
    with ggn.threads(2):
        return job()


def main():
    alone = [job() for job in jobs()]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(on_two_threads, jobs() * ROUNDS))
    wrong = [i for i, a in enumerate(found) if not np.array_equal(a, alone[i % len(alone)])]
    print(f"{len(found)} jobs on {THREADS} threads, {len(wrong)} with other bits than alone")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
