"""Fits through time at a penalty, by evidence, robust, weighted, and with series held out."""

import re

import numpy as np
import pytest
from test_narx import LAGS, system

import ggn
from ggn.recurrent.chosen_by_data import Given
from ggn.recurrent.series import Series
from ggn.recurrent.units import ScaledLoss

OFF = 40.0  # a mean far from zero


def noisy(T, seed=0, noise=0.1):
    u, y = system(T, seed)
    return u + OFF, y - OFF, noise * np.random.default_rng(seed + 50).normal(size=T)


def by_hand(fit, u, y):
    """The units of a fit and its penalty there, from the data alone."""
    mean, size = y.mean(), y.std()
    Ws = [W.copy() for W in fit.net.unpack(fit.w)]
    m = np.array([mean, mean, u.mean()])
    s = np.array([size, size, u.std()])
    Ws[0][-1] += m @ Ws[0][:-1]
    Ws[0][:-1] *= s[:, np.newaxis]
    Ws[-1][-1] -= mean
    Ws[-1] /= size
    return size, fit.l2 * sum(np.sum(W * W) for W in Ws)


@pytest.mark.parametrize("free_run", [True, False])
def test_a_penalty_is_one_of_weights_in_standard_units_and_its_fit_ends_where_j_is_least(free_run):
    u, y, e = noisy(150)
    y = y + e
    fit = ggn.narx(u, y, hidden=3, l2=0.01, free_run=free_run, **LAGS)
    size, penalty = by_hand(fit, u, y)
    assert fit.as_model().l2 is None
    run = fit.simulate(u, y) if free_run else fit.predict(u, y)
    assert fit.fun == pytest.approx(np.mean((run - y)[2:] ** 2) + size**2 * penalty, rel=1e-8)
    units = fit._units(Series(u, y))
    here, w = units.at(fit.w), fit.w
    assert np.abs(units.objective.at(units.own(w)).gradient).max() < 1e-6
    v = np.cos(np.arange(len(w))) / 100.0
    difference = (units.at(w + 1e-4 * v).loss - units.at(w - 1e-4 * v).loss) / 2e-4
    assert here.gradient @ v == pytest.approx(difference, abs=1e-7 * size**2)
    # a quadratic form: differences of second order are exact
    bare = fit._units(Series(u, y)).given
    penalties = [units.at(w + t * v).loss - bare.value(w + t * v) for t in (-1.0, 0.0, 1.0)]
    own = units.own(w + v) - units.own(w)
    assert 2.0 * units.loss(1.0) * float(own @ (own * 0.01)) == pytest.approx(
        penalties[0] - 2.0 * penalties[1] + penalties[2], rel=1e-6
    )
    # units of the data do not matter
    other = ggn.narx(3.0 * u + 7.0, 100.0 * y - 5.0, hidden=3, l2=0.01, free_run=free_run, **LAGS)
    assert other.fun == pytest.approx(1e4 * fit.fun, rel=1e-6)


def test_one_step_ahead_the_evidence_is_that_of_train_bayesian():
    u, y, e = noisy(150)
    y = y + e
    net, size = ggn.MLP((3, 4, 1)), y.std()
    m, s = np.array([y.mean(), y.mean(), u.mean()]), np.array([size, size, u.std()])
    Z = (np.stack([y[1:-1], y[:-2], u[1:-1]], axis=1) - m) / s
    begin = net.initial_weights(1, "fan_in")
    found = ggn.train_bayesian(net, Z, (y[2:] - y.mean()) / size, w0=begin, max_iter=300)
    Ws = [W.copy() for W in net.unpack(begin)]  # the same start in the units of the data
    Ws[0][:-1] /= s[:, np.newaxis]
    Ws[0][-1] -= m @ Ws[0][:-1]
    Ws[1] *= size
    Ws[1][-1] += y.mean()
    options = {"hidden": 4, "l2": "evidence", "w0": net.pack(Ws), "max_iter": 300, **LAGS}
    fit = ggn.narx(u, y, free_run=False, **options)
    assert fit.l2 == pytest.approx(found.l2, rel=1e-3)
    assert fit.log_evidence == pytest.approx(found.log_evidence, abs=1e-3)
    assert fit.effective_parameters == pytest.approx(found.effective_parameters, rel=1e-3)
    assert fit.fun == pytest.approx(size**2 * found.fun, rel=1e-5)


def test_the_evidence_of_a_free_run_holds_a_large_model_back():
    u, y, e = noisy(120, noise=0.3)
    fresh_u, fresh, _ = noisy(300, seed=9)
    options = {"hidden": 12, "max_iter": 60, **LAGS}
    fit = ggn.narx(u, y + e, l2="evidence", n_starts=2, **options)
    alone = ggn.narx(u, y + e, l2="evidence", **options)
    assert fit.log_evidence >= alone.log_evidence
    plain = ggn.narx(u, y + e, **options)

    def error(f):
        return np.sqrt(np.nanmean((f.simulate(fresh_u, fresh) - fresh) ** 2))

    assert error(fit) < 0.5 * error(plain)
    assert 2.0 < fit.effective_parameters < 0.5 * fit.net.n_weights
    assert 0.2 < fit.noise_std[0] < 0.4
    low, high = fit.intervals(u, y + e)
    assert 0.8 < np.mean((low < y + e) & (y + e < high)) <= 1.0
    assert "verdict" in str(ggn.diagnose(fit, u, y + e))


def with_outliers(T=150, every=12):
    u, y, e = noisy(T, noise=0.05)
    y = y + e
    y[5::every] += 15.0
    return u, y


def test_a_robust_scale_is_chosen_in_free_run_and_follows_the_units():
    u, y = with_outliers()
    true = noisy(150)[1]
    options = {"hidden": 2, "robust": True, "max_iter": 100, **LAGS}
    fit = ggn.narx(u, y, "cauchy", **options)
    assert 0.03 < float(fit.noise_std[0]) < 0.08
    start = true[:2]
    assert np.abs(fit.simulate(u, start) - true)[10:].max() < 0.1
    squared = ggn.narx(u, y, hidden=2, max_iter=100, **LAGS)
    assert np.abs(squared.simulate(u, start) - true)[10:].max() > 1.0
    assert fit.loss.scale == pytest.approx(fit.scale)
    other = ggn.narx(u, 1e3 * y, "cauchy", **options)
    assert other.scale == pytest.approx(1e3 * fit.scale, rel=1e-2)
    run = fit.simulate(u, y)
    J = np.mean(fit.loss.value((run - y)[2:, np.newaxis], np.zeros((148, 1))))
    assert fit.fun == pytest.approx(J, rel=1e-6)
    several = ggn.narx(u, y, "cauchy", n_starts=2, **options)
    assert several.scale == pytest.approx(fit.scale, rel=0.2)


def test_a_state_space_model_is_robust_too():
    rng = np.random.default_rng(0)
    u, y, x = rng.normal(size=150), np.empty(150), 0.0
    for k in range(150):
        y[k] = x
        x = 0.7 * x + np.tanh(u[k])
    measured = y + 0.02 * rng.normal(size=150)
    measured[7::10] += 20.0
    measured[40:44] = np.nan
    fit = ggn.statespace(u, measured, 1, "cauchy", f=2, robust=True, max_iter=60)
    run = fit.simulate(u, x0=fit.initial_states[0])[:, 0]
    assert np.abs(run - y).max() < 0.1
    assert 0.01 < fit.noise_std < 0.05
    seen = np.isfinite(measured)
    values = fit.loss.value((run - measured)[seen, np.newaxis], np.zeros((seen.sum(), 1)))
    assert fit.fun == pytest.approx(values.mean(), rel=1e-8)


def test_weights_count_series_as_often_as_they_say():
    pairs = [system(n, seed) for seed, n in enumerate([60, 50])]
    U, Y = [u for u, _ in pairs], [y + 0.1 * np.sin(9.0 * u) for u, y in pairs]
    options = {"hidden": 2, "max_iter": 8, **LAGS}
    start = ggn.narx(U, Y, **options)
    twice = ggn.narx([U[0], U[1], U[1]], [Y[0], Y[1], Y[1]], w0=start, **options)
    s = np.repeat([1.0, 2.0], [60, 50])
    weighted = ggn.narx(U, Y, w0=start, sample_weight=s, **options)
    units = weighted._units(Series(U, Y))
    other = twice._units(Series([U[0], U[1], U[1]], [Y[0], Y[1], Y[1]]))
    a, b = units.given.at(start.w), other.given.at(start.w)
    np.testing.assert_allclose(a.loss, b.loss, rtol=1e-13)
    np.testing.assert_allclose(a.gradient, b.gradient, atol=1e-12 * np.abs(b.gradient).max())
    G = b.normal_matrix()
    np.testing.assert_allclose(a.normal_matrix(), G, atol=1e-12 * np.abs(G).max())
    assert np.isfinite(weighted.intervals(U[0], Y[0])).all()
    # what counts nothing may be anything
    spoilt = [Y[0], Y[1].copy()]
    spoilt[1][30:] += 1e3
    s = np.concatenate([np.ones(60), np.ones(32), np.zeros(18)])
    whole = np.concatenate([np.ones(92), np.zeros(18)])
    J = [
        ggn.narx(U, y, sample_weight=w, w0=start, hidden=2, max_iter=0, **LAGS).fun
        for y, w in ((Y, whole), (Y, s))
    ]
    assert J[0] == J[1]
    runs = start.simulate(U, [y[:2] for y in Y])
    r = np.concatenate([(run - y)[2:] for run, y in zip(runs, Y, strict=True)])
    kept = np.concatenate([s[2:60], s[62:]]) > 0
    assert J[0] == pytest.approx(np.mean(r[kept] ** 2), rel=1e-10)


@pytest.mark.parametrize("free_run", [True, False])
def test_series_held_out_choose_the_iterate(free_run):
    u, y, e = noisy(80, noise=0.3)
    held_u, held, _ = noisy(100, seed=3)
    seen = []
    fit = ggn.narx(
        u, y + e, hidden=4, validation=(held_u, held), patience=4, free_run=free_run,
        callback=lambda w: seen.append(w.copy()), **LAGS,
    )  # fmt: skip
    assert fit.status is ggn.Status.VALIDATION
    assert len(fit.validation_losses) - 1 - fit.kept == 4
    assert fit.validation_losses[fit.kept] == fit.validation_losses.min()
    run = fit.simulate(held_u, held) if free_run else fit.predict(held_u, held)
    V = np.mean((run - held)[2:] ** 2)
    assert pytest.approx(V, rel=1e-8) == fit.validation_losses[fit.kept]
    assert fit.kept > 0
    own = seen[-(len(fit.validation_losses) - 1) :]
    assert np.array_equal(fit.w, own[fit.kept - 1])


def test_the_kernel_matrix_of_a_loop_has_the_eigenvalues_of_the_normal_matrix():
    u, y, e = noisy(12)
    fit = ggn.narx(u, y + e, hidden=3, max_iter=2, **LAGS)
    at = fit._units(Series(u, y + e)).objective.at(fit._units(Series(u, y + e)).own(fit.w))
    K, G = at.kernel_matrix(), at.normal_matrix()
    n = min(len(K), len(G))
    found, wanted = np.linalg.eigvalsh(K)[-n:], np.linalg.eigvalsh(G)[-n:]
    np.testing.assert_allclose(found, wanted, atol=1e-11 * wanted[-1])
    # fewer numbers than weights: the evidence is that of the kernel matrix
    assert np.isfinite(ggn.narx(u, y + e, hidden=3, l2="evidence", max_iter=30, **LAGS).l2)


@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_a_loop_has_the_root_that_steps_of_least_norm_are_made_of(loss):
    u, y, e = noisy(40)
    y = np.stack([y + e, 0.5 * y], axis=1)
    fit = ggn.narx(u, y, loss, hidden=3, max_iter=2, output_lags=2, input_lags=[1])
    units = fit._units(Series(u, y))
    at = units.objective.at(units.own(fit.w))
    B, r = at.root()
    G = at.normal_matrix(psd=True)
    np.testing.assert_allclose(B @ B.T, G, atol=1e-12 * np.abs(G).max())
    np.testing.assert_allclose(B @ r, at.gradient, atol=1e-12 * np.abs(at.gradient).max())
    d = 0.1 * np.cos(np.arange(len(at.w)))
    bent = at.bend(d)
    np.testing.assert_allclose(B @ at.bend_columns(d), bent, atol=1e-11 * np.abs(bent).max())


def test_the_step_of_least_norm_is_the_primal_one_where_both_can_be_had():
    u, y, e = noisy(60)
    options = {"hidden": 2, "tol": 0.0, **LAGS}
    start = ggn.narx(u, y + e, max_iter=5, **options)
    ends = [
        ggn.narx(u, y + e, w0=start.w, step=step, max_iter=2, **options).w
        for step in ("primal", "minimum_norm")
    ]
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-6)


def test_a_start_that_diverges_is_never_the_best():
    fits = [ggn.fit.result.TrainResult(fun=J) for J in (np.nan, 2.0, 1.0, np.inf)]
    assert Given().best(None, fits) == 2


def test_units_of_states_exchange_penalty_and_loss():
    fit = ggn.statespace(*noisy(60)[:2], 1, f=2, max_iter=2)
    units = ScaledLoss(fit.objective, 3.0)
    under = units.under(0.5, ggn.losses.SmoothLp(1.0, 0.2))
    assert (units.factor, under.factor) == (9.0, 3.0)
    J = units.under(0.0, under.objective.loss).objective.value(fit.w)
    assert under.objective.value(fit.w) == pytest.approx(J + 0.5 * fit.w @ fit.w, rel=1e-13)


u20, y20 = system(20)


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ("l2 must be numbers where the loss is not squared", {"l2": "evidence", "loss": "cauchy"}),
        ("l2 must be one of", {"l2": "evident"}),
        ("loss must have a scale where robust is True", {"robust": True}),
        ("loss_target must be left out", {"l2": "evidence", "loss_target": 0.1}),
        ("loss_target must be left out", {"robust": True, "loss": "cauchy", "loss_target": 0.1}),
        ("robust must be", {"robust": "yes", "loss": "cauchy"}),
        ("sample_weight must have", {"sample_weight": np.ones(19)}),
        ("sample_weight must", {"sample_weight": -np.ones(20)}),
        ("validation must be (U, Y)", {"validation": u20}),
        ("validation must be left out where", {"validation": (u20, y20), "l2": "evidence"}),
        ("validation must be series as the fit's: U must have", {"validation": (None, y20)}),
        ("validation must be series as the fit's: Y must have", {"validation": (u20[:2], y20[:2])}),
        ("patience stops by series held out", {"patience": 3}),
        ("patience must be an integer", {"validation": (u20, y20), "patience": 0}),
        ("l2 must", {"l2": -1.0}),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(said, options):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}") as caught:
        ggn.narx(u20, y20, hidden=2, max_iter=1, **{**LAGS, **options})
    assert "\n" not in str(caught.value)


def test_the_noise_of_a_robust_fit_leaves_outliers_out_with_starts_free_too():
    rng = np.random.default_rng(0)
    u, y = rng.uniform(-1.0, 1.0, 400), np.zeros(400)
    for k in range(1, 400):
        y[k] = 0.7 * y[k - 1] + u[k - 1]
    y += 0.1 * rng.standard_normal(400)
    y[::20] += 30.0
    fit = ggn.narx(
        u, y, output_lags=1, input_lags=[1], hidden=0, robust=True, loss="cauchy", free_start=True
    )
    assert 0.08 < fit.noise_std[0] < 0.15
