"""The output layer by itself: what each output's own weights could still do for it.

    (Φᵀ H Φ + 2 l2) d = Φᵀ r + 2 l2 w,    H = σ'² E'',  r = σ' E'

for each output, Φ (T, n_{L-1} [+ 1]) the inputs of its layer and its samples' shares in H and
r.  For the squared loss of an identity this is least squares, and w - d the best that the
output can have; units of other outputs do not enter.  It is solved by orthogonal
factorisation, so that the condition of Φ is not squared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ggn.linearization import Objective
from ggn.losses.curvature import Diagonal
from ggn.network import chunks

__all__ = ["output_steps"]

EPS = float(np.finfo(np.float64).eps)


def output_steps(objective: Objective, w: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each output's number and its step d (N,), zero for all other weights.

    Nothing where the loss is no sum over outputs.
    """
    net = objective.net
    W = net.unpack(w)[-1]
    m, nL = W.shape
    stacked = [np.zeros((0, m + 1)) for _ in range(nL)]
    c, _ = objective.chunk(0)
    work = np.empty(net.work_size(min(c, objective.T), nL))
    with np.errstate(all="ignore"):
        for rows in chunks(range(objective.T), c):
            n = rows.stop - rows.start
            F = net.sweep(w, objective.X[rows], work, keep=1)
            curvature = objective.curvature(F, rows, psd=True)
            if not isinstance(curvature, Diagonal):
                return
            slope = net.layout.slopes(work, n, net.depth)
            phi = net.layout.inputs(work, n, net.depth).T
            root = np.sqrt(curvature.diagonal()).T * np.abs(slope)
            r = objective.derivatives(F, rows) * slope
            for o in range(nL):
                part = np.column_stack([root[o][:, np.newaxis] * phi, _over(r[o], root[o])])
                if np.isfinite(part).all():
                    stacked[o] = np.asarray(np.linalg.qr(np.vstack([stacked[o], part]), mode="r"))
    penalty = net.unpack(np.broadcast_to(2.0 * objective.l2, net.n_weights).copy())[-1]
    for o in range(nL):
        root = np.sqrt(penalty[:, o])
        A = np.vstack([stacked[o], np.column_stack([np.diag(root), root * W[:, o]])])
        size = np.linalg.norm(A[:, :m], axis=0)
        size[size == 0.0] = 1.0
        d = np.zeros(net.n_weights)
        found = np.linalg.lstsq(A[:, :m] / size, A[:, m], rcond=len(A) * EPS)[0]
        net.unpack(d)[-1][:, o] = found / size
        yield o, d


def _over(r: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return r / root, 0 where root is."""
    return np.divide(r, root, out=np.zeros_like(r), where=root > 0.0)
