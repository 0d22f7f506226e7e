"""Several networks trained by their evidence, as one prediction.

    p(y | x) = 1/k Σ_j p_j(y | x)       each minimum as probable as any other

Where minima disagree the deviation is the larger for it, and their mean is nearer to new
targets than each of them: by how much, `ggn.fit.pooling` asks the samples.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from ggn._core.cached import cached_property
from ggn.fit.committee import members_in_turn, train_members
from ggn.fit.limits import Limits
from ggn.fit.member import Member
from ggn.fit.noise import NoiseKind
from ggn.fit.pooling import narrowing
from ggn.fit.predictive import Component, Predictive
from ggn.fit.result import Status, TrainResult
from ggn.fit.stages import Stages
from ggn.fit.start import draw
from ggn.fit.train import train
from ggn.io.laplace import Laplace, LaplaceMixture
from ggn.io.model import Model
from ggn.io.scaling import standard_units
from ggn.io.training import Training
from ggn.linearization import Objective, linearize
from ggn.network import MLP, side_by_side
from ggn.validation import same_state

__all__ = ["Mixture", "bayesian_mixture", "mixed", "trained"]


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
        That network, with the units of the data; `model.save` writes a file, of the mean alone
        unless ``model.posterior`` is set to the mixture's before: k N²/2 numbers more.
    fun : float
        Mean ‖φ_L - y‖² of that network in standard units, without a penalty; `l2` is 0.
    status : Status
        The first member's that did not come to its end, if there is one; `message` says how
        many ended so.
    nit : int
        The largest number of steps of a member; nfev and njev are of all.
    noise_std : ndarray (nL,)
        Standard deviation of the noise of each target, of the members' mean variance.
    effective_parameters : float
        γ, the members' mean.
    log_evidence : float
        Natural logarithm of the members' mean evidence; not to be compared with a single fit's.
    noise : NoiseLaw
        How the noise is distributed, for all members the same, in standard units.
    """

    @cached_property
    def posterior(self) -> LaplaceMixture:
        """What the data leave open about the weights of each; `ggn.Model` keeps it in its file.

        Deviations are narrower than the members' own by one factor, see `ggn.fit.pooling`.
        """
        parts = [member.posterior for member in self.members]
        c = narrowing(self.members, parts)
        return LaplaceMixture(
            [member.w for member in self.members], [part.inflated(c * c) for part in parts]
        )

    def ended(self, status: Status) -> int:
        """Return how many members ended so."""
        return sum(member.status is status for member in self.members)

    def outputs(self, X: Any) -> np.ndarray:
        """Return the mean of the predictions, (T, nL), without their deviations."""
        model: Model = self.model
        return model.predict(X)

    def columns_of_targets(self) -> Sequence[str]:
        """Return the names of the targets, where the data had some."""
        model: Model = self.model
        return model.target_names

    def components(self, X: Any) -> list[Component]:
        """Return what each member says of new targets at X (T, n0)."""
        m, Z = self.model, self._standard(X)
        return [
            Component(
                m.y_mean + m.y_scale * member.net.forward(member.w, Z),
                m.y_scale * part.deviation(member.net, member.w, Z),
                part.tails,
            )
            for member, part in self._each()
        ]

    def draws(self, X: Any, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return draws of new targets, (T, nL, count), each of one member's functions."""
        m, Z = self.model, self._standard(X)
        of = rng.integers(len(self.members), size=count)
        drawn = np.empty((len(Z), m.net.n_outputs, count))
        for k, (member, part) in enumerate(self._each()):
            times = int(np.count_nonzero(of == k))
            drawn[:, :, of == k] = part.draws(member.net, member.w, Z, times, rng)
        drawn *= m.y_scale[:, np.newaxis]
        return drawn + m.y_mean[:, np.newaxis]

    def _each(self) -> Iterator[tuple[Member, Laplace]]:
        return zip(self.members, self.posterior.parts, strict=True)

    def _standard(self, X: Any) -> np.ndarray:
        m: Model = self.model
        return m.scaled_inputs(X)


def trained(fit: TrainResult) -> TrainResult:
    """Return the fit that was trained: of a mixture, the member of greatest evidence."""
    best: TrainResult = fit.best if isinstance(fit, Mixture) else fit
    return best


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
    failed = [m.status for m in members if not m.success]
    if Status.INTERRUPTED in failed:  # whatever the others came to
        failed = [Status.INTERRUPTED]
    status: Status = failed[0] if failed else best.status
    of_units = units.x_mean, units.x_scale, units.y_mean, units.y_scale
    variance = float(np.mean([member.noise_std**2 for member in members]))
    made = Mixture(
        w=w,
        x=w,
        fun=at.loss,
        jac=at.gradient,
        success=status.success,
        status=status,
        message=_message(status, [member.status for member in members]),
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
        model=Model(
            net,
            w,
            units.input_names,
            units.target_names,
            *of_units,
            best.loss,
            0.0,
            training=Training(np.zeros(len(Y)), len(members)),
            x_transform=units.x_transform,
        ),
        noise_std=units.y_scale * math.sqrt(variance),
        effective_parameters=float(np.mean([m.effective_parameters for m in members])),
        noise=first.noise,
    )
    evidence = np.array([member.log_evidence for member in members])
    with np.errstate(all="ignore"):
        made.log_evidence = float(np.logaddexp.reduce(evidence)) - math.log(len(members))
    return made


def _message(status: Status, each: list[Status]) -> str:
    """Return the sentence of a status, and of how many members it is told."""
    k = each.count(status)
    return status.value if k == len(each) else f"{status.value} ({k} of {len(each)} networks)"


def bayesian_mixture(
    data: Objective,
    limits: Limits,
    n_estimators: int,
    rng: np.random.Generator,
    sample_weight: Any,
    kind: NoiseKind,
    named: Mapping[str, Sequence[str]],
    **options: Any,
) -> Mixture:
    """Return the mixture of networks trained on data in any units; see `ggn.train_bayesian`."""
    net, start = data.net, time.perf_counter()
    s = None if sample_weight is None else data.s
    units = _units(net, data.X, data.Yt.T, s, named)
    standard = Objective(net, *units.scaled(data.X, data.Yt.T), sample_weight=s)

    def trainer(
        part: Objective, w: np.ndarray, l2: np.ndarray, most: int, tol: float, before: int
    ) -> TrainResult:
        passed = time.perf_counter() - start

        def observe(intermediate_result: OptimizeResult) -> None:
            intermediate_result.nit += before
            intermediate_result.seconds += passed
            limits.callback(intermediate_result)  # type: ignore[misc]

        return train(
            net, part.X, part.Yt.T, w0=w, sample_weight=part.sample_weight, l2=l2, tol=tol,
            callback=None if limits.callback is None else observe, max_iter=most,
            max_seconds=max(limits.seconds - passed, 0.0), **options,
        )  # fmt: skip

    drawn = same_state(rng)  # the caller's goes on, once; each time the starts are the same
    streams = itertools.chain([rng], map(same_state, itertools.repeat(drawn)))

    def fit(of: Objective) -> list[Member]:
        return train_members(
            of, trainer, n_estimators=n_estimators, rng=next(streams),
            max_iter=limits.max_iter, alone=limits.callback is not None,
        )  # fmt: skip

    def stages(of: Objective) -> Stages:
        quiet = Limits(limits.max_iter, limits.tol, None, limits.seconds, None)
        return Stages(of, quiet, start, sample_weight=of.sample_weight, **options)

    members, settled = members_in_turn(
        kind, standard, fit, stages, draw(standard, same_state(drawn))
    )
    made = mixed(members, standard.Yt.T, units)
    made.noise_settled = settled
    return made


def _units(
    net: MLP,
    X: np.ndarray,
    Y: np.ndarray,
    s: np.ndarray | None,
    named: Mapping[str, Sequence[str]],
) -> Model:
    """Return standard units; about zero, where there is no bias that a shift could be."""
    (mx, sx), (my, sy) = standard_units(X, s), standard_units(Y, s)
    if not net.bias[0]:
        mx, sx = np.zeros_like(mx), np.hypot(mx, sx)
        sx[sx == 0.0] = 1.0
    if not net.bias[-1]:
        my, sy = np.zeros_like(my), np.hypot(my, sy)
        sy[sy == 0.0] = 1.0
    names = named.get("input_names"), named.get("target_names")
    return Model(net, np.zeros(net.n_weights), *names, mx, sx, my, sy)
