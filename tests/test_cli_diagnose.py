"""`ggn diagnose`, and the verdict at the end of `ggn train`."""

from __future__ import annotations

import re

import commands
import numpy as np
import pytest
from commands import fails

import ggn
from ggn.command.words import WORDS
from ggn.fit.scores import validation_split
from ggn.io import Model
from ggn.io.table import Table
from ggn.linearization import Objective
from ggn.surface import Evidence, EvidenceKind, Obstruction, ObstructionKind, Verdict
from ggn.surface.advice import suggestion

data = pytest.fixture(commands.data)
run = pytest.fixture(commands.run)
train = pytest.fixture(commands.train)


def verdict_of(out):
    return Verdict(re.search(r"^verdict +(.*)$", out, re.M)[1])


def by_hand(path, data, rows, **options):
    """The library's diagnosis of a saved model on rows of a file."""
    model = Model.load(path)
    X = (Table(data).read(model.input_names)[rows] - model.x_mean) / model.x_scale
    Y = (Table(data).read(model.target_names)[rows] - model.y_mean) / model.y_scale
    return ggn.diagnose(model.net, model.w, X, Y, **options)


def test_the_rows_and_units_of_the_training(run, train, data, tmp_path):
    """The defaults of both commands go together; the report is the library's."""
    path = tmp_path / "m.npz"
    options = ["--hidden", "2", "--init", "uniform", "--l2", "0"]
    trained = train("--save", path, *options, target="y,z")
    result = run("diagnose", path, data)
    assert result.status == 0
    assert result.err == ""
    expected = by_hand(path, data, validation_split(80, 0.2, 0)[0])
    assert expected.verdict in (Verdict.LOCAL_MINIMUM, Verdict.RUNAWAY, Verdict.INCONCLUSIVE)
    assert verdict_of(result.out) is verdict_of(trained.out) is expected.verdict
    assert "data        data.csv: 64 of 80 rows" in result.out
    assert "loss squared, no" in result.out
    assert "note" not in result.out
    assert f"J = {expected.loss:.6g} over 64 samples" in result.out
    first = str(expected.evidence[0]).split(". ")[0][:40]
    assert first in re.sub(r"\s+", " ", result.out)
    assert len(result.out.splitlines()) <= 30
    assert max(map(len, result.out.splitlines())) <= 88


def test_options_are_those_of_the_training(run, train, data, tmp_path):
    path = tmp_path / "m.npz"
    options = ["--validation", "0.5", "--seed", "3", "--l2", "0.01", "--loss", "cauchy",
               "--loss-scale", "20", "--hidden", "1"]  # fmt: skip
    trained = train("--save", path, *options)
    drawn = options[:4]
    result = run("diagnose", path, data, *options[:-2])
    rows = validation_split(80, 0.5, 3)[0]
    y = Table(data).read(["y"])[rows]
    scale = 20.0 / (1.4826022185056018 * np.median(np.abs(y - np.median(y))))
    l2 = np.array([0.01, 0.01, 0.01, 0.0, 0.01, 0.0])  # not on biases
    expected = by_hand(path, data, rows, loss=ggn.losses.Cauchy(scale), l2=l2)
    assert verdict_of(result.out) is verdict_of(trained.out) is expected.verdict
    assert expected.verdict is Verdict.LOCAL_MINIMUM
    assert f"J = {expected.loss:.6g} over 40 samples" in result.out
    words = re.sub(r"\s+", " ", result.out)
    assert "(--validation 0.5, --seed 3); loss cauchy, scale = 20, l2 = 0.01;" in words
    # loss and penalty are in the model, and one of them may be given again
    for again in ([], ["--loss-scale", "20"], ["--l2", "0.01"]):
        other = run("diagnose", path, data, *drawn, *again)
        assert f"J = {expected.loss:.6g} over 40 samples" in other.out
        assert verdict_of(other.out) is expected.verdict
        words = re.sub(r"\s+", " ", other.out)
        assert "loss cauchy, scale = 20, l2 = 0.01" in words
        assert ("as the model was trained" in words) == (not again)
    # with other options it is another objective, of which these weights are no minimum
    other = run("diagnose", path, data, *drawn, "--loss", "squared", "--l2", "0")
    assert verdict_of(other.out) is Verdict.NOT_STATIONARY
    assert "note" not in other.out


def test_other_rows_are_noted(run, train, data, tmp_path):
    path = tmp_path / "m.npz"
    train("--save", path, "--max-iter", "5")
    for options in (["--seed", "1"], ["--validation", "0"]):
        out = run("diagnose", path, data, *options).out
        assert "the model's units are not those of these rows" in out
    # a model in the data's own units may have been trained on any of them
    net = ggn.MLP((3, 1))
    ggn.Model(net, np.ones(4), ["a", "b", "one"], ["y"]).save(path)
    assert "note" not in run("diagnose", path, data).out


def test_a_classifier_of_pythons_is_judged_by_its_own_loss(run, tmp_path):
    """Logit 0 for labels 0 and 1: log 2 each."""
    path, table = tmp_path / "m.npz", tmp_path / "t.csv"
    table.write_text("x,y\n1,0\n2,1\n3,1\n4,0\n")
    net = ggn.MLP((1, 1))
    ggn.Model(net, [0.0, 0.0], ["x"], ["y"], loss="logistic").save(path)
    out = run("diagnose", path, table, "--validation", "0").out
    assert "loss logistic, no penalty;" in re.sub(r"\s+", " ", out)
    assert f"J = {np.log(2.0):.6g} over 4 samples" in out


PYTHON = r"w0|rng|l2=|bias=|escape|descent|max_iter|(?<!-)\btol\b|\bw\b"


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("activation", ["tanh", "softplus", "relu"])
@pytest.mark.parametrize("kind", [None, *ObstructionKind])
def test_advice_is_in_the_words_of_the_command_line(verdict, activation, kind):
    """Nothing of Python is left in what a verdict suggests."""
    net, X, Y = ggn.MLP((2, 3, 1), activation), np.eye(2), [0.0, 1.0]
    found = [] if kind is None else [Obstruction(kind, True, 0.0, False, np.empty(0, int), "")]
    if verdict is Verdict.INFEASIBLE and not found:
        return  # never said without one
    for large in (False, True):
        advice = suggestion(verdict, net, Objective(net, X, Y), found, large)
        words = advice.worded(WORDS)
        assert not re.search(PYTHON, words), words
        named = any(key in WORDS for key in (*advice.advice, advice.remedy))
        assert (words != str(advice)) == named


class AnyNumber(dict):
    """Fields of any evidence."""

    def __missing__(self, name):
        return 1.0


@pytest.mark.parametrize("kind", EvidenceKind)
def test_evidence_is_in_the_words_of_the_command_line(kind):
    """Of J, w and the Hessian it may speak: they are the report's own."""
    words = WORDS.get(kind, kind.value).format_map(AnyNumber())
    assert not re.search(PYTHON.removesuffix(r"|\bw\b"), words), words


def test_a_descent_is_told_without_the_attribute():
    found = Evidence(EvidenceKind.DESCENT, {"fall": 1.0, "t": 2.0, "promised": 0.0})
    assert found.worded(WORDS).startswith("J falls along its eigenvector, by 1 at t = 2, where")
    assert str(found).startswith("J falls along its eigenvector (.descent), by 1 at t = 2, where")


def test_no_memory_for_the_hessian_is_said(run, train, data, tmp_path):
    path = tmp_path / "m.npz"
    train("--save", path, "--l2", "1e-3")
    assert "Lanczos" not in run("diagnose", path, data, "--l2", "1e-3").out
    out = run("diagnose", path, data, "--l2", "1e-3", "--max-memory", "1e-3").out
    assert verdict_of(out) is Verdict.INCONCLUSIVE
    assert "Lanczos" in out


def test_large_networks_have_no_verdict_in_passing(train):
    assert "\nverdict " in train("--max-iter", "2").out
    assert "\nverdict " not in train("--max-iter", "2", "--hidden", "201").out  # 1006 weights


def test_faults(run, train, data, tmp_path):
    path = tmp_path / "m.npz"
    train("--save", path, "--max-iter", "2")
    fails(run("diagnose"), "required: MODEL.npz, FILE.csv")
    fails(run("diagnose", path, data, "--validation", "2"), "--validation must be")
    fails(run("diagnose", path, data, "--seed", "x"), "--seed must be an integer")
    fails(run("diagnose", path, data, "--l2", "-1"), "--l2 must be")
    fails(run("diagnose", path, data, "--loss", "square"), "did you mean 'squared'")
    fails(run("diagnose", path, data, "--loss-scale", "1"), "squared has no scale")
    fails(run("diagnose", path, data, "--p", "1"), "--p is for smooth_lp")
    fails(run("diagnose", path, data, "--max-memory", "0"), "--max-memory must be")
    fails(run("diagnose", data, data), "data.csv is not a ggn model")
    fails(run("diagnose", path, tmp_path / "none.csv"), "none.csv: No such file")
    other = tmp_path / "other.csv"
    other.write_text("a,b,one\n1,2,3\n")
    fails(run("diagnose", path, other), "'y', which the model needs")
