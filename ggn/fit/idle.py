"""Hidden units that act on no sample any more, and whether J would fall if they did.

Where σ'(z_i) = 0 on all samples i, ∇J is 0 in the weights v into a unit, wherever they are.  Where
σ(z_i) is one number σ₀ on all of them too, the unit is no more than a second dummy unit:

    u -> 0,  the next layer's dummy weights + σ₀ u;    v -> v / s,  z -> (z - m) / s + shift

leads away from there, u being the weights out of it, m and s mean and deviation of z.  J keeps
still all the way, so where it falls beyond, an end with a gradient of 0 is no minimum.  Damped
steps of all weights tell, if J falls by more than it would by chance: the k weights that have
moved and did not count before must be worth it, by Schwarz's criterion for squares,

    J' < J n^(-k/n),    n = T nL,

k being of the weights u for the first step, which cannot move v yet, and of u and v beyond.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ggn.damping import LevenbergMarquardt
from ggn.linearization import BaseObjective, Objective
from ggn.network import MLP
from ggn.steps import ConjugateGradient

__all__ = ["flat_units", "would_help"]

FLAT = 1e-6  # largest slope of a unit that training cannot move any more; change of its output
MOST_SAMPLES = 1000  # looked at
SHIFTS = (0.5, -0.5, 0.0, 1.0, -1.0)  # of units put back, of each layer: no lone one is odd
ROUNDING = 1e-8  # of z: a deviation below is none
TRIALS, LEAST = 60, 1e-6  # steps that are tried, and mu of the first
PRODUCTS = 50  # for each of them at most, see `ConjugateGradient`


def flat_units(objective: BaseObjective, w: np.ndarray) -> list[np.ndarray]:
    """Return which units of each hidden layer are flat on all samples."""
    X, *_ = objective.some(MOST_SAMPLES, counted=False)
    return [layer.flat for layer in _layers(objective.net, w, X)]


def would_help(objective: BaseObjective, w: np.ndarray) -> bool:
    """Whether J would fall if units acted that at w are one number on all samples.

    Examples
    --------
    A unit at tanh(100 + x), and targets that are x:

    >>> import numpy as np, ggn
    >>> from ggn.linearization import Objective
    >>> x = np.linspace(-1.0, 1.0, 20)[:, np.newaxis]
    >>> objective, w = Objective(ggn.MLP((1, 1, 1)), x, x), np.array([1.0, 100.0, 1.0, -1.0])
    >>> bool(abs(objective.at(w).gradient).max() < 1e-12), would_help(objective, w)
    (True, True)
    """
    net, loss, l2 = objective.net, objective.loss, objective.l2
    X, Y, c = objective.some(MOST_SAMPLES, counted=True)
    with np.errstate(all="ignore"):
        back = _put_back(net, w, X)
        if back.out == 0 or not np.isfinite(back.w).all():
            return False
        few = Objective(net, X, Y, loss, sample_weight=c, l2=l2)
        n, here, first = objective.counting * c.sum() * net.n_outputs, back.w, few.value(w)
        step, metric = ConjugateGradient(1e-3, PRODUCTS), LevenbergMarquardt().metric(few)
        prepared, J, mu, k = step.prepare(few.at(here), metric), few.value(here), LEAST, back.out
        for _ in range(TRIALS):
            trial = here - prepared.solve(mu)
            lower = few.value(trial)
            if lower < first * n ** (-k / n):
                return True
            if lower < J:
                here, J, mu, k = trial, lower, 0.1 * mu, back.every
                prepared = step.prepare(few.at(here), metric)
            else:
                mu *= 10.0
    return False


class _Layer(NamedTuple):
    """Units of a hidden layer on samples: the largest |σ'| of each, the least and the largest σ."""

    slope: np.ndarray
    least: np.ndarray
    largest: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        found: np.ndarray = self.slope < FLAT
        return found

    @property
    def still(self) -> np.ndarray:
        """Which are one number on all samples, to within what training can move."""
        found: np.ndarray = self.flat & (self.largest - self.least <= FLAT)
        return found


def _layers(net: MLP, w: np.ndarray, X: np.ndarray) -> list[_Layer]:
    H, found = X, []
    with np.errstate(all="ignore"):
        for i, W in enumerate(net.unpack(w)[:-1]):
            z, sigma = _net_inputs(net, i, H, W), net.activations[i]
            H, slope = sigma.value(z), np.abs(sigma.derivative(z))
            found.append(_Layer(slope.max(axis=0), H.min(axis=0), H.max(axis=0)))
    return found


def _net_inputs(net: MLP, i: int, H: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return z (T, n) of layer i + 1 with inputs H (T, m) and weights W."""
    z: np.ndarray = H @ W[: H.shape[1]] + (W[-1] if net.bias[i] else 0.0) - net.fixed_bias
    return z


class _Back(NamedTuple):
    """Weights at which units act that did not, and how many weights u these have, and u and v."""

    w: np.ndarray
    out: int
    every: int


def _put_back(net: MLP, w: np.ndarray, X: np.ndarray) -> _Back:
    """Put back units that are one number on all samples, a few of each layer; J is that at w."""
    Ws, H, out, every = [W.copy() for W in net.unpack(w)], X, 0, 0
    for i, layer in enumerate(_layers(net, w, X)):
        W, U, dummy = Ws[i], Ws[i + 1], net.bias[i]
        z = _net_inputs(net, i, H, W)
        m = z.mean(axis=0) if dummy else np.zeros(z.shape[1])
        s = np.sqrt(np.square(z - m).mean(axis=0))
        moves = layer.still & (s > ROUNDING * np.abs(z).max(axis=0))
        one, constant = -1, 1.0
        if not net.bias[i + 1]:  # then one of them, not 0, has to stay
            one = int(np.argmax(layer.still * np.abs(layer.least)))
            constant = layer.least[one]
            moves &= constant != 0.0
            moves[one] = False
        units = np.flatnonzero(moves)[: len(SHIFTS)]
        for k, shift in zip(units, SHIFTS, strict=False):
            W[:, k] /= s[k]
            if dummy:
                W[-1, k] += shift + net.fixed_bias - (net.fixed_bias + m[k]) / s[k]
            U[one] += layer.least[k] / constant * U[k]
            U[k] = 0.0
        out += len(units) * U.shape[1]
        every += len(units) * (len(W) + U.shape[1])
        H = net.activations[i].value(_net_inputs(net, i, H, W))
    return _Back(net.pack(Ws), out, every)
