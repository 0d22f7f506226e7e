"""Pictures of how a fit went, iterate by iterate.

history     loss, gradient norm, ... of each iterate; the loss of samples held out
damping     mu, and the gain ratio, actual over predicted reduction of J
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ggn.fit.fitted import Estimator, as_result
from ggn.fit.result import History, TrainResult
from ggn.plot.style import COLOURS, LINES, legend_above, log_scale, styled
from ggn.validation import ArgumentError, instance, items, spelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["damping", "history"]

LABELS = {
    "loss": "loss J",
    "gradient_norm": "gradient norm ‖∇J‖",
    "damping": "damping μ",
    "step_norm": "step ‖d‖",
    "gain_ratio": "gain ratio",
    "residual": "residual of the step",
}
VALIDATION = "validation loss"
HELD = {VALIDATION: "validation_losses", "test loss": "test_losses"}
AGAINST = {"iteration": "iteration", "seconds": "time (s)"}
GAINS = (-0.5, 2.0)  # gain ratios outside are shown at the border


def history(
    result: TrainResult | Estimator,
    fields: Sequence[str] | None = None,
    against: str = "iteration",
    ax: Axes | None = None,
    *,
    label: str = "",
) -> Axes:
    """Draw what the run's history holds of each iterate, on a logarithmic scale.

    Parameters
    ----------
    result : TrainResult or estimator
    fields : sequence of str, optional
        Of "loss", "gradient_norm", "damping", "step_norm", "gain_ratio", "residual"; by
        default the first two.  What is not positive is left out.  The loss of a run with
        samples held out has a curve for each part, without penalty for those, and a circle
        at the iterate whose weights were kept; by default these alone are drawn.
    against : {"iteration", "seconds"}, default "iteration"
    ax : Axes, optional
        Runs may be drawn on the same axes one after another.
    label : str, optional
        What the legend calls the run; by default runs are numbered once there are two.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        For an unknown name.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> fit = ggn.train(ggn.MLP((2, 3, 1)), *ggn.problems.xor(), max_iter=20)
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.history(fit, ax=axes[0, 0])
    >>> [line.get_label() for line in ax.lines]
    ['loss J', 'gradient norm ‖∇J‖']
    """
    fit = as_result(result)
    record = fit.history
    x = _abscissa(record, against)
    held = {name: np.asarray(fit[key]) for name, key in HELD.items() if len(fit.get(key, ()))}
    if fields is None:
        fields = ("loss",) if held else ("loss", "gradient_norm")
    fields = [spelled("fields", name, LABELS) for name in items("fields", fields, "names of them")]
    if not fields:
        raise ArgumentError("fields", f"must name at least one of {', '.join(LABELS)}, got none")
    curves = {LABELS[name]: getattr(record, name) for name in fields}
    if held and "loss" in fields:
        curves = {"training loss J": curves.pop(LABELS["loss"]), **held, **curves}
    label = instance("label must be", label, str)
    with styled(ax) as ax:
        run = label or _number_of_run(ax, [*curves, "kept"] if held else list(curves))
        for name, y in curves.items():
            k = len([line for line in ax.lines if line.get_linestyle() != "None"])
            of = f"{name}, {run}" if run else name
            colour, line = COLOURS[k % len(COLOURS)], LINES[(k + k // len(COLOURS)) % len(LINES)]
            at = x[len(x) - len(y) :]  # an estimator's do not have the start
            ax.plot(at, y, label=of, color=colour, linestyle=line)
            if name == VALIDATION and "kept" in fit:
                (mark,) = ax.plot(at[fit.kept], y[fit.kept], "o", color=colour, markersize=8.0)
                mark.set(markerfacecolor="none", label=f"kept, {run}" if run else "kept")
        log_scale(ax, np.concatenate(list(curves.values())))
        ax.set_xlabel(AGAINST[against])
        _whole(ax, against)
        if len(fields) == 1:
            ax.set_ylabel("loss" if len(curves) > 1 else LABELS[fields[0]])
        if len(curves) > 1 or len(ax.lines) > 1:
            ax.legend()
    return ax


def damping(
    result: TrainResult | Estimator, against: str = "iteration", ax: Axes | None = None
) -> Axes:
    """Draw the damping of each step, and on a second ordinate its gain ratio.

    Parameters
    ----------
    result : TrainResult or estimator
    against : {"iteration", "seconds"}, default "iteration"
    ax : Axes, optional

    Returns
    -------
    Axes
        Those of the damping; gain ratios outside [-0.5, 2] are drawn at the border.

    Raises
    ------
    ValueError
        For an unknown name.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> fit = ggn.train(ggn.MLP((2, 3, 1)), *ggn.problems.xor(), max_iter=20)
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.damping(fit, ax=axes[0, 0])
    >>> ax.get_ylabel()
    'damping μ'
    """
    record = as_result(result).history
    x = _abscissa(record, against)
    with styled(ax) as ax:
        (line,) = ax.plot(x, record.damping, label=LABELS["damping"])
        log_scale(ax, record.damping)
        ax.set(xlabel=AGAINST[against], ylabel=LABELS["damping"])
        _whole(ax, against)
        right = ax.twinx()
        right.spines["right"].set_visible(True)
        right.grid(visible=False)
        (dots,) = right.plot(
            x,
            np.clip(record.gain_ratio, *GAINS),
            linestyle="none",
            marker="o",
            markersize=3.5,
            color=COLOURS[1],
            label="gain ratio (right)",
        )
        right.axhline(1.0, color=COLOURS[1], linestyle=LINES[3], linewidth=1.0)
        right.set(ylabel="gain ratio, actual / predicted reduction", ylim=(-0.6, 2.1))
        legend_above(ax, 2, handles=[line, dots])
    return ax


def _number_of_run(ax: Axes, names: list[str]) -> str:
    """Return what to call a run on axes that have such lines already; the first becomes run 1."""
    drawn = {str(line.get_label()): line for line in ax.lines}
    for name in names:
        if name in drawn:
            drawn[name].set_label(f"{name}, run 1")
            drawn[f"{name}, run 1"] = drawn[name]
    run = 1
    while any(f"{name}, run {run}" in drawn for name in names):
        run += 1
    return f"run {run}" if run > 1 else ""


def _whole(ax: Axes, against: str) -> None:
    """Put ticks at whole iterations."""
    from matplotlib.ticker import MaxNLocator

    if against == "iteration":
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def _abscissa(record: History, against: str) -> np.ndarray:
    known = spelled("against", against, AGAINST)
    return np.arange(len(record)) if known == "iteration" else record.seconds
