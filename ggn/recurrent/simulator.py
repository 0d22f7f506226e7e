"""A state-space model that runs: its shape, its weights and the units of its data.

What `ggn.statespace` returns is one; `save` keeps it in a file, from which `Simulator.load` brings
it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ggn._core.machine import check_room
from ggn.io.columns import names
from ggn.io.files import FilePath
from ggn.recurrent.scaling import Scaling
from ggn.recurrent.series import Named, Series, check_columns, dimensions, inputs, read
from ggn.recurrent.stability import sorted_eigenvalues
from ggn.recurrent.state_estimate import estimated
from ggn.recurrent.statespace_file import read_statespace, write_statespace
from ggn.recurrent.statespace_model import StateSpace
from ggn.validation import ArgumentError, instance, integer, items, vector

__all__ = ["Simulates", "Simulator"]


MEMORY = 20  # samples that tell a state to begin with, at least


class Simulates:
    """What has a state-space model, its weights w (N,), and the units of inputs and outputs."""

    model: StateSpace
    w: np.ndarray
    scaling: Scaling

    @property
    def named(self) -> Named:
        """Names of inputs and outputs, by which columns of data frames are taken."""
        return getattr(self, "input_names", ()), getattr(self, "target_names", ())

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
        if n_steps is not None:
            each = 8.0 * (model.n_states + model.n_outputs)
            check_room("n_steps", integer("n_steps", n_steps, 1), each)
        Us = inputs(U, [] if n_steps is None else [n_steps], names=self.named[0])
        check_columns("U", Us, model.n_inputs)
        several = isinstance(U, (list, tuple)) and dimensions(U[0]) != 0 and len(Us) == len(U)
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
        if isinstance(Y, (list, tuple)):
            series = Series(U, Y, gaps=False, names=self.named)
            if len(series.Y) > 1:
                each = zip(series.U, series.Y, strict=True)
                return [self.predict(u, y, horizon, memory) for u, y in each]
        memory = self.memory if memory is None else integer("memory", memory, 1)
        u, y = self._pair(U, Y)
        if horizon is None:
            first = estimated(self.model, self.w, u[:memory], y[:memory])
            run = self.model.states_and_outputs(self.w, u, first, len(y))[1]
            return self.scaling.outputs(run)
        horizon = integer("horizon", horizon, 1)
        out = np.full(y.shape, np.nan)
        x = None
        for k in range(memory, len(y), horizon):
            past = slice(k - memory, k)
            x = estimated(self.model, self.w, u[past], y[past], x)
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
        return estimated(self.model, self.w, *self._pair(U, Y))

    def _pair(self, U: Any, Y: Any) -> tuple[np.ndarray, np.ndarray]:
        Ys = read("Y", Y, names=self.named[1]).parts
        if len(Ys) != 1:
            raise ArgumentError("Y", f"must be one experiment, got {len(Ys)}")
        check_columns("Y", Ys, self.model.n_outputs)
        Us = inputs(U, [len(Ys[0])], names=self.named[0])
        check_columns("U", Us, self.model.n_inputs)
        if len(Us) != 1 or len(Us[0]) != len(Ys[0]):
            raise ArgumentError(
                "U", f"must have as many samples as Y, {len(Ys[0])}, got {len(Us[0])}"
            )
        return self.scaling.inputs(Us[0]), self.scaling.targets(Ys[0])

    def _states(self, x0: Any, count: int) -> list[np.ndarray]:
        nx = self.model.n_states
        if x0 is None:
            return [np.zeros(nx)] * count
        if count == 1 and dimensions(x0) == 1:
            return [vector("x0", x0, nx, "one per state")]
        given = items("x0", x0, "a state, or one for each series")
        if len(given) != count:
            raise ArgumentError(
                "x0", f"must have one state for each of {count} series, got {len(given)}"
            )
        return [vector("x0", x, nx, "one per state") for x in given]

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
        series, found = Series(U, Y, gaps=False, names=self.named), []
        for u, y in zip(series.U, series.Y, strict=True):
            v, t = self._pair(u if self.model.n_inputs else None, y)
            x = estimated(self.model, self.w, v[: self.memory], t[: self.memory])
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
            By default those of data frames, or u1, u2, ... and y1, y2, ...

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.
        """
        inputs, targets = input_names or self.named[0], target_names or self.named[1]
        write_statespace(path, self.model, self.w, self.scaling, inputs or None, targets or None)


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
