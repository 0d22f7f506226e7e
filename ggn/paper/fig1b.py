"""Fig. 1(b): five activations, how often each is fitted exactly, and what ails the rest.

F(2,20,1), dummy units, four regions with T = 20, undamped, alpha = 1.  An exact fit
needs P of full column rank T·nL (Prop. 1); where σ' vanishes, P loses its rows and rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ggn import problems
from ggn.damping import Undamped
from ggn.fit.convergence import EXACT
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.network import MLP
from ggn.paper.observe import look, rank_and_slope, verdict_of
from ggn.paper.pieces import Piece, Pieces, as_columns, joined
from ggn.paper.rates import Rate, all_above
from ggn.paper.sections import Claim, Section, Table, markdown, tally
from ggn.plot.style import COLOURS, figure, log_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ACTIVATIONS", "Fig1b", "draw", "experiment", "section"]

ACTIVATIONS = ("sigmoid", "tanh", "softsign", "softplus", "bent_identity")
WORSE, BETTER = ACTIVATIONS[:2], ACTIVATIONS[2:]
SIZES, SAMPLES, MAX_ITER = (2, 20, 1), 20, 200
BATCH = 10  # runs to a piece


@dataclass(frozen=True)
class Fig1b:
    """Runs of Fig. 1(b); run k has the same data and initial weights for all activations.

    Attributes
    ----------
    runs : int
        Of each activation.
    columns : dict of str to ndarray, (5 · runs,)
        activation, run, iterations, loss (least J reached), verdict ("" for exact fits); at
        the end rank, flat, flat_units, largest (as of `observe.End`); along the path
        least_rank, least_slope.
    """

    runs: int
    columns: dict[str, np.ndarray]

    def of(self, activation: str, name: str) -> np.ndarray:
        """Return a column for one activation."""
        return self.columns[name][self.columns["activation"] == activation]

    def exact(self, activation: str) -> np.ndarray:
        """Whether each run of an activation ended in an exact fit."""
        return np.asarray(self.of(activation, "loss") < EXACT)

    def rate(self, activation: str) -> Rate:
        """Return how often an activation was fitted exactly."""
        return Rate(int(self.exact(activation).sum()), self.runs)


def experiment(pieces: Pieces | None = None, seed: int = 0, runs: int = 100) -> Fig1b:
    """Run Fig. 1(b).

    Parameters
    ----------
    pieces : Pieces, optional
        Where results are kept, and how many processes work; by default neither.
    seed : int, default 0
    runs : int, default 100
        Of each activation.

    Examples
    --------
    >>> from ggn.paper import fig1b
    >>> found = fig1b.experiment(runs=2)
    >>> print(found.rate("bent_identity").k)
    2
    """
    arguments = [
        (seed, name, start, min(start + BATCH, runs))
        for name in ACTIVATIONS
        for start in range(0, runs, BATCH)
    ]
    done = (pieces or Pieces()).map("fig1b", _batch, arguments)
    return Fig1b(runs, joined(done))


def _batch(seed: int, activation: str, start: int, stop: int) -> Piece:
    return as_columns([_run(seed, activation, run) for run in range(start, stop)])


def _run(seed: int, activation: str, run: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, run])
    X, Y = problems.four_regions(SAMPLES, rng)
    net = MLP(SIZES, activation)
    w0 = net.initial_weights(rng)
    seen = [rank_and_slope(net, w0, X)]
    result = train(
        net,
        X,
        Y,
        w0=w0,
        damping=Undamped(1.0),
        max_iter=MAX_ITER,
        tol=0.0,
        loss_target=1e-6 * EXACT,
        callback=lambda w: seen.append(rank_and_slope(net, w, X)),
    )
    pass_on_interrupt(result)
    end = look(net, result.w, X)
    return {
        "activation": activation,
        "run": run,
        "iterations": result.nit,
        "loss": result.fun,
        "verdict": "" if result.fun < EXACT else verdict_of(net, result.w, X, Y),
        "rank": end.rank,
        "least_rank": min(rank for rank, _ in seen),
        "least_slope": min(slope for _, slope in seen),
        "flat": end.flat,
        "flat_units": end.flat_units,
        "largest": end.largest,
    }


def draw(data: Fig1b) -> Figure:
    """Draw the end values of J as boxes, and of each run the smallest σ' and rank on its way."""
    with figure(1, 3, (13.0, 4.4)) as (picture, axes):
        boxes, slopes, ranks = axes[0]
        J = [np.log10(np.maximum(data.of(name, "loss"), 1e-34)) for name in ACTIVATIONS]
        boxes.boxplot(J, widths=0.5, medianprops={"color": "black", "linewidth": 2.0})
        boxes.axhline(np.log10(EXACT), color="black", linestyle="--", linewidth=1.0)
        for place, name in enumerate(ACTIVATIONS, start=1):
            boxes.annotate(
                f"{data.rate(name).k}/{data.runs}",
                (place, 1.0),
                xycoords=("data", "axes fraction"),
                ha="center",
                va="bottom",
            )
        boxes.set_ylabel("log₁₀ of the final loss J; exact fits below the dashed line")
        boxes.set_title("runs fitted exactly", pad=20.0)
        least = [np.maximum(data.of(name, "least_slope"), 1e-40) for name in ACTIVATIONS]
        _strips(slopes, data, least)
        log_scale(slopes, least)
        slopes.set_ylabel("smallest σ' on the way (1e-40: or less)")
        _strips(ranks, data, [data.of(name, "least_rank") for name in ACTIVATIONS])
        ranks.set_ylabel(f"smallest rank of P on the way ({SAMPLES}: full)")
        ranks.set_ylim(-0.5, SAMPLES + 1.0)
        ranks.set_yticks(range(0, SAMPLES + 1, 5))
        ranks.legend(loc="lower right")
        for ax in axes[0]:
            names = [name.replace("_", "\n") for name in ACTIVATIONS]
            ax.set_xticks(range(1, len(names) + 1), names)
            ax.set_xlabel("activation")
    return picture


def _strips(ax: Axes, data: Fig1b, values: list[np.ndarray]) -> None:
    """Draw each run as a dot beside its activation: left and full if exact, else hollow."""
    for place, (name, value) in enumerate(zip(ACTIVATIONS, values, strict=True), start=1):
        exact = data.exact(name)
        spread = 0.16 * np.linspace(-1.0, 1.0, data.runs)
        for chosen, shift, marker, face, colour, label in (
            (exact, -0.2, "o", COLOURS[0], COLOURS[0], "exact fit"),
            (~exact, 0.2, "^", "none", COLOURS[1], "no exact fit"),
        ):
            ax.plot(
                (place + shift + spread)[chosen],
                value[chosen],
                linestyle="none",
                marker=marker,
                markersize=4.0,
                color=colour,
                markerfacecolor=face,
                label=label if place == 1 else None,
            )


def section(data: Fig1b) -> Section:
    """Return what the report says."""
    rates = {name: data.rate(name) for name in ACTIVATIONS}
    columns = data.columns
    exact, kept = columns["loss"] < EXACT, columns["least_rank"] == SAMPLES
    with_rank, without = Rate(*_count(exact, kept)), _count(exact, ~kept)
    slope = {name: float(np.median(data.of(name, "least_slope"))) for name in ACTIVATIONS}
    ranked = all_above([rates[name] for name in BETTER], [rates[name] for name in WORSE])
    softsign_kept = int((data.of("softsign", "least_rank") == SAMPLES).sum())
    claims = [
        Claim(
            "Bent identity, softplus and softsign learn exactly from nearly every start, sigmoid "
            "and tanh from far fewer.",
            "; ".join(f"{name} {rate}" for name, rate in rates.items())
            + f". The intervals of the two groups {'do not overlap' if ranked else 'overlap'}.",
            ranked,
            "shown, 100 runs each",
        ),
        Claim(
            "P of full column rank lets no critical point be but a global minimum (Prop. 1).",
            f"Where P kept rank {SAMPLES} all the way, {with_rank} fits are exact; where it lost "
            f"rank, {without[0]} of {without[1]}.",
            with_rank.low > 0.9 and (not without[1] or without[0] < 0.5 * without[1]),
        ),
        Claim(
            'Softsign does well, though it is bounded like sigmoid and tanh, "due to some unknown '
            'factors".',
            "One is how its tails fall: σ' = 1/(1 + |z|)² goes down as a power of z, not "
            "exponentially. In the median run the smallest σ' on the way is "
            f"{slope['softsign']:.0e} (sigmoid {slope['sigmoid']:.0e}, tanh {slope['tanh']:.0e}), "
            "and P keeps its rank in "
            f"{softsign_kept} of {data.runs} runs.",
            softsign_kept > 0.9 * data.runs,
            "shown, 100 runs",
        ),
    ]
    success = {
        "activation": ACTIVATIONS,
        "exact": [rates[name].k for name in ACTIVATIONS],
        "runs": [data.runs for name in ACTIVATIONS],
        "low": [rates[name].low for name in ACTIVATIONS],
        "high": [rates[name].high for name in ACTIVATIONS],
    }
    return Section(
        "Fig. 1(b): five activations",
        f"F(2,20,1) with dummy units, four regions with {SAMPLES} samples, undamped GGN with α = 1 "
        f"from N(0, 1), at most {MAX_ITER} iterations, {data.runs} runs each; run k has the same "
        "samples and initial weights for all activations. Exact means J < "
        f"{EXACT:g}; the final J is the least reached. Intervals are Wilson's, of 95 %.",
        claims,
        ["The runs that failed, in the median unless counted:", markdown(_failures(data)),
         f"There are {SIZES[1]} hidden units, so {SIZES[1] * SAMPLES} pairs of unit and sample; a "
         "unit is flat on a sample where σ' is below 1.5e-8 times its maximum. "
         "`fig1b.csv` has every run."],
        {"fig1b.csv": Table(_plain(columns)), "fig1b_rates.csv": Table(success)},
    )  # fmt: skip


def _count(exact: np.ndarray, chosen: np.ndarray) -> tuple[int, int]:
    return int(exact[chosen].sum()), int(chosen.sum())


def _failures(data: Fig1b) -> Table:
    """Return a row for each activation that failed: what its ends are like."""
    names = ("activation", "failed", "verdicts", "final J", "rank of P", "flat pairs",
             "flat units", "smallest σ'", "largest weight")  # fmt: skip
    rows = []
    for name in ACTIVATIONS:
        failed = ~data.exact(name)
        if not failed.any():
            continue
        numbers = {
            key: np.median(data.of(name, key)[failed])
            for key in ("loss", "rank", "flat", "flat_units", "least_slope", "largest")
        }
        row = (
            name,
            int(failed.sum()),
            tally(data.of(name, "verdict")[failed]),
            f"{numbers['loss']:.1e}",
            f"{numbers['rank']:g}",
            f"{numbers['flat']:g}",
            f"{numbers['flat_units']:g}",
            f"{numbers['least_slope']:.0e}",
            f"{numbers['largest']:.0e}",
        )
        rows.append(row)
    return Table.of(names, rows)


def _plain(columns: dict[str, np.ndarray]) -> dict[str, list[Any]]:
    return {name: values.tolist() for name, values in columns.items()}
