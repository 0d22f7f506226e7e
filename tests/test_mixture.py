"""Mixtures of networks: the evidence against the oracle, distributions against SciPy's, parts."""

import math

import numpy as np
import pytest
import reference
from scipy import integrate, stats

import ggn
from ggn import Status
from ggn.fit.committee import parts, train_members
from ggn.fit.evidence import WIDE, Priors
from ggn.fit.mixture import mixed
from ggn.fit.predictive import Component, Predictive
from ggn.fit.train import train
from ggn.io import Model
from ggn.linearization import Objective
from ggn.network import side_by_side

SQUARED = reference.LOSSES["squared"]()
unsettled = pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")


def trainer(data, w, l2, most, tol, before):
    s = None if data.c.common is not None else data.s
    return train(data.net, data.X, data.Yt.T, w0=w, l2=l2, max_iter=most, tol=tol, sample_weight=s)


def wave(T=120, noise=0.2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2.0, 2.0, (T, 2))
    return X, (np.sin(2.0 * X[:, :1]) * X[:, 1:]) + noise * rng.normal(size=(T, 1))


def mixture(X, Y, hidden=(10,), n_estimators=3, seed=0, max_iter=200):
    net = ggn.MLP((X.shape[1], *hidden, Y.shape[1]))
    data = Objective(net, X, Y)
    members = train_members(
        data, trainer, n_estimators=n_estimators, rng=np.random.default_rng(seed),
        max_iter=max_iter,
    )  # fmt: skip
    return mixed(members, Y, Model(net, np.zeros(net.n_weights)))


# ------------------------------------------------------------- the mean is a network


@pytest.mark.parametrize(
    ("sizes", "bias", "fixed"),
    [
        ((3, 2), True, 0.3),
        ((3, 4, 2), (True, False), 0.2),
        ((3, 4, 5, 2), (False, True, True), 0.0),
        ((2, 3, 1), (False, True), 0.4),
    ],
)
def test_the_mean_of_networks_is_one(sizes, bias, fixed):
    rng = np.random.default_rng(0)
    net = ggn.MLP(sizes, "softplus", bias=bias, fixed_bias=fixed)
    ws = [net.initial_weights(rng) for _ in range(4)]
    wide, w = side_by_side(net, ws)
    X = rng.normal(size=(7, sizes[0]))
    mean = np.mean([net.forward(w, X) for w in ws], axis=0)
    np.testing.assert_allclose(wide.forward(w, X), mean, rtol=1e-13, atol=1e-13)
    assert wide.sizes == (sizes[0], *(4 * n for n in sizes[1:-1]), sizes[-1])


def test_outputs_with_an_activation_have_no_network_for_their_mean():
    net = ggn.MLP((1, 2, 1), output_activation="sigmoid")
    with pytest.raises(ValueError, match=r"^net must have the identity as output activation"):
        side_by_side(net, [np.zeros(net.n_weights)] * 2)


# ------------------------------------------------------------- the evidence of layers


@pytest.mark.parametrize(("T", "nL"), [(40, 1), (30, 2), (8, 1)], ids=["n > N", "nL = 2", "n < N"])
def test_estimates_as_the_oracle(T, nL):
    """γ, β, the penalties and the evidence from the oracle's normal matrix, in either form."""
    rng = np.random.default_rng(1)
    net = ggn.MLP((2, 4, nL))
    spec = reference.named_spec((2, 4, nL), ("tanh", "identity"))
    X, Y = rng.normal(size=(T, 2)), rng.normal(size=(T, nL))
    w, l2 = net.initial_weights(rng), np.array([0.02, 0.1, 0.005])  # two inputs, one layer
    priors, data = Priors(net), Objective(net, X, Y)
    at = priors.estimate(data, w, l2)
    Ws = net.unpack(w)
    own = [np.full_like(W, a) for W, a in zip(Ws, [0.1, 0.005], strict=True)]
    own[0][0] = 0.02
    for W, a in zip(own, [0.1, 0.005], strict=True):
        W[-1] = a / WIDE**2
    prior = 2.0 * net.pack(own)
    G = reference.normal_matrix(spec, w, X, Y, SQUARED) + np.diag(prior)
    inverse, n = np.linalg.inv(G), T * nL
    left = prior * np.diag(inverse)
    gamma, E_D = np.sum(1.0 - left), np.sum((net.forward(w, X) - Y) ** 2)
    assert at.gamma == pytest.approx(gamma, rel=1e-7)
    assert at.beta == pytest.approx((n - gamma) / (2.0 * E_D), rel=1e-6)
    first, second = net.unpack(1.0 - left)
    groups = (first[0], Ws[0][0]), (first[1], Ws[0][1]), (second[:-1], Ws[1][:-1])
    for found, (determined, W) in zip(at.l2, groups, strict=True):
        expected = determined.sum() / (2.0 * at.beta * T * np.sum(W**2))
        assert found == pytest.approx(expected, rel=1e-6)
    # log p(Y) of the model that is linear about w, at its weights w
    alpha = 0.5 * at.beta * T * prior
    evidence = -at.beta * E_D - alpha @ (w * w) + 0.5 * np.log(2.0 * alpha).sum()
    evidence += 0.5 * n * math.log(at.beta / math.pi)
    evidence -= 0.5 * np.linalg.slogdet(at.beta * T * G)[1]
    assert at.log_evidence == pytest.approx(evidence, rel=1e-7)
    R = priors.root(data, w, l2)
    np.testing.assert_allclose(R @ R.T, G, rtol=1e-9, atol=1e-12)


def test_a_dead_unit_does_not_stop_the_estimate():
    """Its bias has no prior to speak of, and its column of the GGN matrix is zero."""
    net = ggn.MLP((1, 2, 1))
    w = net.pack([[[1.0, 0.0], [0.0, 900.0]], [[1.0], [0.0], [0.0]]])
    X, Y = np.linspace(-1, 1, 20)[:, np.newaxis], np.linspace(-1, 1, 20)[:, np.newaxis] ** 2
    priors, data = Priors(net), Objective(net, X, Y)
    at = priors.estimate(data, w, np.array([1e-3, 1e-3]))
    assert np.isfinite([at.gamma, at.beta, at.log_evidence, *at.l2]).all()
    assert np.isfinite(priors.root(data, w, np.array([1e-3, 1e-3]))).all()


def test_members_of_a_linear_model_are_bayesian_linear_regression():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 3))
    Y = X @ [[1.0], [-0.5], [0.0]] + 0.3 * rng.normal(size=(60, 1))
    found = mixture(X, Y, hidden=(), n_estimators=1)
    member = found.members[0]
    A = np.column_stack([X, np.ones(60)])
    noise = 2.0 * member.beta
    prior = np.append(np.repeat(60 * member.penalties[0] * noise, 3), 0.0)
    covariance = np.linalg.inv(noise * A.T @ A + np.diag(prior))
    np.testing.assert_allclose(member.w, noise * covariance @ A.T @ Y[:, 0], rtol=1e-4, atol=1e-6)
    new = rng.normal(size=(5, 3))
    B = np.column_stack([new, np.ones(5)])
    variance = 1.0 / noise + np.einsum("ij,jk,ik->i", B, covariance, B)
    std = found.predict(new, return_std=True)[1]
    np.testing.assert_allclose(std[:, 0], np.sqrt(variance), rtol=1e-4)
    assert 0.24 < found.noise_std[0] < 0.36


# ------------------------------------------------------------- distributions


class Given(Predictive):
    """Of parts that are said."""

    def __init__(self, *parts):
        self._parts = [
            Component(np.array([[m]]), np.array([[s]]), freedom) for m, s, freedom in parts
        ]

    def components(self, X):
        return self._parts

    def outputs(self, X):
        return np.mean([part.mean for part in self._parts], axis=0)


CASES = [
    [(0.0, 1.0, 5.0)],
    [(0.0, 1.0, 50.0), (3.0, 0.5, 20.0)],
    [(-4.0, 0.1, 3.0), (0.0, 1.0, 9.0), (0.1, 1e-3, 100.0)],
]


@pytest.mark.parametrize("said", CASES)
def test_intervals_and_densities_are_the_mixtures(said):
    given, frozen = Given(*said), [stats.t(v, m, s) for m, s, v in said]
    for level in (0.5, 0.9):
        low, high = (float(end[0, 0]) for end in given.intervals(None, level))
        inside = np.mean([t.cdf(high) - t.cdf(low) for t in frozen])
        assert inside == pytest.approx(level, abs=1e-9)
        assert np.mean([t.cdf(low) for t in frozen]) == pytest.approx(0.5 - level / 2, abs=1e-9)
    for y in (-1.0, 0.2, 30.0):
        density = np.mean([t.pdf(y) for t in frozen])
        assert given.log_likelihood(None, [[y]])[0, 0] == pytest.approx(np.log(density), abs=1e-9)


def test_the_density_of_a_network_integrates_to_one():
    found = mixture(*wave(60))
    at = np.array([[0.3, -0.4]])
    total = integrate.quad(
        lambda y: math.exp(found.log_likelihood(at, [[y]])[0, 0]), -6.0, 6.0, limit=200
    )[0]
    assert total == pytest.approx(1.0, abs=1e-5)


def test_draws_have_the_mean_and_the_deviation():
    found = mixture(*wave(80))
    at = np.array([[0.0, 0.0], [1.5, -1.0], [2.5, 2.5]])
    drawn = found.sample(at, 40_000, rng=0)
    assert drawn.shape == (3, 1, 40_000)
    mean, std = found.predict(at, return_std=True)
    np.testing.assert_allclose(drawn.mean(axis=2), mean, atol=0.03 * std.max())
    np.testing.assert_allclose(drawn.std(axis=2), std, rtol=0.03)
    # a draw is one function: near inputs differ by little but noise
    near = found.sample(np.array([[2.5, 2.5], [2.5, 2.5001]]), 20_000, rng=1)[:, 0]
    apart = np.std(near[0] - near[1])
    assert apart == pytest.approx(math.sqrt(2.0) * found.noise_std[0], rel=0.1)


@pytest.mark.parametrize("hidden", [(), (6,), (4, 3)])
def test_a_file_keeps_the_deviations_where_asked(hidden, tmp_path):
    """Of mean and mixture alike, as one network and from what its members say."""
    X, Y = wave(60)
    found = mixture(X, np.hstack([Y, X[:, :1]]), hidden, max_iter=30)
    model, at = found.model, np.array([[0.3, -0.4], [3.0, 3.0]])
    with pytest.raises(ValueError, match=r"^a model without posterior has no deviations: before"):
        model.predict(at, return_std=True)
    model.posterior = found.posterior
    model.save(tmp_path / "m.npz")
    again = Model.load(tmp_path / "m.npz")
    for member, part in zip(found.members, again.posterior.parts, strict=True):
        assert part.freedom == pytest.approx(member.count - member.effective_parameters)
    mean, std = found.predict(at, return_std=True)
    theirs, deviation = again.predict(at, return_std=True)
    np.testing.assert_array_equal(theirs, mean)
    np.testing.assert_array_equal(again.predict(at), mean)
    np.testing.assert_array_equal(again.deviation(at), deviation)
    np.testing.assert_allclose(deviation, std, rtol=1e-12)
    with pytest.raises(ValueError, match=r"^posterior must be of 3 weights, got LaplaceMixture"):
        Model(ggn.MLP((2, 1)), np.zeros(3), posterior=mixture(X, Y, max_iter=1).posterior)


# ------------------------------------------------------------- parts and threads


def test_parts_share_out_the_inputs():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 12, (300, 2)).astype(float)  # many of them repeated
    found = parts(X, X[:, :1], 10, np.random.default_rng(1))
    np.testing.assert_array_equal(found.sum(axis=0), 1)
    for row in np.unique(X, axis=0):
        same = (row == X).all(axis=1)
        assert len(np.unique(found[:, same].argmax(axis=0))) == 1
    # whatever the order of the samples
    order = rng.permutation(300)
    np.testing.assert_array_equal(
        parts(X[order], X[order, :1], 10, np.random.default_rng(1)), found[:, order]
    )


@pytest.mark.parametrize(("T", "count"), [(19, 1), (20, 5), (27, 6), (400, 10)])
def test_few_samples_make_few_parts(T, count):
    X = np.arange(T)[:, np.newaxis].astype(float)
    found = parts(X, X, 10, np.random.default_rng(0))
    assert found.shape == (count, T)
    assert found.any() == (count > 1)


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr("ggn.fit.committee.lane_count", lambda flops: 2)
    X, Y = wave(100)
    with ggn.threads(1):
        one = mixture(X, Y)
    with ggn.threads(3):
        three = mixture(X, Y)
    np.testing.assert_array_equal(one.w, three.w)


def test_the_part_left_out_stops_a_member():
    found = mixture(*wave(100, noise=0.5), hidden=(30,), max_iter=1000)
    assert found.status is Status.VALIDATION
    assert found.success
    for member in found.members:
        errors, steps = member.path.T
        assert errors[member.kept] == errors.min()
        assert len(errors) - 1 - member.kept >= 5
        assert steps[-1] <= member.nit <= steps[-1] + 10


def test_a_budget_of_steps_is_told():
    found = mixture(*wave(100), max_iter=20)
    assert found.status is Status.MAX_ITER
    assert not found.success
    assert all(member.nit <= 30 for member in found.members)


# ------------------------------------------------------------- the public way


@unsettled
def test_units_of_the_data_do_not_matter():
    X, Y = wave(80)
    net = ggn.MLP((2, 6, 1))
    # few steps: later ones would magnify rounding
    one = ggn.train_bayesian(net, X, Y, n_estimators=2, max_iter=20)
    other = ggn.train_bayesian(net, 1e4 * X + 1e5, 1e-3 * Y - 7.0, n_estimators=2, max_iter=20)
    far = 1e4 * X + 1e5
    np.testing.assert_allclose(other.predict(far), 1e-3 * one.predict(X) - 7.0, atol=1e-6)
    np.testing.assert_allclose(other.noise_std, 1e-3 * one.noise_std, rtol=1e-3)
    np.testing.assert_array_equal(one.model.predict(X), one.predict(X))


@unsettled
def test_weights_are_numbers_of_copies():
    X, Y = wave(90)
    times = np.random.default_rng(2).integers(1, 4, 90)
    net = ggn.MLP((2, 5, 1))
    one = ggn.train_bayesian(net, X, Y, sample_weight=times, n_estimators=2, max_iter=20)
    all_ = ggn.train_bayesian(
        net, np.repeat(X, times, axis=0), np.repeat(Y, times, axis=0), n_estimators=2, max_iter=20
    )
    for a, b in zip(one.intervals(X), all_.intervals(X), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_net_without_biases_is_not_shifted():
    X, Y = wave(60)
    net = ggn.MLP((2, 5, 1), bias=False)
    with pytest.warns(ggn.EvidenceWarning, match=r"^max_iter = 20 .*; take more steps$"):
        found = ggn.train_bayesian(net, X + 3.0, Y, n_estimators=2, max_iter=20)
    assert found.predict([[0.0, 0.0]]).item() == 0.0


def test_limits_and_a_callback():
    X, Y = wave(60)
    net, seen = ggn.MLP((2, 4, 1)), []

    def stop(intermediate_result):
        seen.append(intermediate_result.nit)
        if intermediate_result.nit == 12:
            raise StopIteration

    found = ggn.train_bayesian(net, X, Y, n_estimators=3, callback=stop)
    assert found.status is Status.CALLBACK
    assert seen == list(range(1, 13))
    assert len(found.members) == 1
    assert ggn.train_bayesian(net, X, Y, n_estimators=2, max_seconds=0.0).status is (
        Status.MAX_SECONDS
    )


@pytest.mark.parametrize("given", [{"n_restarts": 2}, {"w0": np.zeros(17)}])
def test_a_mixture_starts_by_itself(given):
    with pytest.raises(ValueError, match=r"^n_estimators must be 1 with w0 or n_restarts"):
        ggn.train_bayesian(ggn.MLP((2, 4, 1)), *wave(20), n_estimators=2, **given)


# ------------------------------------------------------------- what it is for


def test_noise_coverage_and_the_error_of_the_mean():
    """Over eight data sets: the noise put in, nine in ten new targets inside, a mean that helps."""
    inside, noise, ratios = [], [], []
    for seed in range(8):
        found = mixture(*wave(150, 0.2, seed), hidden=(20,), n_estimators=5, seed=seed)
        X, Y = wave(1000, 0.2, 100 + seed)
        low, high = found.intervals(X)
        inside.append(np.mean((low < Y) & (high > Y)))
        noise.append(found.noise_std[0])
        clean = np.sin(2.0 * X[:, :1]) * X[:, 1:]
        each = [np.mean((m.net.forward(m.w, X) - clean) ** 2) for m in found.members]
        ratios.append(np.mean((found.predict(X) - clean) ** 2) / np.mean(each))
    assert 0.87 < np.mean(inside) < 0.94
    assert 0.18 < np.mean(noise) < 0.22
    assert np.mean(ratios) < 0.9


def test_predictions_widen_in_corners_held_out():
    X, Y = wave(400, 0.1)
    corner = (X > 0.8).all(axis=1) | (X < -0.8).all(axis=1)
    found = mixture(X[~corner], Y[~corner], hidden=(20,), n_estimators=5)
    std = found.predict(X, return_std=True)[1][:, 0]
    assert np.median(std[corner]) > 1.5 * np.median(std[~corner])
    far = found.predict(np.array([[6.0, 6.0]]), return_std=True)[1].item()
    assert far > 3.0 * np.median(std[corner])
    low, high = found.intervals(X[corner])
    assert np.mean((low < Y[corner]) & (high > Y[corner])) > 0.6


@pytest.mark.filterwarnings("ignore::ggn.fit.unsettled.EvidenceWarning")
def test_a_mixture_is_printed_one_line_a_field():
    x = np.linspace(-1.0, 1.0, 30)
    mixture = ggn.train_bayesian(ggn.MLP((1, 2, 1)), x, np.sin(x), n_estimators=3, max_iter=5)
    lines = dict(line.strip().split(": ", 1) for line in repr(mixture).splitlines())
    assert lines["members"] == "tuple of 3"
    assert lines["best"].startswith("Member, fun ")


@pytest.mark.filterwarnings("ignore::ggn.EvidenceWarning")  # of so few steps
@pytest.mark.parametrize("noise", ["constant", "contaminated"])
def test_a_generator_of_the_callers_goes_on(noise):
    """Two mixtures from one generator are not the same; from two that are alike, they are."""
    rng = np.random.default_rng(0)
    x = np.linspace(-2.0, 2.0, 40)
    y, net = np.sin(x) + 0.1 * rng.normal(size=40), ggn.MLP((1, 3, 1))
    options = {"n_estimators": 2, "max_iter": 10, "noise": noise}
    ws = []
    for one in (np.random.default_rng(1), np.random.default_rng(1)):
        ws += [ggn.train_bayesian(net, x, y, rng=one, **options).w for _ in range(2)]
    assert (ws[0] == ws[2]).all()
    assert (ws[1] == ws[3]).all()
    assert not (ws[0] == ws[1]).any()
