"""The weights of a network in groups, each with the size that data of this scale give it.

    group u      the incoming weights of unit u of layer l, or that of its dummy unit: of a
                 column of W_l, which an offset of the targets makes large
    size of u    the larger of ‖D w_u‖ and what is natural, D_0 times the deviation of the
                 targets (for an output, of its own)

D as in `ggn.damping.natural_scale`.  One number for all of w would let outputs and inputs in
large units hide what is wrong with others.
"""

from __future__ import annotations

import numpy as np

from ggn.linearization import Objective, SummedObjective

__all__ = ["Units"]

NONE = 1e-12  # of their size: targets that vary by less are constant but for rounding


class Units:
    """The groups of one objective's weights, in weights D w."""

    def __init__(self, objective: Objective | SummedObjective, scale: np.ndarray) -> None:
        net = objective.net
        self.scale = scale
        marked, count = np.zeros(net.n_weights), 0
        for W, dummy in zip(net.unpack(marked), net.bias, strict=True):
            n = W.shape[1]
            W[:] = np.arange(count, count + n)
            if dummy:
                W[-1] += n
            count += 2 * n
        self._group = marked.astype(np.intp)
        self.count = count
        deviation = _deviation(objective)
        top = float(deviation.max())
        whole = top * float(np.sqrt(np.mean(np.square(deviation / top))))
        curvature = float(scale[-1])  # of the last output's dummy unit, or its last input
        self.natural = np.full(count, curvature * whole)
        self.natural[count - 2 * net.n_outputs :] = curvature * np.tile(deviation, 2)

    @property
    def natural_weights(self) -> np.ndarray:
        """The natural size of each weight, (N,)."""
        size: np.ndarray = self.natural[self._group] / self.scale
        return size

    def spread(self, each: np.ndarray) -> np.ndarray:
        """Return the number of its unit for each weight, (N,)."""
        return np.asarray(each[self._group])

    def norms(self, v: np.ndarray) -> np.ndarray:
        """Return ‖v_u‖ of each unit, (units,)."""
        top = float(np.abs(v).max(initial=0.0))
        if not 0.0 < top < np.inf:
            return np.full(self.count, top)
        out: np.ndarray = top * np.sqrt(
            np.bincount(self._group, np.square(v / top), minlength=self.count)
        )
        return out

    def shares(self, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Return ‖v_u‖ in units of the size of the unit's weights, v for weights D w; (units,)."""
        size = np.maximum(self.norms(self.scale * w), self.natural)
        with np.errstate(all="ignore"):
            share = self.norms(v) / size
        return np.where(self.norms(v) == 0.0, 0.0, share)


def _deviation(objective: Objective | SummedObjective) -> np.ndarray:
    """Return the deviation of each output's targets, (nL,); their size where they do not vary."""
    if isinstance(objective, SummedObjective):
        found = objective.source.summary.Y
        size = np.maximum(found.high, -found.low)
    else:
        size = np.abs(objective.Yt).max(axis=1)
    size = np.where(size > 0.0, size, size.max() or 1.0)
    if isinstance(objective, SummedObjective):
        varied = found.deviation / size
    else:
        c, Z = objective.c.array, objective.Yt / size[:, np.newaxis]
        varied = np.sqrt(np.square(Z - (Z @ c)[:, np.newaxis]) @ c)
    out: np.ndarray = size * np.where(varied > NONE, varied, 1.0)
    return out
