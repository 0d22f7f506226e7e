"""Algorithm 1 in two readings: the sum over samples, as it is printed, and the mean of eq. 6.

    sum    w - alpha T ∇J,    mean    w - alpha ∇J,    alpha = 0.01

J is the mean in both.  BP oscillates where J rises and falls by turns, `TURNS` times in a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ggn import problems
from ggn.damping import Undamped
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.losses import Squared
from ggn.network import MLP
from ggn.paper.pieces import Piece, Pieces
from ggn.paper.sections import Claim, Table
from ggn.plot.style import COLOURS
from ggn.steps import Gradient

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BPForms", "claim", "draw", "experiment", "longest_alternation", "shown", "table"]

SIZES, ALPHA, FEW, MANY = (2, 10, 10, 4), 0.01, (20, 40, 60, 80), 1000
TURNS, CEILING = 100, 10.0  # the picture leaves out larger losses
NOTE = (
    "BP with the sum over samples, as Algorithm 1 is printed, and with the mean of eq. 6, both "
    f"with α = {ALPHA}. Longest: for how many iterations in a row J rises and falls by turns. "
    "`fig1c_bp.csv` has more digits."
)


@dataclass(frozen=True)
class BPForms:
    """Losses of BP; a run is a number of samples T and a draw of data and weights.

    Attributes
    ----------
    runs : list of tuple of int
        (T, draw) of each run, those of `MANY` samples last.
    losses : list of dict of str to ndarray
        J after each iteration, by "sum" and "mean".
    """

    runs: list[tuple[int, int]]
    losses: list[dict[str, np.ndarray]]

    def few(self, form: str) -> list[np.ndarray]:
        """Return the losses of the runs of few samples."""
        return [J[form] for (T, _), J in zip(self.runs, self.losses, strict=True) if T in FEW]

    def many(self, form: str) -> list[np.ndarray]:
        """Return the losses of the runs of `MANY` samples."""
        return [J[form] for (T, _), J in zip(self.runs, self.losses, strict=True) if T == MANY]


def longest_alternation(J: np.ndarray) -> int:
    """Return for how many iterations in a row J rises and falls by turns.

    Examples
    --------
    >>> longest_alternation(np.array([9.0, 5.0, 4.0, 3.0, 3.5, 2.0, 2.5, 2.6]))
    4
    """
    turns = np.diff((np.diff(J) > 0.0).astype(int)) != 0
    longest = run = 0
    for turn in turns:
        run = run + 1 if turn else 0
        longest = max(longest, run)
    return longest + 1 if longest else 0


def experiment(
    pieces: Pieces | None = None, seed: int = 0, draws: int = 2, iterations: int = 20760
) -> BPForms:
    """Run both forms on 20 to 80 samples, and for a twentieth of the iterations on 1000.

    Parameters
    ----------
    pieces : Pieces, optional
        Where results are kept; by default nowhere.
    seed : int, default 0
    draws : int, default 2
        Of data and weights, for each number of samples; one for 1000.
    iterations : int, default 20760

    Examples
    --------
    >>> from ggn.paper import bp_forms
    >>> found = bp_forms.experiment(draws=1, iterations=20)
    >>> found.runs[-1], [len(J) for J in found.few("mean")]
    ((1000, 0), [21, 21, 21, 21])
    """
    runs = [(T, draw) for T in FEW for draw in range(draws)] + [(MANY, 0)]
    arguments = [(seed, T, draw, iterations if T in FEW else iterations // 20) for T, draw in runs]
    return BPForms(runs, (pieces or Pieces()).map("fig1c_bp", _both, arguments))


def _both(seed: int, T: int, draw: int, iterations: int) -> Piece:
    rng = np.random.default_rng([seed, T, draw])
    X, Y = problems.four_regions(T, rng, one_hot=True)
    net = MLP(SIZES, "sigmoid")
    w0, found = net.initial_weights(rng), {}
    for form, alpha in (("sum", ALPHA * T), ("mean", ALPHA)):
        fit = train(
            net,
            X,
            Y,
            Squared(),
            w0=w0,
            step=Gradient(),
            damping=Undamped(alpha),
            max_iter=iterations,
            tol=0.0,
        )
        pass_on_interrupt(fit)
        found[form] = fit.history.loss
    return found


def claim(data: BPForms) -> Claim:
    """Return what becomes of BP's oscillation."""
    last = {form: [J[-len(J) // 4 :] for J in data.few(form)] for form in ("sum", "mean")}
    n = len(last["sum"])
    ever = sum(longest_alternation(J) >= TURNS for J in data.few("sum"))
    late = sum(longest_alternation(J) >= TURNS for J in last["sum"])
    rising = sum(bool((np.diff(J) > 0.0).any()) for J in data.few("mean"))
    (many,), (mean,) = data.many("sum"), data.many("mean")
    diverges = len(many) < len(mean) or not many[-1] < many[0]
    end = f"diverges, {many[-1]:.1g} after {len(many) - 1} iterations" if diverges else "does not"
    return Claim(
        "BP demonstrates strong oscillation towards the end.",
        f"With the sum over samples, as Algorithm 1 is printed, J rises every second iteration "
        f"{TURNS} times in a row in {ever} of {n} runs (T = 20 to 80), in the last quarter in "
        f"{late}; with the mean it ever rises in {rising}. With T = {MANY} the sum {end}.",
        late > n / 2 or (None if ever else False),
        "shown",
    )


def table(data: BPForms) -> Table:
    """Return a row for each run and form."""
    rows = []
    for (T, draw), losses in zip(data.runs, data.losses, strict=True):
        for form, J in losses.items():
            rises, late = np.diff(J) > 0.0, np.diff(J[-len(J) // 4 :]) > 0.0
            row = (T, draw, form, len(J) - 1, float(J[0]), float(J.max()), float(J[-1]))
            rows.append((*row, int(rises.sum()), int(late.sum()), longest_alternation(J)))
    names = ("samples", "draw", "form", "iterations", "start", "largest", "end")
    return Table.of((*names, "rises", "rises_in_last_quarter", "longest_alternation"), rows)


def shown(data: BPForms) -> Table:
    """Return what of `table` the report shows."""
    names = ("samples", "draw", "form", "iterations", "largest J", "end", "rises", "longest")
    rows = [
        (T, draw, form, n, f"{largest:.3g}", f"{end:.3g}", rises, longest)
        for T, draw, form, n, _, largest, end, rises, _, longest in table(data).rows
    ]
    return Table.of(names, rows)


def draw(data: BPForms, ax: Axes) -> None:
    """Draw the sum for draw 0 of each T, and the mean for the least T, where it goes furthest."""
    runs = zip(data.runs, data.losses, strict=True)
    for k, (T, losses) in enumerate((T, losses) for (T, draw), losses in runs if draw == 0):
        colour = COLOURS[(0, 2, 4, 5, 1)[k % 5]]
        J = np.minimum(losses["sum"], 10.0 * CEILING)
        ax.plot(np.arange(len(J)), J, "-", color=colour, linewidth=0.7, label=f"sum, T = {T}")
        if k == 0:
            ax.plot(losses["mean"], "--", color=COLOURS[3], label=f"mean, T = {T}")
    ax.set(yscale="log", ylim=(None, CEILING), xlabel="iteration", ylabel="loss J")
    ax.set_title("BP: sum and mean over samples")
    ax.legend(loc="upper right", ncols=2, fontsize="small")
