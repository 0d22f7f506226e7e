"""Theorem 1 and Prop. 1 at one point: whether P makes it a global minimum.

Without penalty the gradient is g = P ε, ε_i = c_i ∇_E (T·nL numbers in all), so where g = 0
ε is orthogonal to the row span of P.  Hence ε = 0, and with Principle 1 (∇_E = 0 only at a
minimum of E) w is a global minimum, if besides

* Theorem 1: P ≠ 0, and ε lies in the row span of P; in particular, if
* Prop. 1: P has full column rank T·nL.

The paper asks for either at all weights, which no network with a hidden layer offers
(rank P <= nL at w = 0); at a critical point, what holds there is enough for that point.
Off the critical point, with s_min the smallest of T·nL singular values,

      ‖ε‖ <= (‖g‖ + δ) / s_min,    J <= ‖ε‖² / (4 min c_i)  (squared loss),
                                   J <= ‖ε‖ ‖φ_L - y‖       (convex E, 0 at y, its minimum),

δ = max(N, T·nL) eps ‖P‖_F ‖ε‖, by which rounding moves g, and s_min ‖ε‖: where s_min is
hardly more than that, a g of 0 says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn._core.machine import memory_limit
from ggn.linearization import Linearization, linearize
from ggn.losses import Loss, Squared
from ggn.network import MLP
from ggn.surface.least_loss import ROOT_EPS, residual_norms, spread, zero_error
from ggn.surface.loss_principles import obeys_principle_1
from ggn.surface.rank import NumericalRank
from ggn.surface.row_span import row_span, scaled_norm
from ggn.validation import instance, number

__all__ = ["Certificate", "certificate"]

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Certificate:
    """What the rank of P says about w; see `certificate`.  Prints as two or three sentences.

    Samples of weight 0 are left out everywhere.

    Attributes
    ----------
    loss, gradient_norm : float
        J and ‖∇J‖, penalty included.
    error_norm : float
        ‖ε‖.
    relative_gradient : float
        ‖∇J‖ / (‖P‖_F ‖ε‖ + norm of the penalty's gradient), in [0, 1]; 0 where that is 0.
    jacobian_norm : float
        ‖P‖_F.
    exact_fit : bool
        ‖φ_L - y‖ <= sqrt(eps) ‖y - mean y‖ over all samples, for each output (‖y‖ where y
        does not vary).
    zero_error : bool
        Whether ε = 0 to rounding: exact_fit of a loss with its minimum at y and there only; of
        another convex one, that outputs are as close to where ∇_E = 0, if anywhere.
    critical : bool
        Relative gradient at most `tol`, or, without penalty and given Principle 1, zero_error.
    penalised : bool
        Whether J has a penalty, of which Theorem 1 and Prop. 1 know nothing.
    principle_1 : bool or None
        Whether ∇_E = 0 makes φ_L a global minimum of E, as it does of a convex loss; None:
        not known.
    shape : tuple of int
        (N, T·nL), of P.
    rank : NumericalRank or None
        Of P.
    projection, distance : float or None
        Norms of the projection of ε on the row span of P, and of the rest, over ‖ε‖; the
        row span belongs to the singular values above rank.tolerance.  0 where ε is 0.
    error_bound : float or None
        (‖P ε‖ + its rounding) / (s_min - rank.tolerance) >= ‖ε‖, where P has full column rank.
    loss_bound : float or None
        The J, without penalty, that error_bound leaves possible; for squared and convex losses.
    not_computed : str
        Why rank, projection or distance is None; else empty.
    """

    loss: float
    gradient_norm: float
    error_norm: float
    relative_gradient: float
    jacobian_norm: float
    exact_fit: bool
    zero_error: bool
    critical: bool
    penalised: bool
    principle_1: bool | None
    shape: tuple[int, int]
    rank: NumericalRank | None
    projection: float | None
    distance: float | None
    error_bound: float | None
    loss_bound: float | None
    not_computed: str

    @property
    def zero_jacobian(self) -> bool:
        """Whether P = 0, which makes w critical whatever the errors."""
        return self.jacobian_norm == 0.0

    @property
    def full_column_rank(self) -> bool | None:
        """Whether P has numerically full column rank; None: not known."""
        if self.rank is None:
            return False if self.shape[0] < self.shape[1] else None
        return self.rank.full_column

    @property
    def theorem_1(self) -> bool | None:
        """Whether the conditions of Theorem 1 hold at w; None: not known.

        P ≠ 0, and ε in the row span of P, to sqrt(eps) of its norm; ε = 0 is.
        """
        if self.zero_jacobian:
            return False
        if self.zero_error or self.full_column_rank:
            return True
        return None if self.distance is None else self.distance <= ROOT_EPS

    @property
    def proposition_1(self) -> bool | None:
        """Whether the condition of Prop. 1 holds at w, rank P = T·nL; None: not known."""
        return self.full_column_rank

    @property
    def certifies_global(self) -> bool:
        """Whether Prop. 1 makes w, to rounding, a global minimum.

        Its premises: w is critical, P has full column rank, the loss obeys Principle 1,
        there is no penalty.  Its conclusion ε = 0 has to be seen too (zero_error): where
        s_min is tiny, a gradient below tol does not make ε small.
        """
        premises = self.critical and bool(self.proposition_1) and self.principle_1 is True
        return premises and not self.penalised and self.zero_error

    def __str__(self) -> str:
        return " ".join([*self._rank_text(), *self._verdict()])

    def _rank_text(self) -> list[str]:
        if self.zero_jacobian:
            return ["P = 0, so that w is critical whatever its errors."]
        said = [self.not_computed] if self.not_computed else []
        if self.rank is not None:
            N, K = self.rank.shape
            kind = "full" if self.rank.full_column else "no full"
            said.insert(0, f"P ({N} x {K}) has rank {self.rank.rank}: {kind} column rank.")
        if self.projection is not None and not self.full_column_rank and self.error_norm > 0.0:
            said.append(f"Of ε, {self.projection:.2g} of its norm lies in the row span of P.")
        return said

    def _verdict(self) -> list[str]:
        if self.penalised:
            return ["The loss is penalised, so Theorem 1 and Proposition 1 say nothing about it."]
        if not self.principle_1:
            return ["Proposition 1 needs Principle 1, which is not known to hold for this loss."]
        if self.certifies_global:
            return ["By Proposition 1 w is a global minimum, to rounding."]
        if self.zero_error:
            what = "The fit is exact" if self.exact_fit else "The loss of every sample is least"
            return [f"{what}, so w is a global minimum, though not by rank."]
        if self.theorem_1 and not self.critical:
            by = "Proposition 1" if self.proposition_1 else "Theorem 1"
            return [f"By {by} w is not critical: training can go on."]
        if not self.full_column_rank:
            return [
                f"w is {'' if self.critical else 'not '}critical; no more follows from the rank."
            ]
        return [
            f"The gradient is small, though ε is not seen to be 0 (‖ε‖ <= {self.error_bound:.3g}): "
            "s_min is small, or the loss has its minimum at infinity."
        ]


def certificate(
    net: MLP,
    w: Any,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    tol: float = 1e-6,
    l2: Any = 0.0,
    sample_weight: Any = None,
    max_memory: float | None = None,
    rank: NumericalRank | None = None,
) -> Certificate:
    """Apply Theorem 1 and Prop. 1 at w.

    Parameters
    ----------
    net, w, X, Y, loss, l2, sample_weight
        As in `ggn.linearize`.
    tol : float, default 1e-6
        Relative gradient up to which w counts as critical.
    max_memory : float, optional
        Bytes for the factorisation of P, by default half of the machine's.  Where they do
        not suffice, `not_computed` says so.
    rank : NumericalRank, optional
        Of P (N, T·nL, samples of weight 0 left out), if it is known already.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers, or a rank of another shape.

    Examples
    --------
    >>> import ggn
    >>> X, Y = ggn.problems.xor()
    >>> net = ggn.MLP((2, 2, 1))
    >>> found = certificate(net, ggn.train(net, X, Y).w, X, Y)
    >>> print(found)
    P (9 x 4) has rank 4: full column rank. By Proposition 1 w is a global minimum, to rounding.
    """
    at = linearize(net, w, X, Y, loss, l2=l2, sample_weight=sample_weight)
    limit = memory_limit(max_memory)
    if rank is not None:
        instance("rank must be", rank, NumericalRank)
    with np.errstate(all="ignore"):
        return certify(at, rank, number("tol", tol, 0.0), limit)


def certify(
    at: Linearization, rank: NumericalRank | None, tol: float, max_memory: float
) -> Certificate:
    """Return the certificate of a linearization; see `certificate`."""
    c = at.objective.c.array
    if not c.all():
        at = Linearization(at.objective.part(np.flatnonzero(c)), at.w)
    objective, net, loss = at.objective, at.net, at.objective.loss
    Y, F = objective.Yt.T, net.forward(at.w, objective.X)
    shape = net.n_weights, Y.size
    if rank is not None and rank.shape != shape:
        raise ValueError(f"rank must be of P, of shape {shape}, got one of shape {rank.shape}")
    with np.errstate(all="ignore"):
        eps = objective.derivatives(F.T, slice(None)).T
        error, residuals = scaled_norm(eps), residual_norms(F, Y)
        most = float(np.abs(eps).max())  # by which to divide first: error may be subnormal
        unit = eps / most / (error / most) if error else eps
    penalty = 2.0 * objective.l2 * at.w
    data_gradient = float(np.linalg.norm(at.gradient - penalty))
    norm, span, not_computed = row_span(at, unit, max_memory)
    projection = distance = None
    if span is not None:
        rank = rank or span.rank()
        projection, distance = span.projections(rank.rank)
    size = norm * error + float(np.linalg.norm(penalty))
    relative = float(np.linalg.norm(at.gradient)) / size if size else 0.0
    exact = bool((residuals <= ROOT_EPS * spread(Y)).all())
    principle_1 = obeys_principle_1(loss)
    zero = zero_error(loss, F, Y, exact, error)
    error_bound = loss_bound = None
    if rank is not None and rank.full_column:
        off = max(shape) * EPS * norm * error
        error_bound = (data_gradient + off) / (float(rank.singular_values[-1]) - rank.tolerance)
        if isinstance(loss, Squared):
            loss_bound = error_bound**2 / (4.0 * float(np.min(objective.c.array)))
        elif loss.convex and loss.unique_minimum:
            least = float(np.sum(objective.c.array * loss.value(Y, Y)))
            loss_bound = error_bound * float(np.linalg.norm(residuals)) + least
    return Certificate(
        loss=at.loss,
        gradient_norm=float(np.linalg.norm(at.gradient)),
        error_norm=error,
        relative_gradient=relative,
        jacobian_norm=norm,
        exact_fit=exact,
        zero_error=zero,
        critical=relative <= tol or (zero and principle_1 is True and not objective.penalised),
        penalised=objective.penalised,
        principle_1=principle_1,
        shape=shape,
        rank=rank,
        projection=projection,
        distance=distance,
        error_bound=error_bound,
        loss_bound=loss_bound,
        not_computed=not_computed,
    )
