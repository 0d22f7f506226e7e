"""What the paper's experiments write: pieces, tables, reports, and the command that does."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import sys

import commands
import matplotlib as mpl
import numpy as np
import pytest
from commands import fails
from paper_sizes import TINY

import ggn
from ggn.paper import fig1a, report
from ggn.paper import reproduce as module
from ggn.paper.pieces import Pieces
from ggn.paper.rates import Rate, all_above
from ggn.paper.reproduce import EXPERIMENTS, reproduce
from ggn.paper.sections import Claim, Section, Table, csv_bytes

mpl.use("Agg")
run = pytest.fixture(commands.run)


@pytest.fixture
def small(monkeypatch):
    """Make --quick quicker."""
    for name, experiment in EXPERIMENTS.items():
        quick = dataclasses.replace(experiment, quick=TINY[name])
        monkeypatch.setitem(EXPERIMENTS, name, quick)


def read(path):
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# pieces


def counted(log, fail_at=None):
    def work(k):
        log.append(k)
        if len(log) == fail_at:
            raise KeyboardInterrupt
        return {"value": np.array([k, np.nan, -0.0]), "name": np.array(f"<{k}>")}

    return work


def test_pieces_are_kept_at_once_and_not_computed_again(tmp_path):
    log, calls = [], [(k,) for k in range(4)]
    pieces = Pieces(tmp_path / "p", {"seed": 1})
    with pytest.raises(KeyboardInterrupt):
        pieces.map("a", counted(log, fail_at=3), calls)
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == [
        "a-000.npz", "a-001.npz", "settings.json",
    ]  # fmt: skip
    results = Pieces(tmp_path / "p", {"seed": 1}).map("a", counted(log), calls)
    assert log == [0, 1, 2, 2, 3]
    fresh = Pieces().map("a", counted([]), calls)
    for kept, new in zip(results, fresh, strict=True):
        assert kept["value"].tobytes() == new["value"].tobytes()
        assert str(kept["name"]) == str(new["name"])
    (tmp_path / "p" / "a-001.npz").write_bytes(b"half a file")
    Pieces(tmp_path / "p", {"seed": 1}).map("a", counted(log), calls)
    assert log[5:] == [1]


def test_pieces_of_other_settings_are_refused(tmp_path):
    Pieces(tmp_path, {"seed": 1, "quick": True})
    with pytest.raises(ValueError, match="holds results of seed 1, not of seed 2; give another"):
        Pieces(tmp_path, {"seed": 2, "quick": True})
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(ValueError, match="holds results of seed None"):
        Pieces(tmp_path, {"seed": 2})


def test_progress_is_told(tmp_path):
    stream = io.StringIO()
    Pieces(stream=stream).map("a", counted([]), [(1,), (2,)])
    assert stream.getvalue().startswith("a: 2 pieces, ")


# tables


def test_tables_are_read_back_exactly():
    values = [0.1, 1e-300, -0.0, float("nan"), float("inf")]
    text = csv_bytes(Table({"name": list("abcd,"), "x": values})).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [repr(float(row["x"])) for row in rows] == [repr(x) for x in values]
    assert rows[4]["name"] == ","
    assert csv_bytes(Table.of(("a", "b"), [])) == b"a,b\n"


def test_rates_are_wilson_s():
    """The centre (k + z²/2)/(n + z²) and half width of Wilson (1927), z = 1.96."""
    z = 1.959963984540054
    for k, n in ((0, 10), (7, 10), (98, 100)):
        centre, scale = (k + z * z / 2) / (n + z * z), z / (n + z * z)
        half = scale * np.sqrt(k * (n - k) / n + z * z / 4)
        rate = Rate(k, n)
        np.testing.assert_allclose([rate.low, rate.high], [centre - half, centre + half], atol=1e-9)
    assert all_above([Rate(98, 100), Rate(97, 100)], [Rate(70, 100)]) is True


# the command


def test_the_same_seed_gives_the_same_tables_on_any_number_of_cores(tmp_path, small):
    one = reproduce("all", tmp_path / "one", seed=3, quick=True, jobs=1)
    reproduce("all", tmp_path / "two", seed=3, quick=True, jobs=2)
    files = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert files == [
        "baselines.csv", "baselines.png", "baselines_timing.csv",
        "fig1a.csv", "fig1a.png", "fig1a_paths.csv", "fig1b.csv", "fig1b.png", "fig1b_rates.csv",
        "fig1c.csv", "fig1c.png", "fig1c_bp.csv", "fig1c_timing.csv", "pieces", "report.md",
        "xor.csv", "xor.png", "xor_ranks.csv",
    ]  # fmt: skip
    for name in files:
        if name.endswith(".csv") and not name.endswith("_timing.csv"):
            two = (tmp_path / "two" / name).read_bytes()
            assert (tmp_path / "one" / name).read_bytes() == two, name
    text = one.read_text(encoding="utf-8")
    for name in EXPERIMENTS:
        assert f"]({name}.png)" in text
    assert text.count("| claim | the paper | measured here | holds |") == 5
    assert "Seed 3, quick" in text
    assert read(tmp_path / "one" / "fig1c_timing.csv")[0]["method"] == "bp"
    assert [int(row["run"]) for row in read(tmp_path / "one" / "fig1a.csv")] == list(range(6))


def test_the_command_goes_on_and_reports(run, small, tmp_path, monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    out = tmp_path / "new" / "out"
    command = ["reproduce", "fig1a", "--quick", "--out", out]
    result = run(*command)
    assert (result.status, result.out) == (0, f"{out / 'report.md'}\n")
    assert "fig1a: 6 pieces" in result.err
    tables = {p: p.read_bytes() for p in out.glob("*.csv")}
    assert "Fig. 1(b)" not in (out / "report.md").read_text(encoding="utf-8")
    (out / "pieces" / "fig1a-002.npz").unlink()
    result = run(*command)
    assert "fig1a: 6 pieces" in result.err
    assert {p: p.read_bytes() for p in out.glob("*.csv")} == tables
    # what is there stays in the report
    run("reproduce", "fig1b", "--quick", "--out", out)
    text = (out / "report.md").read_text(encoding="utf-8")
    assert text.index("Fig. 1(a)") < text.index("Fig. 1(b)")
    fails_after_all = run(*command, "--seed", "1")
    fails(fails_after_all, "holds results of seed 0, not of seed 1; give another folder")


def test_an_interrupt_says_how_to_go_on(run, small, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    monkeypatch.setattr(fig1a, "undamped_approach", interrupt)
    result = run("reproduce", "fig1a", "--quick", "--out", tmp_path / "out")
    assert (result.status, result.out) == (130, "")
    assert result.err == "ggn: interrupted; the same command goes on from here\n"


def test_bad_arguments_of_reproduce(run, tmp_path):
    out = ["--out", tmp_path / "out"]
    fails(
        run("reproduce", "fig1d", *out),
        "experiment must be one of all, baselines, fig1a, .* did you mean",
    )
    fails(run("reproduce", *out, "--seed", "-1"), "--seed must be an integer of at least 0")
    fails(run("reproduce"), "required: --out")
    file = tmp_path / "file"
    file.write_text("")
    fails(run("reproduce", "--out", file), "file: File exists")
    fails(run("reproduce", "--out", file / "below"), "below: Not a directory")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_one_line(run, small, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("reproduce", "fig1a", "--quick", "--out", tmp_path)
    fails(result, "settings.json: No space left on device")
    assert list((tmp_path / "pieces").iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_line(run, tmp_path):
    tmp_path.chmod(0o500)
    fails(run("reproduce", "fig1a", "--out", tmp_path), "report.md: Permission denied")


@pytest.mark.parametrize("missing", ["joblib", "matplotlib"])
def test_without_the_extra_one_line_says_what_to_install(run, tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    message = f"reproduce needs {missing}: pip install ggn\\[paper\\]"
    fails(run("reproduce", "--out", tmp_path), message)


def test_a_report_shows_what_is_open(tmp_path):
    claims = [Claim("|a|", "b", holds) for holds in (True, False, None)]
    with ggn.plot.figure() as (picture, _):
        report.write(tmp_path, tmp_path, "x", Section("T", "S", claims, ["N"]), picture)
    report.assemble(tmp_path, tmp_path, ["x", "y"], "settings", "command")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert r"| \|a\| | – | b | yes |" in text
    assert "**no**" in text
    assert r"| \|a\| | – | b | open |" in text
    assert text.endswith("![T](x.png)\n\nN\n")


def test_the_fingerprint_is_of_the_code(monkeypatch, tmp_path):
    assert module._code() == module._code()
    (tmp_path / "ggn" / "paper").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "ggn" / "paper" / "reproduce.py"))
    seen = set()
    for text in ("a", "b"):
        (tmp_path / "ggn" / "train.py").write_text(text)
        (tmp_path / "ggn" / "paper" / "report.py").write_text(text)
        seen.add(module._code())
    assert len(seen) == 2
    (tmp_path / "ggn" / "paper" / "report.py").write_text("c")
    assert module._code() in seen
