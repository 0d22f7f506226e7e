"""Pictures of the loss around one point w, and of the matrices there.

spectrum            |λ_i| of the Hessian and of the GGN matrix
along               J(w + t v) along directions v
plane               J(w + a u + b v) over a plane
singular_values     s_i of a matrix, and where its numerical rank is cut
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ggn.linearization import Linearization
from ggn.linearization.spectrum import inertia
from ggn.linearization.spectrum import spectrum as eigenpairs
from ggn.plot.style import COLOURS, LINES, MARKERS, SHADES, log_scale, styled
from ggn.surface.rank import NumericalRank
from ggn.validation import float_array, integer, number, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["along", "plane", "singular_values", "spectrum"]

LEVELS = 17  # of contours


def spectrum(source: Linearization | Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Draw the eigenvalues of symmetric matrices by size; hollow markers are negative ones.

    Parameters
    ----------
    source : Linearization or mapping of str to array_like (N, N)
        Matrices by name; those of a linearization are its Hessian and GGN matrix.
    ax : Axes, optional

    Returns
    -------
    Axes
        With a line at the tolerance of `ggn.linearization.spectrum.inertia` (the largest, if
        there are more matrices), below which eigenvalues count as zero.

    Raises
    ------
    ValueError
        For what is no finite symmetric matrix.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import numpy as np, ggn.plot
    >>> with ggn.plot.figure() as (picture, axes):
    ...     ax = ggn.plot.spectrum({"saddle": np.diag([2.0, -1.0])}, ax=axes[0, 0])
    >>> [(line.get_label(), line.get_ydata().tolist()) for line in ax.lines[:2]]
    [('saddle', [2.0]), ('saddle, negative', [1.0])]
    """
    if isinstance(source, Linearization):
        source = {"Hessian": source.hessian(), "GGN matrix": source.normal_matrix()}
    found = {name: inertia(A) for name, A in source.items()}
    with styled(ax) as ax:
        for k, (name, of) in enumerate(found.items()):
            values = of.eigenvalues[np.argsort(-np.abs(of.eigenvalues), kind="stable")]
            place = np.arange(1, len(values) + 1)
            for sign, label, face in ((1.0, name, COLOURS[k]), (-1.0, f"{name}, negative", "none")):
                chosen = sign * values > 0.0
                if chosen.any():
                    ax.plot(
                        place[chosen],
                        np.abs(values[chosen]),
                        linestyle="none",
                        marker=MARKERS[k],
                        markersize=max(7.0 - 2.5 * k, 3.0),  # what is below is still seen
                        color=COLOURS[k],
                        markerfacecolor=face,
                        label=label,
                    )
        log_scale(ax, [np.abs(of.eigenvalues).max() for of in found.values()])
        tolerance = max(of.tolerance for of in found.values())
        ax.axhline(tolerance, color="black", linestyle=LINES[3], linewidth=1.0, label="tolerance")
        ax.set(xlabel="place by size", ylabel="|eigenvalue|")
        ax.legend()
    return ax


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
    directions : array_like, (N, k), optional
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
    if directions is None:
        found = eigenpairs(at)
        values, directions = found.eigenvalues, found.eigenvectors[:, [0, -1]]
        names = [f"smallest, λ = {values[0]:.2g}", f"largest, λ = {values[-1]:.2g}"]
    else:
        directions = float_array("directions", directions, (2,))
        names = [f"direction {k + 1}" for k in range(directions.shape[1])]
    N = at.net.n_weights
    if len(directions) != N:
        raise ValueError(f"directions must have {N} rows, got shape {directions.shape}")
    reach = number("reach", reach, 0.0, open_low=True)
    t = np.linspace(-reach, reach, integer("points", points, 2))
    J = [[_loss(at, s * v) for s in t] for v in directions.T]
    with styled(ax) as ax:
        for name, line in zip(names, J, strict=True):
            ax.plot(t, line, label=name)
        log_scale(ax, J)
        ax.axvline(0.0, color="black", linestyle="-", linewidth=0.6)
        ax.set(xlabel="distance along the direction", ylabel="loss J")
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
        The point itself is marked.

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
    N = at.net.n_weights
    u, v = (vector(name, x, N, "the network's n_weights") for name, x in (("u", u), ("v", v)))
    reach = number("reach", reach, 0.0, open_low=True)
    t = np.linspace(-reach, reach, integer("points", points, 2))
    J = np.array([[_loss(at, a * u + b * v) for a in t] for b in t])
    J[~(np.isfinite(J) & (J > 0.0))] = np.nan
    if not np.isfinite(J).any():
        raise ValueError("the loss is nowhere positive and finite on this plane")
    levels = np.geomspace(np.nanmin(J), np.nanmax(J) * (1.0 + 1e-12), LEVELS)
    with styled(ax) as ax:
        from matplotlib.colors import LogNorm

        norm = LogNorm(levels[0], levels[-1])
        ax.grid(visible=False)
        filled = ax.contourf(t, t, J, levels, norm=norm, cmap=SHADES)
        ax.contour(t, t, J, levels, colors="black", linewidths=0.4)
        figure: Any = ax.figure
        bar = figure.colorbar(filled, ax=ax, label="loss J", ticks=levels[:: (LEVELS - 1) // 4])
        bar.ax.set_yticklabels([f"{J:.2g}" for J in levels[:: (LEVELS - 1) // 4]])
        bar.ax.minorticks_off()
        ax.plot(0.0, 0.0, marker="*", markersize=11.0, color="white", markeredgecolor="black")
        ax.set(xlabel="a, along u", ylabel="b, along v")
    return ax


def singular_values(found: NumericalRank, ax: Axes | None = None) -> Axes:
    """Draw the singular values of a matrix, and the tolerance that cuts its rank.

    Parameters
    ----------
    found : NumericalRank
        Of `ggn.surface.numerical_rank`.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import ggn.plot
    >>> from ggn.surface import numerical_rank
    >>> with ggn.plot.figure() as (picture, axes):
    ...     found = numerical_rank([[1.0, 0.0], [0.0, 1e-20]])
    ...     ax = ggn.plot.singular_values(found, ax=axes[0, 0])
    >>> ax.get_title()
    'rank 1 of 2 x 2 (cut 4.4e-16, gap 1.0e+20)'
    """
    s, r = found.singular_values, found.rank
    place = np.arange(1, len(s) + 1)
    with styled(ax) as ax:
        for chosen, label, face in (
            (slice(0, r), "kept", COLOURS[0]),
            (slice(r, None), "cut", "none"),
        ):
            ax.plot(
                place[chosen],
                s[chosen],
                linestyle="none",
                marker="o",
                color=COLOURS[0],
                markerfacecolor=face,
                label=label,
            )
        log_scale(ax, s)
        ax.axhline(found.tolerance, color="black", linestyle="--", linewidth=1.0, label="tolerance")
        ax.set(xlabel="place by size", ylabel="singular value", title=str(found))
        ax.legend()
    return ax


def _loss(at: Linearization, d: np.ndarray) -> float:
    """Return J(w + d)."""
    with np.errstate(all="ignore"):
        return at.objective.value(at.w + d)
