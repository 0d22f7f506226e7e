"""Random trainings of every kind, by a seed: what memory checkers are to watch.

    python tests/stress.py --trainings 3000 --seed 0

Sizes, activations, biases, losses, steps, rules, penalties, shares of samples and the units of
the data are drawn; a refusal with a sentence is an answer, and any other exception is not.  Each
fit's `fun` is compared with J at its weights, taken anew.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter

import numpy as np

import ggn
from ggn.activations import BUILT_IN as ACTIVATIONS
from ggn.damping import Undamped

LOSSES = ("squared", "smooth_lp", "cauchy", "blake_zisserman", "logistic", "softmax_cross_entropy")
STEPS = ("auto", "primal", "dual", "minimum_norm", "conjugate_gradient", "diagonal", "gradient",
         "block_diagonal", "subsampled")  # fmt: skip


class WrongError(Exception):
    """A fit that contradicts itself."""


def drawn(rng):
    """A network and the arguments of a training."""
    inner = rng.integers(1, 10, size=rng.integers(0, 4)).tolist()
    sizes = (int(rng.integers(1, 7)), *inner, int(rng.integers(1, 5)))
    loss = rng.choice(LOSSES, p=[0.5, 0.1, 0.1, 0.1, 0.1, 0.1])
    if loss == "softmax_cross_entropy" and sizes[-1] == 1:
        loss = "logistic"
    net = ggn.MLP(
        sizes,
        [str(name) for name in rng.choice(list(ACTIVATIONS), size=len(inner))],
        "identity" if rng.random() < 0.8 else str(rng.choice(list(ACTIVATIONS))),
        bias=[bool(b) for b in rng.random(len(sizes) - 1) < 0.8],
        fixed_bias=0.5 if rng.random() < 0.1 else 0.0,
    )
    T = int(rng.choice([1, 2, int(rng.integers(3, 60)), int(rng.integers(60, 700))]))
    units = 10.0 ** rng.choice([0, 0, 0, 0, -12, 12, 150, -150])
    X = rng.normal(size=(T, sizes[0])) * units
    Y = rng.normal(size=(T, sizes[-1])) * 10.0 ** rng.choice([0, 0, 0, 0, -9, 9])
    if loss == "logistic":
        Y = (Y > 0.0).astype(float)
    elif loss == "softmax_cross_entropy":
        Y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=T)]
    options = {"loss": str(loss), "max_iter": int(rng.integers(0, 9)), "rng": int(rng.integers(99))}
    if rng.random() < 0.3:
        options["step"] = str(rng.choice(STEPS))
    if rng.random() < 0.3:
        options["l2"] = float(10.0 ** rng.integers(-9, 2))
    if rng.random() < 0.2:
        options["sample_weight"] = rng.random(T) + (rng.random(T) < 0.5)
    if rng.random() < 0.3:
        options["w0"] = "normal"
    if rng.random() < 0.15:
        options["damping"] = Undamped(float(rng.random() + 0.01))
    return net, X, Y, options


def through_time(rng):
    """Train a model of series once, run it, and return how the fit ended."""
    T = [int(n) for n in rng.integers(4, 90, size=rng.integers(1, 4))]
    nu, ny = int(rng.integers(0, 3)), int(rng.integers(1, 3))
    units = 10.0 ** rng.choice([0, 0, 0, -9, 9])
    U = [rng.normal(size=(n, nu)) for n in T] if nu else None
    Y = [np.cumsum(rng.normal(size=(n, ny)), axis=0) * units for n in T]
    if rng.random() < 0.3:
        Y[0][int(rng.integers(T[0]))] = np.nan
    options = {"max_iter": int(rng.integers(0, 6)), "rng": int(rng.integers(99))}
    if rng.random() < 0.2:
        options["loss"] = str(rng.choice(["smooth_lp", "cauchy", "blake_zisserman"]))
    if rng.random() < 0.2:
        options["l2"] = float(10.0 ** rng.integers(-9, 2))
    if rng.random() < 0.2:
        options["step"] = str(rng.choice(["primal", "minimum_norm", "conjugate_gradient"]))
    lagged = rng.random() < 0.5
    try:
        if lagged:
            fit = ggn.narx(
                U, Y, hidden=[int(n) for n in rng.integers(1, 5, size=rng.integers(0, 3))],
                activation=str(rng.choice(list(ACTIVATIONS))),
                output_lags=int(rng.integers(0, 4)), input_lags=int(rng.integers(0, 4)),
                free_run=bool(rng.random() < 0.7), free_start=bool(rng.random() < 0.2), **options,
            )  # fmt: skip
            fit.predict(U, Y, horizon=None)
        else:
            f, g = (None if rng.random() < 0.4 else int(rng.integers(1, 5)) for _ in range(2))
            fit = ggn.statespace(
                U, Y, int(rng.integers(1, 4)), f=f, g=g, feedthrough=bool(rng.random() < 0.7),
                free_initial_states=bool(rng.random() < 0.7),
                window=None if rng.random() < 0.7 else int(rng.integers(4, 30)), **options,
            )  # fmt: skip
            fit.simulate(U, n_steps=None if nu else 9)
    except ValueError:
        return "series refused"
    if not np.isfinite(fit.w).all():
        raise WrongError(f"weights that are not finite: a model of series, {options}")
    return f"{'narx' if lagged else 'statespace'} {fit.status.name}"


def tried(rng):
    """Train once; return how it ended, in a word."""
    if rng.random() < 0.2:
        return through_time(rng)
    net, X, Y, options = drawn(rng)
    many = rng.random() < 0.2
    try:
        if many:
            fits = ggn.train_many(net, X, Y, n_fits=3, **options)
            w, fun, end = fits.w[-1], fits.fun[-1], "many"
        else:
            fit = ggn.train(net, X, Y, **options)
            w, fun, end = fit.w, fit.fun, fit.status.name
    except ValueError:
        return "refused"
    if not np.isfinite(w).all():
        raise WrongError(f"weights that are not finite: {net}, {options}")
    shares = options.get("sample_weight")
    at = ggn.linearize(net, w, X, Y, options["loss"], l2=options.get("l2", 0.0),
                       sample_weight=shares)  # fmt: skip
    if np.isfinite(fun) and not np.isclose(at.loss, fun, rtol=1e-6, atol=1e-290):
        raise WrongError(f"fun {fun!r}, J(w) {at.loss!r}: {net}, {options}")
    if rng.random() < 0.1 and X.size < 200 and net.n_weights < 60:
        at.normal_matrix(), at.kernel_matrix(), at.jacobian()
    return end


def campaign(trainings, seed):
    """Run them; return how many ended how."""
    ends: Counter[str] = Counter()
    for i in range(trainings):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                ends[tried(np.random.default_rng([seed, i]))] += 1
            except Exception:
                print(f"training {i} of seed {seed}", file=sys.stderr)
                raise
    return ends


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trainings", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ends = campaign(options.trainings, options.seed)
    print(f"{ends.total()} trainings: " + ", ".join(f"{n} {end}" for end, n in ends.most_common()))


if __name__ == "__main__":
    main()
