"""Fig. 1(a): local quadratic convergence to an exact fit.

F(2,20,1), dummy units, bent identity, four regions with T = 20, undamped, alpha = 1:

    d_k = ‖w_k - w_end‖₂,   d_{k+1} ≈ C d_k²
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ggn import problems
from ggn.fit.convergence import EXACT, Approach, undamped_approach
from ggn.network import MLP
from ggn.paper.pieces import Piece, Pieces
from ggn.paper.sections import Claim, Section, Table
from ggn.plot.style import COLOURS, LINES, MARKERS, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Fig1a", "draw", "experiment", "section"]

SIZES, SAMPLES, MAX_ITER = (2, 20, 1), 20, 200
SHOWN = 6  # ways that are drawn


@dataclass(frozen=True)
class Fig1a:
    """Runs of Fig. 1(a), each from data and weights of its own.

    Attributes
    ----------
    ways : list of Approach
    """

    ways: list[Approach]

    @property
    def converged(self) -> list[int]:
        """The runs that ended in an exact fit."""
        return [k for k, way in enumerate(self.ways) if way.exact]

    @property
    def orders(self) -> np.ndarray:
        """The observed orders of the converged runs that have one."""
        found = np.array([self.ways[k].order for k in self.converged])
        return found[np.isfinite(found)]

    @property
    def constants(self) -> np.ndarray:
        """Their constants C."""
        found = np.array([self.ways[k].constant for k in self.converged])
        return found[np.isfinite(found)]


def experiment(pieces: Pieces | None = None, seed: int = 0, runs: int = 100) -> Fig1a:
    """Run Fig. 1(a).

    Parameters
    ----------
    pieces : Pieces, optional
        Where results are kept, and how many processes work; by default neither.
    seed : int, default 0
    runs : int, default 100

    Examples
    --------
    >>> from ggn.paper import fig1a
    >>> found = fig1a.experiment(runs=3)
    >>> len(found.ways), len(found.converged) >= 2
    (3, True)
    """
    done = (pieces or Pieces()).map("fig1a", _way, [(seed, run) for run in range(runs)])
    return Fig1a([Approach(p["losses"], p["distances"], float(p["rounding"])) for p in done])


def _way(seed: int, run: int) -> Piece:
    rng = np.random.default_rng([seed, run])
    X, Y = problems.four_regions(SAMPLES, rng)
    net = MLP(SIZES, "bent_identity")
    way = undamped_approach(net, X, Y, net.initial_weights(rng), MAX_ITER)
    return {
        "losses": way.losses,
        "distances": way.distances,
        "rounding": np.array(way.rounding),
    }


def draw(data: Fig1a) -> Figure:
    """Draw distances against iterations, and each distance against the one before."""
    with figure(1, 2, (9.6, 4.2)) as (picture, axes):
        left, right = axes[0]
        for place, k in enumerate(data.converged[:SHOWN]):
            way = data.ways[k]
            left.plot(
                way.distances[:-1],
                color=COLOURS[place % len(COLOURS)],
                linestyle=LINES[place % len(LINES)],
                marker=MARKERS[place % len(MARKERS)],
                markersize=4.0,
                linewidth=1.0,
                label=f"run {k}",
            )
        left.set_yscale("log")
        left.set(
            xlabel="iteration k",
            ylabel="distance to the end ‖w$_k$ - w$_{end}$‖₂",
            title="distance against iteration",
        )
        if data.converged:
            left.legend(ncols=2, fontsize=8.0)
        pairs = [_pairs(data.ways[k]) for k in data.converged]
        d, following = np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0))
        right.loglog(
            d, following, linestyle="none", marker="o", markersize=3.5, label=f"{len(pairs)} runs"
        )
        if len(data.constants):
            C = float(np.median(data.constants))
            span = np.geomspace(1e-7, 1.0, 2)
            right.loglog(span, C * span**2, "k--", label=f"{C:.2g} d², the median constant")
            right.legend()
        right.set(
            xlabel="distance d$_k$",
            ylabel="next distance d$_{k+1}$",
            title="slope 2 is quadratic convergence",
        )
    return picture


def _pairs(way: Approach) -> np.ndarray:
    """Return (d_k, d_{k+1}) where both mean something."""
    d = way.distances
    keep = (d[:-1] < 1.0) & (d[1:] > way.rounding) & (d[1:] < d[:-1])
    return np.stack([d[:-1][keep], d[1:][keep]])


def section(data: Fig1a) -> Section:
    """Return what the report says."""
    runs, converged, orders = len(data.ways), len(data.converged), data.orders
    median = float(np.median(orders)) if len(orders) else np.nan
    claim = Claim(
        "GGN converges locally quadratically to a global minimum under exact learning.",
        f"{converged} of {runs} runs end in an exact fit (J < {EXACT:g}); the median observed "
        f"order of the {len(orders)} that show one is {median:.2f}.",
        bool(median >= 1.9),
        "shown, one run",
    )
    notes = []
    if len(orders):
        low, middle, high = np.quantile(data.constants, [0.25, 0.5, 0.75])
        iterations = [len(data.ways[k].losses) - 1 for k in data.converged]
        notes = [
            f"The constant C of d_(k+1) = C d_k² is {middle:.2g} in the median (quartiles "
            f"{low:.2g} and {high:.2g}); a run takes {np.median(iterations):.0f} iterations in the "
            f"median, at most {max(iterations)}. An order is observed where three distances in a "
            "row fall between 1 and the rounding of the end point; the last such is taken. "
            "Distances are 2-norms of flat differences of all weights."
        ]
    ends = Table(
        {
            "run": range(runs),
            "iterations": [len(way.losses) - 1 for way in data.ways],
            "final_loss": [float(way.losses[-1]) for way in data.ways],
            "order": [way.order for way in data.ways],
            "constant": [way.constant for way in data.ways],
        }
    )
    rows = [
        (run, k, float(way.losses[k]), float(way.distances[k]), way.orders[k])
        for run, way in enumerate(data.ways)
        for k in range(len(way.losses))
    ]
    path = Table.of(("run", "iteration", "loss", "distance", "order"), rows)
    return Section(
        "Fig. 1(a): local quadratic convergence",
        f"F(2,20,1) with dummy units, bent identity, four regions with {SAMPLES} samples, undamped "
        f"GGN with α = 1 from N(0, 1), {runs} runs, each with data and weights of its own.",
        [claim],
        notes,
        {"fig1a.csv": ends, "fig1a_paths.csv": path},
    )
