"""What `ggn.narx` returns: a fit that simulates, predicts, and says how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtri

from ggn.fit.result import TrainResult
from ggn.io import Model
from ggn.io.files import FilePath
from ggn.losses import Squared
from ggn.recurrent.free_start import StartUnits, with_starts
from ggn.recurrent.narx_diagnosis import LoopDiagnosis, diagnose_loop
from ggn.recurrent.narx_model import NARXModel
from ggn.recurrent.narx_runs import LoopRuns
from ggn.recurrent.narx_stability import largest_exponent
from ggn.recurrent.narx_trust import Trust, trust, variances
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.series import Series
from ggn.recurrent.stability import Stability, companion, sorted_eigenvalues
from ggn.recurrent.sweeps import Sweeps
from ggn.recurrent.units import LoopUnits
from ggn.recurrent.windows import Windows
from ggn.validation import ArgumentError, number, vector

__all__ = ["NARXResult"]


class NARXResult(LoopRuns, TrainResult):  # type: ignore[misc]
    """A `TrainResult` of a model of lags; nit counts the steps of all stages.

    Attributes
    ----------
    net : MLP
        Of the lags, outputs first: see `lags`.
    lags : Lags
    free_run : bool
        Whether J is that of a free run.
    stages : list of Stage
        Horizons trained at: .horizon, .nit, .loss, .before.
    l2 : float or ndarray (N,)
        The penalty that was given, or chosen, of weights in standard units.
    noise_std : ndarray, (n_y,)
        Root mean square of the residuals of each output; of a robust fit without outliers.
    effective_parameters, log_evidence : float
        With l2="evidence": as of `train_bayesian`.
    scale : float
        With robust=True: of the loss, `loss`.
    starts : ndarray, (windows, depth * n_y)
        With free_start: what outputs were 1, 2, ... samples before each window.
    """

    diagnoses_itself: ClassVar[bool] = True

    def as_model(self) -> Model:
        """Return the one-step map; a penalty is of weights in other units, and not told."""
        l2 = None if np.any(self.l2) else self.l2
        return Model(self.net, self.w, loss=self.loss, l2=l2)

    def save(
        self,
        path: FilePath,
        input_names: Sequence[str] | None = None,
        target_names: Sequence[str] | None = None,
    ) -> None:
        """Write the network and its lags to a file, which `NARXModel.load` reads and runs.

        `ggn.Model.load` reads the one-step map.

        Parameters
        ----------
        path : path
        input_names, target_names : sequence of str, optional
            Of the series; by default those of data frames, or u1, u2, ... and y1, y2, ...

        Raises
        ------
        OSError
            If the file cannot be written; one that was there before is left intact.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np, ggn
        >>> u = np.random.default_rng(0).uniform(-1, 1, 100)
        >>> y = np.convolve(u, [0.0, 0.5, 0.25])[:100]
        >>> fit = ggn.narx(u, y, hidden=0, output_lags=1, input_lags=[1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(path := os.path.join(folder, "plant.npz"), ["valve"], ["level"])
        ...     plant, step = ggn.recurrent.NARXModel.load(path), ggn.Model.load(path)
        >>> step.input_names, bool((plant.simulate(u, y[:1]) == fit.simulate(u, y[:1])).all())
        (('level(k-1)', 'valve(k-1)'), True)
        """
        inputs, targets = input_names or self.named[0], target_names or self.named[1]
        model = NARXModel(self.as_model(), self.lags, inputs or None, targets or None, self.flat)
        model.save(path)

    def learn(self, units: LoopUnits) -> None:
        """Keep what intervals need of the data: noise, and the GGN matrix."""
        if "starts" in self:  # these were fitted, too, and it is known already
            return
        given, own = units.given, units.objective
        with np.errstate(all="ignore"):
            self.G = own.at(units.own(self.w)).normal_matrix(psd=True)
            self.prior, self.move = 2.0 * np.broadcast_to(own.l2, len(self.w)), units.moves()
            squares = given.c.array @ np.square(given.residuals(self.w))
        noise = np.full(len(squares), self["noise_std"]) if "scale" in self else np.sqrt(squares)
        self.samples, self.noise_std = given.counting, noise

    def _units(self, series: Series) -> LoopUnits:
        """Return what was minimised, of these series, in the units of the run."""
        Z, T, windows, _ = series.samples(self.lags)
        if not self.free_run:
            windows = windows.cut(1)
        weights = self.sample_weight
        if weights is not None and len(weights) != len(Z):
            raise ArgumentError(
                "Y", f"must have the {len(weights)} samples that were weighted, got {len(Z)}"
            )
        m, s, my, sy = self.standard
        given = LoopObjective(self.recursion, self.net, Z, T, windows, self.loss, weights)
        if "starts" not in self:
            return LoopUnits(given, (m, s), (my, sy)).under(self.l2)
        if windows.count != len(self.starts):
            raise ArgumentError(
                "Y", f"must have the {len(self.starts)} runs whose starts were fitted, got "
                f"{windows.count}",
            )  # fmt: skip
        l2 = np.concatenate([np.broadcast_to(self.l2, len(self.w)), np.zeros(self.starts.size)])
        return StartUnits(with_starts(given), (m, s), (my, sy)).under(l2)

    # -- trust -----------------------------------------------------------------------------

    def stability(self, U: Any, Y: Any) -> Stability:
        """Return the largest Lyapunov exponent of the free run on these series.

        Parameters
        ----------
        U, Y
            As for `predict`.

        Returns
        -------
        Stability
            .exponent, per sample: below 0, runs from different starts come together; prints as
            a sentence.
        """
        series = Series(U, Y, names=self.named)
        self._same(series)
        Z, _, windows, _ = series.samples(self.lags)
        return largest_exponent(Sweeps(self.recursion, Z, windows), self.w)

    def diagnose(self, U: Any, Y: Any) -> LoopDiagnosis:
        """Say what the weights are, as ``ggn.diagnose(fit, U, Y)`` does, which calls this.

        Parameters
        ----------
        U, Y
            What was trained on.

        Returns
        -------
        LoopDiagnosis
            Print it; for programs: .verdict and further fields.
        """
        series = Series(U, Y, names=self.named)
        self._same(series)
        units, w = self._units(series), self.w
        if "starts" in self:  # J was one of these, too
            w = np.concatenate([w, self.starts.ravel()])
        return diagnose_loop(units, w, self.stability(U, Y).sentence)

    def weight_covariance(self) -> np.ndarray:
        """Return the covariance of the weights in Laplace's method, (N, N).

        σ² (Σ SᵀS + T R)⁺, S the derivatives of the outputs through time, R half the Hessian of
        the penalty, σ² the residuals' mean square over the degrees of freedom left; directions
        that no residual depends on count as known.

        Raises
        ------
        ValueError
            If the loss is not squared, unless its scale was chosen (robust=True).
        """
        return self._trust().covariance

    def _trust(self) -> Trust:
        if "move" not in self:
            raise ValueError("this fit was kept by an older version; for intervals, fit again")
        if not isinstance(self.loss, Squared) and "scale" not in self:
            raise ValueError(
                "covariance and intervals need the squared loss, or robust=True, which estimates "
                f"the noise, got {self.loss!r}"
            )
        return trust(self.G, self.prior, self.move, self.noise_std, self.samples)

    def intervals(self, U: Any, y0: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of intervals that hold new measurements of a run with this probability.

        Quantiles of the normal distribution, of variance σ² + sᵀ C s: noise, and what the data
        leave open about the weights, carried through time.

        Parameters
        ----------
        U, y0
            As for `simulate`, one series.
        level : float, default 0.9
        """
        level = number("level", level, 0.0, 1.0, open_low=True, open_high=True)
        middle = self.simulate(U, y0)
        Z, _, _ = self._lone(U, y0)
        variance = np.zeros((len(middle), self.net.n_outputs))
        if len(Z):
            sweeps = Sweeps(self.recursion, Z, Windows([len(Z)]))
            known = self._trust()
            own = variances(sweeps, self.w, known.covariance)
            variance[self.lags.depth :] = own + known.left * np.square(self.noise_std)
        half = (float(ndtri(0.5 * (1.0 + level))) * np.sqrt(variance)).reshape(middle.shape)
        return middle - half, middle + half

    def poles(self, u: Any = None, y: Any = None) -> np.ndarray:
        """Return the poles of the loop, linearised where inputs and outputs rest, largest first.

        Parameters
        ----------
        u : array_like (n_u,), optional
            By default the means of those trained on.
        y : array_like (n_y,), optional

        Returns
        -------
        ndarray, (depth * n_y,)
            Eigenvalues of the step from the last outputs to the next; a lag that is not there
            adds a pole of 0.

        Examples
        --------
        >>> import numpy as np, ggn
        >>> u = np.random.default_rng(0).normal(size=100)
        >>> y = np.zeros(100)
        >>> for k in range(1, 100):
        ...     y[k] = 0.5 * y[k - 1] + u[k - 1]
        >>> ggn.narx(u, y, hidden=0, output_lags=1, input_lags=[1]).poles().round(6)
        array([0.5])
        """
        lags, (m, _, my, _) = self.lags, self.standard
        z = m.copy()
        if y is not None:
            own = vector("y", y, len(my), "outputs")
            z[: len(lags.feeds)] = [own[o] for o, _ in lags.feeds]
        if u is not None:
            own = vector("u", u, len(lags.inputs), "inputs")
            z[len(lags.feeds) :] = [own[c] for c, _ in lags.taps]
        A = self.net.input_jacobian(self.w, z[np.newaxis])[:, :, : len(lags.feeds)]
        return sorted_eigenvalues(companion(A, lags.feeds))[0]

    def poles_along(self, U: Any, Y: Any) -> np.ndarray:
        """Return the `poles` at each sample of the free run on these series, (T, depth * n_y)."""
        series = Series(U, Y, names=self.named)
        self._same(series)
        Z, _, windows, _ = series.samples(self.lags)
        sweeps = Sweeps(self.recursion, Z, windows)
        if not sweeps.simulate(self.w):
            raise ValueError("U and Y must be series whose free run is finite; this one diverges")
        return sorted_eigenvalues(companion(sweeps.slopes(self.w), self.lags.feeds))
