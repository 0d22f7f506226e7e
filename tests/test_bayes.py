"""Bayesian regularisation: closed forms where the model is linear, the oracle where it is not."""

import math
import pickle
import warnings

import numpy as np
import pytest
import reference
from scipy import stats

import ggn
from ggn import EvidenceWarning, ScalingWarning, Status
from ggn.fit import stages
from ggn.fit.bayes import train_bayesian
from ggn.fit.start import draw
from ggn.linearization import Objective

SQUARED = reference.LOSSES["squared"]()
unsettled = pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")


def linear(T, n0=4, nL=1, noise=0.3, seed=0):
    """y = A x + noise, and the design matrix with its column of ones."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(T, n0))
    Y = X @ rng.normal(size=(n0, nL)) + 0.5 + noise * rng.normal(size=(T, nL))
    return X, Y, np.column_stack([X, np.ones(T)])


def wave(T=60, noise=0.1, seed=0, nL=1):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-3.0, 3.0, (T, 1))
    Y = np.hstack([np.sin(X), np.cos(X)])[:, :nL]
    return X, Y + noise * rng.normal(size=Y.shape)


# ------------------------------------------------------------- linear: Bayes in closed form


@pytest.mark.parametrize(("T", "n0"), [(30, 4), (8, 12)], ids=["n > N", "n < N"])
def test_linear_model_in_closed_form(T, n0):
    """Posterior, evidence and predictions of a Gaussian model, at the precisions found."""
    X, Y, A = linear(T, n0)
    r = train_bayesian(ggn.MLP((n0, 1)), X, Y)
    noise, prior = 2.0 * r.beta, 2.0 * r.alpha  # precisions
    covariance = np.linalg.inv(noise * A.T @ A + prior * np.eye(n0 + 1))
    np.testing.assert_allclose(r.weight_covariance(), covariance, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(r.w, noise * covariance @ A.T @ Y[:, 0], rtol=1e-6, atol=1e-9)
    hat = noise * A @ covariance @ A.T
    assert r.effective_parameters == pytest.approx(np.trace(hat), rel=1e-9)
    marginal = np.eye(T) / noise + A @ A.T / prior
    evidence = stats.multivariate_normal(np.zeros(T), marginal).logpdf(Y[:, 0])
    assert r.log_evidence == pytest.approx(evidence, rel=1e-8)
    assert r.noise_std == pytest.approx(1.0 / math.sqrt(noise), rel=1e-12)
    assert r.l2 == pytest.approx(r.alpha / (r.beta * T), rel=1e-12)
    new = np.random.default_rng(1).normal(size=(5, n0))
    B = np.column_stack([new, np.ones(5)])
    F, std = r.predict(new, return_std=True)
    np.testing.assert_allclose(F[:, 0], B @ r.w, rtol=1e-12)
    variance = 1.0 / noise + np.einsum("ij,jk,ik->i", B, covariance, B)
    np.testing.assert_allclose(std[:, 0], np.sqrt(variance), rtol=1e-8)
    lower, upper = r.intervals(new, 0.8)
    half = stats.t(T - np.trace(hat)).ppf(0.9) * np.sqrt(variance)
    np.testing.assert_allclose(upper[:, 0] - F[:, 0], half, rtol=1e-8)
    np.testing.assert_allclose(lower + upper, 2.0 * F, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_linear_model_as_bayesian_ridge(noise):
    """The precisions of scikit-learn's BayesianRidge with flat priors on them."""
    ridge = pytest.importorskip("sklearn.linear_model").BayesianRidge
    X, Y, A = linear(40, noise=noise)
    flat = dict.fromkeys(["alpha_1", "alpha_2", "lambda_1", "lambda_2"], 0.0)
    theirs = ridge(fit_intercept=False, max_iter=1000, tol=1e-12, **flat).fit(A, Y[:, 0])
    ours = train_bayesian(ggn.MLP((4, 1)), X, Y)
    assert 2.0 * ours.beta == pytest.approx(theirs.alpha_, rel=2e-3)
    assert 2.0 * ours.alpha == pytest.approx(theirs.lambda_, rel=5e-3)
    np.testing.assert_allclose(ours.w, theirs.coef_, rtol=0, atol=2e-3)


def test_linear_evidence_is_greatest_at_the_penalty_chosen():
    X, Y, A = linear(25)
    r = train_bayesian(ggn.MLP((4, 1)), X, Y)

    def evidence(alpha, beta):
        marginal = np.eye(25) / (2.0 * beta) + A @ A.T / (2.0 * alpha)
        return stats.multivariate_normal(np.zeros(25), marginal).logpdf(Y[:, 0])

    here = evidence(r.alpha, r.beta)
    for factor in (0.9, 1.1):
        assert evidence(factor * r.alpha, r.beta) < here
        assert evidence(r.alpha, factor * r.beta) < here


# ------------------------------------------------------------- networks: the oracle


@pytest.mark.parametrize(("T", "nL"), [(40, 1), (40, 2), (10, 1)])
def test_network_as_the_oracle(T, nL):
    """H, γ, the fixed point and the evidence from the paper's normal matrix, at the end reached."""
    X, Y = wave(T, nL=nL)
    net = ggn.MLP((1, 6, nL))
    spec = reference.named_spec((1, 6, nL), ("tanh", "identity"))
    r, n, N = train_bayesian(net, X, Y), T * nL, net.n_weights
    assert r.success
    E_D = np.sum((net.forward(r.w, X) - Y) ** 2)
    assert r.fun == pytest.approx(E_D / T + r.l2 * r.w @ r.w, rel=1e-12)
    H = r.beta * T * reference.normal_matrix(spec, r.w, X, Y, SQUARED, l2=r.l2)
    covariance = np.linalg.inv(H)
    np.testing.assert_allclose(
        r.weight_covariance(), covariance, rtol=0, atol=1e-8 * np.abs(covariance).max()
    )
    gamma = N - 2.0 * r.alpha * np.trace(covariance)
    assert r.effective_parameters == pytest.approx(gamma, rel=1e-7)
    assert r.beta == pytest.approx((n - gamma) / (2.0 * E_D), rel=1e-6)
    assert r.alpha == pytest.approx(gamma / (2.0 * r.w @ r.w), rel=2e-3)  # settled so far
    evidence = -r.beta * E_D - r.alpha * r.w @ r.w - 0.5 * np.linalg.slogdet(H)[1]
    evidence += 0.5 * N * math.log(2.0 * r.alpha) + 0.5 * n * math.log(r.beta / math.pi)
    assert r.log_evidence == pytest.approx(evidence, rel=1e-7, abs=1e-6)
    gradient = reference.gradient(spec, r.w, X, Y, SQUARED, l2=r.l2)
    assert np.abs(gradient).max() < 1e-6
    new = np.linspace(-4.0, 4.0, 7)[:, np.newaxis]
    P = reference.jacobian(spec, r.w, new)
    variance = 0.5 / r.beta + np.einsum("ij,ik,kj->j", P, covariance, P)
    variance *= n / (n - gamma)
    std = r.predict(new, return_std=True)[1]
    np.testing.assert_allclose(std.ravel(), np.sqrt(variance), rtol=1e-7)


def test_many_samples_go_through_in_chunks():
    X, Y = wave()
    r = train_bayesian(ggn.MLP((1, 6, 1)), X, Y)
    new = np.linspace(-4.0, 4.0, 9001)[:, np.newaxis]
    F, std = r.predict(new, return_std=True)
    for i in (0, 4095, 4096, 9000):
        f, s = r.predict(new[i : i + 1], return_std=True)
        assert (f[0, 0], s[0, 0]) == pytest.approx((F[i, 0], std[i, 0]), rel=1e-10)
    np.testing.assert_array_equal(r.predict(new), F)


def test_noise_and_coverage():
    """Over ten data sets: the noise put in, and nine in ten new targets inside."""
    inside, noise = [], []
    for seed in range(10):
        X, Y = wave(T=80, noise=0.2, seed=seed)
        r = train_bayesian(ggn.MLP((1, 12, 1)), X, Y, rng=seed)
        new, targets = wave(T=500, noise=0.2, seed=100 + seed)
        lower, upper = r.intervals(new)
        inside.append(np.mean((lower < targets) & (targets < upper)))
        noise.append(r.noise_std)
        assert 4.0 < r.effective_parameters < 15.0  # of 37
    # standard errors: about 0.01 and 0.005
    assert 0.86 < np.mean(inside) < 0.94
    assert 0.18 < np.mean(noise) < 0.22


def test_deviation_grows_away_from_the_data():
    X, Y = wave()
    r = train_bayesian(ggn.MLP((1, 12, 1)), X, Y)
    std = r.predict([[0.0], [6.0]], return_std=True)[1][:, 0]
    assert r.noise_std < std[0] < 0.5 * std[1]


# ------------------------------------------------------------- the ends of the scale


def test_data_without_noise():
    X = np.linspace(-1.0, 1.0, 50)[:, np.newaxis]
    r = train_bayesian(ggn.MLP((1, 6, 1)), X, np.sin(2.0 * X), max_iter=300)
    assert 0.0 < r.noise_std < 1e-3  # what this network cannot follow in 300 steps
    assert np.isfinite(r.log_evidence)
    assert np.abs(r.predict(X) - np.sin(2.0 * X)).max() < 1e-3


@unsettled
def test_more_weights_than_numbers_without_noise():
    X = np.linspace(-1.0, 1.0, 6)[:, np.newaxis]
    r = train_bayesian(ggn.MLP((1, 10, 1)), X, X**2, max_iter=300)
    assert np.isfinite([r.log_evidence, r.beta, *r.w]).all()
    assert 0.0 < r.effective_parameters <= 6.0


def test_pure_noise_switches_the_network_off():
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(100, 2)), rng.normal(size=(100, 1))
    r = train_bayesian(ggn.MLP((2, 8, 1)), X, Y - Y.mean())
    assert r.effective_parameters < 2.0
    assert np.std(r.predict(X)) < 0.3
    assert r.noise_std == pytest.approx(np.std(Y), rel=0.1)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_targets(value):
    X = np.linspace(-1.0, 1.0, 20)
    r = train_bayesian(ggn.MLP((1, 3, 1)), X, np.full(20, value), max_iter=200)
    assert np.isfinite([r.log_evidence, r.beta, r.alpha, r.noise_std, *r.w]).all()
    np.testing.assert_allclose(r.predict(X), value, atol=1e-3)


def test_one_sample_and_zero_weights():
    r = train_bayesian(ggn.MLP((1, 2, 1)), [[1.0]], [2.0], w0=np.zeros(7), max_iter=50)
    assert np.isfinite([r.log_evidence, *r.w]).all()
    assert np.isfinite(r.intervals([[1.0]])).all()


@unsettled
def test_weights_are_numbers_of_copies():
    X, Y = wave(40)
    times = np.random.default_rng(2).integers(1, 4, 40)
    net = ggn.MLP((1, 5, 1))
    one = train_bayesian(net, X, Y, sample_weight=times, max_iter=30)
    all_ = train_bayesian(
        net, np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0), max_iter=30
    )
    for name in ("l2", "effective_parameters", "noise_std", "log_evidence"):
        assert one[name] == pytest.approx(all_[name], rel=1e-4)
    for a, b in zip(one.intervals(X), all_.intervals(X), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


# ------------------------------------------------------------- runs


def test_restarts_keep_the_greatest_evidence():
    X, Y = wave(T=40, noise=0.1)
    net, streams = ggn.MLP((1, 6, 1)), np.random.default_rng(3).spawn(4)
    starts = [draw(Objective(net, X, Y), stream) for stream in streams]
    singles = [train_bayesian(net, X, Y, w0=w0) for w0 in starts]
    best = train_bayesian(net, X, Y, rng=3, n_restarts=4)
    evidence = [r.log_evidence for r in singles]
    assert best.log_evidence == max(evidence) > min(evidence) + 1.0  # minima, not roundings
    np.testing.assert_array_equal(best.w, singles[int(np.argmax(evidence))].w)


@pytest.mark.parametrize("budget", [0, 7, 25])
def test_budget_of_steps(budget):
    X, Y = wave()
    with pytest.warns(EvidenceWarning, match=rf"^max_iter = {budget} steps .* n_estimators") as log:
        r = train_bayesian(ggn.MLP((1, 6, 1)), X, Y, max_iter=budget)
    assert log[0].filename == __file__
    assert r.nit == budget
    assert r.status is Status.MAX_ITER
    assert not r.success
    assert np.isfinite(r.log_evidence)


def test_interrupt_ends_all(monkeypatch):
    """What `train` reports as an interrupt ends the alternation and the restarts."""
    calls = []

    def interrupted(*args, **more):
        result = ggn.train(*args, **more)
        calls.append(result)
        if len(calls) == 3:
            result.update(status=Status.INTERRUPTED, success=False)
        return result

    monkeypatch.setattr(stages, "train", interrupted)
    r = train_bayesian(ggn.MLP((1, 6, 1)), *wave(), n_restarts=3)
    assert len(calls) == 3
    assert r.status is Status.INTERRUPTED
    assert r.nit == sum(call.nit for call in calls)
    np.testing.assert_array_equal(r.w, calls[-1].w)


def test_start_that_overflows():
    r = train_bayesian(ggn.MLP((1, 6, 1)), *wave(), w0=np.full(19, 1e200))
    assert r.status is Status.BAD_START
    assert r.log_evidence == -math.inf
    np.testing.assert_array_equal(r.w, 1e200)


def test_result_is_a_value_of_its_own():
    """Changing the data afterwards, or pickling, changes nothing."""
    X, Y = wave()
    r = train_bayesian(ggn.MLP((1, 6, 1)), X, Y)
    twin, new = pickle.loads(pickle.dumps(r)), X[:3].copy()
    X[:] = 0.0
    for mine, theirs in zip(r.intervals(new), twin.intervals(new), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert isinstance(r, ggn.TrainResult)
    assert {"w", "fun", "l2", "effective_parameters", "log_evidence", "noise_std"} <= set(r)


# ------------------------------------------------------------- bad input


@pytest.mark.parametrize("loss", ["cauchy", ggn.losses.SmoothLp(2.0)])
def test_only_the_squared_loss(loss):
    with pytest.raises(ValueError, match=r"^loss must be 'squared'.*got "):
        train_bayesian(ggn.MLP((1, 2, 1)), [[1.0]], [1.0], loss)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"w0": np.zeros(7), "n_restarts": 2}, r"^n_restarts must be 1 where w0 is given, got 2"),
        ({"w0": np.zeros(6)}, r"^w0 must have shape \(7,\)"),
        ({"n_restarts": 0}, r"^n_restarts must be an integer of at least 1, got 0"),
        ({"max_iter": -1}, r"^max_iter must be an integer of at least 0"),
        ({"tol": math.nan}, r"^tol must be a number"),
        ({"rng": "seed"}, r"^rng must be"),
        ({"X": [[math.nan]]}, r"^X must be finite"),
        ({"Y": ["a"]}, r"^Y must hold real numbers"),
        ({"net": None}, r"^net must be an MLP"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments(changed, message):
    arguments = {"net": ggn.MLP((1, 2, 1)), "X": [[1.0]], "Y": [1.0]} | changed
    with pytest.raises(ValueError, match=message):
        train_bayesian(**arguments)


@unsettled
@pytest.mark.parametrize("level", [0.0, 1.0, 90, "high"])
def test_bad_level(level):
    r = train_bayesian(ggn.MLP((1, 2, 1)), [[1.0]], [1.0], max_iter=1)
    with pytest.raises(ValueError, match=r"^level must be a number"):
        r.intervals([[0.0]], level)


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
@pytest.mark.parametrize("size", [1e-12, 1e9])
def test_one_prior_for_far_units_is_told(size):
    inputs = np.linspace(-1.0, 1.0, 40)
    targets = size * np.sin(3.0 * inputs)
    told = "The prior is one for all weights, and target 0"
    with pytest.warns(ScalingWarning, match=told) as log:
        ggn.train_bayesian(ggn.MLP((1, 5, 1)), inputs, targets, max_iter=5)
    assert log[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", ScalingWarning)
        ggn.train_bayesian(ggn.MLP((1, 5, 1)), inputs, targets, max_iter=5, n_estimators=2)


@unsettled
def test_going_on_begins_with_the_penalty_that_was_found():
    """From its end a fit hardly moves; from its weights alone the penalty is sought anew."""
    X, Y = wave()
    net = ggn.MLP((1, 8, 1))
    fit = train_bayesian(net, X, Y)
    again = train_bayesian(net, X, Y, w0=fit)
    assert again.success
    assert again.l2 == pytest.approx(fit.l2, rel=2e-2)
    assert again.nit < 0.5 * fit.nit
    np.testing.assert_allclose(again.predict(X), fit.predict(X), atol=1e-3)
    first = train_bayesian(net, X, Y, w0=fit, max_iter=1)
    assert first.l2 == fit.l2 != train_bayesian(net, X, Y, w0=fit.w, max_iter=1).l2


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")
@pytest.mark.parametrize("steps", [3, 10])
def test_short_runs_come_to_where_a_long_one_does(steps):
    """Each goes on with the penalty that the end of the one before calls for."""
    X, Y = wave()
    net = ggn.MLP((1, 8, 1))
    long, fit = train_bayesian(net, X, Y), train_bayesian(net, X, Y, max_iter=steps)
    for _ in range(600 // steps):
        if fit.success:
            break
        fit = train_bayesian(net, X, Y, w0=fit, max_iter=steps)
    assert fit.l2 == pytest.approx(long.l2, rel=0.1)
    assert fit.noise_std == pytest.approx(long.noise_std, rel=0.02)
