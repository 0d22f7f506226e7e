"""Fig. 1(c): the picture and the section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ggn.paper import bp_forms
from ggn.paper.fig1c import ALPHA, METHODS, SAMPLES, Fig1c
from ggn.paper.fig1c_claims import claims
from ggn.paper.sections import Section, Table, markdown
from ggn.plot.style import COLOURS, LINES, figure
from ggn.validation import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "section"]


def draw(data: Fig1c) -> Figure:
    """Draw losses against iterations and seconds, run 0 in front, and BP's two forms."""
    with figure(1, 3, (13.2, 4.4)) as (picture, axes):
        for ax, against in zip(axes[0], ("iteration", "seconds"), strict=False):
            for k, (method, label) in enumerate(METHODS.items()):
                for run in reversed(range(len(data.losses))):
                    J, seconds = data.losses[run][method], data.seconds[run][method]
                    if method == "bp" and against == "seconds":
                        J = np.concatenate([J, data.tails[run][0]])
                        seconds = np.concatenate([seconds, data.tails[run][1]])
                    x = np.arange(len(J)) if against == "iteration" else seconds
                    ax.plot(
                        x,
                        J,
                        color=COLOURS[k],
                        linestyle=LINES[k],
                        linewidth=2.0 if run == 0 else 0.7,
                        alpha=1.0 if run == 0 else 0.5,
                        label=label if run == 0 else None,
                    )
            ax.set_yscale("log")
            ax.set_ylabel("loss J")
        left, middle, right = axes[0]
        left.set(xlabel="iteration", xlim=(0, data.iterations), title="by iteration")
        middle.set(xlabel="time (s)", xlim=(0.0, data.seconds[0]["ggn"][-1]), title="by time")
        middle.legend()
        bp_forms.draw(data.forms, right)
    return picture


def section(data: Fig1c) -> Section:
    """Return what the report says."""
    ggn = [run["ggn"] for run in data.losses]
    rows: dict[str, list[Any]] = {
        "run": list(range(len(ggn))),
        "start": [f"{J[0]:.3g}" for J in ggn],
        "GGN, largest": [f"{J.max():.3g} at {J.argmax()}" for J in ggn],
        "GGN, end": [f"{J[-1]:.3g}" for J in ggn],
        "BP, as long": [f"{data.bp_meanwhile(run)[0]:.3g}" for run in range(len(ggn))],
        "LM, end": [f"{run['lm'].min():.3g}" for run in data.losses],
    }
    notes = [
        markdown(Table(rows)),
        "With Levenberg-Marquardt damping (default of this library) the loss cannot rise. "
        "`fig1c.csv` has losses by iteration (BP: every tenth), which the seed determines; "
        "`fig1c_timing.csv` has the times, which it does not.",
    ]
    tables = {"fig1c.csv": _losses(data)}
    if data.forms.runs:
        notes += [markdown(bp_forms.shown(data.forms)), bp_forms.NOTE]
        tables["fig1c_bp.csv"] = bp_forms.table(data.forms)
    return Section(
        "Fig. 1(c): the same step size, the same time",
        f"F(2,10,10,4) with dummy units, sigmoid hidden units, four regions with {SAMPLES} samples "
        f"and one-hot targets; BP and undamped GGN with α = {ALPHA} from the same weights N(0, 1), "
        f"{data.iterations} iterations of GGN; {count(len(ggn), 'run')}. The normal matrix is "
        "singular to rounding, so GGN takes its pseudo-inverse. The paper does not say which "
        "activation it took, nor how many samples.",
        claims(data),
        notes,
        tables,
        {"fig1c_timing.csv": _timing(data)},
    )


def _losses(data: Fig1c) -> Table:
    rows = [
        (run, method, k, float(J[k]))
        for run, losses in enumerate(data.losses)
        for method, J in losses.items()
        for k in range(0, len(J), 10 if method == "bp" else 1)
    ]
    return Table.of(("run", "method", "iteration", "loss"), rows)


def _timing(data: Fig1c) -> Table:
    """Return a row for each run and method."""
    rows = []
    for run, seconds in enumerate(data.seconds):
        for method, t in seconds.items():
            rows.append((run, method, len(t) - 1, float(t[-1]), float(np.median(np.diff(t)))))
        J, t = data.tails[run]
        if len(J):
            each = np.diff(t, prepend=seconds["bp"][-1])  # of one iteration, too
            rows.append((run, "bp, going on", len(t), float(t[-1]), float(np.median(each))))
    names = ("run", "method", "iterations", "seconds", "seconds_per_iteration")
    return Table.of(names, rows)
