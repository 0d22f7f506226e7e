"""Theorem 1 and Prop. 1 at a point, against the oracle's Jacobian and constructed points."""

import re
import tracemalloc

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from runaway import on_the_way
from strategies import assert_close, cases, losses, sample_counts, sample_weights

import ggn
from ggn.surface import certificate, numerical_rank

SMOOTH = ("sigmoid", "tanh", "softsign", "softplus", "bent_identity")


def oracle(case, X, Y, loss, weight):
    """P, ε and g of the samples that count, by the definitions."""
    c = np.full(len(X), 1.0 / len(X)) if weight is None else weight / weight.sum()
    P = reference.jacobian(case.spec, case.w, X[c > 0.0])
    F = reference.forward(case.spec, case.w, X)[0][-1]
    eps = (c[:, None] * loss.gradient(F, Y))[c > 0.0].ravel()
    return P, eps, P @ eps


@given(cases(), sample_counts(1), losses(), st.booleans())
def test_every_field_by_its_definition(case, T, pair, weighted):
    """Eq. 19 and Theorem 1: the row span by a plain SVD of the oracle's P."""
    X, Y = case.data(T)
    weight = sample_weights(T, case.seed) if weighted else None
    P, eps, g = oracle(case, X, Y, pair[1], weight)
    found = certificate(case.net, case.w, X, Y, pair[0], sample_weight=weight)
    expected = numerical_rank(P)
    assert found.shape == P.shape == found.rank.shape
    assert_close(found.error_norm, np.linalg.norm(eps))
    assert_close(found.gradient_norm, np.linalg.norm(g), 1e-11)
    assert_close(found.jacobian_norm, np.linalg.norm(P))
    s = expected.singular_values
    assert np.abs(found.rank.singular_values - s).max() <= 1e-12 * s[0]
    r = found.rank.rank
    if r < len(s) and s[r - 1] < 1e6 * s[r]:
        return  # no gap: which vectors span the rows is a matter of rounding
    assert r == expected.rank
    V = np.linalg.svd(P, full_matrices=False)[2][:r]
    inside = V.T @ (V @ eps)
    scale = np.linalg.norm(eps)
    # the span is known to eps s_1 / gap
    error = 1e-13 * s[0] / s[r - 1]
    assert abs(found.projection - np.linalg.norm(inside) / scale) <= error
    assert abs(found.distance - np.linalg.norm(eps - inside) / scale) <= error


@given(cases(names=SMOOTH), st.integers(1, 6), losses(), st.booleans())
def test_full_column_rank_bounds_the_error_and_the_loss(case, T, pair, weighted):
    """Prop. 1 off the critical point: ‖ε‖ <= ‖g‖ / s_min, and J below its bound."""
    X, Y = case.data(T)
    weight = sample_weights(T, case.seed) if weighted else None
    found = certificate(case.net, case.w, X, Y, pair[0], sample_weight=weight)
    if not found.full_column_rank:
        assert found.error_bound is None
        assert found.loss_bound is None
        return
    assert found.error_norm <= found.error_bound * (1.0 + 1e-9)
    convex = isinstance(pair[0], ggn.losses.Squared) or (pair[0].p or 0.0) >= 1.0
    assert (found.loss_bound is not None) == convex
    if convex:
        assert found.loss <= found.loss_bound * (1.0 + 1e-9)


def test_the_bounds_are_sharp_where_they_can_be():
    """One weight, one sample: g = x ε, s_min = |x| and J = ε²/4."""
    net = ggn.MLP((1, 1), bias=False)
    found = certificate(net, [2.0], [[3.0]], [[1.0]])
    assert found.error_bound == pytest.approx(10.0, rel=1e-12)
    assert found.loss_bound == pytest.approx(25.0, rel=1e-12)
    assert found.loss == 25.0
    # a cut of one's own is the uncertainty of s_min
    cut = certificate(net, [2.0], [[3.0]], [[1.0]], rank=numerical_rank([[3.0]], tol=1.0))
    assert cut.error_bound == pytest.approx(15.0, rel=1e-12)
    # P = I, the error on the sample of least weight
    two = ggn.MLP((2, 1), bias=False)
    light = certificate(two, [5.0, 0.0], np.eye(2), [0.0, 0.0], sample_weight=[1.0, 9.0])
    assert light.loss_bound == pytest.approx(light.loss, rel=1e-12) == 2.5


@given(cases(names=SMOOTH), st.integers(0, 2**16))
def test_errors_off_the_row_span_make_any_point_critical(case, seed):
    """Neither: ε in the null space of P, planted through the targets; nothing is certified."""
    T = 2 * case.net.n_weights // case.net.n_outputs + 1
    X, _ = case.data(T)
    F = reference.forward(case.spec, case.w, X)[0][-1]
    P = reference.jacobian(case.spec, case.w, X)
    _, s, Vt = np.linalg.svd(P, full_matrices=True)
    rank = numerical_rank(P, tol=1e-9 * s[0])
    null = Vt[rank.rank :]
    r = null.T @ (null @ np.random.default_rng(seed).normal(size=F.size))
    found = certificate(case.net, case.w, X, F - r.reshape(F.shape), rank=rank)
    assert found.critical
    assert found.projection < 1e-6  # eps s_1 / cut
    assert found.distance == pytest.approx(1.0, abs=1e-9)
    assert found.loss > 0.0
    assert (found.theorem_1, found.proposition_1) == (False, False)
    assert not found.certifies_global
    assert "is critical; no more follows" in str(found)


def test_an_exact_fit_with_full_column_rank_is_certified():
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 3, 1), "bent_identity")
    fit = ggn.train(net, X, Y)
    found = certificate(net, fit.w, X, Y)
    assert fit.fun < 1e-25
    assert (found.theorem_1, found.proposition_1) == (True, True)
    assert found.certifies_global
    assert "By Proposition 1 w is a global minimum" in str(found)


def test_an_exact_fit_without_full_column_rank_is_none_by_rank():
    """Equal samples make equal columns of P."""
    X, Y = ggn.problems.xor()
    X, Y = np.vstack([X, X[:1]]), np.vstack([Y, Y[:1]])
    net = ggn.MLP((2, 3, 1))
    found = certificate(net, ggn.train(net, X, Y).w, X, Y)
    assert found.exact_fit
    assert found.rank.rank == 4
    assert (found.theorem_1, found.proposition_1) == (True, False)  # ε = 0 lies in any span
    assert not found.certifies_global
    assert "though not by rank" in str(found)


def test_full_rank_by_a_hair_does_not_make_a_runaway_stop_global():
    """There P has full column rank above rounding, s_min ~ 1e-11, and so is the gradient."""
    X, Y = ggn.problems.xor()
    net, w = on_the_way(1 / 8)
    found = certificate(net, w, X, Y)
    assert found.critical
    # as if the cut had been anywhere below s_min
    hair = numerical_rank(net.jacobian(w, X), tol=0.0)
    found = certificate(net, w, X, Y, rank=hair)
    assert found.full_column_rank
    assert found.critical
    assert not found.certifies_global
    assert found.error_bound >= found.error_norm
    assert "s_min is small" in str(found)


# stops of training at J = 1/8: g and s_min are rounding alone, and g / s_min is anything
ROUNDING = [
    [-55.082895178111855, -6.000000621315779, 2.499342254569488, -27.53669028721169,
     4.999649278641063, -3.000202386525834, -0.25232076732064507, 0.2548177621763282,
     0.5024969948556831],
    [-55.42348268113254, -6.007242925236159, 2.502777924018217, -27.416184940185552,
     5.002054482708073, -2.998531856915531, -0.25231120722692807, 0.25477873370400805,
     0.50246752647708],
    [-55.69831555817907, -5.998283800099902, 2.4985922314087987, -27.569942963226595,
     5.005410970568655, -3.000485858265547, -0.25232282403371753, 0.25476822025411705,
     0.5024453962203995],
]  # fmt: skip


@pytest.mark.parametrize("w", ROUNDING)
def test_a_gradient_of_rounding_bounds_no_error(w):
    """‖ε‖ <= 1e-7 was said here, of errors of 0.35."""
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 2, 1))
    hair = numerical_rank(net.jacobian(w, X), tol=0.0)
    found = certificate(net, w, X, Y, rank=hair)
    assert found.full_column_rank
    assert found.error_bound >= found.error_norm
    assert found.loss_bound >= found.loss
    assert not found.certifies_global


def test_a_wider_cut_shows_the_errors_off_the_row_span():
    """With a rank of one's own: ε at J = 1/8 lies off the span of all that is not tiny."""
    X, Y = ggn.problems.xor()
    net, w = on_the_way(1 / 8)
    P = net.jacobian(w, X)
    found = certificate(net, w, X, Y, rank=numerical_rank(P, tol=1e-6))
    assert found.rank.rank < 4
    assert found.projection < 1e-5
    assert found.distance == pytest.approx(1.0, abs=1e-9)


def test_all_weights_zero_but_the_output_bias():
    """XOR at W = 0, c = 1/2: rank P = 1, gradient 0, J = 1/4, and nothing certified."""
    X, Y = ggn.problems.xor()
    w = np.zeros(9)
    w[-1] = 0.5
    found = certificate(ggn.MLP((2, 2, 1)), w, X, Y)
    assert (found.rank.rank, found.gradient_norm, found.loss) == (1, 0.0, 0.25)
    assert found.critical
    assert found.projection < 1e-15
    assert found.distance == pytest.approx(1.0, abs=1e-15)
    assert not found.zero_jacobian
    assert not found.certifies_global


def test_a_zero_jacobian():
    X, Y = ggn.problems.xor()
    found = certificate(ggn.MLP((2, 2, 1), bias=False), np.zeros(6), X, Y)
    assert found.zero_jacobian
    assert found.critical
    assert found.rank.rank == 0
    assert found.projection == 0.0
    assert found.distance == pytest.approx(1.0, abs=1e-15)
    assert not found.certifies_global
    assert (found.theorem_1, found.proposition_1) == (False, False)
    assert str(found).startswith("P = 0")


def test_errors_in_the_row_span_without_full_column_rank_are_theorem_1():
    """Two equal samples with equal targets: rank P = 1 of 2, ε along (1, 1): not critical."""
    found = certificate(ggn.MLP((1, 1), bias=False), [2.0], [[1.0], [1.0]], [[0.0], [0.0]])
    assert (found.theorem_1, found.proposition_1) == (True, False)
    assert "By Theorem 1 w is not critical" in str(found)
    other = certificate(ggn.MLP((1, 1), bias=False), [2.0], [[1.0], [1.0]], [[0.0], [4.0]])
    assert (other.theorem_1, other.proposition_1) == (False, False)
    assert other.critical
    unknown = certificate(
        ggn.MLP((1, 1), bias=False), [2.0], [[1.0], [1.0]], [[0.0], [0.0]], max_memory=1.0
    )
    assert (unknown.theorem_1, unknown.proposition_1) == (None, False)


def test_jacobians_and_errors_whose_squares_underflow():
    """P = 1e-200 is not 0; ε of ρ' ~ exp(-27²) lies in the row span that there is, or does not."""
    net = ggn.MLP((1, 1), bias=False)
    small = certificate(net, [1.0], [[1e-200]], [[1.0]])
    assert (small.jacobian_norm, small.zero_jacobian) == (pytest.approx(1e-200, rel=1e-12), False)
    assert small.theorem_1
    far = certificate(net, [0.0], [[1.0], [1e-3]], [[26.0], [1e3]], "blake_zisserman")
    assert 0.0 < far.error_norm < 1e-280
    assert far.projection == pytest.approx(1.0, rel=1e-5)  # the second ε is 0


def test_full_column_rank_off_the_critical_point_says_train_on():
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 3, 1))
    found = certificate(net, net.initial_weights(rng=0), X, Y)
    assert found.full_column_rank
    assert not found.critical
    assert not found.certifies_global
    assert "training can go on" in str(found)


def test_neither_says_anything_of_a_penalised_loss():
    """At the exact fit of the unpenalised loss, and at the penalised minimum."""
    X, Y = ggn.problems.xor()
    net = ggn.MLP((2, 3, 1))
    for w in (ggn.train(net, X, Y).w, ggn.train(net, X, Y, l2=1e-3).w):
        found = certificate(net, w, X, Y, l2=1e-3)
        assert found.penalised
        assert not found.certifies_global
        assert "penalised" in str(found)
    alone = certificate(net, w, X, Y)
    assert found.critical  # the gradient of the penalised loss is what counts
    assert not alone.critical
    assert found.error_bound == pytest.approx(alone.error_bound, rel=1e-9)  # here it is Pε


def log_cosh():
    return ggn.Loss(
        "log_cosh",
        lambda F, Y: np.log(np.cosh(F - Y)).sum(axis=1),
        lambda F, Y: np.tanh(F - Y),
        lambda F, Y: 1.0 / np.cosh(F - Y) ** 2,
    )


def test_a_loss_of_ones_own_has_to_say_that_it_obeys_principle_1():
    X, Y = ggn.problems.xor()
    net, loss = ggn.MLP((2, 3, 1)), log_cosh()
    w = ggn.train(net, X, Y).w
    assert not certificate(net, w, X, Y, loss).certifies_global
    assert "Principle 1" in str(certificate(net, w, X, Y, loss))
    loss.unique_minimum = True
    assert certificate(net, w, X, Y, loss).certifies_global
    loss.convex = True
    off = certificate(net, 1.1 * w, X, Y, loss)
    assert off.loss <= off.loss_bound


def test_memory_decides_what_is_computed_and_the_text_says_so(rng):
    X, Y = rng.normal(size=(60, 3)), rng.normal(size=60)
    small, wide = ggn.MLP((3, 5, 1)), ggn.MLP((3, 50, 1))
    for net, full in ((small, False), (wide, None)):
        w = net.initial_weights(rng=0)
        known = certificate(net, w, X, Y)
        found = certificate(net, w, X, Y, max_memory=1000.0)
        assert found.rank is None
        assert found.projection is None
        assert found.full_column_rank is full  # 26 weights cannot reach 60 columns
        assert not found.certifies_global
        assert "max_memory" in str(found)
        assert_close(found.jacobian_norm, known.jacobian_norm)
        assert_close(found.relative_gradient, known.relative_gradient)
    again = certificate(wide, w, X, Y, max_memory=1000.0, rank=known.rank)
    assert again.full_column_rank
    assert_close(again.error_bound, known.error_bound)


@pytest.mark.parametrize("T", [40, 4000])
def test_the_memory_asked_for_suffices(T, rng):
    """Wide and tall P, of low rank, so that singular vectors are needed too."""
    net = ggn.MLP((3, 40, 1))
    w = net.initial_weights(rng)
    w[:160] = 0.0  # of the hidden layer: its units are constant
    data = rng.normal(size=(T, 3)), rng.normal(size=T)
    refused = certificate(net, w, *data, max_memory=1.0).not_computed
    needed = 2**20 * float(re.search(r"takes (\S+) MiB", refused)[1])
    tracemalloc.start()
    try:
        found = certificate(net, w, *data, max_memory=1.01 * needed)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.rank.rank < min(found.shape)
    assert found.not_computed == ""
    assert peak <= needed + 100.0 * T * 8.0


@pytest.mark.parametrize("T", [13, 14, 15, 16, 2000])
def test_streamed_over_samples_as_at_once(T, rng):
    """Just more columns (26 for T = 13) than weights (25), and more samples than a chunk."""
    net = ggn.MLP((2, 5, 2), bias=[True, False] if T % 2 else [False, True])
    assert (T < 2000) == (T < net.chunk_size(2, 2 * net.n_weights))
    X, Y, w = rng.normal(size=(T, 2)), rng.normal(size=(T, 2)), net.initial_weights(rng)
    found = certificate(net, w, X, Y)
    P = net.jacobian(w, X)
    eps = 2.0 * (net.forward(w, X) - Y).ravel()
    inside = P.T @ np.linalg.lstsq(P.T, eps, rcond=None)[0]
    assert_close(found.projection, np.linalg.norm(inside) / np.linalg.norm(eps), 1e-11)
    assert_close(found.distance, np.linalg.norm(eps - inside) / np.linalg.norm(eps), 1e-11)


def test_an_offset_of_the_targets_hides_no_misfit():
    X = np.array([[0.0], [1.0], [2.0]])
    Y = 1e9 + np.array([0.0, 1.0, -1.0])
    net = ggn.MLP((1, 1))
    found = certificate(net, [0.0, 1e9], X, Y)
    assert not found.exact_fit
    assert certificate(net, [0.0, 1e9], X, np.full(3, 1e9)).exact_fit
    assert certificate(net, [0.0, 0.0], X, np.zeros(3)).exact_fit
    assert not certificate(net, [0.0, 1e-6], X, np.zeros(3)).exact_fit


def test_weights_at_which_the_network_overflows():
    net = ggn.MLP((1, 1, 1), "exponential")
    found = certificate(net, [800.0, 0.0, 1.0, 0.0], [[1.0], [2.0]], [0.0, 1.0])
    assert found.rank is None
    assert "overflows" in found.not_computed
    assert not found.certifies_global


def test_a_rank_of_another_matrix_is_refused():
    X, Y = ggn.problems.xor()
    with pytest.raises(ValueError, match=r"rank must be of P, of shape \(9, 4\), got .*\(3, 3\)"):
        certificate(ggn.MLP((2, 2, 1)), np.zeros(9), X, Y, rank=numerical_rank(np.eye(3)))


@pytest.mark.parametrize("name", ["tol", "max_memory"])
def test_negative_settings_are_refused(name):
    X, Y = ggn.problems.xor()
    with pytest.raises(ValueError, match=f"{name} must be a number"):
        certificate(ggn.MLP((2, 2, 1)), np.zeros(9), X, Y, **{name: -1.0})
