"""All stationary points ∇J = 0 of a small problem, and a check of their number.

A point's index is the number of negative eigenvalues of its Hessian: 0 at a minimum,
N at a maximum.  If J is coercive (J -> ∞ with ‖w‖, as with a penalty on every weight)
and no Hessian is singular, the numbers c_k of points of index k obey

    Σ_k (-1)^k c_k = 1                               (Poincaré-Hopf)
    c_k - c_{k-1} + c_{k-2} - ... >= (-1)^k           (Morse; k = 0, 1, ...)

A list that fails is incomplete; one that passes need not be complete, since what is
missing may cancel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn._core.machine import FIT_BYTES, check_room
from ggn.linearization import Linearization, Objective
from ggn.linearization.spectrum import inertia_of
from ggn.losses import Loss
from ggn.network import MLP
from ggn.surface.kinks import kinks
from ggn.surface.search import find
from ggn.surface.symmetry import TOLERANCE, Symmetry
from ggn.validation import count, generator, integer

__all__ = ["StationaryPoint", "StationaryPoints", "stationary_points"]

# Below this, relative to the largest, an eigenvalue's sign is not certain: w is known to
# about eps / λ, and so is λ.
DEGENERATE = float(np.sqrt(np.finfo(np.float64).eps))
ROWS = 60


@dataclass(eq=False)
class StationaryPoint:
    """One point of each orbit; see `stationary_points`.

    Attributes
    ----------
    w : ndarray, (N,)
        The orbit's representative.
    loss : float
        J(w), penalty included.
    gradient_norm : float
        ‖∇J(w)‖₂.
    eigenvalues : ndarray, (N,)
        Of the exact Hessian, ascending.
    index : int
        The number of negative ones.
    nullity : int
        The number of those that are zero to within sqrt(eps) of the largest.
    orbit_size : int
        How many distinct points the network's own symmetries make of this one.
    hits : int
        How many searches ended here.
    """

    w: np.ndarray
    loss: float
    gradient_norm: float
    eigenvalues: np.ndarray
    index: int
    nullity: int
    orbit_size: int
    hits: int = 1

    @property
    def degenerate(self) -> bool:
        """Whether the Hessian is singular, numerically."""
        return self.nullity > 0

    def __repr__(self) -> str:
        return (
            f"StationaryPoint(loss={self.loss:.6g}, index={self.index}, "
            f"nullity={self.nullity}, orbit_size={self.orbit_size})"
        )


class StationaryPoints(list[StationaryPoint]):
    """The list that `stationary_points` returns, by ascending loss; prints as a table.

    Attributes
    ----------
    n_starts : int
    n_rejected : int
        Searches that cycled, ran away or came to a kink, and so found nothing.
    coercive : bool
        Whether every weight is penalised, so that J -> ∞ with ‖w‖.
    smooth : bool
        Whether ∇J is continuous: no activation has a kink, as relu does.
    """

    def __init__(
        self,
        points: Iterable[StationaryPoint],
        n_starts: int,
        n_rejected: int,
        coercive: bool,
        smooth: bool = True,
    ) -> None:
        super().__init__(sorted(points, key=lambda p: (p.loss, p.index)))
        self.n_starts, self.n_rejected = n_starts, n_rejected
        self.coercive, self.smooth = coercive, smooth

    @property
    def counts(self) -> list[int]:
        """How many points, orbits counted in full, have index 0, 1, ..., the highest found."""
        counts = [0] * (max((p.index for p in self), default=0) + 1)
        for p in self:
            counts[p.index] += p.orbit_size
        return counts

    @property
    def poincare_hopf(self) -> int | None:
        """Σ (-1)^index over all points of all orbits; None if one is degenerate."""
        if any(p.degenerate for p in self):
            return None
        return sum((-1) ** k * c for k, c in enumerate(self.counts))

    @property
    def consistent(self) -> bool | None:
        """Whether Poincaré-Hopf and Morse allow the list to be complete; None if not applicable."""
        if not (self.coercive and self.smooth) or self.poincare_hopf is None:
            return None
        alternating, enough = 0, True
        for k, c in enumerate(self.counts):
            alternating = c - alternating
            enough &= alternating >= (-1) ** k
        return enough and self.poincare_hopf == 1

    def __repr__(self) -> str:
        points = sum(p.orbit_size for p in self)
        many = ", a degenerate one for many" if any(p.degenerate for p in self) else ""
        lines = [
            f"{count(len(self), 'orbit')}, {count(points, 'stationary point')}{many}; "
            f"{self.n_rejected} of {self.n_starts} searches found none",
            f"{'J':>14} {'index':>6} {'null':>5} {'orbit':>6} {'hits':>5} "
            f"{'min |lambda|':>13} {'|gradient|':>11}",
        ]
        for p in self[:ROWS]:
            smallest = float(np.abs(p.eigenvalues).min())
            lines.append(
                f"{p.loss:14.8g} {p.index:6} {p.nullity:5} {p.orbit_size:6} {p.hits:5} "
                f"{smallest:13.3g} {p.gradient_norm:11.2g}"
            )
        if len(self) > ROWS:
            lines.append(f"... and {len(self) - ROWS} orbits of larger loss")
        return "\n".join([*lines, self._verdict()])

    def _verdict(self) -> str:
        total = self.poincare_hopf
        if not self.smooth:
            return "Completeness: not checked, for points at the kinks of activations are left out."
        if total is None:
            return "Completeness: not checked, for there are degenerate points."
        if not self.coercive:
            return "Completeness: not checked, for without l2 on every weight no sum is known."
        found = f"index sum {total}, by index {self.counts}"
        if self.consistent:
            return f"Completeness: {found}, as it must be for a complete list."
        wrong = "a complete list has 1" if total != 1 else "too few saddles (Morse)"
        return f"Completeness: the list is incomplete: {found}, {wrong}."


def stationary_points(
    net: MLP,
    X: Any,
    Y: Any,
    loss: str | Loss = "squared",
    *,
    rng: int | np.random.Generator | None = 0,
    l2: Any = 0.0,
    sample_weight: Any = None,
    n_starts: int = 1000,
) -> StationaryPoints:
    """Find the stationary points of J, one for each orbit of the network's own symmetries.

    Searches from many starts follow eigenvectors of the exact Hessian towards a point of
    a drawn index and end with Newton's method at rounding level.  Half the starts are
    random, of scale 0.03 to 10, and half of those have units made zero, equal or
    opposite; the others lie around points already found, and seek the same index or
    one next to it.  All n_starts are run; `hits` says how often each point was found.

    Meant for up to some 20 weights of order one and few samples: a search takes about 20
    exact Hessians.  Searches cannot show that nothing is missing; `consistent` can show
    that something is.

    Parameters
    ----------
    net : MLP
        With smooth activations: points at the kinks of (leaky) ReLU are not found.
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
        Bounded below, or `consistent` means nothing.
    rng : int, Generator or None, default 0
    l2 : float or array_like (N,), default 0.0
        Penalty l2_j w_j² added to J.  Without it J often has no isolated minima, or
        none at all: an infimum at infinity is no stationary point and is not listed.
    sample_weight : array_like, (T,), optional
    n_starts : int, default 1000

    Returns
    -------
    StationaryPoints
        A list of StationaryPoint with `.counts`, `.poincare_hopf` and `.consistent`.  Of
        the degenerate points with equal loss, index and nullity, which as a rule form a
        continuum, it has one.

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names, ranges or non-finite numbers, or if an
        activation has no second derivative.

    Examples
    --------
    J = (ab - 1)² + (a² + b²)/4 has minima at a = b = ±sqrt(3/4) and a saddle at 0.

    >>> import ggn
    >>> net = ggn.MLP((1, 1, 1), activation="identity", bias=False)
    >>> points = stationary_points(net, [[1.0]], [[1.0]], l2=0.25, n_starts=20)
    >>> points[0]
    StationaryPoint(loss=0.4375, index=0, nullity=0, orbit_size=2)
    >>> points.counts, points.poincare_hopf, points.consistent
    ([2, 1], 1, True)
    """
    objective = Objective(net, X, Y, loss, sample_weight, l2)
    n_starts = check_room("n_starts", integer("n_starts", n_starts, 1), FIT_BYTES)
    source = generator(rng)
    group = Symmetry(net, l2=objective.l2)
    coercive = bool(np.all(objective.l2 > 0.0))
    zero_loss = objective.value(np.zeros(net.n_weights))
    found: list[StationaryPoint] = []
    rejected = 0
    for start in range(n_starts):
        w, index = _start(net, group, found, start, source)
        ended = find(objective, w, index, coercive)
        if ended is None or kinks(net, ended[0].w, objective.X)[0]:
            rejected += 1
            continue
        point = _classified(*ended, group)
        known = next((p for p in found if _same(p, point, zero_loss)), None)
        if known is None:
            found.append(point)
        else:
            known.hits += 1
    smooth = all(sigma.kink != 1 for sigma in net.activations)
    return StationaryPoints(found, n_starts, rejected, coercive, smooth)


def _start(
    net: MLP,
    group: Symmetry,
    found: list[StationaryPoint],
    start: int,
    source: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """Return weights to start from and the index to look for."""
    N = net.n_weights
    if found and start % 2:
        near = found[source.integers(len(found))]
        w = near.w + source.standard_normal(N) * 10.0 ** source.uniform(-1.5, 0.5)
        return w, int(np.clip(near.index + source.integers(-1, 2), 0, N))
    w = source.standard_normal(N) * 10.0 ** source.uniform(-1.5, 1.0)
    if start % 4 == 0:
        w = group.symmetrised(w, source)
    highest = max((p.index for p in found), default=0)
    return w, int(source.integers(min(highest + 1, N) + 1))


def _classified(at: Linearization, eigenvalues: np.ndarray, group: Symmetry) -> StationaryPoint:
    w, size = group.canonical(at.w)
    signs = inertia_of(eigenvalues, DEGENERATE * float(np.abs(eigenvalues).max()))
    return StationaryPoint(
        w=w,
        loss=at.loss,
        gradient_norm=float(np.linalg.norm(at.gradient)),
        eigenvalues=eigenvalues,
        index=signs.negative,
        nullity=signs.zero,
        orbit_size=size,
    )


def _same(a: StationaryPoint, b: StationaryPoint, scale: float) -> bool:
    """Whether b belongs to a's orbit or, if degenerate, to what passes for its continuum."""
    if (a.index, a.nullity) != (b.index, b.nullity):
        return False
    if a.degenerate:
        return abs(a.loss - b.loss) <= 1e-9 * max(abs(a.loss), abs(scale))
    return bool(np.abs(a.w - b.w).max() <= TOLERANCE * max(1.0, float(np.abs(a.w).max())))
