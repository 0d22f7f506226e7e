"""A sample of the census of verdicts; `python tests/verdict_census.py` takes 2160 points."""

import functools
from dataclasses import replace

import pytest
import verdict_census
from census_kinds import Outcome
from verdict_census import FALSE, FAMILIES

EACH = 6
# Families with false verdicts, and how many in the sample; a mark goes once there are none.
STILL_FALSE = {
    "convex_one_output_off": 2,
    "output_weights_zero": 1,
    "duplicates_at_random_weights": 2,
    "squared_hinge": 6,
    "nearly_collinear": 2,
    "nearly_saturated": 6,
    "at_a_kink": 1,
    "dead_unit": 3,
    "quasi_separated": 1,
    "tending_to_a_derivative": 1,
}
# Families with answers that say less than can be known, and how many in the sample.
STILL_WEAK = {
    "output_weights_zero": 2,
    "rounding_targets": 6,
    "nearly_collinear": 2,
    "shift_of_softmax": 6,
    "split_minima": 6,
    "dead_relu": 6,
    "large_net_inputs": 6,
    "quasi_separated": 4,
}


@functools.cache
def outcomes(family):
    return [outcome for _, _, outcome in verdict_census.census(EACH, families=[family])]


def false(family):
    return sum(outcome in FALSE for outcome in outcomes(family))


def weak(family):
    return outcomes(family).count(Outcome.NEEDLESS)


def with_marks(table):
    for family in FAMILIES:
        n = table.get(family)
        reason = f"{n} of {EACH}"
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if n else []
        yield pytest.param(family, marks=marks, id=family)


@pytest.mark.parametrize("family", list(with_marks(STILL_FALSE)))
def test_no_verdict_is_wrong_or_claims_too_much(family):
    assert len(outcomes(family)) == EACH
    assert false(family) == 0


@pytest.mark.parametrize("family", list(with_marks(STILL_WEAK)))
def test_no_verdict_is_needlessly_weak(family):
    assert weak(family) == 0


@pytest.mark.parametrize("family", list(FAMILIES))
def test_no_more_is_amiss_than_the_tables_say(family):
    assert false(family) <= STILL_FALSE.get(family, 0)
    assert weak(family) <= STILL_WEAK.get(family, 0)


def test_the_judge_tells_right_from_wrong():
    """A known point judged by every verdict."""
    minimum = verdict_census.FAMILIES["strict"].points(1)[0]
    d = minimum.diagnose()
    expected = {"LOCAL_MINIMUM": Outcome.RIGHT, "INCONCLUSIVE": Outcome.NEEDLESS,
                "GLOBAL_MINIMUM": Outcome.OVERCLAIM, "INFEASIBLE": Outcome.OVERCLAIM}  # fmt: skip
    for verdict in verdict_census.Verdict:
        claimed = replace(d, verdict=verdict)
        assert minimum.judge(claimed) is expected.get(verdict.name, Outcome.WRONG)
    too_high = replace(d, lower_bound=2.0 * float(minimum.least))
    assert minimum.judge(too_high) is Outcome.OVERCLAIM
