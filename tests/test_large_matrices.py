"""Large matrices by pieces, which threads take: against one piece, the same bits for any number."""

import itertools

import numpy as np
import pytest
from strategies import assert_close

import ggn
from ggn import _core
from ggn.linearization import Linearization, Objective, dual_system
from ggn.linearization.dual_system import DualSystem
from ggn.steps import cholesky
from ggn.steps.cholesky import damped_cholesky


@pytest.fixture
def in_pieces(monkeypatch):
    """As many pieces as there may be, also where they would not pay."""
    monkeypatch.setattr(cholesky, "BY_BLOCKS_FROM", 0)
    monkeypatch.setattr(cholesky, "BLOCK", 16)
    monkeypatch.setattr(dual_system, "ROWS", 8)
    monkeypatch.setattr(dual_system, "WHOLE", 0)


def by_threads(compute):
    """What it gives, the same for any number of threads."""
    found = []
    for n in (1, 2, 3, 8):
        with ggn.threads(n):
            found.append(compute())
    assert len({f.tobytes() for f in found}) == 1
    return found[0]


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 33, 64, 65, 71, 72, 129, 200, 323])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("mu", [0.0, 0.25])
@pytest.mark.parametrize("parts", [1, 3])
def test_cholesky_of_a_damped_matrix(n, scaled, mu, parts, rng):
    B = rng.normal(size=(n, 2 * n + 1))
    G = B @ B.T
    D = rng.uniform(0.5, 2.0, n) if scaled else None
    triangle = np.tri(n, dtype=bool)
    factor = np.full((n, n), np.nan)
    edges = [i * n // parts for i in range(parts + 1)]
    blocks = list(itertools.pairwise(edges))
    for rows in blocks:
        _core.scale_rows(np.where(triangle, G, np.nan), D, mu, *rows, factor)
    for k, columns in enumerate(blocks):
        for rows in blocks[k:]:
            assert _core.factor_block(factor, *columns, *rows) == 0
    expected = (G if D is None else G / np.outer(D, D)) + mu * np.eye(n)
    assert_close(np.tril(factor) @ np.tril(factor).T, expected)
    x = rng.normal(size=n)
    b = expected @ x
    _core.cholesky_solve(np.where(triangle, factor, np.nan), b)
    assert_close(b, x, 1e-9)


@pytest.mark.parametrize("fault", [-1.0, 0.0])
@pytest.mark.parametrize("n", [9, 64, 65, 150])  # by our own loops, by rows, and by LAPACK
def test_cholesky_names_the_failing_minor_of_any_size(n, fault):
    for i in {0, 5, min(63, n - 1), min(64, n - 1), n // 2, n - 1}:
        factor = np.eye(n) + 0.1
        factor[i, : i + 1] = 0.0
        factor[i, i] = fault
        assert _core.factor_block(factor, 0, n, 0, n) == i + 1


def test_cholesky_names_the_failing_minor():
    factor = np.diag([1.0, -1.0, 1.0])
    assert _core.factor_block(factor.copy(), 0, 3, 0, 3) == 2
    assert _core.factor_block(factor, 0, 1, 0, 1) == 0
    assert _core.factor_block(factor, 1, 3, 1, 3) == 2


@pytest.mark.parametrize("n", [65, 70, 128, 200])
def test_cholesky_of_a_block_writes_nothing_beside_it(n, rng):
    B = rng.normal(size=(n, 2 * n))
    whole = rng.normal(size=(n + 20, n + 20))
    within = slice(3, 3 + n)
    whole[within, within] = B @ B.T
    whole[within, :3] = 0.0
    before = whole.copy()
    assert _core.factor_block(whole, 3, 3 + n, 3, 3 + n) == 0
    F = np.tril(whole[within, within])
    assert_close(F @ F.T, B @ B.T)
    whole[within, within] = before[within, within]
    assert np.array_equal(whole, before)


@pytest.mark.parametrize("n", [40, 300])
def test_cholesky_goes_on_with_what_is_no_number(n):
    """Not a number is no pivot that fails; who looks at J finds it."""
    G = np.eye(n)
    G[20, 3] = np.nan
    assert _core.factor_block(G, 0, n, 0, n) == 0
    assert np.isnan(G[20, 20])


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize("n", [1, 15, 16, 17, 100])
@pytest.mark.parametrize("scaled", [False, True])
def test_cholesky_by_blocks(n, scaled, rng):
    B = rng.normal(size=(n, 2 * n))
    G = B @ B.T
    D = rng.uniform(0.5, 2.0, n) if scaled else None

    def factor():
        out = np.full((n, n), np.nan)
        assert damped_cholesky(np.where(np.tri(n, dtype=bool), G, np.nan), D, 0.5, out)
        return np.tril(out)

    F = by_threads(factor)
    expected = (G if D is None else G / np.outer(D, D)) + 0.5 * np.eye(n)
    assert_close(F @ F.T, expected)


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize("bad", [0, 15, 16, 40, 63])
def test_cholesky_of_a_matrix_that_has_none(bad):
    G = np.eye(64)
    G[bad, bad] = -1.0
    assert not damped_cholesky(G, None, 0.0, np.empty((64, 64)))
    assert damped_cholesky(G, None, 2.0, np.empty((64, 64)))


def test_a_matrix_large_enough_to_go_by_blocks(rng):
    n = cholesky.BY_BLOCKS_FROM + 7
    B = rng.normal(size=(n, n // 2))
    out = np.empty((n, n))
    assert damped_cholesky(B @ B.T, None, 1.0, out)
    assert_close(np.tril(out) @ np.tril(out).T, B @ B.T + np.eye(n))


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize(
    ("sizes", "loss"),
    [
        ((2, 5, 1), "squared"),
        ((2, 5, 1), "smooth_lp"),
        ((3, 4, 6, 2), "squared"),
        ((3, 4, 6, 2), "smooth_lp"),
        ((3, 4, 6, 2), "softmax_cross_entropy"),
    ],
)
def test_kernel_matrix_by_rows(sizes, loss, rng):
    """Against B of `root`; a softmax couples the outputs of a sample."""
    net, T = ggn.MLP(sizes), 30
    X, Y = rng.normal(size=(T, sizes[0])), rng.dirichlet(np.ones(sizes[-1]), T)
    data, w = Objective(net, X, Y, loss), net.initial_weights(0)
    k = T * sizes[-1]

    def kernel():
        out = np.empty((k, k))
        DualSystem(data, w).kernel(None, out)
        return np.tril(out)

    B, _ = Linearization(data, w).root()
    assert_close(by_threads(kernel), np.tril(B.T @ B))


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize("step", ["primal", "dual"])
def test_a_fit_has_the_same_bits(step):
    x = np.linspace(-1.0, 1.0, 40)[:, np.newaxis]
    net = ggn.MLP((1, 12, 1))
    by_threads(lambda: ggn.train(net, x, np.sin(4 * x), step=step, max_iter=10).w)
