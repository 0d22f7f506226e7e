"""Pictures of how well a fit does, an axis per target.

predicted    φ_L against y, on the diagonal where exact
residuals    φ_L - y against φ_L

The title has R² = 1 - Σ (φ_L - y)² / Σ (y - mean y)² and RMSE = sqrt(mean (φ_L - y)²).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ggn.fit.fitted import as_model, is_fitted
from ggn.fit.scores import r2, rmse
from ggn.io.columns import by_name
from ggn.losses import Logistic, SoftmaxCrossEntropy
from ggn.plot.style import COLOURS, panels
from ggn.validation import float_array, samples

__all__ = ["predicted", "residuals"]

MANY = 1000  # samples whose markers are small and let others through


def predicted(
    *data: Any,
    names: Sequence[str] | None = None,
    unit: str | Sequence[str] = "",
    ax: Any = None,
) -> Any:
    """Draw predictions against true values, with the diagonal on which both agree.

    Called as ``predicted(model, X, Y)`` or, for predictions of any origin, ``predicted(Y, F)``.

    Parameters
    ----------
    model : TrainResult, Model or estimator
        Of a regression.
    X : array_like, (T, n0)
        In the units of the data.
    Y : array_like, (T, nL) or (T,)
        True values.
    F : array_like, of the shape of Y
        Predictions.
    names : sequence of str, optional
        Of the targets; by default those of Y's columns, or of the model.
    unit : str or sequence of str, optional
        Of all targets, or of each.
    ax : Axes or sequence of Axes, optional
        One per target; by default a new figure that has so many.

    Returns
    -------
    Axes or ndarray of Axes, (nL,)
        Each titled with R² and RMSE; an array where there are several targets.

    Raises
    ------
    ValueError
        If shapes differ, a number is not finite, axes are not one per target, or
        the model is a classifier.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.predicted([1.0, 2.0, 4.0], [1.5, 2.0, 4.0], unit="m", ax=axes[0, 0])
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.get_title()
    ('true (m)', 'predicted (m)', 'R² 0.9464, RMSE 0.289 m')
    """
    targets = _targets("predicted", data, names, unit)
    with panels(ax, len(targets)) as axes:
        for ax, (y, f, title, of) in zip(axes, targets, strict=True):
            _scatter(ax, y, f)
            ends = [min(y.min(), f.min()), max(y.max(), f.max())]
            ax.plot(ends, ends, color="black", linestyle="-", linewidth=1.0, zorder=3.0)
            ax.set(xlabel=f"true{of}", ylabel=f"predicted{of}", title=title)
    return axes if len(targets) > 1 else axes[0]


def residuals(
    *data: Any,
    names: Sequence[str] | None = None,
    unit: str | Sequence[str] = "",
    ax: Any = None,
) -> Any:
    """Draw residuals, predicted less true, against predictions; arguments as of `predicted`.

    Examples
    --------
    >>> import ggn.plot
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.residuals([1.0, 2.0], [1.1, 1.9], ax=axes[0, 0])
    >>> ax.get_ylabel()
    'predicted - true'
    """
    targets = _targets("residuals", data, names, unit)
    with panels(ax, len(targets)) as axes:
        for ax, (y, f, title, of) in zip(axes, targets, strict=True):
            _scatter(ax, f, f - y)
            ax.axhline(0.0, color="black", linestyle="-", linewidth=1.0, zorder=3.0)
            ax.set(xlabel=f"predicted{of}", ylabel=f"predicted - true{of}", title=title)
    return axes if len(targets) > 1 else axes[0]


class Target(NamedTuple):
    """True values and predictions (T,) of one target, its title, and its unit for labels."""

    y: np.ndarray
    f: np.ndarray
    title: str
    unit: str


def _targets(
    function: str, data: tuple[Any, ...], names: Any, unit: str | Sequence[str]
) -> list[Target]:
    """Return what is drawn of each target."""
    Y, F, known = _pair(function, data)
    count = F.shape[1]
    chosen = known if names is None else list(names)
    units = [unit] * count if isinstance(unit, str) else list(unit)
    for argument, given in (("names", chosen), ("unit", units)):
        if len(given) != count:
            raise ValueError(f"{argument} must be as many as outputs, {count}, got {len(given)}")
    shown = count > 1 or names is not None
    scores = zip(r2(Y, F), rmse(Y, F), strict=True)
    return [
        Target(y, f, _title(str(name) if shown else "", *score, u), f" ({u})" if u else "")
        for y, f, name, score, u in zip(Y.T, F.T, chosen, scores, units, strict=True)
    ]


def _pair(function: str, data: tuple[Any, ...]) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Return true values and predictions, (T, nL) each, and the targets' names."""
    if len(data) not in (2, 3) or (len(data) == 2 and is_fitted(data[0])):
        raise ValueError(
            f"{function} must be called as {function}(model, X, Y) or {function}(Y, F), "
            f"got {len(data)} arguments"
        )
    if len(data) == 2:
        Y, F = (float_array(n, a, (1, 2)) for n, a in zip("YF", data, strict=True))
        given = Y.shape, F.shape
        Y, F = Y.reshape(len(Y), -1), F.reshape(len(F), -1)  # one output is a column, or is not
        if Y.shape != F.shape:
            raise ValueError(f"F must have the shape of Y, {given[0]}, got {given[1]}")
        return Y, F, _columns(data[0], [f"y{k + 1}" for k in range(F.shape[1])])
    model = as_model(data[0])
    if isinstance(model.loss, (Logistic, SoftmaxCrossEntropy)):
        raise ValueError(
            f"model must be of a regression, got one trained on the {model.loss.name} loss, "
            "of which decision_regions draws the classes"
        )
    given = by_name(data[2], model.target_names, "Y")
    F, Y = model.predict(data[1]), samples("Y", given, model.net.n_outputs)
    if len(Y) != len(F):
        raise ValueError(f"Y must have as many rows as X, {len(F)}, got {len(Y)}")
    return Y, F, _columns(given, list(model.target_names))


def _columns(Y: Any, default: list[str]) -> list[Any]:
    """Return the names of a data frame's columns."""
    columns = getattr(Y, "columns", None)
    return default if columns is None else list(columns)


def _title(name: str, share: float, error: float, unit: str) -> str:
    """Return a title with R², where the target varies, and RMSE."""
    parts = [] if np.isnan(share) else [_share(share)]
    parts.append(f"RMSE {error:.3g}{' ' if unit else ''}{unit}")
    return f"{name}\n{', '.join(parts)}" if name else ", ".join(parts)


def _share(share: float) -> str:
    """Return R² with digits that tell it from 1."""
    return f"R² {share:.4f}" if share < 0.9995 or share == 1.0 else f"R² 1 - {1.0 - share:.1e}"


def _scatter(ax: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Draw the samples of one target."""
    many = len(x) > MANY
    ax.plot(
        x,
        y,
        linestyle="none",
        marker="o",
        markersize=2.0 if many else 4.0,
        markerfacecolor=COLOURS[0] if many else "none",
        markeredgewidth=0.0 if many else 1.0,
        alpha=0.4 if many else 1.0,
        color=COLOURS[0],
    )
