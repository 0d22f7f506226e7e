"""How an approximation is built: stages, each a network for what those before have left.

    u ≈ φ^(1) + e1 φ^(2) + e2 φ^(3) + ...,    e_k = max |u - sum of the first k|  at the nodes

(Wang & Lai, Multi-stage neural networks, arXiv 2307.08934.)  The sum is one network, hidden
units side by side, outer weights times e_k.  A stage alone ends where its slopes are right for
most of the target, but rounding times its outer weights hides the rest: the next stage sees
the rest in units of its own, and is steeper.

A stage's units are spread (`spread.py`); their slope is climbed to, their number doubled as
long as that pays.  Where spread units fail, because the target is steep along a direction that
chance does not meet, a few units are trained by the Gauss-Newton method instead; so are all
weights together at the end, where units are too few for the rest.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from ggn.fit.result import pass_on_interrupt
from ggn.fit.spread import Kind, features, outer_weights, spread
from ggn.fit.target import Target
from ggn.fit.train import train
from ggn.fit.trial import EPS, Stage, Stop, Sum, Trial, merit_of
from ggn.network import MLP

__all__ = ["Construction"]

SLOPES = {
    1: (2.0, 4.0, 8.0, 16.0, 32.0, 64.0),
    2: (1.0, 2.0, 4.0, 8.0, 16.0),
    3: (0.5, 1.0, 2.0, 4.0),
}
FIRST = {1: 30, 2: 75, 3: 125}  # units of the first trial
MATURE = {1: 480, 2: 1200, 3: 1000}  # units up to which doubling is not given up
NODES = {1: 3, 2: 2, 3: 2}  # per unit
WATCHED = {1: 3000, 2: 5000, 3: 6000}
PAYS = 4.0  # the factor by which a doubling of units must reduce the error
FINE, PAYS_FINE = 1e-8, 30.0  # below this error, else a stage does it better
HELPS = 2.0  # the factor by which a stage must
STEEPER = (1.5, 3.0, 6.0)  # slopes of a stage relative to the one before, to begin with
DOUBLINGS = 3  # sizes that a stage is tried in
FINER = math.sqrt(2.0)  # slopes are climbed by this factor
HARD = 0.03  # error of spread units above which training is tried
TRAINED_UNITS, TRAINED_SLOPES = 8, (2.0, 4.0, 8.0)
TOGETHER = 400  # weights up to which all are trained together at the end
STEPS = 200


class Construction:
    """The network so far, what it leaves, and what is tried next."""

    def __init__(
        self,
        target: Target,
        kinds: list[Kind],
        tol: float,
        max_units: int,
        max_seconds: float,
        rng: np.random.Generator,
    ) -> None:
        self.target, self.kinds, self.goal, self.rng = target, kinds, 0.5 * tol, rng
        self.max_units, self.max_seconds = max_units, max_seconds
        self.start = time.perf_counter()
        self.fall = math.inf  # what the first stage's last doubling divided the error by
        self._rate = 0.0  # seconds of a solve per T n²
        self._late = False
        self._nodes: dict[tuple[int, bool], tuple[np.ndarray, np.ndarray]] = {}
        self.at, self.u = target.watched(WATCHED[target.d], rng)
        self.sum = Sum(np.zeros((target.d + 1, 0)), np.zeros(1), kinds[0].activation, self.u)

    @property
    def error(self) -> float:
        """The largest error at the points watched."""
        return float(np.abs(self.sum.left).max())

    @property
    def room(self) -> int:
        """How many more units there may be in one stage."""
        most = self.max_units - self.sum.hidden.shape[1]
        return int(min(most, self.target.capacity / 1.5))

    @property
    def rounding(self) -> float:
        """About how far rounding moves the network's sum."""
        return EPS * float(np.abs(self.sum.outer).sum())

    @property
    def rough(self) -> bool:
        """Whether units in plenty help so little that the target cannot be smooth."""
        return self.fall < PAYS and self.error > FINE

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.perf_counter() - self.start

    def run(self) -> Stop:
        """Add stages until the goal is reached, or none helps."""
        try:
            if self.error > self.goal:
                self._first()
            while self.error > self.goal:
                stop = self._next()
                if stop is not None:
                    self._together()
                    return stop
        except KeyboardInterrupt:
            return Stop.INTERRUPTED
        return Stop.REACHED

    # -- stages ------------------------------------------------------------------------------

    def _first(self) -> None:
        """Choose kind, slope and number of units for the target itself."""
        d = self.target.d
        n = max(min(FIRST[d], self.room), 1)
        best = []
        for kind in self.kinds:
            trials = [t for s in SLOPES[d] if (t := self._trial(kind, n, s))]
            best += sorted(trials, key=merit_of)[:1]
        best.sort(key=merit_of)
        tried = False
        while best and best[0].error > self.goal and 2 * n <= self.room and not self._late:
            near = best[0].error < 100.0 * self.goal
            n = math.ceil(FINER * n) if near else 2 * n
            kept = best[: max(1, len(best) // 2)] if n > 2 * FIRST[d] else best
            wider = [t for b in kept if (t := self._climb(b.kind, n, b.slope))]
            wider.sort(key=merit_of)
            if not wider:
                break
            self.fall = (best[0].error / wider[0].error) ** (2.0 if near else 1.0)
            if merit_of(wider[0]) < merit_of(best[0]):
                best = wider
            if n >= 4 * FIRST[d] and best[0].error > HARD and not tried:
                tried = True
                if self._trained(best[0]):
                    return
            if self.fall < (PAYS_FINE if best[0].error < FINE else PAYS) and (
                n >= MATURE[d] or best[0].error < FINE
            ):
                break
        if best and not (n < 4 * FIRST[d] and best[0].error > HARD and self._trained(best[0])):
            self._accept(best[0], "spread")

    def _next(self) -> Stop | None:
        """Add a stage for what is left, or say why not."""
        if self._late or not self.sum.stages:
            return Stop.SECONDS
        if self.error < 4.0 * self.rounding:
            return Stop.STALLED
        last, d = self.sum.stages[-1], self.target.d
        known = last.how == "spread"
        slope = last.slope if known else SLOPES[d][1]
        n = min(last.units if known else FIRST[d], self.room)
        if n < 2:
            return Stop.UNITS
        for doubling in range(DOUBLINGS):
            if doubling > 0 and self.rough:  # the target does not yield to units
                return Stop.STALLED
            if n << doubling > self.room:
                return Stop.UNITS if self.room < self.max_units // 2 else Stop.STALLED
            best = self._climb(self.kinds[0], n << doubling, *(slope * k for k in STEEPER))
            if best is not None and best.error * HELPS <= self.error:
                self._accept(best, "spread")
                return None
            if self._late:
                return Stop.SECONDS
        return Stop.STALLED

    def _trained(self, spread_out: Trial) -> bool:
        """Train a few units; whether they are far better, and were taken."""
        n, d = TRAINED_UNITS, self.target.d
        if self.room < n:
            return False
        kind = replace(self.kinds[0], steep=False)
        Z, u = self.target.nodes(1000 * d, self.kinds[-1].steep, self.rng)
        net = MLP((d, n, 1), kind.activation)
        found = []
        for slope in TRAINED_SLOPES:
            hidden = spread(self.target, kind, n, slope, self.rng)
            outer = outer_weights(features(kind, hidden, Z), u)
            w = self._gauss_newton(net, Z, u, net.pack([hidden, outer[:, np.newaxis]]))
            W1, W2 = net.unpack(w)
            error = float(np.abs(self.u - net.forward(w, self.at)[:, 0]).max())
            found.append(Trial(kind, math.nan, W1.copy(), W2[:, 0].copy(), error, 1.0))
        best = min(found, key=merit_of)
        if 10.0 * best.error >= spread_out.error:
            return False
        self._accept(best, "trained")
        return True

    def _gauss_newton(self, net: MLP, Z: np.ndarray, u: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Train: by the fastest steps, then by those that do not square cond(P)."""
        for step, most in (("auto", STEPS), ("minimum_norm", STEPS // 10)):
            fit = train(
                net, Z, u, w0=w, step=step, tol=0.0, max_iter=most, max_seconds=self._remaining
            )
            pass_on_interrupt(fit)
            w = fit.w
        return w

    def _together(self) -> None:
        """Train all weights of a small network."""
        net, w = self.sum.network
        if net.n_weights > TOGETHER or self._remaining <= 0.0 or not self.sum.stages:
            return
        Z, u = self.target.nodes(3 * net.n_weights, self.kinds[0].steep, self.rng)
        before = self.error
        w = self._gauss_newton(net, Z, u, w)
        if float(np.abs(self.u - net.forward(w, self.at)[:, 0]).max()) < before:
            W1, W2 = net.unpack(w)
            self._take(W1.copy(), W2[:, 0].copy(), "together", 0, math.nan, before)

    def _accept(self, trial: Trial, how: str) -> None:
        """Put a stage's units beside those that there are."""
        self.kinds = [trial.kind]
        hidden, outer = np.hstack([self.sum.hidden, trial.hidden]), self.sum.outer
        constant = outer[-1] + trial.outer[-1]
        outer = np.concatenate([outer[:-1], trial.outer[:-1], [constant]])
        self._take(hidden, outer, how, trial.units, trial.slope, trial.size)

    def _take(
        self, hidden: np.ndarray, outer: np.ndarray, how: str, units: int, slope: float, size: float
    ) -> None:
        """Have this network from now on."""
        activation = self.kinds[0].activation
        left = self.u - Sum(hidden, outer, activation, self.u).forward(self.at)
        error = float(np.abs(left).max())
        stage = Stage(how, units, slope, size, error, self.seconds)
        self._nodes.clear()
        self.sum = Sum(hidden, outer, activation, left, (*self.sum.stages, stage))

    # -- trials ------------------------------------------------------------------------------

    def _climb(self, kind: Kind, n: int, *slopes: float) -> Trial | None:
        """Return the best trial of n units: the best slope of these, changed while that helps."""
        trials = [t for s in slopes if (t := self._trial(kind, n, s))]
        best = min(trials, key=merit_of, default=None)
        for factor in (FINER, 1.0 / FINER):
            climbed = False
            while best is not None and best.error > self.goal:
                trial = self._trial(kind, n, best.slope * factor)
                if trial is None or not merit_of(trial) < merit_of(best):
                    break
                best, climbed = trial, True
            if climbed:
                break
        return best

    def _trial(self, kind: Kind, n: int, slope: float) -> Trial | None:
        """Return n units of one slope for what is left, or None if there is no time."""
        count = int(min(NODES[self.target.d] * max(n, 30), self.target.capacity))
        work = float(count) * n * n
        if self._remaining == 0.0 or self._rate * work > self._remaining:
            self._late = True
            return None
        Z, left = self._residual(count, kind.steep)
        size = float(np.abs(left).max()) or 1.0
        begun = time.perf_counter()
        hidden = spread(self.target, kind, n, slope, self.rng)
        outer = size * outer_weights(features(kind, hidden, Z), left / size)
        error = np.abs(self.sum.left - features(kind, hidden, self.at) @ outer).max()
        if work > 1e7:
            self._rate = (time.perf_counter() - begun) / work
        return Trial(kind, slope, hidden, outer, float(error), size)

    def _residual(self, count: int, steep: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return nodes and what is left there."""
        if (count, steep) not in self._nodes:
            Z, u = self.target.nodes(count, steep, self.rng)
            self._nodes[count, steep] = Z, u - self.sum.forward(Z)
        return self._nodes[count, steep]

    @property
    def _remaining(self) -> float:
        return max(self.max_seconds - self.seconds, 0.0)
