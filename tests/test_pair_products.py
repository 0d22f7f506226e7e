"""The products of pairs, with all vectors that this processor has, and by BLAS.

Expected is P H Pᵀ from the Jacobian of `MLP.jacobian`, which is compared with the oracle
elsewhere, over layers so small and so large that every edge of a register block, tile and
panel is met.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import ggn
from ggn import _core

GUARD = 64
# single units, edges of blocks of 2 to 24, tiles of more than 512 and 2304 pairs; in the last row
# pairs of inputs are with the units
SHAPES = [
    (1, 1, 1), (2, 3, 5, 1), (1, 5, 2, 3), (10, 1, 10, 2), (3, 10, 10, 4), (5, 2, 50, 1),
    (50, 3, 2), (9, 50, 1), (23, 7, 20, 1), (70, 34, 1),
    (1, 15, 1), (1, 50, 1), (2, 33, 1), (4, 77, 1), (8, 1, 20, 1), (1, 790, 1),
]  # fmt: skip
SAMPLES = (1, 2, 3, 5, 10, 50, 257, 300)  # the last two are more than a panel is deep


def guarded(n):
    whole = np.full(n + GUARD, np.nan)
    return whole[:n], whole[n:]


def error(sizes, c, form):
    """Return the largest error of G over that of its sums of sizes, infinite if a guard was hit."""
    net = ggn.MLP(sizes)
    rng = np.random.default_rng(c)
    w, X, nL = net.initial_weights(rng, "fan_in"), rng.normal(size=(c, sizes[0])), sizes[-1]
    h = rng.normal(size=[(), (nL, c), (nL, nL, c)][form])
    h = h + h.transpose(1, 0, 2) if form == 2 else h
    P = net.jacobian(w, X).reshape(-1, c, nL)
    PH = P if form == 0 else P * h.T if form == 1 else np.einsum("jia,abi->jib", P, h)
    A = PH.reshape(len(P), -1), P.reshape(len(P), -1)
    terms = (
        A[0] if form < 2 else np.einsum("jia,abi->jib", np.abs(P), np.abs(h)).reshape(len(P), -1)
    )
    scale = (np.abs(terms) @ np.abs(A[1]).T).max()
    expected = A[0] @ A[1].T
    found = [in_chunks(net, w, X, h, form, chunks) for chunks in {1, min(2, c)}]
    return float(np.max([np.abs(np.tril(G - expected)).max() / scale for G in found]))


def in_chunks(net, w, X, h, form, chunks):
    """Return G, whose upper triangle and whose neighbours in memory were left as they were."""
    c, nL = len(X), net.n_outputs
    sums, *guards = guarded(net.layout.normal_sizes(c, form)[0])
    for rows in np.array_split(np.arange(c), chunks):
        n = len(rows)
        part = None if form == 0 else np.ascontiguousarray(h[..., rows])
        work, work_guard = guarded(net.work_size(n, nL))
        _, tile, hpsi = net.layout.normal_sizes(n, form)
        (tile, tile_guard), (hpsi, hpsi_guard) = guarded(tile), guarded(hpsi)
        guards += [work_guard, tile_guard, hpsi_guard]
        net.sweep(w, X[rows], work, keep=1)
        _core.sensitivities(net.layout, w, n, None, work)
        _core.add_normal(net.layout, n, part, work, hpsi, tile, sums, rows[0] == 0)
    G = np.full((net.n_weights, net.n_weights), np.nan)
    _core.scatter_normal(net.layout, form, 1.0, sums, G)
    N = len(G)
    untouched = all(np.isnan(guard).all() for guard in guards)
    return G if untouched and np.isnan(G).sum() == N * (N - 1) // 2 else np.full_like(G, np.inf)


def worst():
    """Return the largest error over all cases."""
    errors = [
        error(sizes, c, form)
        for sizes in SHAPES
        for c in (SAMPLES if max(sizes) < 60 else (3, 300))
        for form in range(3)
    ]
    return float(np.max(errors))


SCRIPT = """
import test_many, test_pair_products as pairs
print(pairs._core.SIMD, pairs.worst(), test_many.worst_of_first_steps())
"""


@pytest.mark.parametrize("simd", _core.SIMD_HERE)
def test_products_of_pairs_and_the_first_steps_of_fits(simd):
    """In a process of its own: the vectors are chosen once."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        cwd=os.path.dirname(__file__),
        env={**os.environ, "GGN_SIMD": simd, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode == 0, run.stderr
    used, products, steps = run.stdout.split()
    assert used == simd
    assert float(products) <= 1e-14
    assert float(steps) <= 1e-9


@pytest.mark.parametrize("parts", [2, 3, 16, 80])
@pytest.mark.parametrize("form", range(3))
@pytest.mark.parametrize("sizes", [(2, 3, 5, 1), (3, 10, 10, 4), (1, 20, 1), (70, 2)])
def test_sums_are_put_in_their_places_by_any_number_of_parts(sizes, form, parts, rng):
    layout, N = ggn.MLP(sizes).layout, ggn.MLP(sizes).n_weights
    sums = rng.normal(size=layout.normal_sizes(1, form)[0])
    whole, shared = np.full((2, N, N), np.nan)
    _core.scatter_normal(layout, form, 0.7, sums, whole)
    for part in range(parts):
        _core.scatter_normal(layout, form, 0.7, sums, shared, part, parts)
    np.testing.assert_array_equal(shared, whole)


def test_unknown_vectors_are_refused():
    run = subprocess.run(
        [sys.executable, "-c", "import ggn"],
        capture_output=True,
        text=True,
        env={**os.environ, "GGN_SIMD": "mmx", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.returncode != 0
    assert "GGN_SIMD must be one of none" in run.stderr
    assert "got 'mmx'" in run.stderr
