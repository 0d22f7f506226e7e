"""How targets scatter about what a network says, as its posterior and its file know it.

target - φ_L  =  σ e^(g(x)/2) z        σ: noise_std of the posterior

kind          g                        z
constant      0                        N(0, 1)
varying       a network of the inputs  N(0, 1)
heavy_tailed  0                        Student's t with ν degrees of freedom
contaminated  0                        N(0, 1), but for a share ε of outliers, of which no more
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from ggn.network import MLP
from ggn.validation import ArgumentError, describe, number, vector

__all__ = ["Contamination", "HeavyTails", "NoiseLaw", "VaryingNoise", "law_of"]


class NoiseLaw:
    """Normal noise, the same everywhere; what others are made from.

    Attributes
    ----------
    kind : str
        As `ggn.train_bayesian` is told.
    freedom : float
        ν of Student's t; inf where it is normal.

    Examples
    --------
    >>> NoiseLaw().kind, NoiseLaw().variance([[3.0]])
    ('constant', 1.0)
    """

    kind: ClassVar[str] = "constant"
    freedom: float = math.inf

    def variance(self, X: np.ndarray) -> Any:
        """Return e^g at inputs X (T, n0) of the network, (T, 1), or 1 for all."""
        return 1.0

    def draw(
        self, X: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator, heavy: bool
    ) -> np.ndarray:
        """Return noise over σ, of a shape (T, nL, count), with its heavy tails if it has any."""
        drawn = rng.standard_normal(shape)
        if heavy and math.isfinite(self.freedom):
            drawn *= np.sqrt(self.freedom / rng.chisquare(self.freedom, shape))
        return np.sqrt(np.atleast_2d(self.variance(X)))[:, :, np.newaxis] * drawn

    def header(self) -> dict[str, Any]:
        """Return what a file's header tells of it."""
        return {"kind": self.kind}


class VaryingNoise(NoiseLaw):
    """Normal noise whose deviation depends on the inputs.

    Parameters
    ----------
    net : MLP
        With one output and hyperbolic tangents.
    w : array_like, (N,)
        Its weights: it says g, the logarithm of the variance over σ².

    Examples
    --------
    >>> import ggn
    >>> law = VaryingNoise(ggn.MLP((1, 1)), [2.0, 0.0])
    >>> law.variance([[0.0], [1.0]]).round(2)
    array([[1.  ],
           [7.39]])
    """

    kind = "varying"

    def __init__(self, net: MLP, w: Any) -> None:
        if net.n_outputs != 1:
            raise ArgumentError("net", f"must have one output, got {net.n_outputs}")
        self.net, self.w = net, vector("w", w, net.n_weights, "the network's n_weights")

    def variance(self, X: np.ndarray) -> Any:
        with np.errstate(over="ignore"):
            return np.exp(self.net.forward(self.w, X))

    def header(self) -> dict[str, Any]:
        return {"kind": self.kind, "sizes": list(self.net.sizes), "w": self.w.tolist()}


class HeavyTails(NoiseLaw):
    """Student's noise, the same everywhere, with scale σ.

    Parameters
    ----------
    freedom : float
        ν.

    Examples
    --------
    >>> HeavyTails(3.0).header()
    {'kind': 'heavy_tailed', 'freedom': 3.0}
    """

    kind = "heavy_tailed"

    def __init__(self, freedom: float) -> None:
        self.freedom = number("freedom", freedom, 0.0, open_low=True)

    def header(self) -> dict[str, Any]:
        return {"kind": self.kind, "freedom": self.freedom}


class Contamination(NoiseLaw):
    """Normal noise, the same everywhere, of the targets that are no outliers.

    Parameters
    ----------
    share : float
        ε, of the outliers among the samples trained on.

    Examples
    --------
    >>> Contamination(0.2).header()
    {'kind': 'contaminated', 'share': 0.2}
    """

    kind = "contaminated"

    def __init__(self, share: float) -> None:
        self.share = number("share", share, 0.0, 1.0)

    def header(self) -> dict[str, Any]:
        return {"kind": self.kind, "share": self.share}


def law_of(told: Mapping[str, Any] | None) -> NoiseLaw:
    """Return what `header` told of; None is what a file without it has.

    Raises
    ------
    ValueError
        If it is of a kind that is not known here.
    """
    if told is None:
        return NoiseLaw()
    if told["kind"] == VaryingNoise.kind:
        sizes = told["sizes"]
        # before a network allocates anything of the size claimed
        if len(told["w"]) != sum((m + 1) * n for m, n in pairwise(sizes)):
            raise ValueError(f"{len(told['w'])} weights of the noise do not fit {describe(sizes)}")
        return VaryingNoise(MLP(sizes), told["w"])
    if told["kind"] == HeavyTails.kind:
        return HeavyTails(told["freedom"])
    if told["kind"] == Contamination.kind:
        return Contamination(told["share"])
    raise ValueError(f"it tells of noise {describe(told['kind'])}, which this ggn does not have")
