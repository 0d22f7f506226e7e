"""The methods that the paper names beside GGN: each against what it should do by hand."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

import ggn
from ggn import problems
from ggn.linearization import Objective
from ggn.paper import baselines, baselines_shown
from ggn.paper.sections import csv_bytes

mpl.use("Agg")


@pytest.fixture(scope="module")
def found():
    return baselines.experiment(seed=1, runs=2, iterations=4)


def line():
    """Return a linear problem, J = mean (w x - y)², and weights to start from."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 3))
    Y = X @ [[1.0], [-2.0], [0.5]] + 0.1 * rng.normal(size=(12, 1))
    return Objective(ggn.MLP((3, 1), bias=False), X, Y), rng.normal(size=3)


def gradient(objective, w):
    X, y = objective.X, objective.Yt[0]
    return 2.0 * X.T @ (X @ w - y) / len(X)


def test_one_pass_of_the_filter_over_linear_outputs_is_ridge_regression():
    """Without drift: argmin sum (y - x w)² / noise + ‖w - w0‖² / prior."""
    objective, w0 = line()
    X, y = objective.X, objective.Yt[0]
    w = next(baselines.kalman(objective, w0, prior=3.0, noise=0.2, drift=0.0))
    A = X.T @ X / 0.2 + np.eye(3) / 3.0
    np.testing.assert_allclose(w, np.linalg.solve(A, X.T @ y / 0.2 + w0 / 3.0), rtol=1e-10)


def test_momentum_by_its_formula():
    objective, w0 = line()
    steps = baselines.momentum(objective, w0, 0.05, beta=0.9)
    w1, w2 = next(steps), next(steps)
    v1 = gradient(objective, w0)
    v2 = 0.9 * v1 + gradient(objective, w0 - 0.05 * v1)
    np.testing.assert_allclose(w1, w0 - 0.05 * v1, rtol=1e-12)
    np.testing.assert_allclose(w2, w1 - 0.05 * v2, rtol=1e-12)


def test_adam_by_its_formula():
    """The first step is alpha in every weight; the second by moments without shortcuts."""
    objective, w0 = line()
    steps = baselines.adam(objective, w0, 0.05)
    w1, w2 = next(steps), next(steps)
    g1 = gradient(objective, w0)
    np.testing.assert_allclose(w0 - w1, 0.05 * np.sign(g1), rtol=1e-6)
    g2 = gradient(objective, w1)
    m = (0.9 * 0.1 * g1 + 0.1 * g2) / (1.0 - 0.81)
    v = (0.999 * 0.001 * g1**2 + 0.001 * g2**2) / (1.0 - 0.999**2)
    np.testing.assert_allclose(w1 - w2, 0.05 * m / (np.sqrt(v) + 1e-8), rtol=1e-9)


def test_every_method_starts_from_the_same_weights(found):
    for run, paths in enumerate(found.paths):
        rng = np.random.default_rng([1, run])
        X, Y = problems.four_regions(60, rng, one_hot=True)
        net = ggn.MLP((2, 10, 10, 4), "sigmoid")
        J = np.square(net.forward(net.initial_weights(rng), X) - Y).sum(axis=1).mean()
        assert set(paths) == set(baselines.METHODS)
        for losses, seconds in paths.values():
            assert losses[0] == pytest.approx(J)
            assert len(losses) == len(seconds) > 1
            assert (np.diff(seconds) >= 0.0).all()
        assert [len(paths[m][0]) for m in ("LM", "EKF", "BP, sum", "Adam")] == [5, 5, 81, 81]
        for falls in ("LM", "block-diagonal", "diagonal", "BFGS", "L-BFGS", "CG"):
            assert (np.diff(paths[falls][0]) <= 0.0).all(), falls


def test_what_the_report_says(found):
    section = baselines_shown.section(found)
    again = baselines_shown.section(baselines.experiment(seed=1, runs=2, iterations=4))
    name = "baselines.csv"
    assert csv_bytes(section.tables[name]) == csv_bytes(again.tables[name])
    assert set(baselines_shown.LOOKS) == set(baselines.METHODS)
    assert len(set(map(str, baselines_shown.LOOKS.values()))) == len(baselines.METHODS)
    assert [claim.statement.startswith("Expected") for claim in section.claims] == [True, True]


@pytest.mark.parametrize(("block", "holds"), [([1e-3, 1e-3], True), ([1e-9, 1e-3], None)])
def test_claims_need_every_run(block, holds):
    two = np.zeros(2)
    paths = [
        {name: (np.array([1.0, 0.5]), two) for name in baselines.METHODS}
        | {"LM": (np.array([1.0, 1e-6]), two), "block-diagonal": (np.array([1.0, J]), two)}
        for J in block
    ]
    claims = baselines_shown.section(baselines.Baselines(1, paths)).claims
    assert [claim.holds for claim in claims] == [holds, holds]


def test_the_picture_has_every_method_twice(found):
    left, right = baselines_shown.draw(found).axes
    for ax in (left, right):
        assert [line.get_label() for line in ax.lines] == list(baselines_shown.LOOKS)
    for drawn in left.lines:
        losses = found.paths[0][drawn.get_label()][0]
        assert np.array_equal(drawn.get_ydata(), np.minimum.accumulate(losses)[1:])
