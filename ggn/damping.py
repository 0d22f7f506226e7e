"""How far to trust a step: undamped (Algorithm 2 as printed), or Levenberg-Marquardt.

A damping is a frozen description; `start(objective)` returns the state of one run, with

    mu                            the damping of the next trial
    scale(diagonal) -> D or None  the metric: steps solve (G + mu D²) d = g
    judge(actual, predicted)      whether to take the trial; also updates mu
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ggn import _core
from ggn.linearization import Objective
from ggn.losses.curvature import Curvature
from ggn.network import chunks
from ggn.validation import named, number

__all__ = ["Damping", "LevenbergMarquardt", "Undamped", "resolve"]


class DampingState(Protocol):
    """What the training loop asks of a damping in one run; `acceleration` may be left out."""

    mu: float
    alpha: float  # step size
    acceleration: float  # largest 2 ‖D a‖ / ‖D d‖ to add the second-order term with; 0: never

    def scale(self, diagonal: np.ndarray) -> np.ndarray | None:
        """Return the diagonal of D (N,) from that of the GGN matrix, or None for the identity."""

    def judge(self, actual: float, predicted: float) -> bool:
        """Return whether to take a trial that reduces J by `actual` where the model says more."""


class Damping(Protocol):
    """A damping rule; `ggn.train` accepts any object with this method.

    One whose mu is always 0 says so by an attribute `damped = False`.
    """

    def start(self, objective: Objective) -> DampingState:
        """Return the state of a new run."""


@dataclass(frozen=True)
class Undamped:
    """Full GGN steps w - α d, each of them taken: Algorithm 2 of the paper.

    Parameters
    ----------
    alpha : float, default 1.0
        Step size in (0, 1].

    Notes
    -----
    Steps use the loss's positive semi-definite curvature (for squared loss, H_E itself).
    """

    alpha: float = 1.0
    damped = False

    def __post_init__(self) -> None:
        number("alpha", self.alpha, 0.0, 1.0, open_low=True)

    def start(self, objective: Objective) -> _Free:
        """Return the state of a new run."""
        return _Free(self.alpha)


class _Free:
    """No damping and no judgement."""

    mu = 0.0
    acceleration = 0.0

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha

    def scale(self, diagonal: np.ndarray) -> None:
        return None

    def judge(self, actual: float, predicted: float) -> bool:
        return math.isfinite(actual)


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Steps of (G + mu D²) d = g, with mu from the gain ratio (Nielsen's update).

    The gain ratio is actual over predicted reduction of J.  Where it is positive
    the step is taken and mu falls by a factor of at least `decrease`; else mu
    rises 2-, 4-, 8-fold and the same linearization is factored again.

    The metric lies between two: D² = D0^(3/2) (c r)^(1/4), so that the path does
    not depend on the units of inputs and targets.  D0² is the diagonal that G
    would have if every hidden unit's output were of size one and every weight
    beyond it of the size of the targets' deviation: a fixed metric, the identity
    for standardised data.  c(a) r(u), for unit u and input a of a layer, is the
    diagonal that G does have, in a form that lets no saturated unit run free:
    c(a) is the largest yet of its mean over the layer's units (Moré), and r(u)
    the mean over inputs of the diagonal relative to its mean.  The fixed metric
    alone goes astray where weights differ by orders of magnitude, G's alone
    tightens as the outer weights grow.

    Parameters
    ----------
    initial : float, default 0.1
        First mu, relative to D²; must be positive.
    decrease : float, default 1/3
        Smallest factor applied to mu after a step taken, in (0, 1).
    acceleration : float, default 0.75
        Geodesic acceleration: the step d is followed by a/2, a being the same
        system's solution for the second derivative of the outputs along d,
        where 2 ‖D a‖ <= acceleration · ‖D d‖.  0 turns it off.  It costs a few
        sweeps and no factorisation.

    References
    ----------
    Nielsen (1999), Damping parameter in Marquardt's method, IMM-REP-1999-05;
    Moré (1978), The Levenberg-Marquardt algorithm;
    Transtrum & Sethna (2012), Improvements to the Levenberg-Marquardt algorithm.
    """

    initial: float = 0.1
    decrease: float = 1.0 / 3.0
    acceleration: float = 0.75

    def __post_init__(self) -> None:
        number("initial", self.initial, 0.0, open_low=True)
        number("acceleration", self.acceleration, 0.0)
        number("decrease", self.decrease, 0.0, 1.0, open_low=True, open_high=True)

    def start(self, objective: Objective) -> _Nielsen:
        """Return the state of a new run."""
        return _Nielsen(objective, self)


class _Nielsen:
    alpha = 1.0

    def __init__(self, objective: Objective, rule: LevenbergMarquardt) -> None:
        net = objective.net
        self.mu = rule.initial
        self.acceleration = rule.acceleration if net.twice_differentiable else 0.0
        self._net = net
        self._decrease = rule.decrease
        self._increase = 2.0
        self._fixed = typical_scale(objective) ** 0.75
        self._largest = np.zeros(len(self._fixed))

    def scale(self, diagonal: np.ndarray) -> np.ndarray:
        net, D = self._net, np.empty(len(diagonal))
        diagonal = np.ascontiguousarray(diagonal)
        _core.metric(net.layout, diagonal, self._fixed, self._largest, D)
        return D

    def judge(self, actual: float, predicted: float) -> bool:
        # a ratio of nan (overflow) compares false and rejects
        if actual > 1e-4 * predicted:
            gain = min(actual / predicted, 1.0)  # beyond 1 the factor is `decrease` all the same
            self.mu *= max(self._decrease, 1.0 - (2.0 * gain - 1.0) ** 3)
            self._increase = 2.0
            return True
        self.mu *= self._increase
        self._increase *= 2.0
        return False


def typical_scale(objective: Objective) -> np.ndarray:
    """Return D0 of each input of each layer: sqrt(h) rms(x_a) sd(y), see `LevenbergMarquardt`.

    h is the loss's curvature where a target (the first) is met.
    """
    net, Y = objective.net, objective.Yt
    c = objective.c.array
    first = Y[:, np.argmax(c > 0.0)][np.newaxis]
    with np.errstate(all="ignore"):
        h = objective.loss.hessian(first, first)
        curvature = _size(np.mean(Curvature.of(h).diagonal())) ** 0.5
        # squares of the data itself may overflow
        largest = _size(max(float(Y.max()), -float(Y.min())))
        variance = 0.0
        for y in Y:
            mean = y @ c / largest
            variance += sum(
                float(c[rows] @ (y[rows] / largest - mean) ** 2)
                for rows in chunks(objective.T, objective.chunk(0)[0])
            )
        deviation = largest * _size((variance / len(Y)) ** 0.5)
        most = np.maximum(objective.X.max(axis=0), -objective.X.min(axis=0))
        most[most == 0.0] = 1.0
        inputs = np.zeros_like(most)
        for rows in chunks(objective.T, objective.chunk(0)[0]):
            inputs += c[rows] @ (objective.X[rows] / most) ** 2
        inputs = most * np.sqrt(inputs)
    inputs[inputs == 0.0] = 1.0
    parts = []
    for layer, (_, m) in enumerate(net.layout.shapes):
        part = np.full(m, curvature * (1.0 if layer == net.depth - 1 else deviation))
        if layer == 0:
            part[: net.n_inputs] *= inputs
        parts.append(part)
    return np.clip(np.concatenate(parts), 1e-300, 1e300)


def _size(x: float) -> float:
    """Return x, or 1 where it is 0 or not finite and so says nothing."""
    return float(x) if math.isfinite(x) and x > 0.0 else 1.0


NAMES = {"levenberg-marquardt": LevenbergMarquardt, "undamped": Undamped}


def resolve(value: str | Damping) -> Damping:
    """Return the damping of a name, with its defaults, or the object itself.

    Raises
    ------
    ValueError
        For an unknown name (the known ones are listed) or another kind of value.

    Examples
    --------
    >>> resolve("undamped")
    Undamped(alpha=1.0)
    """
    ok = callable(getattr(value, "start", None))
    result: Damping = named("damping", value, NAMES, "an object with start()", ok)
    return result
