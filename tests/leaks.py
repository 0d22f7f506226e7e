"""How much the process grows over many trainings: what is lost at each one adds up.

    python tests/leaks.py --trainings 20000

The caches fill in the first tenth, which does not count.
"""

import argparse
import gc
import os

import numpy as np

import ggn

KINDS = (
    {},
    {"loss": "cauchy", "l2": 1e-3},
    {"step": "dual"},
    {"step": "conjugate_gradient"},  # outside the compiled loop
    {"damping": "undamped"},
)


def resident():
    """Return the bytes of this process that are in memory."""
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trainings", type=int, default=20000)
    parser.add_argument("--most", type=float, default=1.0, help="growth in MB that is an error")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    X, net = rng.normal(size=(20, 2)), ggn.MLP((2, 4, 1))
    Y, before = np.sin(X[:, :1]), 0
    for i in range(options.trainings):
        ggn.train(net, X, Y, max_iter=2, rng=i, **KINDS[i % len(KINDS)])
        if i == options.trainings // 10:
            gc.collect()
            before = resident()
    gc.collect()
    grown = (resident() - before) / 1e6
    print(f"{options.trainings} trainings: {grown:.2f} MB more than after the first tenth")
    return grown > options.most


if __name__ == "__main__":
    raise SystemExit(main())
