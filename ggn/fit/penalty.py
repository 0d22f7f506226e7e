"""Which weights a penalty is on."""

from __future__ import annotations

import numpy as np

from ggn.network import MLP

__all__ = ["without_biases"]


def without_biases(net: MLP, l2: float) -> float | np.ndarray:
    """Return the penalty of each weight, (N,): l2, but 0 for those of dummy units.

    A bias says where a function is, not how steep: under a penalty, a rare class would
    be predicted too often.  For `ggn.train`, which takes a number for all weights alike.

    Examples
    --------
    >>> import ggn
    >>> without_biases(ggn.MLP((2, 1)), 0.5)
    array([0.5, 0.5, 0. ])
    """
    if l2 == 0.0:
        return 0.0
    Ws = [np.full_like(W, l2) for W in net.unpack(np.zeros(net.n_weights))]
    for W, has_dummy in zip(Ws, net.bias, strict=True):
        if has_dummy:
            W[-1] = 0.0
    return net.pack(Ws)
