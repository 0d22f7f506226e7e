"""A state-space model that runs: its shape, its weights and the units of its data.

What `ggn.statespace` returns is one; `save` keeps it in a file, from which `Simulator.load` brings
it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.linalg import lstsq

from ggn.io.columns import names
from ggn.io.files import FilePath
from ggn.recurrent.scaling import Scaling
from ggn.recurrent.series import Series, check_columns, inputs, read
from ggn.recurrent.stability import sorted_eigenvalues
from ggn.recurrent.statespace_file import read_statespace, write_statespace
from ggn.recurrent.statespace_model import StateSpace
from ggn.validation import ArgumentError, instance, integer, vector

__all__ = ["Simulates", "Simulator"]


MEMORY = 20  # samples that tell a state to begin with, at least


class Simulates:
    """What has a state-space model, its weights w (N,), and the units of inputs and outputs."""

    model: StateSpace
    w: np.ndarray
    scaling: Scaling

    @property
    def memory(self) -> int:
        """How many samples tell a state, unless it is said: five times the states, at least 20."""
        return max(MEMORY, 5 * self.model.n_states)

    def simulate(self, U: Any = None, x0: Any = None, n_steps: int | None = None) -> Any:
        """Return the outputs in free run.

        Parameters
        ----------
        U : array_like (T, nu), list of them, or None
            None: of a model without inputs, `n_steps` steps.
        x0 : array_like (nx,), or list of them, optional
            Initial states; zero by default, which is at rest at mean inputs in a stable linear
            model.  See `initial_state`.
        n_steps : int, optional

        Returns
        -------
        ndarray (T, ny), or list of them
            As U is.
        """
        model, scaling = self.model, self.scaling
        if U is None and n_steps is None:
            raise ArgumentError(
                "U", "must be given, or n_steps where there are no inputs, got None"
            )
        Us = inputs(U, [] if n_steps is None else [integer("n_steps", n_steps, 1)])
        check_columns("U", Us, model.n_inputs)
        several = isinstance(U, (list, tuple)) and np.ndim(U[0]) > 0 and len(Us) == len(U)
        states = self._states(x0, len(Us))
        runs = [
            scaling.outputs(model.states_and_outputs(self.w, scaling.inputs(u), x, len(u))[1])
            for u, x in zip(Us, states, strict=True)
        ]
        return runs if several else runs[0]

    def predict(self, U: Any, Y: Any, horizon: int | None = 1, memory: int | None = None) -> Any:
        """Return outputs predicted from measured ones, at most `horizon` steps ahead.

        Every `horizon` steps the state is estimated anew from the last `memory` samples, by
        least squares (moving horizon), and the model runs on from it.  Step j of such a run is
        predicted from outputs up to j + 1 steps before it.

        Parameters
        ----------
        U : array_like (T, nu), list of them, or None
        Y : array_like (T, ny), or list of them
            nan is missing.
        horizon : int or None, default 1
            None: the free run from the state that the first `memory` samples tell.
        memory : int, optional
            By default five times the states, at least 20.

        Returns
        -------
        ndarray (T, ny), or list of them
            nan before there are `memory` samples, but in a free run.
        """
        if isinstance(Y, (list, tuple)) and len(given := Series(U, Y, gaps=False).Y) > 1:
            each = zip(Series(U, Y, gaps=False).U, given, strict=True)
            return [self.predict(u, y, horizon, memory) for u, y in each]
        memory = integer("memory", memory or self.memory, 1)
        u, y = self._pair(U, Y)
        if horizon is None:
            first = self._estimate(u[:memory], y[:memory], None)
            run = self.model.states_and_outputs(self.w, u, first, len(y))[1]
            return self.scaling.outputs(run)
        horizon = integer("horizon", horizon, 1)
        out = np.full(y.shape, np.nan)
        x = None
        for k in range(memory, len(y), horizon):
            past = slice(k - memory, k)
            x = self._estimate(u[past], y[past], x)
            run, _ = self.model.states_and_outputs(self.w, u[past], x, memory)
            stop = min(k + horizon, len(y))
            out[k:stop] = self.model.states_and_outputs(self.w, u[k:stop], run[-1], stop - k)[1]
            # where the next estimate's memory begins
            x = run[horizon] if horizon < memory else run[-1]
        return self.scaling.outputs(out)

    def initial_state(self, U: Any, Y: Any) -> np.ndarray:
        """Return x_0 (nx,) of a new experiment from its first samples, by least squares.

        Parameters
        ----------
        U : array_like, (T, nu), or None
        Y : array_like, (T, ny)
            nan is missing.
        """
        return self._estimate(*self._pair(U, Y), None)

    def _pair(self, U: Any, Y: Any) -> tuple[np.ndarray, np.ndarray]:
        Ys = read("Y", Y).parts
        if len(Ys) != 1:
            raise ArgumentError("Y", f"must be one experiment, got {len(Ys)}")
        check_columns("Y", Ys, self.model.n_outputs)
        Us = inputs(U, [len(Ys[0])])
        check_columns("U", Us, self.model.n_inputs)
        if len(Us) != 1 or len(Us[0]) != len(Ys[0]):
            raise ArgumentError(
                "U", f"must have as many samples as Y, {len(Ys[0])}, got {len(Us[0])}"
            )
        return self.scaling.inputs(Us[0]), self.scaling.targets(Ys[0])

    def _estimate(self, u: np.ndarray, y: np.ndarray, x: np.ndarray | None) -> np.ndarray:
        """Return the initial state (nx,) of samples in the model's units: damped Gauss-Newton."""
        x = np.zeros(self.model.n_states) if x is None else x.copy()
        seen = np.isfinite(y).ravel()
        r, P = self._sensitive(u, y, x, seen)
        mu = 1e-6
        for _ in range(50):
            size = np.sqrt(mu * (np.einsum("ij,ij->j", P, P) + 1e-30))
            d = lstsq(np.vstack([P, np.diag(size)]), np.append(r, 0.0 * x))[0]
            r_new, P_new = self._sensitive(u, y, x - d, seen)
            if np.isfinite(P_new).all() and r_new @ r_new <= r @ r:
                small = bool(np.abs(d).max() <= 1e-12 * (1.0 + np.abs(x).max()))
                x, r, P, mu = x - d, r_new, P_new, 0.1 * mu
                if small:
                    break
            else:
                mu = max(10.0 * mu, 1e-12)
                if mu > 1e12:
                    break
        return x

    def _sensitive(
        self, u: np.ndarray, y: np.ndarray, x: np.ndarray, seen: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return residuals and their derivatives by the initial state, of outputs seen."""
        model, layout = self.model, self.model.layout
        nx, n = model.n_states, model.n_shared
        S = np.zeros((nx, layout.n_moving + nx))
        S[:, layout.n_moving :] = np.eye(nx)
        Y, P = np.empty(y.shape), np.empty((*y.shape, n + nx))
        with np.errstate(all="ignore"):
            layout.rows(self.w[:n].copy(), u, x.copy(), S, Y, P, layout.scratch())
            r = (Y - y).ravel()[seen]
        return r, np.ascontiguousarray(P[:, :, n:].reshape(-1, nx)[seen])

    def _states(self, x0: Any, count: int) -> list[np.ndarray]:
        nx = self.model.n_states
        if x0 is None:
            return [np.zeros(nx)] * count
        if np.ndim(x0) == 1 and count == 1:
            return [vector("x0", x0, nx, "one per state")]
        if len(x0) != count:
            raise ArgumentError("x0", f"must have one state for each of {count} series")
        return [vector("x0", x, nx, "one per state") for x in x0]

    def poles(self, x: Any = None, u: Any = None) -> np.ndarray:
        """Return the eigenvalues of ∂x_{k+1}/∂x_k (nx,), largest first: of the linearised model.

        Parameters
        ----------
        x : array_like (nx,), optional
            State; zero by default.
        u : array_like (nu,), optional
            Inputs in the units given; their means by default.
        """
        model, scaling = self.model, self.scaling
        state = np.zeros(model.n_states) if x is None else vector("x", x, model.n_states, "states")
        inputs = scaling.u_mean if u is None else vector("u", u, model.n_inputs, "inputs")
        M, _ = model.jacobians(self.w, state[np.newaxis], scaling.inputs(inputs)[np.newaxis])
        return sorted_eigenvalues(M)[0]

    def poles_along(self, U: Any, Y: Any) -> np.ndarray:
        """Return the `poles` at each sample of a free run, (T, nx), as `predict` begins it.

        Parameters
        ----------
        U : array_like (T, nu), list of them, or None
        Y : array_like (T, ny), or list of them
        """
        series, found = Series(U, Y, gaps=False), []
        for u, y in zip(series.U, series.Y, strict=True):
            v, t = self._pair(u if self.model.n_inputs else None, y)
            x = self._estimate(v[: self.memory], t[: self.memory], None)
            X, _ = self.model.states_and_outputs(self.w, v, x, len(t))
            found.append(sorted_eigenvalues(self.model.jacobians(self.w, X[:-1], v)[0]))
        return np.concatenate(found)

    def save(
        self,
        path: FilePath,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
    ) -> None:
        """Write model, weights and units to a file, which `Simulator.load` reads.

        Parameters
        ----------
        path : path
        input_names, target_names : sequence of str, optional
            By default u1, u2, ... and y1, y2, ...

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.
        """
        write_statespace(path, self.model, self.w, self.scaling, input_names, target_names)


class Simulator(Simulates):
    """A state-space model from a file, or of parts of your own.

    Parameters
    ----------
    model : StateSpace
    w : array_like, (N,)
    scaling : Scaling
    input_names, target_names : sequence of str, optional

    Examples
    --------
    >>> import numpy as np
    >>> from ggn.recurrent import Scaling, Simulator, StateSpace
    >>> model = StateSpace(1, 1, 1, initial_states=0)
    >>> w = model.pack({"A": [[0.5]], "B": [[1.0]], "C": [[2.0]]})
    >>> units = Scaling(np.zeros(1), np.ones(1), np.zeros(1), 1.0)
    >>> Simulator(model, w, units).simulate([1.0, 0.0, 0.0]).ravel()
    array([0., 2., 1.])
    """

    def __init__(
        self,
        model: StateSpace,
        w: Any,
        scaling: Scaling,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
    ) -> None:
        self.model = instance("model must be", model, StateSpace)
        self.w = vector("w", w, model.n_weights, "the model's n_weights").copy()
        self.scaling = instance("scaling must be", scaling, Scaling)
        self.input_names = names("input_names", input_names, model.n_inputs, "u")
        self.target_names = names("target_names", target_names, model.n_outputs, "y")

    @classmethod
    def load(cls, path: FilePath) -> Simulator:
        """Read a model that `save` wrote; nothing in it is ever executed or unpickled.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not a whole model, of networks alone, or of a newer version.
        """
        return cls(*read_statespace(path))

    def __repr__(self) -> str:
        columns = f"{', '.join(self.input_names)} -> {', '.join(self.target_names)}"
        return f"Simulator({self.model!r}, {columns})"
