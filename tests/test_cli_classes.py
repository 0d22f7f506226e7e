"""Classes from the command line: text in, text out, probabilities beside it."""

from __future__ import annotations

import re

import commands
import numpy as np
import pytest
from commands import fails

import ggn
from ggn.command.labels import read_classes
from ggn.io import Model
from ggn.io.table import Table

run = pytest.fixture(commands.run)

LABELS = ["low", "mid", "größe, hoch"]


def points(n=150):
    rng = np.random.default_rng(3)
    X = rng.uniform(-2.0, 2.0, (n, 2))
    far = X[:, 0] ** 2 + X[:, 1] + 0.3 * rng.standard_normal(n)
    return X, np.digitize(far, [0.5, 2.0])


def table(path, cells, X=None):
    X = points()[0] if X is None else X
    pairs = zip(np.asarray(X).tolist(), cells, strict=True)
    rows = "".join(f'{a!r},{b!r},"{c}"\n' for (a, b), c in pairs)
    path.write_text("a,b,kind\n" + rows, encoding="utf-8")
    return path


@pytest.fixture
def three(tmp_path):
    return table(tmp_path / "three.csv", [LABELS[k] for k in points()[1]])


@pytest.fixture
def two(tmp_path):
    return table(tmp_path / "two.csv", points()[1].clip(max=1))


def said(out):
    return re.sub(r"\s+", " ", out)


OPTIONS = ["--target", "kind", "--hidden", "4", "--max-iter", "200"]


def test_words_are_classes_and_come_back_as_words(run, three, tmp_path):
    path, out = tmp_path / "m.npz", tmp_path / "p.csv"
    result = run("train", three, *OPTIONS, "--test", "0.2", "--save", path)
    assert result.status == 0
    _, numbers = points()
    # sorted as text
    listed = ", ".join(f"{LABELS[k]} ({(numbers == k).sum()})" for k in (2, 0, 1))
    assert f"classes {listed}" in said(result.out)
    assert "softmax_cross_entropy, l2 = 0.001, the default for classes" in said(result.out)
    predicted = run("predict", path, three, "-o", out)
    assert predicted.status == 0
    written = Table(out)
    assert written.names == ("kind", "p(größe, hoch)", "p(low)", "p(mid)")
    p, (cells,), _ = written.rows(written.names[1:], ["kind"])
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    labels = [LABELS[k] for k in (2, 0, 1)]
    assert cells == [labels[k] for k in p.argmax(axis=1)]
    truth = np.array([LABELS[k] for k in numbers])
    right = np.mean(np.array(cells) == truth)
    assert right > 0.8  # of three classes, of which noise mixes neighbours
    loss = -np.mean(np.log([row[labels.index(t)] for row, t in zip(p, truth, strict=True)]))
    assert predicted.err == f"kind: accuracy {right:.6f}, log-loss {loss:.6g}, 150 rows\n"


def test_the_report_agrees_with_the_model(run, three, tmp_path):
    path = tmp_path / "m.npz"
    out = run("train", three, *OPTIONS, "--test", "0.2", "--validation", "0.1", "--save", path).out
    rows = dict(zip(("train", "validation", "test"),
                    ggn.fit.scores.split(150, 0.1, 0.2, 0), strict=True))  # fmt: skip
    model, (X, numbers) = Model.load(path), points()
    truth = np.array([LABELS[k] for k in numbers])
    labels, p = np.array(model.classes.labels), model.predict_proba(X)
    own = p[np.arange(150), [int(np.argmax(labels == t)) for t in truth]]
    told = labels[p.argmax(axis=1)]
    fitted, counts = np.unique(truth[rows["train"]], return_counts=True)
    for part, where in rows.items():
        shown = re.search(rf"^{part} +(\d+) +(\S+) +(\S+) +(\S+)$", out, re.M).groups()
        expected = [
            len(where), np.mean(told[where] == truth[where]), -np.log(own[where]).mean(),
            np.mean(truth[where] == fitted[counts.argmax()]),
        ]  # fmt: skip
        np.testing.assert_allclose([float(x) for x in shown], expected, rtol=2e-4, atol=5e-5)


def test_the_fit_is_that_of_the_library(run, two, tmp_path):
    """Logistic loss on standardised inputs, the penalty not on biases, what classes count."""
    path = tmp_path / "m.npz"
    more = ["--task", "classification", "--class-weight", "1=3,0=0.5", "--validation", "0"]
    out = run("train", two, *OPTIONS, *more, "--save", path).out
    model, (X, numbers) = Model.load(path), points()
    zeros, ones = np.bincount(numbers.clip(max=1))
    assert f"classes 0 ({zeros}, weight 0.5), 1 ({ones}, weight 3)" in said(out)
    y = numbers.clip(max=1).astype(float)
    at = model.linearize(X, y, sample_weight=np.where(y > 0.0, 3.0, 0.5))
    assert isinstance(at.objective.loss, ggn.losses.Logistic)
    assert np.abs(at.gradient).max() < 1e-6
    F, w = model.predict(X)[:, 0], model.net.unpack(model.w)
    E = np.where(y > 0.0, np.log1p(np.exp(-F)), np.log1p(np.exp(F)))
    penalty = 1e-3 * sum(np.square(W[:-1]).sum() for W in w)
    J = np.average(E, weights=np.where(y > 0.0, 3.0, 0.5)) + penalty
    assert f"; {J:.6g} with the penalty" in said(out)
    assert "with the penalty" not in run("train", two, *OPTIONS, *more, "--l2", "0").out
    assert "as the model was trained" in said(run("diagnose", path, two, "--validation", "0").out)
    assert f"J = {J:.6g} over 150 samples" in run("diagnose", path, two, "--validation", "0").out


def test_balanced_classes_count_the_same(run, two, tmp_path):
    path = tmp_path / "m.npz"
    more = ["--task", "classification", "--class-weight", "balanced", "--validation", "0"]
    run("train", two, *OPTIONS, *more, "--save", path)
    zeros, ones = Model.load(path).classes.weights
    n = np.bincount(points()[1].clip(max=1))
    assert zeros * n[0] == pytest.approx(ones * n[1]) == pytest.approx(75.0)


def test_numbers_are_labels_where_asked_for(run, tmp_path):
    """1 and 1.0 are one class; the order is that of numbers, not of text."""
    numbers = points()[1]
    spelt = [["10", "9", "1"], ["10.0", "9", "1.0"]]
    cells = [spelt[i % 2][k] for i, k in enumerate(numbers)]
    path = table(tmp_path / "t.csv", cells)
    out = run("train", path, *OPTIONS, "--task", "classification", "--save", tmp_path / "m.npz").out
    assert re.search(r"classes 1(\.0)? \(\d+\), 9 \(\d+\), 10(\.0)? \(\d+\)", said(out))
    # without it they are numbers
    out = run("train", path, *OPTIONS, "--max-iter", "3").out
    assert "classes" not in out


def test_zeros_and_ones_are_numbers_with_a_hint(run, two):
    result = run("train", two, *OPTIONS, "--max-iter", "5")
    assert "RMSE" in result.out
    assert "hint: kind is 0 or 1 in all rows: --task classification fits" in said(result.out)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["3,14", "2,7"], "'3,14' is not a number; --decimal , reads it"),
        (["5 kg", "6 kg"], "'5 kg' is not a number; --task classification takes the cells"),
        (["a", "1"], "'a' is not a number; .*; --task classification takes the cells for labels"),
        (["2026-01-01", "2026-01-02"], "a date or a time"),
        (["a", ""], "line 3, column 'kind': the cell is empty; --missing drop leaves"),
        (["a", "a"], "two or more classes, but the column 'kind' has only 'a'"),
    ],
)
def test_what_is_no_column_of_words_is_refused_with_the_option(run, tmp_path, cells, message):
    save = tmp_path / "m.npz"
    path = table(tmp_path / "t.csv", cells * 75)
    fails(run("train", path, *OPTIONS, "--save", save), message)
    assert not save.exists()


def test_rows_without_a_label_can_be_dropped(run, tmp_path):
    cells = [LABELS[k] if i % 10 else "" for i, k in enumerate(points()[1])]
    path = table(tmp_path / "t.csv", cells)
    result = run("train", path, *OPTIONS, "--missing", "drop", "--max-iter", "5")
    assert "135 rows, 108 for training" in said(result.out)
    assert "15 rows with a missing cell left out" in said(result.out)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "sorting"], "--task must be one of auto, regression, classification"),
        (["--task", "regression"], "'(low|mid|größe, hoch)' is not a number; "),
        (["--task", "regression", "--class-weight", "balanced"], "but --task is regression"),
        (["--class-weight", "even"], "--class-weight must be balanced or LABEL=WEIGHT"),
        (["--class-weight", "low=-1"], r"--class-weight must be a number in \(0, inf\)"),
        (["--class-weight", "lo=2"], "--class-weight must name classes of .*, got 'lo'"),
        (["--loss", "squared"], "--loss is for regression; classification minimises cross-entropy"),
        (["--robust"], "--robust is for regression"),
        (["--bayesian"], "--bayesian is for regression"),
        (["--target", "kind,a"], "--target must be one column for classification, got kind, a"),
        (["--validation", "0.97"], "no row of the class .* is among the 4 rows for training"),
    ],
)
def test_bad_options(run, three, tmp_path, options, message):
    path = tmp_path / "m.npz"
    fails(run("train", three, *OPTIONS, "--save", path, *options), message)
    assert not path.exists()


def test_predict_compares_only_with_known_labels(run, three, tmp_path):
    path = tmp_path / "m.npz"
    run("train", three, *OPTIONS, "--save", path)
    new = table(tmp_path / "n.csv", ["low", "huge"], [[0.1, 0.2], [0.3, 0.4]])
    result = run("predict", path, new)
    assert result.status == 0
    assert len(result.out.splitlines()) == 3
    assert "not compared with the targets: 'huge' in column 'kind' is not a class" in result.err
    fails(run("predict", path, three, "--id", "kind"), "'kind' is in --id and a target")
    assert run("predict", path, three, "--id", "a").out.startswith('a,kind,"p(größe, hoch)",')
    fails(run("diagnose", path, three, "--loss", "cauchy"), "but the model is one of classes")
    fails(run("diagnose", path, new), "'huge' in column 'kind' is not a class of the model")


def test_models_of_python_without_a_column_are_written_too(run, tmp_path):
    net, path = ggn.MLP((2, 1)), tmp_path / "m.npz"
    model = Model(net, [1.0, 0.0, 0.0], ["a", "b"], ["kind"], loss="logistic",
                  classes=["no", "yes"])  # fmt: skip
    model.save(path)
    data = table(tmp_path / "t.csv", ["no", "yes"], [[-1.0, 0.0], [2.0, 0.0]])
    result = run("predict", path, data)
    assert [line.split(",")[0] for line in result.out.splitlines()] == ["kind", "no", "yes"]
    assert "kind: accuracy 1.000000" in result.err


def test_the_exports_of_a_saved_classifier(run, three, tmp_path):
    path, source = tmp_path / "m.npz", tmp_path / "m.c"
    run("train", three, *OPTIONS, "--max-iter", "5", "--save", path)
    assert run("export", path, "-o", source).status == 0
    text = source.read_text()
    assert 'const char *const ggn_model_classes[3] = {\n    "gr\\303\\266\\303\\237e, hoch"' in text
    assert "void ggn_model_probabilities(const double *x, double *p)" in text
    assert "int ggn_model_class(const double *x)" in text


def test_integers_of_many_digits_are_not_their_neighbours(run, tmp_path):
    """As float64 9007199254740993 is 9007199254740992; two classes were one."""
    rng = np.random.default_rng(0)
    cells = ["9007199254740993", "9007199254740992", "5", "5.0"]
    rows = "".join(f"{rng.normal()},{cells[k % 4]}\n" for k in range(60))
    path = tmp_path / "t.csv"
    path.write_text("a,k\n" + rows)
    done = run("train", path, "--target", "k", "--task", "classification", "--max-iter", "3")
    assert "5 (30), 9007199254740992 (15), 9007199254740993 (15)" in " ".join(done.out.split())


def test_a_large_number_is_one_class_however_it_is_written():
    cells = ["1e20", "2", "1E20", "100000000000000000000", "9007199254740993.0"]
    assert read_classes("k", cells).labels == ("2", "9007199254740993.0", "1e20")
    assert len(read_classes("k", ["9007199254740993", *cells]).labels) == 3


def test_files_for_a_cluster_are_read_as_tables_are(tmp_path):
    """Labels had blanks behind them, and cells that stand for nothing were classes."""
    pytest.importorskip("dask.dataframe")
    from ggn.dask.files import Files

    cells = ["yes ", " no", "?", "-", "yes", "NA", " no ", "n/a ", "no", "None"]
    for part in range(2):
        rows = "".join(f"{k}.5,{'-' if k == 4 else k},{cell}\n" for k, cell in enumerate(cells))
        (tmp_path / f"p-{part}.csv").write_text("a,b,k\n" + rows)
    files = Files(str(tmp_path / "p-*.csv"), drop=True)
    found = files.frame(["a", "b", "k"], ["a", "b"]).compute()
    assert found["k"].tolist() == ["yes", "no", "no", "no"] * 2
    assert found["b"].tolist() == [0.0, 1.0, 6.0, 8.0] * 2
    whole = Files(str(tmp_path / "p-*.csv")).frame(["a", "b", "k"], ["a", "b"]).compute()
    assert whole["k"].isna().sum() == 2 * 5
    assert whole["b"].isna().sum() == 2
    import dask

    (tmp_path / "bool.csv").write_text("x,c\n1,True\n2,\n3,Null\n4,False\n")
    with dask.config.set({"dataframe.convert-string": False}):
        plain = Files(str(tmp_path / "bool.csv")).frame().compute()
    assert plain["c"].isna().tolist() == [False, True, True, False]
