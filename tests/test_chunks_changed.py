"""Chunks that are not what they were in the first pass, or not of one kind; what is missing."""

import re

import numpy as np
import pytest

import ggn
from ggn.linearization.part import ChunkError

NET = ggn.MLP((2, 3, 1))
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 2))
Y = np.sin(X[:, 0]) * X[:, 1] + 5.0
S = RNG.uniform(0.5, 2.0, 200)


def changing(change, after):
    """Return chunks of 50 rows that `change` has been at from a pass on."""
    passes = 0

    def chunks():
        nonlocal passes
        passes += 1
        for k in range(4):
            rows = slice(50 * k, 50 * k + 50)
            chunk = [X[rows].copy(), Y[rows].copy(), S[rows].copy()]
            yield tuple(change(k, *chunk) if passes > after else chunk)

    return ggn.Chunks(chunks)


def one_cell(k, x, y, s):
    x[7, 1] += 1e-6 * (k == 3)
    return x, y, s


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda k, x, y, s: (x, 2.0 * y, s), "chunk 0 have changed: the sum of Y was 25"),
        (one_cell, "chunk 3 have changed: the sum of X was"),
        (lambda k, x, y, s: (x, y, s[::-1] if k < 2 else s + 1.0), "chunk 2 have .* sample_weight"),
        (
            lambda k, x, y, s: (x, y),
            "chunk 0 have .* sample_weight .* is that of none now",
        ),
    ],
    ids=["targets", "one cell", "weights", "no weights"],
)
def test_samples_that_change_in_the_middle_of_a_run_end_it(change, said):
    fit = ggn.train(NET, changing(change, 12), tol=0.0)
    assert fit.status is ggn.Status.LOST
    assert fit.nit > 0
    assert re.search(said, fit.message), fit.message
    steady = ggn.train(NET, X, Y, sample_weight=S, max_iter=fit.nit, tol=0.0)
    np.testing.assert_allclose(fit.w, steady.w, rtol=1e-6)
    with pytest.raises(ChunkError, match=said):
        ggn.train(NET, changing(change, 1))


def test_rounding_and_the_order_of_rows_are_no_change():
    def stirred(k, x, y, s):
        turned = RNG.permutation(50)
        return x[turned] * (1.0 + 1e-15), y[turned], s[turned]

    fit = ggn.train(NET, changing(stirred, 1), max_iter=5)
    assert fit.status is ggn.Status.MAX_ITER
    huge = ggn.Chunks([(X, np.full(200, 1e307)), (X, np.full(200, 1e307))])
    assert ggn.linearize(ggn.MLP((2, 1)), [0.0, 0.0, 1e307], huge).loss == 0.0


@pytest.mark.parametrize("lacks", [0, 2, 3])
def test_weights_are_in_each_chunk_or_in_none(lacks):
    parts = [(X[i : i + 50], Y[i : i + 50], S[i : i + 50]) for i in range(0, 200, 50)]
    parts[lacks] = parts[lacks][:2]
    parts.insert(lacks, (np.empty((0, 2)), np.empty(0)))  # of none nothing is asked
    number = lacks + 1
    with pytest.raises(ChunkError, match=f"each chunk or in none, .* not in chunk {number}$"):
        ggn.train(NET, ggn.Chunks(parts))
    del parts[number]
    assert ggn.Chunks(parts).n_samples == 150
    assert ggn.train(NET, ggn.Chunks(parts), max_iter=2).nit == 2


def test_a_mapped_file_without_targets_is_refused_in_a_sentence(tmp_path):
    X.tofile(tmp_path / "X.dat")
    mapped = np.memmap(tmp_path / "X.dat", shape=X.shape, mode="r")
    said = "Y must be an array with a length and slices, as many rows as the 200 of X, got None"
    with pytest.raises(ValueError, match=said):
        ggn.train(NET, mapped, max_memory=100)
    with pytest.raises(ValueError, match=r"sample_weight must be an array .* got 3\.0"):
        ggn.train(NET, mapped, Y, sample_weight=3.0, max_memory=100)
    with pytest.raises(ValueError, match="X must be an array with a length and slices, got None"):
        ggn.Chunks.of_arrays(None, Y)
