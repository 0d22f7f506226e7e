"""More slips of the paper, one test each: what is printed fails, what is right holds.

Those on gradients and Prop. 6 are in test_paper.py and test_xor_ranks.py, eq. 23 in
test_bounds.py.
"""

import itertools

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, case, cases, relative_error

import ggn
from ggn import surface

SQUARED = reference.LOSSES["squared"]()


# ------------------------------------------------------------------- eq. 26
def test_eq_26_of_the_arxiv_form_omits_layers_met_twice():
    """F(1,1,1), linear, J = (w_2 w_1 x - y)²: ∂²J/∂w_1∂w_2 = 2 w_1 w_2 x² + 2 (w_1 w_2 x - y) x.

    σ'' = 0, so the printed sum is 0 and leaves 2 w_1 w_2 x² = 12; the truth is 12 + 10.
    """
    spec, w, x, y = reference.named_spec((1, 1, 1), "identity", False), [3.0, 2.0], [[1.0]], [[1.0]]
    H = reference.hessian(spec, np.array(w), np.array(x), np.array(y), SQUARED)
    assert H.tolist() == [[8.0, 22.0], [22.0, 18.0]]
    at = ggn.linearize(ggn.MLP((1, 1, 1), "identity", bias=False), w, x, y)
    assert_close(at.hessian(), H)
    assert_close(at.normal_matrix(), [[8.0, 12.0], [12.0, 18.0]])  # what is printed


@pytest.mark.parametrize("seed", range(5))
def test_eq_26_of_the_cvpr_form_is_complete(seed):
    """Σ_kl D²E (DF H_l, DF H_k) + ∇_Eᵀ D(Σ'_L W_Lᵀ ... Σ'_l H_lᵀ φ_{l-1}) H_k along any H.

    The derivative by a complex step of 1e-20 in the formula that is printed.
    """
    c = case((2, 3, 4, 2), ("tanh", "tanh", "identity"), False, seed=seed)
    (x,), (y,) = c.data(1)
    H = np.random.default_rng(seed).normal(size=c.w.shape)

    def along(w):
        """Σ_l Σ'_L W_Lᵀ ... Σ'_l H_lᵀ φ_{l-1}."""
        Ws, Hs, phi, total = reference.unpack(c.spec, w), reference.unpack(c.spec, H), x, 0.0
        for layer, (W, D) in enumerate(zip(Ws, Hs, strict=True)):
            z = W.T @ phi
            slope = 1.0 - np.tanh(z) ** 2 if layer < 2 else 1.0
            total = slope * (W.T @ total + D.T @ phi if layer else D.T @ phi)
            phi = np.tanh(z) if layer < 2 else z
        return total

    error = 2.0 * (reference.forward(c.spec, c.w, [x])[0][-1][0] - y)
    first = 2.0 * along(c.w) @ along(c.w)
    second = error @ np.imag(along(c.w + 1e-20j * H)) / 1e-20
    truth = H @ reference.hessian(c.spec, c.w, [x], np.array([y]), SQUARED) @ H
    assert_close(first + second, truth)
    assert abs(second) > 1e-3 * abs(truth)


# ------------------------------------------------------------------- Principle 5 and Remark 4
def test_remark_4_is_false_for_widths_that_rise_and_fall():
    """F(2,1,2,1) meets Principles 3, 4 and, as printed, 5; Ψ_1 = Σ'_1 W_2 Σ'_2 W_3 is 1e-17."""
    spec = reference.named_spec((2, 1, 2, 1), ("tanh", "tanh", "identity"), False)
    net = ggn.MLP((2, 1, 2, 1), "tanh", bias=False)
    x, W1, W2 = np.array([1.0, 2.0]), np.array([[0.5], [0.3]]), np.array([[1.0, -1.0]])
    phi_1 = np.tanh(x @ W1)
    slopes = 1.0 - np.tanh(phi_1 @ W2) ** 2
    W3 = np.array([[1.0 / slopes[0]], [1.0 / slopes[1]]])
    w = net.pack([W1, W2, W3])
    (psi, *_) = reference.psi(spec, w, x)
    assert np.abs(psi).max() < 1e-15
    report = surface.ranks(net, w, [x])
    printed = {b.of: b for b in surface.printed_bounds(report, [x]) if b.name == "Remark 4"}
    assert printed["Psi_1"].applies
    assert printed["Psi_1"].value == 1
    assert np.abs(report.sensitivities[0].singular_values).max() < 1e-15
    (right,) = (b for b in report.bounds if b.of == "Psi_1")
    assert (right.applies, right.value) == (True, 0)


def hill(n):
    """Whether a width is above widths on both sides of it, near or far."""
    return any(min(n[:j]) < n[j] > min(n[j + 1 :]) for j in range(1, len(n) - 1))


def test_sensitivities_keep_the_least_width_if_and_only_if_there_is_no_hill():
    """Sylvester's bound with weights of full rank against min(n_l ... n_L), all widths <= 4."""
    hills = 0
    for length in range(2, 6):
        for n in itertools.product(range(1, 5), repeat=length):
            ranks = [min(pair) for pair in itertools.pairwise(n)]
            assert (surface.sylvester(ranks, n[1:-1]) == min(n)) == (not hill(n))
            hills += hill(n)
    assert hills > 500


def test_neighbours_do_not_show_every_hill():
    """1, 2, 2, 1: no width is above both neighbours, and Ψ may be 0."""
    Ws = [[[1.0, 0.0]], np.eye(2), [[0.0], [1.0]]]
    assert not np.linalg.multi_dot(Ws).any()
    assert [np.linalg.matrix_rank(W) for W in Ws] == [1, 2, 1]
    assert hill((1, 2, 2, 1))
    assert not hill((2, 1, 2))  # a valley only caps the rank, min(2, 1, 2) = 1


def test_eq_25_as_printed_refuses_pyramids():
    """F(2,8,4,1): 8 > max(2, 4) at l = 1 <= L - 2; CVPR's Remark 5 has pyramids follow eq. 25."""
    net = ggn.MLP((2, 8, 4, 1))
    X = np.eye(2)
    for seed in range(20):
        report = surface.ranks(net, net.initial_weights(seed), X)
        printed = {b.of: b for b in surface.printed_bounds(report, X) if b.name == "Remark 4"}
        premises = [p for p in printed["Psi_1"].premises if "Principle 5" in p.text]
        assert [p.holds for p in premises] == [False]
        # and yet nothing is lost: the widths 8, 4, 1 have no hill
        assert report.sensitivities[0].min == 1
        assert all(b.applies for b in report.bounds if b.of == "Psi_1")


# ------------------------------------------------------------------- the algorithms
def test_algorithm_1_takes_the_derivative_of_the_layer_below():
    """ω_{l-1} = diag(φ'_{l-1}) W_l ω_l; diag(φ'_l), as in step 2(1), has n_l rows, not n_{l-1}."""
    c = case((3, 3, 3), "sigmoid", False, seed=4)  # equal widths, so that the printed one exists
    X, Y = c.data(5)
    truth = reference.gradient_complex_step(c.complex_spec, c.w, X, Y, SQUARED)
    W2 = c.net.unpack(c.w)[1]
    _, phi1, phi2 = reference.forward(c.spec, c.w, X)[0]
    slope1, slope2 = phi1 * (1.0 - phi1), phi2 * (1.0 - phi2)
    omega2 = slope2 * 2.0 * (phi2 - Y)

    def gradient(slope):
        return c.net.pack([X.T @ (slope * (omega2 @ W2.T)), phi1.T @ omega2]) / len(X)

    assert_close(gradient(slope1), truth)
    assert relative_error(gradient(slope2), truth) > 0.1


def test_algorithm_2_has_sensitivities_of_the_outputs():
    """Ψ_{l-1} is n_{l-1} x n_L for l = 2 ... L, not n_{l-1} x n_l for l = 1 ... L."""
    sizes = (2, 4, 3, 5)
    net, spec = ggn.MLP(sizes, "tanh", "tanh"), reference.named_spec(sizes, "tanh")
    w, X = net.initial_weights(0), np.ones((2, 2))
    blocks = surface.row_blocks(net, w, X)
    assert len(blocks) == 3  # Ψ_1 ... Ψ_3: there is no Ψ_0, which l = 1 would give
    psi_1 = reference.psi(spec, w, X[0])[0]
    assert psi_1.shape == (4, 5)  # l = 2: n_1 x n_L, printed n_1 x n_2 = 4 x 3
    assert_close(blocks[0].sensitivities[:, :5], psi_1)
    assert blocks[0].sensitivities.shape == (4, 2 * 5)


# ------------------------------------------------------------------- "for all W"
@given(cases(), st.integers(2, 6))
def test_at_w_0_no_deep_network_has_full_rank(c, T):
    """Prop. 1 asks for rank P = T nL at all W; at W = 0 it is n_L at most, if L >= 2."""
    X, _ = c.data(T)
    P = reference.jacobian(c.spec, 0.0 * c.w, X)
    if c.spec.L >= 2:
        assert np.linalg.matrix_rank(P) <= c.spec.sizes[-1] < T * c.spec.sizes[-1]
    report = surface.ranks(c.net, 0.0 * c.w, X)
    assert report.jacobian.rank == np.linalg.matrix_rank(P)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "bent_identity"])
def test_at_w1_0_the_hidden_outputs_are_no_basis(activation):
    """Prop. 5 (2) asks for rank Φ_1 = T at all W_1; at W_1 = 0 the samples are told apart by none.

    Elsewhere T units do, n_1 = T.
    """
    T = 5
    c = case((2, T, 1), (activation, "identity"), seed=1)
    X, _ = c.data(T)
    W1, W2 = c.net.unpack(c.w)
    for scale, rank in ((1.0, T), (0.0, 0 if activation in ("tanh", "bent_identity") else 1)):
        report = surface.ranks(c.net, c.net.pack([scale * W1, W2]), X)
        assert report.outputs[1].rank == rank


# ------------------------------------------------------------------- the Hessian's rank
def test_n_weights_equal_to_the_targets_leave_the_hessian_regular():
    """Eq. 30 with N = T nL: F(1,1), two samples, H_J = P H_E Pᵀ of rank 2."""
    net, w, X = ggn.MLP((1, 1)), np.array([2.0, 1.0]), np.array([[0.0], [1.0]])
    Y = net.forward(w, X)
    bound = surface.hessian_bound(ggn.linearize(net, w, X, Y))
    assert bound.applies
    assert bound.value == net.n_weights == 2
    assert "degenerate" not in bound.detail
    H = ggn.linearize(net, w, X, Y).hessian()
    assert np.linalg.eigvalsh(H)[0] > 0.1
    one = ggn.linearize(net, w, X[:1], Y[:1])
    assert "degenerate" in surface.hessian_bound(one).detail
    assert np.linalg.matrix_rank(one.hessian()) == 1


SMOOTH = ("sigmoid", "tanh", "softsign", "softplus", "bent_identity", "identity")


@given(cases(names=SMOOTH, max_layers=3), st.integers(1, 4))
def test_proposition_4_at_exact_fits(c, T):
    """Eq. 29 at Y = φ_L: the oracle's H_J has T nL singular values at most."""
    X, _ = c.data(T)
    Y = c.net.forward(c.w, X)
    bound = surface.hessian_bound(ggn.linearize(c.net, c.w, X, Y), tol=1e-9)
    assert bound.applies
    H = reference.hessian(c.spec, c.w, X, Y, SQUARED)
    assert bound.allows(int(np.sum(np.linalg.svd(H, compute_uv=False) > 1e-9)))


def test_proposition_4_needs_an_exact_fit():
    """Linear F(2,1,3,2) on X = I, Y = diag(2, 1): rank 9 > T nL = 4 at random weights.

    At the global minimum, which is the best map of rank one, diag(2, 0) (Eckart-Young), J is 1/2
    and the network's part of H_J is there, so the bound is not established, though not exceeded.
    """
    net, rng = ggn.MLP((2, 1, 3, 2), "identity", bias=False), np.random.default_rng(0)
    spec, X, Y = reference.named_spec((2, 1, 3, 2), "identity", False), np.eye(2), np.diag([2.0, 1])
    W2, W3 = rng.normal(size=(1, 3)), rng.normal(size=(3, 2))
    anywhere = net.pack([rng.normal(size=(2, 1)), W2, W3])
    W3 = W3 + np.linalg.pinv(W2) @ ([[2.0, 0.0]] - W2 @ W3)
    least = net.pack([[[1.0], [0.0]], W2, W3])
    assert ggn.linearize(net, least, X, Y).loss == pytest.approx(0.5)
    for w, rank in ((anywhere, 9), (least, 3)):
        bound = surface.hessian_bound(ggn.linearize(net, w, X, Y))
        assert bound.value == 4
        assert not bound.applies
        s = np.linalg.svd(reference.hessian(spec, w, X, Y, SQUARED), compute_uv=False)
        assert int(np.sum(s > 1e-9)) == rank
        assert bound.allows(rank) == (rank <= 4)


def test_a_penalty_takes_proposition_4_away():
    net, X = ggn.MLP((1, 2, 1), "tanh"), np.array([[0.5]])
    w = net.initial_weights(0)
    at = ggn.linearize(net, w, X, net.forward(w, X), l2=0.1)
    bound = surface.hessian_bound(at)
    assert "there is no penalty: fails (l2 > 0)" in str(bound)
    assert not bound.allows(np.linalg.matrix_rank(at.hessian()))
