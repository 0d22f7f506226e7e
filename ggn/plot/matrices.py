"""Pictures of the matrices at one point w.

spectrum            |λ_i| of the Hessian and of the GGN matrix
singular_values     s_i of a matrix, and where its numerical rank is cut
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ggn.fit.fitted import is_fitted
from ggn.linearization import Linearization
from ggn.linearization.spectrum import inertia
from ggn.plot.style import COLOURS, LINES, MARKERS, log_scale, styled
from ggn.surface.rank import NumericalRank
from ggn.validation import describe, instance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["checked_linearization", "singular_values", "spectrum"]


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
    if is_fitted(source) or not isinstance(source, Mapping):  # a fit is a mapping too
        source = checked_linearization("source", source)
        source = {"Hessian": source.hessian(), "GGN matrix": source.normal_matrix()}
    found = {name: inertia(A) for name, A in source.items()}
    if not found or not all(len(of.eigenvalues) for of in found.values()):
        raise ValueError(f"source must hold matrices of at least one row, got {describe(source)}")
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
    found = instance("found must be", found, NumericalRank)
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


def checked_linearization(argument: str, value: Any) -> Linearization:
    """Return the value, or say how to come by a Linearization."""
    if not isinstance(value, Linearization):
        raise ValueError(
            f"{argument} must be a Linearization, got {describe(value)}: ggn.linearize(net, w, X, "
            "Y) makes one of a network, .linearize(X, Y) of a ggn.Model, which an estimator has "
            "as .model_"
        )
    return value
