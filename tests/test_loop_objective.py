"""The mean loss of a free run, and what is known of it at one w, against the oracle."""

import numpy as np
import pytest
import reference
import reference_loop as slow
from test_recursion import SMOOTH, error, fast

import ggn
from ggn.recurrent.objective import LoopNet, LoopObjective
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.windows import Windows

LOSSES = [
    (ggn.losses.Squared(), reference.LOSSES["squared"]()),
    (ggn.losses.SmoothLp(1.5, 0.5), reference.LOSSES["smooth_lp"](1.5, 0.5)),
    (ggn.losses.Cauchy(1.0), reference.LOSSES["cauchy"](1.0)),
    (
        ggn.losses.BlakeZisserman(2.0, 0.1),
        reference.LOSSES["blake_zisserman"](epsilon=0.1, scale=2.0),
    ),
]


def set_up(seed, loss="squared"):
    """A random autoregressive objective in free run, and the oracle's P and outputs."""
    rng = np.random.default_rng(seed)
    while True:
        spec = slow.random_spec(rng, SMOOTH)
        if len(spec.parts) == 1 and not spec.linear:
            w = 0.5 * rng.normal(size=spec.n_weights)
            given = rng.normal(size=(sum(spec.lengths), spec.n - len(spec.feeds)))
            before = rng.normal(size=(len(spec.lengths), spec.depth, spec.k))
            out = slow.simulate(spec, w, given, before).real
            if np.abs(out).max() < 10.0:
                break
    sweeps = fast(spec, given, before, False)
    sizes, kinds, bias, _ = spec.parts[0]
    net = ggn.MLP(sizes, kinds[:-1], kinds[-1], bias)
    Z = sweeps.Z.copy()
    Z[np.isnan(Z)] = 0.0
    Y = out + 0.3 * rng.normal(size=out.shape)
    weights = rng.uniform(0.5, 2.0, size=len(Y)) if rng.integers(0, 2) else None
    l2 = float(rng.choice([0.0, 0.01]))
    objective = LoopObjective(
        sweeps.recursion, net, Z, Y, Windows(spec.lengths), loss, weights, l2, chunk_size=5
    )
    P = slow.jacobian(spec, w, given, before)[:, :, : len(w)]
    return objective, w, out, P, Y, weights, l2


def errors(seed):
    """Relative errors of J, gradient, GGN matrices and products with them, of one objective."""
    ours, loss = LOSSES[seed % 4]
    objective, w, out, P, Y, weights, l2 = set_up(seed, ours)
    c = np.full(len(Y), 1.0 / len(Y)) if weights is None else weights / weights.sum()
    at = objective.at(w)
    found = [error(at.loss, np.sum(c * loss.value(out, Y)) + l2 * w @ w)]
    g = np.einsum("iop,io->p", P, c[:, np.newaxis] * loss.gradient(out, Y)) + 2.0 * l2 * w
    v = np.cos(np.arange(len(w)))
    for psd in (False, True):
        H = c[:, np.newaxis] * (loss.curvature if psd else loss.hessian)(out, Y)
        G = np.einsum("iop,io,ior->pr", P, H, P) + 2.0 * l2 * np.eye(len(w))
        found += [error(at.normal_matrix(psd), G), error(at.operator(psd) @ v, G @ v)]
    own = np.empty((len(w), len(w)))
    found += [error(at.gradient, g), error(at.assemble_normal(own), g)]
    return [*found, error(at.jacobian(), P.reshape(-1, len(w)).T)]


@pytest.mark.parametrize("seed", range(16))
def test_gradient_and_normal_matrix_are_the_oracles(seed):
    assert max(errors(seed)) <= 1e-11


def one_step(loss="squared"):
    """An objective of windows of one sample, and the ordinary one."""
    rng = np.random.default_rng(3)
    net = ggn.MLP((3, 4, 1))
    Z, Y, w = rng.normal(size=(30, 3)), rng.normal(size=(30, 1)), net.initial_weights(0)
    recursion = Recursion([(net, 0)], 3, 1, [(0, 1), (0, 2)])
    loop = LoopObjective(recursion, net, Z, Y, Windows(np.ones(30, int)), loss, l2=0.01)
    return loop.at(w), ggn.linearize(net, w, Z, Y, loss, l2=0.01)


@pytest.mark.parametrize("loss", ["squared", "cauchy"])
def test_one_step_ahead_is_the_ordinary_fit(loss):
    at, ordinary = one_step(loss)
    v = np.sin(np.arange(len(at.w)))
    assert at.loss == pytest.approx(ordinary.loss, rel=1e-14)
    np.testing.assert_allclose(at.hessian(), ordinary.hessian(), atol=2e-10)
    np.testing.assert_allclose(at.hessian_operator() @ v, ordinary.hessian() @ v, atol=2e-10)
    np.testing.assert_allclose(at.normal_matrix(), ordinary.normal_matrix(), atol=1e-13)
    assert error(at.bend(v), ordinary.bend(v)) <= 1e-5  # a difference of second order
    assert at.rounding == pytest.approx(ordinary.rounding, rel=1e-10)
    np.testing.assert_allclose(at.normal_diagonal(), ordinary.normal_diagonal(), atol=1e-13)


def test_the_hessian_of_a_free_run_is_the_derivative_of_the_gradient():
    """Here by plain differences, of eight digits."""
    objective, w, *_ = set_up(1)

    def gradient(p):  # held against the oracle above
        return objective.at(p).gradient

    H, h = objective.at(w).hessian(), 1e-5
    for j in (0, len(w) // 2, len(w) - 1):
        e = np.eye(len(w))[j] * h
        column = (gradient(w + e) - gradient(w - e)) / (2 * h)
        np.testing.assert_allclose(H[j], column, atol=1e-7 * np.abs(H).max())


@pytest.mark.parametrize("chunk_size", [1, 3, 100])
def test_windows_cut_into_chunks_carry_their_state(chunk_size):
    rng = np.random.default_rng(0)
    net = ggn.MLP((4, 5, 1))
    recursion = Recursion([(net, 0)], 4, 1, [(0, 1), (0, 3)])
    Z, Y, w = rng.normal(size=(40, 4)), rng.normal(size=(40, 1)), 0.5 * net.initial_weights(0)
    args = recursion, net, Z, Y, Windows([25, 15])
    whole = LoopObjective(*args).at(w)
    parts = LoopObjective(*args, chunk_size=chunk_size).at(w)
    np.testing.assert_allclose(parts.normal_matrix(), whole.normal_matrix(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(parts.gradient, whole.gradient, rtol=1e-12, atol=1e-14)


def test_values_from_before_a_window_are_parameters_where_free():
    rng = np.random.default_rng(0)
    own = ggn.MLP((3, 4, 1))
    recursion = Recursion([(own, 0)], 3, 1, [(0, 1), (0, 2)])
    windows = Windows([9, 4, 6])
    net = LoopNet(own, windows.count * recursion.n_initial)
    Z, Y = rng.normal(size=(19, 3)), rng.normal(size=(19, 1))
    p = 0.5 * rng.normal(size=net.n_weights)
    for loss in ("squared", "cauchy"):
        objective = LoopObjective(recursion, net, Z, Y, windows, loss, free=True, chunk_size=5)
        at = objective.at(p)
        g = [
            (objective.value(p + e) - objective.value(p - e)) / 2e-6 for e in 1e-6 * np.eye(len(p))
        ]
        np.testing.assert_allclose(at.gradient, g, atol=1e-8)
        P = at.jacobian()
        eps = at.objective.loss.gradient(objective.sweeps.O, Y) / 19
        np.testing.assert_allclose(P @ eps.ravel(), at.gradient, atol=1e-14)
        for psd in (True, False):
            H = at.objective.loss.hessian(objective.sweeps.O, Y, psd=psd).ravel() / 19
            np.testing.assert_allclose(at.normal_matrix(psd), P * H @ P.T, atol=1e-13)
        np.testing.assert_allclose(at.operator() @ p, at.normal_matrix(True) @ p, atol=1e-13)


def test_a_run_that_leaves_the_finite_numbers_has_infinite_loss():
    net = ggn.MLP((1, 1), bias=False)
    recursion = Recursion([(net, 0)], 1, 1, [(0, 1)])
    objective = LoopObjective(
        recursion, net, np.ones((3000, 1)), np.ones((3000, 1)), Windows([3000])
    )
    assert objective.value(np.array([20.0])) == np.inf
    assert np.isfinite(objective.at(np.array([0.5])).gradient).all()
