"""Whether following the advice of a diagnosis helps.

Run as `python tests/verdict_advice.py [N]`: N (120) stops of ordinary training, each diagnosed;
the advice is followed by its key, and the outcome diagnosed again.  Better is

    J        lower by a thousandth, or by 1e-20 where it is that small
    rank     of P higher
    verdict  further up in MERIT
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

import ggn
from ggn.surface import Advice, Verdict

MERIT = (
    Verdict.NOT_STATIONARY, Verdict.RUNAWAY, Verdict.INCONCLUSIVE, Verdict.INFEASIBLE,
    Verdict.SADDLE, Verdict.LOCAL_MINIMUM, Verdict.GLOBAL_MINIMUM,
)  # fmt: skip
ACTIVATIONS = ("tanh", "softplus", "sigmoid", "softsign", "bent_identity", "relu", "gelu", "sine")


class Stop:
    """One fit that ended: a small random problem, a network, options."""

    def __init__(self, number):
        rng = np.random.default_rng([13, number])
        n0, nL = int(rng.integers(1, 4)), int(rng.choice([1, 1, 2]))
        T = int(rng.integers(6, 60))
        X = rng.uniform(-2.0, 2.0, (T, n0))
        Y = np.sin(X @ rng.normal(size=(n0, nL))) + rng.choice([0.0, 0.0, 0.1]) * rng.normal(
            size=(T, nL)
        )
        self.classes = bool(rng.random() < 0.15)
        if self.classes:
            Y = (Y[:, :1] > 0.0).astype(float)
        if rng.random() < 0.2:
            X = X * 10.0 ** rng.integers(-3, 5, size=n0)
        if rng.random() < 0.1:
            Y = Y if self.classes else Y * 10.0 ** rng.integers(-3, 5)
        if rng.random() < 0.15:
            X, Y = ggn.problems.xor()
            self.classes = False
        self.X, self.Y = np.asarray(X, float), np.asarray(Y, float).reshape(len(X), -1)
        self.hidden = (int(rng.integers(1, 9)),) * int(rng.choice([1, 1, 2]))
        self.name = str(rng.choice(ACTIVATIONS))
        self.options = {
            "loss": "logistic" if self.classes else "squared",
            "l2": float(rng.choice([0.0, 0.0, 1e-6, 1e-3])),
        }
        self.number, self.limit = number, int(rng.choice([5, 50, 400, 1000]))
        net = self.net()
        start = np.zeros(net.n_weights) if rng.random() < 0.12 else None
        self.begun = self.fit(net, rng=number, w0=start, max_iter=self.limit)
        self.w = self.begun.w

    def net(self, hidden=None, name=None):
        sizes = (self.X.shape[1], *(hidden or self.hidden), self.Y.shape[1])
        return ggn.MLP(sizes, name or self.name)

    def fit(self, net, **given):
        return ggn.train(net, self.X, self.Y, **(self.options | {"max_iter": 1000} | given))

    def diagnose(self, net, w, **given):
        return ggn.diagnose(net, w, self.X, self.Y, **(self.options | given))


def starts(stop, net, count=5):
    """The best of other starts."""
    fits = [stop.fit(net, rng=[stop.number, k]) for k in range(1, count + 1)]
    return min(fits, key=lambda fit: fit.fun)


def standard(A):
    """Columns of mean 0 and deviation 1."""
    deviation = A.std(axis=0)
    return (A - A.mean(axis=0)) / np.where(deviation > 0.0, deviation, 1.0)


def follow(stop, advice, d):
    """(network, weights, options) after one piece of advice; None if there is nothing to do."""
    net = stop.net()
    wider = tuple(n + 2 for n in stop.hidden)
    penalty = {"l2": max(stop.options["l2"], 1e-6)}
    match advice:
        case Advice.TRAIN_ON:
            return net, stop.fit(net, w0=stop.begun, max_iter=2000).w, {}
        case Advice.LEAVE_SADDLE:
            return net, stop.fit(net, w0=stop.begun, escape_saddles=True).w, {}
        case Advice.PENALISE | Advice.PENALISE_TO_SETTLE:
            return net, stop.fit(net, w0=stop.begun, **penalty).w, penalty
        case Advice.SATURATE_LESS:
            mild = stop.net(name="bent_identity")
            return mild, stop.fit(mild, rng=stop.number).w, {}
        case Advice.OTHER_STARTS:
            fit = starts(stop, net, 10)
            if fit.fun < 0.999 * d.loss:
                return net, fit.w, {}
            wide = stop.net(wider)
            return wide, starts(stop, wide, 10).w, {}
        case Advice.SMOOTH:
            smooth = stop.net(name="softplus")
            return smooth, stop.fit(smooth, rng=stop.number).w, {}
        case Advice.PERTURB:
            rng = np.random.default_rng(stop.number)
            size = 0.1 * max(1.0, float(np.sqrt(np.mean(stop.w**2))))
            w0 = stop.w + size * rng.normal(size=len(stop.w))
            return net, stop.fit(net, w0=w0).w, {}
        case Advice.FIT_CLOSER | Advice.REMEDY_OR_ACCEPT:
            if d.suggestion.remedy.name in ("FEW_WEIGHTS", "NARROW"):
                wide = stop.net(wider)
                return wide, starts(stop, wide).w, {}
    return None


def scaled(stop, before):
    """What gets better in scaled data, beside an equally long run as they are; verdict then."""
    X, Y = standard(stop.X), stop.Y if stop.classes else standard(stop.Y)
    net, options = stop.net(), stop.options | {"max_iter": 1000, "rng": stop.number}
    here, there = (ggn.train(net, *data, **options) for data in ((stop.X, stop.Y), (X, Y)))
    old, new = (
        ggn.linearize(net, fit.w, *data, stop.options["loss"]).loss
        / (1.0 if stop.classes else np.sum(np.var(data[1], axis=0)))
        for fit, data in ((here, (stop.X, stop.Y)), (there, (X, Y)))
    )
    after = ggn.diagnose(net, there.w, X, Y, **stop.options)
    got = {"J"} if new < 0.999 * old else set()
    return got | (
        {"verdict"} if MERIT.index(after.verdict) > MERIT.index(before.verdict) else set()
    ), after.verdict


def loss(stop, net, w):
    """J without the penalty, which advice may change."""
    return ggn.linearize(net, w, stop.X, stop.Y, stop.options["loss"]).loss


def rank(stop, net, w):
    P = net.jacobian(w, stop.X)
    s = np.linalg.svd(P, compute_uv=False)
    return int(np.sum(s > max(P.shape) * 2.2e-16 * s[0])) if s.size and s[0] else 0


def better(stop, before, found):
    """What got better: any of "J", "rank", "verdict"; "J" also penalty included."""
    net, w, options = found
    after = stop.diagnose(net, w, **options)
    old, new = loss(stop, stop.net(), stop.w), loss(stop, net, w)
    got = set()
    if new < old - max(1e-3 * old, 1e-20) or (not options and after.loss < 0.999 * before.loss):
        got.add("J")
    if rank(stop, net, w) > rank(stop, stop.net(), stop.w):
        got.add("rank")
    if MERIT.index(after.verdict) > MERIT.index(before.verdict):
        got.add("verdict")
    return got, after


def survey(numbers):
    """[(stop number, verdict, advice, better in, verdict after)]; advice with nothing to do is
    counted as None."""
    found = []
    for number in numbers:
        stop = Stop(number)
        d = stop.diagnose(stop.net(), stop.w)
        for advice in d.suggestion.advice:
            if advice is Advice.SCALE:
                found.append((number, d.verdict, advice, *scaled(stop, d)))
                continue
            after = follow(stop, advice, d)
            if after is None:
                found.append((number, d.verdict, advice, None, None))
                continue
            got, second = better(stop, d, after)
            found.append((number, d.verdict, advice, got, second.verdict))
    return found


def main():
    parser = argparse.ArgumentParser(description="advice followed")
    parser.add_argument("count", nargs="?", type=int, default=120)
    with np.errstate(all="ignore"):
        found = survey(range(parser.parse_args().count))
    print(f"{'advice':20}{'given':>6}{'tried':>6}{'better':>7}{'J':>5}{'rank':>6}{'verdict':>9}")
    followed = [one for one in found if one[3] is not None]
    for advice in dict.fromkeys(one[2] for one in found):
        given = [one for one in found if one[2] is advice]
        tried = [one[3] for one in given if one[3] is not None]
        kinds = Counter(k for got in tried for k in got)
        print(
            f"{advice.name:20}{len(given):6}{len(tried):6}{sum(map(bool, tried)):7}"
            f"{kinds['J']:5}{kinds['rank']:6}{kinds['verdict']:9}"
        )
    helped = sum(bool(one[3]) for one in followed)
    print(f"{helped} of {len(followed)} better ({100.0 * helped / len(followed):.0f} %)")
    for number, verdict, advice, got, second in followed:
        if not got:
            print(f"stop {number}: {verdict.name}, {advice.name}: {second.name}, nothing better")


if __name__ == "__main__":
    main()
