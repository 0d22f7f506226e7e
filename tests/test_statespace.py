"""State-space models: exact derivatives through time, recovery, missing data, bad input."""

import pickle
import re

import numpy as np
import pytest
from reference_statespace import jacobian
from statespace_campaign import covered, of_seed, random_problem, recovered, standard
from statespace_data import bouc_wen, known, outputs, wiener_hammerstein

import ggn
from ggn.recurrent import StateSpace
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.recurrent.statespace_symmetry import invariant_directions
from ggn.recurrent.subspace import subspace


@pytest.mark.parametrize("seed", range(25))
def test_jacobian_gradient_and_matrix_are_the_oracles(seed):
    assert max(of_seed(seed)) <= 1e-11


@pytest.mark.parametrize("loss", ["squared", "cauchy", "smooth_lp", "blake_zisserman"])
@pytest.mark.parametrize("seed", [3, 4, 12])
def test_products_and_hessian_agree_with_differences(seed, loss):
    model, w, Us, Ys = random_problem(seed)
    objective = StateSpaceObjective(model, Us, Ys, loss, l2=0.05)
    at, rng = objective.at(w), np.random.default_rng(0)
    G, v, h = at.normal_matrix(psd=True), rng.normal(size=len(w)), 1e-6
    size = np.abs(G).max()
    assert np.abs(at.operator() @ v - G @ v).max() <= 1e-12 * size * len(w)
    assert np.abs(at.normal_diagonal() - G.diagonal()).max() <= 1e-12 * size
    B, r = at.root()
    assert np.abs(B @ B.T + 0.1 * np.eye(len(w)) - G).max() <= 1e-12 * size
    assert np.abs(B @ r + 0.1 * w - at.gradient).max() <= 1e-12 * np.abs(at.gradient).max()
    assert np.abs(at.bend(v) - B @ at.bend_columns(v)).max() <= 1e-11 * np.abs(at.bend(v)).max()
    slope = (objective.at(w + h * v).gradient - objective.at(w - h * v).gradient) / (2.0 * h)
    Hv = at.hessian_operator() @ v
    assert np.abs(Hv - slope).max() <= 1e-7 * np.abs(slope).max()
    assert np.abs(at.hessian() @ v - Hv).max() <= 1e-12 * max(np.abs(Hv).max(), size)


def test_an_experiment_in_pieces_with_carried_state_is_the_whole():
    model, w, Us, Ys = random_problem(7)
    whole = StateSpaceObjective(model, Us, Ys).at(w)
    for size in (1, 3):
        cut = StateSpaceObjective(model, Us, Ys, chunk_size=size).at(w)
        assert cut.loss == pytest.approx(whole.loss, rel=1e-14)
        assert cut.gradient == pytest.approx(whole.gradient, rel=1e-12, abs=1e-13)
        assert cut.normal_matrix() == pytest.approx(whole.normal_matrix(), rel=1e-12, abs=1e-13)


def test_the_number_of_threads_changes_no_bit():
    rng = np.random.default_rng(0)
    model, w, Us, _ = known(rng, f=16, lengths=(9000, 7000, 9500, 3000))
    objective = StateSpaceObjective(model, Us, [rng.normal(size=(len(u), 1)) for u in Us])
    found = []
    for n in (1, 2):
        with ggn.threads(n):
            at = objective.at(w)
            found.append((at.loss, at.gradient, at.normal_matrix()))
    assert found[0][0] == found[1][0]
    assert (found[0][1] == found[1][1]).all()
    assert (found[0][2] == found[1][2]).all()


def test_missing_outputs_are_left_out():
    rng = np.random.default_rng(1)
    model, w, Us, Ys = known(rng, ny=2, lengths=(30, 20))
    Ys = [Y + rng.normal(size=Y.shape) for Y in Ys]
    Ys[0][5:8], Ys[1][3, 0] = np.nan, np.nan
    r = np.concatenate([y - f for y, f in zip(Ys, outputs(model, w, Us), strict=True)])
    J = np.nansum(r**2) / (50 - 3)
    assert StateSpaceObjective(model, Us, Ys).value(w) == pytest.approx(J, rel=1e-13)


@pytest.mark.parametrize(("nx", "nu", "ny"), [(1, 1, 1), (3, 2, 1), (4, 1, 2)])
def test_subspace_is_exact_without_noise(nx, nu, ny):
    rng = np.random.default_rng(nx)
    model = StateSpace(nu, nx, ny, initial_states=2)
    w = rng.normal(size=model.n_weights)
    parts = model.unpack(w)
    parts["A"] *= 0.9 / np.abs(np.linalg.eigvals(parts["A"])).max()
    Us = [3.0 + rng.normal(size=(T, nu)) for T in (120, 90)]
    Ys = outputs(model, w, Us)
    Ys[0][40:43] = np.nan
    linear, found, values = subspace(Us, Ys, nx)
    assert StateSpaceObjective(linear, Us, Ys).value(found) <= 1e-22 * np.nanvar(Ys[0])
    poles = [np.sort_complex(np.linalg.eigvals(m["A"])) for m in (parts, linear.unpack(found))]
    assert np.abs(poles[0] - poles[1]).max() <= 1e-9
    assert values[nx] <= 1e-9 * values[0]


def test_weights_of_the_data_are_found_again():
    ends = [recovered(seed, window=None) for seed in range(8)]
    assert sum(J < 1e-20 for J, _, _ in ends) >= 7


def test_windows_bring_a_start_that_diverges_home():
    _, model, w, Us, Ys = standard(0, lengths=(300,))
    parts = model.unpack(w.copy())
    parts["A"] += 1.2 * np.eye(2)
    w0 = model.pack(parts)
    plain = ggn.statespace(Us, Ys, 2, w0=w0, f=model.f, max_iter=20)
    assert plain.status is ggn.Status.BAD_START or plain.fun > 1e3
    fit = ggn.statespace(Us, Ys, 2, w0=w0, f=model.f, window=8, max_iter=100)
    assert fit.fun < 1e-20


def test_a_run_that_diverges_is_a_status_and_never_nan():
    u = np.random.default_rng(0).normal(size=400)
    model = StateSpace(1, 1, 1)
    w = model.pack({"A": [[9.0]], "B": [[1.0]], "C": [[1.0]]})
    fit = ggn.statespace(u, u, 1, w0=w, f=None, max_iter=10)
    assert fit.status is ggn.Status.BAD_START
    assert np.isfinite(fit.w).all()


def test_bounds_hold_as_often_as_they_say():
    shares = np.mean([covered(seed, T=600) for seed in (0, 1, 2)], axis=0)
    assert 0.75 <= shares[0] <= 1.0
    assert 0.87 <= shares[1] <= 0.93


@pytest.mark.parametrize("make", [wiener_hammerstein, bouc_wen])
def test_networks_beat_the_linear_model_on_new_data(make):
    u, y = make(np.random.default_rng(0), 1600)
    fit = ggn.statespace(u[:1000], y[:1000], 3, f=6, max_iter=40)
    linear = ggn.statespace(u[:1000], y[:1000], 3, f=None)
    errors = []
    for found in (fit, linear):
        x0 = found.initial_state(u[1000:1100], y[1000:1100])
        run = found.simulate(u[1000:], x0=x0)[:, 0]
        errors.append(np.sqrt(np.mean((run - y[1000:])[100:] ** 2)))
    assert linear.fun <= fit.history.loss[0] * (1.0 + 1e-9)
    assert errors[0] < 0.3 * errors[1]


def test_the_evidence_finds_the_noise():
    rng, model, _, Us, Ys = standard(3, lengths=(150, 100), f=2)
    noisy = [Y + 0.1 * rng.normal(size=Y.shape) for Y in Ys]
    fit = ggn.statespace(Us, noisy, 2, f=6, l2="evidence", max_iter=150)
    plain = ggn.statespace(Us, noisy, 2, f=6, max_iter=150)
    assert 0.08 < fit.noise_std < 0.12
    assert 8.0 < fit.effective_parameters < model.n_weights + 10.0
    errors = [
        sum(float(np.square(run - Y).sum()) for run, Y in zip(found.simulate(), Ys, strict=True))
        for found in (fit, plain)
    ]
    assert errors[0] < errors[1]


def test_elmans_network_is_a_case():
    rng = np.random.default_rng(0)
    f = ggn.MLP((4, 3), output_activation="tanh")
    model = StateSpace(1, 3, 1, f=f, linear=False, feedthrough=False)
    assert list(model.unpack(np.zeros(model.n_weights))) == ["f", "C", "o", "x0"]
    w = 0.5 * rng.normal(size=model.n_weights)
    u = rng.normal(size=(300, 1))
    y = outputs(model, w, [u])[0]
    fit = ggn.statespace(u, y, 3, f=f, linear=False, feedthrough=False)
    assert fit.fun < 1e-4 * y.var()


def test_invariant_directions_move_no_output():
    for seed in range(12):
        model, w, Us, _ = random_problem(seed)
        K, P = invariant_directions(model, w), jacobian(model, w, Us)
        if K.size:
            assert np.abs(P @ K).max() <= 1e-12 * np.abs(P).max()


def test_what_a_fit_knows():
    _, model, w, Us, Ys = standard(0)
    fit = ggn.statespace(Us, Ys, 2, w0=w, f=model.f)
    assert "window" not in repr(fit)
    runs = fit.simulate()
    assert np.abs(runs[1] - Ys[1]).max() < 1e-10
    again = fit.simulate(Us, x0=fit.initial_states)
    assert (again[0] == runs[0]).all()
    x0 = fit.initial_state(Us[0], Ys[0])
    assert x0 == pytest.approx(fit.initial_states[0], abs=1e-6)
    ahead = fit.predict(Us[0], Ys[0], horizon=5)
    assert np.isnan(ahead[:20]).all()
    assert np.abs(ahead[20:] - Ys[0][20:]).max() < 1e-5
    assert fit.stability.stable
    assert str(ggn.diagnose(fit, Us, Ys)) == str(fit.diagnose())
    with pytest.raises(ValueError, match="must be the series that were fitted"):
        ggn.diagnose(fit, Us, [2.0 * y for y in Ys])
    with pytest.raises(ValueError, match="must be the series that were fitted"):
        ggn.diagnose(fit, Us[0][:50], Ys[0][:50])
    assert str(fit.stability).startswith("Runs from different starts come together")
    assert len(fit.poles()) == 2
    loaded = pickle.loads(pickle.dumps(fit))
    assert (loaded.simulate(Us[0]) == fit.simulate(Us[0])).all()
    on = ggn.statespace(Us, Ys, 2, w0=fit, f=model.f, max_iter=3)
    assert on.fun <= 1e-20


@pytest.mark.parametrize("step", ["conjugate_gradient", "minimum_norm", "gradient"])
def test_other_steps_and_losses(step):
    _, model, w, Us, Ys = standard(2, lengths=(60, 70))
    fit = ggn.statespace(Us, Ys, 2, "cauchy", w0=w + 0.01, f=model.f, step=step, max_iter=15)
    assert fit.fun < fit.history.loss[0]


U = np.random.default_rng(0).normal(size=30)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((U[:20], U, 1), {}, "U must have as many samples as Y, 30, got 20"),
        (([U, U], [U, U[:9]], 1), {}, "as many samples as Y, 9, got 30 in series 1"),
        (([U], [U, U], 1), {}, "U must have as many series as Y, 2, got 1"),
        ((np.where(U > 1, np.nan, U), U, 1), {}, "U must be finite, got nan at"),
        ((U, np.full(30, np.nan), 1), {}, "Y must have some output, got nan only"),
        ((U, np.where(U > 1, np.inf, U), 1), {}, "Y must be finite or NaN, got inf at"),
        (([1.0], [1.0], 1), {}, "Y must have at least 2 samples"),
        ((np.ones(30), U, 1), {}, "U must vary in each column, got 1 throughout column 0"),
        ((U, U, 30), {}, "n_states must be less than the outputs given, 30, got 30"),
        ((U, U, 0), {}, "n_states must be an integer of at least 1, got 0"),
        ((U, U, 1), {"f": "tanh"}, "f must be hidden units, an MLP or None"),
        ((U, U, 1), {"f": ggn.MLP((3, 2, 1))}, "f must have 2 inputs"),
        ((U, U, 1), {"f": None, "linear": False}, "f must move the state"),
        ((U, U, 1), {"w0": [1.0]}, "w0 must have shape"),
        (
            (U, U, 1),
            {"step": "dual"},
            "step must be one that a free run can take",
        ),
        ((U, np.stack([U, U * np.nan], 1), 1), {}, "Y must have some output in column 1, got nan"),
        ((U, U, 1), {"l2": "evidence", "loss": "cauchy"}, "l2 must be numbers where the loss"),
        (([], U, 1), {}, "U must hold at least one series, got none"),
    ],
)
def test_bad_input_is_one_sentence(arguments, options, said):
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        ggn.statespace(*arguments, **options)
    assert "\n" not in str(error.value)
