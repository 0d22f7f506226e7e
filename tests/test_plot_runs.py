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
    run = np.where(np.isfinite(ahead), fit.predict(u, y, horizon=None), np.nan)
    free = np.sqrt(np.nanmean((run - y) ** 2))
    assert ax.lines[1].get_ydata()[0] == pytest.approx(free)
    assert ax.get_ylim()[1] > max(*line.get_ydata(), free)


def test_another_fit_is_refused():
    net = ggn.MLP((1, 1))
    other = ggn.train(net, [[0.0], [1.0]], [0.0, 1.0], max_iter=1)
    with pytest.raises((ValueError, TypeError), match="fit must be"):
        ggn.plot.simulated(other, *system(20))


def test_state_space_fits_have_the_same_pictures():
    u, y = system(120)
    fit = ggn.statespace(u, y, 2, f=3, max_iter=5)
    with ggn.plot.figure(2, 2) as (_, axes):
        ax = ggn.plot.simulated(fit, u, y, ax=axes[0, 0])
        run = fit.simulate(u, x0=fit.initial_state(u[:20], y[:20]))
        np.testing.assert_allclose(ax.lines[1].get_ydata(), run[:, 0], atol=1e-12)
        ggn.plot.correlations(fit, u, y, horizon=None, ax=axes[1])
        line = ggn.plot.horizons(fit, u, y, ahead=(10, 200), ax=axes[0, 1]).lines[0]
    assert line.get_xdata().tolist() == [10]
    error = np.sqrt(np.nanmean((fit.predict(u, y, horizon=10)[:, 0] - y) ** 2))
    assert line.get_ydata()[0] == pytest.approx(error)


def test_poles_of_linear_models_are_known():
    """y_k = 1.2 y_{k-1} - 0.52 y_{k-2} + u_{k-1}: poles 0.6 ± 0.4i."""
    u, y = np.random.default_rng(0).normal(size=200), np.zeros(200)
    for k in range(2, 200):
        y[k] = 1.2 * y[k - 1] - 0.52 * y[k - 2] + u[k - 1]
    lags = ggn.narx(u, y, hidden=0, output_lags=2, input_lags=[1])
    states = ggn.statespace(u, y, 2, f=None)
    for fit in (lags, states):
        np.testing.assert_allclose(np.sort(fit.poles().imag), [-0.4, 0.4], atol=1e-6)
        np.testing.assert_allclose(fit.poles().real, 0.6, atol=1e-6)
        np.testing.assert_allclose(np.abs(fit.poles_along(u, y)), np.sqrt(0.52), atol=1e-6)
        with ggn.plot.figure() as (_, axes):
            ax = ggn.plot.poles(fit, u, y, ax=axes[0, 0])
        circle, along, rest = ax.lines
        np.testing.assert_allclose(np.hypot(circle.get_xdata(), circle.get_ydata()), 1.0)
        np.testing.assert_allclose(along.get_xdata(), 0.6, atol=1e-6)
        np.testing.assert_allclose(rest.get_xdata(), 0.6, atol=1e-6)
    assert ggn.narx(u, y, hidden=1, output_lags=0, max_iter=2).poles().shape == (0,)


def test_poles_are_those_of_differences_of_a_run(seen):
    """A run at rest, moved by little, comes back by the largest pole from sample to sample."""
    fit, _, y = seen
    rest = fit.simulate(np.full(400, 0.3), y[:2])
    largest = np.abs(fit.poles([0.3], rest[-1:])[0])
    start = rest[-2:] + np.array([1e-4, 0.0])
    moved = np.abs(fit.simulate(np.full(60, 0.3), start) - rest[-1])
    peaks = np.maximum(moved[2:22], moved[3:23])
    rate = np.polyfit(np.arange(20), np.log(peaks), 1)[0]
    assert np.exp(rate) == pytest.approx(largest, rel=0.05)
    along = fit.poles_along(np.full(50, 0.3), np.full(50, rest[-1]))
    assert along.shape == (48, 2)
    np.testing.assert_allclose(along[-1], fit.poles([0.3], rest[-1:]), atol=1e-9)


def test_poles_of_what_is_no_fit_are_refused(seen):
    fit, u, y = seen
    with pytest.raises(ValueError, match=r"^fit must be of ggn\.narx or ggn\.statespace, got"):
        ggn.plot.poles(ggn.MLP((1, 1)))
    with pytest.raises(ValueError, match="u must have"):
        fit.poles([1.0, 2.0])
    with pytest.raises(ValueError, match="U must have 1 column"):
        ggn.plot.poles(fit, np.stack([u, u], axis=1), y)


def test_pictures_of_nothing_are_refused(seen):
    fit, u, y = seen
    with pytest.raises(ValueError, match=r"^horizon must leave something to predict in each"):
        ggn.plot.correlations(fit, u, y, horizon=2**62)
    with pytest.raises(ValueError, match=r"^ahead must have steps at which something is predicted"):
        ggn.plot.horizons(fit, u, y, ahead=(2**62, 5000))
    with pytest.raises(ValueError, match=r"^ax must be 2 axes, one per target, got 1"):
        ggn.plot.correlations(fit, u, y, ax=range(2**62))
