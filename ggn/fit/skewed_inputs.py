"""Which skewed inputs to make logarithmic: those by whose units the targets are predicted better.

    V(bent) < WORTH V(straight) and < V(straight) - LEAST

V being what a start's hidden units leave of the targets' variance, see `ggn.fit.start`; one column
after the other, those that were worth it staying so.  Skewness alone does not tell: what is linear
in a skewed input, or a wave of it, is best left as it is (errors .023 for .064, .38 for .46), what
follows its logarithm is not (.031 for .040; airfoil 1.23 for 1.41).  A column whose deviation is
PRESSED times that of most of its values is bent in any case: in its units these would be one.
"""

from __future__ import annotations

import numpy as np

from ggn.fit.start import unexplained
from ggn.io.asinh_transform import AsinhTransform
from ggn.io.scaling import standard_units
from ggn.linearization import Objective
from ggn.linearization.columns import centre_and_size
from ggn.linearization.robust_scale import robust_deviation
from ggn.network import MLP

__all__ = ["worth_transforming"]

WORTH, LEAST = 0.95, 1e-3
PRESSED = 10.0


def worth_transforming(
    net: MLP, X: np.ndarray, Y: np.ndarray, weights: np.ndarray | None = None
) -> AsinhTransform | None:
    """Return what becomes of inputs X (T, n0) for targets Y (T, nL); None if all stay.

    Examples
    --------
    >>> x = 10.0 ** np.linspace(-1.0, 2.0, 80)[:, np.newaxis]
    >>> net = MLP((1, 10, 1))
    >>> worth_transforming(net, x, np.sin(2.0 * np.log(x))), worth_transforming(net, x, 3.0 * x)
    (AsinhTransform(1 of 1 inputs), None)
    """
    skewed = AsinhTransform.of_skewed(X, weights)
    if skewed is None:
        return None

    my, sy = standard_units(Y, weights)

    def missed(transform: AsinhTransform) -> float:
        U = transform(X)
        m, s = standard_units(U, weights)
        return unexplained(Objective(net, (U - m) / s, (Y - my) / sy, sample_weight=weights))

    with np.errstate(all="ignore"):
        size = centre_and_size(X, weights)[1]
        most = np.array([robust_deviation(x, weights) for x in X.T])
        pressed = skewed.applied & (size > PRESSED * most)
    kept = AsinhTransform(skewed.start, np.where(pressed, skewed.width, np.inf))
    best = missed(kept)
    for j in np.flatnonzero(skewed.applied & ~pressed):
        width = kept.width.copy()
        width[j] = skewed.width[j]
        tried = AsinhTransform(skewed.start, width)
        now = missed(tried)
        if now < min(WORTH * best, best - LEAST):
            kept, best = tried, now
    return kept if kept.applied.any() else None
