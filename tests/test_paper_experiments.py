"""The paper's experiments at small sizes: numbers against oracles, files against promises."""

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
import threadpoolctl
from commands import fails

import ggn
from ggn import problems
from ggn.paper import fig1a, fig1b, fig1c, report, xor, xor_shown
from ggn.paper import reproduce as module
from ggn.paper.pieces import Pieces
from ggn.paper.pseudo_inverse import PseudoInverse
from ggn.paper.rates import Rate, all_above
from ggn.paper.reproduce import EXPERIMENTS, reproduce
from ggn.paper.sections import Claim, Section, Table, csv_bytes

mpl.use("Agg")
run = pytest.fixture(commands.run)

SMALL = {
    "xor": {"starts": 30, "followed": 6},
    "fig1a": {"runs": 6},
    "fig1b": {"runs": 12},
    "fig1c": {"runs": 2, "iterations": 40},
}


@pytest.fixture(scope="module")
def data():
    return {name: EXPERIMENTS[name].run(None, 1, **SMALL[name]) for name in EXPERIMENTS}


@pytest.fixture
def small(monkeypatch):
    """Make --quick quicker."""
    for name, experiment in EXPERIMENTS.items():
        quick = dataclasses.replace(experiment, quick=SMALL[name])
        monkeypatch.setitem(EXPERIMENTS, name, quick)


def read(path):
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


# Fig. 1(a)


def test_fig1a_converges_quadratically(data):
    found = data["fig1a"]
    assert len(found.ways) == 6
    assert len(found.converged) >= 5
    assert all(found.ways[k].losses[-1] < 1e-20 for k in found.converged)
    pooled = fig1a.experiment(seed=2, runs=20)
    assert np.median(pooled.orders) >= 1.9
    assert len(pooled.orders) == len(pooled.constants) >= 15
    (claim,) = fig1a.section(pooled).claims
    assert claim.holds
    assert f"{len(pooled.converged)} of 20 runs" in claim.measured


def test_fig1a_draws_the_distances(data):
    found = data["fig1a"]
    left, right = fig1a.draw(found).axes
    first = found.ways[found.converged[0]]
    assert np.array_equal(left.lines[0].get_ydata(), first.distances[:-1])
    assert len(left.lines) == min(6, len(found.converged))
    d, following = right.lines[0].get_data()
    assert len(d) >= len(found.converged)
    assert (following < d).all()
    assert (left.get_yscale(), right.get_xscale(), right.get_yscale()) == ("log",) * 3


def test_fig1a_without_any_convergence():
    nothing = fig1a.Fig1a([ggn.fit.convergence.Approach(np.ones(2), np.array([2.0, 0.0]), 1e-13)])
    assert fig1a.section(nothing).claims[0].holds is False
    fig1a.draw(nothing)


# Fig. 1(b)


def test_fig1b_counts_exact_fits(data):
    found = data["fig1b"]
    assert [len(found.of(name, "run")) for name in fig1b.ACTIVATIONS] == [12] * 5
    for name in fig1b.ACTIVATIONS:
        assert found.rate(name) == Rate(int((found.of(name, "loss") < 1e-20).sum()), 12)
        assert np.array_equal(found.of(name, "run"), np.arange(12))
        assert (found.of(name, "least_rank") <= found.of(name, "rank")).all()
        assert np.array_equal(found.of(name, "verdict") == "", found.exact(name))
    assert min(found.rate(name).k for name in fig1b.BETTER) >= 10
    # 1/2 < sigma' < 3/2 for the bent identity; others go to 0 somewhere
    assert (found.of("bent_identity", "least_slope") >= 0.5).all()
    assert (found.of("sigmoid", "least_slope") < 1e-3).all()


def test_fig1b_ends_are_what_the_weights_say():
    """One run again, by hand: rank by NumPy, slopes by their formula."""
    row = fig1b._run(1, "sigmoid", 4)
    rng = np.random.default_rng([1, 4])
    X, Y = problems.four_regions(20, rng)
    net = ggn.MLP((2, 20, 1), "sigmoid")
    path = [net.initial_weights(rng)]
    fit = ggn.train(
        net, X, Y, w0=path[0], damping="undamped", max_iter=200, tol=0.0, loss_target=1e-26,
        callback=path.append,
    )  # fmt: skip
    assert row["loss"] == fit.fun
    assert row["iterations"] == fit.nit
    assert row["rank"] == np.linalg.matrix_rank(net.jacobian(fit.w, X))
    assert row["least_rank"] == min(np.linalg.matrix_rank(net.jacobian(w, X)) for w in path)
    assert row["largest"] == np.abs(fit.w).max()

    def slopes(w):
        z = np.hstack([X, np.ones((20, 1))]) @ net.unpack(w)[0]
        phi = 1.0 / (1.0 + np.exp(-np.abs(z)))
        return phi * np.exp(-np.abs(z)) / (1.0 + np.exp(-np.abs(z)))

    least = min(slopes(w).min() for w in path)
    assert row["least_slope"] == pytest.approx(least, rel=1e-6, abs=1e-300)
    flat = slopes(fit.w) < 2.0**-26 * 0.25
    assert (row["flat"], row["flat_units"]) == (flat.sum(), flat.all(axis=0).sum())


def made_up(losses, ranks):
    """Return data of Fig. 1(b) with these losses of each activation, by run."""
    names = np.repeat(fig1b.ACTIVATIONS, len(losses[0]))
    loss, rank = np.concatenate(losses), np.concatenate(ranks)
    columns = {key: np.zeros(len(names)) for key in ("flat", "flat_units", "largest")}
    columns |= {
        "activation": names,
        "run": np.tile(np.arange(len(losses[0])), 5),
        "iterations": np.full(len(names), 9),
        "loss": loss,
        "verdict": np.where(loss < 1e-20, "", "RUNAWAY"),
        "rank": rank,
        "least_rank": rank,
        "least_slope": np.full(len(names), 1e-5),
    }
    return fig1b.Fig1b(len(losses[0]), columns)


@pytest.mark.parametrize(
    ("worse", "holds"), [(40, True), (95, None), (100, False)], ids=["apart", "close", "reversed"]
)
def test_fig1b_ranks_the_activations_if_it_can(worse, holds):
    losses = [np.where(np.arange(100) < n, 1e-25, 0.3) for n in [worse] * 2 + [98] * 3]
    ranks = [np.where(J < 1e-20, 20, 13) for J in losses]
    section = fig1b.section(made_up(losses, ranks))
    assert section.claims[0].holds is holds
    assert "softsign 98 of 100" in section.claims[0].measured
    assert section.claims[1].holds
    assert csv_bytes(section.tables["fig1b_rates.csv"]).count(b"\n") == 6


def test_fig1b_draws_every_run(data):
    found = data["fig1b"]
    boxes, slopes, ranks = fig1b.draw(found).axes
    assert [text.get_text() for text in boxes.texts] == [
        f"{found.rate(name).k}/12" for name in fig1b.ACTIVATIONS
    ]
    for ax in (slopes, ranks):
        assert sum(len(line.get_xdata()) for line in ax.lines) == 60
    shown = {label.get_text() for label in boxes.get_xticklabels()}
    assert shown == {"sigmoid", "tanh", "softsign", "softplus", "bent\nidentity"}


# Fig. 1(c)


def test_pseudo_inverse_is_numpy_s():
    """On three samples G has rank 12 at most, and 172 eigenvalues to leave out."""
    net = ggn.MLP((2, 10, 10, 4), "sigmoid")
    X, Y = problems.four_regions(3, rng=0, one_hot=True)
    at = ggn.linearize(net, net.initial_weights(0), X, Y)
    prepared = PseudoInverse().prepare(at, None)
    G = at.normal_matrix()
    d = np.linalg.pinv(G, rcond=1e-13, hermitian=True) @ at.gradient
    np.testing.assert_allclose(prepared.solve(0.0), d, atol=1e-8 * np.abs(d).max())
    assert prepared.accelerate(d) is None


def loss(net, w, X, Y):
    return np.square(net.forward(w, X) - Y).sum(axis=1).mean()


def test_fig1c_takes_the_steps_it_says(data):
    found = data["fig1c"]
    assert [len(J) for J in found.losses[0].values()] == [round(21.4 * 40) + 1, 41, 41]
    rng = np.random.default_rng([1, 0])
    X, Y = problems.four_regions(1000, rng, one_hot=True)
    net = ggn.MLP((2, 10, 10, 4), "sigmoid")
    w = net.initial_weights(rng)
    starts = {losses[0] for losses in found.losses[0].values()}
    assert all(start == pytest.approx(loss(net, w, X, Y)) for start in starts)
    at = ggn.linearize(net, w, X, Y)
    assert found.losses[0]["bp"][1] == pytest.approx(loss(net, w - 0.01 * at.gradient, X, Y))
    with threadpoolctl.threadpool_limits(1):  # as the workers have: the same bits
        again = fig1c._race(1, 0, 40)
    for method in fig1c.METHODS:
        assert np.array_equal(again[f"{method}_losses"], found.losses[0][method])
    assert (np.diff(found.losses[0]["lm"]) <= 0.0).all()


def race(bp, ggn_losses, tail=((), ())):
    """Return Fig. 1(c) with one run: BP takes 1 s an iteration, GGN 4 s."""
    losses = {"bp": np.array(bp), "ggn": np.array(ggn_losses), "lm": np.array(ggn_losses)}
    seconds = {
        "bp": np.arange(len(bp)) * 1.0,
        "ggn": np.arange(len(ggn_losses)) * 4.0,
        "lm": np.arange(len(ggn_losses)) * 2.0,
    }
    return fig1c.Fig1c(len(ggn_losses) - 1, [losses], [seconds], [tuple(map(np.array, tail))])


def test_fig1c_compares_at_the_same_time():
    short = race([9, 8, 7, 6, 5, 4, 3, 2, 1.5, 1, 0.5], [9, 20, 0.1])
    assert short.bp_meanwhile(0) == 1.5
    long = race([9, 8, 7], [9, 20, 0.1], ([6.0, 5.0, 4.0], [4.0, 7.0, 9.0]))
    assert long.bp_meanwhile(0) == 5.0
    assert long.per_iteration("ggn") / long.per_iteration("bp") == 4.0
    rises, ahead, ratio = fig1c.section(long).claims
    assert (rises.holds, ahead.holds, ratio.holds) == (True, True, False)
    assert "4.0 times here" in ratio.measured
    assert not fig1c.section(race([9, 8, 7], [9, 8, 0.1])).claims[0].holds
    timing = fig1c.section(long).timings["fig1c_timing.csv"]
    assert timing.columns["method"] == ("bp", "ggn", "lm", "bp, going on")


# XOR


def test_xor_ends_are_sorted_by_their_value(data):
    found = data["xor"]
    assert [xor._end(J) for J in (1e-21, 1e-19, 0.125, 0.1251, 1 / 6, 0.25, 0.2)] == [
        "0", "other", "1/8", "1/8", "1/6", "1/4", "other",
    ]  # fmt: skip
    for case in xor.CASES:
        assert sum(found.rate(case, end).k for end in xor.ENDS) == 30
        assert np.array_equal(found.of(case, "start"), np.arange(30))
    assert found.rate(xor.Case(3, "tanh", "LM")).k > found.rate(xor.Case(2, "tanh", "undamped")).k


def test_xor_ranks_are_those_of_the_blocks(data):
    found = data["xor"]
    X, _ = problems.xor()
    for case in (xor.Case(2, "sigmoid", "undamped"), xor.Case(3, "tanh", "LM")):
        net = ggn.MLP((2, case.hidden, 1), case.activation)
        (start, *_) = found.paths(case, list(xor.ENDS))
        P = net.jacobian(net.initial_weights(np.random.default_rng([1, 0])), X)
        blocks = (P[: 3 * case.hidden], P[3 * case.hidden :], P[3 * case.hidden : -1], P)
        assert start[0].tolist() == [np.linalg.matrix_rank(block) for block in blocks]
        assert len(found.paths(case, list(xor.ENDS))) == 6
        assert len(start) == found.of(case, "iterations")[0] + 1


def test_xor_says_when_the_premise_is_lost(data):
    found = data["xor"]
    claim = xor_shown.section(found).claims[0]
    lost, followed, broken = xor_shown._premise(found)
    ranks = found.ranks
    runs = {
        tuple(row)
        for row, phi, n in zip(
            zip(*(ranks[k].tolist() for k in xor_shown.RUN), strict=True),
            ranks["phi1"],
            ranks["hidden"],
            strict=True,
        )
        if phi < n
    }
    assert (lost, followed) == (len(runs), 8 * 6)
    assert lost > 0
    assert broken == 0
    assert claim.holds is False
    assert f"of 48 starts followed, {lost} lose it" in claim.measured


@pytest.mark.parametrize(
    ("undamped", "damped", "holds"),
    [
        (["INCONCLUSIVE"], ["RUNAWAY"] * 3, True),
        ([], ["RUNAWAY"] * 39 + ["SADDLE"], True),
        (["RUNAWAY"], ["RUNAWAY", "SADDLE"], None),
        ([], [], None),
        ([], ["RUNAWAY"] * 39 + ["LOCAL_MINIMUM"], False),
        (["GLOBAL_MINIMUM"], ["RUNAWAY"], False),
    ],
)
def test_xor_ends_run_away_or_not(undamped, damped, holds):
    assert xor_shown._runaway({"undamped": undamped, "LM": damped}) is holds


def test_xor_without_every_end_is_drawn_all_the_same(data):
    picture = xor_shown.draw(dataclasses.replace(data["xor"], ends={}))
    assert any("not all three ends" in t.get_text() for ax in picture.axes for t in ax.texts)
    bars = xor_shown.draw(data["xor"]).axes[0]
    heights = np.array([[bar.get_height() for bar in bars] for bars in bars.containers])
    np.testing.assert_allclose(heights.sum(axis=0), 100.0)


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
        "fig1a.csv", "fig1a.png", "fig1a_paths.csv", "fig1b.csv", "fig1b.png", "fig1b_rates.csv",
        "fig1c.csv", "fig1c.png", "fig1c_timing.csv", "pieces", "report.md", "xor.csv", "xor.png",
        "xor_ranks.csv",
    ]  # fmt: skip
    for name in files:
        if name.endswith(".csv") and not name.endswith("_timing.csv"):
            two = (tmp_path / "two" / name).read_bytes()
            assert (tmp_path / "one" / name).read_bytes() == two, name
    text = one.read_text(encoding="utf-8")
    for name in EXPERIMENTS:
        assert f"]({name}.png)" in text
    assert text.count("| claim | measured | holds |") == 4
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
    fails(run("reproduce", "fig1d", *out), "experiment must be one of all, fig1a, .* did you mean")
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
    assert r"| \|a\| | b | yes |" in text
    assert "**no**" in text
    assert r"| \|a\| | b | open |" in text
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
