"""What the layers hold at w, chunk of samples by chunk: the factors of the Jacobian's row blocks.

    P_l = [Ψ_l^(1) ⊗ φ̂_{l-1}^(1), ..., Ψ_l^(T) ⊗ φ̂_{l-1}^(T)]        (eq. 19, 22)

φ̂ is the layer's input with its dummy unit, last, where it has one.  The sample
index runs fastest in every array.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ggn import _core
from ggn.network import MLP, chunks

__all__ = ["LayerChunk", "sweep_layers"]


@dataclass(frozen=True)
class LayerChunk:
    """The layers on c samples; lists over layers have layer l at [l - 1].

    Views of scratch memory that the next chunk overwrites.

    Attributes
    ----------
    rows : slice
        The samples.
    inputs : list of ndarray, (n_{l-1} [+ 1], c)
        φ̂_{l-1}.
    slopes : list of ndarray, (n_l, c)
        σ'_l at the net inputs.
    sensitivities : list of ndarray, (n_l, nL, c)
        Ψ_l, eq. 17.
    """

    net: MLP
    rows: slice
    inputs: list[np.ndarray]
    slopes: list[np.ndarray]
    sensitivities: list[np.ndarray]
    work: np.ndarray

    def jacobian(self) -> np.ndarray:
        """Return these samples' columns of P, (N, nL·c), by output, then sample."""
        net, c = self.net, self.rows.stop - self.rows.start
        P = np.empty((net.n_weights, net.n_outputs * c))
        _core.jacobian(net.layout, c, self.work, P, exact=True)
        return P

    def row_block(self, layer: int, units: slice) -> np.ndarray:
        """Return the rows of P_l that belong to these units of layer l, (units·m_l, nL·c)."""
        phi, Psi = self.inputs[layer - 1], self.sensitivities[layer - 1][units]
        return np.einsum("uoi,ai->uaoi", Psi, phi).reshape(len(Psi) * len(phi), -1)


def sweep_layers(net: MLP, w: np.ndarray, X: np.ndarray, size: int) -> Iterator[LayerChunk]:
    """Sweep forward and back, at most `size` samples at a time; nothing is checked."""
    layout, nL, layers = net.layout, net.n_outputs, range(1, net.depth + 1)
    size = min(size, len(X))
    memory = np.empty(net.work_size(size, nL))
    for rows in chunks(range(len(X)), size):
        c = rows.stop - rows.start
        work = memory[: net.work_size(c, nL)]
        net.sweep(w, X[rows], work, keep=1, exact=True)
        _core.sensitivities(layout, w, c, None, work, exact=True)
        yield LayerChunk(
            net,
            rows,
            [layout.inputs(work, c, layer) for layer in layers],
            [layout.slopes(work, c, layer) for layer in layers],
            [layout.sensitivities(work, c, layer) for layer in layers],
            work,
        )
