"""The functional Hessian, the network's part of the exact one: what eq. 26 has beside P H_E Pᵀ.

    R = Σ_i Σ_o ε_io ∇²φ_L,o(x_i)

For one sample, with g_l the gradient of εᵀφ_L in φ_l, ω_l = D_l g_l and
A_lk = ∂z_l/∂z_k, block (l, k) of R, k <= l, at row (u, a) and column (v, b) is

    (B_l A_lk)[u, v] φ_{l-1}[a] φ_{k-1}[b] + ω_l[u] ∂φ_{l-1}[a]/∂z_k[v] φ_{k-1}[b]

where B_l, the Hessian of εᵀφ_L in z_l, comes from the layer above, and the
second term is there for k < l only:

    B_l = diag(σ''_l g_l) + D_l W_{l+1} B_{l+1} W_{l+1}ᵀ D_l,    D_l = diag(σ'_l)

Both are sums over samples of (pairs of units) x (pairs of inputs), as in the
normal matrix, hence matrix products.  Below linear layers B_l is diagonal, so a
network with one hidden layer and linear outputs costs next to nothing.

In every array the sample runs fastest; lists have layer l at [l].
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.linalg.blas import dgemm

from ggn.linearization.mean_loss import MeanLoss
from ggn.linearization.symmetric import mirrored
from ggn.network import MLP, chunks

__all__ = ["functional_hessian"]

FEW = 64  # units, up to which indices are kept: at most 64 KB
CHUNK_DOUBLES = 512  # so that a chunk has 100 to 200 samples, as for the normal matrix


def functional_hessian(objective: MeanLoss, w: np.ndarray) -> np.ndarray:
    """Return R (N, N), with the weights of the samples in it."""
    net = objective.net
    c, size = objective.chunk(1, CHUNK_DOUBLES)
    work = objective.scratch(size)
    sums = _Sums(net, w)
    with np.errstate(all="ignore"):
        for rows in chunks(range(objective.T), c):
            F = net.sweep(w, objective.X[rows], work, keep=2)
            sums.add(objective.derivatives(F, rows), work)
        return sums.matrix()


class _Sums:
    """The products that R consists of, summed over chunks."""

    def __init__(self, net: MLP, w: np.ndarray) -> None:
        self.net = net
        weights = zip(net.unpack(w), net.sizes, strict=False)
        self.W = [np.empty(0), *(W[:n] for W, n in weights)]  # without the dummy row
        self.sums: dict[tuple[str, int, int], np.ndarray] = {}

    def add(self, eps: np.ndarray, work: np.ndarray) -> None:
        """Add a chunk: ε (nL, c), and what its forward sweep with keep = 2 left in work."""
        layout, c, layers = self.net.layout, eps.shape[1], range(1, self.net.depth + 1)
        # A_l with the dummy row (l = 0 ... L - 1), σ'_l and σ''_l (l = 1 ... L)
        self.A = [layout.inputs(work, c, layer) for layer in layers]
        self.D = [np.empty(0), *(layout.slopes(work, c, layer) for layer in layers)]
        D2 = [np.empty(0), *(layout.bends(work, c, layer) for layer in layers)]
        g, B = eps, None  # B_l, or None where it is zero
        for layer in range(self.net.depth, 0, -1):
            omega, bend = self.D[layer] * g, D2[layer] * g
            if B is None:
                B = self._add_diagonal(layer, bend)
            else:
                B[np.diag_indices(len(B))] += bend
                B = self._add_full(layer, B)
            self._add_cross(layer, omega)
            g = self.W[layer] @ omega

    def _add_diagonal(self, layer: int, bend: np.ndarray) -> np.ndarray | None:
        """Add the blocks (l, k) of B_l = diag(bend); return what it adds to B_{l-1}."""
        if not bend.any():
            return None
        A = self.A[layer - 1]
        self._sum("units", layer, layer, (bend[:, np.newaxis] * A).reshape(-1, A.shape[1]), A)
        return self._add_below(layer, self._scaled(layer, bend)) if layer > 1 else None

    def _add_full(self, layer: int, B: np.ndarray) -> np.ndarray | None:
        """Add the blocks (l, k) of B_l; return what it adds to B_{l-1}."""
        u, v = _lower(len(B))
        a, b = _lower(len(self.A[layer - 1]))
        self._sum("square", layer, layer, B[u, v], self.A[layer - 1][a] * self.A[layer - 1][b])
        return self._add_below(layer, self._carried(layer, B)) if layer > 1 else None

    def _add_below(self, layer: int, K: np.ndarray) -> np.ndarray:
        """Add the blocks k < l from K = B_l A_lk, k = l - 1; return what B_l adds to B_{l-1}."""
        D, first = self.D[layer - 1], K
        for k in range(layer - 1, 0, -1):
            if k < layer - 1:
                K = self._carried(k + 1, K)
            self._sum("pairs", layer, k, K, _pairs(self.A[layer - 1], self.A[k - 1]))
        above = (self.W[layer] @ first.reshape(len(first), -1)).reshape(len(D), *D.shape)
        return above * D[:, np.newaxis]

    def _add_cross(self, layer: int, omega: np.ndarray) -> None:
        """Add ω_l[u] ∂φ_{l-1}[a]/∂z_k[v] φ_{k-1}[b] for all k < l."""
        if layer > 1:
            columns = _pairs(omega, self.A[layer - 2])
            self._sum("next", layer, layer - 1, self.D[layer - 1], columns)
        C, D = None, self.D[layer - 1]  # C is ∂φ_{l-1}/∂z_k
        for k in range(layer - 2, 0, -1):
            C = self._scaled(layer - 1, D) if C is None else self._carried(k + 1, C)
            self._sum("cross", layer, k, C, _pairs(omega, self.A[k - 1]))

    def _carried(self, layer: int, K: np.ndarray) -> np.ndarray:
        """Return K ∂z_l/∂z_{l-1}; K is (n, n_l, c)."""
        return (self.W[layer] @ K) * self.D[layer - 1]

    def _scaled(self, layer: int, d: np.ndarray) -> np.ndarray:
        """Return diag(d) ∂z_l/∂z_{l-1}; d is (n_l, c)."""
        return d[:, np.newaxis] * self.W[layer].T[:, :, np.newaxis] * self.D[layer - 1]

    def _sum(self, kind: str, layer: int, k: int, rows: np.ndarray, columns: np.ndarray) -> None:
        """Add rows columnsᵀ."""
        c = rows.shape[-1]
        rows, columns = rows.reshape(-1, c), columns.reshape(-1, c)
        key = kind, layer, k
        if key not in self.sums:
            self.sums[key] = np.zeros((len(rows), len(columns)))
        # by its transpose, which is how Fortran sees it: nothing is copied
        dgemm(1.0, columns.T, rows.T, 1.0, self.sums[key].T, trans_a=True, overwrite_c=True)

    def matrix(self) -> np.ndarray:
        """Return R, both triangles."""
        net = self.net
        R = np.zeros((net.n_weights, net.n_weights))
        parts = net.layout.weight_slices
        while self.sums:
            (kind, layer, k), S = self.sums.popitem()
            (n, m), (nk, mk) = net.layout.shapes[layer - 1], net.layout.shapes[k - 1]
            block = R[parts[layer - 1], parts[k - 1]].reshape(n, m, nk, mk)
            if kind == "units":
                each = np.arange(n)
                block[each, :, each, :] += S.reshape(n, m, m)
            elif kind == "square":
                block += S[_triangle(n)][:, :, _triangle(m)].transpose(0, 2, 1, 3)
            elif kind == "pairs":
                block += S.reshape(n, nk, m, mk).transpose(0, 2, 1, 3)
            elif kind == "next":
                each = np.arange(nk)
                block[:, each, each] += S.reshape(nk, n, mk).transpose(1, 0, 2)
            else:
                block[:, : net.sizes[layer - 1]] += S.reshape(-1, nk, n, mk).transpose(2, 0, 1, 3)
        return mirrored(R)


def _pairs(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x[a] y[b] for all a and b."""
    return x[:, np.newaxis] * y


@functools.lru_cache(maxsize=8)  # layers of one network; small ones ask thousands of times
def _kept(n: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return np.tril_indices, and where it has (u, v) and (v, u), (n, n)."""
    where = np.empty((n, n), dtype=np.intp)
    u, v = np.tril_indices(n)
    where[u, v] = where[v, u] = np.arange(len(u))
    for array in (u, v, where):
        array.flags.writeable = False  # all callers have it
    return (u, v), where


def _lower(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return np.tril_indices."""
    return _kept(n)[0] if n <= FEW else np.tril_indices(n)


def _triangle(n: int) -> np.ndarray:
    """Return where np.tril_indices has (u, v) and (v, u), (n, n)."""
    return _kept(n)[1] if n <= FEW else _kept.__wrapped__(n)[1]
