"""Whether the end of a run is a success, and what is handed back.

What no rule that looks at steps can see is judged here, once, against the level, which is J of
outputs that are the mean of the targets: for the squared loss 1 - J / level is R².
"""

from __future__ import annotations

import numpy as np

from ggn.fit.result import End, Status
from ggn.fit.run import NEGLIGIBLE, Run
from ggn.fit.sizes import advice, far_from_one
from ggn.linearization import Linearization, Objective

__all__ = ["judged"]

POOR = 1e-2  # of the level: an R² of 0.99
SLACK = 1e-2  # share of J that one weight alone could take away, by the gradient
JITTER = 1e-8  # relative: a rise of J that undamped steps make at a minimum, by rounding
FLAT = 1e-6  # largest slope of a unit that training cannot move any more
MOST_SAMPLES = 1000  # looked at for flat units


def judged(run: Run, status: Status) -> End:
    """Return the best weights of a run, and the status that they deserve."""
    units = run.units
    if run.best_w is not run.w:
        best = Linearization(run.objective, run.best_w, run.best_J)
        rounding = 8.0 * best.rounding + np.finfo(float).eps * abs(run.first_J)
        if status.success and run.J > (1.0 + JITTER) * run.best_J + rounding:
            status = Status.WANDERED
        run.gradient = best.gradient
    if status.success and status is not Status.TARGET:
        status = _honest(run, status)
    if units.given is units.objective:
        return _end(run, status, run.best_w, run.best_J, run.gradient)
    w = units.weights(run.best_w)
    if run.given is not None and run.best_w is run.first_w:
        w = run.given
    at = Linearization(units.given, w)
    promised = units.loss(run.best_J)
    if not at.loss <= 1.5 * promised:  # the weights have fewer digits than the run had
        if run.given is not None:
            at = min(at, Linearization(units.given, run.given), key=lambda end: end.loss)
        if status.success and at.loss > NEGLIGIBLE * run.units.level():
            status = Status.ROUNDED
    return _end(run, status, at.w, at.loss, at.gradient if run.rows else run.gradient)


def _end(run: Run, status: Status, w: np.ndarray, J: float, gradient: np.ndarray) -> End:
    return End(status, _message(run, status, J), w, J, gradient)


def _message(run: Run, status: Status, J: float) -> str:
    """Return the sentence of a status, and what is to be said about units."""
    sentence: str = status.value
    if not status.success:
        far = far_from_one(run.objective)
        return sentence if far is None else f"{sentence} {advice(far)}"
    if run.given is not None and J > POOR * run.units.level():
        far = far_from_one(run.units.given)
        if far is not None:
            return f"{sentence} The start may not suit the data: {far}; try the default w0."
    return sentence


def _honest(run: Run, status: Status) -> Status:
    """Return another status where there was much to gain yet and the run could not."""
    J, most = run.units.loss(run.best_J), run.units.level()
    if J <= NEGLIGIBLE * most:
        return status
    if status is Status.PRECISION and isinstance(run.diagonal, np.ndarray):
        g = run.gradient
        if (g * g > 2.0 * SLACK * abs(run.best_J) * run.diagonal).any():
            return Status.STALLED
    if not run.objective.penalised and J >= 0.99 * most and _flat(run.objective, run.best_w):
        return Status.FLAT
    return status


def _flat(objective: Objective, w: np.ndarray) -> bool:
    """Whether all units of some hidden layer are flat on the samples."""
    net, H = objective.net, objective.X[:: -(-objective.T // MOST_SAMPLES)]
    with np.errstate(all="ignore"):
        layers = zip(net.unpack(w), net.activations, net.bias, strict=True)
        for W, sigma, dummy in list(layers)[:-1]:
            z = H @ W[: H.shape[1]] + (W[-1] if dummy else 0.0) - net.fixed_bias
            if np.abs(sigma.derivative(z)).max() < FLAT:
                return True
            H = sigma.value(z)
    return False
