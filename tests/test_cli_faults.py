"""The command line, badly used: one line on standard error and an exit status."""

from __future__ import annotations

import os
import re
import sys

import commands
import numpy as np
import pytest
from commands import fails, process

import ggn
from ggn.command import cli
from ggn.fit import task
from ggn.io import Model
from ggn.io.written import csv_text

data = pytest.fixture(commands.data)
run = pytest.fixture(commands.run)
train = pytest.fixture(commands.train)
model = pytest.fixture(commands.model)


# options and files


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hidden", "20,a"], "--hidden must be positive integers"),
        (["--hidden", "0"], "--hidden must be positive integers"),
        (["--hidden", ""], "--hidden must be positive integers"),
        (["--activation", "tahn"], "did you mean 'tanh'"),
        (
            ["--activation", "tanh,tanh"],
            "error: --activation must be one name or one per hidden layer",
        ),
        (["--loss", "square"], "--loss must be one of .* did you mean 'squared'"),
        (["--step", "quick"], "--step must be one of auto, block_diagonal, conjugate_gradient"),
        (["--damping", "none"], "--damping must be one of"),
        (["--init", "he"], "--init must be one of fan_in"),
        (["--l2", "-1"], r"--l2 must be a number in \[0, inf\), got -1"),
        (["--l2", "nan"], "--l2 must be a number"),
        (["--l2", "x"], "error: --l2 must be a number, got 'x'"),
        (["--tol", "-1"], "--tol must be"),
        (["--seed", "-1"], "--seed must be"),
        (["--seed", "1.5"], "error: --seed must be an integer of at least 0, got '1.5'"),
        (["--max-iter", "-1"], "--max-iter must be"),
        (["--max-seconds", "-1"], "--max-seconds must be"),
        (["--max-memory", "0"], "--max-memory must be"),
        (["--max-memory", "1e-6"], "error: --max-memory must be .*; --step gradient needs less"),
        (
            ["--max-memory", "1e-6", "--l2", "0"],
            "MiB for the step minimum_norm on 31 weights",
        ),
        (["--validation", "20%"], "error: --validation must be a number, got '20%'"),
        (["--max-seconds", "1m"], "error: --max-seconds must be a number, got '1m'"),
        (["--validation", "-0.1"], "--validation must be"),
        (["--validation", "2"], "--validation must be"),
        (["--validation", "1"], "80 of 80 rows leaves none to train on"),
        (["--loss-scale", "1"], "squared has no scale"),
        (["--loss", "cauchy", "--loss-scale", "0"], "--loss-scale must be"),
        (["--loss", "cauchy", "--p", "1"], "cauchy has no exponent"),
        (["--loss", "smooth_lp", "--p", "3"], "--p must be"),
        (["--inputs", "a,c"], "no column 'c', which --inputs names; it has site, a, b, one, y, z"),
        (["--exclude", "on"], "no column 'on', which --exclude names; .*the nearest is 'one'"),
        (["--exclude", "a,y"], "'y' is both in --exclude and in --target"),
        (["--exclude", "a,b,one"], "no columns but the targets that are not excluded"),
        (["--inputs", "a,y"], "'y' is both in --inputs and in --target"),
        (["--inputs", "a,a"], "--inputs names the column 'a' twice"),
        (["--inputs", "a,,b"], "--inputs must be column names"),
        (
            ["--inputs", "a,site"],
            "'site': 's' is not a number; text must be .*; leave the column out with --inputs or",
        ),
        (["--target", "site"], "two or more classes, but the column 'site' has only 's'"),
        (["--target", "site", "--task", "regression"], "'s' is not a number; .* --task class"),
        (["--target", "y,z", "--loss", "cauchy", "--loss-scale", "1"], "different standard dev"),
        (["--target", "why"], "no column 'why', which --target names; it has site, a"),
        (["--target", ""], "--target must be column names"),
        (["--save", os.path.join("none", "m.npz")], "m.npz: No such file"),
        (["--save", "."], r"\.: Is a directory"),
        (["--hiden", "20"], "unrecognized arguments: --hiden 20"),
        (["--hid", "20"], "unrecognized arguments"),
        (["--l2"], "error: --l2: expected one argument"),
    ],
)
def test_bad_options_of_train(train, options, message):
    fails(train(*options), message)


def test_bad_commands(run, data, monkeypatch):
    result = run()
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("usage: ggn")
    assert "OPENBLAS_NUM_THREADS=1" in result.err
    fails(run("trian"), "invalid choice: 'trian'")
    fails(run("train"), "required: FILE.csv")
    fails(run("train", data), "required: --target")
    fails(run("train", data), "required: --target")
    fails(run("predict"), "required: MODEL.npz, FILE.csv")
    fails(run("demo", "--seed", "-1"), "--seed must be")
    fails(run("demo", "--seed", "x"), "error: --seed must be an integer")


def test_bad_files_of_train(run, data, tmp_path):
    target = ["--target", "y"]
    fails(run("train", tmp_path / "none.csv", *target), "none.csv: No such file or directory")
    fails(run("train", tmp_path, *target), "Is a directory")
    path = tmp_path / "t.csv"
    path.write_text("x1:x2:y\n1:2:3\n")
    fails(run("train", path, *target), "no column 'y'.*; it has x1:x2:y; .*--delimiter says")
    path.write_text("y\n1\n2\n")
    fails(run("train", path, *target), "no columns but the targets")
    path.write_text("x,y\n1,2\n")
    fails(run("train", path, *target), "1 of 1 row leaves none to train on")
    path.write_text("x,y\n1,2\n1\n")
    fails(run("train", path, *target), "t.csv, line 3: 1 cell")
    before = data.read_bytes()
    fails(run("train", data, *target, "--inputs", "a", "--save", data), "would overwrite")
    assert data.read_bytes() == before


def test_a_start_that_overflows_is_an_error(run, tmp_path):
    path = tmp_path / "t.csv"
    x = np.append(np.zeros(2000), 1.0)  # 45 standard deviations from the mean
    path.write_text("".join(csv_text(["x", "y"], np.stack([x, np.arange(2001.0)], axis=1))))
    options = ["--activation", "exponential,exponential", "--hidden", "9,9", "--init", "normal"]
    model = tmp_path / "m.npz"
    result = run("train", path, "--target", "y", "--validation", "0", "--save", model, *options)
    fails(result, "not finite at the initial weights")
    assert not model.exists()


def test_a_fit_is_reported_even_if_it_cannot_be_saved(train, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = train("--save", tmp_path / "m.npz", "--max-iter", "3")
    assert result.status == 2
    assert result.err == f"ggn: error: {tmp_path / 'm.npz'}: No space left on device\n"
    assert "not saved" in result.out
    assert "train RMSE" in result.out
    assert sorted(os.listdir(tmp_path)) == ["data.csv"]


def test_no_memory_is_one_line(train, monkeypatch):
    def greedy(*args, **options):
        raise MemoryError("Unable to allocate 8.00 TiB")

    monkeypatch.setattr(task, "train", greedy)
    fails(train("--l2", "0"), "not enough memory: Unable to allocate 8.00 TiB")


def test_bad_files_of_predict(run, model, data, tmp_path):
    fails(run("predict", tmp_path / "none.npz", data), "none.npz: No such file")
    fails(run("predict", model, tmp_path / "none.csv"), "none.csv: No such file")
    fails(run("predict", data, data), "is not a ggn model")
    fails(run("predict", model, data, "-o", tmp_path), "Is a directory")
    fails(run("predict", model, data, "-o", tmp_path / "none" / "o.csv"), "o.csv: No such file")
    other = tmp_path / "other.csv"
    other.write_text("a,b,two,y\n1,2,3,4\n")
    fails(
        run("predict", model, other),
        "no column 'one', which the model needs; it has a, b, two, y\n",
    )
    other.write_text("a,b,one,y\n1,2,,4\n")
    fails(run("predict", model, other), "line 2, column 'one': the cell is empty")
    model.write_bytes(model.read_bytes()[:-50])
    fails(run("predict", model, data), "truncated or damaged")


def test_a_custom_activation_cannot_be_had_from_the_command_line(run, data, tmp_path):
    path = tmp_path / "m.npz"
    Model(ggn.MLP((1, 1, 1), ggn.Activation("sine", np.sin, np.cos)), np.ones(4)).save(path)
    message = "custom activation 'sine', which the command line does not have\n"
    fails(run("predict", path, data), message)


@pytest.mark.parametrize(
    "argv",
    [
        ["--help"],
        ["train", "--help"],
        ["predict", "-h"],
        ["export", "-h"],
        ["diagnose", "-h"],
        ["demo", "-h"],
    ],
)
def test_help_fits_the_terminal(argv, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: ggn")
    assert all(len(line) <= 80 for line in out.splitlines())


def test_the_module_runs_and_fails_without_a_traceback():
    child = process("--version")
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, "")
    assert re.fullmatch(r"ggn \S.*\n", out)
    child = process("train", "no-such-file.csv", "--target", "y")
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (2, "")
    assert err == "ggn: error: no-such-file.csv: No such file or directory\n"


# standard output


@pytest.mark.skipif(os.name != "posix", reason="pipes close differently elsewhere")
def test_a_reader_that_leaves_early_is_no_error(model, data):
    read_end, write_end = os.pipe()
    os.close(read_end)
    child = process("predict", model, data, stdout=write_end)
    os.close(write_end)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 0
    assert err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_behind_standard_output_is_one_line(model, data):
    with open("/dev/full", "w") as full:
        child = process("predict", model, data, stdout=full)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 2
    assert err == "ggn: error: No space left on device\n"


def test_no_standard_output_at_all_is_one_line(run, model, data, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["predict", str(model), str(data)]) == 2
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["predict", str(model), str(data)]) == 2
