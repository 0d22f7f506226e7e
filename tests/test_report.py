"""What a person sees: progress, tables, the demonstration; and the numbers in them."""

from __future__ import annotations

import inspect
import os
import pickle
import re
import types

import commands
import numpy as np
import pytest
from commands import process

import ggn
from ggn import steps
from ggn.command import demo, report
from ggn.command.words import in_options, said
from ggn.fit import convergence, scores
from ggn.fit.result import Status
from ggn.io import terminal as terminal_line
from ggn.io.archive import CustomActivationError
from ggn.io.terminal import Progress
from ggn.validation import ArgumentError, Setting

data = pytest.fixture(commands.data)
run = pytest.fixture(commands.run)


# progress


def read_all(master):
    pieces = []
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux's word for the end
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(master)
    return b"".join(pieces).decode()


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_progress_appears_on_a_terminal_and_is_wiped(data):
    master, slave = os.openpty()
    child = process(
        "train", data, "--target", "y", "--inputs", "a,b", "--max-iter", 20, stderr=slave
    )
    os.close(slave)
    shown = read_all(master)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    assert re.match(r"\riteration 1  loss \S+  train RMSE \S+  damping \S+", shown)
    assert "\n" not in shown
    *_, last, end = shown.split("\r")
    assert last.isspace()
    assert end == ""
    assert "iteration 1 " not in out


def test_no_progress_where_there_is_no_terminal(data):
    child = process("train", data, "--target", "y", "--inputs", "a,b", "--max-iter", 20)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0
    assert err == ""
    assert out.startswith("data ")
    assert "\r" not in out


class Terminal:
    def __init__(self):
        self.written = []

    def isatty(self):
        return True

    def fileno(self):
        raise OSError

    def write(self, text):
        self.written.append(text)

    def flush(self):
        pass


def test_progress_keeps_a_measured_pace(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(terminal_line.time, "monotonic", lambda: clock[0])
    terminal = Terminal()

    cost = 0.0

    def slow(w):
        clock[0] += cost
        return "x" * 100

    state = types.SimpleNamespace(nit=1, fun=0.5, damping=float("nan"), w=None)
    for seconds, at_most in ((0.0, 11), (0.05, 2)):
        clock[0], cost = 0.0, seconds
        terminal.written.clear()
        progress = Progress(terminal, slow)
        for step in range(1001):
            clock[0] = max(clock[0], 0.001 * step)  # one second
            progress(state)
        assert 1 <= len(terminal.written) <= at_most
        assert all(len(text) <= 80 for text in terminal.written)  # \r and 79 characters
        progress.close()
        assert terminal.written[-1] == "\r"


def test_progress_without_a_stream_is_silent():
    progress = Progress(None)
    progress(None)
    progress.close()


# demo


def test_demo_shows_quadratic_convergence_and_the_noise(run):
    result = run("demo")
    assert (result.status, result.err) == (0, "")
    first, second = result.out.split("2. Regression")
    assert all(len(line) <= 80 for line in result.out.splitlines())
    assert all(len(part.splitlines()) <= 25 for part in (first, second))
    losses = [float(x) for x in re.findall(r"^ +\d+ +(\d\S+) ", first, re.M)]
    assert losses[-1] < 1e-20
    assert "the fit is exact" in " ".join(first.split())
    median = float(re.search(r"median observed\s+order\s+(\S+):", first)[1])
    assert 1.5 < median < 2.5
    rmse = float(re.search(r"validation +(\S+)", second)[1])
    assert 0.07 < rmse < 0.13


def test_an_interrupt_ends_the_whole_demo(run, monkeypatch):
    result = types.SimpleNamespace(status=Status.INTERRUPTED)
    monkeypatch.setattr(convergence, "train", lambda *args, **options: result)
    result = run("demo")
    assert (result.status, result.out, result.err) == (130, "", "")


def test_a_long_run_shows_its_end(monkeypatch):
    assert demo._shown(15) == list(range(15))
    assert demo._shown(40) == [0, *range(27, 40)]


# the numbers behind


def test_split_parts_the_rows():
    for rows, fraction, held in ((10, 0.2, 2), (10, 0.0, 0), (3, 0.01, 1), (7, 0.5, 4)):
        train, validation = scores.validation_split(rows, fraction, 1)
        assert len(validation) == held
        assert sorted([*train, *validation]) == list(range(rows))
    with pytest.raises(ValueError, match="leaves none to train on"):
        scores.validation_split(1, 0.2)


def test_long_texts_keep_their_place():
    text = report.fields([("columns", "word " * 30), ("x", "")])
    lines = text.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith(" " * 12 + "word")
    name = ["a very long name, it is"]
    parts = {
        "train": {"RMSE": [0.0], "R2": [-1234.5]},
        "validation": {"RMSE": [1e-300], "R2": [1.0]},
    }
    table = report.scores(name, parts)
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "a very lon..." in table
    tiny = dict.fromkeys(("median abs. error", "RMSE", "R2", "R"), np.array([-1.2345678e-300]))
    table = report.scores(name, {"train": tiny, "validation": tiny, "test": tiny})
    assert [len(line.split()) for line in table.splitlines()] == [8, 8, 8, 8]
    assert all(len(line) <= 80 for line in table.splitlines())


# words


def overfitting(
    train, validation, weights=9, residuals=99, l2=0.0, names=("y",), ways=(), test=None
):
    kinds = ("RMSE", "R2", "median abs. error")
    parts = {
        part: {kind: 7.0 * np.array(v) for kind, v in zip(kinds, values, strict=False)}
        for part, values in (("train", train), ("validation", validation), ("test", test))
        if values is not None
    }
    sizes = {"weights": weights, "residuals": residuals, "l2": l2, "ways": ways}
    return report.overfitting(names, parts, np.full(len(names), 7.0), **sizes)


def test_overfitting_is_told_by_what_can_be_told():
    fit, nan = ([0.1], [0.99]), [np.nan]
    assert overfitting(fit, ([0.14], nan)) == ""
    assert overfitting(fit, None) == ""
    assert "RMSE is 3 times" in overfitting(fit, ([0.3], nan))
    assert overfitting(fit, ([0.3], nan), l2=1e-3).endswith("compare --l2 1e-4, 0.01")
    assert "is more than 1000 times" in overfitting(([1e-5], nan), ([0.3], nan))
    two = overfitting(([0.1, 0.1], 2 * nan), ([0.3, 0.4], 2 * nan), names=("y", "z"))
    assert "RMSE of z is 4" in two
    # the test part alone tells it; data without noise have nothing to smooth
    assert "test RMSE is 3 times" in overfitting(fit, ([0.11], nan), test=([0.3], nan))
    assert "test RMSE is 3 times" in overfitting(fit, None, test=([0.3], nan))
    close = [1.0 / 7.0 - 1e-6]
    assert overfitting(([1e-4], nan), ([5e-3], close)) == ""
    assert overfitting(([1e-8], nan), ([5e-3], close)) == ""
    assert "test RMSE" in overfitting(([1e-8], nan), ([5e-3], close), test=([3.0], nan))
    assert overfitting(([9.0], nan, [1e-4]), ([9.0], nan, [5e-3])) == ""
    # rounding on both sides, or exact in training alone
    assert overfitting(([1e-16], nan), ([1e-7], nan)) == ""
    text = overfitting(([1e-16], nan), ([0.62], nan))
    assert "the 9 weights fit every training row exactly (99 residuals)" in text
    assert "RMSE is 0.62 standard deviations" in text
    # as many weights as residuals
    for weights, words in ((99, "as many weights (99) as"), (100, "more weights (100) than")):
        for held in (None, ([0.3], nan)):
            text = overfitting(fit, held, weights=weights)
            assert words in text
            assert " times " not in text
        assert overfitting(fit, None, weights=weights, l2=1e-6) == ""
    # what is chosen already is not advised again
    assert "--l2" not in overfitting(fit, ([0.3], nan), l2=1e-3, ways=["--hidden 3"])
    assert overfitting(fit, None, weights=100, ways=["--hidden 3"]) == ""
    # outliers do not decide
    assert overfitting(([0.1], nan, [0.05]), ([9.0], nan, [0.06])) == ""
    assert "median error is 4 times" in overfitting(([0.1], nan, [0.05]), ([0.1], nan, [0.2]))


OPTIONS = {"step": "--step", "max_memory": "--max-memory"}


def test_every_status_speaks_of_options():
    """None of Python's arguments is left, but for those that no option gives."""
    given = set(inspect.signature(ggn.train).parameters) - {
        "loss_target",
        "callback",
        "loss",
        "curvature",
    }
    for status in Status:
        words = re.findall(r"[\w-]+|=", said(status))
        assert not {*given, "damping", "="} & {*words} - {"step", "damping"}, status
        assert ("--" in said(status)) == (said(status) != status.value), status


def test_errors_name_options_where_there_are_any():
    error = ArgumentError("loss", "is none for ", Setting("step", ("dual", "minimum_norm")), ", no")
    assert str(error) == "loss is none for step='dual' or 'minimum_norm', no"
    assert in_options(error, OPTIONS) == "loss is none for --step dual or minimum_norm, no"
    with pytest.raises(ArgumentError) as caught:
        ggn.plan(ggn.MLP((2, 6, 1)), 60, max_memory=1.0).best  # noqa: B018
    words = in_options(caught.value, OPTIONS)
    assert re.fullmatch(
        r"--max-memory must be .* for the step [a-z_]+ on 25 weights and 60 samples, got .*; "
        "--step gradient needs less",
        words,
    )
    assert str(caught.value).startswith("max_memory must be")
    assert str(caught.value).endswith("step='gradient' needs less")


def test_errors_survive_the_way_from_another_process():
    error = pickle.loads(pickle.dumps(ArgumentError("tol", "is too small for ", steps.Primal())))
    assert str(error) == "tol is too small for Primal()"
    assert error.argument == "tol"
    missing = pickle.loads(pickle.dumps(CustomActivationError("m.npz", "sine")))
    assert str(missing).endswith("must be given to Model.load as activations={'sine': ...}")
