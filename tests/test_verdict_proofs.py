"""What is called proven, exact or known holds for the numbers given, not for numbers nearby."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import ggn
from ggn.surface import EvidenceKind, ObstructionKind, Verdict, obstructions
from ggn.surface.null_space import null_space, vanishes


def least(A, y):
    """min mean (A v - y)² at 120 digits."""
    with mpmath.workdps(120):
        M, b = mpmath.matrix(A.tolist()), mpmath.matrix(y.tolist())
        v = mpmath.lu_solve(M.T * M, M.T * b)
        r = M * v - b
        return float(sum(t * t for t in r) / len(y)), [float(t) for t in v]


def nearly_collinear(rng, kind, T=20):
    X = rng.normal(size=(T, 2))
    if kind == "mixed":  # a combination, rounded
        return np.column_stack([X, X @ rng.normal(size=2) + 0.5])
    if kind == "bits":  # equal but for last digits
        return np.column_stack([X, np.nextafter(X[:, 0], np.where(X[:, 1] > 0.0, 9.0, -9.0))])
    return np.column_stack([X, X[:, 0] + 10.0 ** -float(kind) * rng.normal(size=T)])


@pytest.mark.parametrize("kind", ["mixed", "bits", "15", "14", "12", "9", "6"])
@pytest.mark.parametrize("seed", range(4))
def test_no_weights_undercut_a_bound_of_nearly_collinear_inputs(kind, seed):
    rng = np.random.default_rng(seed)
    X, y = nearly_collinear(rng, kind), rng.normal(size=20)
    true, best = least(np.column_stack([X, np.ones(20)]), y)
    for found in obstructions(ggn.MLP((3, 1)), X, y):
        assert found.lower_bound <= true * (1.0 + 1e-9)
    # and weights that J is seen to be lower at
    d = ggn.diagnose(ggn.MLP((3, 1)), best, X, y)
    assert d.lower_bound <= d.loss * (1.0 + 1e-9)


@pytest.mark.parametrize("kind", ["mixed", "bits", "14", "13"])
@pytest.mark.parametrize("sizes", [(3, 1), (3, 2, 1)])
def test_no_direction_is_known_to_be_flat_that_is_not(kind, sizes):
    """Inputs that differ by little more than rounding tell samples apart at large weights."""
    rng = np.random.default_rng(5)
    X = nearly_collinear(rng, kind)
    y = rng.normal(size=20)
    net = ggn.MLP(sizes)
    w = ggn.train(net, X, y, max_iter=300).w
    d = ggn.diagnose(net, w, X, y)
    assert d.verdict is not Verdict.GLOBAL_MINIMUM
    if kind in ("14", "13"):
        assert not any(e.kind is EvidenceKind.POSITIVE_BUT_FLAT for e in d.evidence)


def test_null_spaces_are_exact_where_they_are_said_to_be():
    rng = np.random.default_rng(0)
    X, one = rng.normal(size=(20, 3)), np.ones((20, 1))
    whole = rng.integers(-5, 6, (20, 3)).astype(float)
    labels = np.eye(3)[rng.integers(0, 3, 20)]
    cases = [
        (np.hstack([X, one]), 0, True),
        (np.hstack([labels, one]), 1, True),
        (np.hstack([X, X[:, :2], one]), 2, True),
        (np.hstack([X, -4e10 * X[:, :1] / 4e10 * 2.0**30, one]), 1, True),
        (np.column_stack([whole, whole @ [1.0, 2.0, -3.0], 0.3 * one]), 1, True),
        (np.hstack([X, 0.0 * one, 0.7 * one, one]), 2, True),
        (rng.normal(size=(5, 9)), 4, True),
        (np.hstack([X, X @ rng.normal(size=(3, 1)), one]), 1, False),
        (np.hstack([X, X[:, :1] + 1e-13 * rng.normal(size=(20, 1))]), 0, True),
    ]
    for A, dimension, exact in cases:
        V, known = null_space(A)
        assert (V.shape[1], known) == (dimension, exact) or (dimension == 0 and V.shape[1] == 0)
        np.testing.assert_allclose(V.T @ V, np.eye(V.shape[1]), atol=1e-12)
        assert np.abs(A @ V).max(initial=0.0) <= 1e-12 * np.abs(A).max()


def test_vanishes_is_exact():
    """Against rational arithmetic; the last digit of one entry makes the difference."""
    rng = np.random.default_rng(1)
    A = rng.integers(-(2**40), 2**40, (12, 3)) / 2.0**30
    A[:, 2] = 3.0 * A[:, 0] - 2.0 * A[:, 1]
    v = np.array([3.0, -2.0, -1.0])
    exact = [sum(Fraction(a) * Fraction(c) for a, c in zip(row, v, strict=True)) for row in A]
    assert vanishes(A, v / 7.0 * 7.0) == all(e == 0 for e in exact) is True
    A[4, 2] = np.nextafter(A[4, 2], np.inf)
    assert not vanishes(A, v)


# ------------------------------------------------------------------ exact to rounding


@pytest.mark.parametrize("size", [1e4, 1e5, 1e6, 1e7, 1e8])
@pytest.mark.parametrize("target", ["derivative", "slope"])
def test_units_that_tend_to_a_derivative_fit_nothing_exactly(size, target):
    """a tanh((1+h/2) x) - a tanh((1-h/2) x) -> x tanh'(x), and the same in the dummy weights:
    the infimum 0 lies at a = ∞, whatever rounding leaves of the residuals."""
    net, X = ggn.MLP((1, 2, 1)), np.linspace(-2.0, 2.0, 25)[:, np.newaxis]
    Y, h = (X if target == "derivative" else 1.0) / np.cosh(X) ** 2, 1.0 / size
    first = np.array([[1.0 + h / 2, 1.0 - h / 2], [0.0, 0.0]])
    if target == "slope":
        first = np.array([[1.0, 1.0], [h / 2, -h / 2]])
    w = net.pack([first, np.array([[size], [-size], [0.0]])])
    for v in (w, ggn.train(net, X, Y, w0=w, max_iter=100).w):
        d = ggn.diagnose(net, v, X, Y)
        assert d.verdict is not Verdict.GLOBAL_MINIMUM
        assert d.verdict is not Verdict.LOCAL_MINIMUM


@pytest.mark.parametrize("value", [0.7, 1e-8, 3e9])
def test_targets_that_vary_by_rounding_only_are_fitted_exactly(value):
    rng = np.random.default_rng(2)
    net, X = ggn.MLP((1, 3, 1)), rng.normal(size=(10, 1))
    Y = value * (1.0 + 2.0**-52 * rng.integers(-1, 2, (10, 1)))
    w = net.initial_weights(0)
    net.unpack(w)[-1][:] = 0.0
    w[-1] = value
    assert ggn.diagnose(net, w, X, Y).verdict is Verdict.GLOBAL_MINIMUM
    w[-1] = 1.001 * value
    assert ggn.diagnose(net, w, X, Y).verdict is not Verdict.GLOBAL_MINIMUM


@pytest.mark.parametrize("sizes", [(1, 3, 1), (2, 3, 2), (2, 3, 3, 1)])
def test_an_exact_fit_has_residuals_of_rounding(sizes):
    """Against the outputs at 40 digits: no more than ten times what float64 is off by."""
    rng = np.random.default_rng(3)
    net, X = ggn.MLP(sizes), rng.normal(size=(15, sizes[0]))
    w = net.initial_weights(5)
    with mpmath.workdps(40):
        exact = []
        for x in X:
            phi = [mpmath.mpf(t) for t in x]
            for layer, W in enumerate(net.unpack(w), start=1):
                phi = [*phi, mpmath.mpf(1)]
                z = [sum(a * mpmath.mpf(b) for a, b in zip(phi, c, strict=True)) for c in W.T]
                phi = z if layer == net.depth else [mpmath.tanh(t) for t in z]
            exact.append([float(t) for t in phi])
    Y = np.array(exact)
    off = np.abs(net.forward(w, X) - Y).max()
    assert ggn.diagnose(net, w, X, Y).verdict is Verdict.GLOBAL_MINIMUM
    d = ggn.diagnose(net, w, X, Y + 100.0 * max(off, 1e-16) * rng.choice([-1.0, 1.0], Y.shape))
    assert not any(e.kind is EvidenceKind.EXACT for e in d.evidence)


def test_a_bound_of_each_output_adds_up():
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(12, 2)), rng.normal(size=(12, 2))
    (found,) = (o for o in obstructions(ggn.MLP((2, 2)), X, Y) if o.kind is ObstructionKind.LINEAR)
    each = [least(np.column_stack([X, np.ones(12)]), y)[0] for y in Y.T]
    np.testing.assert_allclose(found.by_output, each, rtol=1e-10)
    assert found.lower_bound == pytest.approx(sum(each), rel=1e-10)
