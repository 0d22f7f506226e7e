"""Where σ' is too small to matter.

A unit is flat on a sample where |σ'(z)| <= sqrt(eps) max σ', the maximum taken over
|z| <= 1: a change of order sqrt(eps) in an output moves a sum of squares by its
rounding only.  Below eps max σ', σ' has vanished: its term in P is lost beside others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.activations import Activation
from ggn.network import MLP
from ggn.surface.layers import sweep_layers
from ggn.validation import instance

__all__ = ["LayerSaturation", "SaturatedUnit", "Saturation", "saturation"]

EPS = float(np.finfo(np.float64).eps)
FLAT, VANISHED = EPS**0.5, EPS
LARGE = 10.0  # times the net input that weights of order one would give


@dataclass(frozen=True)
class SaturatedUnit:
    """A unit and the samples on which it is flat.  Units and samples count from 0.

    Attributes
    ----------
    layer : int
        1 ... L.
    unit : int
        Its column in W_l.
    samples : ndarray of int
        On which |σ'| is below sqrt(eps) of its maximum.
    vanished : int
        On how many of them it is below eps of that.
    total : int
        T.
    """

    layer: int
    unit: int
    samples: np.ndarray
    vanished: int
    total: int

    @property
    def everywhere(self) -> bool:
        """Whether no sample is left on which the unit still answers to its weights."""
        return len(self.samples) == self.total

    def __str__(self) -> str:
        return (
            f"unit {self.unit} of layer {self.layer} on {len(self.samples)} of {self.total} samples"
        )


@dataclass(frozen=True)
class LayerSaturation:
    """One layer over all samples.

    Attributes
    ----------
    layer : int
        1 ... L.
    level : ndarray of uint8, (T, n_l)
        0, 1 where flat, 2 where vanished, 3 where σ' is exactly 0.
    largest : ndarray, (n_l,)
        max |z| over samples.
    weight_norm : ndarray, (n_l,)
        ‖v‖ with each input in units of its root mean square over samples; the dummy unit's is 1.
    fan_in : int
        The number of inputs, the dummy unit counted.
    flat_part : bool
        Whether σ' is exactly 0 over a part of |z| <= 10, as relu's or a clipped activation's:
        there to be flat on some samples is nothing unusual.
    """

    layer: int
    level: np.ndarray
    largest: np.ndarray
    weight_norm: np.ndarray
    fan_in: int
    flat_part: bool

    @property
    def large(self) -> np.ndarray:
        """Units whose weight_norm exceeds 10 sqrt(fan_in): data in this scale explain no such."""
        units: np.ndarray = np.flatnonzero(self.weight_norm > LARGE * self.fan_in**0.5)
        return units


@dataclass(frozen=True)
class Saturation:
    """What `saturation` found.  Prints as a line or two.

    Attributes
    ----------
    layers : tuple of LayerSaturation
        Layer l at [l - 1].
    """

    layers: tuple[LayerSaturation, ...]

    @property
    def units(self) -> tuple[SaturatedUnit, ...]:
        """The units flat on any sample (of a flat_part: on all), those flat on most first."""
        found = []
        for at in self.layers:
            flat = at.level.all(axis=0) if at.flat_part else at.level.any(axis=0)
            for k in np.flatnonzero(flat):
                column = at.level[:, k]
                rows = np.flatnonzero(column)
                lost = int(np.sum(column >= 2))
                found.append(SaturatedUnit(at.layer, int(k), rows, lost, len(column)))
        return tuple(sorted(found, key=lambda unit: -len(unit.samples)))

    @property
    def everywhere(self) -> tuple[SaturatedUnit, ...]:
        """The units flat on all samples: constants, which no gradient will move again."""
        return tuple(unit for unit in self.units if unit.everywhere)

    def __str__(self) -> str:
        units = self.units
        if not units:
            return "no unit is saturated"
        more = f", and {len(units) - 4} more units" if len(units) > 4 else ""
        return "saturated: " + ", ".join(map(str, units[:4])) + more


def saturation(net: MLP, w: Any, X: Any) -> Saturation:
    """Find the units and samples on which σ' is too small to matter.

    Parameters
    ----------
    net : MLP
    w : array_like, (N,)
    X : array_like, (T, n0)

    Returns
    -------
    Saturation
        One byte per unit and sample.

    Raises
    ------
    ValueError
        For wrong shapes or non-finite numbers.

    Examples
    --------
    >>> import ggn
    >>> net = ggn.MLP((1, 1, 1))
    >>> print(saturation(net, [30.0, 0.0, 1.0, 0.0], [[0.0], [1.0], [-2.0]]))
    saturated: unit 0 of layer 1 on 2 of 3 samples
    """
    instance("net must be", net, MLP)
    w, X = net._weights(w), net._inputs(X, some=True)
    T = len(X)
    levels = [np.zeros((T, n), np.uint8) for n in net.sizes[1:]]
    largest = [np.zeros(n) for n in net.sizes[1:]]
    squares = [np.zeros(m) for _, m in net.layout.shapes]
    steepest = [_probe(sigma, 1.0).max(initial=0.0) or 1.0 for sigma in net.activations]
    Ws = net.unpack(w)
    with np.errstate(all="ignore"):
        for part in sweep_layers(net, w, X, net.chunk_size(net.n_outputs)):
            for i, (inputs, slopes) in enumerate(zip(part.inputs, part.slopes, strict=True)):
                slope = np.abs(slopes).T / steepest[i]
                levels[i][part.rows] = (slope <= FLAT) + 1 * (slope <= VANISHED) + (slope == 0.0)
                z = Ws[i].T @ inputs - net.fixed_bias
                largest[i] = np.maximum(largest[i], np.abs(z).max(axis=1))
                squares[i] += np.square(inputs).sum(axis=1)
    found = []
    for i, W in enumerate(Ws):
        norm = np.sqrt((squares[i] / T) @ np.square(W))
        flat_part = bool(np.mean(_probe(net.activations[i], 10.0) == 0.0) > 0.1)
        found.append(LayerSaturation(i + 1, levels[i], largest[i], norm, len(W), flat_part))
    return Saturation(tuple(found))


def _probe(sigma: Activation, most: float) -> np.ndarray:
    """Return |σ'| where it is finite, over |z| <= most."""
    with np.errstate(all="ignore"):
        slopes = np.abs(sigma.derivative(np.linspace(-most, most, 41)))
    finite: np.ndarray = slopes[np.isfinite(slopes)]
    return finite
