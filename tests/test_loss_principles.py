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
    assert found("1.a", *net, target, loss).verdict is HOLDS
    curved = found("Curvature", *net, target, loss)
    assert curved.verdict is HOLDS
    assert curved.numbers["least"] == pytest.approx(least, rel=1e-12)


LP = ggn.losses.SmoothLp


@pytest.mark.parametrize(
    ("loss", "first", "strong", "where"),
    [
        ("squared", HOLDS, HOLDS, None),
        (LP(1.5, 0.5), HOLDS, HOLDS, None),
        (LP(1.0, 0.1), HOLDS, NUMERICALLY, None),  # ρ'' = s²/h³ leaves float64 far out
        (LP(0.5, 0.3), HOLDS, FAILS, 0.3 / 0.5**0.5),  # (1 - p) r² = s²
        (ggn.losses.Cauchy(2.5), HOLDS, FAILS, 2.5),  # r² = s²
        (ggn.losses.BlakeZisserman(2.0, 0.01), NUMERICALLY, FAILS, "2u (1 - q) = 1"),
        ("logistic", HOLDS, NUMERICALLY, None),  # p (1 - p) > 0 underflows
        ("softmax_cross_entropy", HOLDS, FAILS, None),  # all logits may rise together
    ],
)
def test_principles_1_and_1a_by_design(loss, first, strong, where):
    """Convexity suffices for 1; for 1.a H_E has to be non-degenerate for all outputs."""
    F = np.full((2, 2), 0.25)
    data = *outputs(F), [[0.5, 0.5], [0.25, 0.75]]
    assert found("1", *data, loss).design is first
    one = found("1.a", *data, loss)
    assert one.design is strong
    if where is None:
        assert "degenerate_at" not in one.numbers
    elif isinstance(where, float):
        assert one.numbers["degenerate_at"] == pytest.approx(where, rel=1e-12)
    else:
        u = (one.numbers["degenerate_at"] / 2.0) ** 2
        assert 2.0 * u * 0.01 / (np.exp(-u) + 0.01) == pytest.approx(1.0, rel=1e-10)


def test_cauchy_is_degenerate_where_the_residual_is_its_scale():
    """ρ'' = 2 (1 - u) / (1 + u)², u = r²/s²: 0 at |r| = s, though 1.a holds a little off it."""
    loss = ggn.losses.Cauchy(2.0)
    for r, verdict in ((1.0, HOLDS), (1.999, HOLDS), (2.0, FAILS), (-2.0, FAILS), (5.0, HOLDS)):
        one = found("1.a", *outputs([[r]]), [[0.0]], loss)
        assert one.verdict is verdict
        assert one.design is FAILS
        assert one.numbers["degenerate_at"] == 2.0
        assert "|r| = 2" in one.design_text
    near = found("1.a", *outputs([[2.0 * (1.0 + 2.0**-52)]]), [[0.0]], loss)
    assert near.verdict is NUMERICALLY


def test_cross_entropies_obey_principle_1_whatever_the_labels():
    """Convex: ε of hard labels is small only where the loss is nearly 0, its infimum."""
    far = outputs([[800.0], [-800.0], [0.3]])
    for labels in ([[1.0], [0.0], [0.4]], [[0.5], [0.5], [0.5]]):
        one = found("1", *far, labels, "logistic")
        assert (one.design, one.verdict) == (HOLDS, HOLDS)
    assert found("1.a", *far, labels, "logistic").verdict is NUMERICALLY
    assert found("1.a", *outputs([[0.3]]), [[0.4]], "logistic").verdict is HOLDS


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
    assert (one.design, one.verdict) == (HOLDS, HOLDS)
    assert one.numbers == {"not_convex": 2, "lost": 0}
    assert "on 2 of 4 H_E" in one.text


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


def quartic():
    return loss_of(
        lambda F, Y: ((F - Y) ** 4).sum(axis=1),
        lambda F, Y: 4.0 * (F - Y) ** 3,
        lambda F, Y: 12.0 * (F - Y) ** 2,
    )


def test_principles_of_a_loss_of_ones_own_are_looked_at_only():
    own, data = quartic(), outputs([[1.0], [-2.0], [0.5]])
    one = found("1", *data, np.zeros((3, 1)), own)
    assert (one.design, one.verdict) == (UNKNOWN, HOLDS)  # ∇_E vanishes at none of the outputs
    assert "unique_minimum" in one.advice
    flat = found("1.a", *data, np.zeros((3, 1)), own)
    assert (flat.design, flat.verdict) == (FAILS, HOLDS)  # H_E = 0 at the targets
    assert found("Curvature", *data, np.zeros((3, 1)), own).verdict is FAILS
    at_target = outputs([[1.0], [0.0]])
    assert found("1", *at_target, np.zeros((2, 1)), own).verdict is UNKNOWN
    assert found("1.a", *at_target, np.zeros((2, 1)), own).verdict is FAILS
    for name in ("unique_minimum", "convex"):
        declared = quartic()
        setattr(declared, name, True)
        one = found("1", *at_target, np.zeros((2, 1)), declared)
        assert (one.design, one.verdict) == (HOLDS, HOLDS)


def test_declared_nondegenerate_is_believed():
    own = loss_of(
        lambda F, Y: np.log(np.cosh(F - Y)).sum(axis=1),
        lambda F, Y: np.tanh(F - Y),
        lambda F, Y: 1.0 / np.cosh(F - Y) ** 2,
    )
    data = *outputs([[1.0], [-0.5]]), np.zeros((2, 1))
    assert found("1.a", *data, own).design is UNKNOWN
    own.nondegenerate = True
    assert found("1.a", *data, own).design is UNKNOWN  # Principle 1 is part of it
    own.convex = True
    assert found("1.a", *data, own).design is HOLDS
    assert found("1.a", *outputs([[60.0]]), [[0.0]], own).verdict is NUMERICALLY


def test_principle_1_fails_by_a_gradient_that_is_not_finite_or_0_above_the_least_loss():
    for gradient, what in [
        (
            lambda F, Y: np.where(F > 1.5, 0.0, 2.0 * (F - Y)),
            "is 0 above the least loss at sample 1",
        ),
        (lambda F, Y: np.divide(1.0, F - Y), "is not finite at the target of sample 0"),
    ]:
        own = loss_of(lambda F, Y: ((F - Y) ** 2).sum(axis=1), gradient, lambda F, Y: 2.0 + 0.0 * F)
        one = found("1", *outputs([[1.0], [2.0]]), np.zeros((2, 1)), own)
        assert one.design is FAILS
        assert what in one.design_text
        assert one.verdict is (FAILS if "sample 1" in what else HOLDS)


def test_principle_1_asks_for_no_zero_at_the_target():
    """The paper: where ∇_E = 0, E is least.  A tilted loss has its zero elsewhere, and obeys."""
    own = loss_of(
        lambda F, Y: ((F - Y + 0.5) ** 2).sum(axis=1),
        lambda F, Y: 2.0 * (F - Y) + 1.0,
        lambda F, Y: 2.0 + 0.0 * F,
    )
    data = *outputs([[1.0], [-0.5]]), np.zeros((2, 1))
    assert found("1", *data, own).design is UNKNOWN
    own.convex = True
    assert (found("1", *data, own).design, found("1", *data, own).verdict) == (HOLDS, HOLDS)


def test_principle_1_fails_where_the_target_is_not_the_minimum():
    """cos: ∇_E = 0 at the target, a maximum, and to rounding at 2π, another."""
    own = loss_of(
        lambda F, Y: np.cos(F - Y).sum(axis=1),
        lambda F, Y: -np.sin(F - Y),
        lambda F, Y: -np.cos(F - Y),
    )
    one = found("1", *outputs([[1.0]]), [[0.0]], own)
    assert (one.design, one.verdict) == (FAILS, HOLDS)
    assert "is 0 above the least loss at the target of sample 0" in one.design_text
    assert found("1.a", *outputs([[1.0]]), [[0.0]], own).design is FAILS
    # the least loss that these samples show is cos 0.5
    again = found("1", *outputs([[2.0 * np.pi + 0.5]]), [[0.5]], own)
    assert again.verdict is HOLDS


def test_inertia_that_changes_between_samples_shows_a_degenerate_hessian():
    """ρ'' < 0 at r = 3, > 0 at 0: by continuity it is 0 in between."""
    own = loss_of(
        lambda F, Y: np.log1p((F - Y) ** 2).sum(axis=1),
        lambda F, Y: 2.0 * (F - Y) / (1.0 + (F - Y) ** 2),
        lambda F, Y: 2.0 * (1.0 - (F - Y) ** 2) / (1.0 + (F - Y) ** 2) ** 2,
    )
    own.unique_minimum = True
    one = found("1.a", *outputs([[3.0]]), [[0.0]], own)
    assert (one.design, one.verdict) == (FAILS, HOLDS)
    assert "0 to 1 negative eigenvalues" in one.design_text
    assert found("1.a", *outputs([[0.5]]), [[0.0]], own).design is UNKNOWN


def test_a_full_hessian_counts_by_its_eigenvalues():
    """Diagonal entries positive, the least eigenvalue 1 - 2 = -1 at the target."""
    H = np.array([[1.0, 2.0], [2.0, 1.0]])
    own = loss_of(
        lambda F, Y: 0.5 * np.einsum("ia,ab,ib->i", F - Y, H, F - Y),
        lambda F, Y: (F - Y) @ H,
        lambda F, Y: np.broadcast_to(H, (len(F), 2, 2)),
    )
    curved = found("Curvature", *outputs([[1.0, 1.0]]), [[0.0, 0.0]], own)
    assert curved.verdict is FAILS
    assert curved.numbers["least"] == pytest.approx(-1.0, rel=1e-14)
