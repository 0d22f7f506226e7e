"""One network of a committee: its penalty proposed by the evidence, chosen by samples left out.

    l2_0, w_0                              as the start says, and again with a hundredth of l2_0
    w_k+1 = a few steps at l2_k            on all samples but a part
    l2_k+1 from w_k+1                      by the evidence, `ggn.fit.evidence`
    V_k   = mean ‖φ_L(w_k, x) - y‖²        over the part left out
    k*    = the k of least V_k;  from w_k*, l2_k* a few steps more, on all samples

Where a plane explains part of what there is, the evidence has a fixed point there: the rest is
thought noise, and for so much noise no unit may bend. From a light penalty it may find another.
Of both ways all members take one, that from l2_0 unless the samples left out of all of them are
nearer to the other by three standard errors; by each member's own it was missed by some, and the
light one alone has larger errors where there is much noise (diabetes 61.6 for 53.9, Friedman's
first 1.155 for 1.069; one wave and twelve slopes .12 for .68).

Inputs share a prior at first, and from the best of that on each has its own: from the start on,
those that matter little to the first few steps would lose their weight for good.

Left to itself the evidence goes on: hidden units find more to determine, γ nears N, the noise
is thought less and less, and new targets are missed by more.  It is not that the evidence likes
these weights, for it falls meanwhile: MacKay's fixed point does not see that G moves with w.
Where to stop differs from set to set, from 20 steps to several hundred; samples left out tell.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ggn._core.cached import cached_property
from ggn.fit.evidence import Estimate, Priors
from ggn.fit.posterior import information
from ggn.fit.result import Status, TrainResult
from ggn.io.laplace import Laplace
from ggn.io.noise import NoiseLaw
from ggn.linearization import Objective, linearize

__all__ = ["Member", "Path", "Trainer", "begin_member", "finish_member", "lighter", "of_rows"]

LIGHT = 1e-2  # of the penalty at first; of 1e-4 errors are up to twice as large
PLANE = 4.0  # times as many weights determined as a plane has: few units bend
CLEAR = 3.0  # standard errors
STEPS = 10  # between two estimates
LOOSE = 1e-6  # tol of training in between
PATIENCE = 5  # estimates, or as many as led to the best where that is more, without a better one
SETTLED = 1e-3  # relative change of penalties at which nothing more will come

# (objective, w, l2 (N,), most steps, tol, steps before) -> TrainResult
Trainer = Callable[[Objective, np.ndarray, np.ndarray, int, float, int], TrainResult]


class Member(TrainResult):
    """A `TrainResult` in standard units, with what its evidence says.

    Attributes
    ----------
    penalties : ndarray
        l2 of the weights of each input into the first hidden layer, then of each later layer's;
        `l2` (N,) has it for each weight, 0 for biases.
    beta, noise_std : float
        The noise: 1/(2β), and its deviation.
    effective_parameters : float
        γ, how many weights the data determine.
    log_evidence : float
        Natural logarithm, by Laplace's method.
    count : float
        n, the numbers fitted.
    path : ndarray, (k, 2)
        V_k, and steps until then; empty where no samples were left out.
    kept : int
        k*.
    noise : NoiseLaw
        How the noise is distributed; `sample_weight` has what samples count for it, too.
    """

    @cached_property
    def posterior(self) -> Laplace:
        """What the data leave open about the weights."""
        priors, zero = Priors(self.net), np.zeros((len(self.X), self.net.n_outputs))
        data = Objective(self.net, self.X, zero, sample_weight=self.sample_weight)
        known = information(self.noise, self.net.n_outputs)
        root = priors.root(data, self.w, self.penalties / known)  # of H/(βT)
        root *= math.sqrt(known * self.beta * self.count / self.net.n_outputs)
        freedom = max(self.count - self.effective_parameters, 1.0)
        return Laplace(root, self.noise_std, freedom, noise=self.noise)


def begin_member(
    data: Objective,
    left_out: np.ndarray,
    w: np.ndarray,
    penalties: np.ndarray | None,
    trainer: Trainer,
    max_iter: int,
) -> list[Path]:
    """Train from w, and from penalties where an earlier fit has left them; else from two.

    Parameters
    ----------
    data : Objective
        Without penalty, in standard units.
    left_out : ndarray of bool, (T,)
        The part to stop by; none of them: go on until penalties settle.
    """
    priors = Priors(data.net)
    # of samples that count for nothing nobody learns when to stop
    divided = data.s[left_out].any() and data.s[~left_out].any()
    part = of_rows(data, ~left_out) if divided else data
    held = of_rows(data, left_out) if divided else None
    path = Path(part, held, priors, trainer, max_iter)
    first = priors.first(part, w) if penalties is None else penalties
    path.follow(w, first, penalties is None)
    found = [path]
    plane = PLANE * (data.net.n_inputs + 1) * data.net.n_outputs
    stuck = path.status is Status.VALIDATION and path.kept[2].gamma < plane
    if penalties is None and stuck and path.nit < max_iter:
        light = Path(part, held, priors, trainer, max_iter, path)
        light.follow(w, LIGHT * first, True)
        path.count(light)
        if light.status in _GIVEN_UP:
            path.status = light.status
        else:
            found.append(light)
    return found


def lighter(begun: list[list[Path]]) -> bool:
    """Whether samples left out, of all members, are clearly nearer to what began with less."""
    pairs = [paths for paths in begun if len(paths) == 2]
    if not pairs:
        return False
    gain = np.concatenate([heavy.missed() - light.missed() for heavy, light in pairs])
    weights = np.concatenate([heavy.left_out.s for heavy, _ in pairs])
    weights /= weights.sum()
    mean = float(weights @ gain)
    error = math.sqrt(float(np.square(weights) @ np.square(gain - mean)))
    return mean > CLEAR * error


def finish_member(data: Objective, path: Path, ended: bool) -> Member:
    """Return the member of a path: each input with its own penalty, then all samples.

    Where all have ended early, it is what the path has reached.
    """
    fit, l2, at = path.kept
    priors, goes_on = path.priors, path.status is Status.VALIDATION and not ended
    if goes_on and path.alike and priors.count > priors.depth:
        path.follow(fit.w, at.l2, False)
        fit, l2, at = path.kept
    if path.held is not None and path.status not in _GIVEN_UP and not ended:
        # the same prior and noise for more samples
        l2 = l2 * (path.data.count / data.count)
        path.train(data, fit.w, l2, STEPS)
        fit = path.last
        path.status = fit.status if fit.status in _GIVEN_UP else path.status
        at = priors.estimate(data, fit.w, l2)
    return _made(data, path, fit, l2, at)


# A training that ended so is the last.
_GIVEN_UP = (Status.INTERRUPTED, Status.CALLBACK, Status.MAX_SECONDS, Status.BAD_START)


class Path:
    """Steps and estimates in turn."""

    def __init__(
        self,
        data: Objective,
        held: Objective | None,
        priors: Priors,
        trainer: Trainer,
        max_iter: int,
        after: Path | None = None,
    ) -> None:
        self.data, self.held, self.priors, self.max_iter = data, held, priors, max_iter
        self._trainer = trainer
        self.nit = self.nfev = self.njev = 0
        if after is not None:
            self.count(after)
        self.alike = False
        self.seen: list[tuple[float, int]] = []
        self.best = self.begun = 0
        self.status = Status.MAX_ITER
        self.last: TrainResult
        self.kept: tuple[TrainResult, np.ndarray, Estimate]

    def train(self, data: Objective, w: np.ndarray, l2: np.ndarray, most: int) -> None:
        self.last = self._trainer(data, w, self.priors.penalty(l2), most, LOOSE, self.nit)
        self.nit += self.last.nit
        self.nfev += self.last.nfev
        self.njev += self.last.njev

    def follow(self, w: np.ndarray, l2: np.ndarray, alike: bool) -> None:
        """Go on from w, the inputs sharing a penalty or not; to where V has long not fallen."""
        self.begun, self.status, self.alike = len(self.seen), Status.MAX_ITER, alike
        while True:
            self.train(self.data, w, l2, min(STEPS, max(self.max_iter - self.nit, 1)))
            fit = self.last
            w = fit.w
            if fit.status is Status.BAD_START:
                at = Estimate(math.nan, math.nan, l2, -math.inf)
            else:
                at = self.priors.estimate(self.data, w, l2)
            self._keep(fit, l2, at)
            if fit.status in _GIVEN_UP:
                self.status = fit.status
                return
            if self.held is not None and self.waited():
                self.status = Status.VALIDATION
                return
            best = self.priors.alike(at.l2, w) if alike else at.l2
            change = _change(l2, best)[self.priors.some].max(initial=0.0)
            # without a step at another penalty, there will be none at the next
            if fit.nit == 0 or (change < SETTLED and fit.status is not Status.MAX_ITER):
                self.status = fit.status
                return
            if self.nit >= self.max_iter:
                return
            l2 = best

    def count(self, other: Path) -> None:
        """Count the steps of the other, which has begun with this one's."""
        self.nit, self.nfev, self.njev = other.nit, other.nfev, other.njev

    @property
    def left_out(self) -> Objective:
        """The samples that it was stopped by."""
        assert self.held is not None
        return self.held

    def missed(self) -> np.ndarray:
        """Return ‖φ_L - y‖² of the samples left out, where they were predicted best."""
        F = self.left_out.net.forward(self.kept[0].w, self.left_out.X)
        missed: np.ndarray = np.square(F - self.left_out.Yt.T).sum(axis=1)
        return missed

    def _keep(self, fit: TrainResult, l2: np.ndarray, at: Estimate) -> None:
        if self.held is None:
            self.kept = fit, l2, at
            return
        V = self.held.value(fit.w)
        self.seen.append((V if math.isfinite(V) else math.inf, self.nit))
        if len(self.seen) == 1 or V < self.seen[self.best][0]:
            self.best = len(self.seen) - 1
            self.kept = fit, l2, at

    def waited(self) -> bool:
        since = len(self.seen) - 1 - max(self.best, self.begun)
        return since >= max(PATIENCE, self.best + 1 - self.begun)


def _change(l2: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Return how far penalties are from those before, by their logarithms; of equal ones none."""
    with np.errstate(all="ignore"):
        found: np.ndarray = np.where(best == l2, 0.0, np.abs(np.log(best / l2)))
    return found


def of_rows(data: Objective, rows: np.ndarray) -> Objective:
    """Return the objective of these samples (T,), bool, without a penalty."""
    s = data.sample_weight
    s = None if s is None else s[rows]
    return Objective(data.net, data.X[rows], data.Yt[:, rows].T, data.loss, sample_weight=s)


def _made(data: Objective, path: Path, fit: TrainResult, l2: np.ndarray, at: Estimate) -> Member:
    each = path.priors.penalty(l2)
    s = data.sample_weight
    there = linearize(data.net, fit.w, data.X, data.Yt.T, l2=each, sample_weight=s)
    made = Member(fit)
    made.update(
        fun=there.loss,
        jac=there.gradient,
        success=path.status.success,
        status=path.status,
        message=path.status.value,
        nit=path.nit,
        nfev=path.nfev,
        njev=path.njev,
        net=data.net,
        l2=each,
        penalties=l2,
        beta=at.beta,
        noise_std=math.sqrt(0.5 / at.beta) if at.beta > 0.0 else math.nan,
        effective_parameters=at.gamma,
        log_evidence=at.log_evidence,
        count=data.count * data.net.n_outputs,
        path=np.array(path.seen).reshape(-1, 2),
        kept=path.best,
        X=data.X,
        Y=data.Yt.T,
        sample_weight=s,
        noise=NoiseLaw(),
    )
    return made
