"""`ggn demo`: an exact fit, with its order of convergence, and a fit of noisy data."""

from __future__ import annotations

import argparse
import math
import statistics
import textwrap
import time

import numpy as np

from ggn import problems
from ggn.command.parser import whole
from ggn.command.report import fields
from ggn.fit.convergence import undamped_approach
from ggn.fit.result import Status, pass_on_interrupt
from ggn.fit.scores import rmse, validation_split
from ggn.fit.train import train
from ggn.io import Model
from ggn.io.scaling import standard_units
from ggn.network import MLP
from ggn.validation import integer

__all__ = ["add", "run"]

SEED = 16  # of a run in which every iteration fits on the screen
TIME_IS_UP = "The time limit was reached."  # which is no option here
MAX_SECONDS = 20.0  # of each fit, on however busy a machine


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = "Two fits: one exact, with quadratic convergence; one of noisy data."
    parser.set_defaults(run=run)
    parser.add_argument(
        "--seed",
        type=whole,
        default=SEED,
        metavar="N",
        help="of the data and the initial weights (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Print both fits.

    Raises
    ------
    ValueError
        For a seed that cannot be used.
    """
    seed = integer("seed", args.seed, 0)
    _exact(seed)
    print()
    _noisy(seed)
    return 0


def _exact(seed: int) -> None:
    """Show a fit of as many residuals as one likes to zero, by undamped steps."""
    X, Y = problems.four_regions(20, rng=seed)
    net = MLP((2, 20, 1), activation="bent_identity")
    w0 = np.random.default_rng(seed).standard_normal(net.n_weights)
    way = undamped_approach(net, X, Y, w0, max_seconds=MAX_SECONDS)
    losses, distances, observed = way.losses, way.distances, way.orders
    print("1. Exact learning: four regions, 20 samples; network 2-20-1, bent identity;")
    print(f"   undamped Gauss-Newton steps from random weights (seed {seed}).\n")
    print("   iteration           loss J   distance to the end   observed order")
    shown = _shown(len(losses))
    for row, k in enumerate(shown):
        if k - shown[max(row - 1, 0)] > 1:
            print("         ...")
        order = "-" if math.isnan(observed[k]) else f"{observed[k]:.2f}"
        distance = f"{distances[k]:.2e}" if k < len(losses) - 1 else "0 (the end)"
        print(f"   {k:9d} {losses[k]:16.3e} {distance:>21} {order:>16}")
    known = [order for order in observed if not math.isnan(order)]
    median = f"{statistics.median(known):.2f}" if known else "not observed"
    verdict = (
        "the fit is exact to rounding" if way.exact else "this start did not lead to an exact fit"
    )
    _say(
        f"Loss {losses[-1]:.1e} after {len(losses) - 1} iterations, "
        f"median observed order {median}: {verdict}."
    )


def _shown(count: int) -> list[int]:
    """Return the rows to print: of a long run, the last ones, where it converges."""
    return list(range(count)) if count <= 15 else [0, *range(count - 13, count)]


def _noisy(seed: int) -> None:
    """Show a regression whose errors should come out as the noise that was put in."""
    noise, penalty = 0.1, 1e-5
    generator = np.random.default_rng(seed)
    X = generator.uniform(-3.0, 3.0, (300, 1))
    Y = np.sin(2.0 * X) + noise * generator.standard_normal((300, 1))
    fitted, held = validation_split(len(X), 0.2, generator)
    x_mean, x_scale = standard_units(X[fitted])
    y_mean, y_scale = standard_units(Y[fitted])
    net = MLP((1, 20, 1), activation="tanh")
    started = time.perf_counter()
    result = train(
        net,
        (X[fitted] - x_mean) / x_scale,
        (Y[fitted] - y_mean) / y_scale,
        rng=generator,
        l2=penalty,
        max_seconds=MAX_SECONDS,
    )
    seconds = time.perf_counter() - started
    pass_on_interrupt(result)
    F = Model(net, result.w, None, None, x_mean, x_scale, y_mean, y_scale).predict(X)
    train_rmse, held_rmse = (float(rmse(Y[part], F[part])[0]) for part in (fitted, held))
    print(f"2. Regression with noise: y = sin 2x + {noise:g} N(0, 1); network 1-20-1, tanh;")
    print(f"   Levenberg-Marquardt damping, l2 = {penalty:g}.\n")
    rows = [
        ("train RMSE", f"{train_rmse:.4f}   {len(fitted)} samples"),
        ("validation", f"{held_rmse:.4f}   {len(held)} samples not trained on"),
        ("noise", f"{noise:.4f}"),
        ("run", f"{result.nit} iterations, {seconds:.2f} s"),
        ("stopped", TIME_IS_UP if result.status is Status.MAX_SECONDS else result.message),
    ]
    print("   " + fields(rows).replace("\n", "\n   "))
    ratio = held_rmse / noise
    verdict = (
        "the network has learnt the curve and not the noise."
        if 0.7 < ratio < 1.3
        else "more samples or a larger penalty would bring it nearer."
    )
    _say(f"On samples it has not seen, its error is {ratio:.2f} times the noise: {verdict}")


def _say(sentence: str) -> None:
    indent = "   "
    print("\n" + textwrap.fill(sentence, 78, initial_indent=indent, subsequent_indent=indent))
