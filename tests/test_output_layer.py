"""The output layer solved again: against least squares by NumPy, and in training."""

import numpy as np
import pytest
from strategies import assert_close

import ggn
from ggn.damping import LevenbergMarquardt
from ggn.linearization import Objective
from ggn.linearization.output_layer import refit, refit_pays

T = 60
NET = ggn.MLP((2, 5, 4, 3), "sigmoid")
X, Y = np.random.default_rng(0).normal(size=(2, T, 3))
X = X[:, :2]
W = NET.initial_weights(1)
BEFORE = NET.initial_weights(2)
D = np.random.default_rng(3).uniform(0.5, 2.0, NET.n_weights)
LAST = slice(NET.n_weights - 15, NET.n_weights)
WHOLE = 1e9  # flops: it pays


def hidden(w):
    """The inputs of the output layer, a dummy column of ones last."""
    phi = X
    for V in NET.unpack(w)[:-1]:
        phi = 1.0 / (1.0 + np.exp(-np.column_stack([phi, np.ones(T)]) @ V))
    return np.column_stack([phi, np.ones(T)])


def by_least_squares(c, scale, mu, l2):
    """Each output: rows for samples, for the damping, and for the penalty, stacked."""
    phi, V = hidden(W), W.copy()
    for o in range(3):
        at = slice(LAST.start + 5 * o, LAST.start + 5 * o + 5)
        d = np.sqrt(mu / 2.0) * (np.ones(5) if scale is None else scale[at])
        A = np.vstack([np.sqrt(c)[:, None] * phi, np.diag(d), np.sqrt(l2) * np.eye(5)])
        b = np.concatenate([np.sqrt(c) * Y[:, o], d * BEFORE[at], np.zeros(5)])
        V[at] = np.linalg.lstsq(A, b, rcond=None)[0]
    return V


@pytest.mark.parametrize("scale", [None, D])
@pytest.mark.parametrize("mu", [1e-3, 2.0])
@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("chunk", [None, 7])
def test_against_least_squares(scale, mu, l2, weighted, chunk):
    """J = Σ c_i |f_i - y_i|² + l2 |w|², and half of mu |D (w - before)|²."""
    s = np.random.default_rng(4).uniform(0.0, 2.0, T) if weighted else np.ones(T)
    data = Objective(NET, X, Y, sample_weight=s, l2=l2, chunk_size=chunk)
    J, found = refit(data, W, BEFORE, scale, mu)
    assert_close(J, ggn.linearize(NET, W, X, Y, sample_weight=s, l2=l2).loss)
    assert_close(found, by_least_squares(s / s.sum(), scale, mu, l2), 1e-9)


@pytest.mark.parametrize("loss", ["cauchy", "smooth_lp"])
def test_repeated_it_ends_where_the_gradient_is_zero(loss):
    """Other losses: a step of iteratively reweighted least squares for the output layer."""
    data, w = Objective(NET, X, Y, loss), W
    losses = []
    for _ in range(200):
        J, w = refit(data, w, w, None, 1e-9)
        losses.append(J)
    assert (np.diff(losses) <= 1e-14).all()
    assert np.abs(ggn.linearize(NET, w, X, Y, loss).gradient[LAST]).max() < 1e-8


def test_the_same_bits_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr("ggn._core.machine.LANE_FLOPS", 1.0)
    monkeypatch.setattr("ggn._core.machine.FLOPS_PER_SUM", 1e-9)
    found = []
    for n in (1, 2, 3, 8):
        with ggn.threads(n):
            found.append(refit(Objective(NET, X, Y), W, BEFORE, D, 0.1)[1].tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("net", "loss"),
    [
        (ggn.MLP((2, 3)), "squared"),
        (ggn.MLP((2, 4, 3), "tanh", output_activation="tanh"), "squared"),
        (ggn.MLP((2, 4, 3)), "softmax_cross_entropy"),
    ],
)
def test_where_it_cannot_be_had(net, loss):
    y = np.eye(3)[np.arange(T) % 3]
    assert not refit_pays(Objective(net, X, y, loss), WHOLE)


def test_where_it_does_not_pay():
    assert refit_pays(Objective(NET, X, Y), WHOLE)
    assert not refit_pays(Objective(NET, X, Y), 1.0)


def test_a_point_where_the_outputs_overflow():
    w = W.copy()
    w[LAST] = 1e200
    with np.errstate(all="ignore"):
        J, found = refit(Objective(NET, X, Y), w, w, None, 1e-3)
    assert J == np.inf
    assert found is None or found.shape == w.shape


def test_fewer_trials():
    """Franke's function, five starts: by a third fewer trials to the same loss."""
    from benchmarks.peer_problems import surface

    inputs, targets = surface()
    net, trials = ggn.MLP((2, 20, 1)), {}
    for on in (False, True):
        rule = LevenbergMarquardt(refits=on)
        runs = [
            ggn.train(net, inputs, targets, w0="fan_in", rng=seed, loss_target=2e-5, damping=rule)
            for seed in range(5)
        ]
        assert all(run.status == ggn.Status.TARGET for run in runs)
        trials[on] = sum(run.nit for run in runs)
    assert trials[True] < 0.9 * trials[False]
