"""Where a loss has gone flat: samples that lie so far off that they hardly act on the fit.

    a_i = |g_i(1)| / max over t of |g_i(t)|,    g_i(t) = ∂E/∂φ at y_i + t (φ_L,i - y_i),  0 < t <= 1

is the influence of a residual beside the largest on the way to its target.  It is 1 for a convex
loss, and for the robust ones vanishes far out, as is meant for a few: outliers.  Where the median
is small, a gradient of zero says that the loss is flat there, not that the fit is good.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ggn.fit.result import Status
from ggn.linearization import BaseObjective, Objective
from ggn.linearization.robust_scale import NORMAL, median
from ggn.losses import Loss

__all__ = ["FarOut", "far_out", "influence", "told"]

LITTLE, NONE = 0.1, 0.01  # influence, of the median residual
POOR = 0.1  # sigma of the residuals, in deviations of the targets: an R² of 0.99
MOST_SAMPLES = 1000  # looked at
WAY = 4.0 ** -np.arange(1, 33)  # t: past the digits that φ and y have in common


class FarOut(NamedTuple):
    """Residuals of an output most of which act little.

    Attributes
    ----------
    influence : float
        The median a.
    scales : float or None
        The median |r| over the loss's scale, if it is known.
    """

    influence: float
    scales: float | None

    @property
    def plateau(self) -> bool:
        """Whether most act so little that an end among them is none."""
        return self.influence <= NONE

    def __str__(self) -> str:
        advice = "a larger scale, or one chosen from the residuals (ggn.train_robust), may fit more"
        return f"Most residuals lie far out on the loss, and act little: {advice}.{self.measured}"

    @property
    def measured(self) -> str:
        """How far out they are, as a sentence after others."""
        if self.scales is None:
            return ""
        return f" Half of them are above {self.scales:.2g} times its scale."


def influence(loss: Loss, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Return a of outputs F at targets Y, of shape (T, nL) each; 1 where the loss is not higher.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> F, Y = np.array([[1.0], [30.0], [1e6]]), np.zeros((3, 1))
    >>> bool((influence(ggn.losses.Cauchy(1.0), F, Y).ravel() < [1.1, 0.1, 1e-5]).all())
    True
    >>> influence(ggn.losses.SmoothLp(1.0), F, Y).ravel()
    array([1., 1., 1.])
    """
    with np.errstate(all="ignore"):
        here, R = np.abs(loss.gradient(F, Y)), F - Y
        largest = here
        for t in WAY:
            largest = np.maximum(largest, np.abs(loss.gradient(Y + t * R, Y)))
        share = np.divide(here, largest, out=np.zeros_like(here), where=largest > 0.0)
        higher = loss.value(F, Y) > loss.value(Y, Y)
        found: np.ndarray = np.where(higher[:, np.newaxis], share, 1.0)
    return found


def far_out(objective: BaseObjective, w: np.ndarray) -> FarOut | None:
    """Return what is found of an output most of whose residuals act little at w, or None.

    Nor is it a finding where they are small beside the targets' deviation: then the fit is good,
    whatever acts on it.
    """
    loss = objective.loss
    if loss.convex:
        return None
    F, Y, c = _outputs(objective, w)
    if not np.isfinite(F).all():
        return None
    found, R = [], np.abs(F - Y)
    for o, a in enumerate(influence(loss, F, Y).T):
        share, middle = median(a, c), median(R[:, o], c)
        if share > LITTLE:
            continue
        if NORMAL * middle > POOR * objective.columns(True, True, True)[1][o]:
            found.append(FarOut(share, None if loss.scale is None else middle / loss.scale))
    return min(found, default=None, key=lambda out: out.influence)


def told(status: Status, out: FarOut | None) -> tuple[Status, str]:
    """Return the status that an end deserves, and its sentence with what is found far out."""
    if out is None:
        return status, status.value
    if status.success and out.plateau:
        status = Status.PLATEAU
    return status, status.value + (out.measured if status is Status.PLATEAU else f" {out}")


def _outputs(objective: BaseObjective, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outputs and targets (T, nL) and shares (T,) of samples, of many of them some."""
    if not isinstance(objective, Objective):
        X, Y, c = objective.some(MOST_SAMPLES, counted=True)
        return objective.net.forward(w, X), Y, c
    some = slice(None, None, -(-objective.T // MOST_SAMPLES))
    Y = objective.Yt.T[some]  # of a free run, too, where no sample is by itself
    return Y + objective.residuals(w)[some], Y, objective.c.array[some]
