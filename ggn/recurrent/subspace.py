"""A linear state-space model from data, by a subspace method: where a training may start.

With past and future horizon i, block Hankel matrices of inputs and outputs of all experiments
(a column for each stretch of 2 i steps without gaps) and a row of ones,

    Y_f = Γ X_f + (…) [U_f; 1],    X_f = (…) [U_p; Y_p]       without noise

so Y_f, less what [U_f; 1] explains, projected on the past, has the columns of Γ: its left
singular vectors (PO-MOESP; Verhaegen 1994).  A and C are read off Γ = [C; C A; ...]; B, D, the
offset and the initial states are then a linear least-squares problem for the outputs in free
run.  On noise-free data of a linear system of n states all this is exact.

State coordinates are those in which every state has deviation one on the data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import lstsq, qr

from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.statespace_objective import StateSpaceObjective

__all__ = ["subspace"]

MOST_HORIZON = 20
GROWTH = 1e3  # by which a mode may grow over the longest experiment
INSIDE = 0.98  # a mode that would grow by more is put here


def subspace(
    Us: Sequence[np.ndarray], Ys: Sequence[np.ndarray], n_states: int, feedthrough: bool = True
) -> tuple[StateSpace, np.ndarray, np.ndarray]:
    """Return a linear model, its weights, and the singular values that tell its order.

    Parameters
    ----------
    Us, Ys : sequence of ndarray
        Inputs (T_e, nu) and outputs (T_e, ny) of each experiment; nan: missing.
    n_states : int
    feedthrough : bool, default True

    Returns
    -------
    model : StateSpace
        Linear, with an initial state for each experiment.
    w : ndarray, (N,)
    singular_values : ndarray
        Empty where the experiments are too short for the method; A and C are guesses then.

    Examples
    --------
    >>> u = np.random.default_rng(0).normal(size=(60, 1))
    >>> model = StateSpace(1, 2, 1)
    >>> w = model.pack({"A": [[0.9, 0.2], [-0.2, 0.7]], "B": [[1.0], [0.5]], "C": [[1.0, 0.0]]})
    >>> _, y = model.states_and_outputs(w, u, np.zeros(2), 60)
    >>> _, found, _ = subspace([u], [y], 2)
    >>> np.linalg.eigvals(model.unpack(found)["A"]).real.round(12)
    array([0.8, 0.8])
    """
    nu, ny = Us[0].shape[1], Ys[0].shape[1]
    model = StateSpace(nu, n_states, ny, feedthrough=feedthrough, initial_states=len(Us))
    found = _observability(Us, Ys, n_states)
    if found is None:
        A, C, s = 0.5 * np.eye(n_states), np.ones((ny, n_states)), np.empty(0)
        A += np.diag(np.linspace(-0.3, 0.3, n_states))  # modes that can be told apart
    else:
        A, C, s = found
    A = _tamed(A, max(map(len, Ys)))
    w = _rest(model, Us, Ys, A, C)
    return model, _unit_states(model, w, Us), s


def _observability(
    Us: Sequence[np.ndarray], Ys: Sequence[np.ndarray], n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return A, C and the singular values, or None where there are too few data."""
    nu, ny = Us[0].shape[1], Ys[0].shape[1]
    least = -(-n // ny) + 1
    for i in range(max(least, min(MOST_HORIZON, 2 * n + 6)), least - 1, -1):
        H = _hankel(Us, Ys, i)
        if H.shape[1] >= 2 * i * (nu + ny) + 1:
            break
    else:
        return None
    known, past = i * nu + 1, i * (nu + ny)
    R = qr(H.T, mode="r")[0][: len(H)].T  # H = R Qᵀ
    L = R[known + past :, known : known + past]
    U, s, _ = np.linalg.svd(L, full_matrices=False)
    if not s[0] > 0.0:
        return None
    Gamma = U[:, :n] * np.sqrt(s[:n] / s[0])
    A = lstsq(Gamma[:-ny], Gamma[ny:])[0]
    return A, Gamma[:ny], s


def _hankel(Us: Sequence[np.ndarray], Ys: Sequence[np.ndarray], i: int) -> np.ndarray:
    """Return [U_f; 1; U_p; Y_p; Y_f], a column for each stretch of 2 i steps without a gap."""
    parts = []
    for U, Y in zip(Us, Ys, strict=True):
        columns = len(Y) - 2 * i + 1
        if columns < 1:
            continue
        u = np.vstack([U[k : k + columns].T for k in range(2 * i)])
        y = np.vstack([Y[k : k + columns].T for k in range(2 * i)])
        p, q = i * U.shape[1], i * Y.shape[1]
        H = np.vstack([u[p:], np.ones(columns), u[:p], y[:q], y[q:]])
        parts.append(H[:, np.isfinite(y).all(axis=0)])
    rows = 2 * i * (Us[0].shape[1] + Ys[0].shape[1]) + 1
    return np.hstack([*parts, np.empty((rows, 0))])


def _tamed(A: np.ndarray, T: int) -> np.ndarray:
    """Return A, whose modes that would grow beyond all bounds over T steps are moved inside."""
    values, V = np.linalg.eig(A)
    size = np.abs(values)
    wild = size > GROWTH ** (1.0 / T)
    if not wild.any():
        return A
    values = np.where(wild, values / size * np.minimum(INSIDE, 1.0 / size), values)
    tame: np.ndarray = (V * values @ np.linalg.pinv(V)).real
    return tame


def _rest(
    model: StateSpace,
    Us: Sequence[np.ndarray],
    Ys: Sequence[np.ndarray],
    A: np.ndarray,
    C: np.ndarray,
) -> np.ndarray:
    """Return the weights with B, D, o and initial states by least squares of the outputs."""
    w = model.pack({"A": A, "C": C})
    at = StateSpaceObjective(model, Us, Ys).at(w)
    linear = np.concatenate([np.arange(s.start, s.stop) for s in _linear_parts(model)])
    target = np.concatenate(Ys).ravel()
    seen = np.isfinite(target)
    P = at.jacobian()[linear].T[seen]
    size = np.sqrt(np.einsum("ij,ij->j", P, P))
    size[size == 0.0] = 1.0
    w[linear] = lstsq(P / size, target[seen], lapack_driver="gelsd")[0] / size
    return w


def _linear_parts(model: StateSpace) -> list[slice]:
    return [model.parts[name] for name in ("B", "D", "o", "x0")]


def _unit_states(model: StateSpace, w: np.ndarray, Us: Sequence[np.ndarray]) -> np.ndarray:
    """Return the weights in coordinates in which every state has deviation one."""
    X = [
        model.states_and_outputs(w, U, model.initial_state(w, e), len(U))[0][:-1]
        for e, U in enumerate(Us)
    ]
    size = np.concatenate(X).std(axis=0)
    size = np.where(np.isfinite(size) & (size > 0.0), size, 1.0)
    parts = model.unpack(w.copy())
    parts["A"] *= size / size[:, np.newaxis]
    if "B" in parts:
        parts["B"] /= size[:, np.newaxis]
    parts["C"] *= size
    parts["x0"] /= size
    return model.pack(parts)
