"""Every number in the evidence of a diagnosis, recomputed from the definitions.

Run as `python tests/evidence_check.py [N] [--seed S] [--family NAME ...]`: N (324) points of
the census; it prints for each kind of evidence how many statements were checked, how many are
false, and which.  J, gradients and Hessians have 50 digits (exact.py); of the library only the
fields of the evidence are read.  D is that of `ggn.surface.fit`, written down again.
"""

from __future__ import annotations

from collections import Counter

import evidence_claims
import numpy as np
import verdict_census


def check(known, d):
    """[(kind, what is false or None)] of all statements of a diagnosis."""
    found = []
    at = evidence_claims.Place(known, d)
    for evidence in d.evidence:
        claim = evidence_claims.CLAIMS.get(evidence.kind.name)
        at.text = str(evidence)
        with np.errstate(all="ignore"):
            false = [] if claim is None else list(claim(at, evidence.fields))
        found.append((evidence.kind.name, None if claim is None else false))
    return found


def audit(points):
    """Counters of statements, of false ones, and [(point, kind, why)]."""
    said, false, unchecked, why = Counter(), Counter(), Counter(), []
    for known in points:
        for kind, wrong in check(known, known.diagnose()):
            said[kind] += 1
            unchecked[kind] += wrong is None
            if wrong:
                false[kind] += 1
                why += [(known, kind, one) for one in wrong]
    return said, false, unchecked, why


def main():
    given = verdict_census.arguments("numbers in the evidence, recomputed", 324)
    each = -(-given.count // len(given.family))
    families = [verdict_census.FAMILIES[name] for name in given.family]
    points = [known for f in families for known in f.points(each, given.seed)]
    said, false, unchecked, why = audit(points)
    print(f"{len(points)} diagnoses, {sum(said.values())} statements, {sum(false.values())} false")
    for kind in sorted(said):
        note = "not checked" if unchecked[kind] else f"{false[kind]:4} false"
        print(f"{kind:22}{said[kind]:5}  {note}")
    reasons = Counter((kind, one.split(":")[0]) for _, kind, one in why)
    for (kind, one), n in reasons.most_common():
        first = next(k for k, a, b in why if (a, b.split(":")[0]) == (kind, one))
        text = next(b for k, a, b in why if (a, b.split(":")[0]) == (kind, one))
        print(f"{n:4} {kind}: {text} ({first})")


if __name__ == "__main__":
    main()
