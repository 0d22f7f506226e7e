"""What the library says of the principles on random networks, beside their plain statement.

Run as `python tests/principles_census.py [count]` for the counts; the suite takes fewer.
"""

import sys
from collections import Counter

import numpy as np
import reference
import reference_principles as plain
from rank_cases import KINDS, degenerate

import ggn
from ggn.surface import certificate, check_principles

OWN = ("square", "sine", "bell", "own_tanh")
LIBRARY = {
    "squared": ggn.losses.Squared(),
    "smooth_l1.5": ggn.losses.SmoothLp(1.5, 0.5),
    "smooth_l1": ggn.losses.SmoothLp(1.0, 0.1),
    "smooth_l0.5": ggn.losses.SmoothLp(0.5, 0.5),
    "cauchy": ggn.losses.Cauchy(2.0),
    "blake_zisserman": ggn.losses.BlakeZisserman(),
    "logistic": ggn.losses.Logistic(),
    "softmax_cross_entropy": ggn.losses.SoftmaxCrossEntropy(),
}
TRUTH = {True: plain.HOLDS, False: plain.FAILS, None: plain.UNKNOWN}


def loss_of(name):
    """The library's loss, or one of the user's own; of those only one is declared convex."""
    if name in LIBRARY:
        return LIBRARY[name]
    fact = plain.FACTS[name]
    own = ggn.Loss(name.split(",")[0], fact.value, fact.gradient, fact.hessian)
    if fact.declared:
        own.convex = True
    return own


def activation_of(name):
    """A name, or one of the user's own, which says nothing of its slope."""
    return ggn.Activation(name, *plain.SIGMAS[name].functions) if name in OWN else name


def targets(kind, name, F, rng):
    """Targets that the loss allows: at random, at an exact fit, or far away."""
    T, n = F.shape
    if name == "softmax_cross_entropy":
        soft = plain._softmax(F if kind == "exact" else rng.normal(size=F.shape))
        return np.eye(n)[rng.integers(n, size=T)] if kind == "far" else soft
    if name == "logistic":
        soft = plain._p(F if kind == "exact" else rng.normal(size=F.shape))
        return np.round(soft) if kind == "far" else soft
    if kind == "exact":
        return F.copy()
    return F + rng.normal(size=F.shape) * (30.0 if kind == "far" else 1.0)


def drawn(number):
    """A network, weights, data and a loss, at random; None where the outputs overflow."""
    rng = np.random.default_rng([11, number])
    L = int(rng.integers(1, 5))
    sizes = tuple(int(n) for n in rng.integers(1, 5, size=L + 1))
    name = list(plain.FACTS)[number % len(plain.FACTS)]
    if name == "softmax_cross_entropy":
        sizes = (*sizes[:-1], max(sizes[-1], 2))
    names = [str(n) for n in rng.choice(list(plain.SIGMAS), size=L)]
    if rng.random() < 0.5:
        names[-1] = "identity"
    bias = tuple(bool(b) for b in rng.integers(0, 2, size=L))
    fixed = float(rng.choice([0.0, 0.25]))
    spec = reference.Spec(sizes, tuple(plain.SIGMAS[n].functions for n in names), bias, fixed)
    given = [activation_of(n) for n in names]
    net = ggn.MLP(sizes, given[:-1], given[-1], bias, fixed)
    Ws = reference.unpack(spec, rng.normal(size=net.n_weights) * rng.choice([0.5, 1.0, 2.0]))
    kind = KINDS[int(rng.integers(len(KINDS)))] if rng.random() < 0.6 else "generic"
    w = reference.pack(degenerate(kind, Ws, rng))
    T = int(rng.integers(1, 7))
    X = rng.normal(size=(T, sizes[0]))
    if rng.random() < 0.1:
        X[0] = 0.0
    with np.errstate(all="ignore"):
        F = reference.forward(spec, w, X)[0][-1]
        P = reference.jacobian(spec, w, X)
        if not (np.abs(F).max() < 200.0 and np.abs(P).max() < 1e100):
            return None
    kind = str(rng.choice(["random", "exact", "far"]))
    return spec, names, net, w, X, targets(kind, name, net.forward(w, X), rng), name, kind


def compare(number, counts):
    """Count the answers, and return the disagreements as (statement, library, plain)."""
    case = drawn(number)
    if case is None:
        counts["skipped", "overflow"] += 1
        return []
    spec, names, net, w, X, Y, name, kind = case
    fact, loss = plain.FACTS[name], loss_of(name)
    said = {one.principle: one for one in check_principles(net, w, X, Y, loss)}
    cert = certificate(net, w, X, Y, loss)
    F = reference.forward(spec, w, X)[0][-1]
    eps = 0.0 * F.ravel() if kind == "exact" else fact.gradient(F, Y).ravel() / len(X)
    design_4 = plain.principle_4_design(names)
    unknown = {plain.UNKNOWN, plain.FAILS}
    design_1 = {fact.principle_1} if fact.declared else unknown
    design_1a = {fact.principle_1a} if name in LIBRARY else unknown
    expected = {
        "1 design": (said["1"].design.value, design_1),
        "1": (said["1"].verdict.value, plain.principle_1(fact, F, Y)),
        "1.a design": (said["1.a"].design.value, design_1a),
        "1.a": (said["1.a"].verdict.value, plain.principle_1a(fact, F, Y)),
        "2": (said["2"].verdict.value, plain.principle_2(spec, len(X))),
        "3": (said["3"].verdict.value, plain.principle_3(spec, w)),
        "4 design": (said["4"].design.value, design_4),
        "4": (said["4"].verdict.value, plain.principle_4(spec, names, w, X)),
        "5": (said["5"].verdict.value, plain.principle_5(spec.sizes)),
        "5, corrected": (
            said["5, corrected"].verdict.value,
            plain.principle_5_corrected(spec.sizes),
        ),
        "Theorem 1": (TRUTH[cert.theorem_1], plain.theorem_1(spec, w, X, eps)),
        "Prop. 1": (TRUTH[cert.proposition_1], plain.proposition_1(spec, w, X)),
    }
    wrong = []
    for statement, (answer, allowed) in expected.items():
        counts[statement, answer] += 1
        if len(allowed) > 1 and plain.UNKNOWN not in allowed:
            counts[statement, "within the margin"] += 1
        if answer not in allowed:
            wrong.append((number, statement, answer, sorted(allowed)))
    return wrong


def census(numbers):
    """Return the counts by (statement, answer), and all disagreements."""
    counts, wrong = Counter(), []
    for number in numbers:
        wrong += compare(number, counts)
    return counts, wrong


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2400
    counts, wrong = census(range(count))
    answers = (plain.HOLDS, plain.FAILS, plain.NUMERICALLY, plain.UNKNOWN, "within the margin")
    print(f"{'':14}" + "".join(f"{answer:>24}" for answer in answers))
    for statement in dict.fromkeys(key[0] for key in counts):
        print(f"{statement:14}" + "".join(f"{counts[statement, a]:24}" for a in answers))
    print(f"{counts['skipped', 'overflow']} skipped, {len(wrong)} disagreements")
    for one in wrong[:40]:
        print(one)


if __name__ == "__main__":
    main()
