"""Prop. 1 for convex losses whose minimum is not at φ_L = y, or nowhere."""

import numpy as np
import pytest

import ggn
from ggn.surface import certificate


def soft(loss, nL, rng):
    """XOR's inputs and labels in (0, 1)."""
    X, _ = ggn.problems.xor()
    Y = rng.uniform(0.1, 0.9, size=(4, nL))
    return X, Y if loss == "logistic" else Y / Y.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("loss", "nL"), [("logistic", 1), ("logistic", 2), ("softmax_cross_entropy", 3)]
)
def test_soft_labels_at_an_exact_fit_are_certified(loss, nL, rng):
    """Convexity suffices: p = y at full column rank, though J > 0 and φ_L is no y."""
    X, Y = soft(loss, nL, rng)
    net = ggn.MLP((2, 6, nL))
    fit = ggn.train(net, X, Y, loss, tol=0.0)
    found = certificate(net, fit.w, X, Y, loss)
    entropy = -(Y * np.log(Y)).sum()
    if loss == "logistic":
        entropy -= ((1.0 - Y) * np.log1p(-Y)).sum()
    assert found.loss == pytest.approx(entropy / 4.0, rel=1e-14)
    assert (found.principle_1, found.zero_error, found.exact_fit) == (True, True, False)
    assert (found.theorem_1, found.proposition_1) == (True, True)
    assert found.certifies_global
    assert ggn.diagnose(net, fit.w, X, Y, loss).verdict.value == "global minimum"
    off = certificate(net, fit.w + 1e-6, X, Y, loss)
    assert not off.zero_error
    assert not off.certifies_global


@pytest.mark.parametrize("factor", [1.0, 3.0, 30.0])
def test_hard_labels_have_no_minimum_to_certify(factor, rng):
    """Their infimum lies at infinity: however small ε is, even where it underflows to 0."""
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 6, 1))
    w = ggn.train(net, X, Y, "logistic", tol=0.0).w
    net.unpack(w)[-1][:] *= factor
    found = certificate(net, w, X, Y, "logistic")
    assert found.loss < 1e-10
    assert found.full_column_rank
    assert not found.zero_error
    assert not found.certifies_global


def test_a_convex_loss_of_ones_own_with_its_minimum_off_the_target():
    """E = (φ - y + 1/2)², full Hessian too: ε = 0 at φ = y - 1/2."""
    for curvature in (
        lambda F, Y: 2.0 + 0.0 * F,
        lambda F, Y: np.broadcast_to(2.0 * np.eye(F.shape[1]), (*F.shape, F.shape[1])),
    ):
        own = ggn.Loss(
            "tilted",
            lambda F, Y: ((F - Y + 0.5) ** 2).sum(axis=1),
            lambda F, Y: 2.0 * (F - Y) + 1.0,
            curvature,
        )
        X, Y = ggn.problems.xor()
        net = ggn.MLP((2, 3, 1))
        w = ggn.train(net, X, Y - 0.5).w
        assert not certificate(net, w, X, Y, own).certifies_global
        own.convex = True
        assert certificate(net, w, X, Y, own).certifies_global
        assert not certificate(net, 1.0001 * w, X, Y, own).zero_error
