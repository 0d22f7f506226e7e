"""What `ggn.statespace` returns: a fit that simulates, predicts, and knows its stability."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.linalg import lstsq
from scipy.stats import norm

from ggn.fit.result import TrainResult
from ggn.losses import Squared
from ggn.recurrent.scaling import Scaling
from ggn.recurrent.series import Series, check_columns, inputs, read
from ggn.recurrent.stability import Stability, lyapunov_exponent
from ggn.recurrent.statespace_diagnosis import StateSpaceDiagnosis, diagnose_statespace
from ggn.recurrent.statespace_model import StateSpace
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.validation import ArgumentError, integer, number, vector

__all__ = ["StateSpaceFit"]

CUT = 1e-12  # of the largest eigenvalue of the scaled matrix: directions that nothing determines


class StateSpaceFit(TrainResult):
    """A `TrainResult` of a state-space model, see `ggn.statespace`.

    Attributes
    ----------
    model : StateSpace
        The parts of w: ``fit.model.unpack(fit.w)``.
    scaling : Scaling
        The units in which the model sees inputs and outputs.
    singular_values : ndarray
        Of the subspace method: a gap after n of them says that n states do.  Empty where it was
        not asked, or had too few data.
    objective : StateSpaceObjective
        What was minimised, in the model's units.
    """

    diagnoses_itself: ClassVar[bool] = True

    model: StateSpace
    scaling: Scaling
    objective: StateSpaceObjective

    def _twice(self, key: str) -> bool:
        return super()._twice(key) or key in ("net", "objective", "state")

    @property
    def initial_states(self) -> np.ndarray:
        """x_0 of each experiment that was fitted, (experiments, nx)."""
        count = self.objective.experiments
        return np.array([self.model.initial_state(self.w, e) for e in range(count)])

    # -- running ------------------------------------------------------------------------------

    def simulate(self, U: Any = None, x0: Any = None, n_steps: int | None = None) -> Any:
        """Return the outputs in free run.

        Parameters
        ----------
        U : array_like (T, nu), list of them, or None
            None: the inputs that were fitted, from the initial states that were; of a model
            without inputs, `n_steps` steps.
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
            runs = [scaling.outputs(Y) for _, Y in self._fitted_runs()]
            return runs if len(runs) > 1 else runs[0]
        Us = inputs(U, [] if n_steps is None else [integer("n_steps", n_steps, 1)])
        check_columns("U", Us, model.n_inputs)
        several = isinstance(U, (list, tuple)) and np.ndim(U[0]) > 0 and len(Us) == len(U)
        states = self._states(x0, len(Us))
        runs = [
            scaling.outputs(model.states_and_outputs(self.w, scaling.inputs(u), x, len(u))[1])
            for u, x in zip(Us, states, strict=True)
        ]
        return runs if several else runs[0]

    def predict(  # type: ignore[override]
        self, U: Any, Y: Any, horizon: int = 1, memory: int | None = None
    ) -> Any:
        """Return outputs predicted from measured ones, at most `horizon` steps ahead.

        Every `horizon` steps the state is estimated anew from the last `memory` samples, by
        least squares (moving horizon), and the model runs on from it.  Step j of such a run is
        predicted from outputs up to j + 1 steps before it.

        Parameters
        ----------
        U : array_like, (T, nu), or None
        Y : array_like, (T, ny)
            nan is missing.
        horizon : int, default 1
        memory : int, optional
            By default five times the states, at least 20.

        Returns
        -------
        ndarray, (T, ny)
            nan before there are `memory` samples.
        """
        horizon = integer("horizon", horizon, 1)
        memory = integer("memory", memory or max(20, 5 * self.model.n_states), 1)
        u, y = self._pair(U, Y)
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

    def _fitted_runs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return states (T_e + 1, nx) and outputs (T_e, ny) of each experiment that was fitted."""
        o, model = self.objective, self.model
        return [
            model.states_and_outputs(self.w, o.X[a:b], model.initial_state(self.w, e), b - a)
            for e, (a, b) in enumerate(zip(o.edges[:-1], o.edges[1:], strict=True))
        ]

    def _states(self, x0: Any, count: int) -> list[np.ndarray]:
        nx = self.model.n_states
        if x0 is None:
            return [np.zeros(nx)] * count
        if np.ndim(x0) == 1 and count == 1:
            return [vector("x0", x0, nx, "one per state")]
        if len(x0) != count:
            raise ArgumentError("x0", f"must have one state for each of {count} series")
        return [vector("x0", x, nx, "one per state") for x in x0]

    # -- what is known of it ----------------------------------------------------------------------

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
        values = np.linalg.eigvals(M[0])
        return values[np.argsort(-np.abs(values))]

    @property
    def stability(self) -> Stability:
        """The largest Lyapunov exponent on the data that were fitted; prints as a sentence."""
        o = self.objective
        found = []
        for (X, _), a, b in zip(self._fitted_runs(), o.edges[:-1], o.edges[1:], strict=True):
            found.append(lyapunov_exponent(self.model.jacobians(self.w, X[:-1], o.X[a:b])[0]))
        return Stability(max(found), o.T)

    def diagnose(self, U: Any = None, Y: Any = None) -> StateSpaceDiagnosis:
        """Say what the weights are: a global or local minimum, a saddle, or no stop at all.

        Parameters
        ----------
        U, Y : optional
            The series that were fitted, as `ggn.statespace` had them: initial states are theirs.
        """
        if U is not None or Y is not None:
            Us, Ys = (given := Series(U, Y, gaps=False)).U, given.Y
            own, targets = self.objective, self.scaling.targets(np.concatenate(Ys)).T
            targets = targets if own.mask is None else np.where(own.mask > 0.0, targets, 0.0)
            same = np.array_equal(self.scaling.inputs(np.concatenate(Us)), own.X)
            same = same and np.array_equal(targets, own.Yt)
            if not same:
                raise ArgumentError("U", "and Y must be the series that were fitted, or left out")
        return diagnose_statespace(self.objective, self.w, str(self.stability))

    def intervals(self, level: float = 0.9, noise: bool = False) -> Any:
        """Return the outputs that were fitted with bounds, from the Laplace approximation.

        Weights are N(w, s² (PPᵀ + T l2)⁻¹), with s² the mean square of residuals over degrees of
        freedom; directions that no output depends on, such as changes of state coordinates, are
        left out.

        Parameters
        ----------
        level : float, default 0.9
            The probability that bounds are to hold for an output.
        noise : bool, default False
            Whether for measured outputs, noise and all, or for those without noise.

        Returns
        -------
        ndarray, (T, 3, ny), or list of them
            Lower bound, output, upper bound.

        Raises
        ------
        ValueError
            If the loss was not "squared".
        """
        level = number("level", level, 0.0, 1.0, open_low=True, open_high=True)
        if not isinstance(self.objective.loss, Squared):
            raise ValueError(f"intervals need the squared loss, got {self.objective.loss!r}")
        o, at = self.objective, self.objective.at(self.w)
        G = at.normal_matrix(psd=True)
        size = np.sqrt(np.where(G.diagonal() > 0.0, G.diagonal(), 1.0))
        values, V = np.linalg.eigh(G / np.outer(size, size))
        kept = values > CUT * values[-1]
        root = (V[:, kept] / np.sqrt(values[kept])) / size[:, np.newaxis]  # G⁺ = root rootᵀ
        prior = np.broadcast_to(2.0 * np.asarray(o.l2), len(G))
        free = float(kept.sum() - np.einsum("ij,ij->i", root, root) @ prior)
        seen = float(o.T * self.model.n_outputs if o.mask is None else o.mask.sum())
        data = at.loss - o.penalty(self.w)
        variance = data * o.count / max(seen - free, 1.0)
        # J has 1/T, and H_E = 2 I: PPᵀ + T l2 = T G / 2
        spread = root * np.sqrt(2.0 * variance / o.count)
        P = at.jacobian()
        deviation = np.sqrt(np.square(P.T @ spread).sum(axis=1) + noise * variance)
        deviation = deviation.reshape(o.T, self.model.n_outputs) * self.scaling.y_scale
        z = float(norm.ppf(0.5 * (1.0 + level)))
        Y = self.scaling.outputs(np.concatenate([run for _, run in self._fitted_runs()]))
        found = np.stack([Y - z * deviation, Y, Y + z * deviation], axis=1)
        runs = np.split(found, o.edges[1:-1])
        return runs if len(runs) > 1 else runs[0]
