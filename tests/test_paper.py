"""Where the paper's two printed versions slip: one test for each correction that the core follows.

Each shows the corrected formula agreeing with a derivative taken without any of
these formulas (complex step on eq. 6 alone), and the printed one not.
"""

import numpy as np
import pytest
import reference
from strategies import assert_close, case, relative_error

import ggn

SQUARED = reference.LOSSES["squared"]()


@pytest.fixture
def small():
    """F(2,3,3) with sigmoids in both layers, so that every printed product has a shape."""
    c = case((2, 3, 3), "sigmoid", seed=4)
    return c, *c.data(6)


def sigmoid_prime(phi):
    return phi * (1.0 - phi)


def chain(c, X, Y, diagonal_hidden, diagonal_output, error):
    """Gradient by eq. 15 and 16 with the given diagonals, in matrices of all samples."""
    W1, W2 = c.net.unpack(c.w)
    ones = np.ones((len(X), 1))
    phi1 = 1.0 / (1.0 + np.exp(-np.hstack([X, ones]) @ W1))
    phi2 = 1.0 / (1.0 + np.exp(-np.hstack([phi1, ones]) @ W2))
    omega2 = diagonal_output(phi2) * error(phi1, phi2)
    omega1 = diagonal_hidden(phi1) * (omega2 @ W2[:-1].T)
    return c.net.pack([np.hstack([X, ones]).T @ omega1, np.hstack([phi1, ones]).T @ omega2])


def test_eq_12_and_algorithm_1_take_derivatives_on_the_diagonal(small):
    """diag(phi'_l) and diag(phi'_L), not diag(phi_l) and diag(phi_L)."""
    c, X, Y = small
    truth = reference.gradient_complex_step(c.complex_spec, c.w, X, Y, SQUARED)

    def error(phi1, phi2):
        return 2.0 * (phi2 - Y)

    right = chain(c, X, Y, sigmoid_prime, sigmoid_prime, error) / len(X)
    assert_close(right, truth)
    assert_close(ggn.linearize(c.net, c.w, X, Y).gradient, truth)
    for printed in (
        chain(c, X, Y, lambda phi: phi, sigmoid_prime, error),
        chain(c, X, Y, sigmoid_prime, lambda phi: phi, error),
    ):
        assert relative_error(printed / len(X), truth) > 0.1


def test_algorithm_2_takes_the_error_at_the_output(small):
    """eps(W) stacks the loss's gradient at phi_L, not at phi_l of the layer that is updated."""
    c, X, Y = small
    truth = reference.gradient_complex_step(c.complex_spec, c.w, X, Y, SQUARED)
    P = c.net.jacobian(c.w, X)
    phi1, phi2 = reference.forward(c.spec, c.w, X)[0][1:]
    assert_close(P @ (2.0 * (phi2 - Y)).ravel() / len(X), truth)
    assert relative_error(P @ (2.0 * (phi1 - Y)).ravel() / len(X), truth) > 0.1


def test_the_mean_of_eq_6_is_kept_in_eq_16_and_in_the_ggn_matrix(small):
    """Giving every sample twice changes nothing; without 1/T it would double all but J."""
    c, X, Y = small
    once = ggn.linearize(c.net, c.w, X, Y)
    twice = ggn.linearize(c.net, c.w, np.vstack([X, X]), np.vstack([Y, Y]))
    assert_close(twice.loss, once.loss)
    assert_close(twice.gradient, once.gradient)
    assert_close(twice.normal_matrix(), once.normal_matrix())
    r = (c.net.forward(c.w, X) - Y).ravel()
    P = c.net.jacobian(c.w, X)
    assert_close(once.loss, r @ r / len(X))
    assert_close(once.gradient, P @ (2.0 * r) / len(X))
    assert_close(once.normal_matrix(), P @ (2.0 * P.T) / len(X))


def test_order_of_row_blocks_does_not_change_ranks():
    """Eq. 19 stacks layers L ... 1, the code 1 ... L: P and P P^T are permuted, no more."""
    c = case((2, 4, 3, 1), ("tanh", "sigmoid", "identity"), seed=1)
    X, _ = c.data(8)
    P = c.net.jacobian(c.w, X)
    stops = np.cumsum([W.size for W in c.net.unpack(c.w)])
    blocks = np.split(P, stops[:-1])
    printed = np.vstack(blocks[::-1])
    assert np.linalg.matrix_rank(printed) == np.linalg.matrix_rank(P) == 8
    # the last layer's block is what the paper prints first: the features of layer L - 1
    phi = reference.forward(c.spec, c.w, X)[0][2]
    assert_close(printed[: phi.shape[1]], phi.T)
    np.testing.assert_allclose(printed.T @ printed, P.T @ P, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("loss", "residual"),
    [
        (ggn.losses.Cauchy(1.0), 3.0),
        (ggn.losses.BlakeZisserman(1.0, 0.1), 1.5),
        (ggn.losses.SmoothLp(0.5, 1.0), 5.0),
    ],
    ids=repr,
)
def test_ggn_matrix_is_semi_definite_only_where_the_loss_is_convex(loss, residual):
    """The remark says "at arbitrary weights"; far residuals of a robust loss make it negative."""
    c = case((2, 3, 1), ("tanh", "identity"), seed=2)
    X, _ = c.data(10)
    F = c.net.forward(c.w, X)
    far, near = (ggn.linearize(c.net, c.w, X, F - r, loss) for r in (residual, 0.01))
    largest = np.linalg.norm(far.normal_matrix(psd=True), 2)
    exact = np.linalg.eigvalsh(far.normal_matrix())
    assert exact[0] < -1e-3 * largest
    assert np.linalg.eigvalsh(far.normal_matrix(psd=True))[0] > -1e-14 * largest
    assert np.linalg.eigvalsh(near.normal_matrix())[0] > -1e-14 * largest


@pytest.mark.parametrize(
    ("activation", "bias", "rank", "elsewhere"),
    [
        ("sigmoid", True, 1, 4),
        ("tanh", True, 1, 4),
        ("sigmoid", False, 1, 4),
        ("tanh", False, 0, 3),
    ],
)
def test_proposition_6_needs_its_premise(activation, bias, rank, elsewhere):
    """At W = 0 all samples of XOR look the same to F(2,3,1): rank P is 1 at most, not 4.

    By hand: Psi_1 = W_2 = 0, so only the last layer's rows are not 0, and they are
    sigma(0) and, with a dummy unit, 1 for each sample.  Elsewhere it is 4, or 3 where the
    sample at the origin has neither a dummy unit nor sigma(0) != 0.
    """
    net = ggn.MLP((2, 3, 1), activation, bias=bias)
    X, _ = ggn.problems.xor()
    P = net.jacobian(np.zeros(net.n_weights), X)
    phi = 0.5 if activation == "sigmoid" else 0.0
    first = 3 * (2 + bias)
    assert not P[:first].any()
    assert P[first:].tolist() == [[phi] * 4] * 3 + [[1.0] * 4] * bias
    assert np.linalg.matrix_rank(P) == rank
    assert np.linalg.matrix_rank(net.jacobian(net.initial_weights(0), X)) == elsewhere


def test_xor_is_eq_33():
    X, Y = ggn.problems.xor()
    assert {(*x, *y) for x, y in zip(X.tolist(), Y.tolist(), strict=True)} == {
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0),
    }  # fmt: skip


class Points(np.random.Generator):
    """A source of randomness that draws chosen points."""

    def __init__(self, points):
        super().__init__(np.random.PCG64(0))
        self.points = np.array(points, dtype=float)

    def uniform(self, low=0.0, high=1.0, size=None):
        assert (low, high, size) == (-4.0, 4.0, self.points.shape)
        return self.points


# x, y, class: disc, half rings (left and right), outside (top and bottom)
REGIONS = [
    (0.0, 0.0, 1), (0.6, 0.6, 1), (-0.6, -0.6, 1), (0.9, 0.0, 1), (0.0, -0.9, 1),
    (-1.5, 0.1, 1), (-1.1, -1.1, 1), (-1.0, 1.5, 1), (1.5, 0.1, 2), (1.1, -1.1, 2), (1.0, 1.5, 2),
    (-2.5, 0.1, 2), (-2.0, -2.0, 2), (-1.0, 2.3, 2), (2.5, 0.1, 1), (2.0, -2.0, 1), (1.0, 2.3, 1),
    (0.0, 3.5, 3), (-3.5, 3.5, 3), (3.9, 0.1, 3), (0.0, -3.5, 4), (3.5, -3.5, 4), (-3.9, -0.1, 4),
    (1.0, 0.0, 1), (-2.0, 0.0, 1), (2.0, 0.0, 2), (3.0, 0.0, 1), (-3.0, 0.0, 2),
]  # fmt: skip


def test_labels_of_the_four_regions():
    """Discs and half rings interlock: the left half of the inner ring goes with the right half
    of the outer one."""
    points, labels = np.split(np.array(REGIONS), [2], axis=1)
    X, Y = ggn.problems.four_regions(len(points), Points(points))
    assert np.array_equal(X, points)
    assert Y.tolist() == labels.tolist()
    _, one_hot = ggn.problems.four_regions(len(points), Points(points), one_hot=True)
    assert one_hot.tolist() == [
        [float(k == label) for k in (1, 2, 3, 4)] for label in labels.ravel()
    ]


def test_four_regions_have_their_areas():
    """Of 64: class 1 pi (1 + 3/2 + 5/2), class 2 pi (3/2 + 5/2), class 3 and 4 the rest halved."""
    _, Y = ggn.problems.four_regions(20000, rng=3)
    share = np.array([5.0 * np.pi, 4.0 * np.pi, 32.0 - 4.5 * np.pi, 32.0 - 4.5 * np.pi]) / 64.0
    counts = np.bincount(Y.ravel().astype(int), minlength=5)[1:]
    assert (np.abs(counts - 20000 * share) < 4.0 * np.sqrt(20000 * share * (1 - share))).all()


def observed_order(path, end):
    """Slope of log distance against the one before, where distances are neither large nor noise."""
    distances = np.array([np.linalg.norm(w - end) for w in path]) / np.linalg.norm(end)
    orders = [
        np.log(c / b) / np.log(b / a)
        for a, b, c in zip(distances, distances[1:], distances[2:], strict=False)
        if 0.1 > a > b > c > 1e-12
    ]
    return orders[-1] if orders else np.nan


def test_undamped_ggn_converges_quadratically():
    """Four regions, F(2,20,1), bent identity, T = 20, alpha = 1, from N(0, 1), 20 seeds."""
    net = ggn.MLP((2, 20, 1), "bent_identity")
    orders = []
    for seed in range(20):
        X, Y = ggn.problems.four_regions(20, rng=seed)
        path = []
        fit = ggn.train(
            net, X, Y, w0="normal", rng=seed, damping="undamped", max_iter=60, tol=0.0,
            loss_target=1e-26, callback=path.append,
        )  # fmt: skip
        if fit.fun < 1e-20:
            orders.append(observed_order(path, fit.w))
    assert len(orders) >= 18
    assert np.nanmedian(orders) >= 1.9
