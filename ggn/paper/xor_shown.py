"""What the report shows of XOR: where starts end, a slice of the surface, ranks on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ggn import problems
from ggn.fit.convergence import EXACT
from ggn.linearization import linearize
from ggn.network import MLP
from ggn.paper.rates import all_above, every
from ggn.paper.sections import Claim, Section, Table, markdown, tally
from ggn.paper.xor import CASES, ENDS, FOLLOWED, MAX_ITER, METHODS, RUNAWAY, Case, Xor
from ggn.plot.style import COLOURS, LINES, MARKERS, figure
from ggn.plot.surfaces import plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "section"]

MOST_SHOWN = 25  # iterations; undamped runs are over by then
RUN = (*Case._fields, "start")  # the columns that tell runs apart


def draw(data: Xor) -> Figure:
    """Draw how often each end is met, a slice of the surface through three ends, and ranks."""
    with figure(2, 2, (11.5, 8.8)) as (picture, axes):
        _bars(axes[0, 0], data)
        _slice(axes[0, 1], data)
        for hidden, ax in zip((2, 3), axes[1], strict=True):
            _ranks(ax, data, Case(hidden, "sigmoid", "undamped"))
    return picture


def _bars(ax: Axes, data: Xor) -> None:
    bottom = np.zeros(len(CASES))
    hatches = ("", "///", "...", "xx", "")
    shades = ("white", *COLOURS[:3], "black")
    for end, hatch, shade in zip(ENDS, hatches, shades, strict=True):
        share = np.array([100.0 * data.rate(case, end).k / data.starts for case in CASES])
        ax.bar(
            range(len(CASES)),
            share,
            bottom=bottom,
            width=0.6,
            color=shade,
            alpha=0.8,
            hatch=hatch,
            edgecolor="black",
            label=f"J = {end}" if end != "other" else "other",
        )
        bottom += share
    ax.set_xticks(range(len(CASES)), [f"{case.hidden}\n{case.activation}" for case in CASES])
    ax.grid(visible=False, axis="x")
    ax.axvline(len(CASES) / len(METHODS) - 0.5, color="black", linestyle=":", linewidth=1.0)
    ax.set(ylabel="starts (%)", title=f"where {data.starts} starts of each F(2,h,1) end")
    ax.set_xlabel(f"hidden units h and activation; from left to right {', '.join(METHODS)}")
    ax.set_ylim(0.0, 100.0)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=5, fontsize=9.0, columnspacing=1.0
    )


def _slice(ax: Axes, data: Xor) -> None:
    """Draw J on the plane through three ends of F(2,2,1), in the weights' own distances."""
    ends = data.ends
    ax.set_title("F(2,2,1), sigmoid: the plane through three ends")
    if len(ends) < len(FOLLOWED):
        ax.text(0.5, 0.5, "not all three ends were met", ha="center", transform=ax.transAxes)
        return
    # the runaway ends are far: their directions are kept, and three times the exact fit's norm
    reach = 3.0 * float(np.linalg.norm(ends["0"]))
    corners = [w * min(1.0, reach / float(np.linalg.norm(w))) for w in ends.values()]
    centre = np.mean(corners, axis=0)
    axes, _ = np.linalg.qr(np.stack([corner - centre for corner in corners[:2]], axis=1))
    places = np.array([(corner - centre) @ axes for corner in corners])
    X, Y = problems.xor()
    at = linearize(MLP((2, 2, 1), "sigmoid"), centre, X, Y)
    plane(at, axes[:, 0], axes[:, 1], 1.3 * float(np.abs(places).max()), 121, ax)
    ax.lines[-1].remove()  # the centre is no point of interest here
    for end, place, marker in zip(ends, places, MARKERS, strict=False):
        ax.plot(
            *place, linestyle="none", marker=marker, markersize=8.0,
            color="white", markeredgecolor="black",
            label="J = 0" if end == "0" else f"towards J = {end}",
        )  # fmt: skip
    ax.set(xlabel="distance in weight space", ylabel="distance in weight space")
    ax.set_aspect("equal")
    ax.legend(fontsize=9.0)


def _ranks(ax: Axes, data: Xor, case: Case) -> None:
    """Draw mean ranks of P_1 and P_2 by iterate, over the runs to J = 0 and over the others."""
    longest = 1
    groups = (("to J = 0", ["0"]), ("ending above", [end for end in ENDS if end != "0"]))
    for k, (goal, ends) in enumerate(groups):
        paths = data.paths(case, ends)
        if not paths:
            continue
        length = max(map(len, paths))
        longest = max(longest, length)
        # a run that is over keeps the ranks of its end
        filled = [np.pad(path, ((0, length - len(path)), (0, 0)), mode="edge") for path in paths]
        mean = np.mean(filled, axis=0)
        for block, (name, width) in enumerate((("P$_1$", 2.4), ("P$_2$", 1.1))):
            ax.step(
                np.arange(length),
                mean[:, block],
                where="post",
                color=COLOURS[k],
                linestyle=LINES[k],
                linewidth=width,
                label=f"{name}, {len(paths)} runs {goal}",
            )
    ax.set(xlabel="iteration", ylabel="mean rank", ylim=(0.0, 5.4))
    ax.set_title(f"{case}, {case.method}: ranks of the row blocks")
    ax.set_yticks(range(5))
    ax.set_xlim(0.0, min(longest, MOST_SHOWN))
    ax.legend(ncols=2, fontsize=8.0, loc="upper center")


def section(data: Xor) -> Section:
    """Return what the report says."""
    columns = data.columns
    above, away = columns["end"] != "0", np.isin(columns["end"], RUNAWAY)
    lost, followed, broken = _premise(data)
    verdicts = {m: columns["verdict"][away & (columns["method"] == m)].tolist() for m in METHODS}
    rarer = every(
        [all_above([data.rate(c._replace(hidden=3))], [data.rate(c)]) for c in CASES if c[0] == 2]
    )
    claims = [
        Claim(
            "rank Φ_1 >= n1 by construction, hence rank P >= 2 for F(2,2,1) and rank P >= 3 for "
            "F(2,3,1) (Prop. 6).",
            f"It is a premise on the weights: of {followed} starts followed, {lost} lose it on "
            f"their way. Where it holds, rank P is less than n1 at {broken} iterates.",
            lost == 0 and broken == 0,
            "2 and 3",
        ),
        Claim(
            "Expected: one hidden unit more than needed makes ends above J = 0 rarer.",
            "J = 0 from "
            + "; ".join(f"{case} {case.method} {data.rate(case)}" for case in CASES)
            + ".",
            rarer,
        ),
        Claim(
            "Expected: J = 1/8 and 1/6 are infima at infinity with saturated units, not finite "
            "local minima.",
            "Verdicts on runs that end there: "
            + "; ".join(f"{method}, {tally(found)}" for method, found in verdicts.items())
            + f". Their largest weight is {_median(columns['largest'][away])} in the median, that "
            f"of the runs to J = 0 {_median(columns['largest'][~above])}.",
            _runaway(verdicts),
        ),
    ]
    rows = []
    for case in CASES:
        ends = data.of(case, "end")
        for end in ENDS:
            met = ends == end
            if not met.any():
                continue
            least = [path.min(axis=0) for path in data.paths(case, [end])]
            ranks = [f"{r:.2f}" for r in np.mean(least, axis=0)[[0, 1, 3]]] if least else ["-"] * 3
            rows.append(
                (
                    case,
                    case.method,
                    end,
                    data.rate(case, end),
                    tally(data.of(case, "verdict")[met]),
                    _median(data.of(case, "largest")[met]),
                    *ranks,
                )
            )
    names = ("network", "damping", "J", "starts", "verdicts", "largest weight",
             "least rank of P_1", "of P_2", "of P")  # fmt: skip
    summary = Table.of(names, rows)
    return Section(
        "XOR: the surface of F(2,2,1) and F(2,3,1)",
        "The four samples of XOR, dummy units, linear output; undamped GGN with α = 1 and GGN with "
        "Levenberg-Marquardt damping (LM) from the same weights N(0, 1), at most "
        f"{MAX_ITER} iterations, {data.starts} starts of each.",
        claims,
        [markdown(summary),
         "The largest weight is a median over runs, the least ranks are means, over the starts "
         "followed, of the least rank on the way; 4 is full for P. An end belongs to a value if "
         f"it is within a thousandth of it (to 0, if J < {EXACT:g}). `xor.csv` has every start, "
         "`xor_ranks.csv` every iterate of those followed."],
        {"xor.csv": Table({key: values.tolist() for key, values in columns.items()}),
         "xor_ranks.csv": Table({key: values.tolist() for key, values in data.ranks.items()})},
    )  # fmt: skip


def _runaway(verdicts: dict[str, list[str]]) -> bool | None:
    """Return whether damped runs are told to run away; no if any run is called a minimum.

    Undamped runs end at weights so large that every σ' is zero, and little can be told.
    """
    if {"LOCAL_MINIMUM", "GLOBAL_MINIMUM"} & {
        name for found in verdicts.values() for name in found
    }:
        return False
    damped = verdicts["LM"]
    return True if damped and damped.count("RUNAWAY") >= 0.95 * len(damped) else None


def _median(values: np.ndarray) -> str:
    return f"{np.median(values):.2g}" if len(values) else "-"


def _premise(data: Xor) -> tuple[int, int, int]:
    """Return how many starts lose the premise, of how many, and iterates where it does not do."""
    ranks = data.ranks
    premise, bound = ranks["phi1"] >= ranks["hidden"], ranks["p"] >= ranks["hidden"]
    runs = np.stack([np.unique(ranks[k], return_inverse=True)[1] for k in RUN], axis=1)
    return (
        len(np.unique(runs[~premise], axis=0)),
        len(np.unique(runs, axis=0)),
        int((premise & ~bound).sum()),
    )
