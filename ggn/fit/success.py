"""Whether the end of a run is a success, and what is handed back.

What no rule that looks at steps can see is judged here, once, against the level, which is J of
outputs that are the mean of the targets: for the squared loss 1 - J / level is R².

At a kink, as of relu, steps become short though J falls along others: the model that they minimise
is that of one side.  Short steps are no success there, unless the gradient itself is small.  Nor
is a minimum at a kink, where it is not: which of the two it is, one gradient cannot tell.
"""

from __future__ import annotations

import numpy as np

from ggn.fit.idle import flat_units, would_help
from ggn.fit.penalty import HeavyPenalty, heavier_by_units
from ggn.fit.plateau import far_out, told
from ggn.fit.result import End, Status
from ggn.fit.run import NEGLIGIBLE, Run
from ggn.fit.sizes import advice, far_from_one, target_sizes
from ggn.linearization import BaseLinearization, SourceError, SummedObjective

__all__ = ["judged"]

POOR = 1e-2  # of the level: an R² of 0.99
SLACK = 1e-2  # share of J that one weight alone could take away, by the gradient
EPS, TINY = float(np.finfo(np.float64).eps), float(np.finfo(np.float64).tiny)
STILL = 1e-6  # of sqrt(2 J), a weight's part of the gradient in its metric: that is level
JITTER = 1e-8  # relative: a rise of J that undamped steps make at a minimum, by rounding
ASKED = (Status.TARGET, Status.CALLBACK, Status.INTERRUPTED, Status.BAD_START)  # to end there
SMALL = (Status.PRECISION, Status.STEP, Status.LOSS)  # by steps, of which mu may be the cause
CUT_OFF = (Status.MAX_ITER, Status.MAX_SECONDS)  # where more of the same may be no help


def judged(run: Run, status: Status, why: str = "") -> End:
    """Return the best weights of a run, and the status that they deserve; `why` is told with it."""
    if status is Status.LOST:
        return _known(run, status, run.best_w is run.w, why)
    if status is not Status.INTERRUPTED:
        return _judged(run, status)
    if isinstance(run.objective, SummedObjective):
        run.objective.source.hurry()
    try:  # wherever that was: the weights alone are sure
        run.gradient = run.objective.at(run.best_w).gradient
        return _judged(run, status)
    except SourceError:  # whoever had the samples heard it too
        return _known(run, status, False)


def _known(run: Run, status: Status, gradient: bool, why: str = "") -> End:
    """Return the end where nobody can be asked: what is known already."""
    g = run.gradient if gradient else np.full_like(run.gradient, np.nan)
    message, units = f"{status.value} {why}".strip(), run.units
    J = units.loss(run.best_J)
    return End(status, message, units.weights(run.best_w), J, units.gradient(g))


def _judged(run: Run, status: Status) -> End:
    units = run.units
    if status is not Status.INTERRUPTED and run.best_w is not run.w:
        best = run.objective.at(run.best_w, run.best_J)
        rounding = 8.0 * best.rounding + EPS * abs(run.first_J)
        if status.success and run.J > (1.0 + JITTER) * run.best_J + rounding:
            status = Status.WANDERED
        run.gradient = best.gradient
    if status not in ASKED:
        at = _least_norm(run)
        if at is not None:
            return _end(run, Status.GRADIENT, at.w, at.loss, at.gradient)
    if status.success and status is not Status.TARGET:
        status = _honest(run, status)
    if units.given is units.objective:
        return _end(run, status, run.best_w, run.best_J, run.gradient)
    w = units.weights(run.best_w)
    if run.given is not None and run.best_w is run.first_w:
        w = run.given
    at = units.at(w)
    promised = units.loss(run.best_J)
    if not at.loss <= 1.5 * promised:  # the weights have fewer digits than the run had
        if run.given is not None:
            at = min(at, units.at(run.given), key=lambda end: end.loss)
        if status.success and at.loss > NEGLIGIBLE * units.level():
            status = Status.ROUNDED
    return _end(
        run, status, at.w, at.loss, run.gradient if status is Status.BAD_START else at.gradient
    )


def _least_norm(run: Run) -> BaseLinearization | None:
    """Return the end where every target is one number, which the dummy unit alone gives.

    No other weight into an output that never varies is called for.  Others may be fitted
    also, but only to tol, from a start that knows nothing of it; J is 0 here.
    """
    given, net = run.units.given, run.units.given.net
    if not given.layered:
        return None
    centre, size = target_sizes(given, net.bias[-1])
    if size.any() or not net.bias[-1] or given.penalised:
        return None
    Ws = [W.copy() for W in net.unpack(run.units.weights(run.best_w))]
    Ws[-1][:-1], Ws[-1][-1] = 0.0, centre + net.fixed_bias
    at = given.at(net.pack(Ws))
    return at if at.loss <= run.units.loss(run.best_J) else None


def _end(run: Run, status: Status, w: np.ndarray, J: float, gradient: np.ndarray) -> End:
    return End(status, _message(run, status, J), w, J, gradient)


def _message(run: Run, status: Status, J: float) -> str:
    """Return the sentence of a status, and what is to be said about units."""
    sentence: str = status.value
    if 0.0 < run.best_J < np.inf and not TINY <= J < np.inf:
        size = "small" if J < 1.0 else "large"
        sentence += f" Its J is too {size} for a number: give the targets in another unit."
    poor = status.success and status not in ASKED and J > POOR * run.units.level()
    if poor or status is Status.PLATEAU or status in CUT_OFF:
        out = far_out(run.objective, run.best_w)
        if out is not None:
            return told(status, out)[1]
        if poor:
            heavy = _heavy_penalty(run, J)
            if heavy is not None:
                return f"{sentence} {heavy}"
    far = None if status.success else run.units.far
    if far is not None:
        return f"{sentence} {advice(far)}"
    if run.given is not None and (poor or status is Status.FLAT):
        far = far_from_one(run.units.given)
        if far is not None:
            return f"{sentence} The start may not suit the data: {far}; try the default w0."
    return sentence


def _heavy_penalty(run: Run, J: float) -> HeavyPenalty | None:
    """Return what a penalty weighs that holds back the fit by the units of its data, or None."""
    given = run.units.given
    if not (given.penalised and given.layered):
        return None
    level = POOR * run.units.level()
    misfit = J - given.penalty(run.units.weights(run.best_w))
    # of a penalty that is all there is, rounding may be more than the rest
    return heavier_by_units(given) if misfit > level or EPS * J > level else None


def _honest(run: Run, status: Status) -> Status:
    """Return another status where there was much to gain yet and the run could not."""
    J, level = run.units.loss(run.best_J), run.units.level()
    if J <= NEGLIGIBLE * level:
        return status
    poor = J > POOR * level
    out = far_out(run.objective, run.best_w) if poor else None
    if out is not None and out.plateau:
        return Status.PLATEAU
    if status in SMALL and isinstance(run.diagonal, np.ndarray):
        g = run.gradient
        if (g * g > 2.0 * SLACK * abs(run.best_J) * run.diagonal).any():
            return Status.STALLED
    if poor and run.objective.layered and _idle(run, J):
        return Status.FLAT
    kinked = run.objective.net.has_kinks  # where the gradient jumps
    return Status.STALLED if status in SMALL and kinked and not _still(run) else status


def _still(run: Run) -> bool:
    """Whether no weight alone has a step, by gradient and curvature, that is longer than tol.

    Or none that J would feel.
    """
    at, tol = run.objective.at(run.best_w, run.best_J), run.limits.tol
    g, diagonal = at.gradient, at.normal_diagonal()
    short = tol**2 * float(diagonal @ np.square(run.best_w))
    little = 2.0 * max(STILL, tol) ** 2 * abs(run.best_J)
    return bool((g * g <= max(short, little) * diagonal).all())


def _idle(run: Run, J: float) -> bool:
    """Whether units that are flat on the samples leave training nothing to do, or always did.

    All units of a hidden layer end so, and outputs are the targets' mean; or J would fall if those
    acted that end as one number; or one has been flat from the start, and J has fallen by the
    others alone: by training it could not move.
    """
    end = flat_units(run.objective, run.best_w)
    nothing = J >= 0.99 * run.units.level() and not run.objective.penalised
    if nothing and any(flat.all() for flat in end):
        return True
    if would_help(run.objective, run.best_w):
        return True
    if not run.first_J > (1.0 + SLACK) * run.best_J:
        return False
    start = flat_units(run.objective, run.first_w)
    return any((a & b).any() for a, b in zip(start, end, strict=True))
