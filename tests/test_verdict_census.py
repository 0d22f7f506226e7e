"""Samples of the census of verdicts, of invariances, and of numbers in the evidence.

`python tests/verdict_census.py` takes 2124 points, `verdict_invariance.py` 216 and all changes,
`evidence_check.py` 324.
"""

import functools
from collections import Counter
from dataclasses import replace

import evidence_check
import evidence_claims
import pytest
import verdict_census
import verdict_invariance
from census_kinds import Outcome
from verdict_census import FALSE, FAMILIES

from ggn.surface import EvidenceKind

EACH = 6
# Families with false verdicts, and how many in the sample; a mark goes once there are none.
STILL_FALSE: dict[str, int] = {}
# Families with answers that say less than can be known, and how many in the sample.
STILL_WEAK: dict[str, int] = {}
# Families with verdicts that change with the way a problem is written down.
STILL_CHANGING: dict[str, int] = {}
# Kinds of evidence with false statements, and how many in the sample.
STILL_UNTRUE: dict[str, int] = {}


@functools.cache
def outcomes(family):
    return [outcome for _, _, outcome in verdict_census.census(EACH, families=[family])]


def false(family):
    return sum(outcome in FALSE for outcome in outcomes(family))


def weak(family):
    return outcomes(family).count(Outcome.NEEDLESS)


def with_marks(table, names=FAMILIES, of=f" of {EACH}"):
    for family in names:
        n = table.get(family)
        reason = f"{n}{of}"
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


@pytest.mark.parametrize("family", list(with_marks(STILL_CHANGING, of=" changes")))
def test_a_verdict_does_not_depend_on_how_the_problem_is_written(family):
    counts = Counter()
    known = FAMILIES[family].points(1)[0]
    assert verdict_invariance.compare(known, counts) == []
    assert sum(counts.values()) >= 4


@functools.cache
def evidence():
    return evidence_check.audit([FAMILIES[name].points(1)[0] for name in FAMILIES])


@pytest.mark.parametrize(
    "kind", list(with_marks(STILL_UNTRUE, evidence_claims.CLAIMS, " statements"))
)
def test_numbers_in_the_evidence_are_true(kind):
    _, false, unchecked, why = evidence()
    assert not unchecked[kind]
    assert false[kind] == 0, [one for one in why if one[1] == kind]


def test_every_kind_of_evidence_is_checked():
    estimates = {"ESTIMATE"}  # and what is said of samples in chunks, in test_chunks_diagnose
    estimates |= {"SUMS_ONLY", "NORMAL_INERTIA", "TOO_MANY_WEIGHTS"}
    estimates |= {"FAR_OUT", "VANISHES", "LONE_TARGETS"}  # in tests of their own
    assert {kind.name for kind in EvidenceKind} <= set(evidence_claims.CLAIMS) | estimates
    said = evidence()[0]
    assert len(said) >= 15


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
