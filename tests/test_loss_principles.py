"""Principles 1 and 1.a on losses and outputs with known answers."""

import numpy as np
import pytest

import ggn
from ggn.surface import Outcome, check_principles

HOLDS, FAILS = Outcome.HOLDS, Outcome.FAILS
NUMERICALLY, UNKNOWN = Outcome.NUMERICALLY_FAILS, Outcome.UNKNOWN


def found(principle, *args):
    """Return the finding of one principle."""
    (one,) = [f for f in check_principles(*args) if f.principle == principle]
    return one


def loss_of(value, gradient, hessian):
    return ggn.Loss("own", value, gradient, hessian)


def outputs(F):
    """A network, weights and inputs with outputs F (T, nL): one input per sample, no layers."""
    F = np.asarray(F, float)
    net = ggn.MLP((len(F), F.shape[1]), bias=False)
    return net, net.pack([F]), np.eye(len(F))


# ρ''(0) with the default parameters: p s^(p-2) for smooth ℓp, 2 / (1 + ε) for Blake-Zisserman
@pytest.mark.parametrize(
    ("loss", "least"),
    [("squared", 2.0), ("smooth_lp", 10.0), ("cauchy", 2.0), ("blake_zisserman", 2.0 / 1.01)],
)
def test_principles_1_and_1a_hold_for_the_built_in_losses_near_their_targets(loss, least):
    net = outputs([[0.05], [-0.02], [0.0]])
    target = np.zeros((3, 1))
    assert found("1", *net, target, loss).verdict is HOLDS
    curved = found("1.a", *net, target, loss)
    assert curved.verdict is HOLDS
    assert curved.numbers["least"] == pytest.approx(least, rel=1e-12)


@pytest.mark.parametrize("p", [0.5, 1.0, 1.5, 2.0])
def test_what_the_losses_say_of_themselves(p):
    """`convex`, `unique_minimum` and `separable`, on a grid of residuals."""
    F = np.linspace(-9.0, 9.0, 181)[:, None]
    named = (cls() for cls in ggn.losses.FOR_REGRESSION.values())
    for loss in (ggn.losses.SmoothLp(p), *named):
        assert loss.unique_minimum
        assert loss.separable
        assert loss.convex == (loss.hessian(F, 0.0 * F) > 0.0).all()
        assert (np.sign(loss.gradient(F, 0.0 * F)) == np.sign(F)).all()
        np.testing.assert_allclose(loss.value(F, 0.0 * F), loss.value(-F, 0.0 * F), rtol=1e-14)


def test_principle_1_counts_the_samples_of_not_convex():
    """Cauchy, s = 1: ρ'' < 0 for |r| > 1, but ρ' there falls off as 2/r only."""
    one = found("1", *outputs([[0.5], [1.5], [-3.0], [0.9]]), np.zeros((4, 1)), "cauchy")
    assert one.verdict is HOLDS
    assert one.numbers == {"not_convex": 2, "lost": 0}
    assert "2 of 4" in one.text


def test_principle_1_fails_numerically_far_out():
    """Blake-Zisserman: ρ' ~ (2r/ε) exp(-r²): 1e-6 at r = 4.5, 1e-9 at 5.2."""
    F = [[0.1], [4.0], [8.0], [40.0]]
    one = found("1", *outputs(F), np.zeros((4, 1)), "blake_zisserman")
    assert one.verdict is NUMERICALLY
    assert one.numbers == {"not_convex": 3, "lost": 2}
    assert "residuals from 8 on" in one.text
    assert one.advice


def test_smooth_lp_keeps_its_gradient_however_far():
    """p = 1: ρ' tends to 1, ρ'' to 0 from above."""
    one = found("1", *outputs([[1e6]]), [[0.0]], "smooth_lp")
    assert one.verdict is HOLDS
    assert one.numbers == {"not_convex": 0, "lost": 0}


def test_principle_1_of_a_loss_of_ones_own_is_looked_at_only():
    quartic = loss_of(
        lambda F, Y: ((F - Y) ** 4).sum(axis=1),
        lambda F, Y: 4.0 * (F - Y) ** 3,
        lambda F, Y: 12.0 * (F - Y) ** 2,
    )
    data = outputs([[1.0], [-2.0], [0.0]])  # the last at its target, with a zero gradient
    one = found("1", *data, np.zeros((3, 1)), quartic)
    assert one.verdict is UNKNOWN
    assert "unique_minimum" in one.advice
    flat = found("1.a", *data, np.zeros((3, 1)), quartic)
    assert flat.verdict is FAILS  # H_E = 0 at the target
    assert flat.numbers["least"] == 0.0
    quartic.unique_minimum = True
    assert found("1", *data, np.zeros((3, 1)), quartic).verdict is HOLDS


@pytest.mark.parametrize(
    ("gradient", "what"),
    [
        (lambda F, Y: 2.0 * (F - Y) + 1.0, "is not 0 at the target"),
        (lambda F, Y: np.where(F > 1.5, 0.0, 2.0 * (F - Y)), "is 0 off the target"),
        (lambda F, Y: np.divide(1.0, F - Y), "is not finite at the target"),
    ],
)
def test_principle_1_fails_for_a_wrong_gradient(gradient, what):
    own = loss_of(lambda F, Y: ((F - Y) ** 2).sum(axis=1), gradient, lambda F, Y: 2.0 + 0.0 * F)
    one = found("1", *outputs([[1.0], [2.0]]), np.zeros((2, 1)), own)
    assert one.verdict is FAILS
    assert what in one.text


def test_principle_1_fails_where_the_target_is_not_the_minimum():
    """cos: a maximum at the target."""
    own = loss_of(
        lambda F, Y: np.cos(F - Y).sum(axis=1),
        lambda F, Y: -np.sin(F - Y),
        lambda F, Y: -np.cos(F - Y),
    )
    one = found("1", *outputs([[1.0]]), [[0.0]], own)
    assert one.verdict is FAILS
    assert "below the loss at the target" in one.text
    assert found("1.a", *outputs([[1.0]]), [[0.0]], own).verdict is FAILS


def test_a_full_hessian_counts_by_its_eigenvalues():
    """Diagonal entries positive, the least eigenvalue 1 - 2 = -1 at the target."""
    H = np.array([[1.0, 2.0], [2.0, 1.0]])
    own = loss_of(
        lambda F, Y: 0.5 * np.einsum("ia,ab,ib->i", F - Y, H, F - Y),
        lambda F, Y: (F - Y) @ H,
        lambda F, Y: np.broadcast_to(H, (len(F), 2, 2)),
    )
    curved = found("1.a", *outputs([[1.0, 1.0]]), [[0.0, 0.0]], own)
    assert curved.verdict is FAILS
    assert curved.numbers["least"] == pytest.approx(-1.0, rel=1e-14)
