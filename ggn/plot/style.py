"""How pictures look: set while one is drawn, never for the whole process.

The colours are those of Okabe and Ito, which people with any colour vision can tell
apart; a line style or marker goes with each, for those who print in grey.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ggn.validation import describe, instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "CLASSES",
    "COLOURS",
    "LINES",
    "MARKERS",
    "SHADES",
    "figure",
    "legend_above",
    "log_scale",
    "pale",
    "panels",
    "styled",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#E69F00")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (2, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
# Of classes: Okabe and Ito's, and three between them.
CLASSES = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9",
    "#D55E00", "#F0E442", "#999999", "#332288", "#661100",
)  # fmt: skip
SHADES = "cividis"  # from dark to light, the same to all eyes


def _style() -> Any:
    from cycler import cycler

    return {
        "axes.grid": True,
        "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=LINES),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.size": 10.0,
        "grid.alpha": 0.3,
        "legend.edgecolor": "none",
        "legend.framealpha": 0.8,
        "lines.linewidth": 1.6,
        "lines.markersize": 5.0,
    }


@contextlib.contextmanager
def _look() -> Iterator[None]:
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install ggn[plot]") from error
    with matplotlib.rc_context(_style()):
        yield


@contextlib.contextmanager
def styled(ax: Axes | None) -> Iterator[Axes]:
    """Yield the axes to draw on, new ones of pyplot's if None."""
    with _look():
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots(layout="constrained")
        yield _axes(ax)


@contextlib.contextmanager
def panels(ax: Any, count: int) -> Iterator[np.ndarray]:
    """Yield so many axes to draw on (count,), new ones of pyplot's if None; one may come alone."""
    if isinstance(ax, np.ndarray) and ax.dtype != object:
        raise ValueError(f"ax must be {count} axes, one per target, got {describe(ax)}")
    given = None
    if isinstance(ax, (list, tuple, np.ndarray)):
        given = np.asarray(ax, dtype=object).ravel()
    elif ax is not None:
        given = np.empty(1, dtype=object)
        given[0] = ax
    if given is not None and len(given) != count:
        raise ValueError(f"ax must be {count} axes, one per target, got {len(given)}")
    with _look():
        for one in () if given is None else given:
            _axes(one)
        if given is None:
            from matplotlib import pyplot

            columns = min(count, 3)
            rows = -(-count // columns)
            size = (6.4, 4.8) if count == 1 else (4.2 * columns, 3.8 * rows)
            figure, grid = pyplot.subplots(
                rows, columns, figsize=size, layout="constrained", squeeze=False
            )
            given = grid.ravel()
            for spare in given[count:]:
                figure.delaxes(spare)
            given = given[:count]
        yield given


def _axes(ax: Any) -> Any:
    from matplotlib.axes import Axes

    return instance("ax must be None or", ax, Axes)


@contextlib.contextmanager
def figure(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.8)
) -> Iterator[tuple[Figure, np.ndarray]]:
    """Yield a figure that no window shows, and its axes (rows, columns).

    Parameters
    ----------
    rows, columns : int, default 1
    size : tuple of float, default (6.4, 4.8)
        Width and height in inches.

    Examples
    --------
    >>> import io, ggn.plot
    >>> with ggn.plot.figure(size=(4.0, 3.0)) as (picture, axes):
    ...     ax = ggn.plot.predicted([1.0, 2.0], [1.1, 1.9], ax=axes[0, 0])
    >>> picture.savefig(io.BytesIO())
    """
    with _look():
        from matplotlib.figure import Figure

        result = Figure(figsize=size, dpi=150, layout="constrained")
        yield result, result.subplots(rows, columns, squeeze=False)


def pale(colour: str) -> tuple[float, float, float]:
    """Return a colour mixed with white, for an area behind markers of that colour."""
    from matplotlib.colors import to_rgb

    r, g, b = (0.6 + 0.4 * part for part in to_rgb(colour))
    return r, g, b


def legend_above(ax: Axes, columns: int, **options: Any) -> None:
    """Put the legend above the axes, where it hides nothing."""
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, **options)


def log_scale(ax: Axes, values: Any) -> None:
    """Make the ordinate logarithmic, if any value is positive; others are left out."""
    if (np.asarray(values, dtype=float) > 0.0).any():
        ax.set_yscale("log", nonpositive="mask")
