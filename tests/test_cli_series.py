"""`ggn train --lags`: series in tables."""

import csv

import commands
import numpy as np
import pytest
from test_narx import system

import ggn
from ggn.recurrent import Simulator

run = pytest.fixture(commands.run)


@pytest.fixture
def table(tmp_path):
    """A series with a column of time, and a gap in a copy."""
    u, y = system(300)
    path = tmp_path / "series.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["t", "u", "y"])
        writer.writerows(zip(range(300), u, y, strict=True))
    return path


def test_a_series_is_trained_in_free_run_and_kept(run, table, tmp_path):
    model = tmp_path / "m.npz"
    done = run("train", table, "--target", "y", "--exclude", "t", "--lags", "2,1", "--free-run",
               "--hidden", "4", "--max-iter", "60", "--save", model)  # fmt: skip
    assert done.status == 0, done.err
    assert "300 samples, the last 60 held out" in done.out
    assert "y(k-1), y(k-2), u(k), u(k-1)" in done.out
    assert "come together" in done.out
    scores = [line.split() for line in done.out.splitlines() if line.startswith("y ")]
    assert [s[1] for s in scores] == ["train", "validation"]
    assert all(float(s[3]) < 0.01 for s in scores)
    kept = ggn.Model.load(model)
    assert list(kept.input_names) == ["y(k-1)", "y(k-2)", "u(k)", "u(k-1)"]
    u, y = system(300)
    one = kept.predict([[y[9], y[8], u[10], u[9]]])
    assert one[0, 0] == pytest.approx(y[10], abs=0.01)


def test_a_state_space_model_is_trained_and_kept(run, table, tmp_path):
    model = tmp_path / "s.npz"
    words = ["train", table, "--target", "y", "--exclude", "t", "--states", "2", "--max-iter", "15"]
    words += ["--l2", "0"]
    done = run(*words, "--hidden", "3", "--save", model)
    assert done.status == 0, done.err
    assert "300 samples, the last 60 held out" in done.out
    assert "2 states, f of 3-3-2; 32 weights" in done.out
    assert "come together" in done.out
    scores = [line.split() for line in done.out.splitlines() if line.startswith("y ")]
    assert [s[1] for s in scores] == ["train", "validation"]
    kept = Simulator.load(model)
    assert (kept.input_names, kept.target_names) == (("u",), ("y",))
    u, y = system(300)
    error = kept.predict(u[240:], y[240:], horizon=None)[:, 0] - y[240:]
    assert float(scores[1][3]) == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
    # of the samples trained on, the run that was minimised, from the state that was fitted
    same = ggn.statespace(u[:240], y[:240], 2, f=3, max_iter=15)
    assert float(scores[0][3]) == pytest.approx(np.sqrt(same.fun), rel=1e-4)
    text = tmp_path / "s.c"
    assert run("export", model, "-o", text).status == 0
    assert "void ggn_model_simulate(" in text.read_text()
    assert ".c for a state-space model" in run("export", model, "-o", tmp_path / "s.onnx").err
    # a linear one; a gap is left out
    lines = table.read_text().splitlines()
    lines[51] = f"50,{u[50]},"
    table.write_text("\n".join(lines))
    done = run(*words[:-2], "--hidden", "0", "--missing", "drop", "--bayesian")
    assert done.status == 0, done.err
    assert "2 states, linear" in done.out


def test_penalty_and_scale_may_be_the_datas(run, table):
    words = ["train", table, "--target", "y", "--exclude", "t", "--lags", "2,1", "--hidden", "2",
             "--max-iter", "10"]  # fmt: skip
    for more in (["--bayesian"], ["--robust"]):
        done = run(*words, *more)
        assert done.status == 0, done.err


def test_a_missing_cell_is_a_gap_and_no_bridge(run, table):
    lines = table.read_text().splitlines()
    lines[51] = "50,,1.0"
    table.write_text("\n".join(lines))
    words = ["train", table, "--target", "y", "--exclude", "t", "--lags", "2,1", "--hidden", "2",
             "--max-iter", "5"]  # fmt: skip
    refused = run(*words)
    assert refused.status != 0
    assert "missing" in refused.err
    done = run(*words, "--missing", "drop")
    assert done.status == 0, done.err
    assert "300 samples" in done.out  # the row is there, and is a gap


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lags", "5"], "--lags must be two numbers"),
        (["--lags", "400,1"], "the targets must have more samples than the largest lag, 400"),
        (["--free-run"], "--free-run is for series"),
        (["--lags", "2,1", "--test", "0.1"], "--test is not for series"),
        (["--states", "0"], "n_states must be an integer of at least 1"),
        (["--states", "2", "--lags", "2,1"], "--states and --lags make different models"),
        (["--states", "2", "--test", "0.1"], "--test is not for series, which --states makes"),
        (["--states", "2", "--activation", "silu"], "--activation is not for --states"),
        (["--states", "2", "--inputs", "w"], "has no column 'w'"),
        (["--lags", "2,1", "--robust", "--loss", "squared"], "--robust needs a loss with a scale"),
        (["--lags", "2,1", "--inputs", "w"], "has no column 'w'"),
        (["--lags", "2,1", "--inputs", "y"], "is both in --inputs and in --target"),
    ],
)
def test_what_cannot_be_is_told(run, table, options, said):
    done = run("train", table, "--target", "y", *options)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_column_that_does_not_vary_is_named(run, table):
    text = table.read_text().replace("t,u,y", "t,u,y,one").splitlines()
    table.write_text("\n".join([text[0], *(f"{line},3" for line in text[1:])]))
    done = run("train", table, "--target", "y", "--exclude", "t", "--lags", "2,1")
    assert "the column 'one' does not vary: 3 throughout" in done.err


def test_a_series_without_inputs(run, tmp_path):
    path, y = tmp_path / "one.csv", [0.3]
    for _ in range(120):
        y.append(0.9 * np.sin(2.0 * y[-1]) + 0.01 * np.cos(len(y)))
    path.write_text("\n".join(["y", *map(repr, map(float, y))]))
    done = run("train", path, "--target", "y", "--lags", "3,0", "--hidden", "3", "--max-iter", "20")
    assert done.status == 0, done.err
    assert "no inputs -> y" in done.out


def noisy(path, T=300):
    """A series whose noise ten units and ten lags follow."""
    u, y = system(T)
    y = y + 0.05 * np.random.default_rng(0).normal(size=T)
    rows = "".join(f"{a},{b}\n" for a, b in zip(u, y, strict=True))
    path.write_text("u,y\n" + rows)
    return path


def error_held_out(out):
    return float(next(line for line in out.splitlines() if " validation " in line).split()[3])


@pytest.mark.parametrize("model", [["--lags", "5,5", "--free-run"], ["--states", "3"]])
def test_the_evidence_chooses_the_penalty_of_series(run, tmp_path, model):
    """And where none is asked for, and the run on samples held out is far worse, it is said."""
    words = ["train", noisy(tmp_path / "n.csv"), "--target", "y", "--max-iter", "200", *model]
    done, bare = run(*words), run(*words, "--l2", "0")
    assert "squared, l2 = " in done.out
    assert "chosen by the evidence of the training rows" in " ".join(done.out.split())
    assert "evidence" not in bare.out
    assert error_held_out(done.out) < 0.9 * error_held_out(bare.out)
    assert "hint: validation RMSE is" in bare.out
    robust = run(*words, "--robust", "--max-iter", "20")
    assert "from the residuals, l2 = 0.0001" in " ".join(robust.out.split())


def test_models_of_series_are_told_from_those_of_tables(run, table, tmp_path):
    for model in (["--lags", "2,1"], ["--states", "1"]):
        path = tmp_path / "m.npz"
        words = ["train", table, "--target", "y", "--exclude", "t", *model, "--max-iter", "3"]
        assert run(*words, "--save", path).status == 0
        for asked in (["diagnose", path, table], ["train", table, "--warm-start", path]):
            done = run(*asked)
            assert done.status == 2
            assert f"{path} is a model of series, and" in done.err


def test_missing_inputs_of_series(run, tmp_path):
    path = tmp_path / "gap.csv"
    path.write_text("u,y\n" + "".join(f"{'' if k == 30 else k % 7},{k % 5}\n" for k in range(80)))
    words = ["train", path, "--target", "y", "--max-iter", "3"]
    assert "the cell is empty; --missing drop makes it a gap" in run(*words, "--lags", "1,1").err
    assert run(*words, "--lags", "1,1", "--missing", "drop").status == 0
    assert "inputs are needed in every row" in run(*words, "--states", "1").err
    dropped = run(*words, "--states", "1", "--missing", "drop")
    assert "row 31, column 'u': the cell is missing" in dropped.err
    assert "needs its inputs in every row" in dropped.err


@pytest.mark.parametrize("model", [["--lags", "1,1"], ["--states", "1"], []])
def test_a_name_with_a_line_end_needs_no_quotes(run, tmp_path, model):
    path = tmp_path / "n.csv"
    path.write_text('u,"y\nz"\n' + "".join(f"{k % 7},{k % 5}\n" for k in range(60)))
    done = run("train", path, "--target", "y\nz", "--max-iter", "2", *model)
    assert done.status == 0, done.err


@pytest.mark.parametrize("model", [["--lags", "2,1"], ["--states", "2"]])
def test_scale_and_exponent_of_a_loss_are_those_given(run, tmp_path, model):
    """They were ignored, though one was printed."""
    words = ["train", noisy(tmp_path / "n.csv"), "--target", "y", "--max-iter", "30", *model]
    found = {
        more: run(*words, "--loss", "smooth_lp", *more)
        for more in ((), ("--loss-scale", "0.01"), ("--p", "0.5"))
    }
    errors = [error_held_out(done.out) for done in found.values()]
    assert len(set(errors)) == 3
    assert "from the residuals" in found[()].out  # as for tables, also without --robust
    assert "scale = 0.01" in found["--loss-scale", "0.01"].out
    assert "p = 0.5" in found["--p", "0.5"].out
