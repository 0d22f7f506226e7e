"""The verdicts on points of independently known kind: the confusion table, and what is wrong.

Run as

    python tests/verdict_census.py [N] [--seed S] [--family NAME ...]

for N points (2124), an equal share of each family, drawn from seed S (0) on.  It prints how
often each verdict is given in each family, what is wrong, too much or needlessly weak, and the
first wrong one of each family: `point(family, seed)` gives it again.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

import census_classes
import census_falling
import census_global
import census_minima
import census_scales
import census_tails
from census_kinds import Family, Outcome

from ggn.surface import Verdict

DRAWS = (
    *census_global.FAMILIES, *census_minima.FAMILIES, *census_falling.FAMILIES,
    *census_tails.FAMILIES, *census_scales.FAMILIES, *census_classes.FAMILIES,
)  # fmt: skip
FAMILIES = {draw.__name__: Family(draw) for draw in DRAWS}
SHORT = {
    Verdict.GLOBAL_MINIMUM: "global",
    Verdict.LOCAL_MINIMUM: "local",
    Verdict.SADDLE: "saddle",
    Verdict.RUNAWAY: "runaway",
    Verdict.NOT_STATIONARY: "moving",
    Verdict.INFEASIBLE: "infeas.",
    Verdict.INCONCLUSIVE: "inconcl.",
}
FALSE = (Outcome.WRONG, Outcome.OVERCLAIM)


def point(family, seed):
    """One point of the census."""
    return FAMILIES[family].point(seed)


def census(count, seed=0, families=FAMILIES):
    """Diagnose `count` points of each family; returns [(point, diagnosis, outcome)]."""
    found = []
    for name in families:
        for known in FAMILIES[name].points(count, seed):
            d = known.diagnose()
            found.append((known, d, known.judge(d)))
    return found


def counts(found):
    """{family: Counter of verdicts and outcomes, "decidable"}."""
    table = defaultdict(Counter)
    for known, d, outcome in found:
        table[known.family].update((d.verdict, outcome))
        table[known.family]["decidable"] += known.decidable
    return table


def confusion(found):
    """The table as lines of text."""
    table = counts(found)
    columns = (*Verdict, *Outcome)
    names = [SHORT[v] for v in Verdict] + [o.value for o in Outcome]
    yield f"{'family':30}" + "".join(f"{name:>10}" for name in names)
    for family, row in table.items():
        yield f"{family:30}" + "".join(f"{row[c] or '':>10}" for c in columns)
    total = sum(table.values(), Counter())
    yield f"{'all':30}" + "".join(f"{total[c]:>10}" for c in columns)
    decidable = total["decidable"] or 1
    yield (
        f"{len(found)} points, {decidable} that float64 can decide: {total[Outcome.WRONG]} wrong, "
        f"{total[Outcome.OVERCLAIM]} overclaims, {total[Outcome.NEEDLESS]} needlessly weak "
        f"({100.0 * total[Outcome.NEEDLESS] / decidable:.1f} %)"
    )


def first_false(found):
    """The first wrong point and the first overclaim of each family."""
    met = set()
    for known, d, outcome in found:
        key = known.family, outcome
        if outcome in FALSE and key not in met:
            met.add(key)
            bound = "" if known.least is None else f"; bound {d.lower_bound:.6g}"
            least = "" if known.least is None else f", some weights have {float(known.least):.6g}"
            yield f"{outcome.value}: {known}: {d.verdict.name}{bound}{least}"


def arguments(text, count):
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("count", nargs="?", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", nargs="*", default=list(FAMILIES), choices=list(FAMILIES))
    return parser.parse_args()


def main():
    given = arguments("verdicts on points of known kind", 36 * len(FAMILIES))
    each = -(-given.count // len(given.family))
    found = census(each, given.seed, given.family)
    print("\n".join(confusion(found)))
    print("\n".join(first_false(found)))


if __name__ == "__main__":
    main()
