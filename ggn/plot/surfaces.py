"""Pictures of the loss around one point w.

along    J(w + t v) along directions v
plane    J(w + a u + b v) over a plane
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ggn._core.machine import check_room
from ggn.linearization import Linearization
from ggn.linearization.spectrum import spectrum as eigenpairs
from ggn.plot.matrices import checked_linearization
from ggn.plot.style import SHADES, log_scale, styled
from ggn.validation import float_array, integer, number, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["along", "plane"]

LEVELS = 17  # of contours
# An exact fit has J at its rounding, 1e-31, a point beside which J changes over thirty decades
# and all else looks flat.  So nothing is drawn below this share of the median over the picture.
DEPTH = 1e-8


def along(
    at: Linearization,
    directions: Any = None,
    reach: float = 1.0,
    points: int = 201,
    ax: Axes | None = None,
) -> Axes:
    """Draw the loss along straight lines through the point, on a logarithmic scale.

    Parameters
    ----------
    at : Linearization
    directions : array_like, (N,) or (N, k), optional
        Columns are taken as they are; by default unit eigenvectors of the Hessian, those
        of the smallest and of the largest eigenvalue.
    reach : float, default 1.0
        Lines go from -reach to reach times the direction.
    points : int, default 201
        On each line.
    ax : Axes, optional

    Returns
    -------
    Axes
        Where J is too small for the picture, at an exact minimum say, the least loss that is
        shown stands in its place, and the ordinate's label says so.

    Raises
    ------
    ValueError
        If the directions have not N rows, or a number is out of range.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> at = ggn.linearize(ggn.MLP((1, 1), bias=False), [2.0], [[1.0]], [[0.0]])
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.along(at, [[1.0]], points=3, ax=axes[0, 0])
    >>> ax.lines[0].get_ydata()
    array([1., 4., 9.])
    """
    at = checked_linearization("at", at)
    if directions is None:
        found = eigenpairs(at)
        values, directions = found.eigenvalues, found.eigenvectors[:, [0, -1]]
        names = [f"smallest, λ = {values[0]:.2g}", f"largest, λ = {values[-1]:.2g}"]
    else:
        directions = float_array("directions", directions, (1, 2))
        directions = directions.reshape(len(directions), -1)
        names = [f"direction {k + 1}" for k in range(directions.shape[1])]
    N = at.net.n_weights
    if len(directions) != N:
        raise ValueError(f"directions must have {N} rows, got shape {directions.shape}")
    reach = number("reach", reach, 0.0, 1e300, open_low=True)
    points = check_room("points", integer("points", points, 2), 8.0 * directions.shape[1])
    t = np.linspace(-reach, reach, points)
    J = np.array([[_loss(at, s * v) for s in t] for v in directions.T])
    floor = _floor(at, J, np.abs(t) > 1e-9 * reach)
    with styled(ax) as ax:
        for name, line in zip(names, np.maximum(J, floor), strict=True):
            ax.plot(t, line, label=name)
        log_scale(ax, J)
        ax.axvline(0.0, color="black", linestyle="-", linewidth=0.6)
        more = f", {floor:.1g} where less" if (floor > J).any() else ""
        ax.set(xlabel="distance along the direction", ylabel=f"loss J{more}")
        ax.legend()
    return ax


def plane(
    at: Linearization,
    u: Any,
    v: Any,
    reach: float = 1.0,
    points: int = 61,
    ax: Axes | None = None,
) -> Axes:
    """Draw contours of the loss over w + a u + b v, equal steps being equal factors of J.

    Parameters
    ----------
    at : Linearization
    u, v : array_like, (N,)
    reach : float, default 1.0
        a and b go from -reach to reach.
    points : int, default 61
        Along each side of the grid.
    ax : Axes, optional

    Returns
    -------
    Axes
        The point itself is marked.  Losses too small for the picture, at an exact minimum say,
        have the darkest shade, marked ≤.

    Raises
    ------
    ValueError
        If u or v has another length, or a number is out of range.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> net, (X, Y) = ggn.MLP((2, 3, 1)), ggn.problems.xor()
    >>> at = ggn.linearize(net, net.initial_weights(0), X, Y)
    >>> u, v = net.initial_weights(1), net.initial_weights(2)
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.plane(at, u, v, points=9, ax=axes[0, 0])
    >>> ax.get_xlabel()
    'a, along u'
    """
    at = checked_linearization("at", at)
    N = at.net.n_weights
    u, v = (vector(name, x, N, "the network's n_weights") for name, x in (("u", u), ("v", v)))
    reach = number("reach", reach, 0.0, 1e300, open_low=True)
    points = check_room("points", integer("points", points, 2), 8.0 * points)
    t = np.linspace(-reach, reach, points)
    J = np.array([[_loss(at, a * u + b * v) for a in t] for b in t])
    beside = np.maximum(*np.abs(np.meshgrid(t, t))) > 1e-9 * reach
    floor = _floor(at, J, beside)
    below = bool((floor > J).any())
    J = np.maximum(J, floor)  # nan stays
    J[~(np.isfinite(J) & (J > 0.0))] = np.nan
    if not np.isfinite(J).any():
        raise ValueError("the loss is nowhere positive and finite on this plane")
    top = max(np.nanmax(J), 10.0 * floor) * (1.0 + 1e-12)
    levels = np.geomspace(np.nanmin(J), top, LEVELS)
    with styled(ax) as ax:
        from matplotlib.colors import LogNorm

        norm = LogNorm(levels[0], levels[-1])
        ax.grid(visible=False)
        filled = ax.contourf(t, t, J, levels, norm=norm, cmap=SHADES)
        ax.contour(t, t, J, levels, colors="black", linewidths=0.4)
        figure: Any = ax.figure
        bar = figure.colorbar(filled, ax=ax, label="loss J", ticks=levels[:: (LEVELS - 1) // 4])
        ticks = [f"{J:.2g}" for J in levels[:: (LEVELS - 1) // 4]]
        bar.ax.set_yticklabels([f"≤ {ticks[0]}" if below else ticks[0], *ticks[1:]])
        bar.ax.minorticks_off()
        ax.plot(0.0, 0.0, marker="*", markersize=11.0, color="white", markeredgecolor="black")
        ax.set(xlabel="a, along u", ylabel="b, along v")
    return ax


def _floor(at: Linearization, J: np.ndarray, beside: np.ndarray) -> float:
    """Return the least loss to show, of lines or rows J; `beside` is true off the point itself.

    No less than rounding; nor, away from valleys as flat as that, than what the grid resolves.
    """
    finite = [row[np.isfinite(row)] for row in J]
    middle = max((float(np.median(row)) for row in finite if len(row)), default=0.0)
    off = J[..., beside] if beside.ndim == 1 else J[beside]
    off = off[np.isfinite(off)]
    resolved = 0.25 * float(off.min(initial=np.inf)) if len(off) else 0.0
    with np.errstate(all="ignore"):
        rounding = 100.0 * at.rounding
    return max(rounding if np.isfinite(rounding) else 0.0, DEPTH * middle, resolved)


def _loss(at: Linearization, d: np.ndarray) -> float:
    """Return J(w + d)."""
    with np.errstate(all="ignore"):
        return at.objective.value(at.w + d)
