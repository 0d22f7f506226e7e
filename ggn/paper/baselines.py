"""What the paper names beside GGN, on one problem: losses by iteration and by time.

F(2,10,10,4), dummy units, sigmoid, four regions with T = 60 and one-hot targets, from N(0, 1):

    GGN, parts of its matrix    `ggn.train`; parts with Levenberg-Marquardt damping, as LM has it
    BP                          w - alpha ∇J, and as printed, w - alpha T ∇J
    momentum, Adam              with the best of five step sizes
    CG, BFGS, L-BFGS            SciPy's
    EKF                         Singhal & Wu (1989), one pass over the samples an iteration

They are here to compare, not to train with.  Losses are J after each iteration; those whose
iteration costs little more than a gradient are given `CHEAP` iterations for one of GGN.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ggn import problems
from ggn.damping import LevenbergMarquardt, Undamped
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.linearization import Objective
from ggn.losses import Squared
from ggn.network import MLP
from ggn.paper.pieces import Piece, Pieces
from ggn.paper.pseudo_inverse import PseudoInverse

__all__ = ["METHODS", "Baselines", "adam", "experiment", "kalman", "momentum"]

SIZES, SAMPLES, ALPHA, CHEAP = (2, 10, 10, 4), 60, 0.01, 20
STEP_SIZES = (0.003, 0.01, 0.03, 0.1, 0.3)
Path = tuple[np.ndarray, np.ndarray]  # losses after each iteration, the first at w0; seconds


@dataclass(frozen=True)
class Baselines:
    """Losses and seconds by method, for each run.

    Attributes
    ----------
    iterations : int
        Of GGN.
    paths : list of dict of str to (ndarray, ndarray)
    """

    iterations: int
    paths: list[dict[str, Path]]

    def least(self, method: str) -> np.ndarray:
        """Return the least J of each run, (runs,)."""
        return np.array([np.nanmin(run[method][0]) for run in self.paths])


def momentum(
    objective: Objective, w: np.ndarray, alpha: float, beta: float = 0.9
) -> Iterator[np.ndarray]:
    """Yield iterates of v = beta v + ∇J, w - alpha v."""
    v = np.zeros_like(w)
    while True:
        v = beta * v + objective.at(w).gradient
        w = w - alpha * v
        yield w


def adam(objective: Objective, w: np.ndarray, alpha: float) -> Iterator[np.ndarray]:
    """Yield iterates of Adam (Kingma & Ba 2015), all samples at once, decay 0.9 and 0.999."""
    m, v, k = np.zeros_like(w), np.zeros_like(w), 0
    while True:
        g, k = objective.at(w).gradient, k + 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - alpha * (m / (1.0 - 0.9**k)) / (np.sqrt(v / (1.0 - 0.999**k)) + 1e-8)
        yield w


def kalman(
    objective: Objective,
    w: np.ndarray,
    prior: float = 10.0,
    noise: float = 0.1,
    drift: float = 1e-3,
) -> Iterator[np.ndarray]:
    """Yield weights after each pass of the extended Kalman filter over the samples in order.

        K = C H (H^T C H + noise I)^-1,  w + K (y - φ_L),  C - K H^T C + drift I

    H (N, nL) is P of one sample, and C, at first prior I, the covariance of the weights.  The
    three numbers are ours: the best of six tried.
    """
    net, X, Y = objective.net, objective.X, objective.Yt.T
    C = prior * np.eye(len(w))
    R = noise * np.eye(net.n_outputs)
    while True:
        for i in range(len(X)):
            H = net.jacobian(w, X[i : i + 1])
            CH = C @ H
            K = np.linalg.solve(H.T @ CH + R, CH.T).T
            w = w + K @ (Y[i] - net.forward(w, X[i : i + 1])[0])
            C = C - K @ CH.T
            C.flat[:: len(w) + 1] += drift
        yield w


def _walk(moves: Iterator[np.ndarray], objective: Objective, w: np.ndarray, n: int) -> Path:
    """Follow weights that come one by one; J is not part of the time."""
    losses, seconds, spent = [objective.value(w)], [0.0], 0.0
    with np.errstate(all="ignore"):
        for _ in range(n):
            start = time.perf_counter()
            w = next(moves)
            spent += time.perf_counter() - start
            losses.append(objective.value(w))
            seconds.append(spent)
            if not np.isfinite(losses[-1]):
                break
    return np.array(losses), np.array(seconds)


def _best(moves: Callable[..., Any]) -> Callable[[Objective, np.ndarray, int], Path]:
    """Return the path of the step size that reaches the least J."""

    def run(objective: Objective, w: np.ndarray, iterations: int) -> Path:
        many = CHEAP * iterations
        paths = [_walk(moves(objective, w, alpha), objective, w, many) for alpha in STEP_SIZES]
        return min(paths, key=lambda path: float(np.nanmin(path[0])))

    return run


def _scipy(method: str, times: int) -> Callable[[Objective, np.ndarray, int], Path]:
    def run(objective: Objective, w: np.ndarray, iterations: int) -> Path:
        seen, start = [(objective.value(w), 0.0)], time.perf_counter()

        def note(intermediate_result: Any) -> None:
            seen.append((float(intermediate_result.fun), time.perf_counter() - start))

        def both(w: np.ndarray) -> tuple[float, np.ndarray]:
            at = objective.at(w.copy())
            return at.loss, at.gradient

        options = {"maxiter": times * iterations, "gtol": 0.0}
        if method == "L-BFGS-B":
            options |= {"ftol": 0.0, "maxfun": 10**9}
        minimize(both, w, jac=True, method=method, callback=note, options=options)
        losses, seconds = np.array(seen).T
        return losses, seconds

    return run


def _train(cheap: bool = False, **options: Any) -> Callable[[Objective, np.ndarray, int], Path]:
    def run(objective: Objective, w: np.ndarray, iterations: int) -> Path:
        fit = train(
            objective.net, objective.X, objective.Yt.T, Squared(), w0=w, tol=0.0,
            max_iter=CHEAP * iterations if cheap else iterations, **options,
        )  # fmt: skip
        pass_on_interrupt(fit)
        return fit.history.loss, fit.history.seconds

    return run


METHODS: dict[str, Callable[[Objective, np.ndarray, int], Path]] = {
    "GGN, α = 0.1": _train(step=PseudoInverse(), damping=Undamped(0.1)),
    "LM": _train(damping=LevenbergMarquardt()),
    "block-diagonal": _train(step="block_diagonal", damping=LevenbergMarquardt()),
    "diagonal": _train(step="diagonal", damping=LevenbergMarquardt(), cheap=True),
    "BP, sum": _train(step="gradient", damping=Undamped(ALPHA * SAMPLES), cheap=True),
    "BP, mean": _train(step="gradient", damping=Undamped(ALPHA), cheap=True),
    "momentum": _best(momentum),
    "Adam": _best(adam),
    "CG": _scipy("CG", CHEAP),
    "BFGS": _scipy("BFGS", 4),
    "L-BFGS": _scipy("L-BFGS-B", CHEAP),
    "EKF": lambda objective, w, iterations: _walk(kalman(objective, w), objective, w, iterations),
}


def experiment(
    pieces: Pieces | None = None, seed: int = 0, runs: int = 3, iterations: int = 200
) -> Baselines:
    """Run every method from the same weights, one after the other, for they are timed.

    Parameters
    ----------
    pieces : Pieces, optional
        Where results are kept; by default nowhere.
    seed : int, default 0
    runs : int, default 3
        Each with data and weights of its own.
    iterations : int, default 200
        Of GGN.

    Examples
    --------
    >>> from ggn.paper import baselines
    >>> found = baselines.experiment(runs=1, iterations=2)
    >>> len(found.paths[0]["LM"][0]), len(found.paths[0]["Adam"][0])
    (3, 41)
    """
    arguments = [(seed, run, iterations) for run in range(runs)]
    done = (pieces or Pieces()).map("baselines", _run, arguments, jobs=1)
    paths = [
        {name: (p[f"losses-{k}"], p[f"seconds-{k}"]) for k, name in enumerate(METHODS)}
        for p in done
    ]
    return Baselines(iterations, paths)


def _run(seed: int, run: int, iterations: int) -> Piece:
    rng = np.random.default_rng([seed, run])
    X, Y = problems.four_regions(SAMPLES, rng, one_hot=True)
    net = MLP(SIZES, "sigmoid")
    w0, objective = net.initial_weights(rng), Objective(net, X, Y)
    piece = {}
    for k, method in enumerate(METHODS.values()):
        piece[f"losses-{k}"], piece[f"seconds-{k}"] = method(objective, w0, iterations)
    return piece
