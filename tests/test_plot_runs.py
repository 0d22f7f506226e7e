"""Pictures of runs in time."""

import numpy as np
import pytest
from test_narx import LAGS, system

import ggn

pytest.importorskip("matplotlib")
import ggn.plot


@pytest.fixture(scope="module")
def seen():
    u, y = system(300)
    y = y + 0.1 * np.random.default_rng(0).normal(size=300)
    return ggn.narx(u, y, hidden=3, max_iter=30, **LAGS), u, y


def test_a_run_is_beside_what_was_measured(seen):
    fit, u, y = seen
    with ggn.plot.figure() as (_, axes):
        ax = ggn.plot.simulated(fit, u, y, ax=axes[0, 0])
    measured, run, difference = ax.lines
    assert np.array_equal(measured.get_ydata(), y)
    np.testing.assert_array_equal(run.get_ydata()[2:], fit.simulate(u, y)[2:])
    np.testing.assert_array_equal(difference.get_ydata()[2:], (fit.simulate(u, y) - y)[2:])


def test_correlations_are_those_of_the_residuals(seen):
    fit, u, y = seen
    with ggn.plot.figure(1, 2) as (_, axes):
        ggn.plot.correlations(fit, u, y, lags=10, horizon=None, ax=axes[0])
    r = (fit.simulate(u, y) - y)[2:]
    r -= r.mean()
    for ax, other in zip(axes[0], (r, (u - u.mean())[2:]), strict=True):
        (lines,) = (
            c for c in ax.collections if hasattr(c, "get_segments") and len(c.get_paths()) > 1
        )
        heights = np.array([segment[1, 1] for segment in lines.get_segments()])
        assert len(heights) == 11
        size = np.sqrt(r @ r * (u - u.mean()) @ (u - u.mean())) if other is not r else r @ r
        assert heights[3] == pytest.approx(r[3:] @ other[:-3] / size, rel=0.05, abs=0.01)
        assert np.abs(heights[1:]).max() < 0.3


def test_errors_by_horizon_end_at_the_free_run(seen):
    fit, u, y = seen
    with ggn.plot.figure() as (_, axes):
        ax = ggn.plot.horizons(fit, u, y, ahead=(1, 4, 5000), ax=axes[0, 0])
    line = ax.lines[0]
    assert line.get_xdata().tolist() == [1, 4]
    ahead = fit.predict(u, y, horizon=4)
    error = np.sqrt(np.nanmean((ahead - y) ** 2))
    assert line.get_ydata()[1] == pytest.approx(error)


def test_another_fit_is_refused():
    net = ggn.MLP((1, 1))
    other = ggn.train(net, [[0.0], [1.0]], [0.0, 1.0], max_iter=1)
    with pytest.raises((ValueError, TypeError), match="fit must be"):
        ggn.plot.simulated(other, *system(20))
