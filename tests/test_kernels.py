"""What the kernels compute against the oracle, over random networks, data, losses, chunks."""

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

SIZES = (0, 1, 2, 3, 5, 10, 50)  # LAPACK's own test sizes


def oracle_outputs(c, X):
    return reference.forward(c.spec, c.w, X)[0][-1]


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
    """Loss, gradient, both normal matrices and operators: eq. 6, 16, 37, weighted, penalised."""
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
    assert np.abs(at.normal_matrix() - exact).max() <= 1e-12 * scale
    assert_close(at.normal_diagonal(), np.diagonal(psd))
    v = np.random.default_rng(c.seed).normal(size=len(c.w))
    length = np.linalg.norm(v)
    assert np.abs(at.operator() @ v - psd @ v).max() <= 1e-12 * scale * length
    assert np.abs(at.operator(psd=False) @ v - exact @ v).max() <= 1e-12 * scale * length


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
    assert_close(one.normal_diagonal(), all_.normal_diagonal())
    v = np.ones(len(c.w))
    assert relative_error(one.operator() @ v, all_.operator() @ v) <= 1e-11
    assert relative_error(one.normal_matrix(), all_.normal_matrix()) <= 1e-11


@pytest.mark.parametrize("T", [31, 32, 33, 64, 65, 150])
def test_networks_own_chunks_do_not_matter(T, monkeypatch):
    """forward, jacobian and kernel_matrix choose their chunks: make these as small as they get."""
    monkeypatch.setattr("ggn.network.sweeps.CHUNK_DOUBLES", 1)
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


@pytest.mark.parametrize("loss", [("squared", {}), ("cauchy", {"scale": 1.5})], ids=lambda v: v[0])
@pytest.mark.parametrize("sizes", [(12, 20, 3), (3, 30, 1), (2, 6, 6, 6, 4), (20, 2, 8), (40, 5)])
def test_larger_shapes(sizes, loss):
    """Wide in, wide out, deep: whichever way of assembly the cost model takes for each."""
    name, parameters = loss
    theirs = reference.LOSSES[name](**parameters)
    ours = {"squared": ggn.losses.Squared, "cauchy": ggn.losses.Cauchy}[name](**parameters)
    c = case(sizes, (*["tanh"] * (len(sizes) - 2), "identity"), seed=1)
    X, Y = c.data(90)
    at = ggn.linearize(c.net, c.w, X, 3.0 * Y, ours)
    for psd in (True, False):
        expected = reference.normal_matrix(c.spec, c.w, X, 3.0 * Y, theirs, psd=psd)
        assert_close(at.normal_matrix(psd=psd), expected)
    assert_close(at.kernel_matrix(), reference.weighted_kernel(c.spec, c.w, X, 3.0 * Y, theirs))


def test_every_built_in_occurs():
    """The strategies draw from the oracle's table; the library must have the same names."""
    assert set(NAMES) == set(ggn.activations.BUILT_IN)
