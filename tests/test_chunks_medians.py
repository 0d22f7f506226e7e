"""Exact median and MAD of samples in chunks, against those of all samples at once."""

import numpy as np
import pytest

import ggn
from ggn.linearization import SummedObjective
from ggn.linearization.columns import centre_and_size
from ggn.linearization.selection import robust_columns

DRAWS = {
    "heavy tails": lambda rng, T: rng.standard_t(2, (T, 2)) * [1.0, 1e6] + [0.0, 1e5],
    "few values": lambda rng, T: rng.integers(0, 4, (T, 2)).astype(float),
    "mostly zero": lambda rng, T: np.where(rng.random((T, 2)) < 0.9, 0.0, rng.normal(size=(T, 2))),
    "constant": lambda rng, T: np.column_stack([np.full(T, 0.3), rng.normal(size=T)]),
    "both ends": lambda rng, T: rng.choice([-1e140, 1e140, 1e-140], (T, 2)),
}


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("weights", [None, "whole", "real"])
def test_selection_is_that_of_all_numbers(kind, weights, monkeypatch):
    monkeypatch.setattr("ggn.linearization.selection.FEW", 20)
    monkeypatch.setattr("ggn.linearization.selection.EDGES", 16)
    rng = np.random.default_rng(0)
    for T in (1, 2, 40, 501):
        Y = DRAWS[kind](rng, T)
        s = None
        if weights is not None:
            s = rng.integers(0, 3, T).astype(float) * (1.0 if weights == "whole" else rng.random(T))
            s[0] = 1.0
        edges = np.sort(rng.integers(0, T + 1, 4))
        arrays = (np.zeros((T, 1)), Y) if s is None else (np.zeros((T, 1)), Y, s)
        chunks = list(zip(*(np.split(array, edges) for array in arrays), strict=True))
        for shift in (True, False):
            found = robust_columns(ggn.Chunks(chunks), True, shift)
            known = centre_and_size(Y, s, robust=True, shift=shift)
            for one, other in zip(found, known, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-310)


def test_inputs_have_robust_units_of_their_own():
    rng = np.random.default_rng(1)
    X, Y = 5.0 + rng.standard_t(2, (90, 2)), rng.normal(size=(90, 1))
    chunks = [(X[:40], Y[:40]), (X[40:], Y[40:])]
    summed = SummedObjective(ggn.MLP((2, 1)), ggn.Chunks(chunks), "cauchy")
    for targets, A in ((False, X), (True, Y)):
        for one, other in zip(
            summed.columns(targets, True, robust=True), centre_and_size(A, robust=True), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-12)
