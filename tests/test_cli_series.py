"""`ggn train --lags`: series in tables."""

import csv

import commands
import numpy as np
import pytest
from test_narx import system

import ggn

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
