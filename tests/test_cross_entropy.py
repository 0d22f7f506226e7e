"""Cross-entropies against many digits, and their singular curvature in every form of a step."""

import copy
import pickle

import mpmath
import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from strategies import assert_close, case, cases, sample_weights

import ggn
from ggn import losses, steps
from ggn.damping import Metric
from ggn.losses import Logistic, SoftmaxCrossEntropy

EPS = np.finfo(float).eps
TINY = 1e-290  # below it, numbers lose digits to underflow
DIRECT = (steps.Primal(), steps.Dual(), steps.MinimumNorm())
STEPS = ("primal", "dual", "minimum_norm", "conjugate_gradient")


def logits(nL):
    """Rows of outputs from equal to 2000 apart, and a target class of each kind for each."""
    rng = np.random.default_rng(nL)
    F = [np.zeros(nL), np.arange(nL) * 1.0, -np.arange(nL) * 40.0, np.full(nL, 1e3)]
    F += [s * rng.normal(size=nL) for s in (0.1, 1.0, 10.0, 100.0)]
    F += [1e3 * rng.choice([-1.0, 1.0], nL) for _ in range(4)]
    F += [np.r_[1e3, -1e3 * np.ones(nL - 1)], np.r_[-1e3, 1e3, np.zeros(nL - 2)]]
    F = np.repeat(F, nL + 1, axis=0)
    one_hot = np.vstack([np.eye(nL), rng.dirichlet(np.ones(nL))])
    return F, np.tile(one_hot, (len(F) // (nL + 1), 1))


def exact(F, Y):
    """E, gradient and Hessian of softmax cross-entropy of one sample, from the definition."""
    with mpmath.workdps(2000):
        e = [mpmath.exp(mpmath.mpf(float(f))) for f in F]
        p = [x / sum(e) for x in e]
        Y = [mpmath.mpf(float(y)) for y in Y]
        E = -sum((y * mpmath.log(q) for y, q in zip(Y, p, strict=True) if y), mpmath.mpf(0))
        g = [float(q - y) for q, y in zip(p, Y, strict=True)]
        H = [[float(a * ((i == j) - b)) for j, b in enumerate(p)] for i, a in enumerate(p)]
    return float(E), np.array(g), np.array(H)


def assert_digits(actual, expected, tolerance=1e-13):
    """Each entry to `tolerance` of itself."""
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=TINY)


@pytest.mark.parametrize("nL", [2, 3, 5])
def test_softmax_to_many_digits(nL):
    """Losses of 1e-300 and probabilities of 1e-300 have their digits, too.

    A soft target's gradient p - y is a difference of two roundings.
    """
    F, Y = logits(nL)
    loss = SoftmaxCrossEntropy()
    E, g, H = loss.value(F, Y), loss.gradient(F, Y), loss.hessian(F, Y)
    for i in range(len(F)):
        expected = exact(F[i], Y[i])
        assert_digits(E[i], expected[0])
        hard = np.isin(Y[i], [0.0, 1.0]).all()
        np.testing.assert_allclose(g[i], expected[1], rtol=1e-13, atol=TINY if hard else 4 * EPS)
        assert_digits(H[i], expected[2])


def test_logistic_to_many_digits():
    """It is the softmax of (0, f)."""
    f = np.concatenate([[0.0], np.geomspace(1e-9, 1e3, 13)])
    f = np.repeat(np.concatenate([f, -f]), 3)
    y = np.tile([0.0, 1.0, 0.3], len(f) // 3)
    loss = Logistic()
    E, g, h = (
        getattr(loss, part)(f[:, None], y[:, None]) for part in ("value", "gradient", "hessian")
    )
    for i in range(len(f)):
        expected = exact([0.0, f[i]], [1.0 - y[i], y[i]])
        assert_digits(E[i], expected[0])
        hard = y[i] in (0.0, 1.0)
        np.testing.assert_allclose(g[i], expected[1][1:], 1e-13, TINY if hard else 4 * EPS)
        assert_digits(h[i], expected[2][1, 1:])


@pytest.mark.parametrize("loss", [Logistic(), SoftmaxCrossEntropy()], ids=repr)
def test_derivatives_by_differences(loss):
    rng = np.random.default_rng(4)
    F, Y, h = rng.normal(size=(6, 3)), rng.dirichlet(np.ones(3), 6), 1e-5
    H = loss.hessian(F, Y)
    H = H if H.ndim == 3 else H[:, :, None] * np.eye(3)
    for e, column in zip(h * np.eye(3), H.transpose(2, 0, 1), strict=True):
        slope = (loss.value(F + e, Y) - loss.value(F - e, Y)) / (2 * h)
        np.testing.assert_allclose(slope, loss.gradient(F, Y) @ e / h, atol=1e-9)
        bend = (loss.gradient(F + e, Y) - loss.gradient(F - e, Y)) / (2 * h)
        np.testing.assert_allclose(bend, column, atol=1e-9)


@pytest.mark.parametrize("nL", [2, 3, 5])
def test_root_of_the_singular_curvature(nL):
    """S Sᵀ = H entry by entry, S r = ∇ exactly reached, one column of S idle.

    Hopelessly wrong samples have a little more curvature, so that r stays finite.
    """
    F, Y = logits(nL)
    loss = SoftmaxCrossEntropy()
    S, r, g, H = loss.root(F, Y), loss.whitened(F, Y), loss.gradient(F, Y), loss.hessian(F, Y)
    psd = loss.hessian(F, Y, psd=True)
    np.testing.assert_allclose(S @ S.transpose(0, 2, 1), psd, rtol=1e-12, atol=TINY)
    assert np.abs(psd - H).max() <= 2 * EPS
    gap = F.max(axis=1, keepdims=True) - F
    possible = np.where(Y > 0.0, gap, 0.0).max(axis=1) < 30.0
    assert possible.any()
    assert not possible.all()
    np.testing.assert_allclose(psd[possible], H[possible], rtol=1e-12, atol=TINY)
    np.testing.assert_allclose(np.einsum("iab,ib->ia", S, r), g, rtol=1e-12, atol=4 * EPS)
    assert np.abs(r).max() <= 2.0 / np.sqrt(EPS)
    assert not S[:, :, -1].any()
    assert not r[:, -1].any()
    assert (np.linalg.matrix_rank(S[np.ptp(F, axis=1) < 5.0]) == nL - 1).all()


def test_root_of_logistic():
    F = np.array([[0.0], [3.0], [-700.0], [1e3], [1e3]])
    Y = np.array([[0.3], [1.0], [0.0], [0.0], [1.0]])
    loss = Logistic()
    S, r = loss.root(F, Y), loss.whitened(F, Y)
    np.testing.assert_allclose(S * r, loss.gradient(F, Y), rtol=1e-14)
    np.testing.assert_allclose(S * S, loss.hessian(F, Y), rtol=1e-13, atol=2 * EPS)


# ------------------------------------------------------------------------ in every form of a step


def oracle(c, X, Y, shares, softmax=True):
    """Gradient, B = P S and r with an S from eigenvectors, by loops over the samples."""
    F = reference.forward(c.spec, c.w, X)[0][-1]
    g, B, r = np.zeros(len(c.w)), [], []
    for i, share in enumerate(shares):
        P = reference.jacobian(c.spec, c.w, X[i : i + 1])
        if softmax:
            p = np.exp(F[i] - F[i].max())
            p /= p.sum()
            H = np.diag(p) - np.outer(p, p)
        else:
            p = 1.0 / (1.0 + np.exp(-F[i]))
            H = np.diag(p * (1.0 - p))
        values, U = np.linalg.eigh(H)
        U, values = (U[:, 1:], values[1:]) if softmax else (U, values)
        B.append(P @ U * np.sqrt(share * values))
        r.append(U.T @ (p - Y[i]) * np.sqrt(share / values))
        g += share * (P @ (p - Y[i]))
    return g, np.hstack(B), np.concatenate(r)


@given(
    cases(min_outputs=2), st.sampled_from([1, 4, 70]), st.booleans(), st.sampled_from([0.0, 0.2])
)
def test_damped_steps_agree_with_the_oracle(c, T, softmax, l2):
    X, _ = c.data(T)
    Y = np.eye(c.net.n_outputs)[np.arange(T) % c.net.n_outputs]
    s = sample_weights(T, c.seed)
    g, B, r = oracle(c, X, Y, s / s.sum(), softmax)
    mu = 0.3
    G = B @ B.T + 2.0 * l2 * np.eye(len(c.w))
    expected = np.linalg.solve(G + mu * np.eye(len(c.w)), g + 2.0 * l2 * c.w)
    loss = SoftmaxCrossEntropy() if softmax else Logistic()
    at = ggn.linearize(c.net, c.w, X, Y, loss, sample_weight=s, l2=l2)
    assert_close(at.gradient, g + 2.0 * l2 * c.w)
    assert_close(at.normal_matrix(), G)
    condition = 1.0 + np.linalg.norm(G, 2) / mu
    # samples whose terms cancel leave of the gradient less than its rounding says
    terms = np.abs(B) @ np.abs(r) + 2.0 * l2 * np.abs(c.w)
    gradient = np.linalg.norm(g + 2.0 * l2 * c.w)
    lost = max(1.0, np.linalg.norm(terms) / max(gradient, 1e-300))
    for step in DIRECT:
        assert_close(step.prepare(at, Metric()).solve(mu), expected, 1e-13 * condition * lost)
    assert_close(at.operator() @ expected, G @ expected, 1e-12 * condition)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_undamped_dual_and_minimum_norm_steps_are_the_pseudoinverse(seed, weighted):
    """More weights than T (nL - 1): the kernel matrix has a null space that is no obstacle."""
    c = case((4, 9, 3), ("tanh", "identity"), seed=seed)
    T = 12
    X, _ = c.data(T)
    Y = np.eye(3)[np.arange(T) % 3]
    s = sample_weights(T, seed) if weighted else np.ones(T)
    some = s > 0.0
    _, B, r = oracle(c, X[some], Y[some], (s / s.sum())[some])
    expected = np.linalg.pinv(B.T) @ r
    at = ggn.linearize(c.net, c.w, X, Y, "softmax_cross_entropy", sample_weight=s)
    condition = np.linalg.cond(B)
    assert_close(steps.MinimumNorm().prepare(at, Metric()).solve(0.0), expected, 1e-10)
    d = steps.Dual().prepare(at, Metric()).solve(0.0)
    assert_close(d, expected, 1e-14 * condition**2)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("loss", "outputs"), [("logistic", 1), ("softmax_cross_entropy", 3)])
def test_training_from_extreme_logits(step, loss, outputs):
    """Logits of a thousand, most of them wrong, and every form of the step comes back."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(30, 2))
    labels = np.digitize(X[:, 0] + 0.3 * rng.normal(size=30), [-0.4, 0.4])
    Y = np.eye(3)[labels] if outputs == 3 else 1.0 * (labels[:, None] > 0)
    net = ggn.MLP((2, 4, outputs))
    w0 = np.random.default_rng(0).normal(size=net.n_weights)
    w0[-5 * outputs :] *= 1e3
    assert np.abs(net.forward(w0, X)).max() > 1e3
    start = ggn.linearize(net, w0, X, Y, loss).loss
    assert 100.0 < start < np.inf
    fit = ggn.train(net, X, Y, loss, w0=w0, step=step, l2=1e-3, max_iter=3000)
    assert fit.success
    best = ggn.train(net, X, Y, loss, rng=0, step="primal", l2=1e-3, max_iter=3000)
    assert fit.fun < 2.0 * best.fun


@pytest.mark.parametrize("step", STEPS)
def test_without_hidden_layer_it_is_logistic_regression(step):
    """The minimum is that of scikit-learn's convex problem, to many digits."""
    rng = np.random.default_rng(5)
    X, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    labels[X[:, 0] > 0.7] = 2
    C = 0.7
    sure = LogisticRegression(C=C, tol=1e-12, solver="newton-cholesky", max_iter=200)
    sure.fit(X, labels)
    net = ggn.MLP((3, 3))
    l2 = np.tile([0.5 / C / 60] * 3 + [0.0], 3)
    fit = ggn.train(net, X, np.eye(3)[labels], "softmax_cross_entropy", step=step, l2=l2)
    assert fit.success
    F = net.forward(fit.w, X)
    p = np.exp(F) / np.exp(F).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, sure.predict_proba(X), atol=1e-7)
    np.testing.assert_allclose(net.unpack(fit.w)[0][:3].T, sure.coef_, atol=1e-6)


def test_softmax_of_two_is_logistic():
    """Both step sequences are the same where the second logit is nailed to zero."""
    rng = np.random.default_rng(1)
    F, y = rng.normal(size=(9, 1)), rng.integers(0, 2, (9, 1)) * 1.0
    two, Y = np.hstack([F, 0.0 * F]), np.hstack([y, 1.0 - y])
    soft, one = SoftmaxCrossEntropy(), Logistic()
    assert_close(soft.value(two, Y), one.value(F, y))
    assert_close(soft.gradient(two, Y)[:, :1], one.gradient(F, y))
    assert_close(soft.hessian(two, Y)[:, 0, :1], one.hessian(F, y))


# ---------------------------------------------------------------------------- names and bad input


@pytest.mark.parametrize(
    ("name", "text"),
    [("logistic", "Logistic()"), ("softmax_cross_entropy", "SoftmaxCrossEntropy()")],
)
def test_names(name, text):
    loss = losses.resolve(name)
    assert repr(loss) == text
    for twin in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
        assert repr(twin) == text


@pytest.mark.parametrize(
    ("loss", "Y", "sentence"),
    [
        ("logistic", [[0.0, 2.0]], r"^Y must hold probabilities for loss 'logistic', got 2\.0"),
        ("logistic", [[-0.5, 1.0]], r"^Y must hold probabilities .*got -0\.5"),
        ("softmax_cross_entropy", [[1.0, 1.0]], r"^Y must have rows .*got \[1\. 1\.\] at Y\[0\]"),
        ("softmax_cross_entropy", [[2.0, -1.0]], r"^Y must have rows .*got \[ 2\. -1\.\]"),
        ("softmax_cross_entropy", [[1.0]], r"^Y must have a column per class .*'logistic'"),
    ],
)
def test_targets_that_are_no_probabilities(loss, Y, sentence):
    net = ggn.MLP((2, len(Y[0])))
    with pytest.raises(ValueError, match=sentence):
        ggn.train(net, [[1.0, 2.0]], Y, loss)
