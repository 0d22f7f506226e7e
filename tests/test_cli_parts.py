"""`ggn train` on a table in parts: what it is of one table, without holding the rows in memory."""

import re

import numpy as np
import pytest
from commands import words

import ggn
from ggn.command import streamed, streamed_data
from ggn.command.cli import main
from ggn.io.parts import Parts
from ggn.io.spool import Spool

RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 2))
Y = 50.0 + 9.0 * np.sin(X.sum(axis=1)) + 0.3 * RNG.standard_t(3, size=300)
KIND = np.where(X[:, 0] + 0.5 * RNG.normal(size=300) > 0.6, "far", np.where(X[:, 1] > 0, "up", "a"))
NAMES = "a", "b", "same", "y", "kind"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The table in one file, in three files with decimal commas, and in two of Parquet."""
    monkeypatch.chdir(tmp_path)
    rows = [[repr(a), repr(b), "7.1", repr(y), k] for (a, b), y, k in
            zip(X.tolist(), Y.tolist(), KIND, strict=True)]  # fmt: skip
    lines = [",".join(row) for row in rows]
    (tmp_path / "all.csv").write_text("\n".join([",".join(NAMES), *lines]))
    for i in range(3):
        part = [";".join(row).replace(".", ",") for row in rows[100 * i : 100 * (i + 1)]]
        (tmp_path / f"part-{i}.csv").write_text("\n".join([";".join(NAMES), *part]))
    return tmp_path


def parquet(folder):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    for i in range(2):
        at = slice(150 * i, 150 * (i + 1))
        columns = *X[at].T, np.full(150, 7.1), Y[at], KIND[at]
        table = pa.table(dict(zip(NAMES, columns, strict=True)))
        pyarrow.parquet.write_table(table, folder / f"part-{i}.parquet")


def train(capsys, file, line):
    """Return what is told, and the model."""
    more = ["--decimal", ","] if file == "part-*.csv" else []
    assert main(["train", file, *line.split(), *more, "--save", "m.npz"]) == 0
    return capsys.readouterr().out, ggn.Model.load("m.npz")


LINES = {
    "numbers": "--target y --exclude kind --hidden 4 --l2 1e-3 --test 0.1",
    "patience": "--target y --exclude kind --hidden 4 --patience 3 --validation 0.3 --seed 2",
    "two targets": "--target y,a --inputs b,same --hidden 3 --l2 1e-2",
    "classes": "--target kind --exclude y --hidden 2 --class-weight balanced",
    "labels": "--target kind --inputs a,b --hidden 2 --task classification --l2 1e-2 --test 0.2",
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", LINES)
def test_parts_are_one_table(written, capsys, name, kind):
    if kind == "parquet":
        parquet(written)
    line = LINES[name] + " --max-iter 8"
    whole, one = train(capsys, "all.csv", line)
    told, model = train(capsys, f"part-*.{kind}", line)
    assert whole.split("\n\n")[1] == told.split("\n\n")[1]  # the errors, to all digits printed
    classes = [text for text in (whole, told) if "classes" in text]
    assert len({text[text.index("classes") :].split("network")[0] for text in classes}) <= 1
    run = [re.search(r"run +(\d+ iterations).* s(.*)", text).groups() for text in (whole, told)]
    assert run[0] == run[1]  # with the iteration that is kept
    assert (model.input_names, model.target_names) == (one.input_names, one.target_names)
    assert model.classes is None or model.classes.labels == one.classes.labels
    for unit in ("x_mean", "x_scale", "y_mean", "y_scale"):
        np.testing.assert_allclose(getattr(model, unit), getattr(one, unit), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(model.w, one.w, rtol=1e-6, atol=1e-8)


def test_a_robust_loss_has_the_scale_and_units_of_one_table(written, capsys):
    line = "--target y --inputs a,b --hidden 4 --robust --loss-scale 0.9 --max-iter 5 --restarts 2"
    one, model = (train(capsys, file, line)[1] for file in ("all.csv", "part-*.csv"))
    for unit in ("x_mean", "x_scale", "y_mean", "y_scale"):
        np.testing.assert_allclose(getattr(model, unit), getattr(one, unit), rtol=1e-12)
    assert model.loss.scale == pytest.approx(0.9 / one.y_scale[0], rel=1e-12)


def test_rows_with_missing_cells(written, capsys):
    parquet(written)
    (written / "part-3.csv").write_text("y;a;b\n1;2;\n3;4;5,5\n")
    line = "--target y --inputs a,b --hidden 2 --max-iter 1"
    assert main(["train", "part-*.csv", *line.split(), "--decimal", ","]) == 2
    said = "part-3.csv, line 2, column 'b': the cell is empty; --missing drop leaves such rows out"
    assert said in capsys.readouterr().err
    told, _ = train(capsys, "part-*.csv", line + " --missing drop")
    assert "4 files, 301 rows" in words(told)
    assert "1 row with a missing cell left out" in words(told)
    import pyarrow as pa
    import pyarrow.parquet

    gaps = pa.table({"a": [1, 2, None], "b": [1.0, np.nan, 3.0], "y": [1.0, 2.0, 3.0]})
    pyarrow.parquet.write_table(gaps, "part-2.parquet")
    assert main(["train", "part-*.parquet", *line.split()]) == 2
    said = "part-2.parquet, row 1, column 'b': the cell is missing; --missing drop"
    assert said in capsys.readouterr().err
    told, _ = train(capsys, "part-*.parquet", line + " --missing drop")
    assert "301 rows" in words(told)
    assert "2 rows with a missing cell left out" in words(told)


REFUSED = {
    "--target y --bayesian": "--bayesian needs the rows in one memory, so it cannot be used with a",
    "--target y --plot p.png": "--plot draws the errors of all rows",
    "--target y --warm-start m.npz": "--warm-start goes on in the units of one table",
    "--target y --lags 1,1": "--lags needs rows that follow one another",
    "--target y --states 2": "--states needs rows that follow one another",
    "--target y --robust": "a robust loss needs --loss-scale with a FILE in parts",
    "--target y": "column 'kind': 'up' is not a number",
    "--target y --inputs a,kind": "leave the column out with --inputs or --exclude",
    "--target kind --task regression": "--task classification takes the cells for labels",
    "--target kind,y": "--target must be one column for classification, got kind, y",
    "--target z": "part-0.csv has no column 'z', which --target names; it has a, b",
    "--target y --inputs a --class-weight balanced": "--class-weight is for classification",
    "--target y --task classification --inputs a": "at most 100 classes",
    "--target y --inputs a --save part-1.csv": "--save would overwrite part-1.csv, which is read",
    "--target y --inputs a --validation 0.6 --test 0.5": "leaves none to train on",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_done_is_one_sentence(written, capsys, line):
    assert main(["train", "part-*.csv", "--decimal", ",", *line.split()]) == 2
    said = capsys.readouterr().err
    assert REFUSED[line] in said
    assert said.count("\n") == 1


def test_files_that_are_not_there_or_no_parquet(written, capsys):
    (written / "bad.parquet").write_text("a,y\n1,2\n")
    for file, said in (
        ("none-*.csv", "none-*.csv: No such file, or none that fits the pattern"),
        ("none.parquet", "none.parquet: No such file"),
        ("bad.parquet", "bad.parquet is not a Parquet file"),
    ):
        assert main(["train", file, "--target", "y"]) == 2
        assert said in capsys.readouterr().err


def test_a_later_part_may_not_be_of_another_kind(written, capsys):
    (written / "part-3.csv").write_text("a;b;kind\n1;2;up\n3;4;5\n")
    line = ["train", "part-*.csv", "--target", "kind", "--inputs", "a,b", "--decimal", ","]
    assert main(line) == 2
    assert "column 'kind': 'up' is not a number" in capsys.readouterr().err
    (written / "part-3.csv").write_text("a;b\n1;2\n")
    assert main([*line, "--task", "classification"]) == 2
    assert "part-3.csv has no column 'kind'" in capsys.readouterr().err


def test_of_very_many_rows_each_is_drawn_by_itself(written, capsys, monkeypatch):
    monkeypatch.setattr(streamed_data, "PERMUTED", 64)
    line = "--target y --inputs a,b --hidden 2 --max-iter 1 --validation 0.25 --test 0.25"
    told, _ = train(capsys, "part-*.csv", line)
    assert told.split("\n\n")[1] == train(capsys, "part-*.csv", line)[0].split("\n\n")[1]
    sizes = [int(words(told).split(f" for {part}")[0].split()[-1])
             for part in ("training", "validation", "testing")]  # fmt: skip
    assert sum(sizes) == 300
    assert all(abs(n - mean) < 5 * np.sqrt(mean) for n, mean in
               zip(sizes, (150, 75, 75), strict=True))  # fmt: skip
    line = line.replace("0.25", "0.5")
    assert main(["train", "part-*.csv", *line.split(), "--decimal", ","]) == 2
    assert "--validation and --test leave no rows to train on" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing_behind(written, capsys, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    scratch = written / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr(streamed, "fit_of_sums", interrupted)
    line = "train part-*.csv --target y --inputs a --decimal , --save m.npz"
    assert main(line.split()) == 130
    assert "nothing was saved" in capsys.readouterr().err
    assert not list(scratch.iterdir())
    assert not (written / "m.npz").exists()


def test_blocks_of_parts_and_of_a_spool_are_the_rows(written):
    parts = Parts("part-*.csv", decimal=",")
    values = np.concatenate([block.values for block in parts.blocks(["b", "y"])])
    np.testing.assert_array_equal(values, np.column_stack([X[:, 1], Y]))
    with Spool(2) as spool:
        spool.append(values[:170])
        spool.append(values[170:])
        for rows in (1, 7, 300, 1000):
            found = list(spool.blocks(rows))
            assert [start for start, _ in found] == list(range(0, 300, rows))
            np.testing.assert_array_equal(np.concatenate([one for _, one in found]), values)
        spool.clear()
        assert list(spool.blocks()) == []


@pytest.mark.parametrize("line", ["numbers", "classes"])
def test_predictions_and_diagnosis_of_parts_are_those_of_one_table(capsys, written, line):
    parquet(written)
    _, whole = train(capsys, "all.csv", LINES[line])
    _, model = train(capsys, "part-*.csv", LINES[line])
    np.testing.assert_array_equal(model.training.part, whole.training.part)
    assert model.training.status == whole.training.status
    told = {}
    for file in ("all.csv", "part-*.csv", "part-*.parquet"):
        more = ["--decimal", ","] if file == "part-*.csv" else []
        ids = ["--id", "kind"] if line == "numbers" else []
        assert main(["predict", "m.npz", file, *ids, *more]) == 0
        written_out, scores = capsys.readouterr()
        assert main(["diagnose", "m.npz", file, *more]) == 0
        out = words(capsys.readouterr().out)
        assert "trained on these rows, as the model tells" in out
        assert f"{len(model.training.rows('train'))} of 300 rows" in out
        told[file] = written_out, scores.splitlines()[-1], out[out.index("verdict") :]
    assert told["part-*.csv"] == told["part-*.parquet"] == told["all.csv"]


def test_parts_are_refused_where_rows_follow_one_another(capsys, written):
    assert main(["train", "all.csv", "--target", "y", "--inputs", "a", "--lags", "2,2", "--hidden",
                 "2", "--max-iter", "2", "--save", "s.npz"]) == 0  # fmt: skip
    capsys.readouterr()
    assert main(["predict", "s.npz", "part-*.csv", "--decimal", ","]) == 2
    assert "rows of series follow one another in one file" in words(capsys.readouterr().err)
    train(capsys, "all.csv", LINES["numbers"])
    assert main(["predict", "m.npz", "none-*.csv"]) == 2
    assert "none that fits the pattern" in words(capsys.readouterr().err)
    assert main(["predict", "m.npz", "part-*.csv", "--decimal", ",", "-o", "part-1.csv"]) == 2
    assert "would overwrite part-1.csv" in words(capsys.readouterr().err)
