"""Every bound on a rank against the rank itself, at random points and at degenerate ones.

The ranks are the oracle's.  `python tests/bound_experiment.py 10000` prints how often each bound
applies, is reached and, without its premises or as printed, would be wrong.
"""

import collections
import functools
import sys

import numpy as np
import reference
from rank_cases import EPS, KINDS, degenerate, rank
from strategies import NAMES, case

from ggn import surface


def network(seed, rng):
    """Sizes, activations and dummy units: any, two layers (Prop. 6), valleys, or wide (eq. 52)."""
    depth = int(rng.integers(1, 5))
    sizes = [int(n) for n in rng.integers(1, 7, depth + 1)]
    if seed % 5 == 0:
        sizes = [*sizes[:2], int(rng.integers(1, 5))]
    elif seed % 5 == 1:
        sizes = [sizes[0], *(int(n) for n in rng.choice([1, 4, 6], 2)), int(rng.integers(1, 5))]
    elif seed % 5 == 2:
        sizes = [sizes[0], int(rng.integers(4, 9)), int(rng.integers(1, 3))]
    names = tuple(str(name) for name in rng.choice(NAMES, len(sizes) - 1))
    if rng.random() < 0.1:
        names = ("identity",) * len(names)
    bias = tuple(bool(b) for b in rng.integers(0, 2, len(names)))
    if seed % 5 == 0 and rng.random() < 0.7:
        bias = (True, True)
    return tuple(sizes), names, bias


def points(count, first=0):
    """Yield (label, case, weights, inputs); repeated samples and T = 1 among them."""
    for seed in range(first, first + count):
        rng = np.random.default_rng([42, seed])
        c = case(*network(seed, rng), seed=seed)
        X, _ = c.data(int(rng.integers(1, 3 if seed % 5 == 2 else 9)))
        if rng.random() < 0.3:
            X = X[rng.integers(0, len(X), len(X))]
        kind = KINDS[seed % len(KINDS)]
        w = c.net.pack(degenerate(kind, c.net.unpack(c.w), rng))
        with np.errstate(all="ignore"):
            if np.isfinite(np.linalg.norm(reference.jacobian(c.spec, w, X))):
                yield (seed, kind), c, w, X


def ranks_by_the_oracle(spec, w, X, cut):
    """Rank of P and of every P_l above the cut; smallest rank of each Ψ_l, by its own cut."""
    P = reference.jacobian(spec, w, X)
    sizes = [np.prod(spec.shape(layer)) for layer in range(1, spec.L + 1)]
    found = {"P": rank(P, cut)}
    psi = [reference.psi(spec, w, x) for x in X]
    for layer, block in enumerate(np.split(P, np.cumsum(sizes)[:-1]), start=1):
        found[f"P_{layer}"] = rank(block, cut)
        found[f"Psi_{layer}"] = min(rank(p[layer - 1]) for p in psi)
    return found


def partitioned(spec, w, X):
    """Ψ and Φ̂ of eq. 21, L x T blocks, with dummy units, and their partitions."""
    psi = [reference.psi(spec, w, x) for x in X]
    phi = reference.forward(spec, w, X)[0][:-1]
    hat = [np.hstack([f, np.ones((len(X), int(b)))]).T for f, b in zip(phi, spec.bias, strict=True)]
    Psi = np.vstack([np.hstack([p[j] for p in psi]) for j in range(spec.L)])
    parts = (
        (list(spec.sizes[1:]), [spec.sizes[-1]] * len(X)),
        ([len(f) for f in hat], [1] * len(X)),
    )
    return Psi, np.vstack(hat), parts


def by_eq_45_and_52(spec, w, X, cut):
    """Least and largest rank of P = Ψ ⊙ Φ̂, from singular values of Ψ and of Φ̂ alone."""
    Psi, Phi, parts = partitioned(spec, w, X)
    s, t = (np.linalg.svd(A, compute_uv=False) for A in (Psi, Phi))
    kept = (v[v > max(A.shape) * EPS * v[0]] for v, A in ((s, Psi), (t, Phi)))
    sure, may = np.sum(np.outer(*kept) > 2.0 * cut), np.sum(np.outer(s, t) > cut / 2.0)
    least, _ = surface.khatri_rao_bounds(int(sure), *parts)
    _, most = surface.khatri_rao_bounds(int(may), *parts)
    return least, most


class Tally:
    """Counts by name of the bound, and what was wrong."""

    def __init__(self):
        self.counts = collections.Counter()
        self.wrong = []

    def add(self, label, bound, actual):
        counts, name, applies = self.counts, bound.name, bound.applies
        allowed = bound.allows(actual)
        counts[name, "checked"] += 1
        counts[name, "applies"] += applies
        if applies:
            counts[name, "sharp"] += actual == bound.value and actual > 0
            counts[name, "loose"] += actual != bound.value
            counts[name, "wrong"] += not allowed
        else:
            counts[name, "void, would be wrong"] += not allowed
        if applies and not allowed:
            self.wrong.append((*label, name))


@functools.cache
def experiment(count, first=0):
    """Return the tally of the library's bounds and that of the printed ones."""
    ours, printed = Tally(), Tally()
    for label, c, w, X in points(count, first):
        report = surface.ranks(c.net, w, X)
        cut = report.jacobian.tolerance
        with np.errstate(all="ignore"):
            actual = ranks_by_the_oracle(c.spec, w, X, cut)
            least, most = by_eq_45_and_52(c.spec, w, X, cut)
        if actual["P"] != report.jacobian.rank:
            ours.wrong.append((*label, "rank P"))
        whole = (
            surface.Bound("eq. 52 on all of P", "52", "P", True, least, ""),
            surface.Bound("eq. 45 on all of P", "45", "P", False, most, ""),
        )
        for bound in (*report.bounds, *whole):
            ours.add(label, bound, actual[bound.of])
        values = {b.name: b.value for b in report.bounds if b.of == "P" and b.lower}
        if values["Sylvester on all layers"] < values["Proposition 3"]:
            ours.wrong.append((*label, "Sylvester on all layers is weaker"))
        sizes = c.net.sizes
        if len(sizes) == 3:
            second = sizes[1] * (report.features[0].rank + sizes[2] - len(X))
            if second > sizes[1] * sizes[2]:
                ours.wrong.append((*label, "second term of Prop. 6"))
        for bound in surface.printed_bounds(report, X):
            printed.add(label, bound, actual[bound.of])
    return ours, printed


def main(count):
    ours, printed = experiment(count)
    columns = ["checked", "applies", "sharp", "loose", "wrong", "void, would be wrong"]
    for title, tally in (("bounds", ours), ("as printed", printed)):
        print(f"{title:<28}", *(f"{c:>9}" for c in columns))
        for name in dict.fromkeys(name for name, _ in tally.counts):
            print(f"{name:<28}", *(f"{tally.counts[name, c]:>9}" for c in columns))
    print("wrong:", ours.wrong or "none")


if __name__ == "__main__":
    main(int(sys.argv[1]))
