"""The command line on tables of other kinds: its options, and text that could act."""

import csv
import io

import commands
import numpy as np
import pytest
from commands import fails

from ggn.command import report
from ggn.io import Model

run = pytest.fixture(commands.run)

QUICK = ["--target", "y", "--hidden", "3", "--max-iter", "5", "--validation", "0.25"]


def numbers(n=40):
    x = np.linspace(-1.0, 1.0, n)
    return x, x**2


def decimal_comma(value):
    return repr(float(value)).replace(".", ",")


@pytest.fixture
def plain(tmp_path):
    """Return the usual table."""
    path = tmp_path / "plain.csv"
    rows = [f"{x!r},{y!r}" for x, y in zip(*(a.tolist() for a in numbers()), strict=True)]
    path.write_text("\n".join(["x,y", *rows]))
    return path


@pytest.fixture
def european(tmp_path):
    """Return the same as a German spreadsheet writes it, with names of rows and two gaps."""
    path = tmp_path / "european.csv"
    rows = [
        f"Nr. {i};{decimal_comma(x)};{decimal_comma(y)}"
        for i, (x, y) in enumerate(zip(*numbers(), strict=True), 1)
    ]
    rows[10:10] = ["Lücke;;1,5", "Lücke 2;-;2"]
    path.write_text("\n".join(["# Messung", "Name;x;y", *rows]), encoding="cp1252")
    return path


OPTIONS = ["--decimal", ",", "--encoding", "cp1252", "--missing", "drop"]


def test_a_table_in_another_notation_is_the_same_table(run, plain, european, tmp_path):
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    run("train", plain, *QUICK, "--save", one)
    result = run("train", european, *QUICK, "--inputs", "x", "--save", two, *OPTIONS)
    assert result.status == 0
    said = " ".join(result.out.split())
    assert (
        "data european.csv: 40 rows, 30 for training, 10 for validation; separated by "
        "semicolons; 1 comment line skipped; cp1252; decimal comma; 2 rows with a missing cell "
        "left out columns 1 input, 1 target: x -> y"
    ) in said
    np.testing.assert_array_equal(Model.load(one).w, Model.load(two).w)
    said = " ".join(run("diagnose", two, european, "--validation", "0.25", *OPTIONS).out.split())
    assert "data european.csv: 30 of 40 rows; separated by semicolons" in said
    assert "the model's units are not those" not in said


def test_what_a_table_needs_is_named(run, european):
    train = ["train", european, *QUICK, "--inputs", "x"]
    fails(run(*train), "--encoding says what it is written in")
    fails(run(*train, *OPTIONS[2:4]), "'1,0' is not a number; --decimal , reads it as 1.0")
    fails(run(*train, *OPTIONS[:4]), "line 13, column 'x': the cell is empty; --missing drop")
    fails(run("train", european, *QUICK, *OPTIONS), "column 'Name': .*; leave the column out with")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--delimiter", "comme"], "error: --delimiter must be one of .*did you mean 'comma'"),
        (["--decimal", "x"], "error: --decimal must be a point or a comma, got 'x'"),
        (["--thousands", "."], "error: --thousands must be a comma"),
        (["--encoding", "utf-9"], "error: --encoding must be the name of one"),
        (["--missing", "skip"], "error: --missing must be refuse or drop, got 'skip'"),
        (["--header", "0"], "error: --header must be an integer of at least 1, got 0"),
        (["--header", "one"], "error: --header must be an integer of at least 1, got 'one'"),
        (["--header", "50"], "has no header in line 50, as --header says"),
    ],
)
def test_bad_options(run, plain, options, message):
    fails(run("train", plain, *QUICK, *options), message)


def test_an_identifier_is_carried_into_the_predictions(run, plain, european, tmp_path):
    model, out = tmp_path / "m.npz", tmp_path / "out.csv"
    run("train", plain, *QUICK, "--save", model)
    predict = ["predict", model, european, "-o", out, *OPTIONS]
    result = run(*predict, "--id", "Name")
    assert result.status == 0
    assert "2 rows with a missing cell left out\n" in result.err
    assert "y: RMSE" in result.err
    with out.open(newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["Name", "y"]
    assert [row[0] for row in rows] == [f"Nr. {i}" for i in range(1, 41)]
    x = numbers()[0][:, np.newaxis]
    expected = Model.load(model).predict(x)
    np.testing.assert_array_equal([[float(row[1])] for row in rows], expected)
    result = run(*predict)
    assert "left out; --id COL tells which rows have predictions" in result.err
    fails(run(*predict, "--id", "name"), "no column 'name', which --id names")
    fails(run(*predict, "--id", "y"), "'y' is in --id and a target of the model")


def test_a_missing_target_takes_no_prediction_away(run, plain, tmp_path):
    model, table = tmp_path / "m.npz", tmp_path / "t.csv"
    run("train", plain, *QUICK, "--save", model)
    table.write_text("x,y\n0.1,\n0.2,0.04\n0.3,\n")
    result = run("predict", model, table, "--missing", "drop")
    assert len(result.out.splitlines()) == 4
    assert result.err.startswith("y: RMSE")
    assert result.err.endswith(", 1 row\n")


def test_a_name_that_a_spreadsheet_would_run(run, tmp_path):
    name = "=cmd|' /C calc'!A0"
    table, model, out = tmp_path / "t.csv", tmp_path / "m.npz", tmp_path / "out.csv"
    x, y = numbers()
    for written in (name, f"'{name}"):  # as somebody, and as this command writes it
        rows = [f"@{i},{a},{b}" for i, (a, b) in enumerate(zip(x, y, strict=True))]
        table.write_text("\n".join([f"+id,x,{written}", *rows]))
        options = ["--inputs", "x", "--hidden", "2", "--max-iter", "3", "--save", model]
        assert run("train", table, "--target", name, *options).status == 0
        assert Model.load(model).target_names == (name,)
        result = run("predict", model, table, "--id", "+id", "-o", out)
        assert f"\n{name}: RMSE" in result.err
        header, first, *_ = csv.reader(io.StringIO(out.read_text()))
        assert header == ["'+id", f"'{name}"]
        assert first[0] == "'@0"


def test_a_name_that_acts_on_a_terminal(run, tmp_path):
    table = tmp_path / "t.csv"
    x, y = numbers()
    rows = [f"{a},1,{b}" for a, b in zip(x, y, strict=True)]
    table.write_text("\n".join(["x,\x1b[2J\u202e,y\x07", *rows]))
    results = [
        run("train", table, "--target", "y\x07", "--hidden", "2", "--max-iter", "3"),
        run("train", table, "--target", "y\x1b"),
        run("train", table, "--target", "x", "--inputs", "y\x07,\x1b[2J\u202e,\x1b[3J"),
    ]
    for result in results:
        assert all(line.isprintable() for line in (result.out + result.err).split("\n"))
    assert results[0].status == 0
    assert r"\x1b[2J\u202e" in results[0].out


def test_what_is_shown_has_no_control_character():
    assert report.fields([("a", "b\x1b[1m")]) == "a           b\\x1b[1m"
    assert report.shorten("a\x07b", 9) == r"a\x07b"
