"""The exact Hessian, eq. 26: against the oracle, complex steps, and theory."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import NAMES, assert_close, case, cases, losses, sample_counts, sample_weights

import ggn
from ggn import _core
from ggn.linearization.hessian import hessian_parts

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
    assert np.abs(at.functional_hessian() - rest).max() <= 1e-12 * scale
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
    for array in at.objective._memory._free():
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
    for use in (at.hessian, at.functional_hessian, lambda: at.hessian_operator() @ np.ones(7)):
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
    size = c.net.work_size(T, 1), L.hessian_product_size(T)
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


# ------------------------------------------------------------- eq. 28 and Prop. 4


@pytest.mark.parametrize("name", NAMES)
def test_at_an_exact_fit_the_hessian_is_the_normal_matrix(name):
    c = case((3, 6, 5, 2), (name, name, "identity"), seed=3)
    X, _ = c.data(40)
    Y = reference.forward(c.spec, c.w, X)[0][-1]
    parts = hessian_parts(ggn.linearize(c.net, c.w, X, Y))
    assert parts.functional_share <= 1e-10
    assert parts.normal_share == pytest.approx(1.0, abs=1e-10)
    assert_close(parts.hessian, reference.normal_matrix(c.spec, c.w, X, Y, SQUARED), 1e-10)


def test_split_away_from_a_fit():
    c = case((3, 6, 5, 2), ("tanh", "sigmoid", "softplus"), seed=3)
    X, Y = c.data(40)
    at = ggn.linearize(c.net, c.w, X, Y, l2=0.1)
    parts = hessian_parts(at)
    exact, rest, _ = oracle(c, X, Y, SQUARED, l2=0.1)
    norm = np.linalg.norm(exact)
    assert_close(parts.normal, exact - rest)
    assert_close(parts.functional, rest)
    assert (parts.hessian == at.hessian()).all()
    assert parts.functional_share == pytest.approx(np.linalg.norm(rest) / norm, rel=1e-10)
    assert parts.normal_share == pytest.approx(np.linalg.norm(exact - rest) / norm, rel=1e-10)


def test_shares_where_the_hessian_is_zero():
    net = ggn.MLP((1, 1, 1, 1), "identity", bias=False)
    parts = hessian_parts(ggn.linearize(net, np.zeros(3), [[1.0]], [[1.0]]))
    assert not parts.hessian.any()
    assert (parts.normal_share, parts.functional_share) == (0.0, 0.0)
