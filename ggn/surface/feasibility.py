"""What keeps an architecture from fitting its data exactly, whatever the weights.

=====================  ==============================================================
obstruction            J >= ... for the squared loss; c_i as in `ggn.linearization.Objective`
=====================  ==============================================================
equal inputs           Σ c_i ‖y_i - mean of its group‖²; others in `repeated_inputs.py`
range of the output    Σ c_i E(y_i clipped to the range of σ_L, y_i)
no bias, x = 0         Σ c_i E(σ_L(0), y_i) over x_i = 0
narrow last layer      Σ_{j>q} s_j²,  s of √c (Y - mean y), q = n_{L-1}; σ_L = identity
all layers linear      the same for the least-squares fit of Y, plus its residual
few weights            N < T·nL: for almost all targets no w fits (Sard), without a bound
=====================  ==============================================================

A J at its bound is a global minimum, although it is not zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ggn.activations import Identity
from ggn.linearization import Objective
from ggn.losses import Logistic, Loss, SoftmaxCrossEntropy, Squared
from ggn.network import MLP
from ggn.surface.null_space import span_angle
from ggn.surface.obstruction import Obstruction, ObstructionKind
from ggn.surface.repeated_inputs import Groups

__all__ = ["equal_inputs", "obstructions"]

EPS = float(np.finfo(np.float64).eps)
NONE = np.empty(0, np.intp)
UNCERTAIN = 0.1  # of an angle: a span turned by more bounds nothing


def equal_inputs(X: np.ndarray) -> np.ndarray:
    """Return for each row of X (T, n0) the number of its group of equal rows, (T,).

    Examples
    --------
    >>> equal_inputs(np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]]))
    array([1, 0, 1])
    """
    order = np.lexsort(X.T[::-1])
    new = (np.diff(X[order], axis=0) != 0.0).any(axis=1)
    group = np.empty(len(X), np.intp)
    group[order] = np.concatenate([[0], np.cumsum(new)])
    return group


def obstructions(
    net: MLP, X: Any, Y: Any, loss: str | Loss = "squared", *, sample_weight: Any = None
) -> tuple[Obstruction, ...]:
    """Find what keeps the network from fitting the data exactly, whatever its weights.

    Parameters
    ----------
    net : MLP
    X : array_like, (T, n0)
    Y : array_like, (T, nL)
    loss : str or Loss, default "squared"
    sample_weight : array_like, (T,), optional
        Samples of weight 0 do not count.

    Returns
    -------
    tuple of Obstruction
        Proofs with the largest bound first.  An empty tuple proves nothing.  Nothing is proven
        where a loss of your own is not known to have its minimum at F = Y (`unique_minimum`).

    Raises
    ------
    ValueError
        For wrong shapes, dtypes, names or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 8, 1))
    >>> for found in obstructions(net, [[0.0], [0.0], [1.0]], [0.0, 1.0, 5.0]):
    ...     print(found)
    2 samples have inputs equal to others' but different targets, which forces J >= 0.166667.
    """
    objective = Objective(net, X, Y, loss, sample_weight)
    c = objective.c.array
    rows = np.flatnonzero(c)
    data = _Data(net, objective.X[rows], objective.Yt.T[rows], c[rows], objective.loss, rows)
    checks: list[Callable[[_Data], Obstruction | None]] = []
    known = objective.loss.unique_minimum
    if known is not False:  # else it does not ask for φ_L = y
        checks = [_duplicates, _range, _edge, _zero_input, _linear, _narrow, _few_weights]
    elif isinstance(objective.loss, Logistic | SoftmaxCrossEntropy):
        checks = [_duplicates]
    found = [o for o in (check(data) for check in checks) if o is not None]
    if known is None:
        found = [replace(o, rigorous=False, lower_bound=0.0, by_output=None) for o in found]
    return tuple(sorted(found, key=lambda o: (not o.rigorous, -o.lower_bound)))


@dataclass(frozen=True)
class _Data:
    """The samples that count; `rows` are their numbers among all."""

    net: MLP
    X: np.ndarray
    Y: np.ndarray
    c: np.ndarray
    loss: Loss
    rows: np.ndarray

    def forced(self, F: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Return Σ c_i E(F_i, y_i) of each output over some samples if E is monotone, else 0."""
        Y, c = self.Y[which], self.c[which]
        if not self.loss.separable:
            return np.zeros(Y.shape[1])
        each = [c @ self.loss.value(F[:, [o]], Y[:, [o]]) for o in range(Y.shape[1])]
        return np.array(each)

    @property
    def squared(self) -> bool:
        return isinstance(self.loss, Squared)

    def found(
        self,
        kind: ObstructionKind,
        which: np.ndarray,
        bound: float | np.ndarray,
        text: str,
        rigorous: bool = True,
        attained: bool = False,
    ) -> Obstruction:
        """Return the obstruction; a bound is a number, or one for each output."""
        each = bound if isinstance(bound, np.ndarray) else None
        bound = float(np.sum(bound))
        if rigorous and bound > 0.0:
            text = f"{text}, which forces J >= {bound:.6g}"
        return Obstruction(kind, rigorous, bound, attained, self.rows[which], text + ".", each)


def _duplicates(data: _Data) -> Obstruction | None:
    group = equal_inputs(data.X)
    if group.max() + 1 == len(group):
        return None
    groups = Groups(group, data.Y, data.c)
    varied = groups.high - groups.low > 8.0 * EPS * np.abs(data.Y).max(axis=0)
    apart = varied.any(axis=1)
    if not apart.any():
        return None
    which = np.flatnonzero(apart[group])
    text = f"{len(which)} samples have inputs equal to others' but different targets"
    return data.found(ObstructionKind.EQUAL_INPUTS, which, groups.bound(data.loss), text)


def _range(data: _Data) -> Obstruction | None:
    sigma = data.net.activations[-1]
    if sigma.image is None:
        return None
    F = np.clip(data.Y, sigma.image.low, sigma.image.high)
    which = np.flatnonzero((F != data.Y).any(axis=1))
    if not len(which):
        return None
    text = f"{len(which)} samples have targets outside {sigma.image}, the range of {sigma!r}"
    return data.found(ObstructionKind.RANGE, which, data.forced(F[which], which), text)


def _edge(data: _Data) -> Obstruction | None:
    sigma = data.net.activations[-1]
    if sigma.image is None:
        return None
    which = np.flatnonzero(np.isin(data.Y, sigma.image.unreached).any(axis=1))
    if not len(which):
        return None
    text = (
        f"{len(which)} samples have targets at the edge of {sigma.image}, "
        f"which {sigma!r} reaches at infinite weights only"
    )
    return data.found(ObstructionKind.EDGE, which, 0.0, text)


def _zero_input(data: _Data) -> Obstruction | None:
    net = data.net
    hidden = [float(sigma.value(np.zeros(1))[0]) for sigma in net.activations[:-1]]
    if any(net.bias) or net.fixed_bias or any(hidden):
        return None
    F = np.broadcast_to(net.activations[-1].value(np.zeros(1)), data.Y.shape)
    which = np.flatnonzero(~data.X.any(axis=1) & (data.Y != F).any(axis=1))
    if not len(which):
        return None
    text = f"without bias the output at x = 0 is {F[0, 0]:g} whatever the weights"
    return data.found(ObstructionKind.ZERO_INPUT, which, data.forced(F[which], which), text)


def _linear(data: _Data) -> Obstruction | None:
    net = data.net
    if any(sigma != Identity() for sigma in net.activations):
        return None
    free = any(net.bias) or net.fixed_bias != 0.0  # an offset, free or less than that
    angle, rank = span_angle(np.column_stack([data.X, np.ones(len(data.X))]) if free else data.X)
    if angle > UNCERTAIN:
        return None  # what the inputs span is rounding
    rank -= free
    X, Y = (_scaled(data, A, free) for A in (data.X, data.Y))
    norms = np.linalg.norm(X, axis=0)
    X = X / np.where(norms > 0.0, norms, 1.0)  # whose units must not decide on the rank
    n0, nL = net.n_inputs, net.n_outputs
    rows = np.vstack([np.column_stack([X, Y]), np.zeros((n0 + nL, n0 + nL))])
    R = np.asarray(np.linalg.qr(rows, mode="r"))
    U = np.linalg.svd(R[:n0, :n0])[0]
    onto = U.T @ R[:n0, n0:]  # Y in a basis of the inputs' span, then the rest
    outside = np.vstack([onto[rank:], R[n0:, n0:]])
    slack = math.sin(angle) * np.linalg.norm(R[:, n0:], axis=0)
    text = f"all layers are linear, and no linear map of rank {min(net.sizes)} or less fits"
    attained = net.bias[-1] or not free
    if min(net.sizes[:-1]) >= min(rank, nL):  # each output by itself
        return _tail(data, ObstructionKind.LINEAR, outside, text, attained, slack)
    kept = np.linalg.svd(onto[:rank], compute_uv=False)
    tail = np.concatenate([kept[min(net.sizes[:-1]) :], outside.ravel()])
    whole = np.array([np.linalg.norm(slack)])
    return _tail(data, ObstructionKind.LINEAR, tail, text, attained, whole)


def _narrow(data: _Data) -> Obstruction | None:
    net = data.net
    q = net.sizes[-2]
    linear = all(sigma == Identity() for sigma in net.activations)
    if net.activations[-1] != Identity() or linear or q >= net.n_outputs:
        return None
    Y = _scaled(data, data.Y + net.fixed_bias, net.bias[-1])
    s = np.linalg.svd(Y, compute_uv=False)
    text = f"the targets do not lie in {q} dimensions, the width of the last hidden layer"
    slack = np.array([8.0 * EPS * len(s) * s[0]])
    return _tail(data, ObstructionKind.NARROW, s[q:], text, False, slack)


def _few_weights(data: _Data) -> Obstruction | None:
    net, distinct = data.net, int(equal_inputs(data.X).max()) + 1
    if net.n_weights >= distinct * net.n_outputs:
        return None
    text = (
        f"{net.n_weights} weights are fewer than the {distinct} x {net.n_outputs} numbers to fit "
        "(Principle 2), so for almost all targets no exact fit exists"
    )
    return data.found(ObstructionKind.FEW_WEIGHTS, NONE, 0.0, text, rigorous=False)


def _scaled(data: _Data, A: np.ndarray, centred: bool = False) -> np.ndarray:
    """Return √c (A - mean), or √c A."""
    if centred:
        A = A - data.c @ A / data.c.sum()
    scaled: np.ndarray = np.sqrt(data.c)[:, np.newaxis] * A
    return scaled


def _tail(
    data: _Data,
    kind: ObstructionKind,
    tail: np.ndarray,
    text: str,
    attained: bool,
    slack: np.ndarray,
) -> Obstruction | None:
    """Return the obstruction that parts of √c Y cannot be fitted, unless they are rounding.

    `slack` is how far the norm of the tail, or of each output's, may be off.
    """
    each = tail.ndim == 2  # by output
    size = np.linalg.norm(_scaled(data, data.Y), axis=0 if each else None)
    norm = np.atleast_1d(np.linalg.norm(tail, axis=0))
    if (norm <= 64.0 * EPS * len(data.Y) ** 0.5 * size + slack).all():
        return None
    least = np.square(np.maximum(norm - slack, 0.0)) if data.squared else np.zeros(len(norm))
    margin = float(np.sum(np.square(norm)) - np.sum(least)) if data.squared else 0.0
    bound = least if each else float(least[0])
    found = data.found(kind, NONE, bound, text, attained=attained and data.squared)
    return replace(found, margin=margin)
