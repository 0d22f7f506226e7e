"""Activations and losses from the user's own functions, against the oracle sample by sample."""

import numpy as np
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, case, cases, sample_counts, sample_weights

import ggn


@given(cases(), sample_counts(1), st.integers(0, 15))
def test_activation_from_numpy_is_as_good_as_a_built_in(c, T, mask):
    """Any mix of layers with the user's functions and compiled ones."""
    mixed = [
        ggn.Activation(name, *reference.ACTIVATIONS[name]) if mask >> layer & 1 else name
        for layer, name in enumerate(c.names)
    ]
    own = case(c.spec.sizes, c.names, c.spec.bias, c.spec.fixed_bias, c.seed, mixed)
    X, Y = c.data(T)
    squared = reference.LOSSES["squared"]()
    at = ggn.linearize(own.net, c.w, X, Y)
    assert_close(own.net.forward(c.w, X), reference.forward(c.spec, c.w, X)[0][-1])
    assert_close(at.gradient, reference.gradient(c.spec, c.w, X, Y, squared))
    assert_close(at.normal_matrix(), reference.normal_matrix(c.spec, c.w, X, Y, squared))


def by_samples(c, X, grad, H, H_psd, shares):
    """Gradient P eps and both P H P^T from (T, nL) and (T, nL, nL), sample by sample."""
    N = len(c.w)
    g, G, G_psd = np.zeros(N), np.zeros((N, N)), np.zeros((N, N))
    for i, share in enumerate(shares):
        P = reference.jacobian(c.spec, c.w, X[i : i + 1])
        g += share * (P @ grad[i])
        G += share * (P @ H[i] @ P.T)
        G_psd += share * (P @ H_psd[i] @ P.T)
    return g, G, G_psd


def assert_user_loss(c, X, Y, loss, E, grad, H, H_psd):
    """Loss, gradient and the three matrices, with sample weights and in two chunks."""
    s = sample_weights(len(X), c.seed)
    shares = s / s.sum()
    at = ggn.linearize(c.net, c.w, X, Y, loss, sample_weight=s, chunk_size=max(1, len(X) // 2))
    assert_close(at.loss, shares @ E)
    g, G, G_psd = by_samples(c, X, grad, H, H_psd, shares)
    assert_close(at.gradient, g)
    scale = max(np.abs(G_psd).max(), np.abs(G).max())
    assert np.abs(at.normal_matrix() - G).max() <= 1e-12 * scale
    assert np.abs(at.normal_matrix(psd=True) - G_psd).max() <= 1e-12 * scale
    # S is one of many roots of H_E; what all of them share is the spectrum
    K, rank = np.linalg.eigvalsh(at.kernel_matrix()), min(len(c.w), len(X) * c.net.n_outputs)
    assert np.abs(K[-rank:] - np.linalg.eigvalsh(G_psd)[-rank:]).max() <= 1e-11 * scale * len(c.w)


@given(cases(), sample_counts(1))
def test_user_loss_with_diagonal_hessian(c, T):
    """log cosh, whose curvature is positive, so that psd changes nothing."""
    loss = ggn.Loss(
        "log_cosh",
        lambda F, Y: np.log(np.cosh(F - Y)).sum(axis=1),
        lambda F, Y: np.tanh(F - Y),
        lambda F, Y: 1.0 / np.cosh(F - Y) ** 2,
    )
    X, Y = c.data(T)
    r = reference.forward(c.spec, c.w, X)[0][-1] - Y
    H = (1.0 - np.tanh(r) ** 2)[:, :, None] * np.eye(r.shape[1])
    assert_user_loss(c, X, Y, loss, np.log(np.cosh(r)).sum(1), np.tanh(r), H, H)


def softmax(F):
    e = np.exp(F - F.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_hessian(F, Y):
    p = softmax(F)
    return p[:, :, None] * (np.eye(p.shape[1]) - p[:, None, :])


CROSS_ENTROPY = ggn.Loss(
    "cross_entropy",
    lambda F, Y: -(Y * np.log(softmax(F))).sum(axis=1),
    lambda F, Y: softmax(F) - Y,
    softmax_hessian,
)


@given(cases(min_outputs=2), sample_counts(1))
def test_user_loss_with_full_singular_hessian(c, T):
    """Softmax cross-entropy: H_E = diag(p) - p p^T has rank nL - 1."""
    X, _ = c.data(T)
    nL = c.net.n_outputs
    Y = np.eye(nL)[np.arange(T) % nL]
    F = reference.forward(c.spec, c.w, X)[0][-1]
    E = np.array([np.log(np.exp(f).sum()) - f @ y for f, y in zip(F, Y, strict=True)])
    p = np.array([np.exp(f) / np.exp(f).sum() for f in F])
    H = np.array([np.diag(q) - np.outer(q, q) for q in p])
    assert_user_loss(c, X, Y, CROSS_ENTROPY, E, p - Y, H, H)


@given(cases(), sample_counts(1), st.booleans())
def test_user_loss_with_full_hessian(c, T, indefinite):
    """A rotated quadratic r^T A r; the default psd curvature drops negative eigenvalues."""
    nL = c.net.n_outputs
    rng = np.random.default_rng(c.seed)
    Q = np.linalg.qr(rng.normal(size=(nL, nL)))[0]
    values = np.arange(1.0, nL + 1.0)
    if indefinite and nL > 1:
        values[0] = -2.0
    A, A_psd = (Q * values) @ Q.T, (Q * np.maximum(values, 0.0)) @ Q.T
    loss = ggn.Loss(
        "rotated",
        lambda F, Y: np.einsum("ia,ab,ib->i", F - Y, A, F - Y),
        lambda F, Y: 2.0 * (F - Y) @ A,
        lambda F, Y: np.broadcast_to(2.0 * A, (len(F), nL, nL)),
    )
    X, Y = c.data(T)
    r = reference.forward(c.spec, c.w, X)[0][-1] - Y
    E = np.array([x @ A @ x for x in r])
    assert_user_loss(
        c, X, Y, loss, E, np.array([2.0 * A @ x for x in r]), [2.0 * A] * T, [2.0 * A_psd] * T
    )
