"""The exact Hessian, eq. 26, and its spectrum: against the oracle, complex steps, and theory."""

from fractions import Fraction

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import NAMES, assert_close, case, cases, losses, sample_counts, sample_weights

import ggn
from ggn import _core
from ggn.linearization.spectrum import negative
from ggn.surface.hessian import inertia, spectrum, split

SQUARED = reference.LOSSES["squared"]()
OURS = {
    "squared": ggn.losses.Squared(),
    "smooth_lp": ggn.losses.SmoothLp(0.5, 1.0),
    "cauchy": ggn.losses.Cauchy(1.0),
    "blake_zisserman": ggn.losses.BlakeZisserman(1.0, 0.5),
}
THEIRS = {
    "squared": SQUARED,
    "smooth_lp": reference.LOSSES["smooth_lp"](0.5, 1.0),
    "cauchy": reference.LOSSES["cauchy"](1.0),
    "blake_zisserman": reference.LOSSES["blake_zisserman"](epsilon=0.5, scale=1.0),
}


def oracle(c, X, Y, loss, **extra):
    """Return the oracle's H_J, its rest, and the size of what they are summed from."""
    exact = reference.hessian(c.spec, c.w, X, Y, loss, **extra)
    normal = reference.normal_matrix(c.spec, c.w, X, Y, loss, **extra)
    psd = reference.normal_matrix(c.spec, c.w, X, Y, loss, psd=True, **extra)
    return exact, exact - normal, max(np.abs(exact).max(), np.abs(psd).max())


# ------------------------------------------------------------- eq. 26


@given(cases(), sample_counts(1), losses(), st.booleans(), st.sampled_from(["none", "one", "each"]))
def test_hessian_and_its_products(c, T, loss, weighted, penalty):
    """Eq. 26, weighted and penalised: dense, by its two parts, and as an operator."""
    ours, theirs = loss
    X, Y = c.data(T)
    extra = {
        "sample_weight": sample_weights(T, c.seed) if weighted else None,
        "l2": {"none": 0.0, "one": 0.37, "each": np.linspace(0.0, 1.0, len(c.w))}[penalty],
    }
    at = ggn.linearize(c.net, c.w, X, Y, ours, **extra)
    exact, rest, scale = oracle(c, X, Y, theirs, **extra)
    H = at.hessian()
    assert np.abs(H - exact).max() <= 1e-12 * scale
    assert (H == H.T).all()
    assert np.abs(at.network_curvature() - rest).max() <= 1e-12 * scale
    V = np.random.default_rng(c.seed).normal(size=(len(c.w), 2))
    for v in V.T:
        error = np.abs(at.hessian_operator() @ v - H @ v).max()
        assert error <= 1e-12 * scale * np.linalg.norm(v)
    assert_close(at.hessian_operator() @ V, at.hessian_operator().H @ V)


def kinks_are_far(c, X, distance):
    z = reference.forward(c.spec, c.w, X)[1][1:]
    return min(np.abs(layer).min() for layer in z) > distance


@pytest.mark.parametrize("loss", THEIRS)
@pytest.mark.parametrize("name", NAMES)
def test_by_differences_of_complex_steps(name, loss):
    """Eq. 6 alone: complex steps for the gradient, differences of fourth order for H_J."""
    h = 1e-4
    for seed in range(20):
        c = case((2, 2, 2, 1), (name, name, "identity"), (True, False, True), seed=seed)
        X, Y = c.data(3)
        if kinks_are_far(c, X, 0.02):
            break
    else:
        pytest.fail("no case far from the kinks")

    def gradient(w):
        return reference.gradient_complex_step(c.complex_spec, w, X, Y, THEIRS[loss])

    columns = []
    for e in np.eye(len(c.w)):
        near = gradient(c.w + h * e) - gradient(c.w - h * e)
        far = gradient(c.w + 2.0 * h * e) - gradient(c.w - 2.0 * h * e)
        columns.append((8.0 * near - far) / (12.0 * h))
    H = ggn.linearize(c.net, c.w, X, Y, OURS[loss]).hessian()
    assert_close(H, np.column_stack(columns), 1e-10)


@given(cases(), losses(), st.sampled_from([5, 70, 130]), st.sampled_from([1, 7, 64, None]))
def test_chunk_size_does_not_matter(c, loss, T, chunk):
    X, Y = c.data(T)
    extra = {"sample_weight": sample_weights(T, c.seed)}
    one = ggn.linearize(c.net, c.w, X, Y, loss[0], chunk_size=chunk, **extra)
    all_ = ggn.linearize(c.net, c.w, X, Y, loss[0], chunk_size=T, **extra)
    scale = max(np.abs(all_.hessian()).max(), np.abs(all_.normal_matrix(psd=True)).max())
    assert np.abs(one.hessian() - all_.hessian()).max() <= 1e-12 * scale
    v = np.ones(len(c.w))
    error = np.abs(one.hessian_operator() @ v - all_.hessian_operator() @ v).max()
    assert error <= 1e-12 * scale * np.linalg.norm(v)


@pytest.mark.parametrize("last", ["identity", "tanh"])
@pytest.mark.parametrize(
    "sizes", [(12, 20, 3), (3, 30, 1), (2, 5, 6, 5, 4, 3), (20, 2, 8), (40, 5)]
)
def test_larger_shapes(sizes, last):
    """Wide in, wide out, deep, with linear and curved outputs."""
    c = case(sizes, (*["tanh"] * (len(sizes) - 2), last), seed=1)
    X, Y = c.data(12)
    at = ggn.linearize(c.net, c.w, X, 3.0 * Y)
    assert_close(at.hessian(), oracle(c, X, 3.0 * Y, SQUARED)[0])


def test_scratch_of_other_computations_does_not_show():
    """The same bits after all scratch has been filled with NaN."""
    c = case((3, 6, 5, 2), ("tanh", "sigmoid", "softplus"))
    X, Y = c.data(50)
    at = ggn.linearize(c.net, c.w, X, Y)
    v = np.ones(len(c.w))
    H, Hv = at.hessian(), at.hessian_operator() @ v
    for array in at.objective._scratch.values():
        array.fill(np.nan)
    assert (at.hessian() == H).all()
    assert (at.hessian_operator() @ v == Hv).all()


# ------------------------------------------------------------- functions of the user


@given(cases(), sample_counts(1), st.integers(0, 15))
def test_activation_from_numpy(c, T, mask):
    """Any mix of layers with the user's functions and compiled ones."""
    mixed = [
        ggn.Activation(name, *reference.ACTIVATIONS[name]) if mask >> layer & 1 else name
        for layer, name in enumerate(c.names)
    ]
    own = case(c.spec.sizes, c.names, c.spec.bias, c.spec.fixed_bias, c.seed, mixed)
    X, Y = c.data(T)
    at = ggn.linearize(own.net, c.w, X, Y)
    exact, _, scale = oracle(c, X, Y, SQUARED)
    assert np.abs(at.hessian() - exact).max() <= 1e-12 * scale
    v = np.ones(len(c.w))
    error = np.abs(at.hessian_operator() @ v - exact @ v).max()
    assert error <= 1e-12 * scale * np.linalg.norm(v)


def test_activation_without_second_derivative():
    sine = ggn.Activation("sine", np.sin, np.cos)
    at = ggn.linearize(ggn.MLP((1, 2, 1), sine), np.ones(7), [[1.0]], [[0.0]])
    for use in (at.hessian, at.network_curvature, lambda: at.hessian_operator() @ np.ones(7)):
        with pytest.raises(ValueError, match="'sine' has no second_derivative"):
            use()


@given(cases(), sample_counts(1))
def test_loss_with_full_indefinite_hessian(c, T):
    """r^T A r with a rotated A, sample by sample."""
    nL = c.net.n_outputs
    Q = np.linalg.qr(np.random.default_rng(c.seed).normal(size=(nL, nL)))[0]
    A = (Q * (np.arange(nL) - 0.5)) @ Q.T
    loss = ggn.Loss(
        "rotated",
        lambda F, Y: np.einsum("ia,ab,ib->i", F - Y, A, F - Y),
        lambda F, Y: 2.0 * (F - Y) @ A,
        lambda F, Y: np.broadcast_to(2.0 * A, (len(F), nL, nL)),
    )
    X, Y = c.data(T)
    expected, scale = np.zeros((len(c.w), len(c.w))), 0.0
    for x, r in zip(X, reference.forward(c.spec, c.w, X)[0][-1] - Y, strict=True):
        P = reference.jacobian(c.spec, c.w, x[np.newaxis])
        bend = reference._second_order_term(c.spec, c.w, x, 2.0 * A @ r)
        expected += (P @ (2.0 * A) @ P.T + bend) / T
        scale = max(scale, np.abs(bend).max(), nL * np.abs(P).max() ** 2)
    at = ggn.linearize(c.net, c.w, X, Y, loss)
    assert np.abs(at.hessian() - expected).max() <= 1e-12 * scale
    v = np.ones(len(c.w))
    error = np.abs(at.hessian_operator() @ v - expected @ v).max()
    assert error <= 1e-12 * scale * len(c.w)


# ------------------------------------------------------------- the door

GUARD = 16


@given(cases(), st.sampled_from([1, 2, 5, 50]), st.booleans())
def test_product_stays_in_bounds_and_adds(c, T, full):
    """Scratch starts as NaN, and a guard behind it stays NaN."""
    X, eps = c.data(T)
    L = c.net.layout
    nL = c.net.n_outputs
    rng = np.random.default_rng(c.seed)
    h = rng.normal(size=(nL, nL, T) if full else (nL, T))
    v = rng.normal(size=len(c.w))
    size = c.net.work_size(T, 1), _core.hessian_product_size(L, T)
    work, buffer = (np.full(n + GUARD, np.nan) for n in size)
    c.net.sweep(c.w, X, work[: size[0]], keep=2)
    before = np.linspace(-1.0, 1.0, len(c.w))
    out = before.copy()
    _core.hessian_product(L, c.w, v, T, np.ascontiguousarray(eps.T), h,
                          work[: size[0]], buffer[: size[1]], out)  # fmt: skip
    assert np.isnan(work[size[0] :]).all()
    assert np.isnan(buffer[size[1] :]).all()
    expected, scale = before.copy(), 1.0
    for i, x in enumerate(X):
        P = reference.jacobian(c.spec, c.w, x[np.newaxis])
        H = h[:, :, i] if full else np.diag(h[:, i])
        for part in (P @ H @ P.T, reference._second_order_term(c.spec, c.w, x, eps[i])):
            expected += part @ v
            scale += np.abs(part @ v).max()
    assert np.abs(out - expected).max() <= 1e-12 * scale


def test_product_of_no_samples():
    net = ggn.MLP((2, 3, 2))
    L, w, empty = net.layout, net.initial_weights(0), np.empty(0)
    out = np.ones(len(w))
    none = np.empty((2, 0))
    _core.hessian_product(L, w, w, 0, none, none, empty, empty, out)
    assert out.tolist() == [1.0] * len(w)


# ------------------------------------------------------------- eq. 28 and the corollary


@pytest.mark.parametrize("name", NAMES)
def test_at_an_exact_fit_the_hessian_is_the_normal_matrix(name):
    c = case((3, 6, 5, 2), (name, name, "identity"), seed=3)
    X, _ = c.data(40)
    Y = reference.forward(c.spec, c.w, X)[0][-1]
    parts = split(ggn.linearize(c.net, c.w, X, Y))
    assert parts.network_share <= 1e-10
    assert parts.normal_share == pytest.approx(1.0, abs=1e-10)
    assert_close(parts.hessian, reference.normal_matrix(c.spec, c.w, X, Y, SQUARED), 1e-10)


def test_split_away_from_a_fit():
    c = case((3, 6, 5, 2), ("tanh", "sigmoid", "softplus"), seed=3)
    X, Y = c.data(40)
    at = ggn.linearize(c.net, c.w, X, Y, l2=0.1)
    parts = split(at)
    exact, rest, _ = oracle(c, X, Y, SQUARED, l2=0.1)
    norm = np.linalg.norm(exact)
    assert_close(parts.normal, exact - rest)
    assert_close(parts.network, rest)
    assert (parts.hessian == at.hessian()).all()
    assert parts.network_share == pytest.approx(np.linalg.norm(rest) / norm, rel=1e-10)
    assert parts.normal_share == pytest.approx(np.linalg.norm(exact - rest) / norm, rel=1e-10)


def test_shares_where_the_hessian_is_zero():
    net = ggn.MLP((1, 1, 1, 1), "identity", bias=False)
    parts = split(ggn.linearize(net, np.zeros(3), [[1.0]], [[1.0]]))
    assert not parts.hessian.any()
    assert (parts.normal_share, parts.network_share) == (0.0, 0.0)


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
    exact, _, scale = oracle(c, X, Y, SQUARED)
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
    _, ends = two_ends(0.0)
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
    again = spectrum(at, 4, max_memory=0.0)
    assert (again.eigenvalues == ends.eigenvalues).all()


def test_lanczos_where_the_hessian_is_zero():
    net = ggn.MLP((4, 5, 5, 3), "identity", bias=False)
    at = ggn.linearize(net, np.zeros(60), np.eye(4), np.ones((4, 3)))
    found = spectrum(at, 2, max_memory=0.0)
    assert (found.eigenvalues == 0.0).all()
    assert not found.descends
    assert spectrum(at).inertia.zero == 60


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


@pytest.mark.parametrize(("k", "memory"), [(0, None), (2.5, None), (3, -1.0)])
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
        assert split(at).network_share == 0.0


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
