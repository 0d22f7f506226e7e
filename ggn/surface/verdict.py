"""Why did it stop?  One verdict on a point, with its evidence.

The first that applies, g the gradient and λ_j the eigenvalues of the exact Hessian, both
for weights in units of the data:

=================  =================================================================
global minimum     the fit is exact; or J is at a proven lower bound, or, penalty included,
                   within the targets' rounding of 0; or J is convex in w (no hidden layer)
                   and g = 0
not stationary     g is not small, or promises more than 1e-6 of J, and J falls; or an
                   output's own weights lower its part of J by as much
strict saddle      λ_1 < 0, J falls along its eigenvector by more than g explains,
                   and Newton steps take g to its rounding: a zero of g is that near
local minimum      all λ_j > 0 but for directions known to leave J constant, and Newton
                   steps that halve, and stay near, take g to its rounding
runaway            growing weights of saturated units have lowered J, which levels off and
                   rises nowhere on the way out
infeasible         a proof that no weights fit exactly, where none of the above holds
inconclusive       zero eigenvalues that are not explained, or no Hessian; or Newton steps
                   lead to a kink, or over one
=================  =================================================================

Nothing is claimed beyond that: a minimum is called local unless shown to be global.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, overload

import numpy as np

from ggn._core.machine import memory_limit
from ggn.fit.fitted import Fitted
from ggn.fit.sizes import check_sizes
from ggn.linearization import BaseLinearization, Linearization, Source, linearize
from ggn.linearization.choice import summed_objective
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface import judgements
from ggn.surface.advice import suggestion
from ggn.surface.diagnosis import Diagnosis
from ggn.surface.evidence import EvidenceKind, Judgement, first_verdict, seen
from ggn.surface.examination import Examination
from ggn.surface.of_fit import takes_fits
from ggn.surface.of_sums import diagnose_sums
from ggn.validation import ArgumentError

__all__ = ["diagnose"]


@overload
def diagnose(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis: ...
@overload
def diagnose(
    fit: Fitted,
    X: Any,
    Y: Any = None,
    loss: str | Loss | None = None,
    *,
    l2: Any = None,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis: ...
@takes_fits
def diagnose(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any = None,
    loss: str | Loss = "squared",
    *,
    l2: Any = 0.0,
    sample_weight: Any = None,
    max_memory: float | None = None,
) -> Diagnosis:
    """Say what w is: a global or local minimum, a saddle, a runaway, or no stop at all.

    Called as ``diagnose(fit, X, Y)``, with a TrainResult, a Model or an estimator and the data
    in their own units, or as ``diagnose(net, w, X, Y)``.  Of a mixture, its best member is
    diagnosed, as no training ended at the mean.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0), or Chunks
        Of `ggn.Chunks`, which have targets and weights of their own, sums are taken; the report
        says what was not looked at.  ``diagnose(fit, chunks)`` and ``diagnose(net, w, chunks)``.
    Y : array_like, (T, nL)
        For a classifier also the labels.
    loss : str or Loss, default "squared"
    l2 : float or array_like (N,), default 0.0
    sample_weight : array_like, (T,), optional
        As in the training.  By default those of the fit, where one is given: what differs
        from them is named in the report, and in `Diagnosis.differs`.
    max_memory : float, optional
        Bytes that the dense Hessian may take, by default half of the machine's.  Beyond it,
        or 4000 weights, extreme eigenvalues are estimated, and minima no longer certified.

    Returns
    -------
    Diagnosis
        Print it; for programs: .verdict .evidence .suggestion and further fields.

    Raises
    ------
    TypeError
        For a fit without its data.
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers; or if the fit has weights of
        another number of samples, and none are given.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> X, Y = ggn.problems.xor()
    >>> fit = ggn.train(ggn.MLP((2, 2, 1)), X, Y, l2=1e-3)
    >>> ggn.diagnose(fit, X, Y).verdict.value
    'local minimum, not known to be global'
    >>> ggn.diagnose(fit, X, Y, l2=0.0).differs
    ('l2 is 0 on every weight here, 0.001 on every weight in the fit',)
    >>> print(ggn.diagnose(ggn.MLP((2, 2, 1)), [0, 0, 0, 0, 0, 0, 0, 0, 0.5], X, Y))
    verdict     second-order test inconclusive
    network     MLP((2, 2, 1), activation='tanh'); 9 weights
    loss        J = 0.25 over 4 samples, ‖gradient‖ = 0
    evidence    - P (9 x 4) has rank 1: no full column rank. Of ε, 0 of its norm lies in the
                  row span of P. w is critical; no more follows from the rank.
                - The Hessian, for weights in units of the data, has 1 positive, 8 zero and 0
                  negative eigenvalues (up to ... counts as zero), and the zeros are not
                  explained by known directions of constant J.
    suggestion  Move w at random by a little and train on: where the Hessian is singular,
                higher derivatives decide, which are not computed.
    """
    limit = memory_limit(max_memory)
    if isinstance(X, Source):
        summed = summed_objective(net, X, Y, loss, sample_weight, l2).at(net._weights(w).copy())
        _finite(summed)
        with np.errstate(all="ignore"):
            return diagnose_sums(summed, limit)
    at = linearize(net, w, X, Y, loss, l2=l2, sample_weight=sample_weight)
    check_sizes(X=at.objective.X)
    check_sizes(least=0.0, Y=at.objective.Yt)
    if not at.objective.c.array.all():
        at = Linearization(at.objective.part(np.flatnonzero(at.objective.c.array)), at.w)
    _finite(at)
    with np.errstate(all="ignore"):
        return _conclude(Examination(at, limit))


def _finite(at: BaseLinearization) -> None:
    if math.isfinite(at.loss) and np.isfinite(at.gradient).all():
        return
    and_nan = " and a gradient that is not finite" if math.isfinite(at.loss) else ""
    raise ArgumentError(
        "w", f"must have a finite loss and gradient, got a loss of {at.loss:g}{and_nan}"
    )


# Bounds of J come first, which need no derivative; then gradient and Hessian; then, where
# neither settles the point, what can be said of it.
ORDER: tuple[Callable[[Examination], Judgement], ...] = (
    judgements.at_lower_bound,  # global minimum, or runaway
    judgements.separates,  # runaway
    judgements.fits_exactly,  # global minimum
    judgements.moves_on,  # not stationary
    judgements.rank_of_jacobian,  # a note
    judgements.rises_for_ever,  # runaway
    judgements.convex,  # global minimum
    judgements.descends,  # strict saddle, or not stationary
    judgements.isolated,  # local minimum
    judgements.runs_away,  # runaway
    judgements.unsettled,  # infeasible, or inconclusive
)


# After which nothing stands in the way of a closer fit, since there is none.
LEAST = {
    EvidenceKind.EXACT,
    EvidenceKind.NEARLY_EXACT,
    EvidenceKind.LEAST,
    EvidenceKind.VANISHES,
}


def _conclude(point: Examination) -> Diagnosis:
    """Return the first verdict that applies."""
    verdict, said, measured = first_verdict(ORDER, point)
    evidence = list(said)
    obstructions, at, far = point.obstructions, point.at, point.far_out
    if far is not None:
        evidence.append(seen(EvidenceKind.FAR_OUT, influence=far.influence))
    if point.outliers is not None:
        evidence.append(seen(EvidenceKind.LONE_TARGETS, outliers=point.outliers))
    kinds = {one.kind for one in evidence}
    advice = suggestion(
        verdict, point.net, point.objective, () if kinds & LEAST else obstructions, point.large,
        descends="descent" in measured, far_out=far is not None,
        outliers=point.outliers is not None,
    )  # fmt: skip
    return Diagnosis(
        verdict=verdict,
        evidence=tuple(evidence),
        suggestion=advice,
        loss=at.loss,
        gradient_norm=float(np.linalg.norm(at.gradient)),
        relative_gradient=point.relative,
        lower_bound=point.bound,
        obstructions=obstructions,
        saturation=point.saturation,
        scale=point.scale,
        _at=at,
        **measured,
    )
