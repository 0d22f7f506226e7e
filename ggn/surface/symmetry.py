"""The symmetries every network has: hidden units change places, odd and even ones change sign.

Unit u of hidden layer l is its incoming weights W_l[:, u], dummy row included, and its
outgoing ones W_{l+1}[u, :].  The outputs and the penalty stay the same if

    the units of a layer change places,                        n_l! ways
    a unit's weights, in and out, change sign, σ_l odd          2^n_l ways
    a unit's incoming weights change sign, σ_l even             2^n_l ways

The group is the product over the hidden layers, and a point's orbit has
|group| / |stabiliser| distinct points: fewer than |group| where units are equal,
opposite or zero.

Not counted, as they are no symmetries of the penalty or not finite in number: the
affine σ(-z) = 1 - σ(z) of sigmoid units that feed a dummy unit's layer, rotations
and scalings between linear layers, scalings of (leaky) ReLU, the period of sine.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ggn.activations import Activation
from ggn.linearization.mean_loss import penalty
from ggn.network import MLP
from ggn.validation import generator, instance, number, vector

__all__ = ["TOLERANCE", "Symmetry", "parity"]

TOLERANCE = 1e-6  # weights closer than this, relative to max(1, max |w|), are the same
MOST_ARRANGEMENTS = 100_000


def parity(activation: Activation) -> int:
    """Return s where σ(-z) = s σ(z) to rounding, at 41 values of z up to 100: -1, 1, or 0 for none.

    Examples
    --------
    >>> from ggn.activations import Gaussian, Sigmoid, Tanh
    >>> parity(Tanh()), parity(Gaussian()), parity(Sigmoid())
    (-1, 1, 0)
    """
    z = np.concatenate([[0.0], np.geomspace(1e-3, 100.0, 40)])
    with np.errstate(all="ignore"):
        up, down = activation.value(z), activation.value(-z)
        for s in (-1, 1):
            if (np.abs(down - s * up) <= 1e-14 * np.maximum(1.0, np.abs(up))).all():
                return s
    return 0


@dataclass(frozen=True)
class _Layer:
    """What may be done to the n units of one hidden layer."""

    n: int
    permutes: bool
    flips: bool
    even: bool  # a flip leaves the outgoing weights as they are
    direction: np.ndarray  # units are told apart by their component along this


class Symmetry:
    """The group of a network with its penalty, acting on weights.

    Parameters
    ----------
    net : MLP
    l2 : float or array_like (N,), default 0.0
        A hidden layer is permuted only if its units are all penalised alike.

    Attributes
    ----------
    order : int
        The number of elements of the group.

    Raises
    ------
    ValueError
        If l2 has another shape.

    Examples
    --------
    >>> import ggn
    >>> group = Symmetry(ggn.MLP((1, 2, 1), bias=False))  # w = (in, in, out, out)
    >>> group.order
    8
    >>> group.canonical([0.0, 2.0, 0.0, -3.0])[1]
    4
    >>> group.same_orbit([1.0, 2.0, 4.0, -3.0], [-2.0, 1.0, 3.0, 4.0])
    True
    """

    def __init__(self, net: MLP, *, l2: Any = 0.0) -> None:
        self.net = instance("net must be", net, MLP)
        N = net.n_weights
        penalties = net.unpack(np.broadcast_to(penalty(l2, N), N))
        # generic, so that units that differ are all but certain to differ along it
        source = np.random.default_rng(0)
        self._direction = source.standard_normal(N)
        self._layers = []
        for n, activation, before, after in zip(
            net.sizes[1:-1], net.activations, penalties, penalties[1:], strict=False
        ):
            alike = bool((before == before[:, :1]).all() and (after[:n] == after[:1]).all())
            s = parity(activation)
            flips = net.fixed_bias == 0.0 and s != 0
            direction = source.standard_normal(len(before) + after.shape[1])
            self._layers.append(_Layer(n, alike, flips, s == 1, direction))
        self.order = math.prod(
            (math.factorial(y.n) if y.permutes else 1) * (2**y.n if y.flips else 1)
            for y in self._layers
        )

    def canonical(self, w: Any, tol: float = TOLERANCE) -> tuple[np.ndarray, int]:
        """Return the point that stands for the orbit of w, and the orbit's size.

        Layer by layer, units get the sign and the place that their component along a
        fixed direction says.  Below the last hidden layer only incoming weights can
        decide, since the outgoing ones depend on the layer above: units with equal
        ones are tried in every arrangement.

        Parameters
        ----------
        w : array_like, (N,)
        tol : float, default 1e-6
            Weights closer than tol max(1, max |w|) are taken for equal.

        Returns
        -------
        representative : ndarray, (N,)
            The same for all points of an orbit, to within the distance that is taken for none.
        size : int
            The number of distinct points in the orbit.

        Raises
        ------
        ValueError
            If w has another shape or is not finite, or so many units with nearly equal
            weights that there are more than 100,000 arrangements to try.
        """
        w = vector("w", w, self.net.n_weights, "the network's n_weights")
        near = _nearness(w, number("tol", tol, 0.0))
        images, counts = zip(*self._arranged(self.net.unpack(w), 0, near), strict=True)
        values = [float(image @ self._direction) for image in images]
        best = images[int(np.argmax(values))]
        stabiliser = sum(
            count
            for image, count in zip(images, counts, strict=True)
            if np.abs(image - best).max() <= near
        )
        return best, self.order // stabiliser

    def same_orbit(self, a: Any, b: Any, tol: float = TOLERANCE) -> bool:
        """Return whether an element of the group takes a to b, to within tol."""
        tol = number("tol", tol, 0.0)
        a, b = self.canonical(a, tol)[0], self.canonical(b, tol)[0]
        return bool(np.abs(a - b).max() <= _nearness(a, tol))

    def symmetrised(self, w: Any, rng: int | np.random.Generator | None = None) -> np.ndarray:
        """Return the mean of w, g w, g² w, ... for a random element g, a point that g fixes.

        Some units become zero, equal or opposite.  The gradient at such a point lies in
        the subspace that g fixes, so a stationary point of J on it is one of J.

        Examples
        --------
        >>> import ggn
        >>> group = Symmetry(ggn.MLP((1, 1, 1), bias=False))
        >>> w = group.symmetrised([2.0, 3.0], rng=1)
        >>> bool((w == 0.0).all() or (w == [2.0, 3.0]).all())
        True
        """
        w = vector("w", w, self.net.n_weights, "the network's n_weights")
        source = generator(rng)
        element = [
            (
                source.permutation(y.n) if y.permutes else np.arange(y.n),
                source.choice([-1.0, 1.0], y.n) if y.flips else np.ones(y.n),
            )
            for y in self._layers
        ]
        orbit = [w]
        while True:
            Ws = self.net.unpack(orbit[-1])
            for h, (order, sign) in enumerate(element):
                Ws = _move(Ws, h, order, sign, self._layers[h].even)
            image = self.net.pack(Ws)
            if (image == w).all():
                return np.mean(orbit, axis=0)
            orbit.append(image)

    def _arranged(
        self, Ws: list[np.ndarray], h: int, near: float
    ) -> Iterator[tuple[np.ndarray, int]]:
        """Yield images with layers h, h + 1, ... in order; and how many elements lead to each."""
        if h == len(self._layers):
            yield self.net.pack(Ws), 1
            return
        layer = self._layers[h]
        m = len(Ws[h])
        whole = np.hstack([Ws[h].T, Ws[h + 1][: layer.n]])
        columns = whole.shape[1] if h + 1 == len(self._layers) else m
        turns = m if layer.even else whole.shape[1]  # the columns that a flip turns
        height = whole[:, : min(columns, turns)] @ layer.direction[: min(columns, turns)]
        signs, zeros = np.ones(layer.n), 0
        free: list[tuple[float, ...]] = [(1.0,)] * layer.n
        if layer.flips:
            signs[height < 0.0] = -1.0
            for u in range(layer.n):
                if not np.any(np.abs(whole[u, :turns]) > near):
                    zeros += 1
                elif not np.any(np.abs(whole[u, :columns]) > near):
                    free[u] = (1.0, -1.0)
        seen = _turned(whole, signs, turns)[:, :columns]
        place = seen @ layer.direction[:columns]
        order = np.argsort(place) if layer.permutes else np.arange(layer.n)
        runs = _runs(seen[order], near if layer.permutes else -1.0)
        for choice in itertools.product(*free):
            sign = signs * choice
            turned = _turned(whole, sign, turns)[order]
            classes = [_classes(turned[run], near) for run in runs]
            count = 2**zeros * math.prod(
                math.factorial(c.count(x)) for c in classes for x in set(c)
            )
            arrangements = math.prod(math.factorial(len(c)) for c in classes) // math.prod(
                math.factorial(c.count(x)) for c in classes for x in set(c)
            )
            if arrangements > MOST_ARRANGEMENTS:
                raise ValueError(
                    f"w must not have so many units of nearly equal weights, got {layer.n} in "
                    f"layer {h + 1} with {arrangements} arrangements to try; a smaller tol helps"
                )
            for picked in itertools.product(*map(_arrangements, classes)):
                places = np.concatenate(
                    [order[run][list(p)] for run, p in zip(runs, picked, strict=True)]
                )
                moved = _move(Ws, h, places, sign[places], layer.even)
                for image, more in self._arranged(moved, h + 1, near):
                    yield image, count * more


def _nearness(w: np.ndarray, tol: float) -> float:
    return tol * max(1.0, float(np.abs(w).max()))


def _turned(rows: np.ndarray, sign: np.ndarray, columns: int) -> np.ndarray:
    """Return rows with the first columns of each times its sign."""
    turned = rows.copy()
    turned[:, :columns] *= sign[:, np.newaxis]
    return turned


def _move(
    Ws: list[np.ndarray], h: int, order: np.ndarray, sign: np.ndarray, even: bool
) -> list[np.ndarray]:
    """Return the matrices with unit order[u] of hidden layer h, flipped if sign[u] < 0, as u."""
    moved = list(Ws)
    moved[h] = Ws[h][:, order] * sign
    moved[h + 1] = Ws[h + 1].copy()
    moved[h + 1][: len(order)] = Ws[h + 1][order] * (1.0 if even else sign[:, np.newaxis])
    return moved


def _runs(rows: np.ndarray, near: float) -> list[slice]:
    """Return the stretches of rows that differ from the one before by at most near."""
    differs = np.abs(np.diff(rows, axis=0)).max(axis=1) > near
    edges = [0, *(np.flatnonzero(differs) + 1).tolist(), len(rows)]
    return [slice(*edge) for edge in itertools.pairwise(edges)]


def _classes(rows: np.ndarray, near: float) -> tuple[int, ...]:
    """Return for each row the number of the first that is equal to it."""
    if len(rows) == 1:
        return (0,)
    return tuple(int(np.argmax((np.abs(rows - row) <= near).all(axis=1))) for row in rows)


def _arrangements(classes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the orders of range(len(classes)) that differ in the sequence of classes."""

    def extend(left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not left:
            yield ()
        for i in left:
            if all(classes[j] != classes[i] for j in left if j < i):
                for rest in extend(tuple(j for j in left if j != i)):
                    yield (i, *rest)

    return extend(tuple(range(len(classes))))
