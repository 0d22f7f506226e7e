"""Another mu, where the rule's own no longer helps: decades of it, tried at one point.

A step at mu promises a fall of ½ (gᵀd + mu ‖D d‖²), which grows as mu falls; so decades are
tried downwards, and at an end upwards too, as long as they promise what can be seen.  Nobody
but the rule is told of a trial taken, and of those refused nobody is.
"""

from __future__ import annotations

from collections.abc import Iterator

from ggn.damping import Rule, Trial
from ggn.fit.run import ROUNDINGS, Run
from ggn.linearization import BaseLinearization
from ggn.steps import Prepared

__all__ = ["find_at_start", "find_before_the_end"]

LEAST = 1e-18  # relative to D²: below, rounding of the matrix alone would damp as much
LARGEST = 1e12  # where a step is one down the gradient, far below what rounding leaves
MOST = 10.0  # where decades begin, however much damping refusals have led to
LATE = 1e-2  # of J: where the first mu promises less, it may not be the one for this place
MISSES = 2  # decades that may go by without a better trial


def find_before_the_end(
    run: Run, prepared: Prepared, at: BaseLinearization, rule: Rule, came: float
) -> Trial | None:
    """Return a trial of another mu by which J falls visibly, or None.

    The rule then has its mu; or that with which it came to this point, which suits the place.
    """
    first, seen = min(rule.mu, MOST), ROUNDINGS * at.rounding
    for mu in (*_decades(first, 0.1), *_decades(first, 10.0)):
        d = prepared.solve(mu)
        if d is None or run.promise(d, prepared, mu) <= seen:
            if mu > first and prepared.accurate(d, mu):
                break  # more damping promises less
            continue
        trial = run.attempt(d, prepared, rule, mu)
        if trial.actual > seen and rule.judge(trial):
            rule.find(mu)
            return trial
    if rule.mu != came:
        rule.find(came)
    return None


def _decades(mu: float, factor: float) -> Iterator[float]:
    """Yield mu times powers of the factor, as far as they make a difference."""
    while LEAST < (mu := factor * mu) < LARGEST:
        yield mu


def find_at_start(run: Run, first: Trial, prepared: Prepared, rule: Rule) -> Trial:
    """Return the best of trials by decades down from the first, where that promises little.

    Weights from which J can fall but slowly at the first mu are those of a fit that ended.
    """
    best, mu, misses = first, first.mu, 0
    if first.predicted > LATE * abs(run.J):
        return first
    while mu > LEAST and misses < MISSES:
        mu *= 0.1
        d = prepared.solve(mu)
        if d is None:
            break
        trial = run.attempt(d, prepared, rule, mu)
        misses += 1
        if trial.J < best.J and rule.judge(trial):
            best, misses = trial, 0
    if best is not first:
        rule.find(best.mu)
    return best
