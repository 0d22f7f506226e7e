"""Running the command line, for the tests of it; each module makes fixtures of these."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import signal
import subprocess
import sys
import types

import numpy as np

import ggn
from ggn.command import cli
from ggn.io.written import csv_text


def data(tmp_path):
    """A smooth function of two columns, a constant one, and text, in large and small units."""
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-1.0, 1.0, (2, 80))
    y = 1000.0 + 50.0 * np.sin(a + 2.0 * b)
    z = 1e-6 * (a * b + 0.01 * rng.standard_normal(80))
    path = tmp_path / "data.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["site", "a", "b", "one", "y", "z"])
        writer.writerows(
            ["s", *row] for row in zip(a, 1e5 * b, np.full(80, 0.1), y, z, strict=True)
        )
    return path


def noisy_table(tmp_path, kinds, bounds):
    """150 noisy rows of two inputs, and labels of kinds that these bounds of the target part."""
    rng = np.random.default_rng(1)
    X = rng.uniform(-2.0, 2.0, (150, 2))
    y = np.sin(2.0 * X[:, 0]) + X[:, 1] ** 2 + 0.1 * rng.standard_normal(150)
    labels, path = np.array(kinds)[np.digitize(y, bounds)], tmp_path / "t.csv"
    rows = csv_text(["x1", "x2", "y1"], np.column_stack([X, y]), ("kind", labels))
    path.write_text("".join(rows))
    return path


def words(text):
    """Return what was printed without its line breaks."""
    return re.sub(r"\s+", " ", text)


def run(capsys):
    """Return a function that runs a command and returns its status, output and messages."""

    def call(*argv):
        status = cli.main([str(a) for a in argv])
        captured = capsys.readouterr()
        return types.SimpleNamespace(status=status, out=captured.out, err=captured.err)

    return call


def train(run, data):
    """Return a function that trains on the data with further options."""

    def call(*argv, target="y", inputs="a,b,one"):
        return run("train", data, "--target", target, "--inputs", inputs, "--hidden", "6", *argv)

    return call


def model(train, tmp_path):
    path = tmp_path / "model.npz"
    assert train("--save", path, "--max-iter", "60", target="y,z").status == 0
    return path


def fails(result, message, status=2):
    assert result.status == status
    assert result.out == ""
    assert re.fullmatch(r"ggn: error: [^\n]+\n", result.err)
    assert re.search(message, result.err), result.err


def surroundings():
    """The environment of a process that finds this ggn first, and all else where we do."""
    root = os.path.dirname(os.path.dirname(ggn.__file__))
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}


def process(*argv, **options):
    command, environment = [sys.executable, "-m", "ggn", *map(str, argv)], surroundings()
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    with heard():
        return subprocess.Popen(command, env=environment, **options)


@contextlib.contextmanager
def heard():
    """SIGINT is Ctrl-C as in a terminal, whether or not who started the tests lets it through."""
    found, blocks = signal.signal(signal.SIGINT, signal.default_int_handler), os.name == "posix"
    if blocks:
        mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if blocks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, found)
