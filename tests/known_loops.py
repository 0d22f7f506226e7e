"""Points of fits in a loop whose kind is known, and the verdicts that may be given of them.

    python tests/known_loops.py [--each 10]

exact       weights that made the data: a global minimum
noisy       trained to the end near them, with a little noise: a minimum, not known to be global
on the way  a few steps from a start: not stationary
flat        hidden weights and outer weights 0, the last bias the mean of the outputs: stationary,
            and Σ ε φ'' couples the two, whose own blocks of the Hessian are 0: a strict saddle
twins       a unit in two halves of a minimum: stationary, with a line of equal J
"""

import argparse
from collections import Counter

import numpy as np
import recover_narx
from recover_narx import LAGS, NET, known

import ggn
from ggn.surface.evidence import Verdict

MAY = {
    "exact": {Verdict.GLOBAL_MINIMUM},
    "noisy": {Verdict.LOCAL_MINIMUM, Verdict.INCONCLUSIVE},
    "on the way": {Verdict.NOT_STATIONARY, Verdict.INCONCLUSIVE},
    "flat": {Verdict.SADDLE, Verdict.INCONCLUSIVE},
    "twins": {Verdict.SADDLE, Verdict.INCONCLUSIVE},
}


def point(kind, seed):
    """The diagnosis of a point of this kind."""
    rng = np.random.default_rng(seed)
    w, u, y = known(rng, 250)
    if kind == "noisy" or kind == "twins":
        y = y + 0.01 * rng.normal(size=len(y))
    options = {"hidden": 4, "max_iter": 300, "tol": 0.0, **LAGS}
    if kind == "on the way":
        return ggn.narx(u, y, **{**options, "max_iter": 3}, rng=seed).diagnose(u, y)
    fit = ggn.narx(u, y, w0=w, **options)
    if kind == "flat":
        Ws = [np.zeros_like(W) for W in NET.unpack(w)]
        Ws[-1][-1] = y[2:].mean()
        fit.w = NET.pack(Ws)
    if kind == "twins":
        Ws = NET.unpack(fit.w)
        first = np.hstack([Ws[0], Ws[0][:, :1]])
        last = np.vstack([Ws[1][:1] * 0.5, Ws[1][1:4], Ws[1][:1] * 0.5, Ws[1][4:]])
        fit.net = ggn.MLP((4, 5, 1))
        fit.w = fit.net.pack([first, last])
    return fit.diagnose(u, y)


def verdicts(kind, seeds):
    """How often each verdict is given of points of this kind."""
    return Counter(point(kind, seed).verdict for seed in seeds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=10)
    each = parser.parse_args().each
    assert recover_narx.LAGS == LAGS
    for kind, may in MAY.items():
        found = verdicts(kind, range(each))
        wrong = sum(n for verdict, n in found.items() if verdict not in may)
        said = ", ".join(f"{n} {verdict.value}" for verdict, n in found.items())
        print(f"{kind:<12}{wrong} wrong: {said}")
