"""What new targets may be: a mixture of one distribution for each of k fits.

    y(x) ~ 1/k Σ_j t(φ_j(x), s_j(x), ν_j)       k = 1: that of one fit
    mean of it      1/k Σ φ_j
    deviation²      1/k Σ s_j² + the variance of the φ_j among themselves

t is Student's distribution about φ with scale s and ν degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from scipy.special import gammaln, logsumexp, stdtr, stdtrit

from ggn._core.machine import check_room
from ggn.io.columns import by_name
from ggn.io.laplace import mixed_deviation
from ggn.validation import flag, generator, integer, number, samples

__all__ = ["Component", "Predictive", "log_density"]

HALVINGS = 60  # of an interval that holds a quantile: to rounding


class Component(NamedTuple):
    """What one fit says of new targets: outputs and scales (T, nL) each, degrees of freedom."""

    mean: np.ndarray
    scale: np.ndarray
    freedom: float


class Predictive:
    """Predictions with deviations, intervals, likelihoods and draws, for what inherits it."""

    def components(self, X: Any) -> list[Component]:
        """Return what each fit says of new targets at X (T, n0)."""
        raise NotImplementedError

    def outputs(self, X: Any) -> np.ndarray:
        """Return the mean of the outputs, (T, nL), without their deviations."""
        raise NotImplementedError

    def draws(self, X: Any, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return draws of new targets, (T, nL, count), each of one function for all of X."""
        raise NotImplementedError

    def columns_of_targets(self) -> Sequence[str]:
        """Return the names of the targets, where the data had some."""
        return ()

    @overload
    def predict(self, X: Any, return_std: Literal[False] = ...) -> np.ndarray: ...
    @overload
    def predict(self, X: Any, return_std: bool) -> Any: ...
    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predictions (T, nL); with return_std also the deviations of new targets.

        Where few more samples than weights determine the noise, new targets are Student's, of whom
        the deviations of a single fit are the scale.

        Parameters
        ----------
        X : array_like, (T, n0)
        return_std : bool, default False
            Return (mean, deviation), each (T, nL).

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.
        """
        F = self.outputs(X)
        if not flag("return_std", return_std):
            return F
        parts = self.components(X)
        return F, mixed_deviation([part.scale for part in parts], [part.mean for part in parts])

    def intervals(self, X: Any, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends, each (T, nL), of intervals that hold new targets with this probability.

        As probable are targets above them as targets below.

        Parameters
        ----------
        X : array_like, (T, n0)
        level : float, default 0.9
            In (0, 1).

        Raises
        ------
        ValueError
            For a level outside (0, 1), wrong shapes, dtypes or non-finite numbers.
        """
        level = number("level", level, 0.0, 1.0, open_low=True, open_high=True)
        parts = self.components(X)
        low, high = (_quantile(parts, p) for p in (0.5 - 0.5 * level, 0.5 + 0.5 * level))
        return low, high

    def log_likelihood(self, X: Any, Y: Any) -> np.ndarray:
        """Return the logarithm of the density of targets Y at X, (T, nL).

        Parameters
        ----------
        X : array_like, (T, n0)
        Y : array_like, (T, nL)
            1-D is accepted where nL = 1.

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.
        """
        parts = self.components(X)
        Y = samples("Y", by_name(Y, self.columns_of_targets(), "Y"), parts[0].mean.shape[1])
        if len(Y) != len(parts[0].mean):
            raise ValueError(
                f"X and Y must have as many rows, got {len(parts[0].mean)} and {len(Y)}"
            )
        logs = [log_density(part, Y) for part in parts]
        found: np.ndarray = logsumexp(logs, axis=0) - math.log(len(parts))
        return found

    def sample(
        self, X: Any, n_samples: int = 1, rng: int | np.random.Generator | None = 0
    ) -> np.ndarray:
        """Draw new targets, (T, nL, n_samples).

        Each draw is of one function, a fit's with weights that the data allow, for all of X,
        plus noise: of the density that `intervals` and `log_likelihood` speak of.  Functions are
        linear in the weights' deviations, as Laplace's method has it.

        Parameters
        ----------
        X : array_like, (T, n0)
        n_samples : int, default 1
        rng : int, Generator or None, default 0

        Raises
        ------
        ValueError
            For wrong shapes, dtypes or non-finite numbers.
        """
        n_samples = integer("n_samples", n_samples, 1)
        check_room("n_samples", n_samples, 16 * self.outputs(X).size)
        return self.draws(X, n_samples, generator(rng))


def _quantile(parts: list[Component], p: float) -> np.ndarray:
    """Return the mixture's quantile: it lies between those of its parts."""
    each = [part.mean + float(stdtrit(part.freedom, p)) * part.scale for part in parts]
    low, high = np.min(each, axis=0), np.max(each, axis=0)
    if len(parts) == 1:
        return low
    for _ in range(HALVINGS):
        middle = 0.5 * low + 0.5 * high
        below = np.mean(
            [stdtr(part.freedom, (middle - part.mean) / part.scale) for part in parts], axis=0
        )
        low, high = np.where(below < p, middle, low), np.where(below < p, high, middle)
    return 0.5 * low + 0.5 * high


def log_density(part: Component, Y: np.ndarray) -> np.ndarray:
    """Return the logarithm of one fit's density of targets Y, (T, nL)."""
    v, z = part.freedom, (Y - part.mean) / part.scale
    constant = gammaln(0.5 * v + 0.5) - gammaln(0.5 * v) - 0.5 * math.log(v * math.pi)
    density: np.ndarray = constant - np.log(part.scale) - (0.5 * v + 0.5) * np.log1p(z * z / v)
    return density
