"""Regularisation that chooses itself: the evidence for noise and penalty, and what w may be.

    y = φ_L(w, x) + noise,  noise ~ N(0, 1/(2β)),  w ~ N(0, 1/(2α)),  n = T·nL numbers
    S(w)  = β E_D + α E_W,  E_D = Σ ‖φ_L - y‖²,  E_W = ‖w‖²;  S/(βT) = J(w) with l2 = α/(βT)
    H     = 2β P Pᵀ + 2α I               the GGN matrix of S, βT times that of J
    γ     = Σ λ/(λ + 2 l2)               effective number of parameters, λ eigenvalues of 2/T P Pᵀ
    α = γ/(2 E_W),  β = (n - γ)/(2 E_D)  where the evidence is greatest (MacKay)
    log p(Y | α, β) = -S + N/2 log 2α - 1/2 log det H + n/2 log β/π        (Laplace's method)

Training at a fixed l2 and re-estimating l2 alternate until l2 settles.
"""

from __future__ import annotations

import math
import time
import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigvalsh

from ggn._core.machine import FIT_BYTES, check_room
from ggn.damping import Damping
from ggn.fit.limits import Callback, Limits
from ggn.fit.mixture import Mixture, bayesian_mixture
from ggn.fit.posterior import BayesianResult
from ggn.fit.restarts import run_restarts
from ggn.fit.result import Status, TrainResult
from ggn.fit.sizes import check_sizes, far_from_one
from ggn.fit.stages import STOPPED, From, Stages, starts
from ggn.fit.units import ScalingWarning
from ggn.fit.unsettled import hint_of_the_limit
from ggn.linearization import Objective
from ggn.losses import Loss, Squared, resolve
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import generator, integer, users_line

__all__ = ["choose_penalty", "settle", "train_bayesian"]

# Steps between two estimates: with 3, three of six runs ended at less evidence, one at more.
STEPS = 10
LOOSE = 1e-6  # tol of training in between
SETTLED = 1e-3  # relative change of l2 at which training goes to the end
AGREES = 1e-2  # relative change of l2 with which it then ends
MOST_ESTIMATES = 500
EPS, TINY = float(np.finfo(np.float64).eps), float(np.finfo(np.float64).tiny)


def train_bayesian(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    w0: Any = None,
    step: str | Step = "auto",
    damping: str | Damping = "levenberg_marquardt",
    rng: int | np.random.Generator | None = 0,
    max_iter: int = 1000,
    tol: float = 1e-12,
    sample_weight: Any = None,
    callback: Callback | None = None,
    max_seconds: float = math.inf,
    max_memory: float | None = None,
    n_restarts: int = 1,
    n_estimators: int = 1,
) -> BayesianResult | Mixture:
    """Minimise mean ‖φ_L - y‖² + l2·‖w‖², with l2 chosen by the evidence of the data.

    Nothing needs to be held out.  Weights share one prior and outputs one noise:
    inputs and targets should be standardised, but for a mixture, which does so itself.
    In units that are far from that, weights of different layers differ too much for one prior.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
        1-D is accepted where nL = 1.
    loss : str or Loss, default "squared"
        Only "squared": the evidence is that of normal noise.
    w0 : array_like, (N,), or fit, optional
        Initial weights, or what is gone on with; by default drawn as `ggn.train` does.
    step, damping
        As in `ggn.train`.
    rng : int, Generator or None, default 0
        Where initial weights come from.
    max_iter : int, default 1000
        Largest number of steps taken in one run.
    tol : float, default 1e-12
        For the last training, see `ggn.train`.
    sample_weight : array_like, (T,), optional
        A weight of 2 counts as the sample given twice, so the evidence is that of Σ s samples.
    callback : callable, optional
        As in `ggn.train`, after each step of every training; nit, nfev and seconds count
        from the beginning of the run, which StopIteration ends.
    max_seconds : float, default inf
        Of one run.
    max_memory : float, optional
        As in `ggn.train`.
    n_restarts : int, default 1
        Runs from random weights; the one of greatest evidence is returned.
    n_estimators : int, default 1
        With more than one, so many networks are mixed.  Each input into the first layer, and
        each later layer, has a prior of its own; the evidence proposes penalties, and a part of
        the samples, which a network leaves out until then, chooses (:doc:`/bayesian`).

    Returns
    -------
    BayesianResult
        A TrainResult with l2, effective_parameters, noise_std, log_evidence, and
        methods predict, intervals and weight_covariance.
    Mixture
        With n_estimators, a TrainResult with `members`, and methods predict, intervals,
        log_likelihood and sample.

    Raises
    ------
    ValueError
        For a loss that is not squared, w0 with restarts, wrong shapes, dtypes,
        ranges or non-finite numbers.

    Warns
    -----
    ScalingWarning
        Where inputs or targets are far from unit size, unless several networks are mixed.
    EvidenceWarning
        Where max_iter came before the penalty settled: l2, noise_std, log_evidence and
        intervals are then those of the way, not of its end.

    Notes
    -----
    Where the data have no noise l2 falls to 1e-14 of the GGN matrix's largest
    eigenvalue, where they show no dependence it rises to a million times that;
    it stays there, and log_evidence says nothing.  Intervals are those of one
    minimum: where γ is not far below N or n, they may be too narrow (on a set with
    γ = 224, N = 241 and n = 450, 85 % of new targets lay inside those of 90 %).

    References
    ----------
    MacKay (1992), A practical Bayesian framework for backpropagation networks;
    Foresee & Hagan (1997), Gauss-Newton approximation to Bayesian learning.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> x = np.linspace(-3, 3, 80)
    >>> y = np.sin(x) + 0.1 * np.random.default_rng(0).normal(size=80)
    >>> fit = ggn.train_bayesian(ggn.MLP((1, 20, 1)), x, y)
    >>> bool(0.08 < fit.noise_std < 0.12), bool(5 < fit.effective_parameters < 12)
    (True, True)
    >>> lower, upper = fit.intervals(x)
    >>> bool(80 > np.sum((lower[:, 0] < y) & (y < upper[:, 0])) > 64)
    True
    """
    result = choose_penalty(
        net, X, Y, loss, Limits(max_iter, tol, None, max_seconds, callback), w0=w0, rng=rng,
        sample_weight=sample_weight, n_restarts=n_restarts, n_estimators=n_estimators,
        step=step, damping=damping, max_memory=max_memory,
    )  # fmt: skip
    hint_of_the_limit(result, max_iter)
    return result


def choose_penalty(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss,
    limits: Limits,
    *,
    w0: Any,
    sample_weight: Any,
    rng: int | np.random.Generator | None = 0,
    n_restarts: int = 1,
    n_estimators: int = 1,
    **options: Any,
) -> BayesianResult | Mixture:
    """Do what `train_bayesian` does, for callers who tell of the status themselves."""
    if not isinstance(resolve(loss), Squared):
        raise ValueError(
            f"loss must be 'squared', as the noise of the evidence is normal, got {loss!r}"
        )
    data = Objective(net, X, Y, sample_weight=sample_weight)
    check_sizes(X=data.X, Y=data.Yt)
    start = starts(data, w0, n_restarts)
    several = check_room("n_estimators", integer("n_estimators", n_estimators, 1), FIT_BYTES)
    if several > 1:
        if w0 is not None or n_restarts != 1:
            raise ValueError(
                "n_estimators must be 1 with w0 or n_restarts, as each network of a mixture has "
                f"a start of its own, got {several}"
            )
        return bayesian_mixture(data, limits, several, generator(rng), sample_weight, **options)

    far = far_from_one(data)
    if far is not None:
        warnings.warn(
            f"The prior is one for all weights, and {far}: give (value - mean) / deviation of "
            "each input and target, or n_estimators=5, which scales by itself.",
            ScalingWarning,
            stacklevel=users_line(),
        )

    begin = w0.l2 if isinstance(w0, BayesianResult) else None

    def run(stream: np.random.Generator) -> BayesianResult:
        begun = time.perf_counter()
        stages = Stages(data, limits, begun, sample_weight=sample_weight, **options)
        return settle(data, stages, start(stream), limits.max_iter, limits.tol, begin)

    return max(run_restarts(run, n_restarts, rng), key=lambda result: result.log_evidence)


def settle(
    data: Objective, stages: Stages, w0: From, max_iter: int, tol: float, last: float | None = None
) -> BayesianResult:
    """Train and estimate in turn from w0, and from the l2 that an earlier fit came to last."""
    w = w0 if isinstance(w0, np.ndarray) else w0.w
    shares = data.c.array
    # as if the data determined every weight, and all of the targets' deviation were noise
    with np.errstate(over="ignore"):
        E_W, Z = float(w @ w), stages.Y - shares @ stages.Y
        variance = float((shares @ (Z * Z)).mean())
    best = last or len(w) / (E_W or len(w)) * variance / data.count or 1.0

    def trained(w0: From, most: int, tol: float) -> tuple[TrainResult, _Estimate, float]:
        """Train at l2; return also the estimate there, and how far l2 is from it if that ended."""
        most = min(most, max_iter - stages.nit)
        fit = stages.train(w0, "squared", l2=l2, max_iter=most, tol=tol)
        if fit.status is Status.BAD_START:
            return fit, _Estimate(math.nan, math.nan, math.nan, -math.inf), math.inf
        try:
            at = _estimate(data, fit.w, l2)
        except KeyboardInterrupt:  # the weights are good, and so will be what is said of them
            at = _estimate(data, fit.w, l2)
            fit.status = Status.INTERRUPTED
        ended = fit.status is not Status.MAX_ITER
        return fit, at, abs(math.log(at.best_l2 / l2)) if ended else math.inf

    settled = False
    for _ in range(MOST_ESTIMATES):
        l2 = best
        fit, at, change = trained(w0, STEPS, max(tol, LOOSE))
        if change < SETTLED and fit.status not in STOPPED:
            # may yet lead away, if this was a saddle
            fit, at, change = trained(fit, max_iter, tol)
            settled = change < AGREES
        w0, best = fit, at.best_l2
        if settled or fit.status in STOPPED or stages.nit >= max_iter:
            break
    status = Status.MAX_ITER if fit.success and not settled else fit.status
    return stages.result(
        BayesianResult,
        fit,
        status,
        effective_parameters=at.gamma,
        l2=l2,
        alpha=l2 * at.beta * data.count,
        beta=at.beta,
        noise_std=math.sqrt(0.5 / at.beta),
        log_evidence=at.log_evidence,
        X=data.X.copy(),
    )


class _Estimate(NamedTuple):
    gamma: float
    beta: float
    best_l2: float
    log_evidence: float


def _estimate(data: Objective, w: np.ndarray, l2: float) -> _Estimate:
    """Estimate noise and penalty at weights w trained with l2."""
    T, N, rows = data.count, data.net.n_weights, data.Yt.size
    n = T * data.net.n_outputs
    at = data.at(w)
    # the smaller of two matrices with the same eigenvalues but for zeros
    eigenvalues = eigvalsh(at.kernel_matrix() if rows < N else at.normal_matrix())
    eigenvalues = np.maximum(eigenvalues, 0.0)
    share = eigenvalues / (eigenvalues + 2.0 * l2)
    gamma = float(share.sum())
    # without cancellation where as many weights as numbers are determined
    rest = float((2.0 * l2 / (eigenvalues + 2.0 * l2)).sum()) + max(n - N, 0)
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
    return _Estimate(gamma, beta, best, evidence)
