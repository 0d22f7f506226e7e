"""The order and constant of convergence that a run shows."""

import numpy as np
import pytest

import ggn
from ggn.fit import convergence
from ggn.fit.convergence import Approach, undamped_approach


def test_orders_are_observed_between_one_and_the_floor():
    d = np.array([30.0, 0.5, 0.1, 1e-2, 1e-4, 1e-8, 1e-14, 0.0])
    seen = convergence.orders(d)
    assert np.isnan([*seen[:3], *seen[6:]]).all()
    np.testing.assert_allclose(seen[3:6], [np.log(0.1) / np.log(0.2), 2.0, 2.0])
    assert np.isnan(convergence.orders(d, floor=1e-3)[4:]).all()
    assert convergence.orders(np.array([1.0])) != []


@pytest.mark.parametrize(("order", "constant"), [(1.5, 0.3), (2.0, 0.7), (3.0, 2.0)])
def test_order_and_constant_of_a_model_sequence(order, constant):
    """d_{k+1} = C d_k^p: the ratio of logarithms tends to p; d_{k+1}/d_k² is C only if p = 2."""
    d = [0.1]
    while d[-1] > 1e-12:
        d.append(constant * d[-1] ** order)
    way = Approach(np.zeros(len(d) + 1), np.array([*d, 0.0]), 1e-13)
    assert way.exact
    b, c = d[-2:] if d[-1] > 1e-13 else d[-3:-1]
    assert way.last == d.index(c)
    # log C does not cancel, but is small beside log d
    assert abs(way.order - order) <= abs(np.log(constant) / np.log(b)) * order
    assert way.constant == pytest.approx(c / b**2)
    if order == 2.0:
        assert way.constant == pytest.approx(constant)


def test_no_order_where_nothing_converges():
    way = Approach(np.array([1.0, 0.5]), np.array([3.0, 0.0]), 1e-13)
    assert not way.exact
    assert way.last is None
    assert np.isnan([way.order, way.constant]).all()


def test_the_way_is_gauss_newton_s():
    """Each iterate solves the linear least-squares problem of the one before, at least norm."""
    net, rng = ggn.MLP((2, 20, 1), "bent_identity"), np.random.default_rng(5)
    X, Y = ggn.problems.four_regions(20, rng)
    w = net.initial_weights(rng)
    way = undamped_approach(net, X, Y, w)
    for J in way.losses[:4]:
        r = (net.forward(w, X) - Y).ravel()
        assert pytest.approx(r @ r / 20, rel=1e-6) == J
        w = w - np.linalg.lstsq(net.jacobian(w, X).T, r, rcond=1e-13)[0]
    assert way.exact
    assert way.distances[-1] == 0.0
    assert way.distances[0] > way.distances[-2] > 0.0


def test_the_way_ends_with_its_limit():
    net, (X, Y) = ggn.MLP((2, 20, 1), "bent_identity"), ggn.problems.four_regions(20, rng=3)
    w0 = net.initial_weights(3)
    full, cut = (undamped_approach(net, X, Y, w0, n) for n in (60, 2))
    assert np.array_equal(cut.losses, full.losses[:3])
    assert not cut.exact
