"""Stationary points: closed forms, XOR by Coetzee & Stonick, and what must not be listed."""

import math

import numpy as np
import pytest
import reference
from scipy.optimize import root

import ggn
from ggn.surface import StationaryPoint, StationaryPoints, Symmetry, stationary_points

SQUARED = reference.LOSSES["squared"]()


def table(points):
    """Return (J, index, orbit size) of each point, J to ten digits."""
    return [(round(p.loss, 10), p.index, p.orbit_size) for p in points]


# ---------------------------------------------------------------- linear networks, by hand
@pytest.mark.parametrize("l2", [0.1, 0.5, 0.9, 1.5])
def test_product_of_two_weights(l2):
    """J = (ab - 1)² + l2 (a² + b²): 0, and a = b = ±sqrt(1 - l2) if l2 < 1."""
    net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    points = stationary_points(net, [[1.0]], [[1.0]], l2=l2, n_starts=60)
    at_zero = (1.0, 1 if l2 < 1.0 else 0, 1)
    minima = [(round(2 * l2 - l2**2, 10), 0, 2)] if l2 < 1.0 else []
    assert table(points) == [*minima, at_zero]
    assert points.poincare_hopf == 1
    assert points.consistent is True
    if l2 < 1.0:
        np.testing.assert_allclose(np.abs(points[0].w), math.sqrt(1.0 - l2), rtol=1e-14)
        np.testing.assert_allclose(
            points[0].eigenvalues, [4 * l2, 4 * (1 - l2)][:: 1 if l2 < 0.5 else -1]
        )


def test_a_degenerate_minimum_is_said_to_be_one():
    """l2 = 1 in the same problem: J = 1 + (a - b)² + (ab)², flat to fourth order along a = b."""
    net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    points = stationary_points(net, [[1.0]], [[1.0]], l2=1.0, n_starts=60)
    assert [(p.loss, p.index, p.nullity, p.degenerate) for p in points] == [(1.0, 0, 1, True)]
    assert np.abs(points[0].w).max() <= 1e-5
    assert points.poincare_hopf is None
    assert points.consistent is None


def test_product_of_three_weights():
    """J = (abc - 1)² + l2 (a² + b² + c²): 0, and |a| = |b| = |c| = t with t - t⁴ = l2, abc > 0."""
    l2 = 0.2
    net = ggn.MLP((1, 1, 1, 1), activation="identity", bias=False)
    points = stationary_points(net, [[1.0]], [[1.0]], l2=l2, n_starts=120)
    t = sorted(r.real for r in np.roots([-1, 0, 0, 1, -l2]) if abs(r.imag) < 1e-12 and r.real > 0)
    J = [(s**3 - 1) ** 2 + 3 * l2 * s**2 for s in t]
    expected = [(round(J[1], 10), 0, 4), (1.0, 0, 1), (round(J[0], 10), 1, 4)]
    assert len(t) == 2
    assert table(points) == sorted(expected)
    assert points.counts == [5, 4]
    assert points.consistent is True


def test_one_linear_unit_between_three_inputs_and_outputs():
    """Y = diag(s): the unit takes one pair of directions, t² = s_i - 3 l2, index i; or none."""
    s, l2 = np.array([3.0, 2.0, 1.0]), 0.1
    net = ggn.MLP((3, 1, 3), activation="identity", bias=False)
    points = stationary_points(net, np.eye(3), np.diag(s), l2=l2, n_starts=150)
    expected = [(float(s @ s) / 3.0, 3, 1)]
    for i in range(3):
        rest = float(s @ s) - s[i] ** 2
        expected.append(((9 * l2**2 + rest) / 3.0 + 2 * l2 * (s[i] - 3 * l2), i, 2))
    assert table(points) == sorted((round(J, 10), k, n) for J, k, n in expected)
    assert points.counts == [2, 2, 2, 1]
    assert points.consistent is True


def test_linear_network_of_baldi_and_hornik():
    """Without penalty: no fit, or the fit of one pair of directions, the first being the only
    minimum; each of them a continuum, since (t a, b/t) does as (a, b)."""
    net = ggn.MLP((2, 1, 2), activation="identity", bias=False)
    points = stationary_points(net, np.eye(2), np.diag([3.0, 1.0]), n_starts=150)
    found = [(round(p.loss, 10), p.index, p.nullity) for p in points]
    assert found == [(0.5, 0, 1), (4.5, 1, 1), (5.0, 2, 0)]
    assert points.consistent is None


def test_linear_regression_has_one():
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(9, 2)), rng.normal(size=(9, 1))
    (point,) = stationary_points(ggn.MLP((2, 1)), X, Y, n_starts=20)
    A = np.hstack([X, np.ones((9, 1))])
    np.testing.assert_allclose(point.w, np.linalg.lstsq(A, Y, rcond=None)[0][:, 0], rtol=1e-12)
    assert (point.index, point.nullity, point.orbit_size) == (0, 0, 1)


# ---------------------------------------------------------------- infima at infinity
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softsign", "softplus"])
def test_infima_at_infinity_are_not_listed(activation):
    """Targets that a saturating unit only tends to: J has no stationary point."""
    net = ggn.MLP((1, 1), output_activation=activation)
    Y = [[-1.0], [1.0]] if activation in ("tanh", "softsign") else [[0.0], [1.0]]
    points = stationary_points(net, [[-1.0], [1.0]], Y, n_starts=80)
    assert list(points) == []
    assert points.n_rejected == points.n_starts == 80
    assert points.counts == [0]
    assert points.consistent is None


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh"])
def test_xor_with_saturating_outputs(hidden):
    """Its infima J = 0, 1/8, 1/6 lie at infinity; J = 1/4, the best constant, is attained."""
    net = ggn.MLP((2, 2, 1), hidden, "sigmoid")
    points = stationary_points(net, *ggn.problems.xor(), n_starts=80)
    assert points
    assert all(p.degenerate for p in points)
    assert all(p.loss >= 0.25 - 1e-12 for p in points)
    assert abs(points[0].loss - 0.25) <= 1e-12


# ---------------------------------------------------------------- Coetzee & Stonick, NIPS 1996
class Xor:
    """Inputs ±1, targets ±0.8, two tanh units with bias, tanh output without;
    E = Σ (o - t)² + 0.05 ‖w‖² = 4 J."""

    X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    Y = np.array([[-0.8], [0.8], [0.8], [-0.8]])
    l2 = 0.05 / 4
    net = ggn.MLP((2, 2, 1), "tanh", "tanh", bias=[True, False])
    spec = reference.named_spec((2, 2, 1), "tanh", [True, False])

    def gradient(self, w):
        return reference.gradient(self.spec, w, self.X, self.Y, SQUARED, l2=self.l2)

    def images(self, w):
        """Return w under the symmetries of the data: of (x1, x2, 1), order and signs are free."""
        (A, v), out = self.net.unpack(w), []
        for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]):
            for signs in ([1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]):
                out.append(
                    self.net.pack([(A * np.array(signs)[:, None])[order], v * np.prod(signs)])
                )
        return out


@pytest.fixture(scope="module")
def xor():
    return Xor()


@pytest.fixture(scope="module")
def found(xor):
    return stationary_points(xor.net, xor.X, xor.Y, l2=xor.l2, n_starts=1400, rng=1)


def test_xor_points_are_stationary_and_of_their_index(xor, found):
    for p in found:
        assert np.linalg.norm(xor.gradient(p.w)) <= 1e-12
        assert p.gradient_norm <= 1e-12
        assert (
            abs(p.loss - reference.objective(xor.spec, p.w, xor.X, xor.Y, SQUARED, l2=xor.l2))
            <= 1e-15
        )
        H = reference.hessian_fd(xor.spec, p.w, xor.X, xor.Y, SQUARED, l2=xor.l2)
        eigenvalues = np.linalg.eigvalsh((H + H.T) / 2)
        np.testing.assert_allclose(p.eigenvalues, eigenvalues, atol=1e-8)
        assert np.abs(eigenvalues).min() > 1e-3
        assert p.index == np.sum(eigenvalues < 0)


def test_xor_list_may_be_complete(xor, found):
    """Poincaré-Hopf and Morse; and what the problem's own symmetries demand."""
    assert found.coercive
    assert found.poincare_hopf == 1
    assert found.consistent is True
    assert sum((-1) ** p.index * p.orbit_size for p in found) == 1
    group, all_w = Symmetry(xor.net), np.array([p.w for p in found])
    assert group.order == 8
    for p in found:  # every image of a point under the symmetries of the data is in the list
        for image in xor.images(p.w):
            distance = np.abs(all_w - group.canonical(image)[0]).max(axis=1)
            assert np.sum(distance <= 1e-9) == 1


def test_xor_at_zero(found):
    """E(0) = 4 (0.8)²; the penalty makes it a minimum."""
    (zero,) = [p for p in found if p.orbit_size == 1]
    assert np.abs(zero.w).max() <= 1e-14
    assert abs(4.0 * zero.loss - 2.56) <= 1e-14
    assert zero.index == 0


def test_xor_points_found_otherwise_are_in_the_list(xor, found):
    """MINPACK's hybrid method on ∇J = 0 finds none that is missing."""
    rng, group, seen = np.random.default_rng(5), Symmetry(xor.net), set()
    for _ in range(60):
        start = rng.normal(size=8) * 10 ** rng.uniform(-1.5, 0.5)
        solution = root(xor.gradient, start, method="hybr", options={"xtol": 1e-13})
        if np.linalg.norm(solution.fun) <= 1e-12:
            (i,) = [i for i, q in enumerate(found) if group.same_orbit(solution.x, q.w)]
            seen.add(i)
    assert len(seen) >= 10


def test_the_same_seed_gives_the_same_bits(xor):
    a, b = (
        stationary_points(xor.net, xor.X, xor.Y, l2=xor.l2, n_starts=40, rng=7) for _ in range(2)
    )
    assert [p.w.tobytes() for p in a] == [p.w.tobytes() for p in b]
    assert [p.hits for p in a] == [p.hits for p in b]
    assert sum(p.hits for p in a) + a.n_rejected == 40


# ---------------------------------------------------------------- the verdict on a list
def listed(*kinds, coercive=True):
    """Return a list of made-up points (index, nullity, orbit size)."""
    points = [
        StationaryPoint(np.zeros(3), float(i), 0.0, np.ones(3), index, nullity, size)
        for i, (index, nullity, size) in enumerate(kinds)
    ]
    return StationaryPoints(points, 10, 4, coercive)


def test_what_a_list_says_of_itself():
    complete = listed((0, 0, 4), (1, 0, 4), (2, 0, 1))
    assert (complete.counts, complete.poincare_hopf, complete.consistent) == ([4, 4, 1], 1, True)
    assert "as it must be for a complete list" in repr(complete)
    assert "3 orbits, 9 stationary points; 4 of 10 searches found none" in repr(complete)
    missing = listed((0, 0, 4), (2, 0, 1))
    assert (missing.poincare_hopf, missing.consistent) == (5, False)
    assert "incomplete: index sum 5, by index [4, 0, 1], a complete list has 1" in repr(missing)
    # sums of 1 all the same, but there is no minimum; a minimum more than saddles to part them
    for kinds in ([(2, 0, 1)], [(0, 0, 3), (3, 0, 2)]):
        assert (listed(*kinds).poincare_hopf, listed(*kinds).consistent) == (1, False)
        assert "Morse" in repr(listed(*kinds))
    degenerate = listed((0, 1, 4), (1, 0, 3))
    assert degenerate.poincare_hopf is None
    assert degenerate.consistent is None
    assert "degenerate" in repr(degenerate)
    assert listed((0, 0, 1), coercive=False).consistent is None
    assert listed(coercive=True).consistent is False


def test_a_penalty_on_some_weights_only_is_not_coercive():
    l2 = [0.1, 0.0, 0.1, 0.0]
    points = stationary_points(
        ggn.MLP((1, 1, 1)), [[1.0], [2.0]], [[1.0], [0.0]], l2=l2, n_starts=5
    )
    assert not points.coercive


def test_long_lists_are_cut_in_print():
    lines = repr(listed(*[(0, 0, 1)] * 70)).splitlines()
    assert len(lines) == 2 + 60 + 2
    assert lines[-2] == "... and 10 orbits of larger loss"


def test_bad_input():
    net, X, Y = ggn.MLP((1, 1, 1)), [[1.0]], [[1.0]]
    with pytest.raises(ValueError, match="n_starts must be an integer of at least 1, got 0"):
        stationary_points(net, X, Y, n_starts=0)
    with pytest.raises(ValueError, match="rng must be"):
        stationary_points(net, X, Y, rng="seed")
    with pytest.raises(ValueError, match=r"l2 must be a number or have shape"):
        stationary_points(net, X, Y, l2=[0.1, 0.2])
    half = ggn.Activation("half", np.tanh, lambda z: 1.0 / np.cosh(z) ** 2)
    with pytest.raises(ValueError, match="'half' has no second_derivative"):
        stationary_points(ggn.MLP((1, 1, 1), activation=half), X, Y, n_starts=2)


def test_overflow_ends_a_search_quietly():
    net = ggn.MLP((1, 2, 1), activation="exponential", output_activation="exponential")
    points = stationary_points(net, [[-3.0], [3.0]], [[1.0], [2.0]], l2=0.1, n_starts=60)
    assert points
    assert all(np.isfinite(p.eigenvalues).all() for p in points)


@pytest.mark.parametrize(
    ("activation", "claimed"), [("relu", False), ("leaky_relu", False), ("tanh", True)]
)
def test_nothing_is_claimed_where_gradients_jump(activation, claimed):
    """At 0 all net inputs of XOR's relu net are at the kink: Hessian and index are of one side."""
    X, Y = ggn.problems.xor()
    found = ggn.surface.stationary_points(
        ggn.MLP((2, 2, 1), activation), X, Y, l2=0.02, n_starts=30
    )
    assert found.consistent is (True if claimed else None)
    assert ("not checked, for points at the kinks" in repr(found)) is not claimed
    losses = [round(p.loss, 6) for p in found]
    assert (0.254902 in losses) is claimed


def test_a_degenerate_point_is_said_to_stand_for_many():
    X, Y = ggn.problems.xor()
    found = ggn.surface.stationary_points(ggn.MLP((2, 2, 1)), X, Y, n_starts=20)
    assert any(p.degenerate for p in found)
    assert "stationary points, a degenerate one for many; " in repr(found)
