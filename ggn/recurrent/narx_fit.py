"""What `ggn.narx` returns: a fit that simulates, predicts, and says how far to trust it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ggn.fit.result import TrainResult
from ggn.recurrent.narx_diagnosis import LoopDiagnosis, diagnose_loop
from ggn.recurrent.narx_stability import largest_exponent
from ggn.recurrent.objective import LoopObjective
from ggn.recurrent.recursion import Recursion
from ggn.recurrent.series import Series, read
from ggn.recurrent.stability import Stability
from ggn.recurrent.sweeps import Sweeps
from ggn.recurrent.units import LoopUnits
from ggn.recurrent.windows import Windows
from ggn.validation import ArgumentError, integer, number

__all__ = ["NARXResult"]

ROWS = 200_000  # samples of the runs that `predict` makes at a time
CUT = 1e-13  # eigenvalues of the GGN matrix, relative, that count as zero in a covariance


class NARXResult(TrainResult):
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

    @property
    def recursion(self) -> Recursion:
        """The network in its loop."""
        return Recursion([(self.net, 0)], self.lags.n, self.net.n_outputs, self.lags.feeds)

    def learn(self, units: LoopUnits) -> None:
        """Keep what intervals need of the data: noise, and the GGN matrix."""
        if "starts" in self:  # these were fitted, too, and it is known already
            return
        given: Any = units.given
        with np.errstate(all="ignore"):
            self.prior = units.prior()
            self.G = given.at(self.w).normal_matrix(psd=True) + self.prior
            squares = given.c.array @ np.square(given.residuals(self.w))
        noise = np.full(len(squares), self["noise_std"]) if "scale" in self else np.sqrt(squares)
        self.samples, self.noise_std = given.count, noise

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
        return LoopUnits(given, (m, s), (my, sy)).under(self.l2)

    # -- runs ------------------------------------------------------------------------------

    def simulate(self, U: Any, y0: Any) -> Any:
        """Return the outputs of a free run: the model's own, from a few measured ones.

        Parameters
        ----------
        U : array_like (T,) or (T, n_u), or int
            Inputs, from the first sample of y0 on; for a model without inputs how many samples
            to return.  A list of series, with a list for y0, gives a list.
        y0 : array_like (p,) or (p, n_y)
            The outputs before the run, p >= `lags.depth`; more of them are not looked at.

        Returns
        -------
        ndarray, (T,) or (T, n_y)
            The first `lags.depth` are y0's.

        Raises
        ------
        ValueError
            For wrong shapes, numbers that are not finite, or too few of y0.
        """
        if isinstance(U, (list, tuple)) and any(np.ndim(x) >= 1 for x in U):
            if not isinstance(y0, (list, tuple)) or len(y0) != len(U):
                raise ArgumentError("y0", f"must be a list of {len(U)} starts, as U is of series")
            return [self.simulate(x, y) for x, y in zip(U, y0, strict=True)]
        Z, start, T = self._lone(U, y0)
        out = np.full((T, self.net.n_outputs), np.nan)
        out[: self.lags.depth] = start
        if len(Z):
            sweeps = Sweeps(self.recursion, Z, Windows([len(Z)]))
            fine = sweeps.simulate(self.w)
            out[self.lags.depth :] = sweeps.O
            if not fine:
                _after_the_first(out)
        return out[:, 0] if self.flat else out

    def _lone(self, U: Any, y0: Any) -> tuple[np.ndarray, np.ndarray, int]:
        """Return z with what precedes the run, the outputs before it, and how many samples."""
        p, outputs, inputs = self.lags.depth, self.net.n_outputs, len(self.lags.inputs)
        start = np.empty((0, outputs)) if p == 0 else _columns("y0", y0, outputs)
        if len(start) < p or not np.isfinite(start[:p]).all():
            raise ArgumentError(
                "y0", f"must have {p} finite samples, as many as the largest lag, got {len(start)}"
            )
        given = _columns("U", U, inputs) if inputs else np.empty((integer("U", U, 0), 0))
        if len(given) < p:
            raise ArgumentError(
                "U", f"must have at least {p} samples, the largest lag, got {len(given)}"
            )
        if not np.isfinite(given).all():
            raise ArgumentError("U", "must be finite where the model is simulated, got NaN")
        Y = np.zeros((len(given), outputs))
        Y[:p] = start[:p]
        return self.lags.matrix(given, Y), start[:p], len(given)

    def predict(self, U: Any, Y: Any = None, horizon: int | None = 1) -> Any:
        """Return what was predicted of each sample from those measured `horizon` before.

        Parameters
        ----------
        U : array_like (T,) or (T, n_u), a list of these, or None
        Y : array_like (T,) or (T, n_y), or a list of these
            Measured outputs; NaN is a missing sample.
        horizon : int or None, default 1
            Steps ahead; None: the free run from the beginning of each window.

        Returns
        -------
        ndarray, (T,) or (T, n_y), or a list of these
            NaN where there is nothing to predict from.
        """
        series = Series(U, Y)
        self._same(series)
        Z, _, windows, places = series.samples(self.lags)
        if horizon is None:
            sweeps = Sweeps(self.recursion, Z, windows)
            sweeps.simulate(self.w)
            found = sweeps.O
        else:
            found = self._ahead(Z, windows, integer("horizon", horizon, 1))
        out, first = [], 0
        for y, place in zip(series.Y, places, strict=True):
            own = np.full(y.shape, np.nan)
            own[place] = found[first : first + len(place)]
            first += len(place)
            out.append(own[:, 0] if series.flat else own)
        return out if series.several else out[0]

    def _ahead(self, Z: np.ndarray, windows: Windows, h: int) -> np.ndarray:
        """Return the outputs of runs of h samples, at the last of each; NaN before the first."""
        out = np.full((len(Z), self.net.n_outputs), np.nan)
        if h == 1:
            out[:] = self.net.forward(self.w, Z)
            return out
        left = windows.length[windows.window] - windows.age
        starts = np.flatnonzero(left >= h)
        for some in np.array_split(starts, max(-(-len(starts) * h // ROWS), 1)):
            if not len(some):
                continue
            rows = (some[:, np.newaxis] + np.arange(h)).ravel()
            sweeps = Sweeps(self.recursion, Z[rows], Windows(np.full(len(some), h)))
            sweeps.simulate(self.w)
            out[some + h - 1] = sweeps.O[h - 1 :: h]
        return out

    def _same(self, series: Series) -> None:
        """Refuse series of other columns than were trained on."""
        for name, got, wanted in (
            ("U", series.n_inputs, len(self.lags.inputs)),
            ("Y", series.n_outputs, self.net.n_outputs),
        ):
            if got != wanted:
                raise ArgumentError(name, f"must have {wanted} columns, as trained on, got {got}")

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
        series = Series(U, Y)
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
        series = Series(U, Y)
        self._same(series)
        return diagnose_loop(self._units(series), self.w, self.stability(U, Y).sentence)

    def weight_covariance(self) -> np.ndarray:
        """Return the covariance of the weights in Laplace's method, (N, N), for the squared loss.

        σ² (Σ SᵀS + T R)⁺, S the derivatives of the outputs through time, R half the Hessian of
        the penalty, σ² the residuals' mean square over the degrees of freedom left; directions
        that no residual depends on count as known.
        """
        values, vectors = np.linalg.eigh(0.5 * (self.G + self.G.T))
        kept = values > CUT * values[-1]
        n = self.samples * self.net.n_outputs
        inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
        free = float(kept.sum()) - float(np.sum(inverse * self.prior))
        variance = float(np.mean(np.square(self.noise_std))) * n / max(n - free, 1.0)
        covariance: np.ndarray = 2.0 * variance / self.samples * inverse
        return covariance

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
        from scipy.stats import norm  # a quarter of a second, for those who ask

        level = number("level", level, 0.0, 1.0, open_low=True, open_high=True)
        middle = self.simulate(U, y0)
        flat = middle.reshape(len(middle), -1)
        Z, _, _ = self._lone(U, y0)
        C, N = self.weight_covariance(), self.net.n_weights
        variance = np.zeros_like(flat)
        if len(Z):
            sweeps, p = Sweeps(self.recursion, Z, Windows([len(Z)])), self.lags.depth
            sweeps.simulate(self.w)

            def take(lane: int, rows: slice, S: np.ndarray) -> None:
                flat_S = S.reshape(-1, N)
                own = np.einsum("ij,ij->i", flat_S @ C, flat_S).reshape(S.shape[:2])
                variance[p + rows.start : p + rows.stop] = own + np.square(self.noise_std)

            sweeps.each_rows(self.w, [range(len(Z))], take)
        half = (norm.ppf(0.5 + 0.5 * level) * np.sqrt(variance)).reshape(middle.shape)
        return middle - half, middle + half


def _columns(name: str, value: Any, columns: int) -> np.ndarray:
    """Return one series (T, columns)."""
    found = read(name, np.asarray(value)).parts
    if found[0].shape[1] != columns:
        raise ArgumentError(name, f"must have {columns} columns, got {found[0].shape[1]}")
    return found[0]


def _after_the_first(out: np.ndarray) -> None:
    """Make NaN of all samples from the first that is not finite on."""
    bad = np.flatnonzero(~np.isfinite(out).all(axis=1))
    if len(bad):
        out[bad[0] :] = np.nan
