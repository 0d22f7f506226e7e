"""Pictures: what they show of the data, their labels, and that they leave no trace elsewhere."""

from __future__ import annotations

import builtins
import functools
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import ggn
from ggn import plot
from ggn.surface import numerical_rank

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fit():
    net = ggn.MLP((2, 4, 1), "tanh")
    return net, ggn.train(net, *ggn.problems.xor(), rng=1, max_iter=30)


@pytest.fixture(scope="module")
def at():
    net = ggn.MLP((2, 3, 1))
    return ggn.linearize(net, net.initial_weights(3), *ggn.problems.xor())


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@functools.cache
def series(inputs=True):
    """Return a fit in free run, and its series."""
    rng = np.random.default_rng(0)
    u, y = rng.uniform(-1.0, 1.0, 120), np.zeros(120)
    for k in range(1, 120):
        y[k] = 0.5 * y[k - 1] + u[k - 1] + 0.01 * rng.normal()
    u, lags = (u, [1]) if inputs else (None, 0)
    return ggn.narx(u, y, output_lags=1, input_lags=lags, hidden=0, max_iter=20), u, y


def drawings(fit, at):
    """Return a call of every function, with an ax to draw on."""
    net, result = fit
    N = at.net.n_weights
    u, v = np.eye(N)[:2]
    Y = np.arange(6.0)
    return {
        "history": lambda ax: plot.history(result, ax=ax),
        "damping": lambda ax: plot.damping(result, ax=ax),
        "predicted": lambda ax: plot.predicted(Y, Y + 1.0, ax=ax),
        "residuals": lambda ax: plot.residuals(Y, Y + 1.0, ax=ax),
        "decision_regions": lambda ax: plot.decision_regions(
            net, result.w, *ggn.problems.xor(), points=20, ax=ax
        ),
        "spectrum": lambda ax: plot.spectrum({"G": np.diag([2.0, 0.5])}, ax=ax),
        "along": lambda ax: plot.along(at, np.eye(N)[:, :2], points=5, ax=ax),
        "plane": lambda ax: plot.plane(at, u, v, points=5, ax=ax),
        "singular_values": lambda ax: plot.singular_values(numerical_rank(np.eye(3)), ax=ax),
        "simulated": lambda ax: plot.simulated(*series(), ax=ax),
        "correlations": lambda ax: plot.correlations(*series(inputs=False), ax=ax),
        "horizons": lambda ax: plot.horizons(*series(), ax=ax),
        "poles": lambda ax: plot.poles(*series(), ax=ax),
    }


ALL = sorted(set(plot.__all__) - {"figure"})


@pytest.mark.parametrize("name", ALL)
def test_every_picture_uses_the_axes_given_or_makes_its_own(name, fit, at):
    draw = drawings(fit, at)[name]
    before = dict(mpl.rcParams)
    own = draw(None)
    assert plt.get_fignums() == [own.figure.number]
    _, (first, second) = plt.subplots(1, 2)
    assert draw(second) is second
    assert second.has_data()
    assert not first.has_data()
    for ax in (own, second):
        assert ax.get_xlabel()
        assert ax.get_ylabel() or ax.get_legend()
        ax.figure.canvas.draw()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ALL)
def test_series_differ_by_more_than_colour(name, fit, at):
    """Two labelled series have different line styles, markers or faces."""
    ax = drawings(fit, at)[name](None)
    looks = [
        (line.get_linestyle(), line.get_marker(), line.get_markerfacecolor() == "none")
        for axes in ax.figure.axes
        for line in axes.lines
        if not line.get_label().startswith("_")
    ]
    assert len(set(looks)) == len(looks)


def test_iterations_are_whole():
    short = ggn.train(ggn.MLP((2, 3, 1)), *ggn.problems.xor(), max_iter=3)
    for draw in (plot.history, plot.damping):
        ticks = draw(short, ax=plt.figure().subplots()).get_xticks()
        assert (ticks == np.round(ticks)).all()


def test_history_shows_the_record(fit):
    record = fit[1].history
    ax = plot.history(fit[1], ["loss", "step_norm"])
    loss, step = ax.lines
    assert np.array_equal(loss.get_ydata(), record.loss)
    assert np.array_equal(step.get_ydata()[1:], record.step_norm[1:])
    assert np.array_equal(loss.get_xdata(), np.arange(len(record)))
    assert (ax.get_xlabel(), ax.get_yscale()) == ("iteration", "log")
    assert labels(ax) == ["loss J", "step ‖d‖"]
    ax = plot.history(fit[1], ["loss"], against="seconds")
    assert np.array_equal(ax.lines[0].get_xdata(), record.seconds)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "loss J")


def test_history_of_names_it_does_not_have(fit):
    with pytest.raises(ValueError, match=r"fields must be one of .* did you mean 'loss'"):
        plot.history(fit[1], ["los"])
    with pytest.raises(ValueError, match="against must be one of iteration, seconds, got 'time'"):
        plot.damping(fit[1], against="time")


def test_runs_on_the_same_axes_are_told_apart(fit):
    ax = plot.history(fit[1])
    for _ in range(3):
        plot.history(fit[1], ax=ax)
    plot.history(fit[1], ["loss"], ax=ax, label="baseline")
    names = [line.get_label() for line in ax.lines]
    assert names[:3] == ["loss J, run 1", "gradient norm ‖∇J‖, run 1", "loss J, run 2"]
    assert names[-2:] == ["gradient norm ‖∇J‖, run 4", "loss J, baseline"]
    assert labels(ax) == names
    assert len(set(names)) == len(names) == 9
    looks = {(line.get_color(), str(line._dash_pattern)) for line in ax.lines}
    assert len(looks) == 9


def test_damping_and_gain_ratio_have_their_own_ordinates(fit):
    ax = plot.damping(fit[1])
    (right,) = [other for other in ax.figure.axes if other is not ax]
    assert np.array_equal(ax.lines[0].get_ydata()[1:], fit[1].history.damping[1:])
    shown = right.lines[0].get_ydata()[1:]
    assert np.array_equal(shown, np.clip(fit[1].history.gain_ratio[1:], -0.5, 2.0))
    assert "gain ratio" in right.get_ylabel()
    assert labels(ax) == ["damping μ", "gain ratio (right)"]


def test_an_undamped_run_has_no_logarithm_to_show(fit):
    net = fit[0]
    result = ggn.train(net, *ggn.problems.xor(), damping="undamped", max_iter=3)
    assert plot.damping(result).get_yscale() == "linear"


def test_spectrum_shows_sizes_and_signs():
    rng = np.random.default_rng(0)
    values = np.array([4.0, -2.0, 1e-3, 0.0])
    Q = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    ax = plot.spectrum({"A": np.diag(values), "B": (Q * values) @ Q.T})
    kept = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(kept["A"].get_xydata(), [[1.0, 4.0], [3.0, 1e-3]])
    np.testing.assert_array_equal(kept["A, negative"].get_xydata(), [[2.0, 2.0]])
    np.testing.assert_allclose(kept["B"].get_ydata()[:2], [4.0, 1e-3], rtol=1e-10)
    tolerance = 4 * 2.0**-52 * 4.0
    np.testing.assert_allclose(kept["tolerance"].get_ydata(), tolerance, rtol=1e-12)
    with pytest.raises(ValueError, match="H must be square"):
        plot.spectrum({"A": np.ones((2, 3))})


def test_spectrum_of_a_point_shows_its_two_matrices():
    """J = (w1 w2 - 1)² at w = 0: eigenvalues of H are 2 and -2, the GGN matrix is zero."""
    net = ggn.MLP((1, 1, 1), "identity", bias=False)
    at = ggn.linearize(net, [0.0, 0.0], [[1.0]], [[1.0]])
    ax = plot.spectrum(at)
    shown = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(shown["Hessian"], [2.0])
    np.testing.assert_allclose(shown["Hessian, negative"], [2.0])
    assert not any(name.startswith("GGN") for name in shown)


def test_along_eigen_directions_by_default():
    """The same saddle, ± (1, 1) / sqrt(2) being its eigenvectors: J(t) = (± t²/2 - 1)²."""
    net = ggn.MLP((1, 1, 1), "identity", bias=False)
    ax = plot.along(ggn.linearize(net, [0.0, 0.0], [[1.0]], [[1.0]]), points=5)
    t = ax.lines[0].get_xdata()
    np.testing.assert_allclose(ax.lines[0].get_ydata(), (t * t / 2 - 1.0) ** 2, rtol=1e-12)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), (-t * t / 2 - 1.0) ** 2, rtol=1e-12)
    assert labels(ax) == ["smallest, λ = -2", "largest, λ = 2"]


def test_along_shows_the_loss_on_each_line(at):
    N = at.net.n_weights
    V = np.eye(N)[:, [0, 4]]
    ax = plot.along(at, V, reach=0.5, points=3)
    X, Y = ggn.problems.xor()
    for v, line in zip(V.T, ax.lines, strict=False):
        truth = [np.square(at.net.forward(at.w + t * v, X) - Y).mean() for t in (-0.5, 0.0, 0.5)]
        np.testing.assert_allclose(line.get_ydata(), truth, rtol=1e-12)
    assert labels(ax) == ["direction 1", "direction 2"]
    with pytest.raises(ValueError, match=f"directions must have {N} rows"):
        plot.along(at, np.eye(2))
    with pytest.raises(ValueError, match="reach must be"):
        plot.along(at, V, reach=0.0)
    with pytest.raises(ValueError, match="reach must be"):
        plot.plane(at, *V.T, reach=1e308)


def test_plane_shows_the_loss_on_a_plane():
    """J(w) = w1² of F(2,1) without dummy units on the one sample (1, 0) with target 0."""
    net = ggn.MLP((2, 1), bias=False)
    at = ggn.linearize(net, [3.0, 0.0], [[1.0, 0.0]], [0.0])
    ax = plot.plane(at, [1.0, 0.0], [0.0, 1.0], reach=2.0, points=5)
    filled = ax.collections[0]
    np.testing.assert_allclose(filled.levels[[0, -1]], [1.0, 25.0])
    np.testing.assert_allclose(np.diff(np.log(filled.levels)), np.log(25.0) / 16.0)
    assert ax.lines[-1].get_xydata().tolist() == [[0.0, 0.0]]
    assert [other.get_ylabel() for other in ax.figure.axes if other is not ax] == ["loss J"]
    with pytest.raises(ValueError, match=r"v must have shape \(2,\)"):
        plot.plane(at, [1.0, 0.0], [1.0])
    flat = ggn.linearize(net, [0.0, 0.0], [[0.0, 0.0]], [0.0])
    with pytest.raises(ValueError, match="nowhere positive and finite"):
        plot.plane(flat, [1.0, 0.0], [0.0, 1.0])


def exact():
    """J(w) = w1² + w2² at 0, by way of targets of 1/3: at its rounding, and not at 0."""
    third = 1.0 / 3.0
    net = ggn.MLP((2, 2), bias=False)
    return ggn.linearize(net, np.ones(4) * third, [[1.0, 0.0]], [[third + 1e-16, third - 1e-16]])


def test_around_an_exact_fit_the_basin_is_shown_and_not_the_rounding():
    """Beside the point J is (1/6)² of its greatest, or more; one in 1e31 is left out."""
    at = exact()
    assert at.loss < 1e-31
    u, v = np.eye(4)[[0, 2]]
    ax = plot.plane(at, u, v, points=13)
    levels = ax.collections[0].levels
    np.testing.assert_allclose(levels[[0, -1]], [(1.0 / 6.0) ** 2 / 4.0, 2.0], rtol=1e-10)
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert bar.get_yticklabels()[0].get_text() == "≤ 0.0069"
    ax = plot.along(at, np.array([u, v]).T, points=13)
    for line in ax.lines[:2]:
        t, J = line.get_xydata().T
        truth = np.where(np.abs(t) > 1e-9, t * t, (1.0 / 6.0) ** 2 / 4.0)
        np.testing.assert_allclose(J, truth, rtol=1e-10)
    assert ax.get_ylabel() == "loss J, 0.007 where less"


def test_a_valley_as_flat_as_rounding_is_drawn_beside_a_steep_line():
    """The sample has no second input: J stays at its rounding along the weights of that."""
    at = exact()
    ax = plot.along(at, np.eye(4)[:, :2], points=13)
    steep, flat = (line.get_ydata() for line in ax.lines[:2])
    assert np.ptp(flat) == 0.0
    assert 1e-9 < flat[0] / np.median(steep) < 1e-7
    both = plot.plane(at, *(1e-3 * np.eye(4)[[1, 3]]), points=5)  # flat all over
    both.figure.canvas.draw()
    assert both.collections[0].levels[0] < 1e-28


def test_a_minimum_that_is_not_exact_is_shown_as_it_is():
    """J = (1 - w)² + 1 at w = 1: nothing is cut."""
    net = ggn.MLP((1, 2), bias=False)
    ax = plot.along(ggn.linearize(net, [1.0, 0.0], [[1.0]], [[1.0, 1.0]]), [[1.0], [0.0]], points=5)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2.0, 1.25, 1.0, 1.25, 2.0])
    assert ax.get_ylabel() == "loss J"


@pytest.mark.parametrize("draw", [plot.along, plot.spectrum, lambda at: plot.plane(at, [1], [1])])
def test_a_surface_needs_data_and_says_how_they_are_given(draw, fit):
    with pytest.raises(ValueError, match=r"must be a Linearization, got .*\.linearize\(X, Y\)"):
        draw(fit[1])


def test_plane_leaves_out_what_is_not_finite():
    net = ggn.MLP((1, 2), output_activation="exponential", bias=False)
    at = ggn.linearize(net, [0.0, 0.0], [[1.0]], [[3.0, 3.0]])
    ax = plot.plane(at, [1.0, 0.0], [0.0, 1.0], reach=1000.0, points=5)
    assert np.isfinite(ax.collections[0].levels).all()


def test_singular_values_are_cut_at_the_tolerance():
    found = numerical_rank(np.diag([3.0, 2.0, 1e-30]))
    ax = plot.singular_values(found)
    kept, cut, tolerance = ax.lines
    np.testing.assert_array_equal(kept.get_xydata(), [[1.0, 3.0], [2.0, 2.0]])
    np.testing.assert_array_equal(cut.get_xydata(), [[3.0, 1e-30]])
    assert set(tolerance.get_ydata()) == {found.tolerance}
    assert ax.get_title().startswith("rank 2 of 3 x 3")
    assert labels(ax) == ["kept", "cut", "tolerance"]


def test_a_figure_needs_no_pyplot(tmp_path):
    with plot.figure(1, 2) as (picture, axes):
        plot.predicted([1.0], [2.0], ax=axes[0, 1])
    picture.savefig(tmp_path / "a.png")
    assert plt.get_fignums() == []
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_drawn_and_where(fit, at):
    with pytest.raises(ValueError, match=r"^found must be a NumericalRank, got 3$"):
        plot.singular_values(3)
    for source in ({}, {"G": np.empty((0, 0))}):
        with pytest.raises(ValueError, match=r"^source must hold matrices of at least one row"):
            plot.spectrum(source)
    wide = np.lib.stride_tricks.as_strided(np.zeros(1), (2**40,), (0,))
    with pytest.raises(ValueError, match=r"^ax must be 2 axes, one per target, got "):
        plot.correlations(*series(), ax=wide)
    with pytest.raises(ValueError, match=r"^label must be a str, got "):
        plot.history(fit[1], label=np.ones(3))
    for points in (2**62, 2**40):
        with pytest.raises(ValueError, match=r"^points must be at most .*, which memory holds"):
            plot.along(at, points=points)
        with pytest.raises(ValueError, match=r"^points must be at most .*, which memory holds"):
            plot.plane(at, *np.eye(at.net.n_weights)[:2], points=points)
        with pytest.raises(ValueError, match=r"^points must be at most .*, which memory holds"):
            plot.decision_regions(fit[1], *ggn.problems.xor(), points=points)
    with pytest.raises(ValueError, match=r"^lags must be less than the samples, 120, got 120$"):
        plot.correlations(*series(), lags=120)
    with pytest.raises(ValueError, match=r"^ahead must be a sequence of integers, got 3$"):
        plot.horizons(*series(), ahead=3)
    with pytest.raises(ValueError, match=r"^fields must name at least one of loss, .*, got none$"):
        plot.history(fit[1], fields=())
    with pytest.raises(ValueError, match=r"^fields must be names of them, got 3$"):
        plot.history(fit[1], fields=3)
    for ax in (3, "text", np.ones(2)[0], plt):
        with pytest.raises(ValueError, match=r"^ax must be None or an Axes, got "):
            plot.history(fit[1], ax=ax)
        with pytest.raises(ValueError, match=r"^ax must be None or an Axes, got "):
            plot.predicted([1.0], [2.0], ax=ax)


def test_without_matplotlib_one_sentence_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def no_matplotlib(name, *args, **options):
        if name.split(".")[0] in {"matplotlib", "cycler"}:
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    for module in ("matplotlib", "cycler"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(ImportError, match=r"^pictures need matplotlib: pip install ggn\[plot\]$"):
        plot.predicted([1.0], [2.0])
