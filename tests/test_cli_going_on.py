"""What a model's file knows of its training: for `ggn diagnose`, and `train --warm-start`."""

from __future__ import annotations

import re
import warnings

import commands
import numpy as np
import pytest
from commands import fails, words

import ggn
from ggn.fit.scores import split
from ggn.io import Model
from ggn.io.table import Table
from ggn.io.training import Training
from ggn.io.written import csv_text
from ggn.sklearn import GGNClassifier, GGNRegressor

run = pytest.fixture(commands.run)


@pytest.fixture
def table(tmp_path):
    return commands.noisy_table(tmp_path, ["low", "mid", "high"], [0.5, 2.0])


def numbers(path):
    values = Table(path).read(["x1", "x2", "y1"])
    return values[:, :2], values[:, 2]


def trained(run, table, path, *options, target="y1"):
    inputs = ["--target", target, "--inputs", "x1,x2", "--hidden", "4", "--save", path]
    result = run("train", table, *inputs, *options)
    assert result.status == 0
    return words(result.out)


DRAW = ["--test", "0.1", "--validation", "0.3", "--seed", "3", "--split-seed", "8"]
WAYS = {
    "penalty": ["--l2", "1e-3"],
    "evidence": [],
    "bayesian": ["--bayesian"],
    "robust": ["--robust"],
    "smooth_lp": ["--loss", "smooth_lp", "--p", "1.5", "--l2", "1e-3"],
    "classes": ["--class-weight", "balanced"],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_minimum_of_a_part_is_diagnosed_as_one_and_gone_on_from(run, table, tmp_path, way):
    """The rows drawn are those of the split itself; loss, units and classes stay as they were."""
    path, again = tmp_path / "m.npz", tmp_path / "again.npz"
    target = "kind" if way == "classes" else "y1"
    said = trained(run, table, path, *DRAW, *WAYS[way], target=target)
    verdict = "verdict local minimum, not known to be global"
    assert verdict in said
    out = words(run("diagnose", path, table).out)
    assert "t.csv: 90 of 150 rows" in out
    assert "trained on these rows, as the model tells;" in out
    assert verdict in out
    assert "note" not in out
    parts = split(150, 0.3, 0.1, np.random.default_rng(8))
    model = Model.load(path)
    for name, rows in zip(("train", "validation", "test"), parts, strict=True):
        np.testing.assert_array_equal(model.training.rows(name), rows)

    result = run("train", table, "--warm-start", path, "--save", again)
    assert (result.status, result.err) == (0, "")
    out = words(result.out)
    assert "90 for training, 45 for validation, 15 for testing; as the model had them" in out
    assert "gone on from m.npz" in out
    assert verdict in out
    other = Model.load(again)
    assert other.net == model.net
    assert (other.input_names, other.target_names) == (model.input_names, model.target_names)
    assert (other.posterior is None) == (model.posterior is None)
    if way not in ("bayesian", "evidence"):  # whose penalty settles to 1 %
        assert repr(other.loss) == repr(model.loss)
        np.testing.assert_array_equal(other.l2, model.l2)
    X = numbers(table)[0]
    np.testing.assert_allclose(other.predict(X), model.predict(X), rtol=1e-3, atol=1e-3)
    if way == "classes":
        assert other.classes.header() == model.classes.header()
    # what a second command says of noise is what the first did
    noise = re.compile(r"(?:noise|noise deviations \()(\S+) each|noise (\S+);")
    found = [[float(v) for v in re.findall(r"[\d.]+", m[0])][-1]
             for m in map(noise.search, (said, out)) if m]  # fmt: skip
    assert len(found) == (2 if way in ("bayesian", "robust", "smooth_lp") else 0)
    assert not found or found[0] == pytest.approx(found[1], rel=0.05)


def test_going_on_ends_where_a_longer_run_would_have(run, table, tmp_path):
    path, whole = tmp_path / "m.npz", tmp_path / "whole.npz"
    trained(run, table, whole, "--l2", "1e-3")
    trained(run, table, path, "--l2", "1e-3", "--max-iter", "15")
    assert "stopped The iteration limit --max-iter was reached." in words(
        run("diagnose", path, table).out
    )
    before = Model.load(path).w
    for _ in range(2):  # into the file that is read
        out = run("train", table, "--warm-start", path, "--max-iter", "40", "--save", path).out
    assert "No step reduces the loss" in words(out)
    assert np.abs(Model.load(path).w - before).max() > 1e-3
    np.testing.assert_allclose(Model.load(path).w, Model.load(whole).w, atol=1e-6)
    # no rows, other than those held out all along, and no other rows
    np.testing.assert_array_equal(Model.load(path).training.part, Model.load(whole).training.part)


def test_what_an_option_says_counts(run, table, tmp_path):
    path = tmp_path / "m.npz"
    trained(run, table, path, "--l2", "1e-3", *DRAW)

    def on(*options):
        return words(run("train", table, "--warm-start", path, "--max-iter", "2", *options).out)

    assert "squared, l2 = 0.01;" in on("--l2", "0.01")
    assert "chosen by the evidence (--bayesian)" in on("--bayesian")
    assert "cauchy, scale = " in on("--robust")
    assert "120 for training, 30 for validation columns" in on("--split-seed", "1")
    assert "weights of iteration" in on("--patience", "1")
    assert "2 inputs, 1 target: x1, x2 -> y1" in on("--inputs", "x2,x1", "--target", "y1")


def test_patience_takes_the_place_of_the_evidence(run, table, tmp_path):
    for way in ([], ["--bayesian"]):
        path = tmp_path / "m.npz"
        trained(run, table, path, *way, "--max-iter", "20")
        out = words(run("train", table, "--warm-start", path, "--patience", "1").out)
        assert "as the model was trained; " in out
        assert "weights of iteration" in out


def test_another_number_of_rows_is_said(run, table, tmp_path):
    path, fewer = tmp_path / "m.npz", tmp_path / "fewer.csv"
    trained(run, table, path, *DRAW)
    fewer.write_text("".join(table.read_text().splitlines(keepends=True)[:101]))
    out = words(run("diagnose", path, fewer).out)
    assert "fewer.csv: 100 of 100 rows" in out
    assert (
        "trained on all rows, for which were held out is not known: the model was trained " in out
    )
    assert "on a file of 150 rows; loss" in out
    units = Model.load(path).x_mean
    result = run("train", fewer, "--warm-start", path, "--save", path)
    assert "80 for training, 20 for validation; drawn anew, for the model had 150 rows" in words(
        result.out
    )
    np.testing.assert_array_equal(Model.load(path).x_mean, units)  # or weights would mean others
    assert Model.load(path).training.T == 100


def test_a_column_that_these_rows_do_not_vary_keeps_its_weights(run, table, tmp_path):
    """At another value than the model's mean: it counts as what it is, and stays known."""
    path, flat = tmp_path / "m.npz", tmp_path / "flat.csv"
    trained(run, table, path, "--l2", "1e-5")
    X, y = numbers(table)
    y = np.sin(2.0 * X[:, 0]) + 1.5**2
    X[:, 1] = 1.5
    flat.write_text("".join(csv_text(["x1", "x2", "y1"], np.column_stack([X, y]))))
    out = words(run("train", flat, "--warm-start", path, "--save", path, "--max-iter", "5").out)
    assert "constant in training" not in out
    assert "verdict" in out
    error = Model.load(path).predict(X)[:, 0] - y
    assert np.sqrt(np.mean(error**2)) < 0.1
    assert np.ptp(Model.load(path).predict([[0.5, -1.0], [0.5, 1.5]])) > 0.5


def test_refusals(run, table, tmp_path):
    path, other = tmp_path / "m.npz", tmp_path / "o.csv"
    trained(run, table, path, "--max-iter", "2")

    def refused(message, *options, file=table):
        fails(run("train", file, "--warm-start", path, *options), message)

    refused("--hidden is for new weights, but --warm-start goes on", "--hidden", "4")
    refused("--activation is for new weights", "--activation", "tanh")
    refused("--init is for new weights", "--init", "normal")
    refused("--restarts is for new weights", "--restarts", "2")
    refused("--inputs is x1, but .* has x1, x2", "--inputs", "x1")
    refused("--target is kind, but .* has y1", "--target", "kind")
    refused("--exclude names x2, which .* has as an input", "--exclude", "x2")
    refused("--task is classification, but .* numbers", "--task", "classification")
    other.write_text("x1,x3,y1\n1,2,3\n2,3,4\n")
    refused("'x2', which the model needs; it has x1, x3, y1", file=other)
    trained(run, table, path, "--validation", "0", "--max-iter", "2")
    refused("--patience stops by rows held out, but the model held out none", "--patience", "2")
    trained(run, table, path, "--max-iter", "2", target="kind")
    other.write_text("x1,x2,kind\n1,2,low\n2,3,huge\n3,4,mid\n")
    refused("'huge' in column 'kind' is not a class of the model", file=other)


def test_models_of_estimators_know_their_rows(run, table, tmp_path):
    X, y = numbers(table)
    path = tmp_path / "m.npz"
    options = {"alpha": 1e-4, "random_state": 0}
    for early in (False, True):
        estimator = GGNRegressor(5, tol=1e-9, early_stopping=early, **options).fit(X, y)
        estimator.model_.save(path)
        out = words(run("diagnose", path, table).out)
        found = estimator.diagnosis_
        assert f"J = {found.loss:.6g} over {135 if early else 150} samples" in out
        assert found.verdict.value in out
        assert ("meant to stop here (--patience)" in out) == (estimator.result_.status.name ==
                                                              "VALIDATION")  # fmt: skip
        assert "note" not in out
    weighted = GGNRegressor(5, **options).fit(X, y, sample_weight=np.arange(150.0))
    assert weighted.model_.training is None  # a file has no weights of samples
    labels = np.array(["no", "yes"])[(y > 1.0).astype(int)]
    estimator = GGNClassifier(3, early_stopping=True, random_state=0).fit(X, labels)
    assert len(estimator.model_.training.rows("validation")) == 15

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of max_iter
        mixture = GGNRegressor(4, n_estimators=2, max_iter=20, random_state=0).fit(X, y)
    mixture.model_.save(path)
    out = words(run("diagnose", path, table).out)
    assert "note the model is the mean of 2 networks, at which no training ended" in out
    assert "verdict not stationary" in out
    assert "none goes on from it" in out
    assert "--warm-start" not in out
    fails(run("train", table, "--warm-start", path), "is the mean of 2 networks, from which no")


def test_a_model_of_python_says_nothing_of_rows(run, table, tmp_path):
    """Then it is all of them, which is said; its loss and penalty are kept."""
    X, y = numbers(table)
    net, path = ggn.MLP((2, 3, 1)), tmp_path / "m.npz"
    fit = ggn.train(net, X, y, l2=1e-3)
    ggn.Model(net, fit.w, loss=fit.loss, l2=fit.l2).save(path)
    out = words(run("diagnose", path, table).out)
    assert "trained on all rows, for the model does not say on which (--validation, --test" in out
    assert f"J = {fit.fun:.6g} over 150 samples" in out
    assert "verdict local minimum" in out
    out = words(run("train", table, "--warm-start", path, "--validation", "0").out)
    assert f"l2 = 0.001, as the model was trained; {fit.fun:.6g} in standard" in out


@pytest.mark.parametrize("T", [1, 7, 8, 9, 1000])
def test_two_bits_for_a_row(T):
    part = np.random.default_rng(T).integers(0, 3, T)
    part[0] = 0
    kept = Training(part, 2, "GRADIENT")
    assert kept.packed().nbytes == 2 * -(-T // 8)
    again = Training.from_packed(kept.packed(), kept.header())
    np.testing.assert_array_equal(again.part, part)
    assert (again.T, again.members, again.status) == (T, 2, "GRADIENT")
    with pytest.raises(ValueError, match="does not say of which part"):
        Training.from_packed(kept.packed(), {**kept.header(), "rows": T + 8})


@pytest.mark.parametrize("part", [[], [1, 2], [0, 3], [[0]]])
def test_some_rows_were_trained_on(part):
    with pytest.raises(ValueError, match=r"^part must be 0, 1 or 2 for each row"):
        Training(part)
