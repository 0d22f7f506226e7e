"""Memory of a training on files: python tests/out_of_core.py [samples] [read|mapped] [rows]

Writes samples of eight inputs to two files, trains for two iterations on them in chunks, and
prints the peak of the memory of the process in MB, before and after (`getrusage`).
"""

import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

import ggn

INPUTS = 8
NET = ggn.MLP((INPUTS, 10, 1))


def write(folder, T, rows):
    """Write X and Y, float64, to folder."""
    rng = np.random.default_rng(0)
    v = rng.normal(size=INPUTS)
    with (folder / "X").open("wb") as X, (folder / "Y").open("wb") as Y:
        for start in range(0, T, rows):
            x = rng.normal(size=(min(rows, T - start), INPUTS))
            y = np.tanh(x @ v) + 0.1 * x[:, 0] * x[:, 1] + 0.05 * rng.normal(size=len(x))
            x.tofile(X)
            y.tofile(Y)


def read(folder, rows):
    """Yield chunks from the files."""
    with (folder / "X").open("rb") as X, (folder / "Y").open("rb") as Y:
        while len(x := np.fromfile(X, count=rows * INPUTS)):
            yield x.reshape(-1, INPUTS), np.fromfile(Y, count=rows)


def peak():
    """Return the largest memory of this process yet, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main(T=20_000_000, way="read", rows=65536):
    """Return the peak before and after, and the fit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, T, rows)
        if way == "mapped":
            X = np.memmap(folder / "X", np.float64, "r", shape=(T, INPUTS))
            data = ggn.Chunks.of_arrays(X, np.memmap(folder / "Y", np.float64, "r"), rows=rows)
        else:
            data = ggn.Chunks(lambda: read(folder, rows))
        small = np.random.default_rng(0).normal(size=(2000, INPUTS))
        ggn.train(NET, ggn.Chunks([(small, small[:, 0])]), max_iter=2, step="subsampled")
        before = peak()
        fit = ggn.train(NET, data, max_iter=2)
    return before, peak(), fit


if __name__ == "__main__":
    told = [int(word) if word.isdecimal() else word for word in sys.argv[1:]]
    before, after, fit = main(*told)
    print(f"{before:.0f} {after:.0f} {fit.history.loss}")
