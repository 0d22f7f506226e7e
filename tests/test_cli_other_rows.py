"""What is said where a table has as many rows as the model's, and they are others."""

from __future__ import annotations

import commands
import numpy as np
import pytest
from commands import words

import ggn
from ggn.command.same_rows import has_units_of
from ggn.io import Model
from ggn.io.scaling import standard_units
from ggn.io.table import Table
from ggn.sklearn import GGNRegressor

run = pytest.fixture(commands.run)


@pytest.fixture
def table(tmp_path):
    return commands.noisy_table(tmp_path, ["low", "high"], [1.0])


WAYS = {"penalty": ["--l2", "1e-3"], "robust": ["--robust"], "classes": []}
NOT_THESE = "the model's units are not those of "


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("change", ["order", "values"])
def test_other_rows_of_as_many_are_not_called_those_of_the_model(run, table, tmp_path, way, change):
    """Rows are held out by number, so rows held out before are trained on: said, not denied."""
    path, other, again = tmp_path / "m.npz", tmp_path / "o.csv", tmp_path / "again.npz"
    target = "kind" if way == "classes" else "y1"
    line = ["--target", target, "--inputs", "x1,x2", "--hidden", "4", "--test", "0.1"]
    result = run("train", table, *line, *WAYS[way], "--max-iter", "20", "--save", path)
    assert (result.status, result.err) == (0, "")
    head, *rows = table.read_text().splitlines()
    if change == "order":
        rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    else:
        rows = [",".join([kind, f"{float(x1) + 0.1}", *rest])
                for kind, x1, *rest in (row.split(",") for row in rows)]  # fmt: skip
    other.write_text("\n".join([head, *rows]))
    out = words(run("diagnose", path, other).out)
    assert "trained on these rows" not in out
    assert NOT_THESE + "these rows" in out
    assert "stopped" not in out  # of the training on others
    result = run("train", other, "--warm-start", path, "--max-iter", "5", "--save", again)
    out = words(result.out)
    assert (result.status, result.err) == (0, "")
    assert "as the model had them" not in out
    assert "but its units are of other rows or another order" in out
    assert NOT_THESE + "the rows for training" in out
    # of the first table, again: rows for training in another order are still these rows
    train = Model.load(path).training.rows("train")
    rows = table.read_text().splitlines()[1:]
    for i, line in zip(train, [rows[i] for i in train[::-1]], strict=True):
        rows[i] = line
    other.write_text("\n".join([head, *rows]))
    out = words(run("train", other, "--warm-start", path, "--max-iter", "5").out)
    assert "as the model had them" in out
    assert NOT_THESE not in out
    assert "trained on these rows, as the model tells" in words(run("diagnose", path, other).out)


@pytest.mark.parametrize("scale", ["standard", "minmax", "robust", None])
def test_units_of_estimators_tell_their_rows_if_they_are_any(run, table, tmp_path, scale):
    """The data's own units are those of any rows: then nothing is claimed, nor denied."""
    values = Table(table).read(["x1", "x2", "y1"])
    X, y = values[:, :2], values[:, 2]
    path = tmp_path / "m.npz"
    GGNRegressor(3, alpha=1e-2, scale=scale, random_state=0).fit(X, y).model_.save(path)
    assert (Model.load(path).x_scale == 1.0).all() == (scale is None)
    out = words(run("diagnose", path, table).out)
    assert ("trained on these rows, as the model tells" in out) == (scale is not None)
    assert ("trained on rows of these numbers" in out) == (scale is None)
    assert NOT_THESE not in out
    out = words(run("train", table, "--warm-start", path, "--max-iter", "2").out)
    assert ("as the model had them" in out) == (scale is not None)
    assert ("; of the numbers that the model had columns" in out) == (scale is None)
    assert NOT_THESE not in out


@pytest.mark.parametrize("mean", [0.0, 1e9, -1e13])
def test_the_order_of_a_sum_makes_no_other_rows(mean):
    x = mean + np.arange(1000.0)[np.random.default_rng(0).permutation(1000)]
    X, Y = x[:, np.newaxis], 3.0 - x[:, np.newaxis]
    model = Model(ggn.MLP((1, 1)), np.zeros(2), None, None, *standard_units(X), *standard_units(Y))
    order = np.argsort(x)
    assert has_units_of(model, X[order], Y[order])
    order[0] = order[-1]
    assert has_units_of(model, X[order], Y[order]) is False
