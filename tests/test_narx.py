"""`ggn.narx`: fits of series, in free run and one step ahead."""

import pickle
import re

import numpy as np
import pytest

import ggn
from ggn.recurrent.bridge import FAIR
from ggn.recurrent.lags import Lags
from ggn.recurrent.series import Series


def system(T, seed=0, start=0.0):
    """A stable nonlinear system, its input and output."""
    rng = np.random.default_rng(seed)
    u, y = rng.uniform(-1.0, 1.0, T), np.full(T, start)
    for k in range(2, T):
        y[k] = 0.5 * y[k - 1] - 0.3 * y[k - 2] + np.tanh(u[k - 1] + 0.5 * y[k - 1])
    return u, y


LAGS = {"output_lags": 2, "input_lags": [1]}


@pytest.fixture(scope="module")
def fit():
    return ggn.narx(*system(400), hidden=3, max_iter=60, **LAGS)


def test_a_free_run_follows_the_system(fit):
    u, y = system(300, seed=9)
    assert fit.fun < 1e-8
    assert fit.stages[0].horizon == 1
    assert fit.stages[-1].horizon is None
    assert np.abs(fit.simulate(u, y[:2]) - y).max() < 1e-3
    assert np.array_equal(fit.simulate(u, y), fit.simulate(u, y[:2]))
    assert np.abs(fit.predict(u, y) - y)[2:].max() < 1e-3
    assert np.isnan(fit.predict(u, y)[:2]).all()


def test_j_is_the_mean_square_of_the_free_run():
    u, y = system(200)
    y = y + 0.1 * np.random.default_rng(1).normal(size=200)
    fit = ggn.narx(u, y, hidden=2, max_iter=20, **LAGS)
    run = fit.simulate(u, y)
    assert fit.fun == pytest.approx(np.mean((run - y)[2:] ** 2), rel=1e-9)
    ahead = ggn.narx(u, y, hidden=2, max_iter=20, free_run=False, **LAGS)
    error = (ahead.predict(u, y) - y)[2:]
    assert ahead.fun == pytest.approx(np.mean(error**2), rel=1e-9)
    # each is best at its own
    assert fit.fun < np.mean((ahead.simulate(u, y) - y)[2:] ** 2)
    assert ahead.fun < np.mean((fit.predict(u, y) - y)[2:] ** 2)


def test_one_step_ahead_is_the_ordinary_fit_of_the_matrix_of_lags():
    u, y = system(150)
    fit = ggn.narx(u, y, hidden=2, max_iter=30, free_run=False, **LAGS)
    Z = np.stack([y[1:-1], y[:-2], u[1:-1]], axis=1)
    at = ggn.linearize(fit.net, fit.w, Z, y[2:])
    assert at.loss == pytest.approx(fit.fun, rel=1e-9)


def test_predictions_of_a_horizon_begin_at_what_was_measured(fit):
    u, y = system(60, seed=4)
    y[30] = np.nan
    for h in (1, 2, 5):
        got = fit.predict(u, y, horizon=h)
        for i in range(60):
            known = i - h + 1  # the first sample of the run
            span = slice(known - 2, known)
            first = 2 if i < 30 else 33
            if known < first or i == 30 or (i > 30 and known < 33):
                assert np.isnan(got[i])
            else:
                run = fit.simulate(u[span.start : i + 1], y[span])
                assert got[i] == pytest.approx(run[-1], rel=1e-12)
    whole = fit.predict(u, y, horizon=None)
    assert np.isnan(whole[[0, 1, 30, 31, 32]]).all()
    np.testing.assert_allclose(whole[2:30], fit.simulate(u[:30], y[:2])[2:], rtol=1e-12)
    np.testing.assert_allclose(whole[33:], fit.simulate(u[31:], y[31:33])[2:], rtol=1e-12)


def test_missing_samples_end_a_window_and_are_never_bridged():
    u, y = np.arange(20.0), 100.0 + np.arange(20.0)
    y[7], u[14] = np.nan, np.nan
    series = Series(u, y)
    lags = Lags([1, 3], [0, 2], 1, 1)
    Z, T, windows, (place,) = series.samples(lags)
    expected = [3, 4, 5, 6, 9, 11, 12, 13, 15, 17, 18, 19]
    # a sample is there where it and all its lags are
    assert place.tolist() == [i for i in expected if not {i - 1, i - 3} & {7} and i != 14]
    assert np.isfinite(Z).all()
    assert np.isfinite(T).all()
    for first, n in zip(windows.first, windows.length, strict=True):
        assert (np.diff(place[first : first + n]) == 1).all()
    assert windows.length.sum() == len(place)


def test_several_series_are_windows_of_one_fit():
    pairs = [system(n, seed) for seed, n in enumerate([150, 80, 120])]
    U, Y = [u for u, _ in pairs], [y for _, y in pairs]
    fit = ggn.narx(U, Y, hidden=3, max_iter=40, **LAGS)
    assert fit.fun < 1e-6
    runs = fit.simulate(U, [y[:2] for y in Y])
    assert [len(r) for r in runs] == [150, 80, 120]
    error = np.concatenate([(r - y)[2:] for r, y in zip(runs, Y, strict=True)])
    assert fit.fun == pytest.approx(np.mean(error**2), rel=1e-6)
    found = fit.predict(U, Y, horizon=3)
    assert [len(f) for f in found] == [150, 80, 120]


def test_several_inputs_and_outputs():
    rng = np.random.default_rng(0)
    U, Y = rng.normal(size=(300, 2)), np.zeros((300, 2))
    for k in range(1, 300):
        a, b = Y[k - 1]
        Y[k] = 0.5 * a + 0.2 * b + np.sin(U[k, 0]), 0.3 * b - 0.2 * a + U[k - 1, 1]
    fit = ggn.narx(U, Y, output_lags=1, input_lags=[[0], [1]], hidden=8, max_iter=40)
    assert fit.lags.columns(["a", "b"], ["u", "v"]) == ["a(k-1)", "b(k-1)", "u(k)", "v(k-1)"]
    assert fit.simulate(U, Y[:1]).shape == (300, 2)
    assert np.abs(fit.simulate(U, Y[:1]) - Y).max() < 0.05
    low, high = fit.intervals(U, Y[:1])
    assert low.shape == (300, 2)
    assert (low <= high).all()


def test_a_model_without_inputs_runs_on():
    y = np.empty(200)
    y[0] = 0.3
    for k in range(1, 200):
        y[k] = 0.9 * np.sin(2.0 * y[k - 1])
    fit = ggn.narx(None, y, output_lags=1, hidden=4, max_iter=60, free_run=False)
    run = fit.simulate(50, y[:1])
    assert run.shape == (50,)
    assert run[:5] == pytest.approx(y[:5], abs=1e-3)


def test_units_do_not_matter():
    u, y = system(200)
    a = ggn.narx(u, y, hidden=3, max_iter=15, **LAGS)
    b = ggn.narx(1e3 * u + 5e4, 1e-4 * y - 7.0, hidden=3, max_iter=15, **LAGS)
    assert b.fun == pytest.approx(1e-8 * a.fun, rel=1e-3)


def test_robust_losses_and_penalties_are_taken():
    u, y = system(200)
    y[50] += 30.0
    fit = ggn.narx(u, y, "cauchy", hidden=3, l2=1e-9, max_iter=60, **LAGS)
    clean = system(200)[1]
    squared = ggn.narx(u, y, hidden=3, max_iter=60, **LAGS)

    def error(f):
        return np.median(np.abs(f.simulate(u, clean) - clean))

    assert error(fit) < 0.3 * error(squared)


def test_the_horizon_grows_where_a_free_run_goes_astray():
    rng = np.random.default_rng(3)
    u, y = rng.uniform(-1, 1, 500), np.zeros(500)
    for k in range(2, 500):
        y[k] = 1.8 * y[k - 1] - 0.95 * y[k - 2] + 0.1 * np.tanh(3 * u[k - 1])
    measured = y + 0.2 * rng.normal(size=500)  # one step ahead is biased by it
    fit = ggn.narx(u, measured, hidden=4, max_iter=60, **LAGS)
    assert len(fit.stages) > 2
    horizons = [stage.horizon for stage in fit.stages[:-1]]
    assert horizons == sorted(horizons)
    assert np.sqrt(np.mean((fit.simulate(u, measured) - y)[100:] ** 2)) < 0.5 * y.std()
    assert FAIR < 1.0


def test_a_model_that_feeds_nothing_back_forgets_its_start():
    u, y = system(200)
    fit = ggn.narx(u, y, output_lags=0, input_lags=4, hidden=3, max_iter=10)
    assert fit.lags.feeds == ()
    assert fit.stability(u, y).exponent == -np.inf
    np.testing.assert_allclose(fit.simulate(u, y)[4:], fit.predict(u, y)[4:], rtol=1e-12)


def test_a_run_to_infinity_is_a_status_and_no_nan():
    """Weights from which no run of two samples is finite."""
    u, y = system(50)
    fit = ggn.narx(
        u, y, hidden=2, activation="exponential", w0=np.full(11, 60.0), max_iter=0, **LAGS
    )
    assert not fit.success
    assert fit.status in (ggn.Status.BAD_START, ggn.Status.DIVERGES)
    u, y = system(400)
    good = ggn.narx(u, y, hidden=2, max_iter=5, **LAGS)
    good.w[:] = 1e3
    assert isinstance(good.stability(u, y).sentence, str)


@pytest.mark.parametrize(("rate", "sign"), [(0.5, -1), (1.3, 1)])
def test_the_lyapunov_exponent_of_a_linear_system_is_known(rate, sign):
    fit = ggn.narx(*system(60), hidden=0, output_lags=[1], input_lags=[1], free_run=False)
    fit.w[:] = [rate, 0.4, 0.0]
    found = fit.stability(*system(60))
    assert found.exponent == pytest.approx(np.log(rate), rel=1e-12)
    assert np.sign(found.exponent) == sign
    assert found.stable == (sign < 0)
    assert ("come together" in str(found)) == (sign < 0)


def test_ctrl_c_ends_a_fit_with_its_last_weights():
    def stop(intermediate_result):
        if intermediate_result.nit == 2:
            raise KeyboardInterrupt

    fit = ggn.narx(*system(200), hidden=3, callback=stop, **LAGS)
    assert fit.status is ggn.Status.INTERRUPTED
    assert np.isfinite(fit.w).all()


def test_a_fit_is_gone_on_with_and_keeps():
    u, y = system(200)
    fit = ggn.narx(u, y, hidden=3, max_iter=3, **LAGS)
    on = ggn.narx(u, y, hidden=3, max_iter=30, w0=fit, **LAGS)
    assert on.fun < fit.fun
    again = pickle.loads(pickle.dumps(fit))
    assert np.array_equal(again.simulate(u, y), fit.simulate(u, y))


def test_starts_of_windows_are_fitted_where_they_are_free():
    """Noise in the first samples alone: the fit finds what they were, and so the weights."""
    pairs = [system(60, seed, start=0.4) for seed in range(5)]
    U, true = [u for u, _ in pairs], [y for _, y in pairs]
    Y = [y.copy() for y in true]
    rng = np.random.default_rng(0)
    for y in Y:
        y[:2] += rng.normal(size=2)
    fixed = ggn.narx(U, Y, hidden=3, max_iter=150, **LAGS)
    free = ggn.narx(U, Y, hidden=3, max_iter=150, free_start=True, **LAGS)
    assert free.fun < 1e-6 * fixed.fun
    assert free.starts.shape == (5, 2)
    for own, y in zip(free.starts, true, strict=True):
        np.testing.assert_allclose(own, y[[1, 0]], atol=1e-3)
    run = free.simulate(U[0], true[0])
    np.testing.assert_allclose(run, true[0], atol=1e-3)
    assert len(free.w) == free.net.n_weights
    low, high = free.intervals(U[0], true[0])
    assert (high >= low).all()
    assert np.isfinite(free.diagnose(U, Y).loss)


def test_restarts_return_the_best():
    u, y = system(120)
    single = [ggn.narx(u, y, hidden=2, max_iter=8, rng=0, **LAGS).fun]
    several = ggn.narx(u, y, hidden=2, max_iter=8, rng=0, n_starts=3, **LAGS)
    assert several.fun <= single[0]
    source = np.random.default_rng(0)
    each = [ggn.narx(u, y, hidden=2, max_iter=8, rng=source, **LAGS) for _ in range(3)]
    assert all(fit.stages[-1].horizon is None for fit in each)
    assert several.fun == min(fit.fun for fit in each)


u20, y20 = system(20)


BAD = {
    "U must have as many samples as Y, 20, got 19": (u20[:-1], y20),
    "U must have as many samples as Y, 20, got 9 in series 1": ([u20, u20[:9]], [y20, y20]),
    "U must have as many series as Y, 2, got 1": ([u20], [y20, y20]),
    "Y must have at least 2 samples, got 1": (u20[:1], y20[:1]),
    "U must vary in each column, got 1 throughout column 0": (np.ones(20), y20),
    "Y must vary in each column, got 1 throughout column 0": (u20, np.ones(20)),
    "Y must vary in each column, got NaN": (u20, np.full(20, np.nan)),
    "Y must have 3 samples in a row": (u20, np.where(np.arange(20) % 2, np.nan, y20)),
    "U must be finite or NaN, got inf at sample 5": (
        np.where(np.arange(20) == 5, np.inf, u20),
        y20,
    ),
    "Y must hold real numbers": (u20, list("abcdefghijklmnopqrst")),
}
OPTIONS = {
    "Y must have more samples than the largest lag, 25, got 20": {"output_lags": 25},
    "output_lags must name a lag": {"output_lags": 0, "input_lags": []},
    "output_lags must be an integer of at least 1, got 0": {"output_lags": [0, 1]},
    "output_lags must be an integer": {"output_lags": "two"},
    "input_lags must name each lag once": {"input_lags": [1, 1]},
    "input_lags must be one sequence for each of 1 column": {"input_lags": [[1], [2]]},
    "step must be one that a free run can take": {"step": "dual"},
    "loss must be a function of residuals": {"loss": "logistic"},
    "hidden must be an integer": {"hidden": -1},
    "n_starts must be an integer": {"n_starts": 0},
    "free_start must be False where": {"free_start": True, "free_run": False},
}


@pytest.mark.parametrize(
    ("said", "data", "options"),
    [(said, data, {}) for said, data in BAD.items()]
    + [(said, (u20, y20), options) for said, options in OPTIONS.items()],
)
def test_bad_input_is_told_in_one_sentence(said, data, options):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}") as caught:
        ggn.narx(*data, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: f.simulate(u20, y20[:1]), "y0 must have 2 samples, as many as the largest lag"),
        (
            lambda f: f.simulate(u20, np.where(np.arange(20) == 1, np.nan, y20)),
            "y0 must be finite where the run begins, got NaN at sample 1",
        ),
        (lambda f: f.simulate(u20[:1], y20), "U must have"),
        (lambda f: f.simulate(np.where(np.arange(20) == 5, np.nan, u20), y20), "U must be finite"),
        (lambda f: f.simulate(np.ones((20, 2)), y20), "U must have 1 columns"),
        (lambda f: f.predict(np.ones((20, 2)), y20), "U must have 1 columns, as trained on, got 2"),
        (lambda f: f.predict(u20, y20, horizon=0), "horizon must be"),
        (lambda f: f.simulate([u20, u20], y20[:2]), "y0 must be a list of 2"),
        (lambda f: f.intervals(u20, y20, level=1.0), "level must be"),
    ],
)
def test_bad_questions_to_a_fit_are_told(fit, call, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        call(fit)
