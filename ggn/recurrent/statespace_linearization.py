"""Everything known of a state-space model at one w: exact derivatives through time.

    P = ∂y/∂w        forward in time, some steps of it held at once
    P ε, P H_E u     backward in time (adjoint), the states of one experiment held
    ∇²(εᵀy) v        the derivative of that along v

The normal matrix is a sum over steps of rows of S P: memory is O(N² + window), for the states of
the other sweeps O(T nx).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ggn import _core
from ggn.linearization import Linearization
from ggn.recurrent.statespace_model import StateSpace, jacobian_flops

__all__ = ["StateSpaceLinearization"]

# of a lane, an experiment, steps, their outputs (ny, c), and dy/dw (c, ny, n + nx)
TakeRows = Callable[[int, int, slice, np.ndarray, np.ndarray], None]


class StateSpaceLinearization(Linearization):
    """The objective of a state-space model at one w, evaluated when asked."""

    objective: Any  # the `StateSpaceObjective` that has made this one, whose module is above
    net: StateSpace  # type: ignore[assignment]

    def __init__(self, objective: Any, w: np.ndarray, loss: float | None = None) -> None:
        super().__init__(objective, w, loss)
        self.own = np.ascontiguousarray(w[: self.net.n_shared])

    def _compute_gradient(self) -> np.ndarray:
        return self._carried(None)

    # -- by rows of P, forward ---------------------------------------------------------------------

    def _each_rows(self, take: TakeRows, lanes: list[range]) -> None:
        """Call take(lane, e, rows, F, P) for some steps at a time: F (ny, c), P (c, ny, n + nx)."""
        net, layout, objective = self.net, self.net.layout, self.objective
        nx, width, size = net.n_states, net.n_shared + net.n_states, objective.row_steps()

        def run(lane: int, e: int, whole: slice) -> None:
            x, work = net.initial_state(self.w, e), layout.scratch()
            S = np.zeros((nx, layout.n_moving + nx))
            S[:, layout.n_moving :] = np.eye(nx)
            for rows in objective.chunks_of(whole, size):
                c = rows.stop - rows.start
                Y = np.empty((c, net.n_outputs))
                P = objective.scratch(c, net.n_outputs, width)
                layout.rows(self.own, objective.X[rows], x, S, Y, P, work)
                take(lane, e, rows, np.ascontiguousarray(Y.T), P)

        with np.errstate(all="ignore"):
            objective.each_experiment(lanes, run)

    def _lanes(self, sums: int) -> list[range]:
        return self.objective.groups(jacobian_flops(self.net), sums)

    def assemble_normal(
        self, G: np.ndarray, psd: bool = True, lent: np.ndarray | None = None
    ) -> np.ndarray:
        """Write the lower triangle of the GGN matrix to G; return the gradient."""
        net, objective = self.net, self.objective
        n, nx, free = net.n_shared, net.n_states, net.initial_states > 0
        semidefinite = psd and objective.loss.semidefinite
        lanes = self._lanes((n + nx) ** 2)
        sums = np.zeros((len(lanes), n + nx, n + nx))
        gradient, gradients = np.zeros(net.n_weights), np.zeros((len(lanes), n + nx))
        G.fill(0.0)
        last = {int(e) - 1 for e in objective.edges[1:]}

        def take(lane: int, e: int, rows: slice, F: np.ndarray, P: np.ndarray) -> None:
            eps = objective.derivatives(F, rows)
            gradients[lane] += eps.T.ravel() @ P.reshape(-1, n + nx)
            if semidefinite:
                B = _times(objective.root(F, rows).array, P)
                _core.add_product(B, sums[lane], transposed=True)
            else:
                H = _times(objective.curvature(F, rows, psd).array, P)
                sums[lane] += P.reshape(-1, n + nx).T @ H
            if rows.stop - 1 in last:  # the initial state's rows are this experiment's
                if free:
                    first = n + e * nx
                    G[first : first + nx, :n] = sums[lane, n:, :n]
                    G[first : first + nx, first : first + nx] = sums[lane, n:, n:]
                    gradient[first : first + nx] = gradients[lane, n:]
                sums[lane, n:], gradients[lane, n:] = 0.0, 0.0

        self._each_rows(take, lanes)
        with np.errstate(all="ignore"):
            for lane in range(len(lanes)):
                G[:n, :n] += sums[lane, :n, :n]
                gradient[:n] += gradients[lane, :n]
            if objective.penalised:
                G[np.diag_indices(len(G))] += 2.0 * objective.l2
                gradient += 2.0 * objective.l2 * self.w
        return gradient

    def _full(self, e: int, P: np.ndarray, out: np.ndarray) -> None:
        """Write rows P (k, n + nx) of an experiment to rows of all weights, out (k, N)."""
        n, nx = self.net.n_shared, self.net.n_states
        out[:, :n] = P[:, :n]
        if self.net.initial_states:
            out[:, n + e * nx : n + (e + 1) * nx] = P[:, n:]

    def jacobian(self) -> np.ndarray:
        """Return P (N, T·ny); column i·ny + o is step i, output o."""
        ny, width = self.net.n_outputs, self.net.n_shared + self.net.n_states
        out = np.zeros((self.objective.T * ny, self.net.n_weights))

        def take(lane: int, e: int, rows: slice, F: np.ndarray, P: np.ndarray) -> None:
            self._full(e, P.reshape(-1, width), out[rows.start * ny : rows.stop * ny])

        self._each_rows(take, [range(self.objective.experiments)])
        return np.ascontiguousarray(out.T)

    def root(self) -> tuple[np.ndarray, np.ndarray]:
        """Return B = P S (N, T·ny) and S⁺ε (T·ny,), columns by output, then step."""
        T, ny, N = self.objective.T, self.net.n_outputs, self.net.n_weights
        B, residual = np.zeros((T, ny, N)), np.empty((ny, T))

        def take(lane: int, e: int, rows: slice, F: np.ndarray, P: np.ndarray) -> None:
            residual[:, rows] = self.objective.whitened(F, rows)
            scaled = _times(self.objective.root(F, rows).array, P)
            whole = B[rows].reshape(-1, N)
            self._full(e, scaled, whole)

        self._each_rows(take, [range(self.objective.experiments)])
        return np.ascontiguousarray(B.transpose(2, 1, 0)).reshape(N, ny * T), residual.ravel()

    def normal_diagonal(self) -> np.ndarray:
        """Return the diagonal of the (psd) normal matrix, (N,)."""
        n, nx = self.net.n_shared, self.net.n_states
        out = np.zeros(self.net.n_weights)

        def take(lane: int, e: int, rows: slice, F: np.ndarray, P: np.ndarray) -> None:
            B = _times(self.objective.root(F, rows).array, P)
            total = np.einsum("ij,ij->j", B, B)
            out[:n] += total[:n]
            if self.net.initial_states:
                out[n + e * nx : n + (e + 1) * nx] += total[n:]

        self._each_rows(take, [range(self.objective.experiments)])
        return out + 2.0 * self.objective.l2

    def kernel_matrix(self) -> np.ndarray:
        """Return Sᵀ Pᵀ P S, (T·ny, T·ny), columns by step."""
        B, _ = self.root()
        T, ny = self.objective.T, self.net.n_outputs
        K = (B.T @ B).reshape(ny, T, ny, T)
        return K.transpose(1, 0, 3, 2).reshape(T * ny, T * ny)

    # -- by sweeps along a direction, and backward -------------------------------------------

    def _along(
        self, v: np.ndarray, e: int, rows: slice, X: np.ndarray, second: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return dx/dt (T_e, nx), dy/dt and d²y/dt² (ny, T_e) along v."""
        net, T = self.net, rows.stop - rows.start
        dX, dY = np.empty((T, net.n_states)), np.empty((T, net.n_outputs))
        d2Y = np.zeros((T, net.n_outputs)) if second else None
        d2x = np.zeros(net.n_states) if second else None
        net.layout.tangent(
            self.own, np.ascontiguousarray(v[: net.n_shared]), self.objective.X[rows], X,
            net.initial_state(v, e), d2x, dX, dY, d2Y, net.layout.scratch(),
        )  # fmt: skip
        return dX, dY.T, dY.T if d2Y is None else d2Y.T

    def _carried(self, v: np.ndarray | None, psd: bool = True, second: bool = False) -> np.ndarray:
        """Return the gradient, or with v P H_E u (N,), u = Pᵀv or the second derivative along v."""
        net, objective = self.net, self.objective
        n, nx = net.n_shared, net.n_states
        lanes = self._lanes(net.n_weights)
        sums, out = np.zeros((len(lanes), n)), np.zeros(net.n_weights)

        def run(lane: int, e: int, rows: slice) -> None:
            X = np.empty((rows.stop - rows.start, nx))
            F = np.hstack([part for _, part in objective.simulated(self.w, e, rows, X)])
            if v is None:
                eps = objective.derivatives(F, rows)
            else:
                _, first, bend = self._along(v, e, rows, X, second)
                eps = objective.curvature(F, rows, psd).times(bend if second else first)
            lam = np.zeros(nx)
            net.layout.adjoint(
                self.own, objective.X[rows], X, np.ascontiguousarray(eps.T), lam, sums[lane],
                net.layout.scratch(),
            )  # fmt: skip
            if net.initial_states:
                out[n + e * nx : n + (e + 1) * nx] = lam

        with np.errstate(all="ignore"):
            objective.each_experiment(lanes, run)
            out[:n] = sum(sums)
            if v is None and objective.penalised:
                out += 2.0 * objective.l2 * self.w
        return out

    def normal_product(self, v: np.ndarray, psd: bool) -> np.ndarray:
        return self._carried(v, psd)

    def bend(self, d: np.ndarray) -> np.ndarray:
        """Return P H_E y''[d, d] (N,)."""
        return self._carried(d, psd=True, second=True)

    def bend_columns(self, d: np.ndarray) -> np.ndarray:
        """Return Sᵀ y''[d, d] (T·ny,), columns by output, then step."""
        objective = self.objective
        out = np.empty((self.net.n_outputs, objective.T))

        def run(lane: int, e: int, rows: slice) -> None:
            X = np.empty((rows.stop - rows.start, self.net.n_states))
            F = np.hstack([part for _, part in objective.simulated(self.w, e, rows, X)])
            _, _, bend = self._along(d, e, rows, X, True)
            out[:, rows] = objective.root(F, rows).transposed_times(bend)

        with np.errstate(all="ignore"):
            objective.each_experiment([range(objective.experiments)], run)
        return out.ravel()

    def hessian_product(self, v: np.ndarray) -> np.ndarray:
        return self._bent(v, functional=False)

    def _bent(self, v: np.ndarray, functional: bool) -> np.ndarray:
        """Return H_J v (N,) without the penalty; functional: only what P H_E Pᵀ has not."""
        net, objective = self.net, self.objective
        n, nx = net.n_shared, net.n_states
        lanes = self._lanes(net.n_weights)
        sums, out = np.zeros((len(lanes), n)), np.zeros(net.n_weights)
        along = np.ascontiguousarray(v[:n])

        def run(lane: int, e: int, rows: slice) -> None:
            X = np.empty((rows.stop - rows.start, nx))
            F = np.hstack([part for _, part in objective.simulated(self.w, e, rows, X)])
            dX, dF, _ = self._along(v, e, rows, X, False)
            eps = objective.derivatives(F, rows)
            deps = objective.curvature(F, rows, psd=False).times(dF)
            if functional:
                deps = np.zeros_like(deps)
            lam, dlam = np.zeros(nx), np.zeros(nx)
            net.layout.hessian_adjoint(
                self.own, along, objective.X[rows], X, dX, np.ascontiguousarray(eps.T),
                np.ascontiguousarray(deps.T), lam, dlam, sums[lane], net.layout.scratch(),
            )  # fmt: skip
            if net.initial_states:
                out[n + e * nx : n + (e + 1) * nx] = dlam

        with np.errstate(all="ignore"):
            objective.each_experiment(lanes, run)
            out[:n] = sum(sums)
        return out

    def curvature_along(self, d: np.ndarray) -> float:
        """Return dᵀ G d, the penalty's part included."""
        return float(d @ self.normal_product(d, True)) + 2.0 * self.objective.penalty(d)

    def functional_hessian(self) -> np.ndarray:
        """Return Σ ε_io ∇²y_o(i), (N, N): a product for each weight."""
        N = self.net.n_weights
        H = np.array([self._bent(v, functional=True) for v in np.eye(N)])
        return 0.5 * (H + H.T)


def _times(S: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Return the rows of P (c, ny, N) times S, (c, ny) or (c, ny, ny), as (c·ny, N).

    Sᵀ P for a root S; with H itself it is H P, for H is symmetric.
    """
    if S.ndim == 2:
        return (S[:, :, np.newaxis] * P).reshape(-1, P.shape[2])
    return np.ascontiguousarray(np.einsum("kpo,kpn->kon", S, P)).reshape(-1, P.shape[2])
