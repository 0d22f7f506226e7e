"""The door to the kernels: right from any scratch, within bounds, and shut to wrong shapes.

What a kernel does not have to read or write is filled with NaN first, and a guard of NaN
behind every scratch must survive.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, case, cases

import ggn
from ggn import _core

SIZES = (0, 1, 2, 3, 5, 10, 50)  # LAPACK's own test sizes
SAMPLES = st.sampled_from([*SIZES, 70])
GUARD = 16


def poisoned(n):
    """Return n doubles of NaN as a view, and the whole, whose guard must stay NaN."""
    whole = np.full(n + GUARD, np.nan)
    return whole[:n], whole


def assert_guarded(*arrays):
    for whole in arrays:
        assert np.isnan(whole[-GUARD:]).all()


def swept(c, X, columns):
    """Sweep X forward in poisoned scratch; return the scratch and its guarded whole."""
    work, whole = poisoned(c.net.work_size(len(X), columns))
    c.net.sweep(c.w, X, work, keep=1)
    return work, whole


def network(c):
    return (c.net.layout,)


def jacobians(c, X):
    """Return the oracle's P as (N, T, nL)."""
    return reference.jacobian(c.spec, c.w, X).reshape(len(c.w), len(X), c.net.n_outputs)


def roots(form, T, nL, seed):
    """Return a matrix for each sample (T, nL, nL), and as the door takes it."""
    rng = np.random.default_rng(seed)
    if form == 0:
        return np.tile(np.eye(nL), (T, 1, 1)), None
    if form == 1:
        s = rng.normal(size=(nL, T))
        return s.T[:, :, np.newaxis] * np.eye(nL), s
    s = rng.normal(size=(nL, nL, T))
    return s.transpose(2, 0, 1), s


@given(cases(), SAMPLES, st.integers(0, 1))
def test_forward(c, T, keep):
    X, _ = c.data(T)
    work, whole = poisoned(c.net.work_size(T, keep))
    got = c.net.sweep(c.w, X, work, keep=keep)
    assert_close(got.T, reference.forward(c.spec, c.w, X)[0][-1])
    assert_guarded(whole)


@given(cases(), SAMPLES)
def test_gradient_adds(c, T):
    X, eps = c.data(T)
    work, whole = swept(c, X, 1)
    before = np.linspace(-1.0, 1.0, len(c.w))
    out = before.copy()
    _core.gradient(*network(c), c.w, T, np.ascontiguousarray(eps.T), work, out)
    assert_close(out, before + reference.jacobian(c.spec, c.w, X) @ eps.ravel())
    assert_guarded(whole)


@given(cases(), SAMPLES, st.integers(0, 2))
def test_sensitivities_and_jacobian(c, T, form):
    """P S for the three forms of S; columns run over outputs, then samples."""
    X, _ = c.data(T)
    nL, N = c.net.n_outputs, len(c.w)
    S, s = roots(form, T, nL, c.seed)
    work, whole = swept(c, X, nL)
    out = np.full((N, nL * T), np.nan)
    _core.sensitivities(*network(c), c.w, T, s, work)
    _core.jacobian(*network(c), T, work, out)
    assert_close(out, np.einsum("jia,iab->jbi", jacobians(c, X), S).reshape(N, nL * T))
    assert_guarded(whole)


@given(cases(), st.sampled_from([0, 1, 2, 5, 20]))
def test_first_and_second_tangents(c, T):
    """P^T v, and v^T (Hessian of each output) v."""
    X, _ = c.data(T)
    nL = c.net.n_outputs
    v = np.random.default_rng(c.seed).normal(size=len(c.w))
    work, whole = poisoned(c.net.work_size(T, max(nL, 2)))
    c.net.sweep(c.w, X, work, keep=2)
    first = np.full((nL, T), np.nan)
    second = first.copy()
    for out, order in ((first, False), (second, True)):
        buffer, guarded = poisoned(c.net.layout.tangent_size(T))
        _core.tangent(*network(c), c.w, v, T, order, work, buffer, out)
        assert_guarded(guarded, whole)
    assert_close(first, np.einsum("jia,j->ai", jacobians(c, X), v))
    bends = [
        [v @ reference._second_order_term(c.spec, c.w, x, e) @ v for x in X] for e in np.eye(nL)
    ]
    scale = max(1.0, np.abs(first).max(initial=0.0))  # linear networks bend by rounding only
    assert np.abs(second - np.reshape(bends, (nL, T))).max(initial=0.0) <= 1e-12 * scale**2


@given(cases(), st.sampled_from([1, 2, 5, 50]), st.integers(0, 2))
def test_normal_blocks(c, T, form):
    """The blocks of P H P^T, summed over two chunks, written to the lower triangle of G."""
    if form == 0 and c.names[-1] != "identity":  # the door's condition
        c = case(c.spec.sizes, (*c.names[:-1], "identity"), c.spec.bias, c.spec.fixed_bias, c.seed)
    nL, N = c.net.n_outputs, len(c.w)
    size_sums, size_tile, size_hpsi = c.net.layout.normal_sizes(T, form)
    sums, guarded_sums = poisoned(size_sums)
    expected = np.zeros((N, N))
    for chunk in range(2):
        X = c.data(T + chunk)[0][:T]
        H, h = roots(form, T, nL, c.seed + chunk)
        if form == 2:
            h = h + h.transpose(1, 0, 2)
            H = h.transpose(2, 0, 1)
        work, whole = swept(c, X, nL)
        (tile, guarded_tile), (hpsi, guarded_hpsi) = poisoned(size_tile), poisoned(size_hpsi)
        _core.sensitivities(*network(c), c.w, T, None, work)
        _core.add_normal(*network(c), T, h, work, hpsi, tile, sums, chunk == 0)
        assert_guarded(whole, guarded_tile, guarded_hpsi, guarded_sums)
        expected += np.einsum("jia,iab,kib->jk", jacobians(c, X), H, jacobians(c, X), optimize=True)
    G = np.full((N, N), np.nan)
    _core.scatter_normal(*network(c), form, 0.75, sums, G)
    lower = np.tril_indices(N)
    assert_close(G[lower], 0.75 * expected[lower], 1e-13)
    assert np.isnan(G[np.triu_indices(N, 1)]).all()


@given(cases(), SAMPLES, st.integers(0, 2))
def test_kernel_blocks(c, T, form):
    """S^T P^T D^-2 P S, D a product over units and inputs, and the diagonal of P S S^T P^T."""
    X, _ = c.data(T)
    nL, N = c.net.n_outputs, len(c.w)
    S, s = roots(form, T, nL, c.seed)
    B = np.einsum("jia,iab->jbi", jacobians(c, X), S).reshape(N, nL * T)
    rng = np.random.default_rng(c.seed)
    units = [rng.uniform(0.5, 2.0, n) for n in c.spec.sizes[1:]]
    inputs = [rng.uniform(0.5, 2.0, n + b) for n, b in zip(c.spec.sizes, c.spec.bias, strict=False)]
    D = np.concatenate([np.outer(p, q).ravel() for p, q in zip(units, inputs, strict=True)])
    work, whole = swept(c, X, nL)
    buffer, guarded = poisoned(c.net.layout.kernel_size(T))
    _core.sensitivities(*network(c), c.w, T, s, work)
    diagonal = np.ones(N)
    _core.add_diagonal(*network(c), T, work, buffer, diagonal)
    assert_close(diagonal, 1.0 + np.einsum("jk,jk->j", B, B))
    buffer[:] = np.nan
    K = np.where(np.tri(nL * T, dtype=bool), 1.0, np.nan)
    p, q = np.concatenate(units), np.concatenate(inputs)
    _core.scale_kernel(*network(c), T, p, q, work, buffer)
    tile = np.full(nL * T * nL * T, np.nan)
    for layer in range(1, c.net.depth + 1):  # whole, or in three pieces of rows
        for rows in pieces(T, layer):
            _core.gram(*network(c), layer, T, buffer, *rows)
        for rows in pieces(nL * T, layer):
            _core.add_kernel(*network(c), layer, T, *rows, form == 2, work, buffer, tile, K)
    assert_guarded(whole, guarded)
    lower = np.tril_indices(nL * T)
    scaled = B / D[:, np.newaxis]
    assert_close(K[lower], (1.0 + np.einsum("jk,jl->kl", scaled, scaled, optimize=True))[lower])
    assert np.isnan(K[np.triu_indices(nL * T, 1)]).all()


def pieces(n, layer):
    """All of n rows for an odd layer, else three parts of them, the last first."""
    return [(0, n)] if layer % 2 else [(2 * n // 3, n), (n // 3, 2 * n // 3), (0, n // 3)]


@given(cases())
def test_metric(c):
    """D = fixed(a) (c(a) r(u))^(1/8): c the largest mean over units yet, r relative to the mean."""
    rng = np.random.default_rng(c.seed)
    fan_in = [n + b for n, b in zip(c.spec.sizes, c.spec.bias, strict=False)]
    fixed = rng.exponential(size=sum(fan_in))
    by_layer = np.split(fixed, np.cumsum(fan_in)[:-1])
    largest, largest_by_hand = np.zeros(sum(fan_in)), [np.zeros(m) for m in fan_in]
    for _ in range(3):
        layers = [
            rng.exponential(size=(n, m)) for n, m in zip(c.spec.sizes[1:], fan_in, strict=True)
        ]
        D = np.full(len(c.w), np.nan)
        _core.metric(*network(c), np.concatenate([g.ravel() for g in layers]), fixed, largest, D)
        expected = []
        for i, g in enumerate(layers):
            mean = g.mean(axis=0)
            largest_by_hand[i] = np.maximum(largest_by_hand[i], mean)
            r = (g / mean).mean(axis=1)
            expected.append(np.outer(r**0.125, by_layer[i] * largest_by_hand[i] ** 0.125).ravel())
        assert_close(D, np.concatenate(expected))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("k", SIZES)
def test_symmetric_products(n, k, rng):
    """Only the lower triangle is read or written."""
    B = rng.normal(size=(n, k))
    for transposed, product in (
        (False, np.einsum("ik,jk->ij", B, B)),
        (True, np.einsum("ik,il->kl", B, B)),
    ):
        size = len(product)
        out = np.full((size, size), np.nan)
        lower = np.tril_indices(size)
        out[lower] = start = rng.normal(size=len(lower[0]))
        _core.add_product(B, out, transposed)
        assert_close(out[lower], start + product[lower])
        assert np.isnan(out[np.triu_indices(size, 1)]).all()


# ------------------------------------------------------------- shut to wrong shapes

SCRIPT = """
import os, sys
import numpy as np, ggn
from ggn import _core
net = ggn.MLP((2, 3, 2))
L, w, X = net.layout, net.initial_weights(0), np.ones((4, 2))
work = np.zeros(net.work_size(4, 2))
eight, v = ggn.MLP((2, 8)).layout, np.ones(24)
net.sweep(w, X, work, 1)
big, h = np.zeros(300_000), np.ones((2, 4))
for call in sys.stdin.read().splitlines():
    child = os.fork()
    if not child:
        try:
            eval(call)
        except (ValueError, TypeError, IndexError):
            os._exit(0)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    if status:
        print(call, "is accepted" if os.WIFEXITED(status) else "ends the process")
"""
WRONG = [
    "_core.activate(len(_core.ACTIVATIONS), 0.0, X[0], np.ones((1, 2)))",
    "_core.activate(-1, 0.0, X[0], np.ones((1, 2)))",
    "_core.activate(1, 0.0, X[0], np.ones((4, 2)))",
    "_core.activate(1, 0.0, X[0], np.ones((1, 3)))",
    "_core.Layout((2, 1), (True,), (99,), (0,))",
    "_core.Layout((2, 1), (True,), (-2,), (0,))",
    "_core.Layout((2, -1), (True,), (0,), (0,))",
    "_core.Layout((2, 1), (7,), (0,), (0,))",
    "_core.Layout((2, 1), (True, True), (0,), (0,))",
    "L.work_size(-1, 2)",
    "L.work_size(1, -2)",
    "_core.forward(L, w[:-1], X, work, 1)",
    "_core.forward(L, w, X[:, :1].copy(), work, 1)",
    "_core.forward(L, w, X, work[:30], 1)",
    "_core.forward(None, w, X, work, 1)",
    "_core.forward((2, 3, 2), w, X, work, 1)",
    "_core.forward(L, w, np.asfortranarray(X), work, 1)",
    "_core.forward(L, w.astype('f4'), X, work, 1)",
    "_core.Layout((2, 3, 2), (1, 1), (-1, 0), (0, 0))",
    "_core.Layout((2, 3, 2), (1, 1), (-1, 0), (0, 0), 0.0, ())",
    "_core.Layout((4, 2**62, 4, 1), (1,) * 3, (0,) * 3, (0,) * 3)",
    "_core.Layout((2**40, 2**40), (1,), (0,), (0,))",
    "_core.Layout((2, 1), (1,), (0,), ())",
    "_core.Layout.__new__(_core.Layout)",
    "type('Sub', (_core.Layout,), {})()",
    "L.weights(w[1:])",
    "_core.metric(None, w, np.ones(7), np.ones(7), w.copy())",
    "_core.gradient(L, w, 4, np.ones((2, 3)), work, w.copy())",
    "_core.gradient(L, w, 4, np.ones((2, 4)), work, w[:-1].copy())",
    "_core.gradient(L, w, -1, np.ones((2, 0)), work, w.copy())",
    "_core.sensitivities(L, w, -1, None, work)",
    "_core.sensitivities(L, w, 5, None, work)",
    "_core.sensitivities(L, w, 4, np.ones(4), work)",
    "_core.sensitivities(L, w, 4, np.ones((2, 3)), work)",
    "_core.sensitivities(L, w, 4, np.ones((2, 2, 2, 4)), work)",
    "_core.jacobian(L, 4, work, np.ones((17, 7)))",
    "_core.tangent(L, w, w[:-1], 4, False, work, big, np.ones((2, 4)))",
    "_core.tangent(L, w, w, -4, False, work, big, np.ones((2, 0)))",
    "_core.tangent(L, w, w, 4, False, work, big[:1], np.ones((2, 4)))",
    "L.hessian_product_size(-4)",
    "L.tangent_size(-4)",
    "L.kernel_size(-4)",
    "L.diagonal_size(-4)",
    "L.each_weight(np.ones(6))",
    "L.inputs(work, 4, 0)",
    "L.slopes(work, 4, 3)",
    "L.work_size(2**61, 8)",
    "_core.sensitivities(eight, v, 2**61, None, work)",  # 2**61 times 8 outputs is 0
    "_core.jacobian(eight, 2**61, work, np.ones((24, 0)))",
    "_core.gradient(L, None, 4, h, work, w.copy())",
    "_core.scale_rows(None, None, 0.0, 0, 1, None)",
    "_core.factor_block(None, 0, 1, 0, 1)",
    "_core.cholesky_solve(None, None)",
    "_core.add_product(None, None)",
    "_core.hessian_product(L, w, w, 4, h, None, work, big, w.copy())",
    "_core.hessian_product(L, w, w, 4, h, np.ones((2, 3)), work, big, w.copy())",
    "_core.hessian_product(L, w, w, 4, np.ones((2, 3)), h, work, big, w.copy())",
    "_core.hessian_product(L, w, w[1:], 4, h, h, work, big, w.copy())",
    "_core.hessian_product(L, w, w, 4, h, h, work, big, w[1:].copy())",
    "_core.hessian_product(L, w, w, 4, h, h, work, big[:9], w.copy())",
    "_core.hessian_product(L, w, w, 4, h, h, work[:9], big, w.copy())",
    "_core.hessian_product(L, w, w, -4, np.ones((2, 0)), np.ones((2, 0)), work, big, w.copy())",
    "L.normal_sizes(4, 3)",
    "L.normal_sizes(-4, 1)",
    "_core.add_normal(L, 4, np.ones(4), work, big, big, big, True)",
    "_core.add_normal(L, 4, np.ones((2, 3)), work, big, big, big, True)",
    "_core.add_normal(L, -4, None, work, big, big, big, True)",
    "_core.add_normal(L, 4, None, work, big, big, big[:9], True)",
    "_core.scatter_normal(L, 3, 1.0, big, np.ones((17, 17)))",
    "_core.scatter_normal(L, 1, 1.0, big, np.ones((17, 16)))",
    "_core.scatter_normal(L, 1, 1.0, big, np.ones((17, 17)), 2, 2)",
    "_core.scatter_normal(L, 1, 1.0, big, np.ones((17, 17)), -1, 2)",
    "_core.add_diagonal(L, -4, work, big, w.copy())",
    "_core.scale_kernel(L, 4, np.ones(5), np.ones(6), work, big)",
    "_core.scale_kernel(L, -1, np.ones(5), np.ones(7), work, big)",
    "_core.gram(L, 0, 4, big, 0, 4)",
    "_core.gram(L, 1, 4, big, 0, 5)",
    "_core.gram(L, 1, 4, big[:9], 0, 4)",
    "_core.add_kernel(L, 3, 4, 0, 8, False, work, big, big, np.ones((8, 8)))",
    "_core.add_kernel(L, 1, 4, 8, 9, False, work, big, big, np.ones((8, 8)))",
    "_core.add_kernel(L, 1, 4, 0, 8, False, work, big, big[:9], np.ones((8, 8)))",
    "_core.add_kernel(L, 1, 4, 0, 8, False, work, big, big, np.ones((8, 7)))",
    "_core.metric(L, w, np.ones(6), np.ones(7), w.copy())",
    "_core.metric(L, w, np.ones(7), np.ones(6), w.copy())",
    "_core.metric(L, w[1:], np.ones(7), np.ones(7), w.copy())",
    "_core.add_product(np.ones((3, 2)), np.ones((2, 2)))",
    "_core.add_product(np.ones((3, 2)), np.ones((3, 3)), transposed=True)",
    "_core.scale_rows(np.eye(3), np.ones(2), 0.0, 0, 3, np.eye(3))",
    "_core.scale_rows(np.ones((3, 2)), None, 0.0, 0, 3, np.eye(3))",
    "_core.scale_rows(np.eye(3), None, 0.0, 0, 4, np.eye(3))",
    "_core.factor_block(np.ones((3, 2)), 0, 2, 0, 2)",
    "_core.factor_block(np.eye(3), 0, 4, 0, 4)",
    "_core.factor_block(np.eye(3), 1, 2, 0, 1)",
    "_core.cholesky_solve(np.eye(3), np.ones(2))",
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process for each call")
def test_wrong_arguments_are_refused():
    """In processes of their own: what is not refused may well take its process with it."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input="\n".join(WRONG),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert run.stdout.splitlines() == []


def test_nothing_to_do_is_done():
    """Zero samples touch nothing, whatever the scratch."""
    net, empty = ggn.MLP((2, 3, 2)), np.empty(0)
    L, w = net.layout, net.initial_weights(0)
    out = np.ones(len(w))
    _core.forward(L, w, np.empty((0, 2)), empty, 1)
    _core.gradient(L, w, 0, np.empty((2, 0)), empty, out)
    _core.sensitivities(L, w, 0, None, empty)
    _core.sensitivities(L, w, 0, np.empty((2, 2, 0)), empty)
    _core.jacobian(L, 0, empty, np.empty((len(w), 0)))
    none = np.empty((2, 0))
    for second in (False, True):
        _core.tangent(L, w, w, 0, second, empty, empty, none)
    _core.hessian_product(L, w, w, 0, none, none, empty, empty, out)
    _core.add_diagonal(L, 0, empty, empty, out)
    _core.scale_kernel(L, 0, np.ones(L.n_units), np.ones(L.n_inputs), empty, empty)
    _core.gram(L, 1, 0, empty, 0, 0)
    _core.add_kernel(L, 1, 0, 0, 0, True, empty, empty, empty, np.empty((0, 0)))
    _core.output_sums(L, 0, None, none, empty, empty, np.zeros(24))
    sums, tile = np.full(L.normal_sizes(0, 1)[0], np.nan), np.empty(L.normal_sizes(0, 1)[1])
    _core.add_normal(L, 0, none, empty, empty, tile, sums, True)
    assert not sums.any()  # those of no samples
    _core.add_normal(L, 0, none, empty, empty, tile, sums, False)
    assert not sums.any()
    assert out.tolist() == [1.0] * len(w)
    _core.activate(1, 0.0, empty, np.empty((3, 0)))
