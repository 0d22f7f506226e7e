"""Pictures of runs in time: what was measured beside what a model gives without it.

simulated      outputs of a free run and those measured
correlations   of residuals r with themselves and with inputs u, at lags d:

                   ρ_rr(d) = Σ r_i r_{i-d} / Σ r²,    ρ_ur(d) = Σ u_{i-d} r_i / (Σ u² Σ r²)^½

               and the bounds ± 2.58 / √T, within which 99 % of those of white noise lie
horizons       root mean square error of predictions h steps ahead, against h
poles          eigenvalues of the step from one state, or some outputs, to the next
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from ggn.plot.style import COLOURS, legend_above, panels, styled
from ggn.recurrent import NARXModel, NARXResult
from ggn.recurrent.series import Series
from ggn.recurrent.simulator import Simulates
from ggn.validation import ArgumentError, describe, integer, items

__all__ = ["correlations", "horizons", "poles", "simulated"]

Runs: TypeAlias = NARXResult | NARXModel | Simulates
BOUND = 2.58  # 99 % of a normal distribution
DRAWN = 500  # samples whose poles are drawn
AHEAD = (1, 2, 5, 10, 20, 50, 100)


def simulated(fit: Runs, U: Any, Y: Any, *, ax: Any = None) -> Any:
    """Draw measured outputs, the free run of a fit, and their difference.

    Parameters
    ----------
    fit : NARXResult, NARXModel, StateSpaceFit or Simulator
    U, Y
        One series, or a list, as for `ggn.narx`; of a list the first is drawn.
    ax : Axes or sequence of Axes, optional
        One per output.

    Returns
    -------
    Axes or ndarray of Axes, (n_y,)
        Titled with R² and RMSE of the run.

    Raises
    ------
    ValueError
        For series that the fit cannot run on.

    Examples
    --------
    >>> import numpy as np, ggn, ggn.plot
    >>> u = np.random.default_rng(0).uniform(-1, 1, 100)
    >>> y = np.convolve(u, [0.0, 0.5, 0.25])[:100]
    >>> fit = ggn.narx(u, y, hidden=0, output_lags=1, input_lags=[1])
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.simulated(fit, u, y, ax=axes[0, 0])
    >>> ax.get_xlabel()
    'sample'
    """
    series, run = _runs(fit, U, Y)
    measured, found = series.Y[0], run[0]
    with panels(ax, measured.shape[1]) as axes:
        for o, own in enumerate(axes):
            y, f = measured[:, o], found[:, o]
            both = np.isfinite(y) & np.isfinite(f)
            error = f - y
            rmse = float(np.sqrt(np.mean(error[both] ** 2)))
            explained = 1.0 - rmse**2 / float(np.var(y[both]))
            own.plot(y, color=COLOURS[3], linestyle="-", linewidth=1.0, label="measured")
            own.plot(f, color=COLOURS[0], linestyle="--", linewidth=1.0, label="simulated")
            own.plot(error, color=COLOURS[1], linestyle=":", linewidth=1.0, label="difference")
            own.set(xlabel="sample", ylabel=f"output {o}" if len(axes) > 1 else "output")
            own.set_title(f"R² {explained:.4g}, RMSE {rmse:.3g}", loc="right")
            own.legend(loc="upper left")
    return axes if len(axes) > 1 else axes[0]


def correlations(
    fit: Runs,
    U: Any,
    Y: Any,
    *,
    lags: int = 25,
    horizon: int | None = 1,
    ax: Any = None,
) -> Any:
    """Draw how residuals hang together with one another and with inputs, and 99 % bounds.

    What lies outside the bounds at more than one lag of a hundred is left for a larger model,
    or longer lags, to find.

    Parameters
    ----------
    fit : NARXResult, NARXModel, StateSpaceFit or Simulator
    U, Y
        As for `ggn.narx`.
    lags : int, default 25
        The largest lag shown.
    horizon : int or None, default 1
        Of the predictions; None for the free run, whose residuals hang together wherever the
        noise is not white.
    ax : Axes or sequence of Axes, optional
        For each output one, and one for each input and output.

    Returns
    -------
    Axes, or ndarray of Axes where there are several
    """
    most = integer("lags", lags, 1)
    series, found = _runs(fit, U, Y, horizon)
    r = np.concatenate([f - y for f, y in zip(found, series.Y, strict=True)])
    if not np.isfinite(r).any(axis=0).all():
        raise ArgumentError(
            "horizon", f"must leave something to predict in each output, got {describe(horizon)}"
        )
    if most >= len(r):
        raise ArgumentError("lags", f"must be less than the samples, {len(r)}, got {most}")
    u = np.concatenate(series.U)
    outputs, inputs = r.shape[1], u.shape[1]
    drawn: list[tuple[int, int | None]] = [(o, None) for o in range(outputs)]
    drawn += [(o, c) for o in range(outputs) for c in range(inputs)]
    with panels(ax, len(drawn)) as axes:
        for own, (o, c) in zip(axes, drawn, strict=True):
            values, count = _correlation(r[:, o], r[:, o] if c is None else u[:, c], most)
            bound = BOUND / np.sqrt(count)
            own.axhspan(-bound, bound, color=COLOURS[0], alpha=0.15, linewidth=0.0)
            own.vlines(np.arange(most + 1), 0.0, values, color=COLOURS[1], linewidth=1.4)
            own.axhline(0.0, color="black", linewidth=0.8)
            name = f" {o}" if outputs > 1 else ""
            with_what = "themselves" if c is None else f"input {c}" if inputs > 1 else "the input"
            own.set(xlabel="lag", ylabel="correlation", title=f"residuals{name}, {with_what}")
    return axes if len(axes) > 1 else axes[0]


def horizons(fit: Runs, U: Any, Y: Any, *, ahead: Sequence[int] = AHEAD, ax: Any = None) -> Any:
    """Draw the root mean square error of predictions against how far ahead they are.

    Parameters
    ----------
    fit : NARXResult, NARXModel, StateSpaceFit or Simulator
    U, Y
        As for `ggn.narx`.
    ahead : sequence of int, default (1, 2, 5, 10, 20, 50, 100)
        Those longer than all windows are left out.  Of a state-space model, whose state is
        estimated anew every so many samples, predictions are at most so far ahead.
    ax : Axes, optional

    Returns
    -------
    Axes
        With a line per output, and the free run, of the samples that are predicted from furthest.
    """
    series, run = _runs(fit, U, Y)
    kept, errors = [], []
    longest = max(map(len, series.Y))
    steps = [integer("ahead", h, 1) for h in items("ahead", ahead, "a sequence of integers")]
    for h in (h for h in steps if h < longest):
        _, found = _runs(fit, U, Y, h)
        error = _rmse(found, series.Y)
        if np.isfinite(error).all():
            kept.append(h)
            errors.append(error)
            run = [np.where(np.isfinite(f), r, np.nan) for f, r in zip(found, run, strict=True)]
    if not kept:
        raise ArgumentError(
            "ahead", f"must have steps at which something is predicted, got {describe(ahead)}"
        )
    whole = _rmse(run, series.Y)
    with styled(ax) as own:
        for o, of in enumerate(np.array(errors).T):
            name = f" {o}" if len(whole) > 1 else ""
            colour = COLOURS[o % len(COLOURS)]
            own.plot(kept, of, marker="o", color=colour, label=f"predicted{name}")
            own.axhline(whole[o], color=colour, linestyle=":", label=f"free run{name}")
        own.set(xlabel="samples ahead", ylabel="RMSE", xscale="log")
        own.set_ylim(0.0, 1.1 * max(np.max(errors, initial=0.0), whole.max()) or None)
        legend_above(own, 2)
    return own


def poles(fit: NARXResult | Simulates, U: Any = None, Y: Any = None, *, ax: Any = None) -> Any:
    """Draw the poles of a model linearised at rest, along series too, and the unit circle.

    Inside the circle a difference of the start fades.

    Parameters
    ----------
    fit : NARXResult, StateSpaceFit or Simulator
    U, Y : optional
        Series, as the model was trained on such, along whose free run poles are drawn as dots.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import numpy as np, ggn, ggn.plot
    >>> u = np.random.default_rng(0).uniform(-1, 1, 100)
    >>> y = np.convolve(u, 0.5 ** np.arange(100))[:100]
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.poles(ggn.statespace(u, y, 1, f=None), ax=axes[0, 0])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('real part', 'imaginary part')
    """
    rest = _checked(fit, (NARXResult, Simulates)).poles()
    along = None if Y is None else fit.poles_along(U, Y)
    with styled(ax) as own:
        angle = np.linspace(0.0, 2.0 * np.pi, 361)
        own.plot(np.cos(angle), np.sin(angle), color=COLOURS[3], linestyle="-", linewidth=1.0,
                 label="unit circle")  # fmt: skip
        if along is not None:
            some = along[:: -(-len(along) // DRAWN)].ravel()
            own.plot(some.real, some.imag, linestyle="none", marker=".", markersize=3.0, alpha=0.4,
                     color=COLOURS[0], label="along the run")  # fmt: skip
        own.plot(rest.real, rest.imag, linestyle="none", marker="x", markersize=8.0,
                 color=COLOURS[1], label="at rest")  # fmt: skip
        own.set(xlabel="real part", ylabel="imaginary part")
        own.set_aspect("equal", adjustable="datalim")
        legend_above(own, 3)
    return own


def _runs(fit: Runs, U: Any, Y: Any, horizon: int | None = None) -> tuple[Series, list[np.ndarray]]:
    """Return the series, and what is predicted of each, (T_j, n_y)."""
    series = Series(U, Y, names=_checked(fit).named)
    found: Any = fit.predict(U, Y, horizon=horizon)
    several = found if series.several else [found]
    return series, [f.reshape(len(f), -1) for f in several]


def _checked(fit: Any, kinds: tuple[type, ...] = (NARXResult, NARXModel, Simulates)) -> Any:
    if not isinstance(fit, kinds):
        raise ArgumentError("fit", f"must be of ggn.narx or ggn.statespace, got {describe(fit)}")
    return fit


def _rmse(found: list[np.ndarray], measured: list[np.ndarray]) -> np.ndarray:
    """Return the root mean square error of each output; nan where nothing was predicted."""
    error = np.concatenate([f - y for f, y in zip(found, measured, strict=True)])
    kept = error[np.isfinite(error).all(axis=1)]
    return np.sqrt(np.mean(kept**2, axis=0)) if len(kept) else np.full(error.shape[1], np.nan)


def _correlation(r: np.ndarray, with_what: np.ndarray, lags: int) -> tuple[np.ndarray, int]:
    """Return the correlations at lags 0 ... lags, missing samples left out, and the samples."""
    with np.errstate(all="ignore"):
        a, b = (np.where(np.isfinite(x), x - x[np.isfinite(x)].mean(), 0.0) for x in (r, with_what))
    size = np.sqrt(np.sum(a * a) * np.sum(b * b)) or 1.0
    values = np.array([np.sum(a[d:] * b[: len(b) - d]) for d in range(lags + 1)]) / size
    return values, int(np.isfinite(r).sum())
