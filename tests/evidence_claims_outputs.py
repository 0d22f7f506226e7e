"""What evidence about single outputs and samples claims, as a check of its fields."""

import numpy as np
import reference
from exact import exact


def idle_output(at, f):
    """What least squares of the output's own weights has less, and its share."""
    if at.p.loss.name != "squared" or np.any(at.p.l2):
        return
    o, c = f["output"], at.p.shares.astype(float)
    phi = reference.forward(at.p.spec, at.w, at.p.X)[0][-2]
    W = reference.unpack(at.p.spec, at.w)[-1]
    if len(W) > phi.shape[1]:
        phi = np.column_stack([phi, np.ones(len(phi))])
    root = np.sqrt(c)[:, None]
    y = at.p.Y[:, o]
    best = np.linalg.lstsq(root * phi, root[:, 0] * y, rcond=None)[0]
    part, least = (float(c @ (phi @ v - y) ** 2) for v in (W[:, o], best))
    if f["fall"] > (part - least) * (1.0 + 1e-6):
        yield f"fall: {f['fall']:.3g}, but least squares has {part - least:.3g} less"
    if abs(f["percent"] - 100.0 * f["fall"] / part) > 1e-6 * f["percent"]:
        yield "percent: not the fall's"


def quasi_separated(at, f):
    """No sample's loss rises along the direction, as far as it goes, and `count` fall."""
    targets = exact(at.p.Y)
    before = at.p.loss.value(at.p.outputs(exact(at.w)), targets)
    fallen = np.zeros(len(at.p.X), bool)
    for t in (1, 16, 256):
        after = at.p.loss.value(at.p.outputs(exact(at.w) + t * exact(f["direction"])), targets)
        rises = np.array([a > b * (1 + 1e-9) for a, b in zip(after, before, strict=True)])
        if rises.any():
            yield f"the loss of {int(rises.sum())} samples rises at t = {t}"
        fallen |= np.array([a < b * (1 - 1e-9) for a, b in zip(after, before, strict=True)])
    if fallen.sum() != f["count"]:
        yield f"count: {f['count']}, not {int(fallen.sum())}"


def least(at, f):
    G = at.p.loss.gradient(at.p.outputs(at.w), exact(at.p.Y))
    size = 1.0 + np.abs(np.vstack([at.p.Y, at.p.outputs(at.w).astype(float)])).max()
    if any(abs(g) > 1e-13 * size for g in np.ravel(G)):
        yield "the gradient of a sample's loss is not 0"
