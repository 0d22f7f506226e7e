"""How the size of normal numbers depends on inputs: the logarithm of their variance, as a network.

    r_i ~ N(0, e^g(x_i)),  q_i: the mean of nL such r_i²,  n = nL Σ s_i numbers
    J(v)  = Σ s_i (g(x_i) + q_i e^-g(x_i)) / Σ s_i + Σ l2_j v_j²        g: a network with weights v
    n/2 J = -log p(r, v) but for constants, as v_j ~ N(0, 1/(2α_c)),  α_c = n/2 l2
    M     = I + Λ^(-1/2) G Λ^(-1/2),  G = 2/T P Pᵀ,  Λ = 4 diag(l2)     by Fisher's information
    log p(r | l2) = -n/2 J - 1/2 log det M                              (Laplace's method)
    γ_c   = Σ_{j in c} (1 - M⁻¹_jj),  l2_c = γ_c / (n Σ_{j in c} v_j²)  where that is greatest

Groups c are the weights of each input, hidden biases, and weights out of the hidden units; the last
bias is free.  Inputs share a prior at first.  How much normal numbers scatter is known, so unlike
the noise of a fit there is nothing here that could be thought less and less; still, the fixed point
goes past the greatest evidence, which is what is kept.  It need not be found from every start.
Where a constant does nearly as well, it is a constant.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ggn.fit.evidence import determined
from ggn.fit.result import pass_on_interrupt
from ggn.fit.train import train
from ggn.io.noise import NoiseLaw, VaryingNoise
from ggn.linearization import Objective
from ggn.linearization.columns import centre_and_size
from ggn.losses import Loss
from ggn.network import MLP

__all__ = ["Variance", "fitted_variance"]

UNITS = 6
STARTS = (1.0, 3.0, 10.0)  # n times the penalties begun with, one network each
STEPS, TOL = 10, 1e-6  # between two estimates
MOST, PATIENCE = 40, 3  # estimates, and of them without a greater evidence
SETTLED = 1e-2
FREE = 1e-8  # Λ of the last bias
MARGIN = 3.0  # of the log evidence, which a variance that varies must have more

GAMMA = Loss(
    "log-variance",
    lambda F, Y: (F + Y * np.exp(-F)).sum(axis=1),
    lambda F, Y: 1.0 - Y * np.exp(-F),
    lambda F, Y: Y * np.exp(-F),
)


class Variance(NamedTuple):
    """What was found.

    Attributes
    ----------
    law : NoiseLaw
        Whose variance(X) is what the q are about, over `size`.
    size : float
        The weighted mean of the q.
    log_evidence : float
        That of the law less the likelihood of the q under it: what v costs, at most 0.
    path : tuple
        Weights and penalties that it came to, for another search to begin with.
    """

    law: NoiseLaw
    size: float
    log_evidence: float
    path: tuple[np.ndarray, np.ndarray] | None = None


def fitted_variance(
    X: np.ndarray, q: np.ndarray, s: np.ndarray, nL: int, before: Variance | None = None
) -> Variance:
    """Return the variance as a function of the inputs.

    Parameters
    ----------
    X : ndarray, (T, n0)
    q : ndarray, (T,)
        Expected squares, means over nL outputs.
    s : ndarray, (T,)
        Sample weights.
    before : Variance, optional
        Found for other squares at these inputs, to begin with.

    Examples
    --------
    >>> import numpy as np
    >>> rng, x = np.random.default_rng(0), np.linspace(-1.0, 1.0, 400)[:, np.newaxis]
    >>> r = np.exp(x[:, 0]) * rng.normal(size=400)
    >>> found = fitted_variance(x, r**2, np.ones(400), 1)
    >>> deviation = np.sqrt(found.size * found.law.variance(np.array([[-1.0], [1.0]]))[:, 0])
    >>> bool((np.abs(np.log(deviation) - [-1.0, 1.0]) < 0.2).all())
    True
    """
    size = float(s @ q / s.sum())
    constant = Variance(NoiseLaw(), size, 0.0)
    centre, unit = centre_and_size(X, s)
    unit = np.where(unit > 0.0, unit, 1.0)
    if not size > 0.0 or not math.isfinite(size) or (X == X[0]).all():
        return constant
    Z, q = (X - centre) / unit, q / size
    net, rng = MLP((X.shape[1], UNITS, 1)), np.random.default_rng(0)
    if before is not None and before.path is not None:
        found = [_path(net, Z, q, s, nL, *before.path, shared=False)]
    else:
        found = [_path(net, Z, q, s, nL, *_start(net, nL * s.sum(), k, rng)) for k in STARTS]
    best = max(found, key=lambda at: at.log_evidence)
    n = nL * float(s.sum())
    # that of a constant has no other weights than the last bias
    bias = -0.5 * math.log1p(2.0 / FREE)
    if best.log_evidence < bias - 0.5 * n + MARGIN:
        return constant
    W, out = net.unpack(best.w)
    W = W.copy()
    W[:-1] /= unit[:, np.newaxis]
    W[-1] -= centre @ W[:-1]
    law = VaryingNoise(net, net.pack([W, out]))
    return Variance(law, size, best.log_evidence + 0.5 * n * best.J - bias, best[:2])


class _Found(NamedTuple):
    w: np.ndarray
    l2: np.ndarray
    log_evidence: float
    J: float  # without the penalty


def _start(
    net: MLP, n: float, times: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights to begin with, and the penalty of each group."""
    d, h = net.n_inputs, net.sizes[1]
    out = np.append(0.3 * rng.normal(size=h), 0.0)[:, np.newaxis]
    W = 0.5 * rng.normal(size=(d + 1, h))
    W[:-1] /= math.sqrt(d)
    return net.pack([W, out]), np.append(np.full(d + 2, times / n), 0.0)


def _path(
    net: MLP,
    Z: np.ndarray,
    q: np.ndarray,
    s: np.ndarray,
    nL: int,
    w: np.ndarray,
    l2: np.ndarray,
    shared: bool = True,
) -> _Found:
    """Train and estimate in turn, inputs sharing a prior or not; return the greatest evidence."""
    d, h = Z.shape[1], net.sizes[1]
    group = [np.repeat(np.arange(d + 1), h).reshape(d + 1, h), np.full((h + 1, 1), d + 1)]
    group[1][-1] = d + 2
    of = net.pack([g.astype(float) for g in group]).astype(int)
    free, n = of == d + 2, nL * float(s.sum())
    shared &= d > 1
    squared = Objective(net, Z, np.zeros((len(Z), 1)), sample_weight=s)
    kept, after, waited = _Found(w, l2, -math.inf, 0.0), l2, 0
    for _ in range(MOST):
        fit = train(
            net, Z, q, GAMMA, w0=w, l2=l2[of], sample_weight=s, max_iter=STEPS, tol=TOL
        )  # fmt: skip
        pass_on_interrupt(fit)
        w = fit.w
        root, left, *_ = determined(squared.at(w), np.where(free, FREE, 4.0 * l2[of]))
        evidence = -0.5 * n * fit.fun - float(np.log(np.diag(root)).sum())
        own, squares = np.bincount(of, 1.0 - left), np.bincount(of, w * w)
        if shared:
            own[:d], squares[:d] = own[:d].sum(), squares[:d].sum()
        with np.errstate(all="ignore"):
            best = np.clip(own / (n * squares), 1e-14, 1e3)
        best[-1] = 0.0
        change = float(np.abs(np.log(best[:-1] / l2[:-1])).max())
        if evidence > kept.log_evidence:
            kept, after, waited = (
                _Found(w, l2, evidence, fit.fun - float(l2[of] @ (w * w))),
                best,
                0,
            )
        else:
            waited += 1
        if change < SETTLED or waited >= PATIENCE:
            if not shared:
                break
            shared, waited, w, best = False, 0, kept.w, after
        l2 = best
    return kept
