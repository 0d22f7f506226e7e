"""What a point of the census is, and which verdicts are right, weak, too much or wrong there."""

from __future__ import annotations

import enum
import functools
import itertools
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from exact import Problem, norm, rounded

import ggn
from ggn.surface import Verdict

V = Verdict


class Truth(enum.Enum):
    """The kind of a point: verdicts that are right, those that are true but say less."""

    GLOBAL = {V.GLOBAL_MINIMUM}, {V.LOCAL_MINIMUM, V.INCONCLUSIVE}
    MINIMUM = {V.LOCAL_MINIMUM}, {V.INCONCLUSIVE}
    KINK = {V.LOCAL_MINIMUM, V.INCONCLUSIVE}, set()  # second derivatives cannot decide
    SADDLE = {V.SADDLE}, {V.INCONCLUSIVE}
    DEGENERATE = {V.INCONCLUSIVE}, set()
    MOVING = {V.NOT_STATIONARY}, {V.INCONCLUSIVE}
    PLATEAU = {V.NOT_STATIONARY, V.INCONCLUSIVE}, set()  # g is not 0, J falls by next to nothing
    RUNAWAY = {V.RUNAWAY, V.NOT_STATIONARY}, {V.INCONCLUSIVE}  # J falls towards infinity

    @property
    def right(self):
        return self.value[0]

    @property
    def weak(self):
        return self.value[1]


class Outcome(enum.Enum):
    """How a verdict fares."""

    RIGHT = "right"
    WEAK = "weak"  # true, and float64 cannot know more
    NEEDLESS = "needless"  # true, but more can be known
    OVERCLAIM = "overclaim"  # more than is known, or a bound above what some weights reach
    WRONG = "wrong"


@dataclass(frozen=True)
class Known:
    """A problem, weights, and what they are.

    least: a J that some weights have, at 50 digits, which no lower bound may exceed.
    infeasible: whether it is known that no weights fit exactly.
    also: further verdicts that are right here.
    """

    problem: Problem
    w: np.ndarray
    truth: Truth
    decidable: bool = True
    infeasible: bool = False
    least: Any = None
    also: frozenset = frozenset()
    family: str = ""
    seed: int = 0

    @property
    def net(self):
        return self.problem.net

    def diagnose(self, **options):
        p = self.problem
        return ggn.diagnose(p.net, self.w, p.X, p.Y, **(p.options | options))

    def judge(self, d):
        """How a diagnosis fares."""
        verdict = d.verdict
        if self.least is not None and d.lower_bound > float(self.least) * (1.0 + 1e-12) + 1e-300:
            return Outcome.OVERCLAIM
        if verdict is V.INFEASIBLE and self.infeasible:
            verdict = V.INCONCLUSIVE  # says as little of the point
        if verdict in self.truth.right | self.also:
            return Outcome.RIGHT
        if verdict in self.truth.weak:
            return Outcome.NEEDLESS if self.decidable else Outcome.WEAK
        if verdict is V.INFEASIBLE or (verdict is V.GLOBAL_MINIMUM and self.truth in ABOVE):
            return Outcome.OVERCLAIM
        return Outcome.WRONG

    def __str__(self):
        p = self.problem
        return (
            f"{self.family} seed {self.seed}: F{p.sizes} {'-'.join(p.names)} {p.loss.name} "
            f"T={len(p.X)} {self.truth.name}"
        )


ABOVE = (Truth.MINIMUM, Truth.KINK)  # minima that may be global, but nobody can know


class Family:
    """A way to draw points of known kind; its function's docstring says why it is known."""

    def __init__(self, draw):
        self.draw, self.name = draw, draw.__name__

    @functools.cache  # noqa: B019
    def point(self, seed):
        """The point of a seed, or None where the draw is not of the kind."""
        rng = np.random.default_rng([2018, *self.name.encode(), seed])
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", ggn.ScalingWarning)  # some families are made of that
            found = self.draw(rng)
        return found and replace(found, family=self.name, seed=seed)

    def points(self, count, first=0):
        """The first points from a seed on, of at most 12 draws each."""
        seeds = range(first, first + 12 * count)
        return list(itertools.islice(filter(None, map(self.point, seeds)), count))


# ------------------------------------------------------------------ draws that families share


def noisy(rng, T, n0, nL, noise=0.3):
    """A smooth function with noise."""
    X = rng.uniform(-2.0, 2.0, (T, n0))
    return X, np.sin(X @ rng.normal(size=(n0, nL))) + noise * rng.normal(size=(T, nL))


def trained(p, rng, tries=3, iterations=300):
    """Weights near a zero of the gradient; they are only near, and prove nothing."""
    for _ in range(tries):
        seed = int(rng.integers(1 << 30))
        w = ggn.train(p.net, p.X, p.Y, rng=seed, max_iter=iterations, **p.options).w
        if np.abs(w).max() < 25.0:
            return w
    return None


def polished(p, w, zeros=0):
    """The zero of the gradient at 50 digits next to trained weights.

    None where the library's Hessian has not all but `zeros` eigenvalues positive: this only
    sieves, and makes steps; what a point is rests on 50 digits.
    """
    if w is None:
        return None
    at = ggn.linearize(p.net, w, p.X, p.Y, **p.options)
    H = at.hessian()
    if np.linalg.norm(at.gradient) > 1e-3 or not np.linalg.eigvalsh(H)[zeros] > 0.0:
        return None
    w = p.polish(w, H=H)
    return None if w is None or max(abs(a) for a in w) > 30 else w


def strict_minimum(p, rng, least=1e-7):
    """w at 50 digits where ∇J = 0 and H is positive definite, or None."""
    w = polished(p, trained(p, rng))
    return w if w is not None and p.curvatures(w)[0] > least else None


def moves(p, w, before, share=1e-4):
    """Whether J at w is above that at another place by a share of itself."""
    J = p.J(w)
    return J - before > share * J


def gradient_is_zero(p, w):
    """Whether the gradient at the rounded weights is that of rounding."""
    g = norm(p.gradient(rounded(w)))
    return g < 1e-12 * (1 + norm(w))
