"""What is known of a network in a loop at one p: exact derivatives through time.

With S_i the derivatives of a sample's outputs (`sweeps.py`), ε_i = c_i ∇_E, H_i = c_i H_E:

    gradient        g = Σ S_iᵀ ε_i + 2 l2 p          carried back, or with the normal matrix
    normal matrix   G = Σ S_iᵀ H_i S_i + 2 diag(l2)  S by chunks, each added at once
    Hessian         H = G + Σ ε_io ∇²o_io            by differences of exact gradients

Differences are of fourth order, in steps that move no weight and no output by more than 10⁻³,
shorter ones where gradients bend over that much: about ten digits of H, where the run does not
amplify what it is given.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ggn import _core
from ggn.linearization import Linearization
from ggn.losses.curvature import Curvature, Diagonal

__all__ = ["LoopLinearization"]

STEP = 1e-3  # of differences: truncation h⁴, rounding eps / h
BENT = 1e-5  # by how much differences over h and 2h may differ
SHORTER = 6  # steps that are tried


class LoopLinearization(Linearization):
    """A `LoopObjective` at one p, evaluated when asked."""

    objective: Any  # a LoopObjective, which imports this module

    def _here(self) -> bool:
        """Bring the sweeps to these parameters; whether the run is finite."""
        return self.objective.sweeps.simulate(self.w)

    def _compute_gradient(self) -> np.ndarray:
        objective, sweeps = self.objective, self.objective.sweeps
        if not self._here():
            return np.full(len(self.w), np.nan)
        lam = np.zeros_like(sweeps.O)
        with np.errstate(all="ignore"):
            for rows, F in objective.outputs(self.w):
                lam[rows, objective.observed] = objective.derivatives(F, rows).T
            gradient = sweeps.carry_back(self.w, lam)
            if objective.penalised:
                gradient += 2.0 * objective.l2 * self.w
        return gradient

    def assemble_normal(
        self, G: np.ndarray, psd: bool = True, lent: np.ndarray | None = None
    ) -> np.ndarray:
        objective, sweeps = self.objective, self.objective.sweeps
        N, n0, observed = sweeps.N, sweeps.n_initial, objective.observed
        constant, whole = (
            objective.constant_curvature(),
            observed == slice(0, objective.recursion.k),
        )
        if not self._here():
            G.fill(np.nan)
            return np.full(len(self.w), np.nan)
        G.fill(0.0)
        parts = sweeps.windows.in_order(
            objective.recursion.row_flops(N + n0), sums=N * N if n0 == 0 else 2**30
        )
        sums = [G if n0 == 0 and lane == 0 else np.zeros((N, N)) for lane in range(len(parts))]
        gradients = np.zeros((len(parts), len(self.w)))
        local = np.zeros((N + n0, N + n0)) if n0 else None

        def take(lane: int, rows: slice, S: np.ndarray) -> None:
            F = objective.now(rows)
            P = S if whole else S[:, observed]
            eps = objective.derivatives(F, rows)
            B, HB = _weighted(P, objective, F, rows, psd, constant)
            if n0 == 0:
                gradients[lane] += eps.T.ravel() @ P.reshape(-1, N)
                _add(B, HB, sums[lane])
                return
            assert local is not None
            self._windows(rows, P, eps, B, HB, local, G, gradients[lane])

        # the derivatives are scaled in place, but for those that the gradient needs first
        with np.errstate(all="ignore"):
            sweeps.each_rows(self.w, parts, take)
            for other in sums[1:] if n0 == 0 else ():
                G += other
            if constant is not None:
                G *= constant
            for own in gradients[1:]:
                gradients[0] += own
            if objective.penalised:
                G[np.diag_indices(len(G))] += 2.0 * objective.l2
                gradients[0] += 2.0 * objective.l2 * self.w
        gradient: np.ndarray = gradients[0]
        return gradient

    def _windows(
        self,
        rows: slice,
        P: np.ndarray,
        eps: np.ndarray,
        B: np.ndarray,
        HB: np.ndarray | None,
        local: np.ndarray,
        G: np.ndarray,
        gradient: np.ndarray,
    ) -> None:
        """Add a chunk window by window: each has columns of its own for what was before it."""
        sweeps = self.objective.sweeps
        N, n0, of = sweeps.N, sweeps.n_initial, sweeps.windows.window[rows]
        edges = [0, *(np.flatnonzero(np.diff(of)) + 1).tolist(), len(of)]
        for a, b in itertools.pairwise(edges):
            own = slice(N + of[a] * n0, N + (of[a] + 1) * n0)
            local.fill(0.0)
            _add(B[a:b], None if HB is None else HB[a:b], local)
            G[:N, :N] += local[:N, :N]
            G[own, :N] += local[N:, :N]
            G[own, own] += local[N:, N:]
            part = eps[:, a:b].T.ravel() @ P[a:b].reshape(-1, N + n0)
            gradient[:N] += part[:N]
            gradient[own] += part[N:]

    def normal_diagonal(self) -> np.ndarray:
        G = np.empty((len(self.w),) * 2)
        self.assemble_normal(G)
        return G.diagonal().copy()

    def normal_product(self, v: np.ndarray, psd: bool) -> np.ndarray:
        self._here()
        u = self.objective.sweeps.along(self.w, v)
        return self._back_of(u, psd)

    def _back_of(self, u: np.ndarray, psd: bool) -> np.ndarray:
        """Return Σ S_iᵀ H_i u_i for u (T, k)."""
        objective = self.objective
        lam = np.zeros_like(u)
        for rows, F in objective.outputs(self.w):
            seen = np.ascontiguousarray(u[rows, objective.observed].T)
            lam[rows, objective.observed] = objective.curvature(F, rows, psd).times(seen).T
        return objective.sweeps.carry_back(self.w, lam)

    def _step_along(self, d: np.ndarray) -> float:
        """Return t with which t d moves no weight and no output by more than STEP; d is not 0.

        Small weights under large ones move outputs by far more than themselves.
        """
        self._here()
        moved = float(np.abs(self.objective.sweeps.along(self.w, d)).max(initial=0.0))
        return STEP / max(float(np.abs(d).max()), moved)

    def hessian_product(self, v: np.ndarray) -> np.ndarray:
        if not v.any():
            return np.zeros_like(v)
        h, found, least = self._step_along(v), np.full_like(v, np.nan), math.inf
        for _ in range(SHORTER):
            near = (self._gradient_at(h * v) - self._gradient_at(-h * v)) / (2.0 * h)
            far = (self._gradient_at(2.0 * h * v) - self._gradient_at(-2.0 * h * v)) / (4.0 * h)
            off, h = float(np.linalg.norm(far - near)), h / 8.0
            if off < least:
                found, least = (4.0 * near - far) / 3.0, off
            if off <= BENT * float(np.linalg.norm(near)):
                break
        return found - 2.0 * self.objective.l2 * v

    def _gradient_at(self, d: np.ndarray) -> np.ndarray:
        return LoopLinearization(self.objective, self.w + d).gradient

    def functional_hessian(self) -> np.ndarray:
        H = np.stack([self.hessian_product(e) for e in np.eye(len(self.w))])
        H = 0.5 * (H + H.T)
        G = self.normal_matrix(psd=False)
        G[np.diag_indices(len(G))] -= 2.0 * self.objective.l2
        return H - G

    def bend(self, d: np.ndarray) -> np.ndarray:
        """Return Σ S_iᵀ H_i o''[d, d]; 0 where that is not finite."""
        second = self._second(d)
        return np.zeros_like(d) if second is None else self._back_of(second, True)

    def bend_columns(self, d: np.ndarray) -> np.ndarray:
        """Return Sᵀ o''[d, d] (T·nL,), columns by output, then sample; 0 as `bend`."""
        objective, second = self.objective, self._second(d)
        out = np.zeros(objective.Yt.shape)
        if second is None:
            return out.ravel()
        for rows, F in objective.outputs(self.w):
            bent = np.ascontiguousarray(second[rows, objective.observed].T)
            out[:, rows] = objective.root(F, rows).transposed_times(bent)
        return out.ravel()

    def _second(self, d: np.ndarray) -> np.ndarray | None:
        """Return o''[d, d] (T, k) by a difference of outputs, or None where that is not finite.

        It has five digits, which is more than acceleration asks for.
        """
        sweeps = self.objective.sweeps
        if not d.any():
            return None
        h = self._step_along(d)
        kept = sweeps.kept()
        second = -2.0 * sweeps.O
        for t in (-h, h):
            if not sweeps.simulate(self.w + t * d):
                return None
            second += sweeps.O
        sweeps.bring_back(kept)
        return second / h**2

    def curvature_along(self, d: np.ndarray) -> float:
        objective = self.objective
        self._here()
        u, total = objective.sweeps.along(self.w, d), 2.0 * objective.penalty(d)
        for rows, F in objective.outputs(self.w):
            seen = np.ascontiguousarray(u[rows, objective.observed].T)
            total += float(np.sum(seen * objective.curvature(F, rows, psd=True).times(seen)))
        return total

    def kernel_matrix(self) -> np.ndarray:
        """Return Sᵀ Pᵀ P S, (T·nL, T·nL): for few samples, as it is as large as these."""
        flat = self._scaled().reshape(-1, len(self.w))
        return flat @ flat.T

    def root(self) -> tuple[np.ndarray, np.ndarray]:
        """Return B = P S (N, T·nL) and S⁺ε (T·nL,), columns by output, then sample."""
        objective, residual = self.objective, np.empty(self.objective.Yt.shape)
        B = np.ascontiguousarray(self._scaled().transpose(2, 1, 0))
        for rows, F in objective.outputs(self.w):
            residual[:, rows] = objective.whitened(F, rows)
        return B.reshape(len(self.w), -1), residual.ravel()

    def _scaled(self) -> np.ndarray:
        """Return the rows of Sᵀ Pᵀ, (T, nL, N)."""
        objective, P = self.objective, self.jacobian()
        each = P.T.reshape(objective.T, -1, len(P))
        B = np.empty_like(each)
        for rows, F in objective.outputs(self.w):
            B[rows] = _times(objective.root(F, rows), each[rows], True)
        return B

    def jacobian(self) -> np.ndarray:
        """Return P (N + E, T·nL): column i·nL + o is sample i, output o, as of `MLP.jacobian`."""
        objective, sweeps = self.objective, self.objective.sweeps
        self._here()
        N, n0, nL = sweeps.N, sweeps.n_initial, objective.net.n_outputs
        out = np.zeros((objective.T, nL, len(self.w)))

        def take(lane: int, rows: slice, S: np.ndarray) -> None:
            P = S[:, objective.observed]
            out[rows, :, :N] = P[:, :, :N]
            for i in range(rows.start, rows.stop) if n0 else ():
                first = N + sweeps.windows.window[i] * n0
                out[i, :, first : first + n0] = P[i - rows.start, :, N:]

        sweeps.each_rows(self.w, [range(objective.T)], take)
        return np.ascontiguousarray(out.reshape(-1, len(self.w)).T)


def _weighted(
    P: np.ndarray, objective: Any, F: np.ndarray, rows: slice, psd: bool,
    constant: float | None,
) -> tuple[np.ndarray, np.ndarray | None]:  # fmt: skip
    """Return B with Bᵀ B a chunk's sum Pᵀ H P; or, where H may be indefinite, P and H P."""
    if constant is not None:
        return P, None
    if psd:
        return _times(objective.root(F, rows), P, True), None
    return P, _times(objective.curvature(F, rows, False), P, False)


def _times(H: Curvature, P: np.ndarray, transposed: bool) -> np.ndarray:
    """Return H P, or its transpose times P, sample by sample; P is (c, nL, M)."""
    if isinstance(H, Diagonal):
        return P * H.array[:, :, np.newaxis]
    A = H.array.transpose(0, 2, 1) if transposed else H.array
    product: np.ndarray = A @ P
    return product


def _add(B: np.ndarray, HB: np.ndarray | None, out: np.ndarray) -> None:
    """Add Bᵀ B, its lower triangle, or Bᵀ H B, over samples and outputs."""
    flat = np.ascontiguousarray(B.reshape(-1, B.shape[-1]))
    if HB is None:
        _core.add_product(flat, out, transposed=True)
    else:
        out += flat.T @ HB.reshape(-1, B.shape[-1])
