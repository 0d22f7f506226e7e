"""Fig. 1(c): backpropagation and GGN at the same step size and for the same time.

F(2,10,10,4), dummy units, sigmoid, four regions with T = 1000 and one-hot targets:

    BP     w - alpha ∇J
    GGN    w - alpha (P H_E Pᵀ)⁺ ∇J,   ⁺ the pseudo-inverse

both with alpha = 0.01, and Levenberg-Marquardt damping, which the paper does not run.
∇J has the mean over samples; `bp_forms` has the sum, which Algorithm 1 prints.

Losses by iteration depend on the seed alone.  BP is given the paper's 20760 iterations
for 1000 of GGN; where that is less than the time GGN takes here, it goes on until it
has had as much, and what it reaches then stands with the timings.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ggn import problems
from ggn.damping import Damping, LevenbergMarquardt, Undamped
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.losses import Squared
from ggn.network import MLP
from ggn.paper import bp_forms
from ggn.paper.bp_forms import BPForms
from ggn.paper.pieces import Piece, Pieces
from ggn.paper.pseudo_inverse import PseudoInverse
from ggn.steps import Gradient, Step

__all__ = ["METHODS", "Fig1c", "experiment"]

SIZES, SAMPLES, ALPHA = (2, 10, 10, 4), 1000, 0.01
# printed: iterations of BP as long as 1000 of GGN, seconds of 1000 of each, and their ratio
BP_ITERATIONS, BP_SECONDS, GGN_SECONDS, RATIO = 20760, 61.1, 1314.1, 21.4
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
    forms : BPForms
        BP with the sum over samples, and with the mean.
    """

    iterations: int
    losses: list[dict[str, np.ndarray]]
    seconds: list[dict[str, np.ndarray]]
    tails: list[tuple[np.ndarray, np.ndarray]]
    forms: BPForms = field(default_factory=lambda: BPForms([], []))

    def per_iteration(self, method: str) -> float:
        """Return the time of an undisturbed iteration in seconds: a tenth of all took less."""
        times = np.concatenate([np.diff(run[method]) for run in self.seconds])
        return float(np.quantile(times, 0.1))

    def bp_meanwhile(self, run: int) -> tuple[float, int]:
        """Return the loss that BP has reached when GGN ends, and after how many iterations."""
        ends = self.seconds[run]["ggn"][-1]
        losses = np.concatenate([self.losses[run]["bp"], self.tails[run][0]])
        seconds = np.concatenate([self.seconds[run]["bp"], self.tails[run][1]])
        count = int(np.count_nonzero(seconds <= ends))
        return float(losses[count - 1]), count - 1


def experiment(
    pieces: Pieces | None = None,
    seed: int = 0,
    runs: int = 5,
    iterations: int = 1000,
    draws: int = 2,
    bp_iterations: int = BP_ITERATIONS,
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
    draws, bp_iterations : int, default 2 and 20760
        Of `bp_forms.experiment`.

    Examples
    --------
    >>> from ggn.paper import fig1c
    >>> found = fig1c.experiment(runs=1, iterations=5, draws=1, bp_iterations=20)
    >>> {method: len(J) for method, J in found.losses[0].items()}
    {'bp': 105, 'ggn': 6, 'lm': 6}
    """
    arguments = [(seed, run, iterations) for run in range(runs)]
    done = (pieces or Pieces()).map("fig1c", _race, arguments, jobs=1)
    return Fig1c(
        iterations,
        [{method: p[f"{method}_losses"] for method in METHODS} for p in done],
        [{method: p[f"{method}_seconds"] for method in METHODS} for p in done],
        [(p["tail_losses"], p["tail_seconds"]) for p in done],
        bp_forms.experiment(pieces, seed, draws, bp_iterations),
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
            Squared(),
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
    w, bp_losses, bp_seconds = go(w0, Gradient(), paper, round(BP_ITERATIONS / 1000 * iterations))
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
