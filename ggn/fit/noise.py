"""Noise that is not normal and the same everywhere: what a sample counts for under it.

    u_i    what sample i counts for, times its weight s_i
    q_i  = mean over outputs of r_i² + pᵀ H⁻¹ p       what r² is expected to be, given the data

    varying        r ~ N(0, σ² e^g(x)),       u ∝ e^-g(x)                       `ggn.fit.variance`
    heavy_tailed   r ~ t(0, σ, ν),            u ∝ (ν + nL)/(ν + nL q/σ²)
    contaminated   r ~ (1 - ε) N(0, σ²) + ε N(0, τ²),   u the probability of the former, given q

Without pᵀ H⁻¹ p a sample that a fit comes near, for it counts much, would count the more.  This is
expectation-maximisation, for Student's noise with the weights' distribution normal (Tipping &
Lawrence 2005).  Outputs of a sample belong together.  σ, ν, ε and τ are the likeliest for the q, ν
of a short list; where outliers make the q hardly likelier, there are none.  Where u ∝, Σ s u = Σ s.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.special import expit, gammaln

from ggn.fit.variance import Variance, fitted_variance
from ggn.io.noise import Contamination, HeavyTails, NoiseLaw, VaryingNoise
from ggn.linearization.robust_scale import NORMAL, median
from ggn.validation import spelled

__all__ = ["KINDS", "Counts", "HeavyTailed", "NoiseKind", "kind_of"]

FREEDOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 30.0)
UPDATES, TOL = 200, 1e-8  # of σ, ε and τ
APART, FIRST, TINY = 25.0, 0.1, 1e-12  # τ²/σ² at least; ε at first, and at least
MARGIN = 5.0  # of the log likelihood, which outliers must add
FEW = 0.1  # of the samples, by Kish's count, against which the others cannot be outliers


class Counts(NamedTuple):
    """What samples count for, and the law that says so.

    Attributes
    ----------
    u : ndarray, (T,)
    law : NoiseLaw
        With σ² the variance of a sample that counts once.
    cost : float, default 0.0
        What the law's own weights add to the log evidence, at most 0.
    wide : float, default 0.0
        τ².
    variance : Variance, optional
        What the law is made of.
    """

    u: np.ndarray
    law: NoiseLaw
    cost: float = 0.0
    wide: float = 0.0
    variance: Variance | None = None


class NoiseKind:
    """A way in which noise may be distributed; this one is normal, and the same everywhere."""

    name: ClassVar[str] = NoiseLaw.kind
    in_turn: ClassVar[bool] = False
    robust: ClassVar[bool] = False  # whether what it begins with must not follow outliers
    copies: ClassVar[bool] = True  # whether samples may be given many times each

    def counts(
        self, X: np.ndarray, q: np.ndarray, s: np.ndarray, nL: int, before: Counts | None = None
    ) -> Counts:
        """Return what samples count for, from inputs X (T, n0), q (T,) and weights s (T,)."""
        return Counts(np.ones(len(X)), NoiseLaw())

    def gain(self, counts: Counts, r2: np.ndarray, s: np.ndarray, nL: int, beta: float) -> float:
        """Return log p(Y) under the law less that of normal noise with u in the weights.

        Parameters
        ----------
        counts : Counts
        r2 : ndarray, (T,)
            ‖φ_L - y‖².
        s : ndarray, (T,)
        nL : int
        beta : float
            1/(2 σ²).
        """
        return 0.0


class Varying(NoiseKind):
    """Normal, by a deviation that is a function of the inputs."""

    name = VaryingNoise.kind
    in_turn = True
    copies = False

    def counts(
        self, X: np.ndarray, q: np.ndarray, s: np.ndarray, nL: int, before: Counts | None = None
    ) -> Counts:
        found = fitted_variance(X, q, s, nL, before.variance if before else None)
        law = found.law
        if not isinstance(law, VaryingNoise):
            return super().counts(X, q, s, nL)
        g = law.net.forward(law.w, X)[:, 0]
        log_u = g.min() - g
        log_u -= math.log(float(s @ np.exp(log_u)) / float(s.sum()))
        w = law.w.copy()
        w[-1] -= float((log_u + g)[0])
        return Counts(np.exp(log_u), VaryingNoise(law.net, w), found.log_evidence, variance=found)

    def gain(self, counts: Counts, r2: np.ndarray, s: np.ndarray, nL: int, beta: float) -> float:
        return 0.5 * nL * float(s @ np.log(counts.u)) + counts.cost


class HeavyTailed(NoiseKind):
    """Student's."""

    name = HeavyTails.kind
    in_turn = robust = True

    def counts(
        self, X: np.ndarray, q: np.ndarray, s: np.ndarray, nL: int, before: Counts | None = None
    ) -> Counts:
        size = float(s @ q / s.sum())
        if not size > 0.0 or not math.isfinite(size):
            return Counts(np.ones(len(X)), HeavyTails(FREEDOMS[-1]))
        found = [_student(q / size, s, nL, v) for v in FREEDOMS]
        u, _, v = max(found, key=lambda one: one[1])
        return Counts(u * (s.sum() / float(s @ u)), HeavyTails(v))

    def gain(self, counts: Counts, r2: np.ndarray, s: np.ndarray, nL: int, beta: float) -> float:
        n = nL * float(s.sum())
        student = _log_density(r2 / nL, 0.5 / beta, nL, counts.law.freedom)
        normal = -beta * float((s * counts.u) @ r2) + 0.5 * n * math.log(beta / math.pi)
        return float(s @ student) - normal


class Contaminated(NoiseKind):
    """Normal, but for a share of outliers."""

    name = Contamination.kind
    in_turn = robust = True

    def counts(
        self, X: np.ndarray, q: np.ndarray, s: np.ndarray, nL: int, before: Counts | None = None
    ) -> Counts:
        total = float(s.sum())
        none = Counts(np.ones(len(X)), Contamination(0.0))
        narrow = _median(q, s)
        if not narrow > 0.0 or not math.isfinite(float(q.max())):
            return none
        wide, share = max(float(q.max()), APART * narrow), FIRST
        for _ in range(UPDATES):
            good = _log_normal(q, narrow, nL) + math.log1p(-share)
            bad = _log_normal(q, wide, nL) + math.log(share)
            u = expit(good - bad)
            old = narrow, wide, share
            narrow = float((s * u) @ q) / float(s @ u)
            share = min(max(float(s @ (1.0 - u)) / total, TINY), 0.5)
            wide = max(float((s * (1.0 - u)) @ q) / (share * total), APART * narrow)
            if np.abs(np.log(np.divide((narrow, wide, share), old))).max() < TOL:
                break
        kept, rows = s * u, np.count_nonzero(s)
        if float(kept.sum()) ** 2 < FEW * rows * float(kept @ kept) and 2 * (u > 0.5).sum() < rows:
            return none  # a few, each given many times: that copies agree says nothing
        more = float(s @ (np.logaddexp(good, bad) - _log_normal(q, float(s @ q) / total, nL)))
        return Counts(u, Contamination(share), wide=wide) if more > MARGIN else none

    def gain(self, counts: Counts, r2: np.ndarray, s: np.ndarray, nL: int, beta: float) -> float:
        law: Any = counts.law
        if law.share == 0.0:
            return 0.0
        q, narrow, counted = r2 / nL, 0.5 / beta, s * counts.u
        good = _log_normal(q, narrow, nL) + math.log1p(-law.share)
        both = np.logaddexp(good, _log_normal(q, counts.wide, nL) + math.log(law.share))
        return float(s @ both) - float(counted @ _log_normal(q, narrow, nL))


KINDS: dict[str, NoiseKind] = {
    kind.name: kind for kind in (NoiseKind(), Varying(), HeavyTailed(), Contaminated())
}


def kind_of(noise: Any) -> NoiseKind:
    """Return what a caller's word means."""
    return KINDS[spelled("noise", noise, tuple(KINDS))]


def _median(q: np.ndarray, s: np.ndarray) -> float:
    """Return what the variance of normal numbers is whose squares have this median."""
    return float(np.square(NORMAL) * median(q, s))


def _log_normal(q: np.ndarray, variance: float, nL: int) -> np.ndarray:
    """Return the log density of nL normal numbers with mean square q, (T,)."""
    density: np.ndarray = -0.5 * nL * (math.log(2.0 * math.pi * variance) + q / variance)
    return density


def _student(q: np.ndarray, s: np.ndarray, nL: int, v: float) -> tuple[np.ndarray, float, float]:
    """Return u, the log likelihood at the likeliest σ, and ν."""
    total = float(s.sum())
    variance = _median(q, s) or float(q.max())
    for _ in range(UPDATES):
        u = (v + nL) / (v + nL * q / variance)
        new = float((s * u) @ q) / total
        change, variance = abs(math.log(new / variance)), new
        if change < TOL:
            break
    return u, float(s @ _log_density(q, variance, nL, v)), v


def _log_density(q: np.ndarray, variance: float, nL: int, v: float) -> np.ndarray:
    """Return the log density of Student's t at nL numbers with mean square q, (T,)."""
    constant = (
        gammaln(0.5 * (v + nL)) - gammaln(0.5 * v) - 0.5 * nL * math.log(v * math.pi * variance)
    )
    density: np.ndarray = constant - 0.5 * (v + nL) * np.log1p(nL * q / (v * variance))
    return density
