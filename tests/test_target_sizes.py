"""Deviations and errors of targets whose squares leave float64, and of targets without any."""

from __future__ import annotations

import re

import commands
import numpy as np
import pytest
from scipy import stats

import ggn
from ggn.fit.evidence import Priors
from ggn.fit.scores import correlation, r2, rmse
from ggn.io.laplace import Laplace, LaplaceMixture
from ggn.io.written import csv_text
from ggn.linearization import Objective
from ggn.sklearn import GGNRegressor

run = pytest.fixture(commands.run)

SIZES = [2.0**-1000, 2.0**-560, 2.0**530, 2.0**1000]


def wave(T=90):
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, (T, 1))
    return x, np.sin(x[:, 0]) + 0.1 * rng.standard_normal(T)


@pytest.mark.parametrize("size", SIZES)
def test_a_deviation_is_in_the_unit_of_its_target(size):
    x, y = wave()
    at = np.array([[0.0], [1.5], [4.0]])
    said = {}
    for unit in (1.0, size):
        model = GGNRegressor(5, n_estimators=3, random_state=0).fit(x, unit * y)
        mean, deviation = model.predict(at, return_std=True)
        said[unit] = mean / unit, deviation / unit
        np.testing.assert_allclose(model.result_.predict(at, return_std=True)[1][:, 0], deviation)
    np.testing.assert_allclose(said[size], said[1.0], rtol=1e-6)
    assert 0.05 < said[size][1][0] < 0.2


@pytest.mark.parametrize("size", SIZES[1:3])
def test_a_mixture_of_laplaces_deviates_by_what_its_means_do(size):
    """Two lines of slopes that are apart by far more than either deviates by."""
    one = Laplace(np.eye(2) * 1e150, noise_std=1e-150, freedom=10.0)
    of = LaplaceMixture([[size, 0.0], [-size, 0.0]], [one, one])
    mean = ggn.network.side_by_side(ggn.MLP((1, 1)), list(of.ws))
    deviation = of.deviation(*mean, [[3.0]])
    assert deviation.item() == pytest.approx(max(3.0 * size, np.sqrt(11.0) * 1e-150), rel=1e-12)


@pytest.mark.parametrize("size", [*SIZES, 2.0**1022])
def test_errors_are_in_the_unit_of_their_target(size):
    rng = np.random.default_rng(1)
    Y = rng.uniform(-1.0, 1.0, (50, 2))
    F = Y + 0.1 * rng.standard_normal((50, 2))
    E = F - Y
    np.testing.assert_allclose(rmse(size * Y, size * F) / size, np.linalg.norm(E, axis=0) / 50**0.5)
    of = [1.0 - (E[:, j] @ E[:, j]) / (50.0 * Y[:, j].var()) for j in range(2)]
    np.testing.assert_allclose(r2(size * Y, size * F), of)
    of = [stats.pearsonr(Y[:, j], F[:, j]).statistic for j in range(2)]
    np.testing.assert_allclose(correlation(size * Y, size * F), of)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("files", ["all.csv", "part-*.csv"])
def test_the_command_line_reports_them_so(run, tmp_path, monkeypatch, size, files):
    monkeypatch.chdir(tmp_path)
    x, y = wave()
    said = []
    for unit in (1.0, size):
        rows = np.column_stack([x, unit * y])
        for name, at in (("all", slice(90)), ("part-0", slice(45)), ("part-1", slice(45, 90))):
            (tmp_path / f"{name}.csv").write_text("".join(csv_text(["x", "y"], rows[at])))
        line = ["--target", "y", "--hidden", "3", "--l2", "1e-3", "--test", "0.2"]
        result = run("train", files, *line)
        assert (result.status, result.err) == (0, "")
        table = result.out[result.out.index("target  ") :]
        found = [row.split()[2:] for row in re.findall(r"^y .*$", table, re.M)]
        said.append([[float(cell) for cell in row] for row in found])
        assert len(found) == 3
    np.testing.assert_allclose(np.array(said[1]) / [size, 1.0, 1.0], said[0], rtol=2e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise", ["constant", "varying", "heavy_tailed", "contaminated"])
def test_constant_targets_are_fitted_without_a_warning_of_numpys(seed, noise):
    """All warnings are errors here. Weights go to zero, and so do products with their squares."""
    for T, n, value in ((8, 2, -1e5), (8, 2, 1e160), (100, 5, 3.3)):
        X = np.random.default_rng(seed).standard_normal((T, n))
        model = GGNRegressor(10, noise=noise, random_state=seed).fit(X, np.full(T, value))
        mean, deviation = model.predict(X, return_std=True)
        np.testing.assert_allclose(mean, value, rtol=1e-12)
        assert (deviation <= 1e-12 * abs(value)).all()
        assert all((member.penalties > 0.0).all() for member in model.result_.members)


@pytest.mark.parametrize("size", [1.0, 2.0**-515, 2.0**-520])
def test_a_shared_penalty_is_a_mean_whatever_the_size_of_the_weights(size):
    net = ggn.MLP((3, 2, 1))
    priors, w = Priors(net), size * np.arange(1.0, 12.0)
    l2 = np.array([1.0, 2.0, 4.0, 7.0]) * 2.0**-46
    shares = np.square(net.unpack(w)[0][:3] / size).sum(axis=1)
    shared = priors.alike(l2, w)
    np.testing.assert_allclose(shared[:3], (l2[:3] @ shares) / shares.sum(), rtol=1e-2)
    assert shared[3] == l2[3]


def test_penalties_of_weights_whose_squares_vanish_have_their_limits():
    x = np.linspace(-1.0, 1.0, 9)
    net = ggn.MLP((1, 1))
    data = Objective(net, x[:, np.newaxis], np.abs(x)[:, np.newaxis])
    found = Priors(net).estimate(data, np.array([1e-160, 0.5]), np.array([1e-3]))
    assert np.isfinite(found.l2).all()
    assert found.l2[0] >= 1e5


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("c", [1e-9, 0.025, 0.42, 1.0])
def test_small_weights_are_the_same_in_any_unit(c, chunked):
    """Not fewer samples: not of those fits either that have fewer numbers than weights."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (40, 2))
    y, net = np.sin(2.0 * x[:, :1]) * x[:, 1:] + 0.05 * rng.normal(size=(40, 1)), ggn.MLP((2, 4, 1))
    s = np.full(40, c)
    s[3] = 0.0
    expected = ggn.train(net, np.delete(x, 3, 0), np.delete(y, 3, 0), max_iter=20)
    if chunked:
        found = ggn.train(
            net, ggn.Chunks([(x[:9], y[:9], s[:9]), (x[9:], y[9:], s[9:])]), max_iter=20
        )
    else:
        found = ggn.train(net, x, y, sample_weight=s, max_iter=20)
    assert found.fun == pytest.approx(expected.fun, rel=1e-9)
    assert found.nit == expected.nit
