"""`ggn train` in its modes: parts, restarts, evidence, robust, patience; and interrupted."""

from __future__ import annotations

import re

import commands
import numpy as np
import pytest
from commands import fails

import ggn
from ggn.command import training
from ggn.fit import alternation, scores, task
from ggn.fit.penalty import without_biases
from ggn.io import Model
from ggn.io.scaling import standard_units
from ggn.io.table import Table
from ggn.io.written import csv_text

data = pytest.fixture(commands.data)
run = pytest.fixture(commands.run)
train = pytest.fixture(commands.train)


@pytest.fixture
def noisy(tmp_path):
    """A curve with noise: enough to tell the modes apart."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-3.0, 3.0, 120)
    y = 50.0 + 10.0 * np.sin(x) + rng.standard_normal(120)
    path = tmp_path / "noisy.csv"
    path.write_text("".join(csv_text(["x", "y"], np.stack([x, y], axis=1))))
    return path


def said(out):
    return re.sub(r"\s+", " ", out)


def parts(path, columns, *split):
    values = Table(path).read(columns)
    return [values[rows] for rows in scores.split(len(values), *split)]


# parts


def test_three_parts_have_rmse_and_r(run, noisy, tmp_path):
    path = tmp_path / "m.npz"
    options = ["--validation", "0.15", "--test", "0.25", "--seed", "4", "--save", path]
    result = run("train", noisy, "--target", "y", "--hidden", "4", *options)
    assert result.status == 0
    assert "120 rows, 72 for training, 18 for validation, 30 for testing" in said(result.out)
    lines = result.out[result.out.index("target ") :].splitlines()
    assert lines[0].split() == ["target", "part", "RMSE", "R2", "R"]
    model = Model.load(path)
    for line, name, part in zip(
        lines[1:], ("train", "validation", "test"), parts(noisy, ["x", "y"], 0.15, 0.25, 4),
        strict=False,
    ):  # fmt: skip
        F, y = model.predict(part[:, :1])[:, 0], part[:, 1]
        expected = [np.sqrt(np.mean((F - y) ** 2)), 1.0 - np.var(F - y) / np.var(y)]
        expected[1] = 1.0 - np.sum((F - y) ** 2) / np.sum((y - y.mean()) ** 2)
        assert line.split()[:2] == ["y", name]
        np.testing.assert_allclose(
            [float(cell) for cell in line.split()[2:]],
            [*expected, np.corrcoef(F, y)[0, 1]],
            rtol=1e-4,
        )
    # the units are those of the training part alone
    np.testing.assert_allclose(model.x_mean, parts(noisy, ["x"], 0.15, 0.25, 4)[0].mean(axis=0))


def test_the_seed_of_the_rows_apart_from_that_of_the_weights(run, noisy, tmp_path):
    path, units, weights = tmp_path / "m.npz", [], []
    for options in (["--seed", "1"], ["--split-seed", "0", "--seed", "1"], ["--split-seed", "1"]):
        run("train", noisy, "--target", "y", "--max-iter", "0", "--save", path, "--init", "normal",
            *options)  # fmt: skip
        model = Model.load(path)
        units.append(model.x_mean.tolist())
        weights.append(model.w)
    assert units[0] == units[2] != units[1]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()


def test_diagnose_draws_the_same_rows(run, noisy, tmp_path):
    path = tmp_path / "m.npz"
    drawn = ["--validation", "0.1", "--test", "0.3", "--split-seed", "5"]
    run("train", noisy, "--target", "y", "--hidden", "2", "--save", path, *drawn)
    result = run("diagnose", path, noisy, *drawn)
    assert "noisy.csv: 72 of 120 rows" in result.out
    assert "(--validation 0.1, --test 0.3, --split-seed 5)" in said(result.out)
    assert "note" not in result.out
    assert "note" in run("diagnose", path, noisy, *drawn[:4]).out


# restarts


def test_restarts_keep_the_best(run, noisy, tmp_path):
    path = tmp_path / "m.npz"
    options = ["--hidden", "3", "--l2", "1e-4", "--max-iter", "12", "--save", path]
    result = run("train", noisy, "--target", "y", "--restarts", "4", *options)
    x, y = parts(noisy, ["x", "y"], 0.2, 0.0, 0)[0].T[:, :, np.newaxis]
    net = ggn.MLP((1, 3, 1))
    (mx, sx), (my, sy) = standard_units(x), standard_units(y)
    found = ggn.train_restarts(
        net, (x - mx) / sx, (y - my) / sy, n_restarts=4, l2=without_biases(net, 1e-4), max_iter=12
    )
    np.testing.assert_allclose(Model.load(path).w, found.best.w, rtol=1e-10)
    best = int(np.argmin(found.losses)) + 1
    assert f"starts 4, number {best} kept" in said(result.out)
    assert f"{found.losses.min():.4g} to {found.losses.max():.4g}" in said(result.out)
    assert "\nstarts " not in run("train", noisy, "--target", "y", *options).out


def test_the_time_limit_is_of_all_starts(run, noisy):
    out = run("train", noisy, "--target", "y", "--restarts", "3", "--max-seconds", "0").out
    assert "The time limit --max-seconds was reached." in out


@pytest.mark.parametrize("mode", [[], ["--bayesian"], ["--robust"], ["--patience", "50"]])
def test_an_interrupt_leaves_the_best_so_far(run, noisy, tmp_path, monkeypatch, mode):
    """In the second of three starts: whatever was better of the two is saved."""
    calls = []

    def interrupt(self, intermediate_result):
        calls.append(intermediate_result.nit)
        if calls.count(1) >= 2 and intermediate_result.nit == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.terminal.Progress, "__call__", interrupt)
    path = tmp_path / "m.npz"
    options = ["--hidden", "3", "--max-iter", "40", "--restarts", "3", "--save", path]
    result = run("train", noisy, "--target", "y", *options, *mode)
    assert result.status == 130
    assert f"saved to {path}" in result.out
    assert "nterrupted" in result.out
    assert np.isfinite(Model.load(path).predict([[0.0]])).all()


def test_an_interrupt_while_the_evidence_is_estimated_keeps_the_weights(
    run, noisy, tmp_path, monkeypatch
):
    original, calls = alternation._estimate, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(alternation, "_estimate", interrupted)
    path = tmp_path / "m.npz"
    result = run("train", noisy, "--target", "y", "--hidden", "3", "--bayesian", "--save", path)
    assert result.status == 130
    assert ggn.Status.INTERRUPTED.value in said(result.out)
    assert (Model.load(path).deviation([[0.0]]) > 0.0).all()


def test_an_interrupt_before_there_are_weights_says_so(run, noisy, tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(task, "draw", interrupt)
    path = tmp_path / "m.npz"
    result = run("train", noisy, "--target", "y", "--save", path)
    assert (result.status, result.out) == (130, "")
    assert result.err == "ggn: interrupted before there were weights; nothing was saved\n"
    assert not path.exists()


# penalties


def test_the_default_does_not_overfit(run, tmp_path):
    """120 noisy rows of 5 inputs: without penalty 20 units had 10 times the error of training."""
    rng = np.random.default_rng(42)
    X = rng.uniform(-1.0, 1.0, (120, 5))
    clean = np.sin(3.0 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] ** 2
    y = clean + 0.1 * rng.standard_normal(120)
    path = tmp_path / "t.csv"
    path.write_text("".join(csv_text([*"abcde", "y"], np.column_stack([X, y]))))
    errors = {}
    for name, options in (("default", []), ("bare", ["--hidden", "20", "--l2", "0"])):
        out = run("train", path, "--target", "y", *options).out
        numbers = re.search(r"^y +(\S+) +\S+ +(\S+)", out, re.M)
        errors[name] = [float(number) for number in numbers.groups()]
    assert errors["default"][1] < 4.0 * errors["default"][0]
    assert errors["default"][1] < 0.8 * errors["bare"][1]
    assert "5-6-1, tanh; 43 weights, for two training rows to a weight" in said(
        run("train", path, "--target", "y", "--max-iter", "2").out
    )


@pytest.mark.parametrize(("rows", "units"), [(10, 2), (40, 6), (200, 20)])
def test_units_are_as_many_as_rows_allow(run, tmp_path, rows, units):
    """u (1 + 1) + (u + 1) weights for one input: at most half of the rows, 2 to 20 units."""
    path = tmp_path / "t.csv"
    x = np.linspace(0.0, 1.0, rows)
    path.write_text("".join(csv_text(["x", "y"], np.stack([x, x**2], axis=1))))
    command = ["train", path, "--target", "y", "--validation", "0", "--max-iter", "1"]
    words = said(run(*command).out)
    assert f"1-{units}-1, tanh; {3 * units + 1} weights" in words
    assert ("for two training rows to a weight" in words) == (rows == 40)
    assert ("for there are few rows" in words) == (rows == 10)
    assert "1-3-1, tanh; 10 weights loss" in said(run(*command, "--hidden", "3").out)


def test_the_evidence_chooses_as_the_library_does(run, noisy, tmp_path):
    path = tmp_path / "m.npz"
    result = run("train", noisy, "--target", "y", "--hidden", "5", "--save", path)
    x, y = parts(noisy, ["x", "y"], 0.2, 0.0, 0)[0].T[:, :, np.newaxis]
    (mx, sx), (my, sy) = standard_units(x), standard_units(y)
    fit = ggn.train_bayesian(ggn.MLP((1, 5, 1)), (x - mx) / sx, (y - my) / sy, rng=0)
    model = Model.load(path)
    assert model.l2 == pytest.approx(fit.l2, rel=3e-2)  # from another start: settled to 1 %
    assert model.posterior is None
    assert f"l2 = {model.l2:.3g}, chosen by the evidence" in said(result.out)
    large = run("train", noisy, "--target", "y", "--hidden", "400", "--max-iter", "1").out
    assert "l2 = 0.0001, the default" in said(large)  # 1201 weights


def test_bayesian_models_predict_deviations(run, noisy, tmp_path):
    path, out = tmp_path / "m.npz", tmp_path / "p.csv"
    result = run("train", noisy, "--target", "y", "--hidden", "5", "--bayesian", "--save", path)
    words = said(result.out)
    assert "chosen by the evidence (--bayesian)" in words
    noise = float(re.search(r"noise (\S+);", words)[1])
    assert 0.7 < noise < 1.4  # 1 was put in
    assert re.search(r"\d of 16 weights determined by the data", words)
    assert run("predict", path, noisy, "-o", out).status == 0
    table = Table(out)
    assert table.names == ("y", "std(y)")
    assert run("predict", path, noisy, "--std").out == out.read_text()
    other = tmp_path / "other.npz"
    run("train", noisy, "--target", "y", "--hidden", "5", "--max-iter", "1", "--save", other)
    assert run("predict", other, noisy).status == 0
    fails(run("predict", other, noisy, "--std"), "--std needs a model of train --bayesian, or")
    model, X = Model.load(path), Table(noisy).read(["x"])
    written = np.hstack([model.predict(X), model.deviation(X)])
    np.testing.assert_array_equal(table.read(), written)
    y = Table(noisy).read(["y"])
    inside = np.abs(y - written[:, :1]) < 1.645 * written[:, 1:]
    assert 0.8 < inside.mean() < 0.98  # 90 % of normal noise


def test_robust_is_cauchy_in_robust_units(run, noisy, tmp_path):
    lines = noisy.read_text().splitlines()
    lines[5], lines[50] = "0.0,-9999", "1.0,1e6"
    noisy.write_text("\n".join(lines) + "\n")
    models = []
    for options in (["--robust"], ["--loss", "cauchy"]):
        path = tmp_path / "m.npz"
        run("train", noisy, "--target", "y", "--hidden", "4", "--save", path, *options)
        models.append(Model.load(path))
    np.testing.assert_array_equal(models[0].w, models[1].w)
    x = np.linspace(-2.5, 2.5, 50)[:, np.newaxis]
    assert np.abs(models[0].predict(x) - 50.0 - 10.0 * np.sin(x)).max() < 1.5
    out = run("train", noisy, "--target", "y", "--robust", "--loss", "smooth_lp").out
    assert "smooth_lp, scale = " in out
    # the table is the outliers'; the line says so, and without --robust a hint
    out = said(run("train", noisy, "--target", "y", "--robust", "--hidden", "4").out)
    assert "outliers 2 of 120 rows are more than 5 noise deviations" in out
    assert "times its scaled median" not in out
    out = said(run("train", noisy, "--target", "y", "--hidden", "4").out)
    assert re.search(r"hint: y has values up to \S+ times its scaled median deviation", out)
    assert "if they are outliers, use --robust" in out


def test_patience_keeps_the_weights_of_the_least_validation_loss(run, noisy, tmp_path):
    path = tmp_path / "m.npz"
    options = ["--hidden", "15", "--patience", "4", "--validation", "0.3", "--save", path]
    result = run("train", noisy, "--target", "y", *options)
    assert "The validation loss has not fallen for 4 iterations." in said(result.out)
    found = re.search(r"run +(\d+) iterations?, .*; weights of iteration (\d+) kept", result.out)
    nit, kept = map(int, found.groups())
    assert nit == kept + 4
    # shorter runs from the same start have not come to less
    shown = float(re.search(r"^y +\S+ +\S+ +(\S+)", result.out, re.M)[1])
    for most in range(1, nit + 1):
        out = run("train", noisy, "--target", "y", *options, "--max-iter", most).out
        assert float(re.search(r"^y +\S+ +\S+ +(\S+)", out, re.M)[1]) >= 0.9999 * shown


# the picture


def test_plot_draws_each_part(run, noisy, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.svg"
    options = ["--hidden", "3", "--max-iter", "20", "--test", "0.2", "--plot", path]
    result = run("train", noisy, "--target", "y", "--restarts", "2", *options)
    assert result.status == 0
    text = path.read_text()
    assert text.startswith("<?xml")
    assert path.stat().st_size > 5000


def test_the_curves_are_the_errors_of_the_iterates(run, noisy, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(training.Curves, "save", lambda self, *args: seen.append((self, args)))
    path = tmp_path / "m.npz"
    options = ["--hidden", "3", "--max-iter", "9", "--save", path, "--plot", tmp_path / "a.png"]
    out = run("train", noisy, "--target", "y", *options).out
    ((curves, args),) = seen
    assert args[1:] == (0, "RMSE of y", None)
    (only,) = curves.runs
    assert {name: len(values) for name, values in only.items()} == {"train": 9, "validation": 9}
    shown = re.search(r"^y +(\S+) +\S+ +(\S+)", out, re.M)
    last = [only["train"][-1], only["validation"][-1]]
    np.testing.assert_allclose(last, [float(x) for x in shown.groups()], rtol=1e-4)


# badly used


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--restarts", "0"], "--restarts must be an integer of at least 1, got 0"),
        (["--restarts", "two"], "--restarts must be an integer of at least 1, got 'two'"),
        (["--split-seed", "-1"], "--split-seed must be"),
        (["--test", "1.5"], r"--test must be a number in \[0, 1\]"),
        (["--test", "0.5", "--validation", "0.5"], "validation part of 40 and a test part of 40"),
        (["--patience", "0"], "--patience must be"),
        (["--patience", "5", "--validation", "0"], "rows held out, but --validation is 0"),
        (["--patience", "5", "--bayesian"], "two ways not to overfit; choose one"),
        (["--bayesian", "--l2", "1e-3"], "--bayesian chooses the penalty, so --l2"),
        (["--bayesian", "--robust"], "--bayesian takes the noise to be normal.*not cauchy"),
        (["--robust", "--loss", "squared"], "--robust needs a loss with a scale"),
        (["--robust", "maybe"], "unrecognized arguments: maybe"),
        (["--plot", "curves.gif"], r"--plot must end in \.png, \.svg or \.pdf"),
        (["--plot", "none/curves.png"], "curves.png: No such file"),
        (["--class-weight", "balanced"], "--class-weight is for classification, but the targets"),
    ],
)
def test_bad_options(train, tmp_path, options, message):
    path = tmp_path / "m.npz"
    fails(train(*options, "--save", path), message)
    assert not path.exists()


def test_no_matplotlib_is_said_before_anything_is_trained(train, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    fails(train("--plot", tmp_path / "a.png"), r"--plot needs matplotlib: pip install ggn\[plot\]")


def test_without_a_step_the_weights_of_the_start_are_kept(run, tmp_path):
    """Constant targets are met by the start; there is no iteration of which weights could be."""
    path = tmp_path / "flat.csv"
    path.write_text("x,y\n" + "".join(f"{k},1\n" for k in range(6)))
    result = run("train", path, "--target", "y", "--hidden", "2", "--patience", "2", "--l2", "0")
    assert result.status == 0
    assert "run         0 iterations, " in result.out
    assert "; weights of iteration 0 kept" in result.out
