"""Eigenvalues of the exact Hessian, and how many count as zero: against the oracle and theory."""

from fractions import Fraction

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, cases

import ggn
from ggn.linearization.hessian import hessian_parts
from ggn.linearization.spectrum import SEEDED, inertia, negative, spectrum

# ------------------------------------------------------------- inertia


def rotated(values, rng):
    Q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    H = (Q * values) @ Q.T
    return 0.5 * (H + H.T)


def test_inertia_of_a_known_matrix(rng):
    values = np.array([-3.0, -1e-6, 0.0, 0.0, 0.0, 1e-8, 2.0, 5.0])
    found = inertia(rotated(values, rng))
    assert (found.positive, found.zero, found.negative) == (3, 3, 2)
    assert found.tolerance == pytest.approx(8 * np.finfo(float).eps * 5.0, rel=1e-12)
    np.testing.assert_allclose(found.eigenvalues, values, atol=1e-14)
    assert found.gap > 1e6
    coarse = inertia(rotated(values, rng), tol=1e-5)
    assert (coarse.positive, coarse.zero, coarse.negative) == (2, 5, 1)
    assert coarse.gap == pytest.approx(2e6, rel=1e-6)


def test_inertia_at_the_ends():
    nothing = inertia(np.zeros((3, 3)))
    assert (nothing.positive, nothing.zero, nothing.negative) == (0, 3, 0)
    assert nothing.gap == np.inf
    assert inertia(np.eye(2)).gap == np.inf
    assert inertia(np.eye(2), tol=1.0).zero == 2
    assert inertia(np.eye(2), tol=1.0).gap == 0.0
    assert inertia(np.empty((0, 0))).zero == 0


@pytest.mark.parametrize(
    ("H", "tol", "message"),
    [
        (np.ones((2, 3)), None, "H must be square, got an array of shape"),
        ([[0.0, 1.0], [2.0, 0.0]], None, "H must be symmetric, got entries that differ by 1"),
        ([[np.nan]], None, "H must be finite"),
        (np.eye(2), -1.0, "tol must be a number in"),
    ],
)
def test_inertia_refuses(H, tol, message):
    with pytest.raises(ValueError, match=message):
        inertia(H, tol)


# ------------------------------------------------------------- spectrum


@given(cases(max_layers=3), st.integers(1, 12))
def test_spectrum_is_that_of_the_oracle(c, T):
    X, Y = c.data(T)
    squared = reference.LOSSES["squared"]()
    exact = reference.hessian(c.spec, c.w, X, Y, squared)
    normal = reference.normal_matrix(c.spec, c.w, X, Y, squared)
    scale = max(np.abs(exact).max(), np.abs(normal).max())
    found = spectrum(ggn.linearize(c.net, c.w, X, Y))
    n = len(c.w)
    assert found.dense
    assert np.abs(found.eigenvalues - np.linalg.eigvalsh(exact)).max() <= 1e-12 * n * scale
    V = found.eigenvectors
    assert np.abs(V.T @ V - np.eye(n)).max() <= 1e-12
    errors = np.linalg.norm(exact @ V - V * found.eigenvalues, axis=0)
    assert np.abs(errors - found.residuals).max() <= 1e-12 * n * scale
    assert found.residuals.max() <= 1e-12 * n * scale
    counts = found.inertia.positive, found.inertia.zero, found.inertia.negative
    assert sum(counts) == n
    assert found.descends == (counts[2] > 0)


def two_ends(max_memory):
    net = ggn.MLP((3, 20, 2))
    rng = np.random.default_rng(5)
    X, Y = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    at = ggn.linearize(net, net.initial_weights(1), X, Y)
    return at, spectrum(at, 4, max_memory=max_memory)


def test_lanczos_finds_both_ends():
    """Where a dense factorisation would not fit, and says that it is an estimate."""
    at, all_ = two_ends(None)
    _, ends = two_ends(1.0)
    assert all_.dense
    assert not ends.dense
    assert ends.inertia is None
    assert ends.descends
    expected = np.append(all_.eigenvalues[:4], all_.eigenvalues[-4:])
    np.testing.assert_allclose(ends.eigenvalues, expected, rtol=1e-8)
    assert ends.residuals.max() <= 1e-5 * all_.eigenvalues[-1]
    H = at.hessian()
    errors = np.linalg.norm(H @ ends.eigenvectors - ends.eigenvectors * ends.eigenvalues, axis=0)
    np.testing.assert_allclose(ends.residuals, errors, atol=1e-12 * all_.eigenvalues[-1])
    again = spectrum(at, 4, max_memory=1.0)
    assert (again.eigenvalues == ends.eigenvalues).all()


def test_lanczos_where_the_hessian_is_zero():
    net = ggn.MLP((4, 5, 5, 3), "identity", bias=False)
    at = ggn.linearize(net, np.zeros(60), np.eye(4), np.ones((4, 3)))
    found = spectrum(at, 2, max_memory=1.0)
    assert (found.eigenvalues == 0.0).all()
    assert not found.descends
    assert spectrum(at).inertia.zero == 60


@pytest.mark.skipif(not SEEDED, reason="ARPACK of SciPy before 1.17 restarts from its own state")
def test_lanczos_gives_the_same_bits_again():
    """Where eigenvalues are multiple, it depends on its start, and on its restarts."""
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(30, 2)), rng.normal(size=(30, 1))
    at = ggn.linearize(ggn.MLP((2, 8, 1), "identity", bias=False), np.zeros(24), X, Y)
    first, second = (spectrum(at, 6, max_memory=1.0) for _ in range(2))
    assert not first.dense
    assert (first.eigenvectors == second.eigenvectors).all()


def test_negative_part(monkeypatch):
    """All negative eigenpairs, or the six lowest by Lanczos; none at an exact fit."""
    at, all_ = two_ends(None)
    below = all_.eigenvalues < -all_.tolerance
    values, vectors = negative(at)
    assert below.sum() > 6
    np.testing.assert_allclose(values, all_.eigenvalues[below], rtol=1e-9)
    H = at.hessian()
    assert_close(H @ vectors, vectors * values, 1e-11)
    monkeypatch.setattr("ggn.linearization.spectrum.DENSE_NEGATIVE", 0)
    values, vectors = negative(at)
    np.testing.assert_allclose(values, all_.eigenvalues[:6], rtol=1e-8)
    assert_close(H @ vectors, vectors * values, 1e-5)
    fit = ggn.linearize(at.net, at.w, at.objective.X, at.net.forward(at.w, at.objective.X))
    assert negative(fit)[0].size == 0
    monkeypatch.undo()
    assert negative(fit)[0].size == 0


def test_overflow():
    """It has no spectrum, and no negative part to follow."""
    net = ggn.MLP((1, 1, 1), "exponential", bias=False)
    at = ggn.linearize(net, [700.0, 1e10], [[1.0]], [[0.0]])
    with pytest.raises(ValueError, match="at must have a finite Hessian"):
        spectrum(at)
    values, vectors = negative(at)
    assert (values.shape, vectors.shape) == ((0,), (2, 0))


@pytest.mark.parametrize(("k", "memory"), [(0, None), (2.5, None), (3, -1.0), (3, 0.0)])
def test_spectrum_refuses(k, memory):
    at = ggn.linearize(ggn.MLP((1, 1)), [1.0, 0.0], [[1.0]], [[0.0]])
    with pytest.raises(ValueError, match=r"^(k|max_memory) must be"):
        spectrum(at, k, max_memory=memory)


# ------------------------------------------------------------- the tolerance


@given(cases(names=("tanh", "softplus", "identity", "softsign")), st.integers(1, 12))
def test_zeros_at_an_exact_fit_are_within_the_tolerance(c, T):
    """H = 2/T P P^T there: no negative eigenvalue, and N - rank P zeros at least."""
    X, _ = c.data(T)
    found = spectrum(ggn.linearize(c.net, c.w, X, c.net.forward(c.w, X)))
    rank = np.linalg.matrix_rank(reference.jacobian(c.spec, c.w, X))
    assert found.inertia.negative == 0
    assert found.inertia.zero >= len(c.w) - rank
    assert found.inertia.positive >= 1
    assert found.tolerance <= 1e-10 * found.eigenvalues[-1]


def test_tolerance_covers_sums_that_cancel():
    """J = mean of y w² x²/2 with y of both signs: H = mean of y x², in fractions."""
    loss = ggn.Loss(
        "weighed",
        lambda F, Y: 0.5 * (Y * F * F).sum(axis=1),
        lambda F, Y: Y * F,
        lambda F, Y: Y * np.ones_like(F),
    )
    net, worst = ggn.MLP((1, 1), bias=False), 0.0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        x, y = rng.uniform(1.0, 2.0, (200, 1)), rng.normal(size=(200, 1))
        y[-1] -= (y * x * x).sum() / x[-1] ** 2
        pairs = zip(x.ravel(), y.ravel(), strict=True)
        exact = float(sum(Fraction(a) ** 2 * Fraction(b) for a, b in pairs) / 200)
        found = spectrum(ggn.linearize(net, [1.0], x, y, loss))
        error = abs(found.eigenvalues[0] - exact)
        assert error <= found.tolerance
        worst = max(worst, error / (np.finfo(float).eps * abs(exact)))
    assert worst > 1e3  # the eigenvalue itself would not have told


# ------------------------------------------------------------- points with a known Hessian


def test_xor_at_zero_weights():
    """W = 0, c = 1/2 in F(2,2,1): H_J is the normal matrix, of rank 1."""
    X, Y = ggn.problems.xor()
    for name in ("tanh", "sigmoid"):
        net = ggn.MLP((2, 2, 1), name)
        at = ggn.linearize(net, [*np.zeros(8), 0.5], X, Y)
        found = spectrum(at).inertia
        assert at.loss == 0.25
        assert not at.gradient.any()
        assert (found.positive, found.zero, found.negative) == (1, 8, 0)
        assert hessian_parts(at).functional_share == 0.0


@pytest.mark.parametrize("hidden", [1, 2, 5])
def test_two_linear_layers_at_zero(hidden):
    """J = mean |W2' W1' x - y|²: eigenvalues ±2 sigma_j(mean y x'), `hidden` times each."""
    rng = np.random.default_rng(hidden)
    X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    sigma = np.linalg.svd(Y.T @ X / 30, compute_uv=False)
    net = ggn.MLP((4, hidden, 3), "identity", bias=False)
    found = spectrum(ggn.linearize(net, np.zeros(7 * hidden), X, Y))
    expected = np.zeros(7 * hidden)
    expected[: 6 * hidden] = np.concatenate([2.0 * sigma, -2.0 * sigma] * hidden)
    np.testing.assert_allclose(found.eigenvalues, np.sort(expected), atol=1e-13)
    counts = found.inertia.positive, found.inertia.zero, found.inertia.negative
    assert counts == (3 * hidden, hidden, 3 * hidden)
