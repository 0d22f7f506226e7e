"""Derivatives of the outputs with respect to the inputs, from the sweeps of one chunk.

    ∂φ_L/∂x = Ψ_1ᵀ W_1ᵀ                                  (nL, n0), one per sample

Ψ_1   ∂φ_L/∂(net input of layer 1), (n_1, nL), the last of the sensitivities of eq. 17
W_1   (n0, n_1), its dummy row left out: the dummy unit does not vary with x
"""

from __future__ import annotations

import numpy as np

from ggn import _core

__all__ = ["input_derivatives"]


def input_derivatives(layout: _core.Layout, w: np.ndarray, c: int, work: np.ndarray) -> np.ndarray:
    """Return ∂φ_L/∂x (c, nL, n0) of the chunk whose forward sweep, with σ', is in work."""
    _core.sensitivities(layout, w, c, None, work)
    Psi = layout.sensitivities(work, c, 1)
    n1, nL, _ = Psi.shape
    W = layout.weights(w)[0][:, : layout.sizes[0]]
    with np.errstate(all="ignore"):  # far outside the data it may overflow
        product: np.ndarray = (W.T @ Psi.reshape(n1, nL * c)).reshape(-1, nL, c)
    return product.transpose(2, 1, 0)
