"""The command line: what it prints and what it leaves behind."""

from __future__ import annotations

import os
import re
import runpy
import signal
import sys

import commands
import numpy as np
import pytest
from commands import fails, process

import ggn
from ggn.command import predict, words
from ggn.fit import scores, task
from ggn.io import Model, terminal
from ggn.io.table import Table
from ggn.io.written import csv_text

# one start ends by itself in 0.04 s: whoever waits for its first line may come too late
LONG = ["--restarts", "1000", "--max-iter", "1000000000", "--tol", "0"]

data = pytest.fixture(commands.data)
run = pytest.fixture(commands.run)
train = pytest.fixture(commands.train)
model = pytest.fixture(commands.model)


# train


def test_train_prints_a_summary_that_agrees_with_the_saved_model(train, data, tmp_path):
    path = tmp_path / "model.npz"
    result = train("--save", path, "--validation", "0.25", "--seed", "3")
    assert result.status == 0
    assert result.err == ""  # no terminal, no progress
    assert all(len(line) <= 80 for line in result.out.splitlines() if str(path) not in line)
    for text in (
        "data.csv: 80 rows, 60 for training, 20 for validation",
        "3 inputs, 1 target: a, b, one -> y",
        "3-6-1, tanh; 31 weights",
        "squared, l2 = ",
        "chosen by the evidence of the training rows",
        f"saved to {path}",
    ):
        assert text in result.out
    assert any(words.said(status) in result.out for status in ggn.Status)

    model = Model.load(path)
    assert model.input_names == ("a", "b", "one")
    assert model.target_names == ("y",)
    X, Y = Table(data).read(["a", "b", "one"]), Table(data).read(["y"])
    fitted, held = scores.validation_split(80, 0.25, 3)
    np.testing.assert_allclose(model.x_mean, X[fitted].mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(model.x_scale[:2], X[fitted].std(axis=0)[:2], rtol=1e-14)
    assert model.x_scale[2] == 1.0  # constant
    F = model.predict(X)
    numbers = [float(x) for x in re.search(r"^y +(.*)$", result.out, re.M)[1].split()]
    expected = [f(Y[p], F[p])[0] for p in (fitted, held) for f in (scores.rmse, scores.r2)]
    np.testing.assert_allclose(numbers, expected, rtol=1e-4)
    assert numbers[0] < 0.5


def test_inputs_are_all_other_columns(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("v,u,t\n" + "".join(f"{i},{i * i},{3 * i}\n" for i in range(20)))
    options = ["--hidden", "20", "--l2", "0", "--max-iter", "5", "--validation", "0"]
    result = run("train", path, "--target", "u", *options)
    assert result.status == 0
    assert "2 inputs, 1 target: v, t -> u" in result.out
    assert "20 rows, 20 for training, 0 for validation" in result.out
    assert "validation R2" not in result.out
    assert "not saved" in result.out
    assert "hint: there are more weights (81) than residuals (20), enough" in result.out
    assert "compare --l2 1e-6, 1e-5, 1e-4" in result.out


def test_several_targets_have_a_row_each(train):
    result = train("--max-iter", "30", target="z,y")
    rows = result.out.splitlines()[result.out.splitlines().index("") + 2 :][:2]
    assert [row.split()[0] for row in rows] == ["z", "y"]
    assert all(len(row.split()) == 5 for row in rows)


def test_options_reach_the_training(train):
    result = train(
        "--hidden", "4,3", "--activation", "softsign,sigmoid", "--init", "normal", "--step",
        "minimum_norm", "--damping", "undamped", "--max-iter", "0", "--l2", "0.5",
    )  # fmt: skip
    assert "3-4-3-1, softsign, sigmoid; 35 weights" in result.out
    assert "l2 = 0.5" in result.out
    assert "0 iterations" in result.out
    assert "The iteration limit --max-iter was reached." in result.out
    assert "The time limit --max-seconds was reached." in train("--max-seconds", "0").out


def test_the_seed_decides(train, tmp_path):
    weights = []
    for seed in (0, 0, 1):
        train("--max-iter", "3", "--seed", seed, "--save", tmp_path / "m.npz")
        weights.append(Model.load(tmp_path / "m.npz").w)
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()


def test_the_scale_of_a_robust_loss_is_in_the_unit_of_the_target(train, monkeypatch, data):
    seen = []
    original = task.train

    def spy(*args, **options):
        seen.append(args[3])
        return original(*args, **options)

    monkeypatch.setattr(task, "train", spy)
    result = train("--loss", "smooth_lp", "--loss-scale", "2", "--p", "1.5", "--max-iter", "3")
    assert "smooth_lp, scale = 2, p = 1.5" in result.out
    fitted, _ = scores.validation_split(80, 0.2, 0)
    y = Table(data).read(["y"])[fitted]
    mad = 1.4826022185056018 * np.median(np.abs(y - np.median(y)))
    assert seen[-1].scale == pytest.approx(2.0 / mad, rel=1e-12)
    assert seen[-1].p == 1.5
    out = train("--loss", "cauchy", "--max-iter", "3", "--l2", "0").out
    shown = float(re.search(r"cauchy, scale = (\S+), from the residuals;", out)[1])
    assert seen[-1].scale == pytest.approx(shown / mad, rel=1e-12)


def test_a_robust_fit_ignores_outliers(run, tmp_path):
    x = np.linspace(-1.0, 1.0, 60)
    y = 1e3 * x
    y[::10] += 1e5
    path = tmp_path / "t.csv"
    path.write_text("".join(csv_text(["x", "y"], np.stack([x, y], axis=1))))
    model = tmp_path / "m.npz"
    options = ["--hidden", "3", "--validation", "0", "--save", model, "--max-iter", "300"]
    command = ["train", path, "--target", "y", "--loss", "cauchy", "--loss-scale", "100", *options]
    result = run(*command)
    good = np.arange(60) % 10 != 0
    errors = np.abs(Model.load(model).predict(x)[:, 0] - 1e3 * x)[good]
    assert np.median(errors) < 50.0
    every = np.abs(Model.load(model).predict(x) - y[:, np.newaxis])
    shown = float(re.search(r"^y +train +(\S+)", result.out, re.M)[1])
    assert shown == pytest.approx(np.median(every), rel=1e-4)
    assert "validation " not in result.out.split("target ")[1]
    command[command.index("--validation") + 1] = "0.25"
    held = scores.validation_split(60, 0.25, 0)[1]
    out = run(*command).out
    every = np.abs(Model.load(model).predict(x) - y[:, np.newaxis])[held]
    shown = float(re.search(r"^y +validation +(\S+)", out, re.M)[1])
    assert shown == pytest.approx(np.median(every), rel=1e-4)


def test_overfitting_is_pointed_out(run, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "t.csv"
    path.write_text("".join(csv_text(["x", "y"], rng.standard_normal((70, 2)))))
    options = ["--target", "y", "--hidden", "15", "--max-iter", "100"]
    out = run("train", path, *options, "--l2", "0").out
    assert re.search(r"hint: validation RMSE is .* times training RMSE \(overfitting\)", out)
    assert "compare --l2 1e-6, 1e-5, 1e-4" in " ".join(out.split())
    out = run("train", path, *options, "--l2", "1e-6").out
    assert "compare --l2 1e-7, 1e-5" in " ".join(out.split())
    assert "hint" not in run("train", path, *options, "--l2", "10").out
    out = run("train", path, *options, "--l2", "0", "--validation", "0.5").out
    assert "there are more weights (46) than residuals (35)" in out


def test_a_target_that_never_varies_is_pointed_out(run, tmp_path):
    path, rng = tmp_path / "t.csv", np.random.default_rng(0)
    rows = np.column_stack([rng.standard_normal(40), np.full(40, 7.25), rng.standard_normal(40)])
    path.write_text("".join(csv_text(["x", "y", "z"], rows)))
    for target, told in (("y", True), ("y,z", True), ("z", False)):
        out = " ".join(run("train", path, "--target", target, "--max-iter", "20").out.split())
        assert ("hint: y is 7.25 in all rows: there is nothing to learn" in out) is told


def test_an_exact_fit_is_not_compared_by_a_ratio(run, tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "t.csv"
    path.write_text("".join(csv_text(["a", "b", "y"], rng.standard_normal((30, 3)))))
    options = ["--target", "y", "--hidden", "20", "--l2", "0"]
    out = " ".join(run("train", path, *options).out.split())
    assert "hint: the 81 weights fit every training row exactly (24 residuals), but" in out
    assert " times " not in out
    assert "standard deviations of the target; compare --l2 1e-6" in out


def test_constant_inputs_are_noted(train):
    out = train("--max-iter", "3").out
    assert "\nnote        constant in training, so without weight in the model: one\n" in out
    assert "note " not in train("--max-iter", "3", inputs="a,b").out


def test_columns_may_be_excluded(run, data, train, tmp_path):
    options = ["--target", "y", "--max-iter", "3", "--exclude"]
    assert "3 inputs, 1 target: a, b, one -> y" in run("train", data, *options, "site,z").out
    assert "2 inputs, 1 target: a, b -> y" in train("--max-iter", "3", "--exclude", "one").out


# train, interrupted


def test_an_interrupt_keeps_and_saves_the_last_weights(train, monkeypatch, tmp_path):
    def interrupt(self, intermediate_result):
        if intermediate_result.nit == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(terminal.Progress, "__call__", interrupt)
    path = tmp_path / "model.npz"
    result = train("--save", path)
    assert result.status == 130
    assert ggn.Status.INTERRUPTED.value in result.out
    assert "4 iterations" in result.out
    assert f"saved to {path}" in result.out
    interrupted = Model.load(path).w
    monkeypatch.undo()
    assert train("--save", path, "--max-iter", "4").status == 0
    np.testing.assert_array_equal(Model.load(path).w, interrupted)


def test_an_interrupt_outside_training_is_quiet(run, data, monkeypatch):
    def interrupt(self, columns=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Table, "rows", interrupt)
    result = run("train", data, "--target", "y")
    assert (result.status, result.out, result.err) == (130, "", "")


def test_an_interrupt_of_the_import_is_quiet(monkeypatch, capsys):
    class Interrupt:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "ggn.command.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "ggn.command.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupt, *sys.meta_path])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(os.path.join(os.path.dirname(ggn.__file__), "__main__.py"), None, "__main__")
    assert caught.value.code == 130
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal and signals")
def test_ctrl_c_in_a_terminal(data, tmp_path):
    path = tmp_path / "model.npz"
    master, slave = os.openpty()
    options = ["--target", "y", "--inputs", "a,b", "--save", path]
    child = process("train", data, *options, *LONG, "--l2", "1e-12", stderr=slave)
    os.close(slave)
    seen = os.read(master, 1000)  # the first progress: training has begun
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    os.close(master)
    assert b"iteration" in seen
    assert child.returncode == 130
    told = ggn.Status.INTERRUPTED.value, "A later start was interrupted."
    assert any(text in " ".join(out.split()) for text in told)
    assert Model.load(path).target_names == ("y",)


# predict


def test_predict_writes_the_predictions_exactly(run, model, data, tmp_path):
    expected = Model.load(model).predict(Table(data).read(["a", "b", "one"]))
    out = tmp_path / "out.csv"
    result = run("predict", model, data, "-o", out)
    assert (result.status, result.out) == (0, "")
    assert Table(out).names == ("y", "z")
    np.testing.assert_array_equal(Table(out).read(), expected)
    Y = Table(data).read(["y", "z"])
    lines = result.err.splitlines()
    for line, name, error, share in zip(
        lines, "yz", scores.rmse(Y, expected), scores.r2(Y, expected), strict=True
    ):
        assert line == f"{name}: RMSE {error:.6g}, R2 {share:.6f}, 80 rows"
    assert run("predict", model, data).out == out.read_text()


def test_predict_finds_columns_by_name(run, model, data, tmp_path):
    columns = ["one", "b", "a"]
    other = tmp_path / "other.csv"
    other.write_text("".join(csv_text(columns, Table(data).read(columns))))
    result = run("predict", model, other)
    assert result.err == ""  # no targets to compare with
    assert result.out == run("predict", model, data).out


def test_predict_compares_only_with_targets_that_are_whole(run, model, tmp_path):
    path = tmp_path / "new.csv"
    path.write_text("a,b,one,y\n0.1,200,0.1,\n0.2,300,0.1,\n")
    result = run("predict", model, path)
    assert result.status == 0
    assert len(result.out.splitlines()) == 3
    assert "not compared with the targets" in result.err
    assert "the cell is empty" in result.err
    path.write_text("a,b,one,z\n0.1,200,0.1,0\n0.2,300,0.1,1e-6\n")
    assert re.fullmatch(r"z: RMSE .*, 2 rows\n", run("predict", model, path).err)


def test_predict_leaves_the_old_output_if_it_fails(run, model, data, tmp_path, monkeypatch):
    out = tmp_path / "out.csv"
    out.write_text("old")
    before = sorted(os.listdir(tmp_path))

    def broken(*args):
        yield "y\n"
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, "csv_text", broken)
    result = run("predict", model, data, "-o", out)
    assert (result.status, result.out, result.err) == (130, "", "")
    assert out.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == before


def test_predict_does_not_overwrite_what_it_reads(run, model, data):
    before = model.read_bytes(), data.read_bytes()
    fails(run("predict", model, data, "-o", model), "--output would overwrite")
    fails(run("predict", model, data, "-o", data), "--output would overwrite")
    assert (model.read_bytes(), data.read_bytes()) == before
