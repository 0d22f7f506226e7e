"""What `ggn.statespace` returns: a fit that simulates, predicts, and knows its stability."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtri

from ggn.fit.result import TrainResult
from ggn.losses import Squared
from ggn.recurrent.series import Series
from ggn.recurrent.simulator import Simulates
from ggn.recurrent.stability import Stability, lyapunov_exponent
from ggn.recurrent.statespace_diagnosis import StateSpaceDiagnosis, diagnose_statespace
from ggn.recurrent.statespace_objective import StateSpaceObjective
from ggn.validation import ArgumentError, flag, number

__all__ = ["StateSpaceFit"]

CUT = 1e-12  # of the largest eigenvalue of the scaled matrix: directions that nothing determines


class StateSpaceFit(Simulates, TrainResult):  # type: ignore[misc]
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

    objective: StateSpaceObjective

    def _twice(self, key: str) -> bool:
        return super()._twice(key) or key in ("net", "objective", "state")

    @property
    def initial_states(self) -> np.ndarray:
        """x_0 of each experiment that was fitted, (experiments, nx)."""
        count = self.objective.experiments
        return np.array([self.model.initial_state(self.w, e) for e in range(count)])

    def simulate(self, U: Any = None, x0: Any = None, n_steps: int | None = None) -> Any:
        """Return the outputs in free run, as `Simulates.simulate`.

        Without arguments those of the series that were fitted, from the initial states that were.
        """
        if U is None and n_steps is None:
            runs = [self.scaling.outputs(Y) for _, Y in self._fitted_runs()]
            return runs if len(runs) > 1 else runs[0]
        return super().simulate(U, x0, n_steps)

    def _fitted_runs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return states (T_e + 1, nx) and outputs (T_e, ny) of each experiment that was fitted."""
        o, model = self.objective, self.model
        return [
            model.states_and_outputs(self.w, o.X[a:b], model.initial_state(self.w, e), b - a)
            for e, (a, b) in enumerate(zip(o.edges[:-1], o.edges[1:], strict=True))
        ]

    # -- what is known of it ----------------------------------------------------------------------

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
            Us, Ys = (given := Series(U, Y, gaps=False, names=self.named)).U, given.Y
            own, targets = self.objective, self.scaling.targets(np.concatenate(Ys)).T
            same = np.array_equal(self.scaling.inputs(np.concatenate(Us)), own.X)
            if same and own.mask is not None:
                targets = np.where(own.mask > 0.0, targets, 0.0)
            if not (same and np.array_equal(targets, own.Yt)):
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
        noise = flag("noise", noise)
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
        seen, T = float(o.counted.sum()), o.counting  # a weight of 2 is the sample given twice
        data = at.loss - o.penalty(self.w)
        variance = data * T / max(seen - free, 1.0)
        # J has 1/T, and H_E = 2 I: PPᵀ + T l2 = T G / 2
        spread = root * np.sqrt(2.0 * variance / T)
        P = at.jacobian()
        deviation = np.sqrt(np.square(P.T @ spread).sum(axis=1) + noise * variance)
        deviation = deviation.reshape(o.T, self.model.n_outputs) * self.scaling.y_scale
        z = float(ndtri(0.5 * (1.0 + level)))
        Y = self.scaling.outputs(np.concatenate([run for _, run in self._fitted_runs()]))
        found = np.stack([Y - z * deviation, Y, Y + z * deviation], axis=1)
        runs = np.split(found, o.edges[1:-1])
        return runs if len(runs) > 1 else runs[0]
