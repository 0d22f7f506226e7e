"""`NARXRegressor`: `ggn.narx` for scikit-learn, with sessions and missing values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from ggn.recurrent import NARXResult, narx
from ggn.sklearn.parts import outputs, read, seed_of
from ggn.validation import ArgumentError, Setting, integer, items, plain

__all__ = ["NARXRegressor"]

# what `ggn.narx` and its fit call the arguments
_OWN = {"hidden": "hidden_layer_sizes", "l2": "alpha", "n_starts": "n_restarts", "U": "X", "Y": "y",
        "y0": "y", "horizon": "steps_ahead"}  # fmt: skip


class NARXRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Nonlinear autoregressive model with inputs: rows of X and y follow one another in time.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default 10
    activation : str, default "tanh"
    output_lags, input_lags : int or sequence, default 2
        n: outputs at lags 1 ... n, inputs at 0 ... n; or which, see `ggn.narx`.
    free_run : bool, default True
        Minimise the error of simulations; False: of one step ahead.
    loss : str or Loss, default "squared"
    alpha : float or "evidence", default 0.0
        Penalty added to the mean loss, times the sum of squares of all weights, in standard
        units; "evidence": the data choose it, see `ggn.narx`.
    robust : bool, default False
        Whether the scale of a robust loss is chosen from the residuals.
    max_iter : int, default 1000
    tol : float, default 1e-6
    n_restarts : int, default 1
        Runs from different initial weights; the best is kept.
    random_state : int, RandomState or None, default None

    Attributes
    ----------
    result_ : NARXResult
    n_iter_ : int
    n_features_in_ : int
    loss_ : float
        J.

    Examples
    --------
    >>> import numpy as np
    >>> from ggn.sklearn import NARXRegressor
    >>> X, y = np.random.default_rng(0).uniform(-1, 1, (200, 1)), np.zeros(200)
    >>> for k in range(1, 200):
    ...     y[k] = 0.5 * y[k - 1] + np.sin(X[k - 1, 0])
    >>> model = NARXRegressor(3, output_lags=1, input_lags=[1], random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.9999)
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = 10,
        *,
        activation: Any = "tanh",
        output_lags: Any = 2,
        input_lags: Any = 2,
        free_run: bool = True,
        loss: Any = "squared",
        alpha: float | str = 0.0,
        robust: bool = False,
        max_iter: int = 1000,
        tol: float = 1e-6,
        n_restarts: int = 1,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_lags = output_lags
        self.input_lags = input_lags
        self.free_run = free_run
        self.loss = loss
        self.alpha = alpha
        self.robust = robust
        self.max_iter = max_iter
        self.tol = tol
        self.n_restarts = n_restarts
        self.random_state = random_state

    def fit(self, X: Any, y: Any, session_sizes: Any = None) -> NARXRegressor:
        """Fit to the series.

        Parameters
        ----------
        X : array_like, (T, n_features)
        y : array_like, (T,) or (T, n_outputs)
            NaN, in X or y, is a missing sample: no window goes across it.
        session_sizes : sequence of int, optional
            Lengths of the experiments that follow one another in X and y; by default one.
        """
        plain("X", X)
        X = read(self, X, ensure_all_finite="allow-nan")
        if y is None:
            raise ArgumentError(
                "y",
                "must be given: NARXRegressor requires y to be passed, but the target y is None",
            )
        y = outputs(y)
        check_consistent_length(X, y)
        sizes = _sizes(session_sizes, len(y))
        with _own_names():
            self.result_ = narx(
                _cut(X, sizes),
                _cut(y, sizes),
                self.loss,
                rng=seed_of(self.random_state),
                max_iter=self.max_iter,
                tol=self.tol,
                l2=self.alpha,
                robust=self.robust,
                hidden=self.hidden_layer_sizes,
                activation=self.activation,
                output_lags=self.output_lags,
                input_lags=self.input_lags,
                free_run=self.free_run,
                n_starts=self.n_restarts,
            )
        self.n_iter_, self.loss_ = max(self.result_.nit, 1), self.result_.fun
        self._mean = np.nanmean(y.reshape(len(y), -1), axis=0)
        return self

    def predict(
        self, X: Any, y: Any = None, *, steps_ahead: int | None = None, session_sizes: Any = None
    ) -> np.ndarray:
        """Return the outputs of a free run, or what is predicted so many steps ahead.

        Parameters
        ----------
        X : array_like, (T, n_features)
        y : array_like, (p,) or (T,), or with columns, optional
            Measured outputs.  A free run begins with the first of each session, as many as the
            largest lag.  After a gap, NaN in X, it begins anew, with the first that are measured
            once inputs are again; at any others it does not look.  Without y it begins, each
            time, with the mean of those trained on.
        steps_ahead : int, optional
            Predict each sample from the outputs measured so many samples before; by default
            the run is free.
        session_sizes : sequence of int, optional
            Lengths of the experiments in X.

        Returns
        -------
        ndarray, (T,) or (T, n_outputs)
            The samples that a run begins with are y's own.  NaN in gaps, and up to the next gap
            or session where one of the samples to begin with is missing, or there are no more.
        """
        check_is_fitted(self)
        fit = self.result_
        plain("X", X)
        X = read(self, X, reset=False, ensure_all_finite="allow-nan")
        sizes = _sizes(session_sizes, len(X))
        if steps_ahead is not None and y is None:
            raise ArgumentError("y", "must be given to predict some steps ahead, got None")
        if y is None:
            start = np.broadcast_to(self._mean, (len(X), len(self._mean)))
            y = start[:, 0] if fit.flat else start
        y = outputs(y)
        if y.ndim == 2 and fit.flat and y.shape[1] == 1:
            y = y[:, 0]
        elif y.ndim == 1 and not fit.flat:
            y = y[:, np.newaxis]
        if len(y) < len(X) and len(sizes) == 1 and steps_ahead is None:
            y = np.concatenate([y, np.full((len(X) - len(y), *y.shape[1:]), np.nan)])
        if len(y) != len(X):
            raise ArgumentError("y", f"must have as many samples as X, {len(X)}, got {len(y)}")
        each = _cut(X, sizes), _cut(y, sizes)
        with _own_names():
            if steps_ahead is not None:
                found = fit.predict(*each, horizon=steps_ahead)
            else:
                found = [_run(fit, x, own) for x, own in zip(*each, strict=True)]
        out: np.ndarray = np.concatenate(found)
        return out

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R² of the free run of `predict`; outputs that it begins with are not compared."""
        y = outputs(y)
        found = self.predict(X, y)
        p = self.result_.lags.depth
        kept = np.isfinite(found).reshape(len(y), -1).all(axis=1)
        kept &= np.isfinite(y).reshape(len(y), -1).all(axis=1)
        kept[:p] = False
        for a, _ in _between_gaps(read(self, X, reset=False, ensure_all_finite="allow-nan")):
            kept[a : a + p] = False
        weights = None if sample_weight is None else np.asarray(sample_weight)[kept]
        return float(r2_score(y[kept], found[kept], sample_weight=weights))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether a fit has come to its end: one that was refused leaves attributes, too."""
        return "result_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.non_deterministic = False
        tags.regressor_tags.poor_score = True  # rows in no order of time are no series
        return tags


def _run(fit: NARXResult, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the free run of a session; where inputs are missing, it begins anew after them."""
    out, p = np.full(y.shape, np.nan), fit.lags.depth
    for a, b in _between_gaps(x):
        if b - a > p and np.isfinite(y[a : a + p]).all():
            out[a:b] = fit.simulate(x[a:b], y[a : a + p])
    if len(x) and p:
        out[:p] = y[:p]
    return out


def _between_gaps(x: np.ndarray) -> list[tuple[int, int]]:
    """Return where inputs (T, n) are measured: the first of such samples, and one past them."""
    whole = np.isfinite(x).all(axis=1)
    edges = [0, *(np.flatnonzero(np.diff(whole)) + 1).tolist(), len(x)]
    return [(a, b) for a, b in pairwise(edges) if whole[a]]


@contextlib.contextmanager
def _own_names() -> Iterator[None]:
    """Have errors name the arguments of the estimator."""
    try:
        yield
    except ArgumentError as error:
        text = [
            Setting(_own(piece.argument), piece.values) if isinstance(piece, Setting) else piece
            for piece in error.text
        ]
        raise ArgumentError(_own(error.argument), *text) from error


def _own(argument: str) -> str:
    return _OWN.get(argument, argument)


def _sizes(given: Any, T: int) -> list[int]:
    """Return the lengths of the sessions."""
    if given is None:
        return [T]
    sizes = [integer("session_sizes", n, 1) for n in items("session_sizes", given)]
    if sum(sizes) != T:
        raise ArgumentError("session_sizes", f"must add up to {T} samples, got {sum(sizes)}")
    return sizes


def _cut(A: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Return the sessions of A."""
    return np.split(A, np.cumsum(sizes)[:-1])
