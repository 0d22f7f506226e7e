"""Regularisation that chooses itself: the evidence for noise and penalty, and what w may be.

    y = φ_L(w, x) + noise,  noise ~ N(0, 1/(2β)),  w ~ N(0, 1/(2α)),  n = T·nL numbers
    S(w)  = β E_D + α E_W,  E_D = Σ ‖φ_L - y‖²,  E_W = ‖w‖²;  S/(βT) = J(w) with l2 = α/(βT)
    H     = 2β P Pᵀ + 2α I               the GGN matrix of S, βT times that of J
    γ     = Σ λ/(λ + 2 l2)               effective number of parameters, λ eigenvalues of 2/T P Pᵀ
    α = γ/(2 E_W),  β = (n - γ)/(2 E_D)  where the evidence is greatest (MacKay)
    log p(Y | α, β) = -S + N/2 log 2α - 1/2 log det H + n/2 log β/π        (Laplace's method)

Training at a fixed l2 and re-estimating l2 alternate, see `ggn.fit.alternation`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ggn._core.machine import FIT_BYTES, check_room
from ggn.damping import Damping
from ggn.fit.alternation import penalty_after, settle
from ggn.fit.limits import Callback, Limits
from ggn.fit.mixture import Mixture, bayesian_mixture
from ggn.fit.noise import Counts, NoiseKind, kind_of
from ggn.fit.posterior import BayesianResult
from ggn.fit.restarts import run_restarts
from ggn.fit.result import Status, best_of, interrupted
from ggn.fit.reweighted import begun, gained, in_turn, weighed
from ggn.fit.sizes import check_sizes
from ggn.fit.stages import STOPPED, From, Stages, starts
from ggn.fit.start import as_in_fit
from ggn.fit.unsettled import (
    hint_of_constant_targets,
    hint_of_one_prior,
    hint_of_the_limit,
    hint_of_the_plane,
    hint_of_the_weights,
)
from ggn.io.columns import of_data
from ggn.linearization import Objective
from ggn.linearization.shares import as_counts
from ggn.losses import Loss, Squared, resolve
from ggn.network import MLP
from ggn.steps import Step
from ggn.validation import generator, integer

__all__ = ["choose_penalty", "train_bayesian"]


def train_bayesian(
    net: MLP,
    X: Any,
    Y: Any = None,
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
    noise: str = "constant",
) -> BayesianResult | Mixture:
    """Minimise mean ‖φ_L - y‖² + l2·‖w‖², with l2 chosen by the evidence of the data.

    Nothing needs to be held out. Where going on would fit noise, the weights before that are kept,
    which are no minimum, with status CRITERION. Weights share one prior and outputs one noise:
    inputs and targets should be standardised, but for a mixture, which does so itself. In units
    that are far from that, weights of different layers differ too much for one prior.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
        1-D is accepted where nL = 1.
    loss : str or Loss, default "squared"
        Only "squared": the evidence is that of normal noise.  The penalty of a cross-entropy
        `ggn.sklearn.GGNClassifier` chooses, by samples left out.
    w0 : array_like, (N,), or fit, optional
        Initial weights, or what is gone on with; by default drawn as `ggn.train` does.
    step, damping
        As in `ggn.train`.
    rng : int, Generator or None, default 0
        Where initial weights come from.
    max_iter : int, default 1000
        Largest number of steps taken in one run, a robust fit that it begins with apart.
    tol : float, default 1e-12
        For the last training, see `ggn.train`.
    sample_weight : array_like, (T,), optional
        A weight of 2 counts as the sample given twice; weights that add up to less than the
        samples only compare these, and have mean 1 here.
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
    noise : {"constant", "varying", "heavy_tailed", "contaminated"}, default "constant"
        How targets scatter about the outputs, all outputs of a sample by the same law: normally,
        and the same everywhere; normally, by a deviation that is a function of the inputs, unless
        the samples hardly tell it from a constant; by Student's distribution, its degrees of
        freedom chosen from 1 to 30; normally, but for a share of outliers, at least five times as
        wide, of which predictions say nothing. What samples count for and the fit are found in
        turn; sample_weight times what they count for is what is trained with.

    Returns
    -------
    BayesianResult
        A TrainResult with l2, effective_parameters, noise_std, noise, log_evidence, and
        methods predict, intervals, log_likelihood, sample and weight_covariance.
    Mixture
        With n_estimators, a TrainResult with `members`, and these methods but the last.

    Raises
    ------
    ValueError
        For a loss that is not squared, w0 with restarts, wrong shapes, types or ranges, or nan.

    Warns
    -----
    ScalingWarning
        Where inputs or targets are far from unit size, unless several networks are mixed.
    EvidenceWarning
        Where max_iter came before the penalty settled: l2, noise_std, log_evidence and intervals
        are then those of the way, not of its end. Likewise where what samples count for still
        changed after a dozen fits (of a mixture, five); where a target, not all, never changes, as
        one noise is shared; where weights add up to far more than the samples, or one sample counts
        for more than all others. Of a mixture with hidden units also where a plane in the inputs
        can fit all samples exactly.

    Notes
    -----
    Where the data have no noise l2 falls to 1e-14 of the GGN matrix's largest
    eigenvalue, where they show no dependence it rises to a million times that;
    it stays there, and log_evidence says nothing.  Intervals are those of one
    minimum: where γ is not far below N or n, they may be too narrow.

    What goes too far is judged by n log(E_D/n) - 3.5 n log(1 - γ/n), which with 2 for 3.5 were
    generalised cross-validation; a model without hidden units is not judged (:doc:`/bayesian`).

    References
    ----------
    MacKay (1992), A practical Bayesian framework for backpropagation networks;
    Foresee & Hagan (1997), Gauss-Newton approximation to Bayesian learning;
    Kim & Gu (2004), Smoothing spline Gaussian regression: more scalable computation;
    Tipping & Lawrence (2005), Variational inference for Student-t models;
    Tukey (1960), A survey of sampling from contaminated distributions.

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
    >>> y[::10] += 4.0
    >>> fit = ggn.train_bayesian(ggn.MLP((1, 20, 1)), x, y, noise="contaminated")
    >>> bool(0.08 < fit.noise_std < 0.12), bool(0.08 < fit.noise.share < 0.12)
    (True, True)
    """
    result = choose_penalty(
        net, X, Y, loss, Limits(max_iter, tol, None, max_seconds, callback), w0=w0, rng=rng,
        sample_weight=sample_weight, n_restarts=n_restarts, n_estimators=n_estimators, noise=noise,
        step=step, damping=damping, max_memory=max_memory,
    )  # fmt: skip
    hint_of_the_limit(result, max_iter)
    hint_of_the_plane(result)
    targets = np.asarray(as_in_fit(w0, X, Y)[1], dtype=np.float64)
    hint_of_constant_targets(targets.reshape(-1, net.n_outputs), result.as_model().target_names)
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
    noise: str = "constant",
    **options: Any,
) -> BayesianResult | Mixture:
    """Do what `train_bayesian` does, for callers who tell of the status themselves."""
    if not isinstance(resolve(loss), Squared):
        raise ValueError(
            f"loss must be 'squared', as the noise of the evidence is normal, got {loss!r}; of "
            "classes ggn.sklearn.GGNClassifier chooses it by cross-validation"
        )
    X, Y = as_in_fit(w0, X, Y)
    named = of_data(X, Y)
    data = Objective(net, X, Y, sample_weight=sample_weight)
    check_sizes(X=data.X, Y=data.Yt)
    check_sizes(0.0, sample_weight=data.s)  # they are summed, as counts of samples
    if sample_weight is not None:
        data = Objective(net, X, Y, sample_weight=as_counts(data.s))
    kind, start = kind_of(noise), starts(data, w0, n_restarts)
    hint_of_the_weights(data.sample_weight, kind.copies)
    several = check_room("n_estimators", integer("n_estimators", n_estimators, 1), FIT_BYTES)
    if several > 1:
        if w0 is not None or n_restarts != 1:
            raise ValueError(
                "n_estimators must be 1 with w0 or n_restarts, as each network of a mixture has "
                f"a start of its own, got {several}")  # fmt: skip
        return bayesian_mixture(
            data, limits, several, generator(rng), sample_weight, kind, named, **options
        )

    hint_of_one_prior(data)
    before = w0 if isinstance(w0, BayesianResult) else None

    def run(stream: np.random.Generator) -> BayesianResult:
        begun, w = time.perf_counter(), start(stream)

        def stages(of: Objective) -> Stages:
            return Stages(of, limits, begun, sample_weight=of.sample_weight, **options)

        return _evident(data, kind, stages, w, before, limits)

    runs = run_restarts(run, n_restarts, rng)
    best = best_of(max(runs, key=lambda result: result.log_evidence), runs)
    best.update(named)
    return best


def _evident(
    data: Objective,
    kind: NoiseKind,
    new: Callable[[Objective], Stages],
    w0: From,
    before: BayesianResult | None,
    limits: Limits,
) -> BayesianResult:
    """Train and estimate in turn, and what samples count for, where the noise has it change."""
    net, nL = data.net, data.net.n_outputs
    stages, judged = new(data), net.depth > 1

    def fit(counts: Counts, last: BayesianResult | None, end: bool) -> tuple[BayesianResult, bool]:
        own = weighed(data, counts)
        stages.weigh(own.sample_weight)
        left = limits.max_iter - stages.nit
        most = limits.max_iter if end or not kind.in_turn else stages.nit + -(-left // 2)
        l2 = None if before is None else penalty_after(own, before)
        begin: From = w0
        if last is not None:
            begin, l2 = last, last.l2
        elif robust is not None:  # its weights, with what the evidence says of them
            begin, most = robust.w, 0
        made = settle(own, stages, begin, most, limits.tol, l2, judged)
        if robust is not None:
            ended_so = ("status", "message", "success", "nit", "nfev", "njev")
            made.update({key: robust[key] for key in ended_so})
        made.noise = counts.law
        return made, made.status not in STOPPED and stages.nit < limits.max_iter

    def look(made: BayesianResult, counts: Counts) -> Counts | None:
        try:
            F, of = net.forward(made.w, data.X), made.posterior
            squares = np.square(F - data.Yt.T) + of.spread(net, made.w, data.X)
            return kind.counts(data.X, squares.mean(axis=1), data.s, nL, counts)
        except KeyboardInterrupt:  # the weights are good
            interrupted(made)
            return None

    def ended(made: BayesianResult) -> bool:
        return made.status is not Status.MAX_ITER

    first, robust = begun(kind, data, w0, new, limits.max_iter)
    made, counts, settled = in_turn(kind, fit, look, ended, first)
    made.noise_settled = settled
    made.log_evidence += gained(data, made.w, counts, made.beta)
    return made
