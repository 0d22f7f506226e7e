"""The methods that the paper names, beside GGN: the picture and the section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ggn.paper.baselines import ALPHA, CHEAP, METHODS, SAMPLES, STEP_SIZES, Baselines
from ggn.paper.sections import Claim, Section, Table, markdown
from ggn.plot.style import COLOURS, figure
from ggn.validation import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "section"]

BLUE, RED, GREEN, BLACK, PINK, AMBER = COLOURS
# the GGN matrix and its parts are solid, gradients dashed, SciPy's dash-dotted
LOOKS: dict[str, tuple[str, Any]] = {
    "LM": (BLUE, "-"),
    "GGN, α = 0.1": (BLACK, "-"),
    "block-diagonal": (GREEN, "-"),
    "diagonal": (RED, "-"),
    "EKF": (PINK, "-"),
    "BFGS": (BLUE, "-."),
    "L-BFGS": (GREEN, "-."),
    "CG": (RED, "-."),
    "Adam": (BLACK, "--"),
    "momentum": (PINK, "--"),
    "BP, mean": (AMBER, "--"),
    "BP, sum": (AMBER, ":"),
}
FLOOR, QUICK = 1e-9, 1e-3  # what the picture leaves out, of losses and of seconds


def draw(data: Baselines) -> Figure:
    """Draw the least loss so far of run 0 against iterations and against seconds."""
    with figure(1, 2, (11.0, 4.8)) as (picture, axes):
        left, right = axes[0]
        for name, (colour, line) in LOOKS.items():
            losses, seconds = data.paths[0][name]
            k, least = np.arange(len(losses)), np.fmin.accumulate(losses)
            for ax, x in ((left, k), (right, seconds)):
                ax.plot(x[1:], least[1:], color=colour, linestyle=line, label=name, linewidth=1.6)
        lowest = min(float(np.nanmin(losses)) for losses, _ in data.paths[0].values())
        for ax in (left, right):
            ax.set(xscale="log", yscale="log", ylim=(max(0.5 * lowest, FLOOR), None))
        left.set(xlabel="iteration", ylabel="least loss J so far", title="by iteration")
        right.set(xlabel="time (s)", title="by time", xlim=(QUICK, None))
        picture.legend(*left.get_legend_handles_labels(), loc="outside right center")
    return picture


def section(data: Baselines) -> Section:
    """Return what the report says."""
    least = {name: data.least(name) for name in METHODS}
    n = len(data.paths)
    parts = {
        "all of it (LM)": "LM",
        "its layers' blocks": "block-diagonal",
        "its diagonal": "diagonal",
    }
    others = [name for name in METHODS if name not in ("LM", "GGN, α = 0.1")]
    ahead = [run for run in range(n) if all(least["LM"][run] < least[k][run] for k in others)]
    ordered = (least["LM"] < least["block-diagonal"]) & (
        least["block-diagonal"] < least["diagonal"]
    )
    claims = [
        Claim(
            "Expected: the diagonal, or the blocks of layers, lose the speed of the GGN matrix.",
            "Least loss in the median, with the same damping: "
            + ", ".join(f"{label} {np.median(least[name]):.2g}" for label, name in parts.items())
            + f"; in this order in {ordered.sum()} of {count(n, 'run')}. (The diagonal had {CHEAP} "
            "times as many iterations.)",
            bool(ordered.all()) or (None if ordered.any() else False),
        ),
        Claim(
            "Expected: no method without the GGN matrix comes as far.",
            f"Damped GGN (LM) ends lowest in {len(ahead)} of {count(n, 'run')}; the next is "
            + _next(least, others),
            len(ahead) == n or (None if ahead else False),
        ),
    ]
    rows = [
        (
            name,
            len(data.paths[0][name][0]) - 1,
            *(f"{J:.2g}" for J in (np.median(least[name]), least[name].min(), least[name].max())),
        )
        for name in LOOKS
    ]
    return Section(
        "The methods that the paper names",
        f"F(2,10,10,4) with dummy units, sigmoid, four regions with {SAMPLES} samples and one-hot "
        f"targets, from N(0, 1); {count(n, 'run')}, {data.iterations} iterations of GGN. BP has "
        f"α = {ALPHA}, with the mean over samples and, as Algorithm 1 is printed, with the sum; "
        "momentum (0.9) and Adam take the best of the step sizes "
        f"{', '.join(map(str, STEP_SIZES))} for each run, all samples at once. CG, BFGS and L-BFGS "
        "are SciPy's; EKF is the extended Kalman filter of Singhal & Wu, a pass over the samples "
        "an iteration. The step of undamped GGN is that of the pseudo-inverse.",
        claims,
        [
            markdown(
                Table.of(("method", "iterations", "least J, median", "lowest", "highest"), rows)
            ),
            "Iterations are those of run 0. Seconds depend on how a method is written, SciPy's "
            "and the filter's on Python; `baselines_timing.csv` has them.",
        ],
        {"baselines.csv": _losses(data)},
        {"baselines_timing.csv": _timing(data)},
    )


def _next(least: dict[str, np.ndarray], others: list[str]) -> str:
    medians = {name: float(np.median(least[name])) for name in others}
    best = min(medians, key=lambda name: medians[name])
    return f"{best}, {medians[best]:.2g} against {np.median(least['LM']):.2g} in the median."


def _losses(data: Baselines) -> Table:
    """Return losses at iterations 0, 1, 2, 4, 8 ... and the last."""
    rows = []
    for run, paths in enumerate(data.paths):
        for name, (losses, _) in paths.items():
            last = len(losses) - 1
            shown = [0, *(1 << k for k in range(20) if 1 << k < last), last]
            rows += [(run, name, k, float(losses[k])) for k in shown]
    return Table.of(("run", "method", "iteration", "loss"), rows)


def _timing(data: Baselines) -> Table:
    rows = [
        (run, name, len(losses) - 1, float(seconds[-1]), float(seconds[-1]) / (len(losses) - 1))
        for run, paths in enumerate(data.paths)
        for name, (losses, seconds) in paths.items()
    ]
    names = ("run", "method", "iterations", "seconds", "seconds_per_iteration")
    return Table.of(names, rows)
