"""Diagonal and block-diagonal parts of the GGN matrix as steps, against the dense oracle."""

from __future__ import annotations

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from strategies import assert_close, cases, losses, sample_counts

import ggn
from ggn import damping, steps


class Metric(damping.Metric):
    """A metric whose D is given."""

    def __init__(self, D):
        self.D = D

    def scale(self, diagonal):
        self.seen = np.array(diagonal)
        return self.D


def kept(spec, kind):
    """Return which entries of G (N, N) the step keeps."""
    N = reference.n_weights(spec)
    if kind == "diagonal":
        return np.eye(N, dtype=bool)
    sizes = [np.prod(spec.shape(layer)) for layer in range(1, spec.L + 1)]
    layer = np.repeat(np.arange(spec.L), sizes)
    return layer[:, None] == layer


STEPS = {"diagonal": steps.Diagonal, "block_diagonal": steps.BlockDiagonal}


@given(
    cases(), sample_counts(1), losses(), st.booleans(), st.sampled_from([0.05, 1.0]),
    st.sampled_from(sorted(STEPS)), st.sampled_from([0.0, 0.2]),
)  # fmt: skip
def test_steps_agree_with_the_oracle_s_matrix_and_zeros(c, T, loss, scaled, mu, kind, l2):
    X, Y = c.data(T)
    N = len(c.w)
    G = reference.normal_matrix(c.spec, c.w, X, Y, loss[1], psd=True, l2=l2)
    g = reference.gradient(c.spec, c.w, X, Y, loss[1], l2=l2)
    D = np.linspace(0.7, 1.4, N) if scaled else None
    matrix = np.where(kept(c.spec, kind), G, 0.0) + mu * np.diag(np.ones(N) if D is None else D**2)
    metric = Metric(D)
    at = ggn.linearize(c.net, c.w, X, Y, loss[0], l2=l2)
    prepared = STEPS[kind]().prepare(at, metric)
    condition = 1.0 + np.linalg.norm(G, 2) / (0.49 * mu)
    assert_close(prepared.solve(mu), np.linalg.solve(matrix, g), 1e-14 * max(100.0, condition))
    assert_close(prepared.gradient, g)
    assert_close(metric.seen, np.diagonal(G))


@pytest.mark.parametrize("kind", STEPS)
def test_on_one_weight_per_layer_block_they_are_exact(kind):
    """F(1,1) without bias has one weight: either part is all of G."""
    x = np.array([[1.0], [2.0]])
    fit = ggn.train(
        ggn.MLP((1, 1), bias=False), x, 3.0 * x, w0=[0.0], step=kind, damping="undamped", max_iter=1
    )
    assert fit.w == pytest.approx([3.0])


def test_undamped_diagonal_leaves_alone_what_nothing_depends_on():
    at = ggn.linearize(ggn.MLP((2, 1), bias=False), [1.0, 5.0], [[2.0, 0.0]], [[0.0]])
    assert steps.Diagonal().prepare(at, damping.Metric()).solve(0.0) == pytest.approx([1.0, 0.0])
    assert steps.BlockDiagonal().prepare(at, damping.Metric()).solve(0.0) is None


def test_how_much_of_the_matrix_lies_between_layers():
    """F(2,4,3,1), sigmoid, N(0, 1), 50 samples: a third and more of ‖G‖_F, in the median."""
    spec = reference.named_spec((2, 4, 3, 1), ("sigmoid", "sigmoid", "identity"))
    net = ggn.MLP((2, 4, 3, 1), "sigmoid")
    squared, mask, shares = reference.LOSSES["squared"](), kept(spec, "block_diagonal"), []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X, w = rng.normal(size=(50, 2)), rng.normal(size=net.n_weights)
        Y = rng.normal(size=(50, 1))
        G = reference.normal_matrix(spec, w, X, Y, squared)
        shares.append(np.linalg.norm(G[~mask]) / np.linalg.norm(G))
        prepared = steps.BlockDiagonal().prepare(ggn.linearize(net, w, X, Y), damping.Metric())
        inside = np.linalg.norm([np.linalg.norm(_symmetric(block)) for block in prepared.blocks])
        assert shares[-1] == pytest.approx(np.sqrt(1.0 - (inside / np.linalg.norm(G)) ** 2))
    assert 0.33 < np.median(shares) < 0.40  # measured: 0.36, from 0.14 to 0.55 in 8 of 10
    assert max(shares) > 0.5


def _symmetric(lower):
    return np.tril(lower) + np.tril(lower, -1).T
