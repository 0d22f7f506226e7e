"""Derivatives of the outputs with respect to the inputs, from the sweeps of one chunk.

    ∂φ_L/∂x = Ψ_1ᵀ W_1ᵀ                                  (nL, n0), one per sample

Ψ_1   ∂φ_L/∂(net input of layer 1), (n_1, nL), the last of the sensitivities of eq. 17
W_1   (n0, n_1), its dummy row left out: the dummy unit does not vary with x
"""

from __future__ import annotations

import numpy as np

from ggn import _core

__all__ = ["input_derivatives"]


def input_derivatives(
    layout: np.ndarray, par: np.ndarray, w: np.ndarray, c: int, work: np.ndarray
) -> np.ndarray:
    """Return ∂φ_L/∂x (c, nL, n0) of the chunk whose forward sweep, with σ', is in work."""
    depth = layout[0]
    width, bias, _, _, a, z = layout[1:].reshape(6, depth + 2)
    n0, n1, nL = width[0], width[1], width[depth]
    _core.sensitivities(layout, par, w, c, None, work)
    start = c * (a[-1] + z[-1] + nL * z[1])  # where Ψ_1 is; the legend is in _kernels/sweep.pxd
    Psi = work[start : start + c * nL * n1].reshape(n1, nL * c)
    W = w[: n1 * (n0 + bias[1])].reshape(n1, -1)[:, :n0]
    with np.errstate(all="ignore"):  # far outside the data it may overflow
        product: np.ndarray = (W.T @ Psi).reshape(n0, nL, c)
    return product.transpose(2, 1, 0)
