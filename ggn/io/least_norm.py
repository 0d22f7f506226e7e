"""Weights that samples say nothing about, because in some direction no sample differs.

    W_1 ← S⁻¹ V Vᵀ S W_1,    b_1 ← b_1 + x̄ᵀ (the part of W_1 that is left out)

x̄, S   mean and deviations of the inputs
V       orthonormal basis of the row space of the standardised inputs (X - x̄) S⁻¹

All samples are predicted as before.  Of the first layers that do so this one has the least
norm, for inputs in standard units; a column that is constant, or constant up to rounding,
has weights of exactly 0, and two columns that are always the same share theirs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ggn.io.scaling import constant_columns, standard_units
from ggn.network import MLP

__all__ = ["Varied"]

FULL = 1e-7  # least over greatest eigenvalue of ZᵀZ from which it is of full rank for sure


class Varied:
    """What inputs X (T, n0) vary, and weights that act on nothing else.

    Parameters
    ----------
    net : MLP
        With a dummy unit in its first layer.
    X : ndarray, (T, n0)
    weights : ndarray, (T,), optional
        Positive; of the samples, in the mean and the deviations.
    constant : ndarray of bool, (n0,), optional
        The columns that do not vary; by default they are looked for, which should be done
        in the units of the data: with their offset their rounding is not to be seen as such.

    Attributes
    ----------
    constant : ndarray of bool, (n0,)
        The columns that do not vary at all.
    everything : bool
        Whether all directions are varied, and weights are left as they are.

    Examples
    --------
    >>> import numpy as np, ggn
    >>> net = ggn.MLP((2, 1))
    >>> Varied(net, np.array([[0.0, 7.0], [1.0, 7.0]])).least_norm([2.0, 3.0, 1.0])
    array([ 2.,  0., 22.])
    """

    def __init__(
        self,
        net: MLP,
        X: np.ndarray,
        weights: np.ndarray | None = None,
        constant: np.ndarray | None = None,
    ) -> None:
        self.net = net
        self.mean, self.scale = standard_units(X, weights)
        self.constant = constant_columns(X) if constant is None else constant
        self.scale[self.constant] = 1.0
        Z = (X - self.mean) / self.scale
        Z[:, self.constant] = 0.0
        self.basis = _row_space(Z)
        self.everything = self.basis is None

    def least_norm(self, w: Any) -> np.ndarray:
        """Return weights (N,) that predict the same of X, and do nothing where it is not varied."""
        w = np.asarray(w, dtype=np.float64)
        if self.basis is None:
            return w
        Ws = [W.copy() for W in self.net.unpack(w)]
        n, scale, before = self.net.n_inputs, self.scale[:, np.newaxis], Ws[0][:-1].copy()
        V = self.basis
        Ws[0][:n] = (V @ (V.T @ (scale * before))) / scale
        Ws[0][:n][self.constant] = 0.0
        Ws[0][-1] += self.mean @ (before - Ws[0][:n])
        return self.net.pack(Ws)

    def without(self, Z: np.ndarray, w: np.ndarray | None = None) -> np.ndarray:
        """Return inputs with zeros in the constant columns, where weights w, if given, are zero.

        So nothing acts on these weights but rounding, which a scaled step would magnify.
        """
        silent = self.constant
        if w is not None:
            silent = silent & ~self.net.unpack(w)[0][: self.net.n_inputs].any(axis=1)
        return np.where(silent, 0.0, Z) if silent.any() else Z


def _row_space(Z: np.ndarray) -> np.ndarray | None:
    """Return an orthonormal basis (n, rank) of the rows of Z (T, n), None if that is all."""
    T, n = Z.shape
    if n == 0:
        return None
    if T >= n:
        eigenvalues = np.linalg.eigvalsh(Z.T @ Z / T)
        if eigenvalues[0] > FULL * eigenvalues[-1]:
            return None
    _, s, Vt = np.linalg.svd(Z, full_matrices=False)
    kept = s > max(T, n) * np.finfo(np.float64).eps * s[0]
    return None if kept.sum() == n else np.ascontiguousarray(Vt[kept].T)
