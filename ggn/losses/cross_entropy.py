"""Cross-entropies of class probabilities, for classification; outputs are logits.

=========================  ===================================  ==========================
name                       E                                    targets of a sample
=========================  ===================================  ==========================
``logistic``               -Σ_o [y log p + (1 - y) log(1 - p)]  each y in [0, 1]
``softmax_cross_entropy``  -Σ_o y_o log p_o                     y >= 0, Σ_o y_o = 1
=========================  ===================================  ==========================

with p = 1 / (1 + exp(-φ_L)), one yes-or-no question per output, and
p = exp(φ_L) / Σ exp(φ_L), one class out of nL.  In both ∇_E = p - y, and

    H_E = diag(p (1 - p))    and    H_E = diag(p) - p pᵀ,

which is singular: all logits may rise together.  With the likeliest class last
and the tails q_j = Σ_(k>j) p_k, H_E = S Sᵀ for the lower triangle

    S_jj = √(p_j q_j / q_(j-1)),    S_ij = -p_i √(p_j / (q_j q_(j-1))),  i > j

(Tanabe & Sagae 1992), whose last column is zero, and S r = ∇_E is solved by

    r_j = [∇_j + (p_j / q_(j-1)) Σ_(i<j) ∇_i] / S_jj.

No term cancels in these, nor in p - y as computed, so steps keep their digits where
probabilities are as small as 1e-300.  Where a sample is so wrong that the
curvature vanishes beside the gradient, `psd=True` has p >= eps (p - y)² instead:
H_E grows by less than eps, and r stays below 1/√eps.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ggn.losses.base import Loss

__all__ = ["Logistic", "SoftmaxCrossEntropy"]

EPS = float(np.finfo(np.float64).eps)


class Logistic(Loss):
    """E = -Σ_o [y log p + (1 - y) log(1 - p)], p = 1 / (1 + exp(-φ_L)): binary cross-entropy.

    Examples
    --------
    >>> import numpy as np
    >>> Logistic().gradient(np.array([[0.0]]), np.array([[1.0]]))
    array([[-0.5]])
    """

    name = "logistic"
    aliases = ("BCEWithLogitsLoss",)
    reachable = convex = nondegenerate = True
    unique_minimum = False  # of hard labels the minimum lies at infinity

    def __init__(self) -> None:
        pass

    def value(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        E: np.ndarray = (Y * np.logaddexp(0.0, -F) + (1.0 - Y) * np.logaddexp(0.0, F)).sum(axis=1)
        return E

    def gradient(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        g: np.ndarray = (1.0 - Y) * expit(F) - Y * expit(-F)
        return g

    def hessian(self, F: np.ndarray, Y: np.ndarray, psd: bool = False) -> np.ndarray:
        h: np.ndarray = expit(F) * expit(-F)
        return np.maximum(h, EPS * np.square(self.gradient(F, Y))) if psd else h

    def check_targets(self, Y: np.ndarray) -> None:
        if ((Y < 0.0) | (Y > 1.0)).any():
            wrong = Y[(Y < 0.0) | (Y > 1.0)][0]
            raise ValueError(f"Y must hold probabilities for loss 'logistic', got {wrong}")

    def __repr__(self) -> str:
        return "Logistic()"


class SoftmaxCrossEntropy(Loss):
    """E = -Σ_o y_o log p_o, p = exp(φ_L) / Σ exp(φ_L).

    Examples
    --------
    >>> import numpy as np
    >>> SoftmaxCrossEntropy().gradient(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]]))
    array([[-0.5,  0.5]])
    """

    name = "softmax_cross_entropy"
    aliases = ("CrossEntropyLoss",)  # of logits, as ours
    shift_invariant = True
    reachable = convex = True
    nondegenerate = False  # all logits may rise together
    unique_minimum = False  # of hard labels the minimum lies at infinity

    def __init__(self) -> None:
        pass

    def value(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        below, _, rest = _shifted(F)
        E: np.ndarray = np.einsum("io,io->i", Y, below) + np.log1p(rest)
        return E

    def gradient(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        p, others = _probabilities(F)
        g: np.ndarray = (1.0 - Y) * p - Y * others
        return g

    def hessian(self, F: np.ndarray, Y: np.ndarray, psd: bool = False) -> np.ndarray:
        p, others = _probabilities(F)
        if psd:
            p = np.maximum(p, EPS * np.square((1.0 - Y) * p - Y * others))
            others = _others(p)
        H: np.ndarray = -p[:, :, np.newaxis] * p[:, np.newaxis, :]
        diagonal = np.arange(F.shape[1])
        H[:, diagonal, diagonal] = p * others
        return H

    def root(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        order, p, tail, before, _ = self._ordered(F, Y)
        T, n = p.shape
        L = np.zeros((T, n, n))
        column = np.sqrt(p[:, :-1] / (tail * before))
        L[:, :, :-1] = -p[:, :, np.newaxis] * column[:, np.newaxis, :]
        L = np.tril(L)
        j = np.arange(n - 1)
        L[:, j, j] = tail * column
        S = np.empty_like(L)
        np.put_along_axis(S, order[:, :, np.newaxis], L, axis=1)
        return S

    def whitened(self, F: np.ndarray, Y: np.ndarray) -> np.ndarray:
        _, p, tail, before, g = self._ordered(F, Y)
        earlier = np.cumsum(g, axis=1) - g
        r = np.zeros_like(p)
        p, g, earlier = p[:, :-1], g[:, :-1], earlier[:, :-1]
        S = np.sqrt(p * tail / before)
        np.divide(g + p / before * earlier, S, out=r[:, :-1], where=S > 0.0)
        return r

    def _ordered(self, F: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the order with the likeliest class last; p, q_j, q_(j-1) and ∇_E in it."""
        T, n = F.shape
        order = np.tile(np.arange(n), (T, 1))
        best = F.argmax(axis=1)
        order[np.arange(T), best], order[:, -1] = n - 1, best
        p, others = (np.take_along_axis(a, order, axis=1) for a in _probabilities(F))
        y = np.take_along_axis(Y, order, axis=1)
        g = (1.0 - y) * p - y * others
        p = np.maximum(p, EPS * np.square(g))
        tails = np.cumsum(p[:, ::-1], axis=1)[:, ::-1]
        return order, p, tails[:, 1:], tails[:, :-1], g

    def check_targets(self, Y: np.ndarray) -> None:
        if Y.shape[1] < 2:
            raise ValueError(
                "Y must have a column per class for loss 'softmax_cross_entropy', got "
                f"shape {Y.shape}; with one output, the loss is 'logistic'"
            )
        off = (Y < 0.0).any(axis=1) | (np.abs(Y.sum(axis=1) - 1.0) > 1e-9)
        if off.any():
            i = int(np.argmax(off))
            raise ValueError(
                "Y must have rows of probabilities that sum to one for loss "
                f"'softmax_cross_entropy', got {Y[i]} at Y[{i}]"
            )

    def __repr__(self) -> str:
        return "SoftmaxCrossEntropy()"


def _shifted(F: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return max F - F, e = exp(F - max F), and the sum of e without the largest, per sample."""
    rows, best = np.arange(len(F)), F.argmax(axis=1)
    below = F[rows, best][:, np.newaxis] - F
    e = np.exp(-below)
    e[rows, best] = 0.0
    rest = e.sum(axis=1)
    e[rows, best] = 1.0
    return below, e, rest


def _probabilities(F: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return p and 1 - p, each to full relative precision."""
    _, e, rest = _shifted(F)
    p = e / (1.0 + rest)[:, np.newaxis]
    return p, _others(p)


def _others(p: np.ndarray) -> np.ndarray:
    """Return 1 - p; for the likeliest class, as the sum of the others."""
    rows, best = np.arange(len(p)), p.argmax(axis=1)
    result = 1.0 - p
    p = p.copy()
    p[rows, best] = 0.0
    result[rows, best] = p.sum(axis=1)
    return result
