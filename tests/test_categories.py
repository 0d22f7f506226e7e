"""Inputs that are categories: samples left out are of cells that the others have, as new ones."""

import numpy as np
import pytest

from ggn.fit.committee import parts
from ggn.sklearn import GGNRegressor


def cells(seed, T=400, copies=1):
    """Targets with an effect of each of 8 x 6 cells, in dummy columns, and noise of 0.2."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 8, T), rng.integers(0, 6, T)
    y = rng.normal(size=(8, 6))[a, b] + 0.2 * rng.normal(size=T)
    return np.repeat(np.c_[np.eye(8)[a], np.eye(6)[b]], copies, axis=0), np.repeat(y, copies)


@pytest.mark.parametrize("copies", [1, 3])
def test_samples_of_a_cell_are_in_many_parts_and_copies_in_one(copies):
    X, y = cells(0, copies=copies)
    found = parts(X, y[:, np.newaxis], 10, np.random.default_rng(0))
    part = found.argmax(axis=0)
    assert (found.sum(axis=0) == 1).all()
    assert (part.reshape(-1, copies) == part[::copies, np.newaxis]).all()
    _, cell = np.unique(X, axis=0, return_inverse=True)
    assert np.mean([len(set(part[cell.ravel() == k])) for k in range(48)]) > 4


@pytest.mark.parametrize("what", ["between", "unseen", "no noise"])
def test_samples_of_the_same_inputs_stay_together_where_new_ones_are_others(what):
    """Values that have others between them; cells of one sample; targets that are copies."""
    X, y = cells(1)
    if what == "between":
        X = X @ np.arange(14.0)[:, np.newaxis]
    elif what == "unseen":
        X = np.r_[X, np.eye(14)]
        y = np.r_[y, np.zeros(14)]
    else:
        y = X @ np.arange(14.0)
    part = parts(X, y[:, np.newaxis], 10, np.random.default_rng(0)).argmax(axis=0)
    for cell in np.unique(X, axis=0):
        assert len(set(part[(X == cell).all(axis=1)])) == 1


def test_effects_of_cells_are_learnt():
    """The best that can be had is the noise, 0.2; means alone have 1, sums of effects 0.9."""
    X, y = cells(2, T=600)
    model = GGNRegressor(random_state=0).fit(X[:400], y[:400])
    assert np.sqrt(np.mean((model.predict(X[400:]) - y[400:]) ** 2)) < 0.25
    low, high = model.predict_interval(X[400:])
    assert 0.82 < np.mean((low < y[400:]) & (y[400:] < high)) < 0.97
