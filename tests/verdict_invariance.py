"""A verdict does not depend on how a problem is written down.

    order of hidden units; order of samples; signs of odd units; each sample given twice;
    sample weights times a constant; units of inputs and of targets with weights to match
    (l2 = 0); w moved by 1e-15 of itself

Run as `python tests/verdict_invariance.py [N] [--seed S] [--family NAME ...]`: N (216) points of
the census, the changes that apply to each, and what changed its verdict.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import reference
import verdict_census
from exact import Loss

ODD = ("tanh", "softsign", "arctan", "sine", "identity")


def units_permuted(known, rng):
    """Hidden units in another order."""
    Ws = [W.copy() for W in reference.unpack(known.problem.spec, known.w)]
    for layer, n in enumerate(known.problem.sizes[1:-1]):
        order = rng.permutation(n)
        Ws[layer] = Ws[layer][:, order]
        Ws[layer + 1][:n] = Ws[layer + 1][:n][order]
    return replace(known, w=reference.pack(Ws)) if len(Ws) > 1 and Ws[0].shape[1] > 1 else None


def samples_permuted(known, rng):
    """Samples in another order."""
    p = known.problem
    order = rng.permutation(len(p.X))
    weights = None if p.weights is None else p.weights[order]
    return replace(known, problem=p.like(X=p.X[order], Y=p.Y[order], weights=weights))


def signs_of_odd_units(known, rng):
    """Incoming and outgoing weights of odd units times -1."""
    p, changed = known.problem, False
    Ws = [W.copy() for W in reference.unpack(p.spec, known.w)]
    for layer, name in enumerate(p.names[:-1]):
        if name in ODD:
            sign = rng.choice([-1.0, 1.0], size=p.sizes[layer + 1])
            sign[0] = -1.0
            Ws[layer] *= sign
            Ws[layer + 1][: len(sign)] *= sign[:, None]
            changed = True
    return replace(known, w=reference.pack(Ws)) if changed else None


def samples_doubled(known, rng):
    """Each sample given twice."""
    p = known.problem
    weights = None if p.weights is None else np.tile(p.weights, 2)
    X, Y = np.tile(p.X, (2, 1)), np.tile(p.Y, (2, 1))
    return replace(known, problem=p.like(X=X, Y=Y, weights=weights))


def weights_scaled(known, rng):
    """All sample weights times a constant."""
    p = known.problem
    weights = np.ones(len(p.X)) if p.weights is None else p.weights
    return replace(known, problem=p.like(weights=weights * 10.0 ** rng.uniform(-4.0, 4.0)))


def other_units(known, rng):
    """Inputs, and targets of residual losses, in other units, the weights to match."""
    p = known.problem
    if np.any(p.l2):
        return None
    Ws = [W.copy() for W in reference.unpack(p.spec, known.w)]
    a = 10.0 ** rng.integers(-8, 9, size=p.sizes[0])
    Ws[0][: len(a)] /= a[:, None]
    p = p.like(X=p.X * a)
    if p.names[-1] == "identity" and p.loss.name in ("squared", "cauchy", "smooth_lp"):
        b = 10.0 ** float(rng.integers(-8, 9))
        Ws[-1] *= b
        p = p.like(Y=p.Y * b, loss=Loss(p.loss.name, p.loss.size * b, p.loss.power))
    return replace(known, problem=p, w=reference.pack(Ws))


def rounded_again(known, rng):
    """w moved by 1e-15 of itself."""
    return replace(known, w=known.w * (1.0 + 1e-15 * rng.uniform(-1.0, 1.0, len(known.w))))


CHANGES = (
    units_permuted, samples_permuted, signs_of_odd_units, samples_doubled, weights_scaled,
    other_units, rounded_again,
)  # fmt: skip


def compare(known, counts):
    """Apply every change that can be; returns [(point, change, verdict before, after)]."""
    before, changed = known.diagnose().verdict, []
    rng = np.random.default_rng([7, known.seed, *known.family.encode()])
    for change in CHANGES:
        other = change(known, rng)
        if other is None:
            continue
        after = other.diagnose().verdict
        counts[change.__name__, "tried"] += 1
        if after is not before:
            counts[change.__name__, "changed"] += 1
            changed.append((known, change.__name__, before.name, after.name))
    return changed


def main():
    given = verdict_census.arguments("verdicts on one problem written down in 7 ways", 216)
    each = -(-given.count // len(given.family))
    counts, changed = Counter(), []
    for name in given.family:
        for known in verdict_census.FAMILIES[name].points(each, given.seed):
            changed += compare(known, counts)
    for change in CHANGES:
        name = change.__name__
        print(f"{name:20}{counts[name, 'changed']:5} of {counts[name, 'tried']:5} changed")
    for one in changed:
        print(*map(str, one), sep="; ")


if __name__ == "__main__":
    main()
