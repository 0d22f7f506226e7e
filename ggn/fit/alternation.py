"""Training at a fixed penalty and estimates of it in turn, until it settles or fits noise.

    l2_k+1 from w_k+1, trained at l2_k     by the evidence, see `ggn.fit.bayes`
    A_k = n log(E_D / n) - COST n log(1 - γ/n)                 at w_k

MacKay's fixed point does not see that the GGN matrix moves with w: hidden units find more to
determine, γ rises, and the noise is thought less and less.  Where that fits noise, A rises too, and
its least is gone back to.  With COST = 2, A is generalised cross-validation, which is known to fit
noise itself where few data choose much; Kim & Gu (2004) count γ there 1.4 times.  A does much the
same, but is finite for all γ < n.  An end no more than 10 above the least is left as it is.
Of an estimate gone back to the weights are kept: to train on at its penalty undoes half of what is
gained.  Without hidden units nothing moves, and nothing is judged.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigvalsh

from ggn.fit.evidence import left_over
from ggn.fit.posterior import BayesianResult
from ggn.fit.result import Status, TrainResult
from ggn.fit.stages import STOPPED, From, Stages
from ggn.linearization import Objective

__all__ = ["penalty_after", "settle"]

# Steps between two estimates: with 3, three of six runs ended at less evidence, one at more.
STEPS = 10
LOOSE = 1e-6  # tol of training in between
SETTLED = 1e-3  # relative change of l2 at which training goes to the end
AGREES = 1e-2  # relative change of l2 with which it then ends
MOST_ESTIMATES = 500
# Of 2, 2.8, 3, 3.5, 4 and 5 the best on five splits of five sets, with five more in sight; see
# benchmarks/to_the_end.py.
COST = 3.5
ALIKE = 10.0  # of A: below it, the end has some support still
PATIENCE = 5  # estimates, or as many as led to the least A where that is more, that are not
EPS, TINY = float(np.finfo(np.float64).eps), float(np.finfo(np.float64).tiny)


def settle(
    data: Objective,
    stages: Stages,
    w0: From,
    max_iter: int,
    tol: float,
    last: float | None = None,
    judged: bool = False,
) -> BayesianResult:
    """Train and estimate in turn.

    Parameters
    ----------
    data : Objective
        Without penalty.
    stages : Stages
        What trains.
    w0 : ndarray (N,) or TrainResult
        To begin from.
    max_iter, tol
        Of all, and of the last training.
    last : float, optional
        The l2 that an earlier fit came to.
    judged : bool, default False
        Whether to go back to where A was least.
    """
    w = w0 if isinstance(w0, np.ndarray) else w0.w
    shares = data.c.array
    # as if the data determined every weight, and all of the targets' deviation were noise
    with np.errstate(over="ignore"):
        E_W, Z = float(w @ w), stages.Y - shares @ stages.Y
        variance = float((shares @ (Z * Z)).mean())
    best = last or len(w) / (E_W or len(w)) * variance / data.count or 1.0

    def trained(w0: From, most: int, tol: float) -> tuple[_At, float]:
        """Train at l2; return where that led, and how far l2 is from its estimate there."""
        most = min(most, max_iter - stages.nit)
        fit = stages.train(w0, "squared", l2=l2, max_iter=most, tol=tol)
        if fit.status is Status.BAD_START:
            nowhere = _Estimate(math.nan, math.nan, math.nan, -math.inf, math.inf)
            return _At(fit, l2, nowhere), math.inf
        try:
            at = _estimate(data, fit.w, l2)
        except KeyboardInterrupt:  # the weights are good, and so will be what is said of them
            at = _estimate(data, fit.w, l2)
            fit.status = Status.INTERRUPTED
        ended = fit.status is not Status.MAX_ITER
        return _At(fit, l2, at), abs(math.log(at.best_l2 / l2)) if ended else math.inf

    judge, settled = _Judge(), False
    if judged and last is not None:  # what an earlier fit kept may be better than all to come
        l2 = last
        begin = trained(w0, 0, tol)[0]
        judge.see(begin)
        w0 = begin.fit
    for _ in range(MOST_ESTIMATES):
        l2 = best
        now, change = trained(w0, STEPS, max(tol, LOOSE))
        if change < SETTLED and now.fit.status not in STOPPED:
            # may yet lead away, if this was a saddle
            now, change = trained(now.fit, max_iter, tol)
            settled = change < AGREES
        judge.see(now)
        w0, best = now.fit, now.estimate.best_l2
        over = settled or (judged and judge.waited >= max(PATIENCE, judge.until))
        if over or now.fit.status in STOPPED or stages.nit >= max_iter:
            break
    status = Status.MAX_ITER if now.fit.success and not settled else now.fit.status
    if judged and judge.worse and now.fit.status not in STOPPED:
        now, status = judge.kept, Status.CRITERION if over else Status.MAX_ITER
    fit, l2, at = now
    return stages.result(
        BayesianResult,
        fit,
        status,
        message=status.value,  # the penalty is one that the data chose
        effective_parameters=at.gamma,
        l2=l2,
        alpha=l2 * at.beta * data.count,
        beta=at.beta,
        noise_std=math.sqrt(0.5 / at.beta),
        log_evidence=at.log_evidence,
        X=data.X.copy(),
    )


def penalty_after(data: Objective, fit: BayesianResult) -> float:
    """Return the l2 to go on with from a fit: its own, or where it was cut short the next one.

    Else runs of fewer steps than lie between two estimates would never come to another.
    """
    own = float(fit.l2)
    if fit.get("status") not in (*STOPPED, Status.MAX_ITER):  # a file does not say
        return own
    after = _estimate(data, fit.w, own).best_l2
    return after if 0.0 < after < math.inf else own


class _Judge:
    """The estimate of least A, how many led to it, and for how many noise has been fitted since."""

    def __init__(self) -> None:
        self.kept: _At
        self.least = math.inf
        self.seen = self.until = self.waited = 0
        self.worse = False

    def see(self, now: _At) -> None:
        A = now.estimate.criterion
        self.seen += 1
        if A <= self.least:  # of those that leave nothing to judge by, the last
            self.kept, self.least, self.until = now, A, self.seen
        self.worse = self.least + ALIKE < A
        fits_noise = self.worse and now.estimate.gamma > self.kept.estimate.gamma
        self.waited = self.waited + 1 if fits_noise else 0


class _Estimate(NamedTuple):
    gamma: float
    beta: float
    best_l2: float
    log_evidence: float
    criterion: float


class _At(NamedTuple):
    fit: TrainResult
    l2: float
    estimate: _Estimate


def _estimate(data: Objective, w: np.ndarray, l2: float) -> _Estimate:
    """Estimate noise and penalty, and judge, at weights w trained with l2."""
    T, N, rows = data.count, data.net.n_weights, data.Yt.size
    n = T * data.net.n_outputs
    at = data.at(w)
    # the smaller of two matrices with the same eigenvalues but for zeros
    eigenvalues = eigvalsh(at.kernel_matrix() if rows < N else at.normal_matrix())
    eigenvalues = np.maximum(eigenvalues, 0.0)
    share = eigenvalues / (eigenvalues + 2.0 * l2)
    gamma = float(share.sum())
    # without cancellation where as many weights as numbers are determined
    rest = float((2.0 * l2 / (eigenvalues + 2.0 * l2)).sum()) + max(rows - N, 0)
    rest = left_over(data, rest)
    size = float(np.abs(data.Yt).max()) or 1.0
    E_D, E_W = max(T * at.loss, n * (EPS * size) ** 2, TINY), float(w @ w)
    beta = 0.5 * rest / E_D
    alpha = l2 * beta * T
    largest = float(eigenvalues[-1]) or 1.0
    best = gamma / (E_W * 2.0 * beta * T) if E_W > 0.0 else math.inf
    log_det = float(np.log(beta * T * (eigenvalues + 2.0 * l2)).sum())
    log_det += max(N - rows, 0) * math.log(2.0 * alpha)
    evidence = -beta * E_D - alpha * E_W + 0.5 * N * math.log(2.0 * alpha)
    evidence += 0.5 * (n * math.log(beta / math.pi) - log_det)
    best = min(max(best, 1e-14 * largest), 1e6 * largest)
    criterion = n * math.log(E_D / n) - COST * n * math.log(rest / n)
    return _Estimate(gamma, beta, best, evidence, criterion)
