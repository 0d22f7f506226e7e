"""Several networks trained by their evidence, as one prediction.

    p(y | x) = 1/k Σ_j p_j(y | x)       each minimum as probable as any other

Where minima disagree the deviation is the larger for it, and their mean is nearer to new
targets than each of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ggn.fit.member import Member
from ggn.fit.predictive import Component, Predictive
from ggn.fit.result import Status, TrainResult
from ggn.io.model import Model
from ggn.linearization import linearize
from ggn.network import side_by_side
from ggn.validation import samples

__all__ = ["Mixture", "mixed"]


class Mixture(Predictive, TrainResult):
    """A `TrainResult` of the network that is the mean of several, in standard units.

    Its methods take and give numbers in the units of the data, as its `model` does.

    Attributes
    ----------
    members : tuple of Member
        All of them, as probable as one another.
    best : Member
        That of greatest evidence; `history`, `step` and `penalties` are its.
    net, w : MLP and ndarray
        The members' hidden units side by side: their mean, as one network.
    model : ggn.Model
        That network, with the units of the data; `model.save` writes a file.
    fun : float
        Mean ‖φ_L - y‖² of that network in standard units, without a penalty; `l2` is 0.
    status : Status
        The first member's that did not come to its end, if there is one.
    nit : int
        The largest number of steps of a member; nfev and njev are of all.
    noise_std : ndarray (nL,)
        Standard deviation of the noise of each target, of the members' mean variance.
    effective_parameters : float
        γ, the members' mean.
    log_evidence : float
        Natural logarithm of the members' mean evidence.
    """

    def outputs(self, X: Any) -> np.ndarray:
        """Return the mean of the predictions, (T, nL), without their deviations."""
        model: Model = self.model
        return model.predict(X)

    def components(self, X: Any) -> list[Component]:
        """Return what each member says of new targets at X (T, n0)."""
        m, Z = self.model, self._standard(X)
        found = [member.component(Z) for member in self.members]
        return [
            Component(m.y_mean + m.y_scale * part.mean, m.y_scale * part.scale, part.freedom)
            for part in found
        ]

    def draws(self, X: Any, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return draws of new targets, (T, nL, count), each of one member's functions."""
        m, Z = self.model, self._standard(X)
        of = rng.integers(len(self.members), size=count)
        drawn = np.empty((len(Z), m.net.n_outputs, count))
        for k, member in enumerate(self.members):
            drawn[:, :, of == k] = member.draws(Z, int(np.count_nonzero(of == k)), rng)
        drawn *= m.y_scale[:, np.newaxis]
        return drawn + m.y_mean[:, np.newaxis]

    def _standard(self, X: Any) -> np.ndarray:
        m: Model = self.model
        Z: np.ndarray = (samples("X", X, m.net.n_inputs) - m.x_mean) / m.x_scale
        return Z


def mixed(members: list[Member], Y: np.ndarray, units: Model) -> Mixture:
    """Return the mixture of networks trained on the same data.

    Parameters
    ----------
    members : list of Member
    Y : ndarray, (T, nL)
        Their targets, in standard units.
    units : Model
        With names and units; its network and weights are not used.
    """
    first, best = members[0], max(members, key=lambda member: float(member.log_evidence))
    net, w = side_by_side(first.net, [member.w for member in members])
    at = linearize(net, w, first.X, Y, sample_weight=first.sample_weight)
    status: Status = next((m.status for m in members if not m.success), best.status)
    of_units = units.x_mean, units.x_scale, units.y_mean, units.y_scale
    variance = float(np.mean([member.noise_std**2 for member in members]))
    made = Mixture(
        w=w,
        x=w,
        fun=at.loss,
        jac=at.gradient,
        success=status.success,
        status=status,
        message=status.value,
        nit=max(member.nit for member in members),
        nfev=sum(member.nfev for member in members),
        njev=sum(member.njev for member in members),
        history=best.history,
        step=best.step,
        net=net,
        loss=best.loss,
        l2=0.0,
        penalties=best.penalties,
        members=tuple(members),
        best=best,
        model=Model(net, w, units.input_names, units.target_names, *of_units, best.loss, 0.0),
        noise_std=units.y_scale * math.sqrt(variance),
        effective_parameters=float(np.mean([m.effective_parameters for m in members])),
    )
    evidence = np.array([member.log_evidence for member in members])
    with np.errstate(all="ignore"):
        made.log_evidence = float(np.logaddexp.reduce(evidence)) - math.log(len(members))
    return made
