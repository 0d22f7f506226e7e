"""J, its gradient and its Hessian at 50 digits, from the definitions: the judge of the census.

    z_l = φ̂_{l-1} W_l,  φ_l = σ_l(z_l),  J = Σ_i c_i E(φ_L, y_i) + Σ_j l2_j w_j²

Arrays hold mpmath numbers.  The gradient is by backpropagation, the Hessian by differences of
it over 1e-25, which leaves 25 digits.  Nothing of the library is used but to build its twin.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import Any

import mpmath as mp
import numpy as np
import reference

import ggn

DIGITS = 50

mp.mp.dps = DIGITS
STEP = mp.mpf(10) ** -25


def _pair(value, slope):
    return np.frompyfunc(value, 1, 1), np.frompyfunc(slope, 1, 1)


def _sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def _bell(z):
    return mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)


ZERO, ONE, SLOPE = mp.mpf(0), mp.mpf(1), mp.mpf(0.01)  # the double next to 1/100
SIGMAS = {  # σ and σ', at a kink those of the negative side
    "sigmoid": _pair(_sigmoid, lambda z: _sigmoid(z) * _sigmoid(-z)),
    "tanh": _pair(mp.tanh, lambda z: mp.sech(z) ** 2),
    "softsign": _pair(lambda z: z / (1 + abs(z)), lambda z: 1 / (1 + abs(z)) ** 2),
    "softplus": _pair(lambda z: mp.log1p(mp.exp(z)), _sigmoid),
    "bent_identity": _pair(
        lambda z: (mp.sqrt(z * z + 1) - 1) / 2 + z, lambda z: z / (2 * mp.sqrt(z * z + 1)) + 1
    ),
    "identity": _pair(lambda z: z, lambda z: ONE),
    "exponential": _pair(mp.exp, mp.exp),
    "leaky_relu": _pair(lambda z: z if z > 0 else SLOPE * z, lambda z: ONE if z > 0 else SLOPE),
    "relu": _pair(lambda z: z if z > 0 else ZERO, lambda z: ONE if z > 0 else ZERO),
    "silu": _pair(
        lambda z: z * _sigmoid(z), lambda z: _sigmoid(z) * (1 + z * _sigmoid(-z))
    ),
    "gelu": _pair(lambda z: z * mp.ncdf(z), lambda z: mp.ncdf(z) + z * _bell(z)),
    "elu": _pair(lambda z: z if z > 0 else mp.expm1(z), lambda z: ONE if z > 0 else mp.exp(z)),
    "arctan": _pair(mp.atan, lambda z: 1 / (1 + z * z)),
    "gaussian": _pair(lambda z: mp.exp(-z * z), lambda z: -2 * z * mp.exp(-z * z)),
    "sine": _pair(mp.sin, mp.cos),
}  # fmt: skip
SMOOTH = ("tanh", "sigmoid", "softplus", "bent_identity", "arctan", "gaussian", "silu", "gelu")


@dataclass(frozen=True)
class Loss:
    """E and ∇E in mpmath numbers, and the library's twin."""

    name: str = "squared"
    size: float = 1.0
    power: float = 1.5

    @property
    def twin(self) -> Any:
        if self.name == "cauchy":
            return ggn.losses.Cauchy(self.size)
        if self.name == "smooth_lp":
            return ggn.losses.SmoothLp(self.power, self.size)
        if self.name == "blake_zisserman":
            return ggn.losses.BlakeZisserman(self.size, self.power)
        own = {"squared_hinge": _hinge, "poisson": _poisson, "huber": _huber}
        return own[self.name]() if self.name in own else self.name

    def value(self, F, Y):
        """E of each sample, (T,)."""
        if self.name == "softmax_cross_entropy":
            return np.array([self._softmax(f, y)[0] for f, y in zip(F, Y, strict=True)])
        return np.frompyfunc(lambda f, y: self._one(f, y)[0], 2, 1)(F, Y).sum(axis=1)

    def gradient(self, F, Y):
        """∇E of each sample, (T, nL)."""
        if self.name == "softmax_cross_entropy":
            return np.array([self._softmax(f, y)[1] for f, y in zip(F, Y, strict=True)])
        return np.frompyfunc(lambda f, y: self._one(f, y)[1], 2, 1)(F, Y)

    def _one(self, f, y):
        if self.name == "logistic":
            return mp.log1p(mp.exp(f)) - y * f, _sigmoid(f) - y
        if self.name == "squared_hinge":
            short = max(1 - y * f, ZERO)
            return short * short, -2 * y * short
        if self.name == "poisson":
            return mp.exp(f) - y * f, mp.exp(f) - y
        r, s = f - y, mp.mpf(self.size)
        if self.name == "huber":
            near = abs(r) <= s
            return (r * r, 2 * r) if near else (2 * s * abs(r) - s * s, 2 * s * mp.sign(r))
        if self.name == "blake_zisserman":
            e, eps = mp.exp(-r * r / (s * s)), mp.mpf(self.power)
            return s * s * (mp.log1p(eps) - mp.log(e + eps)), 2 * r * e / (e + eps)
        if self.name == "cauchy":
            return s * s * mp.log1p((r / s) ** 2), 2 * r / (1 + (r / s) ** 2)
        if self.name == "smooth_lp":
            p, b = mp.mpf(self.power), r * r + s * s
            return b ** (p / 2) - s**p, p * r * b ** (p / 2 - 1)
        return r * r, 2 * r

    @staticmethod
    def _softmax(f, y):
        top = max(f)
        e = [mp.exp(a - top) for a in f]
        total = mp.fsum(e)
        value = sum(q * (mp.log(total) + top - a) for q, a in zip(y, f, strict=True))
        return value, [a / total - q for a, q in zip(e, y, strict=True)]


def _hinge():
    """E = max(0, 1 - y φ_L)², y = ±1: convex, and 0 wherever y φ_L >= 1."""
    loss = ggn.Loss(
        "squared_hinge",
        lambda F, Y: np.square(np.maximum(1.0 - Y * F, 0.0)).sum(axis=1),
        lambda F, Y: -2.0 * Y * np.maximum(1.0 - Y * F, 0.0),
        lambda F, Y: 2.0 * Y * Y * (Y * F < 1.0),
    )
    loss.convex, loss.unique_minimum = True, False
    return loss


def _poisson():
    """E = exp(φ_L) - y φ_L, of counts y: convex, without a minimum where y = 0."""
    loss = ggn.Loss(
        "poisson",
        lambda F, Y: (np.exp(F) - Y * F).sum(axis=1),
        lambda F, Y: np.exp(F) - Y,
        lambda F, Y: np.exp(F) + 0.0 * Y,
    )
    loss.convex, loss.unique_minimum = True, False
    return loss


def _huber():
    """E = r² up to |r| = 1, then 2 |r| - 1: convex, its curvature jumps."""
    loss = ggn.Loss(
        "huber",
        lambda F, Y: np.where(
            np.abs(F - Y) <= 1.0, np.square(F - Y), 2.0 * np.abs(F - Y) - 1.0
        ).sum(axis=1),
        lambda F, Y: 2.0 * np.clip(F - Y, -1.0, 1.0),
        lambda F, Y: 2.0 * (np.abs(F - Y) <= 1.0),
    )
    loss.convex, loss.unique_minimum = True, True
    return loss


@dataclass(frozen=True)
class Problem:
    """A network, data and a loss, here and in the library."""

    sizes: tuple[int, ...]
    names: tuple[str, ...]  # of all layers
    X: np.ndarray
    Y: np.ndarray
    loss: Loss = field(default_factory=Loss)
    l2: Any = 0.0
    weights: np.ndarray | None = None
    bias: bool = True

    @property
    def net(self):
        return ggn.MLP(self.sizes, list(self.names[:-1]), self.names[-1], self.bias)

    @property
    def spec(self):
        return reference.named_spec(self.sizes, self.names, self.bias)

    @property
    def options(self):
        return {"loss": self.loss.twin, "l2": self.l2, "sample_weight": self.weights}

    def like(self, **changes):
        return replace(self, **changes)

    def _sweep(self, w):
        """[φ_0, ..., φ_L] with dummy units, and [σ'_1, ..., σ'_L]."""
        phi, slopes = [], []
        out, _, _, ones = self._data
        for name, W in zip(self.names, reference.unpack(self.spec, w), strict=True):
            phi.append(np.hstack([out, ones]) if self.bias else out)
            z = phi[-1] @ W
            out = SIGMAS[name][0](z)
            slopes.append(SIGMAS[name][1](z))
        return [*phi, out], slopes

    @functools.cached_property
    def _data(self):
        """X, Y, l2 and a column of ones, in mpmath numbers."""
        ones = np.full((len(self.X), 1), ONE, object)
        return exact(self.X), exact(self.Y), exact(self.l2), ones

    @functools.cached_property
    def shares(self):
        s = exact(np.ones(len(self.X)) if self.weights is None else self.weights)
        return s / s.sum()

    def outputs(self, w):
        return self._sweep(exact(w))[0][-1]

    def J(self, w):  # noqa: N802
        """J at 50 digits."""
        w = exact(w)
        _, Y, l2, _ = self._data
        data = self.shares @ self.loss.value(self._sweep(w)[0][-1], Y)
        return data + (l2 * w * w).sum()

    def gradient(self, w):
        """∇J at 50 digits, (N,)."""
        w = exact(w)
        phi, slopes = self._sweep(w)
        Ws, (_, Y, l2, _) = reference.unpack(self.spec, w), self._data
        omega = self.shares[:, None] * self.loss.gradient(phi[-1], Y) * slopes[-1]
        parts = [phi[-2].T @ omega]
        for layer in range(len(Ws) - 1, 0, -1):
            W = Ws[layer][:-1] if self.bias else Ws[layer]
            omega = (omega @ W.T) * slopes[layer - 1]
            parts.insert(0, phi[layer - 1].T @ omega)
        return reference.pack(parts) + 2 * l2 * w

    def hessian(self, w):
        """H_J, (N, N), to 20 digits and more."""
        w = exact(w)
        g = self.gradient(w)
        H = np.empty((len(w), len(w)), object)
        for j in range(len(w)):
            near = w.copy()
            near[j] += STEP
            H[:, j] = (self.gradient(near) - g) / STEP
        return (H + H.T) / 2

    def curvatures(self, w):
        """Eigenvalues of the Hessian with a diagonal of ±1 or 0, in float64: its signs."""
        H = self.hessian(w)
        d = [mp.sqrt(abs(H[j, j])) or ONE for j in range(len(H))]
        scaled = np.array(
            [[float(H[i, j] / d[i] / d[j]) for j in range(len(H))] for i in range(len(H))]
        )
        return np.linalg.eigvalsh(scaled)

    def polish(self, w, rounds=3, H=None):
        """The zero of the gradient next to w, ‖g‖ < 1e-35; None where Newton finds none.

        H is what to take steps with first; where it is wrong, the steps fail."""
        w = exact(w)
        g = self.gradient(w)
        size = norm(g)
        for _ in range(rounds):
            H = self.hessian(w).astype(float) if H is None else H
            if not np.isfinite(H).all():
                return None
            d = np.sqrt(np.maximum(np.abs(np.diag(H)), 1e-300))
            inverse = np.linalg.pinv(H / np.outer(d, d), rcond=1e-13, hermitian=True)
            for _ in range(12):
                if size < mp.mpf(10) ** -38:
                    return w
                power = max(size, mp.mpf(10) ** -300)  # lest float(g) underflow
                step = inverse @ ((g / power).astype(float) / d) / d
                trial = w - exact(step) * power
                new = self.gradient(trial)
                left = norm(new)
                if not left < size / 5:
                    break
                w, g, size = trial, new, left
            H = None
        return w if size < mp.mpf(10) ** -35 else None


def exact(a):
    """The same numbers in mpmath."""
    if isinstance(a, np.ndarray) and a.dtype == object and a.ndim:
        return a  # they are
    return np.frompyfunc(mp.mpf, 1, 1)(np.asarray(a) if np.ndim(a) else np.array(a, object))


def norm(g):
    return mp.sqrt(mp.fsum(a * a for a in np.ravel(g)))


def rounded(w):
    return np.array([float(a) for a in w])
