"""Every kernel against the oracle, over random networks, data, losses and chunk sizes.

What a kernel does not have to write, and the scratch it is given, are filled with NaN first.
"""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    NAMES,
    assert_close,
    case,
    cases,
    losses,
    relative_error,
    sample_counts,
    sample_weights,
)

import ggn
from ggn import _core

SIZES = (0, 1, 2, 3, 5, 10, 50)  # LAPACK's own test sizes
GUARD = 16


def scratch(net, c, columns):
    """Return NaN-filled work for c samples, with a guard behind it that must stay NaN."""
    return np.full(net.work_size(c, columns) + GUARD, np.nan)


def assert_guarded(work):
    assert np.isnan(work[-GUARD:]).all()


def oracle_outputs(c, X):
    return reference.forward(c.spec, c.w, X)[0][-1]


# ------------------------------------------------------------- the public face


@given(cases(), sample_counts())
def test_forward(c, T):
    X, _ = c.data(T)
    assert_close(c.net.forward(c.w, X), oracle_outputs(c, X))


@given(cases(), sample_counts())
def test_jacobian(c, T):
    X, _ = c.data(T)
    assert_close(c.net.jacobian(c.w, X), reference.jacobian(c.spec, c.w, X))


@given(cases(), sample_counts())
def test_kernel_matrix_of_the_network(c, T):
    X, _ = c.data(T)
    assert_close(c.net.kernel_matrix(c.w, X), reference.kernel_matrix(c.spec, c.w, X))


@given(cases(), sample_counts(1), losses(), st.booleans(), st.sampled_from(["none", "one", "each"]))
def test_linearization(c, T, loss, weighted, penalty):
    """Loss, gradient, both normal matrices: eq. 6, 16, 37, with sample weights and penalties."""
    ours, theirs = loss
    X, Y = c.data(T)
    s = sample_weights(T, c.seed) if weighted else None
    l2 = {"none": 0.0, "one": 0.37, "each": np.linspace(0.0, 1.0, len(c.w))}[penalty]
    at = ggn.linearize(c.net, c.w, X, Y, ours, sample_weight=s, l2=l2)
    extra = {"sample_weight": s, "l2": l2}
    assert_close(at.loss, reference.objective(c.spec, c.w, X, Y, theirs, **extra))
    assert_close(at.gradient, reference.gradient(c.spec, c.w, X, Y, theirs, **extra))
    assert_close(at.jacobian(), reference.jacobian(c.spec, c.w, X))
    psd = reference.normal_matrix(c.spec, c.w, X, Y, theirs, psd=True, **extra)
    assert_close(at.normal_matrix(psd=True), psd)
    # an indefinite sum may cancel, so its error is measured against the terms
    exact = reference.normal_matrix(c.spec, c.w, X, Y, theirs, **extra)
    scale = max(np.abs(psd).max(), np.abs(exact).max())
    error = np.abs(at.normal_matrix() - exact).max()
    assert error <= 1e-12 * scale


@given(cases(), sample_counts(1), losses(), st.booleans())
def test_kernel_matrix_of_the_linearization(c, T, loss, weighted):
    ours, theirs = loss
    X, Y = c.data(T)
    s = sample_weights(T, c.seed) if weighted else None
    at = ggn.linearize(c.net, c.w, X, Y, ours, sample_weight=s)
    expected = reference.weighted_kernel(c.spec, c.w, X, Y, theirs, sample_weight=s)
    assert_close(at.kernel_matrix(), expected)


@given(cases(), st.integers(1, 6), losses())
def test_gradient_by_complex_step(c, T, loss):
    """Eq. 6 alone, with no derivative formula of ours in it."""
    X, Y = c.data(T)
    expected = reference.gradient_complex_step(c.complex_spec, c.w, X, Y, loss[1])
    assert_close(ggn.linearize(c.net, c.w, X, Y, loss[0]).gradient, expected)


@given(cases(), losses(), st.sampled_from([5, 70, 130]), st.sampled_from([1, 7, 64, None]))
def test_chunk_size_does_not_matter(c, loss, T, chunk):
    X, Y = c.data(T)
    s = sample_weights(T, c.seed)
    one = ggn.linearize(c.net, c.w, X, Y, loss[0], sample_weight=s, chunk_size=chunk)
    all_ = ggn.linearize(c.net, c.w, X, Y, loss[0], sample_weight=s, chunk_size=T)
    assert_close(one.loss, all_.loss)
    assert_close(one.gradient, all_.gradient)
    assert_close(one.normal_matrix(psd=True), all_.normal_matrix(psd=True))
    assert relative_error(one.normal_matrix(), all_.normal_matrix()) <= 1e-11


@pytest.mark.parametrize("T", [31, 32, 33, 64, 65, 150])
def test_networks_own_chunks_do_not_matter(T, monkeypatch):
    """forward, jacobian and kernel_matrix choose their chunks: make these as small as they get."""
    monkeypatch.setattr("ggn.network.CHUNK_DOUBLES", 1)
    c = case((3, 5, 4, 2), ("tanh", "softplus", "identity"), seed=T)
    X, _ = c.data(T)
    assert_close(c.net.forward(c.w, X), oracle_outputs(c, X))
    P = reference.jacobian(c.spec, c.w, X)
    assert_close(c.net.jacobian(c.w, X), P)
    assert_close(c.net.kernel_matrix(c.w, X), P.T @ P)


@pytest.mark.parametrize("T", SIZES)
@pytest.mark.parametrize("width", [1, 2, 3, 5, 10, 50])
def test_sizes(T, width):
    c = case((3, width, 2), ("softsign", "identity"), seed=width)
    X, Y = c.data(T)
    assert_close(c.net.forward(c.w, X), oracle_outputs(c, X))
    assert_close(c.net.jacobian(c.w, X), reference.jacobian(c.spec, c.w, X))
    if T:
        at = ggn.linearize(c.net, c.w, X, Y)
        squared = reference.LOSSES["squared"]()
        assert_close(at.gradient, reference.gradient(c.spec, c.w, X, Y, squared))
        assert_close(at.normal_matrix(), reference.normal_matrix(c.spec, c.w, X, Y, squared))


# ------------------------------------------------------------- the door, poisoned


@given(cases(), st.sampled_from([*SIZES, 70]), st.booleans())
def test_door_forward(c, T, keep):
    X, _ = c.data(T)
    work = scratch(c.net, T, 1 if keep else 0)
    got = c.net.sweep(c.w, X, work[:-GUARD], keep=keep)
    assert_close(got.T, oracle_outputs(c, X))
    assert_guarded(work)


@given(cases(), st.sampled_from([*SIZES, 70]))
def test_door_gradient_adds(c, T):
    """P eps of the chunk is added to what is there."""
    X, eps = c.data(T)
    work = scratch(c.net, T, 1)
    c.net.sweep(c.w, X, work[:-GUARD], keep=True)
    before = np.linspace(-1.0, 1.0, len(c.w))
    out = before.copy()
    eps_t = np.ascontiguousarray(eps.T)
    _core.gradient(c.net._layout, c.net._par, c.w, T, eps_t, work[:-GUARD], out)
    assert_close(out, before + reference.jacobian(c.spec, c.w, X) @ eps.ravel())
    assert_guarded(work)


@given(cases(), st.sampled_from([*SIZES, 70]), st.sampled_from(["identity", "diagonal", "full"]))
def test_door_sensitivities_and_jacobian(c, T, form):
    """P S for the three forms of S; columns run over outputs, then samples."""
    X, _ = c.data(T)
    nL, N = c.net.n_outputs, len(c.w)
    rng = np.random.default_rng(c.seed)
    S = {
        "identity": np.tile(np.eye(nL), (T, 1, 1)),
        "diagonal": rng.normal(size=(T, nL, 1)) * np.eye(nL),
        "full": rng.normal(size=(T, nL, nL)),
    }[form]
    given_s = {
        "identity": None,
        "diagonal": np.ascontiguousarray(np.einsum("iaa->ai", S)),
        "full": np.ascontiguousarray(S.transpose(1, 2, 0)),
    }[form]
    work = scratch(c.net, T, nL)
    out = np.full((N, nL * T), np.nan)
    c.net.sweep(c.w, X, work[:-GUARD], keep=True)
    _core.sensitivities(c.net._layout, c.net._par, c.w, T, given_s, work[:-GUARD])
    _core.jacobian(c.net._layout, c.net._par, T, work[:-GUARD], out)
    P = reference.jacobian(c.spec, c.w, X).reshape(N, T, nL)
    expected = np.einsum("jia,iab->jbi", P, S).reshape(N, nL * T)
    assert_close(out, expected)
    assert_guarded(work)


@given(cases(), st.sampled_from([1, 2, 5, 50]), st.integers(0, 2))
def test_door_normal(c, T, form):
    """The blocks of P H P^T, summed over two chunks, added to the lower triangle of G."""
    if form == 0 and c.names[-1] != "identity":
        c = case(c.spec.sizes, (*c.names[:-1], "identity"), c.spec.bias, c.spec.fixed_bias, c.seed)
    net, nL, N = c.net, c.net.n_outputs, len(c.w)
    rng = np.random.default_rng(c.seed)
    needed = _core.normal_sizes(net._layout, net._par, T, form)
    sums = np.zeros(needed[0] + GUARD)
    sums[-GUARD:] = np.nan
    expected = np.zeros((N, N))
    for chunk in range(2):
        X = c.data(T + chunk)[0][:T]
        H = {
            0: np.tile(np.eye(nL), (T, 1, 1)),
            1: rng.normal(size=(T, nL, 1)) * np.eye(nL),
            2: rng.normal(size=(T, nL, nL)),
        }[form]
        H = 0.5 * (H + H.transpose(0, 2, 1))
        h = [None, np.einsum("iaa->ai", H).copy(), H.transpose(1, 2, 0).copy()][form]
        work, tile, hpsi = (
            np.full(n + GUARD, np.nan) for n in (net.work_size(T, nL), needed[1], needed[2])
        )
        net.sweep(c.w, X, work[:-GUARD], keep=True)
        _core.sensitivities(net._layout, net._par, c.w, T, None, work[:-GUARD])
        _core.add_normal(
            net._layout, net._par, T, h, work[:-GUARD], hpsi[:-GUARD], tile[:-GUARD], sums[:-GUARD]
        )
        for array in (work, tile, hpsi, sums):
            assert_guarded(array)
        P = reference.jacobian(c.spec, c.w, X).reshape(N, T, nL)
        expected += np.einsum("jia,iab,kib->jk", P, H, P)
    lower, upper = np.tril_indices(N), np.triu_indices(N, 1)
    G = np.full((N, N), np.nan)
    G[lower] = start = rng.normal(size=len(lower[0]))
    _core.scatter_normal(net._layout, net._par, form, 0.75, sums[:-GUARD], G)
    assert np.isnan(G[upper]).all()
    scale = np.abs(expected).max() + np.abs(start).max()
    assert np.abs(G[lower] - start - 0.75 * expected[lower]).max() <= 1e-13 * scale


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("k", SIZES)
def test_door_products(n, k, rng):
    """Only the lower triangle of a symmetric product is read or written."""
    A, B = rng.normal(size=(2, n, k))
    for kernel, size, product in (
        (_core.add_outer, n, np.einsum("ik,jk->ij", B, B)),
        (_core.add_gram, k, np.einsum("ik,il->kl", B, B)),
    ):
        out = np.full((size, size), np.nan)
        lower, upper = np.tril_indices(size), np.triu_indices(size, 1)
        start = rng.normal(size=(size, size))[lower]
        out[lower] = start
        kernel(B, out)
        assert_close(out[lower], start + product[lower])
        assert np.isnan(out[upper]).all()
    out = np.ones((n, n))
    _core.add_product(A, B, out)
    assert_close(out, 1.0 + np.einsum("ik,jk->ij", A, B))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("mu", [0.0, 0.25])
def test_door_damped_cholesky(n, scaled, mu, rng):
    B = rng.normal(size=(n, 2 * n + 1))
    G = B @ B.T
    D = rng.uniform(0.5, 2.0, n) if scaled else None
    lower_only = np.where(np.tri(n, dtype=bool), G, np.nan)
    factor = np.full((n, n), np.nan)
    assert _core.damped_cholesky(lower_only, D, mu, factor) == 0
    expected = (G if D is None else G / np.outer(D, D)) + mu * np.eye(n)
    assert_close(np.tril(factor) @ np.tril(factor).T, expected)
    x = rng.normal(size=n)
    b = expected @ x
    _core.cholesky_solve(np.where(np.tri(n, dtype=bool), factor, np.nan), b)
    assert_close(b, x, 1e-9)


def test_door_damped_cholesky_names_the_failing_minor():
    factor = np.empty((3, 3))
    assert _core.damped_cholesky(np.diag([1.0, -1.0, 1.0]), None, 0.0, factor) == 2
    assert _core.damped_cholesky(np.diag([1.0, -1.0, 1.0]), None, 1.5, factor) == 0


def test_every_built_in_occurs():
    """The strategies draw from the oracle's table; the library must have the same names."""
    assert set(NAMES) == set(ggn.activations.BUILT_IN)
