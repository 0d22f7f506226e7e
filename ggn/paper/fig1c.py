"""Fig. 1(c): backpropagation and GGN at the same step size and for the same time.

F(2,10,10,4), dummy units, sigmoid, four regions with T = 1000 and one-hot targets:

    BP     w - alpha ∇J
    GGN    w - alpha (P H_E Pᵀ)⁺ ∇J,   ⁺ the pseudo-inverse

both with alpha = 0.01, and Levenberg-Marquardt damping, which the paper does not run.

Losses by iteration depend on the seed alone.  BP is given the paper's ratio of times,
21.4 iterations for one of GGN; where that is less than the time GGN takes here, it goes
on until it has had as much, and what it reaches then stands with the timings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ggn import problems
from ggn.damping import Damping, LevenbergMarquardt, Undamped
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.network import MLP
from ggn.paper.pieces import Piece, Pieces
from ggn.paper.pseudo_inverse import PseudoInverse
from ggn.paper.sections import Claim, Section, Table, markdown
from ggn.plot.style import COLOURS, LINES, figure
from ggn.steps import Gradient, Step
from ggn.validation import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["METHODS", "Fig1c", "draw", "experiment", "section"]

SIZES, SAMPLES, ALPHA, RATIO = (2, 10, 10, 4), 1000, 0.01, 21.4
METHODS = {"bp": "BP", "ggn": "GGN", "lm": "GGN, Levenberg-Marquardt"}


@dataclass(frozen=True)
class Fig1c:
    """Runs of Fig. 1(c), each from data and weights of its own; arrays by method.

    Attributes
    ----------
    iterations : int
        Of GGN.
    losses : list of dict of str to ndarray
        For each run, J after each iteration.
    seconds : list of dict of str to ndarray
        The time of each.
    tails : list of tuple of ndarray
        BP beyond that: losses and seconds.
    """

    iterations: int
    losses: list[dict[str, np.ndarray]]
    seconds: list[dict[str, np.ndarray]]
    tails: list[tuple[np.ndarray, np.ndarray]]

    def per_iteration(self, method: str) -> float:
        """Return the time of an undisturbed iteration in seconds: a tenth of all took less."""
        times = np.concatenate([np.diff(run[method]) for run in self.seconds])
        return float(np.quantile(times, 0.1))

    def bp_meanwhile(self, run: int) -> float:
        """Return the loss that BP has reached when GGN ends."""
        ends = self.seconds[run]["ggn"][-1]
        losses = np.concatenate([self.losses[run]["bp"], self.tails[run][0]])
        seconds = np.concatenate([self.seconds[run]["bp"], self.tails[run][1]])
        return float(losses[seconds <= ends][-1])


def experiment(
    pieces: Pieces | None = None, seed: int = 0, runs: int = 5, iterations: int = 1000
) -> Fig1c:
    """Run Fig. 1(c), one run after the other, for they are timed.

    Parameters
    ----------
    pieces : Pieces, optional
        Where results are kept; by default nowhere.
    seed : int, default 0
    runs : int, default 5
    iterations : int, default 1000
        Of GGN.

    Examples
    --------
    >>> from ggn.paper import fig1c
    >>> found = fig1c.experiment(runs=1, iterations=5)
    >>> {method: len(J) for method, J in found.losses[0].items()}
    {'bp': 108, 'ggn': 6, 'lm': 6}
    """
    arguments = [(seed, run, iterations) for run in range(runs)]
    done = (pieces or Pieces()).map("fig1c", _race, arguments, jobs=1)
    return Fig1c(
        iterations,
        [{method: p[f"{method}_losses"] for method in METHODS} for p in done],
        [{method: p[f"{method}_seconds"] for method in METHODS} for p in done],
        [(p["tail_losses"], p["tail_seconds"]) for p in done],
    )


def _race(seed: int, run: int, iterations: int) -> Piece:
    rng = np.random.default_rng([seed, run])
    X, Y = problems.four_regions(SAMPLES, rng, one_hot=True)
    net = MLP(SIZES, "sigmoid")
    w0 = net.initial_weights(rng)
    paper = Undamped(ALPHA)

    def go(
        w: np.ndarray, step: str | Step, damping: Damping, n: int, seconds: float = np.inf
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the last weights, losses and seconds."""
        last = [w]
        result = train(
            net,
            X,
            Y,
            w0=w,
            step=step,
            damping=damping,
            max_iter=n,
            max_seconds=seconds,
            tol=0.0,
            callback=lambda w: last.__setitem__(0, w),
        )
        pass_on_interrupt(result)
        return last[0], result.history.loss, result.history.seconds

    _, ggn_losses, ggn_seconds = go(w0, PseudoInverse(), paper, iterations)
    w, bp_losses, bp_seconds = go(w0, Gradient(), paper, round(RATIO * iterations))
    _, lm_losses, lm_seconds = go(w0, "auto", LevenbergMarquardt(), iterations)
    tail_losses, tail_seconds = np.empty(0), np.empty(0)
    missing = ggn_seconds[-1] - bp_seconds[-1]
    if missing > 0.0:
        _, tail_losses, tail_seconds = go(w, Gradient(), paper, 10**9, missing)
        tail_losses, tail_seconds = tail_losses[1:], tail_seconds[1:] + bp_seconds[-1]
    return {
        "bp_losses": bp_losses,
        "bp_seconds": bp_seconds,
        "ggn_losses": ggn_losses,
        "ggn_seconds": ggn_seconds,
        "lm_losses": lm_losses,
        "lm_seconds": lm_seconds,
        "tail_losses": tail_losses,
        "tail_seconds": tail_seconds,
    }


def draw(data: Fig1c) -> Figure:
    """Draw losses against iterations and against seconds: run 0 in front, the others thin."""
    with figure(1, 2, (9.6, 4.4)) as (picture, axes):
        for ax, against in zip(axes[0], ("iteration", "seconds"), strict=True):
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
        left, right = axes[0]
        left.set(xlabel="iteration", xlim=(0, data.iterations), title="by iteration")
        right.set(xlabel="time (s)", xlim=(0.0, data.seconds[0]["ggn"][-1]), title="by time")
        right.legend()
    return picture


def section(data: Fig1c) -> Section:
    """Return what the report says."""
    runs = range(len(data.losses))
    per = {method: data.per_iteration(method) for method in METHODS}
    ratio = per["ggn"] / per["bp"]
    ggn = [run["ggn"] for run in data.losses]
    rises = [bool(J.max() > J[0]) for J in ggn]
    falls = [bool(J[-1] < 0.1 * J[0]) for J in ggn]
    ahead = [bool(ggn[run][-1] < data.bp_meanwhile(run)) for run in runs]
    n = len(ggn)
    claims = [
        Claim(
            "GGN at α = 0.01 first rises, then converges.",
            f"The loss rises above its start in {sum(rises)} of {n} runs, by a factor of "
            f"{np.median([J.max() / J[0] for J in ggn]):.2g} in the median, and ends below a tenth "
            f"of its start in {sum(falls)}.",
            all(rises) and all(falls),
        ),
        Claim(
            "Given the same time, GGN reaches a smaller loss than BP.",
            f"So in {sum(ahead)} of {n} runs: "
            + ", ".join(f"{ggn[run][-1]:.2g} against {data.bp_meanwhile(run):.2g}" for run in runs)
            + ".",
            sum(ahead) > n / 2,
        ),
        Claim(
            f"An iteration of GGN takes {RATIO} times as long as one of BP.",
            f"{ratio:.1f} times here ({1e3 * per['ggn']:.2f} ms and {1e3 * per['bp']:.3f} ms); "
            f"with Levenberg-Marquardt damping, whose matrix has a Cholesky factor, "
            f"{per['lm'] / per['bp']:.1f} times. (Within a factor of two counts as holding.)",
            0.5 < ratio / RATIO < 2.0,
        ),
    ]
    rows: dict[str, list[Any]] = {
        "run": list(runs),
        "start": [f"{J[0]:.3g}" for J in ggn],
        "GGN, largest": [f"{J.max():.3g} at {J.argmax()}" for J in ggn],
        "GGN, end": [f"{J[-1]:.3g}" for J in ggn],
        "BP, as long": [f"{data.bp_meanwhile(run):.3g}" for run in runs],
        "LM, end": [f"{run['lm'].min():.3g}" for run in data.losses],
    }
    return Section(
        "Fig. 1(c): the same step size, the same time",
        f"F(2,10,10,4) with dummy units, sigmoid hidden units, four regions with {SAMPLES} samples "
        f"and one-hot targets; BP and undamped GGN with α = {ALPHA} from the same weights N(0, 1), "
        f"{data.iterations} iterations of GGN; {count(n, 'run')}. The normal matrix is singular to "
        "rounding, so GGN takes its pseudo-inverse. The paper does not say which activation it "
        "took.",
        claims,
        [markdown(Table(rows)),
         "With Levenberg-Marquardt damping (default of this library) the loss cannot rise. "
         "`fig1c.csv` has losses by iteration (BP: every tenth), which the seed determines; "
         "`fig1c_timing.csv` has the times, which it does not."],
        {"fig1c.csv": _losses(data)},
        {"fig1c_timing.csv": _timing(data)},
    )  # fmt: skip


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
            rows.append((run, "bp, going on", len(t), float(t[-1]), float(np.median(np.diff(t)))))
    names = ("run", "method", "iterations", "seconds", "seconds_per_iteration")
    return Table.of(names, rows)
